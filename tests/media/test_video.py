"""Videos: a frame has the same index on every path to it, and a file that is no video says so."""

from __future__ import annotations

import hashlib
import io
import random
import struct
import sys
from concurrent.futures import ThreadPoolExecutor

import av
import numpy as np
import pytest
from PIL import Image

from labelkit.core.media import FrameProblem, MediaKind
from labelkit.errors import (
    FrameUnavailable,
    MediaEmpty,
    MediaNotFound,
    MediaNotRecognized,
    MediaUnreadable,
    UnknownFrame,
    VideoSupportMissing,
)
from labelkit.media import open_frames, scan
from labelkit.media import video as video_module
from labelkit.media.video import VideoReader, read_video
from tests.media import helpers

KINDS = {
    "mp4, B-frames, open groups": {"name": "v.mp4"},
    "mp4, variable rate": {"name": "v.mp4", "times_ms": helpers.uneven},
    "mkv, variable rate": {"name": "v.mkv", "times_ms": helpers.uneven},
    "transport stream": {"name": "v.ts"},
    "transport stream, variable rate": {"name": "v.ts", "times_ms": helpers.uneven},
    "avi, mpeg4, B-frames": {"name": "v.avi", "codec": "mpeg4", "options": {"bf": "2", "g": "12"}},
    "hevc": {"name": "v.mp4", "codec": "libx265", "options": {"x265-params": "keyint=12:bframes=3:log-level=none"}},
    "webm": {"name": "v.webm", "codec": "libvpx-vp9", "options": {"g": "12"}, "times_ms": helpers.uneven},
    "one keyframe only": {"name": "v.mp4", "options": {"x264-params": "keyint=infinite:scenecut=0:bframes=3"}},
    "no container": {"name": "v.h264", "format": "h264"},
}


@pytest.fixture(autouse=True)
def no_walking_ahead(monkeypatch):
    """Random access goes by seeking, not by decoding on from the frame before."""
    monkeypatch.setattr(video_module, "NEAR", 0)


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_a_frame_is_the_same_read_in_order_and_at_random(tmp_path, kind):
    # given
    options = dict(kind)
    path = helpers.video(tmp_path / options.pop("name"), frames=40, **options)
    found = read_video(path)
    order = list(range(40))
    random.Random(7).shuffle(order)

    # when
    with VideoReader(path, found.to_polars()) as reader:
        at_random = {index: reader.frame(index) for index in order}
    with VideoReader(path, found.to_polars()) as reader:
        in_order = {index: reader.frame(index) for index in range(40)}

    # then the pictures say which they are
    assert found.kind is MediaKind.VIDEO
    assert [frame.index for frame in found.frames] == list(range(40))
    assert [helpers.index_in(in_order[index]) for index in range(40)] == list(range(40))
    assert at_random == in_order


def test_times_are_those_of_the_container_and_not_index_by_rate(tmp_path):
    # given
    path = helpers.video(tmp_path / "v.mkv", frames=8, times_ms=helpers.uneven)

    # then
    frames = read_video(path).frames
    assert [frame.pts_ms for frame in frames] == [0, 20, 60, 93, 193, 213, 253, 286]
    assert {(frame.width, frame.height, frame.name, frame.problem) for frame in frames} == {(160, 96, "", None)}


