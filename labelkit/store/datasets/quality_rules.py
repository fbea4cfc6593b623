"""A team's own quality rules in the store: one row a version, the policy that follows from the newest, and all versions as a frame."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import polars as pl

from labelkit.core.datasets.quality import POLICY, QualityPolicy
from labelkit.core.datasets.quality_rules import QualityRule

if TYPE_CHECKING:
    from collections.abc import Sequence

    from labelkit.store.statements import Statements

RULE = pl.Struct(
    {
        "code": pl.String(),
        "severity": pl.String(),
        "measure": pl.String(),
        "below": pl.Float64(),
        "above": pl.Float64(),
        "message": pl.String(),
    }
)
_OF = "FROM quality_rules WHERE workspace_id = $workspace AND capability = $capability ORDER BY version DESC"


class QualityRuleRows:
    """Reads and appends the quality rules of workspaces (ids)."""

    def __init__(self, tx: Statements) -> None:
        self._tx = tx

    def policy(self, workspace: str, capability: str) -> QualityPolicy:
        """Return what datasets of a capability are judged by now."""
        row = self._newest(workspace, capability)
        if row is None:
            return POLICY.with_own(capability, 0, ())
        number, rules = row
        return POLICY.with_own(capability, number, [rule.rule for rule in rules])

    def add(self, workspace: str, capability: str, rules: Sequence[QualityRule], *, reason: str, actor: str) -> int:
        """Append a version and return its number. Who comes second to the same number is the use case's conflict."""
        newest = self._newest(workspace, capability)
        number = 1 if newest is None else newest[0] + 1
        self._tx.insert(
            "quality_rules",
            [
                {
                    "workspace_id": workspace,
                    "capability": capability,
                    "version": number,
                    "rules": json.dumps([rule.model_dump(mode="json") for rule in rules], ensure_ascii=False),
                    "reason": reason,
                    "created_at": self._tx.now,
                    "created_by": actor,
                }
            ],
        )
        return number

    def history(self, workspace: str, capability: str) -> pl.DataFrame:
        """Return every version, newest first: version, set_at, set_by, reason, rules (a list of structs)."""
        found = self._tx.frame(
            f"SELECT version, created_at AS set_at, created_by AS set_by, reason, rules {_OF}", workspace=workspace, capability=capability
        )
        return found.with_columns(pl.col("rules").str.json_decode(pl.List(RULE)))

    def _newest(self, workspace: str, capability: str) -> tuple[int, list[QualityRule]] | None:
        row = self._tx.one(f"SELECT version, rules {_OF} LIMIT 1", workspace=workspace, capability=capability)
        return None if row is None else (row["version"], [QualityRule.model_validate(rule) for rule in json.loads(row["rules"])])
