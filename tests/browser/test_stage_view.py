"""What a view shows for itself: the light of the picture, and small pictures of the frames around."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from tests.browser import reviews
from tests.browser.twin import Twin

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from playwright.sync_api import Page

    from labelkit.synthetic import Match
    from labelkit.widgets import FrameReview

pytestmark = pytest.mark.browser

TILE = """(at) => {
  const canvas = document.querySelector(".lk-film-canvas");
  const ratio = devicePixelRatio;
  const width = canvas.clientWidth;
  const most = Math.floor((width + 2) / 104);
  const left = Math.round((at * (width - 102)) / (most - 1)) + 3;
  const context = canvas.getContext("2d");
  const pixels = (x, y, wide, high) => context.getImageData(x * ratio, y * ratio, wide * ratio, high * ratio).data;
  const picture = pixels(left + 4, 7, 88, 46);
  const seen = new Set();
  for (let i = 0; i < picture.length; i += 4) seen.add(picture.slice(i, i + 3).join());
  return { colours: seen.size, bar: [...pixels(left + 5, 72, 1, 1)], flag: [...pixels(left + 89, 66, 1, 1)] };
}"""
"""How many colours the picture of a tile has, and the colours of the foot of its bar and of its pennant's middle."""

STRIP = """([at, count]) => {
  const canvas = document.querySelector(".lk-timeline-canvas");
  const wide = Math.min(canvas.clientWidth / count, 28) * devicePixelRatio;
  const pixel = (y) => [...canvas.getContext("2d").getImageData((at + 0.5) * wide, y * devicePixelRatio, 1, 1).data];
  return { bar: pixel(30), flag: pixel(2) };
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
    strip = twin.page.get_by_role("slider", name="Filmstrip")
    # then
    twin.bridge.until(lambda: min(twin.page.evaluate(TILE, at)["colours"] for at in range(11)) > 400)
    keep_picture(twin.page, "review-film")
    # when
    strip.click(position={"x": 590, "y": 20})
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


def test_a_small_picture_has_the_marks_of_its_frame_on_the_timeline(show: Callable[[FrameReview], Twin], match: Match) -> None:
    # given
    twin = show(reviews.players(match))
    twin.stage.focus()
    # when
    twin.press("a", "Shift+1", ".")
    twin.settled()
    twin.press(".")
    twin.settled()
    twin.bridge.until(lambda: twin.page.evaluate(TILE, 2)["bar"] == twin.page.evaluate(STRIP, [2, 12])["bar"])
    tiles = [twin.page.evaluate(TILE, at) for at in range(4)]
    columns = [twin.page.evaluate(STRIP, [at, 12]) for at in range(4)]
    # then
    assert twin.index == 3
    assert [str(frame.state) for frame in map(twin.review.live.frame, range(3))] == ["accepted", "edited", "seen"]
    assert [tile["bar"] for tile in tiles[:3]] == [column["bar"] for column in columns[:3]]
    assert len({tuple(tile["bar"]) for tile in tiles[:3]}) == 3
    assert tiles[1]["flag"] == columns[1]["flag"]
    assert tiles[0]["flag"] != tiles[1]["flag"]


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_frame_without_a_picture_says_so_in_the_strip_and_why_in_its_tooltip(
    page: Page, short: Match, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, theme: str
) -> None:
    # given
    twin = Twin.show(page, reviews.broken(tmp_path / "frames", short), monkeypatch, theme)
    page.wait_for_timeout(400)
    twin.settled()
    strip = page.get_by_role("slider", name="Filmstrip")
    tiles = [page.evaluate(TILE, at)["colours"] for at in range(3)]
    # then
    assert tiles[0] > 400
    assert tiles[2] > 400
    assert 1 < tiles[1] < 200
    assert [index for ask in twin.bridge.asks("thumbnails") for index in ask["indices"] if index == 1] == []
    # when
    strip.hover(position={"x": 150, "y": 30})
    # then
    expect(strip).to_have_attribute("title", re.compile(r"Frame 2 of 3: untouched, no picture, FRAME_NOT_AN_IMAGE\b"))
    # when
    strip.click(position={"x": 150, "y": 30})
    # then
    expect(strip).to_have_attribute("aria-valuetext", re.compile("Frame 2 of 3: .*, no picture, FRAME_NOT_AN_IMAGE"))
    assert twin.bridge.faults() == []
    twin.review.close()


def test_a_file_that_went_away_after_it_was_added_is_marked_once_it_is_missed(
    show: Callable[[FrameReview], Twin], short: Match, tmp_path: Path
) -> None:
    # given
    review = reviews.broken(tmp_path / "frames", short)
    sorted((tmp_path / "frames").glob("*.jpg"))[2].unlink()
    # when
    twin = show(review)
    twin.page.wait_for_timeout(400)
    twin.settled()
    strip = twin.page.get_by_role("slider", name="Filmstrip")
    strip.hover(position={"x": 250, "y": 30})
    # then
    assert twin.page.evaluate(TILE, 2)["colours"] < 200
    expect(strip).to_have_attribute("title", re.compile(r"Frame 3 of 3: untouched, no picture, FRAME_UNAVAILABLE\b"))
    # when
    strip.click(position={"x": 250, "y": 30})
    # then
    expect(twin.page.get_by_text("This frame has no picture")).to_be_visible()
