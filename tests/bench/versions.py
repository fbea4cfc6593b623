"""Versions of 1,000,000 golden examples: first commit, the whole set again, upserts, diffs, checkout, log; beside four peers."""

from __future__ import annotations

import itertools
import os
import subprocess
import sys
import tempfile
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

import labelkit
from tests.bench import peers
from tests.bench.examples import KEY, clustered, edited, examples, spread
from tests.bench.harness import Goal, Reading, Row, Times, alternate, row, timed

if TYPE_CHECKING:
    from collections.abc import Callable

ROWS, QUICK_ROWS, MANY_ROWS = 1_000_000, 20_000, 10_000_000
COMMITS, QUICK_COMMITS = 1_000, 5
FIRST, AGAIN, SPREAD = Goal("limit", 3.0), Goal("limit", 0.6), Goal("limit", 0.5)
UPSERT, NEAR, CHECKOUT = Goal("p50", 0.15), Goal("p50", 0.05), Goal("p50", 0.02)
FAR, OXEN, READ = Goal("limit", 1.5), Goal("peer", 0.2), Goal("limit", 1.2)

NAMES = {
    "oxen": "Oxen (file level)",
    "lance": "Lance",
    "delta": "delta-rs",
    "dvc": "DVC (file level)",
}
# Which peer can do which work at all.
WORKS = {
    "first": ("oxen", "lance", "delta", "dvc"),
    "again": ("oxen", "lance", "delta", "dvc"),
    "upsert": ("lance", "delta"),
    "diff spread": ("oxen",),
    "diff clustered": ("oxen",),
    "checkout": ("lance", "delta", "dvc"),
    "read": ("lance", "delta"),
}


def run(quick: bool) -> list[Row]:  # noqa: FBT001 - every benchmark has this one switch
    """Measure on a store in a file; each commit has values of its own, so that it is a new one."""
    count, repetitions = (QUICK_ROWS, 1) if quick else (ROWS, 5)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="labelkit-bench-")))
        ws = stack.enter_context(labelkit.open(folder / "labels.duckdb", user="bench"))
        bench = _Bench(ws, folder, examples(count), None if quick else stack.enter_context(_Peers(folder)), repetitions)
        return [*bench.writes(), *bench.reads(), bench.log(QUICK_COMMITS if quick else COMMITS), *([] if quick else _many(ws, folder))]


class _Bench:
    def __init__(self, ws: labelkit.Workspace, folder: Path, rows: pl.DataFrame, others: _Peers | None, repetitions: int) -> None:
        self.versions, self.folder, self.rows, self.others, self.repetitions = ws.versions, folder, rows, others, repetitions
        self.numbers = itertools.count(1)
        self.size = f"{rows.height:,} rows"
        near, far = clustered(rows, -1.0), spread(rows, -1.0)
        for name, frame in (("first", rows), ("clustered", edited(rows, near)), ("spread", edited(rows, far)), ("delta", near)):
            frame.write_parquet(folder / f"{name}.parquet")

    def writes(self) -> list[Row]:
        """Measure what makes a version. Ours starts a new name for each first commit; others start a new repository or table."""
        for name in ("again", "near", "far"):  # each work has a name of its own: its head differs in nothing but what that work changes
            self.versions.commit(name, self.rows, key=KEY)
        whole: list[pl.DataFrame] = []

        def another() -> None:
            whole[:] = [edited(self.rows, clustered(self.rows, self._new()))]

        first = [self.rows]

        def other() -> None:  # other rows in every chunk: else the objects of the last time would be found
            first[:] = [self.rows.with_columns(confidence=pl.col("confidence") + self._new())]

        sides = {
            "first": timed(lambda: self.versions.commit(f"first-{self._new():.0f}", first[0], key=KEY), before=other),
            "limit": timed(lambda: self.rows.write_parquet(self.folder / "limit.parquet")),
            "again": timed(lambda: self.versions.commit("again", whole[0]), before=another),
            "near": timed(lambda: self.versions.commit("near", clustered(self.rows, self._new()), upsert=True)),
            "far": timed(lambda: self.versions.commit("far", spread(self.rows, self._new()), upsert=True)),
        }
        times = self._measured(sides, "first", "again", "upsert")
        ours = ("our first commit", times["first"])
        return [
            row(f"first commit of {self.size}", times["first"], limit=("polars write", times["limit"]), goal=FIRST),
            *self._beside("first commit", "first", times["first"], times),
            row("the whole set again, 1,000 neighbours changed", times["again"], limit=ours, goal=AGAIN),
            *self._beside("the whole set again", "again", times["again"], times),
            row("upsert of 1,000 neighbours", times["near"], goal=UPSERT),
            *self._beside("upsert of 1,000 neighbours", "upsert", times["near"], times),
            row("upsert of 1,000 rows from everywhere", times["far"], limit=ours, goal=SPREAD),
        ]

    def reads(self) -> list[Row]:
        """Measure what looks at versions."""
        first = self.versions.commit("looked-at", self.rows, key=KEY)
        near = self.versions.commit("looked-at", clustered(self.rows, -1.0), upsert=True)
        far = self.versions.commit("looked-at", edited(self.rows, spread(self.rows, -1.0)), expected_head=near)
        versions, files = self.versions, [self.folder / f"{name}.parquet" for name in ("first", "spread")]
        sides = {
            "near": timed(lambda: versions.diff(first, near).count),
            "far": timed(lambda: versions.diff(first, far).count),
            "join": timed(lambda: _full_join(*files)),
            "checkout": timed(lambda: versions.checkout("looked-at")),
            "full": timed(lambda: versions.checkout(first).collect()),
            "plain": timed(lambda: pl.read_parquet(files[0])),
        }
        times = self._measured(sides, "diff spread", "diff clustered", "checkout", "read")
        return [
            row("diff, neighbours changed", times["near"], goal=NEAR),
            *self._beside("diff, neighbours changed", "diff clustered", times["near"], times),
            row("diff, changes everywhere", times["far"], limit=("polars reads and joins both", times["join"]), goal=FAR),
            *self._beside("diff, changes everywhere", "diff spread", times["far"], times, goal=OXEN),
            row("checkout, a lazy frame", times["checkout"], goal=CHECKOUT),
            *self._beside("checkout", "checkout", times["checkout"], times),
            row("full read of a version", times["full"], limit=("polars read", times["plain"]), goal=READ),
            *self._beside("full read of a version", "read", times["full"], times),
        ]

    def log(self, commits: int) -> Row:
        """Measure the log of that many commits."""
        small = self.rows.head(100)
        self.versions.commit("log", small, key=KEY)
        for _ in range(commits - 1):
            self.versions.commit("log", small.head(1).with_columns(score=pl.lit(self._new())), upsert=True)
        times = alternate({"log": timed(lambda: self.versions.log("log"))}, repetitions=self.repetitions)
        return row(f"log of {commits:,} commits", times["log"])

    def _new(self) -> float:
        return float(next(self.numbers))

    def _measured(self, sides: dict[str, Callable[[], Reading]], *works: str) -> dict[str, Times]:
        if self.others is not None:
            sides |= {f"{peer} {work}": self.others.side(peer, work) for work in works for peer in WORKS[work]}
        return alternate(sides, repetitions=self.repetitions)

    def _beside(self, name: str, work: str, ours: Times, times: dict[str, Times], goal: Goal | None = None) -> list[Row]:
        there = [peer for peer in WORKS[work] if f"{peer} {work}" in times]
        measured = [(peer, times[f"{peer} {work}"]) for peer in there if times[f"{peer} {work}"].median > 0]
        return [
            row(name, ours, peer=(NAMES[peer] if "diff" not in work else "Oxen keyed diff", other), goal=goal) for peer, other in measured
        ]


