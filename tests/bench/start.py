"""How long until one can work: `import labelkit`, and `labelkit.open()` on a store of 1 GB, in a fresh process and in a warm one."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING

import duckdb

import labelkit
from tests.bench import peers
from tests.bench.harness import Goal, Reading, Row, alternate, row, timed
from tests.bench.stores import USER, large_store

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

SAVES, QUICK_SAVES = 1_900_000, 20_000
IMPORT_GOAL, OPEN_GOAL = Goal("p50", 0.25), Goal("p50", 0.3)

_CHILD = """
import json, sys, time
started = time.perf_counter()
{statements}
seconds = time.perf_counter() - started
try:
    peak = [int(line.split()[1]) / 1024 for line in open("/proc/self/status") if line.startswith("VmHWM")]
except OSError:
    peak = []
print(json.dumps([seconds, *peak]))
"""


def run(quick: bool) -> list[Row]:  # noqa: FBT001 - every benchmark has this one switch
    """Measure imports and opens; children are fresh interpreters whose byte code and files are in the page cache after the warm-up."""
    repetitions = 1 if quick else 11
    python = None if quick else peers.python()
    store = large_store(QUICK_SAVES if quick else SAVES)
    return [
        *_imports(python, repetitions),
        _first_open(store, repetitions),
        _next_open(store, repetitions),
        _process(store, repetitions),
    ]


def _imports(peer: Path | None, repetitions: int) -> list[Row]:
    sides = {
        "ours": _child("import labelkit"),
        "all": _child("import labelkit\nfor name in labelkit.__all__: getattr(labelkit, name)"),
        "needs": _child("import duckdb, polars, pydantic, anywidget, ipycanvas"),
        "bare": _child("import dataclasses, typing"),
    }
    if peer is not None:
        sides["fiftyone"] = _child("import fiftyone", python=str(peer))
    times = alternate(sides, repetitions=repetitions)
    fiftyone = None if peer is None else ("import fiftyone", times["fiftyone"])
    return [
        row("import labelkit", times["ours"], peer=fiftyone, limit=("import dataclasses, typing", times["bare"]), goal=IMPORT_GOAL),
        row(
            "import labelkit, touch every name",
            times["all"],
            peer=fiftyone,
            limit=("import duckdb, polars, pydantic, anywidget, ipycanvas", times["needs"]),
            note="what `import labelkit` puts off until it is used, widgets and recipes too",
        ),
    ]


def _first_open(store: Path, repetitions: int) -> Row:
    ours = f"import labelkit\nstarted = time.perf_counter()\nlabelkit.open({str(store)!r}, user={USER!r})"
    plain = f"""
import duckdb, polars
con = duckdb.connect(":memory:")
con.execute("ATTACH '{store}' AS s (TYPE duckdb, READ_ONLY)")
con.execute("SELECT max(number) FROM s.schema_migrations").fetchall()
con.execute("DETACH s")
"""
    times = alternate({"ours": _child(ours), "limit": _child(plain)}, repetitions=repetitions)
    return row(
        f"first open of a {_size(store)} store",
        times["ours"],
        limit=("import duckdb and polars, attach the file, read one row", times["limit"]),
        goal=OPEN_GOAL,
        note="in a process that has done nothing but `import labelkit`: the put-off imports are in here",
    )


def _next_open(store: Path, repetitions: int) -> Row:
    con = duckdb.connect(":memory:")

    def attach() -> None:
        con.execute(f"ATTACH '{store}' AS s (TYPE duckdb, READ_ONLY)")
        con.execute("SELECT max(number) FROM s.schema_migrations").fetchall()
        con.execute("DETACH s")

    times = alternate(
        {"ours": timed(lambda: labelkit.open(store, user=USER).close()), "limit": timed(attach)},
        repetitions=repetitions,
        warmups=1 if repetitions == 1 else 2,
    )
    con.close()
    return row(
        f"next open of a {_size(store)} store",
        times["ours"],
        limit=("attach the file, read one row", times["limit"]),
        goal=OPEN_GOAL,
        note="in a process that has opened a store before",
    )


def _process(store: Path, repetitions: int) -> Row:
    """Measure a whole interpreter, from starting it until it has opened the store and ended."""
    command = f"import labelkit; labelkit.open({str(store)!r}, user={USER!r})"
    times = alternate({"ours": _whole(command), "limit": _whole("pass")}, repetitions=repetitions)
    return row("a whole Python process that opens it", times["ours"], limit=("a Python process that does nothing", times["limit"]))


def _child(statements: str, *, python: str = sys.executable) -> Callable[[], Reading]:
    """Return a side: a fresh interpreter runs the statements and measures itself."""

    def side() -> Reading:
        done = _run([python, "-c", _CHILD.format(statements=statements)])
        return Reading(*json.loads(done.stdout.splitlines()[-1]))

    return side


def _whole(statements: str) -> Callable[[], Reading]:
    measured = timed(lambda: _run([sys.executable, "-c", statements]))
    return lambda: Reading(measured().seconds)  # the memory is the child's, not ours


def _run(command: list[str]) -> subprocess.CompletedProcess[str]:
    env = {**os.environ, "FIFTYONE_DO_NOT_TRACK": "true", "FIFTYONE_DATABASE_DIR": str(peers.cached("fiftyone"))}
    return subprocess.run(command, check=True, capture_output=True, text=True, timeout=300, stdin=subprocess.DEVNULL, env=env)


def _size(store: Path) -> str:
    size = store.stat().st_size
    return f"{size / 1e9:.2g} GB" if size >= 1e9 else f"{size / 1e6:.0f} MB"
