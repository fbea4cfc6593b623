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
TEXT_PX = 11
LINE_PX = 2
USUAL_WIDTH_PX = 480  # from here down letters and lines shrink with the picture, so that small boxes are not hidden below them
LEAST_UNIT = 0.75  # but stay legible: letters of 8 px


def still(
    data: bytes, shapes: Iterable[Shape], frame: tuple[int, int], width: int, height: int, *, ratio: float = 1.0, enlarge: bool = False
) -> bytes:
    """Return a JPEG of the frame with shapes drawn on it, as large as `width` x `height` px allow; larger than the frame only on demand.

    `frame` is the size in px in which shapes are given; `ratio` is how many px of the picture are one on the screen, by which letters and
    lines grow. Raises what PIL raises for bytes that are no picture.
    """
    with Image.open(BytesIO(data)) as opened:
        picture = ImageOps.exif_transpose(opened).convert("RGB")
    room = (width, height) if enlarge else (min(width, frame[0]), min(height, frame[1]))
    view = View.fit(*frame, *room)
    picture = picture.resize((max(1, round(frame[0] * view.scale)), max(1, round(frame[1] * view.scale))))
    pen = ImageDraw.Draw(picture)
    unit = ratio * max(LEAST_UNIT, min(1.0, picture.width / ratio / USUAL_WIDTH_PX))
    font = ImageFont.load_default(TEXT_PX * unit)
    for shape in shapes:
        _draw(pen, shape, view.scale, unit, font)
    out = BytesIO()
    picture.save(out, "JPEG", quality=QUALITY)
    return out.getvalue()


def _draw(pen: ImageDraw.ImageDraw, shape: Shape, scale: float, unit: float, font: ImageFont.ImageFont | ImageFont.FreeTypeFont) -> None:
    """Draw a shape; `unit` is the px of the picture for one of the drawing."""
    x, y = shape.x * scale, shape.y * scale
    line = max(1, int(LINE_PX * unit))
    halo = line + max(2, int(2 * unit))
    corners = _corners(shape, x, y, scale, unit)
    if corners:
        pen.line([*corners, corners[0]], fill=HALO, width=halo)
        for start, end in zip(corners, [*corners[1:], corners[0]], strict=True):
            _line(pen, start, end, shape, line, unit)
    else:
        reach = max(shape.radius * scale, POINT_RADIUS_PX * unit)
        for colour, width in ((HALO, halo), (shape.style.colour, line)):
            pen.ellipse((x - reach, y - reach, x + reach, y + reach), outline=colour, width=width)
    if shape.text:
        above = y - 14 * unit if y > 28 * unit else y + 3 * unit
        pen.text((x, above), shape.text, fill=shape.style.colour, font=font, stroke_width=max(1, int(2 * unit)), stroke_fill=HALO)


def _corners(shape: Shape, x: float, y: float, scale: float, unit: float) -> list[tuple[float, float]]:
    if shape.kind == "box":
        right, bottom = x + shape.width * scale, y + shape.height * scale
        return [(x, y), (right, y), (right, bottom), (x, bottom)]
    reach = max(shape.radius * scale, POINT_RADIUS_PX * unit)
    return [(x + dx * reach, y + dy * reach) for dx, dy in shape.style.mark]


def _line(pen: ImageDraw.ImageDraw, start: tuple[float, float], end: tuple[float, float], shape: Shape, width: int, unit: float) -> None:
    """Draw one side in the dashes of the style; PIL draws whole lines only."""
    length = ((end[0] - start[0]) ** 2 + (end[1] - start[1]) ** 2) ** 0.5
    if not shape.style.dash or shape.kind != "box" or length == 0:
        pen.line([start, end], fill=shape.style.colour, width=width)
        return
    step = (end[0] - start[0]) / length, (end[1] - start[1]) / length
    at, drawn = 0.0, True
    for part in cycle(shape.style.dash):
        to = min(at + part * unit, length)
        if drawn:
            ends = [(start[0] + step[0] * reach, start[1] + step[1] * reach) for reach in (at, to)]
            pen.line(ends, fill=shape.style.colour, width=width)
        at, drawn = to, not drawn
        if at >= length:
            return
