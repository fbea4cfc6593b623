"""Rows into a table as one set: small sets as one JSON parameter, large ones through a temporary Parquet file."""

from __future__ import annotations

import json
import re
import tempfile
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl
from polars import selectors as cs

if TYPE_CHECKING:
    import duckdb

LARGE = 1000  # rows; above, writing and scanning a Parquet file beats parsing JSON
_NAME = re.compile(r"[a-z_][a-z0-9_]*")
_BY_JSON = re.compile(r"(VARCHAR|JSON|BOOLEAN|TINYINT|SMALLINT|INTEGER|BIGINT|FLOAT|DOUBLE|TIMESTAMP|DATE)(\[\])?")


def insert(cursor: duckdb.DuckDBPyConnection, table: str, rows: Sequence[Mapping[str, object]] | pl.DataFrame) -> None:
    """Append `rows` to `table` in their order. Raises ValueError for a name that is none of its columns or rows of unequal keys."""
    if len(rows) == 0:
        return
    columns = rows.columns if isinstance(rows, pl.DataFrame) else list(rows[0])
    types = _types(cursor, table, columns)
    if len(rows) <= LARGE and all(_BY_JSON.fullmatch(kind) for kind in types.values()):
        _by_json(cursor, table, types, rows.to_dicts() if isinstance(rows, pl.DataFrame) else rows)
    else:
        _by_parquet(cursor, table, types, rows)


def _types(cursor: duckdb.DuckDBPyConnection, table: str, columns: Sequence[str]) -> dict[str, str]:
    """Return the type of each column; the names are checked here because they become part of the SQL."""
    if not _NAME.fullmatch(table):
        raise ValueError(f"not a table's name: {table!r}")
    known: dict[str, str] = dict(
        cursor.execute(
            "SELECT column_name, data_type FROM information_schema.columns"
            " WHERE table_catalog = current_database() AND table_schema = 'main' AND table_name = $table",
            {"table": table},
        ).fetchall()
    )
    strange = [column for column in columns if column not in known or not _NAME.fullmatch(column)]
    if strange:
        raise ValueError(f"table {table!r} has no columns {strange}")
    return {column: known[column] for column in columns}


def _by_json(cursor: duckdb.DuckDBPyConnection, table: str, types: Mapping[str, str], rows: Sequence[Mapping[str, object]]) -> None:
    for row in rows:
        if row.keys() != types.keys():
            raise ValueError(f"rows of unequal keys for table {table!r}: {sorted(row)} and {sorted(types)}")
    names = ", ".join(types)
    # A JSON column takes its value as text; as JSON the text would become a quoted string.
    structure = json.dumps([{name: kind.replace("JSON", "VARCHAR") for name, kind in types.items()}])
    cursor.execute(
        f"INSERT INTO {table} ({names}) SELECT {names} FROM (SELECT unnest(from_json($rows::JSON, '{structure}'), max_depth := 2))",
        {"rows": json.dumps(list(map(dict, rows)), default=_json_value, allow_nan=False)},
    )


def _by_parquet(
    cursor: duckdb.DuckDBPyConnection, table: str, types: Mapping[str, str], rows: Sequence[Mapping[str, object]] | pl.DataFrame
) -> None:
    frame = rows if isinstance(rows, pl.DataFrame) else pl.DataFrame(list(rows), infer_schema_length=None)
    frame = frame.select(list(types)).with_columns(cs.datetime(time_zone="*").dt.convert_time_zone("UTC").dt.replace_time_zone(None))
    values = ", ".join(f"CAST({name} AS {kind})" for name, kind in types.items())
    with tempfile.TemporaryDirectory(prefix="labelkit-insert-") as folder:
        file = str(Path(folder, "rows.parquet"))
        frame.write_parquet(file)
        cursor.execute(f"INSERT INTO {table} ({', '.join(types)}) SELECT {values} FROM read_parquet($file)", {"file": file})


def _json_value(value: object) -> object:
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, datetime) and value.tzinfo is not None:
        return value.astimezone(UTC).replace(tzinfo=None).isoformat()
    raise ValueError(f"no value for a column: {value!r}")
