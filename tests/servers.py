"""Servers that a test starts: a free port, a process group of their own, an end that is certain."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

T = TypeVar("T")

START_S = 60.0
STOP_S = 15.0


def free_port() -> int:
    """Return a port of this host that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def running(command: Sequence[str | Path], *, cwd: Path, env: Mapping[str, str], log: Path) -> Iterator[None]:
    """Keep a program running without standard input, its words in `log`; afterwards it and its children are gone."""
    with log.open("w") as words:
        process = subprocess.Popen(
            list(map(str, command)),
            cwd=cwd,
            env={**os.environ, **env},
            stdin=subprocess.DEVNULL,
            stdout=words,
            stderr=words,
            start_new_session=True,
        )
    try:
        yield
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        try:
            process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait(STOP_S)


def answered(ask: Callable[[], T | None]) -> T | None:
    """Return the first answer of `ask` that is not None, or None when there is none within `START_S` seconds."""
    deadline = time.monotonic() + START_S
    while (answer := ask()) is None and time.monotonic() < deadline:
        time.sleep(0.3)
    return answer
