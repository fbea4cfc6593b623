"""Importing labels: every format through one door, a report of every record, and models as functions."""

from __future__ import annotations

import json
import tracemalloc

import polars as pl
import pytest

from labelkit import LabelkitError
from labelkit.core.review.annotations import attributes_of
from labelkit.errors import InvalidValue, LabelsAllRefused
from labelkit.formats import READERS, table_rows
from tests.formats import helpers
from tests.media.helpers import encoded, index_in, jpeg, orientation, picture, video
from tests.services.worlds import BALLS, PLAYERS, add_media, in_memory_and_file

COCO = {
    "images": [{"id": 1, "file_name": "000000.png"}],
    "categories": [{"id": 1, "name": "player"}],
    "annotations": [{"id": 1, "image_id": 1, "category_id": 1, "bbox": [20, 10, 40, 30]}],
}
REGION = {"value": {"x": 10, "y": 10, "width": 20, "height": 30, "rectanglelabels": ["player"]}}
TASK = {"id": 1, "data": {"image": "000000.png"}, "annotations": [{"result": [REGION]}]}
CVAT = '<image name="000000.png"><box label="player" xtl="20" ytl="10" xbr="60" ybr="40"/></image>'
VOC = "<object><name>player</name><bndbox><xmin>21</xmin><ymin>11</ymin><xmax>60</xmax><ymax>40</ymax></bndbox></object>"
FILES = {
    "coco": ("labels.json", json.dumps(COCO), {}),
    "csv": ("labels.csv", "frame,label,x,y,w,h\n0,player,20,10,40,30", {"units": "pixels"}),
    "cvat": ("annotations.xml", f"<annotations>{CVAT}</annotations>", {}),
    "labelstudio": ("export.json", json.dumps([TASK]), {"prefer": "predictions"}),
    "mot": ("gt/gt.txt", "1,-1,21,11,40,30,-1,1,-1", {"classes": ["player"], "one_based": True, "first_frame": 1}),
    "voc": ("000000.xml", f"<annotation>{VOC}</annotation>", {"one_based": True}),
    "yolo": ("000000.txt", "0 0.2 0.25 0.2 0.3", {"classes": ["player"]}),
}
TABLE = pl.DataFrame({"frame": [0], "label": ["player"], "x": [20], "y": [10], "w": [40], "h": [30]})


@pytest.fixture
def labels(tmp_path):
    return tmp_path / "labels"


def imported(ws, media, format, source, capability=PLAYERS, **options):
    return ws.prelabels.import_(format, source, media=media, capability=capability, **options)


@pytest.mark.parametrize("format", sorted(READERS))
def test_every_format_comes_in_and_equal_labels_have_equal_content(memory, labels, format):
    # given the same box in each format
    media = add_media(memory)
    if format == "parquet":
        labels.mkdir()
        TABLE.write_parquet(labels / "labels.parquet")
        source, options = labels, {}
    elif format == "python":
        source, options = (lambda frame: [("player", 20, 10, 40, 30)] if frame.index == 0 else []), {}
    else:
        name, text, options = FILES[format]
        source = helpers.write(labels, {name: text})

    # when
    run = imported(memory, media, format, source, model="net", model_version="3", **options)

    # then
    same = imported(memory, media, "csv", TABLE)
    assert (run.annotation_count, run.content_hash, run.report.summary) == (1, same.content_hash, "1 read, 1 kept, 0 refused")
    frame = memory.review.open(media.name, PLAYERS, run=run.id).frames[0]
    box = frame.annotations[0].geometry
    assert (box.x, box.y, box.width, box.height) == (20, 10, 40, 30)


@in_memory_and_file
def test_the_report_says_what_became_of_every_record(ws, media, labels):
    # given
    rows = [
        "000000.png,player,20,10,40,30,1",
        "000000.png,cat,20,10,40,30,0",
        "zzz.png,player,20,10,40,30,0",
        "000003.png,player,20,10,40,30,0",
        "000001.png,player,-10,10,40,30,0",
        "000001.png,<b>,20,10,40,30,0",
    ]
    helpers.write(labels, {"labels.csv": "\n".join(("image,label,x,y,w,h,occluded", *rows))})

    # when
    report = imported(ws, media, "csv", labels / "labels.csv").report

    # then
    assert (report.read, report.kept, report.refused_count, report.not_editable_count) == (6, 2, 4, 1)
    assert report.refused_by_code == {"LABEL_FRAME_BROKEN": 1, "LABEL_NO_IMAGE": 1, "LABEL_UNKNOWN_CLASS": 2}
    assert report.notes_by_code == {"CLAMPED": 1, "KEPT_NOT_EDITABLE": 1}
    assert report.refused.select("line", "code").rows() == [
        (3, "LABEL_UNKNOWN_CLASS"),
        (4, "LABEL_NO_IMAGE"),
        (5, "LABEL_FRAME_BROKEN"),
        (7, "LABEL_UNKNOWN_CLASS"),
    ]
    # and it is kept with the run
    kept = json.loads(ws.prelabels.runs()["report"][0])
    assert kept == {"read": 6, "refused": report.refused_by_code, "notes": report.notes_by_code}


