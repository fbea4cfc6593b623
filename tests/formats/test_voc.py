"""Pascal VOC: each object of each file is a label or a refusal with file, line and reason."""

from __future__ import annotations

import json
import os

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from labelkit.errors import LabelsNotFound
from labelkit.formats import voc
from labelkit.formats.labels import label_files
from labelkit.formats.labels.acceptance import rounded
from tests.formats import helpers

FRAMES = helpers.frames("a.jpg", "b.jpg", "c.jpg", problems={"c.jpg": "FRAME_TRUNCATED"})
CORNERS = "<xmin>10</xmin><ymin>5</ymin><xmax>30</xmax><ymax>25.5</ymax>"
BOX = f"<bndbox>{CORNERS}</bndbox>"
PLAYER = f"<name>player</name>{BOX}"


def xml(*objects: str, filename: str = "", size: str = "") -> str:
    """A label file with an object on each line from the second."""
    lines = "".join(f"<object>{one}</object>\n" for one in objects)
    return f"<annotation><filename>{filename}</filename>{size}\n{lines}</annotation>"


def read(folder, frames=FRAMES, capability=helpers.BOXES, **options):
    return helpers.together(voc.read(folder, frames=frames, capability=capability, **options))


def test_objects_become_boxes_whose_corners_are_edges(tmp_path):
    # given
    helpers.write(tmp_path, {"a.xml": xml(PLAYER, f"<name>ball</name>{BOX}<score>0.75</score>"), "b.xml": xml()})

    # when
    found = read(tmp_path)

    # then
    assert helpers.geometry(found.rows) == [(0, "player", 10, 5, 20, 20.5, None), (0, "ball", 10, 5, 20, 20.5, None)]
    assert found.rows.select("score", "attributes", "file", "line").rows() == [(None, None, "a.xml", 2), (0.75, None, "a.xml", 3)]
    assert (found.refused.height, found.notes.height) == (0, 0)


def test_corners_may_be_pixels_counted_from_one_as_the_challenge_defines_them(tmp_path):
    # given the whole of a picture of 100 x 50 px
    whole = "<bndbox><xmin>1</xmin><ymin>1</ymin><xmax>100</xmax><ymax>50</ymax></bndbox>"
    helpers.write(tmp_path, {"a.xml": xml(f"<name>player</name>{whole}")})

    # then
    assert helpers.geometry(read(tmp_path, one_based=True).rows) == [(0, "player", 0, 0, 100, 50, None)]
    assert helpers.geometry(read(tmp_path).rows) == [(0, "player", 1, 1, 99, 49, None)]


KEPT = {
    "a yes": (
        "<difficult>1</difficult><truncated>true</truncated><occluded>1</occluded>",
        {"difficult": True, "truncated": True, "occluded": True},
    ),
    "a pose": ("<pose>Left</pose>", {"pose": "Left"}),
    "parts": (
        "<part><name>head</name><bndbox><xmin>1</xmin></bndbox></part><part><name>hand</name></part>",
        {"part": [{"name": "head", "bndbox": {"xmin": "1"}}, {"name": "hand"}]},
    ),
    "actions": ("<actions><running>1</running><walking>0</walking></actions>", {"actions": {"running": "1", "walking": "0"}}),
    "attributes": ("<attributes><attribute><name>team</name><value>red</value></attribute></attributes>", {"team": "red"}),
    "a polygon": ("<polygon><x1>1</x1><y1>2</y1></polygon>", {"polygon": {"x1": "1", "y1": "2"}}),
    "what nobody foresaw": ("<id>n02084071</id><subcategory>é</subcategory>", {"id": "n02084071", "subcategory": "é"}),
}


@pytest.mark.parametrize(("more", "kept"), KEPT.values(), ids=KEPT)
def test_what_an_object_holds_beside_its_box_is_kept_with_a_note(tmp_path, more, kept):
    # given
    helpers.write(tmp_path, {"a.xml": xml(PLAYER + more)})

    # then
    found = read(tmp_path)
    assert json.loads(found.rows["attributes"][0]) == kept
    assert found.notes["code"].to_list() == ["KEPT_NOT_EDITABLE"]


