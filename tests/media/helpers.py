"""Pictures, videos and places that media tests are made of."""

from __future__ import annotations

import io
import os
import shutil
import stat
import sys
import tempfile
from contextlib import contextmanager, suppress
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

import av
import numpy as np
from PIL import Image

from tests import needs

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

NOBODY = 65534


def picture(width: int = 64, height: int = 48, seed: int = 0, mode: str = "RGB") -> Image.Image:
    """Noise that compresses badly, so that cutting a file short cuts its pixels."""
    noise = np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)
    return Image.fromarray(noise).convert(mode)


def encoded(image: Image.Image, format: str, **options: object) -> bytes:
    out = io.BytesIO()
    image.save(out, format, **options)
    return out.getvalue()


def jpeg(width: int = 64, height: int = 48, seed: int = 0, **options: object) -> bytes:
    return encoded(picture(width, height, seed), "JPEG", **options)


def orientation(value: int) -> Image.Exif:
    exif = Image.Exif()
    exif[0x0112] = value
    return exif


def numbered(index: int, size: tuple[int, int]) -> np.ndarray:
    """A picture that says its index: a bar of `index` + 1 white columns of 2 px on a field that changes with it."""
    field = np.full((size[1], size[0], 3), 40 + index % 3 * 20, np.uint8)
    field[:, : 2 * (index + 1)] = 255
    return field


def index_in(picture: bytes) -> int:
    """Read the index back."""
    with Image.open(io.BytesIO(picture)) as image:
        row = np.asarray(image.convert("L"))[image.height // 2]
    return round((row > 160).sum() / 2) - 1


def video(
    path: Path,
    *,
    codec: str = "libx264",
    frames: int = 60,
    times_ms: Callable[[int], int] = lambda index: index * 40,
    options: dict[str, str] | None = None,
    size: tuple[int, int] = (160, 96),
    format: str | None = None,
) -> Path:
    """Write a video whose pictures say their index, with B-frames and a keyframe every twelve pictures unless `options` say otherwise."""
    chosen = options if options is not None else {"x264-params": "open-gop=1:keyint=12:min-keyint=12:bframes=3:scenecut=0"}
    with av.open(str(path), "w", format=format) as container:
        stream = container.add_stream(codec, rate=25)
        stream.width, stream.height, stream.pix_fmt, stream.options = *size, "yuv420p", chosen
        stream.codec_context.time_base = Fraction(1, 25 if codec == "mpeg4" else 1000)
        for index in range(frames):
            frame = av.VideoFrame.from_ndarray(numbered(index, size), format="rgb24")
            frame.pts = index if codec == "mpeg4" else times_ms(index)
            frame.time_base = stream.codec_context.time_base
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


def uneven(index: int) -> int:
    """Times of a variable frame rate in ms: 20, 40, 33 and 100 ms apart, in turn."""
    return sum((20, 40, 33, 100)[step % 4] for step in range(index))


@contextmanager
def forbidden(path: Path) -> Iterator[None]:
    """Take all permissions from a file or folder for a while."""
    before = stat.S_IMODE(path.stat().st_mode)
    path.chmod(0)
    try:
        yield
    finally:
        path.chmod(before)


@contextmanager
def open_folder() -> Iterator[Path]:
    """A folder that every user may enter, unlike pytest's own."""
    folder = Path(tempfile.mkdtemp(prefix="labelkit-test-"))
    folder.chmod(0o755)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def as_ordinary_user(code: str, *arguments: object) -> str:
    """Run code after `from labelkit... import` lines as somebody to whom permissions apply, which is not so for root; return its output."""
    imports, _, rest = code.partition("\n---\n")
    drop = f"import os, sys\nif os.geteuid() == 0:\n    os.setegid({NOBODY}); os.seteuid({NOBODY})\n"
    command = (f"{imports}\n{drop}\n{rest}", *map(str, arguments))
    done = needs.run(sys.executable, "-W", "error", "-c", *command, cwd=needs.ROOT)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def names_with_bytes(folder: Path, names: Sequence[bytes], content: bytes) -> None:
    """Write files whose names are bytes, where the file system takes them."""
    written = 0
    for name in names:
        with suppress(OSError):
            (folder / os.fsdecode(name)).write_bytes(content)
            written += 1
    needs.need(written == len(names), "The file system takes no names that are not UTF-8.")
