"""Edit a draft: operations and saves at a version, all or nothing; retries; reset and restore."""

from __future__ import annotations

import pytest

from labelkit import LabelkitError, ReviewOp
from labelkit.core.geometry import Box, Point
from labelkit.core.review.annotations import Annotation, FrameContent, FrameFlag, FrameState, Source
from tests.services.worlds import BALLS, PLAYERS, add_media, as_user, in_memory_and_file, refused, tables, trail


@pytest.fixture
def draft(ws, players):
    return ws.review.open("match", PLAYERS, run=players)


def conflict_of(call) -> dict[str, object]:
    with pytest.raises(LabelkitError) as refusal:
        call()
    assert refusal.value.code == "DRAFT_VERSION_CONFLICT"
    assert refusal.value.status == 409
    return refusal.value.facts


@in_memory_and_file
def test_operations_are_saved_together_as_one_version(ws, draft):
    # given
    first, second = (annotation.id for annotation in draft.frames[0].annotations)

    # when
    saved = ws.review.apply(
        draft.id,
        base_version=1,
        ops=[
            ReviewOp.move(0, first, 11, 12),
            ReviewOp.relabel(0, second, "goalkeeper"),
            ReviewOp.add_box(2, "ball", 1, 2, 3, 4),
            ReviewOp.flag(3, "bad_frame"),
            ReviewOp.accept(1),
        ],
    )

    # then
    assert saved.version == 2
    frames = ws.review.get(draft.id).frames
    assert [annotation.label for annotation in frames[0].annotations] == ["player", "goalkeeper"]
    assert frames[0].annotations[0].geometry == Box(11, 12, 20, 40)
    assert frames[0].annotations[0].source is Source.HUMAN
    assert frames[2].annotations[0].id.startswith("ann_")
    assert frames[3].flags == (FrameFlag.BAD_FRAME,)
    assert [frame.state for frame in frames] == [FrameState.EDITED, FrameState.ACCEPTED, FrameState.EDITED, FrameState.EDITED]
    assert [list(frame.annotations) for frame in saved.frames] == [list(frame.annotations) for frame in frames]


def test_undo_and_redo_work_within_one_call(ws, draft):
    ops = [ReviewOp.accept(0), ReviewOp.add_box(1, "ball", 1, 2, 3, 4, id="a"), ReviewOp.undo(), ReviewOp.redo(), ReviewOp.undo()]
    saved = ws.review.apply(draft.id, base_version=1, ops=ops)
    assert (saved.frames[0].state, len(saved.frames[1].annotations)) == (FrameState.ACCEPTED, 1)


def test_a_tool_over_several_frames_is_saved_whole(ws, draft):
    box = draft.frames[0].annotations[0].id
    saved = ws.review.apply(draft.id, base_version=1, ops=[ReviewOp.propagate(0, box, count=3)])
    assert [len(frame.annotations) for frame in saved.frames] == [2, 2, 1, 0]  # the last frame has no picture


@in_memory_and_file
def test_of_several_operations_a_refused_one_undoes_all(ws, draft):
    # given
    before = tables(ws)

    # when
    code = refused(lambda: ws.review.apply(draft.id, base_version=1, ops=[ReviewOp.accept(0), ReviewOp.delete(1, "nobody")]))

    # then
    assert code == "UNKNOWN_ANNOTATION"
    assert tables(ws) == before


@pytest.mark.parametrize(
    ("op", "code"),
    [
        pytest.param(ReviewOp.accept(4), "UNKNOWN_FRAME", id="beyond the last frame"),
        pytest.param(ReviewOp.accept(-1), "UNKNOWN_FRAME", id="before the first frame"),
        pytest.param(ReviewOp.add_box(3, "player", 1, 2, 3, 4), "FRAME_NOT_EDITABLE", id="a frame without a picture"),
        pytest.param(ReviewOp.add_point(0, "ball", 1, 2), "INVALID_OPERATION", id="a point among boxes"),
        pytest.param(ReviewOp.add_box(0, "player", 1, 2, 0.5, 4), "INVALID_OPERATION", id="under a px"),
    ],
)
def test_an_impossible_edit_leaves_the_draft_and_an_audit_row(ws, draft, op, code):
    before = tables(ws)
    assert refused(lambda: ws.review.apply(draft.id, base_version=1, ops=[op])) == code
    assert tables(ws) == before
    assert trail(ws, "action", "code", "allowed", "actor")[-1] == ("edit", code, False, "ana")


@pytest.mark.parametrize("ops", [[], [ReviewOp.see(0), ReviewOp.see(0)][:0], [ReviewOp.unflag(0, "bad_frame")], [ReviewOp.undo()]], ids=str)
def test_what_changes_nothing_saves_nothing(ws, draft, ops):
    before = tables(ws)
    assert ws.review.apply(draft.id, base_version=1, ops=ops).version == 1
    assert tables(ws) == before


