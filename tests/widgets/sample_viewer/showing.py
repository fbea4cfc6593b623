"""Showing a sample as a browser asks for it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from labelkit import Workspace
    from tests.widgets.messages import Wire

KEY = "club-a/clip-1/000000"
VIEW = {"width": 640, "height": 360, "ratio": 1.0}


def show(wire: Wire, key: str = KEY, *, hosted: bool = True) -> dict[str, Any]:
    answer = wire.ask("show", key=key, hosted=hosted, **VIEW)
    assert answer["ok"], answer
    return wire.events("shown")[-1]


def frame_file(ws: Workspace, media: str, index: int) -> Path:
    return Path(ws.media.get(media).root) / ws.media.frame(media, index).name
