"""Tables of labels: each row is a label or a refusal with file, line and reason."""

from __future__ import annotations

import json
import os

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from labelkit.errors import ClassesUnknown, InvalidValue, LabelsNotFound, LabelsUnreadable
from labelkit.formats import table_rows, tables
from labelkit.formats.labels.acceptance import rounded
from tests.formats import helpers

FRAMES = helpers.frames("a.jpg", "b.jpg", "c.jpg", problems={"c.jpg": "FRAME_TRUNCATED"})
HEADER = "image,label,xmin,ymin,xmax,ymax"
ROW = "a.jpg,player,10,5,30,25.5"
BOX = (0, "player", 10, 5, 20, 20.5, None)


def read(folder, text=None, frames=FRAMES, capability=helpers.BOXES, name="labels.csv", **options):
    if text is not None:
        helpers.write(folder, {name: text})
    source = folder / name if (folder / name).is_file() else folder
    return helpers.together(tables.read(source, frames=frames, capability=capability, **options))


def test_rows_become_boxes_with_their_line(tmp_path):
    # when
    found = read(tmp_path, f"{HEADER},score\n{ROW},0.75\n\nb.jpg,ball,1,2,3,4.5,\n")

    # then
    assert helpers.geometry(found.rows) == [BOX, (1, "ball", 1, 2, 2, 2.5, None)]
    assert found.rows.select("score", "attributes", "file", "line").rows() == [
        (0.75, None, "labels.csv", 2),
        (None, None, "labels.csv", 4),
    ]
    assert (found.refused.height, found.notes.height) == (0, 0)


FORMS = {
    "corners": ("image,label,xmin,ymin,xmax,ymax", "a.jpg,player,10,5,30,25.5", {}),
    "corners in another order": ("xmax,xmin,ymax,ymin,label,image", "30,10,25.5,5,player,a.jpg", {}),
    "corners with the size of the picture, as TensorFlow writes": (
        "filename,width,height,class,xmin,ymin,xmax,ymax",
        "a.jpg,100,50,player,10,5,30,25.5",
        {},
    ),
    "corners counted from one": ("image_name,label_name,x1,y1,x2,y2", "a.jpg,player,10,5,30,25.5", {}),
    "corners counted from nought": ("image,label,x0,y0,x1,y1", "a.jpg,player,10,5,30,25.5", {}),
    "a corner and sides": ("image_path,category,x,y,width,height", "a.jpg,player,10,5,20,20.5", {}),
    "a corner counted from one and sides": ("image_name,label_name,x1,y1,w,h", "a.jpg,player,10,5,20,20.5", {}),
    "edges": ("file,class,left,top,right,bottom", "a.jpg,player,10,5,30,25.5", {}),
    "the centre and sides": ("img,label,x_center,y_center,w,h", "a.jpg,player,20,15.25,20,20.5", {}),
    "one column of corners": ("image,label,bbox", 'a.jpg,player,"[10, 5, 30, 25.5]"', {"box": "xyxy"}),
    "one column without brackets": ("image,label,bbox", "a.jpg,player,10 5 20 20.5", {"box": "xywh"}),
    "one column of centre and sides": ("image,label,Bounding Box", 'a.jpg,player,"2e1;15.25;20;20.5"', {"box": "cxcywh"}),
    "fractions": ("ImageID,LabelName,XMin,XMax,YMin,YMax", "a.jpg,player,0.1,0.3,0.1,0.51", {}),
    "fractions with decimal commas": ("ImageID,LabelName,XMin,XMax,YMin,YMax", 'a.jpg,player,"0,1","0,3","0,1","0,51"', {}),
    "fractions that are said": ("image,label,cx,cy,w,h", "a.jpg,player,0.2,0.305,0.2,0.41", {"units": "fractions"}),
    "semicolons and decimal commas": ("image;label;x;y;w;h", "a.jpg;player;10,0;5,0;20;20,5", {}),
    "tabs": ("image\tlabel\tx\ty\tw\th", "a.jpg\tplayer\t10\t5\t20\t20.5", {}),
    "blanks": ("image label x y w h", "a.jpg player 10 5   20 20.5", {}),
    "blanks after commas": ("image, label, x, y, w, h", "a.jpg, player, 10, 5, 20, 20.5", {}),
    "quotation marks": ('"image","label","x","y","w","h"', '"a.jpg","player","10","5","20","20.5"', {}),
    "a name without suffix": ("image,label,x,y,w,h", "a,player,10,5,20,20.5", {}),
    "the number of the frame": ("frame,label,x,y,w,h", "0,player,10,5,20,20.5", {}),
    "class numbers": ("image,class_id,x,y,w,h", "a.jpg,1,10,5,20,20.5", {"classes": ["ball", "player"]}),
    "class numbers among the names": ("image,label,x,y,w,h", "a.jpg,1.0,10,5,20,20.5", {"classes": ["ball", "player"]}),
    "names where there are numbers too": ("image,label,x,y,w,h", "a.jpg,player,10,5,20,20.5", {"classes": ["ball", "player"]}),
    "one class for all": ("image,x,y,w,h", "a.jpg,10,5,20,20.5", {"classes": "player"}),
    "columns that are told": (None, "player 0 10 5 20 20.5 a.jpg", {"columns": ["label", "-", "x", "y", "w", "h", "image"]}),
}


