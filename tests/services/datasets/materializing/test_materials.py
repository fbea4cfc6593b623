"""What is kept of a materialization, who may make files, and what is refused before anything is made."""

from __future__ import annotations

import os

import pytest

from labelkit.core.geometry import Point
from labelkit.services.datasets import Dataset
from labelkit.store.liveness import holder
from labelkit.workspace import Workspace
from tests.services import pictured
from tests.services.packs import change
from tests.services.pictured import draw
from tests.services.worlds import as_user, refused, trail


def test_the_detail_and_the_list_say_how_far_the_files_are(ws, fresh, tmp_path):
    # given
    assert (fresh.materialization, fresh.materialized) == ("none", None)
    meanwhile = []

    def progress(_):
        meanwhile.append((fresh.materialization, ws.datasets.list()["materialization"].to_list()))

    # when
    report = fresh.materialize(tmp_path / "out", "copy", shard_samples=4, progress=progress)

    # then
    assert set(map(str, meanwhile)) == {"('pending', ['pending'])"}
    head = fresh.materialized
    assert (head.status, head.mode, head.target, head.updated_by) == ("complete", "copy", str(tmp_path / "out"), "ana")
    assert (head.run_id, head.tally.shards, head.tally.done, head.tally.made) == (report.id, 2, 2, 8)
    assert ws.datasets.list()["materialization"].to_list() == ["complete"]
    assert fresh.materialization_runs().select("id", "mode", "status").rows() == [(report.id, "copy", "complete")]
    assert fresh.manifest_hash == ws.datasets.get("players").manifest_hash


@pytest.mark.parametrize("gone", ["process", "lease"])
def test_a_run_whose_process_is_gone_is_partial(ws, fresh, tmp_path, gone):
    # given a run that nobody ended
    fresh.materialize(tmp_path / "out")
    change(ws, "UPDATE materialization_heads SET status = 'pending'")
    assert fresh.materialization == "pending"

    # when
    if gone == "process":
        change(ws, "UPDATE materialization_heads SET holder = $other", other=holder().replace(f'"pid": {os.getpid()}', '"pid": 4194304'))
    else:
        change(ws, "UPDATE materialization_heads SET lease_until = TIMESTAMP '2020-01-01'")

    # then
    assert fresh.materialization == "partial"
    if gone == "lease":
        assert ws.datasets.list()["materialization"].to_list() == ["partial"]


def test_whoever_may_read_takes_files_along_but_only_builders_speak_for_the_dataset(ws, fresh, tmp_path):
    # given
    guest, reviewer, stranger = (as_user(ws, name, role) for name, role in (("gil", "viewer"), ("rita", "reviewer"), ("sam", None)))

    # when
    theirs = guest.datasets.get("players").materialize(tmp_path / "gil", "copy")
    before = fresh.materialization
    reviewer.datasets.get("players").materialize(tmp_path / "rita", "copy")

    # then
    assert (theirs.status, before, fresh.materialization, fresh.materialized.updated_by) == ("complete", "none", "complete", "rita")
    assert fresh.materialization_runs()["created_by"].to_list() == ["rita", "gil"]
    of_stranger = Dataset(stranger._gate, fresh._row)
    assert refused(lambda: of_stranger.materialize(tmp_path / "sam")) == "PERMISSION_DENIED"
    assert not (tmp_path / "sam").exists()
    about = [row for row in trail(ws, "subject", "actor", "action", "code") if row[0] == f"dataset:{fresh.id}"]
    assert [row[1:] for row in about] == [
        ("gil", "read", "MATERIALIZATION_STARTED"),
        ("gil", "read", "MATERIALIZATION_COMPLETE"),
        ("rita", "build", "MATERIALIZATION_STARTED"),
        ("rita", "build", "MATERIALIZATION_COMPLETE"),
    ]


def test_pictures_of_a_workspace_that_you_may_not_read_stay_there(ws, tmp_path):
    # given a dataset with a pack of a workspace that the reviewer has left since
    with ws._database.transaction() as tx:
        row = tx.workspaces.create("club-b", owner="ana")
    other = Workspace(ws._database, row, "ana")
    theirs = pictured.pack(other, draw(tmp_path / "theirs", ["a.png"]), "theirs", 1)
    ours = pictured.pack(ws, draw(tmp_path / "ours", ["a.png"]), "ours", 1)
    dataset = pictured.built(ws, [ours, theirs])
    rita = as_user(ws, "rita", "reviewer")

    # then
    assert refused(lambda: rita.datasets.get(dataset.id).materialize(tmp_path / "out")) == "PERMISSION_DENIED"
    assert trail(ws, "actor", "action", "code")[-1] == ("rita", "read", "PERMISSION_DENIED")
    other.set_role("rita", "viewer")
    assert rita.datasets.get(dataset.id).materialize(tmp_path / "out").made == 2


def test_points_have_no_crops(ws, tmp_path):
    # given
    labels = {0: [("ball", Point(10.0, 10.0, 6.0))]}
    one = pictured.pack(ws, draw(tmp_path / "one", ["a.png"]), "one", 1, labels=labels, capability="ball_detection")
    dataset = pictured.built(ws, [one], capability="ball_detection")

    # then
    assert refused(lambda: dataset.materialize(tmp_path / "out", "crops")) == "MATERIALIZATION_CROPS_NEED_BOXES"
    assert not (tmp_path / "out").exists()
    assert dataset.materialize(tmp_path / "out", "link").made == 1


def test_crops_of_a_frozen_test_set_are_for_evaluation_only(fresh, tmp_path):
    # given
    fresh.freeze()

    # then
    assert refused(lambda: fresh.materialize(tmp_path / "out", "crops")) == "FROZEN_DATASET_TRAINING_FORBIDDEN"
    assert not (tmp_path / "out").exists()
    assert fresh.materialize(tmp_path / "out", "crops", purpose="evaluation").made == 16
    assert fresh.holdout_ledger().height == 1

    # and frames without labels are no training data
    assert fresh.materialize(tmp_path / "frames").made == 8


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        ({"mode": "zip"}, "MATERIALIZATION_NOT_SUPPORTED"),
        ({"verify": "never"}, "INVALID_VALUE"),
        ({"shard_samples": 0}, "INVALID_VALUE"),
        ({"shard_samples": 1025}, "INVALID_VALUE"),
    ],
)
def test_what_makes_no_sense_is_refused_before_anything_is_made(fresh, tmp_path, arguments, code):
    assert refused(lambda: fresh.materialize(tmp_path / "out", **arguments)) == code
    assert (fresh.materialization, (tmp_path / "out").exists()) == ("none", False)
