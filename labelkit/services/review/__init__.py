"""`ws.review`: open, edit, save, publish, approve and compare, for one workspace."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from labelkit.errors import LabelkitError
from labelkit.services.review.draft import Draft, DraftFrame
from labelkit.services.review.live import LiveReview
from labelkit.services.review.publish import PublishOutcome
from labelkit.services.review.series import SeriesCases

if TYPE_CHECKING:
    from labelkit.core.media import Media
    from labelkit.store.acting import Gate

__all__ = ["Draft", "DraftFrame", "LiveReview", "PublishOutcome", "Review"]


class Review(SeriesCases):
    """Every use case of the review."""

    def __init__(self, gate: Gate) -> None:
        super().__init__(gate)
        self._live: dict[str, LiveReview] = {}
        self._live_lock = threading.Lock()

    def live(self, media: str | Media, capability: str, run: str | None = None) -> LiveReview:
        """Return this kernel's one session on the scope, opened where needed: edits at once, saved in the background."""
        draft = self.open(media, capability, run)
        with self._live_lock:
            if draft.id not in self._live:
                self._live[draft.id] = LiveReview(self, self._desk, draft.media, draft.capability, draft.id)
            return self._live[draft.id]

    def close(self) -> None:
        """Save what every live session still holds and stop them; then raise what the first of them could not save."""
        with self._live_lock:
            sessions = list(self._live.values())
            self._live.clear()
        failures: list[LabelkitError] = []
        for session in sessions:
            try:
                session.close()
            except LabelkitError as failed:
                failures.append(failed)
        if failures:
            raise failures[0]
