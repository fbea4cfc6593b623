"""PreflightTable in a browser: ticks, the plan that follows, the build, and ten thousand packs."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import polars as pl
import pytest
from playwright.sync_api import expect

from labelkit.widgets import PreflightTable
from tests.browser.showing import EVIL, in_lab, in_page
from tests.widgets.scenes import PLAYERS, approved

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from playwright.sync_api import BrowserContext, Page

    from labelkit import Workspace
    from tests.browser.bridge import Bridge
    from tests.browser.lab import Lab

pytestmark = pytest.mark.browser

MANY = 10_000


@pytest.fixture
def ws(tmp_path: Path) -> Iterator[Workspace]:
    with approved(tmp_path, clips=4, leave=1) as made:
        yield made


@pytest.fixture
def shown(page: Page, ws: Workspace, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bridge]:
    with in_page(page, PreflightTable(ws, PLAYERS, name="players"), monkeypatch) as bridge:
        page.get_by_role("table", name="Splits").wait_for()
        yield bridge


def total_of(page: Page) -> list[str]:
    """Groups and samples of all splits together, as they are shown."""
    cells = page.get_by_role("table", name="Splits").get_by_role("row").last.get_by_role("cell").all_inner_texts()
    return cells[1:3]


def test_the_plan_follows_the_ticks_without_a_build(shown: Bridge, ws: Workspace) -> None:
    # given
    page = shown.page
    assert total_of(page) == ["3", "9"]
    # when
    page.get_by_role("checkbox", name="Select clip-1").uncheck()
    page.get_by_role("checkbox", name="Select clip-2").uncheck()
    # then
    expect(page.get_by_role("list", name="Issues")).to_contain_text("EMPTY_SPLIT")
    assert total_of(page) == ["1", "3"]
    assert sum(len(ask["off"]) for ask in shown.asks("select")) == 2
    assert len(shown.widget.selected) == 1
    assert ws.datasets.list().height == 0


def test_an_excluded_pack_says_why_and_cannot_be_ticked(shown: Bridge) -> None:
    # given
    page = shown.page
    box = page.get_by_role("checkbox", name="Select clip-4")
    # when
    box.click(force=True)
    # then
    expect(box).not_to_be_checked()
    row = page.get_by_role("table", name="Candidate label packs").get_by_role("row").filter(has_text="clip-4")
    expect(row).to_contain_text("LABEL_PACK_NOT_APPROVED")
    expect(row).to_contain_text("None of its revisions is approved for datasets.")
    expect(page.get_by_role("status").filter(has_text="clip-4 cannot be selected")).to_have_count(1)
    assert shown.asks("select") == []


def test_a_build_says_its_outcome_and_how_to_open_it_and_the_next_one_is_reused(shown: Bridge, ws: Workspace) -> None:
    # given
    page = shown.page
    build = page.get_by_role("button", name="Build dataset")
    # when
    build.click()
    # then
    outcome = page.get_by_role("group", name="Outcome")
    shown.arrives(outcome.get_by_text("A new dataset version was created"))
    expect(outcome).to_contain_text("players v1")
    dataset = ws.datasets.get("players")
    expect(outcome.get_by_title(f"{dataset.id} (click to copy)")).to_be_visible()
    expect(outcome).to_contain_text(dataset.quality.badge)
    expect(page.get_by_text("An equal dataset exists; a build would return it.")).to_be_visible()
    # when
    build.click()
    # then
    shown.arrives(outcome.get_by_text("reused_success"))
    assert str(shown.widget.result.outcome) == "reused_success"


def test_a_build_shows_how_far_it_is_and_cancel_stops_it(
    shown: Bridge, ws: Workspace, monkeypatch: pytest.MonkeyPatch, keep_picture: Callable[..., Path]
) -> None:
    # given a build that waits after its first step
    page, free = shown.page, threading.Event()
    monkeypatch.setattr("labelkit.store.datasets.samples.BATCH_ROWS", 1)
    moved = PreflightTable._moved
    monkeypatch.setattr(PreflightTable, "_moved", lambda widget, done, total: (moved(widget, done, total), free.wait(30)))
    cancel = page.get_by_role("button", name="Cancel")
    expect(cancel).to_be_hidden()
    # when
    page.get_by_role("button", name="Build dataset").click()
    # then it says how far it is, and the choice stays free
    shown.arrives(page.get_by_text("3 of 9 samples"))
    expect(page.get_by_role("button", name="Build dataset")).to_have_attribute("aria-disabled", "true")
    page.get_by_role("checkbox", name="Select clip-3").uncheck()
    expect(page.get_by_text("2 packs, 2 groups, 6 samples.")).to_be_visible()
    keep_picture(page, "preflight-building")
    # when
    cancel.click()
    expect(page.get_by_role("progressbar", name="Build")).to_be_visible()
    free.set()
    # then
    shown.arrives(page.get_by_text("BUILD_CANCELED"))
    shown.arrives(page.locator("button[aria-disabled=false]", has_text="Build dataset"))
    expect(cancel).to_be_hidden()
    assert ws.datasets.list()["failure"].to_list() == ["BUILD_CANCELED"]


def test_the_way_of_splitting_decides_which_fields_there_are(shown: Bridge) -> None:
    # given
    page = shown.page
    expect(page.get_by_label("Share of train")).to_be_visible()
    # when
    page.get_by_label("Split", exact=True).select_option("As the media came")
    page.get_by_label("Column of the split").select_option("media")
    # then
    expect(page.get_by_role("table", name="Splits")).to_contain_text("clip-2")
    expect(page.get_by_label("Share of train")).to_have_count(0)
    expect(page.get_by_label("Seed")).to_have_count(0)
    assert shown.widget.value.split_strategy == "predefined"
    # when
    page.get_by_label("Split", exact=True).select_option("Best balance for this version")
    # then
    expect(page.get_by_label("Share of train")).to_be_visible()
    expect(page.get_by_role("table", name="Splits")).to_contain_text("train")


def test_without_a_tick_there_is_nothing_to_build(shown: Bridge) -> None:
    # given
    page = shown.page
    # when
    page.get_by_role("button", name="Select none").click()
    # then
    expect(page.get_by_text("Select at least one label pack")).to_be_visible()
    expect(page.get_by_role("button", name="Build dataset")).to_have_attribute("aria-disabled", "true")
    page.get_by_role("button", name="Build dataset").click(force=True)
    assert shown.asks("build") == []


def test_shares_that_do_not_add_up_block_the_build_until_they_do(shown: Bridge) -> None:
    # given
    page = shown.page
    share = page.get_by_label("Share of train")
    # when
    share.fill("0.5")
    share.press("Tab")
    # then
    expect(page.get_by_role("list", name="Issues")).to_contain_text("SPLIT_RATIOS_INVALID")
    expect(page.get_by_role("button", name="Build dataset")).to_have_attribute("aria-disabled", "true")
    # when
    share.fill("0.8")
    share.press("Tab")
    # then
    expect(page.get_by_role("button", name="Build dataset")).to_have_attribute("aria-disabled", "false")


def test_a_refused_option_is_said_and_sent_again_so_that_no_build_runs_without_it(shown: Bridge) -> None:
    # given
    page = shown.page
    # when
    page.get_by_label("Dataset name").fill(" ")
    page.get_by_label("Dataset name").press("Tab")
    # then
    expect(page.get_by_role("alert").filter(has_text="INVALID_VALUE")).to_be_visible()
    # when
    page.get_by_role("checkbox", name="Select clip-1").uncheck()
    shown.asks_become("change", 2)
    # then
    assert [ask["options"] for ask in shown.asks("change")] == [{"name": " "}, {"name": " "}]
    expect(page.get_by_role("button", name="Build dataset")).to_have_attribute("aria-disabled", "true")


def test_ten_thousand_packs_are_a_screenful_of_rows_and_every_one_can_be_reached(
    page: Page, ws: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    # given
    widget = PreflightTable(ws, PLAYERS, name="players")
    real = widget.candidates.filter(pl.col("included"))
    copies = pl.concat([real[:1]] * MANY).with_columns(
        pl.format("pck_{}", pl.int_range(MANY)).alias("pack_id"), pl.format("media-{}", pl.int_range(MANY)).alias("media")
    )
    widget.candidates = pl.concat([real, copies.select(real.columns)])
    # when
    with in_page(page, widget, monkeypatch):
        table = page.get_by_role("table", name="Candidate label packs")
        # then
        expect(table).to_have_attribute("aria-rowcount", str(MANY + 4))
        assert table.get_by_role("row").count() < 40
        # when
        first = page.get_by_role("checkbox", name="Select clip-1")
        first.focus()
        page.keyboard.press("End")
        # then
        last = page.get_by_role("checkbox", name=f"Select media-{MANY - 1},")
        expect(last).to_be_focused()
        expect(last).to_be_in_viewport()
        assert table.get_by_role("row").count() < 60
        # when
        page.get_by_label("Filter packs").fill("media-9999")
        # then
        expect(page.get_by_text("1 shown")).to_be_visible()
        assert table.get_by_role("row").count() == 2


def test_the_table_is_one_stop_of_the_tab_key_and_arrows_go_from_row_to_row(shown: Bridge) -> None:
    # given
    page = shown.page
    page.get_by_role("button", name="Select none").focus()
    # when
    page.keyboard.press("Tab")
    expect(page.get_by_role("checkbox", name="Select clip-1")).to_be_focused()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Space")
    # then
    box = page.get_by_role("checkbox", name="Select clip-2")
    expect(box).to_be_focused()
    expect(box).not_to_be_checked()
    expect(page.get_by_text("2 of 4 selected")).to_be_visible()
    # when
    page.keyboard.press("Home")
    # then
    expect(page.get_by_role("checkbox", name="Select clip-1")).to_be_focused()


def test_the_filter_decides_what_select_all_means(shown: Bridge) -> None:
    # given
    page = shown.page
    page.get_by_role("button", name="Select none").click()
    # when
    page.get_by_label("Filter packs").fill("clip-3")
    page.get_by_role("button", name="Select all").click()
    # then
    expect(page.get_by_text("1 of 4 selected, 1 shown")).to_be_visible()
    expect(page.get_by_text("1 pack, 1 group, 3 samples.")).to_be_visible()
    assert len(shown.widget.selected) == 1


def test_nothing_moves_while_the_plan_is_worked_out(shown: Bridge) -> None:
    # given
    page = shown.page
    build = page.get_by_role("button", name="Build dataset")
    before = build.bounding_box()
    # when
    page.get_by_role("checkbox", name="Select clip-3").uncheck()
    during = build.bounding_box()
    expect(page.get_by_role("list", name="Issues")).to_be_visible()
    # then
    assert [during, build.bounding_box()] == [before, before]


def test_names_that_are_html_stay_names(page: Page, ws: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # given
    (tmp_path / "frames").mkdir()
    (tmp_path / "frames" / "0.jpg").write_bytes(ws.media.frame_bytes("clip-1", 0)[0])
    ws.media.add(tmp_path / "frames", name=EVIL, group_key=EVIL, camera_type=EVIL)
    draft = ws.review.open(EVIL, PLAYERS)
    outcome = ws.review.publish(draft.id, expected_version=draft.version, override_warnings=True, reason=EVIL)
    ws.review.set_eligibility(outcome.revision.id, "APPROVED", expected_version=1)
    widget = PreflightTable(ws, PLAYERS, name=EVIL)
    # when
    with in_page(page, widget, monkeypatch) as bridge:
        table = page.get_by_role("table", name="Candidate label packs")
        expect(table.get_by_text(EVIL).first).to_be_visible()
        page.get_by_role("button", name="Build dataset").click()
        # then
        expect(bridge.arrives(page.get_by_role("group", name="Outcome"))).to_contain_text(EVIL)
        static = widget.to_html()
    page.set_content(static)
    page.wait_for_timeout(50)
    assert page.evaluate("window.harmed") is None


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_nothing_stands_in_the_way_of_a_screen_reader(
    page: Page, ws: Workspace, monkeypatch: pytest.MonkeyPatch, keep_picture: Callable[..., Path], theme: str
) -> None:
    with in_page(page, PreflightTable(ws, PLAYERS, name="players"), monkeypatch, theme) as bridge:
        # given
        page.get_by_role("table", name="Splits").wait_for()
        page.get_by_role("checkbox", name="Select clip-1").uncheck()
        page.get_by_role("list", name="Issues").wait_for()
        # then
        assert bridge.faults() == []
        # when
        page.get_by_role("button", name="Build dataset").click()
        bridge.arrives(page.get_by_role("group", name="Outcome"))
        # then
        assert bridge.faults() == []
        keep_picture(page, f"preflight-{theme}")


def test_in_jupyterlab_ticking_and_building_is_known_to_python(lab: Lab, tab: BrowserContext, ws: Workspace) -> None:
    with in_lab(lab, tab, ws, f"PreflightTable(ws, {PLAYERS!r}, name='players')") as notebook:
        # given
        root = notebook.widget("Dataset build")
        root.get_by_role("table", name="Splits").wait_for()
        # when
        root.get_by_role("checkbox", name="Select clip-3").uncheck()
        expect(root.get_by_role("list", name="Issues")).to_be_visible()
        root.get_by_role("button", name="Build dataset").click()
        # then
        expect(root.get_by_role("group", name="Outcome")).to_contain_text("created")
        assert notebook.python("[len(widget.selected), str(widget.result.outcome), widget.result.dataset.sample_count]") == [
            2,
            "created",
            6,
        ]
