"""The browser's shared modules by themselves: the cache of pictures, chords, and the command channel."""

from __future__ import annotations

from io import BytesIO
from typing import TYPE_CHECKING, Any

import pytest
from PIL import Image

from labelkit.widgets import bundle

if TYPE_CHECKING:
    from collections.abc import Callable

    from playwright.sync_api import Page

pytestmark = pytest.mark.browser


@pytest.fixture
def run(page: Page) -> Callable[..., Any]:
    """`run("shared/keys.js", "chord(event)", event=...)` gives what a body does with a module's exports and the named values."""

    def go(name: str, body: str, **values: object) -> object:
        script = bundle.script(name)
        names = ", ".join(values)
        code = f"""async ({{ script, values }}) => {{
          const module = await import(URL.createObjectURL(new Blob([script], {{ type: "text/javascript" }})));
          const {{ {names} }} = values;
          {body}
        }}"""
        return page.evaluate(code, {"script": script, "values": values})

    return go


def picture(width: int, height: int) -> list[int]:
    out = BytesIO()
    Image.new("RGB", (width, height)).save(out, "PNG")
    return list(out.getvalue())


def test_pictures_used_longest_ago_go_first_and_give_their_memory_back(run: Callable[..., Any]) -> None:
    # when: room for three pictures of 100 x 100 px, and five come, the first one used in between
    kept = run(
        "shared/frame_cache.js",
        """const ready = [];
        const cache = module.frameCache({ limit: 3 * 40_000, ready: (index) => ready.push(index) });
        const bytes = new DataView(Uint8Array.from(png).buffer);
        for (const index of [0, 1, 2]) await cache.put(index, "image/png", bytes);
        const first = cache.get(0).bitmap;
        for (const index of [3, 4]) await cache.put(index, "image/png", bytes);
        const held = cache.held();
        const gone = cache.get(1);
        cache.close();
        return { ready, held, gone, has: [0, 1, 2, 3, 4].map((i) => cache.has(i)), closed: first.width };""",
        png=picture(100, 100),
    )
    # then
    assert kept["ready"] == [0, 1, 2, 3, 4]
    assert kept["held"] == 3 * 40_000
    assert kept["gone"] is None
    assert kept["closed"] == 0


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        pytest.param(
            'await cache.put(0, "image/jpeg", new DataView(new ArrayBuffer(9)));', "FRAME_NOT_DECODABLE", id="bytes that are none"
        ),
        pytest.param('cache.refuse(0, "FRAME_MISSING");', "FRAME_MISSING", id="a reason from the kernel"),
    ],
)
def test_a_picture_that_is_none_has_a_problem_in_its_place(run: Callable[..., Any], body: str, problem: str) -> None:
    # when
    got = run("shared/frame_cache.js", f"const cache = module.frameCache({{ ready() {{}} }}); {body} return cache.get(0);")
    # then
    assert got == {"bitmap": None, "problem": problem, "bytes": 0}


@pytest.mark.parametrize(
    ("event", "expected"),
    [
        pytest.param({"key": "z", "code": "KeyZ", "ctrlKey": True}, "Ctrl+Z", id="a letter"),
        pytest.param({"key": "Z", "code": "KeyZ", "metaKey": True, "shiftKey": True}, "Ctrl+Shift+Z", id="Cmd counts as Ctrl"),
        pytest.param({"key": "!", "code": "Digit1", "shiftKey": True}, "Shift+1", id="Shift and a digit"),
        pytest.param({"key": "&", "code": "Digit1"}, "1", id="a digit on a French keyboard"),
        pytest.param({"key": "?", "code": "Slash", "shiftKey": True}, "?", id="a sign has its Shift in it"),
        pytest.param({"key": ">", "code": "Period", "shiftKey": True}, ">", id="another sign"),
        pytest.param({"key": " ", "code": "Space"}, "Space", id="the space bar"),
        pytest.param({"key": "ArrowUp", "code": "ArrowUp", "ctrlKey": True, "shiftKey": True}, "Ctrl+Shift+ArrowUp", id="a named key"),
        pytest.param({"key": "ö", "code": "Semicolon"}, "Ö", id="a letter of another alphabet"),
        pytest.param({"key": "4", "code": "Numpad4"}, "4", id="a digit on the number pad"),
        pytest.param({"key": "\u0442", "code": "KeyN"}, "N", id="a Russian keyboard has N in its place"),
        pytest.param({"key": "z", "code": "KeyY", "ctrlKey": True}, "Ctrl+Z", id="a German keyboard has Z as typed"),
        pytest.param({"key": "\u00e9", "code": "Digit2"}, "2", id="2 on a French keyboard types a letter"),
        pytest.param(
            {"key": "[", "code": "Digit8", "ctrlKey": True, "altKey": True, "modifierAltGraph": True}, "[", id="AltGr+8 is [ in German"
        ),
        pytest.param({"key": "ArrowLeft", "code": "Numpad4"}, "ArrowLeft", id="the number pad without its lock"),
        pytest.param({"key": "Enter", "code": "NumpadEnter"}, "Enter", id="the other Enter"),
        pytest.param({"key": "+", "code": "NumpadAdd"}, "+", id="the other plus"),
    ],
)
def test_a_key_press_is_written_as_the_registry_writes_it(run: Callable[..., Any], event: dict[str, object], expected: str) -> None:
    assert run("shared/keys.js", "return module.chord(new KeyboardEvent('keydown', event));", event=event) == expected


