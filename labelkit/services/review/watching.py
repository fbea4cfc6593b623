"""What a review under way sees around it: which frame is worth a look next, and who else has the draft open."""

from __future__ import annotations

import socket
from contextlib import suppress
from typing import TYPE_CHECKING, Protocol

from labelkit.core.review.annotations import FrameState
from labelkit.core.review.risk import coverage, ranked
from labelkit.errors import DraftVersionConflict
from labelkit.store.review import findings
from labelkit.store.review.content import rows_of
from labelkit.store.review.risk import reasons, risk

if TYPE_CHECKING:
    from labelkit.core.review.annotations import Capability, FrameContent
    from labelkit.services.review.series import SeriesCases
    from labelkit.store.database import Database
    from labelkit.store.media import Frames
    from labelkit.store.review.content import Content
    from labelkit.store.review.series import Presence

EXPLAINED = 20
WORKED = frozenset({FrameState.EDITED, FrameState.ACCEPTED})  # only their digests say anything of risk


class Watched(Protocol):
    """The review under way, as far as it is looked at here."""

    draft_id: str
    session_id: str
    cursor: int
    capability: Capability
    cases: SeriesCases
    frames: Frames
    seed: Content | None

    @property
    def version(self) -> int:
        """Return the draft version that the session is based on."""
        ...

    @property
    def may_edit(self) -> bool:
        """Say whether this person may change labels."""
        ...

    @property
    def database(self) -> Database:
        """Return the store."""
        ...

    def snapshot(self) -> tuple[Content, dict[int, FrameContent]]:
        """Return the content as loaded and the frames that differ from it now."""
        ...

    def catch_up(self) -> None:
        """Take in what others saved."""
        ...


def worth(live: Watched) -> dict[str, object]:
    """Return, per frame, `risk` in [0, 1] and `seen`; the frame to look at `next` (None where all are seen), why, and the coverage.

    `reasons` maps the twenty riskiest unseen frames to sentences; `coverage` says what was looked at, without embellishment.
    """
    content, changed = live.snapshot()
    present = content.replaced(rows_of(changed.values(), digests=WORKED))
    rows = risk(live.database, present, live.frames, live.seed, live.capability)
    risks, seen = rows["risk"].to_list(), rows["seen"].to_list()
    order = ranked(risks, seen)
    explained = {index: reasons(rows.row(index, named=True)) for index in order[:EXPLAINED]}
    return {
        "risk": risks,
        "seen": seen,
        "next": order[0] if order else None,
        "reasons": explained,
        "coverage": str(coverage(risks, seen)),
    }


def leaps(live: Watched) -> list[dict[str, object]]:
    """Return the points that moved too fast in the draft as edited so far, by the rule of the publish warning.

    Each has `frame`, `before` (the frame of the point before it) and `speed` in frame widths a second.
    """
    if live.capability.max_speed is None:
        return []
    content, changed = live.snapshot()
    found = findings.leaps(content, changed, live.frames, live.capability)
    return [
        {"frame": frame, "before": before, "speed": speed}
        for frame, before, speed in found.select("frame_index", "before", "speed").iter_rows()
    ]


def others(live: Watched) -> list[Presence]:
    """Give a sign of life and return other people's sessions on the draft; what was saved meanwhile is taken in."""
    version, people = live.cases.attend(live.draft_id, live.session_id, host=socket.gethostname(), frame=live.cursor, edits=live.may_edit)
    if version != live.version:
        with suppress(DraftVersionConflict):  # the status says so
            live.catch_up()
    return people
