"""The quality score of a golden example: four parts of 0 to 30, 40, 15 and 15 points, their reasons, and the total with its tier.

A part is its points times the weighted mean of its sub-scores, each from 0 to 1:

- completeness 30: `present` (20), the share of required fields that are there; `filled` (10), the share of fields that matter which are
  neither absent nor null nor empty.
- correctness 40: `verified` (18): 1 validated here, 1/2 said to be verified elsewhere, 1/6 not yet looked at; `confirmed` (12): 1 where
  what happened confirms the expected output, 0 where it speaks against it, where that is not known the share of annotators who agree, and
  0.4 where neither is known; `consistent` (10): the share, among the examples of the same or nearly the same input (itself included), that
  expect the same output; `label quality` (10), where a model's judgement was given: that number.
- clarity 15: `agreement` of annotators (5) and `confidence` (5), each the number that is stated and 0.4 where none is; `documented` (5):
  0 for an edge case without a word, else 1.
- representativeness 15: `class` (6) and `slice` (6), each 1 up to the even share and then even share / share; `balance` (3): how likely
  two examples of the type differ in class, against the same for classes of equal size. One class alone has no balance.

What is not known thus costs points but never all of them, and better evidence never lowers a part. A sub-score that a type has no field for
is left out, and its points are shared among the others of its part; a part of which nothing is left is as good as the other parts together.
So what is complete and consistent is Bronze before anybody looked at it, Silver once it is validated, and Gold once it is confirmed too.

An example that a reviewer rejected keeps completeness and clarity and has 0 for the rest, at most 45; it counts neither as similar to
others nor for classes and slices.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING

from labelkit.core.golden.examples import Status
from labelkit.core.golden.reasons import Code, Reason
from labelkit.core.golden.tiers import Tier, hundredths, tier_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from labelkit.core.golden.score_rules import TypeRules


class Part(StrEnum):
    """The four parts."""

    COMPLETENESS = "completeness"
    CORRECTNESS = "correctness"
    CLARITY = "clarity"
    REPRESENTATIVENESS = "representativeness"


POINTS = {Part.COMPLETENESS: 30.0, Part.CORRECTNESS: 40.0, Part.CLARITY: 15.0, Part.REPRESENTATIVENESS: 15.0}
PRESENT, FILLED = 20.0, 10.0
VERIFIED, CONFIRMED, CONSISTENT, LABEL_QUALITY = 18.0, 12.0, 10.0, 10.0
AGREEMENT, CONFIDENCE, DOCUMENTED = 5.0, 5.0, 5.0
CLASS, SLICE, BALANCE = 6.0, 6.0, 3.0

UNKNOWN = 0.4
PENDING, ELSEWHERE = 1 / 6, 1 / 2
LOW_AGREEMENT, LOW_CONFIDENCE, LIKELY_ISSUE, OVERREPRESENTED, UNBALANCED = 0.8, 0.7, 0.5, 0.5, 0.5  # below these a reason is given


@dataclass(frozen=True, slots=True)
class Facts:
    """What an example is scored by.

    `missing` are required fields that are absent, `blank` fields that matter and are absent, null or empty. `outcome` says whether what
    happened confirms the output. `agreeing` of `similar` examples (itself included) expect the same. `documented` is False for an edge
    case without a word only. `class_rarity`, `slice_rarity` and `balance` are sub-scores. None: not known.
    """

    status: Status = Status.PENDING
    missing: tuple[str, ...] = ()
    blank: tuple[str, ...] = ()
    elsewhere: bool = False
    outcome: bool | None = None
    similar: int = 1
    agreeing: int = 1
    label_quality: float | None = None
    agreement: float | None = None
    confidence: float | None = None
    documented: bool = True
    has_class: bool = True
    class_rarity: float = 1.0
    slice_rarity: float = 1.0
    balance: float = 1.0

    @property
    def settled(self) -> Facts:
        """Return the facts once the right output of this input is settled among similar examples."""
        return replace(self, similar=1, agreeing=1)

    @property
    def reviewed(self) -> Facts:
        """Return the facts once a reviewer has settled, validated and, where it is an edge case, documented the example."""
        return replace(self.settled, status=Status.VALIDATED, documented=True)


@dataclass(frozen=True, slots=True)
class Score:
    """The parts in hundredths of a point, and why they are not full."""

    parts: tuple[int, int, int, int]
    reasons: tuple[Reason, ...]

    @property
    def hundredths(self) -> int:
        """Return the total in hundredths of a point."""
        return sum(self.parts)

    @property
    def total(self) -> float:
        """Return the total, 0 to 100, with two decimals."""
        return self.hundredths / 100

    @property
    def tier(self) -> Tier:
        """Return the tier."""
        return tier_of(self.hundredths)

    def of(self, part: Part) -> float:
        """Return the points of a part, with two decimals."""
        return self.parts[list(Part).index(part)] / 100


def scored(facts: Facts, rules: TypeRules) -> Score:
    """Return the score of an example, by the formulas above."""
    subs = [_completeness(facts, rules), _correctness(facts, rules), _clarity(facts, rules), _representativeness(facts, rules)]
    means = [_mean(sub) for sub in subs]  # None where nothing of a part applies
    points = [None if mean is None else full * mean for full, mean in zip(POINTS.values(), means, strict=True)]
    if facts.status is Status.REJECTED:
        points[1], points[3] = 0.0, None if points[3] is None else 0.0
    known = [(full, part) for full, part in zip(POINTS.values(), points, strict=True) if part is not None]
    rest = sum(part for _, part in known) / sum(full for full, _ in known)
    parts = [hundredths(full * rest if part is None else part) for full, part in zip(POINTS.values(), points, strict=True)]
    if facts.status is Status.REJECTED:
        parts[3] = 0
    return Score((parts[0], parts[1], parts[2], parts[3]), tuple(_reasons(facts, rules)))


def _mean(sub: Sequence[tuple[float, float]]) -> float | None:
    weights = sum(weight for weight, _ in sub)
    return sum(weight * score for weight, score in sub) / weights if sub else None


def _completeness(facts: Facts, rules: TypeRules) -> list[tuple[float, float]]:
    there = len(rules.required) - len(facts.missing)
    full = len(rules.filled) - len(facts.blank)
    return [
        *([(PRESENT, there / len(rules.required))] if rules.required else []),
        *([(FILLED, full / len(rules.filled))] if rules.filled else []),
    ]


def verified(facts: Facts) -> float:
    """Return the sub-score `verified`."""
    if facts.status is Status.VALIDATED:
        return 1.0
    return 0.0 if facts.status is Status.REJECTED else ELSEWHERE if facts.elsewhere else PENDING


def confirmed(facts: Facts) -> float:
    """Return the sub-score `confirmed`."""
    if facts.outcome is not None:
        return float(facts.outcome)
    return UNKNOWN if facts.agreement is None else facts.agreement


def _correctness(facts: Facts, rules: TypeRules) -> list[tuple[float, float]]:
    return [
        (VERIFIED, verified(facts)),
        *([(CONFIRMED, confirmed(facts))] if rules.judges_outcomes or rules.judges_agreement else []),
        (CONSISTENT, facts.agreeing / facts.similar),
        *([(LABEL_QUALITY, facts.label_quality)] if facts.label_quality is not None else []),
    ]


def _clarity(facts: Facts, rules: TypeRules) -> list[tuple[float, float]]:
    return [
        *([(AGREEMENT, UNKNOWN if facts.agreement is None else facts.agreement)] if rules.judges_agreement else []),
        *([(CONFIDENCE, UNKNOWN if facts.confidence is None else facts.confidence)] if rules.confidence else []),
        *([(DOCUMENTED, float(facts.documented))] if rules.edge_case is not None else []),
    ]


def _representativeness(facts: Facts, rules: TypeRules) -> list[tuple[float, float]]:
    return [
        *([(CLASS, facts.class_rarity)] if rules.answer is not None else []),
        *([(SLICE, facts.slice_rarity)] if rules.slices else []),
        *([(BALANCE, facts.balance)] if rules.answer is not None else []),
    ]


def _reasons(facts: Facts, rules: TypeRules) -> list[Reason]:
    found = [Reason(Code.REQUIRED_FIELD_MISSING, field) for field in rules.required if field in facts.missing]
    found += [Reason(Code.FIELD_BLANK, field) for field in rules.filled if field in facts.blank and field not in facts.missing]
    rejected = facts.status is Status.REJECTED
    conflicts = facts.similar - facts.agreeing
    quality, agreement, confidence = facts.label_quality, facts.agreement, facts.confidence
    table = [
        (Code.REJECTED_BY_REVIEWER, rejected),
        (Code.NOT_VERIFIED, facts.status is Status.PENDING and not facts.elsewhere),
        (Code.VERIFIED_ELSEWHERE, facts.status is Status.PENDING and facts.elsewhere),
        (Code.OUTCOME_UNKNOWN, rules.judges_outcomes and facts.outcome is None),
        (Code.OUTCOME_DISAGREES, rules.judges_outcomes and facts.outcome is False),
        (Code.INCONSISTENT_WITH_SIMILAR, conflicts > 0),
        (Code.LABEL_ISSUE_LIKELY, quality is not None and quality < LIKELY_ISSUE),
        (Code.AGREEMENT_UNKNOWN, rules.judges_agreement and agreement is None),
        (Code.ANNOTATORS_DISAGREE, rules.judges_agreement and agreement is not None and agreement < LOW_AGREEMENT),
        (Code.CONFIDENCE_UNKNOWN, bool(rules.confidence) and confidence is None),
        (Code.LOW_CONFIDENCE, bool(rules.confidence) and confidence is not None and confidence < LOW_CONFIDENCE),
        (Code.EDGE_CASE_UNDOCUMENTED, rules.edge_case is not None and not facts.documented),
        (Code.CLASS_UNKNOWN, rules.answer is not None and not facts.has_class),
        (
            Code.CLASS_OVERREPRESENTED,
            rules.answer is not None and not rejected and facts.has_class and facts.class_rarity < OVERREPRESENTED,
        ),
        (Code.SLICE_OVERREPRESENTED, bool(rules.slices) and not rejected and facts.slice_rarity < OVERREPRESENTED),
        (Code.CLASSES_UNBALANCED, rules.answer is not None and not rejected and facts.balance < UNBALANCED),
    ]
    found += [Reason(code, str(conflicts) if code is Code.INCONSISTENT_WITH_SIMILAR else "") for code, holds in table if holds]
    return found
