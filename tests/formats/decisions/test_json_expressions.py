"""Canonical JSON of columns: the same bytes as for single values, whatever the values are."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from decimal import Decimal

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from labelkit.core.hashing import canonical_json
from labelkit.formats.decisions.json_expressions import is_sayable, json_text, json_type, object_text, parsed_texts

FLOATS = st.floats(allow_nan=False, allow_infinity=False)
INTEGERS = st.integers(-(2**53) + 1, 2**53 - 1)
TEXTS = st.text(st.characters(exclude_categories=["Cs"]))
KINDS = {
    "text": (TEXTS, pl.String()),
    "doubles": (FLOATS, pl.Float64()),
    "doubles near zero and far out": (st.sampled_from([1e-7, 1e-5, 9.99e-5, 1e15, 1e16, 1e20, 1e21, 1.5e300, 5e-324, -0.0]), pl.Float64()),
    "integers": (INTEGERS, pl.Int64()),
    "truth": (st.booleans(), pl.Boolean()),
    "lists": (st.lists(st.none() | FLOATS), pl.List(pl.Float64())),
    "lists of lists": (st.lists(st.lists(TEXTS)), pl.List(pl.List(pl.String()))),
    "objects": (
        st.fixed_dictionaries({"b": INTEGERS, "a": FLOATS, "é": st.lists(TEXTS), "\U0001f600": st.booleans(), "\ue000": TEXTS}),
        pl.Struct({"b": pl.Int64, "a": pl.Float64, "é": pl.List(pl.String), "\U0001f600": pl.Boolean, "\ue000": pl.String}),
    ),
}


def texts_of(values: list[object], kind: pl.DataType) -> list[str | None]:
    return (
        pl.DataFrame({"c": pl.Series(values, dtype=kind)}).lazy().select(json_text(pl.col("c"), kind).alias("c")).collect()["c"].to_list()
    )


@pytest.mark.parametrize("name", KINDS)
def test_a_column_has_the_text_of_each_of_its_values(name):
    strategy, kind = KINDS[name]

    @settings(max_examples=20)
    @given(st.lists(st.none() | strategy, max_size=20))
    def holds(values):
        assert texts_of(values, kind) == [None if value is None else canonical_json(value).decode() for value in values]

    holds()


@pytest.mark.parametrize(
    ("values", "kind", "texts"),
    [
        pytest.param([date(2026, 3, 1)], pl.Date(), ['"2026-03-01"'], id="a date"),
        pytest.param(
            [datetime(2026, 3, 1, 12, 0, 0, 250000, tzinfo=UTC).replace(tzinfo=None)],
            pl.Datetime("us"),
            ['"2026-03-01T12:00:00.250"'],
            id="a time without a zone",
        ),
        pytest.param(
            [datetime(2026, 3, 1, 12, tzinfo=UTC)], pl.Datetime("ms", "Europe/Berlin"), ['"2026-03-01T12:00:00Z"'], id="with a zone"
        ),
        pytest.param([time(7, 30)], pl.Time(), ['"07:30:00"'], id="a time of day"),
        pytest.param(["b"], pl.Categorical(), ['"b"'], id="a category"),
        pytest.param([Decimal("29.85"), None], pl.Decimal(10, 2), ["29.85", None], id="a decimal that a double holds"),
        pytest.param([Decimal(12)], pl.Decimal(38, 0), ["12"], id="a decimal without a fraction"),
        pytest.param([0.1], pl.Float32(), ["0.10000000149011612"], id="a small float says what it is"),
        pytest.param([[1, None]], pl.Array(pl.Int64, 2), ["[1,null]"], id="an array"),
        pytest.param([{"a": None, "b": 1}, None], pl.Struct({"a": pl.Int64, "b": pl.Int64}), ['{"b":1}', None], id="no field for null"),
        pytest.param([None], pl.Null(), [None], id="nothing"),
    ],
)
def test_types_of_data_frames_become_json(values, kind, texts):
    assert texts_of(values, kind) == texts


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        pytest.param(float("nan"), pl.Float64(), id="nan"),
        pytest.param(float("inf"), pl.Float64(), id="infinity"),
        pytest.param(2**53, pl.Int64(), id="a whole number beyond doubles"),
        pytest.param(-(2**63), pl.Int64(), id="the smallest integer"),
        pytest.param(2**64 - 1, pl.UInt64(), id="the largest integer"),
        pytest.param(Decimal(10**30), pl.Decimal(38, 0), id="a wide whole number"),
        pytest.param(Decimal("1234567890123456.789"), pl.Decimal(38, 3), id="a decimal that no double holds"),
        pytest.param([1.0, float("nan")], pl.List(pl.Float64()), id="nan in a list"),
        pytest.param({"a": float("-inf")}, pl.Struct({"a": pl.Float64}), id="infinity in an object"),
    ],
)
def test_what_json_cannot_say_exactly_is_found(value, kind):
    frame = pl.DataFrame({"c": pl.Series([value], dtype=kind)})
    assert frame.select(is_sayable(json_text(pl.col("c"), kind))).item() is False


def test_types_without_a_json_form_are_refused():
    for kind in (pl.Binary(), pl.Duration("us"), pl.List(pl.Binary), pl.Struct({"a": pl.Binary})):
        assert json_type(kind) is None
    with pytest.raises(TypeError):
        json_text(pl.col("c"), pl.Binary())
    assert [json_type(kind) for kind in (pl.Int8(), pl.Decimal(9, 2), pl.Float32(), pl.Date(), pl.List(pl.Int8), pl.Null())] == [
        "integer",
        "number",
        "number",
        "string",
        "array",
        "null",
    ]


def test_objects_are_made_of_texts_and_leave_out_what_is_not_there():
    frame = pl.DataFrame({"x": ["1", None], "y": ['"a"', '"b"']})
    made = frame.select(object_text([("b", pl.col("y")), ("a", pl.col("x"))]))
    assert made.to_series().to_list() == ['{"a":1,"b":"a"}', '{"b":"b"}']
    assert frame.select(object_text([])).item() == "{}"


def test_json_texts_get_their_one_spelling():
    given_texts = pl.Series(['{"b": 1.0, "a": [1e2]}', "no", None, "NaN", '"x"'])
    assert parsed_texts(given_texts).to_list() == ['{"a":[100],"b":1}', None, None, None, '"x"']
