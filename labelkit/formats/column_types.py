"""The types of columns as JSON values, so that a manifest can say exactly what a text format cannot."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import polars as pl

from labelkit.errors import InvalidValue

if TYPE_CHECKING:
    from collections.abc import Mapping

    from polars.datatypes import DataTypeClass

_PLAIN: dict[str, pl.DataType] = {
    "i8": pl.Int8(),
    "i16": pl.Int16(),
    "i32": pl.Int32(),
    "i64": pl.Int64(),
    "u8": pl.UInt8(),
    "u16": pl.UInt16(),
    "u32": pl.UInt32(),
    "u64": pl.UInt64(),
    "f32": pl.Float32(),
    "f64": pl.Float64(),
    "bool": pl.Boolean(),
    "text": pl.String(),
    "bytes": pl.Binary(),
    "date": pl.Date(),
    "time": pl.Time(),
}
_NAMES = {kind: name for name, kind in _PLAIN.items()}
_WITH = re.compile(r"(datetime|duration|decimal)\[([^,\]]*)(?:,([^\]]*))?\]")


def types_of(columns: Mapping[str, pl.DataType]) -> list[list[Any]]:
    """Return columns with their types as JSON: `[["id", "text"], ["at", "datetime[us,UTC]"], ["tags", {"list": "text"}]]`.

    Raises `INVALID_VALUE` for a type that has no such form (categories, objects).
    """
    return [[name, _text(kind, name)] for name, kind in columns.items()]


def columns_of(types: list[list[Any]]) -> dict[str, pl.DataType]:
    """Return the columns that `types_of` gave. Raises ValueError where it gave no such thing."""
    return {str(name): _type(kind) for name, kind in types}


def made(kind: DataTypeClass | pl.DataType) -> pl.DataType:
    """Return a type that polars may give as a class as a value."""
    return kind if isinstance(kind, pl.DataType) else kind()


def _text(kind: pl.DataType, column: str) -> object:
    if kind in _NAMES:
        return _NAMES[kind]
    match kind:
        case pl.Datetime():
            return f"datetime[{kind.time_unit},{kind.time_zone or ''}]"
        case pl.Duration():
            return f"duration[{kind.time_unit}]"
        case pl.Decimal():
            return f"decimal[{kind.precision},{kind.scale}]"
        case pl.List():
            return {"list": _text(made(kind.inner), column)}
        case pl.Struct():
            return {"struct": [[field.name, _text(made(field.dtype), column)] for field in kind.fields]}
    raise InvalidValue(what=f"Column {column}", reason=f"{kind} cannot be exported", fix="Cast the column to text or numbers first.")


def _type(kind: object) -> pl.DataType:
    match kind:
        case str() if kind in _PLAIN:
            return _PLAIN[kind]
        case str() if found := _WITH.fullmatch(kind):
            return _parametric(*found.groups())
        case {"list": inner}:
            return pl.List(_type(inner))
        case {"struct": [*fields]}:
            return pl.Struct({name: _type(inner) for name, inner in fields})
    raise ValueError(f"{kind!r} is no type of a column")


def _parametric(name: str, first: str, second: str | None) -> pl.DataType:
    if name == "decimal":
        return pl.Decimal(int(first), int(second or 0))
    if first not in ("ns", "us", "ms"):
        raise ValueError(f"{first!r} is no unit of time")
    return pl.Duration(first) if name == "duration" else pl.Datetime(first, second or None)  # type: ignore[arg-type]  # one of three
