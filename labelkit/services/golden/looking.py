"""Looking at examples: one, all of a kind, how many there are, and what happened to each."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from labelkit.core.golden.examples import Example, Status
from labelkit.core.golden.tiers import Tier
from labelkit.errors import InvalidValue
from labelkit.services.golden.judging import not_found
from labelkit.services.golden.types import type_of
from labelkit.store.golden import scores as golden_scores
from labelkit.store.golden.examples import example_of

if TYPE_CHECKING:
    from labelkit.store.acting import Gate


class Looking:
    """The use cases that change nothing, for one workspace."""

    _gate: Gate

    def get(self, example_id: str) -> Example:
        """Return an example by its id, with the quality score and tier of the newest scoring. Raises `NOT_FOUND`, `PERMISSION_DENIED`."""
        workspace = self._gate.workspace.id
        with self._gate.read() as (tx, _):
            row = tx.golden.find(workspace, example_id)
            if row is None:
                raise not_found(tx, workspace, [example_id])
            scorings = golden_scores.newest(tx, workspace, row["type"])
        score = golden_scores.score_row(self._gate.database.objects, scorings[0], example_id) if scorings else None
        return example_of(row | ({} if score is None else {"quality_score": score["total"], "tier": score["tier"]}))

    def list(self) -> pl.DataFrame:
        """Return one row a type that has examples, by name: type, examples, pending, validated, rejected, newest_at."""
        with self._gate.read() as (tx, _):
            return tx.golden.counts(self._gate.workspace.id)

    def to_polars(self, type: str | None = None, status: str | None = None, tier: str | None = None) -> pl.DataFrame:
        """Return one row an example, those of a type, status and tier where these are given, oldest first.

        Columns: example_id, type, input, expected_output and labels (canonical JSON texts), source_decision_id, status, version, reason,
        validator, validated_at, created_at, created_by, content_digest, quality_score and tier; the last two are of the newest scoring,
        null before one. Raises `NOT_FOUND` (the type), `INVALID_VALUE` (a status or tier that there is not), `PERMISSION_DENIED`.
        """
        workspace = self._gate.workspace.id
        wanted = None if tier is None else Tier.named(tier)
        status = checked_status(status)
        with self._gate.read() as (tx, _):
            if type is not None:
                type_of(tx, workspace, type)
            found = tx.golden.frame(workspace, type=type, status=status)
            scorings = golden_scores.newest(tx, workspace, type)
        qualities = golden_scores.qualities(self._gate.database.objects, scorings)
        scored = found.join(qualities, on="example_id", how="left", maintain_order="left")
        return scored if wanted is None else scored.filter(pl.col("tier") == wanted.value)

    def history(self, example_id: str) -> pl.DataFrame:
        """Return what happened to an example, the newest first, down to its adding.

        Columns: version, step, from, to (statuses), labels_before, labels_after, actor, changed_at, reason. Raises `NOT_FOUND`,
        `PERMISSION_DENIED`.
        """
        workspace = self._gate.workspace.id
        with self._gate.read() as (tx, _):
            found = tx.golden.history(workspace, example_id)
            if found.is_empty():
                raise not_found(tx, workspace, [example_id])
        return found


def checked_status(status: str | None) -> str | None:
    """Return a status if there is such a one. Raises `INVALID_VALUE`."""
    if status is not None and status not in list(Status):
        raise InvalidValue(what="status", reason=f"there is no status {status!r}", fix=f"Use one of: {', '.join(Status)}.")
    return status
