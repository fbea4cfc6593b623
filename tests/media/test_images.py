"""Folders of images: every file is a frame in name order, and what is broken says why."""

from __future__ import annotations

import hashlib
import os
import struct
import zlib
from dataclasses import replace

import pytest
from PIL import Image, ImageFile

from labelkit.core.media import FrameProblem, MediaKind
from labelkit.errors import FrameUnavailable, InvalidValue
from labelkit.media import scan
from labelkit.media.images import as_jpeg_or_native, read_bytes, read_folder
from tests.media import helpers


def png_header(width: int, height: int) -> bytes:
    """A PNG that promises a size and holds next to nothing."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"\0" * 100)) + chunk(b"IEND", b"")


WHOLE = helpers.jpeg()
BROKEN = {
    "empty file": (b"", "FRAME_EMPTY"),
    "text named .jpg": (b"this is no picture, whatever its name says\n", "FRAME_NOT_AN_IMAGE"),
    "html named .jpg": (b"<html><script>alert(1)</script></html>", "FRAME_NOT_AN_IMAGE"),
    "JPEG cut in half": (WHOLE[: len(WHOLE) // 2], "FRAME_TRUNCATED"),
    "JPEG cut within its header": (WHOLE[:40], "FRAME_TRUNCATED"),
    "progressive JPEG cut": (helpers.jpeg(progressive=True)[:1500], "FRAME_TRUNCATED"),
    "PNG cut": (helpers.encoded(helpers.picture(), "PNG")[:2000], "FRAME_TRUNCATED"),
    "WebP cut": (helpers.encoded(helpers.picture(), "WEBP", lossless=True)[:2000], "FRAME_TRUNCATED"),
    "GIF cut": (helpers.encoded(helpers.picture(), "GIF")[:1500], "FRAME_TRUNCATED"),
    "BMP cut": (helpers.encoded(helpers.picture(), "BMP")[:2000], "FRAME_TRUNCATED"),
    "TIFF cut": (helpers.encoded(helpers.picture(), "TIFF")[:2000], "FRAME_TRUNCATED"),
    "decompression bomb": (png_header(50_000, 50_000), "FRAME_TOO_LARGE"),
}


def test_a_folder_becomes_frames_in_plain_name_order_with_size_time_and_digest(tmp_path):
    # given
    (tmp_path / "b").mkdir()
    for number, (name, kind) in enumerate((("a10.jpg", "JPEG"), ("a9.JPEG", "JPEG"), ("b/a1.png", "PNG"), ("a1.webp", "WEBP"))):
        (tmp_path / name).write_bytes(helpers.encoded(helpers.picture(60 + number, 40), kind))
    (tmp_path / "notes.txt").write_text("not an image by its name")
    (tmp_path / ".hidden.jpg").write_bytes(WHOLE)

    # when
    found = read_folder(tmp_path, fps=50)

    # then
    assert found.kind is MediaKind.IMAGES
    assert found.root == tmp_path.resolve()
    assert [frame.name for frame in found.frames] == ["a1.webp", "a10.jpg", "a9.JPEG", "b/a1.png"]
    assert [frame.width for frame in found.frames] == [63, 60, 61, 62]
    assert [frame.pts_ms for frame in found.frames] == [0, 20, 40, 60]
    assert [frame.index for frame in found.frames] == [0, 1, 2, 3]
    assert {frame.problem for frame in found.frames} == {None}
    stored = (tmp_path / "a10.jpg").read_bytes()
    assert (found.frames[1].sha256, found.frames[1].byte_count) == (hashlib.sha256(stored).hexdigest(), len(stored))


def test_the_table_of_frames_has_the_types_that_the_store_keeps(tmp_path):
    # given
    (tmp_path / "a.jpg").write_bytes(WHOLE)
    (tmp_path / "b.jpg").write_bytes(b"")

    # when
    table = read_folder(tmp_path).to_polars()

    # then
    assert {name: str(kind) for name, kind in table.schema.items()} == {
        "index": "Int32",
        "name": "String",
        "pts_ms": "Float64",
        "width": "Int32",
        "height": "Int32",
        "sha256": "String",
        "byte_count": "Int64",
        "problem": "String",
    }
    assert table["problem"].to_list() == [None, "FRAME_EMPTY"]


@pytest.mark.parametrize(("content", "problem"), BROKEN.values(), ids=BROKEN)
def test_a_broken_file_is_a_frame_with_its_reason_and_hides_no_other(tmp_path, content, problem):
    # given
    (tmp_path / "1.jpg").write_bytes(WHOLE)
    (tmp_path / "2.jpg").write_bytes(content)
    (tmp_path / "3.jpg").write_bytes(WHOLE)

    # when
    found = read_folder(tmp_path)

    # then
    assert [frame.problem and str(frame.problem) for frame in found.frames] == [None, problem, None]
    assert found.frames[1].byte_count == len(content)
    assert found.frames[1].sha256 == (hashlib.sha256(content).hexdigest() if content else "")
    with pytest.raises(FrameUnavailable) as refused:
        read_bytes(tmp_path, found.frames[1])
    assert refused.value.facts["problem"] == problem


@pytest.mark.parametrize("kept", range(5, 100, 5))
def test_a_jpeg_that_lost_its_end_is_found_out_wherever_it_was_cut(tmp_path, kept):
    # given
    whole = helpers.jpeg(320, 240)
    (tmp_path / "a.jpg").write_bytes(whole[: len(whole) * kept // 100])

    # then
    assert read_folder(tmp_path).frames[0].problem is FrameProblem.TRUNCATED


def test_truncation_is_found_out_in_a_process_that_told_pillow_to_overlook_it(tmp_path, monkeypatch):
    # given
    monkeypatch.setattr(ImageFile, "LOAD_TRUNCATED_IMAGES", True)
    (tmp_path / "a.jpg").write_bytes(WHOLE[: len(WHOLE) // 2])

    # then
    assert read_folder(tmp_path).frames[0].problem is FrameProblem.TRUNCATED
    assert ImageFile.LOAD_TRUNCATED_IMAGES


def test_the_limit_of_pixels_is_a_choice_and_pillows_own_does_not_count(tmp_path, monkeypatch):
    # given
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 10)
    (tmp_path / "a.jpg").write_bytes(WHOLE)

    # then
    assert read_folder(tmp_path).frames[0].problem is None
    assert read_folder(tmp_path, max_pixels=64 * 48).frames[0].problem is None
    assert read_folder(tmp_path, max_pixels=64 * 48 - 1).frames[0].problem is FrameProblem.TOO_LARGE


def test_a_picture_between_pillows_warning_and_the_limit_is_a_frame_without_a_warning(tmp_path):
    # given 100 Mpx, which Pillow warns of from 89.5 Mpx on
    Image.new("1", (10_000, 10_000)).save(tmp_path / "a.png")

    # then
    frame = read_folder(tmp_path).frames[0]
    assert (frame.width, frame.height, frame.problem) == (10_000, 10_000, None)


@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP", "TIFF"])
@pytest.mark.parametrize("turn", range(1, 9))
def test_width_and_height_are_as_people_see_the_picture(tmp_path, format, turn):
    # given
    suffix = {"JPEG": "jpg", "PNG": "png", "WEBP": "webp", "TIFF": "tif"}[format]
    path = tmp_path / f"a.{suffix}"
    path.write_bytes(helpers.encoded(helpers.picture(64, 48), format, exif=helpers.orientation(turn)))

    # then
    frame = read_folder(tmp_path).frames[0]
    assert (frame.width, frame.height) == ((48, 64) if turn >= 5 else (64, 48))


def test_the_content_decides_what_a_file_is_and_not_its_suffix(tmp_path):
    # given
    (tmp_path / "a.jpg").write_bytes(helpers.encoded(helpers.picture(), "PNG"))

    # when
    frame = read_folder(tmp_path).frames[0]

    # then
    assert frame.problem is None
    assert as_jpeg_or_native(tmp_path, frame)[1] == "image/png"


def test_links_inside_the_folder_are_frames_and_links_out_of_it_are_problems(tmp_path):
    # given
    root, elsewhere = tmp_path / "media", tmp_path / "secret"
    root.mkdir()
    elsewhere.mkdir()
    (root / "a.jpg").write_bytes(WHOLE)
    (elsewhere / "s.jpg").write_bytes(WHOLE)
    (root / "b.jpg").symlink_to("a.jpg")
    (root / "c.jpg").symlink_to(elsewhere / "s.jpg")
    (root / "d.jpg").symlink_to("../secret/s.jpg")
    (root / "e.jpg").symlink_to("gone.jpg")
    (root / "f.jpg").symlink_to("f.jpg")
    (root / "folder").symlink_to(elsewhere)

    # when
    found = read_folder(root)

    # then
    problems = {frame.name: frame.problem and str(frame.problem) for frame in found.frames}
    assert problems == {
        "a.jpg": None,
        "b.jpg": None,
        "c.jpg": "FRAME_OUTSIDE_ROOT",
        "d.jpg": "FRAME_OUTSIDE_ROOT",
        "e.jpg": "FRAME_MISSING",
        "f.jpg": "FRAME_MISSING",
    }
    assert {frame.sha256 for frame in found.frames if frame.problem} == {""}
    assert found.notes == ("the linked folder folder was not entered",)


@pytest.mark.parametrize("name", ["../secret/s.jpg", "/etc/passwd", "a/../../secret/s.jpg", "", "a\0b"])
def test_a_name_that_leads_out_of_the_folder_is_never_read(tmp_path, name):
    # given a frame that somebody wrote into a store
    (tmp_path / "media").mkdir()
    (tmp_path / "secret").mkdir()
    (tmp_path / "secret" / "s.jpg").write_bytes(WHOLE)
    (tmp_path / "media" / "a.jpg").write_bytes(WHOLE)
    frame = replace(read_folder(tmp_path / "media").frames[0], name=name)

    # then
    with pytest.raises(FrameUnavailable) as refused:
        read_bytes(tmp_path / "media", frame)
    assert refused.value.facts["problem"] == "FRAME_OUTSIDE_ROOT"


def test_a_file_that_is_a_pipe_or_a_folder_keeps_nobody_waiting(tmp_path):
    # given
    os.mkfifo(tmp_path / "a.jpg")
    (tmp_path / "b.jpg").write_bytes(WHOLE)

    # then
    assert [frame.problem for frame in read_folder(tmp_path).frames] == [FrameProblem.NOT_AN_IMAGE, None]


def test_names_that_are_not_utf8_are_text_in_the_store_and_find_their_file_again(tmp_path):
    # given
    helpers.names_with_bytes(tmp_path, [b"caf\xe9.jpg", "caf\u00e9.jpg".encode()], WHOLE)

    # when
    frames = read_folder(tmp_path).frames

    # then
    assert [frame.name for frame in frames] == ["caf\\xe9.jpg", "caf\u00e9.jpg"]
    assert [read_bytes(tmp_path, frame) for frame in frames] == [WHOLE, WHOLE]


def test_the_picture_that_comes_back_is_the_one_that_was_recorded(tmp_path):
    # given
    (tmp_path / "a.jpg").write_bytes(WHOLE)
    frame = read_folder(tmp_path).frames[0]
    assert read_bytes(tmp_path, frame) == WHOLE

    # when the file is replaced, then gone
    (tmp_path / "a.jpg").write_bytes(helpers.jpeg(seed=1))
    with pytest.raises(FrameUnavailable) as changed:
        read_bytes(tmp_path, frame)
    (tmp_path / "a.jpg").unlink()
    with pytest.raises(FrameUnavailable) as gone:
        read_bytes(tmp_path, frame)

    # then
    assert changed.value.facts["problem"] == "FRAME_CHANGED"
    assert gone.value.facts["problem"] == "FRAME_MISSING"


SHOWN = {
    "JPEG": ("a.jpg", "JPEG", "RGB", "image/jpeg"),
    "PNG": ("a.png", "PNG", "RGBA", "image/png"),
    "GIF": ("a.gif", "GIF", "P", "image/gif"),
    "BMP": ("a.bmp", "BMP", "RGB", "image/bmp"),
    "WebP": ("a.webp", "WEBP", "RGB", "image/webp"),
}


@pytest.mark.parametrize(("name", "format", "mode", "mime"), SHOWN.values(), ids=SHOWN)
def test_what_browsers_show_comes_as_it_is_stored(tmp_path, name, format, mode, mime):
    # given
    stored = helpers.encoded(helpers.picture(mode=mode), format)
    (tmp_path / name).write_bytes(stored)

    # then
    assert as_jpeg_or_native(tmp_path, read_folder(tmp_path).frames[0]) == (stored, mime)


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "I;16", "I", "F"])
def test_tiff_comes_as_jpeg_of_the_same_size_whatever_its_depth(tmp_path, mode):
    # given
    (tmp_path / "a.tif").write_bytes(helpers.encoded(helpers.picture(mode="L").convert(mode), "TIFF"))

    # when
    data, mime = as_jpeg_or_native(tmp_path, read_folder(tmp_path).frames[0])

    # then
    assert mime == "image/jpeg"
    (tmp_path / "back.jpg").write_bytes(data)
    with Image.open(tmp_path / "back.jpg") as image:
        assert (image.size, image.format) == ((64, 48), "JPEG")
        assert image.convert("L").getextrema()[1] > 200


@pytest.mark.parametrize("fps", [0, -1, float("nan"), float("inf")])
def test_a_frame_rate_that_is_none_is_refused(tmp_path, fps):
    (tmp_path / "a.jpg").write_bytes(WHOLE)
    with pytest.raises(InvalidValue, match="fps"):
        scan(tmp_path, fps=fps)


def test_a_file_that_may_not_be_read_is_a_frame_with_its_reason():
    # given
    with helpers.open_folder() as folder:
        for name in ("a.jpg", "b.jpg"):
            (folder / name).write_bytes(WHOLE)
        with helpers.forbidden(folder / "b.jpg"):
            # when
            said = helpers.as_ordinary_user(
                "from labelkit.media import scan\n---\nprint([f.problem and str(f.problem) for f in scan(sys.argv[1]).frames])", folder
            )

    # then
    assert said == "[None, 'FRAME_UNREADABLE']"
