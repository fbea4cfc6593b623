"""TFRecord out, without TensorFlow: `<split>-00000-of-00004.tfrecord`, a tf.train.Example a row; the same bytes for the same rows.

Every column becomes features as `feature_kinds` says, so that all of it comes back. Samples have beside that the features that
TensorFlow's object detection API looks for: `image/encoded`, `image/format`, `image/filename`, `image/source_id`, `image/key/sha256`,
`image/width`, `image/height`, `image/object/bbox/{xmin,xmax,ymin,ymax}` as fractions, `image/object/class/{text,label}` with labels counted
from 1, and of points `image/object/keypoint/{x,y}`, with a box of their size around them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from labelkit.errors import InvalidValue
from labelkit.formats.exports import EVERYTHING, Facet, Format, file_name
from labelkit.formats.keyed.row_batches import in_order
from labelkit.formats.keyed.shard_files import Limits, ShardFiles
from labelkit.formats.sample_pictures import SUFFIXES, runs
from labelkit.formats.tfrecord.feature_kinds import Feature, features_of, names_of
from labelkit.formats.tfrecord.records import records_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from labelkit.core.review.annotations import Capability
    from labelkit.formats.exports import About
    from labelkit.formats.keyed.byte_rows import ByteRows
    from labelkit.formats.sample_pictures import Picture, Run
    from labelkit.formats.tfrecord.feature_kinds import Kind

NAME = "{part}-{index:05}-of-{count:05}.tfrecord"
IMAGE = "image/"


def write(chunks: Iterable[pl.DataFrame], folder: Path, about: About, *, limits: Limits | None = None) -> Mapping[str, int]:
    """Fill an empty folder with rows (see `exports.Writer`). Raises `INVALID_VALUE` for types and names that have no features."""
    names = names_of(about.columns)
    taken = [name for name in names if about.capability is not None and name.startswith(IMAGE)]
    if taken:
        raise InvalidValue(what="columns", reason=f"{taken[0]!r} is a name of pictures in TFRecord", fix="Rename the column.")
    with ShardFiles(folder, about.parts, NAME, limits=limits) as shards:
        for part, made in in_order(runs(chunks, about), lambda run: (run.part, _records(run, about))):
            shards.add(part, made.data, made.ends)
        return shards.finish()


FORMAT = Format("tfrecord", write, EVERYTHING | {Facet.PICTURES}, frozenset({"samples", "rows"}))


def _records(run: Run, about: About) -> ByteRows:
    features = [feature for name in about.columns for feature in features_of(run.rows[name])]
    if about.capability is not None:
        features += _of_pictures(run.rows, run.pictures, about.capability)
    return records_of(features, run.rows.height)


def _of_pictures(samples: pl.DataFrame, pictures: Sequence[Picture], capability: Capability) -> Iterator[Feature]:
    yield from _single(
        samples.select(
            pl.col("width").alias("image/width"),
            pl.col("height").alias("image/height"),
            file_name().alias("image/filename"),
            pl.col("sample_key").alias("image/source_id"),
            pl.col("sha256").alias("image/key/sha256"),
            pl.Series("image/format", [None if one is None else _format(one[1]) for one in pictures], dtype=pl.String),
            pl.Series("image/encoded", [None if one is None else one[0] for one in pictures], dtype=pl.Binary),
        )
    )
    counts = samples["annotations"].list.len().to_numpy()
    rows = np.repeat(np.arange(samples.height), counts)
    labels = samples.filter(pl.col("annotations").list.len() > 0).select("annotations", "width", "height")
    labels = labels.select(fw="width", fh="height", one="annotations").explode("one").unnest("one")
    for values in labels.select(_objects(capability)):
        kind: Kind = "float" if values.dtype == pl.Float32 else "bytes" if values.dtype == pl.String else "int64"
        yield Feature(f"image/object/{values.name}", kind, values, rows, np.ones(samples.height, np.bool_))


def _single(frame: pl.DataFrame) -> Iterator[Feature]:
    for column in frame:
        yield from features_of(column)


def _format(mime: str) -> str:
    return "jpeg" if mime == "image/jpeg" else SUFFIXES.get(mime, mime)


def _objects(capability: Capability) -> list[pl.Expr]:
    """Return what the object detection API wants of each annotation, whose frame is `fw` x `fh` px."""
    half = pl.col("size").fill_null(0.0) / 2
    point = pl.col("width").is_null()
    sides = {
        "bbox/xmin": pl.when(point).then(pl.col("x") - half).otherwise("x") / pl.col("fw"),
        "bbox/xmax": pl.when(point).then(pl.col("x") + half).otherwise(pl.col("x") + pl.col("width")) / pl.col("fw"),
        "bbox/ymin": pl.when(point).then(pl.col("y") - half).otherwise("y") / pl.col("fh"),
        "bbox/ymax": pl.when(point).then(pl.col("y") + half).otherwise(pl.col("y") + pl.col("height")) / pl.col("fh"),
    }
    if capability.geometry == "point":
        sides |= {"keypoint/x": pl.col("x") / pl.col("fw"), "keypoint/y": pl.col("y") / pl.col("fh")}
    numbers = pl.col("label").replace_strict(list(capability.classes), list(range(1, len(capability.classes) + 1)), default=0)
    return [
        *(side.cast(pl.Float32).alias(name) for name, side in sides.items()),
        pl.col("label").alias("class/text"),
        numbers.cast(pl.Int64).alias("class/label"),
    ]
