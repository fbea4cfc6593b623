"""Builds and the dataset versions they made: rows to core values and back, inside one unit of work."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from labelkit.core.datasets.builds import BUILD, BuildRequest, BuildStatus, BuildStep
from labelkit.core.datasets.fingerprint import Fingerprint
from labelkit.core.datasets.quality import Evaluation
from labelkit.core.datasets.splits import Stability
from labelkit.store.datasets.lists import DatasetLists
from labelkit.store.datasets.materials import MaterialRows
from labelkit.store.datasets.near_duplicate_rows import NearDuplicateRows
from labelkit.store.datasets.quality_rules import QualityRuleRows
from labelkit.store.datasets.sources import SourceRows
from labelkit.store.liveness import is_gone
from labelkit.store.versions.snapshots import SnapshotRows

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from labelkit.core.datasets.eligibility import Verdict
    from labelkit.core.datasets.quality import Statistics
    from labelkit.core.versions import Tree
    from labelkit.store.statements import Statements

_BUILDS = """
    SELECT b.id, b.version_id, b.dataset_id, d.name, b.workspace_id, b.capability, b.request, b.reuse_fingerprint, b.build_fingerprint,
        b.created_at, b.created_by, t.status, t.lease_until, t.holder, t.ended_at, t.failure, t.reason,
        t.samples_done, t.samples_total, v.number, v.manifest_hash,
        v.snapshot_id, v.sample_count, v.annotation_count, v.split_samples, v.split_groups, v.class_counts, v.stability, q.evaluation,
        coalesce(f.state = 'frozen', FALSE) AS is_frozen
    FROM builds b
    JOIN datasets d ON d.id = b.dataset_id
    JOIN build_states t ON t.build_id = b.id
    LEFT JOIN dataset_versions v ON v.build_id = b.id
    LEFT JOIN build_quality q ON q.build_id = b.id
    LEFT JOIN freeze_heads f ON f.version_id = b.version_id
