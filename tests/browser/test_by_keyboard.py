"""Both tasks from the first frame to an approved revision with the keyboard alone: no event of a mouse is ever made."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

import labelkit
from labelkit import ReviewOp
from tests.browser import reviews
from tests.browser.twin import Twin

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from playwright.sync_api import Page

    from labelkit.synthetic import Match
    from labelkit.widgets import FrameReview

pytestmark = pytest.mark.browser

TABS = 60  # far more stops than a review has
MOUSE = """() => {
  window.mice = [];
  for (const kind of ["pointerdown", "pointermove", "mousedown", "mousemove", "wheel", "touchstart"])
    document.addEventListener(kind, (event) => event.isTrusted && mice.push(kind), { capture: true });
}"""


@pytest.fixture
def start(page: Page, short: Match, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], Twin]]:
    """`start(capability)` shows a review without any label, and counts what a mouse would do."""
    shown: list[Twin] = []

    def show(capability: str) -> Twin:
        ws = reviews.workspace(short)
        shown.append(Twin.show(page, labelkit.widgets.FrameReview(ws, "match-1", capability), monkeypatch))
        page.evaluate(MOUSE)
        return shown[0]

    yield show
    for twin in shown:
        assert page.evaluate("window.mice") == []
        assert {getattr(error, "code", str(error)) for error in twin.review.errors} <= {"WARNINGS_REQUIRE_OVERRIDE"}
        assert twin.problems == []
        twin.review.close()


def tab_to(twin: Twin, role: str, name: str | re.Pattern[str], key: str = "Tab") -> None:
    """Go on with Tab, or back with Shift+Tab, until the thing of that name has the focus."""
    wanted = twin.page.get_by_role(role, name=name, exact=True).first
    for _ in range(TABS):
        if wanted.evaluate("(element) => element === document.activeElement"):
            return
        twin.press(key)
    raise AssertionError(f"{key} never came to the {role} {name!r}")


def tab_to_stage(twin: Twin) -> None:
    tab_to(twin, "application", re.compile("Frame 1 of 3"))


def rest(twin: Twin) -> None:
    """Wait until the keys that nudge have rested, and what they did is answered."""
    twin.page.wait_for_timeout(320)
    twin.settled()


def test_boxes_from_nothing_to_an_approved_revision(start: Callable[[str], Twin]) -> None:
    # given
    twin = start(reviews.PLAYERS)
    page, ws = twin.page, twin.review.ws
    # when a box is drawn, moved, made larger, and given another class
    tab_to_stage(twin)
    twin.press("b", "Enter")
    twin.settled()
    (drawn,) = twin.frame.annotations
    twin.press_at_once("ArrowRight", "ArrowRight", "Shift+ArrowDown")
    rest(twin)
    twin.press_at_once("Alt+ArrowRight", "Alt+ArrowRight", "Alt+ArrowDown")
    rest(twin)
    twin.press("3")
    twin.settled()
    # then
    (box,) = twin.frame.annotations
    assert (box.label, str(box.source)) == ("referee", "human")
    assert (box.geometry.x - drawn.geometry.x, box.geometry.y - drawn.geometry.y) == (2, 10)
    assert (box.geometry.width - drawn.geometry.width, box.geometry.height - drawn.geometry.height) == (2, 1)
    # when it is repeated on the other frames, the frame flagged and unflagged, an edit taken back, and every frame accepted
    twin.press("Control+b")
    page.keyboard.type("2")
    twin.press("Enter")
    twin.press("Shift+2", "Shift+2", "Delete", "Control+z", "a", "a", "a")
    twin.settled()
    # then
    draft = twin.review.value
    assert [(frame.state, len(frame.annotations), frame.flags) for frame in draft.frames] == [("accepted", 1, ())] * 3
    # when a copy is added and the frame flagged, publishing asks why
    twin.press("[", "Control+c", "Control+v", "Shift+2")
    twin.settled()
    twin.press("Control+Enter")
    expect(page.locator(".lk-outcome")).to_contain_text("WARNINGS_REQUIRE_OVERRIDE")
    tab_to(twin, "checkbox", "Override the warnings")
    twin.press("Space")
    tab_to(twin, "textbox", "Reason for the override")
    page.keyboard.type("the keeper may be the other one")
    tab_to(twin, "button", "Publish all the same")
    twin.press("Enter")
    # then
    expect(page.locator(".lk-outcome")).to_contain_text("PUBLISH_SUCCESS")
    (revision,) = ws.review.history("match-1", reviews.PLAYERS)
    assert (revision.annotation_count, revision.provenance.reason) == (4, "the keeper may be the other one")
    # when the revision is approved for datasets, and its pack revoked and approved again
    twin.settled()
    tab_to(twin, "tab", "Publish")
    twin.press("ArrowRight", "ArrowRight")
    tab_to(twin, "button", "Approve for dataset: revision 1")
    answers(twin, "the second look agrees")
    twin.settled()
    # then
    assert ws.review.history("match-1", reviews.PLAYERS)[0].eligibility == "APPROVED"
    # when
    pack = ws.review.packs("match-1", reviews.PLAYERS)[0].id
    tab_to(twin, "tab", "Revisions (1)", "Shift+Tab")
    twin.press("ArrowLeft")
    for step, status in (("Revoke", "revoked"), ("Approve", "approved")):
        tab_to(twin, "button", f"{step} label pack {pack}")
        answers(twin, f"to {step.lower()} it")
        twin.settled()
        # then
        assert [(one.review_status, one.reason) for one in ws.review.packs("match-1", reviews.PLAYERS)] == [
            (status, f"to {step.lower()} it")
        ]


def answers(twin: Twin, reason: str) -> None:
    """Press the button that has the focus, give the reason and confirm."""
    twin.press("Enter")
    expect(twin.page.get_by_role("dialog").get_by_label("Reason")).to_be_focused()
    twin.page.keyboard.type(reason)
    twin.press("Tab", "Tab", "Enter")
    expect(twin.page.get_by_role("dialog")).to_have_count(0)


def test_the_ball_from_nothing_to_a_published_revision(start: Callable[[str], Twin]) -> None:
    # given
    twin = start(reviews.BALL)
    # when the ball is placed and put right
    tab_to_stage(twin)
    twin.press("p", "Enter")
    twin.settled()
    (placed,) = twin.frame.annotations
    twin.press_at_once("ArrowLeft", "ArrowLeft", "Shift+ArrowUp")
    rest(twin)
    # then
    first = twin.frame.annotations[0].geometry
    assert (first.x - placed.geometry.x, first.y - placed.geometry.y) == (-2, -10)
    # when it is placed two frames on, and the frame between is filled
    twin.press(".", ".", "Enter")
    assert twin.index == 2
    twin.settled()
    twin.press(",", ",", "]", "i", ".")
    twin.settled()
    # then
    (between,) = twin.frame.annotations
    last = twin.review.live.frame(2).annotations[0].geometry
    assert (between.geometry.x, between.geometry.y) == ((first.x + last.x) / 2, (first.y + last.y) / 2)
    assert str(between.source) == "interpolated"
    # when
    twin.press(",", "a", "a", "a", "Control+Enter")
    # then
    expect(twin.page.locator(".lk-outcome")).to_contain_text("PUBLISH_SUCCESS")
    assert twin.review.ws.review.history("match-1", reviews.BALL)[0].annotation_count == 3


def test_keys_faster_than_the_kernel_judge_no_frame_that_has_not_come_and_say_so(show: Callable[[FrameReview], Twin], match: Match) -> None:
    # given the last of twelve frames, which nobody has asked for yet
    twin = show(reviews.players(match))
    twin.busy()
    field = twin.page.get_by_role("textbox", name="Go to frame")
    field.fill("12")
    field.press("Enter")
    said = twin.page.locator(".lk-said")
    for key in ("a", "Shift+4"):
        # when
        twin.page.evaluate("() => { document.querySelector('.lk-said').textContent = ''; }")
        twin.press(key)
        # then
        expect(said).to_have_text("This frame is still on its way.")
    # when
    twin.idle()
    twin.settled()
    # then
    expect(said).to_have_text("")
    # when
    twin.press("a")
    twin.settled()
    # then
    assert [(frame.state, frame.flags) for frame in twin.review.value.frames[10:]] == [("untouched", ()), ("accepted", ())]


def test_an_undo_that_is_answered_late_does_not_pull_back_who_has_gone_on(start: Callable[[str], Twin]) -> None:
    # given
    twin = start(reviews.PLAYERS)
    tab_to_stage(twin)
    twin.press("Shift+1")
    twin.settled()
    # when
    twin.busy()
    twin.press("Control+z", ".", ".")
    twin.idle()
    twin.settled()
    # then
    assert twin.index == 2
    assert twin.review.live.frame(0).flags == ()


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("capability", [reviews.PLAYERS, reviews.BALL])
def test_nothing_stands_in_the_way_of_a_screen_reader(
    page: Page, short: Match, monkeypatch: pytest.MonkeyPatch, capability: str, theme: str
) -> None:
    # given
    ws = reviews.workspace(short)
    draft = ws.review.open("match-1", capability)
    op = ReviewOp.add_point(0, "ball", 480, 270) if capability == reviews.BALL else ReviewOp.add_box(0, "player", 100, 100, 60, 90)
    ws.review.apply(draft.id, base_version=draft.version, ops=[op])
    review: FrameReview = labelkit.widgets.FrameReview(ws, "match-1", capability)
    twin = Twin.show(page, review, monkeypatch, theme)
    # then
    assert twin.bridge.faults() == []
    # when an object is chosen, a publish is refused, and every tab was open once
    tab_to_stage(twin)
    twin.press("]", "Control+Enter")
    expect(page.locator(".lk-outcome")).to_contain_text("WARNINGS_REQUIRE_OVERRIDE")
    # then
    assert twin.bridge.faults() == []
    # when
    twin.review.live.publish(override_warnings=True, reason="to have a row in each list")
    twin.review.tell("published")
    twin.settled()
    for name in ("Label packs (1)", "Revisions", "Shelf"):
        page.get_by_role("tab", name=name).press("Enter")
        # then
        expect(page.get_by_role("tab", name=name)).to_have_attribute("aria-selected", "true")
        assert twin.bridge.faults() == []
    assert twin.problems == []
    review.close()
