"""Tools over several frames: propagate, interpolate, copy from the frame before; one step to undo."""

import pytest

from labelkit.core.geometry import Box, Point
from labelkit.core.review.annotations import BALL, PLAYER, Annotation, FrameContent, FrameSize, FrameState, Source
from labelkit.core.review.operations import ReviewOp
from labelkit.core.review.session import Session
from labelkit.errors import InvalidOperation, UnknownAnnotation, UnknownFrame

FRAMES = 12


def session(capability, *, boxes=(), broken=(), accepted=()):
    """Return a session over twelve frames of 200 x 100 px; `boxes` maps a frame to its annotations."""
    held = dict(boxes)
    return Session(
        capability,
        lambda index: FrameContent(
            index, tuple(held.get(index, ())), state=FrameState.ACCEPTED if index in accepted else FrameState.UNTOUCHED
        ),
        lambda index: FrameSize(200, 100, index not in broken) if 0 <= index < FRAMES else None,
    )


def ready(op):
    return op.with_ids(lambda prefix: f"{prefix}_new")


def player(id_, x, source=Source.HUMAN):
    return Annotation(id_, "player", Box.at(x, 10, 20, 40), None, source)


def ball(id_, x, source=Source.HUMAN):
    return Annotation(id_, "ball", Point.at(x, 50, 6), None, source)


def test_propagate_repeats_a_box_on_the_next_frames_and_is_undone_as_one_step():
    # given
    review = session(PLAYER, boxes={2: [player("a", 30)]})
    # when
    changed = review.run([ready(ReviewOp.propagate(2, "a", count=3))])
    # then
    assert [frame.index for frame in changed] == [3, 4, 5]
    assert {a.geometry for frame in changed for a in frame.annotations} == {Box.at(30, 10, 20, 40)}
    assert {a.source for frame in changed for a in frame.annotations} == {Source.PROPAGATED}
    undone = review.run([ReviewOp.undo()])
    assert [(frame.index, frame.annotations) for frame in undone] == [(3, ()), (4, ()), (5, ())]


def test_propagate_passes_over_frames_that_have_the_box_broken_frames_and_the_end():
    # given
    review = session(PLAYER, boxes={8: [player("a", 30)], 9: [player("b", 31)]}, broken={10})
    # when
    changed = review.run([ready(ReviewOp.propagate(8, "a", count=9))])
    # then
    assert [frame.index for frame in changed] == [11]


def test_interpolation_fills_the_gap_between_two_human_points():
    # given
    review = session(BALL, boxes={1: [ball("a", 10)], 5: [ball("b", 50)]})
    # when
    changed = review.run([ready(ReviewOp.interpolate(1, "a"))])
    # then
    assert [(frame.index, frame.annotations[0].geometry) for frame in changed] == [
        (2, Point.at(20, 50, 6)),
        (3, Point.at(30, 50, 6)),
        (4, Point.at(40, 50, 6)),
    ]
    assert {frame.annotations[0].source for frame in changed} == {Source.INTERPOLATED}


def test_interpolation_again_replaces_what_it_made_when_the_end_has_moved():
    # given
    review = session(BALL, boxes={1: [ball("a", 10)], 3: [ball("b", 14)]})
    review.run([ready(ReviewOp.interpolate(1, "a"))])
    review.run([ReviewOp.move(3, "b", 12, 50)])
    # when
    (changed,) = review.run([ReviewOp.interpolate(1, "a").with_ids(lambda _: "again")])
    # then
    assert [a.geometry for a in changed.annotations] == [Point.at(11, 50, 6)]


def test_interpolation_leaves_a_frame_alone_on_which_a_model_placed_the_ball():
    # given
    review = session(BALL, boxes={1: [ball("a", 10)], 2: [ball("m", 90, Source.MODEL)], 5: [ball("b", 50)]})
    # when
    changed = review.run([ready(ReviewOp.interpolate(1, "a", until=5))])
    # then
    assert [frame.index for frame in changed] == [3, 4]


@pytest.mark.parametrize("accepted", [{1}, {5}, set()], ids=["the start only", "the end only", "neither"])
def test_interpolation_needs_a_person_behind_both_ends(accepted):
    # given
    review = session(BALL, boxes={1: [ball("a", 10, Source.MODEL)], 5: [ball("b", 50, Source.MODEL)]}, accepted=accepted)
    # then
    with pytest.raises(InvalidOperation, match="confirmed"):
        review.run([ready(ReviewOp.interpolate(1, "a"))])


def test_interpolation_takes_what_a_model_placed_once_its_frame_was_accepted():
    # given
    review = session(BALL, boxes={1: [ball("a", 10, Source.MODEL)], 3: [ball("b", 30, Source.MODEL)]}, accepted={1, 3})
    # when
    (changed,) = review.run([ready(ReviewOp.interpolate(1, "a"))])
    # then
    assert [a.geometry for a in changed.annotations] == [Point.at(20, 50, 6)]


def test_copy_from_the_frame_before_adds_only_what_is_missing():
    # given
    review = session(PLAYER, boxes={4: [player("a", 30), player("b", 90)], 5: [player("c", 91)]})
    # when
    (changed,) = review.run([ready(ReviewOp.copy_previous(5))])
    # then
    assert [a.geometry.x for a in changed.annotations] == [91, 30]


@pytest.mark.parametrize(
    ("op", "refusal"),
    [
        pytest.param(ReviewOp.propagate(2, "gone", 1), UnknownAnnotation, id="an annotation that is not there"),
        pytest.param(ReviewOp.propagate(99, "a", 1), UnknownFrame, id="a frame that is not there"),
        pytest.param(ReviewOp.propagate(2, "a", 0), InvalidOperation, id="no frames"),
        pytest.param(ReviewOp.propagate(2, "a", 1_000_000), InvalidOperation, id="more frames than is sane"),
        pytest.param(ReviewOp.interpolate(2, "a"), InvalidOperation, id="nothing to interpolate to"),
        pytest.param(ReviewOp.interpolate(2, "a", until=3), InvalidOperation, id="no frame between"),
        pytest.param(ReviewOp.interpolate(2, "a", until=6), InvalidOperation, id="nothing of its class at the end"),
        pytest.param(ReviewOp.copy_previous(0), InvalidOperation, id="no frame before the first"),
    ],
)
def test_a_tool_that_cannot_work_is_refused_and_changes_nothing(op, refusal):
    # given
    review = session(PLAYER, boxes={2: [player("a", 30)]})
    # when
    with pytest.raises(refusal):
        review.run([ready(op)])
    # then
    assert not review.can_undo
    assert review.frame(2).annotations == (player("a", 30),)
    assert review.frame(3).annotations == ()


def test_operations_run_together_are_all_or_none():
    # given
    review = session(PLAYER, boxes={2: [player("a", 30)]})
    # when
    with pytest.raises(UnknownAnnotation):
        review.run([ReviewOp.delete(2, "a"), ReviewOp.delete(3, "gone")])
    # then
    assert review.frame(2).annotations == (player("a", 30),)


def test_undo_of_several_frames_keeps_the_one_that_somebody_else_changed_since():
    # given
    review = session(PLAYER, boxes={2: [player("a", 30)]})
    review.run([ready(ReviewOp.propagate(2, "a", count=2))])
    review.replace(FrameContent(3, (player("theirs", 80),)))
    # when
    undone = review.run([ReviewOp.undo()])
    # then
    assert [frame.index for frame in undone] == [4]
    assert review.frame(3).annotations == (player("theirs", 80),)
