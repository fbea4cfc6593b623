"""Exports: 1,000,000 golden examples as rows, and 1,000,000 boxes as labels; beside the libraries whose formats they are."""

from __future__ import annotations

import itertools
import json
import shutil
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import labelkit
from labelkit import BuildRequest
from tests.bench.examples import KEY, examples
from tests.bench.format_sides import Peers, alone, beside, memory
from tests.bench.harness import Goal, Row, alternate, row, timed
from tests.bench.packs import BOXES, CAPABILITY, FRAMES, USER, store_of, working_copy

if TYPE_CHECKING:
    from collections.abc import Callable

    from labelkit import Workspace
    from labelkit.services.datasets import Dataset

ROWS, QUICK_ROWS, MANY_ROWS = 1_000_000, 2_000, 4_000_000
PACKS, QUICK_PACKS = 1_000, 2
MOST_MB = 500
DATASETS, DATUMARO, PARQUET = Goal("peer", 0.2), Goal("peer", 0.2), Goal("limit", 1.2)
ROW_PEERS = {
    "jsonl": ("datasets jsonl",),
    "csv": ("datasets csv",),
    "parquet": ("datasets parquet",),
    "huggingface": ("datasets parquet",),
    "tfrecord": ("tfrecord tfrecord",),
}
LABEL_PEERS = {"coco": ("datumaro coco", "supervision coco"), "yolo": ("datumaro yolo", "supervision yolo")}
PICTURE = (1920, 1080)


def run(quick: bool) -> list[Row]:  # noqa: FBT001 - every benchmark has this one switch
    """Measure from stores in files, each export over an earlier one; what an export has beyond rows (digests, manifest) is ours alone."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="labelkit-bench-")))
        return [*_rows(folder, quick=quick), *_labels(folder, quick=quick)]


def _rows(folder: Path, *, quick: bool) -> list[Row]:
    rows = examples(QUICK_ROWS if quick else ROWS)
    rows.write_parquet(folder / "rows.parquet")
    size = f"{rows.height:,} rows"
    with labelkit.open(folder / "labels.duckdb", workspace="club-a", user=USER) as ws:
        ws.versions.commit("golden", rows, key=KEY)
        sides = {name: timed(lambda name=name: ws.versions.export("golden", name, folder / "out" / name)) for name in ROW_PEERS}
        limits: dict[str, tuple[str, Callable[[Path], object]]] = {
            "jsonl": ("polars write_ndjson", rows.write_ndjson),
            "csv": ("polars write_csv", rows.write_csv),
            "parquet": ("polars write_parquet", rows.write_parquet),
        }
        sides |= {f"limit {name}": timed(lambda write=write: write(folder / "limit")) for name, (_, write) in limits.items()}
        if not quick:
            sides |= Peers(folder).sides(*dict.fromkeys(itertools.chain(*ROW_PEERS.values())))
        times = alternate(sides, repetitions=1 if quick else 5)
        lines = []
        for name, works in ROW_PEERS.items():
            title = f"{size} as {name}"
            if name in limits:
                goal = PARQUET if name == "parquet" else None
                lines.append(row(title, times[name], limit=(limits[name][0], times[f"limit {name}"]), goal=goal))
            others = beside(title, times[name], times, works, DATASETS if name in ("jsonl", "csv") else None)
            lines += others or ([] if name in limits else [row(title, times[name])])
        if not quick:
            ws.versions.commit("many", examples(MANY_ROWS), key=KEY)
    names = {"golden": size} if quick else {"golden": size, "many": f"{MANY_ROWS:,} rows"}
    formats = ("jsonl",) if quick else ("jsonl", "csv", "parquet", "huggingface", "tfrecord")
    for name, told in names.items():
        for form in formats:
            reading = alone(folder / "labels.duckdb", "version", name, form, folder / "out" / form)
            lines.append(memory(f"{told} as {form}, memory", reading, MOST_MB))
    shutil.rmtree(folder / "out")
    return lines


def _labels(folder: Path, *, quick: bool) -> list[Row]:
    packs = QUICK_PACKS if quick else PACKS
    size = f"{packs * FRAMES * BOXES:,} boxes on {packs * FRAMES:,} pictures"
    with working_copy(store_of(packs)) as store:
        with labelkit.open(store / "labels.duckdb", workspace="club-a", user=USER) as ws:
            dataset = _built(ws)
            sides = {name: timed(lambda name=name: dataset.export(name, folder / "out" / name)) for name in LABEL_PEERS}
            if not quick:
                _for_peers(dataset, folder)
                sides |= Peers(folder).sides(*itertools.chain(*LABEL_PEERS.values()))
            times = alternate(sides, repetitions=1 if quick else 5)
        lines = []
        for name, works in LABEL_PEERS.items():
            title = f"{size} as {name}"
            lines += beside(title, times[name], times, works, DATUMARO) or [row(title, times[name])]
            if not quick:
                reading = alone(store / "labels.duckdb", "dataset", dataset.id, name, folder / "out" / name)
                lines.append(memory(f"{title}, memory", reading, MOST_MB))
    return lines


def _built(ws: Workspace) -> Dataset:
    packs = ws.datasets.candidates(CAPABILITY)["pack_id"].to_list()
    return ws.datasets.build(BuildRequest(capability=CAPABILITY, label_pack_ids=packs, name="bench", seed=1)).dataset


def _for_peers(dataset: Dataset, folder: Path) -> None:
    """Write each picture's name and boxes (class number, left, top, width, height) as JSON lines, and the pictures that a share needs."""
    from PIL import Image

    classes = ["player", "goalkeeper", "referee", "ball"]
    rows = dataset.to_polars().select("media", "frame_index", "annotations").iter_rows()
    (folder / "pictures").mkdir()
    blank = folder / "blank.jpg"
    Image.new("RGB", PICTURE).save(blank)
    with (folder / "boxes.json").open("w", encoding="utf-8") as file:
        for place, (media, index, boxes) in enumerate(rows):
            name = f"{media}-{index:06}.jpg"
            known = [[classes.index(box["label"]), *(box[side] for side in ("x", "y", "width", "height"))] for box in boxes]
            file.write(json.dumps({"name": name, "boxes": known}) + "\n")
            if place < PACKS * FRAMES // 10:
                (folder / "pictures" / name).symlink_to(blank)
