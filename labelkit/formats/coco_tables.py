"""What the numbers in a COCO record mean: its image as a frame of the media, its category as a class."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import polars as pl

from labelkit.formats.coco_records import CATEGORIES, IMAGES, table
from labelkit.formats.labels.names import match
from labelkit.formats.labels.rows import RefusedCode

if TYPE_CHECKING:
    from labelkit.formats.json_stream import JsonDocument


@dataclass(frozen=True, slots=True)
class Tables:
    """What a record's numbers mean: images (id, file_name, width, height) and categories (id, name), None where not known yet."""

    images: pl.DataFrame | None = None
    categories: pl.DataFrame | None = None

    def read(self, key: str, document: JsonDocument) -> Tables:
        """Return the tables with what stands under that key of the document, where it is one of them."""
        if key == "images":
            return replace(self, images=table(document, IMAGES))
        if key == "categories":
            return replace(self, categories=table(document, CATEGORIES))
        return self

    def complete(self) -> bool:
        """Say whether both tables are known."""
        return self.images is not None and self.categories is not None

    def resolved(self, frames: pl.DataFrame) -> Meaning:
        """Return what they mean for the frames (index, name, width, height) of a media. The categories must be known."""
        assert self.categories is not None  # noqa: S101 (asked before)
        names = self.categories.unique("id", keep="first").rename({"id": "category_id", "name": "label"})
        return Meaning(frames, names, None if self.images is None else _frames_by_image(self.images, frames))


@dataclass(frozen=True, slots=True)
class Meaning:
    """Frames, class names by category_id, and pictures by image_id (None where the ids are names of frames)."""

    frames: pl.DataFrame
    names: pl.DataFrame
    pictures: pl.DataFrame | None

    def of(self, records: pl.DataFrame) -> pl.DataFrame:
        """Return the records with frame_index, label, image_size (where it differs), and code and detail where a number means nothing."""
        pictures = _frames_by_id(records["image_id"], self.frames) if self.pictures is None else self.pictures
        placed = records.join(pictures, on="image_id", how="left", maintain_order="left")
        placed = placed.join(self.names, on="category_id", how="left", maintain_order="left")
        lost = pl.col("frame_index").is_null() & pl.col("image_code").is_null()
        unnamed = pl.col("label").is_null()
        image, category = pl.col("image_id").fill_null("(none)"), pl.col("category_id").fill_null("(none)")
        rules = (
            (lost, RefusedCode.NO_IMAGE, pl.format("image_id {} is not among the images", image)),
            (unnamed, RefusedCode.CLASS_OUT_OF_RANGE, pl.format("category_id {} is not among the categories", category)),
        )
        fresh = pl.col("code").is_null() & pl.col("image_code").is_null()
        return placed.with_columns(
            code=pl.coalesce("code", "image_code", *(pl.when(rule).then(pl.lit(str(code))) for rule, code, _ in rules)),
            detail=pl.coalesce(
                "detail",
                pl.when(pl.col("code").is_null()).then("image_detail"),
                *(pl.when(fresh & rule).then(text) for rule, _, text in rules),
            ),
        )


def _frames_by_image(images: pl.DataFrame, frames: pl.DataFrame) -> pl.DataFrame:
    """Return image_id, frame_index, image_code, image_detail, image_size: the frame of each image."""
    unique = images.unique(["id", "file_name"], keep="first", maintain_order=True).with_columns(pl.col("file_name").fill_null(""))
    matched = match(unique["file_name"], frames, images=True).rename({"path": "file_name"})
    joined = unique.join(matched, on="file_name", how="left").join(
        frames.select(frame_index="index", fw="width", fh="height"), on="frame_index", how="left"
    )
    other = (pl.col("width") != pl.col("fw")) | (pl.col("height") != pl.col("fh"))
    stated = (pl.col("width") > 0) & (pl.col("height") > 0) & (pl.col("fw") > 0)
    twice = pl.len().over("id") > 1
    sizes = (pl.col(name).cast(pl.Int64) for name in ("width", "height", "fw", "fh"))
    return joined.select(
        image_id="id",
        frame_index=pl.when(~twice).then("frame_index"),
        image_code=pl.when(twice).then(pl.lit(str(RefusedCode.AMBIGUOUS_IMAGE))).otherwise("code"),
        image_detail=pl.when(twice).then(pl.format("several images have the id {}", "id")).otherwise("detail"),
        image_size=pl.when(other & stated).then(pl.format("labelled on {} x {} px, the frame has {} x {}", *sizes)),
    ).unique("image_id", keep="first")


def _frames_by_id(image_ids: pl.Series, frames: pl.DataFrame) -> pl.DataFrame:
    """Return the same where there is no list of images: the id is the frame's name, its stem, or its stem without leading zeros."""
    ids = image_ids.drop_nulls().unique(maintain_order=True)
    named = match(ids, frames, images=True)
    numbers = frames.with_columns(pl.col("name").str.replace(r"^.*/", "").str.replace(r"\.[^.]*$", "").str.replace(r"^0+(\d)", "$1"))
    missing = named.filter(pl.col("code") == RefusedCode.NO_IMAGE)["path"]
    by_number = match(missing, numbers, images=True).filter(pl.col("code").is_null())
    both = pl.concat([named.filter(~pl.col("path").is_in(by_number["path"].to_list())), by_number])
    return both.select(
        image_id="path", frame_index="frame_index", image_code="code", image_detail="detail", image_size=pl.lit(None, pl.String)
    )
