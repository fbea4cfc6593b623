"""Merges and rebases: plan outside the lock, decide conflicts, then append as any commit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

from labelkit.core.actors import Action
from labelkit.core.versions import Tree, merge_base
from labelkit.errors import InvalidValue, MergeConflicts, NoCommonHistory
from labelkit.services.versions.committing import Pending, keys_of
from labelkit.services.versions.reading import history_of
from labelkit.services.versions.values import CommitOutcome, MergePreview, Version
from labelkit.store.versions.canonical import canonical, fitted
from labelkit.store.versions.chunking import Chunking, read_chunks
from labelkit.store.versions.diffing import compared
from labelkit.store.versions.merging import MergePlan, planned

if TYPE_CHECKING:
    from collections.abc import Sequence

    from labelkit.services.versions.committing import Committing
    from labelkit.services.versions.reading import Reading, RefLike
    from labelkit.store.acting import Gate
    from labelkit.store.versions.commits import CommitRow, History
    from labelkit.store.versions.merging import Side

EXAMPLES = 5


@dataclass(frozen=True, slots=True)
class Three:
    """The three versions of a merge; the base is None where there is none."""

    history: History
    base: CommitRow | None
    ours: CommitRow
    theirs: CommitRow
    trees: tuple[Tree, Tree, Tree]

    @property
    def code(self) -> str:
        """Return what a merge without conflicts answers."""
        if self.base is not None and self.base.id == self.theirs.id:
            return "NO_OP_MERGED"
        return "FAST_FORWARD" if self.base is not None and self.base.id == self.ours.id else "MERGED"


class Joining:
    """Joins two lines of history."""

    def __init__(self, gate: Gate, reading: Reading, committing: Committing) -> None:
        self._gate = gate
        self._reading = reading
        self._committing = committing
        self._chunking = Chunking(gate.database)

    def preview(self, name: str, source: RefLike, *, into: str) -> MergePreview:
        """Return what a merge would do."""
        three = self._three(name, source, into)
        plan = planned(self._gate.database.objects, *three.trees)
        base = None if three.base is None else three.base.id
        return MergePreview(three.code, base, three.ours.id, three.theirs.id, plan.conflicts, plan.rows.height, len(plan.removed))

    def merge(
        self,
        name: str,
        source: RefLike,
        *,
        into: str,
        message: str | None,
        resolve: Side | pl.DataFrame | None,
        remove: Sequence[object] | pl.Series,
    ) -> CommitOutcome:
        """Merge a version into a branch."""
        three = self._three(name, source, into)
        if three.code == "NO_OP_MERGED":
            return CommitOutcome(three.code, Version.of(three.ours), into)
        if three.code == "FAST_FORWARD":
            return self._forward(three, into)
        text = message if message is not None else f"Merge {three.theirs.id[:12]} into {into}"
        tree = self._joined(three, resolve, remove)
        return self._append(three, tree, (three.ours.id, three.theirs.id), text, into, "MERGED", Action.SET_VERSION_NAMES)

    def rebase(
        self, commit: RefLike, *, onto: str, resolve: Side | pl.DataFrame | None, remove: Sequence[object] | pl.Series
    ) -> CommitOutcome:
        """Put what a commit changed against its first parent on top of a branch."""
        objects = self._gate.database.objects
        with self._gate.read() as (tx, _):
            theirs = self._reading.commit(tx, commit)
            history = theirs.history
            ours = self._reading.commit_of(tx, history, onto)
            parent = tx.versions.find(history.id, theirs.value.parents[0]) if theirs.value.parents else None
            trees = [self._reading.tree(tx, row.snapshot_id) for row in (ours, theirs)]
            nothing = Tree(history.key, (), trees[1].schema, trees[1].schema_object)
            base = nothing if parent is None else self._reading.tree(tx, parent.snapshot_id)
        three = Three(history, parent, ours, theirs, (base, trees[0], trees[1]))
        tree = self._joined(three, resolve, remove)
        if tree.digest == trees[0].digest or not compared(objects, base, trees[1]):
            return CommitOutcome("NO_OP_MERGED", Version.of(ours), onto)
        return self._append(three, tree, (ours.id,), theirs.value.message, onto, "REBASED", Action.COMMIT)

    def _three(self, name: str, source: RefLike, into: str) -> Three:
        with self._gate.read() as (tx, _):
            history = history_of(tx, self._gate, name)
            ours, theirs = self._reading.commit_of(tx, history, into), self._reading.commit_of(tx, history, source)
            found = merge_base(ours.id, theirs.id, tx.versions.parents(history.id))
            base = None if found is None else tx.versions.find(history.id, found)
            if base is None:
                raise NoCommonHistory(ours=f"{name}@{into}", theirs=theirs.id[:12])
            a, b, c = (self._reading.tree(tx, row.snapshot_id) for row in (base, ours, theirs))
        return Three(history, base, ours, theirs, (a, b, c))

    def _joined(self, three: Three, resolve: Side | pl.DataFrame | None, remove: Sequence[object] | pl.Series) -> Tree:
        """Return the tree of the merged rows. Raises `MERGE_CONFLICTS` where conflicts are left."""
        by_rows = isinstance(resolve, pl.DataFrame) or len(remove) > 0
        prefer = None if by_rows or isinstance(resolve, pl.DataFrame) else resolve
        if prefer not in (None, "ours", "theirs"):
            raise InvalidValue(what="resolve", reason=f"{prefer!r} is no side", fix="Use 'ours', 'theirs' or a frame of rows.")
        plan = planned(self._gate.database.objects, *three.trees, prefer)
        rows, removed = plan.rows, plan.removed
        if by_rows:
            rows, removed = self._decided(three, plan, resolve if isinstance(resolve, pl.DataFrame) else None, remove)
        elif plan.conflicts.height:
            raise _conflicts(plan.keys)
        return self._chunking.changed(plan.target, rows, removed).tree

    def _decided(
        self, three: Three, plan: MergePlan, resolve: pl.DataFrame | None, remove: Sequence[object] | pl.Series
    ) -> tuple[pl.DataFrame, pl.Series]:
        """Return the rows and removed keys of a plan with people's decisions: one for each key in conflict, and for no other."""
        key = three.history.key
        form = read_chunks(self._gate.database.objects, plan.target, [])
        rows = form if resolve is None else fitted(canonical(resolve, key), form, three.history.name)
        removed = keys_of(remove, form.schema[key])
        decided = pl.concat([rows[key], removed])
        strange = decided.filter(~decided.is_in(plan.keys.implode()) | decided.is_duplicated())
        if len(strange):
            reason = f"{len(strange):,} keys are not in conflict or decided twice, such as {strange[0]!r}"
            raise InvalidValue(what="resolve", reason=reason, fix="Decide each key of plan_merge(...).conflicts once, and no other.")
        left = plan.keys.filter(~plan.keys.is_in(decided.implode()))
        if len(left):
            raise _conflicts(left)
        return pl.concat([plan.rows, rows]).sort(key), pl.concat([plan.removed, removed])

    def _append(
        self, three: Three, tree: Tree, parents: tuple[str, ...], message: str, branch: str, code: str, action: Action
    ) -> CommitOutcome:
        changes = compared(self._gate.database.objects, three.trees[1], tree).count
        columns = [*three.ours.columns, *(name for name in three.theirs.columns if name not in three.ours.columns)]
        kept = set(read_chunks(self._gate.database.objects, tree, []).columns)
        pending = Pending(three.history, parents, tree, [name for name in columns if name in kept], changes, message, code)
        return self._committing.append(pending, branch, action)

    def _forward(self, three: Three, branch: str) -> CommitOutcome:
        name = three.history.name
        pending = Pending(three.history, (three.ours.id,), three.trees[2], (), three.theirs.value.changes, "", "FAST_FORWARD")
        with self._gate.act(Action.SET_VERSION_NAMES, f"versions:{name}") as act:
            moved = act.tx.versions.move(
                three.history.id, branch, head=three.theirs.id, expected=three.ours.id, actor=act.actor.user
            ) and act.tx.versions.find(three.history.id, three.theirs.id)
            if not moved:
                present = act.tx.versions.branch(three.history.id, branch)
                raise self._committing.moved(pending, branch, None if present is None else present.head, None)
            act.record("FAST_FORWARD", commit=three.theirs.id, branch=branch)
        return CommitOutcome("FAST_FORWARD", Version.of(three.theirs), branch)


def _conflicts(keys: pl.Series) -> MergeConflicts:
    return MergeConflicts(count=len(keys), examples=", ".join(map(repr, keys.head(EXAMPLES).to_list())), keys=keys.to_list()[:1000])
