"""Figures and their boxes: the box is exactly what was drawn."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from labelkit.synthetic import drawing, scene

CAMERA = scene.Camera(x_m=0.0, focal_px=1346.0, centre_px=(160.0, 286.0))
BLUE = (0, 0, 255)


def drawn_extent(image: Image.Image) -> tuple[float, float, float, float]:
    """Left, top, right, bottom in frame px of what is neither the blue ground nor a shadow on it."""
    pixels = np.asarray(image).astype(int)
    ground = (pixels[..., 0] <= 40) & (pixels[..., 1] <= 40) & (pixels[..., 2] >= 120)
    ys, xs = np.nonzero(~ground)
    left, top, right, bottom = (xs.min(), ys.min(), xs.max() + 1, ys.max() + 1)
    return tuple(float(edge) / drawing.FINE for edge in (left, top, right, bottom))


@pytest.mark.parametrize("side", [pytest.param(side, id=side) for side in scene.Side])
@pytest.mark.parametrize(
    ("y", "speed", "heading", "stride"),
    [
        pytest.param(30.0, 0.0, 0.0, 0.0, id="standing"),
        pytest.param(10.0, 6.0, 1.0, 0.9, id="running right, near"),
        pytest.param(60.0, 5.0, -1.0, 4.0, id="running left, far"),
        pytest.param(20.0, 4.0, 0.1, 2.2, id="running towards the camera"),
    ],
)
def test_the_box_of_a_figure_is_what_was_drawn_without_its_shadow(side, y, speed, heading, stride):
    # given
    image = Image.new("RGB", (320 * drawing.FINE, 540 * drawing.FINE), BLUE)
    person = scene.Person(side, 9, 0.0, y, stride, speed, heading, skin=0)

    # when
    box = drawing.figure(drawing.Pen(image), CAMERA, person, left=0.0)

    # then to a px on each side
    assert drawn_extent(image) == pytest.approx((box.x, box.y, box.right, box.bottom), abs=1.0)
    assert box.height > box.width


def test_the_point_of_the_ball_is_its_centre_and_its_size_the_diameter():
    # given
    image = Image.new("RGB", (320 * drawing.FINE, 540 * drawing.FINE), BLUE)

    # when it is drawn a metre above the ground
    point = drawing.ball(drawing.Pen(image), CAMERA, (0.0, 15.0, 1.0), left=10.0)

    # then
    left, top, right, bottom = drawn_extent(image)
    assert ((left + right) / 2, (top + bottom) / 2) == pytest.approx((point.x, point.y), abs=1.0)
    assert (right - left, bottom - top) == pytest.approx((point.size, point.size), abs=1.0)


def test_a_figure_moves_in_the_frame_as_the_frame_moves_in_the_panorama():
    # given
    person = scene.Person(scene.Side.HOME, 9, 0.0, 30.0, 1.0, 3.0, 1.0, skin=1)

    def box(left: float):
        return drawing.figure(drawing.Pen(Image.new("RGB", (640, 1080))), CAMERA, person, left)

    # then
    assert box(0.0).moved(-12.5, 0.0) == box(12.5)
