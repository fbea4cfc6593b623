"""Pair two label sets of one frame that share no ids: greedily, best pair first, by overlap or by distance."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from labelkit.core.geometry import Box, Geometry, Point, iou

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


@dataclass(frozen=True, slots=True)
class Pair:
    """Position `left` of the one set belongs to position `right` of the other, with a score (IoU, or minus the px between)."""

    left: int
    right: int
    score: float


def match(left: Sequence[Geometry], right: Sequence[Geometry], *, least_iou: float = 0.3, most_px: float = 20.0) -> list[Pair]:
    """Return disjoint pairs of two small sets; boxes pair at `least_iou` and up, points within `most_px` px."""
    scored = ((i, j, _score(a, b, least_iou, most_px)) for i, a in enumerate(left) for j, b in enumerate(right))
    return greedy(Pair(i, j, score) for i, j, score in scored if score is not None)


def greedy(candidates: Iterable[Pair]) -> list[Pair]:
    """Choose disjoint pairs, best score first; ties go to the first in order."""
    taken_left: set[int] = set()
    taken_right: set[int] = set()
    pairs: list[Pair] = []
    for pair in sorted(candidates, key=lambda pair: (-pair.score, pair.left, pair.right)):
        if pair.left not in taken_left and pair.right not in taken_right:
            taken_left.add(pair.left)
            taken_right.add(pair.right)
            pairs.append(pair)
    return pairs


def _score(a: Geometry, b: Geometry, least_iou: float, most_px: float) -> float | None:
    if isinstance(a, Box) and isinstance(b, Box):
        overlap = iou(a, b)
        return overlap if overlap >= least_iou else None
    if isinstance(a, Point) and isinstance(b, Point):
        distance = math.hypot(a.x - b.x, a.y - b.y)
        return -distance if distance <= most_px else None
    return None
