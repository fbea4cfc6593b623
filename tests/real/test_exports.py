"""Real labels out and in again: every format of labels gives back every box, with its class, place and id."""

from __future__ import annotations

import polars as pl
import pytest

from labelkit.core.review.annotations import PLAYER, Capability
from labelkit.formats import READERS, WRITERS
from labelkit.media import scan
from tests.formats import helpers

pytestmark = pytest.mark.real

FORMATS = ("coco", "cvat", "labelstudio", "voc", "yolo")
SIDES = ["x", "y", "width", "height"]
CLASSES = ("ball", "goalkeeper", "player", "referee")


def samples_of(frames: pl.DataFrame, rows: pl.DataFrame) -> pl.DataFrame:
    """Sample rows of a media, one for every frame, with an id for each label."""
    numbered = rows.with_columns(pl.format("ann_{}", pl.int_range(pl.len())).alias("id"), pl.lit("model").alias("source"))
    labels = numbered.group_by("frame_index", maintain_order=True).agg(pl.struct(*helpers.ANNOTATION).alias("annotations"))
    index = pl.col("index")
    return (
        frames.join(labels, left_on="index", right_on="frame_index", how="left", maintain_order="left")
        .select(
            pl.format("real/media/{}", index.cast(pl.String).str.zfill(6)).alias("sample_key"),
            pl.when(index % 3 == 0).then(pl.lit("val")).otherwise(pl.lit("train")).alias("split"),
            pl.lit("g").alias("group_key"),
            pl.lit("real").alias("workspace"),
            pl.lit("media").alias("media"),
            index.alias("frame_index"),
            pl.col("name").alias("frame_name"),
            pl.col("pts_ms"),
            *("width", "height", "sha256"),
            pl.lit([], dtype=pl.List(pl.String)).alias("flags"),
            "annotations",
        )
        .with_columns(pl.col("annotations").fill_null(pl.lit([], dtype=pl.List(pl.Struct(helpers.ANNOTATION)))))
    )


@pytest.fixture(scope="module", params=["multiformat_100", "soccer_players"])
def world(request, real_data):
    """A capability, the frames, the labels as our reader found them in the source, and how many its owners count."""
    folder = real_data(request.param)
    frames = scan(folder / "images").to_polars()
    if request.param == "multiformat_100":
        capability = Capability("voc", "box", tuple((folder / "voc.names").read_text(encoding="utf-8").split()))
        found, count = READERS["voc"](folder / "gts" / "pascalvoc_format", frames=frames, capability=capability), 273
    else:
        capability = PLAYER
        found, count = READERS["yolo"](folder / "labels_rev2", frames=frames, capability=capability, classes=CLASSES), 2479
    return capability, frames, helpers.together(found).rows, count


@pytest.mark.parametrize("name", FORMATS)
def test_every_box_comes_back_in_every_format(world, name, tmp_path):
    # given
    capability, frames, rows, count = world
    samples = samples_of(frames, rows)

    # when
    out = helpers.export(WRITERS[name], tmp_path / name, samples, capability, chunks=3)
    found = helpers.together(READERS[name](tmp_path / name, frames=frames, capability=capability))

    # then
    truth = samples.filter(pl.col("annotations").list.len() > 0).explode("annotations")
    order = ["frame_index", "id"]
    truth = truth.select("frame_index", "annotations").unnest("annotations").sort(order)
    read = found.rows.sort(order)
    assert (out.annotation_count, read.height, found.refused.height) == (count, count, 0)
    assert read.select("frame_index", "id", "label").equals(truth.select("frame_index", "id", "label"))
    assert max((read[side] - truth[side]).abs().max() for side in SIDES) <= 1.001e-4
    if name != "yolo":
        assert read.select(*SIDES, "attributes").equals(truth.select(*SIDES, "attributes"))
