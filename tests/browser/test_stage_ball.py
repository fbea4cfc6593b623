"""Following the ball: a click places it and goes on, the frames around are shown, and a leap is told."""

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


@pytest.fixture
def ball(show: Callable[[FrameReview], Twin], short: Match) -> Twin:
    """Three frames, of which the first has the ball at (480, 270)."""
    return show(reviews.balls(short))


def test_a_click_says_where_the_ball_is_and_goes_on(ball: Twin) -> None:
    # when
    ball.click(470, 300)
    ball.click(460, 320)
    ball.settled()
    # then
    assert [(op["kind"], op["frame"]) for op in ball.ops()] == [("move", 0), ("add_point", 1)]
    assert ball.index == 2
    places = [[(a.geometry.x, a.geometry.y) for a in ball.review.live.frame(i).annotations] for i in range(3)]
    assert places == [[pytest.approx((470, 300), abs=2)], [pytest.approx((460, 320), abs=2)], []]


def test_it_stays_where_the_person_wants_it_and_a_drag_or_delete_changes_the_ball_there(ball: Twin) -> None:
    # given
    ball.stage.focus()
    ball.press("j")
    # when
    ball.click(470, 300)
    ball.drag((470, 300), (500, 310))
    ball.settled()
    # then
    assert ball.index == 0
    assert [op["kind"] for op in ball.ops()] == ["move", "move"]
    assert ball.page.get_by_role("button", name="Go on", exact=True).get_attribute("aria-pressed") == "false"
    # when
    ball.press("Delete")
    ball.settled()
    # then
    assert ball.frame.annotations == ()


def test_a_leap_faster_than_a_ball_can_fly_is_told_and_taken_back(ball: Twin) -> None:
    # given
    ball.stage.focus()
    ball.press(".")
    # when
    ball.click(900, 100)
    # then
    said = ball.page.locator(".lk-said")
    expect(said).to_contain_text("Too fast: from frame 1 to 2")
    assert ball.index == 2
    # when
    ball.press(",")
    ball.click(490, 280)
    # then
    expect(said).not_to_contain_text("Too fast")


def test_the_frames_around_show_through_and_the_glass_follows_the_pointer(ball: Twin, keep_picture: Callable[..., object]) -> None:
    # given
    ball.stage.focus()
    bare = ball.pixel(480, 270)
    ball.press(".")
    ball.page.wait_for_timeout(100)
    # then
    assert min(ball.pixel(480, 270)[:3]) > max(180, min(bare[:3]))
    # when
    ball.press("o")
    ball.page.wait_for_timeout(100)
    # then
    assert min(ball.pixel(480, 270)[:3]) < 180
    # when
    ball.press("m", "o")
    ball.page.mouse.move(*ball.at(470, 260))
    ball.page.wait_for_timeout(100)
    keep_picture(ball.page, "review-ball")
    # then
    assert ball.page.get_by_role("button", name="Magnifier").get_attribute("aria-pressed") == "true"
