"""SampleViewer: filters, pages, what is clicked as Python, and a page that needs no kernel."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from labelkit import BuildRequest, ReviewOp
from labelkit.errors import LabelkitError
from labelkit.widgets import SampleViewer, sample_viewer
from tests.widgets.messages import Wire
from tests.widgets.sample_viewer.showing import KEY, show
from tests.widgets.scenes import PLAYERS, half_built

if TYPE_CHECKING:
    from pathlib import Path

    from labelkit import Workspace
    from labelkit.services.datasets import Dataset


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
