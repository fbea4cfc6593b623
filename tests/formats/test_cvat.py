"""CVAT files: each shape of each image or track is a label or a refusal with file, line and reason."""

from __future__ import annotations

import json

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from labelkit.errors import LabelsNotFound, LabelsUnreadable
from labelkit.formats import cvat
from tests.formats import helpers

FRAMES = helpers.frames("a.jpg", "b.jpg", "c.jpg", problems={"c.jpg": "FRAME_TRUNCATED"})
VIDEO = helpers.frames(*[""] * 40)
SIDES = 'xtl="10" ytl="5.00" xbr="30" ybr="25.5"'
BOX = f'<box label="player" occluded="0" source="manual" z_order="0" {SIDES}></box>'


def task(size: int, start: int = 0, stop: int = 0, frame_filter: str = "") -> str:
    facts = {"size": size, "start_frame": start, "stop_frame": stop, "frame_filter": frame_filter}
    return "<task>" + "".join(f"<{name}>{value}</{name}>" for name, value in facts.items()) + "</task>"


def xml(*parts: str, meta: str = "") -> str:
    """A file with a part on each line from the second."""
    return f"<annotations><version>1.1</version><meta>{meta}</meta>\n" + "\n".join(parts) + "\n</annotations>"


def image(*shapes: str, name: str = "a.jpg", more: str = 'width="100" height="50"') -> str:
    """An image with a shape on each line after its own."""
    return f'<image id="0" name="{name}" {more}>\n' + "\n".join(shapes) + "\n</image>"


def track(*shapes: str, label: str = "player") -> str:
    return f'<track id="7" label="{label}" source="manual">\n' + "\n".join(shapes) + "\n</track>"


def at(frame: int, more: str = 'outside="0" keyframe="1"') -> str:
    return f'<box frame="{frame}" {more} occluded="0" {SIDES} z_order="0"></box>'


def read(folder, text, frames=FRAMES, capability=helpers.BOXES):
    helpers.write(folder, {"annotations.xml": text})
    return helpers.together(cvat.read(folder, frames=frames, capability=capability))


def test_boxes_of_images_become_boxes_with_their_line(tmp_path):
    # when
    found = read(tmp_path, xml(image(BOX, BOX.replace("player", "ball")), image(name="b.jpg")))

    # then
    assert helpers.geometry(found.rows) == [(0, "player", 10, 5, 20, 20.5, None), (0, "ball", 10, 5, 20, 20.5, None)]
    assert found.rows.select("score", "attributes", "file", "line").rows() == [(None, None, "annotations.xml", line) for line in (3, 4)]
    assert (found.refused.height, found.notes.height) == (0, 0)


POLYGON = '<{} label="player" points="10,5;30,7.5;20,25"/>'
BOX_OF_POLYGON = (0, "player", 10, 5, 20, 20, None)
POINTS = [[10, 5], [30, 7.5], [20, 25]]
CUBOID = " ".join(
    f'x{corner}{face}="{x + 2 * face}" y{corner}{face}="{y + 2 * face}"'
    for face in (1, 2)
    for corner, x, y in (("tl", 10, 5), ("bl", 10, 20), ("tr", 30, 5), ("br", 30, 20))
)
SKELETON = (
    '<skeleton label="player"><points label="head" outside="0" points="10,5"/><points label="foot" outside="0" points="14,45"/>'
    '<points label="hand" outside="1" points="0,0"/></skeleton>'
)
FORMS = {
    "a polygon": (POLYGON.format("polygon"), BOX_OF_POLYGON, {"shape": "polygon", "points": POINTS}),
    "a polyline": (POLYGON.format("polyline"), BOX_OF_POLYGON, {"shape": "polyline", "points": POINTS}),
    "several points": (POLYGON.format("points"), BOX_OF_POLYGON, {"shape": "points", "points": POINTS}),
    "a box turned by a quarter": (
        '<box label="player" rotation="90" xtl="40" ytl="20" xbr="60" ybr="30"/>',
        (0, "player", 45, 15, 10, 20, None),
        {"rotation": 90, "unturned": [40, 20, 60, 30]},
    ),
    "an ellipse": (
        '<ellipse label="player" cx="50" cy="25" rx="20" ry="10"/>',
        (0, "player", 30, 15, 40, 20, None),
        {"shape": "ellipse", "cx": 50, "cy": 25, "rx": 20, "ry": 10},
    ),
    "an ellipse turned by a quarter": (
        '<ellipse label="player" cx="50" cy="25" rx="20" ry="10" rotation="90"/>',
        (0, "player", 40, 5, 20, 40, None),
        {"shape": "ellipse", "cx": 50, "cy": 25, "rx": 20, "ry": 10, "rotation": 90},
    ),
    "a mask": (
        '<mask label="player" rle="1, 2, 3" left="10" top="5" width="20" height="12"/>',
        (0, "player", 10, 5, 20, 12, None),
        {"shape": "mask", "rle": "1, 2, 3", "left": 10, "top": 5, "width": 20, "height": 12},
    ),
    "a cuboid": (f'<cuboid label="player" {CUBOID}/>', (0, "player", 12, 7, 22, 17, None), None),
    "a skeleton": (
        SKELETON,
        (0, "player", 10, 5, 4, 40, None),
        None,
    ),
}


