"""Review series: progress of every scope, presence, and the shelf of frames that lost a conflict; rows to values and back."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from labelkit.core.review.annotations import Annotation, FrameContent, FrameFlag, FrameState
from labelkit.store.review.content import flags_text

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    import polars as pl

    from labelkit.store.statements import Statements

PRESENT_S = 45
SHELF_DAYS = 30

_SERIES = """
    WITH newest AS (
        SELECT f.draft_id, f.frame_index, max(f.version) AS version FROM draft_frames f
        JOIN drafts d ON d.id = f.draft_id AND d.epoch = f.epoch
        WHERE d.workspace_id = $workspace GROUP BY f.draft_id, f.frame_index
    ), progress AS (
        SELECT f.draft_id, count(*) FILTER (WHERE f.state <> 'untouched') AS seen,
            count(*) FILTER (WHERE f.state = 'edited') AS edited, count(*) FILTER (WHERE f.state = 'accepted') AS accepted,
            count(*) FILTER (WHERE f.flags <> '[]') AS flagged
        FROM draft_frames f JOIN newest n ON n.draft_id = f.draft_id AND n.frame_index = f.frame_index AND n.version = f.version
        JOIN drafts d ON d.id = f.draft_id AND d.epoch = f.epoch
        GROUP BY f.draft_id
    ), runs AS (
        SELECT p.media_id, p.capability, max(r.id) AS run_id, count(*) AS run_count
        FROM prelabel_packs p JOIN prelabel_runs r ON r.id = p.run_id WHERE p.workspace_id = $workspace GROUP BY p.media_id, p.capability
    ), published AS (
        SELECT p.media_id, p.capability, max(r.id) AS revision_id
        FROM revisions r JOIN label_packs p ON p.id = r.pack_id WHERE p.workspace_id = $workspace GROUP BY p.media_id, p.capability
    ), present AS (
        SELECT draft_id, string_agg(DISTINCT user_name, ', ' ORDER BY user_name) AS users FROM draft_presence
        WHERE NOT closed AND seen_at > $since GROUP BY draft_id
    ), scopes AS (
        SELECT media_id, capability FROM runs UNION SELECT media_id, capability FROM drafts WHERE workspace_id = $workspace
        UNION SELECT media_id, capability FROM published
    )
    SELECT m.name AS media, s.capability, m.group_key, m.camera_type, m.frame_count, u.run_id, coalesce(u.run_count, 0) AS run_count,
        d.id AS draft_id, d.version, CASE WHEN d.id IS NOT NULL THEN coalesce(d.lineage, 'legacy_unknown') END AS lineage,
        coalesce(g.seen, 0) AS seen, coalesce(g.edited, 0) AS edited,
        coalesce(g.accepted, 0) AS accepted, coalesce(g.flagged, 0) AS flagged, coalesce(o.users, '') AS present,
        r.number AS revision, p.revision_id, e.state AS eligibility, d.updated_at, d.updated_by
    FROM scopes s JOIN media m ON m.id = s.media_id
    LEFT JOIN runs u ON u.media_id = s.media_id AND u.capability = s.capability
    LEFT JOIN drafts d ON d.media_id = s.media_id AND d.capability = s.capability AND d.workspace_id = $workspace
    LEFT JOIN progress g ON g.draft_id = d.id
    LEFT JOIN published p ON p.media_id = s.media_id AND p.capability = s.capability
    LEFT JOIN revisions r ON r.id = p.revision_id
    LEFT JOIN eligibility e ON e.revision_id = p.revision_id
    LEFT JOIN present o ON o.draft_id = d.id
    ORDER BY m.name, s.capability
"""


@dataclass(frozen=True, slots=True)
class Presence:
    """A session that has a draft open: who, where (host), on which frame, since when, and when it last gave a sign."""

    session: str
    user: str
    host: str
    frame: int
    opened_at: datetime
    seen_at: datetime


@dataclass(frozen=True, slots=True)
class ShelvedFrame:
    """A frame's content that was not taken in a conflict; `side` is `mine` or `theirs` as the one who chose saw it."""

    id: str
    side: str
    actor: str
    shelved_at: datetime
    content: FrameContent


