"""Looking through a dataset of 1,000,000 samples and a list of 10,000 builds: the first page, one far in, and what a filter costs.

FiftyOne's paging is no peer here: it needs a MongoDB server, which its package fetches from elsewhere when it is installed.
"""

from __future__ import annotations

import hashlib
import itertools
import json
import shutil
from typing import TYPE_CHECKING

import labelkit
from labelkit.core.versions import Chunk, Tree
from labelkit.store.datasets import facets
from labelkit.store.objects import Objects
from labelkit.store.versions.snapshots import SnapshotWriter, chunk_start_sql
from tests.bench.harness import Goal, Row, alternate, row, timed
from tests.bench.peers import cached
from tests.services.builds import add_builds

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from labelkit import Workspace
    from labelkit.core.datasets.samples import Page, Sample
    from labelkit.services.datasets import Dataset

SAMPLES, QUICK_SAMPLES = 1_000_000, 5_000
BUILDS, QUICK_BUILDS = 10_000, 210
BOXES, PAGE, BATCH = 10, 50, 100_000
PAGES_IN = 10_000
GOAL = Goal("p95", 0.030)
FILTERS: dict[str, dict[str, str]] = {
    "no filter": {},
    "a camera (2 of 3 samples)": {"camera_type": "broadcast"},
    "a split and a class (8 of 10, of them 2 of 5)": {"split": "train", "label": "ball"},
    "a finding (1 of 100)": {"finding": "BAD_FRAME"},
}

_ROWS = f"""
    WITH boxes AS (
        SELECT n, list(struct_pack(
            id := 'ann_' || substr(md5(n || ':' || b), 1, 26),
            label := CASE WHEN hash(n, b) % 100 < 85 THEN 'player' WHEN hash(n, b) % 100 < 91 THEN 'goalkeeper'
                     WHEN hash(n, b) % 100 < 95 THEN 'referee' ELSE 'ball' END,
            x := round(hash(n, b, 1) % 18000000 / 10000, 4), y := round(hash(n, b, 2) % 9000000 / 10000, 4),
            width := round(5 + hash(n, b, 3) % 900000 / 10000, 4), height := round(5 + hash(n, b, 4) % 1500000 / 10000, 4),
            size := CAST(NULL AS DOUBLE), score := round(hash(n, b, 5) % 10000 / 10000, 4), source := 'model',
            attributes := CAST(NULL AS VARCHAR))) AS annotations
        FROM range($first, $last) t(n), range($boxes) u(b) GROUP BY n
    )
    SELECT *, sha256(sample_key) AS row_digest, {chunk_start_sql("sample_key")}
    FROM (
        SELECT 'club-a/match-' || lpad(CAST(n // 100 AS VARCHAR), 5, '0') || '/' || lpad(CAST(n % 100 AS VARCHAR), 6, '0') AS sample_key,
            CASE WHEN n // 100 % 10 < 8 THEN 'train' WHEN n // 100 % 10 = 8 THEN 'val' ELSE 'test' END AS split,
            'group-' || (n // 200) AS group_key, CASE WHEN n // 100 % 3 = 0 THEN 'tactical' ELSE 'broadcast' END AS camera_type,
            'club-a' AS workspace, 'match-' || lpad(CAST(n // 100 AS VARCHAR), 5, '0') AS media, CAST(n % 100 AS INTEGER) AS frame_index,
            lpad(CAST(n % 100 AS VARCHAR), 6, '0') || '.jpg' AS frame_name, n % 100 * 40.0 AS pts_ms, CAST(1920 AS INTEGER) AS width,
            CAST(1080 AS INTEGER) AS height, sha256('frame:' || n) AS sha256,
            CASE WHEN hash(n) % 100 = 0 THEN ['bad_frame'] ELSE CAST([] AS VARCHAR[]) END AS flags, sha256(CAST(n AS VARCHAR)) AS digest,
            annotations
        FROM boxes
    )
    ORDER BY sample_key
"""


def run(quick: bool) -> list[Row]:  # noqa: FBT001 - every benchmark has this one switch
    """Measure pages one after the other from the first, and others one after the other from the 10,000th (in the middle where filtered)."""
    samples, builds = (QUICK_SAMPLES, QUICK_BUILDS) if quick else (SAMPLES, BUILDS)
    repetitions = 1 if quick else 40
    with labelkit.open(":memory:", workspace="club-a", user="bench") as ws:
        dataset = _dataset(ws, samples)
        return [*_samples(dataset, samples, repetitions), *_lists(ws, builds, repetitions)]


