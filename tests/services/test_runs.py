"""Runs of recipes as the store keeps them: the record, who answers for whom, and how what two runs made differs."""

from __future__ import annotations

import json

import polars as pl
import pytest

import labelkit
from labelkit import BuildRequest, errors
from labelkit.core.geometry import Box
from labelkit.services.runs import NewRun, RunEnd, RunFile, RunStatus, new_run_id
from labelkit.store.liveness import holder
from tests.services import packs
from tests.services.worlds import as_user, in_memory_and_file, refused, tables, trail

DIGEST = "d" * 64
RATIOS = {"train": 0.5, "val": 0.5}


def a_run(**change):
    values = {
        "id": new_run_id(),
        "recipe": "build_dataset",
        "recipe_digest": DIGEST,
        "identity": {"source": "s", "parameters": {"seed": 0}},
        "source": '{"cells": []}',
        "parameters": {"seed": 0},
        "environment": {"python": "3.11"},
    }
    return NewRun(**{**values, **change})


def an_end(**change):
    values = {"status": RunStatus.SUCCESS, "exit_code": 0, "notebook_path": "/runs/x.ipynb", "notebook": "{}", "reusable": True}
    return RunEnd(**{**values, "result": {"outcome": "created"}, **change})


def recorded(ws, run=None, **end):
    run = run or a_run()
    ws.runs.start(run)
    ws.runs.end(run, an_end(**end))
    return run.id


def built(ws, name="players", **change):
    """A dataset of two packs with one player on each of their frames."""
    pack_ids = ws.datasets.candidates("player_detection")["pack_id"].to_list()
    values = {"capability": "player_detection", "label_pack_ids": pack_ids, "name": name, "ratios": RATIOS}
    return ws.datasets.build(BuildRequest(**{**values, **change})).dataset


def add_packs(ws, *media, state="APPROVED", box=(10, 10, 20, 40)):
    labels = {index: [("player", Box(*box))] for index in range(4)}
    return packs.add(ws, [packs.Pack(name, [(state, labels)]) for name in media])


@in_memory_and_file
def test_a_run_is_running_until_its_end_is_written_once(ws):
    # given
    run = a_run(parameters={"seed": 3, "name": "ü"})
    ws.runs.start(run)
    running = ws.runs.get(run.id)

    # when
    files = (RunFile("out/a.json", "/out/a.json", 3, "f" * 64),)
    ws.runs.end(run, an_end(files=files, cell_seconds=(("import labelkit", 0.25),), notebook='{"cells": "ü"}'))
    ended = ws.runs.get(run.id)

    # then
    assert (running.status, running.ended_at, running.seconds, running.exit_code, running.files) == ("running", None, None, None, ())
    assert (ended.status, ended.exit_code, ended.parameters, ended.files) == ("success", 0, {"seed": 3, "name": "ü"}, files)
    assert ended.cell_seconds == (("import labelkit", 0.25),)
    assert (ws.runs.notebook(run.id), ws.runs.notebook(run.id, "source")) == ('{"cells": "ü"}', '{"cells": []}')
    assert refused(lambda: ws.runs.end(run, an_end())) == "STORE_CONFLICT"
    assert trail(ws, "code", "subject")[-3:-1] == [("RUN_STARTED", "recipe:build_dataset"), ("RUN_SUCCESS", "recipe:build_dataset")]
    assert ws.check() == []


