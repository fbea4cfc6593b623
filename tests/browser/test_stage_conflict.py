"""Two people on one draft: who else is here, both sides of a frame, a choice for each, and the shelf."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

import labelkit
from labelkit import ReviewOp
from tests.browser import reviews
from tests.browser.twin import Twin

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from playwright.sync_api import Page

    from labelkit.synthetic import Match

pytestmark = pytest.mark.browser


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_both_sides_are_shown_chosen_frame_by_frame_and_put_back_from_the_shelf(
    page: Page, short: Match, monkeypatch: pytest.MonkeyPatch, keep_picture: Callable[..., object], theme: str
) -> None:
    # given
    twin = Twin.show(page, reviews.players(short), monkeypatch, theme)
    live = twin.review.live
    live.save()  # that the first frame was seen
    first, second = zip(*[(a[0].id, a[1].id) for a in (live.frame(i).annotations for i in range(2))], strict=True)
    twin.review.ws.review.apply(live.draft_id, base_version=live.version, ops=[ReviewOp.delete(i, first[i]) for i in range(2)])
    # when
    live.run([ReviewOp.delete(i, second[i]) for i in range(2)])
    with pytest.raises(labelkit.LabelkitError):
        live.save()
    twin.settled()
    twin.settled()
    # then
    panel = page.get_by_role("region", name="Conflict")
    expect(panel).to_contain_text("2 frames were changed by both sides")
    expect(panel.get_by_role("img", name="Mine, frame 1")).to_be_visible()
    banner = page.get_by_role("alert").filter(has_text="Frames 1, 2 were changed by both sides")
    expect(banner).to_contain_text("Choose below the picture")
    expect(page.get_by_role("button", name="Keep all mine")).to_have_count(1)
    expect(page.get_by_role("button", name="Take all theirs")).to_have_count(1)
    page.set_viewport_size({"width": 1280, "height": 1500})
    keep_picture(page, f"review-conflict-told-{theme}")
    page.set_viewport_size({"width": 1280, "height": 900})
    page.get_by_role("button", name="Dismiss the message").click()
    keep_picture(page, f"review-conflict-{theme}")
    assert twin.bridge.faults() == []
    # when
    panel.get_by_role("button", name="Keep mine").click()
    expect(panel).to_contain_text("One frame was changed by both sides")
    panel.get_by_role("button", name="Take theirs", exact=True).click()
    twin.settled()
    # then
    expect(panel).to_be_hidden()
    assert (live.frame(0).find(second[0]), live.frame(1).find(first[1])) == (None, None)
    assert live.status == "saved"
    # when
    page.get_by_role("tab", name="Shelf").click()
    page.get_by_role("button", name="Put frame 2 back").click()
    twin.settled()
    # then
    assert live.frame(1).find(first[1]) is not None
    twin.review.close()
    assert twin.problems == []


def test_who_else_is_here_is_said_before_anything_clashes(
    page: Page, short: Match, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # given
    review = reviews.players(short, str(tmp_path / "labels.duckdb"))
    review.ws.set_role("bob", "annotator")
    with labelkit.open(review.ws.path, workspace="club-a", user="bob") as bob:
        his = bob.review.live("match-1", reviews.PLAYERS)
        his.go(2)
        his.others()
        # when
        twin = Twin.show(page, review, monkeypatch)
        twin.settled()
        # then
        expect(page.get_by_text("bob is here too, on frame 3")).to_be_visible()
    review.close()
    review.ws.close()
