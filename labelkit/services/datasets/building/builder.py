"""One build: load the facts, plan, start in a short transaction, assemble outside any lock, finish in a short transaction."""

from __future__ import annotations

import os
from contextlib import contextmanager, suppress
from dataclasses import asdict
from typing import TYPE_CHECKING

from labelkit.core.actors import Action
from labelkit.core.datasets.builds import BuildOutcome, BuildStatus, BuildStep
from labelkit.core.datasets.splits import SplitStrategy
from labelkit.errors import (
    BuildCanceled,
    BuildSuperseded,
    DatasetQualityHardFail,
    EligibilityOverrideForbidden,
    JobLost,
    LabelkitError,
    StoreConflict,
)
from labelkit.services.datasets.building import promised
from labelkit.services.datasets.building.jobs import BuildHeart
from labelkit.services.datasets.building.planning import RUN, build_fingerprint, reusable
from labelkit.services.datasets.building.results import BuildResult
from labelkit.services.datasets.dataset import Dataset
from labelkit.services.datasets.heartbeat import LEASE
from labelkit.services.datasets.quality_rules import judged
from labelkit.store.datasets.rows import NewBuild
from labelkit.store.datasets.samples import KEY, assemble
from labelkit.store.datasets.tally import Tally
from labelkit.store.ids import new_id
from labelkit.store.liveness import holder
from labelkit.store.versions.snapshots import SnapshotWriter

if TYPE_CHECKING:
    from collections.abc import Iterator

    from labelkit.core.datasets.plans import BuildPlan
    from labelkit.core.datasets.quality import Evaluation, Statistics
    from labelkit.core.versions import Tree
    from labelkit.services.datasets.building.jobs import BuildJob
    from labelkit.services.datasets.building.planning import Facts
    from labelkit.store.acting import Act, Gate
    from labelkit.store.datasets.rows import BuildRow

LOST = "Its process ended without saying how."
ENFORCEMENT = "DATASET_QUALITY_ENFORCEMENT_ENABLED"


def reuse_of(row: BuildRow) -> BuildOutcome:
    """Return what it is called to reuse this build."""
    return BuildOutcome.REUSED_SUCCESS if row.status is BuildStatus.SUCCESS else BuildOutcome.REUSED_IN_PROGRESS


