"""The files of a dataset of 20,000 pictures: links, copies and crops by one and two workers and a Dask cluster, and a run that is done."""

from __future__ import annotations

import hashlib
import itertools
import multiprocessing
import os
import shutil
import tempfile
from concurrent.futures import Executor, ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import labelkit
from tests import cloud
from tests.bench.harness import Goal, Row, alternate, row, seconds_text, timed
from tests.bench.pictures import FEW, NAME, store_of
from tests.bench.stores import USER

if TYPE_CHECKING:
    from collections.abc import Callable

    from labelkit.core.datasets.materialization import MaterializationReport
    from labelkit.services.datasets import Dataset
    from tests.bench.harness import Reading

PICTURES, QUICK_PICTURES = 20_000, 20
LINK_GOAL, COPY_GOAL, SCALING_GOAL, RESUME_GOAL = Goal("limit", 1.3), Goal("limit", 1.2), Goal("limit", 0.556), Goal("p50", 1.0)

_numbers = itertools.count()


def run(quick: bool) -> list[Row]:  # noqa: FBT001 - every benchmark has this one switch
    """Measure with all pictures in the page cache; every repetition writes to a new folder, and workers are up before the clock runs."""
    store = store_of(QUICK_PICTURES if quick else PICTURES)
    with ExitStack() as stack:
        scratch = Path(stack.enter_context(tempfile.TemporaryDirectory(dir=store.parent, prefix="scratch-")))
        ws = stack.enter_context(labelkit.open(store, workspace="club-a", user=USER))
        many, few = (_Bench(ws.datasets.get(name), scratch, repetitions=1 if quick else 5) for name in (NAME, FEW))
        return [*many.links(), *many.copies(), many.resumed(), *few.crops(stack)]


class _Bench:
    def __init__(self, dataset: Dataset, scratch: Path, repetitions: int) -> None:
        self._dataset = dataset
        self._scratch = scratch
        self._repetitions = repetitions
        self._frames = dataset.to_polars().select("media", "frame_name", "sha256").rows()
        self._media = scratch.parent / "media"
        self._size = f"{len(self._frames):,} pictures of {sum(map(os.path.getsize, self._paths())) // len(self._frames) // 1000} kB"

    def links(self) -> list[Row]:
        with ThreadPoolExecutor(1) as one, ThreadPoolExecutor(2) as two:
            times = alternate(
                {
                    "trusting": self._ours("link", one, verify="changed"),
                    "bare": self._limit(lambda source, _, place: os.link(source, place)),
                    "one": self._ours("link", one),
                    "two": self._ours("link", two),
                    "read": self._limit(_read_and_link),
                },
                repetitions=self._repetitions,
            )
        bare, read = ("a loop of os.link", times["bare"]), ("a loop that reads, hashes and links", times["read"])
        note = f"{self._size}; 1 thread; ours also looks at size and time of each, and writes manifests, store and audit"
        return [
            row("link, frames unread that did not change since they were added", times["trusting"], limit=bare, goal=LINK_GOAL, note=note),
            row("link, each frame read, 1 thread", times["one"], limit=read, goal=LINK_GOAL),
            row("link, each frame read, 2 threads", times["two"], limit=read, goal=LINK_GOAL),
        ]

    def copies(self) -> list[Row]:
        with ThreadPoolExecutor(1) as one, ThreadPoolExecutor(2) as two:
            times = alternate(
                {
                    "one": self._ours("copy", one),
                    "two": self._ours("copy", two),
                    "bare": self._limit(lambda source, _, place: shutil.copy(source, place)),
                    "synced": self._limit(lambda source, _, place: shutil.copy(source, place), then=os.sync),
                },
                repetitions=self._repetitions,
            )
        limit = ("a loop of shutil.copy, then a sync", times["synced"])
        note = (
            f"ours also hashes what it read and renames each file into place; shutil without a sync: {seconds_text(times['bare'].median)}"
        )
        return [
            row("copy, 1 thread", times["one"], limit=limit, goal=COPY_GOAL, note=f"{self._size}; {note}"),
            row("copy, 2 threads", times["two"], limit=limit, goal=COPY_GOAL),
        ]

    def resumed(self) -> Row:
        place = self._scratch / "done"
        self._dataset.materialize(place, "copy")
        times = alternate({"again": timed(lambda: _whole(self._dataset.materialize(place, "copy")))}, repetitions=self._repetitions)
        shutil.rmtree(place)
        return row("a run that is done already", times["again"], goal=RESUME_GOAL, note=self._size)

    def crops(self, stack: ExitStack) -> list[Row]:
        processes = multiprocessing.get_context("spawn")
        one, two = (stack.enter_context(ProcessPoolExecutor(count, mp_context=processes)) for count in (1, 2))
        cluster = stack.enter_context(cloud.dask(self._made(self._scratch / "dask"))).client.get_executor()
        times = alternate(
            {"one": self._ours("crops", one), "two": self._ours("crops", two), "dask": self._ours("crops", cluster)},
            repetitions=self._repetitions,
        )
        limit = ("1 process", times["one"])
        note = "goal: 1.8 times as fast by two"
        return [
            row("crops, 1 process", times["one"], note=f"{self._size}, 3 boxes each"),
            row("crops, 2 processes", times["two"], limit=limit, goal=SCALING_GOAL, note=note),
            row("crops, 2 Dask workers", times["dask"], limit=limit, goal=SCALING_GOAL, note=note),
        ]

    def _ours(self, mode: str, executor: Executor, **more: str) -> Callable[[], Reading]:
        place = self._scratch / f"ours-{next(_numbers)}"
        work = timed(
            lambda: _whole(self._dataset.materialize(place, mode, executor=executor, **more)),
            before=os.sync,  # so that nobody pays for what another side wrote
        )
        return lambda: self._cleared(work, place)

    def _limit(self, each: Callable[[str, str, str], object], then: Callable[[], object] = lambda: None) -> Callable[[], Reading]:
        place = self._scratch / f"limit-{next(_numbers)}"

        def loop() -> None:
            for (media, name, digest), source in zip(self._frames, self._paths(), strict=True):
                each(source, digest, f"{place}/{media}/{name}")
            then()

        def before() -> None:
            for media in {media for media, _, _ in self._frames}:
                self._made(place / media)
            os.sync()

        work = timed(loop, before=before)
        return lambda: self._cleared(work, place)

    @staticmethod
    def _cleared(work: Callable[[], Reading], place: Path) -> Reading:
        """Measure, and take away what was made, so that the disk has no more to write while the next side is measured."""
        reading = work()
        shutil.rmtree(place)
        return reading

    def _paths(self) -> list[str]:
        return [f"{self._media}/{media}/{name}" for media, name, _ in self._frames]

    @staticmethod
    def _made(folder: Path) -> Path:
        folder.mkdir(parents=True)
        return folder


def _read_and_link(source: str, digest: str, place: str) -> None:
    with open(source, "rb") as file:  # noqa: PTH123 (the shortest way there is)
        assert hashlib.sha256(file.read()).hexdigest() == digest
    os.link(source, place)


def _whole(report: MaterializationReport) -> None:
    assert report.status == "complete", report
