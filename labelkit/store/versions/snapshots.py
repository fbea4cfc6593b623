"""Snapshots: keyed rows cut into chunks at boundaries that the keys decide, each chunk one object; the same rows give the same chunks.

The caller's query makes the rows, in ascending key order, with two columns of the in-memory DuckDB's making: `row_digest`, the sha256 of
the row's canonical text, and `chunk_start`. A chunk's identity rests on the row digests, never on the bytes of a Parquet file.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import polars as pl

from labelkit.core.hashing import sha256_hex
from labelkit.core.versions import CHUNK_START, Chunk, Tree, row_digests
from labelkit.errors import StorageReadFailed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from labelkit.store.objects import Objects
    from labelkit.store.statements import Statements

ROW_DIGEST = "row_digest"
CHUNK_STARTS = "chunk_start"


def chunk_start_sql(key: str) -> str:
    """Return the SQL that says whether a row's key starts a chunk: the key alone decides, so that edits elsewhere move no boundary."""
    return f"starts_with(sha256({key}), '{CHUNK_START}') AS {CHUNK_STARTS}"


def digest_sql(*columns: str) -> str:
    """Return the SQL of a row's digest: sha256 of the canonical JSON array of text and integer columns, in this order."""
    items = " || ',' || ".join(f"coalesce(CAST(to_json({column}) AS VARCHAR), 'null')" for column in columns)
    return f"sha256('[' || {items} || ']') AS {ROW_DIGEST}"


class SnapshotWriter:
    """Takes rows in key order, batch by batch, and stores each chunk when it is complete. Memory holds a batch and one chunk."""

    def __init__(self, objects: Objects, key: str) -> None:
        self._objects = objects
        self._key = key
        self._open: list[pl.DataFrame] = []
        self._last: str | None = None
        self._chunks: list[Chunk] = []

    def add(self, rows: pl.DataFrame) -> None:
        """Append rows whose keys ascend and come after all keys so far. Raises ValueError where they do not."""
        if rows.is_empty():
            return
        keys = rows[self._key]
        in_order = bool((keys.slice(1) > keys.slice(0, rows.height - 1)).all()) and (self._last is None or self._last < keys[0])
        if not in_order:
            raise ValueError(f"the keys of {self._key} do not ascend, or one comes twice, between {keys[0]!r} and {keys[-1]!r}")
        self._last = keys[-1]
        if rows[CHUNK_STARTS][0]:
            self._close()
        plain = rows.drop(CHUNK_STARTS)
        inner = [start for start in rows[CHUNK_STARTS].arg_true() if start > 0]
        for begin, end in pairwise([0, *inner, rows.height]):
            if begin > 0:
                self._close()
            self._open.append(plain.slice(begin, end - begin))

    def finish(self) -> Tree:
        """Store what is left and return the tree of all chunks."""
        self._close()
        return Tree(self._key, tuple(self._chunks))

    def _close(self) -> None:
        if not self._open:
            return
        rows = pl.concat(self._open, rechunk=True)
        self._open = []
        digest = row_digests(rows[ROW_DIGEST].to_list())
        self._chunks.append(Chunk(rows[self._key][0], rows.height, digest, self._objects.put_frame(rows)))


class SnapshotRows:
    """The trees of snapshots as rows, inside one unit of work."""

    def __init__(self, tx: Statements) -> None:
        self._tx = tx

    def add(self, tree: Tree) -> str:
        """Keep a tree and return its id; a tree of the same chunks and bytes is kept once."""
        columns = "" if tree.schema is None else f"{tree.key}\n{tree.schema}\n"
        snapshot = sha256_hex((columns + "".join(f"{chunk.digest} {chunk.object}\n" for chunk in tree.chunks)).encode())
        if self._tx.one("SELECT id FROM snapshots WHERE id = $id", id=snapshot) is not None:
            return snapshot
        row = {"id": snapshot, "key_column": tree.key, "tree_digest": tree.digest.value, "row_count": tree.rows}
        self._tx.insert("snapshots", [row | {"row_schema": tree.schema, "schema_object": tree.schema_object}])
        self._tx.insert(
            "snapshot_chunks",
            [
                {
                    "snapshot_id": snapshot,
                    "position": position,
                    "first_key": chunk.first_key,
                    "row_count": chunk.rows,
                    "digest": chunk.digest,
                    "chunk_object": chunk.object,
                }
                for position, chunk in enumerate(tree.chunks)
            ],
        )
        return snapshot

    def tree(self, snapshot: str) -> Tree:
        """Return the tree of a snapshot (id)."""
        head = self._tx.one("SELECT key_column, row_schema, schema_object FROM snapshots WHERE id = $id", id=snapshot)
        if head is None:
            raise LookupError(f"no snapshot {snapshot}")
        rows = self._tx.frame(
            "SELECT first_key, row_count, digest, chunk_object FROM snapshot_chunks WHERE snapshot_id = $id ORDER BY position", id=snapshot
        )
        return Tree(head["key_column"], tuple(Chunk(*row) for row in rows.iter_rows()), head["row_schema"], head["schema_object"])


def collected(rows: pl.LazyFrame) -> pl.DataFrame:
    """Run a query over objects. Raises `STORAGE_READ_FAILED` where one is missing or damaged."""
    return all_collected([rows])[0]


def all_collected(queries: Sequence[pl.LazyFrame]) -> list[pl.DataFrame]:
    """Run queries over objects, side by side. Raises `STORAGE_READ_FAILED` where one is missing or damaged."""
    try:
        return pl.collect_all(queries) if len(queries) > 1 else [queries[0].collect()]
    except (OSError, pl.exceptions.PolarsError) as error:
        raise StorageReadFailed(what="An object of the store", reason=" ".join(str(error).split())) from error


def scan(objects: Objects, tree: Tree) -> pl.LazyFrame:
    """Return the rows of a tree in key order, read when the query runs; the tree has at least one chunk."""
    return objects.scan(tree.objects)


def chunks(objects: Objects, tree: Tree, keep: Callable[[pl.LazyFrame], pl.LazyFrame]) -> Iterator[pl.DataFrame]:
    """Yield what `keep` leaves of each chunk, in key order; one chunk is in memory at once."""
    for chunk in tree.chunks:
        yield collected(keep(objects.scan([chunk.object])))


def row(objects: Objects, tree: Tree, key: str) -> pl.DataFrame:
    """Return the one row of a key, or no row."""
    chunk = tree.holding(key)
    return collected(objects.scan([chunk.object if chunk else tree.objects[0]]).filter(pl.col(tree.key) == key))
