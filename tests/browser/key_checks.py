"""What each key of the review must do, on a review under test: one check an action."""

from __future__ import annotations

from playwright.sync_api import expect

from labelkit.core.review.annotations import FrameFlag
from tests.browser.key_board import Board, cap

FLAGS = [flag.value for flag in FrameFlag]
KIT = "kit"
CLASSES = [f"kit {n}" for n in range(1, 10)]
BOX_ONLY, POINT_ONLY = {"box_tool"}, {"point_tool", "advance", "onion", "magnifier"}


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
