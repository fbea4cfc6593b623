"""Decisions in a DuckDB file: a table or one SELECT, read through a fence into a Parquet file that is then scanned piece by piece.

The fence is that of quality rules: the statement is read as a syntax tree first and may hold only what a query over the file's own
tables needs; the file is attached read-only in an instance of its own whose settings are locked and which opens no other file.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import duckdb
import polars as pl

from labelkit.errors import NotFound, SourceNotFound, SourceNotSupported, SourceQueryRefused, SourceUnreadable
from labelkit.store.datasets.quality_sandbox import CONFIG, RefusedError, check
from labelkit.store.engine import WRITING
from labelkit.store.place import quoted
from labelkit.store.statements import first_sentence

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from labelkit.errors import LabelkitError

_AS_TEXT = re.compile(r"UUID|INTERVAL|BIT|TIME WITH TIME ZONE|ENUM\(.*")
_WIDE = re.compile(r"U?HUGEINT")
_LOSSY = re.compile(r"HUGEINT|UUID|INTERVAL|\bBIT\b|TIME WITH TIME ZONE|UNION\(|\bVARINT\b|\bBIGNUM\b|GEOMETRY")
_MESSAGE = 300
_FILE = "labelkit_decisions"  # what the file is called while it is attached; no schema in it should have that name


@dataclass(frozen=True, slots=True)
class Asked:
    """What of a DuckDB file is wanted: a table (or view) by its name, or a query with its parameters."""

    table: str | None = None
    query: str | None = None
    parameters: Mapping[str, object] | None = None

    @property
    def title(self) -> str:
        """Return what is read, for people: values of parameters do not stand in it."""
        return f"table {self.table}" if self.query is None else f"query {' '.join(self.query.split())[:200]}"


def read_duckdb(file: Path, asked: Asked, folder: Path) -> pl.LazyFrame:
    """Return the rows of a table or query, spooled into `folder` as Parquet with exact types.

    UUIDs, enums, intervals, bits and times with a zone are text, 128-bit integers decimals without a fraction. Raises
    `SOURCE_NOT_FOUND`, `SOURCE_UNREADABLE` (no DuckDB file, or open for writing elsewhere), `SOURCE_QUERY_REFUSED`,
    `SOURCE_NOT_SUPPORTED` for a type that would lose something, `NOT_FOUND` for a table that is not there.
    """
    title = f"duckdb://{file}"
    if not file.is_file():
        raise SourceNotFound(source=title, reason="there is no such file")
    spool = folder / "rows.parquet"
    try:
        with duckdb.connect(":memory:", config={**CONFIG, **WRITING, "temp_directory": str(folder / "spill")}) as connection:
            known = _fenced(connection, file, folder)
            statement = _statement(connection, asked, known, title)
            given = dict(asked.parameters or {})
            columns = connection.execute(f"DESCRIBE {statement}", given).fetchall()
            chosen = ", ".join(_exactly(str(name), str(kind), title) for name, kind, *_ in columns)
            connection.execute(f"COPY (SELECT {chosen} FROM ({statement})) TO {quoted(str(spool))} (FORMAT parquet)", given)
    except RefusedError as error:
        raise SourceQueryRefused(source=title, reason=str(error)) from None
    except duckdb.Error as error:
        raise _refusal(title, error) from error
    return pl.scan_parquet(spool, glob=False)


def _fenced(connection: duckdb.DuckDBPyConnection, file: Path, folder: Path) -> dict[str, str]:
    """Attach the file, close every other door, and return the names of its tables and views as SQL, by each name they may be called."""
    connection.execute(f"ATTACH {quoted(str(file))} AS {_FILE} (READ_ONLY)")
    connection.execute(f"SET allowed_directories = [{quoted(str(folder))}]")
    connection.execute("SET enable_external_access = false")
    connection.execute("SET lock_configuration = true")
    connection.execute(f"USE {_FILE}")
    found = connection.execute(
        f"""SELECT schema_name, table_name FROM duckdb_tables() WHERE database_name = '{_FILE}' AND NOT internal
            UNION ALL SELECT schema_name, view_name FROM duckdb_views() WHERE database_name = '{_FILE}' AND NOT internal"""
    ).fetchall()
    names: dict[str, str] = {}
    for schema, table in found:
        sql = f"{_FILE}.{_identifier(schema)}.{_identifier(table)}"
        called = [f"{schema}.{table}", *([table] if schema == "main" else [])]
        names |= dict.fromkeys((name.lower() for name in called), sql)
    return names


def _statement(connection: duckdb.DuckDBPyConnection, asked: Asked, known: Mapping[str, str], title: str) -> str:
    if asked.query is None:
        name = str(asked.table)
        if name.lower() not in known:
            raise NotFound.among("table", name, known, title)
        return f"SELECT * FROM {known[name.lower()]}"
    text = asked.query.strip().rstrip(";")
    check(connection, text, frozenset(), frozenset(known))
    return f"(\n{text}\n)"  # the line break ends a comment, which would take what follows with it


def _exactly(name: str, kind: str, title: str) -> str:
    """Return the SQL that gives a column in a type which Parquet holds exactly. Raises `SOURCE_NOT_SUPPORTED`."""
    column = _identifier(name)
    if _WIDE.fullmatch(kind):
        return f"CAST({column} AS DECIMAL(38, 0)) AS {column}"
    if _AS_TEXT.fullmatch(kind):
        return f"CAST({column} AS VARCHAR) AS {column}"
    if _LOSSY.search(kind):
        fix = f"Cast it in a query, such as SELECT * REPLACE (CAST({column} AS VARCHAR) AS {column}) FROM ...."
        raise SourceNotSupported(source=title, reason=f"column {name} is {kind}, which would lose something on its way", fix=fix)
    return column


def _identifier(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _refusal(title: str, error: duckdb.Error) -> LabelkitError:
    sentence = first_sentence(error)[:_MESSAGE]
    if "lock on file" in sentence or "already attached" in sentence:
        fix = "Close it there, copy the file, or give the rows as a frame."
        return SourceUnreadable(source=title, reason="the file is open for writing, here or in another process", fix=fix)
    if isinstance(error, (duckdb.IOException, duckdb.SerializationException, duckdb.InternalException)):
        return SourceUnreadable(source=title, reason=sentence, fix="Name a DuckDB file of a version that this DuckDB reads.")
    return SourceQueryRefused(source=title, reason=sentence)
