"""Perceptual hashes of pictures: 64 bits each that differ little where two pictures look alike, whatever their bytes."""

from __future__ import annotations

import io
import os
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from labelkit.errors import FrameUnavailable, MediaNotRecognized
from labelkit.media.pictures import LARGE_PIXELS, MAX_PIXELS, kind_of, quiet, upright_rgb

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from labelkit.core.media import Frame
    from labelkit.media.sources import FrameSource

SIDE = 8  # bits a side
DCT_SIDE = 32  # px
_large = threading.Lock()


@dataclass(frozen=True, slots=True)
class PictureHashes:
    """The two hashes of a picture as unsigned 64-bit numbers, the first bit (top left) the highest.

    `dhash` has a bit where the picture gets brighter to the right, `phash` where a low frequency is stronger than the median of them.
    """

    dhash: int
    phash: int


def hash_frames(source: FrameSource, frames: Sequence[Frame], *, one_by_one: bool = False) -> list[PictureHashes | None]:
    """Return the hashes of frames in their order, None for one whose picture cannot be read now; threads share the work.

    `one_by_one` reads the pictures in order, which decoding a video wants. All pictures given are in memory at once.
    """
    with ThreadPoolExecutor(max_workers=min(8, os.cpu_count() or 1), thread_name_prefix="labelkit-hash") as pool:
        read = [_bytes(source, frame) for frame in frames] if one_by_one else list(pool.map(_bytes, [source] * len(frames), frames))
        with quiet():
            return list(pool.map(_hashes_or_none, read))


def _bytes(source: FrameSource, frame: Frame) -> bytes | None:
    try:
        return source.bytes(frame)[0]
    except FrameUnavailable:
        return None


def _hashes_or_none(data: bytes | None) -> PictureHashes | None:
    try:
        return None if data is None else hashes(data)
    except MediaNotRecognized:
        return None


def hashes(data: bytes) -> PictureHashes:
    """Return the hashes of a picture (the bytes of an image) as people see it: EXIF rotation applied, transparent parts white.

    Call it inside `pictures.quiet()`. Raises `MEDIA_NOT_RECOGNIZED` for bytes that cannot be decoded.
    """
    kind = kind_of(data[:16])
    if kind is None:
        raise MediaNotRecognized(source="The picture", reason="its bytes are no image")
    try:
        with kind.opener(io.BytesIO(data)) as image:
            pixels = image.width * image.height
            if pixels > MAX_PIXELS:
                raise MediaNotRecognized(source="The picture", reason=f"{image.width} x {image.height} px are too many")
            if pixels <= LARGE_PIXELS:
                return hashes_of(upright_rgb(image))
            with _large:
                return hashes_of(upright_rgb(image))
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise MediaNotRecognized(source="The picture", reason=f"its bytes are damaged ({error})") from error


def hashes_of(picture: Image.Image) -> PictureHashes:
    """Return the hashes of a decoded picture, bit for bit those of `imagehash.dhash` and `imagehash.phash` with their default size.

    Where a frequency is exactly as strong as the median its bit is 0 on every machine; there the library compares rounding errors.
    """
    grey = picture.convert("L")
    return PictureHashes(_number(_brighter(grey)), _number(_stronger(grey)))


def _brighter(grey: Image.Image) -> NDArray[np.bool_]:
    pixels = np.asarray(grey.resize((SIDE + 1, SIDE), Image.Resampling.LANCZOS))
    return pixels[:, 1:] > pixels[:, :-1]


def _stronger(grey: Image.Image) -> NDArray[np.bool_]:
    pixels = np.asarray(grey.resize((DCT_SIDE, DCT_SIDE), Image.Resampling.LANCZOS), dtype=np.float64)
    low = _low_frequencies(_low_frequencies(pixels).T).T
    return low > np.median(low)


def _low_frequencies(rows: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the first `SIDE` rows of the discrete cosine transform (type II) of each column.

    Rows are folded onto each other first, so that what is alike on both sides cancels out exactly and leaves no noise to compare.
    """
    if len(rows) == 1:
        return 2 * rows
    half = len(rows) // 2
    upper, lower = rows[:half], rows[half:][::-1]
    made = np.empty((min(len(rows), SIDE), rows.shape[1]))
    made[0::2] = _low_frequencies(upper + lower)[: (len(made) + 1) // 2]
    made[1::2] = _ODD[len(rows)] @ (upper - lower)
    return made


def _odd(size: int) -> NDArray[np.float64]:
    """Return the matrix of the odd rows of a transform of `size`, for the half that folding leaves."""
    frequencies = np.arange(1, min(size, SIDE), 2)[:, None]
    return np.asarray(2 * np.cos(np.pi * frequencies * (2 * np.arange(size // 2) + 1) / (2 * size)))


_ODD = {size: _odd(size) for size in (2, 4, 8, 16, 32)}


def _number(bits: NDArray[np.bool_]) -> int:
    return int.from_bytes(np.packbits(bits).tobytes(), "big")
