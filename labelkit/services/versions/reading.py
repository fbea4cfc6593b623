"""From a ref to a snapshot: names, tags, branches, ids; and the rows of a version as a lazy frame."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, TypeAlias

from labelkit.core.versions import Ref
from labelkit.errors import InvalidValue, NotFound
from labelkit.store.versions import snapshots
from labelkit.store.versions.chunking import read_chunks

if TYPE_CHECKING:
    import polars as pl

    from labelkit.core.versions import Tree
    from labelkit.store.acting import Gate
    from labelkit.store.transaction import Transaction
    from labelkit.store.versions.commits import CommitRow, History


class HasId(Protocol):
    """A commit, an outcome, a dataset: what has an id."""

    @property
    def id(self) -> str:
        """Return the id."""


RefLike: TypeAlias = str | HasId

LISTING = "ws.versions.list()"
BUILT = "dsv_"
TREES = 16  # of versions looked at last, kept in memory


@dataclass(frozen=True, slots=True)
class Resolved:
    """What a ref points at: a snapshot (id), the commit where it is one, and what people call it."""

    snapshot: str
    commit: CommitRow | None
    title: str


def text_of(ref: RefLike) -> str:
    """Return a ref as text."""
    return ref if isinstance(ref, str) else ref.id


def history_of(tx: Transaction, gate: Gate, name: str) -> History:
    """Return the history of a name. Raises `NOT_FOUND` with the nearest name."""
    found = tx.versions.history(gate.workspace.id, name)
    if found is None:
        raise NotFound.among("name", name, tx.versions.names(gate.workspace.id), LISTING)
    return found


def resolved(tx: Transaction, gate: Gate, ref: RefLike) -> Resolved:
    """Return what a ref points at. Raises `NOT_FOUND`, and `INVALID_VALUE` for a text that is no ref or means several commits."""
    text = text_of(ref)
    if text.startswith(BUILT) and tx.versions.history(gate.workspace.id, text) is None:
        snapshot = tx.versions.built(gate.workspace.id, text)
        if snapshot is None:
            raise NotFound(kind="dataset version", name=text, near="It is not there, or not built.", listing="ws.datasets.list()")
        return Resolved(snapshot, None, text)
    commit = _commit(tx, gate, Ref.parse(text), text)
    return Resolved(commit.snapshot_id, commit, text if "@" in text else f"{commit.history.name}@{commit.id[:12]}")


def _commit(tx: Transaction, gate: Gate, ref: Ref, text: str) -> CommitRow:
    if ref.name is None:
        return _by_id(tx, gate, ref.at, None, text)
    found = tx.versions.at(gate.workspace.id, ref.name, ref.at)
    if found is not None:
        return found
    history = history_of(tx, gate, ref.name)
    if ref.may_be_commit:
        return _by_id(tx, gate, ref.at, history.id, text)
    known = [*tx.versions.tags(history.id), *(one.name for one in tx.versions.branches(history.id) if one.head is not None)]
    listing = f"ws.versions.branches({ref.name!r}) or ws.versions.tags({ref.name!r})"
    raise NotFound.among(f"version of {ref.name}", ref.at, known, listing)


def _by_id(tx: Transaction, gate: Gate, start: str, history: str | None, text: str) -> CommitRow:
    found = tx.versions.starting(gate.workspace.id, start, history)
    if not found:
        raise NotFound(kind="commit", name=text, near="No commit's id starts so.", listing="ws.versions.log(name)")
    if len({row.id for row in found}) > 1:
        raise InvalidValue(what=f"The ref {text}", reason=f"{len(found)} commits start so", fix="Give more digits of the id.")
    return found[0]


class Reading:
    """Reads versions; keeps the trees of the last few, which never change."""

    def __init__(self, gate: Gate) -> None:
        self._gate = gate
        self._trees: dict[str, Tree] = {}
        self._guard = threading.Lock()

    def commit(self, tx: Transaction, ref: RefLike) -> CommitRow:
        """Return the commit that a ref points at. Raises `NOT_FOUND`, and `INVALID_VALUE` for a dataset version, which is none."""
        found = resolved(tx, self._gate, ref).commit
        if found is None:
            raise InvalidValue(what=f"The ref {text_of(ref)}", reason="a dataset version is no commit", fix="Commit its rows under a name.")
        return found

    def commit_of(self, tx: Transaction, history: History, ref: RefLike) -> CommitRow:
        """Return the commit of this history that a ref points at; a bare tag, branch or id means one of this history."""
        text = text_of(ref)
        if "@" not in text and text != history.name:
            text = f"{history.name}@{text}"
        found = self.commit(tx, text)
        if found.history.id != history.id:
            reason = f"it belongs to {found.history.name}"
            raise InvalidValue(what=f"The ref {text}", reason=reason, fix=f"Name a version of {history.name}.")
        return found

    def tree(self, tx: Transaction, snapshot: str) -> Tree:
        """Return the tree of a snapshot (id)."""
        with self._guard:
            held = self._trees.pop(snapshot, None)
        if held is None:
            held = tx.versions.snapshots.tree(snapshot)
        with self._guard:
            self._trees[snapshot] = held
            for oldest in list(self._trees)[:-TREES]:
                del self._trees[oldest]
        return held

    def checkout(self, ref: RefLike) -> pl.LazyFrame:
        """Return the rows of a version, to be read when the query runs."""
        objects = self._gate.database.objects
        with self._gate.read() as (tx, _):
            found = resolved(tx, self._gate, ref)
            tree = self.tree(tx, found.snapshot)
        rows = snapshots.scan(objects, tree) if tree.chunks else read_chunks(objects, tree, []).lazy()
        return rows.drop(snapshots.ROW_DIGEST) if found.commit is None else rows.select(found.commit.columns)
