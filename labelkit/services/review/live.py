"""A review under way in one kernel: edits at once in memory, durable in the background, and honest about which of the two it is."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

import polars as pl

from labelkit.core.actors import Action
from labelkit.core.review.drafts import Rebase, rebase
from labelkit.core.review.operations import OpKind, ReviewOp
from labelkit.core.review.session import Session
from labelkit.errors import DraftVersionConflict, LabelkitError, UnknownFrame
from labelkit.services.review.desk import frame_size
from labelkit.store.content import Content, frame_value, rows_of
from labelkit.store.ids import new_id

if TYPE_CHECKING:
    from labelkit.core.actors import Scope
    from labelkit.core.media import Media
    from labelkit.core.review.annotations import Annotation, Capability, FrameContent
    from labelkit.services.review.desk import Desk
    from labelkit.services.review.publish import PublishCases, PublishOutcome

AUTOSAVE_S = 0.15
Listener = Callable[[str], None]


class LiveReview:
    """One person's session on a draft. Every method may be called from any thread; `status` is saved, saving, stale or failed."""

    def __init__(
        self, cases: PublishCases, desk: Desk, media: Media, capability: Capability, draft_id: str, *, autosave: bool = True
    ) -> None:
        self.media = media
        self.capability = capability
        self.draft_id = draft_id
        self.status = "saved"
        self.status_error: LabelkitError | None = None
        self.conflict: Rebase | None = None
        self._cases = cases
        self._desk = desk
        self._gate = desk.gate
        self._autosave = autosave
        self._lock = threading.RLock()
        self._saving = threading.Lock()
        self._listeners: list[Listener] = []
        self._timer: threading.Timer | None = None
        self._dirty: dict[int, FrameContent] = {}
        self._frames = desk.frames(media)
        self._load()

    # --- reading

    @property
    def version(self) -> int:
        """Return the draft version that this session is based on."""
        return self._head.version

    @property
    def scope(self) -> Scope:
        """Return the scope under review."""
        return self._head.scope

    @property
    def frame_count(self) -> int:
        """Return the number of frames."""
        return len(self._frames)

    def frame(self, index: int) -> FrameContent:
        """Return a frame as edited so far. Raises `UNKNOWN_FRAME`."""
        with self._lock:
            return self._session.frame(index)

    def size(self, index: int) -> tuple[int, int, str | None]:
        """Return width and height in px and the frame's problem, None where it has a picture."""
        if not 0 <= index < len(self._frames):
            raise UnknownFrame(frame=index)
        frame = self._frames[index]
        return frame.width, frame.height, None if frame.problem is None else frame.problem.value

    def prelabels(self, index: int) -> tuple[Annotation, ...]:
        """Return what the seeding run proposed on a frame; nothing for a manual draft."""
        return () if self._seed is None else self._seed.frame(index).annotations

    def overview(self) -> dict[str, list[object]]:
        """Return per frame, for the timeline: state, flags, count of annotations, lowest score, problem."""
        with self._lock:
            rows = self._content.replaced(rows_of(self._dirty.values())).rows
        scores = pl.col("annotations").list.eval(pl.element().struct.field("score")).list.min()
        facts = rows.select("state", "flags", pl.col("annotations").list.len().alias("count"), scores.alias("min_score"))
        return {
            "states": facts["state"].to_list(),
            "flags": facts["flags"].to_list(),
            "counts": facts["count"].to_list(),
            "min_score": facts["min_score"].to_list(),
            "problem": self._frames.rows["problem"].to_list(),
        }

    @property
    def can_undo(self) -> bool:
        """Say whether there is a step to take back."""
        return self._session.can_undo

    @property
    def can_redo(self) -> bool:
        """Say whether there is a step to do again."""
        return self._session.can_redo

    # --- editing

    def apply(self, op: ReviewOp) -> FrameContent | None:
        """Apply an operation and plan its save; returns the frame that changed, None where nothing did. Refusals change nothing."""
        with self._lock:
            changed = self._session.apply(op)
            if changed is not None:
                self._dirty[changed.index] = changed
        if changed is not None:
            self._set_status("saving")
            self._plan()
        return changed

    def go(self, index: int) -> None:
        """Note that the person looks at a frame: it is seen, and a later session starts there."""
        if not 0 <= index < len(self._frames):
            raise UnknownFrame(frame=index)
        with self._lock:
            self.cursor = index
            self._place_moved = True
        if self.apply(ReviewOp(OpKind.SEE, index)) is None:
            self._plan()

    def on_change(self, listener: Listener) -> None:
        """Call `listener(status)` whenever the save state changes, from any thread."""
        self._listeners.append(listener)

    # --- saving

    def save(self) -> int:
        """Make every edit durable now and return the version. Raises what a save can raise; the edits stay in memory then."""
        with self._saving:
            self._save_place()
            with self._lock:
                frames = dict(self._dirty)
                base = self._head.version
            if not frames:
                self._set_status("stale" if self.conflict else "saved")
                return base
            try:
                version = self._cases.save(self.draft_id, base_version=base, frames=list(frames.values()), save_id=new_id("sav"))
            except DraftVersionConflict as conflict:
                version = self._rebased(frames, conflict)
            except LabelkitError as failed:
                self._set_status("failed", failed)
                raise
            self._saved(frames, version)
            return version

    def reload(self, mine: str = "keep") -> Rebase | None:
        """Settle a conflict: `keep` saves my frames over theirs, `theirs` drops mine where both changed. Returns what was in conflict."""
        with self._saving, self._lock:
            conflict = self.conflict
            self.conflict = None
            dirty = {} if mine == "theirs" and conflict is None else dict(self._dirty)
            if conflict is not None and mine == "theirs":
                for frame, _ in conflict.both:
                    dirty.pop(frame.index, None)
            self._load()
            for frame in dirty.values():
                self._session.replace(frame)
            self._dirty = dirty
        self.save()
        return conflict

    def publish(self, pack: str | None = None, *, override_warnings: bool = False, reason: str | None = None) -> PublishOutcome:
        """Save, then publish the draft as it is now."""
        version = self.save()
        return self._cases.publish(self.draft_id, expected_version=version, pack=pack, override_warnings=override_warnings, reason=reason)

    def close(self) -> None:
        """Save what is pending and stop."""
        timer, self._timer = self._timer, None
        if timer is not None:
            timer.cancel()
        self._listeners.clear()
        if self._dirty:
            self.save()

    # --- inside

    def _load(self) -> None:
        gate = self._gate
        with gate.read() as (tx, actor):
            self._head = self._desk.head(tx, self.draft_id)
            overlay = tx.review.overlay(self._head)
            place = tx.review.place(self.draft_id, gate.user)
            pack = self._head.lineage.pack
            seed = tx.review.prelabel_object(pack, gate.workspace.id) if pack else None
            self.may_edit = actor.may(Action.EDIT, gate.workspace.id)
        self.cursor = min(place or 0, max(len(self._frames) - 1, 0))
        self._place_moved = False
        self._content = self._desk.content(self._head.base_object, self.media).replaced(overlay)
        self._seed = None if seed is None else Content(gate.database.objects.read_frame(seed))
        self._session = Session(self.capability, self._content_frame, lambda i: frame_size(self._frames, i))

    def _content_frame(self, index: int) -> FrameContent:
        return self._content.frame(index)

    def _plan(self) -> None:
        if not self._autosave:
            return
        with self._lock:
            if self._timer is not None:
                self._timer.cancel()
            self._timer = threading.Timer(AUTOSAVE_S, self._save_quietly)
            self._timer.daemon = True
            self._timer.start()

    def _save_quietly(self) -> None:
        try:
            self.save()
        except LabelkitError as failed:  # the state says so; the edits stay in memory and the next edit tries again
            self._set_status("stale" if isinstance(failed, DraftVersionConflict) else "failed", failed)

    def _save_place(self) -> None:
        if not self._place_moved:
            return
        with self._lock:
            place, self._place_moved = self.cursor, False
        with self._gate.database.transaction() as tx:
            tx.review.set_place(self.draft_id, self._gate.user, place)

    def _saved(self, frames: dict[int, FrameContent], version: int) -> None:
        with self._lock:
            self._head = replace(self._head, version=version)
            self._content = self._content.replaced(rows_of(frames.values()))
            for index, frame in frames.items():
                if self._dirty.get(index) == frame:
                    del self._dirty[index]
            pending = bool(self._dirty)
        self._set_status("saving" if pending else "saved")

    def _rebased(self, frames: dict[int, FrameContent], conflict: DraftVersionConflict) -> int:
        """Save the frames that only this side touched over the newer draft; refuse where both sides touched one."""
        with self._gate.read() as (tx, _):
            head = self._desk.head(tx, self.draft_id)
            theirs_rows = tx.review.overlay(head, after=self._head.version)
        theirs = {row["frame_index"]: frame_value(row) for row in theirs_rows.iter_rows(named=True)}
        with self._lock:
            base = {index: self._content.frame(index) for index in frames}
            split = rebase(base, frames, theirs)
            if split.both:
                self.conflict = split
                self._set_status("stale", conflict)
                raise conflict
            self._content = self._content.replaced(theirs_rows)
            for index, content in theirs.items():
                if index not in self._dirty:
                    self._session.replace(content)
            self._head = head
        return self._cases.save(self.draft_id, base_version=head.version, frames=list(frames.values()), save_id=new_id("sav"))

    def _set_status(self, status: str, error: LabelkitError | None = None) -> None:
        changed = (status, error) != (self.status, self.status_error)
        self.status, self.status_error = status, error
        if changed:
            for listener in list(self._listeners):
                listener(status)
