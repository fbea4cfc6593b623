"""The operations of a review: what widget, Python and files say when they edit."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING

from labelkit.core.review.annotations import Source
from labelkit.errors import InvalidOperation

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping


class OpKind(StrEnum):
    """What an operation does."""

    ADD_BOX = "add_box"
    ADD_POINT = "add_point"
    MOVE = "move"
    RESIZE = "resize"
    RELABEL = "relabel"
    DELETE = "delete"
    FLAG = "flag"
    UNFLAG = "unflag"
    ACCEPT = "accept"
    SEE = "see"
    PROPAGATE = "propagate"
    INTERPOLATE = "interpolate"
    COPY_PREVIOUS = "copy_previous"
    UNDO = "undo"
    REDO = "redo"


ADDING_OPS = frozenset({OpKind.ADD_BOX, OpKind.ADD_POINT})
TOOL_OPS = frozenset({OpKind.PROPAGATE, OpKind.INTERPOLATE, OpKind.COPY_PREVIOUS})
GEOMETRY_OPS = frozenset({OpKind.ADD_BOX, OpKind.ADD_POINT, OpKind.MOVE, OpKind.RESIZE, OpKind.RELABEL, OpKind.DELETE})


@dataclass(frozen=True, slots=True)
class ReviewOp:
    """One edit of a review. Make one with the class methods; coordinates are px of the original frame.

    `move` takes the new left and top of a box or the new position of a point; `resize` takes all four numbers of a box or the
    new diameter of a point as `size`.
    """

    kind: OpKind
    frame: int = -1
    id: str | None = None
    label: str | None = None
    x: float | None = None
    y: float | None = None
    width: float | None = None
    height: float | None = None
    size: float | None = None
    flag_name: str | None = None
    source: Source = Source.HUMAN
    count: int | None = None
    until: int | None = None
    target: str | None = None

    @classmethod
    def add_box(
        cls,
        frame: int,
        label: str,
        x: float,
        y: float,
        width: float,
        height: float,
        *,
        id: str | None = None,
    ) -> ReviewOp:
        """Add a box: left, top, width, height in px."""
        return cls(OpKind.ADD_BOX, frame, id, label, x, y, width, height)

    @classmethod
    def add_point(
        cls,
        frame: int,
        label: str,
        x: float,
        y: float,
        size: float | None = None,
        *,
        id: str | None = None,
    ) -> ReviewOp:
        """Add a point at (x, y) px; without a size it gets the capability's default on publish."""
        return cls(OpKind.ADD_POINT, frame, id, label, x, y, size=size)

    @classmethod
    def move(cls, frame: int, id: str, x: float, y: float) -> ReviewOp:
        """Move a box's top left corner, or a point, to (x, y) px."""
        return cls(OpKind.MOVE, frame, id, x=x, y=y)

    @classmethod
    def resize(
        cls,
        frame: int,
        id: str,
        x: float | None = None,
        y: float | None = None,
        width: float | None = None,
        height: float | None = None,
        *,
        size: float | None = None,
    ) -> ReviewOp:
        """Give a box a new rectangle in px, or a point a new diameter."""
        return cls(OpKind.RESIZE, frame, id, x=x, y=y, width=width, height=height, size=size)

    @classmethod
    def relabel(cls, frame: int, id: str, label: str) -> ReviewOp:
        """Change an annotation's class."""
        return cls(OpKind.RELABEL, frame, id, label)

    @classmethod
    def delete(cls, frame: int, id: str) -> ReviewOp:
        """Delete an annotation."""
        return cls(OpKind.DELETE, frame, id)

    @classmethod
    def flag(cls, frame: int, flag: str) -> ReviewOp:
        """Set a frame flag."""
        return cls(OpKind.FLAG, frame, flag_name=flag)

    @classmethod
    def unflag(cls, frame: int, flag: str) -> ReviewOp:
        """Take a frame flag away."""
        return cls(OpKind.UNFLAG, frame, flag_name=flag)

    @classmethod
    def accept(cls, frame: int) -> ReviewOp:
        """Say that the frame is right as it is."""
        return cls(OpKind.ACCEPT, frame)

    @classmethod
    def see(cls, frame: int) -> ReviewOp:
        """Note that the frame was looked at."""
        return cls(OpKind.SEE, frame)

    @classmethod
    def propagate(cls, frame: int, id: str, count: int = 1) -> ReviewOp:
        """Repeat an annotation on the next `count` frames, where it is not there already."""
        return cls(OpKind.PROPAGATE, frame, id, count=count)

    @classmethod
    def interpolate(cls, frame: int, id: str, until: int | None = None) -> ReviewOp:
        """Fill the frames between this annotation and its like on frame `until`, by default the next one that a person placed."""
        return cls(OpKind.INTERPOLATE, frame, id, until=until)

    @classmethod
    def copy_previous(cls, frame: int) -> ReviewOp:
        """Copy the annotations of the frame before that are not here yet."""
        return cls(OpKind.COPY_PREVIOUS, frame)

    @classmethod
    def undo(cls) -> ReviewOp:
        """Take back the last step."""
        return cls(OpKind.UNDO)

    @classmethod
    def redo(cls) -> ReviewOp:
        """Do again what undo took back."""
        return cls(OpKind.REDO)

    def with_ids(self, new_id: Callable[[str], str]) -> ReviewOp:
        """Return the operation with a made id for what it adds, where it came without one."""
        if self.kind in ADDING_OPS and not self.id:
            return replace(self, id=new_id("ann"))
        if self.kind in TOOL_OPS and not self.target:
            return replace(self, target=new_id("ann"))
        return self

    @classmethod
    def from_json(cls, row: Mapping[str, object]) -> ReviewOp:
        """Return the operation that a browser or file sent. Raises `INVALID_OPERATION` for unknown fields, kinds or types."""
        known = set(cls.__dataclass_fields__)
        unknown = sorted(set(row) - known)
        if unknown:
            raise InvalidOperation(reason=f"unknown field {unknown[0]!r}")
        try:
            kind = OpKind(str(row.get("kind")))
        except ValueError as error:
            raise InvalidOperation(reason=f"unknown kind {row.get('kind')!r}") from error
        fields = {name: value for name, value in row.items() if name != "kind"}
        for name, value in fields.items():
            if not _fits(name, value):
                raise InvalidOperation(reason=f"{name} cannot be {value!r}")
        if "source" in fields:
            fields["source"] = Source(str(fields["source"]))
        return cls(kind, **fields)  # type: ignore[arg-type]


def with_ids(ops: Iterable[ReviewOp], new_id: Callable[[str], str]) -> list[ReviewOp]:
    """Return operations with made ids for what they add. Raises `INVALID_OPERATION` for what is none."""
    found = [ops] if isinstance(ops, (ReviewOp, str)) else list(ops)
    odd = [type(op).__name__ for op in found if not isinstance(op, ReviewOp)]
    if odd:
        raise InvalidOperation(reason=f"{odd[0]} is no operation; make one with ReviewOp, such as ReviewOp.accept(0)")
    return [op.with_ids(new_id) for op in found]


def _fits(name: str, value: object) -> bool:
    """Say whether a field sent as JSON has its type; what a number must be the reducer says, operation by operation."""
    if name in {"frame", "count", "until"}:
        return (value is None and name != "frame") or (isinstance(value, int) and not isinstance(value, bool))
    if name == "source":
        return isinstance(value, str) and value in set(Source)
    number = name in {"x", "y", "width", "height", "size"}
    return value is None or isinstance(value, (int, float) if number else str)
