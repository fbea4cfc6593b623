"""Frames on the stage: found, shown, broken, crowded, refused, looked at only."""

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
    from labelkit.widgets import FrameReview

pytestmark = pytest.mark.browser

A, B = (100.0, 100.0, 200.0, 200.0), (150.0, 150.0, 60.0, 60.0)


def test_a_busy_kernel_stops_nobody_and_says_so_after_two_seconds(twin: Twin) -> None:
    # given
    banner = twin.page.get_by_role("alert").filter(has_text="NOT SAVED")
    twin.busy()
    # when
    twin.drag((500, 300), (600, 350))
    twin.press(".")
    # then
    assert twin.index == 1
    expect(twin.page.locator(".lk-stage.lk-loading")).to_have_count(0)
    expect(banner).to_be_visible(timeout=3_000)
    expect(twin.page.locator(".lk-save")).to_have_text("NOT SAVED")
    # when
    twin.idle()
    twin.settled()
    # then
    expect(banner).to_be_hidden()
    assert len(twin.review.live.frame(0).annotations) == 3


def test_an_edit_that_the_kernel_refuses_disappears_and_the_reason_is_shown(twin: Twin) -> None:
    # given
    twin.bridge.late = True
    twin.review.live.apply(ReviewOp.delete(0, "b"))
    # when
    twin.drag((180, 180), (400, 400))
    twin.settled()
    # then
    expect(twin.page.get_by_role("alert").filter(has_text="UNKNOWN_ANNOTATION")).to_be_visible()
    assert twin.page.get_by_role("option").count() == 2
    assert [type(error).__name__ for error in twin.review.errors] == ["UnknownAnnotation"]


def test_a_broken_frame_says_why_and_takes_flags_only(show: Callable[[FrameReview], Twin], short: Match, tmp_path: Path) -> None:
    # given
    twin = show(reviews.broken(tmp_path / "frames", short))
    # when
    twin.stage.focus()
    twin.press(".")
    twin.drag((500, 300), (600, 400))
    twin.press("b", "Enter", "Shift+1")
    twin.settled()
    # then
    expect(twin.page.get_by_text("FRAME_NOT_AN_IMAGE")).to_be_visible()
    assert [op["kind"] for op in twin.ops()] == ["flag"]
    assert [str(flag) for flag in twin.review.live.frame(1).flags] == ["bad_frame"]
    # when
    twin.press(".")
    # then
    expect(twin.page.get_by_text("FRAME_NOT_AN_IMAGE")).to_be_hidden()


def test_frames_are_stepped_jumped_to_and_found(show: Callable[[FrameReview], Twin], match: Match) -> None:
    # given
    twin = show(reviews.players(match))
    risk = twin.review.live.worth()["risk"]
    riskiest = max((i for i in range(12) if i not in (0, 1, 2, 10, 11)), key=lambda i: risk[i])
    # then
    twin.stage.focus()
    steps = [(".", 1), (",", 0), ("ArrowRight", 1), ("ArrowLeft", 0), ("Shift+ArrowRight", 10), ("u", 11), ("u", 2), ("n", riskiest)]
    for key, expected in steps:
        twin.press(key)
        assert twin.index == expected, key
        twin.settled()
    # when
    field = twin.page.get_by_role("textbox", name="Go to frame")
    field.fill("7")
    field.press("Enter")
    # then
    assert twin.index == 6
    # when
    twin.page.get_by_role("slider", name="Frames").press("End")
    # then
    assert twin.index == 11
    twin.settled()
    assert twin.review.live.cursor == 11


def test_a_cached_frame_needs_no_message_to_be_shown(show: Callable[[FrameReview], Twin], match: Match) -> None:
    # given
    twin = show(reviews.players(match))
    twin.bridge.until(lambda: {1, 2, 3} <= {index for ask in twin.bridge.asks("frames") for index in ask["indices"]})
    twin.settled()
    twin.busy()
    twin.stage.focus()
    twin.forget()
    # when
    twin.press(".", ".", ".")
    # then
    assert twin.index == 3
    expect(twin.page.locator(".lk-stage.lk-loading")).to_have_count(0)
    assert twin.bridge.asks("frames") == []
    twin.idle()
    twin.settled()


