"""SampleViewer: filters, pages, pictures, stated fallbacks, and a page that needs no kernel."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from ipycanvas.canvas import _CANVAS_MANAGER

from labelkit import BuildRequest, ReviewOp
from labelkit.core.datasets.samples import ViewState, view_of
from labelkit.core.geometry import Point
from labelkit.core.review.annotations import PLAYER, Annotation
from labelkit.errors import LabelkitError
from labelkit.widgets import SampleViewer, sample_viewer
from labelkit.widgets.sample_look import overlay
from tests.widgets.messages import Wire
from tests.widgets.scenes import PLAYERS, built, half_built
from tests.widgets.signing import register

if TYPE_CHECKING:
    from collections.abc import Iterator

    from labelkit import Workspace
    from labelkit.services.datasets import Dataset

KEY = "club-a/clip-1/000000"
BALL_POINT = Annotation("a", "ball", Point(1, 2))
VIEW = {"width": 640, "height": 360, "ratio": 1.0}


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[tuple[Workspace, Dataset]]:
    ws, dataset = built(tmp_path)
    with ws:
        yield ws, dataset


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> list[list[Any]]:
    """Every message that ipycanvas sent, as its buffers."""
    sent: list[list[Any]] = []
    monkeypatch.setattr(_CANVAS_MANAGER, "send", lambda _metadata, buffers: sent.append(buffers))
    return sent


@pytest.fixture
def wire(scene: tuple[Workspace, Dataset], drawn: list[list[Any]], monkeypatch: pytest.MonkeyPatch) -> Iterator[Wire]:
    made = Wire.to(SampleViewer(scene[0], scene[1]), monkeypatch)
    drawn.clear()
    yield made
    made.widget.close()


def show(wire: Wire, key: str = KEY, *, hosted: bool = True) -> dict[str, Any]:
    answer = wire.ask("show", key=key, hosted=hosted, **VIEW)
    assert answer["ok"], answer
    return wire.events("shown")[-1]


def frame_file(ws: Workspace, media: str, index: int) -> Path:
    return Path(ws.media.get(media).root) / ws.media.frame(media, index).name


@pytest.fixture
def spoilt(scene: tuple[Workspace, Dataset]) -> Iterator[Path]:
    """The file of the first frame, to be spoilt; it is as it was afterwards, because scenes share their pictures."""
    file = frame_file(scene[0], "clip-1", 0)
    before = file.read_bytes()
    yield file
    file.write_bytes(before)


def test_a_view_that_asks_ready_gets_the_list_and_what_one_can_filter_by(wire: Wire) -> None:
    # when
    state = wire.ask("ready")["result"]
    # then
    assert (state["name"], state["version"], state["capability"], state["total"]) == ("players", 1, PLAYERS, 9)
    assert [item["key"] for item in state["items"]][:2] == [KEY, "club-a/clip-1/000001"]
    assert state["choices"]["group"] == ["clip-1", "clip-2", "clip-3"]
    assert set(state["choices"]["split"]) == {"train", "val", "test"}
    assert {"ball", "player"} < set(state["choices"]["label"])
    assert state["choices"]["camera_type"] == ["broadcast"]


@pytest.mark.parametrize("name", ["split", "label", "group"])
def test_every_filter_leaves_the_samples_that_have_it(wire: Wire, scene: tuple[Workspace, Dataset], name: str) -> None:
    # given
    value = wire.widget.choices[name][0]
    # when
    wire.ask("filter", filters={name: value})
    # then
    listed = wire.events("list")[-1]
    expected = [sample.key for sample in scene[1].samples(**{name: value}, limit=100).items]
    assert [item["key"] for item in listed["items"]] == expected
    assert listed["total"] == (len(expected) if name == "split" else None)
    assert (listed["filters"][name], listed["selected"]) == (value, None)


def test_filters_can_be_given_when_the_viewer_is_made(scene: tuple[Workspace, Dataset]) -> None:
    # when
    viewer = SampleViewer(scene[0], "players", group="clip-2", label="ball")
    # then
    assert {sample.group for sample in viewer.value.items} == {"clip-2"}
    assert "group clip-2" in viewer.describe()


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        pytest.param({"group": "clip2"}, "NOT_FOUND", "'clip-2'", id="a misspelt group"),
        pytest.param({"label": "goalkeepr"}, "NOT_FOUND", "'goalkeeper'", id="a misspelt class"),
        pytest.param({"splt": "train"}, "UNKNOWN_ARGUMENT", "'split'", id="a misspelt argument"),
    ],
)
def test_what_does_not_exist_is_refused_with_the_nearest_name(
    scene: tuple[Workspace, Dataset], arguments: dict[str, str], code: str, said: str
) -> None:
    # when
    with pytest.raises(LabelkitError) as refusal:
        SampleViewer(scene[0], scene[1], **arguments)
    # then
    assert refusal.value.code == code
    assert said in str(refusal.value)


def test_a_filter_that_is_refused_leaves_the_list_as_it_was(wire: Wire) -> None:
    # given
    wire.ask("filter", filters={"group": "clip-3"})
    # when
    answer = wire.ask("filter", filters={"group": "nowhere"})
    # then
    assert answer["error"]["code"] == "NOT_FOUND"
    assert wire.widget.filters["group"] == "clip-3"


def test_pages_go_on_where_the_one_before_ended_and_a_reload_brings_them_all_back(
    scene: tuple[Workspace, Dataset], monkeypatch: pytest.MonkeyPatch
) -> None:
    # given
    monkeypatch.setattr(sample_viewer, "PAGE", 4)
    wire = Wire.to(SampleViewer(scene[0], scene[1]), monkeypatch)
    first = wire.ask("ready")["result"]
    # when
    second = wire.ask("page", cursor=first["next_cursor"])["result"]
    third = wire.ask("page", cursor=second["next_cursor"])["result"]
    again = wire.ask("ready")["result"]
    # then
    keys = [item["key"] for page in (first, second, third) for item in page["items"]]
    assert keys == [sample.key for sample in scene[1].samples(limit=100).items]
    assert (third["next_cursor"], again["next_cursor"]) == (None, None)
    assert [item["key"] for item in again["items"]] == keys


def test_a_page_is_read_once_a_minute(wire: Wire, monkeypatch: pytest.MonkeyPatch) -> None:
    # given
    read: list[object] = []
    real = wire.widget.dataset.samples
    monkeypatch.setattr(type(wire.widget.dataset), "samples", lambda _self, **wanted: read.append(wanted) or real(**wanted))
    # when
    for _ in range(3):
        wire.ask("ready")
    # then
    assert len(read) == 1


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


def test_what_was_clicked_is_shown_as_the_call_that_does_the_same(wire: Wire, scene: tuple[Workspace, Dataset]) -> None:
    # when
    wire.ask("filter", filters={"group": "clip-3"})
    samples = eval(wire.widget.python, {"ws": scene[0]})
    show(wire)
    sample = eval(wire.widget.python, {"ws": scene[0]})
    # then
    assert {one.group for one in samples.items} == {"clip-3"}
    assert sample.key == KEY


def test_the_static_page_shows_pictures_facts_and_links_without_a_script(scene: tuple[Workspace, Dataset]) -> None:
    # when
    page = SampleViewer(*scene).to_html(limit=3, width=200)
    # then
    assert page.count("data:image/jpeg;base64,") == 3
    assert (page.count(">Previous</a>"), page.count(">Next</a>")) == (2, 2)
    assert all(f'href="#{anchor}"' in page for anchor in _anchors(page))
    assert "<script" not in page
    assert "The first 3 are shown." in page


def test_a_notebook_with_the_viewer_stays_small(scene: tuple[Workspace, Dataset]) -> None:
    data, _ = SampleViewer(*scene)._repr_mimebundle_()
    assert len(data["text/html"]) < 200_000


def test_the_static_page_says_what_cannot_be_shown(scene: tuple[Workspace, Dataset], spoilt: Path) -> None:
    # given
    spoilt.unlink()
    # when
    page = SampleViewer(*scene).to_html(limit=1)
    # then
    assert "Sample asset unavailable" in page
    assert "FRAME_MISSING" in page


def test_a_dataset_whose_build_failed_is_words_instead_of_samples(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # given
    ws, dataset = half_built(tmp_path)
    with ws:
        wire = Wire.to(SampleViewer(ws, dataset), monkeypatch)
        # then
        assert wire.ask("ready")["error"]["code"] == "DATASET_NOT_READY"
        assert "No sample to show." in wire.widget.to_html()
        assert wire.widget.describe().endswith("no samples yet")


def _anchors(page: str) -> list[str]:
    return [part.split('"')[0] for part in page.split('<div id="')[1:]]


def test_samples_with_a_finding_are_left_and_the_finding_is_among_the_facts(
    scene: tuple[Workspace, Dataset], monkeypatch: pytest.MonkeyPatch
) -> None:
    # given
    ws = scene[0]
    draft = ws.review.open("clip-2", PLAYERS)
    draft = ws.review.apply(draft.id, base_version=draft.version, ops=[ReviewOp.flag(1, "bad_frame")])
    outcome = ws.review.publish(draft.id, expected_version=draft.version, override_warnings=True, reason="flagged")
    ws.review.set_eligibility(outcome.revision.id, "APPROVED", expected_version=1)
    dataset = ws.datasets.build(BuildRequest(capability=PLAYERS, label_pack_ids=[outcome.pack.id], name="flagged")).dataset
    wire = Wire.to(SampleViewer(ws, dataset), monkeypatch)
    # when
    wire.ask("filter", filters={"finding": "ANY"})
    # then
    assert [item["key"] for item in wire.events("list")[-1]["items"]] == ["club-a/clip-2/000001"]
    assert dict(map(tuple, show(wire, "club-a/clip-2/000001")["facts"]))["Findings"] == "BAD_FRAME"
    # when
    answer = wire.ask("filter", filters={"finding": "BAD"})
    # then
    assert answer["error"]["code"] == "NOT_FOUND"


@pytest.mark.parametrize(("after_s", "reads"), [(59.0, 1), (61.0, 2)])
def test_list_and_sample_are_read_anew_after_a_minute(wire: Wire, monkeypatch: pytest.MonkeyPatch, after_s: float, reads: int) -> None:
    # given a clock that stands still
    now = [1_000.0]
    monkeypatch.setattr(sample_viewer, "now_s", lambda: now[0])
    read: list[str] = []
    kind = type(wire.widget.dataset)
    listed, one = kind.samples, kind.sample
    monkeypatch.setattr(kind, "samples", lambda self, **wanted: read.append("list") or listed(self, **wanted))
    monkeypatch.setattr(kind, "sample", lambda self, key: read.append("sample") or one(self, key))
    wire.ask("ready")
    show(wire)
    # when
    now[0] += after_s
    wire.ask("ready")
    show(wire)
    # then
    assert sorted(read) == ["list"] * reads + ["sample"] * reads


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
