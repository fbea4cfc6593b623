"""Each rule of policy v1 at its threshold, the order of indicators, and the badge."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from labelkit.core.datasets.quality import (
    MEASURES,
    NOT_EVALUATED,
    POLICY,
    Evaluation,
    Indicator,
    Measured,
    Severity,
    Statistics,
    badge_of,
    evaluate,
)
from labelkit.core.datasets.quality_rules import QualityRule, own_rules
from labelkit.errors import QualityRuleInvalid

GOOD = Statistics(
    samples=100,
    groups=3,
    empty_samples=30,
    selected_frames=125,
    class_counts={"player": 200, "ball": 10, "referee": 0},
    schema_errors=0,
    geometry_errors=0,
)


@pytest.mark.parametrize(
    ("case", "change", "code", "value"),
    [
        ("one sample short", {"samples": 99, "selected_frames": 99, "empty_samples": 0}, "LOW_SAMPLE_COUNT", 99),
        ("two groups", {"groups": 2}, "LOW_GROUP_COUNT", 2),
        ("31 % empty", {"empty_samples": 31}, "HIGH_EMPTY_LABEL_RATE", 0.31),
        ("under 80 % of the frames", {"selected_frames": 126}, "LOW_LABEL_COVERAGE", 0.7937),
        ("more than 20 : 1", {"class_counts": {"player": 201, "ball": 10}}, "CLASS_IMBALANCE", 20.1),
        ("a failed shard", {"failed_shards": 1}, "MATERIALIZATION_PARTIAL", 1),
        ("an unknown class", {"schema_errors": 1}, "INVALID_LABEL_SCHEMA", 1),
        ("a box outside", {"geometry_errors": 2}, "INVALID_GEOMETRY", 2),
        ("a statistic missing", {"class_counts": None}, "MISSING_REQUIRED_STATS", 1),
        ("a promised file absent", {"missing_assets": 1}, "MISSING_MATERIALIZED_ASSETS", 1),
    ],
)
def test_a_rule_fires_just_beyond_its_threshold(case, change, code, value):
    # given statistics at every threshold, of which one is beyond
    found = evaluate(replace(GOOD, **change), "player_detection").indicators

    # then that rule alone fires, with its value and threshold
    assert [(one.code, one.value) for one in found] == [(code, value)], case
    assert evaluate(GOOD, "player_detection").badge == "Pass"


def test_every_rule_of_the_policy_is_in_the_table_above():
    table = next(mark for mark in test_a_rule_fires_just_beyond_its_threshold.pytestmark if mark.name == "parametrize").args[1]
    assert {row[2] for row in table} == {rule.code for rule in POLICY.rules}


def test_indicators_come_with_hard_fails_first_then_by_code():
    found = evaluate(replace(GOOD, samples=10, groups=1, geometry_errors=1, missing_assets=1, schema_errors=1), "ball_detection")
    assert [one.code for one in found.indicators] == [
        "INVALID_GEOMETRY",
        "INVALID_LABEL_SCHEMA",
        "MISSING_MATERIALIZED_ASSETS",
        "HIGH_EMPTY_LABEL_RATE",
        "LOW_GROUP_COUNT",
        "LOW_LABEL_COVERAGE",
        "LOW_SAMPLE_COUNT",
    ]
    assert {one.severity for one in found.hard_fails} == {Severity.HARD_FAIL}


@pytest.mark.parametrize(
    ("change", "badge"),
    [
        ({}, "Pass"),
        ({"groups": 1}, "Warnings (1)"),
        ({"groups": 1, "failed_shards": 2}, "Warnings (2)"),
        ({"groups": 1, "schema_errors": 2, "geometry_errors": 1}, "Hard fail (2)"),
    ],
)
def test_the_badge_counts_the_worst_severity_in_an_evaluation_and_in_its_text(change, badge):
    found = evaluate(replace(GOOD, **change), "player_detection")
    assert (found.badge, badge_of(json.dumps(found.as_json()))) == (badge, badge)


def test_a_capability_outside_the_policy_is_not_evaluated():
    assert evaluate(GOOD, "pcb_defects") is NOT_EVALUATED
    assert (NOT_EVALUATED.badge, NOT_EVALUATED.indicators) == ("Not evaluated", ())
    assert badge_of(json.dumps(NOT_EVALUATED.as_json())) == badge_of(None) == "Not evaluated"


def test_an_evaluation_is_kept_as_json_with_its_policy_version_and_thresholds():
    found = evaluate(replace(GOOD, groups=1, class_counts=None), "player_detection")
    kept = json.loads(json.dumps(found.as_json()))
    assert Evaluation.from_json(kept) == found
    assert kept["policy_version"] == "v1"
    assert {check["code"]: check["threshold"] for check in kept["checks"]}["LOW_GROUP_COUNT"] == 3
    assert Evaluation.from_json(None) is NOT_EVALUATED


def test_no_labels_at_all_are_no_imbalance_and_do_not_stop_the_evaluation():
    found = evaluate(replace(GOOD, class_counts={}, empty_samples=100), "player_detection")
    assert [one.code for one in found.indicators] == ["HIGH_EMPTY_LABEL_RATE"]


def test_an_evaluation_reads_well_and_its_html_is_escaped():
    found = evaluate(replace(GOOD, groups=1), "player_detection")
    assert repr(found) == "<Quality Warnings (1)>\n  warning LOW_GROUP_COUNT: 1 groups; at least 3 are wanted"
    evil = Evaluation("<v>", tuple(replace(one, message="<script>", fired=True) for one in found.checks))
    assert "<script>" not in evil._repr_html_()
    assert "&lt;script&gt;" in evil._repr_html_()
    assert "&lt;v&gt;" in evil._repr_html_()


# --- a team's own rules

BALLS = {"code": "FEW_BALLS", "severity": "warning", "measure": "SELECT count(*) FROM annotations", "below": 5}


def policy(*rules: dict[str, object], capability: str = "player_detection", number: int = 2):
    return POLICY.with_own(capability, number, [rule.rule for rule in own_rules(rules)])


def judged(statistics: Statistics, *rules: dict[str, object], measured: dict[str, Measured] | None = None) -> dict[str, Indicator]:
    return {one.code: one for one in evaluate(statistics, "player_detection", policy(*rules), measured).checks}


@pytest.mark.parametrize(
    ("case", "rule", "value", "message"),
    [
        ("a name", {"measure": "groups", "below": 4}, 3, "groups is 3; at least 4 is wanted"),
        ("a count behind a measure", {"measure": "annotations", "above": 100}, 210, "annotations is 210; at most 100 is wanted"),
        ("SQL", {"measure": "SELECT 1", "below": 5}, 2.5, "its measure is 2.5; at least 5 is wanted"),
        ("SQL with braces", {"measure": "SELECT len({'a': 1})", "below": 5}, 1, "its measure is 1; at least 5 is wanted"),
        ("a message", {"measure": "SELECT 1", "above": 0.25, "message": "{value:.1%}, not {threshold:.0%}"}, 0.5, "50.0%, not 25%"),
        ("a long number", {"measure": "SELECT 1", "above": 0}, 1 / 3, "its measure is 0.333333; at most 0 is wanted"),
    ],
)
def test_an_own_rule_fires_and_says_what_it_saw(case, rule, value, message):
    # when
    found = judged(GOOD, BALLS | {"below": None} | rule, measured={"FEW_BALLS": Measured(value)})["FEW_BALLS"]

    # then
    assert (found.fired, found.own, found.value, found.message) == (True, True, value, message), case


@pytest.mark.parametrize("severity", Severity)
def test_an_own_rule_without_a_number_fires_under_its_own_severity_and_says_why(severity):
    found = judged(GOOD, BALLS | {"severity": severity}, measured={"FEW_BALLS": Measured(None, "it gives NULL")})["FEW_BALLS"]
    assert (found.fired, found.severity) == (True, severity)
    assert found.message == "the measure could not be computed: it gives NULL"
    missing = judged(replace(GOOD, geometry_errors=None), {**BALLS, "measure": "geometry_errors"})["FEW_BALLS"]
    assert (missing.fired, missing.message) == (True, "geometry_errors could not be computed")


def test_an_own_rule_at_its_threshold_is_silent_on_either_side():
    for side in ({"below": 5}, {"above": 5, "below": None}):
        assert not judged(GOOD, BALLS | side, measured={"FEW_BALLS": Measured(5)})["FEW_BALLS"].fired


def test_an_own_rule_takes_the_place_of_a_warning_with_its_sentence():
    # given a rule with the code and the measure of a warning of v1, and another threshold
    found = judged(replace(GOOD, samples=60, selected_frames=60), {**BALLS, "code": "LOW_SAMPLE_COUNT", "measure": "samples", "below": 70})

    # then there is one rule of that code, and the others are as they were
    assert found["LOW_SAMPLE_COUNT"].message == "60 samples; at least 70 are wanted"
    assert found.keys() == {rule.code for rule in POLICY.rules}


def test_every_warning_of_the_policy_can_be_replaced_and_no_hard_fail():
    for rule in POLICY.rules:
        given = BALLS | {"code": rule.code}
        if rule.severity is Severity.WARNING:
            assert policy(given).own_rules[0].code == rule.code
        else:
            with pytest.raises(QualityRuleInvalid, match=f"code of rule {rule.code}: it is a hard fail of policy v1"):
                QualityRule.model_validate(given)


@pytest.mark.parametrize(
    ("case", "change", "field", "reason"),
    [
        ("a code in lower case", {"code": "few_balls"}, "code", "it is not UPPER_SNAKE"),
        ("a code with a gap", {"code": "FEW__BALLS"}, "code", "it is not UPPER_SNAKE"),
        ("a severity that does not exist", {"severity": "error"}, "severity", "Input should be"),
        ("no measure", {"measure": "  "}, "measure", "it is empty"),
        ("no threshold", {"below": None}, "below", "exactly one"),
        ("two thresholds", {"above": 3}, "above", "exactly one"),
        ("a threshold that is none", {"below": float("nan")}, "below", "finite"),
        ("a threshold in words", {"below": "few"}, "below", "valid number"),
        ("a field that does not exist", {"threshold": 3}, "threshold", "Extra inputs"),
        ("an unknown name in the message", {"message": "{rule}"}, "message", "only value and threshold"),
        ("a look into the value", {"message": "{value.real}"}, "message", "only value and threshold"),
        ("a message without end", {"message": "{value:9999999}"}, "message", "only value and threshold"),
        ("a brace too many", {"message": "{value"}, "message", "cannot be filled in"),
    ],
)
def test_a_rule_that_is_none_is_refused_with_its_field(case, change, field, reason):
    with pytest.raises(QualityRuleInvalid) as refused:
        QualityRule.model_validate(BALLS | change)
    assert (refused.value.code, refused.value.facts["field"]) == ("QUALITY_RULE_INVALID", field), case
    assert reason in refused.value.detail, case


def test_a_set_of_rules_has_each_code_once_and_a_bound():
    with pytest.raises(QualityRuleInvalid, match="two rules have it"):
        own_rules([BALLS, BALLS])
    with pytest.raises(QualityRuleInvalid, match="101 are more than 100"):
        own_rules([BALLS | {"code": f"RULE_{n}"} for n in range(101)])


def test_the_identity_of_a_policy_is_its_rules_whatever_their_order_and_version():
    # given
    other = BALLS | {"code": "OTHER"}

    # then
    assert policy().identity == policy(number=7).identity == "v1"
    assert policy(BALLS, other).identity == policy(other, BALLS, number=9).identity
    different = [policy(BALLS), policy(other), policy(BALLS | {"below": 6}), policy(BALLS | {"message": "x"}), policy(BALLS, other)]
    different += [policy(BALLS, capability="hats"), policy(BALLS | {"severity": "hard_fail"})]
    assert len({one.identity for one in different}) == len(different)
    assert policy(BALLS).identity == "v1+25ace3c093a9ee65077831312adb143dcf40da78df7a714ff5403cf874108dd1"


def test_a_capability_that_v1_does_not_cover_is_judged_by_own_rules_alone():
    # given
    hats = policy(BALLS, capability="hats", number=1)

    # then
    assert (hats.version, [rule.code for rule in hats.rules]) == ("own+1", ["FEW_BALLS"])
    assert evaluate(GOOD, "hats", hats, {"FEW_BALLS": Measured(9)}).badge == "Pass"
    nothing = policy(capability="hats")
    assert (nothing.version, nothing.rules, evaluate(GOOD, "hats", nothing)) == ("v1", (), NOT_EVALUATED)


def test_an_evaluation_by_own_rules_is_kept_with_all_of_them_and_old_ones_still_read():
    # given
    found = evaluate(GOOD, "player_detection", policy(BALLS), {"FEW_BALLS": Measured(2)})
    kept = json.loads(json.dumps(found.as_json()))

    # then it comes back whole
    assert Evaluation.from_json(kept) == found
    assert kept["policy_version"] == "v1+2"
    (rule,) = [check for check in kept["checks"] if check["own"]]
    assert (rule["code"], rule["measure"], rule["fires"], rule["threshold"]) == ("FEW_BALLS", BALLS["measure"], "below", 5.0)

    # and one that was kept before there were own rules reads as v1 fired
    old = {
        "policy_version": "v1",
        "checks": [{k: v for k, v in c.items() if k not in ("fires", "own")} for c in kept["checks"] if not c["own"]],
    }
    sides = {check.code: (check.fires, check.own) for check in Evaluation.from_json(old).checks}
    assert sides == {rule.code: (rule.fires, False) for rule in POLICY.rules if rule.code in sides}


def test_the_names_of_measures_are_those_of_a_finished_build():
    assert tuple(GOOD.numbers()) == MEASURES
    assert {rule.measure for rule in POLICY.rules} <= set(MEASURES)


def test_a_policy_reads_well_and_its_html_is_escaped():
    mine = policy(BALLS | {"measure": "SELECT count(*) FROM annotations WHERE label = 'ball' AND width < 20 AND height < 20"})
    assert "FEW_BALLS" in repr(mine)
    assert "<QualityPolicy v1+2: player_detection>" in repr(mine)
    assert max(map(len, repr(mine).splitlines())) < 140
    assert "width &lt; 20" in policy(BALLS | {"measure": "width < 20"})._repr_html_()
    assert "datasets are not evaluated" in repr(policy(capability="hats"))
