"""Points and boxes in float pixels of the original frame: clamp, hit test, resize, interpolate.

The origin is the top left corner of the frame, x to the right, y downward. Every coordinate is rounded once, on entry, to a
ten-thousandth of a pixel, so that Python, SQL and the browser agree on equality to the last bit.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum

UNITS_PER_PX = 10_000
MIN_BOX_SIDE_PX = 1.0


class Handle(StrEnum):
    """The edges and corners by which a box is resized, as compass points."""

    N = "n"
    NE = "ne"
    E = "e"
    SE = "se"
    S = "s"
    SW = "sw"
    W = "w"
    NW = "nw"


def px(value: float) -> float:
    """Round a coordinate to a ten-thousandth of a pixel; NaN and infinities stay what they are.

    >>> px(12.345678)
    12.3457
    """
    return round(float(value), 4) + 0.0 if math.isfinite(value) else float(value)


def units(value: float) -> int:
    """Return a rounded coordinate as a count of ten-thousandths of a pixel: the form that is hashed.

    >>> units(px(12.345678))
    123457
    """
    return round(value * UNITS_PER_PX)


@dataclass(frozen=True, slots=True)
class Point:
    """A point at (x, y) px; `size` is the diameter in px of the thing it marks, None where unknown."""

    x: float
    y: float
    size: float | None = None

    @classmethod
    def at(cls, x: float, y: float, size: float | None = None) -> Point:
        """Return the point with rounded coordinates."""
        return cls(px(x), px(y), None if size is None else px(size))

    @property
    def kind(self) -> str:
        """Return `point`."""
        return "point"

    def finite(self) -> bool:
        """Say whether every coordinate is a finite number."""
        return all(math.isfinite(v) for v in (self.x, self.y, 0.0 if self.size is None else self.size))

    def inside(self, width: float, height: float) -> bool:
        """Say whether the point lies in the closed frame of `width` x `height` px."""
        return 0 <= self.x <= width and 0 <= self.y <= height

    def clamp(self, width: float, height: float) -> Point:
        """Return the nearest point inside the frame."""
        return Point.at(min(max(self.x, 0.0), width), min(max(self.y, 0.0), height), self.size)

    def moved(self, dx: float, dy: float) -> Point:
        """Return the point moved by (dx, dy) px."""
        return Point.at(self.x + dx, self.y + dy, self.size)

    def hit(self, x: float, y: float, tolerance: float) -> bool:
        """Say whether (x, y) is within `tolerance` px of the point's mark."""
        return math.hypot(self.x - x, self.y - y) <= max((self.size or 0.0) / 2, tolerance)

    def between(self, other: Point, t: float) -> Point:
        """Return the linear interpolation at t in [0, 1] from this point to `other`."""
        size = self.size if self.size is None or other.size is None else self.size + (other.size - self.size) * t
        return Point.at(self.x + (other.x - self.x) * t, self.y + (other.y - self.y) * t, size)

    def canonical(self) -> list[str | int | None]:
        """Return the hashed form: kind and counts of ten-thousandths of a px."""
        return ["point", units(self.x), units(self.y), None if self.size is None else units(self.size)]


