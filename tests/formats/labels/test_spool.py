"""Tables that wait come back in order, from memory and from disk."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from labelkit.formats.labels.spool import Spool


@pytest.mark.parametrize("room", [0, 200, 10**9], ids=["all on disk", "some on disk", "all in memory"])
def test_tables_come_back_in_the_order_in_which_they_came(room):
    # given
    tables = [pl.DataFrame({"x": range(number, number + 10), "t": ["a"] * 10}) for number in range(5)]

    # when
    with Spool(room) as spool:
        for table in tables:
            spool.put(table)
        folder = spool._folder and Path(spool._folder.name)
        back = list(spool.take())

    # then
    assert all(one.equals(other) for one, other in zip(back, tables, strict=True))
    assert (folder is None) == (room == 10**9)
    assert folder is None or not folder.exists()
