"""Small workspaces that the widgets' tests start from: a synthetic match with published revisions, in a store of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import labelkit
from labelkit import ReviewOp, synthetic

if TYPE_CHECKING:
    from pathlib import Path

    from labelkit import Workspace

PLAYERS = "player_detection"


def published(folder: Path, *, clips: int = 1, revisions: int = 1, group: str | None = None, target: str = ":memory:") -> Workspace:
    """Return ana's workspace with media clip-1, clip-2, … of 3 frames each, and that many published revisions of the players in each."""
    match = synthetic.match(folder / "match", frames=3 * clips, width=320, height=180, clips=clips)
    labels = match.write_yolo(folder / "labels")
    ws = labelkit.open(target, workspace="club-a", user="ana")
    for clip in match.clips:
        ws.media.add(clip.folder, name=clip.name, group_key=group or clip.name, camera_type="broadcast")
        run = ws.prelabels.import_("yolo", labels / clip.name, media=clip.name, capability=PLAYERS, classes=list(match.classes))
        draft = ws.review.open(clip.name, PLAYERS, run=run.id)
        for number in range(revisions):
            if number:
                draft = ws.review.apply(draft.id, base_version=draft.version, ops=[ReviewOp.delete(0, draft.frames[0].annotations[0].id)])
            ws.review.publish(draft.id, expected_version=draft.version, override_warnings=True, reason=f"round {number + 1}")
    return ws


def colleague(ws: Workspace, user: str, role: str) -> Workspace:
    """Return the same workspace of the same store as another user with that role sees it."""
    ws.set_role(user, role)
    return labelkit.open(ws.path, workspace=ws.name, user=user)
