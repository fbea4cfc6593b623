"""Extractions in the store: which place each candidate takes among the examples that are there, and the record of every run."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

from labelkit.core.golden.pipeline import Place, Reason, Tally
from labelkit.store.ids import new_id

if TYPE_CHECKING:
    from pathlib import Path

    from labelkit.store.statements import Statements

# What is asked to be placed: one row a row of the source that fits its type.
CANDIDATES: dict[str, pl.DataType] = {
    "row": pl.Int64(),
    "decision_id": pl.String(),
    "example_id": pl.String(),
    "labels": pl.String(),
}

_PLACED = f"""
    WITH held AS MATERIALIZED (
        SELECT g.row, g.decision_id, g.example_id, e.example_id IS NOT NULL AS there, e.labels <> g.labels AS other_labels
        FROM read_parquet($candidates) g
        LEFT JOIN examples e ON e.workspace_id = $workspace AND e.example_id = g.example_id
    ), clashes AS MATERIALIZED (
        SELECT decision_id FROM held WHERE NOT there AND decision_id IS NOT NULL
        GROUP BY decision_id HAVING min(example_id) <> max(example_id)
    ), firsts AS MATERIALIZED (
        SELECT h.example_id, min(h.row) AS first FROM held h
        WHERE NOT h.there AND NOT EXISTS (SELECT 1 FROM clashes c WHERE c.decision_id = h.decision_id)
        GROUP BY h.example_id
    ), known AS MATERIALIZED (
        SELECT decision_id, max(example_id) AS before FROM (
            SELECT source_decision_id AS decision_id, example_id FROM example_contents
            WHERE workspace_id = $workspace AND type = $type AND source_decision_id IS NOT NULL
            UNION ALL
            SELECT decision_id, example_id FROM extraction_links WHERE workspace_id = $workspace AND type = $type
        ) GROUP BY decision_id
    )
    SELECT h.row, h.decision_id, h.example_id,
        CASE WHEN h.there THEN '{Place.PRESENT}' WHEN c.decision_id IS NOT NULL THEN '{Place.REFUSED}'
             WHEN f.first < h.row THEN '{Place.DUPLICATE}' WHEN k.decision_id IS NOT NULL THEN '{Place.CHANGED}'
             ELSE '{Place.NEW}' END AS place,
        CASE WHEN NOT h.there AND c.decision_id IS NOT NULL THEN '{Reason.CONFLICTING_DECISION}' END AS code,
        f.first AS same_as, k.before, coalesce(h.other_labels, FALSE) AS other_labels
    FROM held h
    LEFT JOIN clashes c ON c.decision_id = h.decision_id
    LEFT JOIN firsts f ON f.example_id = h.example_id
    LEFT JOIN known k ON k.decision_id = h.decision_id
    ORDER BY h.row
"""


@dataclass(frozen=True, slots=True)
class ExtractionRow:
    """One run as it is kept; `plan` is the digest of all that decides which rows become what, `watermark` canonical JSON."""

    id: str
    type: str
    type_version: int
    source_kind: str
    source: str
    plan: str
    mapping: str
    filters: str
    quality_threshold: float | None
    tally: Tally
    since: str | None
    watermark: str | None


class ExtractionRows:
    """Reads and appends the extractions of workspaces (ids)."""

    def __init__(self, tx: Statements) -> None:
        self._tx = tx

    def placed(self, workspace: str, type: str, candidates: Path) -> pl.DataFrame:
        """Return where each candidate (a Parquet file with the columns of `CANDIDATES`) ends, in order of their rows.

        Columns: row, decision_id, example_id, place, code (CONFLICTING_DECISION where refused), same_as (the first row with that content),
        before (an example of the same decision), other_labels (the example is there with other labels).
        """
        return self._tx.frame(_PLACED, candidates=str(candidates), workspace=workspace, type=type)

    def link(self, workspace: str, type: str, extraction: str, links: Path) -> None:
        """Keep which decisions stand behind which examples; `links` is a Parquet file with decision_id and example_id."""
        self._tx.execute(
            """INSERT INTO extraction_links (workspace_id, type, decision_id, example_id, extraction_id)
               SELECT DISTINCT $workspace, $type, n.decision_id, n.example_id, $extraction FROM read_parquet($links) n
               WHERE NOT EXISTS (
                   SELECT 1 FROM extraction_links l WHERE l.workspace_id = $workspace AND l.type = $type
                     AND l.decision_id = n.decision_id AND l.example_id = n.example_id)
                 AND NOT EXISTS (
                   SELECT 1 FROM example_contents c WHERE c.workspace_id = $workspace AND c.example_id = n.example_id
                     AND c.source_decision_id = n.decision_id)""",
            workspace=workspace,
            type=type,
            extraction=extraction,
            links=str(links),
        )

    def add(self, workspace: str, row: ExtractionRow, actor: str) -> None:
        """Append a run."""
        self._tx.insert(
            "extractions",
            [
                {
                    "id": row.id,
                    "workspace_id": workspace,
                    "type": row.type,
                    "type_version": row.type_version,
                    "source_kind": row.source_kind,
                    "source": row.source,
                    "plan_digest": row.plan,
                    "mapping_digest": row.mapping,
                    "filters_digest": row.filters,
                    "quality_threshold": row.quality_threshold,
                    "counts": json.dumps(row.tally.as_json(), sort_keys=True, ensure_ascii=False),
                    "since_column": row.since,
                    "watermark": row.watermark,
                    "created_at": self._tx.now,
                    "created_by": actor,
                }
            ],
        )

    def watermark(self, workspace: str, plan: str) -> str | None:
        """Return how far the newest run of a plan looked."""
        row = self._tx.one(
            """SELECT watermark FROM extractions WHERE workspace_id = $workspace AND plan_digest = $plan AND watermark IS NOT NULL
               ORDER BY id DESC LIMIT 1""",
            workspace=workspace,
            plan=plan,
        )
        return None if row is None else str(row["watermark"])

    def listed(self, workspace: str, type: str | None = None) -> pl.DataFrame:
        """Return one row a run, newest first: what was read from where, how many rows ended in each place, how far it looked, who, when."""
        found = self._tx.frame(
            """SELECT id, type, source_kind, source, counts, quality_threshold, since_column AS since, watermark, mapping_digest,
                   created_at, created_by
               FROM extractions WHERE workspace_id = $workspace AND ($type::VARCHAR IS NULL OR type = $type) ORDER BY id DESC""",
            workspace=workspace,
            type=type,
        )
        tallies = [Tally.of_json(json.loads(text)) for text in found["counts"]]
        places = [pl.Series(str(place), [tally.count(place) for tally in tallies], dtype=pl.Int64()) for place in Place]
        read = pl.Series("read", [tally.read for tally in tallies], dtype=pl.Int64())
        order = ("id", "type", "source_kind", "source", "read", *map(str, Place))
        return found.with_columns(read, *places).drop("counts").select(*order, pl.exclude(*order))


def new_extraction_id() -> str:
    """Return the id of a run."""
    return new_id("ext")
