"""`ws.golden`: golden examples. Register types, add examples, judge them, and take them out as frames, versions and exports."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

import polars as pl

from labelkit.services.golden.examples import AddReport, Examples
from labelkit.services.golden.pipeline import Pipelines
from labelkit.services.golden.types import Types, type_of
from labelkit.store.golden import SCORES

if TYPE_CHECKING:
    from labelkit.store.acting import Gate

__all__ = ["AddReport", "Golden", "Types"]


class Golden(Examples, Pipelines):
    """Every use case of golden examples, for one workspace."""

    def __init__(self, gate: Gate) -> None:
        self._gate = gate

    @cached_property
    def types(self) -> Types:
        """The kinds of examples there are; register your own."""
        return Types(self._gate)

    def list(self) -> pl.DataFrame:
        """Return one row a type that has examples: type, examples, pending, validated, rejected, newest_at."""
        with self._gate.read() as (tx, _):
            return tx.golden.counts(self._gate.workspace.id)

    def to_polars(self, type: str | None = None, status: str | None = None, tier: str | None = None) -> pl.DataFrame:
        """Return examples, oldest first: example_id, type, input, expected_output and labels (canonical JSON texts), source_decision_id,
        status, version, reason, validator, validated_at, created_at, created_by, content_digest, quality_score and tier.

        The last two are of the newest scoring, null before one. Raises `NOT_FOUND` for a type that does not exist.
        """
        workspace = self._gate.workspace.id
        with self._gate.read() as (tx, _):
            if type is not None:
                type_of(tx, workspace, type)
            found = tx.golden.frame(workspace, type=type, status=status)
        scored = found.with_columns(pl.lit(None, kind).alias(name) for name, kind in SCORES.items())
        return scored if tier is None else scored.filter(pl.col("tier") == tier)
