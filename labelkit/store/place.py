"""Where the state of a store is: a DuckDB file that several processes share, or memory. A place gives one cursor to one unit of work."""

from __future__ import annotations

import itertools
import os
import threading
import time
from contextlib import AbstractContextManager, contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import duckdb

from labelkit.errors import LabelkitError, StorageReadFailed, StorageWriteFailed, StoreNotRecognized, StoreTooNew
from labelkit.store import journal
from labelkit.store.engine import MEMORY, PROCESS
from labelkit.store.files import sync_folder
from labelkit.store.lock import Holder, StoreLock, busy
from labelkit.store.statements import first_sentence, refusal

if TYPE_CHECKING:
    from collections.abc import Iterator

STORAGE_VERSION = "v1.5.0"  # the file format that DuckDB 1.5 and 2.x both read and write

_numbers = itertools.count(1)


class Place(Protocol):
    """Opens units of work on one store: one at a time in a process, one writer or many readers among processes."""

    path: str

    def unit(self, *, writes: bool, deadline_s: float) -> AbstractContextManager[duckdb.DuckDBPyConnection]:
        """Hold the store in the block and give a cursor whose tables are the store's, outside any transaction."""


class FilePlace:
    """A DuckDB file: lock file, then ATTACH; DETACH, which writes the checkpoint, then unlock."""

    def __init__(self, path: str, *, user: str, host: str) -> None:
        self.path = path
        self.lock = StoreLock(path, user=user, host=host)
        self._me = (host, user)

    @contextmanager
    def locked(self, *, writes: bool, deadline_s: float) -> Iterator[None]:
        """Hold the store without opening it. Raises `STORE_BUSY` after the deadline."""
        until = time.monotonic() + deadline_s
        with _turn(self.path, until, self._me), self.lock.held(shared=not writes, until=until):
            yield

    @contextmanager
    def unit(self, *, writes: bool, deadline_s: float) -> Iterator[duckdb.DuckDBPyConnection]:
        """Hold the store and open it. Raises `STORE_BUSY`, `STORE_NOT_RECOGNIZED`, `STORE_TOO_NEW`, `STORAGE_READ_FAILED`."""
        with self.locked(writes=writes, deadline_s=deadline_s):
            if not Path(self.path).is_file():  # ATTACH would make an empty one
                raise StoreNotRecognized(path=self.path, reason="the file is gone since it was opened")
            if writes or not journal.torn(self.path):
                with attached(self.path, writes=writes) as cursor:
                    yield cursor
                return
        with self.locked(writes=True, deadline_s=deadline_s):
            journal.mend(self.path)
        with self.unit(writes=False, deadline_s=deadline_s) as cursor:
            yield cursor


class MemoryPlace:
    """A store in memory, gone with the process or its last user; a forked child does not have it."""

    path = ":memory:"

    def __init__(self, *, user: str, host: str) -> None:
        number = next(_numbers)
        self._alias = f"store_{number}"
        self._key = f":memory:{number}"
        self._me = (host, user)
        self._pid = os.getpid()
        self._open = True
        MEMORY.attach(self._alias)

    @contextmanager
    def unit(self, *, writes: bool, deadline_s: float) -> Iterator[duckdb.DuckDBPyConnection]:  # noqa: ARG002 - one form for every place
        """Hold the store. Raises `STORE_BUSY`, and `STORAGE_READ_FAILED` in a forked child."""
        if os.getpid() != self._pid:
            raise StorageReadFailed(what="The store in memory", reason="it stays with the process that made it, this one was forked off")
        with _turn(self._key, time.monotonic() + deadline_s, self._me), MEMORY.cursor() as cursor:
            cursor.execute(f"USE {self._alias}")
            yield cursor

    def close(self) -> None:
        """Let the memory go; what is not this process's stays as it is."""
        if self._open and os.getpid() == self._pid:
            self._open = False
            MEMORY.detach(self._alias)


