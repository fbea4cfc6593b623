"""The same labels have the same hashes: in a new store, with other ids, in another order, on one thread or two; and these are they."""

from __future__ import annotations

import json

import pytest
from PIL import Image

from tests.store.processes import finish, start

REVIEW = """
import json, os, sys
order, threads, place = sys.argv[1], int(sys.argv[2]), sys.argv[3]
os.environ["POLARS_MAX_THREADS"] = str(threads)
if hasattr(os, "sched_setaffinity"):
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:threads])  # what DuckDB goes by

import labelkit
from labelkit import ReviewOp

turn = (lambda rows: list(rows)[::-1]) if order == "reversed" else list
with labelkit.open(f"{place}/{order}-{threads}.duckdb", user="ana") as ws:
    for number in range(7 if order == "reversed" else 0):  # other ids, other rows before
        ws.set_role(f"user{number}", "viewer")
    ws.media.add(f"{place}/frames", name="match")
    labels = f"{place}/labels-{order}"
    os.makedirs(labels, exist_ok=True)
    for frame in turn(range(4)):
        lines = [f"{box % 2} 0.{2 + box}5 0.5 0.1{frame} 0.3{box} 0.{box + 1}" for box in range(5)]
        with open(f"{labels}/{frame}.txt", "w") as file:
            file.write("\\n".join(turn(lines)))
    run = ws.prelabels.import_("yolo", labels, media="match", capability="player_detection", classes=["player", "referee"])
    draft = ws.review.open("match", "player_detection", run=run.id)
    first = ws.review.publish(draft.id, expected_version=1, override_warnings=True, reason="as found").revision
    marked = {a.geometry.x: a.id for a in draft.frames[1].annotations}
    ops = [
        ReviewOp.delete(1, marked[min(marked)]),
        ReviewOp.relabel(1, marked[max(marked)], "goalkeeper"),
        ReviewOp.add_box(2, "ball", 1.23456, 2, 3, 4),
        ReviewOp.flag(3, "bad_frame"),
        ReviewOp.flag(3, "needs_human_review"),
    ]
    for op in turn(ops):
        draft = ws.review.apply(draft.id, base_version=draft.version, ops=[op])
    second = ws.review.publish(draft.id, expected_version=draft.version, override_warnings=True, reason="reviewed").revision
    points = ws.review.open("match", "ball_detection")
    ops = [ReviewOp.add_point(frame, "ball", 10 + frame / 3, 20, size=None if frame % 2 else 5) for frame in range(4)]
    points = ws.review.apply(points.id, base_version=1, ops=turn(ops))
    third = ws.review.publish(points.id, expected_version=2, override_warnings=True, reason="reviewed").revision
    print(json.dumps([run.content_hash, first.content_hash, second.content_hash, third.content_hash, str(second.diff)]))
"""

EXPECTED = [
    "71fc0e9a8b796e53df12dc1eb8dc5b024db2cf636cfc032641c2af5436326e7e",
    "71fc0e9a8b796e53df12dc1eb8dc5b024db2cf636cfc032641c2af5436326e7e",
    "90d5bb2514cc9262b0389aa9f0235c8e89672ccf0f8abddec26b3e9ca8f53e9b",
    "7029dc1d60423eac0f5261d1c906f0573881908c548c6106bf2f9d9d90f5c4f1",
    "+1 -1 ~1",
]


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    folder = tmp_path_factory.mktemp("equal")
    (folder / "frames").mkdir()
    for number in range(4):
        Image.new("RGB", (640, 360), (number, 90, 30)).save(folder / "frames" / f"{number}.png")
    return folder


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("order", ["as-is", "reversed"])
def test_equal_labels_have_equal_hashes(place, order, threads):
    assert json.loads(finish(start(REVIEW, order, threads, place), timeout_s=200)) == EXPECTED
