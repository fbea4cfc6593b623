"""Rows have one form: whatever their order, their columns' order and the spelling of their values, equal rows have equal digests."""

from __future__ import annotations

import datetime as dt
import hashlib
import struct
from decimal import Decimal
from itertools import pairwise
from zoneinfo import ZoneInfo

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing.parametric import dataframes

from labelkit.errors import InvalidValue, KeysNotUnique, SchemaMismatch
from labelkit.store.versions import canonical as module
from labelkit.store.versions.canonical import canonical, chunk_digests, fitted, schema_text

KEYS = pl.Series("k", ["a", "b", "c", "d"])
BERLIN = ZoneInfo("Europe/Berlin")
INTEGERS = [pl.Int8, pl.Int16, pl.Int32, pl.Int64, pl.UInt8, pl.UInt16, pl.UInt32, pl.UInt64]
TIMES = [pl.Date, pl.Time, pl.Datetime, pl.Duration]
FORMED = [*INTEGERS, *TIMES, pl.Float32, pl.Float64, pl.Boolean, pl.String, pl.Binary, pl.Decimal, pl.Enum, pl.Null, pl.List]


def of(values, dtype=None) -> pl.DataFrame:
    return pl.DataFrame({"k": KEYS, "v": pl.Series(values, dtype=dtype, strict=False)})


def digest(rows: pl.DataFrame) -> str:
    made = canonical(rows, "k")
    return chunk_digests(made, [0, made.height], schema_text(made))[0]


EVERY_TYPE = [
    pytest.param(pl.Int8(), [1, None, -1, 0], "i8", id="i8"),
    pytest.param(pl.UInt64(), [2**64 - 1, None, 0, 1], "u64", id="u64"),
    pytest.param(pl.Float32(), [0.5, None, float("inf"), -1.0], "f32", id="f32"),
    pytest.param(pl.Boolean(), [True, None, False, True], "bool", id="bool"),
    pytest.param(pl.String(), ["", None, "é", "a\x00b"], "text", id="text"),
    pytest.param(pl.Binary(), [b"", None, b"\x00", b"ab"], "bytes", id="bytes"),
    pytest.param(pl.Date(), [dt.date(2026, 3, 1), None, dt.date(1970, 1, 1), dt.date(1900, 1, 1)], "date", id="date"),
    pytest.param(pl.Time(), [dt.time(1, 2), None, dt.time(0), dt.time(23, 59)], "time", id="time"),
    pytest.param(pl.Duration("ms"), [dt.timedelta(1), None, dt.timedelta(0), dt.timedelta(-1)], "duration[ms]", id="duration"),
    pytest.param(pl.Datetime("us"), [dt.datetime(2026, 3, 1), None, dt.datetime(1970, 1, 1), None], "datetime[us,]", id="datetime"),  # noqa: DTZ001 - without a zone is the case
    pytest.param(
        pl.Datetime("ns", "Europe/Berlin"),
        [dt.datetime(2026, 3, 1, tzinfo=BERLIN), None, None, None],
        "datetime[ns,Europe/Berlin]",
        id="datetime with zone",
    ),
    pytest.param(pl.Decimal(10, 2), [Decimal("1.10"), None, Decimal(0), Decimal("-2.5")], "decimal[10,2]", id="decimal"),
    pytest.param(pl.List(pl.String()), [["x", None], None, [], [""]], "list[text]", id="list"),
    pytest.param(
        pl.List(pl.Struct({"a": pl.Int64(), "b": pl.List(pl.Float64())})),
        [[{"a": 1, "b": [0.5]}, None], None, [], [{"a": None, "b": None}]],
        'list[struct[["a","i64"],["b","list[f64]"]]]',
        id="list of structs",
    ),
    pytest.param(pl.Struct({"a": pl.String()}), [{"a": "x"}, None, {"a": None}, {"a": ""}], 'struct[["a","text"]]', id="struct"),
]


