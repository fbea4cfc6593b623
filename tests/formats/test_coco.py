"""COCO files: whatever the order and spelling of their parts, each record is a label or a refusal with its number."""

from __future__ import annotations

import itertools
import json

import pytest

from labelkit.errors import ClassesUnknown, LabelsNotFound, LabelsUnreadable
from labelkit.formats import coco, json_stream
from tests.formats import helpers
from tests.media.helpers import as_ordinary_user, forbidden, open_folder

FRAMES = helpers.frames("a.jpg", "b.jpg", "c.jpg", problems={"c.jpg": "FRAME_MISSING"})
IMAGES = [{"id": number, "file_name": f"{name}.jpg", "width": 100, "height": 50} for number, name in enumerate("abc", 1)]
CATEGORIES = [{"id": 1, "name": "player"}, {"id": 2, "name": "ball"}, {"id": 9, "name": "cat"}]
BOX = {"id": 1, "image_id": 1, "category_id": 1, "bbox": [10, 10, 20, 20]}


def made(*records, images=IMAGES, categories=CATEGORIES, **options):
    return json.dumps({"images": images, "categories": categories, "annotations": list(records)}, **options)


def read(folder, content, capability=helpers.BOXES, frames=FRAMES, **options):
    helpers.write(folder, {"labels.json": content})
    return helpers.together(coco.read(folder / "labels.json", frames=frames, capability=capability, **options))


def test_annotations_become_boxes_with_their_score_and_number(tmp_path):
    # when
    found = read(tmp_path, made(BOX, BOX | {"image_id": 2, "category_id": 2, "bbox": [1.25, 2.5, 3, 4.123456], "score": 0.75}))

    # then
    assert helpers.geometry(found.rows) == [(0, "player", 10, 10, 20, 20, None), (1, "ball", 1.25, 2.5, 3, 4.1235, None)]
    assert found.rows["score"].to_list() == [None, 0.75]
    assert found.rows.select("file", "line", "attributes").rows() == [("labels.json", 1, None), ("labels.json", 2, None)]
    assert found.refused.is_empty()
    assert found.notes.is_empty()


@pytest.mark.parametrize("order", list(itertools.permutations(["images", "categories", "annotations"])), ids="-".join)
@pytest.mark.parametrize("indent", [None, 1], ids=["in one line", "in many lines"])
@pytest.mark.parametrize("block", [150, 8 << 20], ids=["small blocks", "one block"])
def test_parts_come_in_any_order_and_layout(tmp_path, monkeypatch, order, indent, block):
    # given
    monkeypatch.setattr(json_stream, "BLOCK", block)
    parts = {"info": {"year": 2026}, "images": IMAGES, "categories": CATEGORIES}
    parts |= {"annotations": [BOX | {"id": number, "bbox": [number % 70, 1, 20, 20]} for number in range(60)], "licenses": []}
    content = json.dumps({name: parts[name] for name in ("info", *order, "licenses")}, indent=indent)

    # when
    found = read(tmp_path, content)

    # then
    assert found.rows["x"].to_list() == [number % 70 for number in range(60)]
    assert found.rows["line"].to_list() == list(range(1, 61))


