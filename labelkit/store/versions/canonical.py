"""The one form of rows: columns and types, order and values, so that equal rows are equal bytes; and the digest of a run of rows.

A digest covers, column by column in the order of their names, which values are null, and the values as bytes: little-endian numbers,
text as lengths and UTF-8, lists as lengths and the column of their items. Only numpy and hashlib make it, never the text form of a float
and never the bytes of a Parquet file, so that no other version of an engine changes it.
"""

from __future__ import annotations

import hashlib
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from labelkit.core.hashing import canonical_json
from labelkit.errors import InvalidValue, KeysNotUnique, SchemaMismatch

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray
    from polars.datatypes import DataTypeClass

CHUNK_FORMAT = "labelkit.chunk.v1"
RESERVED = "row_digest"  # rows of built datasets bring digests of their own in a column of this name
BATCH_ROWS = 1 << 19  # rows whose bytes are in memory at once while they are digested

_PLAIN: dict[type[pl.DataType], str] = {
    pl.Int8: "i8",
    pl.Int16: "i16",
    pl.Int32: "i32",
    pl.Int64: "i64",
    pl.UInt8: "u8",
    pl.UInt16: "u16",
    pl.UInt32: "u32",
    pl.UInt64: "u64",
    pl.Float32: "f32",
    pl.Float64: "f64",
    pl.Boolean: "bool",
    pl.String: "text",
    pl.Binary: "bytes",
    pl.Date: "date",
    pl.Time: "time",
}
EXAMPLES = 5


def canonical(rows: pl.DataFrame, key: str) -> pl.DataFrame:
    """Return rows in their one form: ascending by key, the key first, other columns by name, each type and value in one spelling.

    Categories become text, arrays lists, columns of nothing but null text; an integer key becomes Int64; -0.0 becomes 0.0 and every NaN
    the same NaN. Fields of a struct keep their order, which is part of its type. Raises `INVALID_VALUE` for a key that is missing, null
    or neither text nor integer and for a type that has no such form, and `KEYS_NOT_UNIQUE`.
    """
    if key not in rows.columns:
        raise InvalidValue(what="key", reason=f"there is no column {key!r}", fix=_columns_hint(rows))
    if RESERVED in rows.columns:
        raise InvalidValue(what="columns", reason=f"{RESERVED} is a name of built datasets", fix="Rename the column.")
    others = sorted(name for name in rows.columns if name != key)
    made = rows.select(
        _key(pl.col(key), rows.schema[key], key), *(_spelled(pl.col(name), rows.schema[name], name).alias(name) for name in others)
    )
    nulls = made[key].null_count()
    if nulls:
        raise InvalidValue(what=f"Column {key}", reason=f"{nulls:,} rows have no key", fix="Give each row a key, or leave these rows out.")
    return _in_order(made, key)


def _columns_hint(rows: pl.DataFrame) -> str:
    return f"Use one of: {', '.join(rows.columns[:20])}." if rows.columns else "Give rows: these have no columns at all."


def schema_text(rows: pl.DataFrame) -> str:
    """Return the columns of canonical rows with their types as one canonical text."""
    return canonical_json([[name, _type_text(kind, name)] for name, kind in sorted(rows.schema.items())]).decode()


def chunk_digests(rows: pl.DataFrame, ends: Sequence[int], schema: str) -> list[str]:
    """Return the digest of each run of canonical rows; `ends` ascend from 0 over the end of each run to the number of rows."""
    digests: list[str] = []
    for first, last in _batches(ends):
        bounds = np.asarray(ends[first : last + 1], dtype=np.int64)
        part = rows.slice(int(bounds[0]), int(bounds[-1] - bounds[0]))
        bounds = bounds - bounds[0]
        states = [hashlib.sha256(f"{CHUNK_FORMAT}\n{schema}\n{end - begin}\n".encode()) for begin, end in pairwise(bounds.tolist())]
        for name in sorted(part.columns):
            _feed(states, part[name], bounds)
        digests += [state.hexdigest() for state in states]
    return digests


