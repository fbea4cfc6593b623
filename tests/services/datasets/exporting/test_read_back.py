"""A dataset exported to each format of labels and imported again: the same content under the same ids, media by media."""

from __future__ import annotations

import json
import re
from dataclasses import astuple, dataclass
from typing import TYPE_CHECKING

import pytest

import labelkit
from labelkit import BuildRequest, synthetic
from labelkit.store.review.content import Content

if TYPE_CHECKING:
    from pathlib import Path

    from labelkit import Workspace
    from labelkit.core.geometry import Geometry
    from labelkit.services.datasets import Dataset
    from labelkit.services.prelabels import PrelabelRun

FORMATS = ("coco", "cvat", "labelstudio", "voc", "yolo")


def source_of(match: synthetic.Match, clip: synthetic.Clip, folder: Path, *, points: bool) -> Path:
    """A COCO file as a model would give it: with scores, and with an attribute here and there."""
    images, annotations = [], []
    for number, truth in enumerate(clip.frames, 1):
        images.append(
            {"id": number, "file_name": truth.file.name.removeprefix(f"{clip.name}_"), "width": match.width, "height": match.height}
        )
        for at, one in enumerate(label for label in truth.labels if not points or label.label == "ball"):
            box = [one.box.x, one.box.y, one.box.width, one.box.height]
            more = {"attributes": {"team": 'red & "blue"', "number": at, "captain": at == 2}} if at % 2 else {}
            record = {"image_id": number, "category_id": match.classes.index(one.label) + 1, "bbox": box, "score": 0.1 + at / 100}
            annotations.append(record | {"id": len(annotations)} | more)
    categories = [{"id": number, "name": name} for number, name in enumerate(match.classes, 1)]
    file = folder / f"{clip.name}-{points}.json"
    file.write_text(json.dumps({"images": images, "categories": categories, "annotations": annotations}), encoding="utf-8")
    return file


def annotations_of(ws: Workspace, run: str) -> dict[str, tuple[object, ...]]:
    """The annotations of a run by their ids: frame, class, geometry, score, attributes."""
    with ws._database.reading() as tx:
        row = tx.rows("SELECT content_object, frame_count FROM prelabel_packs WHERE run_id = $run", run=run)[0]
    content = Content(ws._database.objects.read_frame(row["content_object"]))
    frames = [content.frame(index) for index in range(row["frame_count"])]
    return {one.id: (frame.index, one.label, one.geometry, one.score, one.attributes) for frame in frames for one in frame.annotations}


@dataclass(frozen=True)
class World:
    """A workspace with a built dataset of two clips whose frames have the same names, and the run that each was made of."""

    ws: Workspace
    capability: str
    dataset: Dataset
    runs: dict[str, PrelabelRun]
    folder: Path

    def exported(self, name: str) -> Path:
        self.dataset.export(name, self.folder / name)
        return self.folder / name


@pytest.fixture(scope="module", params=["player_detection", "ball_detection"])
def world(request, tmp_path_factory):
    root, capability = tmp_path_factory.mktemp("read-back"), request.param
    match = synthetic.match(root / "match", frames=6, width=320, height=180, clips=2)
    ws = labelkit.open(":memory:", workspace="club & co", user="ana")
    runs, packs = {}, []
    for clip in match.clips:
        source = source_of(match, clip, root, points=capability == "ball_detection")
        for truth in clip.frames:
            truth.file.rename(truth.file.with_name(truth.file.name.removeprefix(f"{clip.name}_")))
        ws.media.add(clip.folder, name=clip.name, group_key=clip.name)
        runs[clip.name] = ws.prelabels.import_("coco", source, media=clip.name, capability=capability)
        draft = ws.review.open(clip.name, capability, run=runs[clip.name].id)
        out = ws.review.publish(draft.id, expected_version=draft.version, override_warnings=True, reason="as drawn")
        ws.review.set_eligibility(out.revision.id, "APPROVED", expected_version=1, reason="as drawn")
        packs.append(out.pack.id)
    ratios = {"train": 0.5, "val": 0.5}
    return World(
        ws,
        capability,
        ws.datasets.build(BuildRequest(capability=capability, label_pack_ids=packs, name="drawn", ratios=ratios)).dataset,
        runs,
        root,
    )


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_gives_back_the_same_labels_under_the_same_ids(world, name):
    # given
    folder = world.exported(name)

    for clip, run in world.runs.items():
        # when
        again = world.ws.prelabels.import_(name, folder, media=clip, capability=world.capability)

        # then
        found, wanted = (annotations_of(world.ws, one) for one in (again.id, run.id))
        assert found.keys() == wanted.keys()
        if name == "yolo":
            assert {one: said[:2] for one, said in found.items()} == {one: said[:2] for one, said in wanted.items()}
            assert all(near(found[one][2], wanted[one][2]) for one in wanted)
        else:
            assert found == wanted
            assert again.content_hash == run.content_hash


def near(one: Geometry, other: Geometry) -> bool:
    """Say whether two geometries of one kind differ by no more than a ten-thousandth of a px."""
    return all(abs(a - b) <= 1.001e-4 for a, b in zip(astuple(one), astuple(other), strict=True))


def test_ids_that_two_labels_share_are_given_anew(world):
    # given
    folder = world.exported("coco")
    for file in (folder / "annotations").iterdir():
        file.write_text(re.sub('"labelkit_id":"[^"]*"', '"labelkit_id":"ann_same"', file.read_text(encoding="utf-8")), encoding="utf-8")

    # when
    again = world.ws.prelabels.import_("coco", folder, media="clip-1", capability=world.capability)

    # then
    found = annotations_of(world.ws, again.id)
    assert "ann_same" not in found
    assert sorted(map(repr, found.values())) == sorted(map(repr, annotations_of(world.ws, world.runs["clip-1"].id).values()))
