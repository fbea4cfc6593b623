"""How a person likes to see a review: kept in their browser over a reload and for the next review, put back by one click."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

import labelkit
from tests.browser import reviews
from tests.browser.conftest import SIZE
from tests.browser.twin import Twin

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from playwright.sync_api import Browser, BrowserContext, Page

    from labelkit.synthetic import Match
    from labelkit.widgets import FrameReview

pytestmark = pytest.mark.browser

HOME = "http://hub.test/"
KEPT = "() => localStorage.getItem('labelkit.review')"
DAMAGED = [
    pytest.param("not json", id="no JSON"),
    pytest.param("[1, 2]", id="a list"),
    pytest.param("null", id="nothing"),
    pytest.param('{"ana": 3}', id="a number for a person"),
    pytest.param(
        '{"ana": {"view": {"brightness": "high", "film": 1, "gone": true}, "player_detection": {"tool": "lasso", "label": "dog"}}}',
        id="other values",
    ),
]


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A page in a window of its own, in which no site has kept anything."""
    context = browser.new_context(viewport=SIZE)
    yield context.new_page()
    context.close()


@pytest.fixture
def visit(page: Page, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[FrameReview], Twin]]:
    """Shows a review in a new tab of a site, as after a reload: what the site may keep is there again."""
    context: BrowserContext = page.context
    context.route(f"{HOME}*", lambda route: route.fulfill(body="<!doctype html><title>hub</title>", content_type="text/html"))
    shown: list[Twin] = []

    def start(review: FrameReview) -> Twin:
        tab = context.new_page()
        tab.set_default_timeout(10_000)
        tab.goto(HOME)
        shown.append(Twin.show(tab, review, monkeypatch))
        return shown[-1]

    yield start
    for twin in shown:
        twin.review.close()
        assert twin.problems == []


def pressed(twin: Twin, *names: str) -> list[bool]:
    """Say of buttons of the tool bar whether they are pressed."""
    bar = twin.page.get_by_role("toolbar", name="Tools")
    return [bar.get_by_role("button", name=name, exact=True).get_attribute("aria-pressed") == "true" for name in names]


def test_choices_are_there_again_after_a_reload_and_in_the_next_review(visit: Callable[[FrameReview], Twin], match: Match) -> None:
    # given
    twin = visit(reviews.players(match))
    twin.stage.focus()
    # when
    twin.press("t", "b", "3", "Control+ArrowUp", "Control+Shift+ArrowDown", "+", "+")
    twin.page.get_by_role("button", name="Changes").click()
    # then
    for again in (twin.review, reviews.players(match)):
        other = visit(again)
        assert pressed(other, "Film", "Changes", "Labels", "Box", "Select", "referee") == [False, False, True, True, False, True]
        expect(other.page.get_by_role("slider", name="Filmstrip")).to_be_hidden()
        other.stage.focus()
        other.press("l")
        expect(other.page.get_by_role("slider", name="Brightness")).to_have_value("110")
        expect(other.page.get_by_role("slider", name="Contrast")).to_have_value("90")
        expect(other.page.get_by_title("Fit the frame into the view")).to_have_text("81%")
    # when
    other.press("Escape")
    other.drag((500, 300), (600, 350))
    other.settled()
    # then
    assert [(op["kind"], op["label"]) for op in other.ops()] == [("add_box", "referee")]


def test_the_help_for_points_is_kept_and_another_capability_has_a_tool_of_its_own(
    visit: Callable[[FrameReview], Twin], short: Match
) -> None:
    # given
    ball = visit(reviews.balls(short))
    ball.stage.focus()
    # when
    ball.press("j", "o", "m", "v")
    # then
    again = visit(reviews.balls(short))
    assert pressed(again, "Go on", "Trail", "Magnifier", "Select", "Point") == [False, False, True, True, False]
    players = visit(reviews.players(short))
    assert pressed(players, "Select", "Box") == [True, False]
    players.stage.focus()
    players.press("b")
    assert pressed(visit(reviews.balls(short)), "Select", "Point") == [True, False]


