"""Other processes on the same store: started with a few lines of Python, ended by the test that started them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from tests import needs

if TYPE_CHECKING:
    from collections.abc import Iterator

HOLDER = """
import sys, time
from labelkit.store.lock import StoreLock
with StoreLock(sys.argv[1], user="bob", host="far").held(shared=sys.argv[2] == "shared", until=time.monotonic() + 20):
    print("held", flush=True)
    sys.stdin.readline()
print("free", flush=True)
"""

# The children share what `once` has imported. Each ends as an interpreter does, or by the alarm; what it printed is in its file.
FORKS = """
import json, os, signal, sys, warnings
warnings.simplefilter("ignore", DeprecationWarning)  # threads of numpy, which a child never uses
once, code, each, folder, seconds = *sys.argv[1:3], json.loads(sys.argv[3]), sys.argv[4], int(sys.argv[5])
exec(once)
for number, arguments in enumerate(each):
    if os.fork() == 0:
        signal.alarm(seconds)
        file = os.open(f"{folder}/{number}", os.O_CREAT | os.O_WRONLY)
        os.dup2(file, 1)
        os.close(file)
        sys.argv[1:] = arguments
        exec(code)
        break
else:
    ends = [os.waitstatus_to_exitcode(os.wait()[1]) for _ in each]
    sys.exit(f"exit codes {ends}" if any(ends) else 0)
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


def fork_all(once: str, code: str, each: list[tuple[object, ...]], timeout_s: float = 60) -> list[str]:
    """Run `code` as `run_all` does, in processes forked off one that has run `once`: they start together, and only one imports."""
    asked = json.dumps([[str(argument) for argument in arguments] for arguments in each])
    with tempfile.TemporaryDirectory() as folder:
        assert finish(start(FORKS, once, code, asked, folder, int(timeout_s)), timeout_s + 10) == ""
        return [Path(folder, str(number)).read_text(encoding="utf-8") for number in range(len(each))]


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
