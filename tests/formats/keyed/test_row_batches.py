"""Work side by side keeps its order, and what goes wrong in it is not lost."""

from __future__ import annotations

import threading

import polars as pl
import pytest

from labelkit.formats.keyed.row_batches import Background, ahead, in_order, weight
from tests.formats import row_zoo


def failing(count):
    yield from range(count)
    raise RuntimeError("the store went away")


def test_what_is_made_side_by_side_comes_in_order():
    # given a first item that waits until a later one is made
    later = threading.Event()

    def make(item):
        if item == 1:
            later.set()
        return item, item != 0 or later.wait(30)

    # then
    assert list(in_order(range(20), make)) == [(item, True) for item in range(20)]


@pytest.mark.parametrize("of", [lambda items: in_order(items, lambda item: item), ahead], ids=["in order", "ahead"])
def test_what_goes_wrong_in_the_source_is_raised_where_it_is_used(of):
    assert list(of(range(5))) == [0, 1, 2, 3, 4]
    with pytest.raises(RuntimeError, match="went away"):
        list(of(failing(2)))


def test_what_goes_wrong_in_the_making_is_raised_too():
    with pytest.raises(ZeroDivisionError):
        list(in_order([1, 0, 1], lambda item: 1 // item))


@pytest.mark.parametrize("more", [0, 1], ids=["at the end", "at the next work"])
def test_what_goes_wrong_in_the_background_is_raised(more):
    def run():
        with Background() as background:
            background.run(lambda: 1 // 0)
            for _ in range(more):
                background.run(lambda: None)

    with pytest.raises(ZeroDivisionError):
        run()


def test_equal_rows_weigh_the_same_however_they_stand_in_memory():
    # given rows of every type, some in the middle of others
    rows = row_zoo.ODDITIES
    inside = pl.concat([rows, rows, rows])[3:6]

    # then
    assert weight(inside) == weight(rows) == weight(pl.concat([rows[:1], rows[1:]], rechunk=False))
    assert weight(rows.head(0)) == 0
    assert weight(pl.DataFrame({"text": ["x" * 1_000] * 10})) == 10_000
