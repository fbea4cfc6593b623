"""Copies, tools and clicks as a reviewer uses them: repeated, at the edge, in a hurry, and on frames of any size."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from PIL import Image
from playwright.sync_api import expect

import labelkit
from labelkit import ReviewOp
from tests.browser import reviews

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from labelkit.synthetic import Match
    from labelkit.widgets import FrameReview
    from tests.browser.twin import Twin

pytestmark = pytest.mark.browser


def pictures(folder: Path, count: int, size: tuple[int, int], *boxes: tuple[int, tuple[float, float, float, float]]) -> FrameReview:
    """Return a review of plain pictures of a size, with boxes of a player on frames."""
    folder.mkdir()
    for index in range(count):
        Image.new("RGB", size, (40, 90 + 10 * index, 60)).save(folder / f"{index:03}.jpg")
    ws = labelkit.open(":memory:", workspace="club-a", user="ana")
    ws.media.add(folder, name="match-1")
    draft = ws.review.open("match-1", reviews.PLAYERS)
    ops = [ReviewOp.add_box(frame, "player", *place, id=f"n{at}") for at, (frame, place) in enumerate(boxes)]
    if ops:
        ws.review.apply(draft.id, base_version=draft.version, ops=ops)
    return labelkit.widgets.FrameReview(ws, "match-1", reviews.PLAYERS)


def places(twin: Twin) -> list[tuple[float, float]]:
    return [(a.geometry.x, a.geometry.y) for a in twin.frame.annotations]


def test_a_box_is_pasted_again_and_again_beside_itself_also_in_the_corner(show: Callable[[FrameReview], Twin], tmp_path: Path) -> None:
    # given
    twin = show(pictures(tmp_path / "f", 2, (320, 180), (0, (215.0, 75.0, 100.0, 100.0))))
    twin.stage.focus()
    # when
    twin.press("]", "Control+c", "Control+v", "Control+v", "Control+v")
    twin.settled()
    # then
    assert places(twin) == [(215, 75), (220, 80), (210, 70), (200, 60)]
    # when
    twin.press(".", "Control+v")
    twin.settled()
    # then
    assert places(twin) == [(215, 75)]
    expect(twin.page.get_by_role("option", selected=True)).to_have_count(1)


def test_what_cannot_be_done_is_said_in_a_sentence_that_counts_frames_from_one(twin: Twin) -> None:
    # given
    said = twin.page.locator(".lk-said")
    twin.stage.focus()
    # when
    twin.press("Control+v")
    # then
    expect(said).to_have_text("Nothing was copied yet.")
    # when there is no later box, then one on the next frame
    twin.click(110, 290)
    twin.press("i")
    # then
    expect(said).to_have_text("no later frame has a confirmed player.")
    twin.review.live.apply(ReviewOp.add_box(1, "player", 120, 100, 200, 200, id="next"))
    twin.press("i")
    expect(said).to_have_text("there is no frame to fill between frames 1 and 2.")
    expect(twin.page.get_by_role("alert")).to_be_hidden()
    # when
    twin.press("Escape", ",")
    # then
    expect(said).to_have_text("This is the first frame.")
    assert {op["kind"] for op in twin.ops()} == {"interpolate"}
    assert len(twin.review.live.frame(0).annotations) == 2


def test_a_box_is_repeated_on_as_many_frames_as_there_are_and_no_more(twin: Twin) -> None:
    # given
    twin.click(110, 290)
    dialog = twin.page.get_by_role("dialog", name="Repeat the selected object")
    # when
    twin.press("Control+b")
    twin.page.keyboard.type("99")
    twin.press("Enter")
    # then
    expect(dialog).to_be_visible()
    assert twin.ops() == []
    # when
    twin.press("Escape")
    # then
    expect(dialog).to_have_count(0)
    expect(twin.stage).to_be_focused()
    assert twin.ops() == []
    # when
    twin.press("Control+b", "Enter")
    # then
    expect(twin.page.locator(".lk-said")).to_have_text("2 frames changed")
    assert [len(twin.review.live.frame(i).annotations) for i in range(3)] == [2, 1, 1]
    # when
    twin.press(".", ".", "]", "Control+b")
    # then
    expect(twin.page.locator(".lk-said")).to_have_text("This is the last frame: there is none to repeat it on.")


@pytest.mark.parametrize(("pause_ms", "expected"), [pytest.param(0, [0], id="a double click"), pytest.param(350, [0, 1], id="two clicks")])
def test_a_double_click_places_one_point_and_two_clicks_place_two(
    show: Callable[[FrameReview], Twin], short: Match, pause_ms: int, expected: list[int]
) -> None:
    # given
    twin = show(reviews.balls(short))
    twin.page.wait_for_timeout(300)
    x, y = twin.at(500, 300)
    twin.page.mouse.move(x, y)
    # when
    for _ in range(2):
        twin.page.mouse.down()
        twin.page.mouse.up()
        twin.page.wait_for_timeout(pause_ms)
    twin.settled()
    # then
    assert [op["frame"] for op in twin.ops()] == expected
    assert twin.index == len(expected)


def test_a_double_click_on_a_box_selects_and_changes_nothing(twin: Twin) -> None:
    # when
    twin.page.mouse.dblclick(*twin.at(110, 290))
    twin.settled()
    # then
    expect(twin.page.get_by_role("option", selected=True)).to_have_count(1)
    assert twin.ops() == []


@pytest.mark.parametrize(
    ("size", "box"),
    [
        pytest.param((16, 16), (3, 4, 6, 5), id="tiny"),
        pytest.param((360, 640), (40, 500, 200, 130), id="portrait"),
        pytest.param((3840, 2160), (3000, 1500, 700, 600), id="4K"),
        pytest.param((2000, 60), (1500, 10, 400, 40), id="a strip"),
    ],
)
def test_boxes_are_drawn_to_the_edge_and_moved_on_frames_of_any_size(
    show: Callable[[FrameReview], Twin], tmp_path: Path, size: tuple[int, int], box: tuple[int, int, int, int]
) -> None:
    # given
    twin = show(pictures(tmp_path / "f", 1, size))
    left, top, width, height = box
    near = max(size) / 200
    # when
    twin.stage.focus()
    twin.press("b")
    twin.drag((left, top), (left + width, top + height))
    twin.settled()
    # then
    (drawn,) = twin.frame.annotations
    geometry = drawn.geometry
    assert (geometry.x, geometry.y, geometry.width, geometry.height) == pytest.approx(box, abs=near)  # type: ignore[union-attr]
    # when
    twin.press("v")
    twin.drag((left + width / 2, top + height / 2), (size[0] + width, size[1] + height))
    twin.settled()
    # then
    (moved,) = twin.frame.annotations
    geometry = moved.geometry
    corner = (geometry.x + geometry.width, geometry.y + geometry.height)  # type: ignore[union-attr]
    assert corner == pytest.approx(size, abs=0.001)
    # when
    twin.press(".")
    # then
    expect(twin.page.locator(".lk-said")).to_have_text("This is the last frame.")


def test_large_frames_are_fetched_once_as_many_as_the_cache_holds(show: Callable[[FrameReview], Twin], tmp_path: Path) -> None:
    # given
    twin = show(pictures(tmp_path / "f", 14, (3840, 2160)))
    # when
    for _ in range(8):
        twin.page.wait_for_timeout(250)
        twin.bridge.deliver()
    asked = [index for ask in twin.bridge.asks("frames") for index in ask["indices"]]
    # then
    assert sorted(asked) == sorted(set(asked))
    assert 0 in asked
    assert len(asked) <= 8
