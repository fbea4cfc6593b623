"""Sample keys are made of names; a viewer always has a stated state."""

from __future__ import annotations

import pytest

from labelkit.core.datasets.samples import Page, Sample, frame_of, sample_key, view_of
from labelkit.core.geometry import Box, Point


@pytest.mark.parametrize(
    ("key", "parts"),
    [
        (sample_key("club-a", "match/1", 7), ("club-a/match/1/", 7)),
        (sample_key("a", "b", 1_234_567), ("a/b/", 1_234_567)),
        ("000007", None),
        ("club-a/match/x7", None),
        ("club-a/match/", None),
        ("club-a/match/٣", None),
    ],
)
def test_a_key_gives_back_its_frame(key, parts):
    assert frame_of(key) == parts


def test_a_sample_has_its_annotations_as_values():
    shared = {"id": "a", "label": "ball", "score": 0.5, "source": "model", "attributes": None}
    row = {
        "sample_key": "c/m/000001",
        "split": "val",
        "group_key": "g",
        "camera_type": "broadcast",
        "workspace": "c",
        "media": "m",
        "frame_index": 1,
        "frame_name": "1.jpg",
        "pts_ms": 40.0,
        "width": 1280,
        "height": 720,
        "sha256": "s",
        "flags": ["bad_frame"],
        "digest": "d",
        "annotations": [
            {**shared, "x": 1.0, "y": 2.0, "width": None, "height": None, "size": 8.0},
            {**shared, "x": 1.0, "y": 2.0, "width": 3.0, "height": 4.0, "size": None},
        ],
    }
    sample = Sample.from_row(row)
    assert (sample.key, sample.group, sample.flags) == ("c/m/000001", "g", ("bad_frame",))
    assert [one.geometry for one in sample.annotations] == [Point(1.0, 2.0, 8.0), Box(1.0, 2.0, 3.0, 4.0)]


@pytest.mark.parametrize(
    ("case", "capability", "asset", "overlay", "state", "reason"),
    [
        ("all there", "ball_detection", None, None, "READY", ""),
        ("no picture", "ball_detection", "FRAME_MISSING", None, "SAMPLE_ASSET_UNAVAILABLE", "FRAME_MISSING"),
        ("no picture and no labels", "ball_detection", "FRAME_MISSING", "X", "SAMPLE_ASSET_UNAVAILABLE", "FRAME_MISSING"),
        ("no labels", "player_detection", None, "LABELS_UNREADABLE", "SAMPLE_OVERLAY_UNAVAILABLE", "LABELS_UNREADABLE"),
        ("another capability", "pcb_defects", "FRAME_MISSING", "X", "SAMPLE_TYPE_NOT_SUPPORTED", "CAPABILITY_NOT_SUPPORTED"),
    ],
)
def test_a_viewer_shows_a_stated_state(case, capability, asset, overlay, state, reason):
    view = view_of(capability, asset_problem=asset, overlay_problem=overlay)
    assert (view.state, view.reason_code, bool(view.sentence)) == (state, reason, state != "READY"), case


def test_a_page_is_a_sequence():
    page = Page(("a", "b"), "b")
    assert (len(page), page[1], list(page)) == (2, "b", ["a", "b"])
