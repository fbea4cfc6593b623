"""Rows of every type that versions may hold, as hypothesis strategies and as one table with every oddity."""

from __future__ import annotations

import datetime as dt

import polars as pl
from hypothesis import strategies as st

INT64 = st.integers(-(2**63), 2**63 - 1)
DOUBLES = st.floats(width=64) | st.sampled_from([0.1, -0.0, 1e300, 5e-324, float("nan"), float("inf"), 2.0**24 + 1])
TEXT = st.text(st.characters(exclude_categories=("Cs",)), max_size=8) | st.sampled_from(["\0", "ü\0", '"\\', "x" * 140, "\u2028"])
DAYS = st.dates(dt.date(1, 1, 1), dt.date(9999, 12, 31))
MOMENTS = st.datetimes()
SCALARS = (
    (pl.Int64(), INT64),
    (pl.Int8(), st.integers(-128, 127)),
    (pl.UInt64(), st.integers(0, 2**64 - 1)),
    (pl.Boolean(), st.booleans()),
    (pl.Float64(), DOUBLES),
    (pl.Float32(), st.floats(width=32)),
    (pl.String(), TEXT),
    (pl.Binary(), st.binary(max_size=8) | st.just(b"\x00\xff" * 80)),
    (pl.Date(), DAYS),
    (pl.Time(), st.times()),
    (pl.Datetime("us"), MOMENTS),
    (pl.Datetime("us", "UTC"), MOMENTS.map(lambda moment: moment.replace(tzinfo=dt.UTC))),
    (pl.Duration("us"), st.timedeltas(dt.timedelta(-(10**5)), dt.timedelta(10**5))),
    (pl.Decimal(12, 3), st.decimals(-(10**8), 10**8, places=3)),
)


def _lists(pair):
    kind, values = pair
    return pl.List(kind), st.lists(st.none() | values, max_size=3)


def _structs(pairs):
    fields = {f"f{place}": pair for place, pair in enumerate(pairs)}
    kind = pl.Struct({name: field for name, (field, _) in fields.items()})
    return kind, st.fixed_dictionaries({name: st.none() | values for name, (_, values) in fields.items()})


def kinds(scalars=SCALARS):
    """Types with strategies of their values: plain ones, and lists and structs of them two deep."""
    return st.recursive(
        st.sampled_from(scalars), lambda inner: inner.map(_lists) | st.lists(inner, min_size=1, max_size=2).map(_structs), max_leaves=3
    )


@st.composite
def frames(draw, scalars=SCALARS):
    """Keyed rows: up to eight of them, with up to three columns of any type beside the key."""
    count = draw(st.integers(0, 8))
    columns = {"key": pl.Series([f"k{row}" for row in range(count)], dtype=pl.String)}
    for place in range(draw(st.integers(1, 3))):
        kind, values = draw(kinds(scalars))
        rows = draw(st.lists(st.none() | values, min_size=count, max_size=count))
        columns[f"c{place}"] = pl.Series(rows, dtype=kind, strict=True)
    return pl.DataFrame(columns)


ODDITIES = pl.DataFrame(
    {
        "key": ["a", "b.c/ü", "k3"],
        "whole": [1, -5, None],
        "double": [0.1, -0.0, float("nan")],
        "single": pl.Series([0.5, None, 1.25], dtype=pl.Float32),
        "truth": [True, False, None],
        "bytes": [b"\xff\x00", b"", None],
        "day": [dt.date(2020, 1, 1), None, dt.date(1960, 1, 1)],
        "moment": [dt.datetime.fromisoformat("2020-01-01T01:02:03.000004"), None, None],
        "large": pl.Series([2**64 - 1, None, 0], dtype=pl.UInt64),
        "text": ["\0 nul", "ü" * 100, None],
        "numbers": [[1, None, 300], [], None],
        "texts": [["a", "\0ü"], None, ["x" * 200]],
        "grid": [[[1.5, 0.1], None, []], [], None],
        "struct": [{"a": 1, "b": "x"}, {"a": None, "b": None}, None],
        "structs": [[{"q": 1, "r": [1, 2]}, None, {"q": None, "r": None}], [], None],
    }
)


def same(left: pl.DataFrame, right: pl.DataFrame) -> bool:
    """Say whether rows are equal to the last bit of meaning: types, order, nulls, and the sign of zero."""
    return left.schema == right.schema and repr(left.to_dicts()) == repr(right.to_dicts())
