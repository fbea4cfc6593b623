"""Inserts: rows and frames, few and many, arrive complete and in their order."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from enum import StrEnum

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from labelkit.errors import LabelkitError
from labelkit.store.database import Database
from labelkit.store.inserts import LARGE
from tests.store.conftest import NOON

COLUMNS = "id VARCHAR, number INTEGER, x DOUBLE, is_seen BOOLEAN, seen_at TIMESTAMP, tags VARCHAR[], facts JSON"


class Kind(StrEnum):
    RED = "red"


@pytest.fixture
def table(db):
    with db.transaction() as tx:
        tx.execute(f"CREATE TABLE many ({COLUMNS})")
    return db


def rows(count):
    return [
        {
            "id": f"ä'{n}",
            "number": n if n % 3 else None,
            "x": n / 7,
            "is_seen": n % 2 == 0,
            "seen_at": NOON if n % 5 else None,
            "tags": ["a", f"{n}"] if n % 4 else [],
            "facts": json.dumps({"n": n}),
        }
        for n in range(count)
    ]


@pytest.mark.parametrize("count", [0, 1, LARGE, LARGE + 1], ids=["none", "one", "as JSON", "through a file"])
@pytest.mark.parametrize("form", ["rows", "frame"])
def test_rows_arrive_complete_and_in_their_order(table, count, form):
    # when
    given_rows = rows(count)
    with table.transaction() as tx:
        tx.insert("many", pl.DataFrame(given_rows) if form == "frame" else given_rows)

    # then
    with table.reading() as tx:
        found = tx.rows("SELECT * FROM many")
    assert [{**row, "facts": json.loads(row["facts"])} for row in found] == [
        {**row, "facts": json.loads(row["facts"])} for row in given_rows
    ]


@pytest.mark.parametrize("count", [3, LARGE + 3], ids=["as JSON", "through a file"])
def test_a_frame_may_leave_columns_out_and_give_them_in_any_order(table, count):
    # when
    with table.transaction() as tx:
        tx.insert("many", pl.DataFrame({"x": [1.5] * count, "id": [Kind.RED.value] * count}))
        tx.insert("many", [{"x": 2, "id": Kind.RED}] * count)
        found = tx.frame("SELECT id, x, number FROM many")

    # then
    expected = pl.DataFrame({"id": ["red"] * count * 2, "x": [1.5] * count + [2.0] * count}).with_columns(number=pl.lit(None, pl.Int32))
    assert_frame_equal(found, expected)


def test_what_a_frame_of_the_store_holds_can_be_inserted_again(table):
    # given
    with table.transaction() as tx:
        tx.insert("many", rows(LARGE + 1))
        once = tx.frame("SELECT * FROM many")
        tx.execute("CREATE TABLE again AS SELECT * FROM many WHERE false")

        # when
        tx.insert("again", once)

        # then
        assert_frame_equal(tx.frame("SELECT * FROM again"), once)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.text(), st.floats(allow_nan=False, allow_infinity=False), st.integers(-(2**31), 2**31 - 1)), max_size=8))
def test_any_text_and_any_number_come_back_as_they_went_in(values):
    with Database.open(":memory:", user="ana") as db, db.transaction() as tx:
        tx.execute("CREATE TABLE t (a VARCHAR, x DOUBLE, n INTEGER)")
        tx.insert("t", [{"a": a, "x": x, "n": n} for a, x, n in values])
        assert [tuple(row.values()) for row in tx.rows("SELECT * FROM t")] == values


ROW = {
    "id": st.none() | st.text() | st.just(Kind.RED),
    "number": st.none() | st.integers(-(2**31), 2**31 - 1) | st.booleans(),
    "x": st.none() | st.floats(allow_nan=False, allow_infinity=False) | st.integers(-(2**53), 2**53),
    "is_seen": st.none() | st.booleans(),
    "seen_at": st.none() | st.datetimes(timezones=st.just(UTC)),
    "tags": st.none() | st.lists(st.text(), max_size=3) | st.tuples(st.text()),
    "facts": st.none() | st.integers().map(json.dumps) | st.lists(st.text()).map(json.dumps),
}


@settings(max_examples=60, deadline=None)
@given(st.fixed_dictionaries(ROW))
def test_a_row_alone_means_the_same_as_among_others(row):
    with Database.open(":memory:", user="ana") as db, db.transaction() as tx:
        tx.execute(f"CREATE TABLE many ({COLUMNS})")
        tx.insert("many", [row])
        tx.insert("many", [row, row])
        alone, first, second = tx.rows("SELECT * FROM many")
        assert alone == first == second


@pytest.mark.parametrize(
    ("name", "given_rows", "error", "sentence"),
    [
        pytest.param("many; DROP TABLE audit", [{"id": "a"}], ValueError, "not a table's name", id="a strange table"),
        pytest.param("many", [{"id, number": "a"}], ValueError, "not names of columns", id="a strange column"),
        pytest.param("many", [{"colour": "a"}], LabelkitError, "colour", id="an unknown column"),
        pytest.param("many", [{"id": "a"}, {"number": 1}], ValueError, "unequal keys", id="unequal keys"),
        pytest.param("many", [{"id": "a", "x": float("nan")}], ValueError, "JSON", id="not a number"),
        pytest.param("many", [{"id": "a", "seen_at": datetime(2026, 3, 1)}], ValueError, "without a zone", id="no zone"),  # noqa: DTZ001
        pytest.param("many", [{"id": "a", "x": float("inf")}], ValueError, "JSON", id="infinite"),
        pytest.param("many", [{"id": "\ud800"}], LabelkitError, "JSON", id="half a sign"),
        pytest.param("many", [{"id": "a", "tags": ["b", "\ud800"]}], LabelkitError, "JSON", id="half a sign in a list"),
        pytest.param("many", [{"id": "a", "facts": "{"}], LabelkitError, "JSON", id="no JSON"),
        pytest.param("many", [{"id": "a", "x": b"bytes"}], ValueError, "no value for a column", id="bytes"),
        pytest.param("many", [{"id": "a", "number": 2**31}], LabelkitError, "2147483648", id="too large for its column"),
    ],
)
def test_rows_that_do_not_fit_are_refused_and_none_of_them_is_kept(table, name, given_rows, error, sentence):
    with pytest.raises(error, match=sentence), table.transaction() as tx:
        tx.insert(name, given_rows)
    with table.reading() as tx:
        assert tx.rows("SELECT * FROM many") == []


def test_a_large_frame_with_times_without_a_zone_is_refused(table):
    frame = pl.DataFrame({"id": ["a"] * (LARGE + 1)}).with_columns(seen_at=pl.lit(datetime(2026, 3, 1)))  # noqa: DTZ001
    with pytest.raises(ValueError, match="without a zone"), table.transaction() as tx:
        tx.insert("many", frame)