RECORDS = {
    "no such image": ({"image_id": 77}, "LABEL_NO_IMAGE", "image_id 77 is not among the images"),
    "no image": ({"image_id": None}, "LABEL_NO_IMAGE", "image_id (none)"),
    "no such category": ({"category_id": 5}, "LABEL_CLASS_OUT_OF_RANGE", "category_id 5 is not among the categories"),
    "no category": ({"category_id": None}, "LABEL_CLASS_OUT_OF_RANGE", "category_id (none)"),
    "class of no capability": ({"category_id": 9}, "LABEL_UNKNOWN_CLASS", "class cat"),
    "broken frame": ({"image_id": 3}, "LABEL_FRAME_BROKEN", "FRAME_MISSING"),
    "no box": ({"bbox": None}, "LABEL_MALFORMED", "bbox is not a list of four numbers"),
    "empty box": ({"bbox": []}, "LABEL_MALFORMED", "bbox is not a list of four numbers"),
    "three numbers": ({"bbox": [1, 2, 3]}, "LABEL_MALFORMED", "bbox is not a list of four numbers"),
    "five numbers": ({"bbox": [1, 2, 3, 4, 5]}, "LABEL_MALFORMED", "bbox is not a list of four numbers"),
    "a hole": ({"bbox": [1, None, 3, 4]}, "LABEL_MALFORMED", "bbox is not a list of four numbers"),
    "words": ({"bbox": ["1", "2", "3", "4"]}, "LABEL_NOT_A_NUMBER", 'bbox is ["1", "2", "3", "4"]'),
    "an object": ({"bbox": {"x": 1}}, "LABEL_MALFORMED", "bbox"),
    "NaN": ({"bbox": [float("nan"), 2, 3, 4]}, "LABEL_NOT_A_NUMBER", "x NaN"),
    "infinity": ({"bbox": [1, 2, float("inf"), 4]}, "LABEL_NOT_A_NUMBER", "width inf"),
    "too large for a float": ({"bbox": [1, 2, 10**400, 4]}, "LABEL_NOT_A_NUMBER", "width inf"),
    "score a word": ({"score": "0.5"}, "LABEL_NOT_A_NUMBER", "score is 0.5"),
    "score NaN": ({"score": float("nan")}, "LABEL_NOT_A_NUMBER", ""),
    "score of a percentage": ({"score": 87.0}, "LABEL_SCORE_OUT_OF_RANGE", "score 87"),
    "negative width": ({"bbox": [1, 2, -3, 4]}, "LABEL_MALFORMED", "width -3"),
    "outside": ({"bbox": [100, 2, 3, 4]}, "LABEL_OUTSIDE_FRAME", "in a frame of 100 x 50 px"),
    "attributes with NaN": ({"attributes": {"a": float("nan")}}, "LABEL_MALFORMED", "attributes"),
    "attributes with a number beyond floats": ({"attributes": {"a": 2**60}}, "LABEL_MALFORMED", "attributes"),
}


@pytest.mark.parametrize(("changes", "code", "detail"), RECORDS.values(), ids=RECORDS)
def test_a_wrong_record_is_refused_with_its_number_and_spoils_no_other(tmp_path, changes, code, detail):
    # when
    found = read(tmp_path, made(BOX, BOX | changes, BOX))

    # then
    assert helpers.refusals(found) == [("labels.json", 2, code)]
    assert detail in found.refused["detail"][0]
    assert found.rows["line"].to_list() == [1, 3]


def test_a_record_that_is_no_object_is_refused(tmp_path):
    # when
    found = read(tmp_path, made(BOX, 5, [1], None, BOX))

    # then
    assert helpers.refusals(found) == [("labels.json", number, "LABEL_MALFORMED") for number in (2, 3, 4)]


def test_large_ids_and_ids_that_are_text_are_only_names(tmp_path):
    # given
    images = [IMAGES[0] | {"id": 20180000001}, IMAGES[1] | {"id": "first"}]
    records = [BOX | {"image_id": 20180000001}, BOX | {"image_id": "first"}, BOX | {"image_id": "20180000001"}]

    # then
    assert read(tmp_path, made(*records, images=images)).rows["frame_index"].to_list() == [0, 1, 0]


PATHS = {
    "climbing": ("../a.jpg", "LABEL_OUTSIDE_ROOT"),
    "absolute": ("/etc/a.jpg", "LABEL_OUTSIDE_ROOT"),
    "absolute on Windows": ("C:\\a.jpg", "LABEL_OUTSIDE_ROOT"),
    "unknown": ("z.jpg", "LABEL_NO_IMAGE"),
    "none": (None, "LABEL_NO_IMAGE"),
}


@pytest.mark.parametrize(("path", "code"), PATHS.values(), ids=PATHS)
def test_records_of_an_image_that_is_not_in_the_media_are_refused(tmp_path, path, code):
    assert helpers.refusals(read(tmp_path, made(BOX, BOX, images=[{"id": 1, "file_name": path}]))) == [
        ("labels.json", 1, code),
        ("labels.json", 2, code),
    ]


def test_an_id_of_two_images_and_a_frame_of_two_images_are_refused(tmp_path):
    # given
    twice = [IMAGES[0], IMAGES[1] | {"id": 1}]
    rivals = [{"id": 1, "file_name": "one/a.jpg"}, {"id": 2, "file_name": "two/a.jpg"}]

    # then
    assert helpers.refusals(read(tmp_path, made(BOX, images=twice))) == [("labels.json", 1, "LABEL_AMBIGUOUS_IMAGE")]
    assert helpers.refusals(read(tmp_path, made(BOX, images=rivals))) == [("labels.json", 1, "LABEL_AMBIGUOUS_IMAGE")]
    assert read(tmp_path, made(BOX, images=[IMAGES[0], IMAGES[0]])).rows.height == 1


