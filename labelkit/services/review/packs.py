"""Label packs and revisions: approve, reject, revoke; history, diff, eligibility."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from labelkit.core.actors import Action
from labelkit.core.review.packs import LabelPack, PackStep, decide_pack_step
from labelkit.core.review.revisions import Eligibility, Revision, decide_eligibility
from labelkit.core.review.risk import WEIGHTS
from labelkit.errors import DiffImpossible, EligibilityVersionConflict, InvalidValue, NotFound, StoreConflict
from labelkit.services.review.draft import Draft
from labelkit.services.review.drafts import DraftCases
from labelkit.services.review.frame_paging import content_diff
from labelkit.store.review.compare import compare
from labelkit.store.review.content import Content
from labelkit.store.review.risk import reasons, risk

if TYPE_CHECKING:
    from labelkit.core.media import Media
    from labelkit.services.review.frame_paging import ContentDiff
    from labelkit.store.review.compare import MatchBy
    from labelkit.store.transaction import Transaction

Comparable = str | Draft | Revision


class PackCases(DraftCases):
    """The packs and revisions half of `ws.review`."""

    def packs(self, media: str | Media, capability: str) -> list[LabelPack]:
        """Return the scope's label packs, newest first."""
        with self._gate.read() as (tx, _):
            return tx.review.packs(self._desk.scope(tx, media, capability)[0])

    def pack(self, pack_id: str) -> LabelPack:
        """Return a label pack by id. Raises `NOT_FOUND`."""
        with self._gate.read() as (tx, _):
            return self._pack(tx, pack_id)

    def approve_pack(self, pack_id: str, *, reason: str) -> LabelPack:
        """Approve a pack that passed validation, so that revisions can be published into it and built from."""
        return self._step(pack_id, PackStep.APPROVE, reason)

    def reject_pack(self, pack_id: str, *, reason: str) -> LabelPack:
        """Reject a pending pack."""
        return self._step(pack_id, PackStep.REJECT, reason)

    def revoke_pack(self, pack_id: str, *, reason: str) -> LabelPack:
        """Take an approval back: its revisions are out of the next build; nothing already built changes."""
        return self._step(pack_id, PackStep.REVOKE, reason)

    def history(self, media: str | Media, capability: str) -> list[Revision]:
        """Return the scope's revisions, newest first, each with its diff to the one before, provenance and eligibility."""
        with self._gate.read() as (tx, _):
            return tx.review.history(self._desk.scope(tx, media, capability)[0])

    def revision(self, revision_id: str) -> Revision:
        """Return a revision by id. Raises `NOT_FOUND`."""
        with self._gate.read() as (tx, _):
            return self._revision(tx, revision_id)[0]

    def set_eligibility(self, revision_id: str, state: str, *, expected_version: int, reason: str | None = None) -> Revision:
        """Approve a revision for datasets, or revoke it; returns the revision as it is now.

        Raises `ELIGIBILITY_VERSION_CONFLICT`, `REVISION_NOT_ELIGIBLE`, `ILLEGAL_STEP` and `REASON_REQUIRED` (revoke, approve again).
        """
        try:
            wanted = Eligibility(str(state).upper())
        except ValueError as error:
            raise InvalidValue(what="state", reason=f"unknown eligibility {state!r}", fix="Use APPROVED or REVOKED.") from error
        if wanted is Eligibility.REVIEWED:
            raise InvalidValue(what="state", reason="no revision goes back to REVIEWED", fix="Use APPROVED or REVOKED.")
        with self._gate.act(Action.SET_ELIGIBILITY, f"revision:{revision_id}") as act:
            revision, pack = self._revision(act.tx, revision_id)
            after, text = decide_eligibility(revision, pack, wanted, expected_version, reason)
            if not act.tx.review.set_eligibility(revision_id, expected_version, after, text, act.actor.user):
                now = self._revision(act.tx, revision_id)[0]
                raise EligibilityVersionConflict(
                    revision=revision_id, current=now.eligibility.value, version=now.eligibility_version, expected=expected_version
                )
            act.record("ELIGIBILITY_SET", state=after.value, reason=text, version=expected_version + 1)
            return self._revision(act.tx, revision_id)[0]

    def diff(
        self,
        left: Comparable,
        right: Comparable,
        *,
        match: MatchBy = "auto",
        threshold: float | None = None,
        tolerance_px: float | None = None,
    ) -> ContentDiff:
        """Return what changed from `left` to `right`: revisions, drafts, prelabel packs or runs, by value or id.

        Annotations are matched by id where the two share ids, else by geometry (IoU >= 0.3 for boxes, 20 px for points, or `threshold`).
        Coordinates differ beyond `tolerance_px`: 0 by id, 1 px by geometry unless told.
        """
        with self._gate.read() as (tx, _):
            a, b = self._content_of(tx, left), self._content_of(tx, right)
        if len(a) != len(b):
            raise DiffImpossible(left=left, right=right, reason=f"they cover {len(a)} and {len(b)} frames")
        return content_diff(compare(a, b, match=match, threshold=threshold, tolerance_px=tolerance_px))

    def content(self, thing: Comparable) -> pl.DataFrame:
        """Return what a revision, draft, prelabel pack or run holds: one row a frame, in frame order.

        Columns: frame_index, flags, state, digest, annotations (list of struct: id, label, x, y, width, height, size, score, source,
        attributes; px, width null for points). Raises `NOT_FOUND`, `STORAGE_READ_FAILED`.
        """
        with self._gate.read() as (tx, _):
            return self._content_of(tx, thing).rows

    def risk(self, media: str | Media, capability: str) -> pl.DataFrame:
        """Return one row a frame of the scope's draft, in the order in which they are worth a look.

        Columns: frame_index, seen, risk, reasons, and each signal. What was not seen comes first, riskiest first, equal ones in frame
        order. `risk` and the signals are in [0, 1]; `reasons` are the sentences of the strongest signals. Only the draft and what the
        model proposed are looked at. Raises `NOT_FOUND`.
        """
        with self._gate.read() as (tx, _):
            scope, found, known = self._desk.scope(tx, media, capability)
            head = tx.review.draft_of(scope)
            if head is None:
                raise NotFound.among("draft", scope.key, None, "ws.review.drafts()")
            overlay = tx.review.overlay(head)
            seed = tx.review.prelabel_object(head.lineage.pack, scope.workspace) if head.lineage.pack else None
        base = self._desk.content(head.base_object, found)
        proposed = base if seed == head.base_object else None if seed is None else self._desk.content(seed, found)
        rows = risk(self._gate.database, base.replaced(overlay), self._desk.frames(found), proposed, known)
        said = pl.Series("reasons", [reasons(row) for row in rows.iter_rows(named=True)], dtype=pl.List(pl.String))
        ordered = rows.with_columns(said).sort("seen", "risk", "frame_index", descending=[False, True, False])
        return ordered.select("frame_index", "seen", "risk", "reasons", *WEIGHTS)

    def _step(self, pack_id: str, step: PackStep, reason: str) -> LabelPack:
        with self._gate.act(Action.APPROVE_PACK, f"pack:{pack_id}") as act:
            pack = self._pack(act.tx, pack_id)
            after, text = decide_pack_step(pack, step, reason)
            if not act.tx.review.set_pack(pack, after, text, act.actor.user):
                raise StoreConflict(reason=f"label pack {pack_id} changed meanwhile")
            act.record(f"PACK_{after.name}", reason=text)
            return self._pack(act.tx, pack_id)

    def _pack(self, tx: Transaction, pack_id: str) -> LabelPack:
        pack = tx.review.pack(pack_id)
        if pack is None or pack.scope.workspace != self._gate.workspace.id:
            raise NotFound.among("label pack", pack_id, None, "ws.review.packs(media, capability)")
        return pack

    def _revision(self, tx: Transaction, revision_id: str) -> tuple[Revision, LabelPack]:
        revision = tx.review.revision(revision_id)
        pack = None if revision is None else tx.review.pack(revision.pack_id)
        if revision is None or pack is None or pack.scope.workspace != self._gate.workspace.id:
            raise NotFound.among("revision", revision_id, None, "ws.review.history(media, capability)")
        return revision, pack

    def _content_of(self, tx: Transaction, thing: Comparable) -> Content:
        objects = self._gate.database.objects
        name = thing if isinstance(thing, str) else thing.id
        kind = name.partition("_")[0]
        if kind == "rev":
            return Content(objects.read_frame(self._revision(tx, name)[0].content_object))
        if kind == "drf":
            head = self._desk.head(tx, name)
            media, _ = self._desk.parts(tx, head)
            if isinstance(thing, Draft):
                head = thing.head  # a value is what it was at its version
            return self._desk.content(head.base_object, media).replaced(tx.review.overlay(head))
        found = tx.review.prelabel_object(name.removeprefix("pack:"), workspace=self._gate.workspace.id)
        if found is None:
            raise NotFound.among("revision, draft, prelabel pack or run", name, None, "ws.review.history(media, capability)")
        return Content(objects.read_frame(found))
