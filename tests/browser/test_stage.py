"""Gestures on the stage: each ends in one operation, and nothing waits for the kernel."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from labelkit.core.geometry import Box
from tests.browser import reviews
from tests.browser.twin import Twin

if TYPE_CHECKING:
    from collections.abc import Callable

    from labelkit.synthetic import Match

pytestmark = pytest.mark.browser

A, B = (100.0, 100.0, 200.0, 200.0), (150.0, 150.0, 60.0, 60.0)


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
