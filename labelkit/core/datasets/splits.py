"""Splits: whole groups are placed, by a seeded order and towards the wanted shares; what was placed once stays where it is."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

SCALE = 1_000_000_000  # shares are whole numbers of billionths: sums of floats differ between versions of Python
REFINED_GROUPS = 64  # up to so many new groups are also moved and swapped; with more, placing alone comes close enough
REFINED_ROUNDS = 50
SWAPPED_GROUPS = 200  # so many of the lightest groups are swapped by `group_ratio`
MOVED_ROUNDS = 10  # how often `group_ratio` goes through all groups to move single ones


class SplitStrategy(StrEnum):
    """How groups come into splits; each value names a policy whose result never changes, a new rule is a new version."""

    GROUP_STABLE = "group_stable"
    GROUP_RATIO = "group_ratio"
    PREDEFINED = "predefined"

    @property
    def policy(self) -> str:
        """Return the strategy with its version."""
        return f"{self.value}/1"


@dataclass(frozen=True, slots=True)
class GroupCounts:
    """How many samples a group has, and how many annotations of each class."""

    samples: int
    classes: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Stability:
    """What it costs that placed groups never move: the imbalance as it is and as it would be if all groups were placed anew.

    An imbalance is the largest distance, in [0, 1], between a split's share (of the samples or of one class) and the wanted one.
    """

    kept: int
    imbalance: float
    imbalance_if_free: float

    @property
    def cost(self) -> float:
        """Return how much closer a free placement would come."""
        return round(max(0.0, self.imbalance - self.imbalance_if_free), 4)


def place(groups: Mapping[str, GroupCounts], ratios: Mapping[str, float], seed: int, placed: Mapping[str, str]) -> dict[str, str]:
    """Return the split of every group, by group in order.

    Groups in `placed` stay there. The others come in the order of sha256(seed:group), each to the split where samples and classes
    come closest to `ratios`; no split with a share stays empty while there are groups to fill it. `ratios` need not add up to 1.
    """
    if groups.keys() <= placed.keys():
        return {group: placed[group] for group in sorted(groups)}
    board = _Board(groups, ratios)
    for group in sorted(groups.keys() & placed.keys()):
        board.put(group, placed[group])
    new = sorted(groups.keys() - placed.keys(), key=lambda group: (hashlib.sha256(f"{seed}:{group}".encode()).digest(), group))
    for position, group in enumerate(new):
        empty = [split for split in board.wanted if not board.size[split]]
        must_fill = len(new) - position <= len(empty)
        board.put(group, min(empty if must_fill else board.wanted, key=lambda split: board.cost_of(group, split)))
    if len(new) <= REFINED_GROUPS:
        _refine(board, new)
    return {group: board.split[group] for group in sorted(groups)}


def balance(groups: Mapping[str, GroupCounts], ratios: Mapping[str, float], seed: int) -> dict[str, str]:
    """Return the split of every group, by group in order, as close to `ratios` in samples and classes as can be found for these alone.

    The heaviest groups are placed first, the order of sha256(seed:group) decides between equals; then single groups are moved, and the
    `SWAPPED_GROUPS` lightest also swapped, as long as that brings the splits closer.
    """
    board = _Board(groups, ratios)
    order = sorted(groups, key=lambda group: (-max(board.parts[group]), hashlib.sha256(f"{seed}:{group}".encode()).digest(), group))
    for position, group in enumerate(order):
        empty = [split for split in board.wanted if not board.size[split]]
        must_fill = len(order) - position <= len(empty)
        board.put(group, min(empty if must_fill else board.wanted, key=lambda split: board.cost_of(group, split)))
    for _ in range(MOVED_ROUNDS):
        if not sum(_move(board, group) for group in order):
            break
    _refine(board, order[-SWAPPED_GROUPS:])
    return {group: board.split[group] for group in sorted(groups)}


def imbalance(groups: Mapping[str, GroupCounts], ratios: Mapping[str, float], placement: Mapping[str, str]) -> float:
    """Return the largest distance between a split's share of the samples or of a class and its ratio; 0 is perfect."""
    board = _Board(groups, ratios)
    for group, split in placement.items():
        board.put(group, split)
    return round(max((abs(off) for row in board.off.values() for off in row), default=0) / SCALE, 4)


