"""Attributes made of columns are the canonical text that is made of values."""

from __future__ import annotations

import json

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from labelkit.formats.labels.attribute_columns import attributes_of
from labelkit.formats.labels.attributes import canonical_text

NUMBERS = st.floats(allow_nan=False, allow_infinity=False) | st.sampled_from([0.0, -0.0, 1.0, 1e-7, 1e-5, 1e21, 0.1 + 0.2, 123456.125])
TEXTS = st.text(st.characters(codec="utf-8"), max_size=6)
ROW = st.fixed_dictionaries(
    {
        "occluded": st.none() | st.booleans(),
        "é": st.none() | st.integers(1 - 2**53, 2**53 - 1),
        "visibility": st.none() | NUMBERS,
        "\U0001f600": st.none() | TEXTS,
    }
)
SCHEMA = {"occluded": pl.Boolean, "é": pl.Int64, "visibility": pl.Float64, "\U0001f600": pl.String}


@settings(deadline=None, max_examples=60)
@given(st.lists(ROW, min_size=1, max_size=5))
def test_columns_give_the_canonical_text_of_what_is_there(rows):
    kept = [{name: value for name, value in row.items() if value is not None} for row in rows]
    found = attributes_of(pl.DataFrame(rows, schema=SCHEMA)).to_list()
    assert found == [canonical_text(one) if one else None for one in kept]


def test_what_is_no_number_says_nothing():
    columns = pl.DataFrame({"a": [float("nan"), float("inf"), 1.5], "b": [None, "x", None]}, schema={"a": pl.Float64, "b": pl.String})
    assert attributes_of(columns).to_list() == [None, '{"b":"x"}', '{"a":1.5}']


def test_no_columns_and_no_rows_give_none():
    assert attributes_of(pl.DataFrame({"a": []}, schema={"a": pl.Int64})).to_list() == []
    assert attributes_of(pl.DataFrame()).to_list() == []


def test_text_is_written_as_json():
    text = 'a "b"\\\n\x1f é'
    assert json.loads(attributes_of(pl.DataFrame({"a\n": [text]}))[0]) == {"a\n": text}


def test_text_that_is_a_number_is_written_as_one_where_asked():
    columns = pl.DataFrame({"id": ["7", " 1.50 ", "a7", "nan", None], "name": ["7", None, None, None, None]})
    assert attributes_of(columns, numbers_in=["id"]).to_list() == ['{"id":7,"name":"7"}', '{"id":1.5}', '{"id":"a7"}', '{"id":"nan"}', None]
