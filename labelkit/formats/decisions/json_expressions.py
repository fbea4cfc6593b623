"""Canonical JSON (RFC 8785) of whole columns, as expressions of polars: equal to `canonical_json` of each value, without a loop.

What JSON cannot say exactly (NaN, infinities, whole numbers from 2**53 on, decimals that no double holds) leaves `UNSAYABLE` in the text,
a sign that no JSON text can hold; `is_sayable` finds it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from labelkit.core.golden.json_texts import canonical_text, parsed
from labelkit.core.hashing import canonical_json
from labelkit.formats.column_types import made

if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import TypeAlias

    from polars.datatypes import DataTypeClass

    Kind: TypeAlias = pl.DataType | DataTypeClass

UNSAYABLE = "\x00"
EXACT = 2**53
_SMALLEST, _LARGEST = 1e-4, 1e15  # between them both spell doubles alike, all over the versions of polars
_SHORT = {"\\": "\\\\", '"': '\\"', "\b": "\\b", "\f": "\\f", "\n": "\\n", "\r": "\\r", "\t": "\\t"}
_ESCAPES = _SHORT | {chr(sign): f"\\u{sign:04x}" for sign in range(32) if chr(sign) not in _SHORT}


def json_text(column: pl.Expr, kind: Kind) -> pl.Expr:
    """Return the canonical JSON of each value of a column of type `kind`; null where the value is null.

    Times are ISO 8601 text, in UTC where they have a zone. Null fields of structs are left out, null items of lists stay. Raises
    TypeError for a type that JSON has nothing for.
    """
    kind = made(kind)
    if json_type(kind) is None:
        raise TypeError(f"JSON has nothing for {kind}")
    if kind.is_nested():
        return _nested(column, kind)
    if kind.is_temporal():
        return quoted(iso_text(column, kind))
    if isinstance(kind, pl.Decimal):
        return _decimal_text(column, kind)
    if kind.is_integer():
        fits = column.is_between(-EXACT, EXACT, closed="none")
        return pl.when(fits | column.is_null()).then(column.cast(pl.String)).otherwise(pl.lit(UNSAYABLE))
    if kind.is_float():
        return _float_text(column.cast(pl.Float64))
    return column.cast(pl.String) if isinstance(kind, (pl.Boolean, pl.Null)) else quoted(column.cast(pl.String))


def json_type(kind: Kind) -> str | None:
    """Return the JSON type that a column's values become: string, integer, number, boolean, array, object, null; None for no type."""
    kind = made(kind)
    if isinstance(kind, pl.Decimal):
        return "number"
    if kind.is_integer():
        return "integer"
    if kind.is_float():
        return "number"
    if isinstance(kind, (pl.List, pl.Array)):
        return None if json_type(kind.inner) is None else "array"
    if isinstance(kind, pl.Struct):
        return None if any(json_type(one.dtype) is None for one in kind.fields) else "object"
    names = {pl.Boolean: "boolean", pl.Null: "null", pl.Duration: None, pl.Binary: None, pl.Object: None}
    return names.get(type(kind), "string")


def is_sayable(text: pl.Expr) -> pl.Expr:
    """Say whether everything in a text is JSON."""
    return ~text.str.contains(UNSAYABLE, literal=True)


def object_text(fields: Iterable[tuple[str, pl.Expr]]) -> pl.Expr:
    """Return the text of objects with these fields, each a name and its JSON text; a field whose text is null is left out."""
    ordered = sorted(fields, key=lambda field: field[0].encode("utf-16-be"))
    parts = [pl.concat_str(pl.lit(f"{canonical_json(name).decode()}:"), text) for name, text in ordered]
    inside = pl.concat_str(parts, separator=",", ignore_nulls=True) if parts else pl.lit("")
    return pl.concat_str(pl.lit("{"), inside, pl.lit("}"))


def quoted(text: pl.Expr) -> pl.Expr:
    """Return text as JSON strings."""
    return pl.concat_str(pl.lit('"'), text.str.replace_many(list(_ESCAPES), list(_ESCAPES.values())), pl.lit('"'))


