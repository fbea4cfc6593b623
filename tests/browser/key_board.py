"""Pressing keys of a registry on a review, as a person at a US keyboard does."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from playwright.sync_api import expect

if TYPE_CHECKING:
    from playwright.sync_api import Locator

    from labelkit.core.review.keys import Key
    from tests.browser.twin import Twin

CAPS = {
    ".": "Period",
    ",": "Comma",
    ">": "Shift+Period",
    "<": "Shift+Comma",
    "?": "Shift+Slash",
    "+": "Shift+Equal",
    "=": "Equal",
    "-": "Minus",
    "[": "BracketLeft",
    "]": "BracketRight",
}


def cap(chord: str) -> str:
    """Return the keys of a US keyboard that make a chord, as Playwright names them.

    >>> cap("Ctrl+Shift+Z"), cap("Shift+1"), cap(">"), cap("Delete")
    ('Control+Shift+KeyZ', 'Shift+Digit1', 'Shift+Period', 'Delete')
    """
    if chord in CAPS:
        return CAPS[chord]
    *held, key = chord.replace("Ctrl", "Control").split("+")
    key = f"Key{key}" if key.isalpha() and len(key) == 1 else f"Digit{key}" if key.isdigit() else key
    return "+".join([*held, key])


class Board:
    """A review under test: `press` presses the chords of the action that is looked at, one of them at a time."""

    def __init__(self, twin: Twin, keys: list[Key]) -> None:
        self.twin = twin
        self.keys = keys
        self.chord = ""

    def press(self) -> None:
        self.twin.press(cap(self.chord))

    def op(self) -> dict[str, object]:
        """Press, and return the one operation that was sent."""
        self.twin.forget()
        self.press()
        for _ in range(100):  # what is nudged goes out when the key rests
            self.twin.page.wait_for_timeout(50)
            if self.twin.ops():
                break
        (op,) = self.twin.ops()
        return op

    def go(self, index: int) -> None:
        field = self.twin.page.get_by_role("textbox", name="Go to frame")
        field.fill(str(index + 1))
        field.press("Enter")

    def pick(self) -> None:
        """Select the first object of the frame."""
        self.twin.page.get_by_role("option").first.click()
        self.twin.stage.focus()

    @property
    def chosen(self) -> Locator:
        return self.twin.page.get_by_role("option", selected=True)

    def button(self, name: str) -> Locator:
        return self.twin.page.get_by_role("toolbar", name="Tools").get_by_role("button", name=name, exact=True)

    def scale(self) -> int:
        return int(self.twin.page.get_by_title("Fit the frame into the view").inner_text().rstrip("%"))

    def said(self, pattern: str) -> None:
        expect(self.twin.page.locator(".lk-said")).to_have_text(re.compile(pattern))
