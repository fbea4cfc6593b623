"""Two revisions of real labels: the first imported and published, the second replayed as operations of a review."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

import labelkit
from labelkit import ReviewOp
from labelkit.core.geometry import Box, px
from labelkit.core.matching import match

if TYPE_CHECKING:
    from pathlib import Path

    from labelkit import Workspace
    from labelkit.services.prelabels import PrelabelRun
    from labelkit.services.review import Draft, PublishOutcome

pytestmark = pytest.mark.real

CLASSES = ["ball", "goalkeeper", "player", "referee"]
CAPABILITY = "player_detection"
SIDE = 1280


@dataclass(frozen=True)
class Reviewed:
    ws: Workspace
    rev1: PrelabelRun
    first: PublishOutcome
    draft: Draft
    second: PublishOutcome


def truth(folder: Path, name: str) -> list[tuple[str, Box]]:
    """Labels of a frame, read by this test itself: class and box in px."""
    rows = [line.split() for line in (folder / f"{name}.txt").read_text().splitlines()]
    found = []
    for number, *fractions in rows:
        cx, cy, width, height = (float(value) * SIDE for value in fractions[:4])
        found.append((CLASSES[int(number)], Box(px(cx - width / 2), px(cy - height / 2), px(width), px(height)).clamp(SIDE, SIDE)))
    return found


def replay(draft: Draft, folder: Path) -> list[ReviewOp]:
    """The operations that make each frame of the draft what the second labels say: matched by overlap from 0.3, best first."""
    ops: list[ReviewOp] = []
    for frame in draft.frames:
        wanted = truth(folder, frame.name.removesuffix(".jpg"))
        pairs = {pair.left: wanted[pair.right] for pair in match([a.geometry for a in frame.annotations], [box for _, box in wanted])}
        for number, annotation in enumerate(frame.annotations):
            if number not in pairs:
                ops.append(ReviewOp.delete(frame.index, annotation.id))
                continue
            label, box = pairs[number]
            if (annotation.geometry.width, annotation.geometry.height) != (box.width, box.height):
                ops.append(ReviewOp.resize(frame.index, annotation.id, box.x, box.y, box.width, box.height))
            elif annotation.geometry != box:
                ops.append(ReviewOp.move(frame.index, annotation.id, box.x, box.y))
            if annotation.label != label:
                ops.append(ReviewOp.relabel(frame.index, annotation.id, label))
        taken = {id(pair) for pair in pairs.values()}
        ops += [ReviewOp.add_box(frame.index, *_flat(one)) for one in wanted if id(one) not in taken]
        ops.append(ReviewOp.accept(frame.index))
    return ops


def _flat(one: tuple[str, Box]) -> tuple[str, float, float, float, float]:
    label, box = one
    return label, box.x, box.y, box.width, box.height


def published(ws: Workspace, draft: Draft) -> PublishOutcome:
    return ws.review.publish(draft.id, expected_version=draft.version, override_warnings=True, reason="compared with the source")


@pytest.fixture(scope="module")
def reviewed(real_data, tmp_path_factory):
    data = real_data("soccer_players")
    with labelkit.open(tmp_path_factory.mktemp("players") / "labels.duckdb", workspace="bundesliga", user="ana") as ws:
        ws.media.add(data / "images", name="players", group_key="all", camera_type="broadcast")
        run = ws.prelabels.import_("yolo", data / "labels_rev1", media="players", capability=CAPABILITY, classes=CLASSES, model="rev1")
        draft = ws.review.open("players", CAPABILITY, run=run.id)
        first = published(ws, draft)
        draft = ws.review.apply(draft.id, base_version=draft.version, ops=replay(draft, data / "labels_rev2"))
        yield Reviewed(ws, run, first, draft, published(ws, draft))


def test_every_box_of_the_first_labels_is_imported_and_published(reviewed):
    assert (reviewed.rev1.annotation_count, reviewed.rev1.report.refused.height) == (2613, 0)
    assert (reviewed.first.code, reviewed.first.revision.number) == ("PUBLISH_SUCCESS", 1)
    assert (reviewed.first.revision.annotation_count, reviewed.first.revision.frame_count) == (2613, 110)
    assert reviewed.first.revision.content_hash == reviewed.rev1.content_hash


def test_the_second_labels_are_the_second_revision(reviewed, real_data):
    # then its boxes are those of the files, frame by frame
    assert (reviewed.second.code, reviewed.second.revision.number, reviewed.second.revision.annotation_count) == (
        "PUBLISH_SUCCESS",
        2,
        2479,
    )
    assert reviewed.second.revision.provenance.draft_version == 2
    folder = real_data("soccer_players") / "labels_rev2"
    for frame in reviewed.ws.review.get(reviewed.draft.id).frames:
        expected = sorted(map(_flat, truth(folder, frame.name.removesuffix(".jpg"))))
        assert sorted(_flat((a.label, a.geometry)) for a in frame.annotations) == expected


def test_matched_by_overlap_the_difference_is_that_of_the_source(reviewed):
    # when
    found = reviewed.ws.review.diff(reviewed.first.revision, reviewed.second.revision, match="geometry", threshold=0.3).summary

    # then
    assert (found.removed, found.added, found.class_changed, found.frames) == (134, 0, 1, 110)
    assert (found.matched_by, found.threshold) == ("geometry", " at IoU >= 0.3")


def test_by_id_the_difference_is_the_same_and_stands_in_the_history(reviewed):
    # when
    by_id = reviewed.ws.review.diff(reviewed.first.revision, reviewed.second.revision)
    newest, oldest = reviewed.ws.review.history("players", CAPABILITY)

    # then
    assert (by_id.summary.removed, by_id.summary.added, by_id.summary.class_changed) == (134, 0, 1)
    assert newest.diff == by_id.summary
    assert (newest.number, oldest.number) == (2, 1)
    assert (oldest.diff.added, oldest.diff.removed) == (2613, 0)
    assert str(newest.lineage) == str(reviewed.rev1.lineage) == reviewed.ws.prelabels.runs()["lineage"][-1]


def test_frame_by_frame_as_many_boxes_are_gone_as_the_source_counts(reviewed, real_data):
    # given the counts that came with the data
    with (real_data("soccer_players") / "frames.csv").open() as file:
        expected = {row["frame"]: int(row["removed"]) for row in csv.DictReader(file)}

    # when
    found = reviewed.ws.review.diff(reviewed.first.revision, reviewed.second.revision)

    # then
    removed = dict.fromkeys(expected, 0)
    names = reviewed.ws.media.frames("players")["name"].to_list()
    for change in found.removed:
        removed[names[change.frame].removesuffix(".jpg")] += 1
    assert removed == expected


def test_publishing_again_changes_nothing(reviewed):
    again = published(reviewed.ws, reviewed.ws.review.get(reviewed.draft.id))
    assert (again.code, again.revision.id) == ("NO_OP_ALREADY_PUBLISHED", reviewed.second.revision.id)


def test_the_second_labels_imported_as_a_run_are_the_content_that_the_review_made(reviewed, real_data):
    # when
    run = reviewed.ws.prelabels.import_(
        "yolo", real_data("soccer_players") / "labels_rev2", media="players", capability=CAPABILITY, classes=CLASSES, model="rev2"
    )

    # then
    assert run.annotation_count == 2479
    assert run.content_hash == reviewed.second.revision.content_hash


def test_a_models_labels_are_another_run_with_scores(reviewed, real_data):
    # when
    run = reviewed.ws.prelabels.import_(
        "yolo",
        real_data("soccer_players") / "prelabels_fastestdet",
        media="players",
        capability=CAPABILITY,
        classes=CLASSES,
        model="fastestdet",
        model_version="1",
    )

    # then
    assert (run.annotation_count, run.report.read, run.report.refused.height) == (7658, 7658, 0)
    labels = reviewed.ws.review.diff(run.id, run.id)  # the run is there by its id
    assert labels.summary.frames == 110
    assert reviewed.ws.prelabels.runs().filter(run_id=run.id)["model"].item() == "fastestdet"
    rows = reviewed.ws._database.objects.read_frame(_object_of(reviewed.ws, run.pack))
    scores = rows.explode("annotations")["annotations"].struct.field("score")
    assert (scores.len(), scores.null_count()) == (7658, 0)
    assert scores.min() > 0.35
    assert scores.max() <= 1


def _object_of(ws: Workspace, pack: str) -> str:
    with ws._database.reading() as tx:
        return tx.review.prelabel_object(pack, ws.id)


def test_the_scope_keeps_its_draft_when_another_run_comes(reviewed):
    run = reviewed.ws.prelabels.runs()["run_id"][0]
    draft = reviewed.ws.review.open("players", CAPABILITY, run=run)
    assert (draft.id, str(draft.lineage)) == (reviewed.draft.id, str(reviewed.rev1.lineage))
    assert reviewed.ws.check() == []
