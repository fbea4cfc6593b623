"""Pictures by name, turned boxes, and boxes around points."""

from __future__ import annotations

import math

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from labelkit.formats.labels.placing import FrameFinder, around_points, around_turned, judged, numbers, placed
from labelkit.formats.labels.rows import RAW
from tests.formats import helpers

FRAMES = helpers.frames("a.jpg", "b.jpg")


def test_names_are_found_chunk_after_chunk_and_a_second_name_for_a_frame_is_ambiguous():
    # given
    finder = FrameFinder(FRAMES)

    # when
    first = finder.find(pl.Series(["a.jpg", None, "a.jpg", "z.jpg"]))
    second = finder.find(pl.Series(["z.jpg", "x/a.jpg", "b.png", "a.jpg"], dtype=pl.String))

    # then
    assert first.select("path", "frame_index", "code").rows() == [("a.jpg", 0, None), ("z.jpg", None, "LABEL_NO_IMAGE")]
    assert dict(zip(second["path"], second["frame_index"], strict=True)) == {"z.jpg": None, "x/a.jpg": None, "b.png": 1, "a.jpg": 0}
    assert second.filter(path="x/a.jpg").select("code", "detail").row(0) == (
        "LABEL_AMBIGUOUS_IMAGE",
        "a.jpg and x/a.jpg are names for frame 0",
    )


def test_a_record_keeps_its_own_code_before_that_of_its_picture():
    # given
    records = pl.DataFrame(
        {
            "image": ["a.jpg", "z.jpg", None, None],
            "code": [None, "LABEL_MALFORMED", None, "LABEL_MALFORMED"],
            "detail": [None, "own", None, "own"],
        }
    )

    # when
    found = placed(records, FrameFinder(FRAMES).find(records["image"]))

    # then
    assert found.select("frame_index", "code", "detail").rows() == [
        (0, None, None),
        (None, "LABEL_MALFORMED", "own"),
        (None, "LABEL_NO_IMAGE", "the record names no picture"),
        (None, "LABEL_MALFORMED", "own"),
    ]


def test_pictures_of_another_size_are_said_once_a_frame_and_only_where_a_label_was_kept():
    # given three labels of a picture twice as large, one of a picture without a size, and one that is refused
    rows = {
        "file": ["f"] * 5,
        "line": [1, 2, 3, 4, 5],
        "frame_index": [0, 0, 0, 1, 1],
        "label": ["ball"] * 4 + ["cat"],
        **{name: [1.0, 2.0, 3.0, 4.0, 5.0] for name in ("x", "y", "width", "height")},
        "image_width": [200.0, 200.0, 200.0, None, 300.0],
        "image_height": [100.0, 100.0, 100.0, None, 300.0],
    }
    records = pl.DataFrame({name: rows.get(name, [None] * 5) for name in (*RAW, "image_width", "image_height")}, schema_overrides=RAW)

    # then
    found = judged(records.filter(pl.col("line") < 5), FRAMES, helpers.BOXES, "refuse")
    assert found.notes.rows() == [(0, "f", 1, "OTHER_SIZE", "labelled on 200 x 100 px, the frame has 100 x 50")]
    assert judged(records.filter(pl.col("line") == 5), FRAMES, helpers.BOXES, "refuse").notes.is_empty()


@pytest.mark.parametrize("text", ["abc", "1,5", "0x10", "1 2", "--1"])
def test_text_that_is_no_number_is_refused_by_its_column(text):
    # given
    records = pl.DataFrame(
        {"a": ["1.5", " -2e1 ", "", None, text], "code": [None] * 5, "detail": [None] * 5},
        schema_overrides={"code": pl.String, "detail": pl.String},
    )

    # when
    found = numbers(records, ("a",))

    # then
    assert found["a"].to_list() == [1.5, -20.0, None, None, None]
    assert found.select("code", "detail").rows()[-2:] == [(None, None), ("LABEL_NOT_A_NUMBER", f"a is {text}")]


SIDES = st.floats(-1000, 1000)
LENGTHS = st.floats(0, 1000)


@settings(deadline=None, max_examples=60)
@given(SIDES, SIDES, LENGTHS, LENGTHS, st.floats(-720, 720), st.sampled_from(["centre", "corner"]))
def test_the_box_around_a_turned_one_touches_its_corners(x, y, width, height, degrees, about):
    # given
    pivot = (x + width / 2, y + height / 2) if about == "centre" else (x, y)
    turn = complex(math.cos(math.radians(degrees)), math.sin(math.radians(degrees)))
    corners = [(complex(x + dx, y + dy) - complex(*pivot)) * turn + complex(*pivot) for dx in (0, width) for dy in (0, height)]

    # when
    box = pl.DataFrame({"x": [x], "y": [y], "width": [width], "height": [height], "degrees": [degrees]})
    found = box.select(**around_turned(pl.col("degrees"), about=about)).row(0)

    # then
    left, top = min(c.real for c in corners), min(c.imag for c in corners)
    expected = (left, top, max(c.real for c in corners) - left, max(c.imag for c in corners) - top)
    assert found == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("degrees", [0.0, None])
def test_a_box_that_is_not_turned_stays_to_the_last_bit(degrees):
    box = pl.DataFrame(
        {"x": [0.1], "y": [0.2], "width": [0.3], "height": [0.7], "degrees": [degrees]}, schema_overrides={"degrees": pl.Float64}
    )
    assert box.select(**around_turned(pl.col("degrees"), about="centre")).row(0) == (0.1, 0.2, 0.3, 0.7)


def test_points_have_a_box_around_them_and_one_point_has_none():
    points = pl.DataFrame({"points": [[1.0, 2.0, 5.0, 0.5, 3.0, 9.0], [4.0, 5.0], []]}, schema={"points": pl.List(pl.Float64)})
    assert points.select(**around_points(pl.col("points"))).rows() == [(1, 0.5, 4, 8.5), (4, 5, None, None), (None, None, None, None)]
