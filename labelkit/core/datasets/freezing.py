"""Frozen test sets: who is frozen, what may be trained on beside them, and every decision about it as a value."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from labelkit.core.states import Machine
from labelkit.errors import (
    DatasetAlreadyFrozen,
    DatasetInActiveUse,
    DatasetNotFrozen,
    FreezeStateConflict,
    FrozenDatasetTrainingForbidden,
    FrozenSourceLeakageForbidden,
    UnfreezeReasonRequired,
)

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

SHOWN = 3  # paths or leases that a sentence names before it counts the rest


class FreezeState(StrEnum):
    """Whether a dataset version is a frozen test set."""

    OPEN = "open"
    FROZEN = "frozen"


class FreezeStep(StrEnum):
    """What changes it."""

    FREEZE = "freeze"
    UNFREEZE = "unfreeze"


FREEZING = Machine(
    "test set",
    {
        FreezeState.OPEN: {FreezeStep.FREEZE: FreezeState.FROZEN},
        FreezeState.FROZEN: {FreezeStep.UNFREEZE: FreezeState.OPEN},
    },
)


class Purpose(StrEnum):
    """What content leaves a dataset for; training passes the guard of frozen test sets, evaluation stands in the holdout ledger."""

    TRAINING = "training"
    EVALUATION = "evaluation"


class Way(StrEnum):
    """How a dataset and a frozen test set are joined, the plainest first."""

    PACK = "label pack"
    FRAME = "media frame"
    NEAR_DUPLICATE = "near-duplicate frame"


@dataclass(frozen=True, slots=True)
class FreezeEvent:
    """One freeze or unfreeze: the how many-th change it was, who, when and why."""

    number: int
    step: FreezeStep
    actor: str
    at: datetime
    reason: str | None


@dataclass(frozen=True, slots=True)
class Freezing:
    """The frozen state of a dataset version; `version` counts its changes, from 0 for one that was never frozen."""

    state: FreezeState = FreezeState.OPEN
    version: int = 0
    last_freeze: FreezeEvent | None = None
    last_unfreeze: FreezeEvent | None = None

    @property
    def is_frozen(self) -> bool:
        """Say whether it is a frozen test set now."""
        return self.state is FreezeState.FROZEN

    @property
    def frozen_at(self) -> datetime | None:
        """Return since when it is frozen; None while it is not."""
        return self.last_freeze.at if self.is_frozen and self.last_freeze else None

    @property
    def badge(self) -> str:
        """Return what a list or a widget shows beside the name: nothing unless it is frozen."""
        return f"Frozen test set since {self.frozen_at:%Y-%m-%d}" if self.frozen_at else ""

    def moved(self, step: FreezeStep, *, actor: str, at: datetime, reason: str | None) -> tuple[Freezing, FreezeEvent]:
        """Return the state after a step and the event that it leaves. Raises `ILLEGAL_STEP`."""
        after = FREEZING.move(self.state, step)
        event = FreezeEvent(self.version + 1, step, actor, at, (reason or "").strip() or None)
        freeze, unfreeze = (event, self.last_unfreeze) if step is FreezeStep.FREEZE else (self.last_freeze, event)
        return Freezing(after, event.number, freeze, unfreeze), event


@dataclass(frozen=True, slots=True)
class Lease:
    """A training under way on a dataset version, or on one split of it; alive until `lease_until` unless its process shows more life."""

    id: str
    version_id: str
    dataset: str
    split: str | None
    purpose: str | None
    actor: str
    host: str
    holder: str
    opened_at: datetime
    lease_until: datetime

    def __str__(self) -> str:
        what = f" ({self.purpose})" if self.purpose else ""
        part = f" split {self.split} of" if self.split else ""
        return f"{self.actor} trains on{part} {self.dataset}{what} since {_moment(self.opened_at)} on host {self.host}"


@dataclass(frozen=True, slots=True)
class SharedSource:
    """One path from a dataset to a frozen test set: how many packs or frames they share, and the first of them on either side.

    A frame is named by its sample key. `theirs` is empty, and `frozen` only an id, where the frozen set is in a workspace that whoever
    asks may not read.
    """

    frozen_id: str
    frozen: str
    way: Way
    count: int
    ours: str
    theirs: str = ""

    def __str__(self) -> str:
        what = f"{self.way} {self.ours}"
        if self.theirs and self.theirs != self.ours:
            what += f" ({self.theirs} there)"
        more = f" and {self.count - 1} more" if self.count > 1 else ""
        return f"{what}{more} with frozen test set {self.frozen}"


def decide_freeze(
    dataset: str, now: Freezing, leases: Sequence[Lease], *, expected_version: int | None, actor: str, at: datetime, reason: str | None
) -> tuple[Freezing, FreezeEvent]:
    """Return the frozen state and its event; `leases` are the living ones on the dataset or on what shares sources with it.

    Raises `FREEZE_STATE_CONFLICT`, `DATASET_ALREADY_FROZEN`, `DATASET_IN_ACTIVE_USE`, looked for in this order.
    """
    _check_version(now, expected_version)
    if now.last_freeze is not None and now.is_frozen:
        raise DatasetAlreadyFrozen(dataset=dataset, by=now.last_freeze.actor, since=_moment(now.last_freeze.at))
    if leases:
        raise DatasetInActiveUse(dataset=dataset, leases=_named([str(lease) for lease in leases], "trainings"))
    return now.moved(FreezeStep.FREEZE, actor=actor, at=at, reason=reason)


def decide_unfreeze(
    dataset: str, now: Freezing, *, expected_version: int | None, actor: str, at: datetime, reason: str | None
) -> tuple[Freezing, FreezeEvent]:
    """Return the open state and its event.

    Raises `UNFREEZE_REASON_REQUIRED`, `FREEZE_STATE_CONFLICT`, `DATASET_NOT_FROZEN`, looked for in this order.
    """
    if not (reason or "").strip():
        raise UnfreezeReasonRequired(dataset=dataset)
    _check_version(now, expected_version)
    require_frozen(dataset, now)
    return now.moved(FreezeStep.UNFREEZE, actor=actor, at=at, reason=reason)


def require_frozen(dataset: str, now: Freezing) -> None:
    """Raise `DATASET_NOT_FROZEN` unless it is."""
    if not now.is_frozen:
        raise DatasetNotFrozen(dataset=dataset)


def check_training(dataset: str, now: Freezing, paths: Sequence[SharedSource]) -> None:
    """Raise `FROZEN_DATASET_TRAINING_FORBIDDEN` for a frozen set itself and `FROZEN_SOURCE_LEAKAGE_FORBIDDEN` where a path leads to one."""
    if now.frozen_at is not None:
        raise FrozenDatasetTrainingForbidden(dataset=dataset, since=_moment(now.frozen_at))
    if paths:
        raise FrozenSourceLeakageForbidden(dataset=dataset, paths=_named([str(path) for path in paths], "paths"))


def _check_version(now: Freezing, expected: int | None) -> None:
    if expected is not None and expected != now.version:
        raise FreezeStateConflict(reason=f"version {expected} was expected, and {now.version} is the present one, which is {now.state}")


def _named(sentences: Sequence[str], what: str) -> str:
    rest = len(sentences) - SHOWN
    return "; ".join([*sentences[:SHOWN], *([f"and {rest} more {what}"] if rest > 0 else [])])


def _moment(time: datetime) -> str:
    return f"{time:%Y-%m-%d %H:%M} UTC"