def test_a_run_and_its_report_print_well_and_as_html_nothing_of_the_files_is_markup(memory, labels):
    # given
    media = add_media(memory)
    text = "frame,label,x,y,w,h\n0,player,20,10,40,30\n" + "0,<script>alert(1)</script>,20,10,40,30\n" * 12
    helpers.write(labels, {"<b>.csv": text})

    # when
    run = imported(memory, media, "csv", labels / "<b>.csv", model="<i>net</i>", model_version="2")

    # then
    assert repr(run).splitlines()[0] == f"<PrelabelRun {run.id}: 1 labels of match, player_detection, by <i>net</i> 2>"
    assert repr(run.report).splitlines()[0] == "<ImportReport: 13 read, 1 kept, 12 refused>"
    assert "  LABEL_UNKNOWN_CLASS     12  The capability does not have that class." in repr(run)
    assert repr(run).splitlines()[-1] == "  and 2 more refused; see report.refused"
    html = run._repr_html_()
    assert run.pack in html
    assert "<script>" not in html
    assert "<i>" not in html
    assert "&lt;b&gt;.csv" in html


def test_labels_of_which_none_fits_are_refused_with_the_reasons_and_nothing_is_imported(ws, media, labels):
    helpers.write(labels, {"z.txt": "0 0.5 0.5 0.1 0.1", "000000.txt": "0 nan 1 1 1\n"})
    with pytest.raises(LabelsAllRefused) as refused:
        imported(ws, media, "yolo", labels, classes=["player"])
    assert "LABEL_NOT_A_NUMBER (1), LABEL_NO_IMAGE (1); the first is z.txt: no frame is named as z.txt" in refused.value.detail
    assert ws.prelabels.runs().is_empty()


def test_labels_of_which_there_are_none_are_a_run_of_nothing(memory, labels):
    helpers.write(labels, {"000000.txt": ""})
    run = imported(memory, add_media(memory), "yolo", labels, classes=["player"])
    assert (run.annotation_count, run.report.reasons) == (0, "nothing was refused")


OPTIONS = {
    "an option of another format": ("yolo", "labels", {"one_based": True}, "has no such option", "It has none"),
    "a mistyped option": ("voc", "labels", {"onebased": True}, "has no such option", "It has one_based."),
    "the pictures of a model": ("python", len, {"given": len}, "has no such option", "It has progress."),
    "a frame for files": ("voc", TABLE, {}, "DataFrame is no source for format 'voc'", "file or folder"),
    "a function for files": ("csv", len, {}, "is no source for format 'csv'", "file or folder"),
    "a file for a model": ("python", "model.py", {}, "str is no source for format 'python'", "A function"),
}


@pytest.mark.parametrize(("format", "source", "options", "reason", "hint"), OPTIONS.values(), ids=OPTIONS)
def test_what_a_format_does_not_know_is_refused(memory, format, source, options, reason, hint):
    with pytest.raises(InvalidValue) as refused:
        imported(memory, add_media(memory), format, source, **options)
    assert reason in refused.value.detail
    assert hint in refused.value.hint


def test_an_unknown_format_is_refused_with_those_that_are_known(memory):
    with pytest.raises(LabelkitError, match="labelstudio") as refused:
        imported(memory, add_media(memory), "label-studio", "labels")
    assert refused.value.code == "UNKNOWN_FORMAT"


# --- models


@pytest.fixture
def pictures(memory, tmp_path):
    """Media of three frames: 64 x 48 px, the same lying on its side, and one cut off."""
    turned = encoded(picture(64, 48, 1), "JPEG", exif=orientation(6))
    helpers.write(tmp_path / "frames", {"a.jpg": jpeg(), "b.jpg": turned, "c.jpg": jpeg()[:300]})
    return memory.media.add(tmp_path / "frames", name="clip")


def test_a_model_sees_the_picture_of_each_frame_upright_and_in_its_size(memory, pictures):
    # given
    seen = {}

    def detector(frame):
        assert frame.image.mode == "RGB"
        seen[frame.index] = (frame.name, (frame.width, frame.height), frame.image.size, frame.mime, frame.bytes[:2])
        return [("player", 0, 0, frame.width, frame.height, 0.5)]

    # when
    run = imported(memory, pictures, "python", detector)

    # then
    assert seen == {
        0: ("a.jpg", (64, 48), (64, 48), "image/jpeg", b"\xff\xd8"),
        1: ("b.jpg", (48, 64), (48, 64), "image/jpeg", b"\xff\xd8"),
    }
    assert run.report.refused.rows() == [("c.jpg", None, "LABEL_FRAME_BROKEN", "frame 2: FRAME_TRUNCATED; the model was not called")]
    # and the run is named after the function
    assert run.model.endswith("detector")
    assert memory.prelabels.runs()["model"].to_list() == [run.model]


