"""A frame with its labels as one picture, for places where no canvas is: static pages, and hosts that cannot show one."""

from __future__ import annotations

from io import BytesIO
from itertools import cycle
from typing import TYPE_CHECKING

from PIL import Image, ImageDraw, ImageFont, ImageOps

from labelkit.core.review.shapes import POINT_RADIUS_PX, Shape, View

if TYPE_CHECKING:
    from collections.abc import Iterable

HALO = (0, 0, 0)
QUALITY = 82


def still(data: bytes, shapes: Iterable[Shape], frame: tuple[int, int], width: int, height: int) -> bytes:
    """Return a JPEG of the frame with shapes drawn on it, as large as `width` x `height` px allow, never larger than the frame.

    `frame` is the size in px in which shapes are given. Raises what PIL raises for bytes that are no picture.
    """
    with Image.open(BytesIO(data)) as opened:
        picture = ImageOps.exif_transpose(opened).convert("RGB")
    view = View.fit(*frame, min(width, frame[0]), min(height, frame[1]))
    picture = picture.resize((max(1, round(frame[0] * view.scale)), max(1, round(frame[1] * view.scale))))
    pen = ImageDraw.Draw(picture)
    font = ImageFont.load_default(11)
    for shape in shapes:
        _draw(pen, shape, view.scale, font)
    out = BytesIO()
    picture.save(out, "JPEG", quality=QUALITY)
    return out.getvalue()


def _draw(pen: ImageDraw.ImageDraw, shape: Shape, scale: float, font: ImageFont.ImageFont | ImageFont.FreeTypeFont) -> None:
    x, y = shape.x * scale, shape.y * scale
    corners = _corners(shape, x, y, scale)
    if corners:
        pen.line([*corners, corners[0]], fill=HALO, width=4)
        for start, end in zip(corners, [*corners[1:], corners[0]], strict=True):
            _line(pen, start, end, shape)
    else:
        reach = max(shape.radius * scale, POINT_RADIUS_PX)
        for colour, line in ((HALO, 4), (shape.style.colour, 2)):
            pen.ellipse((x - reach, y - reach, x + reach, y + reach), outline=colour, width=line)
    if shape.text:
        above = y - 14 if y > 28 else y + 3
        pen.text((x, above), shape.text, fill=shape.style.colour, font=font, stroke_width=2, stroke_fill=HALO)


def _corners(shape: Shape, x: float, y: float, scale: float) -> list[tuple[float, float]]:
    if shape.kind == "box":
        right, bottom = x + shape.width * scale, y + shape.height * scale
        return [(x, y), (right, y), (right, bottom), (x, bottom)]
    reach = max(shape.radius * scale, POINT_RADIUS_PX)
    return [(x + dx * reach, y + dy * reach) for dx, dy in shape.style.mark]


def _line(pen: ImageDraw.ImageDraw, start: tuple[float, float], end: tuple[float, float], shape: Shape) -> None:
    """Draw one side in the dashes of the style; PIL draws whole lines only."""
    length = ((end[0] - start[0]) ** 2 + (end[1] - start[1]) ** 2) ** 0.5
    if not shape.style.dash or shape.kind != "box" or length == 0:
        pen.line([start, end], fill=shape.style.colour, width=2)
        return
    step = (end[0] - start[0]) / length, (end[1] - start[1]) / length
    at, drawn = 0.0, True
    for part in cycle(shape.style.dash):
        to = min(at + part, length)
        if drawn:
            ends = [(start[0] + step[0] * reach, start[1] + step[1] * reach) for reach in (at, to)]
            pen.line(ends, fill=shape.style.colour, width=2)
        at, drawn = to, not drawn
        if at >= length:
            return
