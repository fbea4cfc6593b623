"""Stores with approved packs, in a file that a kernel can open."""

from __future__ import annotations

from typing import TYPE_CHECKING

import labelkit
from labelkit.core.geometry import Box
from tests.services import packs

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from labelkit import Workspace

RATIOS = {"train": 0.5, "val": 0.5}


def pack(media: str, state: str = "APPROVED", x: float = 10) -> packs.Pack:
    """A pack of four frames with two players each."""
    labels = {index: [("player", Box(x, 10, 20, 40)), ("referee", Box(60 + index, 10, 20, 40))] for index in range(4)}
    return packs.Pack(media, [(state, labels)])


def make(path: Path, media: Sequence[str] = ("a", "b", "c")) -> Path:
    """A store with approved packs of these media."""
    with labelkit.open(path) as ws:
        packs.add(ws, [pack(name) for name in media])
    return path


def opened(path: Path) -> Workspace:
    return labelkit.open(path)