def _samples(dataset: Dataset, samples: int, repetitions: int) -> list[Row]:
    deep = dataset.samples(cursor=_key(min(PAGES_IN * PAGE, samples // 2))).items[0].key
    rows = []
    for name, wanted in FILTERS.items():
        times = alternate({"first": _walk(dataset, wanted, None), "deep": _walk(dataset, wanted, deep)}, repetitions=repetitions)
        forgotten = timed(lambda wanted=wanted: dataset.samples(**wanted, cursor=deep, limit=PAGE), before=_forget)  # type: ignore[misc]
        times |= alternate({"cold": forgotten}, repetitions=-(-repetitions // 2))
        note = f"from the first page on: p50 {times['first'].median * 1000:.1f} ms, p95 {times['first'].p95 * 1000:.1f} ms"
        cold = f"with nothing kept: p50 {times['cold'].median * 1000:.1f} ms, p95 {times['cold'].p95 * 1000:.1f} ms"
        goal = GOAL if name != "a finding (1 of 100)" else None  # a page of it gathers rows from 5,000 samples; it has no 10,000th page
        page = f"page 10,000 of {samples:,} samples" if samples == SAMPLES else "a page far in"
        rows.append(row(f"{page}, {name}", times["deep"], goal=goal, note=f"{note}; {cold}"))
        rows.append(row(f"first page, {name}", times["first"], goal=goal))
    return rows


def _walk(dataset: Dataset, wanted: dict[str, str], start: str | None) -> Callable[[], object]:
    """Return a side that reads the next page each time, beginning after a key, as somebody does who goes through the samples."""
    at: list[str | None] = [start]

    def step() -> None:
        page: Page[Sample] = dataset.samples(**wanted, cursor=at[0], limit=PAGE)
        at[0] = page.next_cursor or start

    return timed(step)


def _lists(ws: Workspace, builds: int, repetitions: int) -> list[Row]:
    versions = add_builds(ws, builds)
    sides = {
        "first": timed(lambda: ws.datasets.list(limit=100)),
        "last": timed(lambda: ws.datasets.list(limit=100, cursor=versions[101])),
        "scope": timed(lambda: ws.datasets.list(limit=100, cursor=versions[builds // 2], scope="club-a/match-1", status="success")),
    }
    times = alternate(sides, repetitions=repetitions)
    return [
        row(f"first page of {builds:,} builds", times["first"], goal=GOAL),
        row(f"last page of {builds:,} builds", times["last"], goal=GOAL),
        row("a page in the middle, one media and status", times["scope"], goal=GOAL),
    ]


def _forget() -> None:
    """Start as a new process does: nothing is kept of any chunk."""
    for kept in (facets._PLAIN, facets._LABELS, facets._PLACES, facets._KEYS, facets._BLOCKS):
        kept._values.clear()


def _key(number: int) -> str:
    return f"club-a/match-{number // 100:05}/{number % 100:06}"


def _dataset(ws: Workspace, samples: int) -> Dataset:
    """Return a dataset version whose snapshot lies in the benchmarks' cache."""
    folder, tree = _snapshot(samples)
    shutil.rmtree(ws._database.objects.root, ignore_errors=True)
    ws._database.objects.root = folder
    version = add_builds(ws, 1, name="bench")[0]
    with ws._database.transaction() as tx:
        snapshot = tx.datasets.snapshots.add(tree)
        tx.execute("UPDATE dataset_versions SET snapshot_id = $snapshot, sample_count = $rows", snapshot=snapshot, rows=tree.rows)
    return ws.datasets.get(version)


def _snapshot(samples: int) -> tuple[Path, Tree]:
    """Return the folder of the objects and the tree of that many samples; made once and kept until the recipe changes."""
    key = hashlib.sha256(f"{_ROWS} {samples} {BOXES}".encode()).hexdigest()[:12]
    folder, making = cached(f"samples-{key}"), cached(f"samples-{key}.part")
    if not folder.exists():
        shutil.rmtree(making, ignore_errors=True)
        with labelkit.open(":memory:", workspace="club-a", user="bench") as ws:
            writer = SnapshotWriter(Objects(making), "sample_key")
            for first in range(0, samples, BATCH):
                writer.add(ws._database.analyse(_ROWS, first=first, last=min(first + BATCH, samples), boxes=BOXES))
            chunks = [[chunk.first_key, chunk.rows, chunk.digest, chunk.object] for chunk in writer.finish().chunks]
        (making / "tree.json").write_text(json.dumps(chunks), encoding="utf-8")
        making.rename(folder)
    kept = json.loads((folder / "tree.json").read_text(encoding="utf-8"))
    return folder, Tree("sample_key", tuple(itertools.starmap(Chunk, kept)))
