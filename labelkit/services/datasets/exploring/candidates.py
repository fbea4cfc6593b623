"""What there is to build from: every pack of a capability, with what a build would do with it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from labelkit.core.actors import Action
from labelkit.core.datasets.eligibility import Policy, judge

if TYPE_CHECKING:
    from labelkit.store.acting import Gate

CANDIDATES = {
    "pack_id": pl.String(),
    "workspace": pl.String(),
    "media": pl.String(),
    "group_key": pl.String(),
    "camera_type": pl.String(),
    "review_status": pl.String(),
    "validation_status": pl.String(),
    "revision_id": pl.String(),
    "revision_number": pl.Int32(),
    "frames": pl.Int32(),
    "annotations": pl.Int64(),
    "included": pl.Boolean(),
    "reason": pl.String(),
    "why": pl.String(),
}


def candidates(gate: Gate, capability: str) -> pl.DataFrame:
    """Return one row a pack of the workspaces that the actor may read, as `ws.datasets.candidates` describes it."""
    with gate.read() as (tx, actor):
        tx.media.capability(gate.workspace.id, capability)
        facts = tx.datasets.sources.candidate_facts(capability)
    readable = frozenset(pack.workspace_id for pack in facts if actor.may(Action.READ, pack.workspace_id))
    verdicts = judge([pack for pack in facts if pack.workspace_id in readable], Policy(capability, readable))
    rows = [
        (
            verdict.pack_id,
            verdict.pack.workspace,
            verdict.pack.media,
            verdict.pack.group_key,
            verdict.pack.camera_type,
            str(verdict.pack.review_status),
            str(verdict.pack.validation_status),
            revision.id if revision else None,
            revision.number if revision else None,
            revision.frame_count if revision else None,
            revision.annotation_count if revision else None,
            verdict.included,
            None if verdict.reason is None else str(verdict.reason),
            verdict.why,
        )
        for verdict in verdicts
        for revision in [verdict.revision]
    ]
    return pl.DataFrame(rows, schema=CANDIDATES, orient="row").sort("workspace", "media", "pack_id")
