"""`ws.datasets`: see what a build would do, build, wait, list and open datasets."""

from __future__ import annotations

import time
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING
from weakref import WeakSet

from labelkit.core.actors import Action
from labelkit.core.datasets.builds import BuildOutcome, BuildRequest, BuildStatus, BuildStep
from labelkit.core.datasets.fingerprint import explain
from labelkit.core.datasets.preflight import Preflight
from labelkit.errors import (
    BuildCanceled,
    BuildFailed,
    BuildNotRunning,
    BuildStillRunning,
    BuildSuperseded,
    JobLost,
    LabelkitError,
    NotFound,
    StoreReadOnly,
)
from labelkit.formats.exporting.reports import ExportReport
from labelkit.services.datasets.building.builder import LOST, Builder, reuse_of
from labelkit.services.datasets.building.jobs import BuildJob
from labelkit.services.datasets.building.planning import build_fingerprint, load, plan, reusable
from labelkit.services.datasets.building.results import BuildResult
from labelkit.services.datasets.dataset import Dataset
from labelkit.services.datasets.exploring.candidates import candidates
from labelkit.services.datasets.exploring.lineage import Lineage
from labelkit.services.datasets.exploring.lists import built_from, listed
from labelkit.services.datasets.near_duplicates.evidence import NearDuplicates
from labelkit.services.datasets.quality_rules import QualityRules

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import polars as pl

    from labelkit.core.datasets.fingerprint import Difference
    from labelkit.store.acting import Gate
    from labelkit.store.datasets.rows import BuildRow

__all__ = ["BuildJob", "BuildResult", "Dataset", "Datasets", "ExportReport", "Lineage"]

ATTEMPTS = 3
POLL_S = 0.2
JOINED_S = 0.5
CLOSING_S = 30.0