def test_the_list_has_every_run_newest_first_and_tells_lost_runs_from_running_ones(ws):
    # given one that runs, one that failed, one whose process is gone, one of another recipe
    running, failed, lost, other = a_run(), a_run(), a_run(), a_run(recipe="release_check")
    for run in (running, failed, lost, other):
        ws.runs.start(run)
    ws.runs.end(failed, an_end(status=RunStatus.FAILED, exit_code=5, failure="RECIPE_FAILED", reason="1 / 0", reusable=False, result=None))
    dead = json.dumps({**json.loads(holder()), "pid": 2**22 + 1})
    packs.change(ws, "UPDATE runs SET holder = $holder WHERE id = $id", holder=dead, id=lost.id)

    # then
    listed = ws.runs.list()
    assert listed.select("id", "status", "exit_code").rows() == [
        (other.id, "running", None),
        (lost.id, "lost", None),
        (failed.id, "failed", 5),
        (running.id, "running", None),
    ]
    assert ws.runs.list(recipe="release_check")["id"].to_list() == [other.id]
    assert ws.runs.list(limit=1).height == 1
    assert listed.schema["datasets"] == pl.List(pl.String)
    assert "1 / 0" in repr(ws.runs.get(failed.id))
    assert ws.runs.get(lost.id).status == "lost"


def test_an_empty_list_has_its_columns(ws):
    assert ws.runs.list().height == 0
    assert ws.runs.list().columns[:4] == ["id", "recipe", "status", "exit_code"]


def test_a_run_of_another_workspace_is_not_there(tmp_path):
    with (
        labelkit.open(tmp_path / "labels.duckdb", workspace="club-a") as ws,
        labelkit.open(tmp_path / "labels.duckdb", workspace="club-b") as other,
    ):
        run = recorded(ws)
        assert refused(lambda: other.runs.get(run)) == "NOT_FOUND"
        assert other.runs.answer("build_dataset", DIGEST) is None
        assert other.runs.list().is_empty()


NO_ANSWER = {
    "it failed": {"status": RunStatus.FAILED, "exit_code": 5, "reusable": False},
    "it was a replay, or what it read changed meanwhile": {"reusable": False},
    "its dataset is not there": {"result": {"dataset": "dsv_none"}},
    "a file that it wrote is gone": {"files": (RunFile("out/a.json", "/nowhere/a.json", 1, "f" * 64),)},
}


@pytest.mark.parametrize("end", NO_ANSWER.values(), ids=NO_ANSWER)
def test_a_run_does_not_answer_where(memory, end):
    recorded(memory, **end)
    assert memory.runs.answer("build_dataset", DIGEST) is None
    assert "RUN_REUSED" not in memory.audit()["code"].to_list()


def test_the_newest_run_of_a_digest_answers_while_its_files_are_whole(memory, tmp_path):
    # given an older answer, and a newer one that wrote a file
    recorded(memory)
    (tmp_path / "a.json").write_text("123")
    newest = recorded(memory, files=(RunFile("out/a.json", str(tmp_path / "a.json"), 3, "f" * 64),))

    # then
    assert memory.runs.answer("build_dataset", DIGEST).id == newest
    assert memory.runs.answer("build_dataset", "e" * 64) is None
    (tmp_path / "a.json").write_text("1234")
    assert memory.runs.answer("build_dataset", DIGEST) is None


def test_a_dataset_with_hard_fails_is_no_answer_because_the_place_of_the_run_decides_about_it(memory):
    # given a build that went on in spite of a box outside its frame
    add_packs(memory, "a", "b", box=(1270, 10, 20, 40))
    dataset = built(memory, enforce_quality=False)
    assert dataset.quality.badge.startswith("Hard fail")

    # then
    recorded(memory, result={"dataset": dataset.id})
    assert memory.runs.answer("build_dataset", DIGEST) is None


def test_only_who_may_build_gets_an_answer_and_a_deny_is_audited(memory):
    # given
    recorded(memory)
    viewer = as_user(memory, "vera", "viewer")

    # then
    assert refused(lambda: viewer.runs.answer("build_dataset", DIGEST)) == "PERMISSION_DENIED"
    assert trail(memory, "actor", "code", "allowed")[-1] == ("vera", "PERMISSION_DENIED", False)
    assert refused(as_user(memory, "nobody").runs.list) == "PERMISSION_DENIED"


