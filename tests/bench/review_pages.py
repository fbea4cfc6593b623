"""The pages that the review's benchmark drives: a notebook with our review or the peer's widget, gestures, and what they showed."""

from __future__ import annotations

import copy
import io
import json
import os
import time
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any

from PIL import Image, ImageDraw

from tests.bench.scopes import BOXES, CLASSES, HEIGHT, WIDTH
from tests.browser.lab import READY, Lab, Notebook

if TYPE_CHECKING:
    from collections.abc import Sequence

    from playwright.sync_api import Browser

SEED = 5
PICTURES = 60  # different ones; frame i shows picture i % 60
COUNTS = (24, 200, 1000)  # boxes on the first frames; every other frame has 24
STEP_PX = 3
MIDDLE = 20  # px from the middle of a picture to the edge of the square whose colour tells its number
PROBE = Path(__file__).with_name("review_probe.js")
HELD = (40.0, 630.0, 70.0, 60.0)  # the box that is dragged: in a lane of its own below the others
PEER_PX = 782  # its width, so that its picture is as large as the one on our stage of 440 px height
VIEW = {"width": 1280, "height": 900}
PATIENCE_MS = 60_000

_PEER = """
import warnings
warnings.simplefilter("ignore")
from pathlib import Path
from ipywidgets import VBox
from jupyter_bbox_widget import BBoxWidget
picture, boxes = Path({picture!r}).read_bytes(), {boxes!r}
widget = BBoxWidget(image_bytes=picture, classes={classes!r}, bboxes=boxes["24"])
VBox([widget], layout={{"width": "{width}px"}})
"""


