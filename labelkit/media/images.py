"""Folders of images as media: every image file is a frame, broken ones with the reason."""

from __future__ import annotations

import hashlib
import io
import math
import os
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from labelkit.core.media import Frame, FrameProblem, MediaKind
from labelkit.errors import FrameUnavailable, InvalidValue
from labelkit.media.listing import list_images
from labelkit.media.paths import ProblemError, locate, open_file
from labelkit.media.pictures import MAX_PIXELS, Picture, as_jpeg, examine, kind_of, quiet
from labelkit.media.scanned import DEFAULT_FPS, ScannedMedia

if TYPE_CHECKING:
    from io import BufferedReader


def read_folder(source: str | Path, *, fps: float = DEFAULT_FPS, max_pixels: int = MAX_PIXELS) -> ScannedMedia:
    """Return every image file of a folder or glob as a frame, in plain name order (see `listing.list_images`, also for the errors).

    A file that is missing, empty, no image, cut off, larger than `max_pixels` by its header, unreadable, or a link out of the folder
    is a frame with that problem. Image folders have no clock: frame i is at i * 1000 / `fps` ms.
    """
    if not (math.isfinite(fps) and fps > 0):
        raise InvalidValue(what="fps", reason=f"{fps} is no number of frames per second", fix="Give a number above 0, such as 25.")
    root, names, notes = list_images(source)
    with quiet(), ThreadPoolExecutor(max_workers=min(8, os.cpu_count() or 1), thread_name_prefix="labelkit-scan") as pool:
        frames = tuple(pool.map(partial(_frame, root, fps, max_pixels), range(len(names)), names))
    return ScannedMedia(MediaKind.IMAGES, root, frames, notes)


def read_bytes(media_root: str | Path, frame: Frame) -> bytes:
    """Return the stored bytes of a frame, the very ones that were looked at when the media was added.

    Raises `FRAME_UNAVAILABLE` with the frame's problem, or with the one met now; `FRAME_CHANGED` where the file was replaced since.
    """
    if frame.problem is not None:
        raise _unavailable(frame, frame.problem)
    try:
        with open_file(locate(Path(media_root), frame.name)) as file:
            data = file.read()
    except ProblemError as error:
        raise _unavailable(frame, error.problem) from error
    except OSError as error:
        raise _unavailable(frame, FrameProblem.UNREADABLE) from error
    if hashlib.sha256(data).hexdigest() != frame.sha256:
        raise _unavailable(frame, FrameProblem.CHANGED)
    return data


def as_jpeg_or_native(media_root: str | Path, frame: Frame) -> tuple[bytes, str]:
    """Return bytes that a browser shows, and their MIME type: the stored ones, or a JPEG where browsers do not know the format.

    Raises `FRAME_UNAVAILABLE`.
    """
    data = read_bytes(media_root, frame)
    kind = kind_of(data[:16])
    if kind is None:
        raise _unavailable(frame, FrameProblem.NOT_AN_IMAGE)
    if kind.shown:
        return data, kind.mime
    with quiet(), kind.opener(io.BytesIO(data)) as image:
        return as_jpeg(image), "image/jpeg"


def _frame(root: Path, fps: float, max_pixels: int, index: int, name: str) -> Frame:
    try:
        with open_file(locate(root, name)) as file:
            size, digest, picture = _facts(file, max_pixels)
    except ProblemError as error:
        size, digest, picture = 0, "", Picture(0, 0, error.problem)
    except OSError:
        size, digest, picture = 0, "", Picture(0, 0, FrameProblem.UNREADABLE)
    return Frame(index, name, index * 1000 / fps, picture.width, picture.height, digest, size, picture.problem)


def _facts(file: BufferedReader, max_pixels: int) -> tuple[int, str, Picture]:
    size = os.fstat(file.fileno()).st_size
    if size == 0:
        return 0, "", Picture(0, 0, FrameProblem.EMPTY)
    return size, hashlib.file_digest(file, "sha256").hexdigest(), examine(file, max_pixels)


def _unavailable(frame: Frame, problem: FrameProblem) -> FrameUnavailable:
    return FrameUnavailable(index=frame.index, name=frame.name, problem=str(problem))
