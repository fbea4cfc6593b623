"""Examples: known by their content, moved by their machine."""

from __future__ import annotations

import hashlib

import pytest

from labelkit.core.golden.examples import EXAMPLE, Example, Status
from labelkit.errors import InvalidValue


def example(**changes) -> Example:
    return Example("contact_tier", {"title": "CTO", "size": 1.0}, {"tier": "A"}, **changes)


def test_an_example_is_known_by_type_input_and_expected_output():
    # given the canonical JSON of the three, written by hand
    text = b'{"expected_output":{"tier":"A"},"input":{"size":1,"title":"CTO"},"type":"contact_tier"}'

    # then
    assert example().content_digest == hashlib.sha256(text).hexdigest()
    assert example().example_id == "ex_" + hashlib.sha256(text).hexdigest()[:32]


def test_labels_state_and_source_are_no_part_of_what_an_example_is():
    other = example(labels={"difficulty": "easy"}, source_decision_id="d1", status=Status.VALIDATED, version=3)
    assert other.example_id == example().example_id


def test_the_row_of_an_example_holds_canonical_json():
    row = example(labels={"b": 1, "a": None}).as_row()
    assert (row["input"], row["expected_output"], row["labels"]) == ('{"size":1,"title":"CTO"}', '{"tier":"A"}', '{"a":null,"b":1}')
    assert (row["example_id"], row["content_digest"]) == (example().example_id, example().content_digest)


def test_an_example_that_is_no_json_says_which_part():
    with pytest.raises(InvalidValue, match="expected_output: nan is no JSON number"):
        _ = Example("contact_tier", {}, float("nan")).example_id


def test_an_example_prints_its_parts_and_its_judgement_and_cuts_what_is_long():
    shown = str(Example("t", "x" * 1000, 1, status=Status.REJECTED, validator="bo", reason="wrong", quality_score=91.5, tier="gold"))
    assert "rejected by bo: wrong" in shown
    assert "quality: 91.50, gold" in shown
    assert max(map(len, shown.splitlines())) < 320


def test_the_lifecycle_of_an_example():
    rows = [f"{state} {step} {after or '-'}" for state, step, after in EXAMPLE.every_pair()]
    assert rows == [
        "pending relabel pending",
        "pending validate validated",
        "pending reject rejected",
        "pending reopen -",
        "validated relabel -",
        "validated validate -",
        "validated reject -",
        "validated reopen pending",
        "rejected relabel -",
        "rejected validate -",
        "rejected reject -",
        "rejected reopen pending",
    ]
