"""Label packs, revisions and findings as plain rows: what the browser's tables and the static fallback show of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from labelkit.core.review.packs import PACK, PackStep, ValidationStatus
from labelkit.core.review.revisions import ELIGIBILITY, EligibilityStep
from labelkit.widgets import static

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

    from labelkit.core.review.packs import LabelPack
    from labelkit.core.review.revisions import Revision

Row = dict[str, object]
HASH_SHOWN = 12


def pack_row(pack: LabelPack) -> Row:
    """Return a pack with the steps that its state allows: `approve`, `reject`, `revoke`."""
    validated = pack.validation_status is ValidationStatus.PASSED
    steps = [step.value for step in PackStep if PACK.can(pack.review_status, step) and (step is not PackStep.APPROVE or validated)]
    return {
        "id": pack.id,
        "review_status": pack.review_status.value,
        "validation_status": pack.validation_status.value,
        "publishable": pack.publishable,
        "steps": steps,
        "reason": pack.reason,
        "updated_at": when(pack.updated_at),
        "updated_by": pack.updated_by,
    }


def revision_row(revision: Revision, packs: Mapping[str, LabelPack]) -> Row:
    """Return a revision with its difference to the one before, its provenance, and the eligibility steps that are possible now."""
    pack = packs.get(revision.pack_id)
    eligible = pack is not None and pack.publishable
    steps = [
        step.name.lower()
        for step in EligibilityStep
        if ELIGIBILITY.can(revision.eligibility, step) and (step is not EligibilityStep.APPROVE or eligible)
    ]
    made = revision.provenance
    return {
        "id": revision.id,
        "number": revision.number,
        "created_at": when(revision.created_at),
        "content_hash": revision.content_hash,
        "frames": revision.frame_count,
        "annotations": revision.annotation_count,
        "diff": {
            "added": revision.diff.added,
            "removed": revision.diff.removed,
            "modified": revision.diff.modified,
            "flags": revision.diff.flags_changed,
            "frames": revision.diff.frames_changed,
            "by_class": {name: list(counts) for name, counts in revision.diff.by_class.items()},
        },
        "actor": made.actor,
        "lineage": str(made.lineage),
        "pack_id": revision.pack_id,
        "draft_id": made.draft,
        "draft_version": made.draft_version,
        "validation": made.validation,
        "warnings": list(made.warnings),
        "reason": made.reason,
        "eligibility": revision.eligibility.value,
        "eligibility_version": revision.eligibility_version,
        "eligibility_reason": revision.eligibility_reason,
        "eligibility_by": revision.eligibility_by,
        "steps": steps,
        "pack_approved": eligible,
    }


def history_html(rows: Iterable[Row]) -> static.Html:
    """Return revisions as a static table, newest first."""
    return static.table(
        ("Revision", "Published", "Annotations", "Difference", "Lineage", "Content", "Dataset eligibility"),
        [_history_cells(row) for row in rows],
        empty="Nothing is published yet.",
    )


def _history_cells(row: Row) -> Sequence[object]:
    diff = row["diff"]
    counts = f"+{diff['added']} -{diff['removed']} ~{diff['modified']}" if isinstance(diff, dict) else ""
    published = f"{row['created_at']} by {row['actor']}"
    return (row["number"], published, row["annotations"], counts, row["lineage"], str(row["content_hash"])[:HASH_SHOWN], row["eligibility"])


def when(moment: datetime) -> str:
    """Return a time as tables show it, to the second in UTC."""
    from datetime import UTC

    return moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S")