def test_labels_made_on_another_size_are_kept_with_a_note(tmp_path):
    # when
    found = read(tmp_path, made(BOX, BOX | {"image_id": 2}, images=[IMAGES[0] | {"width": 50, "height": 25}, IMAGES[1]]))

    # then
    assert found.notes.select("line", "code", "detail").rows() == [
        (1, "OTHER_SIZE", "labelled on 50 x 25 px, the frame has 100 x 50"),
    ]
    assert found.rows.height == 2


ATTRIBUTES = {
    "polygon": ({"segmentation": [[1, 2, 3.0, 4.5]]}, '{"segmentation":[[1,2,3,4.5]]}'),
    "mask": ({"segmentation": {"size": [2, 2], "counts": "ab"}}, '{"segmentation":{"counts":"ab","size":[2,2]}}'),
    "crowd": ({"iscrowd": 1, "segmentation": []}, '{"iscrowd":1}'),
    "own": ({"attributes": {"team": "home", "occluded": False}}, '{"occluded":false,"team":"home"}'),
    "own, not as an object": ({"attributes": ["a"]}, '{"attributes":["a"]}'),
    "keypoints": ({"keypoints": [1, 2, 2], "num_keypoints": 1}, '{"keypoints":[1,2,2]}'),
    "nothing to keep": ({"iscrowd": 0, "segmentation": [], "attributes": {}, "area": 7.5, "keypoints": []}, None),
}


@pytest.mark.parametrize(("changes", "text"), ATTRIBUTES.values(), ids=ATTRIBUTES)
def test_what_cannot_be_edited_is_kept_in_the_attributes_with_a_note(tmp_path, changes, text):
    # when, once as a set and once singly because of a NaN beside it
    as_set = read(tmp_path, made(BOX | changes))
    singly = read(tmp_path, made(BOX | changes, BOX | {"score": float("nan")}))

    # then
    assert as_set.rows["attributes"].to_list() == singly.rows["attributes"].to_list() == [text]
    assert as_set.notes["code"].to_list() == ([] if text is None else ["KEPT_NOT_EDITABLE"])


BY_BOX = ["CONVERTED", "KEPT_NOT_EDITABLE"]
POINTS = {
    "keypoint with a box": ({"bbox": [8, 8, 4, 4], "keypoints": [10.5, 11, 2]}, (10.5, 11, None, None, 4), []),
    "keypoint with an empty box": ({"bbox": [10, 11, 0, 0], "keypoints": [10, 11, 1]}, (10, 11, None, None, None), []),
    "keypoint alone": ({"bbox": None, "keypoints": [10, 11, 2]}, (10, 11, None, None, None), []),
    "keypoint that was not labelled": (
        {"bbox": [8, 8, 4, 4], "keypoints": [0, 0, 0]},
        (10, 10, None, None, 4),
        ["CONVERTED", "KEPT_NOT_EDITABLE"],
    ),
    "several keypoints": (
        {"bbox": [8, 8, 4, 4], "keypoints": [1, 1, 2, 3, 3, 2]},
        (10, 10, None, None, 4),
        ["CONVERTED", "KEPT_NOT_EDITABLE"],
    ),
    "box": ({"bbox": [8, 8, 4, 4]}, (10, 10, None, None, 4), ["CONVERTED"]),
}


@pytest.mark.parametrize(("changes", "point", "notes"), POINTS.values(), ids=POINTS)
def test_in_a_capability_of_points_a_single_keypoint_is_the_point(tmp_path, changes, point, notes):
    # when
    found = read(tmp_path, made(BOX | {"category_id": 2} | changes), helpers.POINTS)

    # then
    assert helpers.geometry(found.rows) == [(0, "ball", *point)]
    assert found.notes["code"].to_list() == notes


RESULT = {"image_id": 1, "category_id": 1, "bbox": [10, 10, 20, 20], "score": 0.5}


def test_a_list_of_results_takes_its_meaning_from_the_annotation_file(tmp_path):
    # given
    truth = helpers.write(tmp_path, {"truth.json": made(BOX)}) / "truth.json"

    # when
    found = read(tmp_path, json.dumps([RESULT, RESULT | {"image_id": 2, "category_id": 2}]), images=truth)

    # then
    assert found.rows.select("frame_index", "label", "score").rows() == [(0, "player", 0.5), (1, "ball", 0.5)]


NAMES = {
    "stem": ("a", ["a.jpg", "b.jpg"], 0),
    "file name": ("b.jpg", ["a.jpg", "b.jpg"], 1),
    "number": (397133, ["000000397133.jpg", "000000000001.jpg"], 0),
    "number one": (1, ["000000397133.jpg", "000000000001.jpg"], 1),
}


