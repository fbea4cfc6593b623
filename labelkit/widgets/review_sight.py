"""What a review shows around the frame under the cursor: each frame's risk, who else is here, and small pictures."""

from __future__ import annotations

from threading import Lock, Timer
from typing import TYPE_CHECKING

from labelkit.errors import LabelkitError
from labelkit.services.review import watching
from labelkit.widgets.base import CommandWidget, Json, command

if TYPE_CHECKING:
    from labelkit.services.review.live import LiveReview
    from labelkit.workspace import Workspace

WEIGH_S = 0.4
THUMBNAIL_SIDE_PX = 96


class Sight(CommandWidget):
    """Answers a review's questions about all frames, and weighs them anew, off the way of edits, a moment after they were saved."""

    ws: Workspace
    live: LiveReview

    def __init__(self, **traits: object) -> None:
        self._leaps: list[dict[str, object]] = []
        self._weighing: Timer | None = None
        self._weighing_lock = Lock()
        super().__init__(**traits)

    @command("worth")
    def worth(self) -> Json:
        """Return each frame's risk and whether it was seen, the coverage, and why the riskiest unseen ones are worth a look."""
        worth = self.live.worth()
        reasons: dict[int, list[str]] = worth["reasons"]  # type: ignore[assignment]  # sentences by frame
        return {**worth, "reasons": {str(index): sentences for index, sentences in reasons.items()}}

    @command("others")
    def others(self) -> Json:
        """Give a sign of life; return who else has the draft open, and at which frame."""
        return {"others": [{"user": one.user, "frame": one.frame} for one in self.live.others()]}

    @command("thumbnails")
    def thumbnails(self, indices: list[int]) -> Json:
        """Send small pictures of frames as one event; frames without a picture are left out."""
        found: list[int] = []
        pictures: list[bytes] = []
        for index in indices:
            try:
                pictures.append(self.ws.media.thumbnail(self.live.media, index, THUMBNAIL_SIDE_PX))
            except (LabelkitError, OSError):  # the strip shows the frame as one without a picture; the stage says why
                continue
            found.append(index)
        self.tell("thumbnails", {"indices": found, "mime": "image/jpeg"}, pictures)
        return {"sent": found}

    def leaps(self) -> list[dict[str, object]]:
        """Return every point that moved too fast, as edited so far: what a publish would warn of."""
        self._leaps = watching.leaps(self.live)
        return self._leaps

    def tell_leaps(self) -> None:
        """Tell the views which points move too fast, if that is new."""
        before = self._leaps
        if self.leaps() != before:
            self.tell("leaps", {"leaps": self._leaps})

    def close(self) -> None:
        """Take the widget out of the page and weigh no more."""
        if self.comm is not None:
            with self._weighing_lock:
                timer, self._weighing = self._weighing, None
            if timer is not None:
                timer.cancel()
        super().close()

    def weigh_soon(self) -> None:
        """Have every view told each frame's risk in a moment; calls that follow until then come to one."""
        with self._weighing_lock:
            if self._weighing is None and self.comm is not None:
                self._weighing = Timer(WEIGH_S, self._weigh)
                self._weighing.daemon = False  # the end of the process waits for it: DuckDB may not be left in the middle of a query
                self._weighing.start()

    def _weigh(self) -> None:
        with self._weighing_lock:
            self._weighing = None
        if self.comm is None:
            return
        with self.guarded():
            self.tell("worth", self.worth())
