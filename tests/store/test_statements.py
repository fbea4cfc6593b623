"""Statements: parameters in, rows and frames out, and what the driver's errors become."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from enum import Enum, StrEnum
from types import SimpleNamespace

import duckdb
import polars as pl
import pytest
from polars.testing import assert_frame_equal

from labelkit.errors import InvalidValue, LabelkitError, PublishLockConflict, StorageReadFailed, StorageWriteFailed, StoreConflict
from labelkit.store.statements import refusal
from tests.store.conftest import NOON


class Word(StrEnum):
    RED = "red"


class Plain(Enum):
    RED = "red"


def test_rows_come_as_dicts_and_one_row_as_itself_or_none(things):
    # given
    with things.transaction() as tx:
        tx.insert("things", [{"id": "a", "version": 1}, {"id": "b", "version": 2}])

    # then
    with things.reading() as tx:
        assert tx.rows("SELECT id, version FROM things ORDER BY id") == [{"id": "a", "version": 1}, {"id": "b", "version": 2}]
        assert tx.one("SELECT id FROM things WHERE version = $version", version=2) == {"id": "b"}
        assert tx.one("SELECT id FROM things WHERE version = $version", version=3) is None
        with pytest.raises(ValueError, match="one row was expected, 2 came"):
            tx.one("SELECT id FROM things")


@pytest.mark.parametrize("params", [pytest.param({"b": 1}, id="missing"), pytest.param({"a": 1, "b": 1, "c": 1}, id="extra")])
def test_a_missing_or_extra_parameter_is_an_error(db, params):
    with pytest.raises(LabelkitError), db.reading() as tx:
        tx.rows("SELECT $a::INTEGER + $b::INTEGER", **params)


def test_a_python_variable_is_never_taken_for_a_table(db):
    looks_like_a_table = pl.DataFrame({"x": [1]})
    with pytest.raises(LabelkitError, match="looks_like_a_table"), db.reading() as tx:
        tx.rows("SELECT * FROM looks_like_a_table")
    assert looks_like_a_table.height == 1


@pytest.mark.parametrize(
    "time",
    [
        pytest.param(NOON, id="utc"),
        pytest.param(NOON.astimezone(timezone(timedelta(hours=5, minutes=30))), id="another zone"),
        pytest.param(datetime(1970, 1, 1, tzinfo=UTC), id="the epoch"),
        pytest.param(datetime(9999, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC), id="the last microsecond"),
    ],
)
def test_times_go_in_aware_and_come_out_aware_in_utc(things, time):
    # given the same time as a parameter and in an insert
    with things.transaction() as tx:
        tx.execute("INSERT INTO things (id, version, seen_at) VALUES ('a', 1, $time)", time=time)
        tx.insert("things", [{"id": "b", "version": 1, "seen_at": time}])

    # then
    with things.reading() as tx:
        rows = tx.rows("SELECT seen_at FROM things")
        frame = tx.frame("SELECT seen_at FROM things")
    assert [row["seen_at"] for row in rows] == [time, time]
    assert {row["seen_at"].utcoffset() for row in rows} == {timedelta(0)}
    assert frame.schema == {"seen_at": pl.Datetime("us", "UTC")}
    assert frame["seen_at"].to_list() == [time, time]


def test_a_time_without_a_zone_is_refused(things):
    with pytest.raises(ValueError, match="without a zone"), things.transaction() as tx:
        tx.execute("UPDATE things SET seen_at = $time", time=datetime(2026, 3, 1, 12))  # noqa: DTZ001 - the point of the test


def test_a_value_that_was_given_in_place_of_its_id_is_refused_with_advice(things):
    with pytest.raises(InvalidValue, match="the value that has it"), things.transaction() as tx:
        tx.rows("SELECT $run AS run", run=[SimpleNamespace(id="run_1")])


@pytest.mark.parametrize(
    ("value", "kind", "stored"),
    [
        pytest.param(None, "VARCHAR", None, id="null"),
        pytest.param(Word.RED, "VARCHAR", "red", id="a text enum"),
        pytest.param(Plain.RED, "VARCHAR", "red", id="an enum"),
        pytest.param(("a", Word.RED), "VARCHAR[]", ["a", "red"], id="a tuple"),
        pytest.param({"a"}, "VARCHAR[]", ["a"], id="a set"),
        pytest.param("'; DROP TABLE audit; --", "VARCHAR", "'; DROP TABLE audit; --", id="text that looks like SQL"),
        pytest.param("ä 漢 🏃 \x00 end", "VARCHAR", "ä 漢 🏃 \x00 end", id="any text"),
        pytest.param(2**62, "BIGINT", 2**62, id="a large integer"),
        pytest.param(0.1 + 0.2, "DOUBLE", 0.1 + 0.2, id="a double"),
    ],
)
def test_a_value_comes_back_as_it_went_in(db, value, kind, stored):
    with db.reading() as tx:
        assert tx.rows(f"SELECT $value::{kind} AS value", value=value) == [{"value": stored}]


def test_a_list_selects_the_rows_it_contains(things):
    with things.transaction() as tx:
        tx.insert("things", [{"id": name, "version": 1} for name in "abc"])
        found = tx.rows("SELECT id FROM things WHERE list_contains($ids::VARCHAR[], id) ORDER BY id", ids=["c", "a", "x"])
    assert [row["id"] for row in found] == ["a", "c"]


def test_changed_counts_the_rows_that_a_statement_touched(things):
    with things.transaction() as tx:
        tx.insert("things", [{"id": name, "version": 1} for name in "abc"])
        sql = "UPDATE things SET version = version + 1 WHERE id = $id AND version = $version RETURNING id"

        # then a version check touches its row once
        assert [tx.changed(sql, id="a", version=1), tx.changed(sql, id="a", version=1)] == [1, 0]
        assert tx.changed("DELETE FROM things WHERE version = 1 RETURNING id") == 2
        with pytest.raises(ValueError, match="RETURNING"):
            tx.changed("DELETE FROM things")


def test_a_frame_has_the_types_of_its_columns(things):
    # given
    with things.transaction() as tx:
        tx.insert(
            "things",
            [{"id": "a", "version": 1, "seen_at": NOON, "tags": ["x", "y"]}, {"id": "b", "version": 2, "seen_at": None, "tags": []}],
        )
        found = tx.frame("SELECT *, sum(version) OVER () AS total FROM things ORDER BY id")
        none = tx.frame("SELECT * FROM things WHERE id = $id", id="no such")

    # then
    assert_frame_equal(
        found,
        pl.DataFrame(
            {"id": ["a", "b"], "version": [1, 2], "seen_at": [NOON, None], "tags": [["x", "y"], []], "total": [3, 3]},
            schema={
                "id": pl.String,
                "version": pl.Int32,
                "seen_at": pl.Datetime("us", "UTC"),
                "tags": pl.List(pl.String),
                "total": pl.Int64,
            },
        ),
    )
    assert (none.height, none.schema) == (0, found.drop("total").schema)


def test_a_lost_race_is_the_refusal_that_the_use_case_named(things):
    with things.transaction() as tx:
        tx.insert("things", [{"id": "a", "version": 1}])
    named = {
        "a class": (PublishLockConflict, PublishLockConflict),
        "an instance": (InvalidValue(what="id", reason="taken", fix="another"), InvalidValue),
        "a function": (lambda: InvalidValue(what="id", reason="taken", fix="another"), InvalidValue),
        "nothing": (None, StoreConflict),
    }
    for on_conflict, expected in named.values():
        # when
        with pytest.raises(expected) as refused, things.transaction(on_conflict) as tx:
            tx.insert("things", [{"id": "a", "version": 1}])

        # then the driver's error is its cause
        assert isinstance(refused.value.__cause__, duckdb.ConstraintException)


def test_a_conflict_class_that_needs_more_facts_is_found_out_before_any_race(db):
    with pytest.raises(KeyError), db.transaction(on_conflict=InvalidValue):
        pass


@pytest.mark.parametrize(
    "sql",
    [
        pytest.param("INSERT INTO things (id, version) VALUES (NULL, 1)", id="a null where none may be"),
        pytest.param("SELECT * FROM no_such_table", id="an unknown table"),
        pytest.param("SELEC 1", id="a typing error"),
        pytest.param("SELECT CAST('x' AS INTEGER)", id="a wrong value"),
    ],
)
def test_other_driver_errors_keep_the_drivers_sentence(things, sql):
    with pytest.raises(LabelkitError) as refused, things.transaction() as tx:
        tx.execute(sql)
    assert type(refused.value) is LabelkitError
    assert " Error: " in refused.value.detail


@pytest.mark.parametrize(
    ("error", "writes", "expected"),
    [
        pytest.param(duckdb.IOException("IO Error: No space left on device"), True, StorageWriteFailed, id="writing"),
        pytest.param(duckdb.IOException("IO Error: Could not read"), False, StorageReadFailed, id="reading"),
        pytest.param(duckdb.TransactionException("Failed to commit: Could not write file"), True, StorageWriteFailed, id="committing"),
        pytest.param(pl.exceptions.ComputeError("got external error: IO Error: Could not read"), False, StorageReadFailed, id="streaming"),
        pytest.param(OSError(28, "No space left on device"), True, StorageWriteFailed, id="the filesystem"),
        pytest.param(duckdb.TransactionException("Conflict on update!"), True, StoreConflict, id="a write-write conflict"),
        pytest.param(duckdb.TransactionException("cannot start a transaction within a transaction"), True, LabelkitError, id="misuse"),
    ],
)
def test_errors_of_storage_are_told_from_conflicts_and_misuse(error, writes, expected):
    assert type(refusal(error, path="labels.duckdb", writes=writes)) is expected


def test_a_failing_query_for_a_frame_leaves_the_store_usable(things):
    # given rows, and a query that fails in the middle of its result
    with things.transaction() as tx:
        tx.insert("things", pl.DataFrame({"id": [str(n) for n in range(5000)], "version": 1}))
    with pytest.raises(LabelkitError, match="boo"), things.reading() as tx:
        tx.frame("SELECT CASE WHEN id = '4999' THEN error('boo') ELSE id END FROM things")

    # then
    with things.transaction() as tx:
        assert tx.changed("DELETE FROM things RETURNING id") == 5000
