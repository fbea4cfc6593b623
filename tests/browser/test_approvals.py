"""Approvals in a browser: a reason is asked for, rows follow without a reload, refusals say code, title and hint."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from labelkit.widgets import Approvals, FrameReview, PreflightTable, RevisionHistory
from tests.browser.showing import EVIL, in_lab, in_page
from tests.widgets.scenes import PLAYERS, approved, published

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from playwright.sync_api import BrowserContext, Page

    from labelkit import Workspace
    from labelkit.widgets.base import CommandWidget
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


@pytest.fixture
def revoked(tmp_path: Path) -> Iterator[Workspace]:
    """A workspace whose one revision is approved for datasets and whose pack was revoked since."""
    with approved(tmp_path, clips=1) as made:
        made.review.revoke_pack(made.review.packs("clip-1", PLAYERS)[0].id, reason="wrong half")
        yield made


def test_an_approval_is_a_candidate_everywhere_at_once(page: Page, revoked: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    """In the review that another page shows, in the history beside it, and in the table of a build."""
    # given
    others = [FrameReview(revoked, "clip-1", PLAYERS), PreflightTable(revoked, PLAYERS), RevisionHistory(revoked, "clip-1", PLAYERS)]
    with ExitStack() as open_pages:
        shown = [open_pages.enter_context(in_page(page.context.new_page(), widget, monkeypatch)) for widget in others]
        review, table, history = (one.page for one in shown)
        expect(review.get_by_text("Approve a label pack first")).to_be_visible()
        expect(table.get_by_text("LABEL_PACK_REVOKED")).to_be_visible()
        expect(history.get_by_text("Its label pack is not approved.")).to_have_count(0)
        approvals = open_pages.enter_context(in_page(page, Approvals(revoked, "clip-1", PLAYERS), monkeypatch))
        # when
        page.get_by_role("button", name="Approve label pack").click()
        page.get_by_label("Reason").fill("right half after all")
        page.get_by_role("dialog").get_by_role("button", name="Approve", exact=True).click()
        expect(page.get_by_role("table", name="Label packs").get_by_text("approved")).to_be_visible()
        for one in shown:
            one.deliver()
        # then
        pack = approvals.widget.value[0].id
        choice = review.get_by_label("Label pack to publish into")
        expect(choice).to_have_value(pack)
        expect(review.get_by_text("Approve a label pack first")).to_have_count(0)
        expect(table.get_by_text("LABEL_PACK_REVOKED")).to_have_count(0)
        expect(table.get_by_role("checkbox", name=f"Select clip-1, {pack}")).to_be_enabled()
        # when the revision is revoked there, the review's row follows too
        review.get_by_role("tab", name="Revisions").click()
        expect(review.get_by_role("button", name="Revoke: revision 1")).to_be_visible()
        page.get_by_role("button", name="Revoke: revision 1").click()
        page.get_by_label("Reason").fill("not for training")
        page.get_by_role("dialog").get_by_role("button", name="Revoke", exact=True).click()
        expect(page.get_by_role("button", name="Approve for dataset: revision 1")).to_be_visible()
        for one in shown:
            one.deliver()
        # then
        expect(review.get_by_role("button", name="Approve for dataset: revision 1")).to_be_visible()
        expect(history.get_by_role("button", name="Approve for dataset: revision 1")).to_be_visible()
        expect(table.get_by_text("included")).to_have_count(0)


def test_an_approval_in_another_kernel_is_a_candidate_at_the_next_sign_of_life(
    page: Page, revoked: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    # given
    page.clock.install()
    with in_page(page, FrameReview(revoked, "clip-1", PLAYERS), monkeypatch) as bridge:
        expect(page.get_by_text("Approve a label pack first")).to_be_visible()
        # when somebody approves it without any widget of this kernel
        pack = revoked.review.packs("clip-1", PLAYERS)[0].id
        revoked.review.approve_pack(pack, reason="right half after all")
        page.clock.run_for(10_500)
        page.clock.resume()
        # then
        expect(page.get_by_label("Label pack to publish into")).to_have_value(pack)
        assert list(bridge.widget.errors) == []


@pytest.mark.parametrize("kind", [Approvals, RevisionHistory, FrameReview])
def test_a_conflict_on_eligibility_shows_the_row_as_it_is_now(
    page: Page, ws: Workspace, monkeypatch: pytest.MonkeyPatch, kind: type[CommandWidget]
) -> None:
    # given somebody in another session approved revision 2 a moment ago
    with in_page(page, kind(ws, "clip-1", PLAYERS), monkeypatch):
        if kind is FrameReview:
            page.get_by_role("tab", name="Revisions").click()
        page.get_by_role("button", name="Approve for dataset: revision 2").wait_for()
        ws.review.set_eligibility(ws.review.history("clip-1", PLAYERS)[0].id, "APPROVED", expected_version=1, reason="theirs")
        # when
        page.get_by_role("button", name="Approve for dataset: revision 2").click()
        page.get_by_role("dialog").get_by_role("button", name="Approve for dataset").click()
        # then the row is theirs, and from there it goes on
        expect(page.get_by_role("alert").filter(has_text="ELIGIBILITY_VERSION_CONFLICT")).to_be_visible()
        expect(page.get_by_text("ana: theirs")).to_be_visible()
        # when
        page.get_by_role("button", name="Revoke: revision 2").click()
        dialog = page.get_by_role("dialog")
        dialog.get_by_label("Reason").fill("mine")
        dialog.get_by_role("button", name="Revoke", exact=True).click()
        # then
        expect(page.get_by_role("button", name="Approve for dataset: revision 2")).to_be_visible()
    assert [str(one.eligibility) for one in ws.review.history("clip-1", PLAYERS)] == ["REVOKED", "REVIEWED"]
