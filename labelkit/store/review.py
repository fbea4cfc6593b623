"""Runs, drafts, packs and revisions: rows to core values and back, inside one unit of work."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import polars as pl

from labelkit.core.actors import Scope
from labelkit.core.review.drafts import PAYLOAD_SCHEMA, DraftHead, Lineage
from labelkit.core.review.packs import LabelPack, ReviewStatus, ValidationStatus
from labelkit.core.review.revisions import DiffSummary, Eligibility, Provenance, Revision
from labelkit.store.content import flags_text, overlay_rows

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from labelkit.core.review.annotations import FrameContent
    from labelkit.store.statements import Statements

_CURRENT = """
    FROM {table} t JOIN (
        SELECT frame_index, max(version) AS version FROM draft_frames
        WHERE draft_id = $draft AND epoch = $epoch AND version > $after AND version <= $upto
            AND ($all OR list_contains($frames, frame_index))
        GROUP BY frame_index
    ) newest ON t.frame_index = newest.frame_index AND t.version = newest.version
    WHERE t.draft_id = $draft AND t.epoch = $epoch
"""
_REVISIONS = """
    SELECT r.*, e.state, e.version AS eligibility_version, e.reason AS eligibility_reason, e.changed_by, e.changed_at
    FROM revisions r JOIN eligibility e ON e.revision_id = r.id JOIN label_packs p ON p.id = r.pack_id
"""


class ReviewRows:
    """Reads and writes the review's tables."""

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
                """UPDATE drafts SET base_object = $base, lineage = $lineage, epoch = $epoch, payload_schema = $schema, version = version + 1,
                       updated_at = $now, updated_by = $actor WHERE id = $draft AND version = $version RETURNING id""",
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

    def saved(self, save_id: str) -> int | None:
        """Return the version that a save (by its client's id) made, None where it never arrived."""
        row = self._tx.one("SELECT version FROM draft_saves WHERE save_id = $id", id=save_id)
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
        return overlay_rows(
            self._tx.frame("SELECT t.frame_index, t.state, t.flags, t.digest" + _CURRENT.format(table="draft_frames"), **bound),
            self._tx.frame("SELECT t.*" + _CURRENT.format(table="draft_annotations"), **bound),
        )

    def compact(self, draft: DraftHead) -> None:
        """Remove saved frames that a later save of the same epoch replaced."""
        for table in ("draft_annotations", "draft_frames"):
            self._tx.execute(
                f"""DELETE FROM {table} WHERE draft_id = $draft AND epoch = $epoch AND version < (
                    SELECT max(f.version) FROM draft_frames f
                    WHERE f.draft_id = $draft AND f.epoch = $epoch AND f.frame_index = {table}.frame_index)""",
                draft=draft.id,
                epoch=draft.epoch,
            )

    def next_epoch(self, draft: DraftHead) -> int:
        """Return an epoch that no saved frame of the draft has."""
        row = self._tx.one("SELECT max(epoch) AS epoch FROM draft_frames WHERE draft_id = $draft", draft=draft.id) or {}
        return max(int(row.get("epoch") or 0), draft.epoch) + 1

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

    # --- packs

    def packs(self, scope: Scope) -> list[LabelPack]:
        """Return the scope's label packs, newest first."""
        rows = self._tx.rows("SELECT * FROM label_packs WHERE scope_key = $key ORDER BY created_at DESC, id DESC", key=scope.key)
        return [_pack(row) for row in rows]

    def pack(self, pack: str) -> LabelPack | None:
        """Return a label pack by id."""
        row = self._tx.one("SELECT * FROM label_packs WHERE id = $pack", pack=pack)
        return None if row is None else _pack(row)

    def add_pack(self, pack: LabelPack, *, first: bool) -> None:
        """Insert a pack; as the scope's first one it claims the scope, which only one publish can."""
        if first:
            self._tx.insert("first_packs", [{"scope_key": pack.scope.key, "pack_id": pack.id}])
        self._tx.insert(
            "label_packs",
            [
                {
                    "id": pack.id,
                    "scope_key": pack.scope.key,
                    "workspace_id": pack.scope.workspace,
                    "media_id": pack.scope.media,
                    "capability": pack.scope.capability,
                    "review_status": pack.review_status,
                    "validation_status": pack.validation_status,
                    "version": pack.version,
                    "reason": pack.reason,
                    "created_at": pack.created_at,
                    "created_by": pack.created_by,
                    "updated_at": pack.updated_at,
                    "updated_by": pack.updated_by,
                }
            ],
        )

    def set_pack(self, pack: LabelPack, status: ReviewStatus, reason: str, actor: str) -> bool:
        """Write a pack's review status at its version. False where it has moved on."""
        return bool(
            self._tx.changed(
                """UPDATE label_packs SET review_status = $status, reason = $reason, version = version + 1,
                       updated_at = $now, updated_by = $actor WHERE id = $pack AND version = $version RETURNING id""",
                status=status,
                reason=reason,
                now=self._tx.now,
                actor=actor,
                pack=pack.id,
                version=pack.version,
            )
        )

    # --- revisions

    def history(self, scope: Scope) -> list[Revision]:
        """Return the scope's revisions, newest first."""
        rows = self._tx.rows(_REVISIONS + "WHERE p.scope_key = $key ORDER BY r.created_at DESC, r.number DESC", key=scope.key)
        return [_revision(row) for row in rows]

    def revision(self, revision: str) -> Revision | None:
        """Return a revision by id."""
        row = self._tx.one(_REVISIONS + "WHERE r.id = $id", id=revision)
        return None if row is None else _revision(row)

    def latest(self, pack: str) -> Revision | None:
        """Return a pack's newest revision."""
        row = self._tx.one(
            _REVISIONS + "WHERE r.pack_id = $pack AND r.number = (SELECT max(number) FROM revisions WHERE pack_id = $pack)", pack=pack
        )
        return None if row is None else _revision(row)

    def add_revision(self, revision: Revision, classes: pl.DataFrame, labeled_frames: int) -> None:
        """Insert a revision with its counts a class (label, annotation_count, frame_count) and its eligibility."""
        provenance = asdict(revision.provenance) | {"lineage": str(revision.provenance.lineage)}
        self._tx.insert(
            "revisions",
            [
                {
                    "id": revision.id,
                    "pack_id": revision.pack_id,
                    "number": revision.number,
                    "content_hash": revision.content_hash,
                    "content_object": revision.content_object,
                    "frame_count": revision.frame_count,
                    "labeled_frame_count": labeled_frames,
                    "annotation_count": revision.annotation_count,
                    "provenance": json.dumps(provenance),
                    "diff": json.dumps(asdict(revision.diff)),
                    "created_at": revision.created_at,
                }
            ],
        )
        if not classes.is_empty():
            self._tx.insert("revision_classes", classes.select(pl.lit(revision.id).alias("revision_id"), pl.all()))
        self._tx.insert(
            "eligibility",
            [
                {
                    "revision_id": revision.id,
                    "state": revision.eligibility,
                    "version": 1,
                    "reason": None,
                    "changed_by": None,
                    "changed_at": None,
                }
            ],
        )

    def set_eligibility(self, revision: str, version: int, state: Eligibility, reason: str | None, actor: str) -> bool:
        """Write a revision's eligibility at its version. False where it has moved on."""
        return bool(
            self._tx.changed(
                """UPDATE eligibility SET state = $state, version = version + 1, reason = $reason, changed_by = $actor, changed_at = $now
                   WHERE revision_id = $revision AND version = $version RETURNING revision_id""",
                state=state,
                reason=reason,
                actor=actor,
                now=self._tx.now,
                revision=revision,
                version=version,
            )
        )


