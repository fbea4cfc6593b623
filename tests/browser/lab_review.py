"""A frame review in a notebook's page: gestures in px of the frame, and what the page says."""

from __future__ import annotations

from typing import TYPE_CHECKING

from playwright.sync_api import expect

if TYPE_CHECKING:
    from playwright.sync_api import Page

    from tests.browser.lab import Notebook


PAINTED = "() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))"


class Review:
    """A review in a notebook's page, with places in px of the frame (960 x 540)."""

    def __init__(self, notebook: Notebook) -> None:
        self.notebook = notebook

    @property
    def page(self) -> Page:
        return self.notebook.page

    def wait(self) -> Review:
        """Wait until the picture is there."""
        stage = self.page.get_by_role("application")
        stage.wait_for()
        stage.scroll_into_view_if_needed()
        self.page.evaluate(PAINTED)  # a jump just made shows as loading from the next painting on
        expect(self.page.locator(".lk-stage.lk-loading")).to_have_count(0)
        return self

    def at(self, x: float, y: float) -> tuple[float, float]:
        box = self.page.get_by_role("application").bounding_box()
        assert box is not None
        scale = min(box["width"] / 960, box["height"] / 540)
        return box["x"] + (box["width"] - 960 * scale) / 2 + x * scale, box["y"] + (box["height"] - 540 * scale) / 2 + y * scale

    def drag(self, start: tuple[float, float], end: tuple[float, float]) -> None:
        mouse = self.page.mouse
        mouse.move(*self.at(*start))
        mouse.down()
        mouse.move(*self.at(*end), steps=5)
        mouse.up()

    def press(self, *keys: str) -> None:
        for key in keys:
            self.page.keyboard.press(key)

    def focus(self) -> None:
        self.page.get_by_role("application").focus()

    @property
    def index(self) -> int:
        return int(self.page.get_by_role("textbox", name="Go to frame").input_value()) - 1

    @property
    def objects(self) -> int:
        """Return how many objects the frame shows, as a screen reader is told."""
        label = str(self.page.get_by_role("application").get_attribute("aria-label"))
        return int(label.split(" objects", maxsplit=1)[0].rsplit(maxsplit=1)[-1])

    def saved(self) -> None:
        """Wait until the chip says that everything is safe."""
        expect(self.page.locator(".lk-save")).to_contain_text("Saved")
