"""Prelabel runs and drafts: rows to core values and back."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import polars as pl

from labelkit.core.actors import Scope
from labelkit.core.review.drafts import PAYLOAD_SCHEMA, DraftHead, Lineage
from labelkit.store.review.content import CONTENT, flags_text, overlay_rows

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from labelkit.core.review.annotations import FrameContent
    from labelkit.store.statements import Statements

KEPT = timedelta(days=1)  # a draft that somebody looks at, as it was at an earlier version, can be read for so long

_CURRENT = """
    FROM {table} t JOIN (
        SELECT frame_index, max(version) AS version FROM draft_frames
        WHERE draft_id = $draft AND epoch = $epoch AND version > $after AND version <= $upto
            AND ($all OR list_contains($frames, frame_index))
        GROUP BY frame_index
    ) newest ON t.frame_index = newest.frame_index AND t.version = newest.version
    WHERE t.draft_id = $draft AND t.epoch = $epoch
"""


class DraftRows:
    """Reads and writes runs, drafts and their saved frames."""

    def __init__(self, tx: Statements) -> None:
        self._tx = tx

    # --- prelabels

    def add_run(self, run: Mapping[str, object], packs: Sequence[Mapping[str, object]]) -> None:
        """Insert a prelabel run with its outcome lines."""
        self._tx.insert("prelabel_runs", [run])
        self._tx.insert("prelabel_packs", list(packs))

    def runs(self, workspace: str) -> pl.DataFrame:
        """Return the workspace's runs, newest first, one row an outcome line."""
        return self._tx.frame(
            """SELECT r.id AS run_id, m.name AS media, p.capability, r.model, r.model_version, r.status, p.id AS pack_id,
                   'pack:' || p.id AS lineage, p.frame_count, p.annotation_count, p.content_hash, p.report,
                   r.source_format, r.source, r.created_at, r.created_by
               FROM prelabel_runs r JOIN prelabel_packs p ON p.run_id = r.id JOIN media m ON m.id = p.media_id
               WHERE r.workspace_id = $workspace ORDER BY r.created_at DESC, r.id DESC""",
            workspace=workspace,
        )

    def run_pack(self, run: str, scope: Scope) -> dict[str, Any] | None:
        """Return the outcome line of a run (id) for a scope."""
        return self._tx.one(
            """SELECT * FROM prelabel_packs
               WHERE run_id = $run AND workspace_id = $workspace AND media_id = $media AND capability = $capability""",
            run=run,
            workspace=scope.workspace,
            media=scope.media,
            capability=scope.capability,
        )

    def prelabel_object(self, pack_or_run: str, workspace: str) -> str | None:
        """Return the content object of a prelabel pack, or of a run's first pack, by id, in a workspace."""
        rows = self._tx.rows(
            "SELECT content_object FROM prelabel_packs WHERE (id = $id OR run_id = $id) AND workspace_id = $workspace ORDER BY id",
            id=pack_or_run,
            workspace=workspace,
        )
        return str(rows[0]["content_object"]) if rows else None

    # --- drafts

    def draft(self, draft: str) -> DraftHead | None:
        """Return a draft's head by id."""
        row = self._tx.one("SELECT * FROM drafts WHERE id = $draft", draft=draft)
        return None if row is None else _head(row)

    def draft_of(self, scope: Scope) -> DraftHead | None:
        """Return the scope's active draft."""
        row = self._tx.one("SELECT * FROM drafts WHERE scope_key = $key", key=scope.key)
        return None if row is None else _head(row)

    def drafts(self, workspace: str) -> list[DraftHead]:
        """Return every active draft of a workspace."""
        return [
            _head(row)
            for row in self._tx.rows("SELECT * FROM drafts WHERE workspace_id = $workspace ORDER BY scope_key", workspace=workspace)
        ]

    def add_draft(self, draft: DraftHead) -> None:
        """Insert the scope's draft; a second one of the scope is the use case's conflict."""
        self._tx.insert(
            "drafts",
            [
                {
                    "scope_key": draft.scope.key,
                    "id": draft.id,
                    "workspace_id": draft.scope.workspace,
                    "media_id": draft.scope.media,
                    "capability": draft.scope.capability,
                    "version": draft.version,
                    "lineage": str(draft.lineage),
                    "base_object": draft.base_object,
                    "epoch": draft.epoch,
                    "payload_schema": PAYLOAD_SCHEMA,
                    "created_at": draft.created_at,
                    "updated_at": draft.updated_at,
                    "updated_by": draft.updated_by,
                }
            ],
        )

    def set_lineage(self, draft: str, lineage: Lineage) -> None:
        """Write a draft's lineage; its content stays."""
        self._tx.execute("UPDATE drafts SET lineage = $lineage WHERE id = $draft", draft=draft, lineage=str(lineage))

    def move_base(self, draft: DraftHead, *, base_object: str | None, lineage: Lineage, epoch: int, actor: str) -> bool:
        """Put a draft on another base with a new epoch of saved frames. False where its version has moved on."""
        return bool(
            self._tx.changed(
                """UPDATE drafts SET base_object = $base, lineage = $lineage, epoch = $epoch, payload_schema = $schema,
                       version = version + 1, updated_at = $now, updated_by = $actor
                   WHERE id = $draft AND version = $version RETURNING id""",
                base=base_object,
                lineage=str(lineage),
                epoch=epoch,
                schema=PAYLOAD_SCHEMA,
                now=self._tx.now,
                actor=actor,
                draft=draft.id,
                version=draft.version,
            )
        )

    def saved(self, draft: str, save_id: str) -> int | None:
        """Return the version that a save of the draft (by its client's id) made, None where it never arrived."""
        row = self._tx.one("SELECT version FROM draft_saves WHERE save_id = $id AND draft_id = $draft", id=save_id, draft=draft)
        return None if row is None else int(row["version"])

    def save_frames(self, draft: DraftHead, frames: Sequence[FrameContent], *, save_id: str, actor: str) -> int | None:
        """Append changed frames and raise the version by one; returns it, or None where the draft's version has moved on."""
        moved = self._tx.changed(
            """UPDATE drafts SET version = version + 1, updated_at = $now, updated_by = $actor
               WHERE id = $draft AND version = $version RETURNING id""",
            now=self._tx.now,
            actor=actor,
            draft=draft.id,
            version=draft.version,
        )
        if not moved:
            return None
        version = draft.version + 1
        key = {"draft_id": draft.id, "epoch": draft.epoch, "version": version}
        self._tx.insert(
            "draft_saves", [{"save_id": save_id, "draft_id": draft.id, "version": version, "actor": actor, "saved_at": self._tx.now}]
        )
        self._tx.insert(
            "draft_frames",
            [{**key, "frame_index": f.index, "state": f.state, "flags": flags_text(f.flags), "digest": f.digest()} for f in frames],
        )
        boxes = [{**key, "frame_index": f.index, "position": n, **a.as_json()} for f in frames for n, a in enumerate(f.annotations)]
        if boxes:
            self._tx.insert("draft_annotations", boxes)
        return version

    def overlay(self, draft: DraftHead, *, after: int = 0, frames: Sequence[int] | None = None) -> pl.DataFrame:
        """Return content rows of the frames saved since the draft's base, up to the head's version.

        Only those saved after the version `after`, and only of `frames` where they are named.
        """
        bound: dict[str, object] = {
            "draft": draft.id,
            "epoch": draft.epoch,
            "after": after,
            "upto": draft.version,
            "all": frames is None,
            "frames": list(frames or [-1]),
        }
        saved = self._tx.frame("SELECT t.frame_index, t.state, t.flags, t.digest" + _CURRENT.format(table="draft_frames"), **bound)
        if saved.is_empty():
            return pl.DataFrame(schema=CONTENT)
        return overlay_rows(saved, self._tx.frame("SELECT t.*" + _CURRENT.format(table="draft_annotations"), **bound))

    def compact(self, draft: DraftHead) -> None:
        """Remove saved frames that a later save of the same epoch replaced, when everything up to them is older than `KEPT`."""
        for table in ("draft_annotations", "draft_frames"):
            self._tx.execute(
                f"""DELETE FROM {table} WHERE draft_id = $draft AND epoch = $epoch AND version < (
                    SELECT max(f.version) FROM draft_frames f
                    WHERE f.draft_id = $draft AND f.epoch = $epoch AND f.frame_index = {table}.frame_index)
                    AND version <= (SELECT max(s.version) FROM draft_saves s WHERE s.draft_id = $draft AND s.saved_at < $old)""",
                draft=draft.id,
                epoch=draft.epoch,
                old=self._tx.now - KEPT,
            )

    def next_epoch(self, draft: DraftHead) -> int:
        """Return an epoch that no saved frame of the draft has."""
        row = self._tx.one("SELECT max(epoch) AS epoch FROM draft_frames WHERE draft_id = $draft", draft=draft.id) or {}
        return max(int(row.get("epoch") or 0), draft.epoch) + 1

    def before_reset(self, draft: str) -> dict[str, Any] | None:
        """Return epoch and base object of the draft as they were before its last reset, None where none is left to undo."""
        steps = self._tx.rows(
            """SELECT code, facts FROM audit WHERE subject = 'draft:' || $draft AND code IN ('DRAFT_RESET', 'DRAFT_RESTORED')
               ORDER BY id DESC LIMIT 1""",
            draft=draft,
        )
        return json.loads(steps[0]["facts"]) if steps and steps[0]["code"] == "DRAFT_RESET" else None

    def place(self, draft: str, user: str) -> int | None:
        """Return the frame where the user was last."""
        row = self._tx.one("SELECT frame_index FROM draft_places WHERE draft_id = $draft AND user_name = $user", draft=draft, user=user)
        return None if row is None else int(row["frame_index"])

    def set_place(self, draft: str, user: str, frame: int) -> None:
        """Remember the frame where the user is."""
        there = self._tx.changed(
            "UPDATE draft_places SET frame_index = $frame, seen_at = $now WHERE draft_id = $draft AND user_name = $user RETURNING draft_id",
            frame=frame,
            now=self._tx.now,
            draft=draft,
            user=user,
        )
        if not there:
            self._tx.insert("draft_places", [{"draft_id": draft, "user_name": user, "frame_index": frame, "seen_at": self._tx.now}])


def scope_of(row: Mapping[str, Any]) -> Scope:
    """Return the scope that a draft's or pack's row names."""
    return Scope(row["workspace_id"], row["media_id"], row["capability"])


def _head(row: Mapping[str, Any]) -> DraftHead:
    return DraftHead(
        id=row["id"],
        scope=scope_of(row),
        version=row["version"],
        lineage=Lineage.parse(row["lineage"]),
        base_object=row["base_object"],
        epoch=row["epoch"],
        payload_schema=row["payload_schema"],
        created_at=row["created_at"],
        updated_at=row["updated_at"],
        updated_by=row["updated_by"],
    )
