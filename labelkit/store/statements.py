"""SQL with named parameters on one cursor, and the one place where the driver's errors and times become ours.

Gateways (`ReviewRows`, `DatasetRows`, `MediaRows`, …) take a `Statements`; a `Transaction` is one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeAlias

import duckdb
import polars as pl
from polars import selectors as cs

from labelkit.errors import LabelkitError, StorageReadFailed, StorageWriteFailed, StoreConflict
from labelkit.store import inserts
from labelkit.store.patterns import exactly_read
from labelkit.store.values import ArrowStream, aware, bound

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

_HUGEINT = pl.Decimal(38, 0)  # what Arrow makes of DuckDB's 128-bit integers

OnConflict: TypeAlias = LabelkitError | type[LabelkitError] | Callable[[], LabelkitError]
"""The refusal that a use case names for a lost race: an instance, a class whose only fact is `reason`, or a function that makes one."""


class Statements:
    """Runs SQL inside one unit of work. Times go in aware and come out aware, in UTC.

    After a statement has failed, `failure` holds the refusal and nothing of this unit of work can be committed any more.
    """

    def __init__(
        self, cursor: duckdb.DuckDBPyConnection, *, path: str, now: datetime, writes: bool, on_conflict: OnConflict | None = None
    ) -> None:
        self.now = now
        self.writes = writes
        self.failure: LabelkitError | None = None
        self._cursor = cursor
        self._path = path
        self._on_conflict = on_conflict

    def execute(self, sql: str, /, **params: object) -> None:
        """Run a statement for its effect."""
        with self._mapped():
            self._cursor.execute(sql, bound(exactly_read(sql, params)))

    def rows(self, sql: str, /, **params: object) -> list[dict[str, Any]]:
        """Return all rows, each a dict by column name."""
        with self._mapped():
            done = self._cursor.execute(sql, bound(exactly_read(sql, params)))
            columns = [(column[0], str(column[1]) == "TIMESTAMP") for column in done.description]
            found = done.fetchall()
        return [{name: aware(value) if is_time else value for (name, is_time), value in zip(columns, row, strict=True)} for row in found]

    def one(self, sql: str, /, **params: object) -> dict[str, Any] | None:
        """Return the one row, or None where there is none; two rows are an error of the caller."""
        found = self.rows(sql, **params)
        if len(found) > 1:
            raise ValueError(f"one row was expected, {len(found)} came from: {sql}")
        return found[0] if found else None

    def frame(self, sql: str, /, **params: object) -> pl.DataFrame:
        """Return the result as a data frame; timestamps are `Datetime("us", "UTC")`."""
        with self._mapped():
            return fetch_frame(self._cursor, sql, params)

    def changed(self, sql: str, /, **params: object) -> int:
        """Run an UPDATE, DELETE or INSERT that ends in RETURNING and return how many rows it touched."""
        if "returning" not in sql.lower():
            raise ValueError(f"changed() counts the rows of RETURNING, which is missing in: {sql}")
        return len(self.rows(sql, **params))

    def insert(self, table: str, rows: Sequence[Mapping[str, object]] | pl.DataFrame) -> None:
        """Append rows in their order, as one set. Every row has the same keys; keys are columns of the table, by name."""
        with self._mapped():
            inserts.insert(self._cursor, table, rows)

    @contextmanager
    def _mapped(self) -> Iterator[None]:
        """Turn what the driver raises into a refusal, and remember that this unit of work has failed."""
        if self.failure is not None:
            raise self.failure
        try:
            yield
        except (duckdb.Error, pl.exceptions.PolarsError, OSError) as error:
            self.failure = refusal(error, path=self._path, writes=self.writes, on_conflict=self._on_conflict)
            raise self.failure from error
        except BaseException as error:
            self.failure = LabelkitError(
                reason=f"A statement of this unit of work ended in {type(error).__name__}; nothing of it was kept."
            )
            raise


def refusal(error: Exception, *, path: str, writes: bool, on_conflict: OnConflict | None = None) -> LabelkitError:
    """Return the refusal for an error of the driver or the filesystem: a lost race, failed storage, or the driver's own sentence."""
    sentence = first_sentence(error)
    if is_conflict(error):
        return lost_race(on_conflict or StoreConflict, sentence)
    if is_storage(error):
        failed = StorageWriteFailed if writes else StorageReadFailed
        return failed(what=path, reason=sentence)
    return LabelkitError(reason=sentence)


def lost_race(on_conflict: OnConflict, reason: str) -> LabelkitError:
    """Return the refusal that a use case named. Raises KeyError for a class that needs more facts than `reason`."""
    if isinstance(on_conflict, LabelkitError):
        return on_conflict
    return on_conflict(reason=reason) if isinstance(on_conflict, type) else on_conflict()


def is_conflict(error: Exception) -> bool:
    """Say whether another row or another transaction was there first: a duplicate key or a write-write conflict, now or at COMMIT."""
    raced = isinstance(error, (duckdb.ConstraintException, duckdb.TransactionException))
    return raced and any(words in str(error).lower() for words in ("duplicate key", "unique constraint", "primary key", "conflict"))


def is_storage(error: Exception) -> bool:
    """Say whether the disk or the filesystem failed: as such, at COMMIT, or in the middle of a stream."""
    if isinstance(error, (duckdb.IOException, OSError)):
        return True
    text = str(error)
    at_commit = isinstance(error, duckdb.TransactionException) and "Failed to commit" in text
    return at_commit or "IO Error: " in text or "Corrupt database file" in text


def first_sentence(error: Exception) -> str:
    """Return the driver's message as one line without a full stop, so that it fits into ours."""
    return " ".join(str(error).split()).rstrip(".!") or type(error).__name__


def fetch_frame(cursor: duckdb.DuckDBPyConnection, sql: str, params: Mapping[str, object]) -> pl.DataFrame:
    """Return the result of a query as a data frame whose times are UTC and whose sums of whole numbers are Int64."""
    relation = cursor.sql(sql, params=bound(exactly_read(sql, params)))
    if relation is None:
        raise ValueError(f"this statement returns no rows: {sql}")
    try:
        frame = pl.DataFrame(ArrowStream(relation.__arrow_c_stream__()))
    finally:
        del relation  # a traceback that outlives this unit of work must not hold its database open
    return frame.with_columns(cs.datetime(time_zone=None).dt.replace_time_zone("UTC"), cs.by_dtype(_HUGEINT).cast(pl.Int64))