@pytest.mark.parametrize(("kind", "values", "text"), EVERY_TYPE)
def test_every_type_keeps_its_values_and_tells_them_apart(kind, values, text, tmp_path):
    # given
    rows = canonical(of(values, kind), "k")
    text = text.replace('"', '\\"')

    # then the type has a name of its own, and the rows come back from a Parquet file as they went in
    assert schema_text(rows) == f'[["k","text"],["v","{text}"]]'
    rows.write_parquet(tmp_path / "rows.parquet")
    assert pl.read_parquet(tmp_path / "rows.parquet").equals(rows)
    # and each other arrangement of the values has another digest, unless it is the same arrangement
    seen = {digest(rows.with_columns(v=rows["v"].gather(order))) for order in ([0, 1, 2, 3], [1, 0, 2, 3], [2, 1, 0, 3], [0, 1, 2, 0])}
    assert len(seen) == len(
        {tuple(map(str, rows["v"].gather(order))) for order in ([0, 1, 2, 3], [1, 0, 2, 3], [2, 1, 0, 3], [0, 1, 2, 0])}
    )


@pytest.mark.parametrize(
    ("one", "other"),
    [
        pytest.param(of([0.0, 1.0, None, 2.0]), of([-0.0, 1.0, None, 2.0]), id="zero has no sign"),
        pytest.param(
            of([struct.unpack("<d", b"\x01\x00\x00\x00\x00\x00\xf8\xff")[0], 1.0, 2.0, 3.0]),
            of([float("nan"), 1.0, 2.0, 3.0]),
            id="one NaN",
        ),
        pytest.param(of([[-0.0], [], None, [1.0]]), of([[0.0], [], None, [1.0]]), id="inside lists"),
        pytest.param(of([{"a": -0.0}, None, None, {"a": 1.0}]), of([{"a": 0.0}, None, None, {"a": 1.0}]), id="inside structs"),
        pytest.param(of(["x", "y", None, "x"], pl.Categorical()), of(["x", "y", None, "x"], pl.String()), id="categories are text"),
        pytest.param(of(["x", "y", None, "x"], pl.Enum(["x", "y"])), of(["x", "y", None, "x"], pl.String()), id="enums are text"),
        pytest.param(of([[1, 2]] * 4, pl.Array(pl.Int64(), 2)), of([[1, 2]] * 4, pl.List(pl.Int64())), id="arrays are lists"),
        pytest.param(of([None] * 4, pl.Null()), of([None] * 4, pl.String()), id="nothing at all is text"),
        pytest.param(of([1, 2, 3, 4]), of([1, 2, 3, 4]).reverse().select("v", "k"), id="orders of rows and columns"),
    ],
)
def test_two_spellings_of_the_same_rows_are_the_same_rows(one, other):
    assert canonical(one, "k").equals(canonical(other, "k"))
    assert digest(one) == digest(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        pytest.param(of([1, 2, 3, 4], pl.Int32()), of([1, 2, 3, 4], pl.Int64()), id="the type counts"),
        pytest.param(of(["ab", "c", "", ""]), of(["a", "bc", "", ""]), id="where a text ends"),
        pytest.param(of(["", "", "", ""]), of([None, "", "", ""]), id="null is not empty"),
        pytest.param(of([0, 0, 0, 0]), of([None, 0, 0, 0]), id="null is not zero"),
        pytest.param(of([[], None, None, None], pl.List(pl.Int8())), of([None] * 4, pl.List(pl.Int8())), id="no list is not an empty list"),
        pytest.param(of([["a"], ["b"], [], []]), of([["a", "b"], [], [], []]), id="where a list ends"),
        pytest.param(of([1, 2, 3, 4]), of([1, 2, 3, 4]).rename({"v": "w"}), id="the column's name"),
    ],
)
def test_rows_that_differ_have_other_digests(one, other):
    assert digest(one) != digest(other)


def test_a_digest_is_what_it_is_for_ever():
    # given the bytes written down by hand: a header, then per column validity, then lengths and text, or numbers
    schema = '[["k","text"],["v","f64"]]'
    header = f"labelkit.chunk.v1\n{schema}\n2\n".encode()
    key = bytes([1, 1]) + struct.pack("<2I", 1, 2) + b"abb"
    value = bytes([1, 0]) + struct.pack("<2d", 0.5, 0.0)

    # then
    rows = canonical(pl.DataFrame({"v": [None, 0.5], "k": ["bb", "a"]}), "k")
    assert chunk_digests(rows, [0, 2], schema_text(rows)) == [hashlib.sha256(header + key + value).hexdigest()]


