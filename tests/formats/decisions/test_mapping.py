"""Mappings over columns: the three texts of each row, or the first thing that is wrong with it; every type of a data frame."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

import polars as pl
import pytest

from labelkit import LabelkitError
from labelkit.core.golden.mapping import check_targets, parse_mapping
from labelkit.formats.decisions.mapping import PROBLEM, VALUE, compiled
from labelkit.formats.decisions.sources import Source, frame_source

NUMBER, INTEGER, TEXT, FLAG, ANY = {"type": "number"}, {"type": "integer"}, {"type": "string"}, {"type": "boolean"}, {}
NIGHT = datetime(2026, 1, 2, 3, tzinfo=UTC)


def schemas(required: tuple[str, ...] = ("x",), **fields: object) -> dict[str, dict[str, object]]:
    return {"input": {"type": "object", "properties": fields, "required": list(required)}, "expected_output": {}, "labels": {}}


def made(
    rows: pl.DataFrame, mapping: dict[str, object], of: dict[str, dict[str, object]], *, is_text: bool = False
) -> list[tuple[object, ...]]:
    """The text of the input, and what is wrong as (reason, column, value), of each row."""
    source = Source("csv", "a table", rows.lazy(), is_text=True) if is_text else frame_source(rows)
    cells = parse_mapping(mapping | {"expected_output": {"constant": {}}})
    found = compiled(cells, check_targets(cells, of), of, source)
    told = found.over(source.rows).collect()
    assert set(told.columns) == {*rows.columns, PROBLEM, VALUE, "input", "expected_output", "labels"}
    return [
        (text, None) if place is None else (None, (str(found.problems[place].reason), found.problems[place].column, value))
        for text, place, value in told.select("input", PROBLEM, VALUE).iter_rows()
    ]


@pytest.mark.parametrize(
    ("values", "kind", "schema", "rule", "text"),
    [
        pytest.param([1], pl.Int8(), INTEGER, {}, "1", id="small integers"),
        pytest.param([2.0], pl.Float64(), INTEGER, {}, "2", id="whole doubles are integers"),
        pytest.param([Decimal("29.85")], pl.Decimal(9, 2), NUMBER, {}, "29.85", id="decimals"),
        pytest.param([True], pl.Boolean(), FLAG, {}, "true", id="flags"),
        pytest.param(["a\n"], pl.Categorical(), TEXT, {}, '"a\\n"', id="categories"),
        pytest.param([date(2026, 1, 2)], pl.Date(), TEXT, {}, '"2026-01-02"', id="days"),
        pytest.param([NIGHT], pl.Datetime("us", "UTC"), TEXT, {}, '"2026-01-02T03:00:00Z"', id="times"),
        pytest.param([[1, 2]], pl.List(pl.Int64), {"type": "array"}, {}, "[1,2]", id="lists"),
        pytest.param(
            [{"b": 1, "a": "x"}], pl.Struct({"b": pl.Int64, "a": pl.String}), {"type": "object"}, {}, '{"a":"x","b":1}', id="objects"
        ),
        pytest.param(['{"b": 1.0}'], pl.String(), {"type": "object"}, {}, '{"b":1}', id="text where only objects are taken is JSON"),
        pytest.param(['[1e2, "x"]'], pl.String(), ANY, {"cast": "json"}, '[100,"x"]', id="JSON by a cast"),
        pytest.param([7], pl.Int64(), TEXT, {"cast": "text"}, '"7"', id="a number as text"),
        pytest.param([7.5], pl.Float64(), TEXT, {"cast": "text"}, '"7.5"', id="a double as text"),
        pytest.param([True], pl.Boolean(), TEXT, {"cast": "text"}, '"true"', id="a flag as text"),
        pytest.param([date(2026, 1, 2)], pl.Date(), TEXT, {"cast": "text"}, '"2026-01-02"', id="a day as text"),
        pytest.param([" 12 "], pl.String(), INTEGER, {"cast": "integer"}, "12", id="text as an integer"),
        pytest.param(["+3"], pl.String(), INTEGER, {"cast": "integer"}, "3", id="a sign"),
        pytest.param([3.0], pl.Float64(), INTEGER, {"cast": "integer"}, "3", id="a double as an integer"),
        pytest.param([1], pl.Int64(), FLAG, {"cast": "boolean"}, "true", id="one is true"),
        pytest.param(["FALSE"], pl.String(), FLAG, {"cast": "boolean"}, "false", id="text as a flag"),
        pytest.param(["2026-01-02"], pl.String(), TEXT, {"cast": "date"}, '"2026-01-02"', id="text as a day"),
        pytest.param(["2026-01-02 03:04:05"], pl.String(), TEXT, {"cast": "datetime"}, '"2026-01-02T03:04:05Z"', id="text as a time"),
        pytest.param(
            ["2026-01-02T03:04:05+02:00"], pl.String(), TEXT, {"cast": "datetime"}, '"2026-01-02T01:04:05Z"', id="a time with a zone"
        ),
        pytest.param([NIGHT], pl.Datetime("us", "UTC"), TEXT, {"cast": "date"}, '"2026-01-02"', id="the day of a time"),
        pytest.param([None], pl.Int64(), INTEGER, {"default": 5}, "5", id="a default"),
    ],
)
def test_a_value_becomes_what_the_field_takes(values, kind, schema, rule, text):
    rows = pl.DataFrame({"c": pl.Series(values, dtype=kind)})
    assert made(rows, {"input.x": {"column": "c"} | rule}, schemas(x=schema)) == [(f'{{"x":{text}}}', None)]


@pytest.mark.parametrize(
    ("value", "kind", "schema", "rule", "wrong"),
    [
        pytest.param(2.5, pl.Float64(), INTEGER, {}, ("WRONG_TYPE", "c", "2.5"), id="a broken number for a whole one"),
        pytest.param(2.5, pl.Float64(), INTEGER, {"cast": "integer"}, ("WRONG_TYPE", "c", "2.5"), id="a cast that would lose something"),
        pytest.param("12.5", pl.String(), INTEGER, {"cast": "integer"}, ("WRONG_TYPE", "c", "12.5"), id="no integer"),
        pytest.param("1e999", pl.String(), NUMBER, {"cast": "number"}, ("NOT_EXACT", "c", "1e999"), id="beyond doubles"),
        pytest.param("nan", pl.String(), NUMBER, {"cast": "number"}, ("WRONG_TYPE", "c", "nan"), id="no number"),
        pytest.param("yes", pl.String(), FLAG, {"cast": "boolean"}, ("WRONG_TYPE", "c", "yes"), id="no flag"),
        pytest.param(2, pl.Int64(), FLAG, {"cast": "boolean"}, ("WRONG_TYPE", "c", "2"), id="neither one nor zero"),
        pytest.param("02.01.2026", pl.String(), TEXT, {"cast": "date"}, ("WRONG_TYPE", "c", "02.01.2026"), id="no ISO day"),
        pytest.param("{", pl.String(), ANY, {"cast": "json"}, ("WRONG_TYPE", "c", "{"), id="no JSON"),
        pytest.param(2**60, pl.Int64(), INTEGER, {}, ("NOT_EXACT", "c", str(2**60)), id="a whole number that no double holds"),
        pytest.param("", pl.String(), NUMBER, {"cast": "number"}, ("MISSING_VALUE", "c", ""), id="an empty text is no value"),
        pytest.param(None, pl.String(), TEXT, {}, ("MISSING_VALUE", "c", None), id="no value"),
        pytest.param("x", pl.String(), TEXT, {"map": {"y": 1}}, ("NOT_IN_MAP", "c", "x"), id="not in the map"),
        pytest.param("y", pl.String(), TEXT, {"map": {"y": None}}, ("MISSING_VALUE", "c", "y"), id="a map to nothing"),
    ],
)
def test_what_a_value_is_not_is_said(value, kind, schema, rule, wrong):
    rows = pl.DataFrame({"c": pl.Series([value], dtype=kind)})
    assert made(rows, {"input.x": {"column": "c"} | rule}, schemas(x=schema)) == [(None, wrong)]


@pytest.mark.parametrize(
    ("text", "schema", "made_of_it"),
    [
        pytest.param("007", TEXT, '{"x":"007"}', id="text stays text"),
        pytest.param("007", ANY, '{"x":"007"}', id="anything is text"),
        pytest.param(" 07.50 ", NUMBER, '{"x":7.5}', id="a number"),
        pytest.param("12", INTEGER, '{"x":12}', id="an integer"),
        pytest.param("True", FLAG, '{"x":true}', id="a flag"),
        pytest.param('{"b": [1.0]}', {"type": "object"}, '{"x":{"b":[1]}}', id="an object"),
    ],
)
def test_text_of_a_csv_is_read_as_what_the_field_takes(text, schema, made_of_it):
    assert made(pl.DataFrame({"c": [text]}), {"input.x": "c"}, schemas(x=schema), is_text=True) == [(made_of_it, None)]


def test_the_first_wrong_field_of_a_row_is_the_one_that_is_told():
    # given
    rows = pl.DataFrame({"a": ["1", "x", None, "x"], "b": ["1", "1", "y", "y"]})
    of = schemas(("a", "b"), a=INTEGER, b=INTEGER)

    # then
    assert made(rows, {"input.a": "a", "input.b": "b"}, of, is_text=True) == [
        ('{"a":1,"b":1}', None),
        (None, ("WRONG_TYPE", "a", "x")),
        (None, ("MISSING_VALUE", "a", None)),
        (None, ("WRONG_TYPE", "a", "x")),
    ]


def test_an_object_that_may_be_left_out_needs_its_fields_once_it_is_begun():
    # given an optional home with a required city, and a note that must be there but may be null
    home = {"type": "object", "properties": {"city": TEXT, "zip": TEXT}, "required": ["city"]}
    of = schemas(("note",), home=home, note={"type": ["string", "null"]})
    rows = pl.DataFrame({"c": ["Oslo", None, None], "z": ["1", None, "2"], "n": ["x", None, None]})

    # then
    assert made(rows, {"input": {"home": {"city": "c", "zip": "z"}, "note": "n"}}, of) == [
        ('{"home":{"city":"Oslo","zip":"1"},"note":"x"}', None),
        ('{"note":null}', None),
        (None, ("MISSING_VALUE", "c", None)),
    ]


@pytest.mark.parametrize(
    ("kind", "schema", "rule"),
    [
        pytest.param(pl.Binary(), ANY, {}, id="bytes"),
        pytest.param(pl.Duration("us"), ANY, {}, id="durations"),
        pytest.param(pl.Int64(), TEXT, {}, id="numbers where text is taken"),
        pytest.param(pl.String(), NUMBER, {}, id="text where numbers are taken"),
        pytest.param(pl.List(pl.Int64), NUMBER, {}, id="lists where numbers are taken"),
        pytest.param(pl.List(pl.Int64), NUMBER, {"cast": "number"}, id="lists as numbers"),
        pytest.param(pl.Boolean(), TEXT, {"cast": "date"}, id="flags as days"),
        pytest.param(pl.Int64(), TEXT, {"cast": "number"}, id="a cast to what is not taken"),
    ],
)
def test_types_that_never_fit_are_refused_before_a_row_is_read(kind, schema, rule):
    with pytest.raises(LabelkitError) as told:
        made(pl.DataFrame(schema={"c": kind}), {"input.x": {"column": "c"} | rule}, schemas(x=schema))
    assert told.value.code == "MAPPING_INVALID"
