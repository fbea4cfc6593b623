"""What validation finds, and that it draws the line where the reducer draws it."""

from __future__ import annotations

import math
from dataclasses import replace

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from labelkit.core.geometry import Box, Point
from labelkit.core.review.annotations import BALL, PLAYER, Annotation, Capability, FrameContent, FrameFlag, FrameSize, FrameState
from labelkit.core.review.operations import ReviewOp
from labelkit.core.review.publishing import FindingCode
from labelkit.core.review.session import reduce
from labelkit.errors import LabelkitError
from labelkit.store.review.content import CONTENT, Content, rows_of
from labelkit.store.review.findings import MOST_ROWS, find
from tests.store.media import frames_of

WIDTH, HEIGHT = 200, 100
OK = Annotation("a", "player", Box.at(10, 10, 20, 20))
DOT = Annotation("p", "ball", Point(50, 50, 6))


def reviewed(*frames: tuple[Annotation, ...], flags: tuple[FrameFlag, ...] = ()) -> Content:
    """A content whose frames have all been accepted; digests play no part here, so that they may hold what cannot be hashed."""
    rows = [
        {
            "frame_index": index,
            "flags": list(flags),
            "state": "accepted",
            "digest": "",
            "annotations": [Annotation.from_json(annotation.as_json()).as_json() for annotation in annotations],
        }
        for index, annotations in enumerate(frames)
    ]
    return Content(pl.DataFrame(rows, schema=CONTENT))


def codes(content: Content, capability: Capability = PLAYER, **frames: object) -> list[str]:
    found = find(content, frames_of(len(content), WIDTH, HEIGHT, **frames), capability)
    return [f"{finding.code}@{finding.frame}" for finding in found]


@pytest.mark.parametrize(
    ("annotation", "expected"),
    [
        pytest.param(OK, [], id="a box inside"),
        pytest.param(replace(OK, geometry=Box(0, 0, 200, 100)), [], id="the whole frame"),
        pytest.param(replace(OK, geometry=Box(0, 0, 0.5, 0.5)), [], id="tiny, but imported"),
        pytest.param(replace(OK, geometry=Box(190, 10, 10.0001, 5)), ["GEOMETRY_OUTSIDE_FRAME@0"], id="a ten-thousandth over the right"),
        pytest.param(replace(OK, geometry=Box(10, -0.0001, 5, 5)), ["GEOMETRY_OUTSIDE_FRAME@0"], id="a ten-thousandth over the top"),
        pytest.param(replace(OK, geometry=Box(10, 99, 5, 5)), ["GEOMETRY_OUTSIDE_FRAME@0"], id="over the bottom"),
        pytest.param(replace(OK, geometry=Box(10, 10, 0, 5)), ["GEOMETRY_EMPTY_BOX@0"], id="no width"),
        pytest.param(replace(OK, geometry=Box(10, 10, 5, -1)), ["GEOMETRY_EMPTY_BOX@0"], id="negative height"),
        pytest.param(replace(OK, geometry=Box(math.nan, 10, 5, 5)), ["GEOMETRY_NOT_A_NUMBER@0"], id="no number"),
        pytest.param(replace(OK, geometry=Box(10, 10, math.inf, 5)), ["GEOMETRY_NOT_A_NUMBER@0"], id="infinite"),
        pytest.param(replace(OK, label="striker"), ["UNKNOWN_CLASS@0"], id="an unknown class"),
        pytest.param(DOT, ["WRONG_GEOMETRY@0"], id="a point among boxes"),
        pytest.param(
            replace(OK, label="striker", geometry=Box(500, 10, 5, 5)),
            ["GEOMETRY_OUTSIDE_FRAME@0", "UNKNOWN_CLASS@0"],
            id="every reason is found",
        ),
    ],
)
def test_a_box_is_judged(annotation, expected):
    assert codes(reviewed((annotation,))) == expected


@pytest.mark.parametrize(
    ("annotation", "expected"),
    [
        pytest.param(DOT, [], id="a point inside"),
        pytest.param(replace(DOT, geometry=Point(200, 100)), [], id="in the corner"),
        pytest.param(replace(DOT, geometry=Point(200.0001, 50)), ["GEOMETRY_OUTSIDE_FRAME@0"], id="just outside"),
        pytest.param(replace(DOT, geometry=Point(5, 5, math.nan)), ["GEOMETRY_NOT_A_NUMBER@0"], id="no number for a size"),
        pytest.param(replace(DOT, geometry=Box(5, 5, 9, 9)), ["WRONG_GEOMETRY@0"], id="a box among points"),
    ],
)
def test_a_point_is_judged(annotation, expected):
    assert codes(reviewed((annotation,)), BALL) == expected


def test_an_id_that_a_frame_has_twice_is_found_twice():
    assert codes(reviewed((OK, replace(OK, geometry=Box(90, 60, 9, 9))), (OK,))) == ["DUPLICATE_ID@0", "DUPLICATE_ID@0"]


def test_labels_on_a_frame_without_a_picture_are_found():
    assert codes(reviewed((OK,), (OK,)), broken=(1,)) == ["FRAME_UNKNOWN@1"]


