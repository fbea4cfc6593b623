"""Real labels from import to export: two revisions of the soccer players, one dataset, split by clip."""

from __future__ import annotations

import contextlib
import io
import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest
from pycocotools.coco import COCO

import labelkit
from labelkit import BuildRequest, ReviewOp

if TYPE_CHECKING:
    from labelkit import Workspace
    from labelkit.services.datasets import Dataset

pytestmark = pytest.mark.real

CLASSES = ["ball", "goalkeeper", "player", "referee"]
CAPABILITY = "player_detection"


@dataclass(frozen=True)
class Built:
    ws: Workspace
    dataset: Dataset
    packs: list[str]
    request: BuildRequest


@pytest.fixture(scope="module")
def built(real_data, tmp_path_factory):
    """Each clip reviewed from rev1 to rev2 by operations, published twice, approved, and all built."""
    data = real_data("soccer_players")
    work = tmp_path_factory.mktemp("players")
    with labelkit.open(work / "labels.duckdb", workspace="bundesliga", user="ana") as ws:
        packs = [reviewed(ws, data, clip, work) for clip in sorted({name.name.split("_")[0] for name in (data / "images").iterdir()})]
        asked = BuildRequest(capability=CAPABILITY, label_pack_ids=packs, name="players")
        yield Built(ws, ws.datasets.build(asked).dataset, packs, asked)


def reviewed(ws: Workspace, data, clip: str, work) -> str:
    """Import a clip's first labels, publish them, replay the second ones, publish and approve; return the pack's id."""
    ws.media.add(str(data / "images" / f"{clip}_*.jpg"), name=clip, group_key=clip, camera_type="broadcast")
    runs = {}
    for name in ("labels_rev1", "labels_rev2"):
        folder = work / name / clip
        folder.mkdir(parents=True)
        for file in (data / name).glob(f"{clip}_*.txt"):
            (folder / file.name).write_bytes(file.read_bytes())
        runs[name] = ws.prelabels.import_("yolo", folder, media=clip, capability=CAPABILITY, classes=CLASSES, model=name, model_version="1")
    draft = ws.review.open(clip, CAPABILITY, run=runs["labels_rev1"].id)
    ws.review.publish(draft.id, expected_version=draft.version, override_warnings=True, reason="as found")
    diff = ws.review.diff(draft, runs["labels_rev2"].pack, match="geometry")
    ops = [ReviewOp.delete(change.frame, change.before.id) for change in diff.removed]
    for change in diff.modified:
        ops += [ReviewOp.relabel(change.frame, change.before.id, change.after.label)] if "class" in change.fields else []
        box = change.after.geometry
        ops += [ReviewOp.resize(change.frame, change.before.id, box.x, box.y, box.width, box.height)] if "geometry" in change.fields else []
    assert not diff.added
    draft = ws.review.apply(draft.id, base_version=draft.version, ops=ops)
    out = ws.review.publish(draft.id, expected_version=draft.version, override_warnings=True, reason="second labels")
    ws.review.set_eligibility(out.revision.id, "APPROVED", expected_version=1)
    return out.pack.id


def test_the_dataset_has_the_second_labels_of_six_clips(built):
    made = built.dataset
    assert (made.sample_count, made.annotation_count) == (110, 2479)
    assert {name: sum(row.values()) for name, row in made.class_counts.items()} == {
        "ball": 90,
        "goalkeeper": 75,
        "player": 2194,
        "referee": 120,
    }
    assert {verdict.revision.number for verdict in made.lineage.included} == {2}


def test_no_clip_is_in_two_splits_and_no_split_is_empty(built):
    rows = built.dataset.to_polars()
    assert rows["group_key"].n_unique() == 6
    assert rows.select("group_key", "split").unique().height == 6
    assert sum(built.dataset.group_counts.values()) == 6
    assert all(built.dataset.split_counts.values())


def test_the_badge_tells_that_players_outnumber_goalkeepers(built):
    assert [(one.code, one.value) for one in built.dataset.quality.indicators] == [("CLASS_IMBALANCE", 29.25)]
    assert built.dataset.quality.badge == "Warnings (1)"


def test_building_again_and_preflight_give_the_dataset_that_is_there(built):
    assert built.ws.datasets.preflight(built.request).outcome == "reused_success"
    again = built.ws.datasets.build(built.request)
    assert (again.outcome, again.dataset.id) == ("reused_success", built.dataset.id)


def test_the_manifest_of_the_real_dataset_is_the_same_everywhere(built):
    assert built.dataset.manifest_hash == "777bafc653647ea6219dd29677638c0dca5083e4e9712a0cb762c5e63f0742dc"


def test_the_coco_export_read_back_equals_the_store(built, tmp_path):
    # when the dataset is exported
    report = built.dataset.export("coco", tmp_path / "coco")

    # then its files have the digests that the report says
    files = {file.name: file for file in report.files}
    labels = [f"annotations/instances_{split}.json" for split in ("test", "train", "val")]
    assert sorted(files) == [*labels, "croissant.json", "labelkit-export.json"]
    assert labelkit.verify(tmp_path / "coco").ok
    assert (report.sample_count, report.annotation_count) == (110, 2479)

    # and pycocotools reads from each the boxes of the store, to 0.01 px
    for split in built.dataset.split_counts:
        with contextlib.redirect_stdout(io.StringIO()):
            coco = COCO(str(tmp_path / "coco" / "annotations" / f"instances_{split}.json"))
        names = {one["id"]: one["name"] for one in coco.loadCats(coco.getCatIds())}
        read = [
            (coco.imgs[one["image_id"]]["sample_key"], names[one["category_id"]], *one["bbox"]) for one in coco.loadAnns(coco.getAnnIds())
        ]
        stored = built.dataset.annotations(split).select("sample_key", "label", "x", "y", "width", "height").rows()
        assert len(read) == len(stored)
        for found, wanted in zip(sorted(read), sorted(stored), strict=True):
            assert found[:2] == wanted[:2]
            assert found[2:] == pytest.approx(wanted[2:], abs=0.01)


def test_an_export_of_one_split_is_recorded_and_audited(built, tmp_path):
    report = built.dataset.export("coco", tmp_path / "val", split="val")
    with built.ws._database.reading() as tx:
        row = tx.rows("SELECT * FROM exports WHERE id = $id", id=report.id)[0]
    assert (row["version_id"], row["split"], row["path"]) == (built.dataset.id, "val", str(tmp_path / "val"))
    assert [(file["name"], file["sha256"]) for file in json.loads(row["files"])] == [(file.name, file.sha256) for file in report.files]
    assert built.ws.audit(subject=f"dataset:{built.dataset.id}")["code"][0] == "EXPORTED"
    assert re.fullmatch(r"coco: \d+ samples and \d+ annotations in 3 file\(s\) below .*", str(report).split("\n")[0])