@pytest.mark.parametrize(("shape", "box", "kept"), FORMS.values(), ids=FORMS)
def test_a_shape_that_is_no_upright_box_is_the_box_around_it_with_its_form_kept(tmp_path, shape, box, kept):
    # when
    found = read(tmp_path, xml(image(shape)))

    # then
    assert helpers.geometry(found.rows) == [box]
    attributes = json.loads(found.rows["attributes"][0])
    assert attributes == kept if kept is not None else attributes["shape"] in shape
    assert found.notes["code"].to_list() == ["KEPT_NOT_EDITABLE"]


def test_a_single_point_is_a_point(tmp_path):
    point = '<points label="ball" points="10.5,5"/>'
    assert helpers.geometry(read(tmp_path, xml(image(point)), capability=helpers.POINTS).rows) == [(0, "ball", 10.5, 5, None, None, None)]
    assert helpers.refusals(read(tmp_path, xml(image(point)))) == [("annotations.xml", 3, "LABEL_NOT_A_BOX")]


def test_attributes_are_kept_and_built_in_ones_only_where_they_say_something(tmp_path):
    # given
    said = BOX.replace("></box>", '><attribute name="team">red</attribute><attribute name="number">0010</attribute></box>')
    said = (
        said.replace('occluded="0"', 'occluded="1" group_id="4"')
        .replace('source="manual"', 'source="auto"')
        .replace('z_order="0"', 'z_order="-2"')
    )

    # then
    found = read(tmp_path, xml(image(said)))
    assert json.loads(found.rows["attributes"][0]) == {
        "team": "red",
        "number": "0010",
        "occluded": True,
        "group_id": 4,
        "source": "auto",
        "z_order": -2,
    }


SHAPES = {
    "a tag": ('<tag label="player"/>', "LABEL_NO_PLACE", "the tag player"),
    "a shape of another time": ('<hologram label="player"/>', "LABEL_NO_PLACE", "<hologram>"),
    "no corner": ('<box label="player" xtl="1" ytl="2" xbr="3"/>', "LABEL_MALFORMED", "height none"),
    "corners swapped": ('<box label="player" xtl="1" ytl="20" xbr="30" ybr="2"/>', "LABEL_MALFORMED", "height -18"),
    "a word": ('<box label="player" xtl="left" ytl="2" xbr="30" ybr="20"/>', "LABEL_NOT_A_NUMBER", "left is left"),
    "NaN": ('<box label="player" xtl="nan" ytl="2" xbr="30" ybr="20"/>', "LABEL_NOT_A_NUMBER", ""),
    "turned by infinity": (f'<box label="player" rotation="inf" {SIDES}/>', "LABEL_NOT_A_NUMBER", ""),
    "no points": ('<polygon label="player"/>', "LABEL_NOT_A_NUMBER", "points"),
    "points of words": ('<polygon label="player" points="1,2;x,y;5,6"/>', "LABEL_NOT_A_NUMBER", "points 1,2;x,y;5,6"),
    "half a point": ('<polygon label="player" points="1,2;3,4;5"/>', "LABEL_MALFORMED", "points 1,2;3,4;5"),
    "an ellipse without a radius": ('<ellipse label="player" cx="1" cy="2" rx="3"/>', "LABEL_MALFORMED", ""),
    "an ellipse of words": ('<ellipse label="player" cx="1" cy="2" rx="wide" ry="3"/>', "LABEL_NOT_A_NUMBER", "width is wide"),
    "an ellipse turned by infinity": ('<ellipse label="player" cx="9" cy="9" rx="3" ry="3" rotation="inf"/>', "LABEL_NOT_A_NUMBER", ""),
    "a skeleton of which nothing is seen": ('<skeleton label="player"/>', "LABEL_NOT_A_NUMBER", "points"),
    "no label": (f"<box {SIDES}/>", "LABEL_MALFORMED", "<box> has no label"),
    "an empty label": (f'<box label="" {SIDES}/>', "LABEL_MALFORMED", "<box> has no label"),
    "another class": (BOX.replace("player", "cat"), "LABEL_UNKNOWN_CLASS", "class cat"),
    "outside": ('<box label="player" xtl="110" ytl="2" xbr="130" ybr="20"/>', "LABEL_OUTSIDE_FRAME", ""),
}