def test_an_edit_on_an_old_version_is_refused_with_the_frames_saved_since(ws, draft):
    # given two saves
    ws.review.apply(draft.id, base_version=1, ops=[ReviewOp.accept(0)])
    ws.review.apply(draft.id, base_version=2, ops=[ReviewOp.accept(2), ReviewOp.accept(1)])
    before = tables(ws)

    # when
    after_first = conflict_of(lambda: ws.review.apply(draft.id, base_version=2, ops=[ReviewOp.accept(3)]))
    after_none = conflict_of(lambda: ws.review.save(draft.id, base_version=1, frames=[FrameContent(3)], save_id="s"))
    from_the_future = conflict_of(lambda: ws.review.apply(draft.id, base_version=9, ops=[ReviewOp.accept(3)]))

    # then
    assert (after_first["changed"], after_first["current"], after_first["base"]) == ([1, 2], 3, 2)
    assert after_none["changed"] == [0, 1, 2]
    assert from_the_future["changed"] == []
    assert tables(ws) == before


def test_a_repeated_call_is_answered_and_not_done_twice(ws, draft):
    # given a save whose answer was lost
    ops = [ReviewOp.add_box(0, "ball", 1, 2, 3, 4)]
    first = ws.review.apply(draft.id, base_version=1, ops=ops, save_id="sav_1")

    # when
    again = ws.review.apply(draft.id, base_version=1, ops=ops, save_id="sav_1")
    version = ws.review.save(draft.id, base_version=1, frames=[FrameContent(0)], save_id="sav_1")

    # then
    assert first.version == again.version == version == 2
    assert len(again.frames[0].annotations) == 3


def test_a_save_id_is_one_drafts_own(ws, draft):
    # given
    other = ws.review.open("match", BALLS)
    ws.review.apply(draft.id, base_version=1, ops=[ReviewOp.accept(0)], save_id="sav_1")
    before = tables(ws)

    # when the same id comes with another draft, it is no repetition, and not saved either
    code = refused(lambda: ws.review.apply(other.id, base_version=1, ops=[ReviewOp.accept(0)], save_id="sav_1"))

    # then
    assert code == "STORE_CONFLICT"
    assert tables(ws) == before


@in_memory_and_file
def test_a_save_keeps_full_frames_and_the_newest_counts(ws, draft):
    # given
    one = FrameContent(1, (Annotation("a", "ball", Box.at(1, 2, 3, 4), 0.25, Source.IMPORTED, '{"é":1}'),), (), FrameState.EDITED)
    two = FrameContent(1, (), (FrameFlag.BAD_FRAME,), FrameState.ACCEPTED)

    # when
    versions = [
        ws.review.save(draft.id, base_version=1, frames=[one], save_id="s1"),
        ws.review.save(draft.id, base_version=2, frames=[two, FrameContent(2, state=FrameState.SEEN)], save_id="s2"),
    ]

    # then
    assert versions == [2, 3]
    frames = ws.review.get(draft.id).frames
    assert (frames[1].annotations, frames[1].flags, frames[1].state) == ((), two.flags, two.state)
    assert len(frames[0].annotations) == 2


def test_a_saved_frame_comes_back_as_it_was_given(ws, draft):
    # given every field
    frame = FrameContent(
        2,
        (
            Annotation("b", 'a"\\\u2028\x1f\U0001f600', Box.at(0.1, 0.2, 1e-4, 1234.5678), 0.123456789, Source.MODEL, '{"a":[1,null]}'),
            Annotation("a", "ball", Point.at(1.5, 2.5, 3.5), None, Source.INTERPOLATED),
            Annotation("c", "ball", Point.at(0, 0)),
        ),
        (FrameFlag.BAD_FRAME, FrameFlag.NEEDS_HUMAN_REVIEW),
        FrameState.ACCEPTED,
    )

    # when
    ws.review.save(draft.id, base_version=1, frames=[frame], save_id="s")

    # then
    found = ws.review.get(draft.id).frames[2]
    assert (found.annotations, found.flags, found.state) == (frame.annotations, frame.flags, frame.state)


@pytest.mark.parametrize("index", [-1, 4, 2_000_000_000])
def test_a_frame_that_the_media_does_not_have_is_not_saved(ws, draft, index):
    before = tables(ws)
    assert refused(lambda: ws.review.save(draft.id, base_version=1, frames=[FrameContent(index)], save_id="s")) == "UNKNOWN_FRAME"
    assert tables(ws) == before


