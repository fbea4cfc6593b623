"""What a look at a folder or video found: its frames, as values and as a table."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

if TYPE_CHECKING:
    from pathlib import Path

    from labelkit.core.media import Frame, MediaKind

DEFAULT_FPS = 25.0
FRAMES: dict[str, pl.DataType] = {
    "index": pl.Int32(),
    "name": pl.String(),
    "pts_ms": pl.Float64(),
    "width": pl.Int32(),
    "height": pl.Int32(),
    "sha256": pl.String(),
    "byte_count": pl.Int64(),
    "problem": pl.String(),
}


@dataclass(frozen=True, slots=True)
class ScannedMedia:
    """The frames below `root` (an absolute folder or video file), in order; `notes` are sentences on what was not entered."""

    kind: MediaKind
    root: Path
    frames: tuple[Frame, ...]
    notes: tuple[str, ...] = ()

    def to_polars(self) -> pl.DataFrame:
        """Return one row a frame: index, name, pts_ms, width and height in px, sha256, byte_count, problem (null where fine)."""
        columns = {name: [getattr(frame, name) for frame in self.frames] for name in FRAMES}
        columns["problem"] = [None if problem is None else str(problem) for problem in columns["problem"]]
        return pl.DataFrame(columns, schema=FRAMES)