class Builder:
    """Carries out one plan."""

    def __init__(self, gate: Gate, facts: Facts, planned: BuildPlan) -> None:
        self._gate = gate
        self._database = gate.database
        self._workspace = gate.workspace.id
        self._facts = facts
        self._plan = planned
        self.request = planned.request
        self._subject = f"dataset:{planned.request.name}"
        self.build_id = new_id("bld")

    def begin(self) -> BuildResult | None:
        """Write that the build is running and return None, or return the equal build that was there first."""
        reused = self._start()
        return None if reused is None else self._reuse(reused)

    def carry_out(self, job: BuildJob) -> BuildResult:
        """Make the version of the build that has begun."""
        with self._ended_if_it_fails(), BuildHeart(self._database, job) as heart:
            tree, tally = self._assemble(heart, job)
            self._finish(tree, tally, heart)
        with self._database.reading() as tx:
            made = tx.datasets.build(self._workspace, self.build_id)
        if made is None:
            raise JobLost(build=self.build_id)
        return BuildResult.of(Dataset(self._gate, made), BuildOutcome.CREATED, self._plan.verdicts)

    def _start(self) -> BuildRow | None:
        """Write the running build, or return the equal one; every refusal of the plan is raised here, under its audit row."""
        try:
            with self._gate.act(Action.BUILD, self._subject) as act:
                self._plan.check()
                if self.request.include_reviewed_override:
                    self._record_override(act)
                head = reusable(act.tx, self._workspace, self._plan)
                if head is None:
                    self._write_start(act)
                    act.record(BuildOutcome.CREATED, build=self.build_id, reuse_fingerprint=self._plan.reuse.value)
                else:
                    self._record_reuse(act, head)
                return head
        except EligibilityOverrideForbidden as refused:
            self._gate.deny(Action.INCLUDE_REVIEWED, self._subject, refused)
            raise
        except StoreConflict:
            with self._database.reading() as tx:
                first = reusable(tx, self._workspace, self._plan)
            if first is None:
                raise
            with self._gate.act(Action.BUILD, self._subject) as act:
                self._record_reuse(act, first)
            return first

    def _record_reuse(self, act: Act, row: BuildRow) -> None:
        """Leave the audit row of a build that is there, unless its quality refuses it."""
        if row.status is not BuildStatus.SUCCESS or not self._is_refused(row.quality):
            act.record(reuse_of(row), build=row.id, reuse_fingerprint=row.reuse_fingerprint)

    def _record_override(self, act: Act) -> None:
        reviewed = [v.revision.id for v in self._plan.included if v.revision is not None and v.revision == v.pack.reviewed]
        act.tx.audit.record(
            Action.INCLUDE_REVIEWED,
            "ELIGIBILITY_OVERRIDE",
            actor=act.actor.user,
            workspace=self._workspace,
            subject=self._subject,
            allowed=True,
            facts={"reviewed_revisions": reviewed},
        )

    def _write_start(self, act: Act) -> None:
        rows = act.tx.datasets
        over = None if self.request.force else rows.head(self._workspace, self._plan.reuse.value)
        if over is not None and over.is_lost(act.tx.now):
            rows.end(over.id, BuildStep.LOSE, failure=JobLost.code, reason=LOST)
        build = NewBuild(
            id=self.build_id,
            version_id=new_id("dsv"),
            dataset_id=rows.dataset_id(self._workspace, self.request.name, new_id=new_id("dts"), actor=act.actor.user),
            workspace_id=self._workspace,
            request=self.request,
            reuse=self._plan.reuse,
            fingerprint=build_fingerprint(self._plan, act.actor.user),
            verdicts=self._plan.verdicts,
            actor=act.actor.user,
        )
        rows.start(build, lease_until=act.tx.now + LEASE, holder=holder(), over=over)
        act.tx.runs.link(os.environ.get(RUN, ""), self.build_id)

    def _reuse(self, row: BuildRow) -> BuildResult:
        dataset = Dataset(self._gate, row)
        if row.status is BuildStatus.SUCCESS:
            self._refuse_hard_fails(row.quality, row.id)
            promised.keep_again(self._gate, self.request, dataset)
        return BuildResult.of(dataset, reuse_of(row), self._plan.verdicts)

    def _assemble(self, heart: BuildHeart, job: BuildJob) -> tuple[Tree, Tally]:
        plan, tally = self._plan, Tally(self._facts.capability)
        writer = SnapshotWriter(self._database.objects, KEY)
        for rows in assemble(self._database, plan.included, plan.placement, self.request.min_annotations):
            heart.check()
            tally.add(rows)
            writer.add(rows)
            job.moved(tally.samples, plan.sample_count)
        heart.check()
        return writer.finish(), tally

    def _finish(self, tree: Tree, tally: Tally, heart: BuildHeart) -> None:
        """Make the files that were asked for and write the version, unless hard fails stop it."""
        statistics = tally.statistics(sum(verdict.pack.frame_count for verdict in self._plan.included))
        with self._database.reading() as tx:
            running = tx.datasets.build(self._workspace, self.build_id)
        if running is not None:
            statistics = promised.kept(self._gate, running, tree, self._facts.capability, statistics, heart.check)
        evaluation = judged(self._database.objects, self._facts.quality, self.request.capability, statistics, tree)
        if self._is_refused(evaluation):
            self._stop(statistics, evaluation)
            self._refuse_hard_fails(evaluation, self.build_id)
        with self._gate.act(Action.BUILD, self._subject) as act:
            rows = act.tx.datasets
            build = rows.build(self._workspace, self.build_id)
            if build is None or not rows.end(build.id, BuildStep.SUCCEED):
                raise JobLost(build=self.build_id)
            placed = rows.placements(self._workspace, build.name)
            binding = self._plan.placement if self._plan.strategy is SplitStrategy.GROUP_STABLE else {}
            if any(placed.get(group, split) != split for group, split in binding.items()):
                raise BuildSuperseded(dataset=build.name, build=build.id)
            rows.add_quality(build.id, statistics, evaluation)
            rows.add_version(build, tree, self._counts(tally), binding)
            act.record("BUILD_SUCCEEDED", build=build.id, manifest_hash=tree.digest.value, quality=evaluation.badge)

    def _stop(self, statistics: Statistics, evaluation: Evaluation) -> None:
        """End the build as failed by its quality, which is kept."""
        failure = DatasetQualityHardFail.code
        with self._gate.act(Action.BUILD, self._subject) as act:
            if not act.tx.datasets.end(self.build_id, BuildStep.FAIL, failure=failure, reason=evaluation.summary):
                raise JobLost(build=self.build_id)
            act.tx.datasets.add_quality(self.build_id, statistics, evaluation)
            act.tx.audit.record(
                Action.BUILD,
                failure,
                actor=act.actor.user,
                workspace=self._workspace,
                subject=self._subject,
                allowed=False,
                facts={"build": self.build_id, "hard_fails": [one.code for one in evaluation.hard_fails]},
            )

    def _counts(self, tally: Tally) -> dict[str, object]:
        return {
            "sample_count": tally.samples,
            "annotation_count": tally.annotations,
            "split_samples": {split: tally.splits[split] for split in self._plan.splits},
            "split_groups": self._plan.split_groups,
            "class_counts": tally.class_counts(self._plan.splits),
            "stability": asdict(self._plan.balanced(tally.groups)),
        }

    def _enforced(self) -> bool:
        asked = self.request.enforce_quality
        return os.environ.get(ENFORCEMENT, "").strip().lower() in ("1", "true", "yes", "on") if asked is None else asked

    def _is_refused(self, evaluation: Evaluation) -> bool:
        return bool(evaluation.hard_fails) and self._enforced()

    def _refuse_hard_fails(self, evaluation: Evaluation, build: str) -> None:
        if self._is_refused(evaluation):
            raise DatasetQualityHardFail(count=len(evaluation.hard_fails), summary=evaluation.summary, build=build)

    @contextmanager
    def _ended_if_it_fails(self) -> Iterator[None]:
        """Mark the build as failed whatever goes wrong in the block, so that the next request need not wait for the lease."""
        try:
            yield
        except BaseException as error:
            failure, reason = (error.code, error.detail) if isinstance(error, LabelkitError) else ("INTERRUPTED", type(error).__name__)
            row = None
            with suppress(LabelkitError), self._database.transaction() as tx:
                tx.datasets.end(self.build_id, BuildStep.FAIL, failure=failure, reason=reason)
                row = tx.datasets.build(self._workspace, self.build_id)
            if isinstance(error, JobLost) and row is not None and row.failure == BuildCanceled.code:
                raise BuildCanceled(build=self.build_id) from error
            raise
