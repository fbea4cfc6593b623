"""Commits: rows become a tree outside the lock, then one short transaction appends the commit and moves the head, or finds it moved."""

from __future__ import annotations

from dataclasses import asdict, dataclass, is_dataclass
from typing import TYPE_CHECKING, Any

import polars as pl

from labelkit.core.actors import Action
from labelkit.core.golden.examples import Example
from labelkit.core.versions import ChangeCount, Commit, Tree, label
from labelkit.errors import BranchMoved, InvalidValue, KeyChanged, NotFound
from labelkit.services.versions.reading import history_of
from labelkit.services.versions.values import CommitOutcome, Version
from labelkit.store.given import frame_of, listed_rows
from labelkit.store.golden.examples import frame_of as examples_frame
from labelkit.store.ids import new_id
from labelkit.store.versions.canonical import canonical, fitted, schema_text
from labelkit.store.versions.chunking import Chunking, Cut, read_chunks
from labelkit.store.versions.commits import History
from labelkit.store.versions.diffing import between, compared

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from labelkit.services.versions.reading import Reading, RefLike
    from labelkit.store.acting import Act, Gate
    from labelkit.store.versions.commits import CommitRow


@dataclass(frozen=True, slots=True)
class Head:
    """What a commit will rest on, and the head (id) of its branch when the work begins; None where the name or branch is new."""

    history: History | None
    commit: CommitRow | None
    tree: Tree | None
    branch_head: str | None


@dataclass(frozen=True, slots=True)
class Pending:
    """A commit that is about to be appended: its content, its parents, and what it is called when it is done."""

    history: History
    parents: tuple[str, ...]
    tree: Tree
    columns: Sequence[str]
    changes: ChangeCount
    message: str
    code: str


