"""The in-memory DuckDB instances that do all the work: made at first use, never shared with a forked child."""

from __future__ import annotations

import atexit
import ctypes
import os
import tempfile
import threading
import weakref
from pathlib import Path

import duckdb

# DuckDB 2 writes files on further threads, and when the query fails meanwhile it may wait for them for ever.
WRITING: dict[str, str] = {} if duckdb.__version__.startswith("1.") else {"async_threads": "0"}

# What DuckDB may not do here: fetch extensions from the network, take Python variables for tables, spill into the working directory.
# A commit always goes through the write-ahead log, never straight into a checkpoint, so that COMMIT alone decides what is durable.
_CONFIG = {
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false",
    "python_enable_replacements": "false",
    "checkpoint_threshold": "1TB",
    **WRITING,
}

_engines: weakref.WeakSet[Engine] = weakref.WeakSet()


class Engine:
    """One in-memory DuckDB instance and its cursors; a cursor serves one thread, one unit of work."""

    def __init__(self) -> None:
        self._guard = threading.RLock()  # a store may be let go by the garbage collection, in the middle of a call on this thread
        self._root: duckdb.DuckDBPyConnection | None = None
        self._attached: set[str] = set()
        _engines.add(self)

    def cursor(self) -> duckdb.DuckDBPyConnection:
        """Return a new connection to the instance; whoever takes it closes it."""
        with self._guard:
            if self._root is None:
                spill = Path(tempfile.gettempdir(), f"labelkit-spill-{os.getpid()}")
                self._root = duckdb.connect(":memory:", config={**_CONFIG, "temp_directory": str(spill)})
            return self._root.cursor()

    def attach(self, alias: str) -> None:
        """Add an empty database in memory."""
        with self._guard:
            self._attached.add(alias)  # first: from here on the instance stays, whatever else is let go
            with self.cursor() as cursor:
                cursor.execute(f"ATTACH ':memory:' AS {alias}")

    def detach(self, alias: str) -> None:
        """Let a database in memory go; with the last one the instance ends, which alone gives all of its memory back."""
        with self._guard:
            self._attached.discard(alias)
            if not self._attached:
                self.close()
                return
            with self.cursor() as cursor:
                cursor.execute(f"DETACH {alias}")

    def close(self) -> None:
        """Let the instance go; the next cursor makes a new one."""
        with self._guard:
            root, self._root = self._root, None
        if root is not None:
            root.close()

    def forget(self) -> None:
        """Drop the instance of the parent process without ending it: its threads do not exist in a forked child."""
        if self._root is not None:
            ctypes.pythonapi.Py_IncRef(ctypes.py_object(self._root))  # never collected, not even when this process ends
        self._root = None
        self._attached = set()
        self._guard = threading.RLock()


PROCESS = Engine()  # serves every store file of this process and all heavy set work
MEMORY = Engine()  # holds every store in memory of this process, and outlives the other one, which ends when a file cannot be let go
atexit.register(PROCESS.close)
atexit.register(MEMORY.close)


def _after_fork() -> None:
    for engine in _engines:
        engine.forget()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
