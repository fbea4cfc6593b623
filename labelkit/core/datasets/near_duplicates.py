"""Near-duplicates as evidence: which groups hold frames that look alike, what was ruled about them, and which groups count as one."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

from labelkit.core.datasets.splits import GroupCounts
from labelkit.errors import NearDuplicatesAcrossSplits, NearDuplicatesNotSearched

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from labelkit.errors import LabelkitError

MOST_BITS = 6  # of 64; two frames are near-duplicates where neither hash differs in more
SHOWN_CLUSTERS, SHOWN_GROUPS = 3, 5  # in a sentence


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


def in_the_way(
    evidence: Evidence, joined: Sequence[Sequence[str]], placement: Mapping[str, str], *, wanted: bool | None
) -> list[LabelkitError]:
    """Return what is wrong about near-duplicates: media that were not searched (where any was, or `wanted`), clusters that are torn.

    Where joining is not `wanted` for sure (None), they are warnings; where it is not wanted at all (False), there are none.
    """
    if wanted is False:
        return []
    found: list[LabelkitError] = []
    if evidence.unsearched and (evidence.searched or wanted):
        found.append(NearDuplicatesNotSearched(count=evidence.unsearched, total=evidence.searched + evidence.unsearched))
    torn = [together for together in joined if len({placement[group] for group in together}) > 1]
    if torn:
        splits = sorted({placement[group] for group in torn[0]})
        found.append(NearDuplicatesAcrossSplits(count=len(torn), groups=_named(torn[0]), splits=", ".join(splits)))
    return found


def joined_sentence(joined: Sequence[Sequence[str]], pairs: int) -> str:
    """Return for people which groups count as one, and on how many pairs of media that rests."""
    whole = "; ".join(_named(together) for together in joined[:SHOWN_CLUSTERS])
    more = f"; and {len(joined) - SHOWN_CLUSTERS} more" if len(joined) > SHOWN_CLUSTERS else ""
    return f"Groups with near-duplicate frames count as one: {whole}{more}. Evidence: {pairs} pair{'s' * (pairs != 1)} of media."


def _named(groups: Sequence[str]) -> str:
    more = f" and {len(groups) - SHOWN_GROUPS} more" if len(groups) > SHOWN_GROUPS else ""
    return ", ".join(groups[:SHOWN_GROUPS]) + more


NO_EVIDENCE = Evidence()
NONE_JOINED = Units()
