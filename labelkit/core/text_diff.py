"""What differs between two texts, word by word: the shortest way from one to the other, bounded in time for long texts."""

from __future__ import annotations

import re
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

_TOKEN = re.compile(r"\w+|\s+|[^\w\s]")
_LINE = re.compile(r"[^\n]*\n|[^\n]+")
MOST_EDITS = 400  # words that differ before a stretch counts as replaced; the work grows with its square

Part = tuple["Edit", str]


class Edit(StrEnum):
    """What became of a stretch of text."""

    SAME = "same"
    REMOVED = "removed"
    ADDED = "added"


def word_diff(before: str, after: str, most_edits: int = MOST_EDITS) -> list[Part]:
    """Return the parts that lead from `before` to `after`: the same and removed ones make `before`, the same and added ones `after`.

    Words, runs of space and single signs are compared whole. Where more than `most_edits` of them differ lines are compared first, and
    what is still too different is one removed and one added part. Space alone between two changes is part of them.

    >>> [(str(edit), text) for edit, text in word_diff("a cold day", "a warm day")]
    [('same', 'a '), ('removed', 'cold'), ('added', 'warm'), ('same', ' day')]
    """
    a, b = _TOKEN.findall(before), _TOKEN.findall(after)
    found = _aligned(a, b, most_edits)
    if found is None:
        found = _by_lines(before, after, most_edits)
    return _calm(found)


def item_diff(before: Sequence[str], after: Sequence[str], most_edits: int = MOST_EDITS) -> list[Part]:
    """Return the items that lead from one list to the other, each the same, removed or added.

    >>> [(str(edit), item) for edit, item in item_diff(["a", "b"], ["b", "c"])]
    [('removed', 'a'), ('same', 'b'), ('added', 'c')]
    """
    found = _aligned(before, after, most_edits)
    return found if found is not None else [*((Edit.REMOVED, item) for item in before), *((Edit.ADDED, item) for item in after)]


def _by_lines(before: str, after: str, most_edits: int) -> list[Part]:
    lines = _aligned(_LINE.findall(before), _LINE.findall(after), most_edits)
    parts: list[Part] = []
    for edit, removed, added in _pairs(lines if lines is not None else _replaced(before, after)):
        if edit is Edit.SAME:
            parts.append((edit, removed))
            continue
        words = _aligned(_TOKEN.findall(removed), _TOKEN.findall(added), most_edits) if lines is not None else None
        parts += words if words is not None else _replaced(removed, added)
    return parts


def _replaced(before: str, after: str) -> list[Part]:
    return [part for part in ((Edit.REMOVED, before), (Edit.ADDED, after)) if part[1]]


def _pairs(parts: Sequence[Part]) -> list[tuple[Edit, str, str]]:
    """Return stretches that are the same (the text twice), and between them what was there and what came instead."""
    found: list[tuple[Edit, str, str]] = []
    for edit, text in parts:
        same = edit is Edit.SAME
        removed, added = (text, text) if same else (text, "") if edit is Edit.REMOVED else ("", text)
        if found and same == (found[-1][0] is Edit.SAME):
            found[-1] = (found[-1][0], found[-1][1] + removed, found[-1][2] + added)
        else:
            found.append((Edit.SAME if same else Edit.REMOVED, removed, added))
    return found


def _calm(parts: Sequence[Part]) -> list[Part]:
    """Return the parts with space between two changes drawn into them, each change as one removed and one added part."""
    stretches = _pairs(parts)
    calm: list[Part] = []
    for at, (edit, removed, added) in enumerate(stretches):
        inside = 0 < at < len(stretches) - 1
        if edit is Edit.SAME and inside and removed.isspace() and "\n" not in removed:
            calm += [(Edit.REMOVED, removed), (Edit.ADDED, added)]
        elif edit is Edit.SAME:
            calm.append((edit, removed))
        else:
            calm += _replaced(removed, added)
    return [
        part for edit, removed, added in _pairs(calm) for part in ([(edit, removed)] if edit is Edit.SAME else _replaced(removed, added))
    ]


def _aligned(a: Sequence[str], b: Sequence[str], most_edits: int) -> list[Part] | None:
    """Return the shortest way from a to b, token by token; None where it has more than `most_edits` steps."""
    start, end = 0, 0
    while start < min(len(a), len(b)) and a[start] == b[start]:
        start += 1
    while end < min(len(a), len(b)) - start and a[-1 - end] == b[-1 - end]:
        end += 1
    middle = _shortest(a[start : len(a) - end], b[start : len(b) - end], most_edits)
    if middle is None:
        return None
    same = Edit.SAME
    return [*((same, token) for token in a[:start]), *middle, *((same, token) for token in a[len(a) - end :])]


def _shortest(a: Sequence[str], b: Sequence[str], most_edits: int) -> list[Part] | None:
    """Myers' greedy search: `reach[k]` is how far into `a` one comes on diagonal `k` with so many steps."""
    reach = {1: 0}
    history: list[dict[int, int]] = []
    for steps in range(min(len(a) + len(b), most_edits) + 1):
        history.append(dict(reach))
        for k in range(-steps, steps + 1, 2):
            down = k == -steps or (k != steps and reach[k - 1] < reach[k + 1])
            x = reach[k + 1] if down else reach[k - 1] + 1
            while x < len(a) and x - k < len(b) and a[x] == b[x - k]:
                x += 1
            reach[k] = x
            if x >= len(a) and x - k >= len(b):
                return _walked(a, b, history)
    return None


def _walked(a: Sequence[str], b: Sequence[str], history: Sequence[dict[int, int]]) -> list[Part]:
    """Return the way that the search found, walked back from its end."""
    x, y = len(a), len(b)
    parts: list[Part] = []
    for steps in range(len(history) - 1, -1, -1):
        reach, k = history[steps], x - y
        down = k == -steps or (k != steps and reach[k - 1] < reach[k + 1])
        before = k + 1 if down else k - 1
        at_x = reach[before] if steps else 0
        at_y = at_x - before if steps else 0
        while x > at_x and y > at_y:
            x, y = x - 1, y - 1
            parts.append((Edit.SAME, a[x]))
        if steps:
            parts.append((Edit.ADDED, b[y - 1]) if down else (Edit.REMOVED, a[x - 1]))
            x, y = at_x, at_y
    return parts[::-1]
