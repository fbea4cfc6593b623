"""The two sides of a conflict in a review, and the shelf on which the side not taken stays."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from labelkit.widgets.base import CommandWidget, Json, command
from labelkit.widgets.rows import when

if TYPE_CHECKING:
    from collections.abc import Callable

    from labelkit.core.review.annotations import FrameContent
    from labelkit.services.review.live import LiveReview
    from labelkit.workspace import Workspace


class Sides(CommandWidget):
    """Shows the frames that both sides changed, settles them one by one, and puts shelved ones back."""

    ws: Workspace
    live: LiveReview
    _all_new: Callable[[], Json]

    @command("conflict")
    def conflict(self) -> list[Json]:
        """Return the frames that both sides changed, with what each side has there."""
        found = self.live.conflict
        return [] if found is None else [{"index": m.index, "mine": content_json(m), "theirs": content_json(t)} for m, t in found.both]

    @command("settle")
    def settle(self, index: int, side: str) -> Json:
        """Settle one frame of a conflict: `mine` or `theirs` is kept, the other side goes onto the shelf."""
        self.live.settle(index, side)
        return self._all_new()

    @command("shelf")
    def shelf(self) -> list[Json]:
        """Return the frames on the shelf, newest first."""
        return [
            {
                "id": one.id,
                "index": one.content.index,
                "side": one.side,
                "actor": one.actor,
                "at": when(one.shelved_at),
                "objects": len(one.content.annotations),
            }
            for one in self.ws.review.shelf(self.live.draft_id)
        ]

    @command("unshelve")
    def unshelve(self, shelved: str) -> Json:
        """Put a shelved frame back as a new edit; what is there now goes onto the shelf."""
        version = self.live.save()
        self.python = f"ws.review.unshelve({self.live.draft_id!r}, {shelved!r}, base_version={version})"
        self.ws.review.unshelve(self.live.draft_id, shelved, base_version=version)
        self.live.reload()
        return self._all_new()


def content_json(content: FrameContent) -> dict[str, Any]:
    """Return a frame's labels, flags and state as the browser reads them."""
    return {
        "index": content.index,
        "annotations": [annotation.as_json() for annotation in content.annotations],
        "flags": [str(flag) for flag in content.flags],
        "state": str(content.state),
    }
