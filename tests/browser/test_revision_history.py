"""RevisionHistory in a browser: rows open to their details, eligibility follows, ids can be copied."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from labelkit import ReviewOp
from labelkit.widgets import RevisionHistory
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
    with in_page(page, RevisionHistory(ws, "clip-1", PLAYERS), monkeypatch) as bridge:
        yield bridge


def test_a_row_opens_to_counts_by_class_and_frame_and_closes_again(shown: Bridge) -> None:
    # given
    page = shown.page
    fold = page.get_by_role("button", name="Details of revision 2")
    # when
    fold.click()
    # then
    expect(fold).to_have_attribute("aria-expanded", "true")
    expect(fold).to_be_focused()
    frames = page.get_by_role("table", name="Changes by frame")
    first = frames.get_by_role("row").nth(1).get_by_role("cell").all_inner_texts()
    assert first[:4] == ["1", "0", "1", "0"]  # frames count from 1 where people read, as in a review
    expect(page.get_by_role("table", name="Changes by class").get_by_role("row")).to_have_count(2)
    assert shown.widget.selected == shown.widget.value[0]
    # when
    page.keyboard.press("Enter")
    # then
    expect(frames).to_have_count(0)
    assert shown.widget.selected is None


def test_the_open_row_stays_open_when_its_eligibility_changes(shown: Bridge, ws: Workspace) -> None:
    # given
    page = shown.page
    page.get_by_role("button", name="Details of revision 2").click()
    # when
    page.get_by_role("button", name="Approve for dataset: revision 2").click()
    page.get_by_label("Reason").fill("checked twice")
    page.get_by_role("dialog").get_by_role("button", name="Approve for dataset").click()
    # then
    expect(page.get_by_role("button", name="Revoke: revision 2")).to_be_focused()
    expect(page.get_by_role("table", name="Changes by class")).to_be_visible()
    assert ws.review.history("clip-1", PLAYERS)[0].eligibility_reason == "checked twice"


def test_a_page_that_is_loaded_again_shows_the_same_row_open(
    page: Page, shown: Bridge, ws: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    # given
    shown.page.get_by_role("button", name="Details of revision 1").click()
    expect(page.get_by_text("This is the first revision of its pack")).to_be_visible()
    # when
    page.evaluate("() => window.end()")
    again = page.context.new_page()
    with in_page(again, shown.widget, monkeypatch):
        # then
        expect(again.get_by_text("This is the first revision of its pack")).to_be_visible()
    again.close()
    assert ws.review.history("clip-1", PLAYERS)


def test_what_people_wrote_stays_text(page: Page, ws: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    # given
    ws.capabilities.add("evil", geometry="box", classes=[EVIL])
    draft = ws.review.open("clip-1", "evil")
    for number in (1, 2):
        draft = ws.review.apply(draft.id, base_version=draft.version, ops=[ReviewOp.add_box(0, EVIL, 10 * number, 10, 20, 20)])
        ws.review.publish(draft.id, expected_version=draft.version, override_warnings=True, reason=EVIL)
    widget = RevisionHistory(ws, "clip-1", "evil")
    static = widget.to_html()
    # when
    with in_page(page, widget, monkeypatch):
        page.get_by_role("button", name="Details of revision 2").click()
        # then
        expect(page.get_by_role("table", name="Changes by class")).to_contain_text(EVIL)
        expect(page.get_by_role("definition").filter(has_text=EVIL)).to_be_visible()
    page.set_content(static)
    page.wait_for_timeout(50)
    assert page.evaluate("window.harmed") is None


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_nothing_stands_in_the_way_of_a_screen_reader(
    page: Page, ws: Workspace, monkeypatch: pytest.MonkeyPatch, keep_picture: Callable[..., Path], theme: str
) -> None:
    with in_page(page, RevisionHistory(ws, "clip-1", PLAYERS), monkeypatch, theme) as bridge:
        page.get_by_role("button", name="Details of revision 2").click()
        page.get_by_role("table", name="Changes by frame").wait_for()
        assert bridge.faults() == []
        keep_picture(page, f"revision-history-{theme}")


def test_in_jupyterlab_a_row_opens_python_knows_which_and_an_id_is_copied(lab: Lab, tab: BrowserContext, ws: Workspace) -> None:
    with in_lab(lab, tab, ws, f"RevisionHistory(ws, 'clip-1', {PLAYERS!r})") as notebook:
        # given
        root = notebook.widget("Revision history")
        # when
        root.get_by_role("button", name="Details of revision 2").click()
        # then
        expect(root.get_by_role("table", name="Changes by frame")).to_be_visible()
        assert notebook.python("widget.selected.number") == 2
        # when
        lineage = notebook.python("str(widget.selected.lineage)")
        button = root.get_by_title(lineage).first
        button.click()
        # then
        expect(button).to_have_text(f"pack:\u2026{lineage[-6:]}")
        assert notebook.page.evaluate("() => navigator.clipboard.readText()") == lineage