def test_a_no_is_not_kept_so_that_tools_that_leave_it_out_give_the_same_content(tmp_path):
    no = "<pose>Unspecified</pose><truncated>0</truncated><difficult>0</difficult><occluded>no</occluded><attributes/><part/>"
    helpers.write(tmp_path, {"a.xml": xml(PLAYER + no)})
    assert read(tmp_path).rows["attributes"].to_list() == [None]


def test_a_turned_box_is_the_box_around_it_with_its_own_numbers_kept(tmp_path):
    # given a box of 20 x 10 px, turned by a quarter
    turned = "<robndbox><cx>50</cx><cy>25</cy><w>20</w><h>10</h><angle>1.5707963267948966</angle></robndbox>"
    helpers.write(tmp_path, {"a.xml": xml(f"<name>player</name>{turned}")})

    # then
    found = read(tmp_path)
    assert helpers.geometry(found.rows) == [(0, "player", 45, 15, 10, 20, None)]
    assert json.loads(found.rows["attributes"][0])["robndbox"]["w"] == "20"


OBJECTS = {
    "no box": ("<name>player</name>", "LABEL_MALFORMED", "no bndbox"),
    "half a box": ("<name>player</name><bndbox><xmin>1</xmin></bndbox>", "LABEL_MALFORMED", "no bndbox"),
    "an empty corner": (PLAYER.replace("25.5", ""), "LABEL_MALFORMED", "no bndbox"),
    "a turned box without angle": ("<name>player</name><robndbox><cx>1</cx></robndbox>", "LABEL_MALFORMED", "no bndbox"),
    "a word": (PLAYER.replace("25.5", "low"), "LABEL_NOT_A_NUMBER", "ymax is low"),
    "NaN": (PLAYER.replace("25.5", "nan"), "LABEL_NOT_A_NUMBER", ""),
    "score a word": (f"{PLAYER}<score>high</score>", "LABEL_NOT_A_NUMBER", "score is high"),
    "score of a percentage": (f"{PLAYER}<confidence>87</confidence>", "LABEL_SCORE_OUT_OF_RANGE", "87"),
    "corners swapped": (PLAYER.replace("25.5", "2"), "LABEL_MALFORMED", "height -3"),
    "no class": (BOX, "LABEL_MALFORMED", ""),
    "another class": (PLAYER.replace("player", "cat"), "LABEL_UNKNOWN_CLASS", "class cat"),
    "outside": (PLAYER.replace("10<", "110<").replace("30<", "130<"), "LABEL_OUTSIDE_FRAME", ""),
    "empty": (PLAYER.replace("30<", "10<"), "LABEL_TOO_SMALL", ""),
}


@pytest.mark.parametrize(("wrong", "code", "detail"), OBJECTS.values(), ids=OBJECTS)
def test_a_wrong_object_is_refused_with_its_line_and_spoils_no_other(tmp_path, wrong, code, detail):
    # given
    helpers.write(tmp_path, {"a.xml": xml(PLAYER, wrong, PLAYER)})

    # then
    found = read(tmp_path)
    assert helpers.refusals(found) == [("a.xml", 3, code)]
    assert detail in found.refused["detail"][0]
    assert found.rows["line"].to_list() == [2, 4]


FILES = {
    "empty": ("", "LABEL_MALFORMED", 1),
    "another XML": ("<annotations><image/></annotations>", "LABEL_MALFORMED", 1),
    "cut off": (xml(PLAYER)[:-20], "LABEL_MALFORMED", 2),
    "a document type": (
        "<!DOCTYPE annotation [<!ENTITY x SYSTEM 'file:///etc/passwd'>]>\n<annotation>&x;</annotation>",
        "LABEL_MALFORMED",
        1,
    ),
    "not UTF-8": (b"<annotation>\n<filename>\xe9</filename></annotation>", "LABEL_MALFORMED", 2),
}


