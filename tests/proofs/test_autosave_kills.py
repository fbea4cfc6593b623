"""A kernel is killed while somebody edits without a pause: what is lost is the last moment, nothing before it, and the place is kept."""

from __future__ import annotations

import json
import random
import signal
import time

import pytest

import labelkit
from tests.services.sessions import names
from tests.services.worlds import PLAYERS, add_media
from tests.store.processes import start

ROUNDS, FRAMES = 6, 5
BUSY_S = 2.0  # a planned save starts after 0.15 s; the rest is for a machine that is busy with other tests

EDITOR = """
import json, sys, time
import labelkit
from labelkit import ReviewOp
with labelkit.open(sys.argv[1], user="ana", deadline_s=60) as ws:
    live = ws.review.live("match", "player_detection")
    for number in range(100_000):
        frame = number // 20 % 5
        if number % 20 == 0:
            live.go(frame)
        live.apply(ReviewOp.add_box(frame, "ball", 1, 2, 30, 40, id=f"{sys.argv[2]}-{number}"))
        print(json.dumps([f"{sys.argv[2]}-{number}", frame, time.time()]), flush=True)
        time.sleep(0.015)
"""


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_a_kernel_that_is_killed_loses_the_last_moment_only(tmp_path):
    # given
    path = tmp_path / "labels.duckdb"
    with labelkit.open(path, user="ana") as ws:
        add_media(ws, count=FRAMES)
        draft = ws.review.open("match", PLAYERS)
        chance = random.Random(3)
        for turn in range(ROUNDS):
            # when an editor who never pauses is killed
            editor = start(EDITOR, path, f"k{turn}")
            try:
                first = editor.stdout.readline()
                time.sleep(1 + chance.random())
            finally:
                editor.kill()
            end = time.time()
            rest, errors = editor.communicate(timeout=60)
            assert (editor.returncode, errors) == (-signal.SIGKILL, "")
            edits = [json.loads(line) for line in [first, *rest.splitlines(keepends=True)] if line.endswith("\n")]

            # then what is there is everything up to a moment ago, without a hole
            now = ws.review.get(draft.id)
            kept = {name for index in range(FRAMES) for name in names(now, index)}
            there = [name in kept for name, _, _ in edits]
            assert there == sorted(there, reverse=True)
            assert there[0]
            lost = [made for name, _, made in edits if name not in kept]
            assert not lost or end - lost[0] < BUSY_S

            # and the review opens where it was left, or one frame before if the last step was lost
            place = ws.review.live("match", PLAYERS).cursor if turn == ROUNDS - 1 else None
            assert place is None or place in {edits[sum(there) - 1][1], edits[-1][1]}
