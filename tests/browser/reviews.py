"""Reviews to show in a browser: a drawn match in a store of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import labelkit
from labelkit import ReviewOp

if TYPE_CHECKING:
    from pathlib import Path

    from labelkit import Workspace
    from labelkit.synthetic import Match
    from labelkit.widgets import FrameReview

PLAYERS, BALL = "player_detection", "ball_detection"


def players(match: Match, target: str = ":memory:", **options: object) -> FrameReview:
    """Return the review of the model's players on the match's only clip; `broken` frames by index would be text files."""
    ws = workspace(match, target)
    run = ws.prelabels.import_(
        "yolo",
        match.folder / "pre" / match.clips[0].name,
        media="match-1",
        capability=PLAYERS,
        classes=list(match.classes),
        model="synthetic",
        model_version="1",
    )
    return labelkit.widgets.FrameReview(ws, "match-1", PLAYERS, run=run.id, **options)


def balls(match: Match) -> FrameReview:
    """Return a review of the ball that starts with one point in the middle of the first frame."""
    ws = workspace(match)
    draft = ws.review.open("match-1", BALL)
    ws.review.apply(draft.id, base_version=draft.version, ops=[ReviewOp.add_point(0, "ball", 480, 270, 10, id="first")])
    return labelkit.widgets.FrameReview(ws, "match-1", BALL)


def boxes(match: Match, *places: tuple[float, float, float, float]) -> FrameReview:
    """Return a review that starts with these boxes of players, named a, b, c and so on, on the first frame."""
    ws = workspace(match)
    draft = ws.review.open("match-1", PLAYERS)
    ops = [ReviewOp.add_box(0, "player", *place, id=name) for name, place in zip("abcdefgh", places, strict=False)]
    ws.review.apply(draft.id, base_version=draft.version, ops=ops)
    return labelkit.widgets.FrameReview(ws, "match-1", PLAYERS)


def broken(folder: Path, match: Match) -> FrameReview:
    """Return a review in which the second of three frames is no picture."""
    import shutil

    frames = sorted(match.clips[0].folder.glob("*.jpg"))[:3]
    folder.mkdir()
    for frame in frames:
        shutil.copy(frame, folder)
    (folder / frames[1].name).write_text("no picture")
    ws = labelkit.open(":memory:", workspace="club-a", user="ana")
    ws.media.add(folder, name="match-1")
    return labelkit.widgets.FrameReview(ws, "match-1", PLAYERS)


def workspace(match: Match, target: str = ":memory:") -> Workspace:
    """Return ana's workspace with the match's only clip as media match-1."""
    ws = labelkit.open(target, workspace="club-a", user="ana")
    ws.media.add(match.clips[0].folder, name="match-1", camera_type="broadcast")
    return ws
