"""Other processes on the same store: started with a few lines of Python, ended by the test that started them."""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

from tests import needs

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

HOLDER = """
import sys, time
from labelkit.store.lock import StoreLock
with StoreLock(sys.argv[1], user="bob", host="far").held(shared=sys.argv[2] == "shared", until=time.monotonic() + 20):
    print("held", flush=True)
    sys.stdin.readline()
print("free", flush=True)
"""


def start(code: str, *arguments: object) -> subprocess.Popen[str]:
    """Start `code` in a fresh interpreter of this environment, warnings being errors, with pipes to talk to it."""
    return subprocess.Popen(
        [sys.executable, "-W", "error", "-c", code, *map(str, arguments)],
        cwd=needs.ROOT,
        env={**os.environ, "PYTHONPATH": str(needs.ROOT)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def finish(process: subprocess.Popen[str], timeout_s: float = 60) -> str:
    """Wait for the end of a process that must end well and be silent on stderr; return what it printed."""
    try:
        out, err = process.communicate(timeout=timeout_s)
    finally:
        process.kill()
    assert (process.returncode, err) == (0, ""), f"exit code {process.returncode}\n{out}\n{err}"
    return out


def run_all(code: str, each: list[tuple[object, ...]], timeout_s: float = 60) -> list[str]:
    """Run `code` in one process for each tuple of arguments, all at once; return what they printed."""
    running = [start(code, *arguments) for arguments in each]
    try:
        return [finish(process, timeout_s) for process in running]
    finally:
        for process in running:
            process.kill()
            process.communicate()


@contextmanager
def holding(store: Path, mode: str = "exclusive") -> Iterator[subprocess.Popen[str]]:
    """Let another process (bob's, on host far) hold the lock of a store in the block."""
    process = start(HOLDER, store, mode)
    try:
        assert process.stdout.readline() == "held\n"
        yield process
    finally:
        process.kill()
        process.communicate()
