"""Attributes made of columns, as sets: the same canonical JSON text (RFC 8785) as `attributes.canonical_text`, without a call a record."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from labelkit.formats.json_text import quoted
from labelkit.formats.labels.attributes import canonical_text

if TYPE_CHECKING:
    from collections.abc import Collection

_PLAIN = r"^-?(0|[1-9]\d{0,14})(\.\d{1,15})?$"  # written alike by everybody; other numbers are written one by one


def attributes_of(columns: pl.DataFrame, *, numbers_in: Collection[str] = ()) -> pl.Series:
    """Return a JSON object a row with every column that says something there, null where none does.

    Columns hold truths, numbers or text; null, NaN, infinities and integers beyond 2**53 say nothing. Text that is a number is written
    as one in the columns of `numbers_in`.
    """
    names = sorted(columns.columns, key=lambda name: name.encode("utf-16-be"))
    if not names:
        return pl.Series("attributes", [None] * columns.height, dtype=pl.String)
    members = columns.select(_member(columns[name], as_numbers=name in numbers_in) for name in names)
    inside = pl.concat_str(pl.all(), separator=",", ignore_nulls=True)
    return members.select(attributes=pl.when(inside != "").then(pl.concat_str(pl.lit("{"), inside, pl.lit("}")))).to_series()


def _member(values: pl.Series, *, as_numbers: bool) -> pl.Series:
    """Return `"name":value` a row, null where there is none."""
    if values.dtype == pl.Boolean:
        texts = values.cast(pl.String)
    elif values.dtype.is_numeric():
        texts = _numbers(values)
    else:
        texts = quoted(values.cast(pl.String)).set(values.is_null(), None)
        if as_numbers:
            numbers = _numbers(values.cast(pl.String).str.strip_chars().cast(pl.Float64, strict=False))
            texts = numbers.zip_with(numbers.is_not_null(), texts)
    key = quoted(pl.Series([values.name], dtype=pl.String))[0]
    return texts.to_frame("text").select(pl.concat_str(pl.lit(f"{key}:"), "text").alias(values.name)).to_series()


def _numbers(values: pl.Series) -> pl.Series:
    texts = values.cast(pl.String).str.replace(r"\.0$", "").str.replace("^-0$", "0")
    odd = values.filter(~texts.str.contains(_PLAIN).fill_null(value=True)).unique()
    written = {value: (canonical_text({"": value}) or "")[4:-1] or None for value in odd}
    if not written:
        return texts
    said = pl.DataFrame({"value": list(written), "said": list(written.values())}, schema={"value": values.dtype, "said": pl.String})
    both = pl.DataFrame({"value": values, "text": texts}).join(said, on="value", how="left", maintain_order="left", nulls_equal=True)
    return both.select(text=pl.when(pl.col("text").str.contains(_PLAIN)).then("text").otherwise("said")).to_series()
