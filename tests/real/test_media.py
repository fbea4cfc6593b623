"""Real frames: every picture is whole, and a folder of them is looked at in seconds."""

from __future__ import annotations

import time

import pytest

from labelkit.media import open_frames, scan
from labelkit.media.thumbnails import thumbnail

pytestmark = pytest.mark.real

FOLDERS = {
    "soccer_players": (110, {(1280, 1280)}),
    "soccer_ball": (178, {(640, 640)}),
    "multiformat_100": (100, None),
}


@pytest.mark.parametrize(("name", "count", "sizes"), [(name, *facts) for name, facts in FOLDERS.items()], ids=FOLDERS)
def test_every_picture_is_a_whole_frame_in_name_order(real_data, name, count, sizes):
    # when
    start = time.monotonic()
    found = scan(real_data(name) / "images")
    seconds = time.monotonic() - start

    # then
    assert len(found.frames) == count
    assert {frame.problem for frame in found.frames} == {None}
    assert [frame.name for frame in found.frames] == sorted(frame.name for frame in found.frames)
    assert sizes is None or {(frame.width, frame.height) for frame in found.frames} == sizes
    assert seconds < 30


def test_pictures_come_back_as_they_are_stored_and_small_ones_are_small(real_data):
    # given
    found = scan(real_data("soccer_players") / "images" / "08fd33_0_*.jpg")
    source = open_frames(found.kind, found.root, found.to_polars())

    # then
    for frame in found.frames:
        data, mime = source.bytes(frame)
        assert (len(data), mime) == (frame.byte_count, "image/jpeg")
        assert len(thumbnail(data, 128)) < 20_000


def test_two_looks_at_a_folder_find_the_same(real_data):
    folder = real_data("soccer_ball") / "images"
    assert scan(folder) == scan(folder)
