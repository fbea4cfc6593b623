"""Values of any type as JSON has them, and back: dates and times as ISO 8601 text, decimals as text, bytes as base64.

What JSON has no number for (NaN, infinities) is the text `NaN`, `Infinity` or `-Infinity`; a duration is the number of its units; a 32 bit
float is the same number in 64 bits. A date or time outside the years 1 to 9999 is the number of days or units since 1970, as text. Text,
numbers, flags, lists and structs are themselves.
"""

from __future__ import annotations

import json
from io import BytesIO
from typing import TYPE_CHECKING

import polars as pl

from labelkit.formats.column_types import made

if TYPE_CHECKING:
    from collections.abc import Mapping

ODD = {"NaN": float("nan"), "Infinity": float("inf"), "-Infinity": float("-inf")}
_DAYS = (-719_162, 2_932_896)  # since 1970, of 0001-01-01 and 9999-12-31
_A_DAY = {"ms": 86_400_000, "us": 86_400_000_000, "ns": 86_400_000_000_000}
_STAND_INS = 16
_NARROW = (pl.Int8, pl.Int16, pl.UInt8, pl.UInt16)


def wire_type(kind: pl.DataType, *, floats: pl.DataType | None = None) -> pl.DataType:
    """Return the type in which values of `kind` stand in JSON; floats as another one where it is named."""
    match kind:
        case pl.Float32() | pl.Float64():
            return floats or pl.Float64()
        case pl.Decimal() | pl.Date() | pl.Datetime() | pl.Time() | pl.Binary():
            return pl.String()
        case pl.Duration():
            return pl.Int64()
        case pl.List():
            return pl.List(wire_type(made(kind.inner), floats=floats))
        case pl.Struct():
            return pl.Struct({field.name: wire_type(made(field.dtype), floats=floats) for field in kind.fields})
    return kind


def to_wire(column: pl.Expr, kind: pl.DataType) -> pl.Expr:  # noqa: C901, PLR0911  # a table: one line a type
    """Return values of `kind` in their wire type."""
    if wire_type(kind) == kind:
        return column
    match kind:
        case pl.Float32():
            return column.cast(pl.Float64)
        case pl.Decimal():
            return column.cast(pl.String)
        case pl.Binary():
            return column.bin.encode("base64")
        case pl.Duration():
            return column.to_physical()
        case pl.Time():
            return column.dt.to_string("iso:strict")
        case pl.Date():
            return _dated(column, column.to_physical().cast(pl.Int64), 1)
        case pl.Datetime():
            plain = column.dt.convert_time_zone("UTC").dt.replace_time_zone(None) if kind.time_zone else column
            return _dated(plain, column.to_physical(), _A_DAY[kind.time_unit], "Z" if kind.time_zone else "")
        case pl.List():
            return column.list.eval(to_wire(pl.element(), made(kind.inner)))
        case pl.Struct():
            fields = [to_wire(column.struct.field(field.name), made(field.dtype)).alias(field.name) for field in kind.fields]
            return pl.when(column.is_not_null()).then(pl.struct(fields))
    raise TypeError(f"{kind} has no form in JSON")


def from_wire(column: pl.Expr, kind: pl.DataType) -> pl.Expr:  # noqa: PLR0911  # a table: one line a type
    """Return values of their wire type, floats maybe as text, as `kind`. Raises a polars error for what is no such value."""
    match kind:
        case pl.Float32() | pl.Float64() | pl.Decimal():
            return column.cast(kind)
        case pl.Binary():
            return column.str.decode("base64")
        case pl.Duration():
            return column.cast(kind)
        case pl.Time():
            return column.str.to_time("%H:%M:%S%.f")
        case pl.Date():
            return _read(column, column.str.to_date("%Y-%m-%d", strict=False), kind)
        case pl.Datetime():
            text = column.str.strip_suffix("Z").str.to_datetime("%Y-%m-%dT%H:%M:%S%.f", time_unit=kind.time_unit, strict=False)
            zoned = text.dt.replace_time_zone("UTC").dt.convert_time_zone(kind.time_zone) if kind.time_zone else text
            return _read(column, zoned, kind)
        case pl.List() if _varies(kind):
            return column.list.eval(from_wire(pl.element(), made(kind.inner)))
        case pl.Struct() if _varies(kind):
            fields = [from_wire(column.struct.field(field.name), made(field.dtype)).alias(field.name) for field in kind.fields]
            return pl.when(column.is_not_null()).then(pl.struct(fields))
    return column


def encoded(rows: pl.DataFrame) -> pl.Series:
    """Return each row, of any types, as the text of one JSON object, fields in the order of the columns."""
    wire = to_wire_rows(rows)
    found = _odd_numbers(wire)
    return _with_odd(wire, found) if found else _objects(wire)


def encoded_lines(rows: pl.DataFrame) -> bytes:
    """Return the texts of `encoded` as bytes, each with a line feed behind it. At least one column."""
    wire, out = to_wire_rows(rows), BytesIO()
    found = _odd_numbers(wire)
    if found:
        return as_lines(_with_odd(wire, found))
    wire.write_ndjson(out)  # the same text, laid out once
    return out.getvalue()


def as_lines(texts: pl.Series) -> bytes:
    """Return texts without line feeds or nulls as bytes, each with a line feed behind it."""
    out = BytesIO()
    texts.to_frame().write_csv(out, include_header=False, quote_style="never", separator="\x1f")
    return out.getvalue()


def to_wire_rows(rows: pl.DataFrame) -> pl.DataFrame:
    """Return rows with all values in their wire types; rows that have no others as they are."""
    if all(wire_type(kind) == kind for kind in rows.schema.values()):
        return rows
    return rows.select(to_wire(pl.col(name), kind).alias(name) for name, kind in rows.schema.items())


