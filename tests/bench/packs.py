"""A store with thousands of approved label packs, made from a seed: what builds are measured on."""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

import labelkit
from labelkit.core.datasets.eligibility import ELIGIBILITY_POLICY
from tests.bench.peers import cached

if TYPE_CHECKING:
    from collections.abc import Iterator

    from labelkit import Workspace

SEED = 20_240_608
USER = "bench"
FRAMES, BOXES = 100, 10  # frames a pack, annotations a frame
BATCH = 100  # packs written from one query
CAPABILITY = "player_detection"

_CONTENTS = """
    WITH boxes AS (
        SELECT pack, CAST(f AS INTEGER) AS frame_index, struct_pack(
            id := 'ann_' || substr(md5(pack || ':' || f || ':' || b), 1, 26),
            label := CASE WHEN hash(pack, f, b) % 100 < 85 THEN 'player' WHEN hash(pack, f, b) % 100 < 91 THEN 'goalkeeper'
                     WHEN hash(pack, f, b) % 100 < 95 THEN 'referee' ELSE 'ball' END,
            x := round(hash(pack, f, b, 1) % 18000000 / 10000, 4), y := round(hash(pack, f, b, 2) % 9000000 / 10000, 4),
            width := round(5 + hash(pack, f, b, 3) % 900000 / 10000, 4), height := round(5 + hash(pack, f, b, 4) % 1500000 / 10000, 4),
            size := CAST(NULL AS DOUBLE), score := round(hash(pack, f, b, 5) % 10000 / 10000, 4), source := 'model',
            attributes := CAST(NULL AS VARCHAR)) AS box
        FROM range($first, $last) p(pack), range($frames) t(f), range($boxes) u(b)
    )
    SELECT pack, frame_index, CAST([] AS VARCHAR[]) AS flags, 'accepted' AS state, sha256(pack || ':' || frame_index) AS digest,
        list(box) AS annotations
    FROM boxes GROUP BY pack, frame_index ORDER BY pack, frame_index
"""
_FRAMES = """
    SELECT pack, CAST(f AS INTEGER) AS index, lpad(CAST(f AS VARCHAR), 6, '0') || '.jpg' AS name, f * 40.0 AS pts_ms,
        CAST(1920 AS INTEGER) AS width, CAST(1080 AS INTEGER) AS height, sha256('frame:' || pack || ':' || f) AS sha256,
        CAST(250000 AS BIGINT) AS byte_count, CAST(NULL AS VARCHAR) AS problem
    FROM range($first, $last) p(pack), range($frames) t(f) ORDER BY pack, f
"""


def store_of(packs: int) -> Path:
    """Return the folder of a store with that many approved packs; made once and kept in the benchmarks' cache until the schema changes."""
    schema = b"".join(file.read_bytes() for file in sorted(Path(labelkit.__file__).parent.glob("store/migrations/*.sql")))
    recipe = f"{SEED} {packs} {FRAMES} {BOXES} {_CONTENTS}{_FRAMES}{ELIGIBILITY_POLICY}"
    key = hashlib.sha256(schema + recipe.encode()).hexdigest()[:12]
    folder, making = cached(f"packs-{key}"), cached(f"packs-{key}.part")
    if not folder.exists():
        shutil.rmtree(making, ignore_errors=True)
        making.mkdir()
        with labelkit.open(making / "labels.duckdb", workspace="club-a", user=USER) as ws:
            _fill(ws, packs)
        making.rename(folder)
    return folder


@contextmanager
def working_copy(folder: Path) -> Iterator[Path]:
    """Give a copy of a store to build in, whose objects are hard links; what the block adds is gone afterwards."""
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix="working-") as place:
        shutil.copytree(folder / "labels.duckdb.objects", Path(place, "labels.duckdb.objects"), copy_function=os.link)
        shutil.copy(folder / "labels.duckdb", place)
        yield Path(place)


