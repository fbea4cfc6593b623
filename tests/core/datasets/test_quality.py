"""Each rule of policy v1 at its threshold, the order of indicators, and the badge."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from labelkit.core.datasets.quality import NOT_EVALUATED, POLICY, Evaluation, Severity, Statistics, evaluate

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
def test_the_badge_counts_the_worst_severity(change, badge):
    assert evaluate(replace(GOOD, **change), "player_detection").badge == badge


def test_a_capability_outside_the_policy_is_not_evaluated():
    assert evaluate(GOOD, "pcb_defects") is NOT_EVALUATED
    assert (NOT_EVALUATED.badge, NOT_EVALUATED.indicators) == ("Not evaluated", ())


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
