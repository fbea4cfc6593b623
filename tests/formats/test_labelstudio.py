"""Label Studio exports: each region of each answer is a label or a refusal with its task and reason."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from labelkit.errors import LabelsNotFound, LabelsUnreadable
from labelkit.formats import json_stream, labelstudio
from tests.formats import helpers

FRAMES = helpers.frames("a.jpg", "b.jpg", "c.jpg", problems={"c.jpg": "FRAME_TRUNCATED"})
VIDEO = helpers.frames(*[""] * 6)
RECTANGLE = {"x": 10, "y": 20, "width": 40, "height": 50, "rotation": 0}
BOX = (10, 10, 40, 25, None)  # the same in a frame of 100 x 50 px


def region(value=None, *, kind="rectanglelabels", labels=("player",), **more):
    """One result; `value` is the place."""
    placed = dict(RECTANGLE if value is None else value)
    return {"type": kind, "from_name": "label", "to_name": "image", "value": placed | {kind: list(labels)}, **more}


def task(*results, image="a.jpg", predictions=(), number=1, **more):
    return {
        "id": number,
        "data": {"image": image},
        "annotations": [{"id": 1, "result": list(results)}],
        "predictions": list(predictions),
        **more,
    }


def read(folder, tasks, frames=FRAMES, capability=helpers.BOXES, **options):
    helpers.write(folder, {"export.json": tasks if isinstance(tasks, str | bytes) else json.dumps(tasks)})
    return helpers.together(labelstudio.read(folder / "export.json", frames=frames, capability=capability, **options))


def test_rectangles_in_percent_become_boxes_in_px(tmp_path):
    # when
    found = read(tmp_path, [task(region()), task(region(labels=["ball"]), region(score=0.25), image="b.jpg")])

    # then
    assert helpers.geometry(found.rows) == [(0, "player", *BOX), (1, "ball", *BOX), (1, "player", *BOX)]
    assert found.rows.select("score", "attributes", "file", "line").rows() == [
        (None, None, "export.json", 1),
        (None, None, "export.json", 2),
        (0.25, None, "export.json", 2),
    ]
    assert (found.refused.height, found.notes.height) == (0, 0)


def test_a_keypoint_is_a_point_and_its_drawn_width_no_size(tmp_path):
    point = region({"x": 50, "y": 50, "width": 0.2}, kind="keypointlabels", labels=["ball"])
    assert helpers.geometry(read(tmp_path, [task(point)], capability=helpers.POINTS).rows) == [(0, "ball", 50, 25, None, None, None)]
    assert helpers.refusals(read(tmp_path, [task(point)])) == [("export.json", 1, "LABEL_NOT_A_BOX")]


ELLIPSE = {"x": 50, "y": 50, "radiusX": 20, "radiusY": 20}
FORMS = {
    "a polygon": (region({"points": [[10, 20], [50, 30], [30, 70]], "closed": True}, kind="polygonlabels"), (10, 10, 40, 25), "polygon"),
    "an ellipse": (region(ELLIPSE, kind="ellipselabels"), (30, 15, 40, 20), "ellipse"),
    "an ellipse turned by a quarter": (region(ELLIPSE | {"rotation": 90}, kind="ellipselabels"), (40, 5, 20, 40), "ellipse"),
    "a rectangle turned by a quarter about its corner": (
        region({"x": 50, "y": 20, "width": 20, "height": 20, "rotation": 90}),
        (40, 10, 10, 20),
        "rectangle",
    ),
}


@pytest.mark.parametrize(("result", "box", "shape"), FORMS.values(), ids=FORMS)
def test_a_form_that_is_no_upright_box_is_the_box_around_it_with_its_value_kept(tmp_path, result, box, shape):
    # when
    found = read(tmp_path, [task(result)])

    # then
    assert helpers.geometry(found.rows) == [(0, "player", *box, None)]
    value = {name: one for name, one in result["value"].items() if not name.endswith("labels")}
    assert json.loads(found.rows["attributes"][0]) == {"shape": shape, "value": value}
    assert found.notes["code"].to_list() == ["KEPT_NOT_EDITABLE"]


KEPT = {
    "further labels": ([region(labels=["player", "red"])], {"labels": ["player", "red"]}),
    "an answer about the region": (
        [region(id="r"), {"id": "r", "type": "choices", "from_name": "team", "value": RECTANGLE | {"choices": ["red"]}}],
        {"team": ["red"]},
    ),
    "a text about the region": (
        [{"id": "r", "type": "textarea", "from_name": "number", "value": RECTANGLE | {"text": ["10"], "textarea": "10"}}, region(id="r")],
        None,
    ),
    "a note": ([region(meta={"text": ["look"]})], {"meta": {"text": ["look"]}}),
    "a turned view": ([region(image_rotation=90)], {"image_rotation": 90}),
    "a label on its own": (
        [{"id": "r", "type": "rectangle", "from_name": "box", "value": RECTANGLE}, region(id="r", kind="labels")],
        None,
    ),
}


@pytest.mark.parametrize(("results", "kept"), KEPT.values(), ids=KEPT)
def test_results_of_one_id_are_one_region_and_what_is_said_of_it_is_kept(tmp_path, results, kept):
    found = read(tmp_path, [task(*results)])
    assert helpers.geometry(found.rows) == [(0, "player", *BOX)]
    assert found.refused.is_empty()
    if kept is not None:
        assert json.loads(found.rows["attributes"][0]) == kept


WITHOUT_HEIGHT = {name: value for name, value in RECTANGLE.items() if name not in {"height", "width"}}
REGIONS = {
    "a brush": ({"type": "brushlabels", "value": {"rle": [1, 2], "format": "rle", "brushlabels": ["player"]}}, "LABEL_NO_PLACE", "a mask"),
    "a choice": ({"type": "choices", "value": {"choices": ["good"]}}, "LABEL_NO_PLACE", "choices"),
    "a relation": ({"type": "relation", "from_id": "a", "to_id": "b"}, "LABEL_NO_PLACE", "relation"),
    "a kind that is no text": ({"type": "\ud800"}, "LABEL_NO_PLACE", "\\ud800"),
    "nothing": ({}, "LABEL_NO_PLACE", "it is not in one place"),
    "a value that is a list": ({"type": "rectanglelabels", "value": [1]}, "LABEL_NO_PLACE", "rectanglelabels"),
    "no label": (region(labels=[]), "LABEL_MALFORMED", "it has no label"),
    "labels that are no names": (region(labels=[3, None, ""]), "LABEL_MALFORMED", "it has no label"),
    "a word": (region(RECTANGLE | {"x": "left"}), "LABEL_NOT_A_NUMBER", 'x is "left"'),
    "a truth": (region(RECTANGLE | {"width": True}), "LABEL_NOT_A_NUMBER", "width is true"),
    "NaN": (region(RECTANGLE | {"height": float("nan")}), "LABEL_NOT_A_NUMBER", "height is NaN"),
    "a number beyond all": (region(RECTANGLE | {"y": 10**400}), "LABEL_NOT_A_NUMBER", "y is 1000"),
    "no width": (region({"x": 1, "y": 2, "height": 3}), "LABEL_MALFORMED", "it has no width"),
    "a turn in words": (region(RECTANGLE | {"rotation": "left"}), "LABEL_NOT_A_NUMBER", "rotation"),
    "a score in words": (region(score="high"), "LABEL_NOT_A_NUMBER", "score"),
    "a score of a percentage": (region(score=87), "LABEL_SCORE_OUT_OF_RANGE", "87"),
    "points that are none": (region({"points": "all over"}, kind="polygonlabels"), "LABEL_MALFORMED", "points"),
    "half a point": (region({"points": [[1, 2], [3]]}, kind="polygonlabels"), "LABEL_MALFORMED", "points"),
    "points of words": (region({"points": [[1, "2"]]}, kind="polygonlabels"), "LABEL_NOT_A_NUMBER", "a point"),
    "a polygon with one point": (region({"points": [[1, 2]]}, kind="polygonlabels"), "LABEL_NOT_A_BOX", ""),
    "another class": (region(labels=["cat"]), "LABEL_UNKNOWN_CLASS", "class cat"),
    "half a letter": (region(labels=["\ud800"]), "LABEL_UNKNOWN_CLASS", "class \\ud800"),
    "a note that is no text": (region(meta={"text": "\ud800"}), "LABEL_MALFORMED", "attributes"),
    "outside": (region(RECTANGLE | {"x": 120}), "LABEL_OUTSIDE_FRAME", ""),
    "a sequence without keyframes": (region({"sequence": []}, kind="videorectangle", labels=["player"]), "LABEL_MALFORMED", ""),
}


@pytest.mark.parametrize(("wrong", "code", "detail"), REGIONS.values(), ids=REGIONS)
def test_a_wrong_region_is_refused_with_its_task_and_spoils_no_other(tmp_path, wrong, code, detail):
    wrong = {"value": wrong.get("value", {}), **wrong} if wrong else wrong
    if wrong.get("type") == "videorectangle":
        wrong["value"] |= {"labels": ["player"]}
    found = read(tmp_path, [task(region()), task(region(), wrong, region(), number=2)])
    assert helpers.refusals(found) == [("export.json", 2, code)]
    assert detail in found.refused["detail"][0]
    assert found.rows["line"].to_list() == [1, 2, 2]


def work(*results, **more):
    return {"result": list(results), **more}


MINE, YOURS = region(labels=["player"]), region(labels=["ball"])
ANSWERS = {
    "the latest annotation": ({"annotations": [work(YOURS, id=1, updated_at="2024-02"), work(MINE, id=2, updated_at="2024-03")]}, {}),
    "the last number where no time is said": ({"annotations": [work(MINE, id=3), work(YOURS, id=2)]}, {}),
    "ground truth before the latest": (
        {"annotations": [work(MINE, id=1, ground_truth=True, created_at="2024-01"), work(YOURS, id=2, created_at="2024-02")]},
        {},
    ),
    "one that was not cancelled": ({"annotations": [work(MINE, id=1), work(YOURS, id=2, was_cancelled=True)]}, {}),
    "annotations before predictions": ({"annotations": [work(MINE)], "predictions": [work(YOURS)]}, {}),
    "predictions where nobody annotated": ({"annotations": [work(YOURS, was_cancelled=True)], "predictions": [work(MINE)]}, {}),
    "predictions where they are preferred": ({"annotations": [work(YOURS)], "predictions": [work(MINE)]}, {"prefer": "predictions"}),
    "annotations where there is nothing that was preferred": (
        {"completions": [work(MINE), work(YOURS, skipped=True)]},
        {"prefer": "predictions"},
    ),
}


@pytest.mark.parametrize(("works", "options"), ANSWERS.values(), ids=ANSWERS)
def test_one_answer_of_several_is_taken_and_the_others_are_refused(tmp_path, works, options):
    found = read(tmp_path, [{"id": 4, "data": {"image": "a.jpg"}, **works}], **options)
    assert found.rows["label"].to_list() == ["player"]
    assert helpers.refusals(found) == [("export.json", 1, "LABEL_NOT_CHOSEN")]
    assert found.refused["detail"][0].startswith("task 4, region 1: ")


def test_a_prediction_gives_its_score_to_regions_without_their_own(tmp_path):
    predictions = [work(region(), region(score=0.25), score=0.75)]
    found = read(tmp_path, [{"id": 1, "data": {"image": "a.jpg"}, "annotations": [], "predictions": predictions}])
    assert found.rows["score"].to_list() == [0.75, 0.25]


PICTURES = {
    "a name": "b.jpg",
    "an address": "https://example.org/set/b.jpg?token=1",
    "a bucket": "s3://bucket/folder/b.jpg",
    "a local file": "/data/local-files/?d=set%2Fb.jpg",
    "an upload": "/data/upload/3/0a1b2c3d-b.jpg",
    "an upload as it is in JSON-MIN": "upload/3/0a1b2c3d-b.jpg",
    "a path on the server": "/b",
    "signs in percent": "https://example.org/%62.jpg",
}


@pytest.mark.parametrize("image", PICTURES.values(), ids=PICTURES)
def test_a_task_belongs_to_the_frame_of_its_picture(tmp_path, image):
    assert read(tmp_path, [task(region(), image=image)]).rows["frame_index"].to_list() == [1]


DATA = {
    "under the name of the control": {"left": "b.jpg", "right": "a.jpg"},
    "the only picture": {"photo": "b.jpg", "text": "a long story", "audio": "b.wav"},
    "the image": {"image": "b.jpg", "mask": "b.png"},
}


@pytest.mark.parametrize("data", DATA.values(), ids=DATA)
def test_the_picture_is_found_among_the_data(tmp_path, data):
    asked = region() | {"to_name": "left"}
    assert read(tmp_path, [{"id": 1, "data": data, "annotations": [work(asked)]}]).rows["frame_index"].to_list() == [1]


LOST = {
    "no such frame": ({"image": "z.jpg"}, "LABEL_NO_IMAGE"),
    "no such upload": ({"image": "upload/0a1b2c3d-z.jpg"}, "LABEL_NO_IMAGE"),
    "several pictures": ({"pages": [{"url": "a.jpg"}, {"url": "b.jpg"}]}, "LABEL_NO_IMAGE"),
    "two pictures and no hint": ({"left": "a.jpg", "right": "b.jpg"}, "LABEL_NO_IMAGE"),
    "half a letter": ({"image": "a\ud800.jpg"}, "LABEL_NO_IMAGE"),
    "an address that is none": ({"image": "http://[a.jpg"}, "LABEL_NO_IMAGE"),
    "out of the folder": ({"image": "../../a.jpg"}, None),
}


@pytest.mark.parametrize(("data", "code"), LOST.values(), ids=LOST)
def test_regions_of_a_picture_without_a_frame_are_refused(tmp_path, data, code):
    found = read(tmp_path, [{"id": 1, "data": data, "annotations": [work(region())]}])
    assert [code for *_, code in helpers.refusals(found)] == [code or "LABEL_OUTSIDE_ROOT"]


def test_a_picture_of_another_size_is_noted_and_percent_still_fit(tmp_path):
    found = read(tmp_path, [task(region(original_width=200, original_height=100), region(original_width=200, original_height=100))])
    assert found.notes.select("frame_index", "line", "code").rows() == [(0, 1, "OTHER_SIZE")]
    assert helpers.geometry(found.rows)[0] == (0, "player", *BOX)


def test_regions_of_a_broken_frame_are_refused(tmp_path):
    assert helpers.refusals(read(tmp_path, [task(region(), image="c.jpg")])) == [("export.json", 1, "LABEL_FRAME_BROKEN")]


def flat(number, image="a.jpg", **more):
    place = RECTANGLE | {"rectanglelabels": ["player"], "original_width": 100, "original_height": 50}
    return {"image": image, "id": number, "label": [place, place], "annotator": 1, "annotation_id": 1, "updated_at": "2024-01"} | more


def test_flat_records_are_read_and_of_several_for_a_task_the_latest_is_taken(tmp_path):
    # given two people on the first task, one on the second, and one who saw nothing on the third
    late = flat(7, annotation_id=2, updated_at="2024-02", quality="good", label=flat(7)["label"][:1])
    found = read(tmp_path, [flat(7), late, flat(8, "upload/0a1b2c3d-b.jpg"), flat(9, label=[])])

    # then
    assert helpers.geometry(found.rows) == [(0, "player", *BOX), (1, "player", *BOX), (1, "player", *BOX)]
    assert found.rows["line"].to_list() == [2, 3, 3]
    assert helpers.refusals(found) == [("export.json", 1, "LABEL_NOT_CHOSEN")] * 2


def keyframe(frame, x, **more):
    return {"frame": frame, "enabled": True, "rotation": 0, "x": x, "y": 20, "width": 10, "height": 20, **more}


SEQUENCES = {
    "two keyframes": ([keyframe(1, 10), keyframe(3, 30, enabled=False)], {0: 10, 1: 20, 2: 30}, [1]),
    "keyframes in another order": ([keyframe(3, 30, enabled=False), keyframe(1, 10)], {0: 10, 1: 20, 2: 30}, [1]),
    "one that lasts": ([keyframe(4, 10)], {3: 10, 4: 10, 5: 10}, [4, 5]),
    "one that is away for a while": (
        [keyframe(1, 10, enabled=False), keyframe(4, 40, enabled=False)],
        {0: 10, 3: 40},
        [],
    ),
}


@pytest.mark.parametrize(("sequence", "across", "between"), SEQUENCES.values(), ids=SEQUENCES)
def test_a_rectangle_of_a_video_is_one_a_frame_evenly_moved_between_keyframes(tmp_path, sequence, across, between):
    # given
    value = {"framesCount": 6, "sequence": sequence, "labels": ["player"]}
    result = {"id": "r", "type": "videorectangle", "from_name": "box", "to_name": "video", "value": value}

    # when
    found = read(tmp_path, [{"id": 1, "data": {"video": "match.mp4"}, "annotations": [work(result)]}], VIDEO)

    # then
    assert dict(found.rows.select("frame_index", "x").rows()) == across
    assert found.rows.filter(attributes='{"keyframe":false}')["frame_index"].to_list() == between
    assert found.refused.is_empty()


def test_keyframes_beyond_the_video_are_refused_and_end_it(tmp_path):
    value = {"sequence": [keyframe(5, 10), keyframe(10**9, 30)], "labels": ["player"]}
    found = read(tmp_path, [task({"type": "videorectangle", "value": value})], VIDEO)
    assert found.rows["frame_index"].to_list() == [4, 5]
    assert [(code, detail) for _, _, code, detail in found.refused.rows()] == [
        ("LABEL_NO_IMAGE", "frame 1000000000: the media has 6 frames")
    ]


TASKS = {
    "a number": 3,
    "a list": [],
    "COCO": {"images": [], "categories": [], "annotations": [{"id": 1, "bbox": [1, 2, 3, 4]}]},
    "CreateML": {"image": "a.jpg", "annotations": [{"label": "player", "coordinates": {"x": 1}}]},
    "a record of nothing": {"hello": "world"},
}


@pytest.mark.parametrize("wrong", TASKS.values(), ids=TASKS)
def test_what_is_no_task_is_refused_with_its_place(tmp_path, wrong):
    found = read(tmp_path, [task(region()), wrong])
    assert helpers.refusals(found) == [("export.json", 2, "LABEL_MALFORMED")]
    assert found.rows.height == 1


def test_a_single_task_needs_no_list(tmp_path):
    assert read(tmp_path, task(region())).rows.height == 1


@pytest.mark.parametrize(
    "text",
    ["", "no JSON", "[{]", json.dumps([task(region())])[:-9], "[][]", "{}{}"],
    ids=["empty", "words", "broken", "cut off", "two", "two tasks"],
)
def test_what_is_no_json_is_refused_with_the_byte(tmp_path, text):
    with pytest.raises(LabelsUnreadable, match="byte"):
        read(tmp_path, text)


@pytest.mark.parametrize("files", [{}, {"a.json": "[]", "b.json": "[]"}], ids=["none", "two"])
def test_a_folder_must_hold_one_export(tmp_path, files):
    with pytest.raises(LabelsNotFound):
        labelstudio.read(helpers.write(tmp_path, files), frames=FRAMES, capability=helpers.BOXES)


def test_a_folder_with_one_export_can_be_named(tmp_path):
    helpers.write(tmp_path, {"project.json": json.dumps([task(region())])})
    assert helpers.together(labelstudio.read(tmp_path, frames=FRAMES, capability=helpers.BOXES)).rows.height == 1


RESULT = st.sampled_from([region(), *(result for result, *_ in FORMS.values()), *(result for result, *_ in REGIONS.values())])


@settings(deadline=None, max_examples=16)
@given(
    st.lists(st.tuples(st.sampled_from(["a.jpg", "b.jpg", "z.jpg"]), st.lists(RESULT, max_size=3)), max_size=5),
    st.integers(1, 4),
    st.integers(1, 400),
)
def test_every_region_is_in_one_place_whatever_the_chunks(tmp_path_factory, tasks, chunk, block):
    # given
    folder = tmp_path_factory.mktemp("labels")
    given_tasks = [task(*results, image=image, number=number) for number, (image, results) in enumerate(tasks)]

    # when
    whole = read(folder, given_tasks)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(labelstudio, "REGIONS_A_CHUNK", chunk)
        patch.setattr(json_stream, "BLOCK", block)
        parts = read(folder, given_tasks)

    # then
    assert parts.rows.equals(whole.rows)
    assert parts.refused.sort("line", "detail").equals(whole.refused.sort("line", "detail"))
    assert whole.rows.height + whole.refused.height == sum(len(results) for _, results in tasks)
