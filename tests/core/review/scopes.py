"""Heads, packs and revisions to test decisions with."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from labelkit.core.actors import Actor, Role, Scope
from labelkit.core.review.drafts import PAYLOAD_SCHEMA, DraftHead, Lineage, LineageKind
from labelkit.core.review.packs import LabelPack, ReviewStatus, ValidationStatus
from labelkit.core.review.revisions import DiffSummary, Eligibility, Provenance, Revision

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
SCOPE = Scope("ws_1", "med_1", "player_detection")
PACK = LabelPack("pck_1", SCOPE, ReviewStatus.APPROVED, ValidationStatus.PASSED, 1, "first publish", NOON, "ana", NOON, "ana")
HEAD = DraftHead("drf_1", SCOPE, 7, Lineage(LineageKind.MANUAL), None, 1, PAYLOAD_SCHEMA, NOON, NOON, "ana")
REVISION = Revision(
    id="rev_1",
    pack_id=PACK.id,
    number=3,
    content_hash="c0ffee",
    content_object="0b1ec7",
    frame_count=2,
    annotation_count=5,
    created_at=NOON,
    provenance=Provenance("ana", HEAD.id, 6, HEAD.lineage, "c0ffee", "passed", None, (), 0),
    diff=DiffSummary(),
    eligibility=Eligibility.REVIEWED,
    eligibility_version=1,
    eligibility_reason=None,
    eligibility_by=None,
    eligibility_at=None,
)


def pack(id: str = PACK.id, review: str = "approved", validation: str = "passed") -> LabelPack:
    return replace(PACK, id=id, review_status=ReviewStatus(review), validation_status=ValidationStatus(validation))


def actor(role: str, *, developer: bool = False) -> Actor:
    return Actor("ana", {SCOPE.workspace: Role[role.upper()]}, is_developer=developer)
