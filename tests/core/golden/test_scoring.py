"""The score of one example: what is fair, what never lowers it, its bounds, and the tiers at their edges."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labelkit.core.golden.examples import Status
from labelkit.core.golden.reasons import OF_MANY, SENTENCES, Code, Reason
from labelkit.core.golden.score_rules import TypeRules, of_type
from labelkit.core.golden.scoring import POINTS, Facts, Part, scored
from labelkit.core.golden.tiers import Tier, hundredths, tier_of
from labelkit.core.golden.types import SHIPPED
from labelkit.errors import LabelkitError

RULES = {name: of_type(name, kind.input, kind.expected_output, kind.labels) for name, kind in SHIPPED.items()}
TIER = RULES["contact_tier"]
LEAD = RULES["lead_score"]
PENDING = Facts(confidence=0.9, class_rarity=0.6, slice_rarity=0.8, balance=0.9)  # complete, consistent, of a common class
VALIDATED = replace(PENDING, status=Status.VALIDATED)
REJECTED = replace(PENDING, status=Status.REJECTED)


@pytest.mark.parametrize("rules", [pytest.param(rules, id=name) for name, rules in RULES.items()])
@pytest.mark.parametrize(
    ("facts", "tier"),
    [
        pytest.param(PENDING, Tier.BRONZE, id="nobody looked at it yet"),
        pytest.param(VALIDATED, Tier.SILVER, id="validated, of a common class"),
        pytest.param(replace(VALIDATED, confidence=None), Tier.SILVER, id="validated, no confidence stated"),
        pytest.param(replace(VALIDATED, agreement=1.0), Tier.GOLD, id="validated, annotators agree"),
        pytest.param(replace(VALIDATED, agreement=1.0, outcome=True, class_rarity=1.0), Tier.GOLD, id="fully reviewed, of a rare class"),
        pytest.param(replace(PENDING, missing=TIER.required[:3], blank=TIER.filled[:3]), Tier.REJECTED, id="half of the fields missing"),
        pytest.param(replace(PENDING, similar=5, agreeing=1, confidence=0.4), Tier.REJECTED, id="unreviewed, four similar ones differ"),
        pytest.param(REJECTED, Tier.REJECTED, id="rejected by a reviewer"),
    ],
)
def test_a_tier_is_what_users_would_call_fair(rules, facts, tier):
    # given facts about fields that the type has
    known = replace(facts, missing=rules.required[: len(facts.missing)], blank=rules.filled[: len(facts.blank)])

    # then
    assert scored(known, rules).tier is tier


def test_an_outcome_that_confirms_lifts_a_validated_lead_to_gold_and_one_that_does_not_keeps_it_from_it():
    good, bad = (scored(replace(VALIDATED, outcome=outcome), LEAD) for outcome in (True, False))
    assert (good.tier, bad.tier) == (Tier.GOLD, Tier.SILVER)
    assert Reason(Code.OUTCOME_DISAGREES) in bad.reasons


def test_the_parts_of_a_perfect_example_are_full_and_there_is_no_reason():
    # given
    facts = Facts(Status.VALIDATED, outcome=True, agreement=1.0, confidence=1.0)

    # then
    for rules in RULES.values():
        score = scored(facts, rules)
        assert score.parts == (3000, 4000, 1500, 1500)
        assert (score.total, score.tier, score.reasons) == (100.0, Tier.GOLD, ())
        assert [score.of(part) for part in Part] == list(POINTS.values())


def test_what_a_type_has_no_field_for_shares_its_points_among_the_rest():
    # given rules with nothing but documentation in clarity, and nothing in completeness and representativeness
    rules = TypeRules(confidence=(), agreement=None, answers=None)

    # when
    good, half = scored(replace(VALIDATED, similar=2), rules), scored(PENDING, rules)

    # then clarity is full, correctness rests on two sub-scores, and the two others are as good as these together
    assert good.of(Part.CLARITY) == 15.0
    assert good.of(Part.CORRECTNESS) == hundredths(40 * (18 + 5) / 28) / 100
    rest = (40 * (18 / 6 + 10) / 28 + 15) / 55
    assert [half.of(Part.COMPLETENESS), half.of(Part.REPRESENTATIVENESS)] == [hundredths(30 * rest) / 100, hundredths(15 * rest) / 100]


def test_a_rejected_example_has_no_points_for_being_right_or_rare():
    # given one that would be perfect, for rules that have every part and for rules that have none but the one
    facts = replace(REJECTED, agreement=1.0, confidence=1.0, class_rarity=0.0, slice_rarity=0.0)

    # then
    assert scored(facts, TIER).parts == (3000, 0, 1500, 0)
    assert scored(facts, TypeRules(confidence=(), agreement=None, answers=None, edge_case=None)).total == 0.0


def test_label_quality_is_one_more_input_of_correctness_where_it_was_given():
    # given
    without, sure, unsure = (scored(replace(VALIDATED, label_quality=quality), TIER) for quality in (None, 1.0, 0.1))

    # then
    assert unsure.of(Part.CORRECTNESS) < without.of(Part.CORRECTNESS) < sure.of(Part.CORRECTNESS)
    assert Reason(Code.LABEL_ISSUE_LIKELY) in unsure.reasons
    assert Reason(Code.LABEL_ISSUE_LIKELY) not in sure.reasons


# --- properties

SHARES = st.floats(0, 1)
FIELDS = st.lists(st.sampled_from(LEAD.required), unique=True).map(tuple)


@st.composite
def facts(draw) -> Facts:
    similar = draw(st.integers(1, 9))
    return Facts(
        draw(st.sampled_from(Status)),
        draw(FIELDS),
        draw(FIELDS),
        draw(st.booleans()),
        draw(st.none() | st.booleans()),
        similar,
        draw(st.integers(1, similar)),
        draw(st.none() | SHARES),
        draw(st.none() | SHARES),
        draw(st.none() | SHARES),
        draw(st.booleans()),
        class_rarity=draw(SHARES),
        slice_rarity=draw(SHARES),
        balance=draw(SHARES),
    )


ANY_RULES = st.sampled_from([*RULES.values(), TypeRules(), TypeRules(confidence=(), agreement=None, answers=None, edge_case=None)])


@given(facts(), ANY_RULES)
def test_every_part_is_within_its_bounds_and_the_total_is_their_sum(facts, rules):
    # given fields that these rules name
    facts = replace(facts, missing=rules.required[: len(facts.missing)], blank=rules.filled[: len(facts.blank)])

    # when
    score = scored(facts, rules)

    # then
    assert all(0 <= part <= full * 100 for part, full in zip(score.parts, POINTS.values(), strict=True))
    assert score.hundredths == sum(score.parts)
    assert score.tier is tier_of(score.hundredths)
    assert all(Reason.parsed(str(reason)) == reason for reason in score.reasons)


@given(facts(), ANY_RULES, st.data())
def test_better_evidence_never_lowers_a_part(facts, rules, data):
    # given fields that these rules name
    facts = replace(facts, missing=rules.required[: len(facts.missing)], blank=rules.filled[: len(facts.blank)])
    higher = {name: data.draw(st.floats(getattr(facts, name) or 0.0, 1), name) for name in ("class_rarity", "slice_rarity", "balance")}
    better = [
        replace(facts, missing=facts.missing[1:]),
        replace(facts, blank=facts.blank[1:]),
        replace(facts, similar=facts.similar + 1, agreeing=facts.agreeing + 1),
        replace(facts, documented=True),
        *(replace(facts, **{name: value}) for name, value in higher.items()),
        *(
            replace(facts, **{name: data.draw(st.floats(known, 1), name)})
            for name in ("label_quality", "agreement", "confidence")
            if (known := getattr(facts, name)) is not None
        ),
        *([replace(facts, agreement=1.0)] if facts.agreement is None else []),
        *([replace(facts, confidence=1.0)] if facts.confidence is None else []),
        *([replace(facts, outcome=True)] if facts.outcome is not True else []),
        *([replace(facts, elsewhere=True), replace(facts, status=Status.VALIDATED)] if facts.status is Status.PENDING else []),
    ]

    # when
    before = scored(facts, rules)

    # then
    for one in better:
        assert all(new >= old for new, old in zip(scored(one, rules).parts, before.parts, strict=True)), one


# --- tiers and their edges


@pytest.mark.parametrize(
    ("points", "kept", "tier"),
    [
        pytest.param(100.0, 10000, Tier.GOLD, id="the most"),
        pytest.param(90.0, 9000, Tier.GOLD, id="Gold begins"),
        pytest.param(89.995, 9000, Tier.GOLD, id="a half goes up, though no double holds it"),
        pytest.param(89.9949, 8999, Tier.SILVER, id="below a half goes down"),
        pytest.param(89.99, 8999, Tier.SILVER, id="Silver ends"),
        pytest.param(75.0, 7500, Tier.SILVER, id="Silver begins"),
        pytest.param(74.995, 7500, Tier.SILVER, id="a half goes up to Silver"),
        pytest.param(74.99, 7499, Tier.BRONZE, id="Bronze ends"),
        pytest.param(60.0, 6000, Tier.BRONZE, id="Bronze begins"),
        pytest.param(59.99, 5999, Tier.REJECTED, id="below 60"),
        pytest.param(0.0, 0, Tier.REJECTED, id="nothing"),
        pytest.param(0.1 + 0.2 + 59.7 - 1e-13, 6000, Tier.BRONZE, id="noise of a sum below an edge"),
    ],
)
def test_points_are_rounded_once_and_a_tier_begins_exactly_at_its_limit(points, kept, tier):
    assert hundredths(points) == kept
    assert tier_of(kept) is tier


def test_tiers_are_found_by_name_and_know_the_one_above():
    assert [Tier.named(name) for name in ("Gold", " SILVER ", "bronze")] == [Tier.GOLD, Tier.SILVER, Tier.BRONZE]
    assert [tier.above for tier in Tier] == [None, Tier.GOLD, Tier.SILVER, Tier.BRONZE]
    with pytest.raises(LabelkitError, match="gold, silver, bronze, rejected"):
        Tier.named("platinum")


def test_every_reason_has_a_sentence_for_one_and_for_many():
    for code in Code:
        assert Reason(code, "2").sentence == SENTENCES[code].format(about="2")
        assert "{" not in OF_MANY[code]
    assert Reason.parsed("INCONSISTENT_WITH_SIMILAR(1)").sentence.startswith("1 example of")
    with pytest.raises(ValueError, match="no reason"):
        Reason.parsed("lower case")
