"""Real balls by the point tool: two clips, a point a frame, published with their sizes."""

from __future__ import annotations

import csv
from typing import TYPE_CHECKING

import pytest

import labelkit
from labelkit import ReviewOp
from labelkit.core.geometry import Point, px

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.real

CAPABILITY = "ball_detection"
CLIPS = ("08fd33_0", "2e57b9_0")
SIDE = 640


def frames_of(data: Path, clip: str) -> list[dict[str, str]]:
    """The frames of a clip as the source lists them, in order of time; some numbers are missing."""
    with (data / "frames.csv").open() as file:
        rows = [row for row in csv.DictReader(file) if row["clip"] == clip]
    return sorted(rows, key=lambda row: int(row["frame_index"]))


def centres(data: Path, clip: str) -> list[tuple[float, float, float]]:
    """The ball of each frame of a clip, in order: x, y and diameter in px."""
    rows = frames_of(data, clip)
    return [(float(row["cx"]) * SIDE, float(row["cy"]) * SIDE, (float(row["w"]) + float(row["h"])) / 2 * SIDE) for row in rows]


@pytest.fixture(scope="module")
def ws(real_data, tmp_path_factory):
    data = real_data("soccer_ball")
    with labelkit.open(tmp_path_factory.mktemp("ball") / "labels.duckdb", workspace="bundesliga", user="ana") as opened:
        for clip in CLIPS:
            opened.media.add(str(data / "images" / f"{clip}-*.jpg"), name=clip, group_key=clip)
        yield opened


@pytest.fixture(scope="module")
def published(ws, real_data):
    """Both clips reviewed by hand in a live session and published."""
    outcomes = {}
    for clip in CLIPS:
        live = ws.review.live(clip, CAPABILITY)
        for index, (x, y, size) in enumerate(centres(real_data("soccer_ball"), clip)):
            live.go(index)
            live.apply(ReviewOp.add_point(index, "ball", x, y, size=size if index % 2 else None))
            live.apply(ReviewOp.accept(index))
        outcomes[clip] = live.publish(override_warnings=True, reason="every point was looked at")
    return outcomes


def test_the_clips_are_the_media_in_order_of_time(ws, real_data):
    assert ws.media.list().select("name", "frame_count").rows() == [(clip, 89) for clip in sorted(CLIPS)]
    for clip in CLIPS:
        expected = [f"{row['frame']}.jpg" for row in frames_of(real_data("soccer_ball"), clip)]
        assert ws.media.frames(clip)["name"].to_list() == expected


def test_every_ball_is_a_point_of_a_revision(ws, published, real_data):
    # then
    assert [(out.code, out.revision.annotation_count) for out in published.values()] == [("PUBLISH_SUCCESS", 89)] * 2
    for clip in CLIPS:
        draft = ws.review.open(clip, CAPABILITY)
        wanted = [Point.at(x, y) for x, y, _ in centres(real_data("soccer_ball"), clip)]
        assert [Point(a.geometry.x, a.geometry.y) for frame in draft.frames for a in frame.annotations] == wanted
        assert {frame.state for frame in draft.frames} == {"accepted"}


def test_points_keep_their_size_and_the_others_get_the_default(ws, published, real_data):
    # given
    clip = CLIPS[0]
    sizes = [size for _, _, size in centres(real_data("soccer_ball"), clip)]

    # when
    found = ws.review.diff(ws.review.open(clip, CAPABILITY), published[clip].revision)

    # then every second point came without a size
    assert published[clip].revision.provenance.default_sizes == 45
    assert [(change.frame, change.after.geometry.size) for change in found.modified] == [(index, 8.0) for index in range(0, 89, 2)]
    assert {change.after.attributes for change in found.modified} == {'{"size_source":"default"}'}
    kept = ws.review.open(clip, CAPABILITY).frames[1].annotations[0].geometry.size
    assert kept == px(sizes[1])


def test_publishing_again_changes_nothing(ws, published):
    for clip in CLIPS:
        assert ws.review.live(clip, CAPABILITY).publish().revision.id == published[clip].revision.id


def test_real_balls_imported_as_boxes_become_the_same_points(ws, published, real_data):
    # when the label files are imported into the capability of points; each clip takes those of its own frames
    folder = real_data("soccer_ball") / "labels"
    runs = {clip: ws.prelabels.import_("yolo", folder, media=clip, capability=CAPABILITY, classes=["ball"]) for clip in CLIPS}

    # then
    assert [(run.annotation_count, run.report.refused_by_code) for run in runs.values()] == [(89, {"LABEL_NO_IMAGE": 89})] * 2
    for clip, run in runs.items():
        found = ws.review.diff(published[clip].revision, run.id, match="geometry", threshold=1.0)
        assert (found.summary.added, found.summary.removed) == (0, 0)


def test_a_ball_does_not_jump_in_these_clips_faster_than_physics(ws, published):
    # the warnings of the publish name frames, if there were any jumps
    for clip in CLIPS:
        codes = {str(finding.code) for finding in published[clip].findings}
        assert codes <= {"BALL_JUMP"}
        assert ws.review.history(clip, CAPABILITY)[0].provenance.warnings == tuple(sorted(codes))
