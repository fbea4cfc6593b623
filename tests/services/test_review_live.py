"""A live session: edits at once, durable soon, honest about which; one person, any thread."""

from __future__ import annotations

import random
import threading
import time

import pytest

import labelkit
from labelkit import ReviewOp
from labelkit.core.review.annotations import FrameState
from labelkit.services.review import autosave as autosave_module
from tests.services.sessions import added, names, session, until
from tests.services.worlds import BALLS, PLAYERS, add_media, as_user, in_memory_and_file, refused, tables, trail


@pytest.fixture
def draft(ws, media):
    return ws.review.open(media, PLAYERS)


@pytest.fixture
def live(ws, draft):
    return session(ws, draft)


@in_memory_and_file
def test_an_edit_is_there_at_once_and_durable_soon(ws, draft):
    # given
    live = ws.review.live("match", PLAYERS)
    heard: list[str] = []
    live.on_change(heard.append)

    # when
    live.apply(added(0, "a"))

    # then in memory at once
    assert (names(live, 0), live.status) == (["a"], "saving")
    assert names(ws.review.get(draft.id), 0) == []

    # and in the store by itself
    until(lambda: live.status == "saved")
    assert names(ws.review.get(draft.id), 0) == ["a"]
    assert (live.version, ws.review.get(draft.id).version) == (2, 2)
    until(lambda: heard == ["saving", "saved"])


def test_a_listener_that_was_stopped_hears_nothing_more_and_others_go_on(live):
    # given
    heard: list[str] = []
    stop = live.on_change(lambda status: heard.append(f"one: {status}"))
    live.on_change(lambda status: heard.append(f"other: {status}"))
    live.apply(added(0, "a"))

    # when
    stop()
    stop()
    live.save()

    # then
    assert heard == ["one: saving", "other: saving", "other: saved"]


def test_a_save_is_planned_so_soon_that_an_edit_is_durable_within_a_quarter_of_a_second():
    assert autosave_module.AUTOSAVE_S <= 0.2  # what is left of 250 ms is for the save itself


def test_edits_without_a_pause_are_saved_along_the_way(ws, draft):
    # given
    live = ws.review.live("match", PLAYERS)

    # when somebody moves a box every 10 ms, never resting as long as a planned save waits
    live.apply(added(0, "a"))
    for step in range(1, 10_000):
        live.apply(ReviewOp.move(0, "a", 1 + step % 100, 2))
        time.sleep(0.01)
        if live.version > 3:
            break

    # then what was done before is durable already
    assert live.version > 3
    assert ws.review.get(draft.id).version > 3


def test_edits_that_come_together_are_one_version(live):
    for index in range(3):
        live.apply(added(index, "a"))
    assert (live.save(), live.status) == (2, "saved")
    assert live.save() == 2


def test_a_refused_edit_changes_neither_the_frame_nor_the_state(live):
    assert refused(lambda: live.apply(ReviewOp.delete(0, "nobody"))) == "UNKNOWN_ANNOTATION"
    assert refused(lambda: live.run(["accept"])) == "INVALID_OPERATION"
    assert refused(lambda: live.apply(added(3, "a"))) == "FRAME_NOT_EDITABLE"
    assert refused(lambda: live.frame(4)) == refused(lambda: live.go(4)) == refused(lambda: live.size(4)) == "UNKNOWN_FRAME"
    assert (live.status, live.save(), live.can_undo) == ("saved", 1, False)


def test_undo_reaches_over_saves_and_is_saved_itself(ws, live):
    # given three saved edits
    for index in range(3):
        live.apply(added(index, "a"))
        live.save()

    # when
    for _ in range(3):
        live.apply(ReviewOp.undo())
    live.save()

    # then
    assert [names(ws.review.get(live.draft_id), index) for index in range(3)] == [[], [], []]
    assert (live.can_undo, live.can_redo) == (False, True)
    live.apply(ReviewOp.redo())
    live.save()
    assert names(ws.review.get(live.draft_id), 0) == ["a"]


def test_a_step_over_several_frames_is_saved_whole(ws, live):
    live.apply(added(0, "a"))
    assert [frame.index for frame in live.run([ReviewOp.propagate(0, "a", count=2)])] == [1, 2]
    live.save()
    assert [len(names(ws.review.get(live.draft_id), index)) for index in range(3)] == [1, 1, 1]


def test_one_kernel_has_one_session_of_a_scope(ws, players, balls):
    live = ws.review.live("match", PLAYERS, players)
    assert ws.review.live("match", PLAYERS) is live
    assert ws.review.live("match", BALLS, balls) is not live
    assert live.scope == ws.review.open("match", PLAYERS).scope
    assert (live.frame_count, live.media.name, live.capability.name) == (4, "match", PLAYERS)


def test_the_models_labels_stay_known_beside_the_edited_ones(ws, players):
    # given
    live = session(ws, ws.review.open("match", PLAYERS, run=players))
    first = live.frame(0).annotations[0].id

    # when
    live.apply(ReviewOp.delete(0, first))
    live.save()

    # then
    assert live.prelabels(0)[0].id == first
    assert first not in names(live, 0)


def test_a_manual_draft_has_no_models_labels(live):
    assert live.prelabels(0) == ()


def test_looking_at_a_frame_is_seen_and_the_place_is_found_again(ws, draft, live):
    # when
    live.go(2)
    live.save()

    # then
    assert ws.review.get(draft.id).frames[2].state is FrameState.SEEN
    assert session(ws, draft).cursor == 2
    assert session(as_user(ws, "bob", "annotator"), draft).cursor == 0  # a place is one's own

    # when the frame is known already, the place alone is saved, and no version is made
    version = live.version
    live.go(1)
    live.save()
    live.go(2)
    live.save()
    assert session(ws, draft).cursor == 2
    assert live.version == version + 1


