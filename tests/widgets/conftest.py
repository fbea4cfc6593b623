"""A view of the review of a drawn clip of four frames, with a model's players."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from labelkit import synthetic
from tests.widgets.messages import Wire
from tests.widgets.reviewing import opened, workspace

if TYPE_CHECKING:
    from collections.abc import Iterator

    from labelkit import Workspace
    from labelkit.synthetic import Match


@pytest.fixture(scope="session")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Match:
    made = synthetic.match(tmp_path_factory.mktemp("clip"), frames=4, width=320, height=180, clips=1)
    made.write_yolo(made.folder / "pre")
    return made


@pytest.fixture
def review_ws(clip: Match) -> Workspace:
    return workspace(clip, ":memory:")


@pytest.fixture
def view(review_ws: Workspace, monkeypatch: pytest.MonkeyPatch) -> Iterator[Wire]:
    """A view of the model's players."""
    review = opened(review_ws)
    yield Wire.to(review, monkeypatch)
    review.close()
