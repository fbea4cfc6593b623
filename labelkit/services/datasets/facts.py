"""What is known of a dataset version, in named texts: the same words in its widget, in its static page and at a prompt."""

from __future__ import annotations

from typing import TYPE_CHECKING

from labelkit.core.datasets.builds import BuildStatus

if TYPE_CHECKING:
    from labelkit.services.datasets.dataset import Dataset

Fact = tuple[str, str | None]
MOMENT = "%Y-%m-%d %H:%M:%S UTC"
LINEAGE_HEAD = ("Pack", "Decision", "Why", "Media", "Group", "Revision", "Content", "Draft", "Proposed by")


def provenance(dataset: Dataset) -> list[Fact]:
    """Return where a version comes from: ids, digests, the request that made it, when and by whom; None is not known yet."""
    asked = dataset.request
    ratios = ", ".join(f"{split} {share:g}" for split, share in asked.ratios.items())
    predefined = asked.split_strategy == "predefined"
    return [
        ("Dataset version id", dataset.id),
        ("Build id", dataset.build_id),
        ("Manifest hash", dataset.manifest_hash),
        ("Reuse fingerprint", dataset.reuse_fingerprint),
        ("Build fingerprint", dataset.build_fingerprint),
        ("Split strategy", f"{asked.split_strategy} by {asked.split_column}" if predefined else f"{asked.split_strategy}: {ratios}"),
        ("Seed", None if predefined else str(asked.seed)),
        ("Started", dataset.created_at.strftime(MOMENT)),
        ("Started by", dataset.created_by),
        ("Description", asked.description or None),
    ]


def status(dataset: Dataset) -> list[Fact]:
    """Return how far the build is and, where it failed, by which code and why."""
    done = dataset.progress
    job = {BuildStatus.RUNNING: "running", BuildStatus.SUCCESS: "succeeded", BuildStatus.FAILED: "failed"}[dataset.status]
    facts: list[Fact] = [
        ("Build status", str(dataset.status)),
        ("Latest job", f"{job}{f', {done[0]:,} of {done[1]:,} samples' if done else ''}"),
    ]
    if dataset.failure:
        facts += [("Failure", dataset.failure), ("Reason", dataset.reason or None)]
    return facts


def sources(dataset: Dataset) -> list[Fact]:
    """Return what a version was made of: packs, media, groups, frames, cameras and models, counted."""
    lineage = dataset.lineage
    packs = [verdict.pack for verdict in lineage.included]
    frames = sum(pack.frame_count for pack in packs)
    samples = dataset.sample_count
    models = sorted(
        {model_name(name, version) for name, version in lineage.origins.select("model", "model_version").drop_nulls("model").rows()}
    )
    return [
        ("Packs included", f"{len(packs):,}"),
        ("Packs excluded", f"{len(lineage.excluded):,}"),
        ("Workspaces", ", ".join(sorted({pack.workspace for pack in packs})) or None),
        ("Media", f"{len({pack.media_id for pack in packs}):,}"),
        ("Groups", f"{len({pack.group_key for pack in packs}):,}"),
        ("Cameras", ", ".join(sorted({pack.camera_type for pack in packs})) or None),
        ("Frames in the packs", f"{frames:,}"),
        ("Of them samples", None if samples is None or not frames else f"{samples:,} ({samples / frames:.1%})"),
        ("Proposed by", ", ".join(models) or "people alone"),
    ]


def materialization(dataset: Dataset) -> list[Fact]:
    """Return how far the files of a version are: the newest run that counts, its place, shards and files."""
    head = dataset.materialized
    if head is None:
        return [("Materialization", "none")]
    tally = head.tally
    return [
        ("Materialization", str(head.status)),
        ("Mode", str(head.mode)),
        ("Place", head.target),
        ("Shards", f"{tally.done:,} of {tally.shards:,} done{f', {tally.failed:,} failed' if tally.failed else ''}"),
        ("Files", f"{tally.made + tally.kept:,} of {tally.files:,}{f', {tally.absent:,} absent' if tally.absent else ''}"),
    ]


def freezing(dataset: Dataset) -> list[Fact]:
    """Return whether a version is a frozen test set, since when, and the last change each way."""
    state = dataset.freezing
    facts: list[Fact] = [("Frozen test set", "yes" if state.is_frozen else "no")]
    if state.frozen_at is not None:
        facts.append(("Frozen at", state.frozen_at.strftime(MOMENT)))
    for word, event in (("Last freeze", state.last_freeze), ("Last unfreeze", state.last_unfreeze)):
        if event is not None:
            facts.append((word, f"{event.at.strftime(MOMENT)} by {event.actor}{f': {event.reason}' if event.reason else ''}"))
    return facts


def lineage_rows(dataset: Dataset) -> list[tuple[str, ...]]:
    """Return one row of texts a requested pack, those left out first, under `LINEAGE_HEAD`; empty where there is nothing to say."""
    rows = dataset.lineage.to_polars().sort("included", "pack_id")
    return [
        (
            row["pack_id"],
            row["reason"] or "included",
            row["why"],
            f"{row['workspace']}/{row['media']}" if row["media"] else "",
            row["group_key"] or "",
            f"{row['revision_number']} ({row['revision_id']})" if row["revision_id"] else "",
            row["content_hash"] or "",
            f"{row['draft_id']} at version {row['draft_version']}" if row["draft_id"] else "",
            f"{model_name(row['model'], row['model_version'])} ({row['run_id']})" if row["run_id"] else "",
        )
        for row in rows.iter_rows(named=True)
    ]


def model_name(name: str, version: str) -> str:
    """Return a model with its version, where it has one."""
    return f"{name} {version}".strip()
