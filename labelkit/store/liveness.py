"""Whether the process that holds a lease still lives: known at once on its own host, elsewhere only when the lease has run out."""

from __future__ import annotations

import json
import os
import socket
from contextlib import suppress
from pathlib import Path


def holder() -> str:
    """Return a text that names this process for ever: host, boot and process namespace, process id, and when it started."""
    return json.dumps({"place": _place(), "pid": os.getpid(), "started": _started(os.getpid())})


def is_gone(text: str) -> bool:
    """Say whether the process of that text has certainly ended; False where nobody here can know."""
    named = json.loads(text)
    if named["place"] != _place():
        return False
    started, then = _started(named["pid"]), named["started"]
    if started is None and then is None:
        return not _answers(named["pid"])
    return bool(started != then)


def _place() -> str:
    """Return what tells hosts, boots and containers apart: a process id means something only inside one of them."""
    parts = [socket.gethostname()]
    with suppress(OSError):
        parts.append(Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip())
    with suppress(OSError):
        parts.append(str(Path("/proc/self/ns/pid").readlink()))
    return " ".join(parts)


def _started(pid: int) -> str | None:
    """Return when a process started, in ticks since boot; None where there is none, it is a zombie, or the platform does not say."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
    except OSError:
        return None
    return None if fields[0] in "ZX" else fields[19]


def _answers(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True
