"""Points and boxes: tables for the corners, properties for the rest."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labelkit.core.geometry import UNITS_PER_PX, Box, Handle, Point, iou, px, units

FRAME = (1920, 1080)
AT = st.floats(-5_000, 10_000)
SIDE = st.floats(0, 5_000)
SIZES = st.tuples(st.integers(1, 8_000), st.integers(1, 8_000))
BOXES = st.builds(Box.at, AT, AT, SIDE, SIDE)
POINTS = st.builds(Point.at, AT, AT, st.none() | st.floats(0.1, 100))


@given(st.floats(-1e6, 1e6))
def test_a_rounded_coordinate_and_its_units_say_the_same(value):
    assert units(px(value)) / UNITS_PER_PX == px(value)
    assert px(px(value)) == px(value)
    assert math.copysign(1, px(value)) == 1 or px(value) < 0  # no minus zero: it would print differently


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_rounding_leaves_what_is_no_finite_number(value):
    assert repr(px(value)) == repr(value)


@given(BOXES | POINTS, SIZES)
def test_clamping_twice_is_clamping_once_and_ends_inside(shape, size):
    once = shape.clamp(*size)
    assert once.clamp(*size) == once
    assert once.inside(*size)


@given(BOXES | POINTS, SIZES)
def test_what_is_inside_is_clamped_to_itself(shape, size):
    inside = shape.clamp(*size)
    assert shape.inside(*size) is (inside == shape)


@given(BOXES, SIZES)
def test_a_box_pushed_inside_keeps_its_size_where_it_fits(box, size):
    pushed = box.shifted_inside(*size)
    assert pushed.inside(*size)
    assert (pushed.width, pushed.height) == (min(box.width, size[0]), min(box.height, size[1]))
    assert pushed.shifted_inside(*size) == pushed


@given(BOXES, AT, AT)
def test_a_moved_shape_keeps_its_size(box, dx, dy):
    moved = box.moved(dx, dy)
    assert (moved.width, moved.height) == (box.width, box.height)
    assert (moved.x, moved.y) == (px(box.x + dx), px(box.y + dy))


@given(BOXES, st.sampled_from(Handle), AT, AT)
def test_a_dragged_handle_ends_where_it_was_dragged_and_the_opposite_side_stays(box, handle, x, y):
    # when
    dragged = box.dragged(handle, x, y)

    # then each edge that the handle moves lies at the pointer, turned over or not, and the others are where they were
    across = {px(x), box.right if "w" in handle else box.x} if {"w", "e"} & set(handle) else {box.x, box.right}
    down = {px(y), box.bottom if "n" in handle else box.y} if {"n", "s"} & set(handle) else {box.y, box.bottom}
    assert {dragged.x, dragged.right} == across
    assert {dragged.y, dragged.bottom} == down
    assert dragged.width >= 0
    assert dragged.height >= 0


@pytest.mark.parametrize(
    ("at", "expected"),
    [
        pytest.param((100, 100), Handle.NW, id="a corner comes before the edges that meet there"),
        pytest.param((203, 99), Handle.NE, id="outside, within the tolerance"),
        pytest.param((200, 150), Handle.SE, id="lower right"),
        pytest.param((98, 151), Handle.SW, id="lower left"),
        pytest.param((150, 102), Handle.N, id="top edge"),
        pytest.param((150, 149), Handle.S, id="bottom edge"),
        pytest.param((101, 125), Handle.W, id="left edge"),
        pytest.param((199, 125), Handle.E, id="right edge"),
        pytest.param((150, 125), None, id="the middle moves the box"),
        pytest.param((210, 125), None, id="too far away"),
    ],
)
def test_a_box_of_100_by_50_px_has_eight_handles(at, expected):
    assert Box(100, 100, 100, 50).handle_at(*at, tolerance=4) is expected


@pytest.mark.parametrize(
    ("shape", "at", "expected"),
    [
        pytest.param(Box(10, 10, 20, 20), (8, 30), True, id="box, within the tolerance"),
        pytest.param(Box(10, 10, 20, 20), (7, 20), False, id="box, beyond it"),
        pytest.param(Point(10, 10), (11, 11), True, id="point without size, within the tolerance"),
        pytest.param(Point(10, 10), (12, 12), False, id="point without size, beyond it"),
        pytest.param(Point(10, 10, 30), (20, 20), True, id="point of 30 px, within its mark"),
    ],
)
def test_a_shape_is_hit_within_two_px(shape, at, expected):
    assert shape.hit(*at, tolerance=2) is expected


@pytest.mark.parametrize(
    ("shape", "expected"),
    [
        pytest.param(Box(0, 0, 1920, 1080), True, id="the whole frame"),
        pytest.param(Box(1919, 1079, 1, 1), True, id="the last pixel"),
        pytest.param(Box(1919, 1079, 1.0001, 1), False, id="a ten-thousandth over"),
        pytest.param(Box(-0.0001, 0, 5, 5), False, id="a ten-thousandth before"),
        pytest.param(Point(1920, 1080), True, id="a point in the corner"),
        pytest.param(Point(1920.0001, 0), False, id="a point just outside"),
        pytest.param(Box(math.nan, 0, 5, 5), False, id="no number"),
    ],
)
def test_a_frame_is_closed_at_its_edges(shape, expected):
    assert shape.inside(*FRAME) is expected


@pytest.mark.parametrize(
    ("box", "expected"),
    [
        pytest.param(Box(0, 0, 1, 1), False, id="one px is enough"),
        pytest.param(Box(0, 0, 0.9999, 9), True, id="narrow"),
        pytest.param(Box(0, 0, 9, 0.9999), True, id="flat"),
    ],
)
def test_a_box_is_too_small_under_one_px_on_a_side(box, expected):
    assert box.too_small() is expected


def test_shapes_know_whether_they_are_finite():
    assert Box(1, 2, 3, 4).finite()
    assert Point(1, 2).finite()
    assert not Box(1, 2, math.inf, 4).finite()
    assert not Point(1, math.nan).finite()
    assert not Point(1, 2, math.nan).finite()


@given(AT, AT, AT, AT)
def test_corners_in_any_order_give_one_box(x0, y0, x1, y1):
    box = Box.from_corners(x0, y0, x1, y1)
    assert box == Box.from_corners(x1, y1, x0, y0) == Box.from_corners(x0, y1, x1, y0)
    assert {box.x, box.right} == {px(x0), px(x1)}


@given(BOXES, BOXES)
def test_interpolation_starts_and_ends_at_its_ends(a, b):
    assert a.between(b, 0) == a
    assert a.between(b, 1) == b


def test_half_way_is_half_way():
    assert Box(0, 0, 10, 10).between(Box(10, 20, 30, 20), 0.5) == Box(5, 10, 20, 15)
    assert Point(0, 0, 4).between(Point(10, 20, 8), 0.5) == Point(5, 10, 6)
    assert Point(0, 0, 4).between(Point(10, 20), 0.25) == Point(2.5, 5, 4)  # a size that one end lacks is not invented
    assert Point(0, 0).between(Point(10, 20, 8), 0.25) == Point(2.5, 5, None)


@given(BOXES, BOXES)
def test_overlap_is_symmetric_between_zero_and_one_and_one_with_itself(a, b):
    assert iou(a, b) == iou(b, a)
    assert 0 <= iou(a, b) <= 1 + 1e-9
    if a.width > 0 and a.height > 0:
        assert iou(a, a) == pytest.approx(1)


def test_touching_boxes_do_not_overlap():
    assert iou(Box(0, 0, 10, 10), Box(10, 0, 10, 10)) == 0.0
    assert iou(Box(0, 0, 0, 0), Box(0, 0, 0, 0)) == 0.0


def test_the_hashed_form_counts_ten_thousandths():
    assert Box.at(1.5, 2, 3.00004, 4.00006).canonical() == ["box", 15_000, 20_000, 30_000, 40_001]
    assert Point.at(1.5, 2, 8).canonical() == ["point", 15_000, 20_000, 80_000]
    assert Point.at(1.5, 2).canonical() == ["point", 15_000, 20_000, None]