class SeriesRows:
    """Reads and writes progress, presence and the shelf."""

    def __init__(self, tx: Statements) -> None:
        self._tx = tx

    def series(self, workspace: str) -> pl.DataFrame:
        """Return one row a scope that has a run, a draft or a revision: draft, progress, presence, latest revision, eligibility."""
        return self._tx.frame(_SERIES, workspace=workspace, since=self._tx.now - timedelta(seconds=PRESENT_S))

    def beat(self, draft: str, session: str, *, user: str, host: str, frame: int) -> None:
        """Note that a session still has the draft open, on this frame.

        A new session takes the place of the person's earlier ones on that host, such as those of a kernel that was restarted; one that
        lives is there again with its next sign.
        """
        known = self._tx.changed(
            """UPDATE draft_presence SET frame_index = $frame, seen_at = $now, closed = FALSE
               WHERE session_id = $session RETURNING session_id""",
            frame=frame,
            now=self._tx.now,
            session=session,
        )
        if not known:
            self._tx.execute(
                """UPDATE draft_presence SET closed = TRUE
                   WHERE draft_id = $draft AND user_name = $user AND host = $host AND NOT closed""",
                draft=draft,
                user=user,
                host=host,
            )
            self._tx.insert(
                "draft_presence",
                [
                    {
                        "session_id": session,
                        "draft_id": draft,
                        "user_name": user,
                        "host": host,
                        "frame_index": frame,
                        "opened_at": self._tx.now,
                        "seen_at": self._tx.now,
                        "closed": False,
                    }
                ],
            )

    def leave(self, session: str) -> None:
        """Note that a session has closed the draft."""
        self._tx.execute("UPDATE draft_presence SET closed = TRUE WHERE session_id = $session", session=session)

    def present(self, draft: str) -> list[Presence]:
        """Return the sessions that gave a sign within the last 45 s, first opened first."""
        rows = self._tx.rows(
            """SELECT session_id, user_name, host, frame_index, opened_at, seen_at FROM draft_presence
               WHERE draft_id = $draft AND NOT closed AND seen_at > $since ORDER BY opened_at, session_id""",
            draft=draft,
            since=self._tx.now - timedelta(seconds=PRESENT_S),
        )
        return [Presence(*row.values()) for row in rows]

    def shelve(self, draft: str, frames: Iterable[tuple[str, str, FrameContent]], *, actor: str) -> None:
        """Keep frames (id, side, content) that a conflict did not take."""
        rows = [
            {
                "id": id_,
                "draft_id": draft,
                "frame_index": content.index,
                "side": side,
                "actor": actor,
                "shelved_at": self._tx.now,
                "flags": flags_text(content.flags),
                "annotations": json.dumps([annotation.as_json() for annotation in content.annotations]),
            }
            for id_, side, content in frames
        ]
        if rows:
            self._tx.insert("shelved_frames", rows)

    def shelf(self, draft: str) -> list[ShelvedFrame]:
        """Return what lies on the draft's shelf, newest first; older than 30 days is gone."""
        rows = self._tx.rows(
            "SELECT * FROM shelved_frames WHERE draft_id = $draft AND shelved_at > $since ORDER BY shelved_at DESC, id DESC",
            draft=draft,
            since=self._tx.now - timedelta(days=SHELF_DAYS),
        )
        return [_shelved(row) for row in rows]


def _shelved(row: dict[str, Any]) -> ShelvedFrame:
    annotations = tuple(Annotation.from_json(item) for item in json.loads(row["annotations"]))
    flags = tuple(FrameFlag(flag) for flag in json.loads(row["flags"]))
    content = FrameContent(row["frame_index"], annotations, flags, FrameState.EDITED)
    return ShelvedFrame(row["id"], row["side"], row["actor"], row["shelved_at"], content)
