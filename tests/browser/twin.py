"""What the stage's tests need beside the bridge: a kernel that is busy, a count of messages, and places on the frame."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tests.browser.bridge import Bridge

if TYPE_CHECKING:
    import pytest
    from playwright.sync_api import Locator, Page

    from labelkit.core.review.annotations import FrameContent
    from labelkit.widgets import FrameReview

BUSY = """() => {
  const real = window.toPython;
  const held = [];
  window.busy = true;
  window.toPython = (text) => new Promise((done) => held.push(() => real(text).then(done)));
  window.idle = () => { window.toPython = real; window.busy = false; held.forEach((go) => go()); };
}"""

AT_ONCE = """(chords) => {
  for (const chord of chords) {
    const key = chord.split("+").at(-1);
    const held = { shiftKey: chord.includes("Shift+"), altKey: chord.includes("Alt+"), ctrlKey: chord.includes("Control+") };
    document.activeElement.dispatchEvent(new KeyboardEvent("keydown", { key, code: key, bubbles: true, cancelable: true, ...held }));
  }
}"""

PICTURED = "() => !document.querySelector('.lk-stage.lk-loading')"

PIXEL = """async ([x, y]) => {
  for (let i = 0; i < 2; i += 1) await new Promise(requestAnimationFrame); // whatever was done is painted by then
  const stage = document.querySelector(".lk-stage");
  const canvas = stage.querySelector("canvas");
  return [...canvas.getContext("2d").getImageData(x * devicePixelRatio, y * devicePixelRatio, 1, 1).data];
}"""


@dataclass
class Twin:
    """A frame review in a plain page: its bridge, its stage, and gestures in px of the frame."""

    bridge: Bridge
    review: FrameReview
    problems: list[str] = field(default_factory=list)

    @classmethod
    def show(cls, page: Page, review: FrameReview, monkeypatch: pytest.MonkeyPatch, theme: str = "light") -> Twin:
        """Show the review and wait for its first picture."""
        problems: list[str] = []
        page.on("pageerror", lambda error: problems.append(str(error)))
        page.on("console", lambda message: problems.append(message.text) if message.type == "error" else None)
        twin = cls(Bridge.show(page, review, monkeypatch, theme), review, problems)
        twin.stage.wait_for()
        twin.settled()
        return twin

    @property
    def page(self) -> Page:
        return self.bridge.page

    @property
    def stage(self) -> Locator:
        return self.page.get_by_role("application")

    @property
    def frame(self) -> FrameContent:
        """Return the frame that the browser shows, as Python has it."""
        return self.review.live.frame(self.index)

    @property
    def index(self) -> int:
        """Return the frame that the browser shows."""
        return int(self.page.get_by_role("textbox", name="Go to frame").input_value()) - 1

    def settled(self) -> None:
        """Wait until the picture is there, nothing is under way, and what Python said by itself has arrived."""
        self.page.wait_for_function(PICTURED)
        self.page.wait_for_timeout(150)
        self.page.wait_for_function("() => window.busy || !window.waiting")
        self.bridge.deliver()

    def busy(self) -> None:
        """Let the kernel answer nothing until `idle`."""
        self.page.evaluate(BUSY)

    def idle(self) -> None:
        """Let the kernel answer everything it was asked meanwhile."""
        self.page.evaluate("() => window.idle()")

    def at(self, x: float, y: float) -> tuple[float, float]:
        """Return the place on the page of a place of the frame, in px."""
        box = self.stage.bounding_box()
        assert box is not None
        width, height, problem = self.review.live.size(self.index)
        if problem is not None:
            width, height, _ = self.review.live.size(0)
        scale = min(box["width"] / width, box["height"] / height)
        return (
            box["x"] + (box["width"] - width * scale) / 2 + x * scale,
            box["y"] + (box["height"] - height * scale) / 2 + y * scale,
        )

    def drag(self, start: tuple[float, float], end: tuple[float, float], steps: int = 6) -> None:
        """Drag from one place of the frame to another."""
        mouse = self.page.mouse
        mouse.move(*self.at(*start))
        mouse.down()
        mouse.move(*self.at(*end), steps=steps)
        mouse.up()

    def click(self, x: float, y: float) -> None:
        """Click on a place of the frame."""
        self.page.mouse.click(*self.at(x, y))

    def press(self, *keys: str) -> None:
        """Press keys, one after the other, where the focus is."""
        for key in keys:
            self.page.keyboard.press(key)

    def press_at_once(self, *keys: str) -> None:
        """Press keys with no time between them, however busy the machine is."""
        self.page.evaluate(AT_ONCE, list(keys))

    def pixel(self, x: float, y: float) -> list[int]:
        """Return the colour that the bottom canvas shows at a place of the frame, once its picture is there and painted."""
        self.page.wait_for_function(PICTURED)
        box = self.stage.bounding_box()
        assert box is not None
        left, top = self.at(x, y)
        shown: list[int] = self.page.evaluate(PIXEL, [round(left - box["x"]), round(top - box["y"])])
        return shown

    def ops(self) -> list[dict[str, Any]]:
        """Return every operation that was sent, oldest first."""
        return [ask["op"] for ask in self.bridge.asks("op")]

    def forget(self) -> None:
        """Count messages anew."""
        self.bridge.asked.clear()
