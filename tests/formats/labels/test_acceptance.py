"""What may come in: one rule for every format, over tables, equal to what the core does with single values."""

from __future__ import annotations

import math

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from labelkit.core.geometry import Box, px
from labelkit.errors import InvalidValue
from labelkit.formats.labels.acceptance import ROUNDING_PX, accept, rounded
from labelkit.formats.labels.rows import NoteCode, RefusedCode, raw_rows
from tests.formats import helpers

FRAMES = helpers.frames("a.jpg", "b.jpg", problems={"b.jpg": "FRAME_EMPTY"})
NAN, INF = float("nan"), float("inf")


FINE = {"file": "f", "line": 1, "frame_index": 0, "label": "player", "x": 10.0, "y": 10.0, "width": 20.0, "height": 20.0}


def raw(**changes):
    return raw_rows({name: [value] for name, value in (FINE | changes).items()})


def many(**columns):
    """Fine rows with these columns, numbered as lines from 0."""
    return raw_rows(FINE | {"line": range(len(next(iter(columns.values()))))} | columns)


REFUSED = {
    "no frame": ({"frame_index": None}, "LABEL_NO_IMAGE", "no such frame"),
    "broken frame": ({"frame_index": 1}, "LABEL_FRAME_BROKEN", "FRAME_EMPTY"),
    "unknown class": ({"label": "cat"}, "LABEL_UNKNOWN_CLASS", "class cat; player_detection has player, ball"),
    "no class": ({"label": None}, "LABEL_MALFORMED", "x 10.0"),
    "NaN": ({"x": NAN}, "LABEL_NOT_A_NUMBER", "x NaN"),
    "NaN side": ({"height": NAN}, "LABEL_NOT_A_NUMBER", "height NaN"),
    "infinity": ({"width": INF}, "LABEL_NOT_A_NUMBER", "width inf"),
    "minus infinity": ({"y": -INF}, "LABEL_NOT_A_NUMBER", "y -inf"),
    "NaN score": ({"score": NAN}, "LABEL_NOT_A_NUMBER", ""),
    "score of a percentage": ({"score": 84.2}, "LABEL_SCORE_OUT_OF_RANGE", "score 84.2"),
    "score below zero": ({"score": -0.1}, "LABEL_SCORE_OUT_OF_RANGE", "score -0.1"),
    "no x": ({"x": None}, "LABEL_MALFORMED", "x none"),
    "no height": ({"height": None}, "LABEL_MALFORMED", "height none"),
    "negative side": ({"width": -5.0}, "LABEL_MALFORMED", "width -5.0"),
    "point among boxes": ({"width": None, "height": None}, "LABEL_NOT_A_BOX", "width none"),
    "right of the frame": ({"x": 100.0}, "LABEL_OUTSIDE_FRAME", "in a frame of 100 x 50 px"),
    "left of the frame": ({"x": -20.0}, "LABEL_OUTSIDE_FRAME", "x -20.0"),
    "above the frame": ({"y": -25.0}, "LABEL_OUTSIDE_FRAME", "y -25.0"),
    "below the frame": ({"y": 50.5}, "LABEL_OUTSIDE_FRAME", "y 50.5"),
    "less than a px left inside": ({"x": 99.5}, "LABEL_TOO_SMALL", "width 20.0"),
    "no width": ({"width": 0.0}, "LABEL_TOO_SMALL", "width 0.0"),
    "width that rounds to none": ({"width": 0.00004}, "LABEL_TOO_SMALL", "width 0.0"),
    "far away": ({"x": 1e300, "y": 1e300}, "LABEL_OUTSIDE_FRAME", "x 1"),
}


@pytest.mark.parametrize(("changes", "code", "detail"), REFUSED.values(), ids=REFUSED)
def test_what_does_not_fit_is_refused_with_its_code_and_the_facts(changes, code, detail):
    # when
    chunk = helpers.together([accept(raw(**changes), FRAMES, helpers.BOXES)])

    # then
    assert helpers.refusals(chunk) == [("f", 1, code)]
    assert detail in chunk.refused["detail"][0]
    assert chunk.rows.is_empty()
    assert chunk.notes.is_empty()


