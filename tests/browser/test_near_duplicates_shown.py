"""Near-duplicates in a browser: that nobody searched for them, and which groups count as one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl
import pytest
from playwright.sync_api import expect

from labelkit.store.datasets.near_duplicate_rows import pair_id
from labelkit.widgets import PreflightTable
from tests.browser.showing import in_page
from tests.widgets.scenes import PLAYERS, approved

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.sync_api import Page

pytestmark = pytest.mark.browser


def test_the_plan_says_what_is_known_of_near_duplicates(page: Page, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with approved(tmp_path, clips=4, leave=0) as ws, in_page(page, PreflightTable(ws, PLAYERS, name="players"), monkeypatch):
        # given a plan that nobody searched for
        expect(page.get_by_text("No media of this set was searched for near-duplicate frames")).to_be_visible()

        # when clips 1 and 2 turn out to be alike, in a search of three of the four
        media = [ws.media.get(f"clip-{n}").id for n in (1, 2, 3)]
        facts = {"frame_a": 0, "frame_b": 1, "sha256_a": "x", "sha256_b": "y", "dhash_distance": 1, "phash_distance": 2, "frame_pairs": 4}
        with ws._database.transaction() as tx:
            rows = tx.datasets.near_duplicates
            row = {"id": pair_id(*media[:2]), "media_a": media[0], "media_b": media[1], **facts}
            rows.add(ws.id, pl.DataFrame([row]), actor="ana")
            rows.add_searched(ws.id, dict.fromkeys(media, 0), actor="ana")
        page.get_by_role("checkbox", name="Select clip-3").uncheck()

        # then both are said, and the sentence of before is gone
        issues = page.get_by_role("list", name="Issues")
        expect(issues).to_contain_text("NEAR_DUPLICATES_JOINED")
        expect(issues).to_contain_text("clip-1, clip-2. Evidence: 1 pair of media.")
        expect(issues).to_contain_text("NEAR_DUPLICATES_NOT_SEARCHED")
        expect(page.get_by_text("No media of this set was searched")).to_have_count(0)
