"""A passable detector, played by dice: trembling boxes, misses, mix-ups and things taken for people, each with a score."""

from __future__ import annotations

from typing import TYPE_CHECKING

from labelkit.core.geometry import MIN_BOX_SIDE_PX, Box

if TYPE_CHECKING:
    from collections.abc import Iterable
    from random import Random

MISSED = {"ball": 0.30, "goalkeeper": 0.06, "player": 0.05, "referee": 0.08}
TAKEN_FOR = {"goalkeeper": ("player", 0.10), "referee": ("player", 0.15), "player": ("referee", 0.015)}
TREMBLE = 0.045  # standard deviation of an edge, as a share of the side
PHANTOMS = 0.8  # things taken for people, a frame

Guess = tuple[str, Box, float]


def guess(random: Random, truth: Iterable[tuple[str, Box]], *, width: int, height: int, noise: float) -> list[Guess]:
    """Return (class, box, score) of what the model sees in a frame of `width` x `height` px, surest first.

    `noise` scales every kind of fault; with 0 the truth comes back with score 1.
    """
    seen: list[Guess] = []
    for label, box in truth:
        if random.random() < MISSED[label] * noise:
            continue
        other, chance = TAKEN_FOR.get(label, (label, 0.0))
        mixed_up = random.random() < chance * noise
        shaken = _shaken(random, box, noise).clamp(width, height)
        doubt = abs(random.gauss(0, 0.09)) + (0.22 if mixed_up else 0.0) + (0.14 if label == "ball" else 0.03)
        if not shaken.too_small():
            seen.append((other if mixed_up else label, shaken, max(0.05, 1 - doubt * noise)))
    seen += [_phantom(random, width, height) for _ in range(_count(random, PHANTOMS * noise))]
    return sorted(seen, key=lambda row: -row[2])


def _shaken(random: Random, box: Box, noise: float) -> Box:
    def edge(side: float) -> float:
        return random.gauss(0, TREMBLE * noise) * side if noise else 0.0

    left, top = box.x + edge(box.width), box.y + edge(box.height)
    width, height = box.width + edge(box.width), box.height + edge(box.height)
    return Box.at(left, top, max(width, MIN_BOX_SIDE_PX), max(height, MIN_BOX_SIDE_PX))


def _phantom(random: Random, width: int, height: int) -> Guess:
    """Return somebody of the crowd, or a goal post, with a low score."""
    tall = random.uniform(0.05, 0.10) * height
    wide = tall * random.uniform(0.35, 0.6)
    box = Box.at(random.uniform(0, width - wide), random.uniform(0.0, 0.16) * height, wide, tall)
    return "player", box, random.uniform(0.30, 0.52)


def _count(random: Random, mean: float) -> int:
    whole = int(mean)
    return whole + (random.random() < mean - whole)