@pytest.mark.parametrize(("wrong", "code", "detail"), SHAPES.values(), ids=SHAPES)
def test_a_wrong_shape_is_refused_with_its_line_and_spoils_no_other(tmp_path, wrong, code, detail):
    found = read(tmp_path, xml(image(BOX, wrong, BOX)))
    assert helpers.refusals(found) == [("annotations.xml", 4, code)]
    assert detail in found.refused["detail"][0]
    assert found.rows["line"].to_list() == [3, 5]


IMAGES = {
    "a name": ('name="b.jpg"', FRAMES, 1),
    "a name with folders": ('name="one/b.jpg"', FRAMES, 1),
    "a name with another suffix": ('name="b.png"', FRAMES, 1),
    "a subset that is a folder": ('name="a.jpg" subset="val"', helpers.frames("train/a.jpg", "val/a.jpg"), 1),
    "a subset that is none": ('name="b.jpg" subset="default"', FRAMES, 1),
    "a frame of a video": ('name="frame_000012"', VIDEO, 12),
}


@pytest.mark.parametrize(("said", "frames", "index"), IMAGES.values(), ids=IMAGES)
def test_an_image_belongs_to_the_frame_of_its_name(tmp_path, said, frames, index):
    assert read(tmp_path, xml(f"<image {said}>{BOX}</image>"), frames).rows["frame_index"].to_list() == [index]


@pytest.mark.parametrize(
    ("said", "code"), [('name="z.jpg"', "LABEL_NO_IMAGE"), ('id="0"', "LABEL_NO_IMAGE"), ('name="../a.png"', "LABEL_OUTSIDE_ROOT")]
)
def test_shapes_of_an_image_without_a_frame_are_refused_one_by_one(tmp_path, said, code):
    found = read(tmp_path, xml(f"<image {said}>\n{BOX}\n{BOX}</image>"))
    assert helpers.refusals(found) == [("annotations.xml", 3, code), ("annotations.xml", 4, code)]


def test_a_picture_labelled_in_another_size_is_noted_once(tmp_path):
    notes = read(tmp_path, xml(image(BOX, BOX, more='width="200" height="100"'))).notes
    assert notes.select("frame_index", "line", "code").rows() == [(0, 3, "OTHER_SIZE")]


def test_labels_of_a_broken_frame_are_refused(tmp_path):
    assert helpers.refusals(read(tmp_path, xml(image(BOX, name="c.jpg")))) == [("annotations.xml", 3, "LABEL_FRAME_BROKEN")]


def test_tracks_become_boxes_by_frame_with_their_id_and_end_where_they_go_outside(tmp_path):
    # given a track that a person began and CVAT went on, and that leaves
    boxes = track(at(2), at(3, 'outside="0" keyframe="0"'), at(4, 'outside="1" keyframe="1"'))

    # when
    found = read(tmp_path, xml(boxes, meta=task(40, stop=39)), VIDEO)

    # then
    assert helpers.geometry(found.rows) == [(index, "player", 10, 5, 20, 20.5, None) for index in (2, 3)]
    assert [json.loads(text) for text in found.rows["attributes"]] == [{"track_id": 7}, {"track_id": 7, "keyframe": False}]
    assert found.refused.is_empty()


COUNTS = {
    "no task is said": ("", VIDEO, {12: 12, 39: 39, 40: None}),
    "the whole video": (task(40, stop=39), VIDEO, {12: 12, 39: 39, 40: None}),
    "a part of the video that is here whole": (task(4, 10, 19, "step=3"), VIDEO, {10: 10, 13: 13, 16: 16, 19: 19}),
    "the pictures of that part": (task(4, 10, 19, "step=3"), helpers.frames(*"abcd"), {10: 0, 13: 1, 19: 3, 11: None, 22: None, 7: None}),
    "some of these pictures": (task(4, 10, 19, "step=3"), helpers.frames(*"abc"), {10: 0, 16: 2, 19: None}),
    "a part without steps": (task(3, 100, 102), helpers.frames(*"abc"), {100: 0, 102: 2, 0: None}),
    "steps of nothing": (task(3, 100, 102, "step=0"), helpers.frames(*"abc"), {101: 1}),
}


