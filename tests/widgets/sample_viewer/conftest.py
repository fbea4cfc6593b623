"""A viewer of a built dataset of two clips."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from ipycanvas.canvas import _CANVAS_MANAGER

from labelkit.widgets import SampleViewer
from tests.widgets.messages import Wire
from tests.widgets.sample_viewer.showing import frame_file
from tests.widgets.scenes import built

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from labelkit import Workspace
    from labelkit.services.datasets import Dataset


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[tuple[Workspace, Dataset]]:
    ws, dataset = built(tmp_path)
    with ws:
        yield ws, dataset


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> list[list[Any]]:
    """Every message that ipycanvas sent, as its buffers."""
    sent: list[list[Any]] = []
    monkeypatch.setattr(_CANVAS_MANAGER, "send", lambda _metadata, buffers: sent.append(buffers))
    return sent


@pytest.fixture
def wire(scene: tuple[Workspace, Dataset], drawn: list[list[Any]], monkeypatch: pytest.MonkeyPatch) -> Iterator[Wire]:
    made = Wire.to(SampleViewer(scene[0], scene[1]), monkeypatch)
    drawn.clear()
    yield made
    made.widget.close()


@pytest.fixture
def spoilt(scene: tuple[Workspace, Dataset]) -> Iterator[Path]:
    """The file of the first frame, to be spoilt; it is as it was afterwards, because scenes share their pictures."""
    file = frame_file(scene[0], "clip-1", 0)
    before = file.read_bytes()
    yield file
    file.write_bytes(before)