@pytest.mark.parametrize(("header", "row", "options"), FORMS.values(), ids=FORMS)
@pytest.mark.parametrize("end", ["\n", "\r\n", ""], ids=["unix", "windows", "none"])
def test_places_are_understood_in_any_usual_form(tmp_path, header, row, options, end):
    text = (end or "\n").join(part for part in (header, row) if part is not None) + end
    assert helpers.geometry(read(tmp_path, "\ufeff" + text, **options).rows) == [BOX]


def test_one_class_is_that_of_every_row(tmp_path):
    found = read(tmp_path, "image,x,y,w,h\na.jpg,10,5,20,20.5\nb.jpg,1,2,2,2.5", classes=["ball"])
    assert helpers.geometry(found.rows) == [(0, "ball", 10, 5, 20, 20.5, None), (1, "ball", 1, 2, 2, 2.5, None)]


def test_points_have_a_size_or_none(tmp_path):
    found = read(tmp_path, "frame,label,cx,cy,diameter\n0,ball,10.5,5,8\n1,ball,20,30,\n", capability=helpers.POINTS)
    assert helpers.geometry(found.rows) == [(0, "ball", 10.5, 5, None, None, 8), (1, "ball", 20, 30, None, None, None)]


UNITS = {
    "fractions, one of which leaves the picture": ("0.1,0.1,0.2,0.2\n0.2,0.2,0.1,0.1\n0.9,0.5,1.9,0.1", [10.0, 20.0, 90.0]),
    "pixels, one of which is at the corner": ("0,0,1.2,1.2\n20,20,20,20\n30,30,10,10", [0.0, 20.0, 30.0]),
}


@pytest.mark.parametrize(("rows", "left"), UNITS.values(), ids=UNITS)
def test_the_middle_row_tells_fractions_from_pixels(tmp_path, rows, left):
    lines = "".join(f"a.jpg,player,{row}\n" for row in rows.split("\n"))
    assert read(tmp_path, f"image,label,x,y,w,h\n{lines}").rows["x"].to_list() == left


def test_units_that_are_said_are_not_guessed(tmp_path):
    row = "image,label,x,y,w,h\na.jpg,player,0,0,1.2,1.4\n"
    assert helpers.geometry(read(tmp_path, row, units="pixels").rows) == [(0, "player", 0, 0, 1.2, 1.4, None)]


ROWS = {
    "too few fields": ("a.jpg,player,10", "LABEL_MALFORMED", ""),
    "too many fields": (f"{ROW},1,2", "LABEL_MALFORMED", "more fields than the 6 columns"),
    "a word": ("a.jpg,player,left,5,30,25", "LABEL_NOT_A_NUMBER", "left is left"),
    "two commas": ('a.jpg,player,"1,000,5",5,30,25', "LABEL_NOT_A_NUMBER", "left is 1,000,5"),
    "NaN": ("a.jpg,player,nan,5,30,25", "LABEL_NOT_A_NUMBER", ""),
    "corners swapped": ("a.jpg,player,30,5,10,25", "LABEL_MALFORMED", "width -20"),
    "no image": (",player,10,5,30,25", "LABEL_NO_IMAGE", ""),
    "another image": ("z.jpg,player,10,5,30,25", "LABEL_NO_IMAGE", "z.jpg"),
    "a broken frame": ("c.jpg,player,10,5,30,25", "LABEL_FRAME_BROKEN", ""),
    "no class": ("a.jpg,,10,5,30,25", "LABEL_UNKNOWN_CLASS", ""),
    "another class": ("a.jpg,cat,10,5,30,25", "LABEL_UNKNOWN_CLASS", "class cat"),
    "outside": ("a.jpg,player,110,5,130,25", "LABEL_OUTSIDE_FRAME", ""),
}


