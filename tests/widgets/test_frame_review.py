"""The Python half of the frame review: every command of a view, driven by messages as a browser sends them."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

import pytest
from ipywidgets.widgets.widget import _instances

import labelkit
from labelkit import LabelkitError, ReviewOp
from labelkit.core.review.keys import LABELKIT
from tests.widgets.messages import Wire
from tests.widgets.reviewing import PLAYERS, op, opened, published, saved, told, workspace

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from labelkit import Workspace
    from labelkit.synthetic import Match


def test_a_new_view_gets_everything_it_shows_first(view: Wire) -> None:
    # when
    opening = view.ask("ready")["result"]
    # then
    assert (opening["media"], opening["frames"], opening["cursor"]) == ("match-1", 4, 0)
    assert [entry["name"] for entry in opening["capability"]["classes"]] == ["player", "goalkeeper", "referee", "ball"]
    assert opening["draft"]["lineage"].startswith("pack:")
    assert [len(opening["overview"][name]) for name in ("states", "flags", "counts", "min_score", "problem")] == [4] * 5
    assert {key["action"] for key in opening["keys"]} == {key.action for key in LABELKIT}
    assert json.loads(json.dumps(opening))


def test_frames_travel_as_their_stored_bytes_beside_their_labels(view: Wire, clip: Match) -> None:
    # when
    view.ask("frames", indices=[2, 0])
    # then
    events = [
        (message["data"], buffers) for message, buffers in zip(view.sent, view.buffers, strict=True) if message.get("event") == "frame"
    ]
    assert [data["index"] for data, _ in events] == [2, 0]
    for data, buffers in events:
        assert buffers == [clip.clips[0].frames[data["index"]].file.read_bytes()]
        assert (data["width"], data["height"], data["problem"]) == (320, 180, None)
        assert data["content"]["annotations"]


def test_a_frame_whose_file_went_away_is_shown_with_the_reason(clip: Match, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # given
    import shutil

    frames = shutil.copytree(clip.clips[0].folder, tmp_path / "frames")
    ws = labelkit.open(":memory:", workspace="club-a", user="ana")
    ws.media.add(frames, name="match-1")
    view = Wire.to(labelkit.widgets.FrameReview(ws, "match-1", PLAYERS), monkeypatch)
    next(frames.glob("*_001.jpg")).unlink()
    # when
    answer = view.ask("frames", indices=[0, 1, 2])
    # then
    assert answer["ok"] is True
    problems = [event["problem"] for event in view.events("frame")]
    assert problems[0] is None
    assert problems[1] is not None
    assert problems[2] is None
    assert len(view.widget.errors) == 1
    view.widget.close()


def test_an_operation_is_answered_with_the_frame_and_told_to_other_views(view: Wire) -> None:
    # given
    view.ask("frames", indices=[1])
    # when
    answer = op(view, kind="add_box", frame=1, id="new", label="referee", x=10, y=20, width=30, height=40)
    # then
    frame = answer["result"]["frame"]
    assert frame["index"] == 1
    assert frame["state"] == "edited"
    assert frame["annotations"][-1]["id"] == "new"
    assert answer["result"]["save"]["can_undo"] is True
    assert [event["frame"] for event in view.events("truth")] == [frame]


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        pytest.param({"kind": "explode", "frame": 0}, "INVALID_OPERATION", id="an unknown kind"),
        pytest.param({"kind": "delete", "frame": 0, "id": "nobody"}, "UNKNOWN_ANNOTATION", id="an unknown annotation"),
        pytest.param({"kind": "accept", "frame": 99}, "UNKNOWN_FRAME", id="an unknown frame"),
        pytest.param(
            {"kind": "add_box", "frame": 0, "id": "n", "label": "keeper", "x": 1, "y": 1, "width": 9, "height": 9},
            "INVALID_OPERATION",
            id="an unknown class",
        ),
        pytest.param(
            {"kind": "add_point", "frame": 0, "id": "n", "label": "ball", "x": 1, "y": 1}, "INVALID_OPERATION", id="the wrong geometry"
        ),
    ],
)
def test_a_refused_operation_is_answered_with_its_code_and_changes_nothing(view: Wire, fields: dict[str, object], code: str) -> None:
    # given
    before = view.widget.live.frame(0)
    # when
    answer = op(view, **fields)
    # then
    assert (answer["ok"], answer["error"]["code"]) == (False, code)
    assert view.widget.live.frame(0) == before


def test_an_edit_is_durable_a_moment_later_and_the_views_are_told(view: Wire) -> None:
    # given
    version = view.widget.live.version
    # when
    op(view, kind="accept", frame=3)
    saved(view, version + 1)
    # then
    assert view.widget.ws.review.get(view.widget.live.draft_id).frames[3].state == "accepted"
    assert [event["status"] for event in view.events("save")] == ["saving", "saved"]


def test_an_edit_made_in_python_shows_in_the_views(view: Wire) -> None:
    # given
    view.ask("frames", indices=[0, 1])
    # when
    view.widget.live.apply(ReviewOp.accept(1))
    # then
    assert [(event["frame"]["index"], event["frame"]["state"]) for event in view.events("truth")] == [(1, "accepted")]


def test_undo_names_the_frame_it_changed(view: Wire) -> None:
    # given
    before = view.widget.live.frame(2)
    op(view, kind="delete", frame=2, id=before.annotations[0].id)
    # when
    answer = op(view, kind="undo")
    # then
    assert answer["result"]["frame"]["index"] == 2
    assert view.widget.live.frame(2).annotations == before.annotations
    # when
    again = op(view, kind="undo")
    # then
    assert again["result"]["frame"] is None
    assert again["result"]["save"] == {**again["result"]["save"], "can_undo": False, "can_redo": True}


def test_a_place_is_kept_for_the_next_kernel(clip: Match, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # given
    view = Wire.to(opened(workspace(clip, str(tmp_path / "labels.duckdb"))), monkeypatch)
    # when
    answer = view.ask("go", index=2, painting=None)
    saved(view, 2)
    view.widget.close()
    view.widget.live.close()
    again = opened(labelkit.open(tmp_path / "labels.duckdb", workspace="club-a", user="ana"))
    # then
    assert answer["result"]["frame"]["state"] == "seen"
    assert again.live.cursor == 2
    again.close()


def test_a_cell_run_again_goes_on_with_the_same_session_and_leaves_no_models_behind(review_ws: Workspace) -> None:
    # given
    others = len(_instances)
    first = opened(review_ws)
    first.live.apply(ReviewOp.accept(0))
    models = len(_instances)
    # when
    for _ in range(5):
        again = opened(review_ws)
    # then
    assert first.comm is None
    assert again.live is first.live
    assert again.live.can_undo
    assert len(_instances) == models
    assert models - others < 25
    again.close()


def test_publish_answers_with_findings_first_and_with_the_revision_after_an_override(view: Wire) -> None:
    # when
    refused = view.ask("publish", pack=None, override_warnings=False, reason=None)
    done = published(view)
    again = published(view)
    # then
    assert refused["error"]["code"] == "WARNINGS_REQUIRE_OVERRIDE"
    assert {finding["code"] for finding in refused["error"]["facts"]["findings"]} >= {"UNTOUCHED_FRAMES"}
    assert (done["code"], done["number"]) == ("PUBLISH_SUCCESS", 1)
    assert (again["code"], again["number"]) == ("NO_OP_ALREADY_PUBLISHED", 1)
    assert len(view.events("published")) == 2


def test_packs_and_revisions_say_which_steps_are_possible_now(view: Wire) -> None:
    # given
    published(view)
    # then
    (pack,) = view.ask("packs")["result"]
    (revision,) = view.ask("history")["result"]
    assert (pack["review_status"], pack["steps"]) == ("approved", ["revoke"])
    assert (revision["eligibility"], revision["steps"]) == ("REVIEWED", ["approve"])
    # when
    approved = view.ask("eligibility", revision=revision["id"], state="APPROVED", version=revision["eligibility_version"], reason=None)
    stale = view.ask("eligibility", revision=revision["id"], state="REVOKED", version=revision["eligibility_version"], reason="late")
    revoked = view.ask("pack_step", step="revoke", pack=pack["id"], reason="wrong model")
    # then
    assert approved["ok"] is True
    assert stale["error"]["code"] == "ELIGIBILITY_VERSION_CONFLICT"
    assert revoked["result"]["steps"] == ["approve"]
    (revision,) = view.ask("history")["result"]
    assert (revision["eligibility"], revision["steps"], revision["pack_approved"]) == ("APPROVED", ["revoke"], False)


def test_a_reset_goes_back_to_the_models_labels_and_a_restore_back_again(view: Wire) -> None:
    # given
    before = view.widget.live.frame(0).annotations
    op(view, kind="delete", frame=0, id=before[0].id)
    # when
    view.ask("reset")
    # then
    assert view.widget.live.frame(0).annotations == before
    # when
    view.ask("restore")
    # then
    assert view.widget.live.frame(0).annotations == before[1:]
    assert len(view.events("overview")) == 2


def test_frames_that_only_the_other_side_touched_come_in_with_the_next_save(view: Wire) -> None:
    # given
    review, live = view.widget.ws.review, view.widget.live
    view.ask("frames", indices=[3])
    review.apply(live.draft_id, base_version=live.version, ops=[ReviewOp.accept(3)])
    # when
    op(view, kind="accept", frame=1)
    told(view, "overview")
    # then
    assert view.events("overview")[-1]["overview"]["states"] == ["untouched", "accepted", "untouched", "accepted"]
    assert view.events("truth")[-1]["frame"]["state"] == "accepted"


def test_a_frame_that_both_touched_is_a_conflict_until_somebody_chooses(view: Wire) -> None:
    # given
    live = view.widget.live
    first, second = live.frame(0).annotations[:2]
    view.widget.ws.review.apply(live.draft_id, base_version=live.version, ops=[ReviewOp.delete(0, first.id)])
    # when
    op(view, kind="delete", frame=0, id=second.id)
    end = time.monotonic() + 5
    while live.status != "stale" and time.monotonic() < end:
        time.sleep(0.01)
    # then
    assert view.events("save")[-1]["status"] == "stale"
    assert view.events("save")[-1]["error"]["code"] == "DRAFT_VERSION_CONFLICT"
    # when
    view.ask("reload", mine="keep")
    # then
    assert live.status == "saved"
    assert live.frame(0).find(second.id) is None
    assert live.frame(0).find(first.id) is not None


def test_the_changes_against_the_model_are_painted_on_the_hosted_canvas(view: Wire) -> None:
    # given
    view.ask("frames", indices=[0])
    painting = {"index": 0, "view": {"scale": 2.0, "left": 0.0, "top": 10.0}, "width": 1280, "height": 720, "ratio": 2}
    gone = view.widget.live.frame(0).annotations[0]
    # when
    answer = view.ask("paint", painting=painting)
    # then
    assert answer["result"] == {"shapes": 0}
    assert (view.widget.canvas.width, view.widget.canvas.layout.width) == (1280, "640px")
    # when
    op(view, kind="delete", frame=0, id=gone.id)
    # then
    assert view.events("painted") == [painting, painting]
    assert view.ask("paint", painting=painting)["result"] == {"shapes": 1}


@pytest.mark.parametrize(
    ("command", "args", "call"),
    [
        ("op", {"op": {"kind": "delete", "frame": 1, "id": "FIRST"}}, "ops=[ReviewOp.delete(frame=1, id='FIRST')])"),
        ("op", {"op": {"kind": "flag", "frame": 1, "flag_name": "bad_frame"}}, "ops=[ReviewOp.flag(frame=1, flag='bad_frame')])"),
        ("publish", {"pack": None, "override_warnings": True, "reason": "seen"}, "override_warnings=True, reason='seen')"),
    ],
)
def test_what_was_clicked_can_be_copied_as_python_that_does_the_same(view: Wire, command: str, args: dict[str, Any], call: str) -> None:
    # given
    view.widget.live.save()
    first = view.widget.live.frame(1).annotations[0].id
    text = json.dumps(args).replace("FIRST", first)
    base = view.widget.live.version
    # when
    view.ask(command, **json.loads(text))
    # then
    assert view.widget.python.endswith(call.replace("FIRST", first))
    assert f"version={base}" in view.widget.python


def test_the_copied_call_runs(view: Wire) -> None:
    # given
    first = view.widget.live.frame(1).annotations[0].id
    op(view, kind="delete", frame=1, id=first)
    call = view.widget.python
    op(view, kind="undo")
    view.widget.live.save()
    version = view.widget.live.version
    # when
    draft = eval(call.replace("base_version=1", f"base_version={version}"), {"ws": view.widget.ws, "ReviewOp": ReviewOp})
    # then
    assert first not in {annotation.id for annotation in draft.frames[1].annotations}


def test_the_value_is_the_saved_draft_and_the_frame_the_one_under_the_cursor(view: Wire) -> None:
    # given
    view.ask("go", index=1, painting=None)
    op(view, kind="accept", frame=1)
    # then
    assert view.widget.value.frames[1].state == "accepted"
    assert view.widget.frame.index == 1


def test_without_a_kernel_a_picture_the_progress_and_the_history_remain(view: Wire) -> None:
    # given
    published(view)
    # when
    data, _ = view.widget._repr_mimebundle_()
    # then
    assert "data:image/jpeg;base64," in data["text/html"]
    assert "Frame 1 of 4" in data["text/html"]
    assert "REVIEWED" in data["text/html"]
    assert data["text/plain"].startswith("<FrameReview match-1 · player_detection: 4 frames")


def test_a_review_adds_at_most_200_kb_to_a_notebook(view: Wire) -> None:
    # given
    view.ask("ready")
    view.ask("frames", indices=[0, 1, 2, 3])
    op(view, kind="accept", frame=0)
    # when
    state = [widget.get_state() for widget in (view.widget, view.widget.canvas, *view.widget.canvas._canvases)]
    data, _ = view.widget._repr_mimebundle_()
    # then
    assert len(json.dumps([state, data], default=str)) < 200_000


@pytest.mark.parametrize(("options", "code"), [({"hight": 300}, "UNKNOWN_ARGUMENT"), ({"keys": "vim"}, "INVALID_VALUE")])
def test_wrong_arguments_are_refused_before_anything_is_made(review_ws: Workspace, options: dict[str, Any], code: str) -> None:
    # given
    models = len(_instances)
    # when
    with pytest.raises(LabelkitError) as refusal:
        opened(review_ws, **options)
    # then
    assert refusal.value.code == code
    assert len(_instances) == models


def test_commands_of_several_threads_meet_one_session_in_order(view: Wire, as_threads: Callable[..., list[Any]]) -> None:
    # when
    answers = as_threads(
        [lambda i=i: op(view, kind="add_box", frame=0, id=f"t{i}", label="player", x=i, y=1, width=9, height=9) for i in range(8)]
    )
    # then
    assert all(answer["ok"] for answer in answers)
    assert {annotation.id for annotation in view.widget.live.frame(0).annotations} >= {f"t{i}" for i in range(8)}


@pytest.fixture
def as_threads() -> Callable[..., list[Any]]:
    from concurrent.futures import ThreadPoolExecutor

    def run(calls: list[Callable[[], Any]]) -> list[Any]:
        with ThreadPoolExecutor(len(calls)) as pool:
            return [future.result(10) for future in [pool.submit(call) for call in calls]]

    return run
