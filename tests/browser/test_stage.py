"""The stage: a gesture ends in one operation, keys stay where they belong, and nothing waits for the kernel."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from labelkit import ReviewOp
from labelkit.core.geometry import Box
from tests.browser import reviews
from tests.browser.twin import Twin

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from playwright.sync_api import Page

    from labelkit.synthetic import Match
    from labelkit.widgets import FrameReview

pytestmark = pytest.mark.browser

A, B = (100.0, 100.0, 200.0, 200.0), (150.0, 150.0, 60.0, 60.0)


@pytest.fixture
def show(page: Page, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[FrameReview], Twin]]:
    shown: list[Twin] = []

    def start(review: FrameReview) -> Twin:
        shown.append(Twin.show(page, review, monkeypatch))
        return shown[-1]

    yield start
    for twin in shown:
        twin.review.close()
        assert twin.problems == []


@pytest.fixture
def twin(show: Callable[[FrameReview], Twin], short: Match) -> Twin:
    """Two boxes on the first frame: a from (100, 100) to (300, 300), and b inside it."""
    return show(reviews.boxes(short, A, B))


def test_a_drag_sends_nothing_until_it_ends_and_then_one_operation(twin: Twin) -> None:
    # given
    twin.forget()
    mouse = twin.page.mouse
    # when
    mouse.move(*twin.at(500, 300))
    mouse.down()
    for step in range(1, 20):
        mouse.move(*twin.at(500 + 5 * step, 300 + 3 * step))
    during = list(twin.bridge.asked)
    mouse.up()
    twin.settled()
    # then
    assert during == []
    assert [op["kind"] for op in twin.ops()] == ["add_box"]
    drawn = twin.frame.annotations[-1].geometry
    assert (drawn.x, drawn.y, drawn.width, drawn.height) == pytest.approx((500, 300, 95, 57), abs=2)


@pytest.mark.parametrize(
    ("keys", "start", "end", "kind", "box"),
    [
        pytest.param("", (500, 300), (600, 350), "add_box", (500, 300, 100, 50), id="from free ground draws"),
        pytest.param("", (110, 290), (160, 310), "move", (150, 120, 200, 200), id="in a box moves it"),
        pytest.param("b", (110, 290), (160, 340), "add_box", (110, 290, 50, 50), id="in a box with the box tool draws"),
        pytest.param("b", (160, 160), (200, 200), "add_box", (160, 160, 40, 40), id="in two boxes with the box tool draws"),
        pytest.param("", (600, 350), (500, 300), "add_box", (500, 300, 100, 50), id="towards the upper left draws the same box"),
        pytest.param("", (900, 500), (1100, 700), "add_box", (900, 500, 60, 40), id="over the edge is cut at the frame"),
    ],
)
def test_what_a_drag_does_depends_on_where_it_starts_and_on_the_tool(
    twin: Twin,
    keys: str,
    start: tuple[float, float],
    end: tuple[float, float],
    kind: str,
    box: tuple[float, float, float, float],
) -> None:
    # given
    twin.stage.focus()
    twin.press(*keys)
    # when
    twin.drag(start, end)
    twin.settled()
    # then
    (op,) = twin.ops()
    assert op["kind"] == kind
    found = twin.frame.find(op["id"])
    assert found is not None
    geometry = found.geometry
    assert isinstance(geometry, Box)
    assert (geometry.x, geometry.y, geometry.width, geometry.height) == pytest.approx(box, abs=2)


@pytest.mark.parametrize(
    ("start", "end", "box"),
    [
        pytest.param((300, 300), (340, 350), (100, 100, 240, 250), id="a corner"),
        pytest.param((300, 200), (340, 250), (100, 100, 240, 200), id="an edge"),
        pytest.param((100, 100), (400, 400), (300, 300, 100, 100), id="past the opposite corner it turns over"),
    ],
)
def test_a_grip_of_the_selected_box_resizes_it(
    twin: Twin, start: tuple[float, float], end: tuple[float, float], box: tuple[float, float, float, float]
) -> None:
    # given
    twin.click(110, 290)
    # when
    twin.drag(start, end)
    twin.settled()
    # then
    assert [op["kind"] for op in twin.ops()] == ["resize"]
    geometry = twin.frame.find("a").geometry
    assert (geometry.x, geometry.y, geometry.width, geometry.height) == pytest.approx(box, abs=2)


def test_clicks_select_the_smallest_first_then_what_lies_below_and_change_nothing(twin: Twin) -> None:
    # given
    chosen = twin.page.get_by_role("option", selected=True)
    seen = []
    # when
    for _ in range(3):
        twin.click(180, 180)
        seen.append(chosen.inner_text().split()[1])
    twin.click(700, 400)
    # then
    assert seen == ["60", "200", "60"]
    expect(chosen).to_have_count(0)
    assert twin.ops() == []


def abandoned(twin: Twin) -> None:
    twin.page.mouse.move(*twin.at(500, 300))
    twin.page.mouse.down()
    twin.page.mouse.move(*twin.at(600, 400), steps=3)
    twin.press("Escape")
    twin.page.mouse.up()


@pytest.mark.parametrize(
    "way",
    [
        pytest.param(lambda twin: twin.click(500, 300), id="a click"),
        pytest.param(lambda twin: twin.drag((500, 300), (501, 301), steps=1), id="a tremble"),
        pytest.param(abandoned, id="Escape in the middle"),
        pytest.param(lambda twin: twin.drag((110, 290), (110, 290)), id="a move to where it was"),
    ],
)
def test_no_operation_comes_of(twin: Twin, way: Callable[[Twin], None]) -> None:
    # when
    way(twin)
    twin.settled()
    # then
    assert twin.ops() == []
    assert len(twin.frame.annotations) == 2


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


def test_a_busy_kernel_stops_nobody_and_says_so_after_two_seconds(twin: Twin) -> None:
    # given
    banner = twin.page.get_by_role("alert").filter(has_text="NOT SAVED")
    twin.busy()
    # when
    twin.drag((500, 300), (600, 350))
    twin.press(".")
    # then
    assert twin.index == 1
    expect(twin.page.locator(".lk-stage.lk-loading")).to_have_count(0)
    expect(banner).to_be_visible(timeout=3_000)
    expect(twin.page.locator(".lk-save")).to_have_text("NOT SAVED")
    # when
    twin.idle()
    twin.settled()
    # then
    expect(banner).to_be_hidden()
    assert len(twin.review.live.frame(0).annotations) == 3


def test_an_edit_that_the_kernel_refuses_disappears_and_the_reason_is_shown(twin: Twin) -> None:
    # given
    twin.review.live.apply(ReviewOp.delete(0, "b"))
    # when
    twin.drag((180, 180), (400, 400))
    twin.settled()
    # then
    expect(twin.page.get_by_role("alert").filter(has_text="UNKNOWN_ANNOTATION")).to_be_visible()
    assert twin.page.get_by_role("option").count() == 2
    assert [type(error).__name__ for error in twin.review.errors] == ["UnknownAnnotation"]


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


def test_the_wheel_zooms_where_the_pointer_is_only_with_the_focus_or_ctrl(twin: Twin) -> None:
    # given
    scale = twin.page.get_by_title("Fit the frame into the view")
    before = scale.inner_text()
    twin.page.mouse.move(*twin.at(100, 100))
    # when
    twin.page.mouse.wheel(0, -300)
    twin.page.wait_for_timeout(50)
    # then
    assert scale.inner_text() == before
    # when
    twin.stage.focus()
    twin.page.mouse.wheel(0, -300)
    expect(scale).not_to_have_text(before)
    # then
    x, y = twin.at(100, 100)
    twin.press("b")
    twin.page.mouse.move(x, y)
    twin.page.mouse.down()
    twin.page.mouse.move(x + 50, y + 50, steps=4)
    twin.page.mouse.up()
    twin.settled()
    drawn = twin.frame.annotations[-1].geometry
    assert (drawn.x, drawn.y) == pytest.approx((100, 100), abs=2)
    assert drawn.width < 50


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


def test_the_picture_moves_with_space_and_fits_again(twin: Twin) -> None:
    # given
    twin.stage.focus()
    twin.press("+", "+", "+")
    # when
    twin.page.keyboard.down("Space")
    twin.drag((480, 270), (540, 330))
    twin.page.keyboard.up("Space")
    # then
    assert twin.ops() == []
    # when
    twin.press("b")
    twin.drag((540, 330), (600, 400))
    twin.settled()
    # then
    drawn = twin.frame.annotations[-1].geometry
    assert (drawn.x, drawn.y) == pytest.approx((480, 270), abs=2)
    # when
    twin.press("0")
    # then
    expect(twin.page.get_by_title("Fit the frame into the view")).to_have_text("81%")


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


def test_canvases_have_the_devices_own_px(short: Match, browser: object, monkeypatch: pytest.MonkeyPatch) -> None:
    # given
    context = browser.new_context(viewport={"width": 1000, "height": 800}, device_scale_factor=2)  # type: ignore[attr-defined]
    twin = Twin.show(context.new_page(), reviews.boxes(short, A), monkeypatch)
    # then
    sizes = twin.page.evaluate(
        "() => [...document.querySelectorAll('.lk-stage > canvas')].map((c) => [c.width / c.clientWidth, c.height / c.clientHeight])"
    )
    assert sizes == [[2, 2], [2, 2]]
    context.close()


def test_a_point_is_placed_by_a_click_moved_by_a_drag_and_deleted(show: Callable[[FrameReview], Twin], short: Match) -> None:
    # given
    twin = show(reviews.balls(short))
    # when
    twin.click(200, 100)
    twin.drag((480, 270), (500, 300))
    twin.settled()
    # then
    assert [op["kind"] for op in twin.ops()] == ["add_point", "move"]
    assert [(a.geometry.x, a.geometry.y) for a in twin.frame.annotations] == [
        pytest.approx((500, 300), abs=2),
        pytest.approx((200, 100), abs=2),
    ]
    # when
    twin.press("Delete")
    twin.settled()
    # then
    assert len(twin.frame.annotations) == 1


def test_a_broken_frame_says_why_and_takes_flags_only(show: Callable[[FrameReview], Twin], short: Match, tmp_path: Path) -> None:
    # given
    twin = show(reviews.broken(tmp_path / "frames", short))
    # when
    twin.stage.focus()
    twin.press(".")
    twin.drag((500, 300), (600, 400))
    twin.press("b", "Enter", "Shift+1")
    twin.settled()
    # then
    expect(twin.page.get_by_text("FRAME_NOT_AN_IMAGE")).to_be_visible()
    assert [op["kind"] for op in twin.ops()] == ["flag"]
    assert [str(flag) for flag in twin.review.live.frame(1).flags] == ["bad_frame"]
    # when
    twin.press(".")
    # then
    expect(twin.page.get_by_text("FRAME_NOT_AN_IMAGE")).to_be_hidden()


def test_frames_are_stepped_jumped_to_and_found(show: Callable[[FrameReview], Twin], match: Match) -> None:
    # given
    twin = show(reviews.players(match))
    scores = twin.review.live.overview()["min_score"]
    least = min((i for i in range(12) if i not in (0, 1, 2, 10, 11)), key=lambda i: scores[i])
    # then
    twin.stage.focus()
    steps = [(".", 1), (",", 0), ("ArrowRight", 1), ("ArrowLeft", 0), ("Shift+ArrowRight", 10), ("u", 11), ("u", 2), ("n", least)]
    for key, expected in steps:
        twin.press(key)
        assert twin.index == expected, key
        twin.settled()
    # when
    field = twin.page.get_by_role("textbox", name="Go to frame")
    field.fill("7")
    field.press("Enter")
    # then
    assert twin.index == 6
    # when
    twin.page.get_by_role("slider", name="Frames").press("End")
    # then
    assert twin.index == 11
    twin.settled()
    assert twin.review.live.cursor == 11


def test_a_cached_frame_needs_no_message_to_be_shown(show: Callable[[FrameReview], Twin], match: Match) -> None:
    # given
    twin = show(reviews.players(match))
    twin.page.wait_for_timeout(300)
    twin.busy()
    twin.stage.focus()
    twin.forget()
    # when
    twin.press(".", ".", ".")
    # then
    assert twin.index == 3
    expect(twin.page.locator(".lk-stage.lk-loading")).to_have_count(0)
    assert twin.bridge.asks("frames") == []
    twin.idle()
    twin.settled()


def test_the_object_list_selects_and_deletes_by_keyboard(twin: Twin) -> None:
    # given
    objects = twin.page.get_by_role("listbox", name="Objects of this frame")
    # when
    objects.focus()
    twin.press("ArrowDown", "ArrowDown", "Delete")
    twin.settled()
    # then
    assert [annotation.id for annotation in twin.frame.annotations] == ["a"]


def test_a_crowd_builds_only_the_rows_in_sight(show: Callable[[FrameReview], Twin], short: Match) -> None:
    # given
    ws = reviews.workspace(short)
    import labelkit

    draft = ws.review.open("match-1", reviews.PLAYERS)
    ops = [labelkit.ReviewOp.add_box(0, "player", i % 40 * 20, i // 40 * 20, 15, 15, id=f"n{i}") for i in range(1_000)]
    ws.review.apply(draft.id, base_version=draft.version, ops=ops)
    # when
    twin = show(labelkit.widgets.FrameReview(ws, "match-1", reviews.PLAYERS))
    # then
    assert twin.page.get_by_role("option").count() < 40
    # when
    twin.page.get_by_role("listbox").focus()
    twin.press("End")
    # then
    last = twin.page.get_by_role("option", selected=True)
    expect(last).to_have_attribute("aria-posinset", "1000")
    expect(last).to_be_in_viewport()


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


def test_a_viewer_may_look_but_not_edit(show: Callable[[FrameReview], Twin], short: Match, tmp_path: Path) -> None:
    # given
    import labelkit

    owner = reviews.players(short, str(tmp_path / "labels.duckdb"))
    owner.close()
    owner.ws.set_role("vera", "viewer")
    twin = show(labelkit.widgets.FrameReview(labelkit.open(owner.ws.path, workspace="club-a", user="vera"), "match-1", reviews.PLAYERS))
    before = len(twin.frame.annotations)
    # when
    twin.drag((500, 300), (600, 350))
    twin.settled()
    # then
    assert twin.ops() == []
    assert len(twin.frame.annotations) == before
    expect(twin.page.get_by_role("alert")).to_contain_text("You may look, not edit")
    expect(twin.page.get_by_role("button", name="Publish", exact=True)).to_be_disabled()


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_no_fault(page: Page, short: Match, monkeypatch: pytest.MonkeyPatch, theme: str) -> None:
    # given
    twin = Twin.show(page, reviews.boxes(short, A, B), monkeypatch, theme)
    twin.click(110, 290)
    twin.press("Shift+1")
    twin.settled()
    # then
    assert twin.bridge.faults() == []
    twin.review.close()
