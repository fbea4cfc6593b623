"""The one decision behind preflight and build: what would be selected, how it would be split, what stands in the way, and its identity."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

from labelkit.core.datasets.builds import SPLIT_COLUMNS
from labelkit.core.datasets.eligibility import ELIGIBILITY_POLICY, Verdict
from labelkit.core.datasets.fingerprint import Fingerprint
from labelkit.core.datasets.near_duplicates import NO_EVIDENCE, NONE_JOINED, Evidence, Units, clusters, in_the_way, joined_sentence
from labelkit.core.datasets.quality import POLICY
from labelkit.core.datasets.splits import GroupCounts, SplitStrategy, Stability, balance, imbalance, place, stability
from labelkit.core.hashing import digest_of_lines
from labelkit.core.versions import SNAPSHOT_FORMAT
from labelkit.errors import (
    EligibilityOverrideForbidden,
    LabelkitError,
    LabelPacksOverlap,
    NoEligibleLabelData,
    SplitCutsGroup,
    SplitMissing,
    SplitPlacementConflict,
    SplitRatiosInvalid,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from labelkit.core.datasets.builds import BuildRequest


@dataclass(frozen=True, slots=True)
class Issue:
    """Something to know before a build; a blocking one refuses it under the same code."""

    code: str
    message: str
    blocking: bool


@dataclass(frozen=True)
class BuildPlan:
    """What a build would do with the facts as they are: verdicts by pack id, counts and split by group, and refusals that block it.

    `groups` has the samples of each group of the included packs, and its annotations where they were counted (a preflight always does);
    `placed` has the splits that earlier versions gave; `joined` the groups that near-duplicate frames hold together, and `units` what was
    therefore placed as a whole.
    """

    request: BuildRequest
    verdicts: tuple[Verdict, ...]
    groups: Mapping[str, GroupCounts]
    placed: Mapping[str, str]
    placement: Mapping[str, str]
    refusals: tuple[LabelkitError, ...]
    warnings: tuple[LabelkitError, ...] = ()
    evidence: Evidence = NO_EVIDENCE
    joined: tuple[tuple[str, ...], ...] = ()
    units: Units = NONE_JOINED
    quality: str = POLICY.identity

    @cached_property
    def included(self) -> tuple[Verdict, ...]:
        """Return the verdicts of the packs that go in, by pack id."""
        return tuple(verdict for verdict in self.verdicts if verdict.included)

    @cached_property
    def excluded(self) -> tuple[Verdict, ...]:
        """Return the verdicts of the packs that stay out, by pack id."""
        return tuple(verdict for verdict in self.verdicts if not verdict.included)

    @property
    def strategy(self) -> SplitStrategy:
        """Return how groups come into splits."""
        return SplitStrategy(self.request.split_strategy)

    @cached_property
    def ratios(self) -> Mapping[str, float]:
        """Return the wanted share of each split; of a predefined one the share that it has."""
        if self.strategy is not SplitStrategy.PREDEFINED:
            return self.request.ratios
        samples: Counter[str] = Counter()
        for group, split in self.placement.items():
            samples[split] += self.groups[group].samples
        return {split: count / samples.total() for split, count in samples.items()}

    @cached_property
    def splits(self) -> list[str]:
        """Return the names of the splits, largest share first."""
        return sorted(self.ratios, key=lambda split: (-self.ratios[split], split))

    @property
    def sample_count(self) -> int:
        """Return the number of samples."""
        return sum(counts.samples for counts in self.groups.values())

    @cached_property
    def split_samples(self) -> dict[str, int]:
        """Return the number of samples a split."""
        found = Counter(dict.fromkeys(self.splits, 0))
        for group, split in self.placement.items():
            found[split] += self.groups[group].samples
        return dict(found)

    @cached_property
    def split_groups(self) -> dict[str, int]:
        """Return the number of groups a split."""
        found = Counter(self.placement.values())
        return {split: found[split] for split in self.splits}

    @cached_property
    def class_counts(self) -> dict[str, dict[str, int]]:
        """Return the number of annotations by class and split."""
        classes = sorted({name for counts in self.groups.values() for name in counts.classes})
        found = {name: dict.fromkeys(self.splits, 0) for name in classes}
        for group, split in self.placement.items():
            for name, count in self.groups[group].classes.items():
                found[name][split] += count
        return found

    @cached_property
    def stability(self) -> Stability:
        """Return what it costs that groups of earlier versions stay where they are."""
        return self.balanced(self.groups)

    def balanced(self, groups: Mapping[str, GroupCounts]) -> Stability:
        """Return how far the splits are from their shares with these counts of the groups, and what stability has to do with it."""
        if self.strategy is SplitStrategy.GROUP_STABLE:
            found = stability(self.units.merged(groups), self.request.ratios, self.request.seed, self.units.placed)
            return replace(found, kept=len(groups.keys() & self.placed.keys()))
        off = imbalance(groups, self.ratios, {group: self.placement[group] for group in groups})
        return Stability(0, off, off)

    @cached_property
    def near_duplicate_count(self) -> int:
        """Return how many pairs of media link the joined groups, to each other or to a group beyond this set."""
        members = {group for together in self.joined for group in together}
        return sum(link.pairs for link in self.evidence.links if link.a in members or link.b in members)

    @cached_property
    def reuse(self) -> Fingerprint:
        """Return the fingerprint of what decides the content: sources, split, options and policy versions; not the name, not who asks.

        Sources (pack and content hash) and placement (group and split) are digests of their sorted lines: there may be thousands.
        """
        request = self.request
        sources = [f"{v.pack_id} {v.revision.content_hash}" for v in self.included if v.revision is not None]
        placement = [f"{split} {group}" for group, split in sorted(self.placement.items())]
        return Fingerprint(
            {
                "capability": request.capability,
                "sources": str(digest_of_lines(sources)),
                "split": {"strategy": request.split_strategy, **self._split_settings(), "placement": str(digest_of_lines(placement))},
                "options": {"materialization": request.materialization, "min_annotations": request.min_annotations},
                "policies": {
                    "eligibility": ELIGIBILITY_POLICY,
                    "split": self.strategy.policy,
                    "quality": self.quality,
                    "snapshot": SNAPSHOT_FORMAT,
                },
            }
        )

    def _split_settings(self) -> dict[str, object]:
        if self.strategy is SplitStrategy.PREDEFINED:
            return {"column": column_of(self.request)}
        return {"ratios": dict(self.request.ratios), "seed": self.request.seed}

    @cached_property
    def issues(self) -> tuple[Issue, ...]:
        """Return what is to be known: blocking issues first, then near-duplicates, too few groups and splits that stay empty."""
        found = [Issue(refusal.code, refusal.detail, blocking=True) for refusal in self.refusals]
        found += [Issue(warning.code, warning.detail, blocking=False) for warning in self.warnings]
        if self.joined and self.strategy is not SplitStrategy.PREDEFINED:
            found.append(Issue("NEAR_DUPLICATES_JOINED", joined_sentence(self.joined, self.near_duplicate_count), blocking=False))
        wanted = [split for split in self.splits if self.ratios[split] > 0]
        units = len({self.units.of.get(group, group) for group in self.groups})
        if units < len(wanted):
            message = f"{units} groups cannot fill {len(wanted)} splits, because a group is never cut."
            found.append(Issue("TOO_FEW_GROUPS", message, blocking=False))
        found += [Issue("EMPTY_SPLIT", f"Split {s} gets no sample.", blocking=False) for s in wanted if not self.split_samples[s]]
        return tuple(found)

    def check(self) -> None:
        """Raise the first refusal that stands in the way of a build."""
        for refusal in self.refusals:
            raise refusal


def make_plan(
    request: BuildRequest,
    verdicts: Sequence[Verdict],
    groups: Mapping[str, GroupCounts],
    placed: Mapping[str, str],
    *,
    evidence: Evidence = NO_EVIDENCE,
    quality: str = POLICY.identity,
    override_refused_to: str | None = None,
) -> BuildPlan:
    """Decide a build from its facts. `override_refused_to` names a user who asked for REVIEWED revisions without being a developer."""
    filled = {group: counts for group, counts in groups.items() if counts.samples}
    refusals = [*_request_refusals(request, override_refused_to), *_source_refusals(request, verdicts, filled)]
    known: dict[str, str] = {}
    joined = () if request.join_near_duplicates is False else clusters(evidence.links, filled)
    units = Units.joined(joined, filled, known)
    if request.split_strategy == SplitStrategy.PREDEFINED:
        placement, more = _predefined(column_of(request), verdicts, filled)
    elif request.split_strategy == SplitStrategy.GROUP_RATIO:
        placement, more = units.spread(balance(units.merged(filled), request.ratios, request.seed), filled), []
    else:
        known, more = _kept(request, {group: split for group, split in placed.items() if group in filled})
        units = Units.joined(joined, filled, known)
        placement = units.spread(place(units.merged(filled), request.ratios, request.seed, units.placed), filled)
    near = in_the_way(evidence, joined, placement, wanted=request.join_near_duplicates)
    refusals += [*more, *(near if request.join_near_duplicates else [])]
    warnings = () if request.join_near_duplicates else tuple(near)
    return BuildPlan(request, tuple(verdicts), filled, known, placement, tuple(refusals), warnings, evidence, joined, units, quality)


def column_of(request: BuildRequest) -> str:
    """Return the column that a predefined split is read from."""
    return request.split_column or SPLIT_COLUMNS[0]


def _kept(request: BuildRequest, known: dict[str, str]) -> tuple[dict[str, str], list[LabelkitError]]:
    """Return the placements of earlier versions that these ratios have, and the refusal for those that they lack."""
    lost = sorted({split for split in known.values() if split not in request.ratios})
    if not lost:
        return known, []
    refusal = SplitPlacementConflict(dataset=request.name, splits=", ".join(lost))
    return {group: split for group, split in known.items() if split in request.ratios}, [refusal]


def _predefined(column: str, verdicts: Sequence[Verdict], groups: Mapping[str, GroupCounts]) -> tuple[dict[str, str], list[LabelkitError]]:
    """Return the split that the media of each group name, and a refusal for media without one or a group with several."""
    found: dict[str, set[str]] = {group: set() for group in sorted(groups)}
    missing: set[str] = set()
    for pack in (verdict.pack for verdict in verdicts if verdict.included and verdict.pack.group_key in groups):
        split = (getattr(pack, column) or "").strip()
        if split:
            found[pack.group_key].add(split)
        else:
            missing.add(pack.media)
    refusals: list[LabelkitError] = []
    if missing:
        refusals.append(SplitMissing(count=len(missing), column=column, media=min(missing)))
    cut = {group: sorted(splits) for group, splits in found.items() if len(splits) > 1}
    if cut:
        group = min(cut)
        refusals.append(SplitCutsGroup(column=column, group=group, splits=", ".join(cut[group])))
    return {group: min(splits) if splits else "" for group, splits in found.items()}, refusals


def _request_refusals(request: BuildRequest, override_refused_to: str | None) -> list[LabelkitError]:
    found: list[LabelkitError] = []
    if override_refused_to is not None:
        found.append(EligibilityOverrideForbidden(user=override_refused_to))
    total = math.fsum(request.ratios.values())
    if request.split_strategy != SplitStrategy.PREDEFINED and not math.isclose(total, 1.0, abs_tol=1e-6):
        found.append(SplitRatiosInvalid(total=round(total, 6), ratios=dict(request.ratios)))
    return found


def _source_refusals(request: BuildRequest, verdicts: Sequence[Verdict], groups: Mapping[str, GroupCounts]) -> list[LabelkitError]:
    included = [verdict.pack for verdict in verdicts if verdict.included]
    if not included or not groups:
        reasons = Counter(str(verdict.reason) for verdict in verdicts if verdict.reason)
        summary = ", ".join(f"{code} ({count})" for code, count in sorted(reasons.items()))
        if included:
            summary = f"no frame has a picture and at least {request.min_annotations} annotations"
        return [NoEligibleLabelData(requested=len(request.pack_ids), summary=summary)]
    packs_of = Counter(pack.media_id for pack in included)
    twice = [pack for pack in included if packs_of[pack.media_id] > 1]
    if not twice:
        return []
    media = twice[0].media_id
    same = [pack.pack_id for pack in twice if pack.media_id == media]
    return [LabelPacksOverlap(packs=", ".join(same), media=twice[0].media)]