def test_sizes_and_problems_are_the_medias(live):
    assert live.size(0) == (200, 100, None)
    assert live.size(3) == (0, 0, "FRAME_MISSING")


def test_the_overview_knows_every_edit_saved_or_not(ws, players):
    # given a scope with scores, a saved edit and one that is not saved
    live = session(ws, ws.review.open("match", PLAYERS, run=players))
    before = live.overview()
    live.apply(ReviewOp.delete(0, live.frame(0).annotations[1].id))
    live.save()
    live.apply(ReviewOp.flag(3, "bad_frame"))
    live.apply(ReviewOp.delete(1, live.frame(1).annotations[0].id))

    # then
    assert before == {
        "states": ["untouched"] * 4,
        "flags": [[], [], [], []],
        "counts": [2, 1, 0, 0],
        "min_score": [0.4, 0.7, None, None],
        "problem": [None, None, None, "FRAME_MISSING"],
    }
    assert live.overview() == {
        "states": ["edited", "edited", "untouched", "edited"],
        "flags": [[], [], [], ["bad_frame"]],
        "counts": [1, 0, 0, 0],
        "min_score": [0.9, None, None, None],
        "problem": [None, None, None, "FRAME_MISSING"],
    }
    # and a session that loads it all anew says the same
    live.save()
    assert session(ws, ws.review.get(live.draft_id)).overview() == live.overview()


@in_memory_and_file
def test_a_save_that_fails_says_so_keeps_the_edits_and_succeeds_later(ws, live):
    # given a store that takes no audit row
    heard: list[str] = []
    live.on_change(heard.append)
    with ws._database.transaction() as tx:
        tx.execute("ALTER TABLE audit RENAME COLUMN facts TO away")

    # when
    live.apply(added(0, "a"))
    code = refused(live.save)

    # then
    assert code == live.status_error.code == "AUDIT_PERSIST_FAILED"
    assert (live.status, names(live, 0), live.version) == ("failed", ["a"], 1)

    # when the store is well again
    with ws._database.transaction() as tx:
        tx.execute("ALTER TABLE audit RENAME COLUMN away TO facts")
    live.save()

    # then
    assert (live.status, live.status_error, live.version) == ("saved", None, 2)
    assert names(ws.review.get(live.draft_id), 0) == ["a"]
    assert heard == ["saving", "failed", "saved"]


def test_a_viewer_looks_and_is_remembered_but_changes_nothing(ws, draft):
    # given
    vera = as_user(ws, "vera", "viewer")
    live = session(vera, draft)
    before = tables(ws, but=("audit", "draft_places", "draft_presence"))

    # when
    live.go(2)
    live.save()
    code = refused(lambda: live.apply(added(0, "a")))

    # then
    assert (code, live.may_edit, live.status, names(live, 0)) == ("PERMISSION_DENIED", False, "saved", [])
    assert session(vera, draft).cursor == 2
    assert tables(ws, but=("audit", "draft_places", "draft_presence")) == before
    assert trail(ws, "actor", "action", "code")[-1] == ("vera", "edit", "PERMISSION_DENIED")


def test_a_publish_saves_first(live):
    # given
    for index in range(4):
        live.apply(ReviewOp.accept(index))
    live.apply(added(0, "a"))
    live.apply(ReviewOp.accept(0))

    # when
    out = live.publish()

    # then
    assert (out.code, out.revision.annotation_count, out.revision.provenance.draft_version) == ("PUBLISH_SUCCESS", 1, 2)
    assert live.publish().code == "NO_OP_ALREADY_PUBLISHED"


def test_closing_a_workspace_saves_what_is_pending(tmp_path):
    # given
    path = tmp_path / "labels.duckdb"
    with labelkit.open(path, user="ana") as ws:
        add_media(ws)
        live = ws.review.live("match", PLAYERS)
        live.go(1)
        live.apply(added(0, "a"))

    # then
    with labelkit.open(path, user="ana") as ws:
        again = ws.review.live("match", PLAYERS)
        assert names(again, 0) == ["a"]
        assert again.cursor == 1
    with pytest.raises(RuntimeError, match="closed"):
        live.apply(added(0, "b"))


def test_closing_twice_and_closing_a_session_that_did_nothing_is_no_error(ws, live):
    before = live.version
    live.close()
    live.close()
    assert (live.version, live.status) == (before, "saved")
    ws.close()
    ws.close()


@in_memory_and_file
def test_many_threads_edit_one_session_and_nothing_is_lost(ws, draft):
    # given
    live = ws.review.live("match", PLAYERS)
    errors: list[BaseException] = []

    def work(thread: int) -> None:
        chance = random.Random(thread)
        try:
            for step in range(60):
                live.apply(added(chance.randrange(3), f"{thread}-{step}"))
                live.go(chance.randrange(4))
                if step % 20 == 0:
                    live.save()
                    live.overview()
        except BaseException as error:  # noqa: BLE001 - it is looked at below
            errors.append(error)

    threads = [threading.Thread(target=work, args=(n,)) for n in range(4)]

    # when
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    live.save()

    # then
    assert errors == []
    stored = ws.review.get(draft.id)
    assert sorted(name for index in range(3) for name in names(stored, index)) == sorted(f"{n}-{s}" for n in range(4) for s in range(60))
    assert [names(stored, index) for index in range(3)] == [names(live, index) for index in range(3)]
    with ws._database.reading() as tx:
        versions = [row["version"] for row in tx.rows("SELECT version FROM draft_saves ORDER BY version")]
    assert versions == list(range(2, live.version + 1))
