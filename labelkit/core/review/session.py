"""The review session: one pure reducer for every edit, driven alike by widget, Python and tests.

`reduce` turns (frame content, operation) into new frame content or refuses. `Session` adds what spans frames: undo and redo.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterator, Sequence
from dataclasses import dataclass, replace

from labelkit.core.geometry import Box, Geometry, Point, px
from labelkit.core.review.annotations import (
    Annotation,
    Capability,
    FrameContent,
    FrameFlag,
    FrameSize,
    FrameState,
    FrameStep,
    Source,
)
from labelkit.core.review.operations import GEOMETRY_OPS, OpKind, ReviewOp
from labelkit.core.review.tools import expand
from labelkit.errors import FrameNotEditable, InvalidOperation, UnknownAnnotation, UnknownFrame

UNDO_STEPS = 1_000


def reduce(content: FrameContent, op: ReviewOp, size: FrameSize, capability: Capability) -> FrameContent:
    """Return the frame after `op`. Raises a refusal with a code and leaves `content` as it was."""
    if op.kind in GEOMETRY_OPS and not size.editable:
        raise FrameNotEditable(frame=op.frame)
    return _RULES[op.kind](content, op, size, capability)


def _add(content: FrameContent, op: ReviewOp, size: FrameSize, capability: Capability) -> FrameContent:
    if not op.id:
        raise InvalidOperation(reason="an added annotation needs an id")
    if content.find(op.id):
        raise InvalidOperation(reason=f"frame {op.frame} has an annotation {op.id!r} already")
    label = _label(op.label, capability)
    geometry: Geometry
    if op.kind is OpKind.ADD_BOX:
        geometry = Box.at(*_finite(op, "x", "y", "width", "height"))
    else:
        x, y = _finite(op, "x", "y")
        geometry = Point.at(x, y, None if op.size is None else _diameter(op))
    if geometry.kind != capability.geometry:
        raise InvalidOperation(reason=f"{capability.name} is labelled with a {capability.geometry}, not a {geometry.kind}")
    added = Annotation(op.id, label, _fitted(geometry, size), None, op.source)
    return _edited(content, (*content.annotations, added))


def _move(content: FrameContent, op: ReviewOp, size: FrameSize, _capability: Capability) -> FrameContent:
    found = _found(content, op)
    x, y = _finite(op, "x", "y")
    shape = found.geometry
    moved: Geometry = (
        Box.at(x, y, shape.width, shape.height).shifted_inside(size.width, size.height)
        if isinstance(shape, Box)
        else Point.at(x, y, shape.size).clamp(size.width, size.height)
    )
    return _changed(content, found, replace(found, geometry=moved, source=Source.HUMAN))


def _resize(content: FrameContent, op: ReviewOp, size: FrameSize, _capability: Capability) -> FrameContent:
    found = _found(content, op)
    shape = found.geometry
    resized: Geometry
    if isinstance(shape, Box):
        resized = _fitted(Box.at(*_finite(op, "x", "y", "width", "height")), size)
    else:
        resized = Point.at(shape.x, shape.y, _diameter(op))
    return _changed(content, found, replace(found, geometry=resized, source=Source.HUMAN))


def _relabel(content: FrameContent, op: ReviewOp, _size: FrameSize, capability: Capability) -> FrameContent:
    found = _found(content, op)
    return _changed(content, found, replace(found, label=_label(op.label, capability), source=Source.HUMAN))


def _delete(content: FrameContent, op: ReviewOp, _size: FrameSize, _capability: Capability) -> FrameContent:
    found = _found(content, op)
    return _edited(content, tuple(a for a in content.annotations if a.id != found.id))


def _flag(content: FrameContent, op: ReviewOp, _size: FrameSize, _capability: Capability) -> FrameContent:
    try:
        flag = FrameFlag(op.flag_name or "")
    except ValueError as error:
        raise InvalidOperation(reason=f"unknown frame flag {op.flag_name!r}; known: {', '.join(FrameFlag)}") from error
    flags = set(content.flags) | {flag} if op.kind is OpKind.FLAG else set(content.flags) - {flag}
    if flags == set(content.flags):
        return content
    return replace(content, flags=tuple(sorted(flags))).stepped(FrameStep.EDIT)


def _accept(content: FrameContent, _op: ReviewOp, _size: FrameSize, _capability: Capability) -> FrameContent:
    return content.stepped(FrameStep.ACCEPT)


def _see(content: FrameContent, _op: ReviewOp, _size: FrameSize, _capability: Capability) -> FrameContent:
    return content.stepped(FrameStep.SEE)


Rule = Callable[[FrameContent, ReviewOp, FrameSize, Capability], FrameContent]
_RULES: dict[OpKind, Rule] = {
    OpKind.ADD_BOX: _add,
    OpKind.ADD_POINT: _add,
    OpKind.MOVE: _move,
    OpKind.RESIZE: _resize,
    OpKind.RELABEL: _relabel,
    OpKind.DELETE: _delete,
    OpKind.FLAG: _flag,
    OpKind.UNFLAG: _flag,
    OpKind.ACCEPT: _accept,
    OpKind.SEE: _see,
}


def _edited(content: FrameContent, annotations: tuple[Annotation, ...]) -> FrameContent:
    return replace(content, annotations=annotations).stepped(FrameStep.EDIT)


def _changed(content: FrameContent, before: Annotation, after: Annotation) -> FrameContent:
    if replace(after, source=before.source) == before:
        return content
    return _edited(content, tuple(after if a.id == before.id else a for a in content.annotations))


def _found(content: FrameContent, op: ReviewOp) -> Annotation:
    found = content.find(op.id or "")
    if found is None:
        raise UnknownAnnotation(id=op.id, frame=op.frame)
    return found


def _label(label: str | None, capability: Capability) -> str:
    if label not in capability.classes:
        raise InvalidOperation(reason=f"{label!r} is no class of {capability.name}; its classes are {', '.join(capability.classes)}")
    return label


def _finite(op: ReviewOp, *names: str) -> list[float]:
    values: list[float] = []
    for name in names:
        value = getattr(op, name)
        if value is None or isinstance(value, bool) or not isinstance(value, (int, float)) or value != value or abs(value) > 1e9:  # noqa: PLR0124 - NaN
            raise InvalidOperation(reason=f"{op.kind} needs {name} as a finite number, got {value!r}")
        values.append(float(value))
    return values


def _diameter(op: ReviewOp) -> float:
    diameter = px(_finite(op, "size")[0])
    if diameter <= 0:
        raise InvalidOperation(reason="the size of a point must be above 0 px")
    return diameter


def _fitted(geometry: Geometry, size: FrameSize) -> Geometry:
    if isinstance(geometry, Box) and (geometry.width < 0 or geometry.height < 0):
        raise InvalidOperation(reason="a box needs a positive width and height")
    fitted = geometry.clamp(size.width, size.height)
    if isinstance(fitted, Box) and fitted.too_small():
        raise InvalidOperation(
            reason=f"the box would be {fitted.width:g} x {fitted.height:g} px inside the frame; the least is 1 px a side"
        )
    return fitted


@dataclass(frozen=True, slots=True)
class Step:
    """One undoable step: every frame that it changed, before and after."""

    frames: tuple[tuple[FrameContent, FrameContent], ...]


class Session:
    """The state of one review: frames as edited so far, with undo and redo across frames.

    `load(index)` gives a frame's saved content; `run` returns the frames that changed. A frame that a tool changed from another one
    stays untouched until somebody looks at it. Seeing a frame is no undoable step. Undo puts a frame back only while it is as the step
    left it; a frame changed by someone else since is kept, and a step of nothing but such frames is dropped.
    """

    def __init__(self, capability: Capability, load: Callable[[int], FrameContent], size: Callable[[int], FrameSize | None]) -> None:
        self.capability = capability
        self.size = size
        self._load = load
        self._frames: dict[int, FrameContent] = {}
        self._done: list[Step] = []
        self._undone: list[Step] = []

    def frame(self, index: int) -> FrameContent:
        """Return the frame as edited so far. Raises `UNKNOWN_FRAME`."""
        if index not in self._frames:
            if self.size(index) is None:
                raise UnknownFrame(frame=index)
            self._frames[index] = self._load(index)
        return self._frames[index]

    @property
    def can_undo(self) -> bool:
        """Say whether there is a step to take back."""
        return bool(self._done)

    @property
    def can_redo(self) -> bool:
        """Say whether there is a step to do again."""
        return bool(self._undone)

    def apply(self, op: ReviewOp) -> FrameContent | None:
        """Run one operation and return the first frame that it changed, None where nothing changed."""
        return next(iter(self.run([op])), None)

    def run(self, ops: Sequence[ReviewOp]) -> tuple[FrameContent, ...]:
        """Run operations as one undoable step, all or none; returns the frames that changed, in frame order.

        Undo and redo stand alone. A refusal leaves the session as it was.
        """
        if len(ops) == 1 and ops[0].kind is OpKind.UNDO:
            return self._swap(self._done, self._undone, back=True)
        if len(ops) == 1 and ops[0].kind is OpKind.REDO:
            return self._swap(self._undone, self._done, back=False)
        if any(op.kind in (OpKind.UNDO, OpKind.REDO) for op in ops):
            raise InvalidOperation(reason="undo and redo stand alone, not among other operations")
        before: dict[int, FrameContent] = {}
        try:
            for op in ops:
                for plain in expand(op, self):
                    was = before.setdefault(plain.frame, self.frame(plain.frame))
                    unseen = plain.frame != op.frame and was.state is FrameState.UNTOUCHED  # a tool went there, nobody looked
                    made = self._reduced(plain)
                    self._frames[plain.frame] = replace(made, state=was.state) if unseen else made
        except BaseException:
            self._frames.update(before)
            raise
        changed = tuple((was, self._frames[index]) for index, was in sorted(before.items()) if self._frames[index] != was)
        if changed and any(op.kind is not OpKind.SEE for op in ops):
            self._done.append(Step(changed))
            del self._done[:-UNDO_STEPS]
            self._undone.clear()
        return tuple(after for _, after in changed)

    def replace(self, content: FrameContent) -> None:
        """Take a frame's content from elsewhere, as after a reload or a rebase."""
        self._frames[content.index] = content

    def refresh(self, keep: Container[int]) -> None:
        """Load every frame anew when it is next looked at, but keep those that `keep` names as they are."""
        self._frames = {index: content for index, content in self._frames.items() if index in keep}

    def forget(self) -> None:
        """Drop every loaded frame and the undo steps, as after a reset."""
        self._frames.clear()
        self._done.clear()
        self._undone.clear()

    def _reduced(self, op: ReviewOp) -> FrameContent:
        size = self.size(op.frame)
        if size is None:
            raise UnknownFrame(frame=op.frame)
        return reduce(self.frame(op.frame), op, size, self.capability)

    def _swap(self, source: list[Step], target: list[Step], *, back: bool) -> tuple[FrameContent, ...]:
        while source:
            step = source.pop()
            restored = [
                self._restored(expected, wanted)
                for expected, wanted in _directed(step, back=back)
                if _alike(self.frame(expected.index), expected)
            ]
            if restored:
                self._frames.update({content.index: content for content in restored})
                target.append(step)
                return tuple(restored)
        return ()

    def _restored(self, expected: FrameContent, wanted: FrameContent) -> FrameContent:
        """Return the frame as the step had it; an acceptance of these labels that was saved meanwhile is not taken back with them."""
        saved = self._load(wanted.index)
        if _alike(saved, wanted) and not _alike(expected, wanted) and saved.state is FrameState.ACCEPTED:
            return saved
        return _looked_at(wanted)


def _directed(step: Step, *, back: bool) -> Iterator[tuple[FrameContent, FrameContent]]:
    return ((after, before) if back else (before, after) for before, after in step.frames)


def _alike(a: FrameContent, b: FrameContent) -> bool:
    return a.annotations == b.annotations and a.flags == b.flags


def _looked_at(content: FrameContent) -> FrameContent:
    return replace(content, state=FrameState.SEEN) if content.state is FrameState.UNTOUCHED else content
