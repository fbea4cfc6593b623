"""`dataset.materialize(...)`: plan the files, hand out the shards, keep how far it is, and record what came of it."""

from __future__ import annotations

import json
import os
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from labelkit import __version__
from labelkit.core.actors import Action
from labelkit.core.datasets.materialization import (
    Failure,
    MaterializationReport,
    MaterializationStatus,
    Mode,
    ShardOutcome,
    Tally,
    Verify,
    shard_size,
    status_after,
    without_secrets,
)
from labelkit.errors import (
    CropsNeedBoxes,
    LabelkitError,
    LinkImpossible,
    MaterializationTargetTaken,
    MaterializationTargetUnreachable,
    StoreReadOnly,
)
from labelkit.media.shards import FOLDER, manifest_of
from labelkit.media.targets import LocalTarget, open_target
from labelkit.services.datasets.materializing.crew import TICK_S, Crew
from labelkit.services.datasets.materializing.sharding import ShardPlan
from labelkit.store.ids import new_id
from labelkit.store.versions import snapshots

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from concurrent.futures import Executor
    from datetime import datetime

    from labelkit.core.versions import Tree
    from labelkit.store.acting import Gate
    from labelkit.store.datasets.materials import MediaSource

MARKER = f"{FOLDER}/materialization.json"
SYNCED_ONE_BY_ONE = 64  # files; to sync thousands one by one takes many times as long as one sync of everything
WORKERS = 8  # threads at most, unless an executor is given


@dataclass(frozen=True, slots=True)
class Content:
    """The version whose frames are materialized: ids, what people call it, its content, and whether it is labelled with points."""

    version_id: str
    build_id: str
    title: str
    capability: str
    is_points: bool
    tree: Tree


@dataclass(frozen=True, slots=True)
class Wish:
    """How a version is to be materialized; the fields are the arguments of `Dataset.materialize`."""

    to: str
    mode: Mode
    executor: Executor | None = None
    shard_samples: int | None = None
    progress: Callable[[Tally], object] | None = None
    cancel: Any = None
    storage_options: Mapping[str, Any] = field(default_factory=dict, repr=False)
    verify: Verify = Verify.NEW
    copy_if_unlinkable: bool = False


def must_fit(mode: Mode, capability: str, *, is_points: bool) -> None:
    """Refuse crops of points: `MATERIALIZATION_CROPS_NEED_BOXES`."""
    if mode is Mode.CROPS and is_points:
        raise CropsNeedBoxes(capability=capability)


