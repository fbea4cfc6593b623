"""Eight people save one draft at once from eight processes: nothing that was acknowledged is lost, and versions have no gaps."""

from __future__ import annotations

import json

import pytest

import labelkit
from tests.services.sessions import names
from tests.services.worlds import PLAYERS, add_media
from tests.store.processes import fork_all

WRITERS, SAVES, FRAMES = 8, 200, 120  # one save in twenty or so meets another's of the same frame

IMPORTS = """
import random
import labelkit, labelkit.workspace
from labelkit import LabelkitError, ReviewOp
from tests.services.sessions import session
"""
WRITER = """
path, user, saves, frames = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
chance = random.Random(user)
with labelkit.open(path, user=user, deadline_s=120) as ws:
    live = session(ws, ws.review.open("match", "player_detection"))  # each save is asked for, so that each is acknowledged
    conflicts, acknowledged = 0, []
    for number in range(saves):
        name, frame = f"{user}-{number}", chance.randrange(frames)
        while True:
            live.apply(ReviewOp.add_box(frame, "ball", 1 + number % 100, 2, 30, 40, id=name))
            try:
                acknowledged.append((name, frame, live.save()))
                break
            except LabelkitError as refusal:
                if refusal.code != "DRAFT_VERSION_CONFLICT":
                    raise
                conflicts += 1
                live.reload("theirs")  # mine is dropped, and made again over theirs
    print(json.dumps({"conflicts": conflicts, "acknowledged": acknowledged}), flush=True)
"""


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_eight_processes_save_two_hundred_times_each_and_no_acknowledged_save_is_lost(tmp_path):
    # given one draft, and eight people who may edit it
    path = tmp_path / "labels.duckdb"
    users = [f"user{number}" for number in range(WRITERS)]
    with labelkit.open(path, user="ana") as ws:
        add_media(ws, count=FRAMES)
        draft = ws.review.open("match", PLAYERS)
        for user in users:
            ws.set_role(user, "annotator")

    # when all of them save as fast as they can
    told = [json.loads(out) for out in fork_all(IMPORTS, WRITER, [(path, user, SAVES, FRAMES) for user in users], timeout_s=550)]
    acknowledged = [tuple(row) for one in told for row in one["acknowledged"]]

    # then there were conflicts, every version was given once, and none is missing
    assert sum(one["conflicts"] for one in told) > WRITERS
    assert sorted(version for _, _, version in acknowledged) == list(range(2, WRITERS * SAVES + 2))
    with labelkit.open(path, user="ana") as ws:
        now = ws.review.get(draft.id)
        assert now.version == WRITERS * SAVES + 1

        # and every label that was acknowledged is in the draft, on its frame, once
        found = sorted((name, index) for index in range(FRAMES) for name in names(now, index))
        assert found == sorted((name, frame) for name, frame, _ in acknowledged)

        # and was there in the very version that acknowledged it
        with ws._database.reading() as tx:
            rows = tx.frame("SELECT id, frame_index, version FROM draft_annotations WHERE draft_id = $draft", draft=draft.id)
        assert {(name, frame, version) for name, frame, version in acknowledged} <= set(rows.rows())
        assert ws.check() == []
