"""Around the stage: autosave and conflicts, publish with findings, packs, revisions, what another view sees."""

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
    from pathlib import Path

    from playwright.sync_api import Page

    from labelkit.synthetic import Match

pytestmark = pytest.mark.browser


@pytest.fixture
def twin(page: Page, short: Match, monkeypatch: pytest.MonkeyPatch) -> Iterator[Twin]:
    """The model's players on three frames."""
    shown = Twin.show(page, reviews.players(short), monkeypatch)
    yield shown
    assert shown.problems == []
    shown.review.close()


def test_a_publish_shows_its_findings_and_leads_to_their_frames(twin: Twin, keep_picture: Callable[..., Path]) -> None:
    # given
    page = twin.page
    # when
    page.get_by_role("button", name="Publish", exact=True).click()
    # then
    findings = page.get_by_role("list", name="Findings").get_by_role("listitem")
    expect(findings.first).to_be_visible()
    untouched = findings.filter(has_text="untouched frames")
    # when
    untouched.get_by_role("button").click()
    # then
    assert twin.index == 1
    expect(twin.stage).to_be_focused()
    keep_picture(page, "review-findings")


def test_an_override_without_a_reason_is_refused_and_with_one_publishes(twin: Twin) -> None:
    # given
    page = twin.page
    again = page.get_by_role("button", name="Publish all the same")
    expect(again).to_be_hidden()
    twin.stage.focus()
    twin.press("Control+Enter")
    # when
    page.get_by_role("checkbox", name="Override the warnings").check()
    again.click()
    # then
    expect(page.get_by_text("REASON_REQUIRED")).to_be_visible()
    # when
    page.get_by_label("Reason for the override").fill("looked at by hand")
    again.click()
    # then
    expect(page.get_by_text("Revision 1 is published")).to_be_visible()
    expect(again).to_be_hidden()
    # when
    twin.stage.focus()
    twin.press("Control+Enter")
    # then
    expect(page.get_by_text("revision 1 has the same content")).to_be_visible()
    assert len(twin.review.ws.review.history("match-1", reviews.PLAYERS)) == 1


def test_packs_are_revoked_and_approved_again_with_reasons_and_publishing_follows(twin: Twin) -> None:
    # given
    review, page = twin.review.ws.review, twin.page
    twin.review.live.publish(override_warnings=True, reason="r")
    twin.review.tell("published")
    twin.settled()
    page.get_by_role("tab", name="Label packs (1)").click()
    # when
    page.get_by_role("button", name="Revoke").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("button", name="Revoke").click()
    # then
    expect(dialog.get_by_role("alert")).to_contain_text("A reason is needed")
    # when
    dialog.get_by_label("Reason").fill("wrong model")
    dialog.get_by_role("button", name="Revoke").click()
    # then
    expect(page.get_by_role("button", name="Approve")).to_be_visible()
    (pack,) = review.packs("match-1", reviews.PLAYERS)
    assert (pack.review_status, pack.reason) == ("revoked", "wrong model")
    # when
    page.get_by_role("tab", name="Publish").click()
    # then
    expect(page.get_by_text("Approve a label pack first")).to_be_visible()


def test_a_conflict_offers_both_sides_and_takes_the_chosen_one(twin: Twin) -> None:
    # given
    live, page = twin.review.live, twin.page
    first, second = live.frame(0).annotations[:2]
    twin.review.ws.review.apply(live.draft_id, base_version=live.save(), ops=[ReviewOp.delete(0, first.id)])
    # when
    twin.stage.focus()
    twin.press("]", "]", "Delete")
    page.wait_for_timeout(500)
    twin.settled()
    # then
    expect(page.locator(".lk-save")).to_contain_text("Stale")
    expect(page.get_by_role("alert").filter(has_text="DRAFT_VERSION_CONFLICT")).to_be_visible()
    # when
    page.get_by_role("region", name="Conflict").get_by_role("button", name="Take all theirs").click()
    page.wait_for_timeout(300)
    twin.settled()
    # then
    expect(page.locator(".lk-save")).to_contain_text("Saved")
    assert live.frame(0).find(first.id) is None
    assert live.frame(0).find(second.id) is not None
    assert page.get_by_role("option").count() > 0


def test_what_another_view_or_python_changes_shows_here(twin: Twin) -> None:
    # when
    twin.review.live.apply(ReviewOp.flag(0, "bad_frame"))
    twin.settled()
    # then
    expect(twin.page.get_by_role("button", name="Bad frame")).to_have_attribute("aria-pressed", "true")
    expect(twin.page.locator(".lk-state")).to_have_text("edited")


