"""Label packs: the scope's containers of published revisions, with their approval lifecycle."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from labelkit.core.states import Machine
from labelkit.errors import PackNotApproved, ReasonRequired

if TYPE_CHECKING:
    from datetime import datetime

    from labelkit.core.actors import Scope


class ReviewStatus(StrEnum):
    """Whether a pack may be published into and built from."""

    PENDING = "pending"
    APPROVED = "approved"
    REJECTED = "rejected"
    REVOKED = "revoked"


class ValidationStatus(StrEnum):
    """Whether the pack's labels fit its capability."""

    PENDING = "pending"
    PASSED = "passed"
    FAILED = "failed"


class PackStep(StrEnum):
    """What moves a pack's review status."""

    APPROVE = "approve"
    REJECT = "reject"
    REVOKE = "revoke"


PACK = Machine(
    "label pack",
    {
        ReviewStatus.PENDING: {PackStep.APPROVE: ReviewStatus.APPROVED, PackStep.REJECT: ReviewStatus.REJECTED},
        ReviewStatus.APPROVED: {PackStep.REVOKE: ReviewStatus.REVOKED},
        ReviewStatus.REJECTED: {PackStep.APPROVE: ReviewStatus.APPROVED},
        ReviewStatus.REVOKED: {PackStep.APPROVE: ReviewStatus.APPROVED},
    },
)


@dataclass(frozen=True, slots=True, repr=False)
class LabelPack:
    """A pack with its two statuses and the version that guards them."""

    id: str
    scope: Scope
    review_status: ReviewStatus
    validation_status: ValidationStatus
    version: int
    reason: str | None
    created_at: datetime
    created_by: str
    updated_at: datetime
    updated_by: str

    @property
    def publishable(self) -> bool:
        """Say whether a publish may name this pack."""
        return self.review_status is ReviewStatus.APPROVED and self.validation_status is ValidationStatus.PASSED

    def __repr__(self) -> str:
        return f"<LabelPack {self.id} of {self.scope.capability}: {self.review_status}, validation {self.validation_status}>"


def decide_pack_step(pack: LabelPack, step: PackStep, reason: str | None) -> tuple[ReviewStatus, str]:
    """Return the pack's next review status and the reason to keep. Approval needs validation passed; every step a reason."""
    if not (reason or "").strip():
        raise ReasonRequired(action=f"To {step.value} label pack {pack.id}")
    after = PACK.move(pack.review_status, step)
    if step is PackStep.APPROVE and pack.validation_status is not ValidationStatus.PASSED:
        raise PackNotApproved(pack=pack.id, review_status=pack.review_status.value, validation_status=pack.validation_status.value)
    return after, (reason or "").strip()
