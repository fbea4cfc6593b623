"""DiffViewer in a browser: numbers that narrow the rows, rows by keyboard, words and labels before and after, any number of rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

import labelkit
from labelkit.widgets import DiffViewer
from tests.browser.showing import EVIL, in_lab, in_page
from tests.widgets.differences import NAME, examples, golden, many, revised

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from playwright.sync_api import BrowserContext, Page

    from labelkit import Workspace
    from tests.browser.lab import Lab

pytestmark = pytest.mark.browser

ROWS = 300_000  # more than an element can be high
ROWS_AT_MOST = 30
PICTURE = "(canvas) => canvas.toDataURL()"
SCROLL = """async (list) => {
  for (let at = 0; at < 40; at += 1) {
    list.scrollTop = (list.scrollHeight * at) / 80;
    await new Promise(requestAnimationFrame);
  }
}"""


@pytest.fixture(scope="module")
def ws() -> Iterator[Workspace]:
    with examples() as made:
        yield made


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_rows_are_walked_through_by_keyboard_with_the_words_that_changed(
    page: Page, ws: Workspace, monkeypatch: pytest.MonkeyPatch, keep_picture: Callable[..., Path], theme: str
) -> None:
    with in_page(page, DiffViewer(ws, f"{NAME}@v1", NAME), monkeypatch, theme) as bridge:
        # given
        rows = page.get_by_role("listbox", name="Rows that differ")
        expect(rows.get_by_role("option")).to_have_count(5)
        detail = page.get_by_role("region", name="Row before and after")
        # when
        rows.focus()
        page.keyboard.press("ArrowDown")
        # then
        expect(rows.get_by_role("option", selected=True)).to_contain_text("002")
        table = detail.get_by_role("table", name="Fields that differ")
        expect(table.get_by_role("columnheader")).to_have_text(["Field", "Before", "After"])
        expect(detail.locator("del")).to_have_text(["20", "next week"])
        expect(detail.locator("ins")).to_have_text(["44", "this month", "churn"])
        expect(detail.get_by_text("+24")).to_be_visible()
        expect(page.get_by_text("major version")).to_be_visible()
        assert bridge.faults() == []
        page.set_viewport_size({"width": 1280, "height": 1000})
        keep_picture(page, f"difference-{theme}")
        # when
        detail.get_by_role("button", name="Together").click()
        # then
        expect(table.get_by_role("columnheader")).to_have_text(["Field", "Before and after"])
        # when
        page.set_viewport_size({"width": 640, "height": 1700})
        # then
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        keep_picture(page, f"difference-narrow-{theme}")
        assert bridge.faults() == []


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_keys_are_listed_by_one_of_them_and_do_nothing_while_the_list_is_open(
    page: Page, ws: Workspace, monkeypatch: pytest.MonkeyPatch, keep_picture: Callable[..., Path], theme: str
) -> None:
    with in_page(page, DiffViewer(ws, f"{NAME}@v1", NAME), monkeypatch, theme) as bridge:
        # given
        rows = page.get_by_role("listbox", name="Rows that differ")
        selected = rows.get_by_role("option", selected=True)
        rows.focus()
        page.keyboard.press("ArrowDown")
        expect(selected).to_contain_text("002")
        # when
        page.keyboard.press("?")
        # then
        listed = page.get_by_role("dialog", name="Keys")
        expect(listed.locator("kbd")).to_have_text(["↓", "↑", "PageDown", "PageUp", "Home", "End", "/", "G", "Z", "?"])
        assert bridge.faults() == []
        keep_picture(page, f"difference-keys-{theme}")
        # when
        for key in ("/", "ArrowDown", "Escape"):
            page.keyboard.press(key)
        # then
        expect(listed).to_have_count(0)
        expect(rows).to_be_focused()
        expect(selected).to_contain_text("002")
        expect(page.get_by_label("Search")).to_have_value("")


def test_figures_and_fields_narrow_the_rows_and_tab_leads_from_the_filters_through_the_rows(
    page: Page, ws: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    with in_page(page, DiffViewer(ws, f"{NAME}@v1", NAME), monkeypatch) as bridge:
        options = page.get_by_role("listbox", name="Rows that differ").get_by_role("option")
        # when
        page.get_by_role("button", name="~3 modified").click()
        page.get_by_role("button", name="score 2").click()
        # then
        expect(options).to_have_count(2)
        expect(page.get_by_text("2 of 5 rows")).to_be_visible()
        expect(page.get_by_role("button", name="score 2")).to_have_attribute("aria-pressed", "true")
        expect(page.get_by_role("combobox", name="Field", exact=True)).to_have_value("score")
        assert bridge.widget.python == f"ws.versions.diff('{NAME}@v1', '{NAME}').page(change='modified', field='score')"
        # when
        page.get_by_role("listbox", name="Rows that differ").focus()
        page.keyboard.press("/")
        page.keyboard.type("nowhere")
        # then
        expect(page.get_by_text("No row has all of this.")).to_be_visible()
        expect(page.get_by_label("Search")).to_be_focused()
        assert bridge.faults() == []
        # when
        page.get_by_role("button", name="Show all rows").click()
        # then
        expect(options).to_have_count(5)
        expect(page.get_by_label("Search")).to_have_value("")
        # when
        page.get_by_label("Search").focus()
        stops = []
        for _ in range(3):
            page.keyboard.press("Tab")
            stops.append(page.evaluate("document.activeElement.getAttribute('aria-label') ?? document.activeElement.textContent"))
        # then
        assert stops[:2] == ["Rows that differ", "Row before and after"]
        assert bridge.widget.filters == {}


def test_labels_are_drawn_before_and_after_and_what_was_before_shows_while_a_key_is_held(
    page: Page, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, keep_picture: Callable[..., Path]
) -> None:
    # given
    ws, before, after = revised(tmp_path)
    with ws, in_page(page, DiffViewer(ws, before, after), monkeypatch) as bridge:
        frame = page.get_by_role("region", name="Labels on the frame")
        was, now = (frame.get_by_role("img", name=f"{side}: frame 1 of clip-1") for side in ("Before", "After"))
        expect(now).to_be_visible()
        expect(page.get_by_role("list", name="Labels that differ").get_by_role("listitem")).to_have_count(4)
        pictures = [one.evaluate(PICTURE) for one in (was, now)]
        keep_picture(page, "difference-labels")
        # when
        page.get_by_role("listbox", name="Rows that differ").focus()
        page.keyboard.down("g")
        # then
        both = frame.get_by_role("img", name="Before: frame 1 of clip-1")
        expect(both).to_have_count(2)
        assert [one.evaluate(PICTURE) for one in both.all()] == [pictures[0]] * 2
        # when
        page.keyboard.up("g")
        # then
        assert now.evaluate(PICTURE) == pictures[1] != pictures[0]
        # when
        page.keyboard.press("z")
        # then
        assert now.evaluate(PICTURE) != pictures[1]
        expect(frame.get_by_role("button", name="Close-up")).to_have_attribute("aria-pressed", "true")
        # when
        page.get_by_role("button", name="Together").click()
        # then
        expect(frame.get_by_role("img", name="Before and after: frame 1 of clip-1")).to_be_visible()
        keep_picture(page, "difference-labels-close")
        assert bridge.faults() == []


def test_hundreds_of_thousands_of_rows_are_jumped_through_and_only_pages_in_sight_are_read(
    page: Page, monkeypatch: pytest.MonkeyPatch, keep_picture: Callable[..., Path]
) -> None:
    with many(ROWS) as ws, in_page(page, DiffViewer(ws, "many@v1", "many"), monkeypatch) as bridge:
        # given
        rows = page.get_by_role("listbox", name="Rows that differ")
        expect(rows.get_by_role("option", selected=True)).to_contain_text("row-0000000")
        # when
        rows.focus()
        page.keyboard.press("End")
        # then
        expect(rows.get_by_role("option", selected=True)).to_contain_text("row-0299999")
        expect(rows.get_by_role("option", selected=True)).to_be_in_viewport()
        expect(page.get_by_role("region", name="Row before and after").get_by_text("row-0299999")).to_be_visible()
        # when
        page.keyboard.press("PageUp")
        page.keyboard.press("ArrowUp")
        # then
        expect(rows.get_by_role("option", selected=True)).to_be_in_viewport()
        shown = rows.get_by_role("option", selected=True).get_attribute("aria-posinset")
        expect(page.get_by_role("region", name="Row before and after").get_by_text(f"row-{int(shown) - 1:07}")).to_be_visible()
        # when
        rows.evaluate(SCROLL)
        # then
        expect(rows.get_by_role("option").filter(has_text="row-0146").first).to_be_visible()
        assert rows.get_by_role("option").count() < ROWS_AT_MOST
        assert len(bridge.asks("page")) < ROWS_AT_MOST
        keep_picture(page, "difference-many")


def test_what_cannot_be_compared_is_said_with_its_code_and_compared_again_when_it_is_there(
    page: Page, monkeypatch: pytest.MonkeyPatch, keep_picture: Callable[..., Path]
) -> None:
    with labelkit.open(":memory:") as ws, in_page(page, DiffViewer(ws, f"{NAME}@v1", NAME), monkeypatch) as bridge:
        # given
        expect(page.get_by_role("alert").get_by_text("NOT_FOUND")).to_be_visible()
        keep_picture(page, "difference-refused")
        assert bridge.faults() == []
        # when
        golden(ws)
        page.get_by_role("button", name="Compare again").click()
        # then
        expect(page.get_by_text("5 rows differ")).to_be_visible()
        expect(page.get_by_role("alert")).to_have_count(0)


def test_equal_versions_are_words_and_a_silent_kernel_is_said_to_compare_still(
    page: Page, ws: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    with in_page(page, DiffViewer(ws, NAME, NAME), monkeypatch) as bridge:
        expect(page.get_by_text("The same rows")).to_be_visible()
        expect(page.get_by_role("listbox")).to_have_count(0)
        assert bridge.faults() == []
        # when
        page.evaluate("() => { window.silent = true; }")
        page.get_by_role("button", name="Refresh").click()
        # then
        expect(page.get_by_text("Still comparing")).to_be_visible()


def test_names_and_values_that_are_html_stay_what_they_are(page: Page, monkeypatch: pytest.MonkeyPatch) -> None:
    with labelkit.open(":memory:") as ws:
        # given
        ws.versions.commit("evil", [{"id": EVIL, EVIL: "one", "split": EVIL}, {"id": "b", EVIL: "b", "split": "b"}], key="id", message=EVIL)
        ws.versions.tag("evil", "v1")
        ws.versions.commit("evil", [{"id": EVIL, EVIL: f"two {EVIL}", "split": EVIL}])
        viewer = DiffViewer(ws, "evil@v1", "evil")
        static = viewer.to_html()
        # when
        with in_page(page, viewer, monkeypatch):
            # then
            expect(page.get_by_role("region", name="Row before and after").locator("ins")).to_contain_text(EVIL)
    page.set_content(static)
    page.wait_for_timeout(50)
    assert page.evaluate("window.harmed") is None


def test_in_jupyterlab_rows_are_walked_through_and_filter_and_row_outlast_a_reload(
    lab: Lab, tab: BrowserContext, tmp_path: Path, keep_picture: Callable[..., Path]
) -> None:
    ws = labelkit.open(tmp_path / "labels.duckdb", workspace="club-a", user="ana")
    golden(ws)
    with in_lab(lab, tab, ws, f"DiffViewer(ws, '{NAME}@v1', '{NAME}')") as notebook:
        # given
        page, root = notebook.page, notebook.widget("Difference")
        rows = root.get_by_role("listbox", name="Rows that differ")
        root.get_by_role("button", name="~3 modified").click()
        expect(rows.get_by_role("option")).to_have_count(3)
        # when
        rows.focus()
        for press in ("ArrowDown", "d", "d", "x", "a", "ArrowDown"):
            page.keyboard.press(press)
        expect(rows.get_by_role("option", selected=True)).to_contain_text("005")
        # then
        assert notebook.until("widget.selected[-3:]", "005") == "005"
        keep_picture(page, "difference-lab")
        # when
        notebook.save()
        notebook.load()
        # then
        root = notebook.widget("Difference")
        expect(root.get_by_role("listbox", name="Rows that differ").get_by_role("option", selected=True)).to_contain_text("005")
        expect(root.get_by_text("3 of 5 rows")).to_be_visible()
