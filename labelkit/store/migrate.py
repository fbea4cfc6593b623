"""The schema: numbered SQL files, applied in order, each together with its record in one transaction; forward only."""

from __future__ import annotations

import re
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING

import duckdb

from labelkit.errors import StoreNotRecognized, StoreTooNew
from labelkit.store.values import plain

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

_FILE = re.compile(r"(\d{4})_([a-z0-9_]+)\.sql")


@dataclass(frozen=True, slots=True)
class Migration:
    """One step of the schema."""

    number: int
    name: str
    sql: str


@cache
def migrations() -> tuple[Migration, ...]:
    """Return every step of this labelkit, in order."""
    files = {file.name: file for file in resources.files("labelkit.store.migrations").iterdir() if _FILE.fullmatch(file.name)}
    found = ((_FILE.fullmatch(name), files[name].read_text(encoding="utf-8")) for name in sorted(files))
    return tuple(Migration(int(match[1]), match[2], sql) for match, sql in found if match)


def pending(cursor: duckdb.DuckDBPyConnection, *, path: str) -> list[Migration]:
    """Return the steps that the store at the cursor lacks. Raises `STORE_TOO_NEW`, and `STORE_NOT_RECOGNIZED` for a foreign database."""
    must_not_be_newer(cursor, path=path)
    applied = {number for (number,) in cursor.execute("SELECT number FROM schema_migrations").fetchall()}
    return [step for step in migrations() if step.number not in applied]


def must_not_be_newer(cursor: duckdb.DuckDBPyConnection, *, path: str) -> None:
    """Refuse a store that a newer labelkit has migrated since it was opened. Raises `STORE_TOO_NEW` and `STORE_NOT_RECOGNIZED`."""
    known = migrations()[-1].number
    try:
        (found,) = cursor.execute("SELECT max(number) FROM schema_migrations").fetchall()[0]
    except duckdb.CatalogException:
        raise StoreNotRecognized(path=path, reason="it is a DuckDB database without the tables of labelkit") from None
    if found is not None and found > known:
        raise StoreTooNew(path=path, found=found, known=known)


def apply(cursor: duckdb.DuckDBPyConnection, step: Migration, now: datetime) -> None:
    """Apply one step and record it, together or not at all."""
    with _together(cursor):
        cursor.execute(step.sql)
        _record(cursor, (step,), now)


def apply_all(cursor: duckdb.DuckDBPyConnection, now: datetime) -> None:
    """Apply and record every step in an empty database, together or not at all; quicker than one by one."""
    with _together(cursor):
        for statement in _statements():
            cursor.execute(statement)
        _record(cursor, migrations(), now)


@cache
def _statements() -> tuple[duckdb.Statement, ...]:
    return tuple(statement for step in migrations() for statement in duckdb.extract_statements(step.sql))


def _record(cursor: duckdb.DuckDBPyConnection, steps: tuple[Migration, ...], now: datetime) -> None:
    cursor.execute(
        "INSERT INTO schema_migrations (number, name, applied_at) SELECT unnest($numbers), unnest($names), $now",
        {"numbers": [step.number for step in steps], "names": [step.name for step in steps], "now": plain(now)},
    )


@contextmanager
def _together(cursor: duckdb.DuckDBPyConnection) -> Iterator[None]:
    cursor.execute("BEGIN TRANSACTION")
    try:
        yield
    except BaseException:
        cursor.execute("ROLLBACK")
        raise
    cursor.execute("COMMIT")
