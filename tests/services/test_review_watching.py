"""What a live review sees around it: risk, coverage, other sessions; and settling a conflict frame by frame."""

from __future__ import annotations

import polars as pl
import pytest

import labelkit
from labelkit import ReviewOp
from labelkit.synthetic import match


def opened(tmp_path, user="ana"):
    """Return a workspace on a store with a drawn clip of twelve frames and a model's labels, and the run."""
    made = match(tmp_path / "match", frames=12, clips=1)
    made.write_yolo(made.folder / "pre")
    ws = labelkit.open(tmp_path / "labels.duckdb", workspace="club-a", user=user)
    ws.media.add(made.folder / "images" / "clip-1", name="clip-1")
    run = ws.prelabels.import_(
        "yolo", made.folder / "pre" / "clip-1", media="clip-1", capability="player_detection", classes=list(made.classes), model="m"
    )
    return ws, run


def test_the_riskiest_unseen_frame_is_next_and_says_why(tmp_path):
    # given
    ws, run = opened(tmp_path)
    live = ws.review.live("clip-1", "player_detection", run.id)
    # when
    before = live.worth()
    live.go(before["next"])
    after = live.worth()
    # then
    assert before["risk"][before["next"]] == max(before["risk"])
    assert before["reasons"][before["next"]]
    assert before["coverage"].startswith("seen 0 of 12")
    assert after["seen"][before["next"]]
    assert after["next"] != before["next"]
    ws.close()


def test_nothing_is_next_when_every_frame_was_seen(tmp_path):
    # given
    ws, run = opened(tmp_path)
    live = ws.review.live("clip-1", "player_detection", run.id)
    # when
    for index in range(12):
        live.go(index)
    # then
    assert live.worth()["next"] is None
    assert live.worth()["coverage"] == "seen all 12"
    ws.close()


def test_a_box_that_jumps_makes_its_frame_the_riskiest(tmp_path):
    # given players who stand still for nine frames, all alike to the model, but for two who are elsewhere on one frame
    made = match(tmp_path / "match", frames=9, clips=1)
    rows = [
        {"frame_index": index, "label": "player", "x": x, "y": 200, "width": 20, "height": 50, "score": 0.9}
        for index in range(9)
        for x in ((100, 700, 800) if index == 5 else (100, 300, 500))
    ]
    with labelkit.open(tmp_path / "labels.duckdb", workspace="club-a", user="ana") as ws:
        ws.media.add(made.folder / "images" / "clip-1", name="clip-1")
        run = ws.prelabels.import_("csv", pl.DataFrame(rows), media="clip-1", capability="player_detection")
        # when
        live = ws.review.live("clip-1", "player_detection", run.id)
        worth = live.worth()
        # then
        assert worth["next"] == 5
        assert sorted(worth["risk"])[-2] < worth["risk"][5]
        assert "boxes here have no box of their class near them in the frames before and after" in worth["reasons"][5]


def test_frames_that_a_tool_filled_stay_unseen_and_are_worth_a_look(tmp_path):
    # given
    ws, run = opened(tmp_path)
    live = ws.review.live("clip-1", "player_detection", run.id)
    live.go(0)
    live.apply(ReviewOp.add_box(0, "referee", 5, 5, 30, 30))
    before = live.worth()
    # when it is repeated on frames that nobody has looked at
    changed = live.run([ReviewOp.propagate(0, live.frame(0).annotations[-1].id, 3)])
    after = live.worth()
    # then
    assert [(frame.index, str(frame.state)) for frame in changed] == [(1, "untouched"), (2, "untouched"), (3, "untouched")]
    assert after["coverage"].startswith("seen 1 of 12")
    assert all(after["risk"][index] > before["risk"][index] for index in (1, 2, 3))
    # when somebody looks
    live.go(1)
    live.save()
    # then it is seen, and so it is to whoever opens the draft next
    states = [str(frame.state) for frame in ws.review.get(live.draft_id).frames]
    assert states[:4] == ["edited", "seen", "untouched", "untouched"]
    ws.close()


