"""Undo and redo across frames, against a plain model: two lists of steps and a dictionary of frames."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from labelkit.core.geometry import Box
from labelkit.core.review.annotations import PLAYER, Annotation, FrameContent, FrameFlag, FrameSize, FrameState
from labelkit.core.review.operations import ReviewOp
from labelkit.core.review.session import UNDO_STEPS, Session
from labelkit.errors import LabelkitError

FRAMES = 3
BROKEN = 2  # the frame without a picture
SIZE = FrameSize(200, 100)


def seed(index: int) -> FrameContent:
    return FrameContent(index, tuple(Annotation(f"m{n}", "player", Box(10.0 * n, 10, 20, 30), 0.5) for n in range(3)))


def size(index: int) -> FrameSize | None:
    if not 0 <= index < FRAMES:
        return None
    return replace(SIZE, editable=index != BROKEN)


def content(frame: FrameContent) -> tuple[object, object]:
    """What undo brings back: labels and flags. A frame that was looked at stays looked at."""
    return frame.annotations, frame.flags


INDEX = st.integers(0, FRAMES - 1)
AT = st.sampled_from([-50.0, 0.0, 10.0, 33.3333, 99.0, 199.5, 300.0])
ID = st.sampled_from(["m0", "m1", "m2", "n0", "n1", "nobody"])
LABEL = st.sampled_from([*PLAYER.classes, "striker"])
FLAG = st.sampled_from([*FrameFlag, "nice"])
OPS = st.one_of(
    st.builds(ReviewOp.add_box, INDEX, LABEL, AT, AT, AT, AT, id=ID),
    st.builds(ReviewOp.add_point, INDEX, LABEL, AT, AT, id=ID),
    st.builds(ReviewOp.move, INDEX, ID, AT, AT),
    st.builds(ReviewOp.resize, INDEX, ID, AT, AT, AT, AT),
    st.builds(ReviewOp.relabel, INDEX, ID, LABEL),
    st.builds(ReviewOp.delete, INDEX, ID),
    st.builds(ReviewOp.flag, INDEX, FLAG),
    st.builds(ReviewOp.unflag, INDEX, FLAG),
    st.builds(ReviewOp.accept, INDEX),
    st.builds(ReviewOp.see, st.integers(-1, FRAMES)),
)


class SessionMachine(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.session = Session(PLAYER, seed, size)
        self.frames = {index: seed(index) for index in range(FRAMES)}
        self.done: list[list[tuple[FrameContent, FrameContent]]] = []
        self.undone: list[list[tuple[FrameContent, FrameContent]]] = []
        self.others = False

    @rule(ops=st.lists(OPS, min_size=1, max_size=3))
    def edit(self, ops: list[ReviewOp]) -> None:
        before = dict(self.frames)
        try:
            changed = self.session.run(ops)
        except LabelkitError:
            return  # the invariant sees that nothing changed, not even by the operations before the refused one
        assert [frame.index for frame in changed] == sorted({frame.index for frame in changed})
        assert {frame.index for frame in changed} <= {op.frame for op in ops}
        assert all(frame != before[frame.index] for frame in changed)
        self.frames |= {frame.index: frame for frame in changed}
        if changed and any(op.kind != "see" for op in ops):
            self.done.append([(before[frame.index], frame) for frame in changed])
            self.undone.clear()

    @rule(index=INDEX, label=st.sampled_from(PLAYER.classes))
    def somebody_else_changes_a_frame(self, index: int, label: str) -> None:
        theirs = FrameContent(index, (Annotation("theirs", label, Box(1, 1, 5, 5)),), (), FrameState.EDITED)
        self.session.replace(theirs)
        self.frames[index] = theirs
        self.others = True

    @rule()
    def undo(self) -> None:
        expected = self._travel(self.done, self.undone, back=True)
        self._settle(self.session.run([ReviewOp.undo()]), expected)

    @rule()
    def redo(self) -> None:
        expected = self._travel(self.undone, self.done, back=False)
        self._settle(self.session.run([ReviewOp.redo()]), expected)

    @precondition(lambda self: self.done and not self.others)
    @rule()
    def undo_everything_and_redo_it(self) -> None:
        # given
        last = {index: content(frame) for index, frame in self.frames.items()}

        # when everything is taken back, the frames carry what they were seeded with
        while self.session.can_undo:
            self.session.apply(ReviewOp.undo())
        assert [content(self.session.frame(index)) for index in range(FRAMES)] == [content(seed(index)) for index in range(FRAMES)]

        # and when everything is done again, what they carried last, but for what had been undone before
        for _ in self.done:
            self.session.apply(ReviewOp.redo())
        assert {index: content(self.session.frame(index)) for index in range(FRAMES)} == last
        self.frames = {index: self.session.frame(index) for index in range(FRAMES)}

    def _travel(self, source: list, target: list, *, back: bool) -> list[FrameContent]:
        while source:
            step = source.pop()
            found = []
            for before, after in step:
                here, there = (after, before) if back else (before, after)
                if content(self.frames[here.index]) == content(here):
                    found.append(there)
            if found:
                target.append(step)
                return found
        return []  # every step was of frames that somebody else changed since

    def _settle(self, found: tuple[FrameContent, ...], expected: list[FrameContent]) -> None:
        assert [(frame.index, content(frame)) for frame in found] == [(frame.index, content(frame)) for frame in expected]
        assert all(frame.state is not FrameState.UNTOUCHED for frame in found)
        self.frames |= {frame.index: frame for frame in found}

    @invariant()
    def the_session_and_the_model_agree(self) -> None:
        assert {index: self.session.frame(index) for index in range(FRAMES)} == self.frames
        assert self.session.can_undo == bool(self.done)
        assert self.session.can_redo == bool(self.undone)

    @invariant()
    def every_frame_is_valid(self) -> None:
        for frame in self.frames.values():
            assert len({annotation.id for annotation in frame.annotations}) == len(frame.annotations)
            assert all(annotation.geometry.inside(SIZE.width, SIZE.height) for annotation in frame.annotations)
            assert all(annotation.label in PLAYER.classes for annotation in frame.annotations)


SessionMachine.TestCase.settings = settings(max_examples=60, stateful_step_count=60, deadline=None)
test_the_session_behaves_like_two_lists_of_steps = SessionMachine.TestCase


def nudged(session: Session, steps: int) -> None:
    """Move boxes to and fro, a step a frame in turn."""
    for n in range(steps):
        session.apply(ReviewOp.move(n % 2, "m0", 1.0 + n // 2 % 90, 5))


@pytest.mark.parametrize("steps", [500, 777, UNDO_STEPS])
def test_at_least_five_hundred_steps_across_frames_are_undone_and_redone(steps):
    # given
    session = Session(PLAYER, seed, size)
    nudged(session, steps)
    last = [session.frame(0), session.frame(1)]

    # when
    undone = sum(session.apply(ReviewOp.undo()) is not None for _ in range(steps))

    # then
    assert undone == steps
    assert not session.can_undo
    assert [content(session.frame(index)) for index in (0, 1)] == [content(seed(0)), content(seed(1))]
    assert sum(session.apply(ReviewOp.redo()) is not None for _ in range(steps)) == steps
    assert [session.frame(0), session.frame(1)] == last


def test_the_oldest_steps_fall_off_at_the_limit():
    # given
    session = Session(PLAYER, seed, size)
    nudged(session, UNDO_STEPS + 10)

    # when
    while session.can_undo:
        session.apply(ReviewOp.undo())

    # then the first ten moves stay
    assert session.frame(0).annotations[0].geometry.x == 1.0 + 4
    assert session.frame(1).annotations[0].geometry.x == 1.0 + 4


def test_undo_of_a_frame_that_somebody_else_changed_is_dropped_and_the_step_before_is_taken_back():
    # given an edit of each frame, then another person's frame 1
    session = Session(PLAYER, seed, size)
    session.apply(ReviewOp.delete(0, "m0"))
    session.apply(ReviewOp.delete(1, "m0"))
    theirs = FrameContent(1, (Annotation("theirs", "ball", Box(0, 0, 5, 5)),), (), FrameState.EDITED)
    session.replace(theirs)

    # when
    changed = session.apply(ReviewOp.undo())

    # then frame 1 is theirs, frame 0 is back
    assert session.frame(1) == theirs
    assert (changed.index, content(changed)) == (0, content(seed(0)))
    assert not session.can_undo


def test_a_step_over_several_frames_is_undone_where_nobody_else_changed_them():
    # given one step over two frames, then another person's frame 1
    session = Session(PLAYER, seed, size)
    session.run([ReviewOp.delete(0, "m0"), ReviewOp.delete(1, "m0")])
    theirs = FrameContent(1, (Annotation("theirs", "ball", Box(0, 0, 5, 5)),), (), FrameState.EDITED)
    session.replace(theirs)

    # when
    changed = session.run([ReviewOp.undo()])

    # then
    assert [content(frame) for frame in changed] == [content(seed(0))]
    assert session.frame(1) == theirs


def test_of_several_operations_all_are_done_or_none():
    # given
    session = Session(PLAYER, seed, size)

    # when the second one is refused
    with pytest.raises(LabelkitError) as refusal:
        session.run([ReviewOp.delete(0, "m0"), ReviewOp.delete(1, "nobody")])

    # then the first one did not happen
    assert refusal.value.code == "UNKNOWN_ANNOTATION"
    assert [session.frame(0), session.frame(1)] == [seed(0), seed(1)]
    assert not session.can_undo


@pytest.mark.parametrize("op", [ReviewOp.undo(), ReviewOp.redo()], ids=lambda op: op.kind)
def test_undo_and_redo_stand_alone(op):
    with pytest.raises(LabelkitError) as refusal:
        Session(PLAYER, seed, size).run([op, ReviewOp.accept(0)])
    assert refusal.value.code == "INVALID_OPERATION"


def test_a_session_that_is_refreshed_keeps_what_it_is_told_to_and_its_steps():
    # given
    session = Session(PLAYER, seed, size)
    session.apply(ReviewOp.delete(0, "m0"))
    session.replace(FrameContent(1, (), (), FrameState.EDITED))

    # when
    session.refresh(keep={0})

    # then
    assert [len(session.frame(index).annotations) for index in (0, 1)] == [2, 3]
    assert content(session.apply(ReviewOp.undo())) == content(seed(0))


def test_a_new_edit_ends_what_could_be_redone():
    # given
    session = Session(PLAYER, seed, size)
    session.apply(ReviewOp.delete(0, "m0"))
    session.apply(ReviewOp.undo())

    # when
    session.apply(ReviewOp.delete(1, "m1"))

    # then
    assert not session.can_redo
    assert session.apply(ReviewOp.redo()) is None


def test_looking_at_frames_is_no_step_and_ends_no_redo():
    # given
    session = Session(PLAYER, seed, size)
    session.apply(ReviewOp.delete(0, "m0"))
    session.apply(ReviewOp.undo())

    # when
    seen = session.apply(ReviewOp.see(1))

    # then
    assert seen.state is FrameState.SEEN
    assert session.can_redo
    assert not session.can_undo


def test_a_session_that_forgets_asks_for_its_frames_again():
    # given
    asked = []
    session = Session(PLAYER, lambda index: asked.append(index) or seed(index), size)
    session.apply(ReviewOp.delete(0, "m0"))

    # when
    session.forget()

    # then
    assert session.frame(0) == seed(0)
    assert asked == [0, 0]
    assert not session.can_undo
    assert session.apply(ReviewOp.undo()) is None
