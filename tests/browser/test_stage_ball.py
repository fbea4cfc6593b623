"""Following the ball: a click places it and goes on, the frames around are shown, and a leap is told."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

import labelkit
from labelkit import ReviewOp
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


@pytest.fixture
def leaping(show: Callable[[FrameReview], Twin], match: Match) -> Twin:
    """Twelve frames; on the eleventh the ball is far from where it was on the eighth, the last before it."""
    ws = reviews.workspace(match)
    draft = ws.review.open("match-1", reviews.BALL)
    places = {i: (480 + 4 * i, 270) for i in range(8)} | {10: (60, 500), 11: (64, 500)}
    ops = [ReviewOp.add_point(i, "ball", x, y, 10, id=f"ball{i}") for i, (x, y) in places.items()]
    ws.review.apply(draft.id, base_version=draft.version, ops=ops)
    return show(labelkit.widgets.FrameReview(ws, "match-1", reviews.BALL))


def told(twin: Twin, index: int) -> str:
    """Return what the timeline says of a frame under the pointer."""
    strip = twin.page.get_by_role("slider", name="Frames")
    strip.hover(position={"x": 28 * index + 14, "y": 20})
    return str(strip.get_attribute("title"))


def warned(twin: Twin) -> list[int]:
    """Return the frames of which a publish would warn."""
    with pytest.raises(labelkit.LabelkitError) as refusal:
        twin.review.live.publish()
    return [finding["frame"] for finding in refusal.value.facts["findings"] if finding["code"] == "BALL_JUMP"]


def test_every_leap_of_the_media_is_marked_before_its_frames_are_loaded(leaping: Twin) -> None:
    # then
    loaded = {index for ask in leaping.bridge.asks("frames") for index in ask["indices"]}
    assert 10 not in loaded
    assert "moved too fast" in told(leaping, 10)
    assert [i for i in range(12) if "moved too fast" in told(leaping, i)] == warned(leaping) == [10]
    # when
    leaping.page.get_by_role("slider", name="Frames").press("End")
    leaping.press("ArrowLeft")
    # then
    expect(leaping.page.locator(".lk-said")).to_have_text(
        re.compile(r"Too fast: from frame 8 to 11 at \d+\.\d frame widths a second, at most 2")
    )


def test_the_marks_follow_every_edit_and_agree_with_what_a_publish_warns_of(leaping: Twin) -> None:
    # given
    leaping.stage.focus()
    leaping.press("j")

    def marked() -> list[int]:
        leaping.settled()
        return [i for i in range(12) if "moved too fast" in told(leaping, i)]

    # when the ball is put where it does not belong
    leaping.page.get_by_role("slider", name="Frames").press("PageUp")
    leaping.stage.focus()
    leaping.press(".", ".")
    leaping.click(900, 500)
    # then
    assert marked() == warned(leaping) == [2, 3, 10]
    # when
    leaping.stage.focus()
    leaping.press("Delete")
    # then
    assert marked() == warned(leaping) == [10]
    # when
    leaping.press("Control+z")
    # then
    assert marked() == warned(leaping) == [2, 3, 10]
    # when another session takes the far points away, and this one hears of it
    review = leaping.review
    far = [ReviewOp.delete(i, f"ball{i}") for i in (10, 11)]
    review.ws.review.apply(review.live.draft_id, base_version=review.live.save(), ops=far)
    review.others()
    # then
    assert marked() == warned(leaping) == [2, 3]