class Committing:
    """Appends commits to branches."""

    def __init__(self, gate: Gate, reading: Reading) -> None:
        self._gate = gate
        self._reading = reading
        self._chunking = Chunking(gate.database)

    def commit(
        self,
        name: str,
        rows: pl.DataFrame | pl.LazyFrame | Iterable[Mapping[str, object]] | None,
        *,
        key: str | None,
        message: str,
        upsert: bool,
        remove: Sequence[object] | pl.Series,
        branch: str,
        expected_head: RefLike | None,
    ) -> CommitOutcome:
        """Commit rows; `Versions.commit` says all about it."""
        head = self._head(name, branch, expected_head)
        given = _rows_of(rows)
        if not upsert and (given is None or len(remove)):
            reason = "there are no rows" if given is None else "rows are removed from a delta only"
            raise InvalidValue(what="commit", reason=reason, fix="Give all rows, or a delta with upsert=True.")
        if head.tree is None and given is None:
            raise InvalidValue(what="commit", reason=f"{name} has no rows to remove keys from", fix="Commit rows first.")
        key = self._key(name, key, head)
        if upsert and head.tree is not None:
            cut = self._delta(name, head.tree, given, remove)
            columns = list(head.commit.columns) if head.commit else []
        else:
            given = pl.DataFrame() if given is None else given
            full, columns = canonical(given, key), given.columns
            after = Tree(key, (), schema_text(full)).keyed_by
            if head.tree is not None and head.tree.keyed_by != after:
                raise KeyChanged(name=name, before=head.tree.keyed_by, after=after)
            cut = self._chunking.whole(full, head.tree)
        history = head.history or History(new_id("ver"), name, key)
        same = head.commit is not None and cut.tree.digest.value == head.commit.value.tree
        changes = between(key, cut.before, cut.after).count if cut.before.height else ChangeCount(added=cut.after.height)
        pending = Pending(history, () if head.commit is None else (head.commit.id,), cut.tree, columns, changes, message, "COMMITTED")
        if head.commit is None or not same:
            return self.append(pending, branch, Action.COMMIT)
        if head.branch_head != head.commit.id:
            raise self.moved(pending, branch, head.branch_head, None)
        return self._unchanged(name, branch, head.commit)

    def revert(self, name: str, to: RefLike, *, message: str | None, branch: str) -> CommitOutcome:
        """Commit the rows of another version."""
        with self._gate.read() as (tx, _):
            history = history_of(tx, self._gate, name)
            wanted = self._reading.commit_of(tx, history, to)
            head = self._reading.commit_of(tx, history, branch)
            trees = [self._reading.tree(tx, row.snapshot_id) for row in (head, wanted)]
        if head.value.tree == wanted.value.tree:
            return self._unchanged(name, branch, head)
        changes = compared(self._gate.database.objects, trees[0], trees[1]).count
        text = message if message is not None else f"Revert to {wanted.id[:12]}: {wanted.value.message}".rstrip(": ")
        pending = Pending(history, (head.id,), trees[1], wanted.columns, changes, text, "REVERTED")
        return self.append(pending, branch, Action.SET_VERSION_NAMES)

    def append(self, pending: Pending, branch: str, action: Action) -> CommitOutcome:
        """Append a commit and move the branch from its first parent to it.

        Where the branch is elsewhere the commit is kept, for a rebase. Raises `BRANCH_MOVED`.
        """
        moved: BranchMoved | None = None
        parent = pending.parents[0] if pending.parents else None
        with self._gate.act(action, f"versions:{pending.history.name}", on_conflict=self._raced(pending, branch)) as act:
            history = self._history(act, pending.history)
            if not all(act.tx.versions.has(history.id, parent) for parent in pending.parents):  # collected meanwhile
                raise self.moved(pending, branch, None, None)
            value = Commit(pending.parents, pending.tree.digest.value, pending.changes, act.actor.user, act.tx.now, pending.message)
            row = act.tx.versions.add(history, value, pending.tree, pending.columns)
            if act.tx.versions.move(history.id, branch, head=row.id, expected=parent, actor=act.actor.user):
                act.record(pending.code, commit=row.id, branch=branch, rows=row.rows)
            else:
                present = act.tx.versions.branch(history.id, branch)
                moved = self.moved(pending, branch, None if present is None else present.head, row.id)
                act.refuse(moved)
        if moved is not None:
            raise moved
        return CommitOutcome(pending.code, Version.of(row), branch)

    def _head(self, name: str, branch: str, expected: RefLike | None) -> Head:
        """Return what the commit will rest on: what is expected, else what the branch holds."""
        with self._gate.read() as (tx, actor):
            history = tx.versions.history(self._gate.workspace.id, name)
            present = None if history is None else tx.versions.branch(history.id, branch)
            commit = None if history is None or present is None or present.head is None else tx.versions.find(history.id, present.head)
            if history is not None and commit is None:
                known = [one.name for one in tx.versions.branches(history.id) if one.head is not None]
                raise NotFound.among("branch", branch, known, f"ws.versions.branches({name!r})")
            if expected is not None:
                commit = self._reading.commit_of(tx, history_of(tx, self._gate, name), expected)
            tree = None if commit is None else self._reading.tree(tx, commit.snapshot_id)
        self._gate.require(Action.COMMIT, f"versions:{name}", actor)
        if history is None:
            label(name, "The name of a set of rows")
            label(branch, "branch")
        return Head(history, commit, tree, None if present is None else present.head)

    @staticmethod
    def _key(name: str, key: str | None, head: Head) -> str:
        if head.history is None:
            if key is None:
                raise InvalidValue(what="key", reason=f"{name} is new", fix="Name the column that tells its rows apart: key=...")
            return key
        if key is not None and key != head.history.key:
            raise KeyChanged(name=name, before=head.history.key, after=key)
        return head.history.key

    def _delta(self, name: str, tree: Tree, given: pl.DataFrame | None, remove: Sequence[object] | pl.Series) -> Cut:
        form = read_chunks(self._gate.database.objects, tree, [])
        rows = form if given is None else fitted(canonical(given, tree.key), form, name)
        removed = keys_of(remove, form.schema[tree.key])
        twice = rows[tree.key].filter(rows[tree.key].is_in(removed.implode()))
        if len(twice):
            reason = f"{len(twice):,} keys are both given and removed, such as {twice[0]!r}"
            raise InvalidValue(what="remove", reason=reason, fix="Name each key once.")
        return self._chunking.changed(tree, rows, removed)

    def _unchanged(self, name: str, branch: str, head: CommitRow) -> CommitOutcome:
        with self._gate.act(Action.COMMIT, f"versions:{name}") as act:
            act.record("NO_OP_UNCHANGED", commit=head.id, branch=branch)
        return CommitOutcome("NO_OP_UNCHANGED", Version.of(head), branch)

    def _history(self, act: Act, wanted: History) -> History:
        present = act.tx.versions.history(self._gate.workspace.id, wanted.name)
        if present is None:
            act.tx.versions.add_history(wanted, self._gate.workspace.id, act.actor.user)
            return wanted
        if present.key != wanted.key:
            raise KeyChanged(name=wanted.name, before=present.key, after=wanted.key)
        return present

    def _raced(self, pending: Pending, branch: str) -> BranchMoved:
        return self.moved(pending, branch, None, None)

    @staticmethod
    def moved(pending: Pending, branch: str, head: str | None, kept: str | None) -> BranchMoved:
        """Return the refusal of a commit that found its branch elsewhere; `kept` is its id where it was kept."""
        expected = pending.parents[0][:12] if pending.parents else "its beginning"
        again = "Commit again on top of the present head."
        return BranchMoved(
            branch=branch,
            name=pending.history.name,
            head=head[:12] if head else "another place",
            expected=expected,
            kept="Nothing was written." if kept is None else f"What you committed is kept as {kept}.",
            way=again if kept is None else f'Put it on top with ws.versions.rebase("{pending.history.name}@{kept[:12]}", onto="{branch}").',
            commit=kept,
        )


def _rows_of(rows: pl.DataFrame | pl.LazyFrame | Iterable[object] | None) -> pl.DataFrame | None:
    """Return rows as a frame: frames as they are, mappings, models and dataclasses by their fields, examples as `ws.golden.to_polars()`."""
    if rows is None:
        return None
    frame = frame_of(rows)
    if frame is not None:
        return frame
    listed = list(listed_rows(rows, "rows"))
    examples = [row for row in listed if isinstance(row, Example)]
    if examples and len(examples) == len(listed):
        return examples_frame(examples)
    return pl.DataFrame([_fields(row) for row in listed], infer_schema_length=None)


def _fields(row: object) -> Any:  # noqa: ANN401  # whatever polars takes for a row
    if hasattr(row, "model_dump"):
        return row.model_dump(mode="json")
    return asdict(row) if is_dataclass(row) and not isinstance(row, type) else row


def keys_of(keys: Sequence[object] | pl.Series, kind: pl.DataType) -> pl.Series:
    """Return keys in the key's type, each once, in order. Raises `INVALID_VALUE` for keys of another type."""
    try:
        found = pl.Series(keys, dtype=kind) if not isinstance(keys, pl.Series) else keys.cast(kind)
    except (TypeError, pl.exceptions.PolarsError) as error:
        fix = f"Give keys of type {kind}."
        raise InvalidValue(what="remove", reason=" ".join(str(error).split())[:200], fix=fix) from error
    return found.drop_nulls().unique().sort()