KEPT = {
    "inside": ({}, (10, 10, 20, 20), []),
    "touching every edge": ({"x": 0.0, "y": 0.0, "width": 100.0, "height": 50.0}, (0, 0, 100, 50), []),
    "over the right edge": ({"x": 90.0}, (90, 10, 10, 20), ["CLAMPED"]),
    "over the upper left corner": ({"x": -5.0, "y": -10.0}, (0, 0, 15, 10), ["CLAMPED"]),
    "larger than the frame": ({"x": -50.0, "y": -50.0, "width": 200.0, "height": 200.0}, (0, 0, 100, 50), ["CLAMPED"]),
    "over the edge by rounding": ({"x": 80.0005}, (80.0005, 10, 19.9995, 20), []),
    "one px left inside": ({"x": 99.0}, (99, 10, 1, 20), ["CLAMPED"]),
    "drawn under a px": ({"width": 0.087}, (10, 10, 0.087, 20), ["TINY"]),
    "more decimals than are kept": ({"x": 10.12345678}, (10.1235, 10, 20, 20), []),
    "with a score": ({"score": 1.0}, (10, 10, 20, 20), []),
    "with attributes": ({"attributes": '{"a":1}'}, (10, 10, 20, 20), ["KEPT_NOT_EDITABLE"]),
}


@pytest.mark.parametrize(("changes", "box", "notes"), KEPT.values(), ids=KEPT)
def test_what_fits_is_kept_and_a_note_tells_every_change(changes, box, notes):
    # when
    chunk = helpers.together([accept(raw(**changes), FRAMES, helpers.BOXES)])

    # then
    assert helpers.geometry(chunk.rows) == [(0, "player", *box, None)]
    assert chunk.notes["code"].to_list() == notes
    assert chunk.refused.is_empty()


POINTS = {
    "point": ({"x": 5.0, "y": 6.0, "width": None, "height": None}, (5, 6, None, None, None), []),
    "point with a size": ({"x": 5.0, "y": 6.0, "width": None, "height": None, "size": 4.0}, (5, 6, None, None, 4), []),
    "point on the far corner": ({"x": 100.0, "y": 50.0, "width": None, "height": None}, (100, 50, None, None, None), []),
    "point out by rounding": ({"x": 100.005, "y": 6.0, "width": None, "height": None}, (100, 6, None, None, None), []),
    "box": ({"width": 6.0, "height": 3.0}, (13, 11.5, None, None, 4.5), ["CONVERTED"]),
    "box under a px": ({"width": 0.5, "height": 0.5}, (10.25, 10.25, None, None, 0.5), ["CONVERTED"]),
    "box whose centre is inside": ({"x": -9.0}, (1, 20, None, None, 20), ["CONVERTED"]),
}


@pytest.mark.parametrize(("changes", "point", "notes"), POINTS.values(), ids=POINTS)
def test_in_a_capability_of_points_a_box_becomes_its_centre_with_its_mean_side(changes, point, notes):
    # when
    chunk = accept(raw(label="ball", **changes), FRAMES, helpers.POINTS)

    # then
    assert helpers.geometry(chunk.rows) == [(0, "ball", *point)]
    assert chunk.notes["code"].to_list() == notes


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"x": 101.0, "width": None, "height": None}, "LABEL_OUTSIDE_FRAME"),
        ({"x": -11.0}, "LABEL_OUTSIDE_FRAME"),
        ({"width": -3.0}, "LABEL_MALFORMED"),
        ({"width": None, "height": None, "size": -1.0}, "LABEL_MALFORMED"),
        ({"width": None, "height": None, "size": INF}, "LABEL_NOT_A_NUMBER"),
    ],
)
def test_points_are_refused_by_the_same_rules(changes, code):
    assert helpers.refusals(accept(raw(label="ball", **changes), FRAMES, helpers.POINTS)) == [("f", 1, code)]


@pytest.mark.parametrize(
    ("changes", "finding"),
    [
        ({"label": "cat"}, "LABEL_UNKNOWN_CLASS"),
        ({"x": 200.0}, "LABEL_OUTSIDE_FRAME"),
        ({"x": 90.0}, "LABEL_OUTSIDE_FRAME"),
        ({"x": 99.5}, "LABEL_TOO_SMALL"),
        ({"width": 0.0}, "LABEL_TOO_SMALL"),
    ],
)
def test_on_request_what_is_invalid_stays_as_it_is_for_people_to_correct(changes, finding):
    # when
    chunk = helpers.together([accept(raw(**changes), FRAMES, helpers.BOXES, "keep")])

    # then
    expected = {"label": "player", "x": 10.0, "y": 10.0, "width": 20.0, "height": 20.0} | changes
    assert chunk.rows.select(*expected).rows(named=True) == [expected]
    assert chunk.notes["code"].to_list() == ["KEPT_INVALID"]
    assert chunk.notes["detail"][0].startswith(f"{finding}: ")


