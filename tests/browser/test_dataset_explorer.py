"""DatasetExplorer in a browser: a list of any length, one version in detail, placeholders, and samples in the same place."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

import labelkit
from labelkit import BuildRequest
from labelkit.widgets import DatasetExplorer
from tests.browser.showing import EVIL, in_lab, in_page
from tests.services.builds import add_builds
from tests.widgets.scenes import PLAYERS, built, half_built

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from playwright.sync_api import BrowserContext, Page

    from labelkit import Workspace
    from labelkit.services.datasets import Dataset
    from tests.browser.lab import Lab

pytestmark = pytest.mark.browser

BUILDS = 10_000
ROWS_AT_MOST = 40


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[tuple[Workspace, Dataset]]:
    ws, dataset = built(tmp_path)
    with ws:
        yield ws, dataset


@pytest.fixture(scope="module")
def many() -> Iterator[Workspace]:
    with labelkit.open(":memory:", workspace="club-a", user="ana") as ws:
        add_builds(ws, BUILDS, name="players of the second league")
        yield ws


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_version_is_opened_from_the_list_with_everything_that_is_known_of_it(
    page: Page, scene: tuple[Workspace, Dataset], monkeypatch: pytest.MonkeyPatch, keep_picture: Callable[..., Path], theme: str
) -> None:
    # given
    ws, dataset = scene
    with in_page(page, DatasetExplorer(ws), monkeypatch, theme) as bridge:
        # when
        page.get_by_role("button", name="players v1, show in detail").click()
        # then
        detail = page.get_by_role("region", name="Dataset detail")
        expect(detail.get_by_role("heading", name="players v1")).to_be_visible()
        for part in ("Quality", "Splits", "Provenance", "Sources", "Files and protection", "Lineage"):
            expect(detail.get_by_role("heading", name=part, exact=True)).to_be_visible()
        expect(detail.get_by_text(dataset.quality.badge, exact=True)).to_be_visible()
        expect(detail.get_by_role("table", name="Lineage").get_by_role("row")).to_have_count(4)
        expect(page.get_by_role("button", name="View samples")).to_be_enabled()
        assert bridge.widget.selected.id == dataset.id
        # when
        page.set_viewport_size({"width": 1280, "height": 1180})
        keep_picture(page, f"datasets-{theme}")
        # then
        assert bridge.faults() == []


def test_ten_thousand_builds_scroll_by_keyboard_and_only_what_is_in_sight_is_in_the_page(
    page: Page, many: Workspace, monkeypatch: pytest.MonkeyPatch, keep_picture: Callable[..., Path]
) -> None:
    with in_page(page, DatasetExplorer(many), monkeypatch):
        # given
        table = page.get_by_role("table", name="Dataset versions")
        expect(table.get_by_role("row").nth(3)).to_be_visible()
        keep_picture(page, "datasets-many")
        # when
        table.get_by_role("button", name="show in detail").first.focus()
        page.keyboard.press("End")
        expect(page.get_by_text("200 and more")).to_be_visible()
        page.keyboard.press("End")
        # then
        expect(page.get_by_text("300 and more")).to_be_visible()
        assert table.locator("[data-index]").count() < ROWS_AT_MOST
        # when
        page.keyboard.press("Enter")
        # then
        expect(page.get_by_role("region", name="Dataset detail")).to_be_visible()
        expect(table.locator("[aria-current]")).to_be_focused()


def test_placeholders_stand_where_statistics_are_not_known_yet(
    page: Page, many: Workspace, monkeypatch: pytest.MonkeyPatch, keep_picture: Callable[..., Path]
) -> None:
    with in_page(page, DatasetExplorer(many, status="running"), monkeypatch) as bridge:
        # when
        page.get_by_role("button", name="show in detail").first.click()
        # then
        detail = page.get_by_role("region", name="Dataset detail")
        expect(detail.get_by_text("Being built")).to_be_visible()
        expect(detail.get_by_text("Stats not available yet", exact=True)).to_be_visible()
        expect(page.get_by_role("button", name="View samples")).to_be_disabled()
        page.set_viewport_size({"width": 1280, "height": 1180})
        keep_picture(page, "datasets-running")
        assert bridge.faults() == []


def test_a_failed_build_says_by_what_and_filters_that_leave_nothing_offer_the_way_back(
    page: Page, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, keep_picture: Callable[..., Path]
) -> None:
    # given
    ws, dataset = half_built(tmp_path)
    with ws, in_page(page, DatasetExplorer(ws), monkeypatch) as bridge:
        # when
        page.get_by_role("button", name="lost, show in detail").click()
        # then
        expect(page.get_by_text("The build failed")).to_be_visible()
        expect(page.get_by_text("STORAGE_READ_FAILED")).to_be_visible()
        assert dataset.reason is not None
        expect(page.get_by_text(dataset.reason)).to_be_visible()
        # when
        page.get_by_label("Scope").fill("club-a/nowhere")
        page.keyboard.press("Enter")
        # then
        expect(page.get_by_text("No dataset has all of this.")).to_be_visible()
        keep_picture(page, "datasets-none")
        # when
        page.get_by_role("button", name="Show all datasets").click()
        page.get_by_label("Capability").select_option("ball_detection")
        page.get_by_label("Capability").select_option(PLAYERS)
        # then
        expect(page.get_by_text("1 build with all of this")).to_be_visible()
        assert bridge.widget.filters == {"capability": PLAYERS, "scope": None, "status": None}


def test_an_empty_workspace_says_how_to_build(page: Page, monkeypatch: pytest.MonkeyPatch) -> None:
    with labelkit.open(":memory:") as ws, in_page(page, DatasetExplorer(ws), monkeypatch) as bridge:
        expect(page.get_by_text("Nothing is built yet.")).to_be_visible()
        assert bridge.faults() == []


def test_names_that_are_html_stay_names_and_a_lost_kernel_leaves_the_last_list(
    page: Page, scene: tuple[Workspace, Dataset], monkeypatch: pytest.MonkeyPatch
) -> None:
    # given
    ws, dataset = scene
    packs = [verdict.pack_id for verdict in dataset.lineage.included]
    ws.datasets.build(BuildRequest(capability=PLAYERS, label_pack_ids=packs, name=EVIL, description=EVIL, ratios={EVIL: 1.0}))
    explorer = DatasetExplorer(ws)
    explorer.show_dataset(EVIL)
    static = explorer.to_html()
    # when
    with in_page(page, explorer, monkeypatch) as bridge:
        # then
        expect(page.get_by_role("region", name="Dataset detail").get_by_text(EVIL).first).to_be_visible()
        # when
        page.evaluate("() => { window.silent = true; }")
        page.get_by_role("button", name="players v1, show in detail").click()
        # then
        expect(page.get_by_text("No answer from the kernel")).to_be_visible()
        expect(page.get_by_role("button", name="players v1, show in detail")).to_be_visible()
        assert bridge.widget.selected.name == EVIL
    page.set_content(static)
    page.wait_for_timeout(50)
    assert page.evaluate("window.harmed") is None


def test_in_jupyterlab_one_goes_from_the_list_to_the_detail_to_the_samples_and_back(
    lab: Lab, tab: BrowserContext, scene: tuple[Workspace, Dataset], keep_picture: Callable[..., Path]
) -> None:
    dataset = scene[1]
    with in_lab(lab, tab, scene[0], "DatasetExplorer(ws)") as notebook:
        # given
        page, root = notebook.page, notebook.widget("Datasets")
        # when
        root.get_by_role("button", name="players v1, show in detail").press("Enter")
        expect(root.get_by_role("heading", name="players v1")).to_be_visible()
        for press in ("d", "d", "x", "a", "b"):
            page.keyboard.press(press)
        root.get_by_role("button", name="View samples").click()
        # then
        expect(root.get_by_role("img", name="club-a/clip-1/000000")).to_be_visible()
        assert notebook.python("(widget.selected.id, widget.samples.selected.key)") == [dataset.id, "club-a/clip-1/000000"]
        keep_picture(page, "datasets-samples-lab")
        # when
        notebook.save()
        notebook.load()
        # then the samples are still there
        root = notebook.widget("Datasets")
        expect(root.get_by_role("img", name="club-a/clip-1/000000")).to_be_visible()
        # when
        root.get_by_role("button", name="Back to the datasets").click()
        # then
        expect(root.get_by_role("heading", name="players v1")).to_be_visible()
        assert notebook.python("widget.samples is None")
