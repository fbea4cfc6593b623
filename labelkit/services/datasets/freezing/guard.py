"""The guard of frozen test sets: what may be frozen and what may be trained on, looked at outside any lock and decided under it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING

from labelkit.core.actors import Action
from labelkit.core.datasets.freezing import check_training, decide_freeze, decide_unfreeze, require_frozen
from labelkit.errors import FreezeStateConflict, LabelkitError, TrainingLeaseLost
from labelkit.store.datasets.freezing import VersionRow
from labelkit.store.datasets.leakage import shared, sources, unsearched

if TYPE_CHECKING:
    from labelkit.core.datasets.freezing import Freezing, Lease, SharedSource
    from labelkit.core.versions import Tree
    from labelkit.store.acting import Act, Gate
    from labelkit.store.database import Database
    from labelkit.store.datasets.leakage import Sources

LEASE = timedelta(seconds=60)
ATTEMPTS = 5


@dataclass(frozen=True, slots=True)
class Judged:
    """What a training was judged on: its own frozen state, the paths to frozen sets, which sets were frozen then, and all their sources."""

    state: Freezing
    paths: tuple[SharedSource, ...]
    marks: frozenset[tuple[str, int]]
    ours: Sources
    frozen: tuple[Sources, ...]


@dataclass(frozen=True, slots=True)
class Target:
    """A built dataset version, or one split of it, as the guard looks at it; `title` is what people call it."""

    version: str
    title: str
    manifest_hash: str
    split: str | None = None

    @property
    def subject(self) -> str:
        """Return what audit rows are about."""
        return f"dataset:{self.version}"


def judge(gate: Gate, target: Target, *, complete: bool = False, ours: Sources | None = None) -> Judged:
    """Return the paths from a dataset to the frozen sets of the store, in all workspaces; those you may not read by their id only.

    They are all of them where they are to be `complete`, and else at least one where there is one. `ours` is what it rests on, where
    the store does not know that yet.
    """
    with gate.read() as (tx, actor):
        rows = tx.freezing
        state, marks = rows.state(target.version), rows.marks()
        ours = ours or sources(tx, rows.version(target.version), target.split)
        frozen = [sources(tx, one) for one in rows.frozen() if one.version_id != target.version]
    hidden = {one.version.version_id for one in frozen if not actor.may(Action.READ, one.version.workspace_id)}
    paths = shared(gate.database, ours, frozen, complete=complete)
    named = tuple(_unnamed(path) if path.frozen_id in hidden else path for path in paths)
    return Judged(state, named, marks, ours, tuple(frozen))


def _unnamed(path: SharedSource) -> SharedSource:
    return replace(path, frozen=f"{path.frozen_id} of another workspace", theirs="")


def freeze(gate: Gate, target: Target, *, reason: str | None, expected_version: int | None) -> None:
    """Make a frozen test set of a dataset version, unless a training under way uses what it consists of."""
    for _ in range(ATTEMPTS):
        in_the_way = _leases_in_the_way(gate.database, target.version)
        with gate.act(Action.FREEZE, target.subject, on_conflict=FreezeStateConflict) as act:
            living, lost = act.tx.freezing.leases()
            if any(lease.id not in in_the_way for lease in (*living, *lost)):
                continue  # a training began meanwhile, which nobody has looked at yet
            for lease in lost:
                if in_the_way[lease.id]:
                    act.tx.freezing.end_lease(lease.id, "lost")
            _freeze(act, target, [lease for lease in living if in_the_way[lease.id]], reason, expected_version)
            return
    raise FreezeStateConflict(reason=f"trainings kept starting while {target.title} was to be frozen")


def _leases_in_the_way(database: Database, version: str) -> dict[str, bool]:
    """Say of each open lease whether its training uses the version or a source of it."""
    with database.reading() as tx:
        leases = [lease for some in tx.freezing.leases() for lease in some]
        mine = sources(tx, tx.freezing.version(version))
        theirs = {lease.id: sources(tx, tx.freezing.version(lease.version_id), lease.split) for lease in leases}
    return {lease.id: lease.version_id == version or bool(shared(database, theirs[lease.id], [mine], complete=False)) for lease in leases}


def _freeze(act: Act, target: Target, leases: list[Lease], reason: str | None, expected_version: int | None) -> None:
    rows, actor = act.tx.freezing, act.actor.user
    now = rows.state(target.version)
    after, event = decide_freeze(target.title, now, leases, expected_version=expected_version, actor=actor, at=act.tx.now, reason=reason)
    rows.save(rows.version(target.version), after, event, manifest_hash=target.manifest_hash)
    act.record("FROZEN", number=event.number, reason=event.reason)


def unfreeze(gate: Gate, target: Target, *, reason: str | None, expected_version: int | None) -> None:
    """Make an ordinary dataset version of a frozen test set again."""
    with gate.act(Action.UNFREEZE, target.subject, on_conflict=FreezeStateConflict) as act:
        rows, actor = act.tx.freezing, act.actor.user
        now = rows.state(target.version)
        after, event = decide_unfreeze(target.title, now, expected_version=expected_version, actor=actor, at=act.tx.now, reason=reason)
        rows.save(rows.version(target.version), after, event, manifest_hash=target.manifest_hash)
        act.record("UNFROZEN", number=event.number, reason=event.reason)


def start_training(gate: Gate, target: Target, purpose: str | None) -> tuple[str, int]:
    """Take a training lease on a dataset version, or a split of it: nothing that it uses can be frozen until it ends.

    Return its id, and the number of pictures, its own and frozen ones, of which nobody knows what they are near-duplicates of.
    """
    for _ in range(ATTEMPTS):
        judged = judge(gate, target)
        unknown = 0 if judged.paths else unsearched(gate.database, judged.ours, judged.frozen)
        with gate.act(Action.TRAIN, target.subject) as act:
            if act.tx.freezing.marks() != judged.marks:
                continue  # somebody froze or unfroze a dataset since it was judged
            check_training(target.title, judged.state, judged.paths)
            until = act.tx.now + LEASE
            lease = act.tx.freezing.open_lease(target.version, split=target.split, purpose=purpose, actor=act.actor.user, until=until)
            act.record("TRAINING_STARTED", lease=lease, split=target.split, purpose=purpose, unsearched=unknown)
            return lease, unknown
    raise FreezeStateConflict(reason=f"test sets kept being frozen while {target.title} was looked at")


def end_training(gate: Gate, target: Target, lease: str) -> bool:
    """Close a lease. False where it was given up before, because a frozen set took what it uses."""
    with gate.database.transaction() as tx:  # whoever began may end, also when they left the workspace meanwhile
        closed = tx.freezing.end_lease(lease, "closed")
        tx.audit.record(
            Action.TRAIN,
            "TRAINING_ENDED" if closed else TrainingLeaseLost.code,
            actor=gate.user,
            workspace=gate.workspace.id,
            subject=target.subject,
            allowed=closed,
            facts={"lease": lease},
        )
    return closed


def check_export(gate: Gate, target: Target) -> None:
    """Refuse an export for training as a training would be refused; the deny is audited, the allow with the export."""
    _check(gate, target, judge(gate, target))


def check_promised(gate: Gate, target: Target, build: str, tree: Tree) -> None:
    """Refuse labelled files for training that a build promises, as their export would be refused; its version is not there yet."""
    version = VersionRow(target.version, build, "", gate.workspace.id, target.title)
    with gate.read() as (tx, _):
        ours = replace(sources(tx, version), objects=tuple(tree.objects))
    _check(gate, target, judge(gate, target, ours=ours))


def _check(gate: Gate, target: Target, judged: Judged) -> None:
    try:
        check_training(target.title, judged.state, judged.paths)
    except LabelkitError as refused:
        gate.deny(Action.TRAIN, target.subject, refused)
        raise


def start_evaluation(gate: Gate, target: Target, *, model: str | None, purpose: str | None, frozen_only: bool) -> str:
    """Write a look at a dataset version into the holdout ledger and return the entry's id."""
    with gate.act(Action.EVALUATE, target.subject) as act:
        rows = act.tx.freezing
        state = rows.state(target.version)
        if frozen_only:
            require_frozen(target.title, state)
        version = rows.version(target.version)
        entry = rows.add_evaluation(
            version, was_frozen=state.is_frozen, split=target.split, model=model, purpose=purpose, actor=act.actor.user
        )
        act.record("EVALUATION_STARTED", evaluation=entry, model=model, split=target.split, purpose=purpose)
    return entry
