"""The guarded doors to a dataset: its content for a training, under a lease, or for an evaluation, under an entry of the holdout ledger."""

from __future__ import annotations

import json
from abc import abstractmethod
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from labelkit.core.actors import Action
from labelkit.core.datasets.freezing import Purpose
from labelkit.errors import InvalidValue, LabelkitError, NotFound, StoreBusy, TrainingLeaseLost
from labelkit.services.datasets.freezing.guard import LEASE, end_training, start_evaluation, start_training
from labelkit.services.datasets.heartbeat import Heartbeat

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import polars as pl

    from labelkit.core.datasets.samples import Page, Sample
    from labelkit.formats.exporting.reports import ExportReport
    from labelkit.services.datasets.freezing.guard import Target
    from labelkit.store.acting import Gate
    from labelkit.store.database import Database
    from labelkit.store.transaction import Transaction


class Content(Protocol):
    """What can be read through a door."""

    @abstractmethod
    def to_polars(self, split: str | None = None) -> pl.DataFrame:
        """Return one row a sample."""

    @abstractmethod
    def annotations(self, split: str | None = None) -> pl.DataFrame:
        """Return one row an annotation."""

    @abstractmethod
    def samples(
        self,
        *,
        split: str | None = None,
        label: str | None = None,
        camera_type: str | None = None,
        group: str | None = None,
        finding: str | None = None,
        cursor: str | None = None,
        limit: int = 50,
    ) -> Page[Sample]:
        """Return a page of samples."""


class Write(Protocol):
    """Writes the content as files, once somebody is past a guard."""

    def __call__(self, format: str, out: str | Path, *, split: str | None, purpose: Purpose) -> ExportReport:
        """Return what was written."""


@dataclass(frozen=True, slots=True)
class Behind:
    """What is behind a door."""

    gate: Gate
    target: Target
    content: Content
    write: Write


class OpenDataset:
    """The content of a dataset, or of one split of it, while a door to it is open; afterwards every method raises RuntimeError."""

    def __init__(self, behind: Behind, purpose: Purpose) -> None:
        self.id = behind.target.version
        self.title = behind.target.title
        self.split = behind.target.split
        self.purpose = purpose
        self._content = behind.content
        self._write = behind.write
        self._open = True

    def to_polars(self, split: str | None = None) -> pl.DataFrame:
        """Return one row a sample, as `dataset.to_polars` does."""
        return self._content.to_polars(self._within(split))

    def annotations(self, split: str | None = None) -> pl.DataFrame:
        """Return one row an annotation, as `dataset.annotations` does."""
        return self._content.annotations(self._within(split))

    def samples(
        self,
        *,
        split: str | None = None,
        label: str | None = None,
        camera_type: str | None = None,
        group: str | None = None,
        finding: str | None = None,
        cursor: str | None = None,
        limit: int = 50,
    ) -> Page[Sample]:
        """Return a page of samples, as `dataset.samples` does."""
        within = self._within(split)
        return self._content.samples(
            split=within, label=label, camera_type=camera_type, group=group, finding=finding, cursor=cursor, limit=limit
        )

    def export(self, format: str, out: str | Path, *, split: str | None = None) -> ExportReport:
        """Write the content as files, as `dataset.export` does, for the purpose of this door."""
        return self._write(format, out, split=self._within(split), purpose=self.purpose)

    def close(self) -> None:
        """Give nothing away any more."""
        self._open = False

    def _within(self, split: str | None) -> str | None:
        """Return the split to read. Raises `NOT_FOUND` for one that this door does not open."""
        if not self._open:
            raise RuntimeError(f"the door to {self.title} was closed; open it again with for_{self.purpose}()")
        if self.split is not None and split not in (None, self.split):
            raise NotFound.among("split", str(split), [self.split], f"for_{self.purpose}(split=...)")
        return self.split or split

    def __repr__(self) -> str:
        part = f"split {self.split} of " if self.split else ""
        return f"<{part}{self.title}, for {self.purpose}{'' if self._open else ', closed'}>"


class TrainingData(OpenDataset):
    """Content to train on. While it is open nobody can freeze what it uses.

    `unsearched` counts pictures, its own and those of frozen sets, that no search for near-duplicates has looked at yet.
    """

    def __init__(self, behind: Behind, heart: LeaseHeart, unsearched: int) -> None:
        super().__init__(behind, Purpose.TRAINING)
        self.unsearched = unsearched
        self._heart = heart

    def _within(self, split: str | None) -> str | None:
        self._heart.check()
        return super()._within(split)


class EvaluationData(OpenDataset):
    """Content to judge a model by. What is recorded stands in the holdout ledger when the door closes."""

    def __init__(self, behind: Behind) -> None:
        super().__init__(behind, Purpose.EVALUATION)
        self.metrics: dict[str, object] = {}

    def record(self, **metrics: object) -> None:
        """Keep figures of the model for the ledger: numbers, texts, or lists and dicts of them. Raises `INVALID_VALUE`."""
        try:
            plain = json.loads(json.dumps(metrics, allow_nan=False, default=float))
        except (TypeError, ValueError) as error:
            raise InvalidValue(what="A metric", reason=str(error), fix="Give finite numbers, texts, lists or dicts.") from error
        self.metrics |= plain


class LeaseHeart(Heartbeat):
    """Prolongs a training lease while the block runs; `check` raises `TRAINING_LEASE_LOST` when somebody gave it up."""

    def __init__(self, database: Database, lease: str, title: str) -> None:
        super().__init__(database, lease)
        self._lease = lease
        self._title = title

    @property
    def is_lost(self) -> bool:
        """Say whether the lease was given up, as far as the last sign of life knows."""
        return self._lost

    def check(self) -> None:
        """Raise `TRAINING_LEASE_LOST` where the lease was given up."""
        if self._lost:
            raise TrainingLeaseLost(dataset=self._title)

    def _beat(self, tx: Transaction) -> bool:
        return tx.freezing.beat(self._lease, tx.now + LEASE)


@contextmanager
def training(behind: Behind, *, purpose: str | None) -> Iterator[TrainingData]:
    """Open a dataset for a training in the block; the lease ends with it, whatever happens in it."""
    gate, target = behind.gate, behind.target
    lease, unsearched = start_training(gate, target, purpose)
    heart = LeaseHeart(gate.database, lease, target.title)
    data = TrainingData(behind, heart, unsearched)
    try:
        with heart:
            yield data
    except BaseException:
        with suppress(LabelkitError):
            end_training(gate, target, lease)
        raise
    finally:
        data.close()
    closed = not heart.is_lost
    with suppress(StoreBusy):  # the lease runs out by itself, and a trained model is worth more than a tidy end
        closed = end_training(gate, target, lease)
    if not closed:
        raise TrainingLeaseLost(dataset=target.title)


@contextmanager
def evaluation(behind: Behind, *, model: str | None, purpose: str | None, frozen_only: bool) -> Iterator[EvaluationData]:
    """Open a dataset for an evaluation in the block; its metrics are kept at the end, also where the block raises."""
    gate, target = behind.gate, behind.target
    entry = start_evaluation(gate, target, model=model, purpose=purpose, frozen_only=frozen_only)
    data = EvaluationData(behind)
    try:
        yield data
    finally:
        data.close()
        if data.metrics:
            with gate.act(Action.EVALUATE, target.subject) as act:
                act.tx.freezing.add_result(entry, data.metrics)
                act.record("EVALUATION_RECORDED", evaluation=entry, metrics=data.metrics)
