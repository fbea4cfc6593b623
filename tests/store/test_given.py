"""Rows as people give them."""

from __future__ import annotations

import polars as pl
import pytest
from pydantic import BaseModel

from labelkit.errors import InvalidValue
from labelkit.store.given import frame_of, listed_rows

FRAME = pl.DataFrame({"id": [1, 2], "x": ["a", None]})


class _Elsewhere:
    def __arrow_c_stream__(self, schema: object = None) -> object:
        return FRAME.__arrow_c_stream__(schema)


class _NoPyarrow:
    def __arrow_c_stream__(self, _schema: object = None) -> object:
        raise ImportError("pyarrow is required")


class Row(BaseModel):
    id: int


@pytest.mark.parametrize(
    "given",
    [
        pytest.param(lambda: FRAME, id="a frame"),
        pytest.param(FRAME.lazy, id="a lazy frame"),
        pytest.param(_Elsewhere, id="a frame of another library"),
    ],
)
def test_a_frame_of_any_library_that_hands_out_arrow_is_a_frame(given):
    assert frame_of(given()).equals(FRAME)


@pytest.mark.parametrize("given", [[{"id": 1}], {"id": 1}, "id", None, pl.DataFrame], ids=str)
def test_what_is_no_frame_is_none(given):
    assert frame_of(given) is None


def test_a_frame_that_cannot_be_handed_over_is_refused_with_what_it_lacks():
    with pytest.raises(InvalidValue, match=r"pyarrow is required.*Give a polars frame"):
        frame_of(_NoPyarrow())


@pytest.mark.parametrize("given", [{"id": 1}, Row(id=1)], ids=["a mapping", "a model"])
def test_one_row_alone_is_refused_with_the_way_to_give_it(given):
    with pytest.raises(InvalidValue, match=r"Put it into a list: \[row\]"):
        listed_rows(given, "rows", (BaseModel,))


@pytest.mark.parametrize("given", ["rows.csv", b"rows", None, 7], ids=str)
def test_what_has_no_rows_is_refused(given):
    with pytest.raises(InvalidValue, match="is not several rows"):
        listed_rows(given, "rows")


def test_rows_are_given_on_as_they_are():
    rows = iter([{"id": 1}])
    assert listed_rows(rows, "rows") is rows
