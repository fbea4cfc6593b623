"""Frames, capabilities and sample rows that format tests are made of."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from labelkit.core.review.annotations import Capability
from labelkit.formats import exporting
from labelkit.formats.exports import About
from labelkit.formats.labels.rows import NOTES, REFUSED, ROWS, Chunk

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from labelkit.formats.exports import Format, Written

BOXES = Capability("player_detection", "box", ("player", "ball"))
POINTS = Capability("ball_detection", "point", ("ball",), default_size=8.0)
GEOMETRY = ("x", "y", "width", "height", "size")
ANNOTATION = {
    "id": pl.String,
    "label": pl.String,
    **dict.fromkeys(GEOMETRY, pl.Float64),
    "score": pl.Float64,
    "source": pl.String,
    "attributes": pl.String,
}


def frames(*names: str, width: int = 100, height: int = 50, problems: dict[str, str] | None = None) -> pl.DataFrame:
    """The frames of a media, by name, in one size."""
    return pl.DataFrame(
        {
            "index": range(len(names)),
            "name": names,
            "width": [width] * len(names),
            "height": [height] * len(names),
            "problem": [(problems or {}).get(name) for name in names],
        },
        schema={"index": pl.Int32, "name": pl.String, "width": pl.Int32, "height": pl.Int32, "problem": pl.String},
    )


def together(chunks: Iterable[Chunk]) -> Chunk:
    """All chunks as one, each in its promised shape."""
    taken = list(chunks)
    for chunk in taken:
        assert (dict(chunk.rows.schema), dict(chunk.refused.schema), dict(chunk.notes.schema)) == (ROWS, REFUSED, NOTES)
    return Chunk(
        pl.concat([pl.DataFrame(schema=ROWS), *(chunk.rows for chunk in taken)]),
        pl.concat([pl.DataFrame(schema=REFUSED), *(chunk.refused for chunk in taken)]),
        pl.concat([pl.DataFrame(schema=NOTES), *(chunk.notes for chunk in taken)]),
    )


def geometry(rows: pl.DataFrame) -> list[tuple[object, ...]]:
    """Frame, class and geometry of each row."""
    return rows.select("frame_index", "label", *GEOMETRY).rows()


def refusals(chunk: Chunk) -> list[tuple[str, int | None, str]]:
    """File, record and code of each refusal."""
    return chunk.refused.select("file", "line", "code").rows()


def samples(*rows: tuple[str, Sequence[dict[str, object]]], media: str = "match-1", width: int = 100, height: int = 50) -> pl.DataFrame:
    """Sample rows of a dataset: one for each (split, annotations)."""
    empty = dict.fromkeys(ANNOTATION)
    filled = [[empty | one for one in annotations] for _, annotations in rows]
    return pl.DataFrame(
        {
            "sample_key": [f"club-a/{media}/{index:06d}" for index in range(len(rows))],
            "split": [split for split, _ in rows],
            "group_key": [f"g{index % 2}" for index in range(len(rows))],
            "camera_type": ["broadcast"] * len(rows),
            "workspace": ["club-a"] * len(rows),
            "media": [media] * len(rows),
            "frame_index": range(len(rows)),
            "frame_name": [f"f{index}.jpg" for index in range(len(rows))],
            "pts_ms": [index * 40.0 for index in range(len(rows))],
            "width": [width] * len(rows),
            "height": [height] * len(rows),
            "sha256": [f"{index:064x}" for index in range(len(rows))],
            "flags": [["bad_frame"] if index % 3 == 2 else [] for index in range(len(rows))],
            "digest": [""] * len(rows),
            "annotations": filled,
        },
        schema_overrides={
            "frame_index": pl.Int32,
            "width": pl.Int32,
            "height": pl.Int32,
            "flags": pl.List(pl.String),
            "annotations": pl.List(pl.Struct(ANNOTATION)),
        },
    )


def write(folder: Path, files: dict[str, str | bytes]) -> Path:
    """Write files below a folder and return it."""
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
    return folder


def about(rows: pl.DataFrame, capability: Capability | None = BOXES, splits: Sequence[str] | None = None, **facts: object) -> About:
    """What a writer knows of sample rows (or, without a capability, of any); splits are those of the rows unless told."""
    told = [] if "split" not in rows.columns else rows["split"].unique(maintain_order=True).to_list()
    key = "sample_key" if capability is not None else rows.columns[0]
    plain = {"title": "demo v1", "description": "a demo", "version": "1", "key": key, "columns": dict(rows.schema)}
    return About(**(plain | {"splits": tuple(told if splits is None else splits), "capability": capability} | facts))


def export(
    format: Format, target: Path | str, rows: pl.DataFrame, capability: Capability | None = BOXES, *, chunks: int = 1, **facts: object
) -> Written:
    """Export rows, in that many chunks, as `labelkit.formats.exporting` does."""
    size = max(1, -(-rows.height // chunks))
    return exporting.export(format, list(rows.iter_slices(size)), target, about(rows, capability, **facts))