def test_two_sessions_see_each_other_and_what_the_other_saved(tmp_path):
    # given
    ana, run = opened(tmp_path)
    ana.set_role("bob", "annotator")
    bob = labelkit.open(tmp_path / "labels.duckdb", workspace="club-a", user="bob")
    hers, his = ana.review.live("clip-1", "player_detection", run.id), bob.review.live("clip-1", "player_detection")
    his.go(7)
    his.apply(ReviewOp.flag(7, "bad_frame"))
    his.save()
    assert his.others() == []
    # when
    seen = hers.others()
    # then
    assert [(one.user, one.frame) for one in seen] == [("bob", 7)]
    assert [flag.value for flag in hers.frame(7).flags] == ["bad_frame"]
    assert hers.version == his.version
    bob.close()
    assert hers.others() == []
    ana.close()


def test_a_restarted_kernel_is_nobody_else_and_takes_the_place_of_the_one_before(tmp_path):
    # given bob, and ana in a kernel that ended without closing anything
    ana, run = opened(tmp_path)
    ana.set_role("bob", "annotator")
    path = tmp_path / "labels.duckdb"
    with labelkit.open(path, workspace="club-a", user="bob") as bob, labelkit.open(path, workspace="club-a", user="ana") as again:
        hers = ana.review.live("clip-1", "player_detection", run.id)
        his, anew = bob.review.live("clip-1", "player_detection"), again.review.live("clip-1", "player_detection")
        assert hers.others() == []
        # when
        seen = anew.others()
        # then
        assert seen == []
        assert [(one.user, one.session) for one in his.others()] == [("ana", anew.session_id)]
        # when the one before lives after all
        hers.others()
        # then
        assert {one.session for one in his.others()} == {hers.session_id, anew.session_id}
    ana.close()


def test_a_conflict_is_settled_frame_by_frame_and_the_other_side_lies_on_the_shelf(tmp_path):
    # given
    ana, run = opened(tmp_path)
    ana.set_role("bob", "annotator")
    bob = labelkit.open(tmp_path / "labels.duckdb", workspace="club-a", user="bob")
    hers, his = ana.review.live("clip-1", "player_detection", run.id), bob.review.live("clip-1", "player_detection")
    for index in (2, 3):
        his.apply(ReviewOp.delete(index, his.frame(index).annotations[0].id))
    his.save()
    hers.run([ReviewOp.delete(2, hers.frame(2).annotations[1].id), ReviewOp.delete(3, hers.frame(3).annotations[1].id)])
    mine = hers.frame(2).annotations
    with pytest.raises(labelkit.LabelkitError, match="DRAFT_VERSION_CONFLICT"):
        hers.save()
    # when
    hers.settle(2, "mine")
    hers.settle(3, "theirs")
    # then
    draft = ana.review.get(hers.draft_id)
    assert hers.conflict is None
    assert draft.frames[2].annotations == mine
    assert draft.frames[3].annotations == his.frame(3).annotations
    assert [(one.content.index, one.side) for one in ana.review.shelf(hers.draft_id)] == [(3, "mine"), (2, "theirs")]
    bob.close()
    ana.close()


def test_a_shelved_frame_comes_back_and_what_it_replaces_is_shelved(tmp_path):
    # given
    ana, run = opened(tmp_path)
    draft = ana.review.open("clip-1", "player_detection", run.id)
    hers = ana.review.live("clip-1", "player_detection")
    first = hers.frame(2)
    draft = ana.review.apply(draft.id, base_version=draft.version, ops=[ReviewOp.delete(2, first.annotations[0].id)])
    hers.apply(ReviewOp.delete(2, first.annotations[1].id))
    mine = hers.frame(2).annotations
    with pytest.raises(labelkit.LabelkitError, match="DRAFT_VERSION_CONFLICT"):
        hers.save()
    hers.settle(2, "theirs")
    (shelved,) = ana.review.shelf(draft.id)
    # when
    back = ana.review.unshelve(draft.id, shelved.id, base_version=ana.review.get(draft.id).version)
    # then
    assert back.frames[2].annotations == mine
    assert {one.side for one in ana.review.shelf(draft.id)} == {"mine", "replaced"}
    ana.close()
