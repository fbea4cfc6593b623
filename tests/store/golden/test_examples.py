"""Golden examples in the store: contents once, states by number, and one winner where two judge the same version."""

from __future__ import annotations

import polars as pl
import pytest

from labelkit.core.golden.examples import Step
from labelkit.core.golden.types import SHIPPED, ExampleType
from labelkit.errors import ExampleVersionConflict, StoreConflict
from labelkit.store.golden.examples import BATCH, COLUMNS, example_of, frame_of
from labelkit.store.golden.intake import intake
from labelkit.store.golden.rows import given_of

KIND = SHIPPED["contact_tier"]
WANTED = {"example_id": pl.String(), "expected": pl.Int32()}


def batch(*titles: str) -> pl.DataFrame:
    """A batch with one example for each title."""
    return intake(KIND, *given_of([{"input": {"title": title}, "expected_output": {"tier": "A"}} for title in titles])).batch


def wanted(*ids: str, expected: int | None = None) -> pl.DataFrame:
    return pl.DataFrame([(one, expected) for one in ids], schema=WANTED, orient="row")


@pytest.fixture
def ids(db):
    made = batch("a", "b", "c")
    with db.transaction() as tx:
        tx.golden.add("ws_1", KIND, made, "ana")
    return made["example_id"].to_list()


def test_a_batch_is_kept_once_a_workspace_and_the_rest_is_named(db, ids):
    # when some of it is there already
    with db.transaction() as tx:
        present = tx.golden.add("ws_1", KIND, batch("x", "b", "a"), "bo")
        elsewhere = tx.golden.add("ws_2", KIND, batch("a"), "bo")

    # then
    with db.reading() as tx:
        assert present.rows() == [(1, "{}"), (2, "{}")]
        assert elsewhere.is_empty()
        assert tx.golden.frame("ws_1").height == 4
        assert set(tx.golden.frame("ws_1").filter(pl.col("example_id").is_in(ids))["created_by"]) == {"ana"}


def test_the_relation_has_the_columns_that_everybody_relies_on(db, ids):
    with db.reading() as tx:
        frame = tx.golden.frame("ws_1")
        row = tx.golden.find("ws_1", ids[0])
    assert dict(frame.schema) == COLUMNS
    assert list(row) == list(COLUMNS)
    assert frame_of([example_of(row)]).select(*COLUMNS).equals(frame.filter(example_id=ids[0]))


def test_of_two_who_judge_the_same_version_the_second_is_told(db, ids):
    # given both have looked
    with db.reading() as tx:
        move = tx.golden.move("ws_1", Step.VALIDATE, wanted(*ids))

    # when both judge
    with db.transaction() as tx:
        tx.golden.save("ws_1", move, actor="ana", reason=None)
    conflict = ExampleVersionConflict(count=1, examples="x")
    with pytest.raises(ExampleVersionConflict), db.transaction(on_conflict=conflict) as tx:
        tx.golden.save("ws_1", move, actor="bo", reason=None)

    # then the first one stands
    with db.reading() as tx:
        assert set(tx.golden.frame("ws_1").select("status", "validator", "version").rows()) == {("validated", "ana", 2)}


def test_a_move_knows_what_is_missing_stale_and_illegal(db, ids):
    # given
    with db.transaction() as tx:
        tx.golden.save("ws_1", tx.golden.move("ws_1", Step.REJECT, wanted(ids[0])), actor="ana", reason="no")

    # when
    with db.reading() as tx:
        move = tx.golden.move("ws_1", Step.VALIDATE, wanted(*ids, "ex_none", expected=1))

    # then
    assert move.missing == ["ex_none"]
    assert move.stale["example_id"].to_list() == [ids[0]]
    assert move.illegal["example_id"].to_list() == [ids[0]]


def test_a_state_goes_on_from_its_head(db, ids):
    # when three steps follow each other
    for step in (Step.VALIDATE, Step.REOPEN, Step.REJECT):
        with db.transaction() as tx:
            tx.golden.save("ws_1", tx.golden.move("ws_1", step, wanted(ids[0])), actor="ana", reason=step.value)

    # then
    with db.reading() as tx:
        row, history = tx.golden.find("ws_1", ids[0]), tx.golden.history("ws_1", ids[0])
    assert (row["status"], row["version"], row["reason"]) == ("rejected", 4, "reject")
    assert history.select("version", "step").rows() == [(4, "reject"), (3, "reopen"), (2, "validate"), (1, "add")]


def test_types_are_versions_by_name_and_the_shipped_ones_are_everywhere(db):
    # given
    with db.transaction() as tx:
        for version in (1, 2):
            tx.golden.add_type("ws_1", ExampleType("rating", {"minimum": version}, {}, {}, version), "ana")

    # then
    with db.reading() as tx:
        assert tx.golden.type("ws_1", "rating").input == {"minimum": 2}
        assert [kind.name for kind in tx.golden.types("ws_1")] == sorted([*SHIPPED, "rating"])
        assert tx.golden.type("ws_2", "rating") is None
    with pytest.raises(StoreConflict), db.transaction() as tx:
        tx.golden.add_type("ws_1", ExampleType("rating", {}, {}, {}, 2), "bo")


def test_a_batch_says_of_each_row_where_it_stood():
    # given rows of which one is no example and one comes twice
    rows = [
        {"input": {"title": title}, "expected_output": {"tier": tier}} for title, tier in (("a", "A"), ("b", 5), ("a", "A"), ("c", "A"))
    ]

    # when
    coming = intake(KIND, *given_of([*rows, "x"]))

    # then
    assert list(coming.batch.schema.items()) == list(BATCH.items())
    assert coming.batch["row"].to_list() == [0, 3]
    assert coming.repeats.select("row", "example_id").rows() == [(2, coming.batch["example_id"][0])]
    assert coming.refused.select("row", "part", "path").rows() == [(1, "expected_output", "tier"), (4, "", "")]
