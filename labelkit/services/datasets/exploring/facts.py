"""What is known of a dataset version, in named texts: the same words in its widget, in its static page and at a prompt."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from labelkit.core.datasets.builds import BuildStatus

if TYPE_CHECKING:
    from collections.abc import Mapping

    from labelkit.core.datasets.freezing import Freezing
    from labelkit.services.datasets.exploring.lineage import Lineage
    from labelkit.store.datasets.materials import MaterialHead
    from labelkit.store.datasets.rows import BuildRow

Fact = tuple[str, str | None]
MOMENT = "%Y-%m-%d %H:%M:%S UTC"
LINEAGE_HEAD = ("Pack", "Decision", "Why", "Media", "Group", "Revision", "Content", "Draft", "Proposed by")


@dataclass(frozen=True)
class DatasetFacts:
    """Facts of one version by their names, each a text; None is not known yet. `title` is its name, version and id."""

    title: str
    row: BuildRow
    lineage: Lineage
    freezing_state: Freezing
    head: MaterialHead | None

    @property
    def provenance(self) -> list[Fact]:
        """Return where a version comes from: ids, digests, the request that made it, when and by whom."""
        row, asked = self.row, self.row.asked
        ratios = ", ".join(f"{split} {share:g}" for split, share in asked.ratios.items())
        predefined = asked.split_strategy == "predefined"
        return [
            ("Dataset version id", row.version_id),
            ("Build id", row.id),
            ("Manifest hash", row.manifest_hash),
            ("Reuse fingerprint", row.reuse_fingerprint),
            ("Build fingerprint", row.build_fingerprint),
            ("Split strategy", f"{asked.split_strategy} by {asked.split_column}" if predefined else f"{asked.split_strategy}: {ratios}"),
            ("Seed", None if predefined else str(asked.seed)),
            ("Started", row.created_at.strftime(MOMENT)),
            ("Started by", row.created_by),
            ("Description", asked.description or None),
        ]

    @property
    def progress(self) -> tuple[int, int] | None:
        """Return the samples done and all samples of a running build; None where nobody knows."""
        row = self.row
        return (row.samples_done or 0, row.samples_total) if row.status is BuildStatus.RUNNING and row.samples_total else None

    @property
    def status(self) -> list[Fact]:
        """Return how far the build is and, where it failed, by which code and why."""
        row, done = self.row, self.progress
        job = {BuildStatus.RUNNING: "running", BuildStatus.SUCCESS: "succeeded", BuildStatus.FAILED: "failed"}[row.status]
        so_far = f", {done[0]:,} of {done[1]:,} samples" if done else ""
        failed: list[Fact] = [("Failure", row.failure), ("Reason", row.reason or None)] if row.failure else []
        return [("Build status", str(row.status)), ("Latest job", f"{job}{so_far}"), *failed]

    @property
    def sources(self) -> list[Fact]:
        """Return what a version was made of: packs, media, groups, frames, cameras and models, counted."""
        packs = [verdict.pack for verdict in self.lineage.included]
        frames = sum(pack.frame_count for pack in packs)
        samples = self.row.sample_count
        named = self.lineage.origins.select("model", "model_version").drop_nulls("model")
        models = sorted({model_name(name, version) for name, version in named.rows()})
        return [
            ("Packs included", f"{len(packs):,}"),
            ("Packs excluded", f"{len(self.lineage.excluded):,}"),
            ("Workspaces", ", ".join(sorted({pack.workspace for pack in packs})) or None),
            ("Media", f"{len({pack.media_id for pack in packs}):,}"),
            ("Groups", f"{len({pack.group_key for pack in packs}):,}"),
            ("Cameras", ", ".join(sorted({pack.camera_type for pack in packs})) or None),
            ("Frames in the packs", f"{frames:,}"),
            ("Of them samples", None if samples is None or not frames else f"{samples:,} ({samples / frames:.1%})"),
            ("Proposed by", ", ".join(models) or "people alone"),
        ]

    @property
    def materialization(self) -> list[Fact]:
        """Return how far the files of a version are: the newest run that counts, its place, shards and files."""
        if self.head is None:
            return [("Materialization", "none")]
        tally = self.head.tally
        return [
            ("Materialization", str(self.head.status)),
            ("Mode", str(self.head.mode)),
            ("Place", self.head.target),
            ("Shards", f"{tally.done:,} of {tally.shards:,} done{f', {tally.failed:,} failed' if tally.failed else ''}"),
            ("Files", f"{tally.made + tally.kept:,} of {tally.files:,}{f', {tally.absent:,} absent' if tally.absent else ''}"),
        ]

    @property
    def freezing(self) -> list[Fact]:
        """Return whether a version is a frozen test set, since when, and the last change each way."""
        state = self.freezing_state
        facts: list[Fact] = [("Frozen test set", "yes" if state.is_frozen else "no")]
        if state.frozen_at is not None:
            facts.append(("Frozen at", state.frozen_at.strftime(MOMENT)))
        for word, event in (("Last freeze", state.last_freeze), ("Last unfreeze", state.last_unfreeze)):
            if event is not None:
                facts.append((word, f"{event.at.strftime(MOMENT)} by {event.actor}{f': {event.reason}' if event.reason else ''}"))
        return facts

    @property
    def lineage_rows(self) -> list[tuple[str, ...]]:
        """Return one row of texts a requested pack, those left out first, under `LINEAGE_HEAD`; empty where there is nothing to say."""
        rows = self.lineage.to_polars().sort("included", "pack_id")
        return [_lineage_row(row) for row in rows.iter_rows(named=True)]


def _lineage_row(row: Mapping[str, Any]) -> tuple[str, ...]:
    return (
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


def model_name(name: str, version: str) -> str:
    """Return a model with its version, where it has one."""
    return f"{name} {version}".strip()