def _batches(ends: Sequence[int]) -> Iterator[tuple[int, int]]:
    """Yield runs from and to, so that each batch has at most `BATCH_ROWS` rows, or one run."""
    first = 0
    for last in range(1, len(ends)):
        if last + 1 == len(ends) or ends[last + 1] - ends[first] > BATCH_ROWS:
            yield first, last
            first = last


# --- one spelling


def _in_order(rows: pl.DataFrame, key: str) -> pl.DataFrame:
    keys = rows[key]
    if not _ascends(keys):
        rows = rows.sort(key)
        keys = rows[key]
        if not _ascends(keys):
            twice = keys.filter(keys.is_duplicated()).unique(maintain_order=True)
            raise KeysNotUnique(key=key, count=len(twice), examples=", ".join(map(repr, twice.head(EXAMPLES).to_list())))
    return rows


def _ascends(keys: pl.Series) -> bool:
    return len(keys) < 2 or bool((keys.slice(1) > keys.slice(0, len(keys) - 1)).all())


def _key(column: pl.Expr, kind: pl.DataType, key: str) -> pl.Expr:
    if kind.is_integer():
        return column.cast(pl.Int64)
    if isinstance(kind, (pl.Categorical, pl.Enum)) or kind == pl.String:
        return column.cast(pl.String)
    raise InvalidValue(what=f"Column {key}", reason=f"{kind} is no type of a key", fix="Use a column of text or whole numbers as the key.")


def _spelled(column: pl.Expr, kind: pl.DataType, name: str) -> pl.Expr:
    if isinstance(kind, (pl.Categorical, pl.Enum, pl.Null)):
        return column.cast(pl.String)
    if isinstance(kind, (pl.Float32, pl.Float64)):
        return pl.when(column == 0).then(pl.lit(0.0, kind)).when(column.is_nan()).then(pl.lit(float("nan"), kind)).otherwise(column)
    if isinstance(kind, pl.Array):
        return _spelled(column.cast(pl.List(kind.inner)), pl.List(kind.inner), name)
    if isinstance(kind, pl.List):
        inner = _made(kind.inner)
        return column.list.eval(_spelled(pl.element(), inner, name)) if _varies(inner) else column
    if isinstance(kind, pl.Struct) and _varies(kind):
        fields = [_spelled(column.struct.field(field.name), _made(field.dtype), name).alias(field.name) for field in kind.fields]
        return pl.when(column.is_null()).then(None).otherwise(pl.struct(fields))
    _type_text(kind, name)
    return column


def _varies(kind: pl.DataType) -> bool:
    """Say whether values of a type can be spelled in several ways."""
    if isinstance(kind, (pl.List, pl.Array)):
        return isinstance(kind, pl.Array) or _varies(_made(kind.inner))
    if isinstance(kind, pl.Struct):
        return any(_varies(_made(field.dtype)) for field in kind.fields)
    return isinstance(kind, (pl.Float32, pl.Float64, pl.Categorical, pl.Enum, pl.Null))


def _made(kind: DataTypeClass | pl.DataType) -> pl.DataType:
    return kind if isinstance(kind, pl.DataType) else kind()


def _type_text(kind: pl.DataType, name: str) -> str:
    if type(kind) in _PLAIN:
        return _PLAIN[type(kind)]
    match kind:
        case pl.Datetime():
            return f"datetime[{kind.time_unit},{kind.time_zone or ''}]"
        case pl.Duration():
            return f"duration[{kind.time_unit}]"
        case pl.Decimal():
            return f"decimal[{kind.precision},{kind.scale}]"
        case pl.List():
            return f"list[{_type_text(_made(kind.inner), name)}]"
        case pl.Struct():
            fields = [[field.name, _type_text(_made(field.dtype), name)] for field in kind.fields]
            return f"struct{canonical_json(fields).decode()}"
    raise InvalidValue(what=f"Column {name}", reason=f"{kind} has no canonical form", fix="Cast the column to text or numbers first.")


# --- values as bytes


