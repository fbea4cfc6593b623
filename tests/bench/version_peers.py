"""Oxen, Lance, DVC and delta-rs doing the same works in an environment of their own: a program that measures what it is asked on stdin.

Argument: a folder that holds first.parquet, clustered.parquet, spread.parquet (whole sets) and delta.parquet (1,000 rows). Each line
names a work, such as `lance first`; the answer is a line `seconds 1.5`, or one that starts with `failed`. What a work needs is made
before the clock starts.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

HERE = Path(sys.argv[1]) if len(sys.argv) > 1 else Path()
KEY = "example_id"
BIN = Path(sys.executable).parent


def fresh(name: str) -> Path:
    folder = HERE / name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    return folder


def clock(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def table(name: str):
    import pyarrow.parquet as pq

    return pq.read_table(HERE / f"{name}.parquet")


class Oxen:
    """Files in a repository; a keyed diff of two files."""

    def __init__(self) -> None:
        from oxen import Repo
        from oxen.user import config_user

        config_user("bench", "bench@example.org")
        self.folder = fresh("oxen")
        self.repo = Repo(str(self.folder))
        self.repo.init()

    def put(self, name: str) -> float:
        shutil.copy(HERE / f"{name}.parquet", self.folder / "rows.parquet")

        def work() -> None:
            self.repo.add(str(self.folder / "rows.parquet"))
            self.repo.commit(name)

        return clock(work)

    def diff(self, name: str) -> float:
        import oxen

        names = [str(HERE / f"{one}.parquet") for one in ("first", name)]
        columns = [column for column in table("first").column_names if column != KEY]
        return clock(lambda: oxen.diff(names[0], names[1], keys=[KEY], compares=columns))


class Lance:
    """Versions of a table."""

    def __init__(self) -> None:
        self.path = str(fresh("lance") / "rows.lance")

    def put(self, name: str) -> float:
        import lance

        rows = table(name)
        return clock(lambda: lance.write_dataset(rows, self.path, mode="overwrite"))

    def upsert(self) -> float:
        import lance

        rows, there = table("delta"), lance.dataset(self.path)
        return clock(lambda: there.merge_insert(KEY).when_matched_update_all().when_not_matched_insert_all().execute(rows))

    def checkout(self) -> float:
        import lance

        return clock(lambda: lance.dataset(self.path, version=1))

    def read(self) -> float:
        import lance

        return clock(lambda: lance.dataset(self.path, version=1).to_table())


class Delta:
    """Versions of a table, by delta-rs."""

    def __init__(self) -> None:
        self.path = str(fresh("delta"))

    def put(self, name: str) -> float:
        from deltalake import write_deltalake

        rows = table(name)
        return clock(lambda: write_deltalake(self.path, rows, mode="overwrite"))

    def upsert(self) -> float:
        from deltalake import DeltaTable

        rows, there = table("delta"), DeltaTable(self.path)
        merge = there.merge(rows, f"t.{KEY} = s.{KEY}", source_alias="s", target_alias="t")
        return clock(merge.when_matched_update_all().when_not_matched_insert_all().execute)

    def checkout(self) -> float:
        from deltalake import DeltaTable

        return clock(lambda: DeltaTable(self.path, version=0))

    def read(self) -> float:
        from deltalake import DeltaTable

        return clock(lambda: DeltaTable(self.path, version=0).to_pyarrow_table())


class Dvc:
    """Files beside a git repository."""

    def __init__(self) -> None:
        self.folder = fresh("dvc")
        for command in ("git init -q", "git config user.email bench@example.org", "git config user.name bench", "dvc init -q"):
            self.run(command)
        self.run("git commit -q -m start")

    def run(self, command: str) -> None:
        words = command.split()
        words[0] = str(BIN / words[0]) if words[0] == "dvc" else words[0]
        subprocess.run(words, cwd=self.folder, check=True, capture_output=True, timeout=120)

    def put(self, name: str) -> float:
        shutil.copy(HERE / f"{name}.parquet", self.folder / "rows.parquet")

        def work() -> None:
            self.run("dvc add -q rows.parquet")
            self.run("git add -A")
            self.run(f"git commit -q -m {name}")

        return clock(work)

    def checkout(self) -> float:
        def work() -> None:
            self.run("git checkout -q HEAD~1")
            self.run("dvc checkout -q")

        seconds = clock(work)
        self.run("git checkout -q -")
        return seconds


PEERS = {"oxen": Oxen, "lance": Lance, "delta": Delta, "dvc": Dvc}


def measured(peer: str, work: str) -> float:
    """Return the seconds of one work on new ground."""
    one = PEERS[peer]()
    if work == "first":
        return one.put("first")
    if work.startswith("diff "):
        return one.diff(work.split()[1])
    one.put("first")
    if work == "again":
        return one.put("clustered")
    if work == "checkout":
        one.put("clustered")
    return getattr(one, work)()


if __name__ == "__main__":
    for line in sys.stdin:
        name, asked = line.strip().split(" ", 1)
        try:
            print("seconds", measured(name, asked), flush=True)
        except Exception as error:  # noqa: BLE001 - the others still run
            print("failed:", type(error).__name__, " ".join(str(error).split())[:200], flush=True)