"""


@dataclass(frozen=True)
class BuildRow:
    """A build with its state, and the version that it made; what is not known yet is None or empty. Counts are by split or class."""

    id: str
    version_id: str
    dataset_id: str
    name: str
    workspace_id: str
    capability: str
    request: str
    reuse_fingerprint: str
    build_fingerprint: str
    created_at: datetime
    created_by: str
    status: BuildStatus
    lease_until: datetime | None
    holder: str | None
    ended_at: datetime | None
    failure: str | None
    reason: str | None
    samples_done: int | None
    samples_total: int | None
    number: int | None
    manifest_hash: str | None
    snapshot_id: str | None
    sample_count: int | None
    annotation_count: int | None
    split_samples: dict[str, int]
    split_groups: dict[str, int]
    class_counts: dict[str, dict[str, int]]
    stability: Stability | None
    quality: Evaluation
    is_frozen: bool

    @cached_property
    def asked(self) -> BuildRequest:
        """Return the request of this build."""
        return BuildRequest.model_validate_json(self.request)

    def is_lost(self, now: datetime) -> bool:
        """Say whether it runs no more although nobody said how it ended: its process is gone, or its lease has run out."""
        if self.status is not BuildStatus.RUNNING:
            return False
        return (self.lease_until is not None and self.lease_until < now) or (self.holder is not None and is_gone(self.holder))


@dataclass(frozen=True, slots=True)
class NewBuild:
    """What is written when a build starts."""

    id: str
    version_id: str
    dataset_id: str
    workspace_id: str
    request: BuildRequest
    reuse: Fingerprint
    fingerprint: Fingerprint
    verdicts: Sequence[Verdict]
    actor: str


class DatasetRows:
    """Reads and writes the tables of datasets."""

    def __init__(self, tx: Statements) -> None:
        self._tx = tx
        self.lists = DatasetLists(tx)
        self.quality_rules = QualityRuleRows(tx)
        self.snapshots = SnapshotRows(tx)
        self.sources = SourceRows(tx)
        self.materials = MaterialRows(tx)
        self.near_duplicates = NearDuplicateRows(tx)

    # --- what a build decides on

    def placements(self, workspace: str, name: str) -> dict[str, str]:
        """Return the split of each group that a version of the dataset has placed."""
        rows = self._tx.frame(
            "SELECT p.group_key, p.split FROM placements p JOIN datasets d ON d.id = p.dataset_id"
            " WHERE d.workspace_id = $workspace AND d.name = $name",
            workspace=workspace,
            name=name,
        )
        return dict(rows.iter_rows())

    # --- builds

    def head(self, workspace: str, reuse_fingerprint: str) -> BuildRow | None:
        """Return the build that holds a fingerprint in a workspace, however it ended."""
        return self._one(
            "JOIN build_heads h ON h.build_id = b.id WHERE h.workspace_id = $workspace AND h.reuse_fingerprint = $fingerprint",
            workspace=workspace,
            fingerprint=reuse_fingerprint,
        )

    def build(self, workspace: str, id: str) -> BuildRow | None:
        """Return a build by its own id or its version's."""
        return self._one("WHERE b.workspace_id = $workspace AND (b.id = $id OR b.version_id = $id)", workspace=workspace, id=id)

    def newest(self, workspace: str, name: str) -> BuildRow | None:
        """Return the newest version of a dataset; where it has none, its newest build."""
        return self._one(
            "WHERE b.workspace_id = $workspace AND d.name = $name ORDER BY v.number DESC NULLS LAST, b.id DESC LIMIT 1",
            workspace=workspace,
            name=name,
        )

    def names(self, workspace: str) -> list[str]:
        """Return the names of the workspace's datasets, in order."""
        rows = self._tx.rows("SELECT name FROM datasets WHERE workspace_id = $workspace ORDER BY name", workspace=workspace)
        return [row["name"] for row in rows]

    def dataset_id(self, workspace: str, name: str, *, new_id: str, actor: str) -> str:
        """Return the id of a dataset, which is `new_id` where this makes it."""
        row = self._tx.one("SELECT id FROM datasets WHERE workspace_id = $workspace AND name = $name", workspace=workspace, name=name)
        if row is not None:
            return str(row["id"])
        made = {"id": new_id, "workspace_id": workspace, "name": name, "latest": 0, "created_at": self._tx.now, "created_by": actor}
        self._tx.insert("datasets", [made])
        return new_id

    def start(self, build: NewBuild, *, lease_until: datetime, holder: str, over: BuildRow | None) -> None:
        """Write a running build with its sources. Unless it is forced it takes its fingerprint, from `over` where that one failed.

        A second build that takes the same fingerprint is the use case's conflict.
        """
        facts = build.fingerprint.parts
        self._tx.insert(
            "builds",
            [
                {
                    "id": build.id,
                    "version_id": build.version_id,
                    "dataset_id": build.dataset_id,
                    "workspace_id": build.workspace_id,
                    "capability": build.request.capability,
                    "request": build.request.model_dump_json(),
                    "reuse_fingerprint": build.reuse.value,
                    "build_fingerprint": build.fingerprint.value,
                    "fingerprint": json.dumps(facts),
                    "created_at": self._tx.now,
                    "created_by": build.actor,
                }
            ],
        )
        self._tx.insert(
            "build_states",
            [
                {
                    "build_id": build.id,
                    "status": BuildStatus.RUNNING,
                    "lease_until": lease_until,
                    "holder": holder,
                    "ended_at": None,
                    "failure": None,
                    "reason": None,
                }
            ],
        )
        self.sources.add(build.id, build.verdicts)
        if not build.request.force:
            self._take(build, over)

    def _take(self, build: NewBuild, over: BuildRow | None) -> None:
        if over is None:
            key = {"workspace_id": build.workspace_id, "reuse_fingerprint": build.reuse.value}
            self._tx.insert("build_heads", [{**key, "build_id": build.id}])
            return
        self._tx.execute(
            """UPDATE build_heads SET build_id = $build
               WHERE workspace_id = $workspace AND reuse_fingerprint = $fingerprint AND build_id = $old""",
            build=build.id,
            workspace=build.workspace_id,
            fingerprint=build.reuse.value,
            old=over.id,
        )

    def beat(self, build: str, lease_until: datetime, *, done: int | None = None, total: int | None = None) -> bool:
        """Prolong the lease of a running build and note how far it is. False where it runs no more."""
        return bool(
            self._tx.changed(
                """UPDATE build_states SET lease_until = $until, samples_done = $done, samples_total = $total
                   WHERE build_id = $build AND status = 'running' RETURNING build_id""",
                until=lease_until,
                done=done,
                total=total,
                build=build,
            )
        )

    def end(self, build: str, step: BuildStep, *, failure: str | None = None, reason: str | None = None) -> bool:
        """End a running build. False where somebody else has ended it."""
        return bool(
            self._tx.changed(
                """UPDATE build_states SET status = $status, ended_at = $now, failure = $failure, reason = $reason
                   WHERE build_id = $build AND status = 'running' RETURNING build_id""",
                status=BUILD.move(BuildStatus.RUNNING, step),
                now=self._tx.now,
                failure=failure,
                reason=reason,
                build=build,
            )
        )

    def add_quality(self, build: str, statistics: Statistics, evaluation: Evaluation) -> None:
        """Keep how good a build's content is, whether it becomes a version or not."""
        kept = {"statistics": json.dumps(asdict(statistics)), "evaluation": json.dumps(evaluation.as_json())}
        self._tx.insert("build_quality", [{"build_id": build, **kept}])

    def add_version(self, build: BuildRow, tree: Tree, counts: Mapping[str, object], placement: Mapping[str, str]) -> None:
        """Write the version of a build: its number is the next one, and the groups of `placement` are placed for good."""
        rows = self._tx.rows("UPDATE datasets SET latest = latest + 1 WHERE id = $id RETURNING latest", id=build.dataset_id)
        number = rows[0]["latest"]
        self._tx.insert(
            "dataset_versions",
            [
                {
                    "id": build.version_id,
                    "dataset_id": build.dataset_id,
                    "number": number,
                    "build_id": build.id,
                    "snapshot_id": self.snapshots.add(tree),
                    "manifest_hash": tree.digest.value,
                    "created_at": self._tx.now,
                    **{name: json.dumps(value) if isinstance(value, dict) else value for name, value in counts.items()},
                }
            ],
        )
        known = self.placements(build.workspace_id, build.name)
        new = [
            {"dataset_id": build.dataset_id, "group_key": group, "split": split, "number": number}
            for group, split in placement.items()
            if group not in known
        ]
        self._tx.insert("placements", new)

    # --- what is read later

    def fingerprint(self, build: str) -> Fingerprint:
        """Return the fingerprint of a build with its parts."""
        row = self._tx.rows("SELECT fingerprint FROM builds WHERE id = $build", build=build)[0]
        return Fingerprint(json.loads(row["fingerprint"]))

    def _one(self, where: str, **params: object) -> BuildRow | None:
        row = self._tx.one(_BUILDS + where, **params)
        return None if row is None else _build(row)


def _build(row: Mapping[str, Any]) -> BuildRow:
    read = {name: json.loads(row[name] or "{}") for name in ("split_samples", "split_groups", "class_counts")}
    return BuildRow(
        **{name: value for name, value in row.items() if name not in ("evaluation", "stability", "status", *read)},
        **read,
        status=BuildStatus(row["status"]),
        stability=None if row["stability"] is None else Stability(**json.loads(row["stability"])),
        quality=Evaluation.from_text(row["evaluation"]),
    )
