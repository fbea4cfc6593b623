"""Every key of both presets, pressed: what the registry promises happens, and the help says so."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

import labelkit
from labelkit import ReviewOp
from labelkit.core.review.annotations import FrameFlag
from labelkit.core.review.keys import PRESETS, Key
from labelkit.widgets import assets
from tests.browser import reviews

if TYPE_CHECKING:
    from collections.abc import Callable

    from playwright.sync_api import Locator, Page

    from labelkit.synthetic import Match
    from labelkit.widgets import FrameReview
    from tests.browser.twin import Twin

pytestmark = pytest.mark.browser

FLAGS = [flag.value for flag in FrameFlag]
KIT = "kit"
CLASSES = [f"kit {n}" for n in range(1, 10)]
BOX_ONLY, POINT_ONLY = {"box_tool"}, {"point_tool", "advance", "onion", "magnifier"}
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


Check = "Callable[[Board], None]"


def goes(start: int, end: int, *, selected: bool = False) -> Check:
    def check(board: Board) -> None:
        board.go(start)
        if selected:
            board.pick()
        board.press()
        assert board.twin.index == end

    return check


def makes(kind: str, *, pick: bool = False, start: int = 0, **fields: object) -> Check:
    def check(board: Board) -> None:
        board.go(start)
        if pick:
            board.pick()
        op = board.op()
        assert {"kind": op["kind"], **{name: op[name] for name in fields}} == {"kind": kind, **fields}

    return check


def nudges(kind: str, dx: float, dy: float) -> Check:
    def check(board: Board) -> None:
        board.pick()
        before = board.twin.frame.annotations[0].geometry
        op = board.op()
        grown = kind == "resize"
        if not grown:
            assert (op["kind"], op["x"], op["y"]) == ("move", before.x + dx, before.y + dy)
        elif before.kind == "box":
            assert (op["kind"], op["width"], op["height"]) == ("resize", before.width + dx, before.height + dy)
        else:
            assert (op["kind"], op["size"]) == ("resize", (before.size or 8) + dx - dy)

    return check


def presses(name: str) -> Check:
    def check(board: Board) -> None:
        before = board.button(name).get_attribute("aria-pressed")
        board.press()
        expect(board.button(name)).not_to_have_attribute("aria-pressed", str(before))
        board.press()
        expect(board.button(name)).to_have_attribute("aria-pressed", str(before))

    return check


def chooses(tool: str, other: str) -> Check:
    def check(board: Board) -> None:
        board.button(other).click()
        board.twin.stage.focus()
        board.press()
        expect(board.button(tool)).to_have_attribute("aria-pressed", "true")
        expect(board.button(other)).to_have_attribute("aria-pressed", "false")

    return check


def cycles(places: list[str]) -> Check:
    def check(board: Board) -> None:
        seen = []
        for _ in places:
            board.press()
            seen.append(board.chosen.get_attribute("aria-posinset"))
        assert seen == places

    return check


def lights(what: str, shown: str) -> Check:
    def check(board: Board) -> None:
        board.press()
        board.said(f"{what} {shown}")
        board.twin.page.get_by_role("button", name="Reset the view").click()

    return check


def zooms(compare: str) -> Check:
    def check(board: Board) -> None:
        board.twin.press("Equal", "Equal")
        before = board.scale()
        board.press()
        after = board.scale()
        assert {"in": after > before, "out": after < before, "fit": after < before}[compare]
        board.twin.press("Digit0")

    return check


def worth(board: Board) -> None:
    board.go(0)
    board.press()
    assert board.twin.index != 0
    board.said(r"Frame \d+, risk \d+%")


def untouched(board: Board) -> None:
    board.go(0)
    board.twin.settled()
    states = board.twin.review.live.overview()["states"]
    board.press()
    assert board.twin.index == next(i for i in (*range(1, 12), 0) if states[i] == "untouched")


def accepts(board: Board) -> None:
    board.go(4)
    op = board.op()
    assert (op["kind"], op["frame"], board.twin.index) == ("accept", 4, 5)


def undoes(board: Board) -> None:
    board.go(0)
    board.twin.press("Shift+Digit1")
    assert board.op()["kind"] == "undo"
    assert board.twin.frame.flags == ()


def redoes(board: Board) -> None:
    board.go(0)
    board.twin.press("Shift+Digit1", "Control+KeyZ")
    board.twin.settled()
    assert board.op()["kind"] == "redo"
    assert [flag.value for flag in board.twin.frame.flags] == ["bad_frame"]


def publishes(board: Board) -> None:
    before = len(board.twin.bridge.asks("publish"))
    board.press()
    board.twin.page.wait_for_function("() => document.querySelector('.lk-findings, .lk-outcome:not(:empty)')")
    assert len(board.twin.bridge.asks("publish")) == before + 1
    assert [error.code for error in board.twin.review.errors] == ["WARNINGS_REQUIRE_OVERRIDE"]
    board.twin.review.errors.clear()


def copies(board: Board) -> None:
    board.go(0)
    board.pick()
    board.press()
    board.said("Copied: ")


def pastes(board: Board) -> None:
    board.go(0)
    board.pick()
    board.twin.press("Control+KeyC", "Escape", "End")
    board.go(7)
    source = board.twin.review.live.frame(0).annotations[0].geometry
    box = source.kind == "box"
    first = board.op()
    assert (first["kind"], first["x"], first["y"]) == (f"add_{source.kind}", source.x, source.y)
    if not box:
        board.go(8)
    again = [board.op() for _ in range(2 if box else 1)]
    steps = (
        [("add_box", source.x + 10, source.y + 10), ("add_box", source.x + 20, source.y + 20)] if box else [("move", source.x, source.y)]
    )
    assert [(op["kind"], op["x"], op["y"]) for op in again] == steps


def propagates(board: Board) -> None:
    board.go(0)
    board.pick()
    board.press()
    dialog = board.twin.page.get_by_role("dialog", name="Repeat the selected object")
    dialog.get_by_role("spinbutton").fill("2")
    board.twin.forget()
    board.twin.press("Enter")
    board.twin.settled()
    assert [(op["kind"], op["count"]) for op in board.twin.ops()] == [("propagate", 2)]


def classes(n: int) -> Check:
    def check(board: Board) -> None:
        names = board.twin.review.capability.classes
        board.press()
        expect(board.button(names[n - 1])).to_have_attribute("aria-pressed", "true")
        if len(names) == 1:
            return
        board.pick()
        board.twin.press(cap(str(n % len(names) + 1)))
        op = board.op()
        assert (op["kind"], op["label"]) == ("relabel", names[n - 1])

    return check


def hides(board: Board) -> None:
    board.go(0)
    page = board.twin.page
    page.keyboard.down(cap(board.chord))
    expect(board.button("Labels")).to_have_attribute("aria-pressed", "false")
    page.keyboard.up(cap(board.chord))
    expect(board.button("Labels")).to_have_attribute("aria-pressed", "true")


def compares(board: Board) -> None:
    page = board.twin.page
    painted = page.locator(".lk-hosted")
    board.button("Changes").click()
    board.twin.stage.focus()
    expect(painted).to_have_attribute("hidden", "")
    page.keyboard.down(cap(board.chord))
    expect(painted).not_to_have_attribute("hidden", "")
    page.keyboard.up(cap(board.chord))
    expect(painted).to_have_attribute("hidden", "")
    board.button("Changes").click()


def pans(board: Board) -> None:
    page = board.twin.page
    grabs = "() => document.querySelector('.lk-stage canvas:last-of-type').style.cursor === 'grab'"
    page.keyboard.down(cap(board.chord))
    assert page.evaluate(grabs)
    page.keyboard.up(cap(board.chord))
    assert not page.evaluate(grabs)


def opens_light(board: Board) -> None:
    slider = board.twin.page.get_by_role("slider", name="Brightness")
    board.press()
    expect(slider).to_be_focused()
    board.twin.press("Escape")
    expect(slider).to_be_hidden()


def opens_film(board: Board) -> None:
    film = board.twin.page.get_by_role("slider", name="Filmstrip")
    board.press()
    expect(film).to_be_hidden()
    board.press()
    expect(film).to_be_visible()


def helps(board: Board) -> None:
    board.press()
    dialog = board.twin.page.get_by_role("dialog", name="Keys")
    assert set(dialog.locator("dd").all_inner_texts()) == {key.text for key in board.keys}
    board.twin.press("Escape")
    expect(dialog).to_have_count(0)


def leaves(board: Board) -> None:
    board.go(0)
    board.pick()
    board.press()
    expect(board.chosen).to_have_count(0)
    expect(board.twin.stage).to_be_focused()
    board.press()
    expect(board.twin.stage).not_to_be_focused()


SIDES = {"left": (-1, 0), "right": (1, 0), "up": (0, -1), "down": (0, 1)}


def checks(kind: str) -> dict[str, Check]:
    """Return what each action must do on a review of boxes or points."""
    tool = kind.title()
    table: dict[str, Check] = {
        "next_frame": goes(3, 4),
        "previous_frame": goes(3, 2),
        "next_frame_arrow": goes(3, 4),
        "previous_frame_arrow": goes(3, 2),
        "forward_10": goes(1, 11),
        "back_10": goes(11, 1),
        "forward_10_arrow": goes(1, 11),
        "back_10_arrow": goes(11, 1),
        "worth_a_look": worth,
        "next_untouched": untouched,
        "accept_next": accepts,
        **{f"flag_{n}": makes("flag", flag_name=name) for n, name in enumerate(FLAGS, 1)},
        "undo": undoes,
        "redo": redoes,
        "publish": publishes,
        "select_tool": chooses("Select", tool),
        f"{kind}_tool": chooses(tool, "Select"),
        **{f"class_{n}": classes(n) for n in range(1, 10)},
        "next_object": cycles(["1", "2", "1"]),
        "previous_object": cycles(["2", "1", "2"]),
        "delete": makes("delete", pick=True),
        "copy": copies,
        "paste": pastes,
        "copy_previous": makes("copy_previous", start=1),
        "propagate": propagates,
        "interpolate": makes("interpolate", pick=True, start=8),
        **{f"nudge_{side}": nudges("move", dx, dy) for side, (dx, dy) in SIDES.items()},
        **{f"nudge_10_{side}": nudges("move", 10 * dx, 10 * dy) for side, (dx, dy) in SIDES.items()},
        **{f"grow_{side}": nudges("resize", dx, dy) for side, (dx, dy) in SIDES.items()},
        "place": makes(f"add_{kind}", start=6),
        "hide": hides,
        "diff": compares,
        "pan": pans,
        "zoom_in": zooms("in"),
        "zoom_out": zooms("out"),
        "zoom_fit": zooms("fit"),
        "brighter": lights("Brightness", "110%"),
        "darker": lights("Brightness", "90%"),
        "more_contrast": lights("Contrast", "110%"),
        "less_contrast": lights("Contrast", "90%"),
        "light": opens_light,
        "filmstrip": opens_film,
        "advance": presses("Go on"),
        "onion": presses("Trail"),
        "magnifier": presses("Magnifier"),
        "help": helps,
        "leave": leaves,
    }
    if kind == "point":
        table |= {"next_object": cycles(["1", "1"]), "previous_object": cycles(["1", "1"])}
    return {action: check for action, check in table.items() if action not in (POINT_ONLY if kind == "box" else BOX_ONLY)}


def kit(match: Match, keys: str) -> FrameReview:
    """Return a review of nine classes: two boxes on the first frame, one that a person placed on the ninth and eleventh."""
    ws = reviews.workspace(match)
    ws.capabilities.add(KIT, geometry="box", classes=CLASSES)
    draft = ws.review.open("match-1", KIT)
    ops = [ReviewOp.add_box(0, CLASSES[0], 100, 100, 200, 200, id="a"), ReviewOp.add_box(0, CLASSES[1], 500, 300, 60, 60, id="b")]
    ops += [ReviewOp.add_box(i, CLASSES[0], 100 + i, 100, 200, 200, id=f"far{i}") for i in (8, 10)]
    ws.review.apply(draft.id, base_version=draft.version, ops=ops)
    return labelkit.widgets.FrameReview(ws, "match-1", KIT, keys=keys)


def ball(match: Match, keys: str) -> FrameReview:
    """Return a review of the ball: a point on the first, ninth and eleventh frame."""
    ws = reviews.workspace(match)
    draft = ws.review.open("match-1", reviews.BALL)
    ops = [ReviewOp.add_point(i, "ball", 480 + i, 270, 10, id=f"ball{i}") for i in (0, 8, 10)]
    ws.review.apply(draft.id, base_version=draft.version, ops=ops)
    return labelkit.widgets.FrameReview(ws, "match-1", reviews.BALL, keys=keys)


def bound(preset: str, kind: str) -> list[Key]:
    """Return the keys of a preset that a review of boxes or points must bind."""
    missing = POINT_ONLY if kind == "box" else BOX_ONLY | {f"class_{n}" for n in range(2, 10)}
    return [key for key in PRESETS[preset] if key.action not in missing]


@pytest.mark.parametrize("kind", ["box", "point"])
@pytest.mark.parametrize("preset", PRESETS)
@pytest.mark.timeout(240)
def test_every_key_does_what_the_registry_says(show: Callable[[FrameReview], Twin], match: Match, preset: str, kind: str) -> None:
    # given
    twin = show((kit if kind == "box" else ball)(match, preset))
    keys = bound(preset, kind)
    board = Board(twin, keys)
    table = checks(kind)
    same = {key.action for key in PRESETS["labelkit"] if key in PRESETS["cvat"]} if preset == "cvat" else set()
    assert {key.action for key in keys} <= set(table)
    for key in keys:
        for chord in key.chords:
            if key.action in same:  # pressed with the other preset
                continue
            # when
            board.chord = chord
            board.go(0)
            twin.stage.focus()
            twin.press("Escape")
            twin.stage.focus()
            try:
                table[key.action](board)
            except AssertionError as failed:
                failed.add_note(f"{key.action} by {chord}")
                raise
            # then
            assert not twin.review.errors, (key.action, chord)
            while twin.page.get_by_role("button", name="Undo").is_enabled():
                twin.page.get_by_role("button", name="Undo").click()
                twin.page.wait_for_timeout(30)


LAYOUTS = [
    pytest.param({"key": "\u0442", "code": "KeyN"}, "N", id="a Russian keyboard has N in its place"),
    pytest.param({"key": "z", "code": "KeyY", "ctrlKey": True}, "Ctrl+Z", id="a German keyboard has Z as typed"),
    pytest.param({"key": "\u00e9", "code": "Digit2"}, "2", id="2 on a French keyboard types a letter"),
    pytest.param(
        {"key": "[", "code": "Digit8", "ctrlKey": True, "altKey": True, "modifierAltGraph": True}, "[", id="AltGr+8 is [ in German"
    ),
    pytest.param({"key": "ArrowLeft", "code": "Numpad4"}, "ArrowLeft", id="the number pad without its lock"),
    pytest.param({"key": "Enter", "code": "NumpadEnter"}, "Enter", id="the other Enter"),
    pytest.param({"key": "+", "code": "NumpadAdd"}, "+", id="the other plus"),
]


@pytest.mark.parametrize(("event", "expected"), LAYOUTS)
def test_other_keyboards_reach_the_same_keys(page: Page, event: dict[str, object], expected: str) -> None:
    script = assets.text("shared/keys.js").replace('import { dialog, h } from "./dom.js";', "")
    got = page.evaluate(
        """async ([script, event]) => {
          const keys = await import(URL.createObjectURL(new Blob([script], { type: "text/javascript" })));
          return keys.chord(new KeyboardEvent("keydown", event));
        }""",
        [script, event],
    )
    assert got == expected