def test_a_reset_can_be_restored_from_its_banner(twin: Twin) -> None:
    # given
    before = twin.frame.annotations
    twin.stage.focus()
    twin.press("]", "Delete")
    twin.settled()
    # when
    twin.page.get_by_role("button", name="Reset draft").click()
    twin.page.wait_for_timeout(300)
    twin.settled()
    # then
    assert twin.frame.annotations == before
    expect(twin.page.locator(".lk-side").get_by_text(str(len(before)), exact=True)).to_be_visible()
    # when
    twin.page.get_by_role("button", name="Restore").click()
    twin.page.wait_for_timeout(300)
    twin.settled()
    # then
    assert len(twin.frame.annotations) == len(before) - 1


def test_what_was_done_can_be_copied_as_python(twin: Twin) -> None:
    # given
    twin.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    button = twin.page.get_by_role("button", name="Copy as Python")
    expect(button).to_be_disabled()
    # when
    twin.stage.focus()
    twin.press("Shift+2")
    twin.settled()
    # then
    expect(button).to_be_enabled()
    expect(button).to_have_attribute("title", twin.review.python)
    assert "ReviewOp.flag(frame=0, flag='needs_human_review')" in twin.review.python


def test_the_timeline_leads_to_the_frame_under_the_pointer(page: Page, match: Match, monkeypatch: pytest.MonkeyPatch) -> None:
    # given
    twin = Twin.show(page, reviews.players(match), monkeypatch)
    strip = page.get_by_role("slider", name="Frames")
    # when
    strip.click(position={"x": 28 * 5.5, "y": 20})
    # then
    assert twin.index == 5
    expect(strip).to_have_attribute("aria-valuenow", "6")
    expect(strip).to_have_attribute("aria-valuetext", re.compile("risk"))
    twin.settled()
    twin.review.close()


@pytest.mark.parametrize("width", [1280, 640, 420])
def test_nothing_sticks_out_or_jumps_at_any_width(twin: Twin, width: int, keep_picture: Callable[..., Path]) -> None:
    # given
    twin.page.set_viewport_size({"width": width, "height": 900})
    twin.page.wait_for_timeout(200)
    # then
    wide = twin.page.evaluate("() => document.documentElement.scrollWidth")
    assert wide <= width
    # when
    before = twin.stage.bounding_box()
    twin.stage.focus()
    twin.press("]", "Delete", ".", "Shift+1")
    twin.review.tell("error", {"code": "X", "title": "A refusal", "detail": "of some length", "hint": "Try another."})
    twin.settled()
    # then
    expect(twin.page.get_by_role("alert")).to_be_visible()
    assert twin.stage.bounding_box() == before
    keep_picture(twin.page, f"review-{width}")


def test_an_unexpected_fault_of_the_kernel_is_shown_with_its_name(twin: Twin, monkeypatch: pytest.MonkeyPatch) -> None:
    # given
    def fail(*_: object) -> None:
        raise ZeroDivisionError("no such thing")

    monkeypatch.setattr(type(twin.review.live), "run", fail)
    # when
    twin.stage.focus()
    twin.press("]", "Delete")
    twin.settled()
    # then
    expect(twin.page.get_by_role("alert")).to_contain_text("ZeroDivisionError")
    assert isinstance(twin.review.errors[-1], ZeroDivisionError)


def test_a_review_of_ten_thousand_frames_opens_in_a_moment(page: Page, short: Match, monkeypatch: pytest.MonkeyPatch) -> None:
    # given
    ws = reviews.workspace(short)
    review = labelkit.widgets.FrameReview(ws, "match-1", reviews.PLAYERS)
    ready = review.ready()
    many = {name: list(values) * 3334 for name, values in ready["overview"].items()}
    monkeypatch.setattr(type(review), "ready", lambda _self: {**ready, "overview": many, "frames": 10_002})
    # when
    twin = Twin.show(page, review, monkeypatch)
    # then
    assert page.get_by_role("slider", name="Frames").get_attribute("aria-valuemax") == "10002"
    painted = page.evaluate(
        "() => { const c = document.querySelector('.lk-timeline-canvas'); return c.getContext('2d')"
        ".getImageData(c.width - 3, 30, 1, 1).data[3]; }"
    )
    assert painted > 0
    twin.review.close()
