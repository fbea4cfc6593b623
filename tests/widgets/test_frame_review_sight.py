"""What a review tells of all its frames: risk and coverage, other sessions, small pictures; and the two sides of a conflict."""

from __future__ import annotations

import io
import time
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

import labelkit
from labelkit import LabelkitError, ReviewOp
from labelkit.core.geometry import Point
from labelkit.core.review.annotations import BALL, Annotation, FrameContent, FrameState
from labelkit.core.review.publishing import FindingCode
from labelkit.store.review.content import Content, rows_of
from labelkit.store.review.findings import find, leaps
from tests.store.media import frames_of
from tests.store.processes import finish, start
from tests.widgets.messages import Wire
from tests.widgets.reviewing import PLAYERS, op, opened, published, told, workspace

if TYPE_CHECKING:
    from pathlib import Path

    from labelkit.synthetic import Match

WIDTH, HEIGHT = 200, 100


ENDING = """
import time, sys
import labelkit
from labelkit.widgets import review_sight
from tests.services.worlds import PLAYERS, add_media
review_sight.WEIGH_S = 0.0
with labelkit.open(":memory:", user="ana") as ws:
    add_media(ws, count=2000)
    for number in range(5):
        labelkit.widgets.FrameReview(ws, "match", PLAYERS).weigh_soon()
        time.sleep(float(sys.argv[1]))
"""


@pytest.mark.parametrize("seconds", [0.0, 0.002, 0.01])
def test_a_process_that_ends_while_frames_are_weighed_ends_well(seconds: float) -> None:
    finish(start(ENDING, seconds))


def test_the_riskiest_unseen_frame_is_told_with_its_reasons(view: Wire) -> None:
    # when
    worth = view.ask("worth")["result"]
    # then
    assert worth["risk"][worth["next"]] == max(worth["risk"])
    assert worth["reasons"][str(worth["next"])]
    assert worth["coverage"].startswith("seen 0 of 4")


def test_risk_is_weighed_anew_after_edits_were_saved_without_being_asked(view: Wire) -> None:
    # when
    view.ask("go", index=2, painting=None)
    told(view, "worth")
    # then
    assert view.events("worth")[-1]["seen"] == [False, False, True, False]


def test_a_closed_review_weighs_no_more(view: Wire) -> None:
    # given
    view.ask("ready")
    # when
    view.widget.close()
    time.sleep(0.6)
    # then
    assert view.events("worth") == []


def test_small_pictures_come_in_one_message(view: Wire) -> None:
    # when
    answer = view.ask("thumbnails", indices=[0, 3])
    # then
    assert answer["result"] == {"sent": [0, 3]}
    at = next(i for i, message in enumerate(view.sent) if message.get("event") == "thumbnails")
    assert view.sent[at]["data"]["indices"] == [0, 3]
    assert [Image.open(io.BytesIO(picture)).size for picture in view.buffers[at]] == [(96, 54)] * 2