class Datasets(NearDuplicates, QualityRules):
    """Every use case of datasets, for one workspace."""

    def __init__(self, gate: Gate) -> None:
        self._gate = gate
        self._jobs: WeakSet[BuildJob] = WeakSet()

    def candidates(self, capability: str) -> pl.DataFrame:
        """Return every pack of a capability in the workspaces that you may read, with what a build would do with it by default.

        Columns: pack_id, workspace, media, group_key, camera_type, review_status, validation_status, revision_id, revision_number,
        frames, annotations, included, reason, why. Raises `NOT_FOUND` for a capability that the workspace does not know.
        """
        return candidates(self._gate, capability)

    def preflight(self, request: BuildRequest) -> Preflight:
        """Return everything that a build of this request would decide; nothing is written.

        Raises `PERMISSION_DENIED` and `NOT_FOUND` (no such capability). All else that would stop a build is among the issues.
        """
        with self._gate.read() as (tx, actor):
            facts = load(tx, self._gate.workspace.id, actor, request, classes=True)
        planned = plan(self._gate.database, facts)
        with self._gate.read() as (tx, _):
            head = reusable(tx, self._gate.workspace.id, planned)
        fingerprint = build_fingerprint(planned, actor.user).value
        if head is None:
            return Preflight(planned, fingerprint, BuildOutcome.CREATED)
        return Preflight(planned, fingerprint, reuse_of(head), head.version_id)

    def build(self, request: BuildRequest, *, progress: Callable[[int, int], None] | None = None) -> BuildResult:
        """Build a dataset version from approved packs, or return the equal one that exists or is being built.

        `progress` is called with the samples done and all samples. Raises `PERMISSION_DENIED`, `NOT_FOUND`,
        `ELIGIBILITY_OVERRIDE_FORBIDDEN`, `SPLIT_RATIOS_INVALID`, `NO_ELIGIBLE_LABEL_DATA`, `LABEL_PACKS_OVERLAP`,
        `SPLIT_PLACEMENT_CONFLICT`, `DATASET_QUALITY_HARD_FAIL`, `JOB_LOST`, `BUILD_CANCELED`, `STORAGE_READ_FAILED` and
        `STORAGE_WRITE_FAILED`, and where files are asked for what `Dataset.materialize` raises; after any of them there is no new version.
        """
        builder, reused = self._begin(request)
        return reused if reused is not None else self._carried_out(builder, BuildJob(builder.build_id, progress=progress))

    def start(
        self,
        request: BuildRequest,
        *,
        join: bool = False,
        progress: Callable[[int, int], None] | None = None,
        then: Callable[[BuildJob], None] | None = None,
    ) -> BuildJob:
        """Begin a build and return at once; it goes on in a thread of its own, can be canceled, and `.result()` waits for it.

        `join` waits for an equal build that somebody else has running; `then(job)` is called in the thread once it has ended. Refusals of
        the request are raised here, as `build` raises them.
        """
        builder, reused = self._begin(request)
        job = BuildJob(builder.build_id if reused is None else reused.build_id, progress=progress)
        self._jobs.add(job)
        if reused is None:
            return job.in_a_thread(partial(self._carried_out, builder), then)
        if join and reused.outcome is BuildOutcome.REUSED_IN_PROGRESS:
            return job.in_a_thread(self._joined, then)
        return job.in_a_thread(lambda _: reused, then)

    def cancel(self, build_id: str, *, reason: str = "") -> None:
        """Stop a running build, whoever runs it; its kernel notices within seconds. Nothing of it is kept but its row.

        Raises `PERMISSION_DENIED`, `NOT_FOUND`, `BUILD_NOT_RUNNING`.
        """
        row = self._row(build_id)
        with self._gate.act(Action.BUILD, f"dataset:{row.name}") as act:
            said = f"Stopped by {act.actor.user}" + (f": {reason}" if reason.strip() else ".")
            if not act.tx.datasets.end(row.id, BuildStep.CANCEL, failure=BuildCanceled.code, reason=said):
                raise BuildNotRunning(build=row.id, status=row.status)
            act.record(BuildCanceled.code, build=row.id, reason=reason)
        for job in self._jobs:
            if job.build_id == row.id:
                job.cancel()

    def _begin(self, request: BuildRequest) -> tuple[Builder, BuildResult | None]:
        # Permission is judged when the build starts, where a deny leaves its audit row; reading the facts needs none of its own.
        with self._gate.database.reading() as tx:
            facts = load(tx, self._gate.workspace.id, tx.workspaces.actor(self._gate.user), request)
        builder = Builder(self._gate, facts, plan(self._gate.database, facts))
        return builder, builder.begin()

    def _carried_out(self, builder: Builder, job: BuildJob) -> BuildResult:
        """Carry a build out; where others placed its groups meanwhile it begins again, by the placements that exist then."""
        for _ in range(ATTEMPTS - 1):
            with suppress(BuildSuperseded):
                return builder.carry_out(job)
            builder, reused = self._begin(builder.request)
            if reused is not None:
                return reused
            job.build_id = builder.build_id
        return builder.carry_out(job)

    def _joined(self, job: BuildJob) -> BuildResult:
        """Wait for a build of somebody else, as long as nobody stops waiting."""
        while True:
            job.check()
            with suppress(BuildStillRunning):
                return self.wait(job.build_id, timeout_s=JOINED_S, progress=job.moved)

    def wait(self, build_id: str, *, timeout_s: float = 600.0, progress: Callable[[int, int], None] | None = None) -> BuildResult:
        """Return the result of a build when it has ended well; `progress` is called with the samples done and all, as far as is known.

        Raises `BUILD_FAILED` with what it failed by, `BUILD_STILL_RUNNING` after `timeout_s` seconds, `NOT_FOUND`.
        """
        until = time.monotonic() + timeout_s
        while True:
            row = self._row(build_id)
            if row.status is BuildStatus.FAILED:
                raise BuildFailed(build=row.id, failure=row.failure, reason=row.reason or "")
            if row.status is BuildStatus.SUCCESS:
                return BuildResult.reused(Dataset(self._gate, row))
            if progress is not None and row.samples_total:
                progress(row.samples_done or 0, row.samples_total)
            if time.monotonic() >= until:
                raise BuildStillRunning(build=row.id, waited_s=timeout_s)
            time.sleep(min(POLL_S, max(0.0, until - time.monotonic())))

    def close(self) -> None:
        """Stop what this workspace still builds, and wait until it has stopped."""
        for job in self._jobs:
            job.cancel()
        for job in list(self._jobs):
            with suppress(LabelkitError):
                job.result(CLOSING_S)

    def get(self, dataset: str) -> Dataset:
        """Return a dataset version by id, or the newest one of a name. Raises `NOT_FOUND` with the nearest name."""
        return Dataset(self._gate, self._row(dataset))

    def freeze(self, dataset: str | Dataset, reason: str | None = None, *, expected_version: int | None = None) -> Dataset:
        """Make a frozen test set of a version (itself or its id; a name means the newest one) and return it, as `dataset.freeze` does."""
        found = self.get(dataset if isinstance(dataset, str) else dataset.id)
        found.freeze(reason, expected_version=expected_version)
        return found

    def unfreeze(self, dataset: str | Dataset, reason: str | None = None, *, expected_version: int | None = None) -> Dataset:
        """Make an ordinary version of a frozen test set (itself, its id or name) again and return it, as `dataset.unfreeze` does."""
        found = self.get(dataset if isinstance(dataset, str) else dataset.id)
        found.unfreeze(reason, expected_version=expected_version)
        return found

    def holdout_ledger(self, dataset: str | None = None) -> pl.DataFrame:
        """Return who evaluated what on the datasets of the workspace, or on one, and when; newest first.

        Columns: evaluated_at, dataset, version, id, was_frozen, split, model, purpose, actor, look (the how many-th on that version),
        looks_of_model (of that model on that version), metrics (JSON), evaluation_id.
        """
        version = None if dataset is None else self.get(dataset).id
        with self._gate.read() as (tx, _):
            return tx.freezing.ledger(self._gate.workspace.id, version)

    def explain(self, left: str, right: str) -> Sequence[Difference]:
        """Return the fields in which the build fingerprints of two dataset versions (ids or names) differ; of sources which ones."""
        parts = []
        for row in (self._row(left), self._row(right)):
            with self._gate.read() as (tx, _):
                kept, verdicts = tx.datasets.fingerprint(row.id), tx.datasets.sources.verdicts(row.id)
            sources = [f"{one.pack_id} {one.revision.content_hash}" for one in verdicts if one.revision is not None]
            parts.append(kept.extended(sources=sources))
        return explain(*parts)

    def list(
        self,
        *,
        name: str | None = None,
        capability: str | None = None,
        scope: str | None = None,
        status: str | None = None,
        cursor: str | None = None,
        limit: int = 100,
    ) -> pl.DataFrame:
        """Return builds and the versions they made, newest first; what is not known yet is null. A page costs the same at any depth.

        `scope` keeps what includes a workspace, a media of it (`workspace/media`), or a media by its name alone. The last row's `id` is
        the next page's `cursor`. Columns: name, version, id, display_name, version_id, dataset_version_id, capability, scope, status,
        failure, materialization, samples, annotations, split_samples (JSON), quality (the badge), included_packs, excluded_packs,
        manifest_hash, build_id, created_at, created_by, is_frozen. Raises `NOT_FOUND` for a status that does not exist, `INVALID_VALUE`.
        """
        return listed(self._gate, name=name, capability=capability, scope=scope, status=status, cursor=cursor, limit=limit)

    def built_from(self, of: str) -> pl.DataFrame:
        """Return which dataset versions hold a revision, a label pack (ids) or a media (id or name), newest first: one row a pack.

        Columns: dataset_workspace, name, version, id, capability, status, pack_id, workspace, media, revision_id, revision_number,
        included, reason, created_at. Builds of workspaces that you may not read are not among them.
        """
        return built_from(self._gate, of)

    def _row(self, dataset: str) -> BuildRow:
        workspace = self._gate.workspace.id
        with self._gate.read() as (tx, _):
            row = tx.datasets.build(workspace, dataset) or tx.datasets.newest(workspace, dataset)
            if row is None:
                raise NotFound.among("dataset", dataset, tx.datasets.names(workspace), "ws.datasets.list()")
            now = tx.now
        if not row.is_lost(now):
            return row
        with suppress(StoreReadOnly), self._gate.database.transaction() as tx:
            tx.datasets.end(row.id, BuildStep.LOSE, failure=JobLost.code, reason=LOST)
            row = tx.datasets.build(workspace, row.id) or row
        return row
