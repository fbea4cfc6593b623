"""Examples in versions: a frame and a list of values are one content, and what happened to an example is a change."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

NAME = "golden/contact-tier"


@dataclass(frozen=True)
class Row:
    key: str
    value: int


@pytest.fixture
def ids(memory):
    rows = [{"input": {"title": str(n)}, "expected_output": {"tier": "A", "confidence": n / 4}} for n in range(4)]
    return memory.golden.add("contact_tier", rows).rows["example_id"].to_list()


@pytest.mark.parametrize("scored", [False, True], ids=["before a scoring", "after one"])
def test_the_frame_and_the_values_of_examples_are_one_content(memory, ids, scored):
    # given
    memory.golden.validate(ids[0], "read")
    if scored:
        memory.golden.score()
    frame = memory.golden.to_polars(type="contact_tier")

    # when
    first = memory.versions.commit(NAME, frame, key="example_id", message="first")
    again = memory.versions.commit(NAME, [memory.golden.get(one) for one in reversed(ids)], message="the same as values")

    # then
    assert (first.code, again.code) == ("COMMITTED", "NO_OP_UNCHANGED")
    assert again.commit == first.commit
    assert memory.versions.checkout(NAME).collect().sort("example_id").equals(frame.sort("example_id"))


def test_a_judgement_is_a_change_of_one_row(memory, ids):
    # given
    memory.versions.commit(NAME, memory.golden.to_polars(), key="example_id")

    # when
    memory.golden.reject(ids[2], "wrong")
    after = memory.versions.commit(NAME, memory.golden.to_polars())

    # then
    assert (after.changes.added, after.changes.removed, after.changes.modified) == (0, 0, 1)


def test_rows_may_be_dataclasses(memory):
    outcome = memory.versions.commit("rows", [Row("a", 1), Row("b", 2)], key="key")
    assert memory.versions.checkout(outcome).collect().rows() == [("a", 1), ("b", 2)]
