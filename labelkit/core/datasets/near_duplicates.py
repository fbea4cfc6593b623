"""Near-duplicates as evidence: which groups hold frames that look alike, what was ruled about them, and which groups count as one."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

from labelkit.core.datasets.splits import GroupCounts

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

MOST_BITS = 6  # of 64; two frames are near-duplicates where neither hash differs in more


class Ruling(StrEnum):
    """What a reviewer said about a pair: it shows the same, or it does not and holds nothing together."""

    DUPLICATE = "duplicate"
    DIFFERENT = "different"


@dataclass(frozen=True, slots=True)
class Link:
    """Two groups with near-duplicate frames; `pairs` counts their pairs of media that nobody ruled different."""

    a: str
    b: str
    pairs: int = 1


@dataclass(frozen=True, slots=True)
class Evidence:
    """What is known of near-duplicates when a build is planned: links of groups, and how many of its media were searched or not."""

    links: tuple[Link, ...] = ()
    searched: int = 0
    unsearched: int = 0


def clusters(links: Iterable[Link], groups: Collection[str]) -> tuple[tuple[str, ...], ...]:
    """Return the groups that hang together, each cluster sorted, of those in `groups` and with at least two of them.

    A chain may lead through a group that is not in `groups`: it would join both sides as soon as it is added.

    >>> clusters([Link("a", "b"), Link("b", "c"), Link("d", "e")], ["a", "c", "d"])
    (('a', 'c'),)
    """
    above: dict[str, str] = {}

    def root(group: str) -> str:
        while (up := above.setdefault(group, group)) != group:
            above[group] = group = above[up]
        return group

    for link in links:
        first, second = sorted((root(link.a), root(link.b)))
        above[second] = first
    found: dict[str, list[str]] = {}
    for group in sorted(above.keys() & set(groups)):
        found.setdefault(root(group), []).append(group)
    return tuple(sorted(tuple(members) for members in found.values() if len(members) > 1))


@dataclass(frozen=True)
class Units:
    """What is placed as a whole: `of` maps a joined group to its unit, every other group is its own; `placed` has splits of units."""

    of: Mapping[str, str] = field(default_factory=dict)
    placed: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def joined(cls, together: Sequence[Sequence[str]], groups: Mapping[str, GroupCounts], placed: Mapping[str, str]) -> Units:
        """Return the units of clusters, where groups in `placed` stay.

        Where a cluster has groups in several splits already, each keeps its own, and the new ones go to where most of its samples are.
        """
        of: dict[str, str] = {}
        for members in together:
            held: dict[str, list[str]] = {}
            for group in members:
                if group in placed:
                    held.setdefault(placed[group], []).append(group)
            if not held:
                of |= dict.fromkeys(members, members[0])
                continue
            home = min(held, key=lambda split: (-sum(groups[group].samples for group in held[split]), split))
            held[home] += [group for group in members if group not in placed]
            for kept in held.values():
                of |= dict.fromkeys(kept, kept[0])
        return cls(of, {of.get(group, group): split for group, split in placed.items()})

    def merged(self, groups: Mapping[str, GroupCounts]) -> dict[str, GroupCounts]:
        """Return the counts of the units that these groups are part of."""
        if not self.of:
            return dict(groups)
        samples: dict[str, int] = {}
        classes: dict[str, dict[str, int]] = {}
        for group, counts in groups.items():
            unit = self.of.get(group, group)
            samples[unit] = samples.get(unit, 0) + counts.samples
            sums = classes.setdefault(unit, {})
            for name, count in counts.classes.items():
                sums[name] = sums.get(name, 0) + count
        return {unit: GroupCounts(count, classes[unit]) for unit, count in samples.items()}

    def spread(self, placement: Mapping[str, str], groups: Iterable[str]) -> dict[str, str]:
        """Return the split of each group from the split of its unit, by group in order."""
        return {group: placement[self.of.get(group, group)] for group in sorted(groups)}
