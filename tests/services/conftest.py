"""Workspaces to test use cases with: in memory, and in a file too where the place of the store could matter."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

import labelkit
from labelkit.core.geometry import Box, Point
from labelkit.core.review.annotations import Annotation
from tests.services.worlds import BALLS, add_media, add_run

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from labelkit.core.media import Media
    from labelkit.workspace import Workspace


@pytest.fixture
def ws(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Workspace]:
    """A workspace of a new store, of which ana is owner and developer: in memory, and where `in_memory_and_file` marks it in a file too."""
    target = tmp_path / "labels.duckdb" if getattr(request, "param", "memory") == "file" else ":memory:"
    with labelkit.open(target, workspace="club-a", user="ana") as opened:
        yield opened


@pytest.fixture
def memory() -> Iterator[Workspace]:
    """The same, in memory only, for tables with many rows."""
    with labelkit.open(":memory:", workspace="club-a", user="ana") as opened:
        yield opened


@pytest.fixture
def media(ws: Workspace) -> Media:
    """Four frames of 200 x 100 px, the last one without a picture."""
    return add_media(ws, broken=(3,))


@pytest.fixture
def players(ws: Workspace, media: Media) -> str:
    """A run that proposes two players on frame 0 and one on frame 1."""
    boxes = [Annotation("", "player", Box(10, 10, 20, 40), 0.9), Annotation("", "player", Box(60, 10, 20, 40), 0.4)]
    return add_run(ws, {0: boxes, 1: [Annotation("", "referee", Box(5, 5, 10, 30), 0.7)]}, media)


@pytest.fixture
def balls(ws: Workspace, media: Media) -> str:
    """A run that proposes a ball of 6 px on frame 0 and one without size on frame 1."""
    points = {0: [Annotation("", "ball", Point(50, 50, 6), 0.8)], 1: [Annotation("", "ball", Point(52, 50), 0.6)]}
    return add_run(ws, points, media, BALLS)
