"""MOT files: each line is a label or a refusal with file, line and reason."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from labelkit.errors import ClassesUnknown, LabelsNotFound, LabelsUnreadable
from labelkit.formats import mot
from labelkit.formats.labels import text_lines
from tests.formats import helpers

VIDEO = helpers.frames(*[""] * 5)
CLASSES = ["player", "ball"]


def read(folder, text=None, frames=VIDEO, capability=helpers.BOXES, name="gt/gt.txt", **options):
    if text is not None:
        helpers.write(folder, {name: text})
    return helpers.together(mot.read(folder, frames=frames, capability=capability, **({"classes": CLASSES} | options)))


def test_lines_become_boxes_on_frames_that_count_from_one(tmp_path):
    # when
    found = read(tmp_path, "1,7,10,5,20,30.5,1,1,0.5\n\n5,8,40,5,20,30,1,2,-1\n")

    # then
    assert helpers.geometry(found.rows) == [(0, "player", 10, 5, 20, 30.5, None), (4, "ball", 40, 5, 20, 30, None)]
    assert found.rows.select("score", "attributes", "file", "line").rows() == [
        (None, '{"track_id":7,"visibility":0.5}', "gt.txt", 1),
        (None, '{"track_id":8}', "gt.txt", 3),
    ]
    assert found.refused.is_empty()


def test_the_first_pixel_may_be_one_as_the_challenge_counts(tmp_path):
    line = "1,7,1,1,100,50,1,1,1"
    assert helpers.geometry(read(tmp_path, line, one_based=True).rows) == [(0, "player", 0, 0, 100, 50, None)]
    assert helpers.geometry(read(tmp_path).rows) == [(0, "player", 1, 1, 99, 49, None)]


DIALECTS = {
    "a detection": ("1,-1,10,5,20,30,0.75", "player", 0.75, None),
    "a sure detection": ("1,-1,10,5,20,30,1", "player", 1.0, None),
    "a detection of 2015": ("1,-1,10,5,20,30,0.75,-1,-1,-1", "player", 0.75, None),
    "a detection without confidence": ("1,-1,10,5,20,30,-1,-1,-1,-1", "player", None, None),
    "a detection that is no share": ("1,-1,10,5,20,30,64.5,-1,-1,-1", "player", None, {"confidence": 64.5}),
    "a detection below nought": ("1,-1,10,5,20,30,-0.5,-1,-1,-1", "player", None, {"confidence": -0.5}),
    "no confidence at all": ("1,-1,10,5,20,30", "player", None, None),
    "a track of 2015 in the world": (
        "1,3,10,5,20,30,1,4.5,-2,0",
        "player",
        None,
        {"track_id": 3, "world_x": 4.5, "world_y": -2, "world_z": 0},
    ),
    "a track with a class": ("1,3,10,5,20,30,1,1", "player", None, {"track_id": 3}),
    "a track with a score": ("1,3,10,5,20,30,0.5,-1,-1,-1", "player", 0.5, {"track_id": 3}),
    "an entry to be ignored": ("1,3,10,5,20,30,0,1,1", "player", None, {"track_id": 3, "ignored": True, "visibility": 1}),
    "blanks": (" 1 3 10 5  20 30 1 1 1 ", "player", None, {"track_id": 3, "visibility": 1}),
    "commas with blanks": ("1, 3, 10, 5, 20, 30, 1, 1, 1", "player", None, {"track_id": 3, "visibility": 1}),
    "decimals": ("1.0,3.0,10.0,5.0,20.0,30.0,1.0,1.0,1.0", "player", None, {"track_id": 3, "visibility": 1}),
}


@pytest.mark.parametrize(("line", "label", "score", "kept"), DIALECTS.values(), ids=DIALECTS)
def test_dialects_are_told_apart_by_their_fields(tmp_path, line, label, score, kept):
    found = read(tmp_path, line, classes=["player"])
    assert helpers.geometry(found.rows) == [(0, label, 10, 5, 20, 30, None)]
    assert found.rows["score"].to_list() == [score]
    assert found.rows["attributes"].to_list() == [None] if kept is None else json.loads(found.rows["attributes"][0]) == kept


LINES = {
    "too few fields": ("1,3,10,5,20", "LABEL_MALFORMED", "5 fields"),
    "too many fields": ("1,3,10,5,20,30,1,1,1,1,1", "LABEL_MALFORMED", "11 fields"),
    "YOLO": ("0 0.5 0.5 0.1 0.1", "LABEL_MALFORMED", "5 fields"),
    "words": ("one,3,10,5,20,30,1,1,1", "LABEL_NOT_A_NUMBER", "one,3"),
    "an empty field": ("1,3,10,,20,30,1,1,1", "LABEL_NOT_A_NUMBER", ""),
    "NaN": ("1,3,10,nan,20,30,1,1,1", "LABEL_NOT_A_NUMBER", ""),
    "a confidence that is none": ("1,-1,10,5,20,30,nan,1,1", "LABEL_NOT_A_NUMBER", ""),
    "an infinite confidence": ("1,3,10,5,20,30,inf,1,1", "LABEL_NOT_A_NUMBER", ""),
    "a frame after the last": ("6,3,10,5,20,30,1,1,1", "LABEL_NO_IMAGE", "frame 6: the media has 5 frames"),
    "a frame before the first": ("-1,3,10,5,20,30,1,1,1", "LABEL_NO_IMAGE", "frame -1"),
    "half a frame": ("1.5,3,10,5,20,30,1,1,1", "LABEL_NO_IMAGE", ""),
    "a class out of range": ("1,3,10,5,20,30,1,3,1", "LABEL_CLASS_OUT_OF_RANGE", "class 3 of 1 to 2"),
    "class zero": ("1,3,10,5,20,30,1,0,1", "LABEL_CLASS_OUT_OF_RANGE", "class 0 of 1 to 2"),
    "no class where there are two": ("1,3,10,5,20,30,1,-1,1", "LABEL_CLASS_OUT_OF_RANGE", "class none of 1 to 2"),
    "outside": ("1,3,110,5,20,30,1,1,1", "LABEL_OUTSIDE_FRAME", ""),
    "negative": ("1,3,10,5,-20,30,1,1,1", "LABEL_MALFORMED", "width -20"),
}


@pytest.mark.parametrize(("wrong", "code", "detail"), LINES.values(), ids=LINES)
def test_a_wrong_line_is_refused_with_its_number_and_spoils_no_other(tmp_path, wrong, code, detail):
    right = "1,3,10,5,20,30,1,1,1"
    found = read(tmp_path, f"{right}\n{wrong}\n{right}\n")
    assert helpers.refusals(found) == [("gt.txt", 2, code)]
    assert detail in found.refused["detail"][0]
    assert found.rows["line"].to_list() == [1, 3]


NUMBERED = helpers.frames("img1/000060.jpg", "img1/000061.jpg", "img1/000062.jpg")
FROM_ZERO = helpers.frames("000000.jpg", "000001.jpg", "000002.jpg")
COUNTS = {
    "from one": (VIDEO, [1, 2], {}, [0, 1]),
    "from nought, because a frame is called so": (VIDEO, [0, 1], {}, [0, 1]),
    "by names that are numbers": (NUMBERED, [60, 62], {}, [0, 2]),
    "from one, because a frame is below these numbers": (NUMBERED, [1, 3], {}, [0, 2]),
    "from one, whatever the names count from": (FROM_ZERO, [1, 3], {}, [0, 2]),
    "by names from nought, because a frame is called so": (FROM_ZERO, [0, 2], {}, [0, 2]),
    "by names with a gap": (helpers.frames("1.jpg", "2.jpg", "5.jpg"), [1, 5], {}, [0, 2]),
    "from one, because not every name is a number": (helpers.frames("60.jpg", "61.jpg", "x62.jpg"), [1, 3], {}, [0, 2]),
    "from one, because a number is there twice": (helpers.frames("a/1.jpg", "a/2.jpg", "b/1.jpg"), [1, 3], {}, [0, 2]),
    "as the caller says": (VIDEO, [101, 103], {"first_frame": 101}, [0, 2]),
    "as the caller says, whatever the names": (NUMBERED, [61, 62], {"first_frame": 61}, [0, 1]),
}


@pytest.mark.parametrize(("frames", "numbers", "options", "indices"), COUNTS.values(), ids=COUNTS)
def test_frames_are_counted_without_being_one_off(tmp_path, frames, numbers, options, indices):
    text = "".join(f"{number},3,10,5,20,30,1,1,1\n" for number in reversed(numbers))
    found = read(tmp_path, text, frames, **options)
    assert sorted(found.rows["frame_index"]) == indices
    assert found.refused.is_empty()


CLASS_NAMES = {
    "as given": ({}, ["ball", "player"], "player"),
    "as one name": ({}, "player", None),
    "beside the file": ({"gt/labels.txt": "ball\n player \n"}, None, "player"),
    "of the challenge": ({}, None, "person_on_vehicle"),
}


@pytest.mark.parametrize(("files", "classes", "label"), CLASS_NAMES.values(), ids=CLASS_NAMES)
def test_classes_count_from_one(tmp_path, files, classes, label):
    helpers.write(tmp_path, files)
    found = read(tmp_path, "1,3,10,5,20,30,1,2,1", classes=classes, on_invalid="keep")
    assert found.rows["label"].to_list() == ([] if label is None else [label])


@pytest.mark.parametrize("place", ["seqinfo.ini", "gt/seqinfo.ini"])
def test_a_sequence_of_another_size_is_noted_once_a_frame(tmp_path, place):
    helpers.write(tmp_path, {place: "[Sequence]\nimWidth=200\nimHeight=100\n"})
    notes = read(tmp_path, "1,-1,10,5,20,30\n1,-1,10,5,20,30\n2,-1,10,5,20,30", classes=["player"]).notes
    assert notes.select("frame_index", "line", "code").rows() == [(0, 1, "OTHER_SIZE"), (1, 3, "OTHER_SIZE")]


PLACES = {
    "the sequence": ("gt/gt.txt", ""),
    "its detections": ("det/det.txt", ""),
    "the folder of the file": ("gt.txt", ""),
    "the file": ("tracks.txt", "tracks.txt"),
}


@pytest.mark.parametrize(("name", "source"), PLACES.values(), ids=PLACES)
def test_a_sequence_or_its_file_can_be_named(tmp_path, name, source):
    helpers.write(tmp_path, {name: "1,3,10,5,20,30,1,1,1"})
    assert read(tmp_path / source).rows.height == 1


WRONG = {
    "no such place": ({}, "gone", CLASSES, LabelsNotFound, "there is no such file"),
    "no tracks": ({"x/img1/a.jpg": ""}, "x", CLASSES, LabelsNotFound, "gt/gt.txt"),
    "no classes": ({"gt.txt": ""}, "", [], ClassesUnknown, "labels.txt"),
    "an empty list of classes": ({"gt.txt": "", "labels.txt": "\n"}, "", None, ClassesUnknown, "labels.txt"),
    "a broken seqinfo.ini": ({"gt.txt": "", "seqinfo.ini": "imWidth=3"}, "", CLASSES, LabelsUnreadable, "section headers"),
    "a size in words": ({"gt.txt": "", "seqinfo.ini": "[Sequence]\nimWidth=wide"}, "", CLASSES, LabelsUnreadable, "wide"),
}


@pytest.mark.parametrize(("files", "name", "classes", "error", "reason"), WRONG.values(), ids=WRONG)
def test_a_wrong_place_is_refused_before_anything_is_read(tmp_path, files, name, classes, error, reason):
    helpers.write(tmp_path, files)
    with pytest.raises(error, match=reason):
        mot.read(tmp_path / name, frames=VIDEO, capability=helpers.BOXES, classes=classes)


def test_an_empty_file_has_no_labels(tmp_path):
    found = read(tmp_path, "")
    assert (found.rows.height, found.refused.height) == (0, 0)


@settings(deadline=None, max_examples=20)
@given(st.lists(st.sampled_from([line for line, *_ in (*LINES.values(), *DIALECTS.values())]), max_size=8), st.integers(1, 200))
def test_every_line_is_in_one_place_whatever_the_chunks(tmp_path_factory, texts, block):
    # given
    folder = helpers.write(tmp_path_factory.mktemp("labels"), {"gt.txt": "\n".join(texts)})

    # when
    whole = read(folder)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(text_lines, "BLOCK", block)
        parts = read(folder)

    # then
    assert parts.rows.equals(whole.rows)
    assert parts.refused.equals(whole.refused)
    assert sorted([*whole.rows["line"], *whole.refused["line"]]) == list(range(1, len(texts) + 1))
