"""Reviews of a drawn clip for the tests of the Python half, and what such a test does over and over."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import labelkit

if TYPE_CHECKING:
    from labelkit import Workspace
    from labelkit.synthetic import Match
    from labelkit.widgets import FrameReview
    from tests.widgets.messages import Wire

PLAYERS = "player_detection"


def workspace(match: Match, target: str) -> Workspace:
    ws = labelkit.open(target, workspace="club-a", user="ana")
    ws.media.add(match.clips[0].folder, name="match-1", camera_type="broadcast")
    ws.prelabels.import_(
        "yolo", match.folder / "pre" / "clip-1", media="match-1", capability=PLAYERS, classes=list(match.classes), model="m"
    )
    return ws


def opened(ws: Workspace, **options: Any) -> FrameReview:
    return labelkit.widgets.FrameReview(ws, "match-1", PLAYERS, run=ws.prelabels.runs()["run_id"][0], **options)


def op(view: Wire, **fields: object) -> dict[str, Any]:
    return view.ask("op", op=fields)


def saved(view: Wire, least: int) -> None:
    """Wait until the draft has at least that version."""
    end = time.monotonic() + 5
    while view.widget.live.version < least or view.widget.live.status != "saved":
        assert time.monotonic() < end, view.widget.live.status
        time.sleep(0.01)


def told(view: Wire, event: str) -> None:
    """Wait until the views were told that."""
    end = time.monotonic() + 5
    while not view.events(event):
        assert time.monotonic() < end, event
        time.sleep(0.01)


def published(view: Wire) -> dict[str, Any]:
    return view.ask("publish", pack=None, override_warnings=True, reason="looked at by hand")["result"]
