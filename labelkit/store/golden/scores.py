"""Scorings in the store: which object holds the newest scores of a type, by which policy; and what is read from these objects."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import polars as pl

from labelkit.core.golden.examples import Status
from labelkit.core.golden.reasons import Code, Reason
from labelkit.core.golden.score_rules import ScorePolicy
from labelkit.core.golden.scoring import Facts
from labelkit.core.hashing import canonical_json, digest_of_lines
from labelkit.store.place import quoted
from labelkit.store.versions.canonical import canonical, chunk_digests, schema_text

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime
    from pathlib import Path

    from labelkit.core.golden.score_rules import TypeRules
    from labelkit.store.objects import Objects
    from labelkit.store.statements import Statements

_BATCH = 1 << 17  # rows; part of what a digest of scores is
QUALITY: dict[str, pl.DataType] = {"quality_score": pl.Float64(), "tier": pl.String()}


@dataclass(frozen=True, slots=True)
class Scoring:
    """One scoring of all examples of a type: `object` names the scores, `digest` their rows, `policy` has the rules of this type only."""

    type: str
    number: int
    object: str
    digest: str
    policy: ScorePolicy
    examples: int
    created_at: datetime
    created_by: str

    @property
    def rules(self) -> TypeRules:
        """Return the rules of the type."""
        return self.policy.types[self.type]


def newest(tx: Statements, workspace: str, type: str | None = None) -> list[Scoring]:
    """Return the newest scoring of a type of a workspace (id), or of each type, by name; none where nothing was scored."""
    rows = tx.rows(
        """SELECT example_type, number, scores_object, scores_digest, policy, example_count, created_at, created_by FROM golden_scorings s
           WHERE workspace_id = $workspace AND (CAST($type AS TEXT) IS NULL OR example_type = $type) AND number =
               (SELECT max(n.number) FROM golden_scorings n WHERE n.workspace_id = s.workspace_id AND n.example_type = s.example_type)
           ORDER BY example_type""",
        workspace=workspace,
        type=type,
    )
    return [
        Scoring(
            row["example_type"],
            row["number"],
            row["scores_object"],
            row["scores_digest"],
            ScorePolicy.model_validate_json(row["policy"]),
            row["example_count"],
            row["created_at"],
            row["created_by"],
        )
        for row in rows
    ]


def hand_out(tx: Statements, workspace: str, type: str, file: Path) -> None:
    """Write the examples of a type of a workspace (id), as scoring reads them, to a Parquet file."""
    tx.execute(
        f"""COPY (SELECT example_id, type, input, expected_output, labels, status, version FROM examples
                WHERE workspace_id = $workspace AND type = $type) TO {quoted(str(file))} (FORMAT parquet, COMPRESSION lz4)""",
        workspace=workspace,
        type=type,
    )


def add(
    tx: Statements, workspace: str, type: str, *, scores_object: str, digest: str, policy: ScorePolicy, examples: int, actor: str
) -> None:
    """Append a scoring of a type. Who comes second to the same number is the use case's conflict."""
    before = newest(tx, workspace, type)
    row = {
        "workspace_id": workspace,
        "example_type": type,
        "number": before[0].number + 1 if before else 1,
        "scores_object": scores_object,
        "scores_digest": digest,
        "policy": canonical_json(policy.model_dump(mode="json")).decode(),
        "policy_digest": policy.digest,
        "example_count": examples,
        "created_at": tx.now,
        "created_by": actor,
    }
    tx.insert("golden_scorings", [row])


def digest_of_scores(file: Path) -> tuple[str, int]:
    """Return the sha256 of the scores in a file, which are in order of their ids, whatever engine made them; and how many there are."""
    scores = pl.scan_parquet(file, glob=False)
    rows = int(scores.select(pl.len()).collect().item())
    digests: list[str] = []
    for start in range(0, rows, _BATCH):
        batch = canonical(scores.slice(start, _BATCH).collect(), "example_id")
        digests += chunk_digests(batch, [0, batch.height], schema_text(batch))
    return digest_of_lines(digests).value, rows


def qualities(objects: Objects, scorings: Iterable[Scoring]) -> pl.DataFrame:
    """Return example_id, quality_score and tier of all examples of these scorings."""
    found = [one.object for one in scorings]
    if not found:
        return pl.DataFrame(schema={"example_id": pl.String(), **QUALITY})
    return objects.scan(found).select("example_id", pl.col("total").alias("quality_score"), "tier").collect()


def score_row(objects: Objects, scoring: Scoring, example_id: str) -> dict[str, Any] | None:
    """Return the score of one example with what it was made of, None where it was not scored."""
    found = objects.scan([scoring.object]).filter(pl.col("example_id") == example_id).collect()
    return found.row(0, named=True) if found.height else None


def facts_of(row: dict[str, Any], rules: TypeRules) -> Facts:
    """Return what an example was scored by; `scored` gives the row's score from it again."""
    reasons = [Reason.parsed(text) for text in row["reasons"]]
    codes = {reason.code for reason in reasons}
    missing = tuple(reason.about for reason in reasons if reason.code is Code.REQUIRED_FIELD_MISSING)
    blank = {reason.about for reason in reasons if reason.code is Code.FIELD_BLANK} | (set(missing) & set(rules.filled))
    return Facts(
        status=Status(row["status"]),
        missing=missing,
        blank=tuple(field for field in rules.filled if field in blank),
        elsewhere=Code.VERIFIED_ELSEWHERE in codes,
        outcome=row["outcome"],
        similar=row["similar_count"],
        agreeing=row["agreeing_count"],
        label_quality=row["label_quality"],
        agreement=row["agreement"],
        confidence=row["confidence"],
        documented=Code.EDGE_CASE_UNDOCUMENTED not in codes,
        has_class=Code.CLASS_UNKNOWN not in codes,
        class_rarity=row["class_rarity"],
        slice_rarity=row["slice_rarity"],
        balance=row["balance"],
    )