def test_labels_on_a_frame_that_the_media_does_not_have_are_found():
    content = Content(pl.concat([reviewed((OK,)).rows, reviewed((), (OK,)).rows.tail(1)]))
    found = find(content, frames_of(1), PLAYER)
    assert [(finding.code, finding.frame) for finding in found] == [("FRAME_UNKNOWN", 1)]


@pytest.mark.parametrize(
    ("content", "capability", "expected"),
    [
        pytest.param(Content.empty(3), PLAYER, "3 of 3 frames were never looked at", id="untouched frames"),
        pytest.param(reviewed((OK,), (), flags=(FrameFlag.BAD_FRAME,)), PLAYER, "2 of 2 frames are flagged", id="flagged frames"),
        pytest.param(
            reviewed((OK, replace(OK, id="b", geometry=Box(10, 10, 20, 21)))),
            PLAYER,
            "Frame 0: two player boxes are nearly identical",
            id="nearly identical boxes",
        ),
        pytest.param(reviewed((DOT, replace(DOT, id="q"))), BALL, "Frame 0 has 2 points, one is expected", id="two balls"),
        pytest.param(
            reviewed((DOT,), (replace(DOT, geometry=Point(70, 50, 6)),)),
            BALL,
            "Frame 1: the point moved 2.5 frame widths a second",
            id="a ball faster than physics",
        ),
    ],
)
def test_a_warning_says_what_and_where(content, capability, expected):
    found = find(content, frames_of(len(content), WIDTH, HEIGHT), capability)
    assert [finding.message for finding in found] == [expected]
    assert not any(finding.hard for finding in found)


@pytest.mark.parametrize(
    ("content", "capability"),
    [
        pytest.param(reviewed((DOT,), (replace(DOT, geometry=Point(64, 50)),)), BALL, id="a ball as fast as it may be"),
        pytest.param(reviewed((DOT,), (), (replace(DOT, geometry=Point(80, 50)),)), BALL, id="a ball not seen on the frame between"),
        pytest.param(reviewed((OK, replace(OK, id="b", geometry=Box(12, 10, 20, 20)))), PLAYER, id="boxes that overlap"),
        pytest.param(reviewed((OK, replace(OK, id="b", geometry=Box(90, 10, 20, 20)))), PLAYER, id="equal boxes of one class side by side"),
        pytest.param(
            reviewed((DOT, replace(DOT, id="q"))), replace(BALL, single=False, max_speed=None), id="many points where many are expected"
        ),
    ],
)
def test_what_is_plausible_is_no_warning(content, capability):
    assert codes(content, capability) == []


def test_after_two_hundred_of_a_code_one_row_counts_the_rest():
    # given more boxes of an unknown class than are listed
    many = tuple(replace(OK, id=str(n), label="striker", geometry=Box(n % 180, n // 180 * 30, 5, 5)) for n in range(MOST_ROWS + 50))

    # when
    found = find(reviewed(many), frames_of(1, WIDTH, HEIGHT), PLAYER)

    # then
    unknown = [finding for finding in found if finding.code is FindingCode.UNKNOWN_CLASS]
    assert len(unknown) == MOST_ROWS + 1
    assert unknown[-1].message == "50 more like this"


def test_hard_findings_come_before_warnings_in_order_of_frames():
    content = reviewed((DOT,), (replace(OK, label="striker"),), (replace(OK, label="striker"),), flags=(FrameFlag.BAD_FRAME,))
    assert codes(content) == ["UNKNOWN_CLASS@1", "UNKNOWN_CLASS@2", "WRONG_GEOMETRY@0", "FLAGGED_FRAMES@0"]


def test_names_with_braces_are_names():
    found = find(reviewed((replace(OK, label="{0}"),)), frames_of(1), Capability("{mine}", "box", ("{}",)))
    assert [finding.message for finding in found] == ["Frame 0: {0} is no class of {mine}"]


AT = st.integers(-100_000, 3_000_000).map(lambda units: units / 10_000)
SIDE = st.integers(-10_000, 2_100_000).map(lambda units: units / 10_000)


@settings(max_examples=200)
@given(st.builds(Box, AT, AT, SIDE, SIDE) | st.builds(Point, AT, AT))
def test_validation_draws_the_line_where_the_geometry_does(shape):
    # given an annotation that may be anywhere
    empty = isinstance(shape, Box) and (shape.width <= 0 or shape.height <= 0)
    capability = PLAYER if isinstance(shape, Box) else BALL

    # when
    found = codes(reviewed((Annotation("a", "ball", shape),)), capability)

    # then
    assert ("GEOMETRY_OUTSIDE_FRAME@0" in found) == (not shape.inside(WIDTH, HEIGHT))
    assert ("GEOMETRY_EMPTY_BOX@0" in found) == empty


@settings(max_examples=200)
@given(st.builds(Box.at, AT, AT, SIDE, SIDE), AT, AT)
def test_whatever_the_reducer_makes_is_valid(box, x, y):
    # given
    size = FrameSize(WIDTH, HEIGHT)
    ops = [ReviewOp.add_box(0, "ball", box.x, box.y, box.width, box.height, id="n"), ReviewOp.move(0, "n", x, y)]

    # when
    frame = FrameContent(0, (OK,), (), FrameState.SEEN)
    for op in ops:
        try:
            frame = reduce(frame, op, size, PLAYER)
        except LabelkitError:
            return

    # then
    assert codes(Content(rows_of([frame]))) == []