@contextmanager
def attached(path: str, *, writes: bool, create: bool = False) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open the file in this process's DuckDB and give a cursor on it. The caller holds the lock.

    After a failed checkpoint the file and its write-ahead log still hold every commit: DuckDB reads both, and so does a backup.
    """
    alias = f"store_{next(_numbers)}"
    options = f", STORAGE_VERSION '{STORAGE_VERSION}'" if create else "" if writes else ", READ_ONLY"
    guarded = writes and not create  # a new store is whole or not there at all
    if guarded:
        journal.mend(path)
    cursor = PROCESS.cursor()
    try:
        try:
            cursor.execute(f"ATTACH {quoted(path)} AS {alias} (TYPE duckdb{options})")
        except (duckdb.Error, OSError) as error:
            raise _unopened(error, path, create=create) from error
        try:
            cursor.execute(f"USE {alias}")
            yield cursor
        except duckdb.Error as error:
            raise refusal(error, path=path, writes=writes) from error
        finally:
            _detach(cursor, alias, path, guarded=guarded)
    finally:
        cursor.close()


def quoted(text: str) -> str:
    """Return text as an SQL literal, for the few statements that take no parameter."""
    return "'" + text.replace("'", "''") + "'"


def _detach(cursor: duckdb.DuckDBPyConnection, alias: str, path: str, *, guarded: bool) -> None:
    with suppress(duckdb.TransactionException):
        cursor.execute("ROLLBACK")  # whatever is still open was not committed
    try:
        if guarded:
            journal.keep(cursor, alias, path)
        cursor.execute("USE memory")
        cursor.execute(f"DETACH {alias}")
        if guarded:
            journal.forget(path)
    except duckdb.Error:
        # The checkpoint failed, on a full disk for instance. COMMIT had synced the log, so nothing is lost: the next open replays it.
        with suppress(OSError):
            sync_folder(Path(path).parent)
        # Where the file is still open, the instance goes with it, so that no late close writes outside the lock.
        if cursor.execute("SELECT 1 FROM duckdb_databases() WHERE database_name = $alias", {"alias": alias}).fetchall():
            PROCESS.close()


def _unopened(error: Exception, path: str, *, create: bool) -> LabelkitError:
    """Return the refusal for a file that could not be attached."""
    text = str(error)
    if "not a valid DuckDB database" in text:
        return StoreNotRecognized(path=path, reason="it is not a DuckDB database")
    if "version number" in text:
        return StoreTooNew(path=path, found="of a newer DuckDB", known=f"DuckDB {duckdb.__version__}")
    if "file handle conflict" in text or "Could not set lock" in text:
        pid = text.partition("PID ")[2].partition(")")[0] or str(os.getpid())
        return busy(path, Holder("this host", int(pid), "another program (DuckDB without labelkit)", "an unknown time"), 0.0)
    failed = StorageWriteFailed if create else StorageReadFailed
    return failed(what=path, reason=first_sentence(error))


class _Turn:
    """One store in this process: which thread works on it."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.thread: int | None = None
        self.since = ""


_turns: dict[str, _Turn] = {}
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_turns.clear)


@contextmanager
def _turn(key: str, until: float, me: tuple[str, str]) -> Iterator[None]:
    """Take this process's turn on a store. A second unit of work on one thread would wait for itself for ever, so it raises at once."""
    turn = _turns.setdefault(key, _Turn())
    if turn.thread == threading.get_ident():
        raise RuntimeError(f"a unit of work on {key} is already open on this thread; use its transaction instead of opening another one")
    started = time.monotonic()
    if not turn.lock.acquire(timeout=max(0.0, until - started)):
        raise busy(key, Holder(me[0], os.getpid(), me[1], turn.since), time.monotonic() - started)
    try:
        turn.thread = threading.get_ident()
        turn.since = datetime.now(UTC).isoformat(timespec="seconds")
        yield
    finally:
        turn.thread = None
        turn.lock.release()
