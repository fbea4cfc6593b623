"""Which frame is worth a look next: signals in [0, 1] a frame, their weights, and honest words about what was not looked at.

A frame's risk is `1 - product(1 - weight x signal)`: one strong signal is enough, several weak ones add up, and nothing exceeds 1.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

NEIGHBOURS = 2
CROWD = 200  # among more boxes than these on a frame some box is always near, so that being alone says nothing
WORTH_A_LOOK = 0.4


class Signal(StrEnum):
    """Why a frame may be wrong."""

    CONFIDENCE = "confidence"
    COUNT_JUMP = "count_jump"
    POSITION_JUMP = "position_jump"
    BOXES_ALONE = "boxes_alone"
    POINT_COUNT = "point_count"
    UNSEEN_CHANGE = "unseen_change"
    NEIGHBOUR_EDITED = "neighbour_edited"
    NEIGHBOUR_FLAGGED = "neighbour_flagged"


@dataclass(frozen=True, slots=True)
class Weight:
    """How much a signal counts, and what it says to a person."""

    weight: float
    sentence: str


WEIGHTS: dict[Signal, Weight] = {
    Signal.CONFIDENCE: Weight(0.8, "the model is unsure of more labels here than elsewhere"),
    Signal.COUNT_JUMP: Weight(0.5, "the number of labels differs from the neighbouring frames"),
    Signal.POSITION_JUMP: Weight(0.9, "the point moved faster than is plausible"),
    Signal.BOXES_ALONE: Weight(0.3, "boxes here have no box of their class near them in the frames before and after"),
    Signal.POINT_COUNT: Weight(0.9, "there is no point, or more than one"),
    Signal.UNSEEN_CHANGE: Weight(0.5, "it differs from the model's labels without anybody having looked, as after a repetition"),
    Signal.NEIGHBOUR_EDITED: Weight(0.5, "neighbouring frames had to be corrected"),
    Signal.NEIGHBOUR_FLAGGED: Weight(0.4, "a neighbouring frame is flagged"),
}


@dataclass(frozen=True, slots=True)
class Coverage:
    """What has been looked at: frames seen of all, and the highest risk among the others."""

    seen: int
    frames: int
    highest_unseen: float | None

    def __str__(self) -> str:
        """Say it without embellishment."""
        if self.highest_unseen is None:
            return f"seen all {self.frames:,}"
        if self.highest_unseen <= WORTH_A_LOOK:
            return f"seen {self.seen:,} of {self.frames:,}; none unseen above {WORTH_A_LOOK:g}"
        return f"seen {self.seen:,} of {self.frames:,}; highest unseen risk {self.highest_unseen:.2f}"


def coverage(risks: Sequence[float], seen: Sequence[bool]) -> Coverage:
    """Return the coverage of a review from each frame's risk and whether it was seen."""
    unseen = [risk for risk, looked in zip(risks, seen, strict=True) if not looked]
    return Coverage(sum(seen), len(seen), max(unseen) if unseen else None)


def ranked(risks: Sequence[float], seen: Sequence[bool]) -> list[int]:
    """Return the unseen frames, riskiest first; equal ones in frame order."""
    waiting = [index for index, looked in enumerate(seen) if not looked]
    return sorted(waiting, key=lambda index: (-risks[index], index))
