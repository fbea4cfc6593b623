"""Which label packs go into a dataset: one reason each, the first rule that applies, from facts alone.

Facts and verdicts are tuples, which are made in a third of the time of frozen dataclasses: a request names ten thousand packs.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

from labelkit.core.review.packs import ReviewStatus, ValidationStatus

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

ELIGIBILITY_POLICY = "v1"


class ExclusionReason(StrEnum):
    """Why a requested pack is not in the dataset; in the order in which they are looked for."""

    NOT_FOUND = "LABEL_PACK_NOT_FOUND"
    ACCESS_DENIED = "LABEL_PACK_ACCESS_DENIED"
    TRAINING_OPT_OUT = "WORKSPACE_TRAINING_OPT_OUT"
    CAPABILITY_MISMATCH = "LABEL_PACK_CAPABILITY_MISMATCH"
    REVOKED = "LABEL_PACK_REVOKED"
    NOT_APPROVED = "LABEL_PACK_NOT_APPROVED"
    VALIDATION_NOT_PASSED = "LABEL_PACK_VALIDATION_NOT_PASSED"


class RevisionFacts(NamedTuple):
    """A published revision as far as a build looks at it; counts are of frames and annotations."""

    id: str
    number: int
    content_hash: str
    content_object: str
    frame_count: int
    labeled_frame_count: int
    annotation_count: int


class PackFacts(NamedTuple):
    """A requested pack with its media and workspace, its newest approved and reviewed revisions, and whether one was revoked.

    `broken_frame_count` counts the frames of the media without a picture, which are no samples; None where nobody counted yet.
    A pack that does not exist has `found` False and nothing else.
    """

    pack_id: str
    found: bool = True
    workspace_id: str = ""
    workspace: str = ""
    training_policy: str = "allowed"
    media_id: str = ""
    media: str = ""
    group_key: str = ""
    camera_type: str = ""
    frames_object: str = ""
    frame_count: int = 0
    broken_frame_count: int | None = None
    capability: str = ""
    review_status: ReviewStatus = ReviewStatus.PENDING
    validation_status: ValidationStatus = ValidationStatus.PENDING
    approved: RevisionFacts | None = None
    reviewed: RevisionFacts | None = None
    has_revoked: bool = False
    split: str | None = None

    @property
    def prefix(self) -> str:
        """Return what every sample key of this pack starts with."""
        return f"{self.workspace}/{self.media}/"


@dataclass(frozen=True, slots=True)
class Policy:
    """What a build accepts: the capability, the workspaces (ids) that its actor may read, and whether REVIEWED revisions count."""

    capability: str
    readable: frozenset[str]
    include_reviewed: bool = False

    def revision(self, pack: PackFacts) -> RevisionFacts | None:
        """Return the newest revision of a pack that this policy accepts."""
        if not self.include_reviewed or pack.reviewed is None:
            return pack.approved
        return pack.reviewed if pack.approved is None or pack.reviewed.number > pack.approved.number else pack.approved


class Verdict(NamedTuple):
    """What was decided about one requested pack: the revision taken, or the reason why not, with the facts that decided."""

    pack: PackFacts
    revision: RevisionFacts | None
    reason: ExclusionReason | None

    @property
    def included(self) -> bool:
        """Say whether the pack goes into the dataset."""
        return self.reason is None

    @property
    def pack_id(self) -> str:
        """Return the id of the pack."""
        return self.pack.pack_id

    @property
    def why(self) -> str:
        """Return the rule and the row that decided, in one sentence."""
        pack, revoked = self.pack, self.pack.review_status is ReviewStatus.REVOKED
        if self.reason is None and self.revision is not None:
            return f"Included: revision {self.revision.number} ({self.revision.id}) is its newest eligible one."
        return {
            ExclusionReason.NOT_FOUND: "There is no such label pack.",
            ExclusionReason.ACCESS_DENIED: "Its workspace may not be read by whoever asked.",
            ExclusionReason.TRAINING_OPT_OUT: f"Workspace {pack.workspace} has training policy {pack.training_policy}.",
            ExclusionReason.CAPABILITY_MISMATCH: f"Its capability is {pack.capability}.",
            ExclusionReason.REVOKED: "The pack was revoked."
            if revoked
            else "None of its revisions is eligible, and at least one was revoked.",
            ExclusionReason.NOT_APPROVED: "None of its revisions is approved for datasets."
            if pack.review_status is ReviewStatus.APPROVED
            else f"Its review status is {pack.review_status}.",
            ExclusionReason.VALIDATION_NOT_PASSED: f"Its validation status is {pack.validation_status}.",
        }[self.reason or ExclusionReason.NOT_FOUND]


class Case(NamedTuple):
    """One pack before the rules: its facts, the policy, and the revision that the policy accepts."""

    pack: PackFacts
    policy: Policy
    revision: RevisionFacts | None


RULES: tuple[tuple[ExclusionReason, Callable[[Case], bool]], ...] = (
    (ExclusionReason.NOT_FOUND, lambda case: not case.pack.found),
    (ExclusionReason.ACCESS_DENIED, lambda case: case.pack.workspace_id not in case.policy.readable),
    (ExclusionReason.TRAINING_OPT_OUT, lambda case: case.pack.training_policy != "allowed"),
    (ExclusionReason.CAPABILITY_MISMATCH, lambda case: case.pack.capability != case.policy.capability),
    (
        ExclusionReason.REVOKED,
        lambda case: case.pack.review_status is ReviewStatus.REVOKED or (case.revision is None and case.pack.has_revoked),
    ),
    (ExclusionReason.NOT_APPROVED, lambda case: case.pack.review_status is not ReviewStatus.APPROVED or case.revision is None),
    (ExclusionReason.VALIDATION_NOT_PASSED, lambda case: case.pack.validation_status is not ValidationStatus.PASSED),
)


def judge(packs: Iterable[PackFacts], policy: Policy) -> list[Verdict]:
    """Decide every pack, in order of pack id. A pack that nobody may see gives away nothing but its id."""
    verdicts = []
    for pack in sorted(packs, key=lambda one: one.pack_id):
        case = Case(pack, policy, policy.revision(pack))
        reason = _reason(case)
        shown = PackFacts(pack.pack_id) if reason is ExclusionReason.ACCESS_DENIED else pack
        verdicts.append(Verdict(shown, None if reason else case.revision, reason))
    return verdicts


def _reason(case: Case) -> ExclusionReason | None:
    for reason, applies in RULES:
        if applies(case):
            return reason
    return None
