"""Several processes build on one store; some are killed in the middle. Nothing is built twice, nothing is half there."""

from __future__ import annotations

import json
import random
import time

import pytest

import labelkit
from labelkit import BuildRequest
from labelkit.core.geometry import Box
from tests.services.packs import Pack, add
from tests.store.processes import start

KILLS = 12
BATCH = 2_000  # rows, so that a build has many steps to be killed between

# A builder says when it is ready, builds when it is told which seed, and prints what came of it.
BUILDER = """
import json, sys
import labelkit, labelkit.store.datasets.samples
from labelkit import BuildRequest
labelkit.store.datasets.samples.BATCH_ROWS = int(sys.argv[2])
with labelkit.open(sys.argv[1], workspace="club-a", user="ana", deadline_s=60) as ws:
    print("ready", flush=True)
    asked = json.loads(sys.stdin.readline())
    result = ws.datasets.build(BuildRequest(**asked))
    if result.outcome == "reused_in_progress":
        result = ws.datasets.wait(result.build_id, timeout_s=60)
        print(json.dumps(["reused_in_progress", result.dataset.manifest_hash]), flush=True)
    else:
        print(json.dumps([result.outcome, result.dataset.manifest_hash]), flush=True)
"""


@pytest.fixture(scope="module")
def stores(tmp_path_factory):
    """A store with twenty packs in a file, and a function that tells the request of a seed."""
    path = tmp_path_factory.mktemp("store") / "labels.duckdb"
    labels = {index: [("player", Box(10.0 + index, 20.0, 30.0, 40.0))] * 2 for index in range(0, 400, 2)}
    with labelkit.open(path, workspace="club-a", user="ana") as ws:
        ids = add(ws, [Pack(f"m{n:02}", [("APPROVED", labels)], frames=400, group=f"g{n // 2}") for n in range(20)])

    def request(seed: int) -> dict[str, object]:
        return {"capability": "player_detection", "label_pack_ids": sorted(ids.values()), "name": f"seed-{seed}", "seed": seed}

    return path, request


def builder(path):
    """Start a builder and wait until it is ready."""
    process = start(BUILDER, path, BATCH)
    assert process.stdout.readline() == "ready\n", process.communicate()
    return process


def tell(process, asked):
    process.stdin.write(json.dumps(asked) + "\n")
    process.stdin.flush()


def test_of_two_equal_requests_at_once_one_is_created_and_one_is_reused(stores):
    # given two processes that are ready
    path, request = stores
    both = [builder(path), builder(path)]

    # when both get the same request
    for process in both:
        tell(process, request(1000))
    answers = []
    for process in both:
        out, err = process.communicate(timeout=120)
        assert (process.returncode, err) == (0, "")
        answers.append(json.loads(out))

    # then
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
    process = builder(path)
    started = time.monotonic()
    tell(process, request(0))
    assert json.loads(process.communicate(timeout=120)[0])[0] == "created"
    whole_s = time.monotonic() - started
    told = {"before": 0, "lost": 0, "unsaid": 0, "acknowledged": 0}

    with labelkit.open(path, workspace="club-a", user="ana", deadline_s=60) as ws:
        waiting = builder(path)
        for seed in range(1, KILLS + 1):
            # when the process is killed at a moment between the word and a little after the answer
            process, waiting = waiting, None
            tell(process, request(seed))
            time.sleep(chance.uniform(0, whole_s))
            process.kill()
            out, _ = process.communicate(timeout=60)

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
            assert result.dataset.to_polars().height == 20 * 400
            assert ws.datasets.list(name=f"seed-{seed}", status="success")["version"].to_list() == [1]
            waiting = builder(path)
        waiting.kill()
        waiting.communicate()

        # then some were killed in the middle, which is the only way in which a build has failed
        assert told["lost"] > 0
        assert ws.datasets.list(status="failed")["failure"].to_list() == ["JOB_LOST"] * told["lost"]
