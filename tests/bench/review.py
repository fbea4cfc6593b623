"""The review in a browser: drags, the next frame, saving and loading again, at 0 and 120 ms round trip, beside jupyter-bbox-widget.

Event to pixel is `event.timeStamp` until an animation callback reads the new state back: the edge of the dragged box on our canvas, its
rectangle in the peer's document. Such a reader runs before a canvas is painted in the same display frame, so a canvas is always seen
one frame late by it and the peer is not; the notes therefore give the same figures read right after each frame as well.
"""

from __future__ import annotations

import shutil
import tempfile
from collections import Counter
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import labelkit
from tests import needs
from tests.bench import peers
from tests.bench.harness import Goal, Row, Times, row, seconds_text
from tests.bench.proxy import LatencyProxy
from tests.bench.review_pages import (
    COUNTS,
    PICTURES,
    Board,
    Drag,
    Pages,
    kernel_of_peers,
    peer_notebook,
    reload,
    write_frames,
    write_labels,
)
from tests.bench.scopes import CAPABILITY, CLASSES
from tests.bench.stores import USER

if TYPE_CHECKING:
    from playwright.sync_api import Browser

    from tests.browser.lab import Lab

DISPLAY_FRAME_S = 1 / 60
ROUND_TRIPS_S = (0.0, 0.12)
PLACE = 33  # the frame to come back to
LIFE = "others"  # the command of a view that says every ten seconds that it is there
OURS = "import labelkit\nws = labelkit.open({store!r}, user={user!r})"
VIEW = 'labelkit.widgets.FrameReview(ws, "match", "player_detection")'
PLAIN = 'import ipywidgets\nipywidgets.HTML("<b id=bench-plain>here</b>")'
STIMULI = {True: "the browser's mouse", False: "60 events a second"}


def run(quick: bool) -> list[Row]:  # noqa: FBT001 - every benchmark has this one switch
    """Measure in one Chromium of 1280 x 900 px: pages alternate between ours and the peer's."""
    from playwright.sync_api import sync_playwright

    from tests.browser.lab import Lab

    plan = Plan(frames=120, moves=6, repetitions=1, counts=COUNTS[:1], steps=2, warmups=0, hops=1, rest_ms=500) if quick else Plan()
    chromium = needs.chromium()
    python = None if quick else peers.python()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="labelkit-bench-")))
        store = _store(folder, plan.frames)
        (folder / "lab").mkdir()
        lab = Lab(folder / "lab", None if python is None else kernel_of_peers(folder / "jupyter", python))
        stack.callback(lab.close)
        playwright = stack.enter_context(sync_playwright())
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
        stack.callback(browser.close)
        peer = None if python is None else peer_notebook(lab, folder / "frames" / "00000.jpg")
        rows = []
        for round_trip_s in ROUND_TRIPS_S[-1:] if quick else ROUND_TRIPS_S:
            own = folder / f"store-{round_trip_s * 1000:.0f}"
            shutil.copytree(store, own)
            rows += _through(browser, lab, round_trip_s, own / "labels.duckdb", peer, plan)
        return rows


class Plan:
    """How much is measured."""

    def __init__(
        self,
        *,
        frames: int = 10_000,
        moves: int = 100,
        repetitions: int = 5,
        counts: tuple[int, ...] = COUNTS,
        steps: int = 30,
        warmups: int = 1,
        hops: int = 4,
        rest_ms: int = 2500,
    ) -> None:
        self.frames = frames
        self.moves = moves
        self.repetitions = repetitions
        self.counts = counts
        self.steps = steps
        self.warmups = warmups
        self.hops = hops  # far jumps a repetition
        self.rest_ms = rest_ms  # until the next frames have come


def _store(folder: Path, frames: int) -> Path:
    """Make a store with the frames, a model's boxes, and the draft opened from them."""
    (folder / "store").mkdir()
    with labelkit.open(folder / "store" / "labels.duckdb", user=USER) as ws:
        ws.media.add(write_frames(folder / "frames", frames), name="match")
        labels = write_labels(folder / "labels", frames)
        run = ws.prelabels.import_("yolo", labels, media="match", capability=CAPABILITY, classes=CLASSES, model="bench")
        ws.review.open("match", CAPABILITY, run.id)
    return folder / "store"


def _through(browser: Browser, lab: Lab, round_trip_s: float, store: Path, peer: str | None, plan: Plan) -> list[Row]:
    """Measure everything at one round trip time."""
    at = f"at {round_trip_s * 1000:.0f} ms"
    ours = lab.write(f"ours-{round_trip_s * 1000:.0f}.ipynb", [OURS.format(store=str(store), user=USER), VIEW])
    plain = lab.write(f"plain-{round_trip_s * 1000:.0f}.ipynb", [PLAIN])
    with ExitStack() as stack:
        port = int(lab.url.rpartition(":")[2])
        proxy = stack.enter_context(LatencyProxy(port, delay_s=round_trip_s / 2))
        pages = Pages(browser, lab, proxy.port)
        stack.callback(pages.close)
        board = Board(pages.open(ours), peer=False)
        board.shows(0)
        other = None if peer is None else Board(pages.open(peer), peer=True)
        rows = _drags(board, other, at, plan)
        if other is not None:
            other.notebook.close()
        board.front()
        rows += [*_frames(board, at, plan), _runs(board, at, plan)]
        board.go(PLACE)
        board.page.wait_for_timeout(1000)
        board.notebook.save()
        idle = pages.open(plain)
        idle.save()
        rows += _reloads(board, idle, at, plan)
        for notebook in (idle, board.notebook):
            notebook.close()
        return rows


