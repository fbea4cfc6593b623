"""A hundred kernels are killed while they save and publish: the store opens, and everything that was acknowledged is there, whole."""

from __future__ import annotations

import json
import os
import random
import signal
import time
from typing import TYPE_CHECKING

import pytest

import labelkit
from tests.services.sessions import names
from tests.services.worlds import PLAYERS, add_media
from tests.store.processes import finish, start

if TYPE_CHECKING:
    import subprocess

KILLS, FRAMES = 100, 6
MOST_SAID, LONGEST_S = 5, 0.04  # a worker is killed after so many acknowledgements at most, and in the middle of what it does next

FIRST = 10  # in a round of twelve saves, every fourth published and all frames cleared at the end, a worker starts at one of the first ten

# For each line a child is made that saves and publishes in turn until it is killed, and says each time what has become durable.
WORKER = """
import json, os, sys, warnings
import labelkit, labelkit.workspace  # with DuckDB, which each child would else import for itself
from labelkit import ReviewOp
from labelkit.store.review import drafts, packs, rows, series
from tests.services.sessions import session

warnings.simplefilter("ignore", DeprecationWarning)  # threads of numpy, which a child never uses

def work(path, mark, first):
    print(json.dumps(["begins", os.getpid()]), flush=True)
    with labelkit.open(path, user="ana", deadline_s=60) as ws:
        live = session(ws, ws.review.open("match", "player_detection"))
        for number in range(first, 100_000):
            name = f"{mark}-{number}"
            for frame in (number % 6, (number + 3) % 6):  # a save of two frames: both or none
                live.apply(ReviewOp.add_box(frame, "ball", 1, 2, 30, 40, id=name))
            print(json.dumps(["saved", name, live.save()]), flush=True)
            if number % 4 == 2:
                out = live.publish(override_warnings=True, reason="worked on")
                print(json.dumps(["published", out.revision.id, out.revision.number, out.revision.content_hash]), flush=True)
            if number % 12 == 11:
                for frame in range(6):
                    for annotation in live.frame(frame).annotations:
                        live.apply(ReviewOp.delete(frame, annotation.id))
                print(json.dumps(["cleared", live.save()]), flush=True)

for line in sys.stdin:
    child = os.fork()
    if child == 0:
        try:
            mark, first = line.split()
            work(sys.argv[1], mark, int(first))
        finally:
            os._exit(1)
    _, status = os.waitpid(child, 0)
    print("\\n" + json.dumps(["ended", os.waitstatus_to_exitcode(status)]), flush=True)
"""


def killed_while_at_work(worker: subprocess.Popen[str], mark: str, first: int, said: int, seconds: float) -> list[list[object]]:
    """Let a child work from its step `first` on until it acknowledged so much, kill it a little later, return what it acknowledged."""
    worker.stdin.write(f"{mark} {first}\n")
    worker.stdin.flush()
    begins, child = json.loads(worker.stdout.readline())
    assert begins == "begins"
    heard = [worker.stdout.readline() for _ in range(said)]
    time.sleep(seconds)
    os.kill(child, signal.SIGKILL)
    while not heard[-1].startswith('["ended'):
        heard.append(worker.stdout.readline())
        assert heard[-1], "the worker is gone"
    assert json.loads(heard[-1]) == ["ended", -signal.SIGKILL]
    return [json.loads(line) for line in heard[:-1] if line.endswith("]\n")]  # the last one may be cut


def check(ws, acknowledged: list[list[object]], published: dict[str, tuple[object, ...]]) -> None:
    """Everything that was acknowledged is there, and nothing is there by half."""
    draft = ws.review.open("match", PLAYERS)
    with ws._database.reading() as tx:
        saves = [row["version"] for row in tx.rows("SELECT version FROM draft_saves ORDER BY version")]
        frames = {row["version"]: row["n"] for row in tx.rows("SELECT version, count(*) AS n FROM draft_frames GROUP BY version")}
        loose = tx.rows(
            """SELECT r.id FROM revisions r WHERE NOT EXISTS (SELECT 1 FROM eligibility e WHERE e.revision_id = r.id)
                   OR NOT EXISTS (SELECT 1 FROM audit a WHERE a.code = 'PUBLISH_SUCCESS' AND a.facts LIKE '%' || r.id || '%')"""
        )
        audited = tx.rows("SELECT count(*) AS n FROM audit WHERE code = 'DRAFT_SAVED'")[0]["n"]

    # versions without gaps, each with its two frames or its clearing of all, each with its audit row
    assert saves == list(range(2, draft.version + 1))
    assert all(frames[version] in (2, FRAMES) for version in saves if version in frames)
    assert audited == len(saves)
    # revisions whole, in order, none missing that was acknowledged
    assert loose == []
    history = ws.review.history("match", PLAYERS)
    assert [row.number for row in history] == list(range(len(history), 0, -1))
    assert all(ws._database.objects.exists(row.content_object) for row in history)
    found = {row.id: (row.number, row.content_hash) for row in history}
    assert published.items() <= found.items()

    # what was saved last, or one save more whose acknowledgement was cut off
    last = [row for row in acknowledged if row[0] in ("saved", "cleared")]
    if last:
        version = last[-1][-1]
        assert draft.version in (version, version + 1)
        kept = {name for index in range(FRAMES) for name in names(draft, index)}
        if draft.version == version:
            since = 1 + max((n for n, row in enumerate(last) if row[0] == "cleared"), default=-1)
            assert {row[1] for row in last[since:]} <= kept


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_a_hundred_kills_lose_nothing_that_was_acknowledged_and_leave_nothing_by_half(tmp_path):
    # given
    path = tmp_path / "labels.duckdb"
    chance = random.Random(20260301)
    published: dict[str, tuple[object, ...]] = {}
    done = 0
    with labelkit.open(path, user="ana") as ws:
        add_media(ws, count=FRAMES)
        ws.review.open("match", PLAYERS)
        worker = start(WORKER, path)
        try:
            for number in range(KILLS):
                # when
                first, said, seconds = chance.randrange(FIRST), chance.randint(1, MOST_SAID), chance.random() * LONGEST_S
                acknowledged = killed_while_at_work(worker, f"k{number}", first, said, seconds)
                published |= {str(row[1]): tuple(row[2:]) for row in acknowledged if row[0] == "published"}
                done += len(acknowledged)

                # then
                check(ws, acknowledged, published)
            finish(worker)
        finally:
            worker.kill()
            worker.wait(timeout=60)

        # and at the end every object that a row names is there and undamaged
        assert ws.check() == []
        assert done > KILLS
        assert published
        for row in ws.review.history("match", PLAYERS)[:20]:
            assert row.content_hash == ws._database.objects.read_frame(row.content_object).pipe(_hash)


def _hash(rows) -> str:
    from labelkit.store.review.content import Content

    return Content(rows).hash(PLAYERS)
