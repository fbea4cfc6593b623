"""Prelabel runs: label files in, every record accounted for, the content hashed and named."""

from __future__ import annotations

import json

import pytest

from labelkit.core.geometry import Box
from labelkit.core.review.annotations import Source
from tests.services.worlds import BALLS, PLAYERS, as_user, in_memory_and_file, refused, tables, trail

CLASSES = ["ball", "goalkeeper", "player", "referee"]


@pytest.fixture
def labels(tmp_path, media):  # noqa: ARG001 - the labels are of that media: four frames of 200 x 100 px, the last one broken
    """YOLO files for frames 0 and 1: three boxes that fit, one with a score, one cut at the edge; and five lines that do not fit."""
    folder = tmp_path / "labels"
    folder.mkdir()
    (folder / "000000.txt").write_text(
        "2 0.5 0.5 0.1 0.2 0.75\n0 0.1 0.1 0.05 0.1\n3 1.0 0.5 0.1 0.2\n9 0.5 0.5 0.1 0.1\n2 nan 0.5 0.1 0.1\n"
    )
    (folder / "000001.txt").write_text("2 2.5 0.5 0.1 0.2\n")
    (folder / "000003.txt").write_text("2 0.5 0.5 0.1 0.2\n")
    (folder / "elsewhere.txt").write_text("2 0.5 0.5 0.1 0.2\n")
    return folder


def imported(ws, labels, **options):
    return ws.prelabels.import_("yolo", labels, media="match", capability=PLAYERS, classes=CLASSES, **options)


@in_memory_and_file
def test_every_record_is_kept_or_refused_with_its_reason(ws, labels):
    # when
    run = imported(ws, labels, model="fastestdet", model_version="1")

    # then
    assert (run.annotation_count, run.report.read, run.report.kept) == (3, 8, 3)
    assert sum(run.report.refused_by_code.values()) == run.report.refused.height == 5
    assert run.report.notes_by_code == {"CLAMPED": 1}
    assert set(run.report.refused.columns) >= {"file", "line", "code", "detail"}
    assert ("000000.txt", 4) in run.report.refused.select("file", "line").rows()
    assert (run.model, run.model_version, run.media, run.capability) == ("fastestdet", "1", "match", PLAYERS)


def test_the_labels_are_px_of_the_frame_with_score_and_source(ws, labels):
    # when
    frames = ws.review.open("match", PLAYERS, run=imported(ws, labels).id).frames

    # then
    assert [(a.label, a.geometry, a.score, a.source) for a in frames[0].annotations] == [
        ("player", Box(90, 40, 20, 20), 0.75, Source.MODEL),
        ("ball", Box(15, 5, 10, 10), None, Source.MODEL),
        ("referee", Box(190, 40, 10, 20), None, Source.MODEL),
    ]
    assert [len(frame.annotations) for frame in frames] == [3, 0, 0, 0]


def test_what_does_not_fit_can_be_kept_for_the_review_to_correct(ws, labels):
    # when
    run = imported(ws, labels, on_invalid="keep")

    # then
    draft = ws.review.open("match", PLAYERS, run=run.id)
    assert draft.frames[1].annotations[0].geometry == Box(490, 40, 20, 20)
    assert refused(lambda: ws.review.publish(draft.id, expected_version=1)) == "VALIDATION_HARD_FAIL"


def test_equal_labels_have_one_hash_and_ids_of_their_own(ws, labels):
    # when
    first, second = imported(ws, labels), imported(ws, labels)

    # then
    assert first.content_hash == second.content_hash
    assert len({first.id, second.id, first.pack, second.pack}) == 4
    assert ws.review.diff(first.id, second.id).summary.frames_changed == 0
    assert str(first.lineage) == f"pack:{first.pack}"


def test_runs_are_listed_newest_first_with_what_came_of_them(ws, labels, balls):
    # given
    first = imported(ws, labels, model="a")
    second = imported(ws, labels, model="b")

    # then
    runs = ws.prelabels.runs()
    assert runs["run_id"].to_list() == [second.id, first.id, balls]
    assert runs.filter(run_id=first.id).select("media", "capability", "model", "status", "lineage", "annotation_count").row(0) == (
        "match",
        PLAYERS,
        "a",
        "completed",
        str(first.lineage),
        3,
    )
    assert json.loads(runs["report"][0])["read"] == 8
    assert ws.prelabels.runs(capability=BALLS)["run_id"].to_list() == [balls]
    assert ws.prelabels.runs(media="match", capability=PLAYERS, status="completed").height == 2
    assert ws.prelabels.runs(media="elsewhere").is_empty()
    assert ws.prelabels.runs(status="failed").is_empty()


@in_memory_and_file
def test_an_import_of_which_nothing_fits_is_refused_whole(ws, labels):
    for name in ("000000.txt", "000001.txt"):
        (labels / name).unlink()
    before = tables(ws)
    assert refused(lambda: imported(ws, labels)) == "LABELS_ALL_REFUSED"
    assert tables(ws) == before


def test_a_run_may_have_no_labels_at_all(ws, labels):
    (labels / "elsewhere.txt").unlink()
    for file in labels.iterdir():
        file.write_text("")
    run = imported(ws, labels)
    assert (run.annotation_count, run.report.read) == (0, 0)
    assert [frame.annotations for frame in ws.review.open("match", PLAYERS, run=run.id).frames] == [(), (), (), ()]


@pytest.mark.parametrize(
    ("options", "code"),
    [
        pytest.param({"format": "yolov12"}, "UNKNOWN_FORMAT", id="unknown format"),
        pytest.param({"source": "/nowhere"}, "LABELS_NOT_FOUND", id="no such folder"),
        pytest.param({"media": "matches"}, "NOT_FOUND", id="no such media"),
        pytest.param({"capability": "players"}, "NOT_FOUND", id="no such capability"),
        pytest.param({"classes": None}, "CLASSES_UNKNOWN", id="numbers without names"),
    ],
)
def test_an_import_that_cannot_be_understood_is_refused(ws, labels, options, code):
    asked = {"format": "yolo", "source": labels, "media": "match", "capability": PLAYERS, "classes": CLASSES} | options
    before = tables(ws)
    assert refused(lambda: ws.prelabels.import_(**asked)) == code
    assert tables(ws) == before


def test_who_may_not_import_imports_nothing(ws, labels):
    vera = as_user(ws, "vera", "viewer")
    before = tables(ws)
    assert refused(lambda: imported(vera, labels)) == "PERMISSION_DENIED"
    assert tables(ws) == before
    assert trail(ws, "actor", "action", "allowed")[-1] == ("vera", "import", False)


def test_an_import_is_in_the_trail(ws, labels):
    imported(ws, labels)
    assert trail(ws, "action", "code", "allowed")[-1] == ("import", "PRELABELS_IMPORTED", True)
