"""Keys on the stage: what they do, and that they stay where they belong."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from labelkit import ReviewOp
from tests.browser import reviews

if TYPE_CHECKING:
    from collections.abc import Callable

    from labelkit.synthetic import Match
    from labelkit.widgets import FrameReview
    from tests.browser.twin import Twin

pytestmark = pytest.mark.browser


@pytest.mark.parametrize(
    ("keys", "kinds"),
    [
        pytest.param(["Delete"], ["delete"], id="Delete"),
        pytest.param(["Backspace"], ["delete"], id="Backspace"),
        pytest.param(["3"], ["relabel"], id="a class"),
        pytest.param(["1"], [], id="the class it has"),
        pytest.param(["ArrowRight"] * 5 + ["Shift+ArrowDown"], ["move"], id="six nudges are one operation"),
        pytest.param(["Alt+ArrowRight"] * 3, ["resize"], id="three steps of resizing are one operation"),
        pytest.param(["ArrowRight", "ArrowLeft"], [], id="a nudge there and back"),
        pytest.param(["Control+c", "Control+v"], ["add_box"], id="copy and paste"),
        pytest.param(["Shift+1", "Shift+1"], ["flag", "unflag"], id="a flag on and off"),
        pytest.param(["Escape", "Enter"], ["add_box"], id="a box without a mouse"),
        pytest.param(["a"], ["accept"], id="accept"),
        pytest.param(["Escape", "Delete"], [], id="Delete with nothing selected"),
    ],
)
def test_keys_on_the_selected_box(twin: Twin, keys: list[str], kinds: list[str]) -> None:
    # given
    twin.click(110, 290)
    # when
    if all("Arrow" in key for key in keys):
        twin.press_at_once(*keys)
        twin.page.wait_for_timeout(350)
    else:
        twin.press(*keys)
    twin.settled()
    # then
    assert [op["kind"] for op in twin.ops()] == kinds
    assert not twin.review.errors


def test_nudges_move_by_one_and_ten_px(twin: Twin) -> None:
    # given
    twin.click(110, 290)
    # when
    twin.press_at_once("ArrowRight", "ArrowRight", "Shift+ArrowDown", "Escape")
    twin.settled()
    # then
    assert (twin.frame.find("a").geometry.x, twin.frame.find("a").geometry.y) == (102, 110)


def test_undo_and_redo_go_to_the_frame_they_change(twin: Twin) -> None:
    # given
    twin.drag((500, 300), (600, 350))
    twin.press(".", ".")
    assert twin.index == 2
    # when
    twin.press("Control+z")
    twin.settled()
    # then
    assert twin.index == 0
    assert len(twin.frame.annotations) == 2
    # when
    twin.press(".", "Control+Shift+z")
    twin.settled()
    # then
    assert twin.index == 0
    assert len(twin.frame.annotations) == 3


def test_tools_edit_several_frames_as_one_step(twin: Twin) -> None:
    # given
    twin.click(110, 290)
    # when
    twin.press("Control+b", "2", "Enter")
    twin.settled()
    # then
    assert [len(twin.review.live.frame(i).annotations) for i in range(3)] == [2, 1, 1]
    # when
    twin.press(".", "c")
    twin.settled()
    # then
    assert [len(twin.review.live.frame(i).annotations) for i in range(3)] == [2, 2, 1]
    expect(twin.page.get_by_role("option")).to_have_count(2)
    # when
    twin.press("Control+z", "Control+z")
    twin.settled()
    # then
    assert [len(twin.review.live.frame(i).annotations) for i in range(3)] == [2, 0, 0]
    expect(twin.page.get_by_role("option")).to_have_count(0)


def test_the_frames_between_two_boxes_of_a_person_are_filled(twin: Twin) -> None:
    # given
    twin.review.live.apply(ReviewOp.add_box(2, "player", 140, 100, 200, 200, id="later"))
    twin.click(110, 290)
    # when
    twin.press("i", ".")
    twin.settled()
    # then
    (filled,) = twin.frame.annotations
    assert (filled.geometry.x, str(filled.source)) == (120, "interpolated")


def test_no_key_of_the_stage_reaches_the_page_and_none_that_it_does_not_use_is_eaten(twin: Twin) -> None:
    # given
    twin.page.evaluate(
        "() => { window.escaped = []; document.addEventListener('keydown', (e) => escaped.push([e.key, e.defaultPrevented])); }"
    )
    twin.stage.focus()
    # when
    twin.press("d", "d", "x", "a", "b", "z", "m", "y", "j", "k", "0", "0", "Shift+M", "Shift+Enter", "Alt+Enter", "ArrowDown", "Space")
    stopped = [key for key, _ in twin.page.evaluate("escaped") if key not in ("Alt", "Control", "Shift")]
    twin.press("F9", "Control+s", "Control+k")
    left = twin.page.evaluate("escaped")
    # then
    assert stopped == []
    assert [key for key, prevented in left if key in ("F9", "s", "k") and not prevented] == ["F9", "s", "k"]


def test_tab_leaves_the_stage_and_escape_lets_go_step_by_step(twin: Twin) -> None:
    # given
    twin.click(110, 290)
    chosen = twin.page.get_by_role("option", selected=True)
    # when
    twin.press("Escape")
    # then
    expect(chosen).to_have_count(0)
    expect(twin.stage).to_be_focused()
    # when
    twin.press("Escape")
    # then
    expect(twin.stage).not_to_be_focused()
    # when
    twin.stage.focus()
    twin.press("Tab")
    # then
    expect(twin.page.get_by_role("textbox", name="Go to frame")).to_be_focused()


def test_labels_hide_while_a_key_is_held_and_come_back(twin: Twin) -> None:
    # given
    twin.stage.focus()
    shown = twin.pixel(100, 250)
    # when
    twin.page.keyboard.down("h")
    twin.page.wait_for_timeout(100)
    held = twin.pixel(100, 250)
    twin.page.keyboard.up("h")
    twin.page.wait_for_timeout(100)
    # then
    assert held != shown
    assert twin.pixel(100, 250) == shown
    # when
    twin.page.get_by_role("button", name="Labels").click()
    twin.page.wait_for_timeout(100)
    # then
    assert twin.pixel(100, 250) == held


def test_brightness_changes_what_is_shown_and_not_the_frame(twin: Twin) -> None:
    # given
    twin.stage.focus()
    before = twin.pixel(700, 400)
    # when
    twin.press("Control+ArrowUp", "Control+ArrowUp", "Control+ArrowUp")
    twin.page.wait_for_timeout(100)
    # then
    assert sum(twin.pixel(700, 400)) > sum(before)
    assert twin.ops() == []


def test_the_object_list_selects_and_deletes_by_keyboard(twin: Twin) -> None:
    # given
    objects = twin.page.get_by_role("listbox", name="Objects of this frame")
    # when
    objects.focus()
    twin.press("ArrowDown", "ArrowDown", "Delete")
    twin.settled()
    # then
    assert [annotation.id for annotation in twin.frame.annotations] == ["a"]


def test_the_help_lists_every_key_that_is_bound(twin: Twin) -> None:
    # when
    twin.stage.focus()
    twin.press("?")
    dialog = twin.page.get_by_role("dialog", name="Keys")
    # then
    for text in ("Next frame", "Undo", "Delete the selected object", "Zoom in", "Publish"):
        expect(dialog.get_by_text(text, exact=True)).to_be_visible()
    expect(dialog.get_by_text("Point tool")).to_have_count(0)
    # when
    twin.press("Escape")
    # then
    expect(dialog).to_have_count(0)
    expect(twin.stage).to_be_focused()


def test_another_preset_binds_other_keys(show: Callable[[FrameReview], Twin], short: Match) -> None:
    # given
    twin = show(reviews.players(short, keys="cvat"))
    twin.stage.focus()
    # when
    twin.press("f", "f", "d")
    # then
    assert twin.index == 1