def crowd(count: int) -> list[tuple[float, float, float, float]]:
    """Return that many boxes (left, top, width, height in px): the dragged one last, the others in rows above it, none in the middle."""
    columns, rows = 50, 21
    width, height = WIDTH / columns, 560 / rows
    cells = [(n % columns * width + 2, n // columns * height + 14, width - 4, height - 6) for n in range(columns * rows)]
    free = [cell for cell in cells if abs(cell[0] + width / 2 - WIDTH / 2) > width + MIDDLE or abs(cell[1] - HEIGHT / 2) > height + MIDDLE]
    return [*free[: count - 1], HELD]


def write_frames(folder: Path, frames: int) -> Path:
    """Return `folder` with that many JPEG frames of about 140 kB; the colour in the middle tells the frame's number modulo 60."""
    folder.mkdir(parents=True)
    random = Random(SEED)
    for index in range(min(frames, PICTURES)):
        noise = Image.frombytes("RGB", (WIDTH // 2, HEIGHT // 2), random.randbytes(WIDTH * HEIGHT * 3 // 4))
        picture = Image.blend(
            noise.resize((WIDTH, HEIGHT), Image.Resampling.BICUBIC), Image.new("RGB", (WIDTH, HEIGHT), (60, 110, 60)), 0.8
        )
        colour = tuple(60 + 30 * (index // 6**channel % 6) for channel in range(3))
        ImageDraw.Draw(picture).rectangle((WIDTH / 2 - MIDDLE, HEIGHT / 2 - MIDDLE, WIDTH / 2 + MIDDLE, HEIGHT / 2 + MIDDLE), fill=colour)
        out = io.BytesIO()
        picture.save(out, "JPEG", quality=80)
        (folder / f"{index:05}.jpg").write_bytes(out.getvalue())
    for index in range(PICTURES, frames):
        os.link(folder / f"{index % PICTURES:05}.jpg", folder / f"{index:05}.jpg")
    return folder


def write_labels(folder: Path, frames: int) -> Path:
    """Return `folder` with YOLO text for every frame: 24, 200 and 1,000 boxes on the first three, 24 on the others."""
    folder.mkdir(parents=True)
    for index in range(frames):
        count = COUNTS[index] if index < len(COUNTS) else BOXES
        lines = (
            f"0 {(x + w / 2) / WIDTH:.7f} {(y + h / 2) / HEIGHT:.7f} {w / WIDTH:.7f} {h / HEIGHT:.7f} 0.9\n" for x, y, w, h in crowd(count)
        )
        (folder / f"{index:05}.txt").write_text("".join(lines), encoding="ascii")
    return folder


def peer_notebook(lab: Lab, picture: Path) -> str:
    """Write the notebook of jupyter-bbox-widget, whose kernel is the peers' environment; returns its name."""
    boxes = {str(n): [dict(zip(("x", "y", "width", "height"), box, strict=True), label="player") for box in crowd(n)] for n in COUNTS}
    name = lab.write("peer.ipynb", [_PEER.format(picture=str(picture), boxes=boxes, classes=list(CLASSES), width=PEER_PX)])
    file = lab.root / name
    notebook = json.loads(file.read_text())
    notebook["metadata"]["kernelspec"] = {"name": "peers", "display_name": "Peers", "language": "python"}
    file.write_text(json.dumps(notebook))
    return name


def kernel_of_peers(folder: Path, python: Path) -> dict[str, str]:
    """Return the environment in which Jupyter finds a kernel named `peers` that runs in the peers' environment."""
    place = folder / "kernels" / "peers"
    place.mkdir(parents=True)
    command = [str(python), "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    (place / "kernel.json").write_text(json.dumps({"argv": command, "display_name": "Peers", "language": "python"}))
    return {"JUPYTER_PATH": str(folder)}


@dataclass(frozen=True, slots=True)
class Drag:
    """What one drag showed, in seconds: event to pixel by both ways of reading, events never shown, messages, and edit to saved."""

    shown: list[float]
    later: list[float]
    missing: int
    during: list[str]
    after: list[str]
    saved: float | None


class Pages:
    """One JupyterLab seen through one port: a browser window whose pages all carry the probe."""

    def __init__(self, browser: Browser, lab: Lab, port: int) -> None:
        self.lab = copy.copy(lab)
        self.lab.url = f"http://127.0.0.1:{port}"
        self._context = browser.new_context(viewport=VIEW)  # type: ignore[arg-type]
        self._context.set_default_timeout(PATIENCE_MS)
        self._context.add_init_script(path=PROBE)

    def open(self, name: str) -> Notebook:
        """Open a notebook and run it."""
        notebook = self.lab.open(self._context, name)
        notebook.run()
        return notebook

    def close(self) -> None:
        self._context.close()


class Board:
    """A widget with a box to drag: ours, or the peer's."""

    def __init__(self, notebook: Notebook, *, peer: bool) -> None:
        self.notebook = notebook
        self.page = notebook.page
        self.peer = peer
        self._right = True
        self._reach = 0

    def front(self) -> None:
        """Put the page before the others: a page behind another one paints once a second."""
        self.page.bring_to_front()
        self.page.wait_for_function("() => document.visibilityState === 'visible'")

    def crowd(self, count: int) -> None:
        """Show a frame with that many boxes."""
        self.front()
        self._right = True
        if self.peer:
            self.notebook.python("0", f"widget.bboxes = []\nwidget.bboxes = boxes[{str(count)!r}]")
            self.page.wait_for_function(f"() => document.querySelectorAll('svg rect.movable').length === {count}")
        else:
            self.go(COUNTS.index(count))
        self.page.wait_for_timeout(500)

    def go(self, index: int) -> None:
        """Go to a frame by its number and wait until its picture is there."""
        number = self.page.get_by_label("Go to frame")
        number.fill(str(index + 1))
        number.press("Enter")
        self.shows(index)

    def shows(self, index: int) -> None:
        """Wait until the picture of that frame is shown."""
        self.page.wait_for_function(f"() => bench.frameShown() === {index % PICTURES}")

    def place(self) -> tuple[float, float, float]:
        """Return where to press the dragged box on the page (x, y), and a row of px that crosses its edge but none of its grips."""
        if self.peer:
            box = self.page.evaluate("() => [...document.querySelectorAll('svg rect.movable')].at(-1).getBoundingClientRect().toJSON()")
            return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2, box["y"]
        box = self.page.evaluate("() => document.querySelector('.lk-stage canvas').getBoundingClientRect().toJSON()")
        scale = min(box["width"] / WIDTH, box["height"] / HEIGHT)
        left, top = box["x"] + (box["width"] - WIDTH * scale) / 2, box["y"] + (box["height"] - HEIGHT * scale) / 2
        x, y, width, height = HELD
        moved = 0 if self._right else self._reach
        return left + (x + width / 2) * scale + moved, top + (y + height / 2) * scale, top + (y + height / 4) * scale

    def drag(self, moves: int, *, real: bool) -> Drag:
        """Drag the box by 3 px an event, there and back in turn: by the browser's mouse (`real`), else one event a frame."""
        self.front()
        x, y, row = (round(value) for value in self.place())
        step = STEP_PX if self._right else -STEP_PX
        mouse = self.page.mouse
        mouse.move(x, y)
        self.page.wait_for_timeout(200)
        self.page.evaluate("(wants) => bench.start(wants)", {"what": "edge", "peer": self.peer, "y": row})
        mouse.down()
        self.page.wait_for_timeout(50)
        if real:
            for at in range(1, moves + 1):
                mouse.move(x + at * step, y)
        else:
            self.page.evaluate("([x, y, step, count]) => bench.play(x, y, step, count)", [x, y, step, moves])
        self.page.wait_for_timeout(100)
        mouse.move(x + moves * step, y)
        mouse.up()
        self.page.wait_for_function("() => bench.released()")
        self.page.wait_for_timeout(1500)
        self._reach = moves * STEP_PX
        self._right = not self._right
        return _drag(self.page.evaluate("() => bench.stop()"))

    def steps(self, count: int, pause_s: float) -> list[float]:
        """Press the key of the next frame that often and return the seconds from each key to its picture."""
        first: int = self.page.evaluate("() => bench.frameShown()")
        self.page.locator(".lk-stage").focus()
        self.page.evaluate("(wants) => bench.start(wants)", {"what": "frame"})
        for at in range(1, count + 1):
            due = time.monotonic() + pause_s
            self.page.keyboard.press(".")
            self.shows(first + at)
            self.page.wait_for_timeout(max(0.0, due - time.monotonic()) * 1000)
        found = self.page.evaluate("() => bench.stop()")
        keys = [event["t"] for event in found["events"] if event["type"] == "keydown"]
        return [_first(found["shown"], key, lambda shown, at=at: shown == (first + at) % PICTURES) / 1000 for at, key in enumerate(keys, 1)]

    def jump(self, index: int) -> float:
        """Go to a frame that is not in the browser's cache; returns the seconds from the key to its picture."""
        number = self.page.get_by_label("Go to frame")
        number.fill(str(index + 1))
        self.page.evaluate("(wants) => bench.start(wants)", {"what": "frame"})
        number.press("Enter")
        self.shows(index)
        self.page.wait_for_timeout(100)
        found = self.page.evaluate("() => bench.stop()")
        key = next(event["t"] for event in found["events"] if event["type"] == "keydown")
        return _first(found["shown"], key, lambda shown: shown == index % PICTURES) / 1000

    def run_again(self) -> float:
        """Run the notebook's last cell again and return the seconds until the new view has painted its frame."""
        started = self.page.evaluate(
            """async () => {
              const panel = jupyterapp.shell.currentWidget;
              panel.content.activeCellIndex = panel.content.widgets.length - 1;
              const started = bench.expect();
              await jupyterapp.commands.execute("notebook:run-cell");
              return started;
            }"""
        )
        self.page.wait_for_function("() => bench.arrived().frame !== undefined")
        return (self.page.evaluate("() => bench.arrived().painted") - started) / 1000


def reload(notebook: Notebook, landmark: str) -> dict[str, float]:
    """Load a notebook's page again and return when, in seconds after the navigation began, its landmarks were there."""
    notebook.page.bring_to_front()
    notebook.page.reload()
    notebook.page.wait_for_function(f"() => window.bench?.arrived().{landmark} !== undefined", timeout=PATIENCE_MS)
    arrived = notebook.page.evaluate("() => bench.arrived()")
    notebook.page.wait_for_function(READY, timeout=PATIENCE_MS)
    return {name: value if name == "frame" else value / 1000 for name, value in arrived.items()}


def _drag(found: dict[str, Any]) -> Drag:
    events = found["events"]
    down = next(event for event in events if event["type"] == "pointerdown")
    up = next(event for event in events if event["type"] == "pointerup")
    moves = [event for event in events if event["type"] == "pointermove" and down["t"] < event["t"] < up["t"]]
    moves = [event for event, before in zip(moves, [down, *moves], strict=False) if event["x"] != before["x"]]
    edge = [frame["value"] for frame in found["shown"] if frame["t"] <= moves[0]["t"] and frame["value"] is not None][-1]
    shown = [_seen(found["shown"], edge, down, move) for move in moves]
    later = [_seen(found["later"], edge, down, move) for move in moves]
    chips = found["chips"]
    before = next((chip["text"] for chip in reversed(chips) if chip["t"] <= up["t"]), None)
    news = [chip for chip in chips if chip["t"] > up["t"] and chip["text"].startswith("Saved") and chip["text"] != before]
    saved = news[0]["t"] - up["t"] if news else None
    return Drag(
        shown=[one / 1000 for one in shown if one is not None],
        later=[one / 1000 for one in later if one is not None],
        missing=shown.count(None),
        during=[sent["what"] for sent in found["sent"] if down["t"] <= sent["t"] < up["t"]],
        after=[sent["what"] for sent in found["sent"] if sent["t"] >= up["t"]],
        saved=None if saved is None else saved / 1000,
    )


def _seen(frames: Sequence[dict[str, Any]], start: float, down: dict[str, Any], move: dict[str, Any]) -> float | None:
    """Return the ms from an event until the edge stood where this event, or a later one, put it."""
    return _first(frames, move["t"], lambda edge: edge is not None and abs(edge - start) >= abs(move["x"] - down["x"]) - 1)


def _first(frames: Sequence[dict[str, Any]], since: float, holds: Any) -> Any:
    return next((frame["t"] - since for frame in frames if frame["t"] >= since and holds(frame["value"])), None)
