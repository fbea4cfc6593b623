"""The stage: gestures end in one operation, keys stay where they belong, and nothing waits for the kernel."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

import labelkit
from tests.browser.twin import Twin

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from playwright.sync_api import Page

    from labelkit.synthetic import Match

pytestmark = pytest.mark.browser


@pytest.fixture
def twin(page: Page, match: Match, monkeypatch: pytest.MonkeyPatch) -> Iterator[Twin]:
    ws = labelkit.open(":memory:", workspace="club-a", user="ana")
    clip = match.clips[0]
    ws.media.add(clip.folder, name="match-1", camera_type="broadcast")
    run = ws.prelabels.import_(
        "yolo", match.folder / "pre" / clip.name, media="match-1", capability="player_detection", classes=list(match.classes), model="m"
    )
    review = labelkit.widgets.FrameReview(ws, "match-1", "player_detection", run=run.id)
    shown = Twin.show(page, review, monkeypatch)
    yield shown
    assert shown.problems == []
    review.close()


def test_look(twin: Twin, keep_picture: Callable[..., Path]) -> None:
    keep_picture(twin.page, "twin-light")