@pytest.mark.parametrize(("wrong", "code", "detail"), ROWS.values(), ids=ROWS)
def test_a_wrong_row_is_refused_with_its_line_and_spoils_no_other(tmp_path, wrong, code, detail):
    found = read(tmp_path, f"{HEADER}\n{ROW}\n{wrong}\n{ROW}\n")
    assert helpers.refusals(found) == [("labels.csv", 3, code)]
    assert detail in found.refused["detail"][0]
    assert found.rows["line"].to_list() == [2, 4]


@pytest.mark.parametrize("text", ["[1, 2, 3]", "", "1 2 3 4 5"], ids=["three", "none", "five"])
def test_a_box_that_is_not_four_numbers_is_refused(tmp_path, text):
    found = read(tmp_path, f'image,label,bbox\na.jpg,player,"{text}"', box="xyxy")
    assert found.refused.select("line", "code", "detail").rows() == [(2, "LABEL_MALFORMED", "bbox does not hold four numbers")]


@pytest.mark.parametrize(
    ("label", "code"),
    [
        ("2", "LABEL_CLASS_OUT_OF_RANGE"),
        ("-1", "LABEL_CLASS_OUT_OF_RANGE"),
        ("0.5", "LABEL_CLASS_OUT_OF_RANGE"),
        ("cat", "LABEL_UNKNOWN_CLASS"),
    ],
)
def test_a_class_number_without_a_name_is_refused(tmp_path, label, code):
    found = read(tmp_path, f"image,label,x,y,w,h\na.jpg,{label},10,5,20,20", classes=["ball", "player"])
    assert [code for *_, code in helpers.refusals(found)] == [code]


@pytest.mark.parametrize(
    ("frame", "code"),
    [("3", "LABEL_NO_IMAGE"), ("-1", "LABEL_NO_IMAGE"), ("0.5", "LABEL_NO_IMAGE"), ("", "LABEL_NO_IMAGE"), ("one", "LABEL_NOT_A_NUMBER")],
)
def test_a_frame_number_without_a_frame_is_refused(tmp_path, frame, code):
    found = read(tmp_path, f"frame,label,x,y,w,h\n{frame},player,10,5,20,20")
    assert [code for *_, code in helpers.refusals(found)] == [code]


def test_class_names_beside_the_table_are_found(tmp_path):
    helpers.write(tmp_path, {"classes.txt": "ball\nplayer\n"})
    assert helpers.geometry(read(tmp_path, "image,class_id,x,y,w,h\na.jpg,1,10,5,20,20.5").rows) == [BOX]


def test_codes_of_open_images_are_named_by_the_descriptions_beside_the_table(tmp_path):
    helpers.write(tmp_path, {"oidv6-class-descriptions.csv": 'LabelName,DisplayName\n/m/0a,player\n/m/0b,"ball, round"\n'})
    found = read(tmp_path, "ImageID,LabelName,XMin,XMax,YMin,YMax\na,/m/0a,0.1,0.3,0.1,0.51\na,/m/0c,0.1,0.3,0.1,0.51")
    assert helpers.geometry(found.rows) == [BOX]
    assert "class /m/0c" in found.refused["detail"][0]


def test_flags_that_say_yes_and_columns_that_are_asked_for_are_kept_and_the_others_noted(tmp_path):
    # given
    header = f"{HEADER},IsOccluded,IsTruncated,occluded,track_id,visibility,team,Source,"
    rows = [f"{ROW},1,0,TRUE,7,0.50,red,xclick,", f"{ROW},-1,-1,no,a7,,,xclick,"]

    # when
    found = read(tmp_path, "\n".join((header, *rows)), attributes=["team"])

    # then
    assert [json.loads(text) for text in found.rows["attributes"]] == [
        {"IsOccluded": True, "occluded": True, "track_id": 7, "visibility": 0.5, "team": "red"},
        {"track_id": "a7"},
    ]
    assert found.notes.filter(code="LEFT_OUT").rows() == [(None, "labels.csv", None, "LEFT_OUT", "columns not read: Source, column_14")]


def test_a_table_without_anything_to_keep_has_no_attributes(tmp_path):
    assert read(tmp_path, f"{HEADER},occluded\n{ROW},0").rows["attributes"].to_list() == [None]


def test_a_picture_of_another_size_is_noted(tmp_path):
    notes = read(tmp_path, f"{HEADER},width,height\n{ROW},200,100\n{ROW},200,100").notes
    assert notes.select("frame_index", "line", "code").rows() == [(0, 2, "OTHER_SIZE")]


