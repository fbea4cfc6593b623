"""Labels of a frame before and after: which belong together, what became of them, and how each side is drawn."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from labelkit.core.geometry import Box
from labelkit.core.review.shapes import CIRCLE, Shape, Style

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from labelkit.core.review.annotations import Annotation
    from labelkit.widgets.base import Json

# Orange and blue are told apart by everybody; dashes and lines without any colour.
BEFORE = Style("#ffb000", (6.0, 4.0), CIRCLE)
AFTER = Style("#56b4e9", (), CIRCLE)
ALIKE = Style("#d7dce2", (1.0, 3.0), CIRCLE)
ALIKE_OPACITY = 0.7


@dataclass(frozen=True, slots=True)
class Pair:
    """One label before and after; None where it is not there."""

    before: Annotation | None
    after: Annotation | None

    @property
    def change(self) -> str:
        """Return added, removed, modified or same."""
        if self.before is None or self.after is None:
            return "added" if self.before is None else "removed"
        return "same" if self.before.canonical() == self.after.canonical() else "modified"

    @property
    def caption(self) -> str:
        """Return what is written at a changed label: its class, or both where it changed."""
        if self.before is None or self.after is None:
            one = self.after or self.before
            return "" if one is None else one.label
        return self.after.label if self.before.label == self.after.label else f"{self.before.label} → {self.after.label}"

    @property
    def moved_px(self) -> float | None:
        """Return how far the middle of the label moved, in px; None where it is on one side only."""
        if self.before is None or self.after is None:
            return None
        (x0, y0), (x1, y1) = _middle(self.before), _middle(self.after)
        return float(((x1 - x0) ** 2 + (y1 - y0) ** 2) ** 0.5)


def paired(before: Iterable[Annotation], after: Iterable[Annotation]) -> list[Pair]:
    """Return labels of two sides as pairs of equal ids: those of `after` in order, then what is gone."""
    old = {one.id: one for one in before}
    pairs = [Pair(old.pop(one.id, None), one) for one in after]
    return pairs + [Pair(one, None) for one in old.values()]


def shapes(pairs: Sequence[Pair], side: str) -> list[Shape]:
    """Return what is drawn of one side (`before`, `after`), or of `both`: what did not change below, what did above it."""
    drawn = [_shape(pair.after, ALIKE, "", ALIKE_OPACITY) for pair in pairs if pair.change == "same" and pair.after]
    for pair in pairs:
        if pair.change == "same":
            continue
        if side in ("before", "both") and pair.before:
            said = side == "before" or pair.after is None
            drawn.append(_shape(pair.before, BEFORE, pair.before.label if said else ""))
        if side in ("after", "both") and pair.after:
            drawn.append(_shape(pair.after, AFTER, pair.caption.replace("→", "->")))  # the still's letters have no arrow
    return drawn


def rows(pairs: Iterable[Pair]) -> list[Json]:
    """Return the labels as the browser draws them: change, captions and places before and after, in px (width None for points)."""
    return [
        {
            "change": pair.change,
            "captions": ["" if pair.before is None else pair.before.label, pair.caption],
            "before": _place(pair.before),
            "after": _place(pair.after),
        }
        for pair in pairs
    ]


def words(pair: Pair) -> tuple[str, str, str]:
    """Return a label that changed as texts: its class, what became of it, and where it is."""
    one = pair.after or pair.before
    if one is None:
        return "", "", ""
    what = [] if pair.change != "modified" else _what(pair)
    return pair.caption, ", ".join(what) or pair.change, where(one)


def _what(pair: Pair) -> list[str]:
    before, after = pair.before, pair.after
    if before is None or after is None:
        return []
    moved = pair.moved_px or 0.0
    said = [f"moved by {moved:,.1f} px"] if moved else []
    if isinstance(before.geometry, Box) and isinstance(after.geometry, Box):
        grown = after.geometry.width - before.geometry.width, after.geometry.height - before.geometry.height
        said += [f"resized by {grown[0]:+,.1f} × {grown[1]:+,.1f} px"] if any(grown) else []
    said += ["another class"] if before.label != after.label else []
    return said + (["other attributes"] if before.attributes != after.attributes else [])


def where(one: Annotation) -> str:
    """Return where a label is, in px."""
    g = one.geometry
    if isinstance(g, Box):
        return f"{g.x:,.1f}, {g.y:,.1f} · {g.width:,.1f} × {g.height:,.1f}"
    return f"{g.x:,.1f}, {g.y:,.1f}" + ("" if g.size is None else f" · ⌀ {g.size:,.1f}")


def _middle(one: Annotation) -> tuple[float, float]:
    g = one.geometry
    return (g.x + g.width / 2, g.y + g.height / 2) if isinstance(g, Box) else (g.x, g.y)


def _place(one: Annotation | None) -> Json | None:
    if one is None:
        return None
    g = one.geometry
    if isinstance(g, Box):
        return {"x": g.x, "y": g.y, "width": g.width, "height": g.height, "size": None}
    return {"x": g.x, "y": g.y, "width": None, "height": None, "size": g.size}


def _shape(one: Annotation, style: Style, text: str, opacity: float = 1.0) -> Shape:
    g = one.geometry
    if isinstance(g, Box):
        return Shape("box", g.x, g.y, g.width, g.height, 0.0, style, text, opacity)
    return Shape("point", g.x, g.y, 0.0, 0.0, (g.size or 0.0) / 2, style, text, opacity)
