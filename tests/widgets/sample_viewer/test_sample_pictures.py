"""SampleViewer: pictures and their labels, where they come from, and the words where there are none."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from labelkit import BuildRequest
from labelkit.core.datasets.samples import ViewState, view_of
from labelkit.core.geometry import Point
from labelkit.core.review.annotations import PLAYER, Annotation
from labelkit.widgets import SampleViewer
from labelkit.widgets.sample_look import overlay
from tests.widgets.messages import Wire
from tests.widgets.sample_viewer.showing import KEY, show
from tests.widgets.scenes import PLAYERS
from tests.widgets.signing import register

if TYPE_CHECKING:
    from pathlib import Path

    from labelkit import Workspace
    from labelkit.services.datasets import Dataset


def test_showing_a_sample_paints_its_own_bytes_and_tells_every_view_what_it_is(
    wire: Wire, scene: tuple[Workspace, Dataset], drawn: list[list[Any]]
) -> None:
    # when
    told = show(wire)
    # then
    pictures = [bytes(part) for message in drawn for part in message[1:]]
    assert pictures == [scene[0].media.frame_bytes("clip-1", 0)[0]]
    assert (told["state"], told["has_picture"], told["reason_code"]) == ("READY", True, "")
    assert sum(told["classes"].values()) == len(told["labels"]) == len(scene[1].sample(KEY).annotations)
    assert dict(map(tuple, told["facts"]))["Size"] == "320 x 180 px"
    assert wire.widget.selected == scene[1].sample(KEY)
    assert wire.ask("ready")["result"]["selected"] == KEY


def test_picture_and_labels_travel_as_one_message_so_that_nothing_flickers(wire: Wire, drawn: list[list[Any]]) -> None:
    # given
    show(wire)
    drawn.clear()
    # when
    show(wire, "club-a/clip-1/000001")
    # then
    assert len(drawn) == 1


def test_a_page_that_hosts_no_canvas_gets_a_still(wire: Wire, drawn: list[list[Any]]) -> None:
    # when
    told = show(wire, hosted=False)
    # then
    at = next(at for at, message in enumerate(wire.sent) if message.get("event") == "still")
    assert wire.buffers[at][0].startswith(b"\xff\xd8")
    assert told["state"] == "READY"
    assert drawn == []


@pytest.mark.parametrize(
    ("content", "code"),
    [
        pytest.param(None, "FRAME_MISSING", id="the file is gone"),
        pytest.param(b"no picture at all", "FRAME_CHANGED", id="the file is another one"),
    ],
)
def test_a_picture_that_cannot_be_shown_is_a_state_with_its_reason(wire: Wire, spoilt: Path, content: bytes | None, code: str) -> None:
    # given
    spoilt.unlink() if content is None else spoilt.write_bytes(content)
    # when
    told = show(wire)
    # then
    assert (told["state"], told["has_picture"], told["reason_code"]) == ("SAMPLE_ASSET_UNAVAILABLE", False, code)
    assert told["title"] == "Sample asset unavailable"
    assert told["labels"]


@pytest.mark.parametrize("hosted", [pytest.param(True, id="on a canvas"), pytest.param(False, id="as a still")])
def test_bytes_that_turn_out_to_be_no_picture_leave_a_clean_canvas_and_a_reason(
    wire: Wire,
    drawn: list[list[Any]],
    hosted: bool,  # noqa: FBT001 - a case of the table
) -> None:
    # given
    seen = wire.widget.look("club-a/clip-1/000001")
    wire.widget._looks.get(KEY, lambda: replace(seen, sample=replace(seen.sample, key=KEY), picture=b"no picture at all"))
    # when
    told = show(wire, hosted=hosted)
    # then
    assert (told["state"], told["has_picture"]) == ("SAMPLE_ASSET_UNAVAILABLE", False)
    assert told["reason_code"] == "SAMPLE_ASSET_NOT_AN_IMAGE"
    assert [len(message) for message in drawn] == ([1] if hosted else [])
    assert len(wire.widget.errors) == 1


def test_a_picture_that_is_back_is_seen_after_a_minute_at_most(wire: Wire, spoilt: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # given
    kept = spoilt.read_bytes()
    spoilt.unlink()
    show(wire)
    spoilt.write_bytes(kept)
    # when
    soon = show(wire)["state"]
    monkeypatch.setattr(wire.widget._looks, "_ttl_s", 0.0)
    later = show(wire)["state"]
    # then
    assert [soon, later] == ["SAMPLE_ASSET_UNAVAILABLE", "READY"]


def test_a_capability_that_the_viewer_does_not_know_is_said_in_words(
    scene: tuple[Workspace, Dataset], monkeypatch: pytest.MonkeyPatch
) -> None:
    # given
    ws = scene[0]
    ws.capabilities.add("flag_detection", geometry="box", classes=["corner_flag"])
    draft = ws.review.open("clip-1", "flag_detection")
    outcome = ws.review.publish(draft.id, expected_version=draft.version, override_warnings=True, reason="empty on purpose")
    ws.review.set_eligibility(outcome.revision.id, "APPROVED", expected_version=1)
    dataset = ws.datasets.build(BuildRequest(capability="flag_detection", label_pack_ids=[outcome.pack.id], name="flags")).dataset
    # when
    told = show(Wire.to(SampleViewer(ws, dataset), monkeypatch))
    # then
    assert (told["state"], told["reason_code"]) == ("SAMPLE_TYPE_NOT_SUPPORTED", "CAPABILITY_NOT_SUPPORTED")
    assert told["title"] == "This sample type is not supported yet"


@pytest.mark.parametrize(
    ("capability", "changed", "code"),
    [
        pytest.param(PLAYER, {}, None, id="boxes of a box capability"),
        pytest.param(None, {}, "CAPABILITY_UNKNOWN", id="a capability that is gone"),
        pytest.param(
            PLAYER, {"annotations": (Annotation("a", "ball", Point(1, 2)),)}, "OVERLAY_GEOMETRY_MISMATCH", id="points where boxes belong"
        ),
    ],
)
def test_labels_that_cannot_be_drawn_are_a_state_with_its_reason(
    scene: tuple[Workspace, Dataset], capability: object, changed: dict[str, Any], code: str | None
) -> None:
    # given
    sample = replace(scene[1].sample(KEY), **changed)
    # when
    shapes, problem = overlay(sample, capability)
    # then
    assert problem == code
    assert bool(shapes) is (code is None)
    assert (view_of(PLAYERS, overlay_problem=problem).state is ViewState.OVERLAY_UNAVAILABLE) is (code is not None)


def test_a_sample_of_a_workspace_that_is_not_open_is_said_in_words(scene: tuple[Workspace, Dataset]) -> None:
    # given
    viewer = SampleViewer(*scene)
    # when
    picture, problem = viewer._picture(replace(scene[1].sample(KEY), workspace="club-b"))
    # then
    assert (picture, problem) == (None, "SAMPLE_OF_ANOTHER_WORKSPACE")


def test_a_picture_that_is_gone_comes_from_where_it_was_materialized(
    scene: tuple[Workspace, Dataset], spoilt: Path, drawn: list[list[Any]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # given
    ws, dataset = scene
    kept = spoilt.read_bytes()
    dataset.materialize(tmp_path / "files", "copy")
    spoilt.unlink()
    wire = Wire.to(SampleViewer(ws, dataset), monkeypatch)
    drawn.clear()
    # when
    told = show(wire)
    # then
    assert (told["state"], told["url"]) == ("READY", None)
    assert [bytes(part) for message in drawn for part in message[1:]] == [kept]


def test_a_picture_in_an_object_store_is_an_address_that_is_renewed_before_it_expires(
    scene: tuple[Workspace, Dataset], spoilt: Path, drawn: list[list[Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    # given
    ws, dataset = scene
    files = register()
    dataset.materialize("signed://bucket/players", "copy")
    spoilt.unlink()
    wire = Wire.to(SampleViewer(ws, dataset), monkeypatch)
    drawn.clear()
    # when
    told = show(wire)
    # then the labels are painted, and the browser fetches the picture
    assert (told["state"], told["has_picture"]) == ("READY", True)
    assert told["url"].startswith("https://assets.invalid/bucket/players/")
    assert 600 < told["renew_in_s"] <= 900
    assert [len(message) for message in drawn] == [1]
    # when the time comes
    moved = wire.widget.dataset.assets
    monkeypatch.setattr(moved._urls, "_clock", lambda: datetime.now(UTC) + timedelta(minutes=14))
    later = wire.ask("renew", key=KEY)["result"]
    refused = wire.ask("renew", key=KEY, refused=True)["result"]
    # then
    assert ["turn=1&" in told["url"], "turn=2&" in later["url"], "turn=3&" in refused["url"]] == [True] * 3
    assert files.made == 3
    # when a page hosts no canvas, Python fetches it
    assert show(wire, hosted=False)["url"] is None
    assert any(message.get("event") == "still" for message in wire.sent)