def test_quoted_line_breaks_shift_no_line_number(tmp_path):
    found = read(tmp_path, f'{HEADER},note\n{ROW},"one\ntwo"\nz.jpg,player,1,2,3,4,')
    assert helpers.refusals(found) == [("labels.csv", 4, "LABEL_NO_IMAGE")]


UNREADABLE = {
    "empty": ("", {}, "it is empty"),
    "no places": ("image,label\na.jpg,player", {}, "no columns say where a label is; it has image, label"),
    "no places and no rows": ("image,label", {}, "no columns say where a label is"),
    "no header": ("a.jpg,player,10,5,30,25", {}, "no columns say where"),
    "no class": ("image,x,y,w,h\na.jpg,1,2,3,4", {}, "no column says what a label is"),
    "no class for two": ("image,x,y,w,h\na.jpg,1,2,3,4", {"classes": ["a", "b"]}, "no column says what a label is"),
    "a box of an unknown form": ("image,label,bbox\na.jpg,player,1 2 3 4", {}, "bbox may be corners"),
    "not UTF-8": (f"{HEADER}\n{ROW}\nb\xe9.jpg,player".encode("latin-1"), {}, "not UTF-8"),
    "an open quotation mark": (f'{HEADER}\n{ROW}\n"' + "x" * 200_000, {}, "after line 2"),
    "JSON": ('{"images": [], "annotations": []}', {}, "no columns"),
    "half a Parquet file": (b"PAR1 and no more", {}, "it is no Parquet"),
}


@pytest.mark.parametrize(("text", "options", "reason"), UNREADABLE.values(), ids=UNREADABLE)
def test_a_table_that_cannot_be_read_is_refused_with_the_reason(tmp_path, text, options, reason):
    with pytest.raises(LabelsUnreadable, match=reason):
        read(tmp_path, text, **options)


def test_class_numbers_without_names_are_refused(tmp_path):
    with pytest.raises(ClassesUnknown):
        read(tmp_path, "image,class_id,x,y,w,h\na.jpg,1,1,2,3,4")


OPTIONS = {"units": {"units": "percent"}, "box": {"box": "corners"}, "attributes": {"attributes": ["team"]}}


@pytest.mark.parametrize("options", OPTIONS.values(), ids=OPTIONS)
def test_options_that_mean_nothing_are_refused(tmp_path, options):
    with pytest.raises(InvalidValue):
        read(tmp_path, f"{HEADER}\n{ROW}", **options)


def test_a_folder_of_texts_has_one_file_a_frame(tmp_path):
    # given
    helpers.write(tmp_path, {"set/a.txt": "player 0.5 10 5 30 25.5\n", "set/b.txt": "", "set/z.txt": "player 0.5 1 2 3 4\nball 1 1 2 3 4"})

    # then
    found = read(tmp_path, columns=["label", "score", "x1", "y1", "x2", "y2"])
    assert helpers.geometry(found.rows) == [BOX]
    assert found.rows.select("score", "file", "line").rows() == [(0.5, "set/a.txt", 1)]
    assert helpers.refusals(found) == [("set/z.txt", 1, "LABEL_NO_IMAGE"), ("set/z.txt", 2, "LABEL_NO_IMAGE")]


def test_tables_of_a_folder_are_read_together_and_what_is_none_is_refused_alone(tmp_path):
    # given
    files = {
        "1.csv": f"{HEADER}\n{ROW}",
        "2.csv": f"{HEADER}\nb.jpg,ball,1,2,3,4.5",
        "3.csv": "name,r,g,b\nball,0,0,0",
        "4.csv": "",
        "5.csv": b"\xff\xfe",
        "6.csv": "frame,label,x,y,w,h\n1,player,10,5,20,20",
        "notes.md": "no table",
    }
    helpers.write(tmp_path, files)
    (tmp_path / "out.csv").symlink_to("/etc/hostname")
    os.mkfifo(tmp_path / "pipe.csv")

    # then
    found = read(tmp_path)
    assert helpers.geometry(found.rows) == [BOX, (1, "ball", 1, 2, 2, 2.5, None), (1, "player", 10, 5, 20, 20, None)]
    assert sorted(helpers.refusals(found)) == [
        ("3.csv", None, "LABEL_MALFORMED"),
        ("4.csv", None, "LABEL_MALFORMED"),
        ("5.csv", None, "LABEL_MALFORMED"),
        ("out.csv", None, "LABEL_OUTSIDE_ROOT"),
        ("pipe.csv", None, "LABEL_UNREADABLE"),
    ]