def test_the_digest_is_of_the_planes_without_padding(tmp_path):
    # given a width that decoders pad
    path = helpers.video(tmp_path / "v.mp4", frames=3, size=(150, 90))
    with av.open(str(path)) as container:
        planes = [frame.to_ndarray(format="yuv420p") for frame in container.decode(video=0)]

    # then
    frames = read_video(path).frames
    assert [frame.sha256 for frame in frames] == [hashlib.sha256(plane.tobytes()).hexdigest() for plane in planes]
    assert {frame.byte_count for frame in frames} == {150 * 90 * 3 // 2}


def test_two_copies_of_a_video_have_equal_frames(tmp_path):
    first = helpers.video(tmp_path / "a.mp4", frames=20)
    second = tmp_path / "b.mp4"
    second.write_bytes(first.read_bytes())
    assert read_video(first).frames == read_video(second).frames


def test_a_second_look_at_a_frame_decodes_nothing(tmp_path, monkeypatch):
    # given
    path = helpers.video(tmp_path / "v.mp4")
    reader = VideoReader(path, read_video(path).to_polars())
    first = reader.frame(40)

    # when
    monkeypatch.setattr(VideoReader, "_find", lambda *_: pytest.fail("decoded again"))

    # then
    assert reader.frame(40) == first
    reader.close()


@pytest.mark.parametrize("kind", ["mp4, B-frames, open groups", "mkv, variable rate", "hevc"])
def test_frames_that_were_just_passed_need_no_seek(tmp_path, monkeypatch, kind):
    # given a look at a frame far from its keyframe
    options = {"name": "v.mp4"} | KINDS[kind]
    path = helpers.video(tmp_path / options.pop("name"), frames=60, **options)
    with VideoReader(path, read_video(path).to_polars()) as reader:
        reader.frame(33)

        # when
        monkeypatch.setattr(VideoReader, "_after_seek", lambda *_, **__: pytest.fail("a seek"))

        # then the frames before it are there
        assert [helpers.index_in(reader.frame(index)) for index in (32, 31, 30)] == [32, 31, 30]


def test_the_next_frame_needs_no_seek(tmp_path, monkeypatch):
    # given
    path = helpers.video(tmp_path / "v.mp4")
    with VideoReader(path, read_video(path).to_polars()) as reader:
        reader.frame(30)

        # when
        monkeypatch.setattr(VideoReader, "_after_seek", lambda *_: pytest.fail("sought"))

        # then
        assert [helpers.index_in(reader.frame(index)) for index in range(31, 60)] == list(range(31, 60))


def test_many_threads_may_read_one_video(tmp_path):
    # given
    path = helpers.video(tmp_path / "v.mp4")
    with VideoReader(path, read_video(path).to_polars()) as reader, ThreadPoolExecutor(4) as pool:
        # then
        assert [helpers.index_in(picture) for picture in pool.map(reader.frame, range(60))] == list(range(60))


def test_a_reader_goes_on_after_it_was_closed(tmp_path):
    path = helpers.video(tmp_path / "v.mp4", frames=10)
    reader = VideoReader(path, read_video(path).to_polars())
    reader.frame(3)
    reader.close()
    assert helpers.index_in(reader.frame(7)) == 7
    reader.close()


def test_images_and_videos_stand_behind_one_door(tmp_path):
    # given
    path = helpers.video(tmp_path / "v.mp4", frames=5)
    found = scan(path)

    # when
    data, mime = open_frames(found.kind, found.root, found.to_polars()).bytes(found.frames[4])

    # then
    assert (helpers.index_in(data), mime) == (4, "image/jpeg")


@pytest.mark.parametrize("index", [-1, 5, 10**9])
def test_a_frame_that_the_video_does_not_have_is_refused(tmp_path, index):
    path = helpers.video(tmp_path / "v.mp4", frames=5)
    with VideoReader(path, read_video(path).to_polars()) as reader, pytest.raises(UnknownFrame):
        reader.frame(index)


@pytest.mark.parametrize(("turn", "quarter"), [(0, 0), (90, 1), (180, 2), (270, 3)])
def test_a_video_from_a_telephone_is_shown_upright(tmp_path, turn, quarter):
    # given a matrix in the track header, which says how to turn the picture
    path = helpers.video(tmp_path / "v.mp4", frames=2, options={})
    one = 1 << 16
    matrix = {0: (one, 0, 0, one), 90: (0, one, -one, 0), 180: (-one, 0, 0, -one), 270: (0, -one, one, 0)}[turn]
    data = bytearray(path.read_bytes())
    at = data.index(b"tkhd") + 4 + 40
    data[at : at + 20] = struct.pack(">iiiii", matrix[0], matrix[1], 0, matrix[2], matrix[3])
    path.write_bytes(data)

    # when
    found = read_video(path)
    with VideoReader(path, found.to_polars()) as reader, Image.open(io.BytesIO(reader.frame(1))) as image:
        shown = np.asarray(image.convert("L"))

    # then the white bar at the left is at the top after a quarter turn to the right, and so on
    assert (found.frames[1].width, found.frames[1].height) == (shown.shape[1], shown.shape[0]) == ((96, 160) if quarter % 2 else (160, 96))
    sides = [shown[:, :2], shown[:2], shown[:, -2:], shown[-2:]]
    assert [side.mean() > 200 for side in sides].index(True) == quarter


def cut(data: bytes) -> bytes:
    return data[: len(data) // 2]


def test_a_cut_transport_stream_keeps_the_frames_that_are_there(tmp_path):
    # given
    path = helpers.video(tmp_path / "v.ts")
    path.write_bytes(cut(path.read_bytes()))

    # when
    found = read_video(path)

    # then
    whole = [frame for frame in found.frames if frame.problem is None]
    assert 10 < len(whole) < 60
    with VideoReader(path, found.to_polars()) as reader:
        assert [helpers.index_in(reader.frame(frame.index)) for frame in whole[:10]] == list(range(10))


def test_damage_in_the_middle_gives_the_same_frames_on_every_path(tmp_path):
    # given
    path = helpers.video(tmp_path / "v.ts")
    data = bytearray(path.read_bytes())
    middle = len(data) // 2
    data[middle : middle + 600] = bytes(value ^ 0x5A for value in data[middle : middle + 600])
    path.write_bytes(data)

    # when
    found = read_video(path)

    # then
    assert found.notes or any(frame.problem is FrameProblem.TRUNCATED for frame in found.frames) or len(found.frames) < 60
    assert read_video(path) == found
    fine = [frame.index for frame in found.frames if frame.problem is None]
    with VideoReader(path, found.to_polars()) as one, VideoReader(path, found.to_polars()) as other:
        in_order = [one.frame(index) for index in fine]
        assert [other.frame(index) for index in reversed(fine)] == in_order[::-1]


def sound_only(path, suffix):
    out = path / f"v.{suffix}"
    with av.open(str(out), "w") as container:
        stream = container.add_stream("aac", rate=44100, layout="mono")
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), format="fltp", layout="mono")
        frame.sample_rate = 44100
        for _ in range(10):
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return out


