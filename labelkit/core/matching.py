"""Pair two label sets of one frame that share no ids: greedily, best pair first, by overlap or by distance."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from labelkit.core.geometry import Box, Geometry, Point, iou

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True, slots=True)
class Pair:
    """Position `left` of the one set belongs to position `right` of the other, with a score (IoU, or minus the px between)."""

    left: int
    right: int
    score: float


def match(left: Sequence[Geometry], right: Sequence[Geometry], *, least_iou: float = 0.3, most_px: float = 20.0) -> list[Pair]:
    """Return disjoint pairs, best first; boxes pair at `least_iou` and up, points within `most_px` px. Ties go to the first in order."""
    candidates = [
        Pair(i, j, score)
        for i, a in enumerate(left)
        for j, b in enumerate(right)
        if (score := _score(a, b, least_iou, most_px)) is not None
    ]
    candidates.sort(key=lambda pair: (-pair.score, pair.left, pair.right))
    taken_left: set[int] = set()
    taken_right: set[int] = set()
    pairs: list[Pair] = []
    for pair in candidates:
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
