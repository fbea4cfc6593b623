"""What to draw, as plain shapes: the one answer for the browser's stage, for ipycanvas and for pictures in an executed notebook."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from labelkit.core.geometry import Box

if TYPE_CHECKING:
    from collections.abc import Iterable

    from labelkit.core.review.annotations import Annotation, Capability

POINT_RADIUS_PX = 6.0
GHOST_OPACITY = 0.75


@dataclass(frozen=True, slots=True)
class Style:
    """How a class looks: a colour that colour-blind people tell apart, and a dash pattern and a mark that need no colour.

    `mark` is drawn at a point: the corners of a polygon in radii from its centre, a circle where there are none.
    """

    colour: str
    dash: tuple[float, ...]
    mark: tuple[tuple[float, float], ...]


CIRCLE: tuple[tuple[float, float], ...] = ()
SQUARE = ((-1.0, -1.0), (1.0, -1.0), (1.0, 1.0), (-1.0, 1.0))
DIAMOND = ((0.0, -1.3), (1.3, 0.0), (0.0, 1.3), (-1.3, 0.0))
TRIANGLE = ((0.0, -1.3), (1.2, 0.8), (-1.2, 0.8))

# Okabe and Ito's colours, lightened where they would drown in grass; those that stand out most come first.
STYLES = (
    Style("#56b4e9", (), CIRCLE),
    Style("#e69f00", (7.0, 4.0), SQUARE),
    Style("#f0e442", (2.0, 3.0), DIAMOND),
    Style("#d98cb3", (10.0, 3.0, 2.0, 3.0), TRIANGLE),
    Style("#00b386", (14.0, 4.0), SQUARE),
    Style("#ff7f2a", (4.0, 2.0), DIAMOND),
    Style("#a8c8ff", (1.0, 2.0), TRIANGLE),
    Style("#ffffff", (8.0, 2.0, 1.0, 2.0), CIRCLE),
)
GHOST = Style("#ffffff", (2.0, 4.0), CIRCLE)


@dataclass(frozen=True, slots=True)
class Shape:
    """A box or point to draw, in px of the frame. Line widths, dashes and marks are px of the screen, whatever the zoom.

    `width` and `height` are 0 for a point; `radius` is the radius in px of the frame of the thing that a point marks, 0 where unknown.
    """

    kind: str
    x: float
    y: float
    width: float
    height: float
    radius: float
    style: Style
    text: str
    opacity: float = 1.0
    crossed: bool = False


@dataclass(frozen=True, slots=True)
class View:
    """Where a frame lies on a screen: screen = frame * scale + (left, top), in px."""

    scale: float
    left: float
    top: float

    @classmethod
    def fit(cls, frame_width: float, frame_height: float, width: float, height: float) -> View:
        """Return the view that shows the whole frame, centred, as large as `width` x `height` px allow.

        >>> View.fit(200, 100, 400, 400)
        View(scale=2.0, left=0.0, top=100.0)
        """
        if frame_width <= 0 or frame_height <= 0:
            return cls(1.0, 0.0, 0.0)
        scale = min(width / frame_width, height / frame_height)
        return cls(scale, (width - frame_width * scale) / 2, (height - frame_height * scale) / 2)

    def at(self, x: float, y: float) -> tuple[float, float]:
        """Return the screen position of a position on the frame."""
        return x * self.scale + self.left, y * self.scale + self.top


def style_of(capability: Capability, label: str) -> Style:
    """Return the style of a class by its place in the capability; beyond the table the styles repeat, and an unknown class is a ghost."""
    if label not in capability.classes:
        return GHOST
    return STYLES[capability.classes.index(label) % len(STYLES)]


def shapes_of(annotations: Iterable[Annotation], capability: Capability) -> tuple[Shape, ...]:
    """Return the shapes of annotations in drawing order: large boxes first, so that small ones stay visible and reachable."""
    ordered = sorted(annotations, key=_area, reverse=True)
    return tuple(_shape(a, style_of(capability, a.label), caption(a)) for a in ordered)


def ghosts(prelabels: Iterable[Annotation], present: Iterable[Annotation], capability: Capability) -> tuple[Shape, ...]:
    """Return the model's labels that the review moved, changed or deleted; a deleted one is crossed out.

    A caption is written where the class is not the one that is shown there now: two captions on one place could not be read.
    """
    now = list(present)
    kept = {_content(a) for a in now}
    labels = {a.id: a.label for a in now}
    left = [a for a in prelabels if _content(a) not in kept]
    return tuple(
        _shape(
            a,
            Style(style_of(capability, a.label).colour, GHOST.dash, GHOST.mark),
            "" if labels.get(a.id) == a.label else caption(a),
            GHOST_OPACITY,
            crossed=a.id not in labels,
        )
        for a in sorted(left, key=_area, reverse=True)
    )


def caption(annotation: Annotation) -> str:
    """Return what is written at a shape: its class, and the model's confidence in per cent where a model made it."""
    return annotation.label if annotation.score is None else f"{annotation.label} {annotation.score:.0%}"


def _content(annotation: Annotation) -> tuple[object, ...]:
    return tuple(annotation.canonical())


def _area(annotation: Annotation) -> float:
    g = annotation.geometry
    return g.width * g.height if isinstance(g, Box) else 0.0


def _shape(annotation: Annotation, style: Style, text: str, opacity: float = 1.0, *, crossed: bool = False) -> Shape:
    g = annotation.geometry
    if isinstance(g, Box):
        return Shape("box", g.x, g.y, g.width, g.height, 0.0, style, text, opacity, crossed)
    return Shape("point", g.x, g.y, 0.0, 0.0, (g.size or 0.0) / 2, style, text, opacity, crossed)
