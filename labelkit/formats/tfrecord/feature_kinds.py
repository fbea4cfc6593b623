"""Rows of any types as the features of tf.train.Example, and back: each feature is a flat list of numbers or byte strings a row.

| value | feature |
|---|---|
| whole number, truth value, date, time | int64, of dates and times the number in their unit since 1970 or midnight |
| Float32, Float64 | float, which has 32 bits; rows whose numbers need 64 have also `NAME/float64`, the doubles as little-endian bytes |
| text, Binary | bytes; also UInt64, Int128 and Decimal, as their digits |
| list | the feature has many values; places of nulls stand in `NAME/null` |
| struct | its fields, as `NAME/FIELD`; one with nothing but nulls in it has `NAME/empty` |
| list in a list | `NAME/item`, all items one behind the other, and `NAME/lengths` |
| null | no feature |
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

import numpy as np
import polars as pl

from labelkit.errors import InvalidValue
from labelkit.formats.column_types import made

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from numpy.typing import NDArray

Kind: TypeAlias = Literal["bytes", "float", "int64", "doubles"]
NULL, EMPTY, ITEM, LENGTHS, FLOAT64 = "null", "empty", "item", "lengths", "float64"
_DIGITS = (pl.UInt64, pl.Int128, pl.Decimal)


@dataclass(frozen=True, slots=True)
class Feature:
    """One feature of n rows: m values without nulls in row order, the row of each (m), and which rows have the feature at all (n).

    Values are Binary or text, Float32 or Int64; of the kind `doubles`, Float64, which become one byte string a row.
    """

    name: str
    kind: Kind
    values: pl.Series
    rows: NDArray[np.int64]
    present: NDArray[np.bool_]


def features_of(column: pl.Series) -> Iterator[Feature]:
    """Yield the features of a column. Raises `INVALID_VALUE` for a type that has none."""
    yield from _one_each(column.name, column)


def names_of(columns: Mapping[str, pl.DataType]) -> list[str]:
    """Return the names of all features that such rows can have. Raises `INVALID_VALUE` where two columns want the same."""
    names: dict[str, str] = {}
    for column, kind in columns.items():
        for name in _names(column, made(kind), within_list=False):
            if name in names:
                reason = f"columns {names[name]!r} and {column!r} would both be in the feature {name!r}"
                raise InvalidValue(what="columns", reason=reason, fix="Rename one of the columns.")
            names[name] = column
    return list(names)


def kind_of(kind: pl.DataType, column: str) -> Kind:
    """Return the kind of feature that values of a plain type become. Raises `INVALID_VALUE` for a type that has none."""
    if isinstance(kind, (pl.Float32, pl.Float64)):
        return "float"
    if isinstance(kind, (pl.String, pl.Binary, pl.Categorical, pl.Enum, *_DIGITS)):
        return "bytes"
    if kind.is_integer() or kind.is_temporal() or isinstance(kind, (pl.Boolean, pl.Null)):
        return "int64"
    raise InvalidValue(what=f"Column {column}", reason=f"{kind} has no place in TFRecord", fix="Cast the column to text or numbers first.")


def _names(name: str, kind: pl.DataType, *, within_list: bool) -> Iterator[str]:
    if within_list:
        yield f"{name}/{NULL}"
    match kind:
        case pl.Struct():
            if not kind.fields:
                raise InvalidValue(what=f"Column {name}", reason="a struct without fields has no place in TFRecord", fix="Drop the column.")
            if not within_list:
                yield f"{name}/{EMPTY}"
            for field in kind.fields:
                yield from _names(f"{name}/{field.name}", made(field.dtype), within_list=within_list)
        case pl.List() | pl.Array():
            if within_list:
                yield f"{name}/{LENGTHS}"
            yield from _names(f"{name}/{ITEM}" if within_list else name, made(kind.inner), within_list=True)
        case _:
            kind_of(kind, name)
            yield name
            if isinstance(kind, pl.Float64):
                yield f"{name}/{FLOAT64}"


def _one_each(name: str, values: pl.Series) -> Iterator[Feature]:
    """Yield the features of values of which each row has one or null."""
    present = values.is_not_null().to_numpy()
    match values.dtype:
        case pl.Struct() as kind:
            fields = [values.struct.field(field.name) for field in kind.fields]
            for field in fields:
                yield from _one_each(f"{name}/{field.name}", field)
            hollow = present & ~np.any([field.is_not_null().to_numpy() for field in fields], axis=0)
            rows = np.flatnonzero(hollow)
            yield Feature(f"{name}/{EMPTY}", "int64", pl.Series(np.ones(len(rows), np.int64)), rows, hollow)
        case pl.List() | pl.Array():
            items, lengths = _items(values)
            yield from _many_each(name, items, np.repeat(np.arange(len(values)), lengths), present)
        case _:
            yield from _plain(name, values.drop_nulls(), np.flatnonzero(present), present)


def _many_each(name: str, values: pl.Series, rows: NDArray[np.int64], present: NDArray[np.bool_]) -> Iterator[Feature]:
    """Yield the features of m values that belong to `rows`, of which any number may have the same one."""
    nulls = values.is_null().to_numpy()
    if nulls.any():
        firsts = np.searchsorted(rows, rows[nulls])
        with_nulls = np.zeros(len(present), np.bool_)
        with_nulls[rows[nulls]] = True
        yield Feature(f"{name}/{NULL}", "int64", pl.Series(np.flatnonzero(nulls) - firsts), rows[nulls], with_nulls)
    match values.dtype:
        case pl.Struct() as kind:
            for field in kind.fields:
                yield from _many_each(f"{name}/{field.name}", values.struct.field(field.name), rows, present)
        case pl.List() | pl.Array():
            items, lengths = _items(values)
            yield Feature(f"{name}/{LENGTHS}", "int64", pl.Series(lengths), rows, present)
            yield from _many_each(f"{name}/{ITEM}", items, np.repeat(rows, lengths), present)
        case kind:
            yield from _plain(name, _filled(values, kind), rows, present)


def _items(lists: pl.Series) -> tuple[pl.Series, NDArray[np.int64]]:
    kind = lists.dtype
    lists = lists.cast(pl.List(kind.inner)) if isinstance(kind, pl.Array) else lists
    lengths = lists.list.len().fill_null(0).cast(pl.Int64)
    return lists.filter(lengths > 0).explode(), lengths.to_numpy()


def _filled(values: pl.Series, kind: pl.DataType) -> pl.Series:
    if not values.null_count():
        return values
    if isinstance(kind, pl.Null):
        return values.cast(pl.Int64).fill_null(0)
    if isinstance(kind, pl.Binary):
        return values.fill_null(b"")
    plain = values.to_physical() if kind.is_temporal() else values
    if kind_of(kind, values.name) == "bytes":
        return plain.cast(pl.String).fill_null("0" if isinstance(kind, _DIGITS) else "")
    return plain.cast(pl.Int8).fill_null(0) if isinstance(kind, pl.Boolean) else plain.fill_null(0)


def _plain(name: str, values: pl.Series, rows: NDArray[np.int64], present: NDArray[np.bool_]) -> Iterator[Feature]:
    kind = kind_of(values.dtype, name)
    if kind == "int64":
        values = values.to_physical().cast(pl.Int64)
    elif kind == "float":
        if isinstance(values.dtype, pl.Float64):
            yield from _doubles(name, values, rows, len(present))
        values = values.cast(pl.Float32)
    elif not isinstance(values.dtype, pl.Binary):
        values = values.cast(pl.String)
    yield Feature(name, kind, values, rows, present)


def _doubles(name: str, values: pl.Series, rows: NDArray[np.int64], count: int) -> Iterator[Feature]:
    """Yield the exact numbers of those rows that have one which 32 bits do not hold."""
    numbers = values.to_numpy()
    with np.errstate(over="ignore"):
        inexact = (numbers.astype(np.float32) != numbers) & ~np.isnan(numbers)
    if inexact.any():
        present = np.zeros(count, np.bool_)
        present[rows[inexact]] = True
        chosen = present[rows]
        yield Feature(f"{name}/{FLOAT64}", "doubles", values.filter(pl.Series(chosen)), rows[chosen], present)
