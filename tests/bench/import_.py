"""Imports of labels: a COCO file of 1,000,000 boxes, and a YOLO folder of 20,000 files; beside libraries that read them."""

from __future__ import annotations

import itertools
import shutil
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

import labelkit
from labelkit.formats import exporting, writer
from labelkit.formats.exports import About
from tests.bench.format_sides import Peers, alone, beside, memory
from tests.bench.harness import Goal, Row, alternate, row, timed
from tests.bench.packs import CAPABILITY, USER

if TYPE_CHECKING:
    from labelkit import Workspace

SEED = 20_240_609
BOXES = 10  # a picture
PICTURES, QUICK_PICTURES = 100_000, 500  # of the COCO file
FILES, QUICK_FILES = 20_000, 200  # of the YOLO folder
SIZE = (1920, 1080)
MOST_MB = 1_000
MOST_LINKS = 50_000  # to one file; ext4 takes 65,000
CLASSES = ("player", "goalkeeper", "referee", "ball")
BEST = Goal("peer", 1 / 3)
WORKS = {
    "coco": ("pycocotools read coco", "supervision read coco", "datumaro read coco"),
    "yolo": ("supervision read yolo", "datumaro read yolo"),
}


def run(quick: bool) -> list[Row]:  # noqa: FBT001 - every benchmark has this one switch
    """Measure the whole import into a store in a file: reading, judging every box, content and its hash; others only read."""
    counts = {"coco": QUICK_PICTURES if quick else PICTURES, "yolo": QUICK_FILES if quick else FILES}
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="labelkit-bench-")))
        with labelkit.open(folder / "labels.duckdb", workspace="club-a", user=USER) as ws:
            sources = {name: _source(ws, folder, name, count) for name, count in counts.items()}
            sides = {
                name: timed(lambda name=name: ws.prelabels.import_(name, sources[name], media=name, capability=CAPABILITY))
                for name in counts
            }
            if not quick:
                _pictures(folder)
                sides |= Peers(folder).sides(*itertools.chain(*WORKS.values()))
            times = alternate(sides, repetitions=1 if quick else 5)
        lines = []
        for name, works in WORKS.items():
            title = f"{name}: {counts[name] * BOXES:,} boxes on {counts[name]:,} pictures"
            there = sorted((work for work in works if work in times and times[work].median), key=lambda work: times[work].median)
            lines += beside(title, times[name], times, there, BEST) or [row(title, times[name])]
            if not quick:
                lines.append(memory(f"{title}, memory", alone(folder / "labels.duckdb", "import", name, sources[name], name), MOST_MB))
        return lines


def _source(ws: Workspace, folder: Path, name: str, count: int) -> Path:
    """Write labels of that many pictures and make the media that they are of; returns what is imported."""
    samples = _samples(name, count)
    about = About(name, "", None, "sample_key", dict(samples.schema), splits=("train",), capability=_capability(ws))
    exporting.export(writer(name), samples.iter_slices(10_000), folder / name, about)
    _add_media(ws, name, samples)
    for extra in ("ids.csv", "croissant.json", "labelkit-export.json"):  # as others would have written it
        (folder / name / extra).unlink(missing_ok=True)
    if name == "yolo":  # as Ultralytics lays a data set out
        place = folder / name / "labels" / "train"
        shutil.move(place / "club-a" / name, folder / "moved")
        shutil.rmtree(place)
        (folder / "moved").rename(place)
        data = f"path: .\ntrain: images/train\nval: images/train\nnc: {len(CLASSES)}\nnames: [{', '.join(CLASSES)}]\n"
        (folder / name / "data.yaml").write_text(data, encoding="utf-8")
        return folder / name
    return folder / name / "annotations" / "instances_train.json"


def _capability(ws: Workspace) -> labelkit.core.review.annotations.Capability:
    with ws._database.reading() as tx:
        return tx.media.capability(ws.id, CAPABILITY)


def _samples(media: str, count: int) -> pl.DataFrame:
    random = np.random.default_rng(SEED)
    many = count * BOXES
    boxes = pl.DataFrame(
        {
            "id": pl.Series([None] * many, dtype=pl.String),
            "label": pl.Series(np.array(CLASSES)[random.integers(0, len(CLASSES), many)]),
            "x": random.integers(0, 18_000_000, many) / 10_000,
            "y": random.integers(0, 9_000_000, many) / 10_000,
            "width": random.integers(50_000, 900_000, many) / 10_000,
            "height": random.integers(50_000, 1_500_000, many) / 10_000,
            "size": pl.Series([None] * many, dtype=pl.Float64),
            "score": pl.Series([None] * many, dtype=pl.Float64),
            "source": pl.Series([None] * many, dtype=pl.String),
            "attributes": pl.Series([None] * many, dtype=pl.String),
        }
    )
    of_picture = boxes.select(
        pl.int_range(pl.len(), dtype=pl.Int32).floordiv(BOXES).alias("frame_index"), pl.struct(pl.all()).alias("annotations")
    )
    number = pl.col("frame_index").cast(pl.String).str.zfill(6)
    return (
        of_picture.group_by("frame_index", maintain_order=True)
        .agg("annotations")
        .select(
            pl.format("club-a/{}/{}", pl.lit(media), number).alias("sample_key"),
            pl.lit("train").alias("split"),
            pl.lit("group").alias("group_key"),
            pl.lit("club-a").alias("workspace"),
            pl.lit(media).alias("media"),
            "frame_index",
            pl.format("{}.jpg", number).alias("frame_name"),
            (pl.col("frame_index") * 40.0).alias("pts_ms"),
            pl.lit(SIZE[0], dtype=pl.Int32).alias("width"),
            pl.lit(SIZE[1], dtype=pl.Int32).alias("height"),
            pl.lit("0" * 64).alias("sha256"),
            pl.lit([], dtype=pl.List(pl.String)).alias("flags"),
            "annotations",
        )
    )


def _add_media(ws: Workspace, name: str, samples: pl.DataFrame) -> None:
    """Add a media with these frames, as a scan of a folder of pictures would."""
    frames = samples.select(
        index="frame_index",
        name="frame_name",
        pts_ms="pts_ms",
        width="width",
        height="height",
        sha256="sha256",
        byte_count=pl.lit(250_000, dtype=pl.Int64),
        problem=pl.lit(None, dtype=pl.String),
    )
    digest = ws._database.objects.put_frame(frames)
    with ws._database.transaction() as tx:
        facts = {"name": name, "kind": "images", "root": "/nowhere", "group_key": "group", "camera_type": "broadcast"}
        numbers = {"frame_count": frames.height, "frames_object": digest, "broken_frame_count": 0}
        stamps = {"created_at": tx.now, "created_by": USER}
        tx.insert("media", [{"id": f"med_{name:0>26}", "workspace_id": ws.id, **facts, **numbers, **stamps}])


def _pictures(folder: Path) -> None:
    """Lay pictures where other libraries look for them: one blank picture under all names."""
    from PIL import Image

    places = {folder / "pictures" / "club-a" / "coco": PICTURES, folder / "yolo" / "images" / "train": FILES}
    for place, count in places.items():
        place.mkdir(parents=True)
        for number in range(count):
            path, first = (place / f"{one:06}.jpg" for one in (number, number // MOST_LINKS * MOST_LINKS))
            if path == first:
                Image.new("RGB", SIZE).save(first)
            else:
                path.hardlink_to(first)  # no symbolic link: some tell pictures apart by where a link leads
    (folder / "coco" / "images").mkdir()  # datumaro wants it, though it reads labels
