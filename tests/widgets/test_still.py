"""Stills: a frame with its labels as one picture."""

from __future__ import annotations

from io import BytesIO

import numpy as np
import pytest
from PIL import Image, UnidentifiedImageError

from labelkit.core.geometry import Box, Point
from labelkit.core.review.annotations import BALL, PLAYER, Annotation
from labelkit.core.review.shapes import Shape, Style, shapes_of
from labelkit.widgets.still import still

GREY = (128, 128, 128)
APART = 40


def frame(width: int = 200, height: int = 100) -> bytes:
    out = BytesIO()
    Image.new("RGB", (width, height), GREY).save(out, "PNG")
    return out.getvalue()


def opened(data: bytes) -> Image.Image:
    return Image.open(BytesIO(data)).convert("RGB")


def differs(colour: tuple[int, ...]) -> bool:
    return max(abs(a - b) for a, b in zip(colour, GREY, strict=True)) > APART


@pytest.mark.parametrize(
    ("width", "height", "size"),
    [
        pytest.param(100, 100, (100, 50), id="made smaller"),
        pytest.param(1000, 1000, (200, 100), id="never made larger"),
        pytest.param(1000, 40, (80, 40), id="fitted to the height"),
    ],
)
def test_a_still_fits_into_the_place_and_keeps_its_shape(width: int, height: int, size: tuple[int, int]) -> None:
    assert opened(still(frame(), (), (200, 100), width, height)).size == size


def lettering(picture: Image.Image) -> int:
    """Return how high what is written on a grey picture without lines is, in px."""
    apart = np.abs(np.asarray(picture, dtype=np.int16) - GREY).max(axis=2) > APART
    rows = np.flatnonzero(apart.any(axis=1))
    return int(rows[-1] - rows[0] + 1)


@pytest.mark.parametrize(
    ("size", "more", "expected"),
    [
        pytest.param((960, 540), {}, range(11, 16), id="usual letters"),
        pytest.param((320, 180), {}, range(8, 12), id="smaller ones on a small picture"),
        pytest.param((100, 60), {}, range(8, 12), id="but not smaller than can be read"),
        pytest.param((320, 180), {"enlarge": True}, range(11, 16), id="usual ones where it is shown enlarged"),
        pytest.param((960, 540), {"ratio": 2.0}, range(22, 32), id="twice as large on a screen of twice the px"),
    ],
)
def test_letters_are_as_large_as_the_picture_allows_and_no_smaller_than_can_be_read(
    size: tuple[int, int], more: dict[str, object], expected: range
) -> None:
    # given a label whose box is outside the picture
    label = Shape("box", 10, size[1] / 2, 0, 0, 0.0, Style("#ffffff", (), ()), "HlH", 1.0)
    # when
    picture = opened(still(frame(*size), [label], size, 960, 960, **more))
    # then
    assert picture.width == (960 if more.get("enlarge") else size[0])
    assert lettering(picture.crop((12, 0, picture.width, picture.height))) in expected


def test_a_box_is_drawn_where_it_lies_in_the_frame_and_only_its_outline() -> None:
    # given
    shapes = shapes_of([Annotation("a", "ball", Box(20, 40, 100, 40))], PLAYER)
    # when
    picture = opened(still(frame(), shapes, (200, 100), 200, 100))
    # then
    assert [differs(picture.getpixel(at)) for at in ((20, 60), (70, 80), (120, 60), (70, 60), (10, 90))] == [True, True, True, False, False]


def test_a_point_is_drawn_around_its_place() -> None:
    # given
    shapes = shapes_of([Annotation("a", "ball", Point(100, 50, 20))], BALL)
    # when
    picture = opened(still(frame(), shapes, (200, 100), 200, 100))
    # then
    assert [differs(picture.getpixel(at)) for at in ((90, 50), (110, 50), (100, 60), (100, 50))] == [True, True, True, False]


def test_a_class_is_told_by_its_dashes_too() -> None:
    # given
    whole, dashed = (shapes_of([Annotation("a", label, Box(10, 30, 180, 60))], PLAYER) for label in PLAYER.classes[:2])
    # when
    pictures = [opened(still(frame(), shapes, (200, 100), 200, 100)) for shapes in (whole, dashed)]
    # then
    lines = [[sum(picture.getpixel((x, 90))) > 250 for x in range(15, 185)] for picture in pictures]
    assert sum(lines[0]) == 170
    assert 60 < sum(lines[1]) < 140


def test_bytes_that_are_no_picture_are_refused_before_anything_is_drawn() -> None:
    with pytest.raises(UnidentifiedImageError):
        still(b"no picture", (), (200, 100), 200, 100)