class Materializing:
    """One run of a materialization."""

    def __init__(self, gate: Gate, content: Content, wish: Wish) -> None:
        self._gate = gate
        self._content = content
        self._wish = wish
        self._id = new_id("mat")
        self._subject = f"dataset:{content.version_id}"
        self._place = without_secrets(wish.to)
        self._outcomes: list[ShardOutcome] = []
        self._started = time.monotonic()
        self._beaten = self._started
        self._written: list[str] = []
        self._folders: set[str] = set()
        self._action = Action.READ
        self._tally = self._shown = Tally(0, 0)

    def run(self) -> MaterializationReport:
        """Make every file that is missing or damaged; afterwards the store says how far the version is, whatever happened.

        Raises what `Dataset.materialize` says. KeyboardInterrupt is raised again when the shards in work have ended.
        """
        must_fit(self._wish.mode, self._content.capability, is_points=self._content.is_points)
        sources = self._sources()
        self._target = open_target(self._wish.to, self._wish.storage_options)
        self._must_be_linkable(sources)
        try:
            shard_samples = self._begin()
        except OSError as error:
            raise MaterializationTargetUnreachable(target=self._place, reason=error.strerror or str(error)) from error
        finally:
            self._target.close()
        self._plan = self._planned(sources, shard_samples)
        self._tally = Tally(len(self._plan), self._plan.files)
        started_at = self._record_start()
        try:
            with ExitStack() as stack:
                executor = self._wish.executor or stack.enter_context(ThreadPoolExecutor(min(WORKERS, os.cpu_count() or 1)))
                Crew(executor, done=self._count, cancelled=self._cancelled, tick=self._tick).run(self._plan.tasks())
        except BaseException:
            with suppress(LabelkitError):
                self._record_end(self._report(MaterializationStatus.PARTIAL, cancelled=True), started_at)
            raise
        self._must_be_seen()
        self._settle()
        report = self._report(status_after(self._tally), cancelled=self._cancelled() and self._tally.missing > 0)
        self._record_end(report, started_at)
        return report

    def missing_files(self) -> int:
        """Look at the place once more and return how many files of finished shards are not there, without reading any."""
        done = {outcome.shard for outcome in self._outcomes if outcome.done}
        shards = [paths for number, paths in enumerate(self._plan.paths()) if number in done]
        return sum(len(paths) - len(self._target.look(paths)) for paths in shards)

    # --- before

    def _sources(self) -> list[MediaSource]:
        """Return the media of the version; whoever takes pictures along may read every workspace that they are from."""
        with self._gate.read() as (tx, actor):
            sources = tx.datasets.materials.sources(self._content.build_id)
        hidden = [one for one in sources if not actor.may(Action.READ, one.workspace_id)]
        if hidden:
            refused = actor.refusal(Action.READ, hidden[0].workspace_id, hidden[0].workspace)
            self._gate.deny(Action.READ, self._subject, refused)
            raise refused
        self._action = Action.BUILD if actor.may(Action.BUILD, self._gate.workspace.id) else Action.READ
        return sources

    def _must_be_linkable(self, sources: list[MediaSource]) -> None:
        """Refuse links that cannot be, before anything is made: to another disk, or to no disk at all."""
        if self._wish.mode is not Mode.LINK or self._wish.copy_if_unlinkable:
            return
        folders = [one.root for one in sources if one.kind == "images"]
        if not isinstance(self._target, LocalTarget):
            if folders:
                raise LinkImpossible(target=self._place, source=folders[0], reason="there are hard links on local disks only")
            return
        here = self._target.device()
        for folder in folders:
            with suppress(OSError):  # a folder that is gone is what the shards will say of each of its frames
                if Path(folder).stat().st_dev != here:
                    raise LinkImpossible(target=self._place, source=folder, reason="they are on different file systems")

    def _begin(self) -> int:
        """Mark the place as this version's in this mode and return the samples a shard; a place that is another's is refused."""
        content, mode = self._content, self._wish.mode
        data = self._target.read(MARKER)
        if data is None:
            if self._target.is_taken(FOLDER):
                raise MaterializationTargetTaken(target=self._place, found="files that no materialization made")
            samples = shard_size(self._wish.shard_samples, None, mode)
            made = {"labelkit": __version__, "dataset": content.title, "manifest_hash": content.tree.digest.value}
            text = json.dumps({**made, "mode": mode, "shard_samples": samples}, ensure_ascii=False, indent=1)
            self._target.put([(MARKER, f"{text}\n".encode())])
            return samples
        try:
            kept = json.loads(data)
            same = (kept["manifest_hash"], kept["mode"]) == (content.tree.digest.value, mode)
            samples, found = int(kept["shard_samples"]), f"{kept['dataset']} in mode {kept['mode']}"
        except (ValueError, KeyError, TypeError):
            raise MaterializationTargetTaken(target=self._place, found="a damaged materialization") from None
        if not same:
            raise MaterializationTargetTaken(target=self._place, found=found)
        return shard_size(self._wish.shard_samples, samples, mode)

    def _planned(self, sources: list[MediaSource], shard_samples: int) -> ShardPlan:
        wish, objects = self._wish, self._gate.database.objects
        common = {
            "target": wish.to,
            "options": dict(wish.storage_options),
            "verify": wish.verify.value,
            "copy_if_unlinkable": wish.copy_if_unlinkable,
            "labelkit": __version__,
        }
        rows = snapshots.scan(objects, self._content.tree)
        return ShardPlan(objects, rows, sources, mode=wish.mode, shard_samples=shard_samples, common=common)

    # --- meanwhile

    def _count(self, outcome: ShardOutcome) -> None:
        self._tally = self._tally.with_outcome(outcome, time.monotonic() - self._started)
        self._outcomes.append(replace(outcome, written=(), folders=()))  # of ten million crops there is no room for every path
        self._folders.update(outcome.folders)
        self._written += outcome.written[: SYNCED_ONE_BY_ONE + 1 - len(self._written)]

    def _tick(self) -> None:
        """Show and keep how far it is: a store that is busy or cannot be written does not stop the work."""
        if self._wish.progress is not None and self._shown is not self._tally:
            self._shown = self._tally
            self._wish.progress(self._tally)
        if self._action is Action.BUILD and time.monotonic() - self._beaten >= TICK_S:
            self._beaten = time.monotonic()
            with suppress(LabelkitError), self._gate.database.transaction() as tx:
                tx.datasets.materials.beat(self._id, self._tally)

    def _cancelled(self) -> bool:
        cancel = self._wish.cancel
        asked = getattr(cancel, "is_set", cancel)
        return bool(asked()) if callable(asked) else False

    def _must_be_seen(self) -> None:
        """Count the shards as failed whose manifest is not in the place as seen from here: their worker has another disk or memory."""
        done = [outcome for outcome in self._outcomes if outcome.done]
        if self._wish.executor is None or not done:
            return
        seen = self._target.look([manifest_of(outcome.shard) for outcome in done])
        reason = "its worker wrote, but not to the place that is seen from here"
        for outcome in done:
            if manifest_of(outcome.shard) not in seen:
                absent = outcome.made + outcome.kept
                lost = ShardOutcome(outcome.shard, 0, 0, absent, 0, (Failure(outcome.shard, "", "SHARD_NOT_SEEN", reason),))
                self._outcomes[self._outcomes.index(outcome)] = lost
        self._tally = Tally(self._tally.shards, self._tally.files)
        for outcome in self._outcomes:
            self._tally = self._tally.with_outcome(outcome, time.monotonic() - self._started)

    # --- after

    def _settle(self) -> None:
        """Make what this run made durable, before the store says that it is there."""
        if not self._target.is_local or not self._folders:
            return
        if len(self._written) > SYNCED_ONE_BY_ONE and hasattr(os, "sync"):
            os.sync()
            return
        manifests = [manifest_of(outcome.shard) for outcome in self._outcomes if outcome.made]
        self._target.settle([MARKER, *manifests, *self._written], [FOLDER, *self._folders])

    def _report(self, status: MaterializationStatus, *, cancelled: bool) -> MaterializationReport:
        failures = sorted((one for outcome in self._outcomes for one in outcome.failures), key=lambda one: (one.shard, one.key))
        title, mode = self._content.title, self._wish.mode
        return MaterializationReport(self._id, title, mode, self._place, status, self._tally, tuple(failures), cancelled)

    def _record_start(self) -> datetime | None:
        """Make this run the one that counts, where its user may build; None where the store cannot be written."""
        with suppress(StoreReadOnly), self._gate.act(self._action, self._subject) as act:
            if self._action is Action.BUILD:
                act.tx.datasets.materials.start(
                    self._content.version_id, self._id, self._wish.mode, self._place, self._tally, act.actor.user
                )
            act.record("MATERIALIZATION_STARTED", run=self._id, mode=self._wish.mode, target=self._place)
            return act.tx.now
        return None

    def _record_end(self, report: MaterializationReport, started_at: datetime | None) -> None:
        if started_at is None:
            return
        tally = report.tally
        with self._gate.act(self._action, self._subject) as act:
            act.tx.datasets.materials.end(report, self._content.version_id, started_at, act.actor.user)
            counts = {"shards": tally.shards, "done": tally.done, "failed": tally.failed, "made": tally.made, "kept": tally.kept}
            act.record(f"MATERIALIZATION_{report.status.name}", run=self._id, target=self._place, **counts)
