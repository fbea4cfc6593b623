"""Types of columns as JSON: each comes back, and nothing else is taken for one."""

from __future__ import annotations

import json

import polars as pl
import pytest
from hypothesis import given

from labelkit.errors import InvalidValue
from labelkit.formats.column_types import columns_of, types_of
from tests.formats import row_zoo


@given(kind=row_zoo.kinds())
def test_every_type_comes_back(kind):
    assert columns_of(json.loads(json.dumps(types_of({"x": kind[0]})))) == {"x": kind[0]}


@pytest.mark.parametrize("kind", [pl.Datetime("ns", "Europe/Berlin"), pl.Duration("ms"), pl.Decimal(38, 0), pl.Struct({})])
def test_a_type_with_facts_of_its_own_comes_back(kind):
    assert columns_of(types_of({"x": kind})) == {"x": kind}


def test_types_are_texts_that_people_read():
    columns = {"id": pl.String(), "at": pl.Datetime("us", "UTC"), "tags": pl.List(pl.String()), "of": pl.Struct({"a": pl.Int8()})}
    assert types_of(columns) == [["id", "text"], ["at", "datetime[us,UTC]"], ["tags", {"list": "text"}], ["of", {"struct": [["a", "i8"]]}]]


@pytest.mark.parametrize("kind", [pl.Categorical(), pl.Enum(["a"]), pl.Null(), pl.List(pl.Null()), pl.Array(pl.Int8(), 2)], ids=str)
def test_a_type_that_no_version_has_is_refused(kind):
    with pytest.raises(InvalidValue, match="cannot be exported"):
        types_of({"x": kind})


@pytest.mark.parametrize("text", ["i128", "datetime[days,]", "decimal[x,2]", {"list": "set"}, {"map": "text"}, None, 5], ids=str)
def test_what_is_no_type_is_an_error(text):
    with pytest.raises(ValueError, match=r"is no|invalid literal"):
        columns_of([["x", text]])
