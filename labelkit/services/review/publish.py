"""Publish: the reviewed draft becomes an immutable revision, or the first rule that speaks says why not."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import polars as pl

from labelkit.core.actors import Action
from labelkit.core.geometry import Point
from labelkit.core.review.annotations import Annotation, FrameContent, attributes_of, attributes_text
from labelkit.core.review.packs import LabelPack, ReviewStatus, ValidationStatus
from labelkit.core.review.publishing import (
    Finding,
    PublishCode,
    PublishDecision,
    PublishFacts,
    PublishRequest,
    check_request,
    choose_pack,
    decide_publish,
)
from labelkit.core.review.revisions import DiffSummary, Eligibility, Provenance, Revision
from labelkit.errors import LabelkitError, OverrideForbidden, PublishLockConflict
from labelkit.services.review.packs import PackCases
from labelkit.store.ids import new_id
from labelkit.store.review.compare import compare
from labelkit.store.review.content import Content, frame_value, rows_of
from labelkit.store.review.findings import find

if TYPE_CHECKING:
    from labelkit.core.review.annotations import Capability
    from labelkit.core.review.drafts import DraftHead
    from labelkit.store.acting import Act
    from labelkit.store.transaction import Transaction

FIRST_PUBLISH = "first publish"
RACE = "its pack or its latest revision changed"


@dataclass(frozen=True, slots=True)
class PublishOutcome:
    """What a publish came to: `code` is `PUBLISH_SUCCESS` or `NO_OP_ALREADY_PUBLISHED`; `revision` is the new or the equal one."""

    code: str
    revision: Revision
    pack: LabelPack
    findings: tuple[Finding, ...]

    def __repr__(self) -> str:
        return f"<{self.code}: revision {self.revision.number} of {self.pack.id}, {self.revision.annotation_count} annotations>"


@dataclass(frozen=True, slots=True)
class Prepared:
    """The content that a publish would write, with everything that was worked out about it outside the transaction."""

    content: Content
    content_hash: str
    findings: tuple[Finding, ...]
    default_sizes: int
    seen: Revision | None
    diff: DiffSummary


class PublishCases(PackCases):
    """The publish half of `ws.review`."""

    def publish(
        self, draft_id: str, *, expected_version: int, pack: str | None = None, override_warnings: bool = False, reason: str | None = None
    ) -> PublishOutcome:
        """Turn the draft at `expected_version` into a revision; the rules of the specification apply in its order.

        Returns `PUBLISH_SUCCESS`, or `NO_OP_ALREADY_PUBLISHED` where the pack's latest revision has the same content. Raises
        `PERMISSION_DENIED`, `STALE_DRAFT_VERSION`, `RESET_DRAFT_REQUIRED`, `VALIDATION_HARD_FAIL`, `WARNINGS_REQUIRE_OVERRIDE`,
        `OVERRIDE_FORBIDDEN`, `PUBLISH_LOCK_CONFLICT`, `STORAGE_READ_FAILED`, `STORAGE_WRITE_FAILED`, `AUDIT_PERSIST_FAILED`; after any of
        them nothing has changed. The draft stays open at its version.
        """
        request = PublishRequest(draft_id, expected_version, pack, override_warnings, reason)
        prepared, content_object = self._prepare(request)
        with self._gate.act(Action.PUBLISH, f"draft:{draft_id}", on_conflict=_lost_race) as act:
            head = self._desk.head(act.tx, draft_id)
            _, capability = self._desk.parts(act.tx, head)
            decision = self._decide(act.tx, request, head, capability, prepared, act.actor)
            if decision.code is PublishCode.NO_OP and decision.existing is not None and decision.pack is not None:
                act.record(decision.code, revision=decision.existing.id)
                return PublishOutcome(decision.code, decision.existing, decision.pack, prepared.findings)
            if content_object is None or (decision.number > 1) != (prepared.seen is not None):
                raise _lost_race()
            return self._write(act, request, head, decision, prepared, content_object)

    def _prepare(self, request: PublishRequest) -> tuple[Prepared, str | None]:
        """Work out content, hash, findings and diff from one consistent read, and store the content if it is to be published."""
        try:
            with self._gate.read() as (tx, actor):
                head = self._desk.head(tx, request.draft_id)
                media, capability = self._desk.parts(tx, head)
                check_request(request, head, capability, actor, self._gate.workspace.name)
                packs = tx.review.packs(head.scope)
                chosen = choose_pack(request, head, packs)
                seen = None if chosen is None else tx.review.latest(chosen.id)
                overlay = tx.review.overlay(head)
            frames = self._desk.frames(media)
            content, default_sizes = with_default_sizes(self._desk.content(head.base_object, media).replaced(overlay), capability)
            before = self._desk.content(None if seen is None else seen.content_object, media)
            prepared = Prepared(
                content=content,
                content_hash=content.hash(capability.name),
                findings=tuple(find(content, frames, capability)),
                default_sizes=default_sizes,
                seen=seen,
                diff=compare(before, content, match="id").summary(),
            )
            facts = PublishFacts(prepared.content_hash, prepared.findings, packs, seen)
            decision = decide_publish(request, head, capability, facts, actor)
            if decision.code is PublishCode.NO_OP:
                return prepared, None
            return prepared, self._gate.database.objects.put_frame(content.rows)
        except LabelkitError as refused:
            denied = Action.OVERRIDE_WARNINGS if isinstance(refused, OverrideForbidden) else Action.PUBLISH
            if refused.facts.get("action") != Action.READ:  # that deny is in the trail already
                self._gate.deny(denied, f"draft:{request.draft_id}", refused)
            raise

    def _decide(
        self, tx: Transaction, request: PublishRequest, head: DraftHead, capability: Capability, prepared: Prepared, actor: object
    ) -> PublishDecision:
        packs = tx.review.packs(head.scope)
        check_request(request, head, capability, actor, self._gate.workspace.name)  # type: ignore[arg-type]
        chosen = choose_pack(request, head, packs)
        latest = None if chosen is None else tx.review.latest(chosen.id)
        moved = (latest.id if latest else None) != (prepared.seen.id if prepared.seen else None)
        if moved and (latest is None or latest.content_hash != prepared.content_hash):
            raise _lost_race()
        facts = PublishFacts(prepared.content_hash, prepared.findings, packs, latest)
        return decide_publish(request, head, capability, facts, actor)  # type: ignore[arg-type]

    def _write(
        self, act: Act, request: PublishRequest, head: DraftHead, decision: PublishDecision, prepared: Prepared, content_object: str
    ) -> PublishOutcome:
        pack = decision.pack
        if pack is None:
            pack = _first_pack(act, head)
            act.tx.review.add_pack(pack, first=True)
        revision = Revision(
            id=new_id("rev"),
            pack_id=pack.id,
            number=decision.number,
            content_hash=prepared.content_hash,
            content_object=content_object,
            frame_count=len(prepared.content),
            annotation_count=prepared.content.annotation_count,
            created_at=act.tx.now,
            provenance=Provenance(
                actor=act.actor.user,
                draft=head.id,
                draft_version=head.version,
                lineage=head.lineage,
                pack_sha=prepared.content_hash,
                validation=ValidationStatus.PASSED.value,
                reason=request.reason,
                warnings=tuple(sorted({str(finding.code) for finding in decision.warnings})),
                default_sizes=prepared.default_sizes,
            ),
            diff=prepared.diff,
            eligibility=Eligibility.REVIEWED,
            eligibility_version=1,
            eligibility_reason=None,
            eligibility_by=None,
            eligibility_at=None,
        )
        act.tx.review.add_revision(revision, prepared.content.class_counts(), prepared.content.labeled_frame_count)
        act.tx.review.compact(head)
        act.record(
            decision.code,
            revision=revision.id,
            number=revision.number,
            pack=pack.id,
            override=bool(decision.warnings),
            reason=request.reason,
        )
        if decision.warnings:
            overridden = replace(act, action=Action.OVERRIDE_WARNINGS)
            overridden.record("WARNINGS_OVERRIDDEN", revision=revision.id, warnings=revision.provenance.warnings, reason=request.reason)
        return PublishOutcome(decision.code, revision, pack, decision.warnings)


def _lost_race() -> LabelkitError:
    return PublishLockConflict(reason=RACE)


def _first_pack(act: Act, head: DraftHead) -> LabelPack:
    return LabelPack(
        id=new_id("pck"),
        scope=head.scope,
        review_status=ReviewStatus.APPROVED,
        validation_status=ValidationStatus.PASSED,
        version=1,
        reason=FIRST_PUBLISH,
        created_at=act.tx.now,
        created_by=act.actor.user,
        updated_at=act.tx.now,
        updated_by=act.actor.user,
    )


def with_default_sizes(content: Content, capability: Capability) -> tuple[Content, int]:
    """Return the content with the capability's default size on points that have none, and how many got it (marked `default`)."""
    if capability.geometry != "point" or capability.default_size is None:
        return content, 0
    unsized = pl.element().struct.field("width").is_null() & pl.element().struct.field("size").is_null()
    rows = content.rows.filter(pl.col("annotations").list.eval(unsized).list.any())
    frames = [frame_value(row) for row in rows.iter_rows(named=True)]
    sized = [_sized(frame, capability.default_size) for frame in frames]
    count = sum(a != b for f, s in zip(frames, sized, strict=True) for a, b in zip(f.annotations, s.annotations, strict=True))
    return content.replaced(rows_of(sized)), count


def _sized(frame: FrameContent, default: float) -> FrameContent:
    return replace(frame, annotations=tuple(_with_size(annotation, default) for annotation in frame.annotations))


def _with_size(annotation: Annotation, default: float) -> Annotation:
    shape = annotation.geometry
    if not isinstance(shape, Point) or shape.size is not None:
        return annotation
    marked = attributes_text(attributes_of(annotation) | {"size_source": "default"})
    return replace(annotation, geometry=Point.at(shape.x, shape.y, default), attributes=marked)
