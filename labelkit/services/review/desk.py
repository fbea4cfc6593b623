"""What every use case of the review loads first: scope, head, media, capability, content. Names become rows, or a clear refusal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from labelkit.core.actors import Scope
from labelkit.core.review.annotations import FrameSize
from labelkit.errors import NotFound, ScopeMismatch
from labelkit.services.review.draft import Draft
from labelkit.store.media import Frames
from labelkit.store.review.content import Content, frame_value

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from labelkit.core.media import Media
    from labelkit.core.review.annotations import Capability, FrameContent
    from labelkit.core.review.drafts import DraftHead
    from labelkit.store.acting import Gate
    from labelkit.store.transaction import Transaction

AHEAD = 32  # frames that are read together where an edit goes from frame to frame


class Desk:
    """Loads the parts of a review inside an open unit of work; objects are immutable and read outside it."""

    def __init__(self, gate: Gate) -> None:
        self.gate = gate
        self._frames: dict[str, Frames] = {}
        self._held: tuple[tuple[str | None, str], Content] | None = None  # the base that was edited last

    def scope(self, tx: Transaction, media: str | Media, capability: str) -> tuple[Scope, Media, Capability]:
        """Return the scope with its media and capability. Raises `NOT_FOUND` with the nearest name."""
        workspace = self.gate.workspace.id
        found = tx.media.get(workspace, media if isinstance(media, str) else media.id)
        known = tx.media.capability(workspace, capability)
        return Scope(workspace, found.id, known.name), found, known

    def head(self, tx: Transaction, draft_id: str) -> DraftHead:
        """Return a draft's head. Raises `NOT_FOUND`, also for a draft of another workspace."""
        head = tx.review.draft(draft_id)
        if head is None or head.scope.workspace != self.gate.workspace.id:
            known = [one.id for one in tx.review.drafts(self.gate.workspace.id)]
            raise NotFound.among("draft", draft_id, known, "ws.review.drafts()")
        return head

    def parts(self, tx: Transaction, head: DraftHead) -> tuple[Media, Capability]:
        """Return the media and capability of a draft."""
        return tx.media.get(head.scope.workspace, head.scope.media), tx.media.capability(head.scope.workspace, head.scope.capability)

    def run_pack(self, tx: Transaction, run: str, scope: Scope, media: Media) -> dict[str, str]:
        """Return a run's outcome line for the scope. Raises `SCOPE_MISMATCH`."""
        pack = tx.review.run_pack(run, scope)
        if pack is None:
            raise ScopeMismatch(run=run, capability=scope.capability, media=media.name)
        return pack

    def draft(self, head: DraftHead, media: Media, capability: Capability) -> Draft:
        """Return the draft at its head's version; its frames are read when they are looked at."""

        def load() -> tuple[Content, Frames]:
            with self.gate.read() as (tx, _):
                overlay = tx.review.overlay(head)
            return self.content(head.base_object, media).replaced(overlay), self.frames(media)

        return Draft(head, media, capability, load)

    def frames(self, media: Media) -> Frames:
        """Return the frames of a media."""
        if media.id not in self._frames:
            self._frames[media.id] = Frames(self.gate.database.objects.read_frame(media.frames_object))
        return self._frames[media.id]

    def content(self, content_object: str | None, media: Media) -> Content:
        """Return the content of an object; None is a content without labels."""
        if content_object is None:
            return Content.empty(media.frame_count)
        return Content(self.gate.database.objects.read_frame(content_object))

    def saved_frames(self, tx: Transaction, head: DraftHead, media: Media, wanted: Iterable[int]) -> Callable[[int], FrameContent]:
        """Return what gives a frame of the draft as it is saved: the `wanted` ones at once, others when they are asked for.

        The base is read once a process: a small edit of a large draft reads little.
        """
        base = self._base(head.base_object, media)
        known: dict[int, FrameContent] = {}

        def take(indices: Sequence[int] | None) -> None:
            rows = tx.review.overlay(head, frames=indices)
            known.update({row["frame_index"]: frame_value(row) for row in rows.iter_rows(named=True)})
            known.update({index: base.frame(index) for index in indices or () if index not in known})

        def load(index: int) -> FrameContent:
            if index not in known:
                take(range(index, min(index + AHEAD, len(base))))
            return known[index]

        first = sorted({index for index in wanted if 0 <= index < len(base)})
        if first:
            take(first)
        return load

    def _base(self, content_object: str | None, media: Media) -> Content:
        held = self._held
        if held is None or held[0] != (content_object, media.id):
            held = self._held = (content_object, media.id), self.content(content_object, media)
        return held[1]


def frame_size(frames: Frames, index: int) -> FrameSize | None:
    """Return what the reducer must know of a frame, None for a frame that does not exist."""
    if not 0 <= index < len(frames):
        return None
    frame = frames[index]
    return FrameSize(frame.width, frame.height, frame.problem is None)
