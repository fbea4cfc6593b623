"""The lock file beside a store: who may touch the file now, in the order of asking, with a deadline and a name to blame.

Two files. `<store>.lock` is the lock itself, exclusive for writers and shared for readers; its text names the last holder.
`<store>.lock.next` is the head of the queue: whoever waits holds it, so that a process that has just let go cannot push in again and a
writer is not starved by readers. The kernel does the waiting; both locks fall with the process that holds them.
"""

from __future__ import annotations

import json
import os
import time
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from labelkit.errors import StorageWriteFailed, StoreBusy, StoreLocksUnsupported
from labelkit.store import flock

if TYPE_CHECKING:
    from collections.abc import Iterator

_RECORD_BYTES = 512  # one write of fixed length, so that a reader never sees half a record


@dataclass(frozen=True, slots=True)
class Holder:
    """Who holds a lock: host, process, user and since when (ISO 8601, UTC)."""

    host: str
    pid: int
    user: str
    since: str


class StoreLock:
    """The lock of one store file, for one user on one host. It can be taken on any thread."""

    def __init__(self, store: str, *, user: str, host: str) -> None:
        self.path = Path(store + ".lock")
        self._queue = Path(store + ".lock.next")
        self._store = store
        self._user = user
        self._host = host

    @contextmanager
    def held(self, *, shared: bool, until: float) -> Iterator[None]:
        """Hold the lock in the block. Raises `STORE_BUSY` when it is not free by `until` (of `time.monotonic`)."""
        lock = self._take(shared=shared, until=until)
        try:
            if lock is not None:
                self._sign(lock)
            yield
        finally:
            if lock is not None:
                flock.close_file(lock)

    def holder(self) -> Holder | None:
        """Return who took the lock last, as far as its file tells."""
        try:
            with self.path.open("rb") as file:
                return Holder(**json.loads(file.read(_RECORD_BYTES)))
        except (OSError, ValueError, TypeError):
            return None

    def remove(self) -> None:
        """Remove the lock files beside a file that turned out to be no store; who waits for them notices and makes new ones."""
        for path in (self._queue, self.path):
            with suppress(OSError):
                path.unlink()

    def _take(self, *, shared: bool, until: float) -> int | None:
        started = time.monotonic()
        while True:
            lock = self._open(self.path, shared=shared)
            if lock is None:
                return None
            try:
                taken = flock.take(self._open(self._queue, shared=True), lock, shared=shared, until=until, key=self._store)
            except OSError as error:
                raise StoreLocksUnsupported(path=self._store, reason=error.strerror or str(error)) from error
            if taken is None:
                raise busy(self._store, self.holder(), time.monotonic() - started)
            if self._is_current(taken):
                return taken
            flock.close_file(taken)  # its name was deleted while we waited, so that others may lock a new file of this name

    def _open(self, path: Path, *, shared: bool) -> int | None:
        """Open a lock file. None for a reader of a read-only place where nobody ever wrote."""
        try:
            return flock.open_file(path)
        except FileNotFoundError:
            if shared:
                return None
            raise StorageWriteFailed(what=str(path), reason="its folder is gone or cannot be written") from None
        except OSError as error:
            raise StorageWriteFailed(what=str(path), reason=error.strerror or str(error)) from error

    def _is_current(self, lock: int) -> bool:
        with suppress(OSError):
            return os.path.samestat(os.fstat(lock), self.path.stat())
        return False

    def _sign(self, lock: int) -> None:
        """Leave our name in the lock file. A full disk or a read-only file only costs the name, not the lock."""
        me = Holder(self._host, os.getpid(), self._user[:100], datetime.now(UTC).isoformat(timespec="seconds"))
        with suppress(OSError):
            os.lseek(lock, 0, os.SEEK_SET)
            os.write(lock, json.dumps(asdict(me)).encode().ljust(_RECORD_BYTES)[:_RECORD_BYTES])


def busy(store: str, holder: Holder | None, waited_s: float) -> StoreBusy:
    """Return the refusal that names who holds the store."""
    known = holder or Holder("an unknown host", 0, "an unknown user", "an unknown time")
    return StoreBusy(path=store, waited_s=waited_s, **asdict(known))