@pytest.mark.parametrize("changes", [{"x": NAN}, {"frame_index": 1}, {"frame_index": None}, {"label": "cat", "x": NAN}, {"score": 2.0}])
def test_what_nobody_could_correct_is_refused_even_then(changes):
    assert accept(raw(**changes), FRAMES, helpers.BOXES, "keep").rows.is_empty()


def test_another_way_to_treat_invalid_labels_is_refused():
    with pytest.raises(InvalidValue, match="on_invalid"):
        accept(raw(), FRAMES, helpers.BOXES, "drop")


def test_a_row_that_comes_with_a_code_keeps_it_and_its_detail():
    chunk = accept(raw(code="LABEL_NOT_UTF8", detail="byte 7", x=NAN), FRAMES, helpers.BOXES)
    assert chunk.refused.rows() == [("f", 1, "LABEL_NOT_UTF8", "byte 7")]


def test_rows_keep_their_order():
    # given
    given_rows = many(x=[float(number % 110) for number in range(300)])

    # when
    for mode in ("refuse", "keep"):
        chunk = accept(given_rows, FRAMES, helpers.BOXES, mode)

        # then
        assert chunk.rows["line"].is_sorted()
        assert chunk.rows.height + chunk.refused.height == 300


def test_every_code_has_a_sentence_of_its_own():
    sentences = [code.sentence for code in (*RefusedCode, *NoteCode)]
    assert len(set(sentences)) == len(sentences)
    assert all(sentence.endswith(".") for sentence in sentences)


coordinates = st.floats(allow_nan=True, allow_infinity=True)
near_halves = st.builds(
    lambda whole, nudge: (whole + 0.5) / 10_000 + nudge, st.integers(-(10**9), 10**9), st.sampled_from([0.0, 1e-13, -1e-13])
)
as_written = st.decimals(-5000, 5000, places=6).map(float)


@settings(deadline=None)
@given(st.lists(coordinates | near_halves | as_written | st.none(), max_size=50))
def test_a_column_is_rounded_exactly_as_the_core_rounds_each_value(values):
    # when
    column = rounded(pl.DataFrame({"x": values}, schema={"x": pl.Float64}), ("x",))["x"].to_list()

    # then to the bit, also the sign of zero
    for found, given_ in zip(column, values, strict=True):
        expected = None if given_ is None else px(given_)
        if expected is None or math.isnan(expected):
            assert found is None if expected is None else math.isnan(found)
        else:
            assert (found, math.copysign(1, found)) == (expected, math.copysign(1, expected))


sides = st.floats(0, 150).map(px)
places = st.floats(-150, 150).map(px)


@settings(deadline=None, max_examples=25)
@given(st.lists(st.tuples(places, places, sides, sides), min_size=1, max_size=12))
def test_a_box_is_cut_as_the_core_cuts_it(drawn):
    # given
    whole = [Box.at(*sizes) for sizes in drawn]
    cut = [box.clamp(100, 50) for box in whole]

    # when
    chunk = accept(many(**dict(zip(("x", "y", "width", "height"), zip(*drawn, strict=True), strict=True))), FRAMES, helpers.BOXES)

    # then
    assert sorted([*chunk.rows["line"], *chunk.refused["line"]]) == list(range(len(drawn)))
    for row in chunk.rows.rows(named=True):
        kept = Box(row["x"], row["y"], row["width"], row["height"])
        assert kept == (whole if whole[row["line"]].inside(100, 50) else cut)[row["line"]]
        assert kept.inside(100, 50)
    for line, code in chunk.refused.select("line", "code").rows():
        assert cut[line].width < 1 or cut[line].height < 1
        assert code in ("LABEL_OUTSIDE_FRAME", "LABEL_TOO_SMALL")


def test_what_is_called_rounding_is_less_than_a_hundredth_of_a_px():
    assert ROUNDING_PX == 0.01
