"""The side of a dataset that has to do with frozen test sets: its state and history, freezing, and the guarded doors."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import replace
from typing import TYPE_CHECKING

import polars as pl

from labelkit.core.datasets.freezing import Purpose
from labelkit.errors import InvalidValue
from labelkit.services.datasets.freezing import doors, guard
from labelkit.services.datasets.freezing.doors import Behind, Content
from labelkit.services.datasets.freezing.guard import Target

if TYPE_CHECKING:
    from contextlib import AbstractContextManager
    from datetime import datetime
    from pathlib import Path

    from labelkit.core.datasets.freezing import FreezeEvent, Freezing
    from labelkit.formats.exporting.reports import ExportReport
    from labelkit.services.datasets.freezing.doors import EvaluationData, TrainingData
    from labelkit.store.acting import Gate
    from labelkit.store.datasets.rows import BuildRow


class Guarded(Content, ABC):
    """What a dataset version can tell and do about frozen test sets. Its state is read anew each time, because others change it."""

    _gate: Gate
    _row: BuildRow

    # --- facts

    @property
    def freezing(self) -> Freezing:
        """Return the frozen state: `.is_frozen`, `.frozen_at`, `.version` (of the state), `.last_freeze`, `.last_unfreeze`, `.badge`."""
        with self._gate.read() as (tx, _):
            return tx.freezing.state(self._row.version_id)

    @property
    def is_frozen_test_set(self) -> bool:
        """Say whether this version is a frozen test set now."""
        return self.freezing.is_frozen

    @property
    def frozen_at(self) -> datetime | None:
        """Return since when it is frozen; None while it is not."""
        return self.freezing.frozen_at

    @property
    def last_freeze(self) -> FreezeEvent | None:
        """Return who froze it last, when and why; None where nobody ever did."""
        return self.freezing.last_freeze

    @property
    def last_unfreeze(self) -> FreezeEvent | None:
        """Return who unfroze it last, when and why; None where nobody ever did."""
        return self.freezing.last_unfreeze

    def freeze_history(self) -> pl.DataFrame:
        """Return every freeze, unfreeze and refused attempt, newest first.

        Columns: changed_at, number (of the change; null for an attempt), action, actor, allowed, code (of the refusal), reason, detail.
        """
        with self._gate.read() as (tx, _):
            return tx.freezing.history(self._row.version_id)

    def holdout_ledger(self) -> pl.DataFrame:
        """Return who evaluated what on this version and when, newest first, as `ws.datasets.holdout_ledger` describes it."""
        with self._gate.read() as (tx, _):
            return tx.freezing.ledger(self._gate.workspace.id, self._row.version_id)

    def leakage(self, *, split: str | None = None) -> pl.DataFrame:
        """Return every path from this version, or from one split of it, to a frozen test set of the store; nothing is written.

        Columns: frozen_id, frozen, by (`label pack`, `media frame`, `near-duplicate frame`), count (of packs or frames of the frozen
        set), ours and theirs (a pack id or sample key; of the first). No row: nothing frozen stands in the way of training on it.
        Near-duplicates count unless a reviewer of the frozen set's workspace ruled them different; `ws.datasets.find_near_duplicates`
        makes the hashes that they are found by.
        """
        paths = guard.judge(self._gate, self._target(split), complete=True).paths
        rows = [(path.frozen_id, path.frozen, str(path.way), path.count, path.ours, path.theirs) for path in paths]
        return pl.DataFrame(rows, schema=LEAKAGE, orient="row")

    # --- changes

    def freeze(self, reason: str | None = None, *, expected_version: int | None = None) -> Freezing:
        """Make a frozen test set of this version and return its state. For developers and support.

        Raises `PERMISSION_DENIED`, `DATASET_NOT_READY`, `DATASET_ALREADY_FROZEN`, `DATASET_IN_ACTIVE_USE` (a training lease is open on it
        or on a dataset that shares a pack or frame with it) and `FREEZE_STATE_CONFLICT`.
        """
        guard.freeze(self._gate, self._target(None), reason=reason, expected_version=expected_version)
        return self._anew()

    def unfreeze(self, reason: str | None = None, *, expected_version: int | None = None) -> Freezing:
        """Make an ordinary dataset version of it again and return its state. For developers, with a reason.

        Raises `UNFREEZE_PERMISSION_REQUIRED`, `UNFREEZE_REASON_REQUIRED`, `DATASET_NOT_FROZEN` and `FREEZE_STATE_CONFLICT`.
        """
        guard.unfreeze(self._gate, self._target(None), reason=reason, expected_version=expected_version)
        return self._anew()

    def _anew(self) -> Freezing:
        """Return the state as it is now, and show it from now on."""
        state = self.freezing
        self._row = replace(self._row, is_frozen=state.is_frozen)
        return state

    # --- doors

    def for_training(self, *, purpose: str | None = None, split: str | None = None) -> AbstractContextManager[TrainingData]:
        """Open this version, or one split of it, to be trained on in the block; `purpose` tells others what for.

        A lease keeps others from freezing what is used until the block ends; that of a killed process is found out. All splits count
        unless one is named: then only its frames and the packs that have frames in it are held against frozen sets.
        Raises `FROZEN_DATASET_TRAINING_FORBIDDEN`, `FROZEN_SOURCE_LEAKAGE_FORBIDDEN`, `DATASET_NOT_READY`, `NOT_FOUND` for a split, and
        `TRAINING_LEASE_LOST` where the process slept so long that somebody could freeze it.
        """
        return doors.training(self._behind(split), purpose=purpose)

    def for_evaluation(
        self, *, model: str | None = None, purpose: str | None = None, split: str | None = None, require_frozen: bool = False
    ) -> AbstractContextManager[EvaluationData]:
        """Open this version, or one split of it, to judge a model (a name, or a run's) by it in the block; the holdout ledger counts it.

        `data.record(ap50=0.71)` adds figures to the entry. Raises `DATASET_NOT_FROZEN` with `require_frozen`, `DATASET_NOT_READY`, and
        `NOT_FOUND` for a split.
        """
        return doors.evaluation(self._behind(split), model=model, purpose=purpose, frozen_only=require_frozen)

    def _pass(self, purpose: str, split: str | None) -> Purpose:
        """Let an export for this purpose through, or raise what a training would; one for evaluation is a look for the ledger."""
        if purpose not in list(Purpose):
            known = ", ".join(repr(str(one)) for one in Purpose)
            raise InvalidValue(what="purpose", reason=f"an export for {purpose!r} is none that is known", fix=f"Use one of: {known}.")
        target = self._target(split)
        if purpose == Purpose.TRAINING:
            guard.check_export(self._gate, target)
        else:
            guard.start_evaluation(self._gate, target, model=None, purpose="export", frozen_only=False)
        return Purpose(purpose)

    def _behind(self, split: str | None) -> Behind:
        return Behind(self._gate, self._target(split), self, self._write_export)

    def _target(self, split: str | None) -> Target:
        self._check_split(split)
        return Target(self._row.version_id, self.title, self._row.manifest_hash or "", split)

    # --- what the dataset itself must have

    @property
    @abstractmethod
    def title(self) -> str:
        """Return name, version and id."""

    @abstractmethod
    def _check_split(self, split: str | None) -> None:
        """Refuse a split that is not there, and a dataset without content."""

    @abstractmethod
    def _write_export(self, format: str, out: str | Path, *, split: str | None, purpose: Purpose) -> ExportReport:
        """Write the content as files, unguarded."""


LEAKAGE = {
    "frozen_id": pl.String(),
    "frozen": pl.String(),
    "by": pl.String(),
    "count": pl.Int64(),
    "ours": pl.String(),
    "theirs": pl.String(),
}
