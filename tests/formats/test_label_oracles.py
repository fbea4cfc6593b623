"""Exports of labels as libraries of others read them, item by item: pictures, splits, classes, geometry to 0.01 px."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl
import pytest

from labelkit import synthetic
from labelkit.core.review.annotations import Capability
from labelkit.formats import coco_write, cvat_write, labelstudio_write, voc_write, yolo_write
from tests.formats import helpers
from tests.oracles import environments

if TYPE_CHECKING:
    from collections.abc import Callable

PLAYERS = Capability("player_detection", "box", synthetic.CLASSES)
BALLS = Capability("ball_detection", "point", ("ball",))
WRITERS = {one.name: one for one in (coco_write.FORMAT, cvat_write.FORMAT, labelstudio_write.FORMAT, voc_write.FORMAT, yolo_write.FORMAT)}
SPLITS = {"clip-1": "train", "clip-2": "val"}
PICTURES = "images"


def boxes_of(truth: synthetic.Truth) -> list[dict[str, object]]:
    """The boxes of a frame as a dataset holds them."""
    return [
        {"label": one.label, "x": one.box.x, "y": one.box.y, "width": one.box.width, "height": one.box.height, "score": 0.5}
        for one in truth.labels
    ]


def samples_of(match: synthetic.Match, *, points: bool) -> pl.DataFrame:
    """Sample rows of a drawn match: its people as boxes, or its ball as a point."""
    rows = []
    for clip in match.clips:
        annotations = [
            [{"label": "ball", "x": truth.ball.x, "y": truth.ball.y, "size": truth.ball.size}] if points else boxes_of(truth)
            for truth in clip.frames
        ]
        named = [
            [one | {"id": f"ann_{clip.name}-{frame}-{at}", "attributes": '{"team":"red","truncated":true}'} for at, one in enumerate(many)]
            for frame, many in enumerate(annotations)
        ]
        named[1] = []  # a sample without labels
        part = helpers.samples(*((SPLITS[clip.name], many) for many in named), media=clip.name, width=match.width, height=match.height)
        rows.append(part.with_columns(frame_name=pl.Series([truth.file.name for truth in clip.frames])))
    return pl.concat(rows)


@dataclass(frozen=True)
class World:
    """What went out, boxes and points as sample rows, and what the libraries of both environments read of it, by what was asked."""

    boxes: pl.DataFrame
    points: pl.DataFrame
    formats: dict[str, list[dict[str, object]]]
    datumaro: dict[str, list[dict[str, object]]]


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    """A drawn match exported to every format, with its pictures beside, and what each library read: in two starts of an interpreter."""
    root = tmp_path_factory.mktemp("oracles")
    match = synthetic.match(root / "match", frames=8, width=321, height=181, clips=2)
    boxes, points = samples_of(match, points=False), samples_of(match, points=True)
    for name, writer in WRITERS.items():
        helpers.export(writer, root / name, boxes, PLAYERS)
    for name in ("cvat", "labelstudio"):
        helpers.export(WRITERS[name], root / f"{name}-points", points, BALLS)
    shutil.copytree(root / "yolo", root / "yolo-flat", ignore=lambda *_: ["labels"])  # Datumaro looks no deeper than this
    for clip in match.clips:
        split = SPLITS[clip.name]
        shutil.copytree(clip.folder, root / "coco" / PICTURES / split / "club-a" / clip.name)
        shutil.copytree(clip.folder, root / "yolo-flat" / PICTURES / split)
        for kind in ("cvat", "cvat-points"):
            shutil.copytree(clip.folder, root / kind / "annotations" / PICTURES / "club-a" / clip.name)
        shutil.copytree(root / "yolo" / "labels" / split / "club-a" / clip.name, root / "yolo-flat" / "labels" / split)
    clips = {clip.name: str(clip.folder) for clip in match.clips}
    supervision = {
        f"{kind} {clip}": (
            "supervision",
            root / kind,
            {
                "format": kind,
                "images": folder if kind != "coco" else str(root / "coco" / PICTURES / SPLITS[clip]),
                "labels": labels.format(split=SPLITS[clip], clip=clip),
                "classes_file": "data.yaml",
            },
        )
        for kind, labels in {
            "coco": "annotations/instances_{split}.json",
            "voc": "Annotations/club-a/{clip}",
            "yolo": "labels/{split}/club-a/{clip}",
        }.items()
        for clip, folder in clips.items()
    }
    studio = {
        f"{kind} {split}": ("labelstudio", root / kind, {"file": f"tasks/{split}.json"})
        for kind in ("labelstudio", "labelstudio-points")
        for split in SPLITS.values()
    }
    datumaro = {
        "coco": ("datumaro", root / "coco", {"format": "coco_instances"}),
        "voc": ("datumaro", root / "voc", {"format": "voc_detection"}),
        "yolo": ("datumaro", root / "yolo-flat", {"format": "yolo"}),
        **{
            f"{kind} {split}": ("datumaro", root / kind / "annotations" / f"{split}.xml", {"format": "cvat"})
            for kind in ("cvat", "cvat-points")
            for split in SPLITS.values()
        },
    }
    return World(boxes, points, environments.read("formats", supervision | studio), environments.read("datumaro", datumaro))


def check(found: list[dict[str, object]], rows: pl.DataFrame, name: Callable[[dict[str, object]], str]) -> None:
    """Every picture has the same classes, at places that differ by no more than 0.01 px (Datumaro rounds to hundredths)."""
    wanted = {key: sorted(labels) for key, labels in truth_of(rows).items()}
    read = {key: [] for key in wanted}
    for item in found:
        place = item.get("corners") or item.get("points")
        read[name(item)] += [(item["label"], *place)] if place else []
    for key, labels in wanted.items():
        ours = sorted(read[key])
        assert [one[0] for one in ours] == [one[0] for one in labels], key
        assert all(one[1:] == pytest.approx(other[1:], abs=0.0101) for one, other in zip(ours, labels, strict=True)), key


def truth_of(rows: pl.DataFrame) -> dict[str, list[tuple[object, ...]]]:
    """Class and corners (of points: their place) of the labels of each picture, by its name without suffix."""
    found = {}
    for row in rows.iter_rows(named=True):
        ends = [(one["x"] + one["width"], one["y"] + one["height"]) if one["width"] is not None else () for one in row["annotations"]]
        found[stem(row["frame_name"])] = [
            (one["label"], one["x"], one["y"], *end) for one, end in zip(row["annotations"], ends, strict=True)
        ]
    return found


def stem(path: str) -> str:
    return path.rpartition("/")[2].removesuffix(".jpg")


def picture(item: dict[str, object]) -> str:
    return stem(str(item["picture"]))


@pytest.mark.parametrize("format", ["coco", "voc", "yolo"])
def test_supervision_reads_every_box(world, format):
    found = [item for clip in SPLITS for item in world.formats[f"{format} {clip}"]]
    check(found, world.boxes, picture)


@pytest.mark.parametrize("format", ["coco", "voc", "yolo", "cvat"])
def test_datumaro_reads_every_box_in_its_split(world, format):
    # given
    keys = [f"{format} {split}" for split in SPLITS.values()] if format == "cvat" else [format]
    found = [item for key in keys for item in world.datumaro[key]]

    # then
    check(found, world.boxes, picture)
    clips = {(item["split"], picture(item).partition("_")[0]) for item in found}
    assert clips == {(split, clip) for clip, split in SPLITS.items()}


@pytest.mark.parametrize(
    ("format", "said"),
    [
        ("coco", {"team": "red", "score": "0.5"}),
        ("voc", {"team": "red", "truncated": "True"}),
        ("cvat train", {"team": "red", "score": "0.5"}),
    ],
)
def test_datumaro_reads_attributes_and_scores_where_the_format_has_them(world, format, said):
    labels = [item["attributes"] for item in world.datumaro[format] if "corners" in item]
    assert all(said.items() <= attributes.items() for attributes in labels)
    assert len(labels) > 60


def test_a_point_and_a_flag_are_to_datumaro_what_cvat_has_for_them(world):
    found = [item for split in SPLITS.values() for item in world.datumaro[f"cvat-points {split}"]]
    check(found, world.points, picture)
    assert [(picture(item), item["label"]) for item in found if item.get("kind") == "label"] == [
        (f"{clip}_002", "bad_frame") for clip in SPLITS
    ]


@pytest.mark.parametrize("kind", ["labelstudio", "labelstudio-points"])
def test_label_studio_reads_every_region_and_flag_with_the_key_of_its_sample(world, kind):
    # given
    rows = world.points if kind.endswith("points") else world.boxes
    found = [item for split in SPLITS.values() for item in world.formats[f"{kind} {split}"]]

    # then
    check([item | {"corners": item["corners"][:2]} if item.get("kind") == "KeyPointLabels" else item for item in found], rows, picture)
    assert {(picture(item), item["sample_key"]) for item in found} == {
        (stem(n), k) for n, k in rows.select("frame_name", "sample_key").iter_rows()
    }
    assert [(picture(item), item["label"]) for item in found if item.get("control") == "flags"] == [
        (f"{clip}_002", "bad_frame") for clip in SPLITS
    ]
    sizes = [item["corners"][2] - item["corners"][0] for item in found if item.get("kind") == "KeyPointLabels"]
    assert sizes == pytest.approx([one["size"] for many in rows["annotations"] for one in many if one["size"]], abs=1e-4)
