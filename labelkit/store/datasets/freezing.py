"""Frozen test sets in the store: their states and history, trainings under way, and the ledger of who evaluated on what."""

from __future__ import annotations

import json
import socket
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import polars as pl

from labelkit.core.datasets.freezing import FreezeEvent, FreezeState, FreezeStep, Freezing, Lease
from labelkit.store.ids import new_id
from labelkit.store.liveness import holder, is_gone

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from labelkit.store.statements import Statements

_VERSIONS = """
    SELECT v.id AS version_id, v.build_id, v.snapshot_id, d.workspace_id, d.name || ' v' || v.number || ' (' || v.id || ')' AS title
    FROM dataset_versions v JOIN datasets d ON d.id = v.dataset_id
"""
_LEASES = """
    SELECT l.id, l.version_id, d.name || ' v' || v.number AS dataset, l.split, l.purpose, l.actor, l.host, l.holder, l.opened_at,
        l.lease_until
    FROM training_leases l JOIN dataset_versions v ON v.id = l.version_id JOIN datasets d ON d.id = v.dataset_id
    WHERE l.ended_at IS NULL
    ORDER BY l.id
"""


@dataclass(frozen=True, slots=True)
class VersionRow:
    """A built dataset version as far as its sources are looked at; `title` has name, number and id."""

    version_id: str
    build_id: str
    snapshot_id: str
    workspace_id: str
    title: str


