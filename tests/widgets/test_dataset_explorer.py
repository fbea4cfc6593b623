"""DatasetExplorer: list and pages, filters, one version in detail, samples in the same place, news, and what is shown without a kernel."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

import labelkit
from labelkit import BuildRequest
from labelkit.errors import LabelkitError
from labelkit.widgets import DatasetExplorer, dataset_explorer, news
from tests.services.builds import add_builds
from tests.services.packs import change
from tests.widgets.messages import Wire
from tests.widgets.scenes import PLAYERS, built, half_built

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from labelkit import Workspace
    from labelkit.services.datasets import Dataset

BUILDS = 25


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[tuple[Workspace, Dataset]]:
    ws, dataset = built(tmp_path)
    with ws:
        yield ws, dataset


@pytest.fixture(scope="module")
def listed() -> Iterator[Workspace]:
    with labelkit.open(":memory:", workspace="club-a", user="ana") as ws:
        add_builds(ws, BUILDS)
        yield ws


def test_a_row_says_what_the_list_says(scene: tuple[Workspace, Dataset], monkeypatch: pytest.MonkeyPatch) -> None:
    # given
    ws, dataset = scene
    wire = Wire.to(DatasetExplorer(ws), monkeypatch)
    # when
    state = wire.ask("ready")["result"]
    # then
    (row,) = state["items"]
    (value,) = wire.widget.value.iter_rows(named=True)
    assert (row["id"], row["display_name"], row["version_id"], row["scope"]) == (dataset.id, "players v1", "v1", "club-a: 3 media")
    assert all(row[name] == value[name] for name in row.keys() & value.keys() - {"created_at"})
    assert (row["splits"], row["tone"], state["detail"]) == (dataset.split_counts, "warn", None)


def test_pages_go_on_where_the_one_before_ended_and_a_reload_brings_them_all_back(
    listed: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    # given
    monkeypatch.setattr(dataset_explorer, "PAGE", 10)
    wire = Wire.to(DatasetExplorer(listed), monkeypatch)
    first = wire.ask("ready")["result"]
    # when
    second = wire.ask("page", cursor=first["next_cursor"])["result"]
    third = wire.ask("page", cursor=second["next_cursor"])["result"]
    again = wire.ask("ready")["result"]
    # then
    ids = [row["id"] for page in (first, second, third) for row in page["items"]]
    assert ids == listed.datasets.list(limit=BUILDS)["id"].to_list() == [row["id"] for row in again["items"]]
    assert (third["next_cursor"], again["next_cursor"]) == (None, None)


@pytest.mark.parametrize(
    ("filters", "count"),
    [({"status": "failed"}, 5), ({"capability": "ball_detection"}, 12), ({"scope": "match-1"}, 21), ({"scope": "club-a/nowhere"}, 0)],
)
def test_a_filter_leaves_what_has_it_and_is_shown_as_a_call(
    listed: Workspace, monkeypatch: pytest.MonkeyPatch, filters: dict[str, str], count: int
) -> None:
    # given
    wire = Wire.to(DatasetExplorer(listed), monkeypatch)
    # when
    wire.ask("filter", filters=filters)
    # then
    assert len(wire.events("list")[-1]["items"]) == count
    assert eval(wire.widget.python, {"ws": listed}).equals(wire.widget.value)
    assert DatasetExplorer(listed, **filters).value.height == count


@pytest.mark.parametrize("filters", [{"status": "ready"}, {"capability": "ball"}, {"colour": "red"}])
def test_a_filter_that_does_not_exist_changes_nothing(listed: Workspace, monkeypatch: pytest.MonkeyPatch, filters: dict[str, str]) -> None:
    # given
    wire = Wire.to(DatasetExplorer(listed, status="failed"), monkeypatch)
    # when
    answer = wire.ask("filter", filters=filters)
    # then
    assert answer["error"]["code"] == "NOT_FOUND"
    assert wire.widget.filters == {"capability": None, "scope": None, "status": "failed"}


def test_a_version_in_detail_is_what_python_says_of_it(scene: tuple[Workspace, Dataset], monkeypatch: pytest.MonkeyPatch) -> None:
    # given
    ws, dataset = scene
    wire = Wire.to(DatasetExplorer(ws), monkeypatch)
    # when
    wire.ask("select", dataset=dataset.id)
    # then
    detail = wire.events("detail")[-1]
    provenance = dict(detail["provenance"])
    assert provenance["Manifest hash"] == dataset.manifest_hash
    assert (provenance["Reuse fingerprint"], provenance["Build fingerprint"]) == (dataset.reuse_fingerprint, dataset.build_fingerprint)
    assert (provenance["Seed"], detail["samples"], detail["ready"], detail["is_frozen"]) == ("0", 9, True, False)
    assert detail["splits"]["rows"][0][:3] == ["train", 3, 1]
    assert detail["lineage"]["rows"] == dataset.facts.lineage_rows
    assert dict(detail["sources"])["Of them samples"] == "9 (100.0%)"
    assert wire.widget.selected.id == eval(wire.widget.python, {"ws": ws}).id == dataset.id
    assert wire.ask("ready")["result"]["detail"] == detail


@pytest.mark.parametrize("status", ["running", "failed"])
def test_a_version_without_content_has_placeholders_in_every_place(listed: Workspace, monkeypatch: pytest.MonkeyPatch, status: str) -> None:
    # given
    wire = Wire.to(DatasetExplorer(listed, status=status), monkeypatch)
    whole = Wire.to(DatasetExplorer(listed), monkeypatch)
    ready = listed.datasets.list(status="success", limit=1)["id"][0]
    # when
    wire.ask("select", dataset=wire.widget.value["id"][0])
    whole.ask("select", dataset=ready)
    # then
    detail, complete = wire.events("detail")[-1], whole.events("detail")[-1]
    assert detail.keys() == complete.keys()
    assert [len(detail[name]) >= len(complete[name]) for name in ("provenance", "job", "sources", "materialization")] == [True] * 4
    assert (detail["splits"], detail["samples"], detail["ready"], detail["quality"]["badge"]) == (None, None, False, "Not evaluated")
    assert dict(detail["provenance"])["Manifest hash"] is None
    assert "Stats not available yet" in wire.widget.to_html()


def test_a_failed_build_says_its_code_and_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # given
    ws, dataset = half_built(tmp_path)
    with ws:
        wire = Wire.to(DatasetExplorer(ws), monkeypatch)
        wire.ask("select", dataset=dataset.id)
        # then
        job = dict(wire.events("detail")[-1]["job"])
        assert (job["Latest job"], job["Failure"], job["Reason"]) == ("failed", "STORAGE_READ_FAILED", dataset.reason)


def test_samples_open_in_the_same_place_and_close_again(scene: tuple[Workspace, Dataset], monkeypatch: pytest.MonkeyPatch) -> None:
    # given
    ws, dataset = scene
    wire = Wire.to(DatasetExplorer(ws), monkeypatch)
    # when
    wire.ask("samples", dataset=dataset.id)
    # then
    opened = wire.widget.samples
    assert opened.dataset.id == dataset.id
    assert wire.widget.python == f"labelkit.widgets.SampleViewer(ws, {dataset.id!r})"
    # when
    wire.ask("leave")
    # then
    assert (wire.widget.samples, opened.comm) == (None, None)
    assert wire.events("state")[-1]["detail"]["id"] == dataset.id
    assert DatasetExplorer(ws).show_samples() is None


def test_what_another_widget_builds_is_shown_without_being_asked(scene: tuple[Workspace, Dataset], monkeypatch: pytest.MonkeyPatch) -> None:
    # given
    ws, dataset = scene
    explorer, other = DatasetExplorer(ws), DatasetExplorer(ws, PLAYERS)
    wire = Wire.to(explorer, monkeypatch)
    packs = [verdict.pack_id for verdict in dataset.lineage.included]
    # when
    ws.datasets.build(BuildRequest(capability=PLAYERS, label_pack_ids=packs, name="second", seed=5))
    news.tell_others(other, ws)
    # then
    assert [row["name"] for row in wire.events("state")[-1]["items"]] == ["second", "players"]


def test_the_static_page_has_list_and_detail(scene: tuple[Workspace, Dataset]) -> None:
    # given
    explorer = DatasetExplorer(scene[0])
    explorer.show_dataset("players")
    # when
    page = explorer.to_html()
    # then
    facts = (scene[1].id, scene[1].manifest_hash, "Warnings (2)", "train 3", "LOW_SAMPLE_COUNT", "club-a/clip-2", "group_stable")
    assert all(fact in page for fact in facts)
    assert repr(explorer) == "Datasets of club-a: 1 build"


def test_a_dataset_that_does_not_exist_is_refused_with_the_nearest_name(scene: tuple[Workspace, Dataset]) -> None:
    with pytest.raises(LabelkitError, match="Did you mean 'players'"):
        DatasetExplorer(scene[0]).show_dataset("player")


def test_a_frozen_version_is_marked_in_list_and_detail(scene: tuple[Workspace, Dataset], monkeypatch: pytest.MonkeyPatch) -> None:
    # given
    ws, dataset = scene
    dataset.freeze("the cup final")
    wire = Wire.to(DatasetExplorer(ws), monkeypatch)
    # when
    wire.ask("select", dataset=dataset.id)
    # then
    detail = wire.events("detail")[-1]
    assert [row["is_frozen"] for row in wire.ask("ready")["result"]["items"]] == [True] == [detail["is_frozen"]]
    freezing = dict(detail["freezing"])
    assert freezing["Frozen test set"] == "yes"
    assert freezing["Last freeze"].endswith("by ana: the cup final")
    assert "players v1 (frozen)" in wire.widget.to_html()


def test_materialized_files_are_told_in_list_and_detail(
    scene: tuple[Workspace, Dataset], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # given
    ws, dataset = scene
    dataset.materialize(tmp_path / "files", "copy")
    wire = Wire.to(DatasetExplorer(ws), monkeypatch)
    # when
    wire.ask("select", dataset=dataset.id)
    # then
    assert wire.widget.value["materialization"].to_list() == ["complete"]
    told = dict(wire.events("detail")[-1]["materialization"])
    assert (told["Materialization"], told["Mode"], told["Place"], told["Files"]) == ("complete", "copy", str(tmp_path / "files"), "9 of 9")


def test_a_notebook_with_the_explorer_stays_small(scene: tuple[Workspace, Dataset]) -> None:
    # given
    explorer = DatasetExplorer(scene[0])
    explorer.show_dataset("players")
    # then
    data, _ = explorer._repr_mimebundle_()
    assert len(data["text/html"]) + len(explorer._esm) + len(explorer._css) < 200_000


def test_a_running_build_says_how_far_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    # given
    with labelkit.open(":memory:", workspace="club-a", user="ana") as ws:
        running = add_builds(ws, 5)[4]
        change(ws, "UPDATE build_states SET samples_done = 30, samples_total = 120 WHERE status = 'running'")
        wire = Wire.to(DatasetExplorer(ws), monkeypatch)
        # when
        wire.ask("select", dataset=running)
        # then
        detail = wire.events("detail")[-1]
        assert (detail["status"], tuple(detail["progress"])) == ("running", (30, 120))
        assert dict(detail["job"])["Latest job"] == "running, 30 of 120 samples"
