"""Frames of media to test with."""

from __future__ import annotations

import polars as pl

from labelkit.store.media import Frames

SCHEMA = {
    "index": pl.Int32(),
    "name": pl.String(),
    "pts_ms": pl.Float64(),
    "width": pl.Int32(),
    "height": pl.Int32(),
    "sha256": pl.String(),
    "byte_count": pl.Int64(),
    "problem": pl.String(),
}


def frames_of(count: int, width: int = 200, height: int = 100, *, fps: float = 25, broken: tuple[int, ...] = ()) -> Frames:
    """The frames of a media of images; those in `broken` are missing."""
    rows = [
        {
            "index": index,
            "name": f"{index:06}.png",
            "pts_ms": index * 1000 / fps,
            "width": 0 if index in broken else width,
            "height": 0 if index in broken else height,
            "sha256": "" if index in broken else f"{index:064x}",
            "byte_count": 0 if index in broken else 1000,
            "problem": "FRAME_MISSING" if index in broken else None,
        }
        for index in range(count)
    ]
    return Frames(pl.DataFrame(rows, schema=SCHEMA))
