"""The frames that files are materialized from: found, read, and compared with what they were when their media was added."""

from __future__ import annotations

import hashlib
import io
import os
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, Self

from labelkit.core.media import FrameProblem, MediaKind
from labelkit.errors import FrameUnavailable
from labelkit.media.folders import OpenFolder
from labelkit.media.paths import ProblemError, locate
from labelkit.media.pictures import PNG, kind_of, quiet, upright_rgb

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from PIL import Image

    from labelkit.media.video import VideoReader

Place = tuple[int, str]  # a file as its open folder and its name there
PNG_LEVEL = 1  # of zlib: three times as quick as the usual 6, for a few per cent of size


class Wanting(Protocol):
    """What names a frame of a source, and the part of it that is wanted."""

    @property
    def source(self) -> int: ...  # noqa: D102
    @property
    def name(self) -> str: ...  # noqa: D102
    @property
    def frame(self) -> int: ...  # noqa: D102
    @property
    def frame_sha256(self) -> str: ...  # noqa: D102
    @property
    def byte_count(self) -> int: ...  # noqa: D102
    @property
    def box(self) -> tuple[int, int, int, int] | None: ...  # noqa: D102


@dataclass(frozen=True, slots=True)
class Source:
    """A media: its kind, its root, when it was added (ns since 1970), and of a video the presentation time of every frame in ms."""

    kind: str
    root: str
    added_ns: int
    pts_ms: tuple[float, ...] = ()


class Originals:
    """Reads frames of several sources; use it in a `with` statement. Every method raises `FRAME_UNAVAILABLE` with the frame's problem."""

    def __init__(self, sources: Mapping[int, Source], wanted: Sequence[Wanting]) -> None:
        self._sources = sources
        self._wanted = wanted
        self._folders: dict[tuple[int, str], str] = {}
        self._near = (-1, "", "")  # the source and folder of the last frame, and where it really is
        self._open = OpenFolder()
        self._videos: dict[int, VideoReader] = {}
        self._last: tuple[tuple[int, int], Image.Image] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._open.close()
        for video in self._videos.values():
            video.close()

    def is_file(self, source: int) -> bool:
        """Say whether each frame of a source is a file of its own."""
        return self._sources[source].kind != MediaKind.VIDEO

    def read(self, wanted: Wanting) -> bytes:
        """Return the stored bytes of a frame, which have the sha256 that they had."""
        return self._read(wanted, self._place(wanted)[0])[0]

    def compared(self, wanted: Wanting, *, trusting: bool) -> tuple[Place, tuple[int, int]]:
        """Return the real file of a frame, good until the next call, with its size and time of change in ns; its bytes were compared.

        When `trusting`, a file of the same size that was last changed before its media was added counts as compared.
        """
        place, status = self._place(wanted)
        same = status.st_size == wanted.byte_count and status.st_mtime_ns < self._sources[wanted.source].added_ns
        if not (trusting and same):
            status = self._read(wanted, place)[1]
        return place, (status.st_size, status.st_mtime_ns)

    def png(self, wanted: Wanting) -> bytes:
        """Return a frame, or its box, as PNG bytes: as people see it, in RGB, without loss."""
        image = self._image(wanted)
        out = io.BytesIO()
        (image if wanted.box is None else image.crop(wanted.box)).save(out, "PNG", compress_level=PNG_LEVEL)
        return out.getvalue()

    def _image(self, wanted: Wanting) -> Image.Image:
        """Return the decoded frame; the boxes of one frame are wanted one after the other, so the last one is kept."""
        at = (wanted.source, wanted.frame)
        if self._last is None or self._last[0] != at:
            self._last = None
            image = self._decoded(wanted) if self.is_file(wanted.source) else self._video(wanted.source).image(wanted.frame)
            self._last = (at, image)
        return self._last[1]

    def _decoded(self, wanted: Wanting) -> Image.Image:
        data = self.read(wanted)
        kind = kind_of(data[:16])
        if kind is None:
            raise _unavailable(wanted, FrameProblem.NOT_AN_IMAGE)
        try:
            with quiet():  # holds back other threads, so only the header is read in it; the bytes themselves were found whole before
                image = kind.opener(io.BytesIO(data))
                if kind is not PNG:  # which has its rotation after the picture, so that asking decodes it
                    image.getexif()
            with image:
                return upright_rgb(image)
        except Exception as error:  # damaged pictures make the parsers raise nearly anything
            raise _unavailable(wanted, FrameProblem.TRUNCATED) from error

    def _video(self, source: int) -> VideoReader:
        if source not in self._videos:
            import polars as pl

            from labelkit.media.video import VideoReader

            media = self._sources[source]
            digests = {one.frame: one.frame_sha256 for one in self._wanted if one.source == source}
            frames = [(pts_ms, digests.get(index, ""), None) for index, pts_ms in enumerate(media.pts_ms)]
            schema = {"pts_ms": pl.Float64, "sha256": pl.String, "problem": pl.String}
            self._videos[source] = VideoReader(media.root, pl.DataFrame(frames, schema=schema, orient="row"))
        return self._videos[source]

    def _place(self, wanted: Wanting) -> tuple[Place, os.stat_result]:
        """Return the real file of a frame, which is below its media's root, and its status."""
        folder, _, last = wanted.name.rpartition("/")
        try:
            if folder != self._near[1] or wanted.source != self._near[0]:
                self._near = (wanted.source, folder, self._real(wanted.source, folder))
            place = (self._open.at(self._near[2]), last)
            try:
                status = os.stat(last, dir_fd=place[0], follow_symlinks=False)
            except FileNotFoundError:
                status = None
            if status is None or not stat.S_ISREG(status.st_mode):
                real = locate(Path(self._sources[wanted.source].root), wanted.name)
                place = (self._open.at(str(real.parent)), real.name)
                status = os.stat(real.name, dir_fd=place[0], follow_symlinks=False)
        except ProblemError as error:
            raise _unavailable(wanted, error.problem) from error
        except (FileNotFoundError, NotADirectoryError) as error:
            raise _unavailable(wanted, FrameProblem.MISSING) from error
        except (OSError, ValueError) as error:
            raise _unavailable(wanted, FrameProblem.UNREADABLE) from error
        if not stat.S_ISREG(status.st_mode):
            raise _unavailable(wanted, FrameProblem.NOT_AN_IMAGE)
        return place, status

    def _real(self, source: int, folder: str) -> str:
        """Return the real folder of frames, which is below the media's root."""
        at = (source, folder)
        if at not in self._folders:
            root = Path(self._sources[source].root)
            self._folders[at] = str(locate(root, folder) if folder else root.resolve())
        return self._folders[at]

    @staticmethod
    def _read(wanted: Wanting, place: Place) -> tuple[bytes, os.stat_result]:
        try:
            file = os.open(place[1], os.O_RDONLY | os.O_NONBLOCK, dir_fd=place[0])
            try:
                status = os.fstat(file)
                data = os.read(file, status.st_size + 1)
                while len(data) < status.st_size and (more := os.read(file, status.st_size - len(data))):
                    data += more
            finally:
                os.close(file)
        except FileNotFoundError as error:
            raise _unavailable(wanted, FrameProblem.MISSING) from error
        except OSError as error:
            raise _unavailable(wanted, FrameProblem.UNREADABLE) from error
        if hashlib.sha256(data).hexdigest() != wanted.frame_sha256:
            raise _unavailable(wanted, FrameProblem.CHANGED)
        return data, status


def _unavailable(wanted: Wanting, problem: FrameProblem) -> FrameUnavailable:
    return FrameUnavailable(index=wanted.frame, name=wanted.name, problem=str(problem))
