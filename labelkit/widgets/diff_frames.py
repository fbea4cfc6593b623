"""The frame on which labels differ: its stored picture, or why there is none, with the labels of both sides."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from labelkit.errors import FrameUnavailable, LabelkitError
from labelkit.widgets import diff_labels

if TYPE_CHECKING:
    from labelkit.widgets.base import Json
    from labelkit.widgets.diff_labels import Pair
    from labelkit.workspace import Workspace

STYLES = {"before": diff_labels.BEFORE, "after": diff_labels.AFTER, "alike": diff_labels.ALIKE}
SENTENCES = {
    "SAMPLE_OF_ANOTHER_WORKSPACE": "It belongs to another workspace; open that to see it.",
    "SAMPLE_ASSET_CHANGED": "The file of this frame is not the one that was labelled.",
    "NOT_FOUND": "Its media is not in this workspace.",
}


@dataclass(frozen=True, slots=True)
class Frame:
    """One frame with labels before and after; sizes are px. `data` are its stored bytes; else `problem` is the code of why."""

    media: str
    index: int
    width: int
    height: int
    pairs: list[Pair]
    data: bytes | None = field(default=None, repr=False)
    mime: str = ""
    problem: str | None = None

    def as_json(self) -> Json:
        """Return what the browser draws and says beside the picture's bytes."""
        changed = [pair for pair in self.pairs if pair.change != "same"]
        return {
            "media": self.media,
            "index": self.index,
            "width": self.width,
            "height": self.height,
            "mime": self.mime,
            "problem": self.problem,
            "sentence": SENTENCES.get(self.problem or "", "Its labels are listed below." if self.problem else ""),
            "labels": diff_labels.rows(self.pairs),
            "changed": [[pair.change, *diff_labels.words(pair)] for pair in changed],
            "alike": len(self.pairs) - len(changed),
            "styles": {name: {"colour": style.colour, "dash": style.dash, "mark": style.mark} for name, style in STYLES.items()},
        }


def picture(
    ws: Workspace, media: str, index: int, sha256: str | None, workspace: str | None = None
) -> tuple[bytes | None, str, str | None]:
    """Return the stored bytes of a frame and their MIME type, or the code of why there are none."""
    if workspace is not None and workspace != ws.name:
        return None, "", "SAMPLE_OF_ANOTHER_WORKSPACE"
    try:
        if sha256 is not None and ws.media.frame(media, index).sha256 != sha256:
            return None, "", "SAMPLE_ASSET_CHANGED"
        return (*ws.media.frame_bytes(media, index), None)
    except FrameUnavailable as refused:
        return None, "", str(refused.facts["problem"])
    except LabelkitError as refused:
        return None, "", refused.code
