"""Publishing: every rule in one place, in the order of the specification; pure, so that each can be tested as a table row."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from labelkit.core.actors import Action, Actor
from labelkit.core.review.drafts import PAYLOAD_SCHEMA, DraftHead
from labelkit.errors import (
    InvalidValue,
    LabelkitError,
    OverrideForbidden,
    PackMismatch,
    PackNotApproved,
    ReasonRequired,
    ResetDraftRequired,
    StaleDraftVersion,
    ValidationHardFail,
    WarningsRequireOverride,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from labelkit.core.review.annotations import Capability
    from labelkit.core.review.packs import LabelPack
    from labelkit.core.review.revisions import Revision

SHOWN_FINDINGS = 3


class PublishCode(StrEnum):
    """The outcomes of a publish that are values, not refusals."""

    SUCCESS = "PUBLISH_SUCCESS"
    NO_OP = "NO_OP_ALREADY_PUBLISHED"


class FindingCode(StrEnum):
    """What validation can find; hard ones block, the others are warnings."""

    OUTSIDE_FRAME = "GEOMETRY_OUTSIDE_FRAME"
    NOT_A_NUMBER = "GEOMETRY_NOT_A_NUMBER"
    EMPTY_BOX = "GEOMETRY_EMPTY_BOX"
    UNKNOWN_CLASS = "UNKNOWN_CLASS"
    WRONG_GEOMETRY = "WRONG_GEOMETRY"
    DUPLICATE_ID = "DUPLICATE_ID"
    UNKNOWN_FRAME = "FRAME_UNKNOWN"
    UNTOUCHED_FRAMES = "UNTOUCHED_FRAMES"
    FLAGGED_FRAMES = "FLAGGED_FRAMES"
    BALL_JUMP = "BALL_JUMP"
    SEVERAL_BALLS = "SEVERAL_BALLS"
    NEAR_IDENTICAL_BOXES = "NEAR_IDENTICAL_BOXES"


HARD = frozenset(
    {
        FindingCode.OUTSIDE_FRAME,
        FindingCode.NOT_A_NUMBER,
        FindingCode.EMPTY_BOX,
        FindingCode.UNKNOWN_CLASS,
        FindingCode.WRONG_GEOMETRY,
        FindingCode.DUPLICATE_ID,
        FindingCode.UNKNOWN_FRAME,
    }
)


@dataclass(frozen=True, slots=True, order=True)
class Finding:
    """One thing that validation found: where and what. Findings over many frames name the first and their count."""

    code: FindingCode
    frame: int
    message: str
    annotation: str | None = None

    @property
    def hard(self) -> bool:
        """Say whether it blocks a publish whatever the override."""
        return self.code in HARD

    def as_json(self) -> dict[str, object]:
        """Return the finding as plain JSON."""
        return {"code": str(self.code), "frame": self.frame, "message": self.message, "annotation": self.annotation, "hard": self.hard}


@dataclass(frozen=True, slots=True)
class PublishRequest:
    """What a publish asks for."""

    draft_id: str
    expected_version: int
    pack: str | None = None
    override_warnings: bool = False
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class PublishFacts:
    """What the decision rests on: the content's hash and findings, the packs of the scope, the chosen pack's latest revision."""

    content_hash: str
    findings: Sequence[Finding]
    packs: Sequence[LabelPack]
    latest: Revision | None


@dataclass(frozen=True, slots=True)
class PublishDecision:
    """What to do: write a revision (`pack` None: create the first pack), or nothing because it is there already."""

    code: PublishCode
    pack: LabelPack | None
    number: int
    warnings: tuple[Finding, ...]
    existing: Revision | None = None

    @property
    def creates_pack(self) -> bool:
        """Say whether this publish makes the scope's first pack."""
        return self.pack is None


def check_request(request: PublishRequest, draft: DraftHead, capability: Capability, actor: Actor, workspace: str | None = None) -> None:
    """Apply the rules that need no content: permission, version, payload schema. `workspace` is what people call the draft's workspace."""
    if not actor.may(Action.PUBLISH, draft.scope.workspace):
        raise actor.refusal(Action.PUBLISH, draft.scope.workspace, workspace)
    if draft.version != request.expected_version:
        raise StaleDraftVersion(draft=draft.id, current=draft.version, expected=request.expected_version)
    if capability.geometry == "point" and draft.payload_schema < PAYLOAD_SCHEMA:
        raise ResetDraftRequired(draft=draft.id, schema=draft.payload_schema)


def choose_pack(request: PublishRequest, draft: DraftHead, packs: Sequence[LabelPack]) -> LabelPack | None:
    """Return the pack to publish into, None where the first publish creates it.

    A named pack must belong to the scope and be approved. Without a name the only approved pack is taken; several need a name.
    """
    if request.pack is not None:
        named = next((pack for pack in packs if pack.id == request.pack), None)
        if named is None:
            raise PackMismatch(pack=request.pack, draft=draft.id)
        if not named.publishable:
            raise PackNotApproved(pack=named.id, review_status=named.review_status.value, validation_status=named.validation_status.value)
        return named
    candidates = [pack for pack in packs if pack.publishable]
    if len(candidates) > 1:
        raise InvalidValue(
            what="pack",
            reason=f"the scope has {len(candidates)} approved label packs",
            fix=f"Name one of them: {', '.join(pack.id for pack in candidates)}.",
        )
    if not candidates and packs:
        newest = packs[0]
        raise PackNotApproved(pack=newest.id, review_status=newest.review_status.value, validation_status=newest.validation_status.value)
    return candidates[0] if candidates else None


def decide_publish(request: PublishRequest, draft: DraftHead, capability: Capability, facts: PublishFacts, actor: Actor) -> PublishDecision:
    """Decide a publish. Raises the first refusal in the specified order; returns success or no-op."""
    check_request(request, draft, capability, actor)
    pack = choose_pack(request, draft, facts.packs)
    hard = [finding for finding in facts.findings if finding.hard]
    warnings = tuple(finding for finding in facts.findings if not finding.hard)
    if hard:
        raise _refusal(ValidationHardFail, hard)
    if facts.latest is not None and facts.latest.content_hash == facts.content_hash:
        return PublishDecision(PublishCode.NO_OP, pack, facts.latest.number, warnings, facts.latest)
    if warnings:
        if not actor.may(Action.OVERRIDE_WARNINGS, draft.scope.workspace):
            raise _refusal(OverrideForbidden, warnings, user=actor.user)
        if not request.override_warnings:
            raise _refusal(WarningsRequireOverride, warnings)
        if not (request.reason or "").strip():
            raise ReasonRequired(action="An override of publish warnings")
    return PublishDecision(PublishCode.SUCCESS, pack, facts.latest.number + 1 if facts.latest else 1, warnings)


def summary(findings: Sequence[Finding]) -> str:
    """Return findings in one line: codes with counts, then the first few messages."""
    counts = Counter(finding.code for finding in findings)
    shown = "; ".join(finding.message for finding in findings[:SHOWN_FINDINGS])
    return f"{', '.join(f'{code} ({n})' for code, n in sorted(counts.items()))}: {shown}"


def _refusal(kind: type[LabelkitError], findings: Sequence[Finding], **facts: object) -> LabelkitError:
    return kind(count=len(findings), summary=summary(findings), findings=[finding.as_json() for finding in findings], **facts)
