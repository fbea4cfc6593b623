"""Histories, commits, branches and tags: rows to core values and back, inside one unit of work."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from labelkit.core.versions import ChangeCount, Commit
from labelkit.store.versions.snapshots import SnapshotRows

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    import polars as pl

    from labelkit.core.versions import Tree
    from labelkit.store.statements import Statements

_COMMITS = """
    SELECT c.history_id, h.name, h.key_column, c.id, c.parent_commit_id, c.merged_commit_id, c.snapshot_id, c.tree_digest, c.column_order,
        c.row_count, c.added, c.removed, c.modified, c.author, c.message, c.committed_at
    FROM commits c JOIN histories h ON h.id = c.history_id
"""


@dataclass(frozen=True, slots=True)
class History:
    """A name whose versions are kept, and the column that tells its rows apart."""

    id: str
    name: str
    key: str


@dataclass(frozen=True, slots=True)
class CommitRow:
    """A commit as it is kept: the value that its id is made of, the history and snapshot that it belongs to, the columns as given."""

    history: History
    id: str
    value: Commit
    snapshot_id: str
    columns: tuple[str, ...]
    rows: int


@dataclass(frozen=True, slots=True)
class Branch:
    """Where a branch is; its version counts the moves. A deleted one has no head."""

    name: str
    head: str | None
    version: int


class CommitRows:
    """Reads and writes the tables of versions."""

    def __init__(self, tx: Statements) -> None:
        self._tx = tx
        self.snapshots = SnapshotRows(tx)

    # --- histories

    def history(self, workspace: str, name: str) -> History | None:
        """Return the history of that name in a workspace (id)."""
        row = self._tx.one("SELECT id, name, key_column FROM histories WHERE workspace_id = $w AND name = $name", w=workspace, name=name)
        return None if row is None else History(row["id"], row["name"], row["key_column"])

    def names(self, workspace: str) -> list[str]:
        """Return the names of all histories of a workspace (id), in order."""
        return [row["name"] for row in self._tx.rows("SELECT name FROM histories WHERE workspace_id = $w ORDER BY name", w=workspace)]

    def add_history(self, history: History, workspace: str, actor: str) -> None:
        """Append a history; a second one of the name is a lost race."""
        row = {"id": history.id, "workspace_id": workspace, "name": history.name, "key_column": history.key}
        self._tx.insert("histories", [row | {"created_at": self._tx.now, "created_by": actor}])

    def listed(self, workspace: str) -> pl.DataFrame:
        """Return one row a history: name, key, rows and head of main, commits, updated_at, updated_by."""
        return self._tx.frame(
            """SELECT h.name, h.key_column AS key, c.row_count AS rows, b.head_commit_id AS head,
                   (SELECT count(*) FROM commits n WHERE n.history_id = h.id) AS commits, b.updated_at, b.updated_by
               FROM histories h
               LEFT JOIN branches b ON b.history_id = h.id AND b.name = 'main'
               LEFT JOIN commits c ON c.history_id = h.id AND c.id = b.head_commit_id
               WHERE h.workspace_id = $workspace ORDER BY h.name""",
            workspace=workspace,
        )

    # --- commits

    def add(self, history: History, commit: Commit, tree: Tree, columns: Sequence[str]) -> CommitRow:
        """Keep a commit with its tree and return it; the same commit twice is one."""
        snapshot = self.snapshots.add(tree)
        row = CommitRow(history, commit.id, commit, snapshot, tuple(columns), tree.rows)
        if not self.has(history.id, row.id):
            parents = [*commit.parents, None, None]
            self._tx.insert(
                "commits",
                [
                    {
                        "history_id": history.id,
                        "id": row.id,
                        "parent_commit_id": parents[0],
                        "merged_commit_id": parents[1],
                        "snapshot_id": snapshot,
                        "tree_digest": commit.tree,
                        "column_order": json.dumps(list(columns)),
                        "row_count": tree.rows,
                        "added": commit.changes.added,
                        "removed": commit.changes.removed,
                        "modified": commit.changes.modified,
                        "author": commit.author,
                        "message": commit.message,
                        "committed_at": commit.committed_at,
                    }
                ],
            )
        return row

    def find(self, history: str, commit: str) -> CommitRow | None:
        """Return a commit of a history (id) by its id."""
        row = self._tx.one(_COMMITS + "WHERE c.history_id = $history AND c.id = $id", history=history, id=commit)
        return None if row is None else _commit(row)

    def has(self, history: str, commit: str) -> bool:
        """Say whether a history (id) has a commit (id)."""
        return bool(self._tx.rows("SELECT 1 AS found FROM commits WHERE history_id = $history AND id = $id", history=history, id=commit))

    def at(self, workspace: str, name: str, at: str) -> CommitRow | None:
        """Return the commit that a tag or branch of a name in a workspace (id) stands at."""
        row = self._tx.one(
            _COMMITS
            + """WHERE h.workspace_id = $workspace AND h.name = $name AND c.id IN (
                SELECT t.commit_id FROM tags t WHERE t.history_id = h.id AND t.name = $at
                UNION ALL SELECT b.head_commit_id FROM branches b WHERE b.history_id = h.id AND b.name = $at)""",
            workspace=workspace,
            name=name,
            at=at,
        )
        return None if row is None else _commit(row)

    def starting(self, workspace: str, start: str, history: str | None) -> list[CommitRow]:
        """Return the commits of a workspace, or of one history of it (ids), whose id starts so, one for each id and history."""
        rows = self._tx.rows(
            _COMMITS + "WHERE h.workspace_id = $w AND starts_with(c.id, $start) AND (CAST($h AS TEXT) IS NULL OR h.id = $h) ORDER BY c.id",
            w=workspace,
            start=start,
            h=history,
        )
        return [_commit(row) for row in rows]

    def all(self, history: str) -> list[CommitRow]:
        """Return every commit of a history (id), newest first."""
        rows = self._tx.rows(_COMMITS + "WHERE c.history_id = $history ORDER BY c.committed_at DESC, c.id", history=history)
        return [_commit(row) for row in rows]

    def parents(self, history: str) -> dict[str, tuple[str, ...]]:
        """Return the parents of every commit of a history (id)."""
        rows = self._tx.rows("SELECT id, parent_commit_id, merged_commit_id FROM commits WHERE history_id = $history", history=history)
        return {row["id"]: _parents(row) for row in rows}

    # --- branches and tags

    def branches(self, history: str) -> list[Branch]:
        """Return the branches of a history (id) in order of their names, deleted ones too."""
        rows = self._tx.rows(
            "SELECT name, head_commit_id, version FROM branches WHERE history_id = $history ORDER BY name", history=history
        )
        return [Branch(row["name"], row["head_commit_id"], row["version"]) for row in rows]

    def branch(self, history: str, name: str) -> Branch | None:
        """Return a branch, None where there never was one of the name."""
        return next((branch for branch in self.branches(history) if branch.name == name), None)

    def move(self, history: str, name: str, *, head: str | None, expected: str | None, actor: str) -> bool:
        """Set the head of a branch that stands at `expected` (None: it is not there, or deleted), or say that it does not stand there."""
        present = self.branch(history, name)
        if present is None:
            if expected is not None:
                return False
            row = {"history_id": history, "name": name, "head_commit_id": head, "version": 1}
            self._tx.insert("branches", [row | {"updated_at": self._tx.now, "updated_by": actor}])
            return True
        moved = self._tx.changed(
            """UPDATE branches SET head_commit_id = CAST($head AS TEXT), version = version + 1, updated_at = $now, updated_by = $actor
               WHERE history_id = $history AND name = $name AND version = $version
                   AND head_commit_id IS NOT DISTINCT FROM CAST($expected AS TEXT)
               RETURNING version""",
            head=head,
            now=self._tx.now,
            actor=actor,
            history=history,
            name=name,
            version=present.version,
            expected=expected,
        )
        return moved == 1

    def tags(self, history: str) -> dict[str, str]:
        """Return the tags of a history (id) with the commits that they name."""
        rows = self._tx.rows("SELECT name, commit_id FROM tags WHERE history_id = $history ORDER BY created_at, name", history=history)
        return {row["name"]: row["commit_id"] for row in rows}

    def tag_frame(self, history: str) -> pl.DataFrame:
        """Return the tags of a history (id), oldest first: tag, commit, message, created_at, created_by."""
        return self._tx.frame(
            """SELECT name AS tag, commit_id AS "commit", message, created_at, created_by FROM tags
               WHERE history_id = $history ORDER BY created_at, name""",
            history=history,
        )

    def add_tag(self, history: str, name: str, commit: str, message: str, actor: str) -> None:
        """Append a tag; a second one of the name is a lost race."""
        row = {"history_id": history, "name": name, "commit_id": commit, "message": message}
        self._tx.insert("tags", [row | {"created_at": self._tx.now, "created_by": actor}])

    # --- versions of built datasets

    def built(self, workspace: str, version: str) -> str | None:
        """Return the snapshot of a dataset version (id) of a workspace (id)."""
        row = self._tx.one(
            """SELECT v.snapshot_id FROM dataset_versions v JOIN datasets d ON d.id = v.dataset_id
               WHERE v.id = $version AND d.workspace_id = $workspace""",
            version=version,
            workspace=workspace,
        )
        return None if row is None else str(row["snapshot_id"])


def _commit(row: dict[str, Any]) -> CommitRow:
    changes = ChangeCount(row["added"], row["removed"], row["modified"])
    at: datetime = row["committed_at"]
    value = Commit(_parents(row), row["tree_digest"], changes, row["author"], at, row["message"])
    history = History(row["history_id"], row["name"], row["key_column"])
    return CommitRow(history, row["id"], value, row["snapshot_id"], tuple(json.loads(row["column_order"])), row["row_count"])


def _parents(row: dict[str, Any]) -> tuple[str, ...]:
    return tuple(parent for parent in (row["parent_commit_id"], row["merged_commit_id"]) if parent is not None)
