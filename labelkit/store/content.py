"""Content of a scope as a set: one row a frame, read and written as an object, with digests made in one engine.

Shape: `frame_index` i32 (ascending, every frame of the media once), `flags` list of text (sorted), `state` text, `digest` 64 hex
digits, `annotations` list of struct {id, label, x, y, width, height, size, score, source, attributes}; px, width null for points.
"""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from labelkit.core.review.annotations import (
    Annotation,
    FrameContent,
    FrameFlag,
    FrameState,
    content_hash,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from labelkit.store.database import Database

ANNOTATION = {
    "id": pl.String(),
    "label": pl.String(),
    "x": pl.Float64(),
    "y": pl.Float64(),
    "width": pl.Float64(),
    "height": pl.Float64(),
    "size": pl.Float64(),
    "score": pl.Float64(),
    "source": pl.String(),
    "attributes": pl.String(),
}
CONTENT = {
    "frame_index": pl.Int32(),
    "flags": pl.List(pl.String()),
    "state": pl.String(),
    "digest": pl.String(),
    "annotations": pl.List(pl.Struct(ANNOTATION)),
}

# The canonical text of one annotation, equal to `canonical_json(annotation.canonical())`.
ITEM_SQL = """
    '[' || CAST(to_json(label) AS VARCHAR) || CASE WHEN width IS NULL
        THEN ',"point",' || CAST(round(x * 10000) AS BIGINT) || ',' || CAST(round(y * 10000) AS BIGINT) || ','
             || coalesce(CAST(CAST(round(size * 10000) AS BIGINT) AS VARCHAR), 'null')
        ELSE ',"box",' || CAST(round(x * 10000) AS BIGINT) || ',' || CAST(round(y * 10000) AS BIGINT) || ','
             || CAST(round(width * 10000) AS BIGINT) || ',' || CAST(round(height * 10000) AS BIGINT)
    END || CASE WHEN attributes IS NULL THEN '' ELSE ',' || CAST(to_json(attributes) AS VARCHAR) END || ']'
"""

IMPORT_SQL = f"""
    WITH items AS (
        SELECT frame_index, ordinal, {ITEM_SQL} AS item, struct_pack(
            id := 'ann_' || substr(sha256($seed || ':' || ordinal), 1, 20), label := label,
            x := x, y := y, width := width, height := height, size := size,
            score := score, source := $source, attributes := attributes) AS annotation
        FROM (SELECT *, row_number() OVER (ORDER BY frame_index, file_row_number) AS ordinal
              FROM read_parquet($rows, file_row_number = true))
    ), labelled AS (
        SELECT frame_index, list(annotation ORDER BY ordinal) AS annotations,
            sha256('[[],[' || string_agg(item, ',' ORDER BY item) || ']]') AS digest
        FROM items GROUP BY frame_index
    )
    SELECT frame_index, CAST([] AS VARCHAR[]) AS flags, 'untouched' AS state,
        coalesce(digest, sha256('[[],[]]')) AS digest, coalesce(annotations, []) AS annotations
    FROM (SELECT CAST(unnest(generate_series(0, $frames - 1)) AS INTEGER) AS frame_index) LEFT JOIN labelled USING (frame_index)
    ORDER BY frame_index
"""


class Content:
    """The labels of every frame of a scope; frames become values only when asked for."""

    def __init__(self, rows: pl.DataFrame) -> None:
        self.rows = rows

    @classmethod
    def empty(cls, frame_count: int) -> Content:
        """Return content without labels for `frame_count` frames."""
        nothing = FrameContent(0)
        return cls(
            pl.DataFrame({"frame_index": pl.Series(range(frame_count), dtype=pl.Int32())}).select(
                "frame_index",
                pl.lit([], dtype=pl.List(pl.String())).alias("flags"),
                pl.lit(FrameState.UNTOUCHED.value).alias("state"),
                pl.lit(nothing.digest()).alias("digest"),
                pl.lit([], dtype=CONTENT["annotations"]).alias("annotations"),
            )
        )

    def __len__(self) -> int:
        return self.rows.height

    def frame(self, index: int) -> FrameContent:
        """Return one frame's content. `index` counts from 0 and must exist."""
        return frame_value(self.rows.row(index, named=True))

    def replaced(self, changes: pl.DataFrame) -> Content:
        """Return the content with some frames' rows (same columns) in place of the old ones."""
        if changes.is_empty():
            return self
        kept = self.rows.join(changes.select("frame_index"), on="frame_index", how="anti")
        return Content(pl.concat([kept, changes.select(list(CONTENT))]).sort("frame_index"))

    def hash(self, capability: str) -> str:
        """Return the content hash over all frames."""
        return content_hash(capability, list(self.rows.select("frame_index", "digest").iter_rows()))

    def annotations(self) -> pl.DataFrame:
        """Return one row an annotation: `frame_index` and the fields of the annotation, in frame and drawing order."""
        return (
            self.rows.lazy()
            .select("frame_index", "annotations")
            .filter(pl.col("annotations").list.len() > 0)
            .explode("annotations")
            .unnest("annotations")
            .collect()
        )

    @property
    def annotation_count(self) -> int:
        """Return the number of annotations."""
        return int(self.rows.select(pl.col("annotations").list.len().sum()).item() or 0)

    @property
    def labeled_frame_count(self) -> int:
        """Return the number of frames with at least one annotation."""
        return int(self.rows.select((pl.col("annotations").list.len() > 0).sum()).item() or 0)

    def class_counts(self) -> pl.DataFrame:
        """Return label, annotation_count, frame_count, by label."""
        return (
            self.annotations()
            .group_by("label")
            .agg(
                pl.len().cast(pl.Int64()).alias("annotation_count"), pl.col("frame_index").n_unique().cast(pl.Int32()).alias("frame_count")
            )
            .sort("label")
        )


def frame_value(row: Mapping[str, object]) -> FrameContent:
    """Return the value of one content row."""
    return FrameContent(
        index=int(row["frame_index"]),  # type: ignore[call-overload]
        annotations=tuple(Annotation.from_json(item) for item in row["annotations"]),  # type: ignore[attr-defined]
        flags=tuple(FrameFlag(flag) for flag in row["flags"]),  # type: ignore[attr-defined]
        state=FrameState(str(row["state"])),
    )


def rows_of(frames: Iterable[FrameContent]) -> pl.DataFrame:
    """Return content rows of a few frames, digests included."""
    return pl.DataFrame(
        [
            {
                "frame_index": f.index,
                "flags": sorted(str(flag) for flag in f.flags),
                "state": f.state.value,
                "digest": f.digest(),
                "annotations": [a.as_json() for a in f.annotations],
            }
            for f in frames
        ],
        schema=CONTENT,
    )


def overlay_rows(frames: pl.DataFrame, annotations: pl.DataFrame) -> pl.DataFrame:
    """Return content rows from a draft's saved frames (frame_index, state, flags as JSON text, digest) and annotations."""
    boxes = (
        annotations.sort("frame_index", "position")
        .group_by("frame_index", maintain_order=True)
        .agg(pl.struct([pl.col(name).cast(kind) for name, kind in ANNOTATION.items()]).alias("annotations"))
    )
    return (
        frames.with_columns(pl.col("flags").str.json_decode(pl.List(pl.String())))
        .join(boxes, on="frame_index", how="left")
        .with_columns(pl.col("annotations").fill_null(pl.lit([], dtype=CONTENT["annotations"])))
        .select([pl.col(name).cast(kind) for name, kind in CONTENT.items()])
        .sort("frame_index")
    )


def import_rows(db: Database, chunks: Sequence[pl.DataFrame], *, frame_count: int, seed: str, source: str) -> str:
    """Write imported annotation rows as a content object and return its digest.

    Rows have frame_index, label, x, y, width, height, size, score, attributes, in file order. Ids come from `seed` and order.
    """
    with tempfile.TemporaryDirectory(prefix="labelkit-") as folder:
        rows, made = Path(folder, "rows.parquet"), Path(folder, "content.parquet")
        columns = ["frame_index", "label", "x", "y", "width", "height", "size", "score", "attributes"]
        schema = {name: ANNOTATION.get(name, pl.Int32()) for name in columns}
        empty = pl.DataFrame(schema=schema)
        pl.concat([empty, *(chunk.select([pl.col(n).cast(k) for n, k in schema.items()]) for chunk in chunks)]).write_parquet(rows)
        db.analyse_to(made, IMPORT_SQL, rows=str(rows), seed=seed, source=source, frames=frame_count)
        return db.objects.put_file(made)


def flags_text(flags: Iterable[FrameFlag]) -> str:
    """Return flags as the JSON text that a draft row keeps."""
    return json.dumps(sorted(str(flag) for flag in flags))