def stability(groups: Mapping[str, GroupCounts], ratios: Mapping[str, float], seed: int, placed: Mapping[str, str]) -> Stability:
    """Return what keeping the `placed` groups costs against placing all groups anew."""
    kept = len(groups.keys() & placed.keys())
    now = imbalance(groups, ratios, place(groups, ratios, seed, placed))
    return Stability(kept, now, imbalance(groups, ratios, place(groups, ratios, seed, {})) if kept else now)


class _Board:
    """Where groups are, and how far each split is from its share: `off[split]` has one number for samples and one a class."""

    def __init__(self, groups: Mapping[str, GroupCounts], ratios: Mapping[str, float]) -> None:
        classes = sorted({name for counts in groups.values() for name in counts.classes})
        totals = [sum(counts.samples for counts in groups.values())]
        totals += [sum(counts.classes.get(name, 0) for counts in groups.values()) for name in classes]
        shares = {split: round(ratio * SCALE) for split, ratio in ratios.items()}
        whole = sum(shares.values()) or 1
        self.wanted = sorted((split for split in shares if shares[split]), key=lambda split: (-shares[split], split))
        self.off = {split: [-(share * SCALE // whole) if total else 0 for total in totals] for split, share in shares.items()}
        self.size = dict.fromkeys(shares, 0)
        self.split: dict[str, str] = {}
        self.weights = [max(1, len(classes))] + [1] * len(classes)  # the samples count as much as all classes together
        self.parts = {
            group: [
                count * SCALE // total if total else 0
                for count, total in zip([c.samples, *(c.classes.get(name, 0) for name in classes)], totals, strict=True)
            ]
            for group, c in groups.items()
        }

    def put(self, group: str, split: str | None) -> None:
        """Put a group into a split, or nowhere, taking it out of the one where it is."""
        for where, sign in ((self.split.get(group), -1), (split, 1)):
            if where is not None:
                self.off[where] = [off + sign * part for off, part in zip(self.off[where], self.parts[group], strict=True)]
                self.size[where] += sign
        if split is None:
            del self.split[group]
        else:
            self.split[group] = split

    def cost_of(self, group: str, split: str, sign: int = 1) -> int:
        """Return by how much the squared distances change when the group is added to (or, with sign -1, taken from) a split."""
        return sum(
            weight * part * (part + sign * 2 * off)
            for weight, part, off in zip(self.weights, self.parts[group], self.off[split], strict=True)
        )


def _move(board: _Board, group: str) -> bool:
    """Move a group to the split where that brings the board closest, if anywhere, but never the last one out of a split."""
    here = board.split[group]
    if board.size[here] == 1:
        return False
    gain = board.cost_of(group, here, -1)
    best = min(board.wanted, key=lambda split: 0 if split == here else gain + board.cost_of(group, split))
    if best == here or gain + board.cost_of(group, best) >= 0:
        return False
    board.put(group, best)
    return True


def _refine(board: _Board, new: list[str]) -> None:
    """Take the first move or swap of new groups that brings the board closer, until there is none."""
    for _ in range(REFINED_ROUNDS):
        if not any(_try(board, step) for step in _steps(board, new)):
            return


def _steps(board: _Board, new: list[str]) -> Iterator[dict[str, str]]:
    for position, group in enumerate(new):
        if board.size[board.split[group]] > 1:
            yield from ({group: split} for split in board.wanted if split != board.split[group])
        for other in new[position + 1 :]:
            if board.split[group] != board.split[other]:
                yield {group: board.split[other], other: board.split[group]}


def _try(board: _Board, step: Mapping[str, str]) -> bool:
    back, change = {group: board.split[group] for group in step}, 0
    for group, split in step.items():
        change += board.cost_of(group, back[group], -1)
        board.put(group, None)
        change += board.cost_of(group, split)
        board.put(group, split)
    if change < 0:
        return True
    for group, split in back.items():
        board.put(group, split)
    return False