def iso_text(column: pl.Expr, kind: pl.DataType) -> pl.Expr:
    """Return dates and times as ISO 8601."""
    if isinstance(kind, pl.Datetime):
        if kind.time_zone is None:
            return column.dt.strftime("%Y-%m-%dT%H:%M:%S%.f")
        return pl.concat_str(column.dt.convert_time_zone("UTC").dt.strftime("%Y-%m-%dT%H:%M:%S%.f"), pl.lit("Z"))
    return column.dt.strftime("%H:%M:%S%.f" if isinstance(kind, pl.Time) else "%Y-%m-%d")


def as_time(text: pl.Expr) -> pl.Expr:
    """Return ISO 8601 dates and times as UTC; null where a text is none. What has no zone is taken as UTC."""
    zoned = text.str.to_datetime("%+", time_unit="us", time_zone="UTC", strict=False)
    spaced = text.str.replace(" ", "T", literal=True)
    plain = spaced.str.to_datetime("%Y-%m-%dT%H:%M:%S%.f", time_unit="us", strict=False).dt.replace_time_zone("UTC")
    days = text.str.to_date("%Y-%m-%d", strict=False).cast(pl.Datetime("us")).dt.replace_time_zone("UTC")
    return pl.coalesce(zoned, plain, days)


def _float_text(column: pl.Expr) -> pl.Expr:
    size = column.abs()
    plain = (size >= _SMALLEST) & (size < _LARGEST)
    whole = (column == column.floor()) & (size < _LARGEST)
    return (
        pl.when(column.is_null())
        .then(None)
        .when(column.is_nan() | column.is_infinite())
        .then(pl.lit(UNSAYABLE))
        .when(whole)
        .then(column.cast(pl.Int64, strict=False).cast(pl.String))
        .when(plain)
        .then(column.cast(pl.String))
        .otherwise(pl.when(~plain & ~whole & column.is_finite()).then(column).map_batches(_rare_texts, return_dtype=pl.String))
    )


def _rare_texts(values: pl.Series) -> pl.Series:
    """Return the texts of very small and very large doubles, of which there are few."""
    rare = values.drop_nulls().unique()
    texts = [canonical_json(value).decode() for value in rare]
    return values.replace_strict(rare, pl.Series(texts, dtype=pl.String), default=None, return_dtype=pl.String)


def _decimal_text(column: pl.Expr, kind: pl.Decimal) -> pl.Expr:
    if kind.scale == 0:
        return json_text(column.cast(pl.Int64, strict=False), pl.Int64()).fill_null(pl.when(column.is_not_null()).then(pl.lit(UNSAYABLE)))
    double = column.cast(pl.Float64)
    exact = double.cast(kind, strict=False) == column
    return pl.when(column.is_null()).then(None).when(exact).then(_float_text(double)).otherwise(pl.lit(UNSAYABLE))


def _nested(column: pl.Expr, kind: pl.DataType) -> pl.Expr:
    if isinstance(kind, pl.Array):
        return _nested(column.cast(pl.List(kind.inner)), pl.List(kind.inner))
    if isinstance(kind, pl.List):
        items = column.list.eval(json_text(pl.element(), kind.inner).fill_null("null"))
        return pl.concat_str(pl.lit("["), items.list.join(","), pl.lit("]"))
    if isinstance(kind, pl.Struct):
        fields = [(one.name, json_text(column.struct.field(one.name), one.dtype)) for one in kind.fields]
        return pl.when(column.is_not_null()).then(object_text(fields))
    raise TypeError(f"{kind} holds no other values")


def parsed_texts(values: pl.Series) -> pl.Series:
    """Return the canonical form of JSON texts; null where a text is no JSON. Each distinct text is read once."""

    def canonical(text: str) -> str | None:
        try:
            return canonical_text(parsed(text))
        except ValueError:
            return None

    distinct = values.drop_nulls().unique()
    texts = pl.Series([canonical(text) for text in distinct], dtype=pl.String)
    return values.replace_strict(distinct, texts, default=None, return_dtype=pl.String)