def _odd_numbers(wire: pl.DataFrame) -> dict[str, int]:
    """Return how often each number that JSON does not have is among the values; those that are not there are left out."""
    odd = {name: kind for name, kind in wire.schema.items() if _floats(kind)}
    plain = [wire[name] for name, kind in odd.items() if isinstance(kind, pl.Float64)]
    if plain:  # all at once: most have none
        finite = pl.DataFrame(plain).select(pl.all().is_finite().all()).row(0, named=True)
        odd = {name: kind for name, kind in odd.items() if not finite.get(name)}
    found = {text: sum(int(_count(wire[name], kind, value)) for name, kind in odd.items()) for text, value in ODD.items()}
    return {text: count for text, count in found.items() if count}


def _objects(wire: pl.DataFrame) -> pl.Series:
    return wire.select(pl.struct(pl.all()).struct.json_encode().alias("text")).to_series()


def _with_odd(wire: pl.DataFrame, found: Mapping[str, int]) -> pl.Series:
    """Encode with a number of our choice in place of each odd one, then put its text there; a number that comes anyway is not chosen."""
    for attempt in range(_STAND_INS):
        chosen = {text: float(f"-{number + 1}.{attempt:02d}718281828459e-287") for number, text in enumerate(ODD) if text in found}
        marks = {text: _objects(pl.DataFrame({"x": [value]}))[0][5:-1] for text, value in chosen.items()}
        stood = wire.select(_exchanged(pl.col(name), kind, chosen).alias(name) for name, kind in wire.schema.items())
        lines = _objects(stood)
        if all(int(lines.str.count_matches(mark, literal=True).sum()) == found[text] for text, mark in marks.items()):
            for text, mark in marks.items():
                lines = lines.str.replace_all(mark, f'"{text}"', literal=True)
            return lines
    raise ValueError("every number that could stand for NaN is among the values")


def _exchanged(column: pl.Expr, kind: pl.DataType, chosen: Mapping[str, float]) -> pl.Expr:
    match kind:
        case pl.Float64():
            for text, value in chosen.items():
                column = pl.when(_is(column, ODD[text])).then(pl.lit(value)).otherwise(column)
            return column
        case pl.List() if _floats(kind):
            return column.list.eval(_exchanged(pl.element(), made(kind.inner), chosen))
        case pl.Struct() if _floats(kind):
            fields = [_exchanged(column.struct.field(field.name), made(field.dtype), chosen).alias(field.name) for field in kind.fields]
            return pl.when(column.is_not_null()).then(pl.struct(fields))
    return column


def _is(column: pl.Expr, value: float) -> pl.Expr:
    return column.is_nan() if value != value else column == value  # noqa: PLR0124  # NaN alone differs from itself


def _count(values: pl.Series, kind: pl.DataType, value: float) -> int:
    match kind:
        case pl.Float64():
            return int((values.is_nan() if value != value else values == value).sum() or 0)  # noqa: PLR0124  # as above
        case pl.List() if _floats(kind):
            return _count(values.explode(), made(kind.inner), value)
        case pl.Struct():
            return sum(_count(values.struct.field(field.name), made(field.dtype), value) for field in kind.fields)
    return 0


def _floats(kind: pl.DataType) -> bool:
    """Say whether values of a wire type hold floats."""
    match kind:
        case pl.List():
            return _floats(made(kind.inner))
        case pl.Struct():
            return any(_floats(made(field.dtype)) for field in kind.fields)
    return isinstance(kind, pl.Float64)


def _varies(kind: pl.DataType) -> bool:
    return wire_type(kind, floats=pl.String()) != kind


def _dated(column: pl.Expr, number: pl.Expr, a_day: int, zone: str = "") -> pl.Expr:
    low, high = _DAYS[0] * a_day, (_DAYS[1] + 1) * a_day - 1
    inside = number.is_between(max(low, -(2**63)), min(high, 2**63 - 1))
    text = pl.when(inside).then(column).dt.to_string("iso:strict")
    return pl.when(inside).then(text + zone if zone else text).otherwise(number.cast(pl.String))


def _read(column: pl.Expr, parsed: pl.Expr, kind: pl.DataType) -> pl.Expr:
    """Return what was parsed, elsewhere the number that the text is; a text that is neither raises."""
    number = pl.when(parsed.is_null()).then(column).cast(pl.Int64).cast(pl.Int32 if isinstance(kind, pl.Date) else pl.Int64).cast(kind)
    return pl.coalesce(parsed, number)


def decoded(lines: bytes, columns: Mapping[str, pl.DataType]) -> pl.DataFrame:
    """Return the rows that lines of JSON objects are, in these columns. Raises a polars error for lines that are no such rows."""
    try:
        wire = pl.read_ndjson(BytesIO(lines), schema={name: _read_type(wire_type(kind)) for name, kind in columns.items()})
    except pl.exceptions.PolarsError:  # maybe a number is the text NaN
        floats = {name: _read_type(wire_type(kind, floats=pl.String())) for name, kind in columns.items()}
        wire = pl.read_ndjson(BytesIO(lines), schema=floats)
    return wire.select(_narrowed(from_wire(pl.col(name), kind), kind).alias(name) for name, kind in columns.items())


def _read_type(kind: pl.DataType) -> pl.DataType:
    """Return the type that a column is read in: polars reads no columns of narrow whole numbers."""
    return pl.Int64() if isinstance(kind, _NARROW) else kind


def _narrowed(column: pl.Expr, kind: pl.DataType) -> pl.Expr:
    return column.cast(kind) if isinstance(kind, _NARROW) else column


def quoted_name(name: str) -> str:
    """Return the name of a column as JSON text."""
    return json.dumps(name, ensure_ascii=False)