@pytest.mark.parametrize("name", ["gone.csv", "empty"])
def test_a_wrong_place_is_refused_before_anything_is_read(tmp_path, name):
    (tmp_path / "empty").mkdir()
    with pytest.raises(LabelsNotFound):
        tables.read(tmp_path / name, frames=FRAMES, capability=helpers.BOXES)


TABLE = pl.DataFrame(
    {
        "image": ["a.jpg", "b.jpg", None],
        "label": pl.Series(["player", "ball", "ball"], dtype=pl.Categorical),
        "x": [10, 1, 2],
        "y": pl.Series([5.0, 2.0, float("nan")], dtype=pl.Float32),
        "w": [20, 2, 3],
        "h": [20.5, 2.5, 3.0],
        "score": [float("nan"), 0.5, None],
        "occluded": [True, False, None],
        "track_id": [7, None, 1],
    }
)


def same_of_a_table(found):
    assert helpers.geometry(found.rows) == [BOX, (1, "ball", 1, 2, 2, 2.5, None)]
    assert found.rows["score"].to_list() == [None, 0.5]
    assert [json.loads(text or "{}") for text in found.rows["attributes"]] == [{"occluded": True, "track_id": 7}, {}]
    assert [(line, code) for _, line, code in helpers.refusals(found)] == [(3, "LABEL_NO_IMAGE")]


def test_parquet_is_read_with_its_kinds_of_values_and_rows_count_from_one(tmp_path):
    TABLE.write_parquet(tmp_path / "labels.parquet")
    helpers.write(tmp_path, {"readme.txt": "not this"})
    same_of_a_table(read(tmp_path))


def test_a_data_frame_is_read_as_it_is():
    same_of_a_table(helpers.together(tables.read(TABLE, frames=FRAMES, capability=helpers.BOXES)))


BOXES = {"a list": pl.List(pl.Float64), "an array": pl.Array(pl.Float64, 4)}


@pytest.mark.parametrize("kind", BOXES.values(), ids=BOXES)
def test_a_box_may_be_a_list(kind):
    table = pl.DataFrame({"image": ["a.jpg"], "label": ["player"], "bbox": [[10.0, 5.0, 30.0, 25.5]]}, schema_overrides={"bbox": kind})
    assert helpers.geometry(helpers.together(tables.read(table, frames=FRAMES, capability=helpers.BOXES, box="xyxy")).rows) == [BOX]


NESTED = {
    "a picture with its bytes": {"image": [{"path": "a.jpg", "bytes": b""}], "x": [1], "y": [2]},
    "a list of numbers": {"image": ["a.jpg"], "x": [[1]], "y": [2]},
    "a box of records": {"image": ["a.jpg"], "bbox": [{"x": 1}]},
}


@pytest.mark.parametrize("columns", NESTED.values(), ids=NESTED)
def test_columns_of_records_are_refused_by_name(columns):
    with pytest.raises(LabelsUnreadable, match="holds"):
        list(tables.read(pl.DataFrame(columns | {"label": ["ball"]}), frames=FRAMES, capability=helpers.POINTS, box="xyxy"))


VALUES = st.tuples(
    st.sampled_from(["a.jpg", "b.jpg", "z.jpg"]),
    st.sampled_from(["player", "ball"]),
    st.floats(2, 40).map(lambda value: round(value, 3)),
    st.floats(2, 20).map(lambda value: round(value, 3)),
    st.floats(2, 40).map(lambda value: round(value, 3)),
    st.floats(2, 20).map(lambda value: round(value, 3)),
)


@settings(deadline=None, max_examples=18)
@given(st.lists(VALUES, max_size=12), st.integers(1, 5), st.sampled_from([",", ";", "\t"]), st.booleans())
def test_what_is_written_is_read_whatever_the_batches_and_separators(tmp_path_factory, rows, size, separator, commas):
    # given
    folder = tmp_path_factory.mktemp("labels")
    texts = [[str(value).replace(".", ",") if commas and isinstance(value, float) else str(value) for value in row] for row in rows]
    lines = [separator.join(f'"{text}"' if separator in text else text for text in row) for row in texts]
    header = separator.join(("image", "label", "x", "y", "w", "h"))

    # when
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(table_rows, "ROWS_A_BATCH", size)
        found = read(folder, "\n".join((header, *lines)), units="pixels")

    # then
    there = [row for row in rows if row[0] != "z.jpg"]
    columns = {name: [row[at] for row in there] for at, name in enumerate(("x", "y", "width", "height"), 2)}
    wanted = rounded(pl.DataFrame(columns, schema=dict.fromkeys(columns, pl.Float64)), list(columns))
    assert found.rows.select(list(columns)).equals(wanted)
    assert found.rows.height + found.refused.height == len(rows)
