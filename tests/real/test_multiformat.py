"""The same hundred pictures labelled in every format: all readers give the same boxes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl
import pytest

from labelkit.core.review.annotations import Capability
from labelkit.formats import READERS
from labelkit.media import scan
from tests.formats import helpers

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.real

SIDES = ["x", "y", "width", "height"]


@dataclass(frozen=True)
class World:
    folder: Path
    frames: pl.DataFrame
    capability: Capability

    @property
    def classes(self) -> list[str]:
        return list(self.capability.classes)


@pytest.fixture(scope="module")
def world(real_data):
    folder = real_data("multiformat_100")
    names = tuple((folder / "voc.names").read_text().split())
    return World(folder, scan(folder / "images").to_polars(), Capability("voc", "box", names))


def read(world, format, source, **options):
    found = helpers.together(READERS[format](world.folder / source, frames=world.frames, capability=world.capability, **options))
    assert found.refused.is_empty()
    return found.rows.sort("frame_index", "label", *(pl.col(side).round() for side in SIDES), "score")


def same(found: pl.DataFrame, expected: pl.DataFrame, largest_px: float) -> bool:
    """Say whether frames and classes are equal, and no side differs by more than `largest_px`."""
    assert found.select("frame_index", "label").equals(expected.select("frame_index", "label"))
    differences = [(found[side] - expected[side]).abs().max() for side in SIDES]
    return max(differences) < largest_px


TRUTH = {
    "COCO with large ids": ("coco", "gts/coco_format_v2/instances_v2.json", {}),
    "CVAT": ("cvat", "gts/cvat_format/annotations.xml", {}),
    "Pascal VOC": ("voc", "gts/pascalvoc_format", {}),
    "ImageNet": ("voc", "gts/imagenet_format/Annotations", {}),
    "YOLO": ("yolo", "gts/yolo_format/obj_train_data", {}),
    "OpenImages with decimal commas": ("csv", "gts/openimages_format/all_bounding_boxes.csv", {}),
}


@pytest.mark.parametrize(("format", "source", "options"), TRUTH.values(), ids=TRUTH)
def test_all_encodings_of_the_truth_are_the_same_273_boxes(world, format, source, options):
    # given
    truth = read(world, "coco", "gts/coco_format_v1/instances_default.json")
    assert (truth.height, truth["label"].n_unique(), truth["frame_index"].n_unique()) == (273, 20, 100)

    # then
    assert same(read(world, format, source, **options), truth, 0.001)


DETECTIONS = {
    "corner and sides": ("csv", "dets/abs_xywh", ["label", "score", "x", "y", "width", "height"]),
    "corners": ("csv", "dets/abs_xyx2y2", ["label", "score", "xmin", "ymin", "xmax", "ymax"]),
    "centre and sides as fractions": ("csv", "dets/rel_xywh", ["label", "score", "cx", "cy", "width", "height"]),
}


@pytest.mark.parametrize(("format", "source", "columns"), DETECTIONS.values(), ids=DETECTIONS)
def test_all_encodings_of_the_detections_are_the_same_452_boxes_with_scores(world, format, source, columns):
    # given
    expected = read(world, "coco", "dets/coco_format/coco_dets.json")
    assert (expected.height, expected["frame_index"].n_unique()) == (452, 98)

    # then
    found = read(world, format, source, columns=columns, classes=world.classes)
    assert same(found, expected, 0.001)
    assert (found["score"] - expected["score"]).abs().max() < 1e-6


def test_attributes_that_only_some_formats_hold_are_kept(world):
    found = read(world, "voc", "gts/pascalvoc_format")
    said = (
        found["attributes"].drop_nulls().str.json_decode(pl.Struct({"pose": pl.String, "truncated": pl.Boolean, "difficult": pl.Boolean}))
    )
    assert said.struct.field("truncated").drop_nulls().all()
    assert set(said.struct.field("pose").drop_nulls()) <= {"Left", "Right", "Frontal", "Rear"}
    assert read(world, "voc", "gts/imagenet_format/Annotations")["attributes"].null_count() == 273


def test_the_folder_of_a_whole_export_is_read_too(world):
    """Lists of pictures and colours stand beside the label files there."""
    found = helpers.together(READERS["voc"](world.folder / "gts/imagenet_format", frames=world.frames, capability=world.capability))
    assert (found.rows.height, found.refused.height) == (273, 0)
