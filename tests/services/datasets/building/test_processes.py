"""Several processes build on one store; some are killed in the middle. Nothing is built twice, nothing is half there."""

from __future__ import annotations

import json
import os
import random
import signal
import time
from contextlib import suppress

import pytest

import labelkit
from labelkit import BuildRequest
from labelkit.core.geometry import Box
from tests.services.packs import Pack, add
from tests.store.processes import start

KILLS = 8
FRAMES = 100  # of each of the twenty packs
BATCH = 500  # rows, so that a build has many steps to be killed between

# Forks builders off itself, one after the other, so that only one process imports everything. A builder opens the
# store, says which process it is, builds what the next line says, and prints what came of it; when it has ended, it is said to have.
BUILDERS = """
import json, os, sys, warnings
warnings.simplefilter("ignore", DeprecationWarning)  # threads of numpy, which a builder never uses
import labelkit, labelkit.store.datasets.samples
from labelkit import BuildRequest
labelkit.store.datasets.samples.BATCH_ROWS = int(sys.argv[2])

def build():
    with labelkit.open(sys.argv[1], workspace="club-a", user="ana", deadline_s=60) as ws:
        print(os.getpid(), flush=True)
        result = ws.datasets.build(BuildRequest(**json.loads(sys.stdin.readline())))
        if result.outcome == "reused_in_progress":
            result = ws.datasets.wait(result.build_id, timeout_s=60)
            print(json.dumps(["reused_in_progress", result.dataset.manifest_hash]), flush=True)
        else:
            print(json.dumps([result.outcome, result.dataset.manifest_hash]), flush=True)

for line in iter(sys.stdin.readline, ""):
    if line != "fork\\n":
        continue  # what a builder was told that was killed before it read that
    if (builder := os.fork()) == 0:
        build()
        break
    print("ended", os.waitstatus_to_exitcode(os.waitpid(builder, 0)[1]), flush=True)
"""


@pytest.fixture(scope="module")
def stores(tmp_path_factory):
    """A store with twenty packs in a file, and a function that tells the request of a seed."""
    path = tmp_path_factory.mktemp("store") / "labels.duckdb"
    labels = {index: [("player", Box(10.0 + index, 20.0, 30.0, 40.0))] * 2 for index in range(0, FRAMES, 2)}
    with labelkit.open(path, workspace="club-a", user="ana") as ws:
        ids = add(ws, [Pack(f"m{n:02}", [("APPROVED", labels)], frames=FRAMES, group=f"g{n // 2}") for n in range(20)])

    def request(seed: int) -> dict[str, object]:
        return {"capability": "player_detection", "label_pack_ids": sorted(ids.values()), "name": f"seed-{seed}", "seed": seed}

    return path, request


class Builder:
    """A process of which one builder at a time is forked off."""

    def __init__(self, path) -> None:
        self.process = start(BUILDERS, path, BATCH)
        self.number = 0

    def ready(self) -> Builder:
        """Fork a builder off and wait until it has opened the store."""
        self._write("fork")
        self.number = int(self.process.stdout.readline())
        return self

    def tell(self, asked: dict[str, object]) -> None:
        self._write(json.dumps(asked))

    def ended(self) -> tuple[int, str]:
        """Wait for the builder's end and return its exit code, and what it printed."""
        said = []
        while not (line := self.process.stdout.readline()).startswith("ended"):
            assert line, self.process.communicate()
            said.append(line)
        return int(line.split()[1]), "".join(said)

    def close(self) -> None:
        """End the process, which must have been silent."""
        _, err = self.process.communicate(timeout=60)
        assert (self.process.returncode, err) == (0, "")

    def _write(self, line: str) -> None:
        self.process.stdin.write(f"{line}\n")
        self.process.stdin.flush()


def test_of_two_equal_requests_at_once_one_is_created_and_one_is_reused(stores):
    # given two processes that are ready
    path, request = stores
    both = [Builder(path), Builder(path)]
    for builder in both:
        builder.ready()

    # when both get the same request
    for builder in both:
        builder.tell(request(1000))
    ends = [builder.ended() for builder in both]
    answers = [json.loads(out) for _, out in ends]
    for builder in both:
        builder.close()

    # then
    assert [code for code, _ in ends] == [0, 0]
    outcomes = sorted(outcome for outcome, _ in answers)
    assert outcomes in (["created", "reused_in_progress"], ["created", "reused_success"])
    assert len({manifest for _, manifest in answers}) == 1
    with labelkit.open(path, workspace="club-a", user="ana") as ws:
        assert ws.datasets.list(name="seed-1000")["version"].to_list() == [1]


def assert_whole(ws) -> None:
    """Every version is of a successful build and has all of its rows; every successful build has a version; no object is damaged."""
    with ws._database.reading() as tx:
        versions = tx.rows(
            """SELECT v.*, t.status FROM dataset_versions v FULL JOIN
               (SELECT * FROM build_states WHERE status = 'success') t ON t.build_id = v.build_id"""
        )
        for version in versions:
            tree = tx.datasets.snapshots.tree(version["snapshot_id"])
            assert (version["status"], version["sample_count"], version["manifest_hash"]) == ("success", tree.rows, tree.digest.value)
    assert ws.check() == []


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_build_killed_at_any_moment_leaves_nothing_half_and_the_next_request_builds(stores):
    # given how long a build takes from the word to the answer, and a chance that is always the same
    path, request = stores
    chance = random.Random(7)
    builder = Builder(path).ready()
    started = time.monotonic()
    builder.tell(request(0))
    assert json.loads(builder.ended()[1])[0] == "created"
    whole_s = time.monotonic() - started
    told = {"before": 0, "lost": 0, "unsaid": 0, "acknowledged": 0}

    with labelkit.open(path, workspace="club-a", user="ana", deadline_s=60) as ws:
        for seed in range(1, KILLS + 1):
            # when the process is killed at a moment between the word and a little after the answer
            builder.ready().tell(request(seed))
            time.sleep(chance.uniform(0, whole_s))
            with suppress(ProcessLookupError):
                os.kill(builder.number, signal.SIGKILL)
            _, out = builder.ended()

            # then the store is whole, and an acknowledged dataset is there
            assert_whole(ws)
            done = "success" in ws.datasets.list(name=f"seed-{seed}")["status"].to_list()
            assert done or not out
            result = ws.datasets.build(BuildRequest(**request(seed)))
            lost = "failed" in ws.datasets.list(name=f"seed-{seed}")["status"].to_list()
            told["acknowledged" if out else "unsaid" if done else "lost" if lost else "before"] += 1
            assert result.outcome == ("reused_success" if done else "created")
            if out:
                assert result.dataset.manifest_hash == json.loads(out)[1]
            assert result.dataset.to_polars().height == 20 * FRAMES
            assert ws.datasets.list(name=f"seed-{seed}", status="success")["version"].to_list() == [1]
        builder.close()

        # then some were killed in the middle, which is the only way in which a build has failed
        assert told["lost"] > 0
        assert ws.datasets.list(status="failed")["failure"].to_list() == ["JOB_LOST"] * told["lost"]
