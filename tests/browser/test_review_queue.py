"""The review queue in a browser: list, filter, open a review, back, next."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from labelkit.widgets import ReviewQueue
from tests.browser import reviews
from tests.browser.showing import EVIL, in_page

if TYPE_CHECKING:
    from collections.abc import Callable

    from playwright.sync_api import Page

    from labelkit.synthetic import Match

pytestmark = pytest.mark.browser


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_scopes_are_listed_filtered_opened_left_and_the_next_one_is_a_key_away(
    page: Page, short: Match, monkeypatch: pytest.MonkeyPatch, keep_picture: Callable[..., object], theme: str
) -> None:
    # given
    ws = reviews.workspace(short)
    ws.media.add(short.clips[0].folder, name=f"other {EVIL}")
    for media in ("match-1", f"other {EVIL}"):
        ws.review.open(media, reviews.PLAYERS)
    with in_page(page, ReviewQueue(ws), monkeypatch, theme) as bridge:
        widget = bridge.widget
        # a plain page has no manager of widgets: it learns that a review is open, and shows none
        widget.observe(lambda change: bridge.sent.append({"trait": "review", "value": change["new"] and "IPY_MODEL_1"}), names="review")
        # then
        expect(bridge.root).to_contain_text("match-1")
        opening = page.get_by_role("button", name="Continue")
        expect(opening).to_have_count(2)
        keep_picture(page, f"queue-{theme}")
        assert bridge.faults() == []
        # when
        page.get_by_role("searchbox", name="Filter the queue").fill("match-1")
        # then
        expect(opening).to_have_count(1)
        # when
        opening.click()
        # then
        assert widget.selected == ("match-1", reviews.PLAYERS)
        # when
        widget.review.live.go(0)
        page.get_by_role("button", name="Back to the queue").click()
        # then
        expect(bridge.root).to_contain_text("1 of 3")
        expect(opening).to_have_count(1)
        assert widget.selected is None
        # when
        page.get_by_role("searchbox", name="Filter the queue").fill("")
        page.get_by_role("button", name="Next to review").focus()
        page.keyboard.press("n")
        page.wait_for_timeout(100)
        # then
        assert widget.selected is not None
        widget.review.close()
