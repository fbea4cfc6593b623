"""Records that name their picture or give corners, turned boxes or lists of points become rows in px of a frame, as sets."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

import polars as pl

from labelkit.formats.labels.acceptance import accept
from labelkit.formats.labels.names import match
from labelkit.formats.labels.rows import NOTES, Chunk, NoteCode, OnInvalid, RefusedCode, raw_rows

if TYPE_CHECKING:
    from labelkit.core.review.annotations import Capability

_PICTURE = {"path": pl.String(), "code": pl.String(), "frame_index": pl.Int32(), "detail": pl.String()}


class FrameFinder:
    """Which frame a picture's name means, chunk after chunk: a second name for a frame that already has one is ambiguous."""

    def __init__(self, frames: pl.DataFrame) -> None:
        self._frames = frames
        self._known = pl.DataFrame(schema=_PICTURE)

    def find(self, paths: pl.Series) -> pl.DataFrame:
        """Return path, frame_index, code, detail, one row a different path (see `names.match`)."""
        wanted = pl.DataFrame({"path": paths.drop_nulls().unique(maintain_order=True)}, schema={"path": pl.String})
        fresh = wanted.join(self._known, on="path", how="anti", maintain_order="left")
        if fresh.height:
            self._known = pl.concat([self._known, self._without_rivals(match(fresh["path"], self._frames, images=True))])
        return wanted.join(self._known, on="path", how="left", maintain_order="left")

    def _without_rivals(self, found: pl.DataFrame) -> pl.DataFrame:
        taken = self._known.filter(pl.col("frame_index").is_not_null()).select("frame_index", first="path")
        rivals = found.join(taken, on="frame_index", how="left", maintain_order="left")
        late = pl.col("first").is_not_null()
        return rivals.select(
            "path",
            code=pl.when(late).then(pl.lit(str(RefusedCode.AMBIGUOUS_IMAGE))).otherwise("code"),
            frame_index=pl.when(~late).then("frame_index"),
            detail=pl.when(late).then(pl.format("{} and {} are names for frame {}", "first", "path", "frame_index")).otherwise("detail"),
        )


def placed(records: pl.DataFrame, pictures: pl.DataFrame) -> pl.DataFrame:
    """Return records (with `image`, the path of their picture) with the frame of it, or the code and detail of why it has none.

    A record's own code comes first. `pictures` is what `FrameFinder.find` returned.
    """
    known = pictures.select(image="path", frame_index="frame_index", image_code="code", image_detail="detail")
    joined = records.drop("frame_index", strict=False).join(known, on="image", how="left", maintain_order="left")
    nameless = pl.col("image").is_null()
    own = pl.col("code").is_not_null()
    image_code = pl.when(nameless).then(pl.lit(str(RefusedCode.NO_IMAGE))).otherwise("image_code")
    image_detail = pl.when(nameless).then(pl.lit("the record names no picture")).otherwise("image_detail")
    return joined.with_columns(
        code=pl.when(own).then("code").otherwise(image_code), detail=pl.when(own).then("detail").otherwise(image_detail)
    ).drop("image_code", "image_detail")


def numbered(records: pl.DataFrame, position: pl.Expr, frame_count: int, lost: pl.Expr) -> pl.DataFrame:
    """Return records with the frame at a position, counted from 0; where there is none, the code and as detail what `lost` says."""
    there = ((position == position.floor()) & position.is_between(0, frame_count - 1)).fill_null(value=False)
    missing = pl.col("code").is_null() & ~there
    return records.with_columns(
        frame_index=pl.when(there).then(position).cast(pl.Int32),
        code=pl.when(missing).then(pl.lit(str(RefusedCode.NO_IMAGE))).otherwise("code"),
        detail=pl.when(missing).then(lost).otherwise("detail"),
    )


