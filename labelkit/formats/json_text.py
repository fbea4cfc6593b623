"""JSON text made of columns, set-based, with the same bytes on every machine: exact decimals and escaped strings."""

from __future__ import annotations

import json

import polars as pl

from labelkit.core.geometry import UNITS_PER_PX

_NEEDS_ESCAPE = r'["\\\x00-\x1f]'


def filled(template: str, *columns: pl.Expr | str) -> pl.Expr:
    """Return the template with each `$` replaced by the text of a column; null where one of them is null."""
    first, *others = template.split("$")
    parts = [pl.lit(first)]
    for column, text in zip(columns, others, strict=True):
        parts += [(pl.col(column) if isinstance(column, str) else column).cast(pl.String), pl.lit(text)]
    return pl.concat_str(parts)


def units(column: pl.Expr) -> pl.Expr:
    """Return px as whole ten-thousandths, exactly for coordinates that `core.geometry.px` rounded."""
    return (column * UNITS_PER_PX).round().cast(pl.Int64)


def decimal(whole: pl.Expr, digits: int) -> pl.Expr:
    """Return integers divided by 10**digits as text without trailing zeros: 12500 with 4 digits is `1.25`."""
    base = 10**digits
    size = whole.abs()
    rest = (size % base).cast(pl.String).str.zfill(digits).str.strip_chars_end("0")
    sign = pl.when(whole < 0).then(pl.lit("-")).otherwise(pl.lit(""))
    point = pl.when(rest == "").then(pl.lit("")).otherwise(pl.lit("."))
    return pl.concat_str(sign, (size // base).cast(pl.String), point, rest)


def quoted(texts: pl.Series) -> pl.Series:
    """Return strings as JSON strings, null as `null`."""
    if texts.str.contains(_NEEDS_ESCAPE).any():
        return pl.Series(texts.name, [json.dumps(text, ensure_ascii=False) for text in texts], dtype=pl.String)
    return texts.to_frame().select(filled('"$"', texts.name).fill_null("null").alias(texts.name)).to_series()