@pytest.mark.parametrize(("text", "code", "line"), FILES.values(), ids=FILES)
def test_a_file_that_is_no_voc_is_refused_whole_with_the_line_and_the_others_are_read(tmp_path, text, code, line):
    helpers.write(tmp_path, {"a.xml": text, "b.xml": xml(PLAYER)})
    found = read(tmp_path)
    assert helpers.refusals(found) == [("a.xml", line, code)]
    assert found.rows["frame_index"].to_list() == [1]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "iso-8859-1"])
def test_any_encoding_that_the_file_declares_is_read(tmp_path, encoding):
    text = f'<?xml version="1.0" encoding="{encoding}"?>{xml(PLAYER + "<id>é</id>")}'
    helpers.write(tmp_path, {"a.xml": text.encode(encoding)})
    assert json.loads(read(tmp_path).rows["attributes"][0]) == {"id": "é"}


PLACES = {
    "its own path": ("a.xml", "", 0),
    "a folder above": ("Annotations/a.xml", "", 0),
    "its own path, with a filename that is no frame": ("a.xml", "IMG_2231.JPG", 0),
    "the filename": ("0001.xml", "b.jpg", 1),
    "the filename without suffix": ("0001.xml", "b", 1),
    "the filename with a folder": ("0001.xml", "images/b.png", 1),
}


@pytest.mark.parametrize(("name", "filename", "index"), PLACES.values(), ids=PLACES)
def test_a_file_belongs_to_the_frame_of_its_path_or_of_its_filename(tmp_path, name, filename, index):
    helpers.write(tmp_path, {name: xml(PLAYER, filename=filename)})
    assert read(tmp_path).rows["frame_index"].to_list() == [index]


LOST = {
    "no frame at all": ({"z.xml": xml(PLAYER, PLAYER)}, [("z.xml", "LABEL_NO_IMAGE")], []),
    "no frame of that filename": ({"z.xml": xml(PLAYER, filename="y.jpg")}, [("z.xml", "LABEL_NO_IMAGE")], []),
    "path and filename say two frames": ({"a.xml": xml(PLAYER, filename="b.jpg")}, [("a.xml", "LABEL_AMBIGUOUS_IMAGE")], []),
    "a filename taken by a path": (
        {"a.xml": xml(PLAYER), "z.xml": xml(PLAYER, filename="a.jpg")},
        [("z.xml", "LABEL_AMBIGUOUS_IMAGE")],
        [0],
    ),
    "a filename taken by a filename": (
        {"y.xml": xml(PLAYER, filename="b.jpg"), "z.xml": xml(PLAYER, filename="b.jpg")},
        [("z.xml", "LABEL_AMBIGUOUS_IMAGE")],
        [1],
    ),
    "two paths": (
        {"one/a.xml": xml(PLAYER), "two/a.xml": xml(PLAYER)},
        [(f"{n}/a.xml", "LABEL_AMBIGUOUS_IMAGE") for n in ("one", "two")],
        [],
    ),
}


@pytest.mark.parametrize("files_a_chunk", [1, 2048])
@pytest.mark.parametrize(("files", "refused", "kept"), LOST.values(), ids=LOST)
def test_a_file_without_a_frame_of_its_own_is_refused_whole(tmp_path, monkeypatch, files, refused, kept, files_a_chunk):
    monkeypatch.setattr(voc, "FILES_A_CHUNK", files_a_chunk)
    found = read(helpers.write(tmp_path, files))
    assert [(file, code) for file, line, code in helpers.refusals(found) if line is None] == refused
    assert found.rows["frame_index"].to_list() == kept


def test_frames_of_a_video_are_found_by_the_number_in_the_name(tmp_path):
    helpers.write(tmp_path, {"frame_000002.xml": xml(PLAYER, filename="frame_000002.PNG")})
    assert read(tmp_path, helpers.frames("", "", "")).rows["frame_index"].to_list() == [2]


def test_a_picture_labelled_in_another_size_is_noted(tmp_path):
    size = "<size><width>200</width><height>100</height><depth>3</depth></size>"
    helpers.write(tmp_path, {"a.xml": xml(PLAYER, PLAYER, size=size), "b.xml": xml(PLAYER, size="<size><width/></size>")})
    notes = read(tmp_path).notes
    assert notes.select("frame_index", "file", "code", "detail").rows() == [
        (0, "a.xml", "OTHER_SIZE", "labelled on 200 x 100 px, the frame has 100 x 50")
    ]


