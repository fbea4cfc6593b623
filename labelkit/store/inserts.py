"""Rows into a table as one set: one row as parameters, small sets as one JSON parameter, large ones through a temporary Parquet file."""

from __future__ import annotations

import json
import math
import re
import tempfile
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl
from polars import selectors as cs

from labelkit.store.patterns import exact
from labelkit.store.values import bound, plain

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import duckdb

LARGE = 500  # rows; above, writing and scanning a Parquet file beats parsing JSON
_NAME = re.compile(r"[a-z_][a-z0-9_]*")
_BY_JSON = re.compile(r"(VARCHAR|JSON|BOOLEAN|TINYINT|SMALLINT|INTEGER|BIGINT|FLOAT|DOUBLE|TIMESTAMP|DATE)(\[\])?")


def insert(cursor: duckdb.DuckDBPyConnection, table: str, rows: Sequence[Mapping[str, object]] | pl.DataFrame) -> None:
    """Append `rows` to `table` in their order. Raises ValueError for rows of unequal keys."""
    if len(rows) == 0:
        return
    columns = rows.columns if isinstance(rows, pl.DataFrame) else list(rows[0])
    _must_be_names(table, columns)
    if len(rows) == 1 and not isinstance(rows, pl.DataFrame) and all(map(_is_simple, rows[0].values())):
        _by_values(cursor, table, rows[0])
        return
    types = _types(cursor, table, columns)
    if len(rows) <= LARGE and all(_BY_JSON.fullmatch(kind) for kind in types.values()):
        _by_json(cursor, table, types, rows.to_dicts() if isinstance(rows, pl.DataFrame) else rows)
    else:
        _by_parquet(cursor, table, types, rows)


def _must_be_names(table: str, columns: Sequence[str]) -> None:
    """Refuse what is not a name: it becomes part of the SQL."""
    if not _NAME.fullmatch(table):
        raise ValueError(f"not a table's name: {table!r}")
    strange = [column for column in columns if not _NAME.fullmatch(column)]
    if strange:
        raise ValueError(f"not names of columns: {strange}")


def _types(cursor: duckdb.DuckDBPyConnection, table: str, columns: Sequence[str]) -> dict[str, str]:
    described = cursor.execute(f"SELECT {', '.join(columns)} FROM {table} LIMIT 0").description
    return {name: str(kind) for name, kind, *_ in described}


def _is_simple(value: object) -> bool:
    """Say whether a value means the same as a parameter and as JSON: no infinity, no text that is no Unicode, nothing nested but texts."""
    if isinstance(value, float):
        return math.isfinite(value)
    if isinstance(value, str):
        return value.isascii() or value == value.encode(errors="ignore").decode()
    if isinstance(value, (tuple, list)):
        return all(isinstance(item, str) and _is_simple(item) for item in value)
    return value is None or isinstance(value, (int, datetime))


def _by_values(cursor: duckdb.DuckDBPyConnection, table: str, row: Mapping[str, object]) -> None:
    """Insert one row as parameters, in a third of the time of the others: most changes write single rows into several tables."""
    values = ", ".join(f"${name}" for name in row)
    cursor.execute(f"INSERT INTO {table} ({', '.join(row)}) VALUES ({values})", bound(row))


def _by_json(cursor: duckdb.DuckDBPyConnection, table: str, types: Mapping[str, str], rows: Sequence[Mapping[str, object]]) -> None:
    names = ", ".join(types)
    # A JSON column takes its value as text; as JSON the text would become a quoted string.
    structure = json.dumps([{name: kind.replace("JSON", "VARCHAR") for name, kind in types.items()}])
    cursor.execute(
        f"INSERT INTO {table} ({names}) SELECT {names} FROM (SELECT unnest(from_json_strict($rows::JSON, '{structure}'), max_depth := 2))",
        {"rows": json.dumps([dict(row) for row in _of_equal_keys(table, types, rows)], default=_json_value, allow_nan=False)},
    )


def _by_parquet(
    cursor: duckdb.DuckDBPyConnection, table: str, types: Mapping[str, str], rows: Sequence[Mapping[str, object]] | pl.DataFrame
) -> None:
    if not isinstance(rows, pl.DataFrame):
        rows = pl.DataFrame(
            [{name: plain(value) for name, value in row.items()} for row in _of_equal_keys(table, types, rows)], infer_schema_length=None
        )
    elif rows.select(cs.datetime(time_zone=None)).width:
        raise ValueError(f"times without a zone in rows for table {table!r}")
    frame = rows.select(list(types)).with_columns(cs.datetime(time_zone="*").dt.convert_time_zone("UTC").dt.replace_time_zone(None))
    values = ", ".join(f"CAST({name} AS {kind})" for name, kind in types.items())
    with tempfile.TemporaryDirectory(prefix="labelkit-insert-") as folder:
        file = str(Path(folder, "rows.parquet"))
        frame.write_parquet(file)
        cursor.execute(f"INSERT INTO {table} ({', '.join(types)}) SELECT {values} FROM read_parquet($file)", {"file": exact(file)})


def _of_equal_keys(table: str, types: Mapping[str, str], rows: Sequence[Mapping[str, object]]) -> Sequence[Mapping[str, object]]:
    for row in rows:
        if row.keys() != types.keys():
            raise ValueError(f"rows of unequal keys for table {table!r}: {sorted(row)} and {sorted(types)}")
    return rows


def _json_value(value: object) -> object:
    plain_value = plain(value)
    if isinstance(plain_value, datetime):
        return plain_value.isoformat()
    if plain_value is value:
        raise ValueError(f"no value for a column: {value!r}")
    return plain_value
