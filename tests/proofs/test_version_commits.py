"""Commits under fire: killed at any moment a branch is where it was or where it was going; of two at once one wins and nothing is lost."""

from __future__ import annotations

import json
import os
import random
import signal
import time
from typing import TYPE_CHECKING

import polars as pl

import labelkit
from tests.store.processes import finish, start

if TYPE_CHECKING:
    import subprocess
    from pathlib import Path

KILLS = 20
LONGEST_S = 0.25  # from the first acknowledgement to the kill: several commits

# For each line a child is made that commits a delta, the whole set and a merge in turn until it is killed, and says where the branch is.
# Children are forked, so that twenty of them do not load the same libraries twenty times.
WORKER = """
import json, os, sys, warnings
import polars as pl
import labelkit
import labelkit.services.versions, labelkit.workspace

warnings.simplefilter("ignore", DeprecationWarning)  # threads of numpy, which a child never uses

def work(mark):
    with labelkit.open(sys.argv[1], user="ana", deadline_s=60) as ws:
        v = ws.versions
        print(json.dumps(["ready", os.getpid()]), flush=True)
        for number in range(100_000):
            name = f"{mark}-{number}"
            if number % 3 == 0:
                out = v.commit("rows", pl.DataFrame({"key": [number % 50], "value": [name]}), upsert=True, message=name)
            elif number % 3 == 1:
                out = v.commit("rows", v.checkout("rows").with_columns(value=pl.lit(name)), message=name)
            else:
                v.branch("rows", name)
                v.commit("rows", pl.DataFrame({"key": [7], "value": [name]}), upsert=True, branch=name)
                v.commit("rows", pl.DataFrame({"key": [9], "value": [name]}), upsert=True)
                out = v.merge("rows", name)
            print(json.dumps(["at", out.id]), flush=True)

for line in sys.stdin:
    child = os.fork()
    if child == 0:
        work(line.strip())
    _, status = os.waitpid(child, 0)
    print("\\n" + json.dumps(["ended", os.WTERMSIG(status)]), flush=True)
"""

# Each line on stdin is a commit to rest on: changes one row of its own, and rebases what came too late.
RACER = """
import json, sys
import polars as pl
import labelkit
from labelkit import LabelkitError

me = int(sys.argv[2])
with labelkit.open(sys.argv[1], user=f"user{me}", deadline_s=60) as ws:
    print("ready", flush=True)
    for number, line in enumerate(sys.stdin):
        row = pl.DataFrame({"key": [100 * me + number], "value": [str(me)]})
        try:
            ws.versions.commit("rows", row, upsert=True, expected_head=line.strip())
            print(json.dumps("COMMITTED"), flush=True)
        except LabelkitError as refusal:
            ws.versions.rebase(refusal.facts["commit"])
            print(json.dumps(refusal.code), flush=True)
"""


def test_a_kill_at_any_moment_leaves_the_old_head_or_the_new_one(tmp_path: Path):
    # given
    path, chance, done = tmp_path / "labels.duckdb", random.Random(20261121), 0
    with labelkit.open(path, user="ana") as ws:
        ws.versions.commit("rows", pl.DataFrame({"key": range(50), "value": ["first"] * 50}), key="key")
        worker = start(WORKER, path)
        try:
            for number in range(KILLS):
                # when
                said = killed_while_at_work(worker, f"w{number}", chance.random() * LONGEST_S)
                done += len(said)

                # then the branch is where it was said to be, or further on, and every version of it is whole
                log = ws.versions.log("rows")
                assert said[-1] in {version.id for version in log}
                for version in [version for version in log[:2] if version.parents]:
                    assert ws.versions.checkout(version).collect().height == version.rows == 50
                    assert ws.versions.diff(version.parents[0], version).count == version.changes
            finish(worker)
        finally:
            worker.kill()
            worker.wait(timeout=60)

        # and at the end nothing that a row names is missing or damaged, before a collection and after it
        assert ws.check() == []
        assert done >= KILLS
        ws.versions.gc(grace_s=0)
        assert ws.check() == []


def killed_while_at_work(worker: subprocess.Popen[str], mark: str, seconds: float) -> list[str]:
    """Let a child work for a while, kill it, and return the commits that it acknowledged, at least one."""
    worker.stdin.write(mark + "\n")
    worker.stdin.flush()
    ready, child = json.loads(worker.stdout.readline())
    said = [worker.stdout.readline()]
    time.sleep(seconds)
    os.kill(child, signal.SIGKILL)
    while not said[-1].startswith('["ended'):
        said.append(worker.stdout.readline())
    assert (ready, json.loads(said[-1])) == ("ready", ["ended", signal.SIGKILL])
    return [json.loads(line)[1] for line in said[:-1] if line.startswith('["at') and line.endswith("]\n")]  # the last one may be cut


def test_of_two_who_commit_at_once_one_wins_and_the_work_of_both_is_there(tmp_path: Path):
    # given two processes that rest on the same version, ten times
    path = tmp_path / "labels.duckdb"
    with labelkit.open(path, user="ana") as ws:
        ws.versions.commit("rows", pl.DataFrame({"key": [0], "value": ["first"]}), key="key")
        for user in ("user1", "user2"):
            ws.set_role(user, "annotator")
        racers = [start(RACER, path, number) for number in (1, 2)]
        try:
            assert [racer.stdout.readline() for racer in racers] == ["ready\n"] * 2
            for _ in range(10):
                head = ws.versions.get("rows").id
                for racer in racers:
                    racer.stdin.write(head + "\n")
                    racer.stdin.flush()

                # then one is told that the branch has moved
                assert sorted(json.loads(racer.stdout.readline()) for racer in racers) == ["BRANCH_MOVED", "COMMITTED"]
            for racer in racers:
                finish(racer)
        finally:
            for racer in racers:
                racer.kill()

        # and every row of both is there
        keys = ws.versions.checkout("rows").collect()["key"].to_list()
        assert keys == [0, *range(100, 110), *range(200, 210)]