def test_labels_of_a_broken_frame_are_refused_one_by_one(tmp_path):
    helpers.write(tmp_path, {"c.xml": xml(PLAYER, PLAYER)})
    assert helpers.refusals(read(tmp_path)) == [("c.xml", 2, "LABEL_FRAME_BROKEN"), ("c.xml", 3, "LABEL_FRAME_BROKEN")]


def test_in_a_capability_of_points_boxes_become_points(tmp_path):
    helpers.write(tmp_path, {"a.xml": xml(f"<name>ball</name>{BOX}")})
    assert helpers.geometry(read(tmp_path, capability=helpers.POINTS).rows) == [(0, "ball", 20, 15.25, None, None, 20.25)]


def test_one_file_can_be_named_alone(tmp_path):
    helpers.write(tmp_path, {"a.xml": xml(PLAYER), "b.xml": xml(PLAYER)})
    assert read(tmp_path / "b.xml").rows["frame_index"].to_list() == [1]


@pytest.mark.parametrize("name", ["gone", "."])
def test_a_wrong_place_is_refused_before_anything_is_read(tmp_path, name):
    with pytest.raises(LabelsNotFound):
        voc.read(tmp_path / name, frames=FRAMES, capability=helpers.BOXES)


def test_links_out_of_the_folder_pipes_and_giants_are_refused(tmp_path, monkeypatch):
    # given
    labels = helpers.write(tmp_path / "labels", {"c.xml": xml(*[PLAYER] * 4)})
    helpers.write(tmp_path / "secret", {"a.xml": xml(PLAYER)})
    (labels / "a.xml").symlink_to(tmp_path / "secret" / "a.xml")
    os.mkfifo(labels / "b.xml")
    monkeypatch.setattr(label_files, "LARGEST_FILE", 300)

    # then
    found = helpers.refusals(read(labels))
    assert found == [("a.xml", None, "LABEL_OUTSIDE_ROOT"), ("b.xml", None, "LABEL_UNREADABLE"), ("c.xml", None, "LABEL_MALFORMED")]


BOXES = st.lists(
    st.tuples(
        st.integers(0, 2), st.floats(0, 60), st.floats(0, 30), st.floats(1, 40), st.floats(1, 20), st.sampled_from(["player", "ball"])
    ),
    max_size=12,
)


@settings(deadline=None, max_examples=15)
@given(BOXES, st.integers(1, 4))
def test_what_is_written_is_read_whatever_the_chunks(tmp_path_factory, boxes, chunk):
    # given
    names = ("a", "b", "d")
    files = {
        f"{name}.xml": xml(
            *(
                f"<name>{label}</name><bndbox><xmin>{x!r}</xmin><ymin>{y!r}</ymin><xmax>{x + w!r}</xmax><ymax>{y + h!r}</ymax></bndbox>"
                for at, x, y, w, h, label in boxes
                if at == index
            )
        )
        for index, name in enumerate(names)
    }
    folder = helpers.write(tmp_path_factory.mktemp("labels"), files)

    # when
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(voc, "OBJECTS_A_CHUNK", chunk)
        patch.setattr(voc, "FILES_A_CHUNK", chunk)
        found = read(folder, helpers.frames("a.jpg", "b.jpg", "d.jpg"))

    # then
    expected = sorted(boxes, key=lambda box: box[0])
    columns = {name: [float(box[at]) for box in expected] for at, name in ((1, "x"), (2, "y"))}
    columns |= {name: [(box[at] + box[side]) - box[at] for box in expected] for at, side, name in ((1, 3, "width"), (2, 4, "height"))}
    wanted = rounded(pl.DataFrame(columns, schema=dict.fromkeys(columns, pl.Float64)), list(columns))
    assert found.rows.select(list(columns)).equals(wanted)
    assert found.rows["label"].to_list() == [box[5] for box in expected]
    assert found.refused.is_empty()