def _scope(row: Mapping[str, Any]) -> Scope:
    return Scope(row["workspace_id"], row["media_id"], row["capability"])


def _head(row: Mapping[str, Any]) -> DraftHead:
    return DraftHead(
        id=row["id"],
        scope=_scope(row),
        version=row["version"],
        lineage=Lineage.parse(row["lineage"]),
        base_object=row["base_object"],
        epoch=row["epoch"],
        payload_schema=row["payload_schema"],
        created_at=row["created_at"],
        updated_at=row["updated_at"],
        updated_by=row["updated_by"],
    )


def _pack(row: Mapping[str, Any]) -> LabelPack:
    return LabelPack(
        id=row["id"],
        scope=_scope(row),
        review_status=ReviewStatus(row["review_status"]),
        validation_status=ValidationStatus(row["validation_status"]),
        version=row["version"],
        reason=row["reason"],
        created_at=row["created_at"],
        created_by=row["created_by"],
        updated_at=row["updated_at"],
        updated_by=row["updated_by"],
    )


def _revision(row: Mapping[str, Any]) -> Revision:
    provenance = json.loads(row["provenance"])
    diff = json.loads(row["diff"])
    return Revision(
        id=row["id"],
        pack_id=row["pack_id"],
        number=row["number"],
        content_hash=row["content_hash"],
        content_object=row["content_object"],
        frame_count=row["frame_count"],
        annotation_count=row["annotation_count"],
        created_at=row["created_at"],
        provenance=Provenance(**{**provenance, "lineage": Lineage.parse(provenance["lineage"]), "warnings": tuple(provenance["warnings"])}),
        diff=DiffSummary(**{**diff, "by_class": {name: tuple(counts) for name, counts in diff["by_class"].items()}}),
        eligibility=Eligibility(row["state"]),
        eligibility_version=row["eligibility_version"],
        eligibility_reason=row["eligibility_reason"],
        eligibility_by=row["changed_by"],
        eligibility_at=row["changed_at"],
    )
