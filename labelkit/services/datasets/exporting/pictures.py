"""Pictures of samples for exports that hold them: as stored, where they still are what was labelled; and what became of the others.

A frame of a video has no stored picture: it is decoded and written as JPEG.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Self

from labelkit.core.actors import Action
from labelkit.core.datasets.samples import Sample
from labelkit.core.media import MediaKind
from labelkit.errors import FrameUnavailable, LabelkitError
from labelkit.formats.exports import Facet, Loss
from labelkit.media.images import read_bytes
from labelkit.media.pictures import kind_of
from labelkit.store.media import Frames

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import polars as pl

    from labelkit.media.video import VideoReader
    from labelkit.services.datasets.materializing.assets import SampleAssets
    from labelkit.store.acting import Gate
    from labelkit.store.datasets.materials import MediaSource

NOT_READABLE = "SAMPLE_OF_ANOTHER_WORKSPACE"
CHANGED = "SAMPLE_ASSET_CHANGED"


@dataclass(frozen=True, slots=True)
class _Open:
    """A media that is being read: its root, its frames, and what decodes it where it is a video."""

    root: str
    frames: Frames
    video: VideoReader | None


class ExportedPictures:
    """Gives the picture of a sample row; use it in a `with` statement. `losses` grows while it finds pictures missing."""

    def __init__(self, gate: Gate, build: str, assets: Callable[[], SampleAssets], losses: list[Loss]) -> None:
        self._gate = gate
        self._build = build
        self._assets = assets
        self._losses = losses
        self._before = len(losses)
        self._missing: Counter[str] = Counter()
        self._decoded = 0
        self._open: dict[tuple[object, object], _Open] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for media in self._open.values():
            if media.video is not None:
                media.video.close()
        self._open.clear()

    def __call__(self, row: Mapping[str, object]) -> tuple[bytes, str] | None:
        """Return bytes and MIME type of the picture of a sample row (without its annotations); None where there is none to be had."""
        place = row["workspace"], row["media"]
        if place not in self._media:  # nor is a copy of it for whoever may not read it
            self._miss(NOT_READABLE)
            return None
        try:
            return self._of_original(place, row)
        except LabelkitError as refused:
            found = self._materialized(row)
            if found is None:
                self._miss(str(refused.facts["problem"]) if isinstance(refused, FrameUnavailable) else refused.code)
            return found

    def expected(self, samples: pl.LazyFrame) -> list[Loss]:
        """Return what is known beforehand: pictures that may not be read, and frames of videos; no file is looked at."""
        counts = samples.group_by("workspace", "media").len().collect().iter_rows()
        known = [(self._media.get((workspace, media)), count) for workspace, media, count in counts]
        hidden = sum(count for media, count in known if media is None)
        decoded = sum(count for media, count in known if media is not None and media.kind == MediaKind.VIDEO)
        return _losses(Counter({NOT_READABLE: hidden}) if hidden else Counter(), decoded)

    def _of_original(self, place: tuple[object, object], row: Mapping[str, object]) -> tuple[bytes, str]:
        if place not in self._open:
            media = self._media[place]
            frames = Frames(self._gate.database.objects.read_frame(media.frames_object))
            self._open[place] = _Open(media.root, frames, _video(media, frames))
        found = self._open[place]
        frame = found.frames[int(str(row["frame_index"]))]
        if frame.sha256 != row["sha256"]:
            raise FrameUnavailable(index=frame.index, name=frame.name, problem=CHANGED)
        if found.video is None:
            return _with_mime(read_bytes(found.root, frame))
        picture = found.video.bytes(frame)
        self._count(decoded=1)
        return picture

    def _materialized(self, row: Mapping[str, object]) -> tuple[bytes, str] | None:
        """Return the copy that a materialization made, if it is the same picture."""
        try:
            data = self._assets().bytes(Sample.from_row({**row, "annotations": ()}))
        except LabelkitError:
            return None
        return _with_mime(data) if data is not None and hashlib.sha256(data).hexdigest() == row["sha256"] else None

    def _miss(self, reason: str) -> None:
        self._missing[reason] += 1
        self._count()

    def _count(self, *, decoded: int = 0) -> None:
        self._decoded += decoded
        self._losses[self._before :] = _losses(self._missing, self._decoded)

    @cached_property
    def _media(self) -> dict[tuple[object, object], MediaSource]:
        with self._gate.read() as (tx, actor):
            sources = tx.datasets.materials.sources(self._build)
        return {(one.workspace, one.media): one for one in sources if actor.may(Action.READ, one.workspace_id)}


def _video(media: MediaSource, frames: Frames) -> VideoReader | None:
    if media.kind != MediaKind.VIDEO:
        return None
    from labelkit.media.video import VideoReader

    return VideoReader(media.root, frames.rows)


def _with_mime(data: bytes) -> tuple[bytes, str]:
    kind = kind_of(data[:16])
    return data, "application/octet-stream" if kind is None else kind.mime


def _losses(missing: Counter[str], decoded: int) -> list[Loss]:
    found = []
    if missing:
        reasons = ", ".join(f"{reason} {count:,}" for reason, count in sorted(missing.items()))
        count = missing.total()
        found.append(Loss(Facet.PICTURES, count, f"{count:,} samples come without their picture: {reasons}"))
    if decoded:
        found.append(Loss(Facet.PICTURES, decoded, f"{decoded:,} pictures are frames of videos, decoded and written as JPEG"))
    return found