def test_one_click_puts_everything_back(visit: Callable[[FrameReview], Twin], short: Match) -> None:
    # given
    twin = visit(reviews.players(short))
    reset = twin.page.get_by_role("button", name="Reset the view")
    expect(reset).to_have_attribute("aria-disabled", "true")
    twin.stage.focus()
    bright = twin.pixel(700, 400)
    twin.press("t", "b", "2", "Control+ArrowUp")
    twin.page.get_by_role("button", name="Labels").click()
    # when
    reset.click()
    twin.page.wait_for_timeout(100)
    # then
    first = twin.review.capability.classes[0]
    assert pressed(twin, "Film", "Labels", "Changes", "Select", "Box", first) == [True, True, True, True, False, True]
    assert twin.pixel(700, 400) == bright
    expect(reset).to_have_attribute("aria-disabled", "true")
    assert pressed(visit(reviews.players(short)), "Film", "Labels", "Select") == [True, True, True]


def test_labels_that_were_hidden_the_last_time_are_hidden_and_that_is_said(visit: Callable[[FrameReview], Twin], short: Match) -> None:
    # given
    twin = visit(reviews.boxes(short, (100, 100, 200, 200)))
    shown = twin.pixel(100, 250)
    twin.page.get_by_role("button", name="Labels").click()
    # when
    other = visit(reviews.boxes(short, (100, 100, 200, 200)))
    # then
    assert other.pixel(100, 250) != shown
    expect(other.page.locator(".lk-said")).to_have_text("The labels are hidden: the button Labels shows them.")
    # when
    other.stage.focus()
    other.page.keyboard.down("h")
    other.page.keyboard.up("h")
    other.page.wait_for_timeout(100)
    # then
    assert other.pixel(100, 250) != shown


def test_people_who_share_a_browser_have_choices_of_their_own(visit: Callable[[FrameReview], Twin], short: Match, tmp_path: Path) -> None:
    # given
    twin = visit(reviews.players(short, str(tmp_path / "labels.duckdb")))
    twin.stage.focus()
    twin.press("t")
    # when
    twin.review.ws.set_role("bob", "annotator")
    bob = labelkit.widgets.FrameReview(labelkit.open(twin.review.ws.path, workspace="club-a", user="bob"), "match-1", reviews.PLAYERS)
    other = visit(bob)
    other.stage.focus()
    other.press("b")
    # then
    assert pressed(other, "Film", "Box") == [True, True]
    assert pressed(visit(reviews.players(short)), "Film", "Box") == [False, False]
    assert set(json.loads(other.page.evaluate(KEPT))) == {"ana", "bob"}


@pytest.mark.parametrize("kept", DAMAGED)
def test_what_cannot_be_read_is_as_if_nothing_was_kept(visit: Callable[[FrameReview], Twin], short: Match, page: Page, kept: str) -> None:
    # given
    page.goto(HOME)
    page.evaluate("(kept) => localStorage.setItem('labelkit.review', kept)", kept)
    # when
    twin = visit(reviews.players(short))
    # then
    assert pressed(twin, "Film", "Labels", "Select", twin.review.capability.classes[0]) == [True] * 4
    expect(twin.page.get_by_role("button", name="Reset the view")).to_have_attribute("aria-disabled", "true")
    # when
    twin.stage.focus()
    twin.press("t")
    # then
    assert pressed(visit(reviews.players(short)), "Film") == [False]


def test_a_page_that_may_keep_nothing_shows_the_review_all_the_same(twin: Twin) -> None:
    # given a page without an origin, which may not even look
    assert twin.page.evaluate("() => { try { localStorage; return 'may look'; } catch { return 'may not'; } }") == "may not"
    # when
    twin.stage.focus()
    twin.press("t")
    # then
    assert pressed(twin, "Film") == [False]
