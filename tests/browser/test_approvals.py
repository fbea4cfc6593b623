"""Approvals in a browser: a reason is asked for, rows follow without a reload, refusals say code, title and hint."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from labelkit.widgets import Approvals
from tests.browser.showing import EVIL, in_lab, in_page
from tests.widgets.scenes import PLAYERS, published

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from playwright.sync_api import BrowserContext, Page

    from labelkit import Workspace
    from tests.browser.bridge import Bridge
    from tests.browser.lab import Lab

pytestmark = pytest.mark.browser


@pytest.fixture
def ws(tmp_path: Path) -> Iterator[Workspace]:
    with published(tmp_path, revisions=2) as made:
        yield made


@pytest.fixture
def shown(page: Page, ws: Workspace, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bridge]:
    with in_page(page, Approvals(ws, "clip-1", PLAYERS), monkeypatch) as bridge:
        yield bridge


def state_of(ws: Workspace) -> tuple[str, str | None]:
    pack = ws.review.packs("clip-1", PLAYERS)[0]
    return str(pack.review_status), pack.reason


def test_a_pack_is_revoked_with_a_reason_and_its_row_follows(shown: Bridge, ws: Workspace) -> None:
    # given
    page = shown.page
    # when
    page.get_by_role("button", name="Revoke label pack").click()
    page.get_by_role("dialog").get_by_role("button", name="Revoke", exact=True).click()
    # then
    expect(page.get_by_role("alert").filter(has_text="A reason is needed")).to_be_visible()
    assert state_of(ws) == ("approved", "first publish")
    # when
    page.get_by_label("Reason").fill("wrong half")
    page.get_by_role("dialog").get_by_role("button", name="Revoke", exact=True).click()
    # then
    packs = page.get_by_role("table", name="Label packs")
    expect(packs.get_by_role("row").nth(1)).to_contain_text("wrong half")
    expect(packs.get_by_text("revoked")).to_be_visible()
    assert state_of(ws) == ("revoked", "wrong half")
    assert shown.widget.python == f"ws.review.revoke_pack({shown.widget.value[0].id!r}, reason='wrong half')"


def test_everything_works_by_keyboard_and_the_focus_stays_in_the_row(shown: Bridge, ws: Workspace) -> None:
    # given
    page = shown.page
    page.get_by_role("button", name="Revoke label pack").focus()
    # when
    page.keyboard.press("Enter")
    page.keyboard.type("by keys")
    page.keyboard.press("Escape")
    # then
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(page.get_by_role("button", name="Revoke label pack")).to_be_focused()
    # when
    page.keyboard.press("Enter")
    page.keyboard.type("by keys")
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    # then
    expect(page.get_by_role("button", name="Approve label pack")).to_be_focused()
    assert state_of(ws) == ("revoked", "by keys")


def test_a_step_that_a_colleague_took_first_is_refused_with_code_title_and_hint(shown: Bridge, ws: Workspace) -> None:
    # given
    page = shown.page
    ws.review.revoke_pack(shown.widget.value[0].id, reason="theirs")
    # when
    page.get_by_role("button", name="Revoke label pack").click()
    page.get_by_label("Reason").fill("mine")
    page.get_by_role("dialog").get_by_role("button", name="Revoke", exact=True).click()
    # then
    banner = page.get_by_role("alert").filter(has_text="ILLEGAL_STEP")
    expect(banner).to_contain_text("Not possible in this state")
    expect(banner).to_contain_text("Reload to see the present state")
    expect(page.get_by_role("table", name="Label packs")).to_contain_text("theirs")
    # when
    page.get_by_role("button", name="Dismiss the message").click()
    # then
    expect(banner).to_be_hidden()


def test_a_stale_revision_is_a_conflict_and_shows_what_it_is_now(shown: Bridge, ws: Workspace) -> None:
    # given
    page = shown.page
    revision = shown.widget.revisions[0]
    ws.review.set_eligibility(revision.id, "APPROVED", expected_version=1)
    # when
    page.get_by_role("button", name=f"Approve for dataset: revision {revision.number}").click()
    page.get_by_role("dialog").get_by_role("button", name="Approve for dataset").click()
    # then
    expect(page.get_by_role("alert").filter(has_text="ELIGIBILITY_VERSION_CONFLICT")).to_be_visible()
    expect(page.get_by_role("button", name=f"Revoke: revision {revision.number}")).to_be_visible()


def test_a_reason_that_is_html_stays_a_reason(page: Page, ws: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    # given
    widget = Approvals(ws, "clip-1", PLAYERS)
    ws.review.revoke_pack(widget.value[0].id, reason=EVIL)
    # when
    with in_page(page, widget, monkeypatch):
        # then
        expect(page.get_by_role("table", name="Label packs")).to_contain_text(EVIL)
    # when
    page.set_content(Approvals(ws, "clip-1", PLAYERS).to_html())
    # then
    expect(page.get_by_text(EVIL)).to_be_visible()
    assert page.evaluate("window.harmed") is None


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_nothing_stands_in_the_way_of_a_screen_reader(
    page: Page, ws: Workspace, monkeypatch: pytest.MonkeyPatch, keep_picture: Callable[..., Path], theme: str
) -> None:
    with in_page(page, Approvals(ws, "clip-1", PLAYERS), monkeypatch, theme) as bridge:
        # given
        page.get_by_role("table", name="Label packs").wait_for()
        # then
        assert bridge.faults() == []
        keep_picture(page, f"approvals-{theme}")
        # when
        page.get_by_role("button", name="Revoke label pack").click()
        # then
        assert bridge.faults() == []


def test_a_scope_without_labels_says_what_to_do(page: Page, ws: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    with in_page(page, Approvals(ws, "clip-1", "ball_detection"), monkeypatch):
        expect(page.get_by_text("No label pack yet")).to_be_visible()
        expect(page.get_by_text("Nothing is published yet")).to_be_visible()


def test_in_jupyterlab_an_approval_reaches_the_store_and_no_key_a_cell(lab: Lab, tab: BrowserContext, ws: Workspace) -> None:
    with in_lab(lab, tab, ws, f"Approvals(ws, 'clip-1', {PLAYERS!r})") as notebook:
        # given
        root = notebook.widget("Approvals")
        button = root.get_by_role("button", name="Approve for dataset: revision 2")
        # when
        button.focus()
        for key in ("d", "d", "x", "a", "b"):
            notebook.page.keyboard.press(key)
        button.click()
        root.get_by_role("dialog").get_by_role("button", name="Approve for dataset").click()
        # then
        expect(root.get_by_role("button", name="Revoke: revision 2")).to_be_focused()
        assert notebook.python("[str(one.eligibility) for one in widget.revisions]") == ["APPROVED", "REVIEWED"]