def test_a_picture_that_was_taken_away_costs_its_frame_only(memory, pictures, tmp_path):
    (tmp_path / "frames" / "a.jpg").unlink()
    run = imported(memory, pictures, "python", lambda frame: [("player", 0, 0, *frame.image.size)])
    assert run.report.refused_by_code == {"LABEL_FRAME_BROKEN": 1, "LABEL_MODEL_FAILED": 1}
    assert "FRAME_UNAVAILABLE" in run.report.refused["detail"][0] + run.report.refused["detail"][1]
    assert run.annotation_count == 1


def test_a_model_that_fails_on_every_frame_is_refused_with_the_first_exception(memory, pictures):
    with pytest.raises(LabelsAllRefused, match="ZeroDivisionError"):
        imported(memory, pictures, "python", lambda frame: 1 // 0 * frame.index)
    assert memory.prelabels.runs().is_empty()


def test_a_model_sees_the_frames_of_a_video_by_their_decoded_index(memory, tmp_path):
    # given a video whose pictures say their index
    file = video(tmp_path / "match.mp4", frames=12)
    media = memory.media.add(file, name="match")

    # when
    told = []
    run = imported(
        memory,
        media,
        "python",
        lambda frame: [("ball", 1 + index_in(frame.bytes), 2)],
        BALLS,
        progress=lambda done, total: told.append((done, total)),
    )

    # then
    frames = memory.review.open("match", BALLS, run=run.id).frames
    assert [frame.annotations[0].geometry.x for frame in frames] == list(range(1, 13))
    assert told[-1] == (12, 12)


def test_progress_that_raises_ends_the_import_and_nothing_is_imported(memory, pictures):
    def stop(done, total):
        raise TimeoutError(f"{done} of {total}")

    with pytest.raises(TimeoutError):
        imported(memory, pictures, "python", lambda _: [("player", 0, 0, 9, 9)], progress=stop)
    assert memory.prelabels.runs().is_empty()


def test_attributes_that_a_model_gives_come_with_its_labels(memory, pictures):
    label = {"label": "player", "x": 1, "y": 2, "width": 9, "height": 9, "attributes": {"track_id": 7}}
    run = imported(memory, pictures, "python", lambda _: [label])
    annotation = memory.review.open("clip", PLAYERS, run=run.id).frames[0].annotations[0]
    assert attributes_of(annotation) == {"track_id": 7}


# --- size


def test_memory_does_not_grow_with_the_source(memory, labels, monkeypatch):
    """Eight times the rows, of which half are refused, in the memory of one batch."""
    # given
    media = add_media(memory, count=50)
    monkeypatch.setattr(table_rows, "ROWS_A_BATCH", 2_000)
    rows = "".join(f"{row % 100},player,{row % 90},5,20,30,0.5\n" for row in range(10_000))
    header = "frame,label,x,y,w,h,score\n"
    helpers.write(labels, {"once.csv": header + rows, "often.csv": header + rows * 8})
    peaks = []
    for name in ("once.csv", "once.csv", "often.csv"):
        tracemalloc.start()
        run = imported(memory, media, "csv", labels / name)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()

    # then
    assert (run.report.kept, run.report.refused_count, run.report.refused.height) == (40_000, 40_000, 1_000)
    assert peaks[2] < peaks[1] * 1.5


@pytest.mark.parametrize("format", [name for name in FILES if name not in ("mot", "yolo")])
def test_every_format_with_names_can_call_a_class_otherwise(ws, tmp_path, format):
    # given a file that calls a player a player, and a team that calls it a referee
    name, text, options = FILES[format]
    add_media(ws)
    path = tmp_path / "labels" / name
    path.parent.mkdir(parents=True)
    path.write_text(text)
    source = path.parent if format == "voc" else path

    # when
    run = ws.prelabels.import_(format, source, media="match", capability=PLAYERS, classes={"player": "referee"}, **options)

    # then
    draft = ws.review.open("match", PLAYERS, run=run.id)
    assert [a.label for frame in draft.frames for a in frame.annotations] == ["referee"]
    with pytest.raises(LabelsAllRefused, match="LABEL_CLASS_LEFT_OUT"):
        ws.prelabels.import_(format, source, media="match", capability=PLAYERS, classes={"player": None}, **options)


def test_numbered_classes_can_be_called_otherwise_by_their_numbers(ws, tmp_path):
    # given
    add_media(ws)
    (tmp_path / "000000.txt").write_text("0 0.2 0.25 0.2 0.3\n1 0.5 0.5 0.2 0.2\n")

    # when
    run = ws.prelabels.import_("yolo", tmp_path, media="match", capability=PLAYERS, classes={0: "player", 1: None})

    # then
    assert (run.annotation_count, run.report.refused_by_code) == (1, {"LABEL_CLASS_LEFT_OUT": 1})
    assert run.report.refused.row(0, named=True)["line"] == 2