def test_a_build_within_a_run_is_linked_to_it_and_one_within_a_run_of_another_store_is_not(memory, monkeypatch):
    # given
    add_packs(memory, "a", "b")
    run = a_run()
    memory.runs.start(run)
    monkeypatch.setenv("LABELKIT_RUN", run.id)
    monkeypatch.setenv("LABELKIT_RECIPE_DIGEST", DIGEST)

    # when
    dataset = built(memory)
    monkeypatch.setenv("LABELKIT_RUN", new_run_id())
    forced = built(memory, force=True)
    monkeypatch.delenv("LABELKIT_RECIPE_DIGEST")
    monkeypatch.delenv("LABELKIT_RUN")
    by_hand = built(memory, force=True)

    # then
    assert dataset.run.id == run.id
    assert memory.runs.get(run.id).datasets == (dataset.id,)
    assert (forced.run, by_hand.run) == (None, None)
    assert {dataset.manifest_hash} == {forced.manifest_hash, by_hand.manifest_hash}
    assert {dataset.reuse_fingerprint} == {forced.reuse_fingerprint, by_hand.reuse_fingerprint}
    assert [one.field for one in memory.datasets.explain(forced.id, by_hand.id)] == ["provenance.recipe"]


def test_changes_count_samples_that_came_went_or_have_other_labels(memory):
    # given two datasets: one pack in both, one only left, one only right, and one with other labels on the right
    made = add_packs(memory, "both", "left", "right", "other")
    left = built(memory, "one", label_pack_ids=[made["both"], made["left"], made["other"]])
    packs.change(
        memory,
        """UPDATE revisions SET content_object = (SELECT content_object FROM revisions WHERE pack_id = $source),
               content_hash = (SELECT content_hash FROM revisions WHERE pack_id = $source) WHERE pack_id = $target""",
        source=add_packs(memory, "spare", box=(11, 10, 20, 40))["spare"],
        target=made["other"],
    )
    right = built(memory, "two", label_pack_ids=[made["both"], made["right"], made["other"]])

    # when
    changes = memory.runs.changes(left.id, right.id)

    # then a sample counts as changed by its labels and by its split
    ours, theirs = (
        {row[0]: row[1:] for row in frame.to_polars().select("sample_key", "digest", "split").rows()} for frame in (left, right)
    )
    changed = {key for key in ours.keys() & theirs.keys() if ours[key] != theirs[key]}
    assert (changes.added, changes.removed, changes.changed) == (4, 4, len(changed))
    assert len([key for key in changed if ours[key][0] != theirs[key][0]]) == 4
    assert set(changes.examples["added"]) == theirs.keys() - ours.keys()
    assert set(changes.examples["removed"]) == ours.keys() - theirs.keys()
    assert set(changes.examples["changed"]) <= changed
    assert str(changes) == f"4 samples added, 4 removed, {changes.changed} changed"
    assert not memory.runs.changes(left.id, left.id)
    assert refused(lambda: memory.runs.changes(left.id, "dsv_none")) == "NOT_FOUND"


def test_the_schema_of_a_dataset_is_that_of_its_frame(memory):
    add_packs(memory, "a", "b")
    dataset = built(memory)
    assert memory.runs.schema(dataset.id) == {name: str(kind) for name, kind in dataset.to_polars().schema.items()}


@in_memory_and_file
def test_what_is_done_in_a_working_copy_leaves_no_trace_in_the_store(ws, tmp_path):
    # given
    add_packs(ws, "a", "b")
    dataset = built(ws)
    before, objects = tables(ws, but=()), set(ws._database.objects.root.iterdir())

    # when a copy builds again and something else
    ws.runs.working_copy(tmp_path / "copy.duckdb")
    with labelkit.open(tmp_path / "copy.duckdb", workspace="club-a", user="ana") as copy:
        again = built(copy, force=True)
        built(copy, "other", seed=7)

    # then
    assert (again.manifest_hash, again.version) == (dataset.manifest_hash, 2)
    assert (tables(ws, but=()), set(ws._database.objects.root.iterdir())) == (before, objects)
    assert ws.check() == []


def test_a_run_without_a_notebook_says_so(memory):
    run = recorded(memory, notebook=None)
    with pytest.raises(errors.InvalidValue, match="kept no executed notebook"):
        memory.runs.notebook(run)