@pytest.mark.parametrize(
    ("said", "counted"),
    [
        pytest.param("Frame 0 has no annotation 'a'.", "Frame 1 has no annotation 'a'.", id="one frame"),
        pytest.param("there is no frame to fill between frames 3 and 9", "there is no frame to fill between frames 4 and 10", id="two"),
        pytest.param("frames changed since: 0, 4, 9, 99.", "frames changed since: 1, 5, 10, 100.", id="a list"),
        pytest.param("Frames 0, 1, 2, 3 and more were changed", "Frames 1, 2, 3, 4 and more were changed", id="the start of a list"),
        pytest.param("frames 1, 2, and 3", "frames 2, 3, and 4", id="a list with a last one"),
        pytest.param("12 of 40 frames were never looked at", "12 of 40 frames were never looked at", id="how many"),
        pytest.param("frame 3, 2 labels differ", "frame 4, 2 labels differ", id="one frame and a number of something else"),
    ],
)
def test_every_frame_that_a_sentence_names_is_counted_from_one(run: Callable[..., Any], said: str, counted: str) -> None:
    assert run("frame_review/counting.js", "return module.counted(said);", said=said) == counted


def test_keys_whose_action_is_missing_are_not_bound_and_held_ones_end(run: Callable[..., Any]) -> None:
    # given
    key = {"group": "g", "text": "t", "when": "always", "hold": False}
    registry = [
        {**key, "action": "there", "chords": ["X"]},
        {**key, "action": "missing", "chords": ["Y"]},
        {**key, "action": "held", "chords": ["H"], "hold": True},
        {**key, "action": "picked", "chords": ["P"], "when": "selected"},
    ]
    # when
    seen = run(
        "shared/keys.js",
        """const seen = [];
        const note = (name) => (event) => seen.push(`${name} ${event.type}`);
        const keys = module.bindings(registry, { there: note("there"), held: note("held"), picked: note("picked") }, () => false);
        const press = (key, type = "keydown") => new KeyboardEvent(type, { key, code: `Key${key.toUpperCase()}` });
        const used = ["x", "y", "h", "h", "p"].map((key) => keys.press(press(key)));
        keys.release(press("h", "keyup"));
        return { seen, used, bound: keys.bound.map((entry) => entry.action), hint: keys.hint("there") };""",
        registry=registry,
    )
    # then
    assert seen["used"] == [True, False, True, True, False]
    assert seen["seen"] == ["there keydown", "held keydown", "held keyup"]
    assert seen["bound"] == ["there", "held", "picked"]
    assert seen["hint"] == "X"


def test_a_question_finds_its_own_answer_and_silence_is_told_and_taken_back(run: Callable[..., Any]) -> None:
    # when
    told = run(
        "shared/commands.js",
        """const told = [], sent = [];
        let hear;
        const on = (event, callback) => event === "msg:custom" && (hear = callback);
        const model = { on, off() {}, send: (content) => sent.push(content) };
        const kernel = module.channel(model, document.body, { patience: 30 });
        for (const event of ["silent", "heard", "note"]) kernel.on(event, (data) => told.push([event, data]));
        const first = kernel.ask("op", { a: 1 });
        const second = kernel.ask("go").catch((error) => error.report.code);
        await new Promise((done) => setTimeout(done, 80));
        hear({ type: "answer", id: "of-another-tab-1", ok: true, result: 9 });
        hear({ type: "event", event: "note", data: 5 });
        hear({ type: "answer", id: sent[1].id, ok: false, error: { code: "NO" } });
        hear({ type: "answer", id: sent[0].id, ok: true, result: 7 });
        return { told, results: [await first, await second], open: kernel.open(), ids: new Set(sent.map((one) => one.id)).size };""",
    )
    # then
    assert told["results"] == [7, "NO"]
    assert (told["open"], told["ids"]) == (0, 2)
    assert told["told"] == [["silent", ["op"]], ["silent", ["op", "go"]], ["note", 5], ["silent", ["op"]], ["heard", None]]


def test_a_model_that_cannot_send_means_the_kernel_is_gone(run: Callable[..., Any]) -> None:
    # when
    codes = run(
        "shared/commands.js",
        """const told = [];
        const model = { on() {}, off() {}, send() { throw new Error("Cannot send"); } };
        const kernel = module.channel(model, document.body);
        kernel.on("gone", () => told.push("gone"));
        const ask = () => kernel.ask("op").catch((error) => error.report.code);
        return [await ask(), await ask(), kernel.gone(), told];""",
    )
    # then
    assert codes == ["KERNEL_GONE", "KERNEL_GONE", True, ["gone"]]
