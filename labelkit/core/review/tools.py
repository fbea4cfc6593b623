"""Tools that edit several frames at once: each becomes plain operations, which the reducer judges and undo takes back as one step."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from labelkit.core.geometry import Box, Geometry, iou
from labelkit.core.matching import match
from labelkit.core.review.annotations import Annotation, FrameState, Source
from labelkit.core.review.operations import OpKind, ReviewOp
from labelkit.errors import InvalidOperation, UnknownAnnotation, UnknownFrame

if TYPE_CHECKING:
    from collections.abc import Iterator

    from labelkit.core.review.annotations import FrameContent, FrameSize

SAME_IOU = 0.8
SAME_PX = 2.0
MOST_FRAMES = 1_000
MATCH_IOU = 0.05
MATCH_PX = 400.0


class Frames(Protocol):
    """What a tool looks at: the frames as edited so far."""

    def frame(self, index: int) -> FrameContent:
        """Return a frame's content."""
        ...

    def size(self, index: int) -> FrameSize | None:
        """Return a frame's size, None where there is no such frame."""
        ...


def expand(op: ReviewOp, frames: Frames) -> list[ReviewOp]:
    """Return the plain operations of a tool's operation; a plain one is returned as it is. Frames without a picture are passed over."""
    if op.kind is OpKind.PROPAGATE:
        return list(_propagated(op, frames))
    if op.kind is OpKind.INTERPOLATE:
        return list(_interpolated(op, frames))
    if op.kind is OpKind.COPY_PREVIOUS:
        return list(_copied(op, frames))
    return [op]


def _propagated(op: ReviewOp, frames: Frames) -> Iterator[ReviewOp]:
    found = _annotation(frames, op.frame, op.id)
    count = op.count or 0
    if not 1 <= count <= MOST_FRAMES:
        raise InvalidOperation(reason=f"propagate needs a count of 1 to {MOST_FRAMES} frames, got {op.count!r}")
    for index in range(op.frame + 1, op.frame + 1 + count):
        if _editable(frames, index) and not _there(found, frames.frame(index)):
            yield _added(op, index, found.label, found.geometry, Source.PROPAGATED)


def _interpolated(op: ReviewOp, frames: Frames) -> Iterator[ReviewOp]:
    start = _annotation(frames, op.frame, op.id)
    if not _sure(start, frames.frame(op.frame)):
        raise InvalidOperation(reason=f"nobody has confirmed this {start.label}: place it by hand, or accept its frame")
    until = _next_sure(op, start, frames) if op.until is None else op.until
    if not 1 < until - op.frame <= MOST_FRAMES:
        raise InvalidOperation(reason=f"there is no frame to fill between frames {op.frame} and {until}")
    end = _counterpart(start, frames.frame(until), until)
    for index in range(op.frame + 1, until):
        if not _editable(frames, index):
            continue
        here = frames.frame(index)
        between = _between(start.geometry, end.geometry, (index - op.frame) / (until - op.frame))
        stale = [a for a in here.annotations if a.label == start.label and a.source is Source.INTERPOLATED and _near(a.geometry, between)]
        for annotation in stale:
            yield ReviewOp.delete(index, annotation.id)
        kept = [a for a in here.annotations if a.label == start.label and a not in stale]
        if not any(_near(a.geometry, between) for a in kept) and not (kept and between.kind == "point"):
            yield _added(op, index, start.label, between, Source.INTERPOLATED)


def _copied(op: ReviewOp, frames: Frames) -> Iterator[ReviewOp]:
    if op.frame < 1:
        raise InvalidOperation(reason="the first frame has no frame before it")
    here = frames.frame(op.frame)
    for number, annotation in enumerate(frames.frame(op.frame - 1).annotations):
        if not _there(annotation, here):
            yield _added(op, op.frame, annotation.label, annotation.geometry, Source.PROPAGATED, number)


def _added(op: ReviewOp, index: int, label: str, shape: Geometry, source: Source, number: int = 0) -> ReviewOp:
    if not op.target:
        raise InvalidOperation(reason=f"{op.kind} needs a target: the beginning of the ids of what it adds")
    new_id = f"{op.target}_{index}_{number}"
    if isinstance(shape, Box):
        return ReviewOp(OpKind.ADD_BOX, index, new_id, label, shape.x, shape.y, shape.width, shape.height, source=source)
    return ReviewOp(OpKind.ADD_POINT, index, new_id, label, shape.x, shape.y, size=shape.size, source=source)


def _annotation(frames: Frames, index: int, annotation_id: str | None) -> Annotation:
    if frames.size(index) is None:
        raise UnknownFrame(frame=index)
    found = frames.frame(index).find(annotation_id or "")
    if found is None:
        raise UnknownAnnotation(id=annotation_id, frame=index)
    return found


def _editable(frames: Frames, index: int) -> bool:
    size = frames.size(index)
    return size is not None and size.editable


def _sure(annotation: Annotation, content: FrameContent) -> bool:
    """Say whether a person stands behind the label: placed it, or accepted the frame with it."""
    return annotation.source is Source.HUMAN or content.state is FrameState.ACCEPTED


def _ends(start: Annotation, content: FrameContent) -> list[Annotation]:
    """Return what an interpolation may end at on a frame."""
    return [a for a in content.annotations if a.label == start.label and a.source is not Source.INTERPOLATED and _sure(a, content)]


def _next_sure(op: ReviewOp, start: Annotation, frames: Frames) -> int:
    """Return the next frame on which a person placed or accepted a thing of the same class."""
    for index in range(op.frame + 1, op.frame + MOST_FRAMES):
        if frames.size(index) is None:
            break
        if _ends(start, frames.frame(index)):
            return index
    raise InvalidOperation(reason=f"no later frame has a confirmed {start.label}")


def _counterpart(start: Annotation, content: FrameContent, until: int) -> Annotation:
    ends = _ends(start, content)
    if len(ends) == 1:
        return ends[0]
    pairs = match([start.geometry], [a.geometry for a in ends], least_iou=MATCH_IOU, most_px=MATCH_PX)
    if not pairs:
        raise InvalidOperation(reason=f"frame {until} has no confirmed {start.label} that belongs to this one")
    return ends[pairs[0].right]


def _between(a: Geometry, b: Geometry, t: float) -> Geometry:
    return a.between(b, t)  # type: ignore[arg-type]


def _there(annotation: Annotation, content: FrameContent) -> bool:
    return any(other.label == annotation.label and _near(other.geometry, annotation.geometry) for other in content.annotations)


def _near(a: Geometry, b: Geometry) -> bool:
    if isinstance(a, Box) and isinstance(b, Box):
        return iou(a, b) >= SAME_IOU
    return a.kind == b.kind and abs(a.x - b.x) <= SAME_PX and abs(a.y - b.y) <= SAME_PX
