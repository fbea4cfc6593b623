"""Fingers and pen on the stage: one finger draws, two zoom and move the view, and a second one that lands leaves no trace of the first."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from tests.browser import reviews
from tests.browser.twin import Twin

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from playwright.sync_api import Browser, CDPSession

    from labelkit.synthetic import Match

pytestmark = pytest.mark.browser

Place = tuple[float, float]


class Hand:
    """Fingers on a twin's stage, by number, at places of the frame as it is seen when it fits."""

    def __init__(self, twin: Twin) -> None:
        self.twin = twin
        self.session: CDPSession = twin.page.context.new_cdp_session(twin.page)
        self.fingers: dict[int, Place] = {}

    def land(self, finger: int, x: float, y: float) -> None:
        self.fingers[finger] = self.twin.at(x, y)
        self._send("touchStart", self.fingers)

    def slide(self, finger: int, x: float, y: float, steps: int = 5) -> None:
        goal, start = self.twin.at(x, y), self.fingers[finger]
        for step in range(1, steps + 1):
            self.fingers[finger] = tuple(a + (b - a) * step / steps for a, b in zip(start, goal, strict=True))  # type: ignore[assignment]
            self._send("touchMove", self.fingers)

    def lift(self, finger: int) -> None:
        self._send("touchEnd", {finger: self.fingers.pop(finger)})

    def taken(self) -> None:
        """The system takes the touch away, as for a gesture of its own."""
        self.fingers.clear()
        self._send("touchCancel", {})

    def _send(self, kind: str, fingers: dict[int, Place]) -> None:
        points = [{"id": finger, "x": x, "y": y} for finger, (x, y) in fingers.items()]
        self.session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})


@pytest.fixture
def start(browser: Browser, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Twin]]:
    """Shows a review on a screen that can be touched."""
    context = browser.new_context(viewport={"width": 1280, "height": 900}, has_touch=True)
    context.set_default_timeout(10_000)
    shown: list[Twin] = []

    def show(review: object) -> Twin:
        shown.append(Twin.show(context.new_page(), review, monkeypatch))  # type: ignore[arg-type]
        return shown[-1]

    yield show
    for twin in shown:
        twin.review.close()
        assert twin.problems == []
    context.close()


@pytest.fixture
def touched(start: Callable[..., Twin], short: Match) -> Twin:
    """Two boxes on the first frame: a from (100, 100) to (300, 300), and b inside it."""
    return start(reviews.boxes(short, (100, 100, 200, 200), (150, 150, 60, 60)))


def scale(twin: Twin) -> str:
    return twin.page.get_by_title("Fit the frame into the view").inner_text()


@pytest.mark.parametrize(
    ("first", "then", "kind", "box"),
    [
        pytest.param((500, 300), (600, 350), "add_box", (500, 300, 100, 50), id="from free ground draws"),
        pytest.param((110, 290), (160, 310), "move", (150, 120, 200, 200), id="in a box moves it"),
    ],
)
def test_one_finger_draws_and_drags(touched: Twin, first: Place, then: Place, kind: str, box: tuple[float, ...]) -> None:
    # given
    hand = Hand(touched)
    touched.forget()
    # when
    hand.land(1, *first)
    hand.slide(1, *then)
    hand.lift(1)
    touched.settled()
    # then
    (op,) = touched.ops()
    assert op["kind"] == kind
    found = touched.frame.find(op["id"])
    assert found is not None
    geometry = found.geometry
    assert (geometry.x, geometry.y, geometry.width, geometry.height) == pytest.approx(box, abs=3)  # type: ignore[union-attr]


def test_a_finger_takes_a_corner_from_further_away_than_a_mouse(touched: Twin) -> None:
    # given
    hand = Hand(touched)
    touched.click(110, 290)
    # when
    hand.land(1, 312, 312)
    hand.slide(1, 352, 352)
    hand.lift(1)
    touched.settled()
    # then
    assert [op["kind"] for op in touched.ops()] == ["resize"]


