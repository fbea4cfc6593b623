"""Revisions: immutable published content, its eligibility for datasets, and the difference between two contents."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

from labelkit.core.review.packs import LabelPack, ReviewStatus, ValidationStatus
from labelkit.core.states import Machine
from labelkit.errors import EligibilityVersionConflict, ReasonRequired, RevisionNotEligible

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from labelkit.core.review.annotations import Annotation
    from labelkit.core.review.drafts import Lineage


class Eligibility(StrEnum):
    """Whether a revision may go into datasets."""

    REVIEWED = "REVIEWED"
    APPROVED = "APPROVED"
    REVOKED = "REVOKED"


class EligibilityStep(StrEnum):
    """What moves a revision's eligibility."""

    APPROVE = "approve for dataset"
    REVOKE = "revoke"


ELIGIBILITY = Machine(
    "dataset eligibility",
    {
        Eligibility.REVIEWED: {EligibilityStep.APPROVE: Eligibility.APPROVED},
        Eligibility.APPROVED: {EligibilityStep.REVOKE: Eligibility.REVOKED},
        Eligibility.REVOKED: {EligibilityStep.APPROVE: Eligibility.APPROVED},
    },
)


@dataclass(frozen=True, slots=True)
class Provenance:
    """How a revision came to be."""

    actor: str
    draft: str
    draft_version: int
    lineage: Lineage
    pack_sha: str
    validation: str
    reason: str | None
    warnings: tuple[str, ...]
    default_sizes: int


@dataclass(frozen=True, slots=True)
class DiffSummary:
    """Counts of a difference; `by_class` maps class -> (added, removed, modified)."""

    added: int = 0
    removed: int = 0
    modified: int = 0
    class_changed: int = 0
    geometry_changed: int = 0
    flags_changed: int = 0
    frames_changed: int = 0
    frames: int = 0
    matched_by: str = "id"
    threshold: str = ""
    by_class: dict[str, tuple[int, int, int]] = field(default_factory=dict)

    def __str__(self) -> str:
        return f"+{self.added} -{self.removed} ~{self.modified}"


@dataclass(frozen=True, slots=True)
class Change:
    """One annotation that differs between two contents of a frame; `before` or `after` is None for added and removed ones."""

    frame: int
    before: Annotation | None
    after: Annotation | None

    @property
    def kind(self) -> str:
        """Return `added`, `removed` or `modified`."""
        return "added" if self.before is None else "removed" if self.after is None else "modified"

    @property
    def fields(self) -> tuple[str, ...]:
        """Return what differs: `class`, `geometry`, `attributes`."""
        if self.before is None or self.after is None:
            return ()
        found = []
        if self.before.label != self.after.label:
            found.append("class")
        if self.before.geometry.canonical() != self.after.geometry.canonical():
            found.append("geometry")
        if self.before.attributes != self.after.attributes:
            found.append("attributes")
        return tuple(found)


@dataclass(frozen=True, slots=True)
class Diff:
    """The difference between two contents: changes in frame order, and the counts."""

    added: Sequence[Change]
    removed: Sequence[Change]
    modified: Sequence[Change]
    flags: tuple[tuple[int, tuple[str, ...], tuple[str, ...]], ...]
    summary: DiffSummary

    def on(self, frame: int) -> tuple[Change, ...]:
        """Return the changes on one frame: modified, added, removed labels."""
        return tuple(change for change in (*self.modified, *self.added, *self.removed) if change.frame == frame)

    def __repr__(self) -> str:
        s = self.summary
        fields = f"{s.class_changed} class, {s.geometry_changed} geometry changes"
        return f"<Diff {s}: {fields} on {s.frames_changed} of {s.frames} frames, matched by {s.matched_by}{s.threshold}>"


@dataclass(frozen=True, slots=True, repr=False)
class Revision:
    """Published, immutable labels of a scope, with the mutable eligibility beside them."""

    id: str
    pack_id: str
    number: int
    content_hash: str
    content_object: str
    frame_count: int
    annotation_count: int
    created_at: datetime
    provenance: Provenance
    diff: DiffSummary
    eligibility: Eligibility
    eligibility_version: int
    eligibility_reason: str | None
    eligibility_by: str | None
    eligibility_at: datetime | None

    @property
    def lineage(self) -> Lineage:
        """Return where the published draft came from."""
        return self.provenance.lineage

    def __repr__(self) -> str:
        what = f"{self.annotation_count:,} annotations on {self.frame_count:,} frames"
        return f"<Revision {self.number} ({self.id}) of {self.pack_id}: {self.eligibility}, {what}, {self.diff}>"


def decide_eligibility(
    revision: Revision, pack: LabelPack, wanted: Eligibility, expected_version: int, reason: str | None
) -> tuple[Eligibility, str | None]:
    """Return the next eligibility and reason, or refuse: version first, then the step, then the pack, then the reason."""
    if revision.eligibility_version != expected_version:
        raise EligibilityVersionConflict(
            revision=revision.id,
            current=revision.eligibility.value,
            version=revision.eligibility_version,
            expected=expected_version,
        )
    step = EligibilityStep.APPROVE if wanted is Eligibility.APPROVED else EligibilityStep.REVOKE
    after = ELIGIBILITY.move(revision.eligibility, step)
    if step is EligibilityStep.APPROVE and not (
        pack.review_status is ReviewStatus.APPROVED and pack.validation_status is ValidationStatus.PASSED
    ):
        raise RevisionNotEligible(pack=pack.id, review_status=pack.review_status.value, validation_status=pack.validation_status.value)
    text = (reason or "").strip() or None
    if text is None and (step is EligibilityStep.REVOKE or revision.eligibility is Eligibility.REVOKED):
        raise ReasonRequired(action=f"To {step.value} revision {revision.id}")
    return after, text
