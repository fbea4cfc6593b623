"""Attributes made of columns, as sets: the same canonical JSON text (RFC 8785) as `attributes.canonical_text`, without a call a record."""

from __future__ import annotations

import json
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
    texts = _texts(columns, numbers_in).select(pl.concat_str(pl.lit(f"{_key(name)}:"), name).alias(name) for name in names)
    inside = pl.concat_str(pl.all(), separator=",", ignore_nulls=True)
    return texts.select(attributes=pl.when(inside != "").then(pl.concat_str(pl.lit("{"), inside, pl.lit("}")))).to_series()


def _key(name: str) -> str:
    return json.dumps(name, ensure_ascii=False)


def _texts(columns: pl.DataFrame, numbers_in: Collection[str]) -> pl.DataFrame:
    """Return the JSON text of each value, null where it says nothing."""
    words = [name for name, kind in columns.schema.items() if kind != pl.Boolean and not kind.is_numeric()]
    if not words:
        return _plain(columns)
    spoken = columns.with_columns(pl.col(name).cast(pl.String) for name in words)
    parsed = [pl.col(name).str.strip_chars().cast(pl.Float64, strict=False) for name in words if name in numbers_in]
    texts = _plain(spoken.with_columns(parsed))
    return texts.with_columns(_quoted(spoken[name], texts[name] if name in numbers_in else None) for name in words)


def _quoted(words: pl.Series, numbers: pl.Series | None) -> pl.Series:
    texts = quoted(words).set(words.is_null(), None)
    return texts if numbers is None else numbers.zip_with(numbers.is_not_null(), texts)


def _plain(values: pl.DataFrame) -> pl.DataFrame:
    """Return truths and numbers as texts, all columns at once; only numbers that are written in several ways are looked at by column."""
    numeric = [name for name, kind in values.schema.items() if kind.is_numeric()]
    texts = values.select(_as_text(name, kind) for name, kind in values.schema.items())
    plain = texts.select(pl.col(name).str.contains(_PLAIN).all() for name in numeric)
    odd = [name for name in numeric if not plain[name][0]]
    return texts.with_columns(_numbers(values[name], texts[name]) for name in odd) if odd else texts


def _as_text(name: str, kind: pl.DataType) -> pl.Expr:
    text = pl.col(name).cast(pl.String)
    return text.str.replace(r"\.0$", "").str.replace("^-0$", "0") if kind.is_numeric() else text


def _numbers(values: pl.Series, texts: pl.Series) -> pl.Series:
    odd = values.filter(~texts.str.contains(_PLAIN).fill_null(value=True)).unique()
    written = {value: (canonical_text({"": value}) or "")[4:-1] or None for value in odd}
    said = pl.DataFrame({"value": list(written), "said": list(written.values())}, schema={"value": values.dtype, "said": pl.String})
    both = pl.DataFrame({"value": values, "text": texts}).join(said, on="value", how="left", maintain_order="left", nulls_equal=True)
    return both.select(pl.when(pl.col("text").str.contains(_PLAIN)).then("text").otherwise("said").alias(values.name)).to_series()
