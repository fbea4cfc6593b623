"""PostgreSQL as the peer of many reviewers: a server of its own, labelkit's tables, and the statements of a save by psycopg."""

from __future__ import annotations

import json
import os
import pwd
import shutil
import subprocess
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import labelkit
from tests.bench import peers
from tests.bench.harness import Times

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

REVIEWER = Path(__file__).with_name("postgres_reviewer.py")
NAME = "PostgreSQL with the same statements, over a Unix socket"
START_S = 4.0  # how long the reviewers may take to connect before all begin


def saves(*, processes: int, seconds: float, pace_s: float) -> Times | None:
    """Return the times of all saves of that many processes, None where no PostgreSQL can be started here."""
    python, programs, user = peers.python(), _programs(), _unprivileged()
    if python is None or programs is None or user is None:
        return None
    with _server(programs, user) as socket:
        dsn = f"host={socket} dbname=postgres user=bench"
        _run([str(python), str(REVIEWER), dsn, "prepare", *(str(file) for file in _schema())])
        begin = time.time() + START_S
        command = [str(python), str(REVIEWER), dsn, "review", str(begin), str(seconds), str(pace_s)]
        started = [subprocess.Popen([*command, str(number)], stdout=subprocess.PIPE, text=True) for number in range(processes)]
        outputs = [process.communicate(timeout=seconds + 60)[0] for process in started]
    return Times.of(one for output in outputs for one in json.loads(output))


def _schema() -> list[Path]:
    """Return the migrations that make the tables of a review."""
    return sorted(Path(labelkit.__file__).parent.glob("store/migrations/000[12]_*.sql"))


def _programs() -> Path | None:
    """Return the folder of PostgreSQL's server programs."""
    places = [Path(found).parent for found in [shutil.which("initdb")] if found]
    places += sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    return next((place for place in places if (place / "initdb").exists() and (place / "pg_ctl").exists()), None)


def _unprivileged() -> Mapping[str, int] | None:
    """Return the user to run the server as: nobody else than us, but for root, whom PostgreSQL refuses."""
    if os.geteuid() != 0:
        return {}
    try:
        found = pwd.getpwnam("postgres")
    except KeyError:
        return None
    return {"user": found.pw_uid, "group": found.pw_gid}


@contextmanager
def _server(programs: Path, user: Mapping[str, int]) -> Iterator[Path]:
    """Run a server on a socket in the block, with the settings that PostgreSQL comes with: every commit is synced."""
    with tempfile.TemporaryDirectory(prefix="labelkit-pg-") as folder:
        home = Path(folder)
        if user:
            os.chown(home, user["user"], user["group"])
        data = home / "data"
        _run([str(programs / "initdb"), "-D", str(data), "-U", "bench", "-A", "trust"], **user)
        control = [str(programs / "pg_ctl"), "-D", str(data), "-w", "-t", "60", "-l", str(home / "log")]
        _run([*control, "-o", f"-c listen_addresses='' -c unix_socket_directories='{home}'", "start"], **user)
        try:
            yield home
        finally:
            _run([*control, "-m", "fast", "stop"], **user)


def _run(command: list[str], **user: int) -> None:
    done = subprocess.run(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        timeout=120,
        check=False,
        cwd="/",
        **user,
    )
    if done.returncode:
        raise RuntimeError(f"{Path(command[0]).name} failed: {done.stderr.strip()}")