def _drags(board: Board, other: Board | None, at: str, plan: Plan) -> list[Row]:
    rows: list[Row] = []
    everything: list[Drag] = []
    for count in plan.counts:
        found: dict[tuple[bool, bool], list[Drag]] = {}
        sides = [board] if other is None else [board, other]
        for side in sides:
            side.crowd(count)
        for turn in range(plan.repetitions + plan.warmups):
            for side in sides if turn % 2 == 0 else reversed(sides):
                for real in STIMULI:
                    drag = side.drag(plan.moves, real=real)
                    if turn >= plan.warmups:
                        found.setdefault((side.peer, real), []).append(drag)
        everything += found[False, True] + found[False, False]
        for real, how in STIMULI.items():
            rows.append(_drag_row(f"drag, {count:,} boxes {at}, {how}", count, found[False, real], found.get((True, real))))
    return [*rows, *_gesture_rows(everything, at)]


def _drag_row(name: str, count: int, ours: list[Drag], theirs: list[Drag] | None) -> Row:
    times = Times.of(one for drag in ours for one in drag.shown)
    peer = None if theirs is None else Times.of(one for drag in theirs for one in drag.shown)
    goal = None
    if peer is not None:
        goal = {24: Goal("p95", peer.p95 + DISPLAY_FRAME_S), 1000: Goal("peer p95", 1.0)}.get(count)
    note = f"{len(times.seconds)} events, {sum(drag.missing for drag in ours)} never shown; right after the frame: {_both(ours)}"
    if theirs is not None and peer is not None:
        note += f"; the peer: p95 {seconds_text(peer.p95)}, right after the frame {_both(theirs)}"
    return row(name, times, peer=None if peer is None else ("jupyter-bbox-widget", peer), goal=goal, note=note)


def _both(drags: list[Drag]) -> str:
    later = Times.of(one for drag in drags for one in drag.later)
    return f"p50 {seconds_text(later.median)}, p95 {seconds_text(later.p95)}"


def _gesture_rows(drags: list[Drag], at: str) -> list[Row]:
    """Return the rows of what a gesture sends, and when its edit is saved."""
    during = Counter(what for drag in drags for what in drag.during)
    own = [[what for what in drag.after if what != LIFE] for drag in drags]
    after = Counter(" + ".join(sent) or "nothing" for sent in own)
    messages = Row(
        name=f"messages of a drag {at}",
        goal="0 during it, 1 after",
        met=not during and all(len(sent) == 1 for sent in own),
        note=f"{len(drags)} drags; during them: {_counts(during)}; in the 1.5 s after, but for the regular sign of life: {_counts(after)}",
    )
    saved = [drag.saved for drag in drags if drag.saved is not None]
    unsaved = len(drags) - len(saved)
    note = f"from the mouse's release until the page says Saved; {unsaved} of {len(drags)} not within 1.5 s"
    return [messages, row(f"edit to saved {at}", Times.of(saved), goal=Goal("p95", 0.5), note=note)]


def _counts(counter: Counter[str]) -> str:
    return ", ".join(f"{what} ({count})" for what, count in counter.most_common()) or "nothing"


def _frames(board: Board, at: str, plan: Plan) -> list[Row]:
    """Return the rows of going to a frame: the next one, which is there already, and a far one, which is not."""
    steps: list[float] = []
    jumps: list[float] = []
    for turn in range(plan.repetitions + plan.warmups):
        board.go(100)
        board.page.wait_for_timeout(plan.rest_ms)
        found = board.steps(plan.steps, 0.25)
        steps += found if turn >= plan.warmups else []
        for hop in range(plan.hops):
            start = 100 + (turn * 4 + hop) * max(17, (plan.frames - 200) // (4 * plan.repetitions + 4))
            found = [board.jump(start % plan.frames)]
            jumps += found if turn >= plan.warmups else []
    times = Times.of(steps)
    verdict = [
        row(f"next cached frame {at}", times, goal=Goal("p50", 0.034), note=f"{len(steps)} keys, one each 250 ms"),
        row(f"next cached frame {at}, its p95", times, goal=Goal("p95", 0.05)),
    ]
    return [*verdict, row(f"a frame not cached {at}", Times.of(jumps), note="by its number; asked for, sent, decoded, painted")]


def _runs(board: Board, at: str, plan: Plan) -> Row:
    times = [board.run_again() for _ in range(plan.repetitions + plan.warmups)][plan.warmups :]
    return row(
        f"run the cell, see the frame {at}",
        Times.of(times),
        goal=Goal("p50", 0.5),
        note=f"FrameReview(...) on a draft of {plan.frames:,} frames whose session is open in the kernel",
    )


def _reloads(board: Board, idle: object, at: str, plan: Plan) -> list[Row]:
    """Return the rows of loading the page again: from the navigation on, beside a notebook of one plain widget, and our own share."""
    ours, share, plain = [], [], []
    for _ in range(plan.repetitions):
        arrived = reload(board.notebook, "frame")
        if arrived["frame"] != PLACE % PICTURES:
            raise AssertionError(f"the page came back to frame {arrived['frame']}, not to {PLACE}")
        ours.append(arrived["painted"])
        share.append(arrived["painted"] - arrived["root"])
        plain.append(reload(idle, "plain")["plain"])  # type: ignore[arg-type]
    limit = ("the same for a notebook with one ipywidgets.HTML", Times.of(plain))
    return [
        row(f"reload to the same place {at}", Times.of(ours), limit=limit, note="from the navigation on, JupyterLab's own start included"),
        row(
            f"reload to the same place {at}, our share", Times.of(share), goal=Goal("p50", 1.0), note="from the widget's root to its frame"
        ),
    ]