@dataclass(frozen=True, slots=True)
class Box:
    """An axis-aligned box: left, top, width, height in px."""

    x: float
    y: float
    width: float
    height: float

    @classmethod
    def at(cls, x: float, y: float, width: float, height: float) -> Box:
        """Return the box with rounded coordinates."""
        return cls(px(x), px(y), px(width), px(height))

    @classmethod
    def from_corners(cls, x0: float, y0: float, x1: float, y1: float) -> Box:
        """Return the box between two opposite corners, in any order."""
        left, top, right, bottom = px(min(x0, x1)), px(min(y0, y1)), px(max(x0, x1)), px(max(y0, y1))
        return cls(left, top, px(right - left), px(bottom - top))

    @property
    def kind(self) -> str:
        """Return `box`."""
        return "box"

    @property
    def right(self) -> float:
        """Return the right edge in px."""
        return px(self.x + self.width)

    @property
    def bottom(self) -> float:
        """Return the bottom edge in px."""
        return px(self.y + self.height)

    def finite(self) -> bool:
        """Say whether every coordinate is a finite number."""
        return all(math.isfinite(v) for v in (self.x, self.y, self.width, self.height))

    def inside(self, width: float, height: float) -> bool:
        """Say whether the whole box lies in the closed frame of `width` x `height` px."""
        return self.x >= 0 and self.y >= 0 and self.right <= width and self.bottom <= height

    def too_small(self) -> bool:
        """Say whether a side is under one pixel."""
        return self.width < MIN_BOX_SIDE_PX or self.height < MIN_BOX_SIDE_PX

    def clamp(self, width: float, height: float) -> Box:
        """Return the part of the box inside the frame; empty where they do not meet."""
        left, top = min(max(self.x, 0.0), width), min(max(self.y, 0.0), height)
        right, bottom = min(max(self.right, 0.0), width), min(max(self.bottom, 0.0), height)
        return Box.from_corners(left, top, right, bottom)

    def moved(self, dx: float, dy: float) -> Box:
        """Return the box moved by (dx, dy) px."""
        return Box.at(self.x + dx, self.y + dy, self.width, self.height)

    def shifted_inside(self, width: float, height: float) -> Box:
        """Return the box pushed into the frame without changing its size where it fits."""
        x = min(max(self.x, 0.0), max(width - self.width, 0.0))
        y = min(max(self.y, 0.0), max(height - self.height, 0.0))
        return Box.at(x, y, min(self.width, width), min(self.height, height))

    def hit(self, x: float, y: float, tolerance: float) -> bool:
        """Say whether (x, y) lies in the box grown by `tolerance` px."""
        return self.x - tolerance <= x <= self.right + tolerance and self.y - tolerance <= y <= self.bottom + tolerance

    def handle_at(self, x: float, y: float, tolerance: float) -> Handle | None:
        """Return the edge or corner within `tolerance` px of (x, y), corners first, None elsewhere."""
        if not self.hit(x, y, tolerance):
            return None
        vertical = "n" if abs(y - self.y) <= tolerance else "s" if abs(y - self.bottom) <= tolerance else ""
        horizontal = "w" if abs(x - self.x) <= tolerance else "e" if abs(x - self.right) <= tolerance else ""
        name = vertical + horizontal
        return Handle(name) if name else None

    def dragged(self, handle: Handle, x: float, y: float) -> Box:
        """Return the box with that edge or corner at (x, y); dragging past the opposite side turns it over."""
        left, top, right, bottom = self.x, self.y, self.right, self.bottom
        if "w" in handle:
            left = x
        if "e" in handle:
            right = x
        if "n" in handle:
            top = y
        if "s" in handle:
            bottom = y
        return Box.from_corners(left, top, right, bottom)

    def between(self, other: Box, t: float) -> Box:
        """Return the linear interpolation at t in [0, 1] from this box to `other`."""

        def mix(a: float, b: float) -> float:
            return a + (b - a) * t

        return Box.at(mix(self.x, other.x), mix(self.y, other.y), mix(self.width, other.width), mix(self.height, other.height))

    def canonical(self) -> list[str | int | None]:
        """Return the hashed form: kind and counts of ten-thousandths of a px."""
        return ["box", units(self.x), units(self.y), units(self.width), units(self.height)]


Geometry = Point | Box


def iou(a: Box, b: Box) -> float:
    """Return intersection over union of two boxes, in [0, 1].

    >>> iou(Box(0, 0, 10, 10), Box(5, 0, 10, 10))
    0.3333333333333333
    """
    across = min(a.x + a.width, b.x + b.width) - max(a.x, b.x)
    down = min(a.y + a.height, b.y + b.height) - max(a.y, b.y)
    if across <= 0 or down <= 0:
        return 0.0
    shared = across * down
    return shared / (a.width * a.height + b.width * b.height - shared)