@in_memory_and_file
def test_a_reset_goes_back_to_the_prelabel_pack_of_this_scope_only_and_a_restore_undoes_it(ws, draft):
    # given edits of this scope and of another
    ball = ws.review.open("match", BALLS)
    ws.review.apply(ball.id, base_version=1, ops=[ReviewOp.accept(0)])
    edited = ws.review.apply(draft.id, base_version=1, ops=[ReviewOp.delete(0, draft.frames[0].annotations[0].id), ReviewOp.accept(1)])
    labels = [frame.annotations for frame in edited.frames]

    # when
    reset = ws.review.reset(draft.id)

    # then
    assert (reset.id, reset.version, str(reset.lineage)) == (draft.id, 3, str(draft.lineage))
    assert [frame.annotations for frame in reset.frames] == [frame.annotations for frame in draft.frames]
    assert {frame.state for frame in reset.frames} == {FrameState.UNTOUCHED}
    assert ws.review.get(ball.id).version == 2
    assert trail(ws, "code").count(("DRAFT_RESET",)) == 1

    # when edits follow, they are of the draft that was reset
    ws.review.apply(draft.id, base_version=3, ops=[ReviewOp.add_box(2, "ball", 1, 2, 3, 4, id="later")])
    restored = ws.review.restore(draft.id)

    # then
    assert restored.version == 5
    assert [frame.annotations for frame in restored.frames] == labels
    assert restored.frames[1].state is FrameState.ACCEPTED
    assert refused(lambda: ws.review.restore(draft.id)) == "INVALID_VALUE"

    # and what was done in between lies on the shelf
    (shelved,) = ws.review.shelf(draft.id)
    assert (shelved.side, shelved.content.index, [a.id for a in shelved.content.annotations]) == ("replaced", 2, ["later"])


def test_a_reset_can_be_undone_however_many_saves_follow_it(ws, draft):
    # given a reset, and more audit rows of edits than one look at the trail returns
    ws.review.apply(draft.id, base_version=1, ops=[ReviewOp.add_box(2, "ball", 1, 2, 3, 4, id="mine")])
    ws.review.reset(draft.id)
    with ws._database.transaction() as tx:
        tx.execute(
            """INSERT INTO audit SELECT 'aud_z' || lpad(CAST(n AS VARCHAR), 6, '0'), now()::TIMESTAMP, $ws, 'ana', 'edit', 'DRAFT_SAVED',
                   true, 'draft:' || $draft, '{}' FROM generate_series(1, 1200) AS t(n)""",
            ws=ws.id,
            draft=draft.id,
        )

    # then
    assert [a.id for a in ws.review.restore(draft.id).frames[2].annotations] == ["mine"]


def test_resets_and_restores_follow_each_other(ws, draft):
    # given
    version = 1
    for name in ("a", "b", "c"):
        ws.review.apply(draft.id, base_version=version, ops=[ReviewOp.add_box(2, "ball", 1, 2, 3, 4, id=name)])
        assert ws.review.reset(draft.id).frames[2].annotations == ()
        restored = ws.review.restore(draft.id)
        version = restored.version

        # then each edit is still there
        assert restored.frames[2].annotations[-1].id == name
    assert [a.id for a in restored.frames[2].annotations] == ["a", "b", "c"]


def test_a_draft_without_a_source_has_nothing_to_be_reset_to(ws, draft):
    ball = ws.review.open("match", BALLS)
    assert refused(lambda: ws.review.reset(ball.id)) == "INVALID_VALUE"
    assert refused(lambda: ws.review.restore(draft.id)) == "INVALID_VALUE"


def test_a_viewer_changes_nothing(ws, draft):
    # given
    vera = as_user(ws, "vera", "viewer")
    before = tables(ws)

    # then
    for call in (
        lambda: vera.review.apply(draft.id, base_version=1, ops=[ReviewOp.accept(0)]),
        lambda: vera.review.save(draft.id, base_version=1, frames=[FrameContent(0)], save_id="s"),
        lambda: vera.review.reset(draft.id),
        lambda: vera.review.restore(draft.id),
    ):
        assert refused(call) == "PERMISSION_DENIED"
    assert tables(ws) == before
    assert trail(ws, "actor", "action", "code", "allowed")[-4:] == [("vera", "edit", "PERMISSION_DENIED", False)] * 4


def test_every_save_leaves_an_audit_row_with_its_version(ws, draft):
    ws.review.apply(draft.id, base_version=1, ops=[ReviewOp.accept(0)])
    assert trail(ws, "action", "code", "allowed", "subject")[-1] == ("edit", "DRAFT_SAVED", True, f"draft:{draft.id}")


def test_a_media_without_frames_can_be_opened_and_has_nothing_to_edit(ws):
    add_media(ws, "nothing", 0)
    draft = ws.review.open("nothing", PLAYERS)
    assert len(draft.frames) == 0
    assert refused(lambda: ws.review.apply(draft.id, base_version=1, ops=[ReviewOp.accept(0)])) == "UNKNOWN_FRAME"