@pytest.mark.parametrize(("meta", "frames", "expected"), COUNTS.values(), ids=COUNTS)
def test_frames_of_tracks_count_as_the_task_that_was_cut_from_the_video(tmp_path, meta, frames, expected):
    found = read(tmp_path, xml(track(*map(at, expected)), meta=meta), frames)
    assert found.rows["frame_index"].to_list() == [index for index in expected.values() if index is not None]
    assert [code for *_, code in helpers.refusals(found)] == ["LABEL_NO_IMAGE"] * list(expected.values()).count(None)


@pytest.mark.parametrize("frame", ["", 'frame="first"', 'frame="1.5"', 'frame="99999999999999999999"'])
def test_a_box_of_a_track_without_a_frame_is_refused(tmp_path, frame):
    found = read(tmp_path, xml(track(f'<box outside="0" {frame} {SIDES}/>')), VIDEO)
    assert [code for *_, code in helpers.refusals(found)] in (["LABEL_NO_IMAGE"], ["LABEL_NOT_A_NUMBER"])


def test_tracks_of_several_tasks_are_refused_because_each_counts_from_its_own_start(tmp_path):
    meta = f"<project><tasks>{task(4)}{task(4)}</tasks></project>"
    with pytest.raises(LabelsUnreadable, match="several tasks"):
        read(tmp_path, xml(track(at(1)), meta=meta), VIDEO)


BROKEN = {
    "empty": (b"", "line 1"),
    "VOC": (b"\n<annotation/>", "line 2: it begins with <annotation>"),
    "cut off": (xml(image(BOX))[:-30].encode(), "line 3"),
    "a document type": (b"<!DOCTYPE annotations [<!ENTITY a 'b'>]><annotations>&a;</annotations>", "line 1: it declares a document type"),
}


@pytest.mark.parametrize(("data", "reason"), BROKEN.values(), ids=BROKEN)
def test_what_is_no_such_xml_is_refused_with_its_line(tmp_path, data, reason):
    with pytest.raises(LabelsUnreadable, match=reason):
        read(tmp_path, data)


PLACES = {
    "a folder that is not there": ({}, "gone"),
    "an empty folder": ({"x/readme.txt": ""}, "x"),
    "a folder of several": ({"x/a.xml": "", "x/b.xml": ""}, "x"),
}


@pytest.mark.parametrize(("files", "name"), PLACES.values(), ids=PLACES)
def test_a_wrong_place_is_refused_before_anything_is_read(tmp_path, files, name):
    helpers.write(tmp_path, files)
    with pytest.raises(LabelsNotFound):
        cvat.read(tmp_path / name, frames=FRAMES, capability=helpers.BOXES)


@pytest.mark.parametrize("name", ["train.xml", "annotations.xml"])
def test_the_file_or_its_folder_can_be_named(tmp_path, name):
    helpers.write(tmp_path, {name: xml(image(BOX))})
    for source in (tmp_path, tmp_path / name):
        assert helpers.together(cvat.read(source, frames=FRAMES, capability=helpers.BOXES)).rows.height == 1


SHAPE = st.one_of(
    st.sampled_from([BOX, at(1), *(one for one, *_ in FORMS.values()), *(one for one, *_ in SHAPES.values())]),
    st.builds('<polygon label="player" points="{},{};{},{}"/>'.format, *[st.floats(0, 50)] * 4),
)


@settings(deadline=None, max_examples=16)
@given(st.lists(st.tuples(st.sampled_from(["a.jpg", "b.jpg", "z.jpg"]), st.lists(SHAPE, max_size=4)), max_size=5), st.integers(1, 3))
def test_every_shape_is_in_one_place_whatever_the_chunks(tmp_path_factory, images, chunk):
    # given
    folder = tmp_path_factory.mktemp("labels")
    text = xml(*(image(*shapes, name=name) for name, shapes in images))

    # when
    whole = read(folder, text)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(cvat, "SHAPES_A_CHUNK", chunk)
        parts = read(folder, text)

    # then
    assert parts.rows.equals(whole.rows)
    assert parts.refused.equals(whole.refused)
    assert whole.rows.height + whole.refused.height == sum(len(shapes) for _, shapes in images)
    assert pl.concat([whole.rows["line"], whole.refused["line"]]).n_unique() == whole.rows.height + whole.refused.height
