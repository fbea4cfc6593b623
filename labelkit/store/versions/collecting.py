"""What nothing reaches: commits that descend to no branch or tag, snapshots that no row names, and which objects that leaves named.

A column whose name ends in `commit_id` or `snapshot_id` holds the id of one, as columns ending in `_object` hold objects: so whatever
system names a commit or a snapshot protects it, without a word here.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from labelkit.core.versions import ancestors
from labelkit.store.check import named_objects

if TYPE_CHECKING:
    from collections.abc import Iterable

    from labelkit.store.statements import Statements

_OWN = ("commits", "snapshot_chunks", "snapshots")


@dataclass(frozen=True, slots=True)
class Unreached:
    """Commits and snapshots (ids) that nothing reaches, and the objects that are named by what would be left without them."""

    commits: tuple[str, ...]
    snapshots: tuple[str, ...]
    named: frozenset[str]


def unreached(tx: Statements, grace_s: float) -> Unreached:
    """Return what nothing reaches and is not younger than `grace_s` seconds.

    A young commit counts as reached: somebody may be about to rebase it; and so does all that it descends from.
    """
    rows = tx.rows("SELECT history_id, id, parent_commit_id, merged_commit_id, snapshot_id, committed_at FROM commits")
    young = {row["id"] for row in rows if row["committed_at"] > tx.now - timedelta(seconds=grace_s)}
    roots = young | _named(tx, "commit_id")
    parents: dict[str, tuple[str, ...]] = {}
    for row in rows:
        parents[row["id"]] = tuple(one for one in (row["parent_commit_id"], row["merged_commit_id"]) if one is not None)
    reached = _closure(roots & parents.keys(), parents)
    gone = {row["id"] for row in rows} - reached
    held = {row["snapshot_id"] for row in rows if row["id"] in reached} | _named(tx, "snapshot_id")
    dropped = {row["snapshot_id"] for row in rows if row["id"] in gone} - held
    only = _only_of(tx, dropped)
    named = frozenset(digest for digest, _ in named_objects(tx) if digest not in only)
    return Unreached(tuple(sorted(gone)), tuple(sorted(dropped)), named)


def remove(tx: Statements, found: Unreached) -> None:
    """Remove the rows of what nothing reaches; the objects are left to the store's collection."""
    tx.execute("DELETE FROM commits WHERE list_contains(CAST($ids AS TEXT[]), id)", ids=found.commits)
    tx.execute("DELETE FROM snapshot_chunks WHERE list_contains(CAST($ids AS TEXT[]), snapshot_id)", ids=found.snapshots)
    tx.execute("DELETE FROM snapshots WHERE list_contains(CAST($ids AS TEXT[]), id)", ids=found.snapshots)


def _named(tx: Statements, ending: str) -> set[str]:
    """Return the ids in all columns with this ending, outside the tables of versions themselves."""
    columns = tx.rows(
        """SELECT table_name, column_name FROM information_schema.columns
           WHERE table_catalog = current_database() AND table_schema = 'main'
               AND (column_name = $name OR column_name LIKE $ending ESCAPE '!')""",
        name=ending,
        ending="%!_" + ending.replace("_", "!_"),
    )
    found: set[str] = set()
    for column in columns:
        if column["table_name"] not in _OWN:
            name = column["column_name"]
            found |= {row["id"] for row in tx.rows(f"SELECT DISTINCT {name} AS id FROM {column['table_name']} WHERE {name} IS NOT NULL")}
    return found


def _closure(roots: Iterable[str], parents: dict[str, tuple[str, ...]]) -> set[str]:
    reached: set[str] = set()
    for root in roots:
        if root not in reached:
            reached |= set(ancestors(root, parents))
    return reached


def _only_of(tx: Statements, snapshots: set[str]) -> set[str]:
    """Return the objects that no row but those of these snapshots names."""
    mine = {
        row["digest"]
        for row in tx.rows(
            """SELECT chunk_object AS digest FROM snapshot_chunks WHERE list_contains(CAST($ids AS TEXT[]), snapshot_id)
               UNION SELECT schema_object FROM snapshots WHERE list_contains(CAST($ids AS TEXT[]), id)""",
            ids=sorted(snapshots),
        )
    }
    others = {
        row["digest"]
        for row in tx.rows(
            """SELECT chunk_object AS digest FROM snapshot_chunks WHERE NOT list_contains(CAST($ids AS TEXT[]), snapshot_id)
               UNION SELECT schema_object FROM snapshots WHERE NOT list_contains(CAST($ids AS TEXT[]), id)""",
            ids=sorted(snapshots),
        )
    }
    elsewhere = {digest for digest, where in named_objects(tx) if where not in ("snapshot_chunks.chunk_object", "snapshots.schema_object")}
    return mine - others - elsewhere
