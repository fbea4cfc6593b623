"""Drafts: open deterministically, edit by operations, save with version checks, reset and restore."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import polars as pl

from labelkit.core.actors import Action, Scope
from labelkit.core.review.annotations import FrameContent, FrameState
from labelkit.core.review.drafts import PAYLOAD_SCHEMA, DraftHead, Lineage, LineageKind, Rebase, rebase
from labelkit.core.review.operations import ReviewOp, with_ids
from labelkit.core.review.session import Session
from labelkit.errors import DraftVersionConflict, InvalidValue, StoreConflict, UnknownFrame
from labelkit.services.review.desk import Desk, frame_size
from labelkit.store.ids import new_id
from labelkit.store.review.content import frame_value

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from labelkit.core.media import Media
    from labelkit.services.review.draft import Draft
    from labelkit.store.acting import Act, Gate
    from labelkit.store.transaction import Transaction

SHOWN_FRAMES = 20


@dataclass(frozen=True, slots=True)
class Merged:
    """A session's save over what others saved since: the draft's head now, what went through or is in conflict, and their frames."""

    head: DraftHead
    split: Rebase
    theirs: Mapping[int, FrameContent]


class DraftCases:
    """The draft half of `ws.review`."""

    def __init__(self, gate: Gate) -> None:
        self._gate = gate
        self._desk = Desk(gate)

    def open(self, media: str | Media, capability: str, run: str | None = None) -> Draft:
        """Return the scope's active draft, or create exactly one: from the run's labels, the latest revision, or empty.

        Two callers at once get the same draft. A draft without lineage that is opened from a run takes that run's lineage and keeps its
        content. Raises `NOT_FOUND`, and `SCOPE_MISMATCH` for a run of other media or another capability.
        """
        with self._gate.read() as (tx, _):
            scope, found, known = self._desk.scope(tx, media, capability)
            head = tx.review.draft_of(scope)
            if run is not None:
                self._desk.run_pack(tx, run, scope, found)
        if head is None or (run is not None and head.lineage.kind is LineageKind.LEGACY_UNKNOWN):
            with self._gate.act(Action.EDIT, f"scope:{scope.key}", on_conflict=StoreConflict) as act:
                head = self._opened(act, scope, found, run)
        return self._desk.draft(head, found, known)

    def get(self, draft_id: str) -> Draft:
        """Return a draft by id, as it is now. Raises `NOT_FOUND`."""
        with self._gate.read() as (tx, _):
            head = self._desk.head(tx, draft_id)
            return self._desk.draft(head, *self._desk.parts(tx, head))

    def apply(self, draft_id: str, *, base_version: int, ops: Iterable[ReviewOp], save_id: str | None = None) -> Draft:
        """Apply operations in order, all or none, and save the frames that they change as one version; returns the draft.

        Raises `DRAFT_VERSION_CONFLICT` where `base_version` is old, and the first operation's refusal. A call that changes nothing saves
        nothing. With a `save_id` of its own a caller may repeat a call whose answer was lost.
        """
        operations = with_ids(ops, new_id)
        with self._gate.act(Action.EDIT, f"draft:{draft_id}") as act:
            head = self._desk.head(act.tx, draft_id)
            media, capability = self._desk.parts(act.tx, head)
            if save_id is not None and act.tx.review.saved(draft_id, save_id) is not None:
                return self._desk.draft(head, media, capability)
            self._expect(act.tx, head, base_version)
            frames = self._desk.frames(media)
            saved = self._desk.saved_frames(act.tx, head, media, [op.frame for op in operations])
            session = Session(capability, saved, lambda index: frame_size(frames, index))
            changed = {after.index: after for op in operations for after in session.run([op])}
            really = [after for index, after in sorted(changed.items()) if after != saved(index)]
            if really:
                head = self._save(act, head, really, save_id or new_id("sav"))
        return self._desk.draft(head, media, capability)

    def save(self, draft_id: str, *, base_version: int, frames: Sequence[FrameContent], save_id: str) -> int:
        """Save the full content of changed frames at `base_version`; returns the new version, for a repeated `save_id` the one it made.

        Raises `DRAFT_VERSION_CONFLICT` with the frames saved since. For sessions that keep their own state; `apply` is for people.
        """
        with self._gate.act(Action.EDIT, f"draft:{draft_id}") as act:
            head = self._desk.head(act.tx, draft_id)
            done = act.tx.review.saved(draft_id, save_id)
            if done is not None:
                return done
            self._expect(act.tx, head, base_version)
            count = act.tx.media.get(head.scope.workspace, head.scope.media).frame_count
            unknown = next((frame.index for frame in frames if not 0 <= frame.index < count), None)
            if unknown is not None:
                raise UnknownFrame(frame=unknown)
            return self._save(act, head, frames, save_id).version

    def merge(
        self,
        known: DraftHead,
        frames: Mapping[int, FrameContent],
        base: Mapping[int, FrameContent],
        *,
        save_id: str,
        place: int | None = None,
    ) -> Merged:
        """Save a session's changed frames over whatever others saved since the head that it knows, in one step.

        `base` is what the frames were at that head, `place` the frame where the person is. Frames that both sides changed are not saved:
        they come back in `split.both`, and their refusal is audited. Nobody has to win a race to save what only they touched.
        """
        with self._gate.act(Action.EDIT, f"draft:{known.id}") as act:
            head = self._desk.head(act.tx, known.id)
            theirs = {} if head.version == known.version else self._saved_since(act.tx, head, known, frames)
            split = rebase(base, frames, theirs)
            if split.both:
                refused = conflict_over(head, known.version, [other.index for _, other in split.both])
                act.refuse(refused)
            if split.mine:
                head = self._save(act, head, split.mine, save_id)
            if place is not None:
                act.tx.review.set_place(known.id, self._gate.user, place)
        return Merged(head, split, theirs)

    def set_place(self, draft_id: str, place: int) -> None:
        """Remember the frame where the user is."""
        with self._gate.database.transaction() as tx:
            tx.review.set_place(draft_id, self._gate.user, place)

    def reset(self, draft_id: str) -> Draft:
        """Put the draft back to the prelabel pack it came from, in one audited step that `restore` undoes.

        Raises `INVALID_VALUE` for a draft without such a pack.
        """
        with self._gate.act(Action.EDIT, f"draft:{draft_id}") as act:
            head = self._desk.head(act.tx, draft_id)
            base = act.tx.review.prelabel_object(head.lineage.pack, self._gate.workspace.id) if head.lineage.pack else None
            if base is None:
                raise InvalidValue(
                    what="reset", reason=f"draft {draft_id} has no source prelabel pack ({head.lineage})", fix="Open it from a run first."
                )
            act.tx.review.move_base(
                head, base_object=base, lineage=head.lineage, epoch=act.tx.review.next_epoch(head), actor=act.actor.user
            )
            act.record("DRAFT_RESET", epoch=head.epoch, base_object=head.base_object, version=head.version)
            return self._desk.draft(self._desk.head(act.tx, draft_id), *self._desk.parts(act.tx, head))

    def restore(self, draft_id: str) -> Draft:
        """Undo the last reset: the frames are again as they were before it, and what was saved since lies on the shelf.

        Raises `INVALID_VALUE` where there is none to undo.
        """
        with self._gate.act(Action.EDIT, f"draft:{draft_id}") as act:
            head = self._desk.head(act.tx, draft_id)
            before = act.tx.review.before_reset(draft_id)
            if before is None:
                raise InvalidValue(what="restore", reason=f"draft {draft_id} was not reset", fix="Nothing needs to be restored.")
            since = [frame_value(row) for row in act.tx.review.overlay(head).iter_rows(named=True)]
            act.tx.review.shelve(draft_id, [(new_id("shf"), "replaced", content) for content in since], actor=act.actor.user)
            act.tx.review.move_base(
                head, base_object=before["base_object"], lineage=head.lineage, epoch=int(before["epoch"]), actor=act.actor.user
            )
            act.record("DRAFT_RESTORED", epoch=before["epoch"])
            return self._desk.draft(self._desk.head(act.tx, draft_id), *self._desk.parts(act.tx, head))

    def drafts(self) -> pl.DataFrame:
        """Return the active drafts of the workspace: id, media, capability, version, lineage, updated_at, updated_by."""
        with self._gate.read() as (tx, _):
            names = {one.id: one.name for one in tx.media.all(self._gate.workspace.id)}
            heads = tx.review.drafts(self._gate.workspace.id)
        columns = ["id", "media", "capability", "version", "lineage", "updated_at", "updated_by"]
        rows = [(h.id, names[h.scope.media], h.scope.capability, h.version, str(h.lineage), h.updated_at, h.updated_by) for h in heads]
        return pl.DataFrame(rows, schema=columns, orient="row")

    def _opened(self, act: Act, scope: Scope, media: Media, run: str | None) -> DraftHead:
        head = act.tx.review.draft_of(scope)
        pack = None if run is None else self._desk.run_pack(act.tx, run, scope, media)
        if head is not None:
            if pack is not None and head.lineage.kind is LineageKind.LEGACY_UNKNOWN:
                lineage = Lineage(LineageKind.PACK, pack["id"])
                act.tx.review.set_lineage(head.id, lineage)
                act.record("DRAFT_LINEAGE_SEEDED", lineage=str(lineage))
                return replace(head, lineage=lineage)
            return head
        lineage, base = Lineage(LineageKind.MANUAL), None
        if pack is not None:
            lineage, base = Lineage(LineageKind.PACK, pack["id"]), pack["content_object"]
        elif revisions := act.tx.review.history(scope):
            lineage, base = revisions[0].lineage, self._untouched(revisions[0].content_object)
        head = DraftHead(
            id=new_id("drf"),
            scope=scope,
            version=1,
            lineage=lineage,
            base_object=base,
            epoch=1,
            payload_schema=PAYLOAD_SCHEMA,
            created_at=act.tx.now,
            updated_at=act.tx.now,
            updated_by=act.actor.user,
        )
        act.tx.review.add_draft(head)
        act.record("DRAFT_CREATED", draft=head.id, lineage=str(lineage))
        return head

    def _untouched(self, content_object: str) -> str:
        rows = self._gate.database.objects.read_frame(content_object)
        return self._gate.database.objects.put_frame(rows.with_columns(pl.lit(FrameState.UNTOUCHED.value).alias("state")))

    def _expect(self, tx: Transaction, head: DraftHead, base_version: int) -> None:
        if head.version != base_version:
            raise conflict_over(head, base_version, tx.review.overlay(head, after=base_version)["frame_index"].to_list())

    def _saved_since(self, tx: Transaction, head: DraftHead, known: DraftHead, frames: Iterable[int]) -> dict[int, FrameContent]:
        if head.epoch == known.epoch:
            rows = tx.review.overlay(head, after=known.version)
            return {row["frame_index"]: frame_value(row) for row in rows.iter_rows(named=True)}
        # reset or restored meanwhile: every frame may be another one
        content = self._desk.content(head.base_object, self._desk.parts(tx, head)[0]).replaced(tx.review.overlay(head))
        return {index: content.frame(index) for index in frames}

    def _save(self, act: Act, head: DraftHead, frames: Sequence[FrameContent], save_id: str) -> DraftHead:
        version = act.tx.review.save_frames(head, frames, save_id=save_id, actor=act.actor.user)
        if version is None:
            current = self._desk.head(act.tx, head.id).version
            raise DraftVersionConflict(draft=head.id, current=current, base=head.version, frames="unknown", changed=[])
        act.record("DRAFT_SAVED", version=version, frames=[frame.index for frame in frames[:SHOWN_FRAMES]])
        return replace(head, version=version)


def conflict_over(head: DraftHead, base_version: int, changed: Sequence[int]) -> DraftVersionConflict:
    """Return the refusal that names the frames saved since `base_version`."""
    shown = ", ".join(str(index) for index in changed[:SHOWN_FRAMES]) or "none"
    return DraftVersionConflict(draft=head.id, current=head.version, base=base_version, frames=shown, changed=list(changed))
