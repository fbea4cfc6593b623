"""A draft of 10,000 frames with 24 boxes each: open it, save one frame of it, publish it."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Callable
from contextlib import contextmanager
from functools import partial
from itertools import count
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING

import duckdb
import polars as pl

import labelkit
from labelkit import ReviewOp
from tests.bench.harness import Goal, Row, Times, alternate, row, timed
from tests.bench.scopes import BOXES, CAPABILITY, frame_content, proposed_scope
from tests.bench.stores import USER

if TYPE_CHECKING:
    from collections.abc import Iterator

SEED = 11
FRAMES, QUICK_FRAMES = 10_000, 100
SAVED = 0.2  # of the frames, saved one by one before, lie over the base of the "worked on" draft
Work = Callable[["labelkit.Workspace"], object]
OPEN_GOAL, SAVE_GOAL = Goal("p50", 0.5), Goal("p95", 0.5)


def run(quick: bool) -> list[Row]:  # noqa: FBT001 - every benchmark has this one switch
    """Measure one person alone on a store; each repetition is a workspace that has just been opened, as after a kernel's start."""
    frames, repetitions = (QUICK_FRAMES, 1) if quick else (FRAMES, 7)
    with tempfile.TemporaryDirectory(prefix="labelkit-bench-") as folder:
        desk = _Desk(Path(folder), frames, repetitions)
        return [*desk.opening(), *desk.saving(), *desk.growing(6 if quick else 1_000), *desk.publishing()]


