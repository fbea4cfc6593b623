"""The platform's file locks: wait in the kernel, up to a deadline, on any thread, leaving nothing behind that could keep a lock."""

from __future__ import annotations

import errno
import os
import sys
import threading
import time
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

_CLOEXEC = getattr(os, "O_CLOEXEC", 0)
_FORBIDDEN = (errno.EACCES, errno.EPERM, errno.EROFS)

_ours: set[int] = set()  # every open lock file of this process, so that a forked child can let go of its copies


def open_file(path: Path) -> int:
    """Open a lock file, making it where there is none and that is possible. Raises OSError."""
    try:
        file = os.open(path, os.O_RDWR | os.O_CREAT | _CLOEXEC, 0o666)
    except OSError as error:
        if error.errno not in _FORBIDDEN:
            raise
        file = os.open(path, os.O_RDONLY | _CLOEXEC)  # whoever may write made it, and a lock needs no right to write
    _ours.add(file)
    return file


def close_file(file: int) -> None:
    """Unlock and close. The unlock is explicit, because a forked child may hold a copy of the file."""
    _unlock(file)
    _ours.discard(file)
    os.close(file)


if sys.platform == "win32":
    import msvcrt

    _FAR = 1 << 30  # the locked byte stands behind the text, which others may then read

    def take(queue: int | None, lock: int, *, shared: bool, until: float, key: str) -> int | None:  # noqa: ARG001
        """Lock `lock` by asking again and again: this platform has neither shared locks nor a wait that ends. None: too late."""
        if queue is not None:
            close_file(queue)
        while True:
            os.lseek(lock, _FAR, os.SEEK_SET)
            with suppress(OSError):
                msvcrt.locking(lock, msvcrt.LK_NBLCK, 1)
                return lock
            if time.monotonic() >= until:
                close_file(lock)
                return None
            time.sleep(0.01)

    def _unlock(file: int) -> None:
        with suppress(OSError):
            os.lseek(file, _FAR, os.SEEK_SET)
            msvcrt.locking(file, msvcrt.LK_UNLCK, 1)

else:
    import fcntl

    class _Wait:
        """A thread that waits in the kernel, from where nobody can call it back.

        A caller who gives up leaves it behind: abandoned, it lets go of whatever it gets, at once; or the next caller who wants the
        same takes it over.
        """

        def __init__(self, queue: int | None, lock: int, operation: int) -> None:
            self.queue = queue
            self.lock = lock
            self.operation = operation
            self.guard = threading.Lock()
            self.over = threading.Event()
            self.abandoned = False
            self.error: OSError | None = None

        def run(self) -> None:
            try:
                if self.queue is not None:
                    fcntl.flock(self.queue, fcntl.LOCK_EX)
                if not self._given_up():
                    fcntl.flock(self.lock, self.operation)
            except OSError as error:
                self.error = error
            with self.guard:
                if self.abandoned:
                    self.close()
                self.over.set()

        def wait(self, until: float) -> int | None:
            """Return the locked file, or None after the deadline, with the wait abandoned."""
            try:
                self.over.wait(max(0.0, until - time.monotonic()))
            except BaseException:
                if not self._abandon():
                    self.close()
                raise
            if self._abandon():
                return None
            if self.error is not None:
                self.close()
                raise self.error
            if self.queue is not None:
                close_file(self.queue)
            return self.lock

        def _abandon(self) -> bool:
            """Give up unless the wait is over, and say whether it was given up. Who gives up leaves the head of the queue."""
            with self.guard:
                self.abandoned = not self.over.is_set()
                if self.abandoned and self.queue is not None:
                    _unlock(self.queue)
                return self.abandoned

        def adopt(self) -> bool:
            """Say whether this wait still goes on; if so it is no longer abandoned."""
            with self.guard:
                self.abandoned = self.abandoned and self.over.is_set()
                return not self.over.is_set()

        def close(self) -> None:
            for file in (self.queue, self.lock):
                if file is not None:
                    close_file(file)

        def _given_up(self) -> bool:
            with self.guard:
                return self.abandoned

    _abandoned: dict[tuple[str, int], _Wait] = {}

    def take(queue: int | None, lock: int, *, shared: bool, until: float, key: str) -> int | None:
        """Lock `lock` (shared or exclusive) in turn and return the locked file, which may be another one than `lock`; None: too late.

        Both files are closed when they are not returned. `key` names the lock; one call a time for each key is the caller's duty.
        """
        operation = fcntl.LOCK_SH if shared else fcntl.LOCK_EX
        waiting = _abandoned.pop((key, operation), None)
        if waiting is not None and waiting.adopt():
            _close_all(queue, lock)
        else:
            if _at_once(queue, lock, operation):
                _close_all(queue)
                return lock
            waiting = _Wait(queue, lock, operation)
            try:
                threading.Thread(target=waiting.run, name="labelkit-lock", daemon=True).start()
            except RuntimeError:
                waiting.close()
                raise
        taken = waiting.wait(until)
        if taken is None:
            _abandoned[key, operation] = waiting
        return taken

    def _at_once(queue: int | None, lock: int, operation: int) -> bool:
        try:
            if queue is not None:
                fcntl.flock(queue, fcntl.LOCK_EX | fcntl.LOCK_NB)
            fcntl.flock(lock, operation | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        except OSError:
            _close_all(queue, lock)
            raise
        return True

    def _close_all(*files: int | None) -> None:
        for file in files:
            if file is not None:
                close_file(file)

    def _unlock(file: int) -> None:
        with suppress(OSError):
            fcntl.flock(file, fcntl.LOCK_UN)

    def _after_fork() -> None:
        """Let go of the parent's lock files in a forked child by closing them: unlocking would unlock them for the parent too."""
        _abandoned.clear()
        for file in list(_ours):
            with suppress(OSError):
                os.close(file)
        _ours.clear()

    os.register_at_fork(after_in_child=_after_fork)
