"""A review of 2,000 frames, stepped through with real keys: memory stays flat in browser and kernel; and a notebook that stays small."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from PIL import Image
from playwright.sync_api import expect

import labelkit
from labelkit.core.geometry import Box
from labelkit.core.review.annotations import Annotation
from tests.browser.lab_review import Review
from tests.browser.test_review_in_lab import SHOW, opening
from tests.browser.twin import Twin
from tests.services.worlds import PLAYERS, add_run

if TYPE_CHECKING:
    from playwright.sync_api import BrowserContext, CDPSession, Page

    from labelkit.synthetic import Match
    from labelkit.widgets import FrameReview
    from tests.browser.lab import Lab

pytestmark = [pytest.mark.browser, pytest.mark.slow]

FRAMES, EARLY = 2000, 200
BOXES = 8
WIDTH, HEIGHT = 480, 270
STRIDE = 20
MIB = 2**20
PICTURES_AT_MOST = 256 * MIB
THUMBNAILS_AT_MOST = 400 * 96 * 54 * 4
NOTEBOOK_AT_MOST = 200_000

COUNTING = """
(() => {
  window.held = { bitmaps: 0, bytes: 0, urls: 0 };
  const make = window.createImageBitmap, close = ImageBitmap.prototype.close;
  window.createImageBitmap = async (...values) => {
    const bitmap = await make(...values);
    held.bitmaps += 1;
    held.bytes += bitmap.width * bitmap.height * 4;
    return bitmap;
  };
  ImageBitmap.prototype.close = function () {
    if (this.width) { held.bitmaps -= 1; held.bytes -= this.width * this.height * 4; }
    return close.call(this);
  };
  const give = URL.createObjectURL, take = URL.revokeObjectURL;
  URL.createObjectURL = (thing) => ((held.urls += 1), give.call(URL, thing));
  URL.revokeObjectURL = (url) => ((held.urls -= 1), take.call(URL, url));
})()
"""


@dataclass(frozen=True)
class Sizes:
    """What a page and the kernel hold: bytes of JavaScript's heap, bitmaps and their bytes, object URLs, nodes, listeners; RSS in bytes."""

    heap: int
    bitmaps: int
    bitmap_bytes: int
    urls: int
    nodes: int
    listeners: int
    rss: int


@pytest.fixture(scope="module")
def review(tmp_path_factory: pytest.TempPathFactory) -> FrameReview:
    """A review of 2,000 small frames with 24 boxes each."""
    folder = tmp_path_factory.mktemp("long")
    first = folder / "00000.jpg"
    Image.linear_gradient("L").resize((WIDTH, HEIGHT)).convert("RGB").save(first, quality=60)
    data = first.read_bytes()
    for index in range(1, FRAMES):
        (folder / f"{index:05}.jpg").write_bytes(data + index.to_bytes(4))  # what follows a JPEG's end is no part of the picture
    ws = labelkit.open(":memory:", workspace="club-a", user="ana")
    media = ws.media.add(folder, name="long")
    boxes = [Annotation("", "player", Box(5 + 18 * i, 40 + 5 * i, 16, 40), 0.5 + i / 50) for i in range(BOXES)]
    run = add_run(ws, dict.fromkeys(range(FRAMES), boxes), media)
    return labelkit.widgets.FrameReview(ws, "long", PLAYERS, run=run, height=160)


def sizes(page: Page, cdp: CDPSession) -> Sizes:
    """Measure after rubbish was collected."""
    for _ in range(2):
        cdp.send("HeapProfiler.collectGarbage")
    held = page.evaluate("window.held")
    counters = cdp.send("Memory.getDOMCounters")
    heap = cdp.send("Runtime.getHeapUsage")["usedSize"]
    rss = int(Path("/proc/self/statm").read_text().split()[1]) * 4096
    return Sizes(int(heap), held["bitmaps"], held["bytes"], held["urls"], counters["nodes"], counters["jsEventListeners"], rss)


def step_to(twin: Twin, last: int) -> list[int]:
    """Hold the key for the next frame until the last is there; return the frames that were asked for.

    Every few frames the picture is waited for, as a person would.
    """
    asked: list[int] = []
    while twin.index < last:
        for _ in range(min(STRIDE, last - twin.index)):
            twin.page.keyboard.down(".")
        twin.page.keyboard.up(".")
        twin.page.wait_for_function("() => !document.querySelector('.lk-stage.lk-loading')", polling=20)
        asked += [index for ask in twin.bridge.asks("frames") for index in ask["indices"]]
        twin.forget()
    return asked


def test_memory_stays_flat(page: Page, review: FrameReview, monkeypatch: pytest.MonkeyPatch) -> None:
    # given
    page.add_init_script(COUNTING)
    page.goto("about:blank")
    page.set_viewport_size({"width": 720, "height": 600})
    twin = Twin.show(page, review, monkeypatch)
    cdp = page.context.new_cdp_session(page)
    cdp.send("HeapProfiler.enable")
    twin.stage.focus()
    # when
    asked = step_to(twin, EARLY - 1)
    twin.settled()
    early = sizes(page, cdp)
    asked += step_to(twin, FRAMES - 1)
    twin.settled()
    late = sizes(page, cdp)
    # then every frame travelled once
    assert sorted(asked) == list(range(FRAMES))
    # and what is held does not follow the number of frames that were looked at
    assert late.heap - early.heap < 2 * MIB
    assert late.nodes <= early.nodes + 20
    assert late.listeners <= early.listeners + 5
    assert late.urls == early.urls
    assert late.bitmap_bytes <= PICTURES_AT_MOST + THUMBNAILS_AT_MOST
    assert late.rss - early.rss < 96 * MIB
    # and a key does what it did
    twin.press("Shift+1")
    twin.settled()
    assert twin.frame.flags == ("bad_frame",)
    assert twin.problems == []
    review.close()


def test_a_notebook_grows_little_by_a_review(lab: Lab, tab: BrowserContext, match: Match) -> None:
    # given
    name = lab.write("growth.ipynb", [opening("growth", match), SHOW])
    before = (lab.root / name).stat().st_size
    notebook = lab.open(tab, name)
    # when a review is shown, edited on every frame, and the notebook saved
    notebook.run()
    shown = Review(notebook).wait()
    shown.focus()
    for _ in range(12):
        expect(shown.page.locator(".lk-stage.lk-loading")).to_have_count(0)  # a frame that has not come takes no edit
        shown.press("Shift+1", "Enter", "a")
    shown.saved()
    notebook.save()
    # then
    assert (lab.root / name).stat().st_size - before < NOTEBOOK_AT_MOST
    assert notebook.until("[str(one.state) for one in review.value.frames]", ["accepted"] * 12) == ["accepted"] * 12
    # when the cell is run again and everything saved once more
    notebook.run()
    Review(notebook).wait()
    notebook.save()
    # then
    assert (lab.root / name).stat().st_size - before < NOTEBOOK_AT_MOST
    assert notebook.problems == []
    notebook.close()
