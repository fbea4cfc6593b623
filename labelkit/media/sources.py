"""Images or video behind one door: look at a place once, then read the picture of any frame."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from labelkit.core.media import MediaKind
from labelkit.media import images
from labelkit.media.scanned import DEFAULT_FPS, ScannedMedia

if TYPE_CHECKING:
    import polars as pl

    from labelkit.core.media import Frame


class FrameSource(Protocol):
    """Gives the pictures of a media's frames; safe to use from any thread."""

    def bytes(self, frame: Frame) -> tuple[bytes, str]:
        """Return a picture that browsers show, and its MIME type. Raises `FRAME_UNAVAILABLE`."""
        ...


class ImageSource:
    """The pictures of a folder of images."""

    def __init__(self, root: str | Path) -> None:
        self._root = Path(root)

    def bytes(self, frame: Frame) -> tuple[bytes, str]:
        """Return the stored bytes, or a JPEG of them where browsers do not know the format, and the MIME type."""
        return images.as_jpeg_or_native(self._root, frame)


def scan(source: str | Path, *, fps: float = DEFAULT_FPS) -> ScannedMedia:
    """Return the frames of a folder of images, a glob, or a video file. Raises `MEDIA_*`, and `VIDEO_SUPPORT_MISSING` without PyAV."""
    if os.path.isfile(Path(source).expanduser()):  # noqa: PTH113 (False where a folder above may not be read)
        from labelkit.media.video import read_video

        return read_video(source)
    return images.read_folder(source, fps=fps)


def open_frames(kind: MediaKind, root: str | Path, frames: pl.DataFrame) -> FrameSource:
    """Return the pictures of a media from its kind, its root and the table of its frames."""
    if kind == MediaKind.VIDEO:
        from labelkit.media.video import VideoReader

        return VideoReader(root, frames)
    return ImageSource(root)
