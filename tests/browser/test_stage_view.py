"""What a view shows for itself: the light of the picture, and small pictures of the frames around."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from tests.browser import reviews

if TYPE_CHECKING:
    from collections.abc import Callable

    from labelkit.synthetic import Match
    from labelkit.widgets import FrameReview
    from tests.browser.twin import Twin

pytestmark = pytest.mark.browser

PAINTED = """() => {
  const context = document.querySelector(".lk-film-canvas").getContext("2d");
  const middle = (i) => [...context.getImageData(i * 104 + 50, 29, 1, 1).data];
  return Array.from({ length: 12 }, (_, i) => middle(i).join() !== "26,28,31,255");
}"""


def test_light_is_changed_by_key_and_in_the_panel_and_put_back_without_a_message(twin: Twin) -> None:
    # given
    before = twin.pixel(600, 400)
    twin.stage.focus()
    twin.forget()
    # when
    twin.press("Control+ArrowUp", "Control+ArrowUp", "Control+ArrowUp")
    twin.page.wait_for_timeout(100)
    # then
    assert sum(twin.pixel(600, 400)) > sum(before)
    assert twin.bridge.asks("frames") == []
    # when
    twin.press("l")
    # then
    expect(twin.page.get_by_role("slider", name="Brightness")).to_have_value("130")
    assert twin.bridge.faults() == []
    # when
    twin.page.get_by_role("button", name="Reset light").click()
    twin.page.wait_for_timeout(100)
    # then
    assert twin.pixel(600, 400) == before
    # when
    twin.press("Escape")
    # then
    expect(twin.page.get_by_role("slider", name="Brightness")).to_be_hidden()
    expect(twin.stage).to_be_focused()


def test_small_pictures_of_the_frames_around_lead_to_them(
    show: Callable[[FrameReview], Twin], match: Match, keep_picture: Callable[..., object]
) -> None:
    # given
    twin = show(reviews.players(match))
    twin.page.wait_for_timeout(600)
    twin.settled()
    strip = twin.page.get_by_role("slider", name="Filmstrip")
    keep_picture(twin.page, "review-film")
    # then
    shown = twin.page.evaluate(PAINTED)
    assert shown == [True] * 12
    # when
    strip.click(position={"x": 550, "y": 20})
    # then
    assert twin.index == 5
    # when
    strip.press("ArrowRight")
    # then
    assert twin.index == 6
    # when
    twin.stage.focus()
    twin.press("t")
    # then
    expect(strip).to_be_hidden()
