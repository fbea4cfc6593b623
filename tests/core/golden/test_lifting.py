"""What lifts one example, and the cheapest way to the next tier against every set of steps."""

from __future__ import annotations

from dataclasses import replace
from itertools import chain, combinations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from labelkit.core.golden.examples import Status
from labelkit.core.golden.lifting import StepKind, after, cheapest, steps
from labelkit.core.golden.score_rules import of_type
from labelkit.core.golden.scoring import Facts, scored
from labelkit.core.golden.tiers import Tier
from labelkit.core.golden.types import SHIPPED

KIND = SHIPPED["lead_score"]
RULES = of_type(KIND.name, KIND.input, KIND.expected_output, KIND.labels)
FULL = Facts(confidence=0.9, class_rarity=0.6, slice_rarity=0.8, balance=0.9)


def kinds(found) -> list[str]:
    return [step.kind.value for step in found]


def test_steps_are_what_can_be_done_with_what_each_gains():
    # given an example that lacks something of everything
    fields = (RULES.required[0],)
    facts = replace(FULL, missing=fields, blank=(*fields, RULES.filled[1]), similar=4, agreeing=1, documented=False, confidence=None)

    # when
    found = steps(facts, RULES)

    # then what is in one's hands comes first, the most first, and each gain is what the score says
    assert kinds(found) == ["validate", "settle", "document", "fill", "fill", "ask_annotators", "record_outcome", "state_confidence"]
    now = scored(facts, RULES).total
    for step in found:
        assert now + step.gain == pytest.approx(scored(after(facts, RULES, [step]), RULES).total)
        assert str(step).startswith(f"+{step.gain:.2f} ")
    assert "3 similar examples expect another" in found[1].sentence


@pytest.mark.parametrize(
    ("facts", "tier", "expected"),
    [
        pytest.param(FULL, Tier.SILVER, ["validate"], id="a review suffices"),
        pytest.param(FULL, Tier.GOLD, ["ask_annotators", "validate"], id="Gold needs a confirmation, the cheapest one"),
        pytest.param(replace(FULL, status=Status.VALIDATED, outcome=True), Tier.GOLD, [], id="there already"),
        pytest.param(replace(FULL, status=Status.REJECTED), Tier.BRONZE, None, id="a reviewer rejected it"),
        pytest.param(replace(FULL, outcome=False, confidence=0.1), Tier.GOLD, None, id="the outcome disagrees"),
    ],
)
def test_the_cheapest_way_uses_what_is_open_only_where_it_must(facts, tier, expected):
    found = cheapest(facts, RULES, tier)
    assert (None if found is None else sorted(kinds(found))) == expected


@settings(max_examples=60)
@given(
    st.integers(0, 3),
    st.integers(0, 3),
    st.integers(1, 4),
    st.tuples(st.booleans(), st.booleans(), st.booleans()),
    st.sampled_from([None, 0.3, 0.9]),
    st.sampled_from([Tier.GOLD, Tier.SILVER, Tier.BRONZE]),
)
def test_no_set_of_steps_is_cheaper(missing, blank, similar, flags, confidence, tier):
    # given
    pending, documented, unknown = flags
    facts = Facts(
        status=Status.PENDING if pending else Status.VALIDATED,
        missing=RULES.required[:missing],
        blank=RULES.filled[:blank],
        outcome=None if unknown else False,
        similar=similar,
        agreeing=1,
        confidence=confidence,
        documented=documented,
        class_rarity=0.5,
    )

    # when
    found = cheapest(facts, RULES, tier)

    # then every set of steps is tried here
    every = steps(facts, RULES)
    sets = chain.from_iterable(combinations(every, number) for number in range(len(every) + 1))
    costs = [_cost(chosen) for chosen in sets if scored(after(facts, RULES, chosen), RULES).hundredths >= tier.least]
    assert (None if found is None else _cost(found)) == min(costs, default=None)


def _cost(chosen) -> tuple[int, int, int]:
    return sum(step.is_open for step in chosen), sum(step.effort for step in chosen), len(chosen)


def test_a_class_that_is_filled_in_is_known():
    facts = replace(FULL, missing=(RULES.answer,), has_class=False)
    fill = next(step for step in steps(replace(facts, blank=(RULES.answer,)), RULES) if step.kind is StepKind.FILL)
    assert after(facts, RULES, [fill]).has_class
