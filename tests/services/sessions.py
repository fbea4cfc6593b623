"""Live sessions on one draft, as several kernels have them, and waiting with a bound."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from labelkit import ReviewOp
from labelkit.services.review import LiveReview

if TYPE_CHECKING:
    from collections.abc import Callable

    from labelkit.services.review import Draft
    from labelkit.workspace import Workspace


def session(ws: Workspace, draft: Draft, *, autosave: bool = False) -> LiveReview:
    """Another session on the draft, as another kernel has it; it saves when it is told to."""
    return LiveReview(ws.review, ws.review._desk, draft.media, draft.capability, draft.id, autosave=autosave)


def added(frame: int, name: str) -> ReviewOp:
    """Add a box of that id to a frame."""
    return ReviewOp.add_box(frame, "ball", 1, 2, 30, 40, id=name)


def names(live_or_draft: object, frame: int) -> list[str]:
    """The ids of the annotations of a frame, as a session or a draft has them."""
    content = live_or_draft.frame(frame) if isinstance(live_or_draft, LiveReview) else live_or_draft.frames[frame]
    return [annotation.id for annotation in content.annotations]


def until(condition: Callable[[], object], seconds: float = 20) -> float:
    """Wait until `condition` holds and return the seconds that it took; fail after the bound."""
    started = time.monotonic()
    while not condition():
        assert time.monotonic() - started < seconds, "the condition did not come true in time"
        time.sleep(0.005)
    return time.monotonic() - started
