"""QualityBadge in a browser: the badge, what fired, and what passed on request."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from labelkit import BuildRequest
from labelkit.widgets import QualityBadge
from tests.browser.showing import EVIL, in_lab, in_page
from tests.widgets.scenes import PLAYERS, built

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from playwright.sync_api import BrowserContext, Page

    from labelkit import Workspace
    from labelkit.services.datasets import Dataset
    from tests.browser.lab import Lab

pytestmark = pytest.mark.browser


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[tuple[Workspace, Dataset]]:
    ws, dataset = built(tmp_path)
    with ws:
        yield ws, dataset


def test_what_fired_is_shown_and_what_passed_unfolds(page: Page, scene: tuple[Workspace, Dataset], monkeypatch: pytest.MonkeyPatch) -> None:
    with in_page(page, QualityBadge(*scene), monkeypatch):
        # then
        fired = page.get_by_role("table", name="Indicators").get_by_role("row")
        said = "LOW_SAMPLE_COUNT\n9 samples; at least 100 are wanted"
        assert fired.nth(2).get_by_role("cell").all_inner_texts() == ["Warning", said, "9", "≥ 100"]
        expect(page.get_by_text(scene[1].quality.badge, exact=True)).to_be_visible()
        # when
        page.get_by_text("checks passed").press("Enter")
        # then
        passed = page.get_by_role("table", name="Passed checks")
        expect(passed.get_by_role("row").filter(has_text="INVALID_GEOMETRY")).to_contain_text("Passed")


def test_a_dataset_that_no_policy_covers_says_not_evaluated(
    page: Page, scene: tuple[Workspace, Dataset], monkeypatch: pytest.MonkeyPatch
) -> None:
    # given
    ws = scene[0]
    ws.capabilities.add("flags", geometry="box", classes=["flag"])
    draft = ws.review.open("clip-1", "flags")
    outcome = ws.review.publish(draft.id, expected_version=draft.version, override_warnings=True, reason="empty on purpose")
    ws.review.set_eligibility(outcome.revision.id, "APPROVED", expected_version=1)
    dataset = ws.datasets.build(BuildRequest(capability="flags", label_pack_ids=[outcome.pack.id], name=EVIL)).dataset
    # when
    with in_page(page, QualityBadge(ws, dataset), monkeypatch):
        # then
        expect(page.get_by_text("Not evaluated", exact=True)).to_be_visible()
        expect(page.get_by_text(EVIL)).to_be_visible()


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_nothing_stands_in_the_way_of_a_screen_reader(
    page: Page, scene: tuple[Workspace, Dataset], monkeypatch: pytest.MonkeyPatch, keep_picture: Callable[..., Path], theme: str
) -> None:
    with in_page(page, QualityBadge(*scene), monkeypatch, theme) as bridge:
        page.get_by_text("checks passed").click()
        assert bridge.faults() == []
        keep_picture(page, f"quality-badge-{theme}")


def test_in_jupyterlab_the_badge_is_what_python_says(lab: Lab, tab: BrowserContext, scene: tuple[Workspace, Dataset]) -> None:
    with in_lab(lab, tab, scene[0], f"QualityBadge(ws, {PLAYERS.split('_')[0] + 's'!r})") as notebook:
        root = notebook.widget("Dataset quality")
        expect(root.get_by_text(notebook.python("widget.value.badge"), exact=True)).to_be_visible()