class _Desk:
    """A store with one proposed scope, never changed, and copies of it to work on."""

    def __init__(self, folder: Path, frames: int, repetitions: int) -> None:
        self.folder = folder
        self.frames = frames
        self.repetitions = repetitions
        self.scale = f"{frames:,} x {BOXES}"
        self._numbers = count()
        (folder / "proposed").mkdir()
        with labelkit.open(folder / "proposed" / "labels.duckdb", user=USER) as ws:
            self.run = proposed_scope(ws, folder, frames, SEED)
            self.base = ws._database.objects.path(ws.media.get("match").frames_object)
        shutil.copytree(folder / "proposed", folder / "opened")
        with labelkit.open(folder / "opened" / "labels.duckdb", user=USER) as ws:
            draft = ws.review.open("match", CAPABILITY, self.run)
            self.content = Path(ws._database.objects.path(str(draft.head.base_object)))
        shutil.copytree(folder / "opened", folder / "worked-on")
        with labelkit.open(folder / "worked-on" / "labels.duckdb", user=USER) as ws:
            random = Random(SEED)
            draft = ws.review.open("match", CAPABILITY)
            saved = [frame_content(random, index) for index in range(0, frames, round(1 / SAVED))]
            ws.review.save(draft.id, base_version=draft.version, frames=saved, save_id="bench")

    @contextmanager
    def copy(self, kind: str) -> Iterator[labelkit.Workspace]:
        """Give a workspace on a copy of a store."""
        target = self.folder / f"copy-{next(self._numbers)}"
        shutil.copytree(self.folder / kind, target)
        with labelkit.open(target / "labels.duckdb", user=USER) as ws:
            yield ws
        shutil.rmtree(target)

    def fresh(self, kind: str, work: Work, *, before: Work = lambda _: None) -> Times:
        """Measure `work` on a new copy each time, on which `before` was done."""
        readings = []
        warmups = int(self.repetitions > 1)
        for turn in range(self.repetitions + warmups):
            with self.copy(kind) as ws:
                reading = timed(partial(work, ws), before=partial(before, ws))()
            if turn >= warmups:
                readings.append(reading)
        return Times(tuple(readings))

    def opening(self) -> list[Row]:
        """Return the rows of opening: for the first time, again, after much work, and as the widget does."""
        limit = (
            "polars reads the same two Parquet objects",
            alternate({"": timed(lambda: (pl.read_parquet(self.content), pl.read_parquet(self.base)))}, repetitions=self.repetitions)[""],
        )
        cases: list[tuple[str, str, Work, str]] = [
            ("first open", "proposed", lambda ws: ws.review.open("match", CAPABILITY, self.run).frames[0], "makes the draft from the run"),
            ("open again", "opened", lambda ws: ws.review.open("match", CAPABILITY).frames[0], ""),
            (
                "open when worked on",
                "worked-on",
                lambda ws: ws.review.open("match", CAPABILITY).frames[0],
                f"{SAVED:.0%} of the frames saved since",
            ),
            ("open in a widget", "worked-on", lambda ws: ws.review.live("match", CAPABILITY).overview(), "the live session, its timeline"),
            ("rank by risk", "worked-on", lambda ws: ws.review.risk("match", CAPABILITY), "every frame, with signals and reasons"),
        ]
        return [
            row(f"{name}, {self.scale}", self.fresh(kind, work), limit=limit, goal=OPEN_GOAL, note=note) for name, kind, work, note in cases
        ]

    def saving(self) -> list[Row]:
        """Return the rows of saving one frame, by each of the ways to do it; all on one store, one after the other."""
        random, rounds = Random(SEED), self.repetitions * 3 if self.repetitions > 1 else 1
        with self.copy("worked-on") as ws, plain_saves(self.folder / "plain.duckdb") as plain:
            draft = ws.review.open("match", CAPABILITY)
            live = ws.review.live("match", CAPABILITY)

            def save() -> None:
                frame = frame_content(random, random.randrange(self.frames))
                version = ws.review.get(draft.id).version
                ws.review.save(draft.id, base_version=version, frames=[frame], save_id=f"bench-{next(self._numbers)}")

            def apply() -> None:
                version = ws.review.get(draft.id).version
                ws.review.apply(draft.id, base_version=version, ops=[self._added(random)])

            def edit() -> None:
                live.apply(self._added(random))
                live.save()

            edits = alternate({"edit": timed(edit)}, repetitions=rounds)
            others = alternate({"save": timed(save), "apply": timed(apply), "plain": timed(plain)}, repetitions=rounds)
            limit = ("plain DuckDB: attach, insert the same rows, detach", others["plain"])
        return [
            row("edit and save in a live session", edits["edit"], limit=limit, goal=SAVE_GOAL, note=f"{self.scale}, one frame changed"),
            row("look up the version, save one frame", others["save"], limit=limit, goal=SAVE_GOAL, note="two units of work"),
            row("look up the version, apply one operation", others["apply"], limit=limit, goal=SAVE_GOAL, note="two units of work"),
        ]

    def growing(self, saves: int) -> list[Row]:
        """Return the rows of a draft that is saved many times: first and last saves, in time and in bytes, and the open after."""
        random, part = Random(SEED), max(saves // 20, 5)
        with self.copy("opened") as ws:
            live = ws.review.live("match", CAPABILITY)

            def edit() -> None:
                live.apply(self._added(random))
                live.save()

            side = timed(edit)
            readings, moved = [], [_bytes_moved()]
            for _ in range(saves):
                readings.append(side())
                moved.append(_bytes_moved())
            kept = ws.path
            first, last = Times(tuple(readings[:part])), Times(tuple(readings[-part:]))
            used = [_per_save(moved[0], moved[part], part), _per_save(moved[-part - 1], moved[-1], part)]
            self.folder.joinpath("grown").mkdir()
            ws.backup(self.folder / "grown" / "labels.duckdb")
            size = Path(kept).stat().st_size / 2**20
        opened = self.fresh("grown", lambda ws: ws.review.live("match", CAPABILITY).overview())
        return [
            row(
                f"the last of {saves:,} saves, {self.scale}",
                last,
                limit=("the first of them", first),
                goal=Goal("limit", 1.5),
                note=f"first {used[0]}, last {used[1]}; the file is {size:.1f} MB",
            ),
            row(f"open in a widget after {saves:,} saves", opened, goal=OPEN_GOAL),
        ]

    def publishing(self) -> list[Row]:
        """Return the rows of publishing everything, and of publishing it once more."""
        contents = pl.read_parquet(self.content)
        written = alternate(
            {"": timed(lambda: contents.write_parquet(self.folder / "limit.parquet", compression="zstd", compression_level=3))},
            repetitions=self.repetitions,
        )
        limit = ("polars writes the same rows as Parquet", written[""])
        return [
            row(f"publish {self.scale}", self.fresh("worked-on", _publish), limit=limit),
            row(
                "publish it again",
                self.fresh("worked-on", partial(_publish, code="NO_OP_ALREADY_PUBLISHED"), before=_publish),
                limit=limit,
                note="nothing has changed: NO_OP_ALREADY_PUBLISHED",
            ),
        ]

    def _added(self, random: Random) -> ReviewOp:
        return ReviewOp.add_box(
            random.randrange(self.frames),
            "player",
            random.uniform(1, 900),
            random.uniform(1, 500),
            30,
            60,
            id=f"ann_{random.getrandbits(80):020x}",
        )


def _bytes_moved() -> tuple[int, int]:
    """Return how many bytes this process has read and written so far, by the system's count; zeros where there is none."""
    try:
        lines = dict(line.split(": ") for line in Path("/proc/self/io").read_text(encoding="ascii").splitlines())
    except OSError:
        return 0, 0
    return int(lines["rchar"]), int(lines["wchar"])


def _per_save(before: tuple[int, int], after: tuple[int, int], saves: int) -> str:
    read, written = ((b - a) / saves / 1024 for a, b in zip(before, after, strict=True))
    return f"{read:,.0f} kB read and {written:,.0f} kB written a save"


def _publish(ws: labelkit.Workspace, code: str = "PUBLISH_SUCCESS") -> None:
    draft = ws.review.open("match", CAPABILITY)
    outcome = ws.review.publish(draft.id, expected_version=draft.version, override_warnings=True, reason="a benchmark")
    if outcome.code != code:
        raise AssertionError(outcome)


@contextmanager
def plain_saves(file: Path) -> Iterator[Callable[[], None]]:
    """Give a function that appends the rows of one saved frame to a file of its own, as plainly as DuckDB can and as durably."""
    random, versions = Random(SEED), count(1)
    with duckdb.connect(":memory:", config={"checkpoint_threshold": "1TB"}) as con:

        def save() -> None:
            version = next(versions)
            labels = [a.as_json() for a in frame_content(random, 0).annotations]
            con.execute(f"ATTACH '{file}' AS plain (TYPE duckdb)")
            con.execute("BEGIN TRANSACTION")
            con.execute("UPDATE plain.heads SET version = $version", {"version": version})
            con.execute("INSERT INTO plain.saves VALUES ($id, $version)", {"id": f"save-{version}", "version": version})
            con.execute(
                """INSERT INTO plain.labels SELECT $version, unnest(from_json($rows::JSON,
                   '[{"id":"VARCHAR","label":"VARCHAR","x":"DOUBLE","y":"DOUBLE","width":"DOUBLE","height":"DOUBLE","source":"VARCHAR"}]'),
                   max_depth := 2)""",
                {"version": version, "rows": json.dumps(labels)},
            )
            con.execute("COMMIT")
            con.execute("DETACH plain")

        con.execute(f"ATTACH '{file}' AS plain (TYPE duckdb)")
        con.execute("CREATE TABLE plain.heads AS SELECT 0 AS version")
        con.execute("CREATE TABLE plain.saves (id VARCHAR UNIQUE, version INTEGER)")
        con.execute(
            """CREATE TABLE plain.labels (version INTEGER, id VARCHAR, label VARCHAR, x DOUBLE, y DOUBLE, width DOUBLE, height DOUBLE,
               source VARCHAR)"""
        )
        con.execute("DETACH plain")
        yield save
