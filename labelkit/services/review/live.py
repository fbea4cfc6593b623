"""A review under way in one kernel: edits at once in memory, durable in the background, and honest about which of the two it is."""

from __future__ import annotations

import threading
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING

from labelkit.core.actors import Action
from labelkit.core.review.drafts import Rebase
from labelkit.core.review.operations import ReviewOp, with_ids
from labelkit.errors import DraftVersionConflict, InvalidValue, LabelkitError, PermissionDenied, StoreReadOnly, UnknownFrame
from labelkit.services.review import watching
from labelkit.services.review.autosave import Autosave
from labelkit.services.review.drafts import Merged
from labelkit.services.review.status import SaveStatus
from labelkit.services.review.working_copy import WorkingCopy
from labelkit.store.ids import new_id
from labelkit.store.review.content import Content, frame_value

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from labelkit.core.actors import Scope
    from labelkit.core.media import Media
    from labelkit.core.review.annotations import Annotation, Capability, FrameContent
    from labelkit.core.review.drafts import DraftHead
    from labelkit.services.review.desk import Desk
    from labelkit.services.review.publish import PublishOutcome
    from labelkit.services.review.series import SeriesCases
    from labelkit.services.review.status import Listener
    from labelkit.store.review.series import Presence


class LiveReview:
    """One person's session on a draft. Every method may be called from any thread; `status` is saved, saving, stale or failed.

    An edit is durable 250 ms after it was made, whether others follow it or not. Frames that somebody else saved meanwhile are taken in
    with the next save. A frame that both sides changed stays as it is here, is not saved, and is in `conflict` until `reload` says whose
    to keep; everything else goes on being saved.
    """

    def __init__(
        self, cases: SeriesCases, desk: Desk, media: Media, capability: Capability, draft_id: str, *, autosave: bool = True
    ) -> None:
        self.media = media
        self.capability = capability
        self.draft_id = draft_id
        self.cursor = 0
        self.session_id = new_id("ses")
        self.cases = cases
        self.frames = desk.frames(media)
        self._desk = desk
        self._gate = desk.gate
        self.database = desk.gate.database
        self._autosave = Autosave(self.save, self._broke, enabled=autosave)
        self._closed = False
        self._saving = threading.RLock()  # one save at a time
        self._place = threading.Lock()
        self._place_moved = False
        self._status = SaveStatus()
        self._sent: tuple[str, dict[int, FrameContent]] | None = None  # a save that was not answered
        head, content, place = self._read()
        self._copy = WorkingCopy(capability, self.frames, head, content)
        self.cursor = min(place or 0, max(len(self.frames) - 1, 0))

    # --- reading

    @property
    def status(self) -> str:
        """Return whether the edits are safe: saved, saving, stale or failed."""
        return self._status.word

    @property
    def status_error(self) -> LabelkitError | None:
        """Return why they are not; None where they are, or soon will be."""
        return self._status.error

    @property
    def version(self) -> int:
        """Return the draft version that this session is based on."""
        return self._copy.head.version

    @property
    def scope(self) -> Scope:
        """Return the scope under review."""
        return self._copy.head.scope

    @property
    def frame_count(self) -> int:
        """Return the number of frames."""
        return len(self.frames)

    @property
    def may_edit(self) -> bool:
        """Say whether this person may change labels."""
        return self._refusal is None

    @property
    def conflict(self) -> Rebase | None:
        """Return the frames that both sides changed, as (mine, theirs); None where there are none."""
        return self._copy.conflict

    def frame(self, index: int) -> FrameContent:
        """Return a frame as edited so far. Raises `UNKNOWN_FRAME`."""
        return self._copy.frame(index)

    def size(self, index: int) -> tuple[int, int, str | None]:
        """Return width and height in px and the frame's problem, None where it has a picture."""
        if not 0 <= index < len(self.frames):
            raise UnknownFrame(frame=index)
        frame = self.frames[index]
        return frame.width, frame.height, None if frame.problem is None else frame.problem.value

    def prelabels(self, index: int) -> tuple[Annotation, ...]:
        """Return what the seeding run proposed on a frame; nothing for a manual draft."""
        return () if self.seed is None else self.seed.frame(index).annotations

    def snapshot(self) -> tuple[Content, dict[int, FrameContent]]:
        """Return the content as it was loaded and the frames that differ from it now."""
        return self._copy.snapshot()

    def worth(self) -> dict[str, object]:
        """Return each frame's risk, the frame to look at next and why, and the coverage; see `watching.worth`."""
        return watching.worth(self)

    def others(self) -> list[Presence]:
        """Give a sign of life and return who else has the draft open; see `watching.others`."""
        return watching.others(self)

    def overview(self) -> dict[str, list[object]]:
        """Return per frame, for the timeline: state, flags, count of annotations, lowest score, problem."""
        return self._copy.overview()

    @property
    def can_undo(self) -> bool:
        """Say whether there is a step to take back."""
        return self._copy.can_undo

    @property
    def can_redo(self) -> bool:
        """Say whether there is a step to do again."""
        return self._copy.can_redo

    # --- editing

    def apply(self, op: ReviewOp) -> FrameContent | None:
        """Run one operation; returns the first frame that it changed, None where nothing did."""
        return next(iter(self.run([op])), None)

    def run(self, ops: Sequence[ReviewOp]) -> tuple[FrameContent, ...]:
        """Run operations as one undoable step, all or none, and plan their save; returns the frames that changed, in frame order.

        Refusals change nothing: `PERMISSION_DENIED` for those who may not edit, and the reducer's.
        """
        if self._closed:
            raise RuntimeError("this review was closed with its workspace; open it again to edit")
        if self._refusal is not None:
            self._gate.deny(Action.EDIT, f"draft:{self.draft_id}", self._refusal)
            raise self._refusal
        changed = self._copy.run(with_ids(ops, new_id))
        if changed:
            stale = self._copy.conflict is not None
            self._status.set("stale" if stale else "saving", self.status_error if stale else None)
            self._autosave.plan()
        return changed

    def go(self, index: int) -> None:
        """Note that the person looks at a frame: a later session starts there, and it is seen if their looking counts."""
        if not 0 <= index < len(self.frames):
            raise UnknownFrame(frame=index)
        with self._place:
            self.cursor = index
            self._place_moved = True
        if not self.may_edit or self.apply(ReviewOp.see(index)) is None:
            self._autosave.plan()

    def on_change(self, listener: Listener) -> Callable[[], None]:
        """Call `listener(status)` whenever the save state changes, from any thread, until what is returned is called.

        ```python
        stop = live.on_change(print)
        stop()
        ```
        """
        return self._status.listen(listener)

    # --- saving

    def save(self) -> int:
        """Make every edit durable now and return the version.

        Raises `DRAFT_VERSION_CONFLICT` while frames that both sides changed are waiting, with every other frame saved, and what a
        transaction can raise; the edits stay in memory then.
        """
        with self._saving:
            place = None
            try:
                self._find_out()
                frames, base = self._copy.unsaved()
                with self._place:
                    place, self._place_moved = self.cursor if self._place_moved else None, False
                if frames:
                    self._sent = new_id("sav"), frames
                    merged = self.cases.merge(self._copy.head, frames, base, save_id=self._sent[0], place=place)
                    self._sent = None
                    self._adopt(frames, merged)
                elif place is not None:
                    with suppress(StoreReadOnly):
                        self.cases.set_place(self.draft_id, place)
            except LabelkitError as failed:
                self._place_moved = self._place_moved or place is not None
                self._status.set("failed", failed)
                raise
            self._settle()
            return self.version

    def reload(self, mine: str = "keep") -> Rebase | None:
        """Take in what others saved, and settle a conflict; returns what was in conflict.

        `keep` saves my frames over theirs; `theirs` drops mine where both changed; the side that is not taken goes onto the shelf. Where
        nothing is in conflict `theirs` drops everything that is not saved yet, with the steps of undo, as after a reset.
        """
        if mine not in ("keep", "theirs"):
            raise InvalidValue(what="mine", reason=f"unknown choice {mine!r}", fix="Use 'keep' or 'theirs'.")
        with self._saving:
            conflict = self.conflict
            if conflict is not None:
                self.cases.shelve(self.draft_id, conflict, "mine" if mine == "keep" else "theirs")
                self._copy.settle([other.index for _, other in conflict.both], "mine" if mine == "keep" else "theirs")
            if mine == "theirs" and conflict is None:
                head, content, _ = self._read()
                self._copy.load(head, content)
            else:
                self._pull()
            self.save()
        return conflict

    def settle(self, index: int, side: str) -> None:
        """Settle one frame of a conflict: `mine` saves it over theirs, `theirs` takes theirs; the other side goes onto the shelf."""
        if side not in ("mine", "theirs"):
            raise InvalidValue(what="side", reason=f"unknown choice {side!r}", fix="Use 'mine' or 'theirs'.")
        with self._saving:
            conflict = self.conflict
            both = tuple(pair for pair in conflict.both if pair[1].index == index) if conflict is not None else ()
            if not both:
                raise InvalidValue(what="index", reason=f"frame {index} is in no conflict", fix="Reload to see the present state.")
            self.cases.shelve(self.draft_id, Rebase((), both), side)
            self._copy.settle([index], side)
            with suppress(DraftVersionConflict):  # other frames wait still; the status says so
                self.save()

    def catch_up(self) -> None:
        """Take in what others saved. Raises `DRAFT_VERSION_CONFLICT` where both sides changed a frame."""
        with self._saving:
            self._pull()
            self._settle()

    def publish(self, pack: str | None = None, *, override_warnings: bool = False, reason: str | None = None) -> PublishOutcome:
        """Save, then publish the draft as it is now."""
        version = self.save()
        return self.cases.publish(self.draft_id, expected_version=version, pack=pack, override_warnings=override_warnings, reason=reason)

    def close(self) -> None:
        """Save what is pending and stop. Raises what `save` raises; the session is closed all the same."""
        self._closed = True
        self._status.deafen()
        self._autosave.stop()
        try:
            self.save()
        finally:
            with suppress(StoreReadOnly):
                self.cases.leave(self.session_id)

    # --- inside

    def _read(self) -> tuple[DraftHead, Content, int | None]:
        """Read the draft as it is now, its content, and where the person was last; note what they may do and what seeded it."""
        gate, self._sent = self._gate, None
        with gate.read() as (tx, actor):
            head = self._desk.head(tx, self.draft_id)
            overlay = tx.review.overlay(head)
            place = tx.review.place(self.draft_id, gate.user)
            pack = head.lineage.pack
            seed = tx.review.prelabel_object(pack, gate.workspace.id) if pack else None
        may = actor.may(Action.EDIT, gate.workspace.id)
        self._refusal: PermissionDenied | None = None if may else actor.refusal(Action.EDIT, gate.workspace.id, gate.workspace.name)
        self.seed = None if seed is None else Content(gate.database.objects.read_frame(seed))
        return head, self._desk.content(head.base_object, self.media).replaced(overlay), place

    def _broke(self, error: Exception) -> None:
        self._status.set("failed", LabelkitError(reason=f"The save ended in {type(error).__name__}: {error}"))

    def _find_out(self) -> None:
        """Where a save failed, look whether it was committed all the same: then what it sent is in the draft, and no other's edit."""
        if self._sent is None:
            return
        save_id, sent = self._sent
        with self._gate.read() as (tx, _):
            version = tx.review.saved(self.draft_id, save_id)
            head = self._desk.head(tx, self.draft_id)
            rows = None if version is None else tx.review.overlay(replace(head, version=version), after=version - 1)
        self._sent = None
        arrived = {} if rows is None else {row["frame_index"]: frame_value(row) for row in rows.iter_rows(named=True)}
        self._copy.arrive(sent, arrived)

    def _pull(self) -> None:
        """Take in what others saved since."""
        self._find_out()
        with self._gate.read() as (tx, _):
            head = self._desk.head(tx, self.draft_id)
            rows = tx.review.overlay(head, after=self.version)
        theirs = {row["frame_index"]: frame_value(row) for row in rows.iter_rows(named=True)}
        self._adopt({}, Merged(head, Rebase((), ()), theirs))

    def _adopt(self, sent: dict[int, FrameContent], merged: Merged) -> None:
        """Bring memory to where a save, or a look at the draft, found the store."""
        moved = merged.head.epoch != self._copy.head.epoch  # reset or restored: another base, other frames over it
        self._copy.adopt(sent, merged, self._fresh(merged.head) if moved else None)

    def _fresh(self, head: DraftHead) -> Content:
        with self._gate.read() as (tx, _):
            overlay = tx.review.overlay(head)
        return self._desk.content(head.base_object, self.media).replaced(overlay)

    def _settle(self) -> None:
        """Say what is saved after a save that did not fail, and raise where frames wait for a decision."""
        stale = self._copy.refusal
        self._status.set("stale" if stale else "saving" if self._copy.is_edited else "saved", stale)
        if stale is not None:
            raise stale