def _fill(ws: Workspace, packs: int) -> None:
    database = ws._database
    objects, classes = [], []
    for first in range(0, packs, BATCH):
        span = {"first": first, "last": min(first + BATCH, packs), "frames": FRAMES}
        contents = database.analyse(_CONTENTS, **span, boxes=BOXES)
        frames = database.analyse(_FRAMES, **span)
        objects += [(number, _put(ws, contents, number), _put(ws, frames, number)) for number in range(first, span["last"])]
        found = contents.explode("annotations").group_by("pack", pl.col("annotations").struct.field("label"))
        classes.append(found.agg(pl.len().alias("annotation_count"), pl.col("frame_index").n_unique().alias("frame_count")))
    rows = pl.DataFrame(objects, schema=["n", "content", "frames"], orient="row").with_columns(
        pl.format("med_{}", pl.col("n").cast(pl.String).str.zfill(26)).alias("media"),
        pl.format("lpk_{}", pl.col("n").cast(pl.String).str.zfill(26)).alias("pack"),
        pl.format("rev_{}", pl.col("n").cast(pl.String).str.zfill(26)).alias("revision"),
    )
    _insert(ws, rows, pl.concat(classes))


def _put(ws: Workspace, rows: pl.DataFrame, pack: int) -> str:
    """Store one pack's rows as an object, without the syncs that only a crash would need."""
    made = rows.filter(pl.col("pack") == pack).drop("pack")
    part = Path(ws._database.objects.root, "part")
    part.parent.mkdir(exist_ok=True)
    made.write_parquet(part, compression="zstd", compression_level=3)
    digest = hashlib.sha256(part.read_bytes()).hexdigest()
    target = Path(ws._database.objects.path(digest))
    target.parent.mkdir(exist_ok=True)
    part.rename(target)
    return digest


def _insert(ws: Workspace, rows: pl.DataFrame, classes: pl.DataFrame) -> None:
    with ws._database.transaction() as tx:
        now = tx.now
        stamps = [pl.lit(now).alias("created_at"), pl.lit(USER).alias("created_by")]
        scope = [pl.lit(ws.id).alias("workspace_id"), pl.lit(CAPABILITY).alias("capability")]
        tx.insert(
            "media",
            rows.select(
                pl.col("media").alias("id"),
                scope[0],
                pl.format("match-{}", pl.col("n").cast(pl.String).str.zfill(5)).alias("name"),
                pl.lit("images").alias("kind"),
                pl.lit("/nowhere").alias("root"),
                pl.format("group-{}", pl.col("n") // 2).alias("group_key"),
                pl.lit("broadcast").alias("camera_type"),
                pl.lit(FRAMES).alias("frame_count"),
                pl.col("frames").alias("frames_object"),
                *stamps,
                pl.lit(0).alias("broken_frame_count"),
            ),
        )
        tx.insert(
            "label_packs",
            rows.select(
                pl.col("pack").alias("id"),
                pl.format("{}/{}/{}", pl.lit(ws.id), "media", pl.lit(CAPABILITY)).alias("scope_key"),
                *scope,
                pl.col("media").alias("media_id"),
                pl.lit("approved").alias("review_status"),
                pl.lit("passed").alias("validation_status"),
                pl.lit(1).alias("version"),
                *stamps,
                pl.lit(now).alias("updated_at"),
                pl.lit(USER).alias("updated_by"),
            ),
        )
        tx.insert(
            "revisions",
            rows.select(
                pl.col("revision").alias("id"),
                pl.col("pack").alias("pack_id"),
                pl.lit(1).alias("number"),
                pl.col("content").alias("content_hash"),
                pl.col("content").alias("content_object"),
                pl.lit(FRAMES).alias("frame_count"),
                pl.lit(FRAMES).alias("labeled_frame_count"),
                pl.lit(FRAMES * BOXES).alias("annotation_count"),
                pl.lit("{}").alias("provenance"),
                pl.lit("{}").alias("diff"),
                stamps[0],
            ),
        )
        tx.insert(
            "revision_classes",
            classes.select(
                pl.format("rev_{}", pl.col("pack").cast(pl.String).str.zfill(26)).alias("revision_id"),
                "label",
                "annotation_count",
                "frame_count",
            ),
        )
        tx.insert(
            "eligibility",
            rows.select(pl.col("revision").alias("revision_id"), pl.lit("APPROVED").alias("state"), pl.lit(1).alias("version")),
        )