def file_of(path, name, data):
    (path / name).write_bytes(data)
    return path / name


def cut_mp4(path):
    whole = helpers.video(path / "v.mp4")
    whole.write_bytes(cut(whole.read_bytes()))
    return whole


NO_VIDEO = {
    "missing": (lambda path: path / "gone.mp4", MediaNotFound),
    "0 bytes": (lambda path: file_of(path, "v.mp4", b""), MediaEmpty),
    "text": (lambda path: file_of(path, "v.mp4", b"no video at all\n" * 100), MediaNotRecognized),
    "noise": (lambda path: file_of(path, "v.mp4", random.Random(1).randbytes(10_000)), MediaNotRecognized),
    "mp4 cut before its index": (cut_mp4, MediaNotRecognized),
    "sound alone": (lambda path: sound_only(path, "mp4"), MediaNotRecognized),
    "single image": (lambda path: file_of(path, "v.jpg", helpers.jpeg()), MediaNotRecognized),
    "image named as a video": (lambda path: file_of(path, "v.mp4", helpers.encoded(helpers.picture(), "PNG")), MediaNotRecognized),
    "playlist": (lambda path: file_of(path, "v.m3u8", b"#EXTM3U\n#EXTINF:1,\nfile:///etc/passwd\n#EXT-X-ENDLIST\n"), MediaNotRecognized),
    "list of files": (lambda path: file_of(path, "v.mp4", b"ffconcat version 1.0\nfile /etc/passwd\n"), MediaNotRecognized),
    "folder": (lambda path: path, MediaUnreadable),
}


@pytest.mark.parametrize(("make", "error"), NO_VIDEO.values(), ids=NO_VIDEO)
def test_a_file_that_is_no_video_is_refused_with_a_reason(tmp_path, make, error):
    source = make(tmp_path)
    with pytest.raises(error) as refused:
        read_video(source)
    assert str(source) in refused.value.detail


GONE = {
    "file gone": (lambda path: path.unlink(), "FRAME_MISSING"),
    "file emptied": (lambda path: path.write_bytes(b""), "FRAME_MISSING"),
    "file replaced by text": (lambda path: path.write_bytes(b"text" * 1000), "FRAME_UNREADABLE"),
    "coded again": (lambda path: helpers.video(path, frames=20, options={"crf": "45"}), "FRAME_CHANGED"),
    "a shorter one": (lambda path: helpers.video(path, frames=3), "FRAME_CHANGED"),
}


@pytest.mark.parametrize(("change", "problem"), GONE.values(), ids=GONE)
def test_a_video_that_changed_since_shows_no_wrong_picture(tmp_path, change, problem):
    # given
    path = helpers.video(tmp_path / "v.mp4", frames=20)
    with VideoReader(path, read_video(path).to_polars()) as reader:
        change(path)

        # then
        with pytest.raises(FrameUnavailable) as refused:
            reader.frame(12)
        assert refused.value.facts["problem"] == problem


def test_without_pyav_the_refusal_names_the_extra(tmp_path, monkeypatch):
    # given
    path = helpers.video(tmp_path / "v.mp4", frames=2)
    monkeypatch.setitem(sys.modules, "av", None)

    # then
    with pytest.raises(VideoSupportMissing) as refused:
        scan(path)
    assert "labelkit[video]" in refused.value.hint