class FreezingRows:
    """Reads and writes the tables of frozen test sets."""

    def __init__(self, tx: Statements) -> None:
        self._tx = tx

    # --- states

    def state(self, version: str) -> Freezing:
        """Return the frozen state of a dataset version (id) with its newest freeze and unfreeze."""
        head = self._tx.one("SELECT number, state FROM freeze_heads WHERE version_id = $version", version=version)
        if head is None:
            return Freezing()
        events = self._tx.rows(
            """SELECT number, step, actor, changed_at AS at, reason FROM freeze_events e
               WHERE version_id = $version AND number = (SELECT max(number) FROM freeze_events
                   WHERE version_id = e.version_id AND step = e.step)""",
            version=version,
        )
        newest = {event["step"]: FreezeEvent(**{**event, "step": FreezeStep(event["step"])}) for event in events}
        return Freezing(FreezeState(head["state"]), head["number"], newest.get(FreezeStep.FREEZE), newest.get(FreezeStep.UNFREEZE))

    def save(self, version: VersionRow, after: Freezing, event: FreezeEvent, *, manifest_hash: str) -> None:
        """Append the event and move the head. Who comes second to the same number is the use case's conflict."""
        self._tx.insert(
            "freeze_events",
            [
                {
                    "version_id": version.version_id,
                    "number": event.number,
                    "step": event.step,
                    "actor": event.actor,
                    "reason": event.reason,
                    "workspace_id": version.workspace_id,
                    "manifest_hash": manifest_hash,
                    "changed_at": event.at,
                }
            ],
        )
        head = {"version_id": version.version_id, "number": after.version, "state": after.state}
        if event.number == 1:
            self._tx.insert("freeze_heads", [head])
        else:
            self._tx.execute("UPDATE freeze_heads SET number = $number, state = $state WHERE version_id = $version_id", **head)
        if after.is_frozen:
            self._tx.execute(
                """INSERT INTO frozen_content (version_id, content_object)
                   SELECT $version, chunk_object FROM snapshot_chunks WHERE snapshot_id = $snapshot""",
                version=version.version_id,
                snapshot=version.snapshot_id,
            )
        else:
            self._tx.execute("DELETE FROM frozen_content WHERE version_id = $version", version=version.version_id)

    def protected_objects(self) -> list[str]:
        """Return the objects of all frozen content, in order: no collection may remove one of them."""
        found = self._tx.rows("SELECT DISTINCT content_object FROM frozen_content ORDER BY content_object")
        return [row["content_object"] for row in found]

    def frozen(self) -> list[VersionRow]:
        """Return every frozen dataset version of the store, the newest first."""
        rows = self._tx.rows(
            f"{_VERSIONS} JOIN freeze_heads h ON h.version_id = v.id WHERE h.state = 'frozen' ORDER BY v.id DESC",
        )
        return [VersionRow(**row) for row in rows]

    def version(self, version: str) -> VersionRow:
        """Return a built dataset version."""
        row = self._tx.one(f"{_VERSIONS} WHERE v.id = $version", version=version)
        if row is None:
            raise LookupError(f"no built dataset version {version}")
        return VersionRow(**row)

    def marks(self) -> frozenset[tuple[str, int]]:
        """Return what is frozen now, each with the number of its newest event: equal marks, equal frozen sets."""
        rows = self._tx.rows("SELECT version_id, number FROM freeze_heads WHERE state = 'frozen'")
        return frozenset((row["version_id"], row["number"]) for row in rows)

    def history(self, version: str) -> pl.DataFrame:
        """Return every change of a version's frozen state and every refused attempt, newest first; attempts have no number."""
        found = self._tx.frame(
            """SELECT changed_at, number, step AS action, actor, TRUE AS allowed, NULL AS code, reason, NULL AS facts
               FROM freeze_events WHERE version_id = $version
               UNION ALL
               SELECT recorded_at, NULL, action, actor, FALSE, code, NULL, facts
               FROM audit WHERE subject = $subject AND action IN ('freeze', 'unfreeze') AND NOT allowed
               ORDER BY changed_at DESC, number DESC NULLS FIRST""",
            version=version,
            subject=f"dataset:{version}",
        )
        detail = pl.col("facts").cast(pl.String).str.json_path_match("$.detail").alias("detail")
        return found.with_columns(pl.col("code", "reason").cast(pl.String), detail).drop("facts")

    # --- trainings

    def open_lease(self, version: str, *, split: str | None, purpose: str | None, actor: str, until: datetime) -> str:
        """Write that this process trains on a dataset version, or on one split of it, and return the lease's id."""
        row = {
            "id": new_id("lse"),
            "version_id": version,
            "split": split,
            "purpose": purpose,
            "actor": actor,
            "host": socket.gethostname(),
            "holder": holder(),
            "opened_at": self._tx.now,
            "lease_until": until,
            "ended_at": None,
            "ended_by": None,
        }
        self._tx.insert("training_leases", [row])
        return str(row["id"])

    def beat(self, lease: str, until: datetime) -> bool:
        """Prolong an open lease. False where it was given up."""
        return self._changed("lease_until = $at", lease, until)

    def end_lease(self, lease: str, by: str) -> bool:
        """End an open lease as `closed` or `lost`. False where it has ended before."""
        return self._changed("ended_at = $at, ended_by = $by", lease, self._tx.now, by=by)

    def leases(self) -> tuple[list[Lease], list[Lease]]:
        """Return the open leases of the store: the living, and those whose process is gone or silent for too long."""
        found = [Lease(**row) for row in self._tx.rows(_LEASES)]
        lost = [lease for lease in found if lease.lease_until < self._tx.now or is_gone(lease.holder)]
        return [lease for lease in found if lease not in lost], lost

    def _changed(self, change: str, lease: str, at: datetime, **more: object) -> bool:
        sql = f"UPDATE training_leases SET {change} WHERE id = $lease AND ended_at IS NULL RETURNING id"
        return bool(self._tx.changed(sql, lease=lease, at=at, **more))

    # --- the holdout ledger

    def add_evaluation(
        self, version: VersionRow, *, was_frozen: bool, split: str | None, model: str | None, purpose: str | None, actor: str
    ) -> str:
        """Write that somebody looks at a dataset version to judge a model by it, and return the entry's id."""
        row = {
            "id": new_id("evl"),
            "workspace_id": version.workspace_id,
            "version_id": version.version_id,
            "was_frozen": was_frozen,
            "split": split,
            "model": model,
            "purpose": purpose,
            "actor": actor,
            "evaluated_at": self._tx.now,
        }
        self._tx.insert("evaluations", [row])
        return str(row["id"])

    def add_result(self, evaluation: str, metrics: Mapping[str, Any]) -> None:
        """Write what came of an evaluation, once."""
        self._tx.insert("evaluation_results", [{"evaluation_id": evaluation, "metrics": json.dumps(metrics), "recorded_at": self._tx.now}])

    def ledger(self, workspace: str, version: str | None) -> pl.DataFrame:
        """Return the evaluations on the workspace's datasets, or on one version, newest first.

        `look` counts the evaluations on the same version up to this one, `looks_of_model` those of the same model on it.
        """
        return self._tx.frame(
            """SELECT e.evaluated_at, d.name AS dataset, v.number AS version, e.version_id AS id, e.was_frozen, e.split, e.model, e.purpose,
                   e.actor, row_number() OVER (PARTITION BY e.version_id ORDER BY e.id) AS look,
                   row_number() OVER (PARTITION BY e.version_id, e.model ORDER BY e.id) AS looks_of_model, r.metrics,
                   e.id AS evaluation_id
               FROM evaluations e JOIN dataset_versions v ON v.id = e.version_id JOIN datasets d ON d.id = v.dataset_id
               LEFT JOIN evaluation_results r ON r.evaluation_id = e.id
               WHERE e.workspace_id = $workspace AND ($version::TEXT IS NULL OR e.version_id = $version)
               ORDER BY e.id DESC""",
            workspace=workspace,
            version=version,
        )
