"""Label packs and revisions: rows to core values and back."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import polars as pl

from labelkit.core.review.drafts import Lineage
from labelkit.core.review.packs import LabelPack, ReviewStatus, ValidationStatus
from labelkit.core.review.revisions import DiffSummary, Eligibility, Provenance, Revision
from labelkit.store.review.drafts import scope_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from labelkit.core.actors import Scope
    from labelkit.store.statements import Statements

_REVISIONS = """
    SELECT r.*, e.state, e.version AS eligibility_version, e.reason AS eligibility_reason, e.changed_by, e.changed_at
    FROM revisions r JOIN eligibility e ON e.revision_id = r.id JOIN label_packs p ON p.id = r.pack_id
"""


class PackRows:
    """Reads and writes packs, revisions and eligibility."""

    def __init__(self, tx: Statements) -> None:
        self._tx = tx

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


def _pack(row: Mapping[str, Any]) -> LabelPack:
    return LabelPack(
        id=row["id"],
        scope=scope_of(row),
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
