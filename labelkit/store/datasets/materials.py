"""Materializations as rows: where the frames of a version come from, how far its files are, and every run that has ended."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from labelkit.core.datasets.materialization import MaterializationReport, MaterializationStatus, Mode, Tally
from labelkit.store.liveness import holder, is_gone

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    import polars as pl

    from labelkit.store.statements import Statements

LEASE = timedelta(seconds=60)
KEPT_FAILURES = 100


@dataclass(frozen=True, slots=True)
class MediaSource:
    """A media that a version has frames of; `workspace` and `media` are the names in its samples."""

    media_id: str
    workspace_id: str
    workspace: str
    media: str
    kind: str
    root: str
    frames_object: str
    added_at: datetime


@dataclass(frozen=True, slots=True)
class MaterialHead:
    """How far the files of a version are: the newest run that counts, its place, and what it has done so far."""

    version_id: str
    run_id: str
    mode: Mode
    target: str
    status: MaterializationStatus
    tally: Tally
    updated_at: datetime
    updated_by: str


class MaterialRows:
    """Reads and writes materializations inside one unit of work."""

    def __init__(self, tx: Statements) -> None:
        self._tx = tx

    def sources(self, build: str) -> list[MediaSource]:
        """Return the media of a build's included packs, by workspace and name."""
        rows = self._tx.rows(
            """SELECT m.id AS media_id, m.workspace_id, s.workspace, s.media, m.kind, m.root, m.frames_object, m.created_at AS added_at
               FROM build_sources s JOIN media m ON m.id = s.media_id
               WHERE s.build_id = $build AND s.reason IS NULL ORDER BY s.workspace, s.media""",
            build=build,
        )
        return [MediaSource(**row) for row in rows]

    def head(self, version: str) -> MaterialHead | None:
        """Return how far a version is, None where nobody asked. A run whose process is gone, or whose lease has run out, is partial."""
        row = self._tx.one("SELECT * FROM materialization_heads WHERE version_id = $version", version=version)
        if row is None:
            return None
        return MaterialHead(
            row["version_id"],
            row["run_id"],
            Mode(row["mode"]),
            row["target"],
            _status(row, self._tx.now),
            Tally(**json.loads(row["tally"])),
            row["updated_at"],
            row["updated_by"],
        )

    def start(self, version: str, run: str, mode: Mode, target: str, tally: Tally, actor: str) -> None:
        """Make a run the one that counts for a version."""
        state = {
            "run_id": run,
            "mode": mode,
            "target": target,
            "status": MaterializationStatus.PENDING,
            "tally": json.dumps(asdict(tally)),
            "holder": holder(),
            "lease_until": self._tx.now + LEASE,
            "updated_at": self._tx.now,
            "updated_by": actor,
        }
        changes = ", ".join(f"{name} = ${name}" for name in state)
        there = self._tx.changed(
            f"UPDATE materialization_heads SET {changes} WHERE version_id = $version RETURNING run_id", version=version, **state
        )
        if not there:
            self._tx.insert("materialization_heads", [{"version_id": version, **state}])

    def beat(self, run: str, tally: Tally) -> None:
        """Keep how far a run is, and that it lives."""
        self._tx.execute(
            "UPDATE materialization_heads SET tally = $tally, lease_until = $until, updated_at = $now WHERE run_id = $run",
            tally=json.dumps(asdict(tally)),
            until=self._tx.now + LEASE,
            now=self._tx.now,
            run=run,
        )

    def end(self, report: MaterializationReport, version: str, started_at: datetime, actor: str) -> None:
        """Append a run that has ended; the head says so where the run is the one that counts."""
        tally = json.dumps(asdict(report.tally))
        self._tx.execute(
            "UPDATE materialization_heads SET status = $status, tally = $tally, updated_at = $now WHERE run_id = $run",
            status=report.status,
            tally=tally,
            now=self._tx.now,
            run=report.id,
        )
        self._tx.insert(
            "materialization_runs",
            [
                {
                    "id": report.id,
                    "version_id": version,
                    "mode": report.mode,
                    "target": report.target,
                    "status": report.status,
                    "tally": tally,
                    "failures": json.dumps([asdict(one) for one in report.failures[:KEPT_FAILURES]]),
                    "cancelled": report.cancelled,
                    "started_at": started_at,
                    "ended_at": self._tx.now,
                    "created_by": actor,
                }
            ],
        )

    def runs(self, version: str) -> pl.DataFrame:
        """Return the runs of a version that have ended, newest first; tally and failures are JSON text."""
        return self._tx.frame(
            "SELECT id, mode, target, status, tally, failures, cancelled, started_at, ended_at, created_by"
            " FROM materialization_runs WHERE version_id = $version ORDER BY id DESC",
            version=version,
        )


def _status(row: Mapping[str, Any], now: datetime) -> MaterializationStatus:
    status = MaterializationStatus(row["status"])
    if status is MaterializationStatus.PENDING and (row["lease_until"] < now or is_gone(row["holder"])):
        return MaterializationStatus.PARTIAL
    return status