@settings(max_examples=60)
@given(
    rows=dataframes(
        min_size=1,
        max_size=12,
        max_cols=5,
        allow_null=True,
        allowed_dtypes=FORMED,
    ),
    cuts=st.lists(st.integers(0, 12), max_size=4),
)
def test_how_many_rows_are_digested_at_once_changes_nothing(rows, cuts):
    # given rows of any types, and runs of them
    made = canonical(rows.with_columns(pl.int_range(pl.len()).alias("the key")), "the key")
    schema, ends = schema_text(made), sorted({0, made.height, *(cut for cut in cuts if cut < made.height)})

    # when each run is digested alone, and all in one go
    alone = [chunk_digests(made.slice(a, b - a), [0, b - a], schema)[0] for a, b in pairwise(ends)]

    # then
    assert chunk_digests(made, ends, schema) == alone


def test_batches_of_rows_change_nothing(monkeypatch):
    rows = canonical(pl.DataFrame({"k": range(100), "v": [str(n) for n in range(100)]}), "k")
    ends = [0, 10, 15, 60, 61, 100]
    whole = chunk_digests(rows, ends, schema_text(rows))
    monkeypatch.setattr(module, "BATCH_ROWS", 20)
    assert chunk_digests(rows, ends, schema_text(rows)) == whole


@pytest.mark.parametrize(
    ("rows", "says"),
    [
        pytest.param(pl.DataFrame({"a": [1]}), "there is no column 'k'", id="no such column"),
        pytest.param(pl.DataFrame({"k": ["a", None]}), "1 rows have no key", id="a row without key"),
        pytest.param(pl.DataFrame({"k": [1.5]}), "Float64 is no type of a key", id="a float as key"),
        pytest.param(
            pl.DataFrame({"k": ["a"], "v": pl.Series([1], dtype=pl.Int128())}), "Int128 has no canonical form", id="a strange type"
        ),
        pytest.param(pl.DataFrame({"k": ["a"], "v": [object()]}, strict=False), "Object has no canonical form", id="a Python object"),
    ],
)
def test_rows_without_a_form_are_refused(rows, says):
    with pytest.raises(InvalidValue, match=says):
        schema_text(canonical(rows, "k"))


def test_keys_that_come_twice_are_named():
    with pytest.raises(KeysNotUnique, match=r"2 keys of column k stand in several rows: 'a', 'b'\."):
        canonical(pl.DataFrame({"k": ["b", "a", "b", "c", "a", "b"]}), "k")


def test_a_delta_takes_the_types_of_what_it_changes_where_nothing_is_lost():
    # given a version with a float and a text
    form = pl.DataFrame(schema={"k": pl.String(), "f": pl.Float64(), "t": pl.String()})

    # then whole numbers and nulls fit
    rows = fitted(pl.DataFrame({"k": ["a"], "f": [2], "t": pl.Series([None], dtype=pl.Float64())}), form, "x")
    assert rows.rows() == [("a", 2.0, None)]
    assert rows.schema == form.schema


@pytest.mark.parametrize(
    ("rows", "says"),
    [
        pytest.param({"k": ["a"], "n": [1.5]}, "not all values of Float64 fit", id="a fraction"),
        pytest.param({"k": ["a"], "n": ["x"]}, "not all values of String fit", id="a word"),
        pytest.param({"k": ["a"]}, "without n", id="a column less"),
        pytest.param({"k": ["a"], "n": [1], "m": [2]}, "with m", id="a column more"),
    ],
)
def test_a_delta_that_does_not_fit_is_refused(rows, says):
    with pytest.raises(SchemaMismatch, match=says):
        fitted(pl.DataFrame(rows), pl.DataFrame(schema={"k": pl.String(), "n": pl.Int64()}), "x")
