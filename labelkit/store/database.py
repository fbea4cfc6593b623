"""One store: state in SQL behind a lock, objects beside it. `transaction()` is the only way to change state, `reading()` to look."""

from __future__ import annotations

import os
import shutil
import socket
import tempfile
import weakref
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Self

import duckdb
import polars as pl

from labelkit.errors import StoreReadOnly
from labelkit.store import backups, check, creation, migrate
from labelkit.store.engine import PROCESS
from labelkit.store.objects import Objects
from labelkit.store.patterns import exactly_read
from labelkit.store.place import FilePlace, MemoryPlace, Place, quoted
from labelkit.store.statements import fetch_frame, lost_race, refusal
from labelkit.store.transaction import Transaction
from labelkit.store.values import bound, utc

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from labelkit.store.check import Finding
    from labelkit.store.objects import Collected
    from labelkit.store.statements import OnConflict


def utc_now() -> datetime:
    """Return the present time, in UTC."""
    return datetime.now(UTC)


class Database:
    """An open store. It holds no file open between units of work, so that many processes share the file.

    `path` is the real path of the file, or ":memory:"; `created` says that this open made the store; `read_only` that its place
    cannot be written, so that `transaction()` raises `STORE_READ_ONLY`. Every method works on any thread.
    """

    def __init__(
        self,
        place: Place,
        objects: Objects,
        *,
        user: str,
        clock: Callable[[], datetime] = utc_now,
        deadline_s: float = 10.0,
        read_only_because: str | None = None,
        created: bool = False,
    ) -> None:
        self.objects = objects
        self.user = user
        self.created = created
        self.deadline_s = deadline_s
        self._place = place
        self._clock = clock
        self._read_only_because = read_only_because
        self._open = True

    @classmethod
    def open(
        cls,
        target: str | Path,
        *,
        user: str,
        host: str | None = None,
        clock: Callable[[], datetime] = utc_now,
        deadline_s: float = 10.0,
    ) -> Database:
        """Open the store at `target`, making it where there is none; ":memory:" is a new store that nobody else sees.

        Waits up to `deadline_s` seconds for whoever uses it, here and in every unit of work. Raises `STORE_NOT_RECOGNIZED`,
        `STORE_TOO_NEW`, `STORE_BUSY`, `STORE_READ_ONLY`, `INVALID_VALUE`, `STORAGE_WRITE_FAILED`, `STORAGE_READ_FAILED`.
        """
        host = host or socket.gethostname()
        if str(target) == ":memory:":
            return cls._in_memory(user=user, host=host, clock=clock, deadline_s=deadline_s)
        path = creation.store_path(target)
        place = FilePlace(path, user=user, host=host)
        because = creation.unwritable(Path(path))
        created = creation.create(place, clock=clock, deadline_s=deadline_s, unwritable=because)
        if not created:
            creation.upgrade(place, clock=clock, deadline_s=deadline_s, unwritable=because)
        objects = Objects(Path(path + ".objects"))
        return cls(place, objects, user=user, clock=clock, deadline_s=deadline_s, read_only_because=because, created=created)

    @classmethod
    def _in_memory(cls, *, user: str, host: str, clock: Callable[[], datetime], deadline_s: float) -> Database:
        place = MemoryPlace(user=user, host=host)
        with place.unit(writes=True, deadline_s=deadline_s) as cursor:
            migrate.apply_all(cursor, utc(clock()))
        folder = tempfile.mkdtemp(prefix="labelkit-objects-")
        db = cls(place, Objects(Path(folder)), user=user, clock=clock, deadline_s=deadline_s, created=True)
        weakref.finalize(db, _clear_away, folder, os.getpid())
        weakref.finalize(db, place.close)
        return db

    @property
    def path(self) -> str:
        """Return the real path of the store's file, or ":memory:"."""
        return self._place.path

    @property
    def read_only(self) -> bool:
        """Say whether the place of the store cannot be written."""
        return self._read_only_because is not None

    @contextmanager
    def transaction(self, on_conflict: OnConflict | None = None) -> Iterator[Transaction]:
        """Give the block a transaction that is committed when it ends well and undone when it raises.

        When the block has ended, everything is durable and other processes see it. `on_conflict` is the refusal for a lost race (a
        duplicate key): an instance, or what makes one; without it `STORE_CONFLICT`. After a failed statement nothing is committed,
        even where the block swallowed the error. Raises `STORE_READ_ONLY`, `STORE_BUSY`, `STORAGE_WRITE_FAILED`.
        """
        if self._read_only_because is not None:
            raise StoreReadOnly(path=self.path, reason=self._read_only_because)
        if isinstance(on_conflict, type):
            lost_race(on_conflict, "")  # a class that needs more facts is found out now, not when a race is lost
        with self._unit(writes=True, on_conflict=on_conflict) as tx:
            yield tx
            tx.commit()

    @contextmanager
    def reading(self) -> Iterator[Transaction]:
        """Give the block one consistent view of the store; several processes may read at once. Raises `STORE_BUSY`."""
        with self._unit(writes=False) as tx:
            yield tx

    @contextmanager
    def _unit(self, *, writes: bool, on_conflict: OnConflict | None = None) -> Iterator[Transaction]:
        if not self._open:
            raise RuntimeError(f"the store {self.path} was closed")
        with self._place.unit(writes=writes, deadline_s=self.deadline_s) as cursor:
            migrate.must_not_be_newer(cursor, path=self.path)
            now = utc(self._clock())
            tx = Transaction(cursor, path=self.path, now=now, writes=writes, on_conflict=on_conflict)
            tx.begin()
            try:
                yield tx
            finally:
                tx.rollback()  # without effect after a commit

    def analyse(self, sql: str, /, **params: object) -> pl.DataFrame:
        """Run a query over Parquet objects (`read_parquet($path)`) outside any lock; it sees no table of the store."""
        try:
            with PROCESS.cursor() as cursor:
                return fetch_frame(cursor, sql, params)
        except (duckdb.Error, pl.exceptions.PolarsError) as error:
            raise refusal(error, path="The input of an analysis", writes=False) from error

    def analyse_to(self, path: Path | str, sql: str, /, **params: object) -> None:
        """Run a query as `analyse` does and write its rows, in its order, to a Parquet file. Nothing is left behind on failure."""
        file = Path(path)
        try:
            with PROCESS.cursor() as cursor:
                cursor.execute(f"COPY ({sql}) TO {quoted(str(file))} (FORMAT parquet, COMPRESSION zstd)", bound(exactly_read(sql, params)))
        except BaseException as error:
            file.unlink(missing_ok=True)
            if isinstance(error, duckdb.Error):
                raise refusal(error, path=str(file), writes=True) from error
            raise

    def backup(self, path: Path | str) -> None:
        """Copy state and objects to a new store at `path`, consistent with each other. Raises `INVALID_VALUE` when `path` exists."""
        backups.backup(self._place, self.objects, Path(path).expanduser().absolute(), deadline_s=self.deadline_s)

    def working_copy(self, path: Path | str) -> None:
        """Make a store at `path` that starts as this one and goes its own way; objects that are there already are shared, not copied."""
        backups.working_copy(self._place, self.objects, Path(path).expanduser().absolute(), deadline_s=self.deadline_s)

    def check(self) -> list[Finding]:
        """Read every object that a row names and return what is missing or damaged; nothing is changed."""
        with self.reading() as tx:
            named = check.named_objects(tx)
        return check.findings(self.objects, named)

    def collect(self, *, grace_s: float = 7 * 24 * 3600, dry_run: bool = False) -> Collected:
        """Remove objects that no row names and that were not stored again for `grace_s` seconds; one week unless told."""
        with self.reading() if dry_run else self.transaction() as tx:
            named = {digest for digest, _ in check.named_objects(tx)}
            return self.objects.collect(named, grace_s, dry_run=dry_run)

    def close(self) -> None:
        """Let go; a store in memory is gone. Closing twice is no error."""
        self._open = False
        if isinstance(self._place, MemoryPlace):
            self._place.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"Database({self.path!r}{', read-only' if self.read_only else ''})"


def _clear_away(folder: str, pid: int) -> None:
    """Remove the objects of a store in memory at its end, unless this is the end of a forked child only."""
    if os.getpid() == pid:
        shutil.rmtree(folder, ignore_errors=True)
