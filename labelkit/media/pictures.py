"""What kind of picture some bytes are, how large, and whether they can be decoded to the end; by Pillow, with nothing leaking out."""

from __future__ import annotations

import io
import threading
import warnings
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO

from PIL import (
    BmpImagePlugin,
    GifImagePlugin,
    Image,
    ImageFile,
    ImageOps,
    JpegImagePlugin,
    PngImagePlugin,
    TiffImagePlugin,
    WebPImagePlugin,
)

from labelkit.core.media import FrameProblem

if TYPE_CHECKING:
    from collections.abc import Iterator

JPEG_QUALITY = 90
MAX_PIXELS = 178_000_000
ORIENTATION_TAG = 0x0112
SIDEWAYS = (5, 6, 7, 8)
LARGE_PIXELS = 40_000_000  # pictures above are decoded one at a time, so that a pool of threads does not multiply their memory

_pillow = threading.RLock()
_large = threading.Lock()


@dataclass(frozen=True, slots=True)
class Kind:
    """A picture format: how its bytes begin, its MIME type, whether browsers show it, and Pillow's class for it."""

    mime: str
    shown: bool
    opener: type[ImageFile.ImageFile]


JPEG = Kind("image/jpeg", shown=True, opener=JpegImagePlugin.JpegImageFile)
PNG = Kind("image/png", shown=True, opener=PngImagePlugin.PngImageFile)
BMP = Kind("image/bmp", shown=True, opener=BmpImagePlugin.BmpImageFile)
GIF = Kind("image/gif", shown=True, opener=GifImagePlugin.GifImageFile)
WEBP = Kind("image/webp", shown=True, opener=WebPImagePlugin.WebPImageFile)
TIFF = Kind("image/tiff", shown=False, opener=TiffImagePlugin.TiffImageFile)
_BEGINNINGS = (
    (b"\xff\xd8\xff", JPEG),
    (b"\x89PNG\r\n\x1a\n", PNG),
    (b"BM", BMP),
    (b"GIF87a", GIF),
    (b"GIF89a", GIF),
    (b"II*\0", TIFF),
    (b"MM\0*", TIFF),
    (b"II+\0", TIFF),
    (b"MM\0+", TIFF),
)


@dataclass(frozen=True, slots=True)
class Picture:
    """Width and height in px with the EXIF rotation applied, 0 where unknown; and the problem, None where the picture is whole."""

    width: int
    height: int
    problem: FrameProblem | None


def kind_of(beginning: bytes) -> Kind | None:
    """Return the format that the first 16 bytes show, None for anything else; file names do not count."""
    if beginning[:4] == b"RIFF" and beginning[8:12] == b"WEBP":
        return WEBP
    return next((kind for magic, kind in _BEGINNINGS if beginning.startswith(magic)), None)


@contextmanager
def quiet() -> Iterator[None]:
    """Keep Pillow's warnings about damaged files inside, and truncation an error, whatever the process has set; one thread at a time.

    Threads started inside are covered too.
    """
    with _pillow, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        before, ImageFile.LOAD_TRUNCATED_IMAGES = ImageFile.LOAD_TRUNCATED_IMAGES, False
        try:
            yield
        finally:
            ImageFile.LOAD_TRUNCATED_IMAGES = before


def examine(file: BinaryIO, max_pixels: int = MAX_PIXELS) -> Picture:
    """Decode a picture to its end and say what it is; the header alone decides what is too large. Call it inside `quiet()`."""
    file.seek(0)
    kind = kind_of(file.read(16))
    if kind is None:
        return Picture(0, 0, FrameProblem.NOT_AN_IMAGE)
    file.seek(0)
    try:
        image = kind.opener(file)
    except Exception:  # noqa: BLE001 (damaged headers make the parsers raise nearly anything)
        return Picture(0, 0, FrameProblem.TRUNCATED)
    with image:
        width, height = image.size
        if width * height > max_pixels:
            return Picture(width, height, FrameProblem.TOO_LARGE)
        try:
            if width * height > LARGE_PIXELS:
                with _large:
                    _load(image)
            else:
                _load(image)
        except Image.DecompressionBombError:
            return Picture(width, height, FrameProblem.TOO_LARGE)
        except Exception:  # noqa: BLE001 (as above)
            return Picture(width, height, FrameProblem.TRUNCATED)
        return Picture(*_upright(image, (width, height)), None)


def upright_rgb(image: Image.Image) -> Image.Image:
    """Return a picture as people see it: EXIF rotation applied, transparent parts white, deep grey values stretched to 8 bit."""
    upright = ImageOps.exif_transpose(image)
    if upright.mode.startswith(("I", "F")):  # 16 and 32 bit: darkest to black, brightest to white
        import numpy as np  # a seventh of a second that opening a store must not pay

        values = np.asarray(upright, dtype=np.float64)
        low, high = float(values.min()), float(values.max())
        upright = Image.fromarray(((values - low) * (255 / (high - low or 1))).astype(np.uint8))
    elif upright.has_transparency_data:
        clear = upright.convert("RGBA")
        upright = Image.alpha_composite(Image.new("RGBA", clear.size, "white"), clear)
    return upright.convert("RGB")


def as_jpeg(image: Image.Image, quality: int = JPEG_QUALITY) -> bytes:
    """Return a picture as people see it (`upright_rgb`) as JPEG bytes."""
    out = io.BytesIO()
    upright_rgb(image).save(out, "JPEG", quality=quality)
    return out.getvalue()


def _load(image: ImageFile.ImageFile) -> None:
    """Decode every byte of the first picture; a JPEG at an eighth of its size, which still reads all of its data."""
    image.draft("L", (max(image.width // 8, 1), max(image.height // 8, 1)))
    image.load()


def _upright(image: ImageFile.ImageFile, size: tuple[int, int]) -> tuple[int, int]:
    if isinstance(image, TiffImagePlugin.TiffImageFile):
        return image.size  # turned by Pillow while it decoded
    try:
        orientation = image.getexif().get(ORIENTATION_TAG, 1)
    except Exception:  # noqa: BLE001 (damaged EXIF: browsers ignore it too)
        return size
    return (size[1], size[0]) if orientation in SIDEWAYS else size