def test_frames_that_the_kernel_refuses_are_asked_for_once_a_step(
    show: Callable[[FrameReview], Twin], match: Match, monkeypatch: pytest.MonkeyPatch
) -> None:
    # given
    review = reviews.players(match)
    send = type(review).frames

    def frames(self: FrameReview, indices: list[int]) -> object:
        if 5 in indices:
            raise OSError("the disk is away")
        return send(self, indices)

    monkeypatch.setattr(type(review), "frames", frames)
    # when
    twin = show(review)
    twin.page.wait_for_timeout(300)
    # then
    expect(twin.page.get_by_role("alert").filter(has_text="the disk is away")).to_be_visible()
    refused = [ask for ask in twin.bridge.asks("frames") if 5 in ask["indices"]]
    assert 1 <= len(refused) <= 2
    # when
    monkeypatch.setattr(type(review), "frames", send)
    twin.stage.focus()
    twin.press(".")
    twin.settled()
    # then
    assert len([ask for ask in twin.bridge.asks("frames") if 5 in ask["indices"]]) == len(refused) + 1


def test_a_crowd_builds_only_the_rows_in_sight(show: Callable[[FrameReview], Twin], short: Match) -> None:
    # given
    ws = reviews.workspace(short)
    draft = ws.review.open("match-1", reviews.PLAYERS)
    ops = [labelkit.ReviewOp.add_box(0, "player", i % 40 * 20, i // 40 * 20, 15, 15, id=f"n{i}") for i in range(1_000)]
    ws.review.apply(draft.id, base_version=draft.version, ops=ops)
    # when
    twin = show(labelkit.widgets.FrameReview(ws, "match-1", reviews.PLAYERS))
    # then
    assert twin.page.get_by_role("option").count() < 40
    # when
    twin.page.get_by_role("listbox").focus()
    twin.press("End")
    # then
    last = twin.page.get_by_role("option", selected=True)
    expect(last).to_have_attribute("aria-posinset", "1000")
    expect(last).to_be_in_viewport()


def test_a_viewer_may_look_but_not_edit(show: Callable[[FrameReview], Twin], short: Match, tmp_path: Path) -> None:
    # given
    owner = reviews.players(short, str(tmp_path / "labels.duckdb"))
    owner.close()
    owner.ws.set_role("vera", "viewer")
    twin = show(labelkit.widgets.FrameReview(labelkit.open(owner.ws.path, workspace="club-a", user="vera"), "match-1", reviews.PLAYERS))
    before = len(twin.frame.annotations)
    # when
    twin.drag((500, 300), (600, 350))
    twin.settled()
    # then
    assert twin.ops() == []
    assert len(twin.frame.annotations) == before
    expect(twin.page.get_by_role("alert")).to_contain_text("You may look, not edit")
    expect(twin.page.get_by_role("button", name="Publish", exact=True)).to_be_disabled()


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_no_fault(page: Page, short: Match, monkeypatch: pytest.MonkeyPatch, theme: str) -> None:
    # given
    twin = Twin.show(page, reviews.boxes(short, A, B), monkeypatch, theme)
    twin.click(110, 290)
    twin.press("Shift+1")
    twin.settled()
    # then
    assert twin.bridge.faults() == []
    twin.review.close()


def test_nobody_asks_who_is_there_while_something_is_dragged(page: Page, show: Callable[[FrameReview], Twin], short: Match) -> None:
    # given a clock that the test moves, and a box that is being drawn
    page.clock.install()
    twin = show(reviews.players(short))
    asked = len(twin.bridge.asks("others"))
    page.mouse.move(*twin.at(20, 20))
    page.mouse.down()
    page.mouse.move(*twin.at(90, 90), steps=4)
    # when longer passes than two signs of life are apart
    page.clock.run_for(25_000)
    # then
    assert len(twin.bridge.asks("others")) == asked
    # when
    page.mouse.up()
    page.clock.run_for(1_000)
    # then
    assert len(twin.bridge.asks("others")) == asked + 1
    assert [op["kind"] for op in twin.ops()] == ["add_box"]
