"""QualityPanel in a browser: every check in order, and words where there are none."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from labelkit.widgets import QualityPanel
from tests.browser.showing import in_page
from tests.widgets.scenes import built, half_built

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from playwright.sync_api import Page

pytestmark = pytest.mark.browser


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_hard_fails_stand_first_then_codes_each_with_value_and_threshold(
    page: Page, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, keep_picture: Callable[..., Path], theme: str
) -> None:
    # given
    ws, dataset = built(tmp_path)
    with ws, in_page(page, QualityPanel(dataset), monkeypatch, theme) as bridge:
        # then
        rows = page.get_by_role("table", name="Quality checks").get_by_role("row")
        expect(rows).to_have_count(11)
        codes = rows.locator("code").all_inner_texts()
        assert codes == [check.code for check in dataset.quality.checks]
        expect(rows.filter(has_text="LOW_SAMPLE_COUNT")).to_contain_text("≥ 100")
        expect(page.get_by_text("Policy v1: 2 of 10 checks fired.")).to_be_visible()
        keep_picture(page, f"quality-panel-{theme}")
        assert bridge.faults() == []
        # when
        page.get_by_role("button", name="Refresh").press("Enter")
        # then
        bridge.asks_become("refresh", 1)
        expect(rows).to_have_count(11)


def test_a_build_that_failed_is_words_and_no_blank(page: Page, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ws, dataset = half_built(tmp_path)
    with ws, in_page(page, QualityPanel(dataset), monkeypatch) as bridge:
        expect(page.get_by_text("STORAGE_READ_FAILED")).to_be_visible()
        expect(page.locator(".lk-badge").get_by_text("Not evaluated")).to_be_visible()
        assert bridge.faults() == []