class _Peers:
    """The program that measures the peers, in their environment; a work that fails there has 0 seconds and is said once."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "peers"
        self._said: set[str] = set()

    def __enter__(self) -> _Peers | None:
        python = peers.python(peers.VERSION_CONTROL)
        if python is None:
            return None
        self.folder.mkdir()
        command = [str(python), str(Path(__file__).with_name("version_peers.py")), str(self.folder)]
        home = {**os.environ, "HOME": str(self.folder)}  # their settings are theirs
        self._program = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=home)
        return self

    def __exit__(self, *_: object) -> None:
        program = getattr(self, "_program", None)
        if program is not None:
            with suppress(subprocess.TimeoutExpired):
                program.communicate(timeout=30)
            program.kill()

    def side(self, peer: str, work: str) -> Callable[[], Reading]:
        """Return a side that has a peer do a work."""

        def measured() -> Reading:
            for file in self.folder.parent.glob("*.parquet"):
                with suppress(FileExistsError):
                    (self.folder / file.name).symlink_to(file)
            self._program.stdin.write(f"{peer} {work}\n")
            self._program.stdin.flush()
            # Some of them talk on the same stream.
            answer = next(line.strip() for line in self._program.stdout if line.startswith(("seconds ", "failed")))
            if answer.startswith("seconds "):
                return Reading(float(answer.split()[1]))
            if f"{peer} {work}" not in self._said:
                print(f"{peer} {work}: {answer}", file=sys.stderr)
            self._said.add(f"{peer} {work}")
            return Reading(0.0)

        return measured


def _full_join(before: Path, after: Path) -> int:
    a, b = pl.read_parquet(before), pl.read_parquet(after)
    names = [name for name in a.columns if name != KEY]
    both = a.join(b, on=KEY, how="full", coalesce=True, suffix="_b")
    return both.filter(pl.any_horizontal(pl.col(name).ne_missing(pl.col(f"{name}_b")) for name in names)).height


def _many(ws: labelkit.Workspace, folder: Path) -> list[Row]:
    """Measure ten times as many rows, ours alone, a few times: what depends on the changes must not depend on the size."""
    rows = examples(MANY_ROWS)
    versions, numbers = ws.versions, itertools.count(1)
    rows.write_parquet(folder / "many.parquet")
    limit = Times((timed(lambda: rows.write_parquet(folder / "many.parquet"))(),))
    made: list[labelkit.services.versions.CommitOutcome] = []
    first = Times((timed(lambda: made.append(versions.commit("many", rows, key=KEY)))(),))
    sides = {
        "near": timed(lambda: made.append(versions.commit("many", clustered(rows, float(next(numbers))), upsert=True))),
        "diff": timed(lambda: versions.diff(made[0], made[1]).count),
        "checkout": timed(lambda: versions.checkout("many")),
    }
    times = alternate(sides)
    size = f"{MANY_ROWS:,} rows"
    return [
        row(f"first commit of {size}", first, limit=("polars write", limit), goal=FIRST, note="measured once"),
        row("upsert of 1,000 neighbours", times["near"], goal=UPSERT, note=size),
        row("diff, neighbours changed", times["diff"], goal=NEAR, note=size),
        row("checkout, a lazy frame", times["checkout"], goal=CHECKOUT, note=size),
    ]