def test_two_fingers_zoom_and_move_the_view_and_nothing_else(touched: Twin) -> None:
    # given
    hand = Hand(touched)
    before = scale(touched)
    # when
    hand.land(1, 400, 300)
    hand.land(2, 500, 300)
    hand.slide(2, 700, 300)
    hand.lift(2)
    wide = scale(touched)
    hand.slide(1, 300, 200)
    # then
    assert int(wide.rstrip("%")) == pytest.approx(3 * int(before.rstrip("%")), abs=6)
    assert scale(touched) == wide
    hand.lift(1)
    # when
    hand.land(1, 400, 300)
    hand.land(2, 700, 300)
    hand.slide(2, 410, 300)
    hand.lift(1)
    hand.lift(2)
    # then
    assert scale(touched) == before
    touched.settled()
    assert touched.ops() == []
    # when
    hand.land(1, 500, 300)
    hand.slide(1, 600, 350)
    hand.lift(1)
    touched.settled()
    # then
    drawn = touched.frame.annotations[-1].geometry
    assert (drawn.x, drawn.y) == pytest.approx((500, 300), abs=3)


@pytest.mark.parametrize("end", ["a second finger", "the system"])
@pytest.mark.parametrize("first", [pytest.param((500, 300), id="a drawing"), pytest.param((180, 180), id="a move")])
def test_a_drag_that_is_taken_over_leaves_no_trace(touched: Twin, first: Place, end: str) -> None:
    # given
    hand = Hand(touched)
    touched.click(110, 290)
    # when
    hand.land(1, *first)
    hand.slide(1, first[0] + 80, first[1] + 60)
    if end == "the system":
        hand.taken()
    else:
        hand.land(2, 700, 400)
        hand.slide(1, 300, 200)
        hand.slide(2, 600, 300)
        hand.lift(1)
        hand.lift(2)
    touched.settled()
    # then
    assert touched.ops() == []
    assert [a.id for a in touched.frame.annotations] == ["a", "b"]
    expect(touched.page.get_by_role("option", selected=True)).to_contain_text("200 \u00d7 200")


def test_a_finger_places_the_ball_when_it_lifts_and_two_do_not(start: Callable[..., Twin], short: Match) -> None:
    # given
    twin = start(reviews.balls(short))
    hand = Hand(twin)
    # when
    hand.land(1, 300, 200)
    hand.land(2, 500, 300)
    hand.lift(2)
    hand.lift(1)
    twin.settled()
    # then
    assert (twin.ops(), twin.index) == ([], 0)
    # when
    hand.land(1, 500, 300)
    hand.lift(1)
    twin.settled()
    # then
    assert [op["kind"] for op in twin.ops()] == ["move"]
    assert twin.index == 1


PEN = """([kind, id, pointer, x, y]) => {
  const stage = document.querySelector(".lk-stage");
  stage.setPointerCapture = () => undefined; // a made-up pointer cannot be captured
  const made = { pointerId: id, pointerType: pointer, clientX: x, clientY: y, bubbles: true, cancelable: true };
  stage.dispatchEvent(new PointerEvent(kind, made));
}"""


@pytest.mark.parametrize("palm", ["before", "during", "never"])
def test_a_hand_that_rests_beside_the_pen_draws_nothing(touched: Twin, palm: str) -> None:
    # given
    def send(kind: str, pointer: str, x: float, y: float) -> None:
        touched.page.evaluate(PEN, [kind, 20 if pointer == "pen" else 30, pointer, *touched.at(x, y)])

    # when
    if palm == "before":
        send("pointerdown", "touch", 700, 500)
    send("pointerdown", "pen", 500, 300)
    send("pointermove", "pen", 550, 320)
    if palm == "during":
        send("pointerdown", "touch", 700, 500)
        send("pointermove", "touch", 720, 480)
    send("pointermove", "pen", 600, 350)
    send("pointerup", "pen", 600, 350)
    if palm != "never":
        send("pointerup", "touch", 700, 500)
    touched.settled()
    # then
    assert [op["kind"] for op in touched.ops()] == ["add_box"]
    drawn = touched.frame.annotations[-1].geometry
    assert (drawn.x, drawn.y, drawn.width, drawn.height) == pytest.approx((500, 300, 100, 50), abs=3)  # type: ignore[union-attr]