def judged(records: pl.DataFrame, frames: pl.DataFrame, capability: Capability, on_invalid: OnInvalid, *, relative: bool = False) -> Chunk:
    """Judge records (see `acceptance.accept`), with one note a frame whose picture had another size when it was labelled.

    The size is in the columns image_width and image_height, null or 0 where the source does not say.
    """
    chunk = accept(raw_rows(records), frames, capability, on_invalid, relative=relative)
    if "image_width" not in records.columns:
        return chunk
    sizes = frames.select(frame_index="index", fw="width", fh="height")
    first = records.filter((pl.col("image_width") > 0) & (pl.col("image_height") > 0)).unique(
        "frame_index", keep="first", maintain_order=True
    )
    if first.is_empty():
        return chunk
    differs = (pl.col("image_width") != pl.col("fw")) | (pl.col("image_height") != pl.col("fh"))
    other = first.join(sizes, on="frame_index").filter(differs & (pl.col("fw") > 0))
    other = other.join(chunk.rows.select("frame_index").unique(), on="frame_index", how="semi", maintain_order="left")
    said = pl.format(
        "labelled on {} x {} px, the frame has {} x {}",
        *(pl.col(name).cast(pl.Int64) for name in ("image_width", "image_height", "fw", "fh")),
    )
    notes = other.with_columns(code=pl.lit(str(NoteCode.OTHER_SIZE)), detail=said).select(pl.col(n).cast(k) for n, k in NOTES.items())
    return replace(chunk, notes=pl.concat([chunk.notes, notes]))


def numbers(records: pl.DataFrame, columns: tuple[str, ...]) -> pl.DataFrame:
    """Return the records with these text columns as numbers; text that is none is refused as such, by its column."""
    parsed = [pl.col(name).str.strip_chars().cast(pl.Float64, strict=False).alias(name) for name in columns]
    quick = records.with_columns(parsed)
    if all(quick[name].null_count() == records[name].null_count() for name in columns):
        return quick
    wrong = [
        pl.when((pl.col(name).fill_null("") != "") & new.is_null()).then(pl.format("{} is {}", pl.lit(name), pl.col(name).str.slice(0, 80)))
        for name, new in zip(columns, parsed, strict=True)
    ]
    first = pl.when(pl.col("code").is_null()).then(pl.coalesce(wrong))
    said = records.with_columns(wrong_number=first)
    return said.with_columns(
        *parsed,
        code=pl.when(pl.col("wrong_number").is_not_null()).then(pl.lit(str(RefusedCode.NOT_A_NUMBER))).otherwise("code"),
        detail=pl.coalesce("wrong_number", "detail"),
    ).drop("wrong_number")


def around_turned(degrees: pl.Expr, *, about: str) -> dict[str, pl.Expr]:
    """Return x, y, width, height of the upright box around the box of these columns turned clockwise, about its `centre` or `corner`.

    A box that is not turned stays exactly what it is.
    """
    x, y, width, height = (pl.col(name) for name in ("x", "y", "width", "height"))
    turn = degrees * (math.pi / 180)
    across = [width * turn.cos(), -height * turn.sin(), width * turn.cos() - height * turn.sin()]
    down = [width * turn.sin(), height * turn.cos(), width * turn.sin() + height * turn.cos()]
    left, right = pl.min_horizontal(0.0, *across), pl.max_horizontal(0.0, *across)
    top, bottom = pl.min_horizontal(0.0, *down), pl.max_horizontal(0.0, *down)
    if about == "centre":
        x, y = x + (width - right - left) / 2, y + (height - bottom - top) / 2
    turned = pl.when(degrees.fill_null(0.0) != 0.0)
    nowhere = degrees * 0.0  # NaN for an infinite turn, which the smallest and largest above would hide
    around = {"x": x + left + nowhere, "y": y + top, "width": right - left, "height": bottom - top}
    return {name: turned.then(value).otherwise(name) for name, value in around.items()}


def around_points(points: pl.Expr) -> dict[str, pl.Expr]:
    """Return x, y, width, height of the box around a list of numbers x, y, x, y, …; one point alone has no width and height."""
    across, down = points.list.gather_every(2), points.list.gather_every(2, 1)
    several = pl.when(points.list.len() > 2)
    return {
        "x": across.list.min(),
        "y": down.list.min(),
        "width": several.then(across.list.max() - across.list.min()),
        "height": several.then(down.list.max() - down.list.min()),
    }
