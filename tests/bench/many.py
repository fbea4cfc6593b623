"""Eight reviewers, each a process with a draft of its own, save to one store: at a person's pace, and as fast as they can."""

from __future__ import annotations

import multiprocessing
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING

import labelkit
from tests.bench import postgres
from tests.bench.drafts import plain_saves
from tests.bench.harness import Goal, Row, Times, alternate, row, seconds_text, timed
from tests.bench.scopes import CLASSES, frame_content, grey_frames
from tests.bench.stores import USER

if TYPE_CHECKING:
    from multiprocessing.synchronize import Barrier

SEED = 3
FRAMES = 500
GOAL = Goal("p95", 0.15)
START_S = 60.0  # how long all processes may take to be ready


@dataclass(frozen=True, slots=True)
class Task:
    """What one reviewer does: save frames of a draft for some seconds, a save every `pace_s` (0: at once after the last one)."""

    store: str
    draft: str
    number: int
    seconds: float
    pace_s: float


@dataclass(frozen=True, slots=True)
class Done:
    """What became of it: seconds of each save, the version that the last one was answered with, and the digest of each frame saved."""

    draft: str
    seconds: list[float]
    version: int
    digests: dict[int, str]


def run(quick: bool) -> list[Row]:  # noqa: FBT001 - every benchmark has this one switch
    """Measure every save of every process; afterwards every acknowledged save must be there and no version be left out."""
    processes, paced_s, saturated_s = (2, 1.2, 0.5) if quick else (8, 60.0, 20.0)
    with tempfile.TemporaryDirectory(prefix="labelkit-bench-") as folder:
        store = Path(folder, "labels.duckdb")
        drafts = _scopes(store, processes)
        with plain_saves(Path(folder, "plain.duckdb")) as plain:
            alone = alternate({"": timed(plain)}, repetitions=1 if quick else 30)[""]
        limit = ("plain DuckDB, one process alone: attach, insert the same rows, detach", alone)
        rows = []
        for name, seconds, pace_s in (("once a second", paced_s, 1.0), ("without a pause", saturated_s, 0.0)):
            done = _together([Task(str(store), draft, n, seconds, pace_s) for n, draft in enumerate(drafts)])
            _verify(store, done)
            saves = Times.of(one for each in done for one in each.seconds)
            rate = len(saves.seconds) / seconds
            note = f"{len(saves.seconds)} saves in {seconds:g} s, {rate:.0f} a second, none lost; {FRAMES} frames a draft, 24 boxes a save"
            goal = GOAL if pace_s else None
            theirs = None if quick else postgres.saves(processes=processes, seconds=seconds, pace_s=pace_s)
            peer = None if theirs is None else (postgres.NAME, theirs)
            if theirs is not None:
                note += f"; PostgreSQL p95 {seconds_text(theirs.p95)}, {len(theirs.seconds) / seconds:.0f} a second"
            rows.append(row(f"{processes} processes save {name}", saves, peer=peer, limit=limit, goal=goal, note=note))
        return rows


def _scopes(store: Path, count: int) -> list[str]:
    """Make a store with that many scopes and return their drafts."""
    with labelkit.open(store, user=USER) as ws:
        ws.media.add(grey_frames(store.parent / "frames", FRAMES), name="match")
        names = [ws.capabilities.add(f"players-{n}", geometry="box", classes=CLASSES).name for n in range(count)]
        return [ws.review.open("match", name).id for name in names]


def _together(tasks: list[Task]) -> list[Done]:
    """Run every task in a process of its own, all starting at once."""
    context = multiprocessing.get_context("spawn")
    barrier = context.Barrier(len(tasks))
    with ProcessPoolExecutor(len(tasks), mp_context=context, initializer=_remember, initargs=(barrier,)) as pool:
        return list(pool.map(_review, tasks))


def _remember(barrier: Barrier) -> None:
    globals()["_all_ready"] = barrier


def _review(task: Task) -> Done:
    random = Random(f"{SEED}/{task.number}")
    seconds: list[float] = []
    digests: dict[int, str] = {}
    with labelkit.open(task.store, user=USER) as ws:
        version = ws.review.get(task.draft).version
        _all_ready.wait(START_S)  # type: ignore[name-defined]  # noqa: F821 - put there when this process started
        started = time.monotonic()
        due = started + task.pace_s * random.random()
        while time.monotonic() < started + task.seconds:
            time.sleep(max(0.0, due - time.monotonic()))
            frame = frame_content(random, random.randrange(FRAMES))
            before = time.perf_counter()
            version = ws.review.save(task.draft, base_version=version, frames=[frame], save_id=f"{task.draft}-{version}")
            seconds.append(time.perf_counter() - before)
            digests[frame.index] = frame.digest()
            due += task.pace_s
    return Done(task.draft, seconds, version, digests)


def _verify(store: Path, done: list[Done]) -> None:
    """Raise where an acknowledged save is not there, or a version nobody was told of is."""
    with labelkit.open(store, user=USER) as ws:
        for each in done:
            draft = ws.review.get(each.draft)
            content, _ = draft._loaded
            kept = dict(content.rows.select("frame_index", "digest").iter_rows())
            lost = [index for index, digest in each.digests.items() if kept[index] != digest]
            if lost or draft.version != each.version:
                raise AssertionError(f"draft {each.draft}: frames {lost} lost, version {draft.version}, acknowledged {each.version}")
