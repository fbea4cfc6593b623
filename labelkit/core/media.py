"""Media and frames: what is reviewed, before any label."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime


class MediaKind(StrEnum):
    """Where the frames come from."""

    IMAGES = "images"
    VIDEO = "video"


class FrameProblem(StrEnum):
    """Why a frame has no picture. Such a frame is kept, shown as a placeholder, and may carry flags only."""

    MISSING = "FRAME_MISSING"
    EMPTY = "FRAME_EMPTY"
    NOT_AN_IMAGE = "FRAME_NOT_AN_IMAGE"
    TRUNCATED = "FRAME_TRUNCATED"
    TOO_LARGE = "FRAME_TOO_LARGE"
    UNREADABLE = "FRAME_UNREADABLE"
    OUTSIDE_ROOT = "FRAME_OUTSIDE_ROOT"
    CHANGED = "FRAME_CHANGED"


@dataclass(frozen=True, slots=True)
class Frame:
    """One image of a media.

    `index` counts from 0 in media order; `name` is the path below the media's root (a video's frames have the empty name);
    `pts_ms` is the presentation time in ms; width and height are px as stored (EXIF rotation applied), 0 where unknown;
    `sha256` is of the stored bytes (images) or of the decoded planes (video), empty where there are none.
    """

    index: int
    name: str
    pts_ms: float
    width: int
    height: int
    sha256: str
    byte_count: int
    problem: FrameProblem | None = None


@dataclass(frozen=True, slots=True, repr=False)
class Media:
    """A video file or an ordered folder of images, in one workspace; `root` is the absolute file or folder."""

    id: str
    workspace: str
    name: str
    kind: MediaKind
    root: str
    group_key: str
    camera_type: str
    frame_count: int
    frames_object: str
    created_at: datetime
    created_by: str
    split: str | None = None

    def __repr__(self) -> str:
        split = f", split {self.split}" if self.split else ""
        return f"<Media {self.name} ({self.id}): {self.frame_count:,} frames ({self.kind}), group {self.group_key}{split}; {self.root}>"
