"""Perceptual hashes: bit for bit those of the library ImageHash, near for pictures that look alike, far for others."""

from __future__ import annotations

import io

import imagehash
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageFilter

from labelkit.core.media import MediaKind
from labelkit.errors import LabelkitError
from labelkit.media import open_frames, scan
from labelkit.media.phash import PictureHashes, hash_frames, hashes, hashes_of
from labelkit.media.pictures import quiet
from tests.media.helpers import encoded, orientation, picture


def by_the_library(image: Image.Image) -> PictureHashes:
    return PictureHashes(int(str(imagehash.dhash(image)), 16), int(str(imagehash.phash(image)), 16))


def blurred(seed: int, size: tuple[int, int] = (160, 90)) -> Image.Image:
    """Soft patches of colour: a picture that survives being made smaller."""
    return picture(20, 12, seed).resize(size, Image.Resampling.BICUBIC).filter(ImageFilter.GaussianBlur(2))


def apart(a: PictureHashes, b: PictureHashes) -> tuple[int, int]:
    return (a.dhash ^ b.dhash).bit_count(), (a.phash ^ b.phash).bit_count()


@settings(max_examples=40)
@given(width=st.integers(1, 400), height=st.integers(1, 400), seed=st.integers(0, 2**16), mode=st.sampled_from(["RGB", "L", "P", "CMYK"]))
def test_hashes_are_those_of_the_library_for_noise_of_any_size_and_mode(width, height, seed, mode):
    # given a picture with no two frequencies of the same strength; at least nine px a side, for a tie is decided by rounding there
    image = picture(max(width, 9), max(height, 9), seed, mode)
    assert hashes_of(image) == by_the_library(image)


@settings(max_examples=20)
@given(seed=st.integers(0, 2**16), size=st.tuples(st.integers(30, 900), st.integers(30, 900)))
def test_hashes_are_those_of_the_library_for_soft_pictures(seed, size):
    image = blurred(seed, size)
    assert hashes_of(image) == by_the_library(image)


@pytest.mark.parametrize(
    "image",
    [
        pytest.param(Image.new("L", (64, 48)), id="black"),
        pytest.param(Image.new("RGB", (64, 48), "white"), id="white"),
        pytest.param(Image.linear_gradient("L"), id="brighter downwards"),
        pytest.param(Image.linear_gradient("L").rotate(90), id="brighter to the right"),
        pytest.param(Image.radial_gradient("L"), id="brighter outwards"),
        pytest.param(Image.fromarray(np.kron(np.indices((8, 8)).sum(0) % 2, np.ones((8, 8))).astype(np.uint8) * 255), id="chessboard"),
    ],
)
def test_what_cancels_out_leaves_no_noise_in_a_hash(image):
    assert hashes_of(image) == by_the_library(image)


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda image: Image.open(io.BytesIO(encoded(image, "JPEG", quality=40))), id="compressed again"),
        pytest.param(lambda image: image.resize((image.width // 2, image.height // 2)), id="half as large"),
        pytest.param(lambda image: image.convert("L").convert("RGB"), id="without colours"),
        pytest.param(lambda image: image.point(lambda value: value * 0.9), id="a little darker"),
    ],
)
def test_a_copy_that_looks_the_same_is_near_and_another_picture_is_far(change):
    for seed in range(5):
        original = hashes_of(blurred(seed, (640, 360)))
        assert max(apart(original, hashes_of(change(blurred(seed, (640, 360)))))) <= 6
        assert min(apart(original, hashes_of(blurred(seed + 100, (640, 360))))) > 6


def test_a_picture_is_hashed_as_people_see_it():
    # given a picture that lies on its side with a note to turn it, and one with transparent parts
    image = blurred(1)
    turned = encoded(image.transpose(Image.Transpose.ROTATE_90), "JPEG", quality=95, exif=orientation(6))
    clear = image.convert("RGBA")
    clear.putalpha(Image.linear_gradient("L").resize(clear.size))

    # then
    with quiet():
        assert max(apart(hashes(turned), hashes_of(image))) <= 3
        white = Image.alpha_composite(Image.new("RGBA", clear.size, "white"), clear)
        assert hashes(encoded(clear, "PNG")) == by_the_library(white.convert("RGB"))


@pytest.mark.parametrize("data", [b"", b"no picture", encoded(picture(), "JPEG")[:300]], ids=["nothing", "text", "cut off"])
def test_bytes_that_are_no_picture_have_no_hashes(data):
    with quiet(), pytest.raises(LabelkitError) as refused:
        hashes(data)
    assert refused.value.code == "MEDIA_NOT_RECOGNIZED"


def test_frames_are_hashed_in_their_order_and_one_that_is_gone_has_none(tmp_path):
    # given three pictures, one of them of a kind that browsers do not show, and one that is deleted later
    for index, kind in enumerate(("PNG", "TIFF", "PNG", "PNG")):
        (tmp_path / f"{index}.{kind.lower()}").write_bytes(encoded(blurred(index), kind))
    found = scan(tmp_path)
    (tmp_path / "2.png").unlink()
    source = open_frames(MediaKind.IMAGES, found.root, found.to_polars())

    # when
    made = hash_frames(source, found.frames)

    # then
    assert [one is None for one in made] == [False, False, True, False]
    assert [made[index] for index in (0, 3)] == [hashes_of(blurred(index)) for index in (0, 3)]
    assert max(apart(made[1], hashes_of(blurred(1)))) <= 1
    assert hash_frames(source, found.frames, one_by_one=True) == made
