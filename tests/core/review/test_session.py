"""The reducer: every operation and every refusal, on boxes and on points."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labelkit.core.geometry import Box, Point
from labelkit.core.review.annotations import BALL, PLAYER, Annotation, FrameContent, FrameFlag, FrameSize, FrameState, Source
from labelkit.core.review.operations import GEOMETRY_OPS, OpKind, ReviewOp
from labelkit.core.review.session import Session, reduce
from labelkit.errors import InvalidOperation, LabelkitError, UnknownFrame

FULL_HD = FrameSize(1920, 1080)
BROKEN = FrameSize(0, 0, editable=False)
MODEL_BOX = Annotation("a", "player", Box(100, 100, 50, 80), 0.7, Source.MODEL, '{"team":1}')
OTHER_BOX = Annotation("b", "referee", Box(0, 0, 9, 9))
MODEL_POINT = Annotation("p", "ball", Point(10, 20, 6), 0.4, Source.MODEL)
BOXES = FrameContent(4, (MODEL_BOX, OTHER_BOX), (), FrameState.SEEN)
POINTS = FrameContent(4, (MODEL_POINT,), (), FrameState.SEEN)


def box(op: ReviewOp, size: FrameSize = FULL_HD) -> FrameContent:
    return reduce(BOXES, op, size, PLAYER)


def point(op: ReviewOp, size: FrameSize = FULL_HD) -> FrameContent:
    return reduce(POINTS, op, size, BALL)


def changed(**fields: object) -> FrameContent:
    """The frame of boxes after a person changed the first one."""
    return replace(BOXES, annotations=(replace(MODEL_BOX, source=Source.HUMAN, **fields), OTHER_BOX), state=FrameState.EDITED)


def moved(shape: Point) -> FrameContent:
    return replace(POINTS, annotations=(replace(MODEL_POINT, source=Source.HUMAN, geometry=shape),), state=FrameState.EDITED)


def added(content: FrameContent, annotation: Annotation) -> FrameContent:
    return replace(content, annotations=(*content.annotations, annotation), state=FrameState.EDITED)


@pytest.mark.parametrize(
    ("after", "expected"),
    [
        pytest.param(
            lambda: box(ReviewOp.add_box(4, "ball", 1, 2, 3, 4, id="n")),
            added(BOXES, Annotation("n", "ball", Box(1, 2, 3, 4))),
            id="add a box, drawn last",
        ),
        pytest.param(
            lambda: box(ReviewOp.add_box(4, "ball", 1900, 1070, 40, 40, id="n")),
            added(BOXES, Annotation("n", "ball", Box(1900, 1070, 20, 10))),
            id="a box over the edge is cut at it",
        ),
        pytest.param(
            lambda: box(ReviewOp.add_box(4, "ball", 0.00004, 1.23456, 3, 4, id="n")),
            added(BOXES, Annotation("n", "ball", Box(0, 1.2346, 3, 4))),
            id="coordinates are rounded once",
        ),
        pytest.param(
            lambda: point(ReviewOp.add_point(4, "ball", 1, 2, id="n")),
            added(POINTS, Annotation("n", "ball", Point(1, 2))),
            id="add a point without size",
        ),
        pytest.param(
            lambda: point(ReviewOp.add_point(4, "ball", -5, 2000, 7, id="n")),
            added(POINTS, Annotation("n", "ball", Point(0, 1080, 7))),
            id="a point outside is put on the edge",
        ),
        pytest.param(lambda: box(ReviewOp.move(4, "a", 7, 8)), changed(geometry=Box(7, 8, 50, 80)), id="move a box"),
        pytest.param(
            lambda: box(ReviewOp.move(4, "a", 1900, -5)),
            changed(geometry=Box(1870, 0, 50, 80)),
            id="a box moved over the edge keeps its size",
        ),
        pytest.param(lambda: point(ReviewOp.move(4, "p", 30, 40)), moved(Point(30, 40, 6)), id="a moved point keeps its size"),
        pytest.param(lambda: box(ReviewOp.resize(4, "a", 1, 2, 3, 4)), changed(geometry=Box(1, 2, 3, 4)), id="resize a box"),
        pytest.param(lambda: point(ReviewOp.resize(4, "p", size=9)), moved(Point(10, 20, 9)), id="resize a point"),
        pytest.param(lambda: box(ReviewOp.relabel(4, "a", "goalkeeper")), changed(label="goalkeeper"), id="relabel"),
        pytest.param(
            lambda: box(ReviewOp.delete(4, "a")),
            replace(BOXES, annotations=(OTHER_BOX,), state=FrameState.EDITED),
            id="delete",
        ),
        pytest.param(
            lambda: box(ReviewOp.flag(4, "bad_frame")),
            replace(BOXES, flags=(FrameFlag.BAD_FRAME,), state=FrameState.EDITED),
            id="flag",
        ),
        pytest.param(
            lambda: reduce(replace(BOXES, flags=(FrameFlag.BAD_FRAME,)), ReviewOp.unflag(4, "bad_frame"), BROKEN, PLAYER),
            replace(BOXES, state=FrameState.EDITED),
            id="unflag, also without a picture",
        ),
        pytest.param(lambda: box(ReviewOp.accept(4)), replace(BOXES, state=FrameState.ACCEPTED), id="accept"),
        pytest.param(lambda: box(ReviewOp.accept(4), BROKEN), replace(BOXES, state=FrameState.ACCEPTED), id="accept without a picture"),
        pytest.param(lambda: box(ReviewOp.flag(4, "bad_frame"), BROKEN).flags, (FrameFlag.BAD_FRAME,), id="flag without a picture"),
        pytest.param(lambda: reduce(FrameContent(4), ReviewOp.see(4), FULL_HD, PLAYER), FrameContent(4, state=FrameState.SEEN), id="see"),
    ],
)
def test_an_operation_gives_this_frame(after, expected):
    assert after() == expected


@pytest.mark.parametrize(
    "op",
    [
        pytest.param(ReviewOp.see(4), id="seen again"),
        pytest.param(ReviewOp.move(4, "a", 100, 100), id="moved to where it is"),
        pytest.param(ReviewOp.resize(4, "a", 100.00001, 100, 50, 80), id="resized by less than is kept"),
        pytest.param(ReviewOp.relabel(4, "a", "player"), id="relabelled to its class"),
        pytest.param(ReviewOp.unflag(4, "bad_frame"), id="a flag that is not set taken away"),
    ],
)
def test_an_operation_that_changes_nothing_leaves_the_model_its_label(op):
    assert box(op) == BOXES


NO_NUMBERS = [None, math.nan, math.inf, -math.inf, 1e10, "1", True]
REFUSALS = [
    pytest.param(box, ReviewOp.add_box(4, "player", 1, 2, 3, 4), "INVALID_OPERATION", id="an added box without id"),
    pytest.param(box, ReviewOp.add_box(4, "player", 1, 2, 3, 4, id="a"), "INVALID_OPERATION", id="an id that is there"),
    pytest.param(box, ReviewOp.add_box(4, "striker", 1, 2, 3, 4, id="n"), "INVALID_OPERATION", id="an unknown class"),
    pytest.param(box, ReviewOp(OpKind.ADD_BOX, 4, "n", None, 1, 2, 3, 4), "INVALID_OPERATION", id="no class"),
    pytest.param(box, ReviewOp.add_box(4, "player", 1, 2, 0, 0, id="n"), "INVALID_OPERATION", id="a plain click makes no box"),
    pytest.param(box, ReviewOp.add_box(4, "player", 1, 2, 9, 0.9999, id="n"), "INVALID_OPERATION", id="under 1 px"),
    pytest.param(box, ReviewOp.add_box(4, "player", 1919.5, 2, 9, 9, id="n"), "INVALID_OPERATION", id="under 1 px inside the frame"),
    pytest.param(box, ReviewOp.add_box(4, "player", 3000, 2, 9, 9, id="n"), "INVALID_OPERATION", id="outside the frame"),
    pytest.param(box, ReviewOp.add_box(4, "player", 50, 50, -9, 9, id="n"), "INVALID_OPERATION", id="a negative width"),
    pytest.param(box, ReviewOp.add_point(4, "player", 1, 2, id="n"), "INVALID_OPERATION", id="a point among boxes"),
    pytest.param(point, ReviewOp.add_box(4, "ball", 1, 2, 3, 4, id="n"), "INVALID_OPERATION", id="a box among points"),
    pytest.param(point, ReviewOp.add_point(4, "ball", 1, 2, 0, id="n"), "INVALID_OPERATION", id="a point of no size"),
    pytest.param(point, ReviewOp.add_point(4, "ball", 1, 2, -3, id="n"), "INVALID_OPERATION", id="a point of negative size"),
    pytest.param(point, ReviewOp.resize(4, "p", size=0.00004), "INVALID_OPERATION", id="a size that is rounded away"),
    pytest.param(point, ReviewOp.resize(4, "p", 1, 2, 3, 4), "INVALID_OPERATION", id="four numbers for a point"),
    pytest.param(box, ReviewOp.resize(4, "a", size=3), "INVALID_OPERATION", id="a size for a box"),
    pytest.param(box, ReviewOp.resize(4, "a", 1, 2, 0.5, 9), "INVALID_OPERATION", id="resized under 1 px"),
    pytest.param(box, ReviewOp.move(4, "zz", 1, 2), "UNKNOWN_ANNOTATION", id="move what is not there"),
    pytest.param(box, ReviewOp.resize(4, "zz", 1, 2, 3, 4), "UNKNOWN_ANNOTATION", id="resize what is not there"),
    pytest.param(box, ReviewOp.relabel(4, "zz", "player"), "UNKNOWN_ANNOTATION", id="relabel what is not there"),
    pytest.param(box, ReviewOp.delete(4, "zz"), "UNKNOWN_ANNOTATION", id="delete what is not there"),
    pytest.param(box, ReviewOp(OpKind.DELETE, 4), "UNKNOWN_ANNOTATION", id="delete nothing"),
    pytest.param(box, ReviewOp.relabel(4, "a", "striker"), "INVALID_OPERATION", id="relabel to an unknown class"),
    pytest.param(box, ReviewOp.flag(4, "nice"), "INVALID_OPERATION", id="an unknown flag"),
    pytest.param(box, ReviewOp(OpKind.UNFLAG, 4), "INVALID_OPERATION", id="no flag"),
    *(pytest.param(box, ReviewOp.move(4, "a", 1, y), "INVALID_OPERATION", id=f"y is {y!r}") for y in NO_NUMBERS),
    *(pytest.param(point, ReviewOp.resize(4, "p", size=n), "INVALID_OPERATION", id=f"size is {n!r}") for n in NO_NUMBERS),
]


@pytest.mark.parametrize(("apply", "op", "code"), REFUSALS)
def test_an_impossible_operation_is_refused_and_the_frame_is_as_it_was(apply, op, code):
    # given a session that holds the frame
    boxes, capability = (BOXES, PLAYER) if apply is box else (POINTS, BALL)
    session = Session(capability, lambda _: boxes, lambda _: FULL_HD)

    # when
    with pytest.raises(LabelkitError) as refusal:
        session.apply(op)

    # then
    assert refusal.value.code == code
    assert session.frame(4) == boxes
    assert not session.can_undo


@pytest.mark.parametrize("kind", sorted(GEOMETRY_OPS))
def test_nothing_can_be_drawn_on_a_frame_without_a_picture(kind):
    with pytest.raises(LabelkitError) as refusal:
        box(ReviewOp(kind, 4, "a", "player", 1, 2, 3, 4), BROKEN)
    assert refusal.value.code == "FRAME_NOT_EDITABLE"


@pytest.mark.parametrize("index", [-1, 5, 10**9])
def test_a_frame_that_the_media_does_not_have_is_refused(index):
    session = Session(PLAYER, FrameContent, lambda i: FULL_HD if 0 <= i < 5 else None)
    with pytest.raises(UnknownFrame):
        session.apply(ReviewOp.accept(index))
    with pytest.raises(UnknownFrame):
        session.frame(index)


NUMBERS = st.floats(-3_000, 3_000)


@given(NUMBERS, NUMBERS, NUMBERS, NUMBERS, st.integers(1, 2_000), st.integers(1, 2_000))
def test_every_box_that_the_reducer_takes_lies_inside_with_one_px_a_side(x, y, width, height, frame_width, frame_height):
    # given
    size = FrameSize(frame_width, frame_height)

    # when
    try:
        after = reduce(FrameContent(0), ReviewOp.add_box(0, "player", x, y, width, height, id="n"), size, PLAYER)
    except InvalidOperation:
        return

    # then, and it stays so wherever it is moved
    for content in (after, reduce(after, ReviewOp.move(0, "n", y, x), size, PLAYER)):
        shape = content.annotations[0].geometry
        assert shape.inside(frame_width, frame_height)
        assert not shape.too_small()
