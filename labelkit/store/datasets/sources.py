"""What builds are made from: facts of label packs as sets, and what was decided about each, kept as it was then."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from labelkit.core.datasets.eligibility import ExclusionReason, PackFacts, RevisionFacts, Verdict
from labelkit.core.review.packs import ReviewStatus, ValidationStatus

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import polars as pl

    from labelkit.store.statements import Statements

_WANTED = """SELECT DISTINCT unnest(from_json($ids::JSON, '["VARCHAR"]')) AS pack_id"""
_OF_CAPABILITY = "SELECT id AS pack_id FROM label_packs WHERE capability = $capability"
# One row a pack, whether it exists or not, with its newest revision of each eligibility. The columns are read in order by `_pack`.
_FACTS = """
    WITH wanted AS ({wanted}), ranked AS (
        SELECT r.*, e.state, row_number() OVER (PARTITION BY r.pack_id, e.state ORDER BY r.number DESC) AS place
        FROM revisions r JOIN wanted w ON w.pack_id = r.pack_id JOIN eligibility e ON e.revision_id = r.id
    ), newest AS (SELECT * FROM ranked WHERE place = 1)
    SELECT w.pack_id, p.id IS NOT NULL AS found, s.id AS workspace_id, s.name AS workspace, s.training_policy, m.id AS media_id,
        m.name AS media, m.group_key, m.camera_type, m.frames_object, m.frame_count, m.broken_frame_count,
        p.capability, p.review_status, p.validation_status, x.id IS NOT NULL AS has_revoked,
        a.id AS a1, a.number AS a2, a.content_hash AS a3, a.content_object AS a4, a.frame_count AS a5, a.labeled_frame_count AS a6,
        a.annotation_count AS a7, b.id AS b1, b.number AS b2, b.content_hash AS b3, b.content_object AS b4, b.frame_count AS b5,
        b.labeled_frame_count AS b6, b.annotation_count AS b7, m.split
    FROM wanted w
    LEFT JOIN label_packs p ON p.id = w.pack_id
    LEFT JOIN workspaces s ON s.id = p.workspace_id
    LEFT JOIN media m ON m.id = p.media_id
    LEFT JOIN newest a ON a.pack_id = w.pack_id AND a.state = 'APPROVED'
    LEFT JOIN newest b ON b.pack_id = w.pack_id AND b.state = 'REVIEWED'
    LEFT JOIN newest x ON x.pack_id = w.pack_id AND x.state = 'REVOKED'
"""

# None is that of a pack that does not exist.
_REVIEW: dict[str | None, ReviewStatus | None] = {None: None, **{str(status): status for status in ReviewStatus}}
_VALIDATION: dict[str | None, ValidationStatus | None] = {None: None, **{str(status): status for status in ValidationStatus}}


class SourceRows:
    """Reads the facts of packs and revisions, and keeps the verdicts of builds."""

    def __init__(self, tx: Statements) -> None:
        self._tx = tx

    def pack_facts(self, ids: Sequence[str]) -> list[PackFacts]:
        """Return the facts of each requested pack, found or not."""
        return _pack_facts(self._tx.frame(_FACTS.format(wanted=_WANTED), ids=json.dumps(list(ids))))

    def candidate_facts(self, capability: str) -> list[PackFacts]:
        """Return the facts of every pack of a capability, in all workspaces."""
        return _pack_facts(self._tx.frame(_FACTS.format(wanted=_OF_CAPABILITY), capability=capability))

    def class_counts(self, revisions: Sequence[str]) -> dict[str, dict[str, int]]:
        """Return the annotations of each class in these revisions (ids), by group."""
        rows = self._tx.frame(
            """SELECT m.group_key, c.label, sum(c.annotation_count)::BIGINT AS found
               FROM (SELECT unnest(from_json($ids::JSON, '["VARCHAR"]')) AS id) w
               JOIN revisions r ON r.id = w.id JOIN label_packs p ON p.id = r.pack_id JOIN media m ON m.id = p.media_id
               JOIN revision_classes c ON c.revision_id = r.id
               GROUP BY m.group_key, c.label""",
            ids=json.dumps(list(revisions)),
        )
        found: dict[str, dict[str, int]] = {}
        for group, label, count in rows.iter_rows():
            found.setdefault(group, {})[label] = count
        return found

    def add(self, build: str, verdicts: Sequence[Verdict]) -> None:
        """Keep what was decided about each requested pack of a build (id)."""
        self._tx.insert("build_sources", [_source_row(build, verdict) for verdict in verdicts])

    def verdicts(self, build: str) -> list[Verdict]:
        """Return what was decided about each requested pack of a build, by pack id."""
        rows = self._tx.rows(
            """SELECT s.*, r.content_object, r.frame_count AS revision_frames, r.labeled_frame_count, r.annotation_count, m.frames_object
               FROM build_sources s LEFT JOIN revisions r ON r.id = s.revision_id LEFT JOIN media m ON m.id = s.media_id
               WHERE s.build_id = $build ORDER BY s.pack_id""",
            build=build,
        )
        return [_verdict(row) for row in rows]


def _pack_facts(rows: pl.DataFrame) -> list[PackFacts]:
    """Return the facts of the rows of `_FACTS`: thousands at once, so column by column."""
    columns = [column.to_list() for column in rows.get_columns()]
    review, validation = [_REVIEW[one] for one in columns[13]], [_VALIDATION[one] for one in columns[14]]
    approved, reviewed = _revisions(columns[16:23]), _revisions(columns[23:30])
    found = zip(*columns[:13], review, validation, approved, reviewed, columns[15], columns[30], strict=True)
    return [PackFacts._make(facts) if facts[1] else PackFacts(facts[0], found=False) for facts in found]


def _revisions(columns: Sequence[Sequence[Any]]) -> list[RevisionFacts | None]:
    return [None if facts[0] is None else RevisionFacts._make(facts) for facts in zip(*columns, strict=True)]


def _source_row(build: str, verdict: Verdict) -> dict[str, object]:
    pack, revision = verdict.pack, verdict.revision
    return {
        "build_id": build,
        "pack_id": pack.pack_id,
        "reason": verdict.reason,
        "found": pack.found,
        "workspace_id": pack.workspace_id,
        "workspace": pack.workspace,
        "training_policy": pack.training_policy,
        "media_id": pack.media_id,
        "media": pack.media,
        "group_key": pack.group_key,
        "camera_type": pack.camera_type,
        "frame_count": pack.frame_count,
        "capability": pack.capability,
        "review_status": pack.review_status,
        "validation_status": pack.validation_status,
        "revision_id": revision.id if revision else None,
        "revision_number": revision.number if revision else None,
        "content_hash": revision.content_hash if revision else None,
        "has_revoked": pack.has_revoked,
    }


def _verdict(row: Mapping[str, Any]) -> Verdict:
    revision = None
    if row["revision_id"] is not None:
        counts = (row["revision_frames"], row["labeled_frame_count"], row["annotation_count"])
        revision = RevisionFacts(row["revision_id"], row["revision_number"], row["content_hash"], row["content_object"], *counts)
    names = ("found", "workspace_id", "workspace", "training_policy", "media_id", "media", "group_key", "camera_type", "frame_count")
    pack = PackFacts(
        row["pack_id"],
        **{name: row[name] for name in (*names, "capability", "has_revoked")},
        frames_object=row["frames_object"] or "",
        review_status=ReviewStatus(row["review_status"]),
        validation_status=ValidationStatus(row["validation_status"]),
    )
    return Verdict(pack, revision, None if row["reason"] is None else ExclusionReason(row["reason"]))