def _feed(states: list[hashlib._Hash], column: pl.Series, ends: NDArray[np.int64]) -> None:
    """Feed the run of values between each two ends to the state of that run."""
    nulls = column.null_count() > 0
    there = column.is_not_null().cast(pl.UInt8).to_numpy() if nulls else np.ones(len(column), dtype=np.uint8)
    _split(states, there, ends)
    kind = column.dtype
    if isinstance(kind, pl.List):
        lengths = column.list.len().fill_null(0)
        _split(states, _little(lengths.to_numpy(), "<u4"), ends)
        _feed(states, column.filter(lengths > 0).explode(), _positions(lengths)[ends])
    elif isinstance(kind, pl.Struct):
        for field in kind.fields:
            inner = column.struct.field(field.name)
            _feed(states, inner, ends)
    elif isinstance(kind, (pl.String, pl.Binary, pl.Decimal)):
        _feed_text(states, column if isinstance(kind, pl.Binary) else column.cast(pl.String), ends)
    else:
        plain = column.cast(pl.UInt8) if isinstance(kind, pl.Boolean) else column.to_physical() if kind.is_temporal() else column
        numbers = (plain.fill_null(0) if nulls else plain).to_numpy()
        _split(states, _little(numbers, numbers.dtype.newbyteorder("<")), ends)


def _feed_text(states: list[hashlib._Hash], column: pl.Series, ends: NDArray[np.int64]) -> None:
    if isinstance(column.dtype, pl.Binary):
        lengths, data = column.bin.size().fill_null(0), b"".join(column.drop_nulls().to_list())
    else:
        text = pl.col("text")  # both in one query: a chunk is small, and asking costs more than the work
        found = column.to_frame("text").select(
            text.str.len_bytes().fill_null(0).implode().alias("lengths"), text.str.join("").alias("data")
        )
        lengths, data = found["lengths"][0], found["data"][0].encode()
    _split(states, _little(lengths.to_numpy(), "<u4"), ends)
    _split(states, np.frombuffer(data, dtype=np.uint8), _positions(lengths)[ends])


def _positions(lengths: pl.Series) -> NDArray[np.int64]:
    """Return where each item starts when all stand one behind the other, and where the last one ends."""
    return np.concatenate([[0], np.cumsum(lengths.to_numpy(), dtype=np.int64)])


def _little(numbers: NDArray[np.generic], kind: str | np.dtype[np.generic]) -> NDArray[np.generic]:
    return np.ascontiguousarray(numbers.astype(kind, copy=False))


def _split(states: list[hashlib._Hash], values: NDArray[np.generic], ends: NDArray[np.int64]) -> None:
    view = np.ascontiguousarray(values).view(np.uint8).data
    width = values.dtype.itemsize
    for state, (begin, end) in zip(states, pairwise(ends.tolist()), strict=True):
        state.update(view[begin * width : end * width])


def fitted(rows: pl.DataFrame, form: pl.DataFrame, name: str) -> pl.DataFrame:
    """Return canonical rows in the columns and types of `form`. Raises `SCHEMA_MISMATCH` for other columns and values that do not fit."""
    fix = "A delta has the columns of the version it changes; to change columns, commit all rows without upsert."
    missing, strange = sorted(set(form.columns) - set(rows.columns)), sorted(set(rows.columns) - set(form.columns))
    if missing or strange:
        parts = [f"{what} {', '.join(names)}" for what, names in (("without", missing), ("with", strange)) if names]
        raise SchemaMismatch(what=f"The rows for {name}", reason=f"they come {' and '.join(parts)}", fix=fix)
    return rows.select(_cast_exactly(rows[column], kind, name, fix) for column, kind in form.schema.items())


def _cast_exactly(values: pl.Series, kind: pl.DataType, name: str, fix: str) -> pl.Series:
    if values.dtype == kind:
        return values
    try:
        cast = values.cast(kind)
        if values.null_count() == len(values) or not cast.cast(values.dtype).ne_missing(values).any():
            return cast
    except pl.exceptions.PolarsError:
        pass
    reason = f"column {values.name} is {kind} there, and not all values of {values.dtype} fit"
    raise SchemaMismatch(what=f"The rows for {name}", reason=reason, fix=fix)