@pytest.mark.parametrize(("image_id", "names", "index"), NAMES.values(), ids=NAMES)
def test_without_one_the_image_id_is_the_name_of_the_frame_and_classes_count_from_one(tmp_path, image_id, names, index):
    # when
    results = [
        RESULT | {"image_id": image_id, "category_id": 2},
        RESULT | {"image_id": "z"},
        RESULT | {"image_id": image_id, "category_id": 0},
    ]
    found = read(tmp_path, json.dumps(results), frames=helpers.frames(*names), classes=["player", "ball"])

    # then
    assert found.rows.select("frame_index", "label").rows() == [(index, "ball")]
    assert helpers.refusals(found) == [("labels.json", 2, "LABEL_NO_IMAGE"), ("labels.json", 3, "LABEL_CLASS_OUT_OF_RANGE")]


def test_text_that_is_not_utf8_is_met_by_frames_that_are_named_alike(tmp_path):
    # given
    content = made(BOX, images=[{"id": 1, "file_name": "cafX.jpg"}]).encode().replace(b"cafX", b"caf\xe9")

    # then
    assert read(tmp_path, content, frames=helpers.frames("caf\\xe9.jpg")).rows.height == 1


def test_attributes_that_are_not_utf8_are_refused(tmp_path):
    content = made(BOX | {"attributes": {"a": "X"}}, BOX).encode().replace(b'"X"', b'"\xe9"')
    assert helpers.refusals(read(tmp_path, content)) == [("labels.json", 1, "LABEL_MALFORMED")]


def test_a_folder_is_read_by_its_instances_or_its_only_json(tmp_path):
    # given
    export = helpers.write(
        tmp_path / "export", {"annotations/instances_val.json": made(BOX), "annotations/instances_train.json": made(BOX, BOX)}
    )
    single = helpers.write(tmp_path / "single", {"labels.json": made(BOX)})

    # then
    found = helpers.together(coco.read(export, frames=FRAMES, capability=helpers.BOXES))
    assert found.rows["file"].to_list() == ["instances_train.json", "instances_train.json", "instances_val.json"]
    assert helpers.together(coco.read(single, frames=FRAMES, capability=helpers.BOXES)).rows.height == 1


WRONG = {
    "missing": ({}, "gone.json", LabelsNotFound),
    "empty folder": ({}, "", LabelsNotFound),
    "two files in a folder": ({"a.json": "{}", "b.json": "{}"}, "", LabelsNotFound),
    "empty file": ({"a.json": ""}, "a.json", LabelsUnreadable),
    "text": ({"a.json": "no JSON"}, "a.json", LabelsUnreadable),
    "cut": ({"a.json": made(BOX, BOX)[:-30]}, "a.json", LabelsUnreadable),
    "one file after another": ({"a.json": made(BOX) + made(BOX)}, "a.json", LabelsUnreadable),
    "binary": ({"a.json": b"\x89PNG\r\n\x1a\n\0\0"}, "a.json", LabelsUnreadable),
    "a number": ({"a.json": "5"}, "a.json", LabelsUnreadable),
    "another JSON": ({"a.json": '{"shapes": [], "version": "5"}'}, "a.json", LabelsUnreadable),
    "annotations that are no list": ({"a.json": '{"annotations": {}}'}, "a.json", LabelsUnreadable),
    "no categories": ({"a.json": json.dumps({"images": IMAGES, "annotations": [BOX]})}, "a.json", ClassesUnknown),
    "results without meaning": ({"a.json": json.dumps([RESULT])}, "a.json", ClassesUnknown),
}


@pytest.mark.parametrize(("files", "source", "error"), WRONG.values(), ids=WRONG)
def test_what_is_no_coco_is_refused_whole(tmp_path, files, source, error):
    helpers.write(tmp_path, files)
    with pytest.raises(error) as refused:
        list(coco.read(tmp_path / source, frames=FRAMES, capability=helpers.BOXES))
    assert str(tmp_path) in refused.value.detail


def test_a_file_without_records_gives_nothing(tmp_path):
    found = read(tmp_path, made())
    assert (found.rows.height, found.refused.height) == (0, 0)


def test_a_file_that_may_not_be_read_is_refused():
    # given
    imports = "import sys, polars; from labelkit.errors import LabelkitError; from tests.formats.test_coco import FRAMES, coco, helpers"
    code = "try: list(coco.read(sys.argv[1], frames=FRAMES, capability=helpers.BOXES))\nexcept LabelkitError as error: print(error.code)"
    with open_folder() as folder:
        helpers.write(folder, {"a.json": made(BOX)})
        with forbidden(folder / "a.json"):
            # then
            assert as_ordinary_user(f"{imports}\n---\n{code}", folder / "a.json") == "LABELS_UNREADABLE"
