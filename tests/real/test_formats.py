"""Label files of real projects: three formats say the same boxes, and the counts are those that their owners published."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl
import pytest

from labelkit.core.review.annotations import BALL, PLAYER, Capability
from labelkit.formats import reader, writer
from labelkit.media import scan
from tests.formats import helpers

if TYPE_CHECKING:
    from labelkit.formats.labels.rows import Chunk

pytestmark = pytest.mark.real
GEOMETRY = ["x", "y", "width", "height"]


@pytest.fixture
def voc(real_data):
    folder = real_data("multiformat_100")
    names = tuple((folder / "voc.names").read_text(encoding="utf-8").split())
    return folder, scan(folder / "images").to_polars(), Capability("voc", "box", names)


@pytest.fixture
def players(real_data):
    folder = real_data("soccer_players")
    return folder, scan(folder / "images").to_polars()


def read(name, source, frames, capability, **options) -> Chunk:
    return helpers.together(reader(name)(source, frames=frames, capability=capability, **options))


def test_yolo_and_both_kinds_of_coco_say_the_same_273_boxes(voc):
    # given
    folder, frames, capability = voc
    sources = {
        "yolo": ("yolo", folder / "gts" / "yolo_format" / "obj_train_data"),
        "yolo by its list of names": ("yolo", folder / "gts" / "yolo_format"),
        "coco v1": ("coco", folder / "gts" / "coco_format_v1"),
        "coco v2, ids of 20 billion": ("coco", folder / "gts" / "coco_format_v2" / "instances_v2.json"),
    }

    # when
    found = {name: read(kind, source, frames, capability) for name, (kind, source) in sources.items()}

    # then
    order = ["frame_index", "label", *GEOMETRY]
    truth = found["coco v1"].rows.sort(order)
    for name, chunk in found.items():
        rows = chunk.rows.sort(order)
        assert (rows.height, chunk.refused.height) == (273, 0), name
        assert rows["frame_index"].equals(truth["frame_index"]), name
        assert rows["label"].equals(truth["label"]), name
        assert max((rows[side] - truth[side]).abs().max() for side in GEOMETRY) < 0.001, name
    assert truth["frame_index"].n_unique() == 100


def test_detections_keep_their_452_scores(voc):
    folder, frames, capability = voc
    found = read("coco", folder / "dets" / "coco_format" / "coco_dets.json", frames, capability)
    assert (found.rows.height, found.refused.height, found.rows["frame_index"].n_unique()) == (452, 0, 98)
    assert found.rows["score"].is_between(0, 1).all()
    assert found.rows["score"].null_count() == 0


COUNTS = {
    "rev1": ("labels_rev1", {"player": 2197, "referee": 251, "goalkeeper": 75, "ball": 90}, 0),
    "rev2": ("labels_rev2", {"player": 2194, "referee": 120, "goalkeeper": 75, "ball": 90}, 0),
    "a model's": ("prelabels_fastestdet", None, 7658),
}


@pytest.mark.parametrize(("name", "classes", "scores"), COUNTS.values(), ids=COUNTS)
def test_every_label_of_the_match_frames_comes_in(players, name, classes, scores):
    # given
    folder, frames = players
    lines = sum(len(path.read_text().split("\n")) - path.read_text().endswith("\n") for path in (folder / name).glob("*.txt"))

    # when
    found = read("yolo", folder / name, frames, PLAYER)

    # then
    assert found.refused.is_empty()
    assert found.rows.height == lines == (sum(classes.values()) if classes else 7658)
    assert found.rows["score"].is_not_null().sum() == scores
    if classes:
        assert dict(found.rows["label"].value_counts().iter_rows()) == classes
    # one box of revision 1 is a slip of the hand, 0.09 px wide; it is kept as a label, and said
    assert found.notes["code"].to_list() == (["TINY"] if name == "labels_rev1" else [])


def test_178_balls_become_points_with_the_size_of_their_boxes(real_data):
    # given
    folder = real_data("soccer_ball")
    frames = scan(folder / "images").to_polars()
    known = pl.read_csv(folder / "frames.csv").sort("frame")

    # when
    found = read("yolo", folder / "labels", frames, BALL)

    # then
    assert (found.rows.height, found.refused.height) == (178, 0)
    assert found.rows["frame_index"].to_list() == list(range(178))
    assert (found.rows["x"] - known["cx"] * 640).abs().max() < 0.0001
    assert (found.rows["size"] - (known["w"] + known["h"]) * 320).abs().max() < 0.0002
    assert found.notes["code"].unique().to_list() == ["CONVERTED"]


@pytest.mark.parametrize("name", ["coco", "yolo"])
def test_real_labels_written_and_read_back_are_the_same(players, tmp_path, name):
    # given the second revision as samples in two splits
    folder, frames = players
    rows = read("yolo", folder / "labels_rev2", frames, PLAYER).rows
    fields = [pl.lit("1").alias("id"), *("label", *GEOMETRY, "size", "score"), pl.lit("human").alias("source"), "attributes"]
    labels = rows.group_by("frame_index", maintain_order=True).agg(annotations=pl.struct(fields))
    samples = frames.join(labels, left_on="index", right_on="frame_index", how="left").select(
        sample_key=pl.format("club-a/match-1/{}", "index"),
        split=pl.when(pl.col("index") % 4 == 0).then(pl.lit("val")).otherwise(pl.lit("train")),
        group_key=pl.col("name").str.head(6),
        workspace=pl.lit("club-a"),
        media=pl.lit("match-1"),
        frame_index="index",
        frame_name="name",
        pts_ms="pts_ms",
        width="width",
        height="height",
        sha256="sha256",
        flags=pl.lit([], pl.List(pl.String)),
        annotations=pl.col("annotations").fill_null([]),
    )

    # when
    out = helpers.export(writer(name), tmp_path / "out", samples, PLAYER, chunks=3)
    found = read(name, out.root if name == "coco" else out.root / "labels", frames, PLAYER)

    # then
    assert (out.row_count, out.annotation_count, found.refused.height) == (110, 2479, 0)
    order = ["frame_index", "label", *GEOMETRY]
    assert found.rows.select(order).sort(order).equals(rows.select(order).sort(order))


def test_what_other_tools_test_themselves_with_is_read_or_refused_with_a_reason(real_data):
    # given every COCO file of two other tools' fixtures
    files = sorted(real_data("peer_fixtures").rglob("*.json"))
    frames = helpers.frames("a.jpg")
    outcomes = set()

    # when
    for file in files:
        try:
            found = read("coco", file, frames, PLAYER)
            outcomes |= {"rows" if found.rows.height else "refused" if found.refused.height else "nothing"}
        except Exception as error:  # noqa: BLE001 (the assertion is that only refusals come)
            outcomes.add(getattr(error, "code", repr(error)))

    # then
    assert len(files) > 50
    assert outcomes <= {"refused", "nothing", "LABELS_UNREADABLE", "CLASSES_UNKNOWN"}