def test_a_frame_without_a_picture_is_left_out(clip: Match, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # given
    import shutil

    frames = shutil.copytree(clip.clips[0].folder, tmp_path / "frames")
    next(frames.glob("*_001.jpg")).write_text("no picture")
    ws = labelkit.open(":memory:", workspace="club-a", user="ana")
    ws.media.add(frames, name="match-1")
    view = Wire.to(labelkit.widgets.FrameReview(ws, "match-1", PLAYERS), monkeypatch)
    # then
    assert view.ask("thumbnails", indices=[0, 1, 2])["result"] == {"sent": [0, 2]}
    view.widget.close()


def test_another_session_and_what_it_saved_are_shown(clip: Match, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # given
    ana = workspace(clip, str(tmp_path / "labels.duckdb"))
    ana.set_role("bob", "annotator")
    view = Wire.to(opened(ana), monkeypatch)
    with labelkit.open(tmp_path / "labels.duckdb", workspace="club-a", user="bob") as bob:
        his = bob.review.live("match-1", PLAYERS)
        his.go(3)
        his.apply(ReviewOp.flag(3, "bad_frame"))
        his.save()
        his.others()
        # when
        answer = view.ask("others")
    # then
    assert answer["result"] == {"others": [{"user": "bob", "frame": 3}]}
    assert view.events("overview")[-1]["overview"]["flags"][3] == ["bad_frame"]
    view.widget.close()
    ana.close()


def test_each_frame_of_a_conflict_is_settled_by_itself_and_the_other_side_comes_back_from_the_shelf(view: Wire) -> None:
    # given
    live = view.widget.live
    before = [live.frame(i).annotations for i in range(2)]
    theirs = [ReviewOp.delete(i, before[i][0].id) for i in range(2)]
    view.widget.ws.review.apply(live.draft_id, base_version=live.version, ops=theirs)
    for i in range(2):
        op(view, kind="delete", frame=i, id=before[i][1].id)
    with pytest.raises(LabelkitError) as stale:
        live.save()
    # then
    assert stale.value.code == "DRAFT_VERSION_CONFLICT"
    found = view.ask("conflict")["result"]
    assert [one["index"] for one in found] == [0, 1]
    assert before[0][0].id in {a["id"] for a in found[0]["mine"]["annotations"]}
    assert before[0][1].id in {a["id"] for a in found[0]["theirs"]["annotations"]}
    # when
    view.ask("settle", index=0, side="mine")
    view.ask("settle", index=1, side="theirs")
    # then
    assert view.ask("conflict")["result"] == []
    assert live.frame(0).find(before[0][0].id) is not None
    assert live.frame(1).find(before[1][0].id) is None
    shelf = view.ask("shelf")["result"]
    assert [(one["index"], one["side"]) for one in shelf] == [(1, "mine"), (0, "theirs")]
    # when
    answer = view.ask("unshelve", shelved=shelf[0]["id"])
    # then
    assert answer["ok"] is True
    assert live.frame(1).find(before[1][0].id) is not None


def test_what_is_published_or_approved_here_shows_in_the_widgets_beside_it(view: Wire, monkeypatch: pytest.MonkeyPatch) -> None:
    # given
    beside = Wire.to(labelkit.widgets.RevisionHistory(view.widget.ws, "match-1", PLAYERS), monkeypatch)
    # when
    published(view)
    (revision,) = view.ask("history")["result"]
    view.ask("eligibility", revision=revision["id"], state="APPROVED", version=revision["eligibility_version"], reason=None)
    view.ask("pack_step", step="revoke", pack=view.ask("packs")["result"][0]["id"], reason="wrong model")
    # then
    told_beside = [[(row["eligibility"], row["pack_approved"]) for row in event["revisions"]] for event in beside.events("state")]
    assert told_beside == [[("REVIEWED", True)], [("APPROVED", True)], [("APPROVED", False)]]
    beside.widget.close()


PLACE = st.tuples(st.integers(0, WIDTH), st.integers(0, HEIGHT))
FRAME = st.lists(PLACE, max_size=2)


@settings(max_examples=60)
@given(
    st.lists(FRAME, min_size=2, max_size=8), st.dictionaries(st.integers(0, 7), FRAME, max_size=4), st.sets(st.integers(0, 7), max_size=2)
)
def test_what_is_marked_as_too_fast_is_what_a_publish_warns_of(
    saved: list[list[tuple[int, int]]], edited: dict[int, list[tuple[int, int]]], broken: set[int]
) -> None:
    # given a ball on some frames, two on others, and edits over what was saved
    def frame(index: int, places: list[tuple[int, int]]) -> FrameContent:
        points = tuple(Annotation(f"p{index}_{n}", "ball", Point(x, y, 6)) for n, (x, y) in enumerate(places))
        return FrameContent(index, points, (), FrameState.EDITED)

    base = Content(rows_of([frame(index, places) for index, places in enumerate(saved)]))
    changed = {index: frame(index, places) for index, places in edited.items() if index < len(saved)}
    frames = frames_of(len(saved), WIDTH, HEIGHT, broken=tuple(broken))
    # when
    marked = leaps(base, changed, frames, BALL)["frame_index"].to_list()
    warned = find(base.replaced(rows_of(changed.values())), frames, BALL)
    # then
    assert marked == [finding.frame for finding in warned if finding.code is FindingCode.BALL_JUMP]


def test_leaps_are_told_when_they_change_and_only_then(clip: Match, monkeypatch: pytest.MonkeyPatch) -> None:
    # given a ball that lies still
    ws = workspace(clip, ":memory:")
    draft = ws.review.open("match-1", "ball_detection")
    still = [ReviewOp.add_point(i, "ball", 100, 90, id=f"b{i}") for i in range(3)]
    ws.review.apply(draft.id, base_version=draft.version, ops=still)
    view = Wire.to(labelkit.widgets.FrameReview(ws, "match-1", "ball_detection"), monkeypatch)
    # then
    assert view.ask("ready")["result"]["leaps"] == []
    # when
    op(view, kind="move", frame=1, id="b1", x=101, y=90)
    assert view.events("leaps") == []
    op(view, kind="move", frame=1, id="b1", x=300, y=90)
    # then
    (told_once,) = view.events("leaps")
    assert [(leap["frame"], leap["before"]) for leap in told_once["leaps"]] == [(1, 0), (2, 1)]
    # when
    op(view, kind="undo")
    # then
    assert view.events("leaps")[-1] == {"leaps": []}
    view.widget.close()
