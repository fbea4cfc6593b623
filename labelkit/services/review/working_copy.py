"""A draft in memory while it is reviewed: as it was loaded, what was saved since, what is edited here, what both sides changed."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from labelkit.core.review.drafts import DraftHead, Rebase, rebase
from labelkit.core.review.session import Session
from labelkit.services.review.desk import frame_size
from labelkit.services.review.drafts import conflict_over
from labelkit.services.review.timeline import Timeline

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from labelkit.core.review.annotations import Capability, FrameContent
    from labelkit.core.review.operations import ReviewOp
    from labelkit.errors import DraftVersionConflict
    from labelkit.services.review.drafts import Merged
    from labelkit.store.media import Frames
    from labelkit.store.review.content import Content


class WorkingCopy:
    """Frames by index, each as the person here sees it. Nothing is read or written here; each method is one step for every thread."""

    def __init__(self, capability: Capability, frames: Frames, head: DraftHead, content: Content) -> None:
        self._capability = capability
        self._frames = frames
        self._lock = threading.RLock()
        self.load(head, content)

    def load(self, head: DraftHead, content: Content) -> None:
        """Start from what the draft is now, without any edit of this session and without steps to take back."""
        with self._lock:
            self.head = head
            self._dirty: dict[int, FrameContent] = {}
            self._theirs: dict[int, FrameContent] = {}  # what others saved of frames that both sides changed
            self._forked_at = 0
            self._base(content)
            self._session = Session(self._capability, self._known, lambda index: frame_size(self._frames, index))

    # --- reading

    @property
    def conflict(self) -> Rebase | None:
        """Return the frames that both sides changed, as (mine, theirs); None where there are none."""
        with self._lock:
            both = tuple((self._dirty[index], theirs) for index, theirs in sorted(self._theirs.items()))
        return Rebase((), both) if both else None

    @property
    def refusal(self) -> DraftVersionConflict | None:
        """Return why frames that both sides changed are not saved; None where there are none."""
        with self._lock:
            return conflict_over(self.head, self._forked_at, sorted(self._theirs)) if self._theirs else None

    @property
    def is_edited(self) -> bool:
        """Say whether a frame differs from what is saved."""
        return bool(self._dirty)

    @property
    def can_undo(self) -> bool:
        """Say whether there is a step to take back."""
        return self._session.can_undo

    @property
    def can_redo(self) -> bool:
        """Say whether there is a step to do again."""
        return self._session.can_redo

    def frame(self, index: int) -> FrameContent:
        """Return a frame as edited so far. Raises `UNKNOWN_FRAME`."""
        with self._lock:
            return self._session.frame(index)

    def snapshot(self) -> tuple[Content, dict[int, FrameContent]]:
        """Return the content as it was loaded and the frames that differ from it now."""
        with self._lock:
            return self._content, self._over | self._dirty

    def overview(self) -> dict[str, list[object]]:
        """Return per frame, for the timeline: state, flags, count of annotations, lowest score, problem."""
        with self._lock:
            return self._timeline.with_changes(self._over | self._dirty)

    def unsaved(self) -> tuple[dict[int, FrameContent], dict[int, FrameContent]]:
        """Return the edited frames that nobody has to decide on, and the same frames as they are in the draft at this version."""
        with self._lock:
            frames = {index: frame for index, frame in self._dirty.items() if index not in self._theirs}
            return frames, {index: self._known(index) for index in frames}

    # --- changing

    def run(self, ops: Sequence[ReviewOp]) -> tuple[FrameContent, ...]:
        """Run operations as one undoable step, all or none; returns the frames that changed, in frame order."""
        with self._lock:
            changed = self._session.run(ops)
            self._dirty |= {frame.index: frame for frame in changed}
        return changed

    def settle(self, indices: Iterable[int], side: str) -> None:
        """Settle frames of a conflict: `mine` keeps the edit, to be saved over theirs, `theirs` takes theirs."""
        with self._lock:
            for index in indices:
                self._over[index] = theirs = self._theirs.pop(index)
                if side == "theirs":
                    del self._dirty[index]
                    self._session.replace(theirs)

    def arrive(self, sent: Mapping[int, FrameContent], saved: Mapping[int, FrameContent]) -> None:
        """Note that frames which were `sent` are `saved`; one that was edited since stays an edit."""
        with self._lock:
            self._over |= saved
            for index, frame in saved.items():
                if self._dirty.get(index) is sent.get(index):
                    del self._dirty[index]
                    self._session.replace(frame)

    def adopt(self, sent: Mapping[int, FrameContent], merged: Merged, fresh: Content | None) -> None:
        """Take over where a save of `sent`, or a look at the draft, found the store; `fresh` is its content where that has another base."""
        theirs = dict(merged.theirs)
        with self._lock:
            if fresh is not None:
                theirs = {index: fresh.frame(index) for index in self._dirty} | theirs
            saved = {frame.index: frame for frame in merged.split.mine}
            both = {other.index: other for _, other in merged.split.both}
            # edited while the save was under way: what others saved of it was not weighed against this edit
            late = {index for index in theirs if index in self._dirty and index not in saved and self._dirty[index] is not sent.get(index)}
            weighed = rebase({i: self._known(i) for i in late}, {i: self._dirty[i] for i in late}, theirs)
            both |= {other.index: other for _, other in weighed.both} | {i: theirs[i] for i in self._theirs.keys() & theirs.keys()}
            settled = {index for index, frame in sent.items() if self._dirty.get(index) is frame}
            settled |= late - {frame.index for frame in weighed.mine}
            for frame in weighed.mine:  # with an acceptance of the same labels, where they made one
                self._dirty[frame.index] = frame
                self._session.replace(frame)
            for index in settled - both.keys():
                del self._dirty[index]  # saved, or only looked at here and changed by others
            if fresh is not None:
                self._base(fresh)
                self._session.refresh(keep=self._dirty)
            if not self._theirs:
                self._forked_at = self.head.version
            self._theirs |= both
            for index, frame in (theirs | saved).items():
                if index not in self._theirs:
                    self._over[index] = frame
                if index not in self._dirty:
                    self._session.replace(frame)
            self.head = merged.head

    # --- inside

    def _base(self, content: Content) -> None:
        self._content = content
        self._over: dict[int, FrameContent] = {}  # frames saved since, by this session or others
        self._timeline = Timeline(content, self._frames)

    def _known(self, index: int) -> FrameContent:
        """Return a frame as it is in the draft at this session's version."""
        return self._over[index] if index in self._over else self._content.frame(index)
