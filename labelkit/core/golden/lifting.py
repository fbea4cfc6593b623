"""What would lift one example: steps with the points that each alone would gain, and the cheapest set of them that reaches a tier.

Steps of which the outcome is not in your hands (what happens later, what annotators answer) are counted as if they went well, and are only
resorted to where the others do not suffice.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from itertools import chain, combinations
from typing import TYPE_CHECKING

from labelkit.core.golden.examples import Status
from labelkit.core.golden.scoring import FILLED, PRESENT, Facts, scored

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from labelkit.core.golden.score_rules import TypeRules
    from labelkit.core.golden.tiers import Tier


class StepKind(StrEnum):
    """What can be done."""

    VALIDATE = "validate"
    SETTLE = "settle"
    DOCUMENT = "document"
    FILL = "fill"
    STATE_CONFIDENCE = "state_confidence"
    ASK_ANNOTATORS = "ask_annotators"
    RECORD_OUTCOME = "record_outcome"


# How much work a step is, against the others; the last three are those whose outcome is open.
EFFORT = {
    StepKind.VALIDATE: 1,
    StepKind.DOCUMENT: 1,
    StepKind.FILL: 1,
    StepKind.SETTLE: 2,
    StepKind.STATE_CONFIDENCE: 1,
    StepKind.ASK_ANNOTATORS: 2,
    StepKind.RECORD_OUTCOME: 3,
}
OPEN = frozenset({StepKind.STATE_CONFIDENCE, StepKind.ASK_ANNOTATORS, StepKind.RECORD_OUTCOME})


@dataclass(frozen=True, slots=True)
class LiftStep:
    """One thing to do, what it is about (a field, or ''), and what it alone would gain, in points."""

    kind: StepKind
    about: str
    gain: float
    sentence: str

    @property
    def is_open(self) -> bool:
        """Say whether the gain depends on what comes out."""
        return self.kind in OPEN

    @property
    def effort(self) -> int:
        """Return how much work it is."""
        return EFFORT[self.kind]

    def __str__(self) -> str:
        return f"+{self.gain:.2f} {self.sentence}"


def steps(facts: Facts, rules: TypeRules) -> tuple[LiftStep, ...]:
    """Return all that would lift an example, the largest gain first; nothing lifts one that a reviewer rejected."""
    if facts.status is Status.REJECTED:
        return ()
    now = scored(facts, rules).hundredths
    found = [
        LiftStep(kind, about, (scored(_after(facts, rules, [(kind, about)]), rules).hundredths - now) / 100, sentence)
        for kind, about, sentence in _possible(facts, rules)
    ]
    return tuple(sorted((step for step in found if step.gain > 0), key=lambda step: (step.is_open, -step.gain, step.effort)))


def after(facts: Facts, rules: TypeRules, done: Iterable[LiftStep]) -> Facts:
    """Return the facts once these steps are done and went well."""
    return _after(facts, rules, [(step.kind, step.about) for step in done])


def cheapest(facts: Facts, rules: TypeRules, tier: Tier) -> tuple[LiftStep, ...] | None:
    """Return the steps of least effort, and as few open ones as can be, with which an example reaches a tier; None where none do.

    Nothing is guessed: every set is tried. Only of fields to fill, each the same effort, those that gain most are taken first.
    """
    known = steps(facts, rules)
    best: tuple[tuple[int, int, int], tuple[LiftStep, ...]] | None = None
    for chosen in _sets(known, facts, rules):
        cost = (sum(step.is_open for step in chosen), sum(step.effort for step in chosen), len(chosen))
        if (best is None or cost < best[0]) and scored(after(facts, rules, chosen), rules).hundredths >= tier.least:
            best = cost, chosen
    return None if best is None else best[1]


def _sets(known: tuple[LiftStep, ...], facts: Facts, rules: TypeRules) -> Iterator[tuple[LiftStep, ...]]:
    others = [step for step in known if step.kind is not StepKind.FILL]
    fills = sorted((step for step in known if step.kind is StepKind.FILL), key=lambda step: -_worth(step.about, facts, rules))
    subsets = chain.from_iterable(combinations(others, number) for number in range(len(others) + 1))
    return ((*subset, *fills[:count]) for subset in subsets for count in range(len(fills) + 1))


def _worth(field: str, facts: Facts, rules: TypeRules) -> float:
    present = PRESENT / len(rules.required) if field in facts.missing else 0.0
    return present + (FILLED / len(rules.filled) if field in facts.blank else 0.0)


def _possible(facts: Facts, rules: TypeRules) -> Iterator[tuple[StepKind, str, str]]:
    if facts.status is Status.PENDING:
        yield StepKind.VALIDATE, "", "have it validated"
    if facts.agreeing < facts.similar:
        others = facts.similar - facts.agreeing
        plural = f"{others:,} similar examples expect" if others > 1 else "a similar example expects"
        yield StepKind.SETTLE, "", f"settle which output is right for this input: {plural} another"
    if not facts.documented:
        where = f", in {rules.documentation[0]}" if rules.documentation else ""
        yield StepKind.DOCUMENT, "", f"say why the output is right{where}"
    for field in dict.fromkeys((*facts.missing, *facts.blank)):
        yield StepKind.FILL, field, f"give {field} a value (contents never change: as a new example in place of this one)"
    if rules.confidence and facts.confidence is None:
        yield StepKind.STATE_CONFIDENCE, rules.confidence[0], f"state the confidence in {rules.confidence[0]} (counted as 1)"
    if rules.judges_agreement and facts.agreement is None:
        field = rules.answers or rules.agreement or ""
        yield StepKind.ASK_ANNOTATORS, field, f"have annotators answer it, in {field} (counted as if all agree)"
    if rules.judges_outcomes and facts.outcome is None:
        yield (
            StepKind.RECORD_OUTCOME,
            rules.outcome or "",
            f"record what happened, in {rules.outcome} (counted as if it confirms the output)",
        )


def _after(facts: Facts, rules: TypeRules, done: Iterable[tuple[StepKind, str]]) -> Facts:
    for kind, about in done:
        match kind:
            case StepKind.VALIDATE:
                facts = replace(facts, status=Status.VALIDATED)
            case StepKind.SETTLE:
                facts = facts.settled
            case StepKind.DOCUMENT:
                facts = replace(facts, documented=True)
            case StepKind.FILL:
                missing, blank = (tuple(field for field in fields if field != about) for fields in (facts.missing, facts.blank))
                facts = replace(facts, missing=missing, blank=blank, has_class=facts.has_class or about == rules.answer)
            case StepKind.STATE_CONFIDENCE:
                facts = replace(facts, confidence=1.0)
            case StepKind.ASK_ANNOTATORS:
                facts = replace(facts, agreement=1.0)
            case StepKind.RECORD_OUTCOME:
                facts = replace(facts, outcome=True)
    return facts
