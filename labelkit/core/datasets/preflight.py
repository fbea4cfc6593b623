"""What a build would decide, shown before it is done; nothing is written."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING

from labelkit.core.datasets.tables import SHOWN_ROWS, indented, split_table, table_html, table_text

if TYPE_CHECKING:
    from labelkit.core.datasets.builds import BuildOutcome
    from labelkit.core.datasets.plans import BuildPlan, Issue
    from labelkit.core.datasets.splits import Stability


@dataclass(frozen=True)
class Preflight:
    """Everything that a build would decide, with nothing written: the plan, its outcome, and the dataset that would be reused."""

    plan: BuildPlan
    build_fingerprint: str
    outcome: BuildOutcome
    dataset_id: str | None = None

    @property
    def ok(self) -> bool:
        """Say whether a build would go ahead."""
        return not self.plan.refusals

    @property
    def reuse_fingerprint(self) -> str:
        """Return the fingerprint under which an equal build is reused."""
        return self.plan.reuse.value

    @property
    def included_label_pack_ids(self) -> list[str]:
        """Return the packs that go in, sorted."""
        return [verdict.pack.pack_id for verdict in self.plan.included]

    @property
    def excluded_label_pack_ids(self) -> dict[str, str]:
        """Return the packs that stay out with the code of the reason, sorted."""
        return {verdict.pack.pack_id: str(verdict.reason) for verdict in self.plan.excluded}

    @property
    def selected_count(self) -> int:
        """Return the number of packs that go in."""
        return len(self.plan.included)

    @property
    def sample_count(self) -> int:
        """Return the number of samples."""
        return self.plan.sample_count

    @property
    def group_count(self) -> int:
        """Return the number of distinct groups."""
        return len(self.plan.groups)

    @property
    def split_samples(self) -> dict[str, int]:
        """Return the number of samples a split."""
        return self.plan.split_samples

    @property
    def split_groups(self) -> dict[str, int]:
        """Return the number of groups a split."""
        return self.plan.split_groups

    @property
    def class_counts(self) -> dict[str, dict[str, int]]:
        """Return the number of annotations by class and split."""
        return self.plan.class_counts

    @property
    def joined_groups(self) -> tuple[tuple[str, ...], ...]:
        """Return the groups that count as one because of near-duplicate frames, each cluster sorted."""
        return self.plan.joined

    @property
    def near_duplicate_count(self) -> int:
        """Return how many pairs of media that nobody ruled out are the evidence for that."""
        return self.plan.near_duplicate_count

    @property
    def unsearched_media_count(self) -> int:
        """Return how many media of the packs that go in were not searched for near-duplicates."""
        return self.plan.evidence.unsearched

    @property
    def never_searched_sentence(self) -> str:
        """Return for people that nothing was ever searched for near-duplicates here; empty where it was, or where nobody wants it."""
        evidence, wanted = self.plan.evidence, self.plan.request.join_near_duplicates
        if evidence.searched or not evidence.unsearched or wanted is not None:
            return ""
        return "No media of this set was searched for near-duplicate frames; ws.datasets.find_near_duplicates does that."

    @property
    def issues(self) -> tuple[Issue, ...]:
        """Return what is to be known before building, blocking issues first."""
        return self.plan.issues

    @property
    def stability(self) -> Stability:
        """Return what it costs that groups of earlier versions stay where they are."""
        return self.plan.stability

    def __repr__(self) -> str:
        return _text(self)

    def _repr_html_(self) -> str:
        return _html(self)


def _text(preflight: Preflight) -> str:
    lines = [_headline(preflight), *indented(table_text(*_splits(preflight)))]
    lines += [_stability(preflight)] if preflight.stability.kept else []
    lines += indented([preflight.never_searched_sentence]) if preflight.never_searched_sentence else []
    lines += [f"  {'!' if issue.blocking else '-'} {issue.code}: {issue.message}" for issue in preflight.issues]
    lines += indented(table_text(("excluded pack", "reason"), list(preflight.excluded_label_pack_ids.items())[:SHOWN_ROWS]))
    lines += [f"  and {more} more excluded packs"] if (more := len(preflight.excluded_label_pack_ids) - SHOWN_ROWS) > 0 else []
    return "\n".join([*lines, f"  reuse fingerprint {preflight.reuse_fingerprint[:12]}…"])


def _html(preflight: Preflight) -> str:
    issues = "".join(
        f"<li>{'<b>blocks</b> ' if issue.blocking else ''}<code>{escape(issue.code)}</code> {escape(issue.message)}</li>"
        for issue in preflight.issues
    )
    excluded = [(v.pack.pack_id, str(v.reason), v.why) for v in preflight.plan.excluded]
    return "".join(
        [
            f"<p><b>{escape(_headline(preflight))}</b></p>",
            table_html(*_splits(preflight)),
            f"<p>{escape(_stability(preflight).strip())}</p>" if preflight.stability.kept else "",
            f"<p>{escape(preflight.never_searched_sentence)}</p>" if preflight.never_searched_sentence else "",
            f"<ul>{issues}</ul>" if issues else "",
            table_html(("excluded pack", "reason", "why"), excluded[:SHOWN_ROWS]),
            f"<p>and {more} more excluded packs</p>" if (more := len(excluded) - SHOWN_ROWS) > 0 else "",
            f"<p><small>reuse fingerprint <code>{escape(preflight.reuse_fingerprint)}</code></small></p>",
        ]
    )


def _headline(preflight: Preflight) -> str:
    request = preflight.plan.request
    would = f"would be {preflight.outcome}" if preflight.ok else "would be refused"
    packs = f"{preflight.selected_count} of {len(request.pack_ids)} packs"
    counts = f"{packs}, {preflight.group_count} groups, {preflight.sample_count} samples"
    return f"Preflight of {request.name} ({request.capability}): {would}; {counts}"


def _splits(preflight: Preflight) -> tuple[list[str], list[list[object]]]:
    return split_table(preflight.split_samples, preflight.split_groups, preflight.class_counts)


def _stability(preflight: Preflight) -> str:
    kept = preflight.stability
    free = f"{kept.imbalance_if_free:.1%} if all were placed anew"
    return f"  {kept.kept} groups stay in their split: largest imbalance {kept.imbalance:.1%}, {free}"
