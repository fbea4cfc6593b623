"""Content of a scope as a set: one row a frame, read and written as an object, with digests made in one engine.

Shape: `frame_index` i32 (ascending, every frame of the media once), `flags` list of text (sorted), `state` text, `digest` 64 hex
digits, `annotations` list of struct {id, label, x, y, width, height, size, score, source, attributes}; px, width null for points.
"""

from __future__ import annotations

import json
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
    from collections.abc import Container, Iterable, Mapping


EVERY_STATE = frozenset(FrameState)
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
        count = len(self)
        places = pl.int_range(count, eager=True).scatter(changes["frame_index"], range(count, count + len(changes)))
        return Content(pl.concat([self.rows, changes[list(CONTENT)]])[places])

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


def rows_of(frames: Iterable[FrameContent], *, digests: Container[FrameState] = EVERY_STATE) -> pl.DataFrame:
    """Return content rows of a few frames. Digests take most of the time: those of frames in other states than `digests` are null."""
    return pl.DataFrame(
        [
            {
                "frame_index": f.index,
                "flags": sorted(str(flag) for flag in f.flags),
                "state": f.state.value,
                "digest": f.digest() if f.state in digests else None,
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


def flags_text(flags: Iterable[FrameFlag]) -> str:
    """Return flags as the JSON text that a draft row keeps."""
    return json.dumps(sorted(str(flag) for flag in flags))
