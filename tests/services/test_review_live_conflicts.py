"""Two sessions on one draft: what only one side touched goes through, what both touched waits, and nothing of either side is lost."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

import labelkit
from labelkit import LabelkitError, ReviewOp
from labelkit.core.review.annotations import FrameState
from labelkit.errors import StorageWriteFailed
from labelkit.services.review import LiveReview
from tests.services.sessions import added, names, session
from tests.services.worlds import PLAYERS, add_media, in_memory_and_file, refused, trail

if TYPE_CHECKING:
    from collections.abc import Callable


@pytest.fixture
def draft(ws, media):
    return ws.review.open(media, PLAYERS)


@pytest.fixture
def mine(ws, draft):
    return session(ws, draft)


@pytest.fixture
def theirs(ws, draft):
    return session(ws, draft)


def stored(ws, draft, frame: int = 0) -> list[str]:
    return names(ws.review.get(draft.id), frame)


@in_memory_and_file
def test_frames_that_only_one_side_touched_come_together_without_a_question(ws, draft, mine, theirs):
    # given
    mine.frame(1)
    mine.apply(added(0, "mine"))
    theirs.apply(added(1, "theirs"))
    theirs.save()

    # when
    version = mine.save()

    # then
    assert (version, mine.status, mine.conflict) == (3, "saved", None)
    assert [stored(ws, draft, 0), stored(ws, draft, 1)] == [names(mine, 0), names(mine, 1)] == [["mine"], ["theirs"]]
    assert mine.overview()["counts"] == [1, 1, 0, 0]

    # and the other side has it after its next look
    theirs.reload()
    assert names(theirs, 0) == ["mine"]
    assert "DRAFT_VERSION_CONFLICT" not in [code for (code,) in trail(ws, "code")]


def test_a_frame_that_i_only_looked_at_stays_as_they_made_it(ws, draft, mine, theirs):
    # given
    mine.go(0)
    mine.apply(ReviewOp.accept(1))
    for frame in (0, 1):
        theirs.apply(added(frame, "theirs"))
    theirs.save()

    # when
    mine.save()

    # then
    assert [stored(ws, draft, frame) for frame in (0, 1)] == [["theirs"], ["theirs"]]
    assert [names(mine, frame) for frame in (0, 1)] == [["theirs"], ["theirs"]]
    assert (mine.status, mine.frame(1).state) == ("saved", FrameState.EDITED)


def test_a_frame_that_they_only_looked_at_takes_my_edit(ws, draft, mine, theirs):
    mine.apply(added(0, "mine"))
    theirs.go(0)
    theirs.save()
    mine.save()
    assert stored(ws, draft) == ["mine"]


def test_equal_edits_of_both_sides_are_no_conflict(ws, draft, mine, theirs):
    for one in (theirs, mine):
        one.apply(added(0, "same"))
        one.save()
    assert (stored(ws, draft), mine.status) == (["same"], "saved")


def test_a_frame_that_both_touched_waits_and_everything_else_is_saved(ws, draft, mine, theirs):
    # given
    mine.apply(added(0, "mine"))
    mine.apply(added(2, "mine too"))
    theirs.apply(added(0, "theirs"))
    theirs.apply(added(1, "theirs too"))
    theirs.save()

    # when
    with pytest.raises(LabelkitError) as refusal:
        mine.save()

    # then the refusal names the frame, and so does the session
    assert (refusal.value.code, refusal.value.status) == ("DRAFT_VERSION_CONFLICT", 409)
    assert (refusal.value.facts["changed"], refusal.value.facts["base"]) == ([0], 1)
    assert (mine.status, mine.status_error) == ("stale", refusal.value)
    ((here, there),) = mine.conflict.both
    assert ([a.id for a in here.annotations], [a.id for a in there.annotations]) == (["mine"], ["theirs"])
    # and nothing of either side is lost
    assert [stored(ws, draft, frame) for frame in range(3)] == [["theirs"], ["theirs too"], ["mine too"]]
    assert [names(mine, frame) for frame in range(3)] == [["mine"], ["theirs too"], ["mine too"]]
    assert trail(ws, "code", "allowed").count(("DRAFT_VERSION_CONFLICT", False)) == 1
    # and a publish waits too
    assert refused(mine.publish) == "DRAFT_VERSION_CONFLICT"


@pytest.fixture
def conflicted(mine, theirs):
    """Frame 0 was changed by both sides."""
    mine.apply(added(0, "mine"))
    theirs.apply(added(0, "theirs"))
    theirs.save()
    refused(mine.save)
    return mine


def test_mine_can_be_kept_and_theirs_is_on_the_shelf(ws, draft, conflicted):
    # when
    settled = conflicted.reload("keep")

    # then
    assert [a.id for a in settled.both[0][1].annotations] == ["theirs"]
    assert (stored(ws, draft), conflicted.status, conflicted.conflict) == (["mine"], "saved", None)
    (shelved,) = ws.review.shelf(draft.id)
    assert (shelved.side, [a.id for a in shelved.content.annotations]) == ("theirs", ["theirs"])

    # and can be put back
    again = ws.review.unshelve(draft.id, shelved.id, base_version=conflicted.version)
    assert names(again, 0) == ["theirs"]


def test_theirs_can_be_taken_and_mine_is_on_the_shelf(ws, draft, conflicted):
    # when
    conflicted.reload("theirs")

    # then
    assert (stored(ws, draft), names(conflicted, 0), conflicted.status) == (["theirs"], ["theirs"], "saved")
    (shelved,) = ws.review.shelf(draft.id)
    assert (shelved.side, [a.id for a in shelved.content.annotations]) == ("mine", ["mine"])


def test_work_goes_on_while_a_conflict_waits(ws, draft, conflicted):
    # given edits of other frames, and of the frame itself
    conflicted.apply(added(1, "later"))
    conflicted.apply(added(0, "mine too"))
    refused(conflicted.save)

    # then
    assert (stored(ws, draft, 1), stored(ws, draft, 0), conflicted.status) == (["later"], ["theirs"], "stale")
    conflicted.reload("keep")
    assert stored(ws, draft) == ["mine", "mine too"]


def test_a_frame_that_they_change_again_is_asked_about_again(ws, draft, conflicted, theirs):
    # given
    theirs.apply(added(0, "theirs too"))
    theirs.save()

    # when mine is kept over what was seen, but they have gone on
    code = refused(lambda: conflicted.reload("keep"))

    # then
    assert code == "DRAFT_VERSION_CONFLICT"
    assert [a.id for a in conflicted.conflict.both[0][1].annotations] == ["theirs", "theirs too"]
    assert stored(ws, draft) == ["theirs", "theirs too"]
    conflicted.reload("keep")
    assert stored(ws, draft) == ["mine"]


def test_a_choice_that_is_none_is_refused(conflicted):
    assert refused(lambda: conflicted.reload("both")) == "INVALID_VALUE"
    assert conflicted.conflict is not None


def test_a_reload_without_a_conflict_drops_only_what_it_is_told_to(ws, draft, mine):
    # given an edit that is not saved
    mine.apply(added(0, "mine"))

    # when, then
    assert mine.reload("keep") is None
    assert stored(ws, draft) == ["mine"]
    mine.apply(added(0, "more"))
    assert mine.reload("theirs") is None
    assert (names(mine, 0), mine.status, mine.can_undo) == (["mine"], "saved", False)


def test_a_reset_by_somebody_else_does_not_come_back_through_an_old_session(ws, players):
    # given a session that has seen edited frames
    draft = ws.review.open("match", PLAYERS, run=players)
    mine, theirs = session(ws, draft), session(ws, draft)
    seeded = names(mine, 0)
    theirs.apply(added(0, "old"))
    theirs.save()
    mine.reload()
    assert names(mine, 0) == [*seeded, "old"]

    # when the draft is reset, and the session edits another frame
    ws.review.reset(draft.id)
    mine.apply(added(2, "new"))
    mine.save()

    # then
    assert (names(mine, 0), stored(ws, draft, 0), stored(ws, draft, 2)) == (seeded, seeded, ["new"])
    mine.apply(added(0, "next"))
    mine.save()
    assert stored(ws, draft, 0) == [*seeded, "next"]


def test_an_edit_of_a_frame_that_a_reset_changed_is_asked_about(ws, players):
    # given
    draft = ws.review.open("match", PLAYERS, run=players)
    mine = session(ws, draft)
    seeded = names(mine, 0)
    mine.apply(added(0, "old"))
    mine.save()
    mine.apply(added(0, "more"))

    # when
    ws.review.reset(draft.id)

    # then
    assert refused(mine.save) == "DRAFT_VERSION_CONFLICT"
    assert stored(ws, draft) == seeded
    mine.reload("theirs")
    assert names(mine, 0) == seeded


class Interposed:
    """The use cases of a review, with something that happens after a save is done and before its answer is there."""

    def __init__(self, cases: object) -> None:
        self._cases = cases
        self.then: list[Callable[[], object]] = []

    def merge(self, *args: object, **options: object) -> object:
        done = self._cases.merge(*args, **options)
        while self.then:
            self.then.pop()()
        return done

    def __getattr__(self, name: str) -> object:
        return getattr(self._cases, name)


@pytest.mark.parametrize("looked", [False, True], ids=["not touched before", "looked at before"])
def test_an_edit_made_while_a_save_is_under_way_is_weighed_against_what_that_save_took_in(ws, draft, theirs, looked):
    # given a session whose save takes in their frame 1, and in which frame 1 is edited before the save's answer is there
    cases = Interposed(ws.review)
    mine = LiveReview(cases, ws.review._desk, draft.media, draft.capability, draft.id, autosave=False)
    mine.frame(1)
    if looked:
        mine.go(1)
    mine.apply(added(0, "mine"))
    theirs.apply(added(1, "theirs"))
    theirs.save()
    cases.then.append(lambda: mine.apply(added(1, "late")))

    # when
    code = refused(mine.save)

    # then it is a conflict, and theirs is not overwritten
    assert code == "DRAFT_VERSION_CONFLICT"
    assert (stored(ws, draft, 0), stored(ws, draft, 1), names(mine, 1)) == (["mine"], ["theirs"], ["late"])
    mine.reload("theirs")
    assert names(mine, 1) == ["theirs"]


@in_memory_and_file
def test_an_edit_made_while_its_frame_is_saved_is_saved_next(ws, draft):
    # given
    cases = Interposed(ws.review)
    mine = LiveReview(cases, ws.review._desk, draft.media, draft.capability, draft.id, autosave=False)
    mine.apply(added(0, "first"))
    cases.then.append(lambda: mine.apply(added(0, "second")))

    # when
    mine.save()

    # then
    assert (mine.status, stored(ws, draft)) == ("saving", ["first"])
    mine.save()
    assert (mine.status, stored(ws, draft)) == ("saved", ["first", "second"])


def test_looking_at_a_frame_does_not_take_back_that_somebody_accepted_it(ws, draft, mine, theirs):
    # given
    mine.go(0)
    theirs.apply(ReviewOp.accept(0))
    theirs.save()

    # when
    mine.save()

    # then
    assert (mine.frame(0).state, ws.review.get(draft.id).frames[0].state) == (FrameState.ACCEPTED, FrameState.ACCEPTED)


def test_undo_does_not_take_back_that_somebody_accepted_the_frame_as_it_was(ws, draft, mine, theirs):
    # given an edit that is not saved, beside which somebody accepts the frame
    mine.apply(added(0, "mine"))
    theirs.apply(ReviewOp.accept(0))
    theirs.save()
    mine.catch_up()

    # when
    mine.apply(ReviewOp.undo())
    mine.save()

    # then
    assert (names(mine, 0), mine.frame(0).state) == ([], FrameState.ACCEPTED)
    assert ws.review.get(draft.id).frames[0].state is FrameState.ACCEPTED


def test_a_save_that_was_committed_and_not_answered_is_not_taken_for_somebody_elses(ws, draft):
    # given a save that arrives, and of which this session hears nothing but a failure
    cases = Interposed(ws.review)
    mine = LiveReview(cases, ws.review._desk, draft.media, draft.capability, draft.id, autosave=False)

    def fail() -> None:
        raise StorageWriteFailed(what="the store", reason="its answer was lost")

    cases.then.append(fail)
    mine.apply(added(0, "first"))
    assert refused(mine.save) == "STORAGE_WRITE_FAILED"

    # when
    mine.apply(added(0, "second"))
    mine.apply(ReviewOp.undo())
    mine.apply(ReviewOp.undo())
    mine.save()

    # then what was undone stays undone
    assert (mine.status, names(mine, 0), stored(ws, draft)) == ("saved", [], [])


def test_a_workspace_with_a_conflict_closes_saves_the_rest_and_says_what_was_not_saved(tmp_path):
    # given two scopes, one of them in conflict
    path = tmp_path / "labels.duckdb"
    ws = labelkit.open(path, user="ana")
    for name in ("first", "second"):
        add_media(ws, name)
    stale, fine = ws.review.live("first", PLAYERS), ws.review.live("second", PLAYERS)
    with labelkit.open(path, user="ana") as other:
        theirs = other.review.live("first", PLAYERS)
        theirs.apply(added(0, "theirs"))
    stale.apply(added(0, "mine"))
    fine.apply(added(0, "mine"))

    # then
    assert refused(ws.close) == "DRAFT_VERSION_CONFLICT"
    with labelkit.open(path, user="ana") as again:
        assert names(again.review.open("first", PLAYERS), 0) == ["theirs"]
        assert names(again.review.open("second", PLAYERS), 0) == ["mine"]
