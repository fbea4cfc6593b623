"""Painting on ipycanvas: the one place that holds its canvases, so that a failed drawing never silences the others."""

from __future__ import annotations

from contextlib import contextmanager
from io import BytesIO
from threading import RLock
from typing import TYPE_CHECKING, Any

from ipycanvas import Canvas, MultiCanvas
from ipycanvas.canvas import _CANVAS_MANAGER, COMMANDS
from PIL import Image as Pictures

from labelkit.core.review.shapes import POINT_RADIUS_PX, Shape, View

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

HALO = "#000000"
HALO_OPACITY = 0.55
LINE_PX = 1.5
TEXT_PX = 11
_LOCK = RLock()


@contextmanager
def hold() -> Iterator[None]:
    """Send everything drawn inside as one message. After an exception nothing of it is sent, and later drawings work.

    ipycanvas collects for all canvases of the kernel in one place and has no cleanup of its own. It also names the canvas only when
    that changes, which a page that was loaded since has missed; so each drawing names its canvas anew.
    """
    with _LOCK:
        manager: Any = _CANVAS_MANAGER
        nested = manager._caching  # noqa: SLF001 - there is no public way to ask
        kept = len(manager._commands_cache), len(manager._buffers_cache)  # noqa: SLF001
        manager._current_canvas = None  # noqa: SLF001
        manager._caching = True  # noqa: SLF001
        try:
            yield
            if not nested:
                manager.flush()
        except BaseException:
            del manager._commands_cache[kept[0] :], manager._buffers_cache[kept[1] :]  # noqa: SLF001
            manager._current_canvas = None  # noqa: SLF001 - its naming may be among what was dropped
            raise
        finally:
            manager._caching = nested  # noqa: SLF001


class Painter:
    """A MultiCanvas of at most three layers whose size is in px of the screen; what is drawn on it is given in px of the frame."""

    def __init__(self, width: int, height: int, layers: int = 2) -> None:
        self.canvas = MultiCanvas(layers, width=width, height=height)
        self.canvas.layout.width, self.canvas.layout.height = f"{width}px", f"{height}px"
        self.width, self.height = width, height

    def resize(self, width: int, height: int, ratio: float = 1.0) -> None:
        """Give every layer a new size in px of the device, shown at `1 / ratio` of it; this clears them."""
        if (width, height) != (self.width, self.height):
            self.width, self.height = width, height
            self.canvas.width, self.canvas.height = width, height
        shown = f"{width / ratio:g}px", f"{height / ratio:g}px"
        if (self.canvas.layout.width, self.canvas.layout.height) != shown:
            self.canvas.layout.width, self.canvas.layout.height = shown

    def picture(self, layer: int, data: bytes, view: View) -> tuple[int, int]:
        """Draw an encoded picture into the view and return its size in px. Raises what PIL raises for bytes that are no picture.

        The picture is decoded here first, because ipycanvas waits for ever for one that the browser cannot decode; what travels are
        the bytes as they are, where ipycanvas itself would encode them again at a loss.
        """
        with Pictures.open(BytesIO(data)) as opened:
            opened.load()
            size = opened.size
        canvas: Any = self.canvas[layer]
        with hold():
            canvas.save()
            canvas.translate(view.left, view.top)
            canvas.scale(view.scale, view.scale)
            canvas._canvas_manager.send_draw_command(canvas, COMMANDS["putImageData"], [0, 0], [bytes(data)])  # noqa: SLF001
            canvas.restore()
        return size

    def shapes(self, layer: int, shapes: Iterable[Shape], view: View, ratio: float = 1.0) -> None:
        """Draw shapes over what the layer shows; `ratio` is the device's px for one px of the screen."""
        canvas = self.canvas[layer]
        with hold():
            for shape in shapes:
                _draw(canvas, shape, view, ratio)
            canvas.set_line_dash([])
            canvas.global_alpha = 1.0

    def repaint(self, layer: int, shapes: Iterable[Shape], view: View, ratio: float = 1.0) -> None:
        """Draw shapes on a layer in place of what it shows."""
        with hold():
            self.clear(layer)
            self.shapes(layer, shapes, view, ratio)

    def clear(self, layer: int) -> None:
        """Make a layer transparent."""
        with hold():
            self.canvas[layer].clear()

    def close(self) -> None:
        """Close the canvases and their layouts in the browser and in the kernel."""
        for part in (*self.canvas._canvases, self.canvas):  # noqa: SLF001 - closing a MultiCanvas leaves its layers open
            part.layout.close()
            part.close()


def _draw(canvas: Canvas, shape: Shape, view: View, ratio: float) -> None:
    x, y = view.at(shape.x, shape.y)
    outline = _box if shape.kind == "box" else _point
    for colour, width, opacity in (
        (HALO, (LINE_PX + 2) * ratio, HALO_OPACITY * shape.opacity),
        (shape.style.colour, LINE_PX * ratio, shape.opacity),
    ):
        canvas.global_alpha = opacity
        canvas.stroke_style = colour
        canvas.line_width = width
        canvas.set_line_dash([] if colour == HALO else [part * ratio for part in shape.style.dash])
        outline(canvas, shape, (x, y), view.scale, ratio)
    if shape.text:
        _caption(canvas, shape, (x, y - 3 * ratio if y > TEXT_PX * 2 * ratio else y + (TEXT_PX + 3) * ratio), ratio)


def _box(canvas: Canvas, shape: Shape, at: tuple[float, float], scale: float, _ratio: float) -> None:
    width, height = shape.width * scale, shape.height * scale
    canvas.stroke_rect(at[0], at[1], width, height)
    if shape.crossed:
        canvas.stroke_line(at[0], at[1], at[0] + width, at[1] + height)


def _point(canvas: Canvas, shape: Shape, at: tuple[float, float], scale: float, ratio: float) -> None:
    radius = max(shape.radius * scale, POINT_RADIUS_PX * ratio)
    if shape.style.mark:
        canvas.stroke_polygon([(at[0] + x * radius, at[1] + y * radius) for x, y in shape.style.mark])
    else:
        canvas.stroke_circle(at[0], at[1], radius)
    if shape.crossed:
        canvas.stroke_line(at[0] - radius, at[1] - radius, at[0] + radius, at[1] + radius)


def _caption(canvas: Canvas, shape: Shape, at: tuple[float, float], ratio: float) -> None:
    canvas.global_alpha = shape.opacity
    canvas.font = f"{TEXT_PX * ratio:g}px sans-serif"
    canvas.set_line_dash([])
    canvas.stroke_style = HALO
    canvas.line_width = 3 * ratio
    canvas.stroke_text(shape.text, at[0], at[1])
    canvas.fill_style = shape.style.colour
    canvas.fill_text(shape.text, at[0], at[1])
