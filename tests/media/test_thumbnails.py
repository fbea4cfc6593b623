"""Thumbnails: small, upright, in proportion."""

from __future__ import annotations

import io

import pytest
from PIL import Image

from labelkit.errors import InvalidValue, MediaNotRecognized
from labelkit.media.thumbnails import thumbnail
from tests.media import helpers

SIZES = {
    "wide": ((640, 320), 1, 64, (64, 32)),
    "high": ((320, 640), 1, 64, (32, 64)),
    "turned by EXIF": ((640, 320), 6, 64, (32, 64)),
    "smaller than asked": ((40, 30), 1, 256, (40, 30)),
    "one px": ((640, 320), 1, 1, (1, 1)),
}


@pytest.mark.parametrize(("size", "turn", "side", "expected"), SIZES.values(), ids=SIZES)
def test_a_thumbnail_keeps_proportions_and_is_never_enlarged(size, turn, side, expected):
    # given
    data = helpers.jpeg(*size, exif=helpers.orientation(turn))

    # when
    small = thumbnail(data, side)

    # then
    with Image.open(io.BytesIO(small)) as image:
        assert (image.size, image.format) == (expected, "JPEG")


@pytest.mark.parametrize("format", ["PNG", "WEBP", "GIF", "BMP", "TIFF"])
def test_every_kind_of_image_has_a_thumbnail(format):
    with Image.open(io.BytesIO(thumbnail(helpers.encoded(helpers.picture(), format), 16))) as image:
        assert image.size == (16, 12)


@pytest.mark.parametrize("data", [b"", b"text", helpers.jpeg()[:500]], ids=["nothing", "text", "cut"])
def test_bytes_that_are_no_picture_are_refused(data):
    with pytest.raises(MediaNotRecognized):
        thumbnail(data)


def test_a_picture_that_is_too_large_is_refused_by_its_header(monkeypatch):
    monkeypatch.setattr("labelkit.media.thumbnails.MAX_PIXELS", 100)
    with pytest.raises(MediaNotRecognized, match="too many"):
        thumbnail(helpers.jpeg())


def test_a_side_below_one_px_is_refused():
    with pytest.raises(InvalidValue, match="side"):
        thumbnail(helpers.jpeg(), 0)
