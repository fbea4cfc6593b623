"""Canonical rows become trees of chunks, and trees become other trees: only chunks whose rows differ are cut, digested and stored again.

Whatever the way to some rows (all at once, or change by change), the tree is the same: a chunk starts at the first row and at every key
whose hash says so, and nowhere else.
"""

from __future__ import annotations

import tempfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from labelkit.core.versions import CHUNK_BELOW, Chunk, Tree, starts_chunk
from labelkit.store.versions.canonical import chunk_digests, schema_text
from labelkit.store.versions.snapshots import collected

if TYPE_CHECKING:
    from collections.abc import Sequence

    from labelkit.store.analysis import Store
    from labelkit.store.objects import Objects

WRITERS = 4  # chunks that are encoded and synced side by side
LEVEL = 1  # of zstd: as small as higher ones for rows of text and numbers, in three quarters of the time
FEW_KEYS = 4_096  # above, DuckDB hashes faster than the time it takes to hand the keys over


@dataclass(frozen=True)
class Cut:
    """A tree, and the rows by which it differs from the one that it was made from: what stood there before, what stands there now.

    Rows that are equal on both sides may be among them; rows beyond them are equal.
    """

    tree: Tree
    before: pl.DataFrame
    after: pl.DataFrame


class Chunking:
    """Cuts canonical rows into chunks and stores them."""

    def __init__(self, database: Store) -> None:
        self._database = database
        self._objects = database.objects

    def whole(self, rows: pl.DataFrame, base: Tree | None = None) -> Cut:
        """Store all rows of a version. Chunks that `base` has too are found by their digests and are neither cut nor stored again."""
        key, schema = rows.columns[0], schema_text(rows)
        if base is None or base.schema != schema or base.key != key or not base.chunks:
            before = rows.head(0) if base is None or base.key != key else self.rows(base, base.chunks)
            chunks = self._stored(rows, self._ends(rows[key], new=rows[key], starts=[]), schema)
            return Cut(self._tree(rows, chunks, schema), before, rows)
        ends = _at(rows[key], self._starts_of(base, base.chunks))
        digests, runs = chunk_digests(rows, ends, schema), list(pairwise(ends))
        held = {chunk.digest: chunk for chunk in base.chunks}
        kept = [held.pop(digest) for digest in digests if digest in held]
        parted = [chunk for chunk in base.chunks if chunk.digest in held]  # what is left of the base has no equal
        same = {chunk.digest for chunk in kept}
        changed = [(run, digest) for run, digest in zip(runs, digests, strict=True) if digest not in same]
        before = self.rows(base, parted)
        after = pl.concat([rows.head(0), *(rows.slice(begin, end - begin) for (begin, end), _ in changed)])
        ends = self._ends(after[key], new=_new(after[key], before[key]), starts=self._starts_of(base, parted))
        known = [digest for _, digest in changed] if len(ends) == len(changed) + 1 else None
        chunks = _ordered([*kept, *self._stored(after, ends, schema, known)], rows.schema[key])
        return Cut(self._tree(rows, chunks, schema), before, after)

    def changed(self, base: Tree, rows: pl.DataFrame, removed: pl.Series) -> Cut:
        """Store `base` with these rows (canonical, of its columns) in place of those of their keys, and without the removed keys.

        Only chunks that can hold these keys are read and stored; a chunk whose first key goes joins the one before it.
        """
        key, kind = base.key, rows.schema[base.key]
        removed = removed.cast(kind)
        named = pl.concat([rows[key], removed])
        positions = self._touched(base, named, removed)
        parted = [base.chunks[position] for position in positions]
        before = self.rows(base, parted) if base.chunks else rows.head(0)
        present, places = _found(before[key], named)
        after = _merged(before, rows, places.filter(present), places.head(rows.height), present.head(rows.height))
        ends = self._ends(after[key], new=rows[key].filter(~present.head(rows.height)), starts=self._starts_of(base, parted))
        stored = self._stored(after, ends, str(base.schema))
        left = [chunk for position, chunk in enumerate(base.chunks) if position not in set(positions)]
        tree = Tree(key, tuple(_ordered([*left, *stored], kind)), base.schema, base.schema_object)
        return Cut(tree, before[places.filter(present).sort()], rows)

    def rows(self, tree: Tree, chunks: Sequence[Chunk]) -> pl.DataFrame:
        """Return the rows of some chunks of a tree, in their order. Raises `STORAGE_READ_FAILED`."""
        return read_chunks(self._objects, tree, chunks)

    def _tree(self, rows: pl.DataFrame, chunks: Sequence[Chunk], schema: str) -> Tree:
        return Tree(rows.columns[0], tuple(chunks), schema, self._objects.put_frame(rows.head(0)))

    def _starts_of(self, base: Tree, chunks: Sequence[Chunk]) -> list[str]:
        """Return the first keys of chunks as far as they start one for ever; that of the first chunk may do so only for being first."""
        return [chunk.first_key for chunk in chunks if chunk is not base.chunks[0] or starts_chunk(chunk.first_key)]

    @staticmethod
    def _touched(base: Tree, named: pl.Series, removed: pl.Series) -> list[int]:
        """Return the positions of the chunks that can hold the named keys, and of those that a chunk without its first key joins."""
        if not base.chunks:
            return []
        firsts = first_keys(base, named.dtype)
        holding = firsts.search_sorted(named, side="right").cast(pl.Int64) - 1
        headless = firsts.is_in(removed.implode()).arg_true().cast(pl.Int64)
        return pl.concat([holding, headless, headless - 1]).clip(lower_bound=0).unique().sort().to_list()

    def _ends(self, keys: pl.Series, *, new: pl.Series, starts: Sequence[str]) -> list[int]:
        """Return 0 and where each chunk of sorted keys ends: at `starts`, and at those of the `new` keys whose hash says so."""
        return _at(keys, [*starts, *self._starting(new)])

    def _starting(self, keys: pl.Series) -> list[str]:
        """Return those of the keys that start a chunk, as text."""
        text = keys.cast(pl.String)
        if len(text) <= FEW_KEYS:
            return [key for key in text.to_list() if starts_chunk(key)]
        with tempfile.TemporaryDirectory(prefix="labelkit-keys-") as folder:
            file = Path(folder, "keys.parquet")
            text.to_frame("key").write_parquet(file, compression="uncompressed", statistics=False)
            sql = "SELECT key FROM read_parquet($file) WHERE sha256(key) < $below"
            return self._database.analyse(sql, file=str(file), below=CHUNK_BELOW)["key"].to_list()

    def _stored(self, rows: pl.DataFrame, ends: Sequence[int], schema: str, digests: list[str] | None = None) -> list[Chunk]:
        """Store each run of rows and return them as chunks, in their order; `digests` are those of the runs where they are known."""
        if rows.is_empty():
            return []
        keys = rows[:, 0].gather(list(ends[:-1])).cast(pl.String).to_list()
        runs = list(pairwise(ends))
        with ThreadPoolExecutor(min(WRITERS, len(runs)), thread_name_prefix="labelkit-chunk") as pool:
            objects = pool.map(lambda run: self._objects.put_frame(rows.slice(run[0], run[1] - run[0]), level=LEVEL), runs)
            digests = chunk_digests(rows, ends, schema) if digests is None else digests  # while the chunks are written
            return [Chunk(k, end - begin, d, o) for k, (begin, end), d, o in zip(keys, runs, digests, objects, strict=True)]


def read_chunks(objects: Objects, tree: Tree, chunks: Sequence[Chunk]) -> pl.DataFrame:
    """Return the rows of some chunks of a tree, in their order; without a chunk, no row of its columns. Raises `STORAGE_READ_FAILED`."""
    digests = [chunk.object for chunk in chunks] or [tree.schema_object or tree.objects[0]]
    rows = collected(objects.scan(digests))
    return rows if chunks else rows.head(0)


def first_keys(tree: Tree, kind: pl.DataType) -> pl.Series:
    """Return the first key of each chunk as a value of the key's type."""
    return pl.Series(tree.key, [chunk.first_key for chunk in tree.chunks], dtype=pl.String).cast(kind)


def _ordered(chunks: list[Chunk], kind: pl.DataType) -> list[Chunk]:
    return sorted(chunks, key=(lambda chunk: int(chunk.first_key)) if kind.is_integer() else (lambda chunk: chunk.first_key))


def _at(keys: pl.Series, starts: Sequence[str]) -> list[int]:
    """Return 0, where in the sorted keys those of `starts` stand that are there, and the number of keys."""
    present, places = _found(keys, pl.Series(starts, dtype=pl.String).cast(keys.dtype))
    return sorted({0, len(keys), *places.filter(present).to_list()})


def _found(keys: pl.Series, wanted: pl.Series) -> tuple[pl.Series, pl.Series]:
    """Say of each wanted key whether it is among the sorted keys, and where."""
    if keys.is_empty() or wanted.is_empty():
        return pl.repeat(value=False, n=len(wanted), dtype=pl.Boolean, eager=True), pl.repeat(0, len(wanted), dtype=pl.UInt32, eager=True)
    places = keys.search_sorted(wanted)
    return keys.gather(places.clip(upper_bound=len(keys) - 1)) == wanted, places


def _merged(before: pl.DataFrame, rows: pl.DataFrame, gone: pl.Series, places: pl.Series, replaces: pl.Series) -> pl.DataFrame:
    """Return sorted rows without those at `gone` and with `rows`, each of which replaces the one at its place or goes before it."""
    if len(gone) == rows.height and replaces.all():  # nothing comes or goes: columns whose values stay are not touched
        index = np.arange(before.height)
        index[places.to_numpy()] = before.height + np.arange(rows.height)
        there, at = before[places], pl.Series(index)
        edited = [name for name in rows.columns if there[name].ne_missing(rows[name]).any()]
        return before.with_columns(pl.concat([before[name], rows[name]])[at] for name in edited)
    stays = np.ones(before.height, dtype=bool)
    stays[gone.to_numpy()] = False
    kept = np.flatnonzero(stays)
    order = np.concatenate([kept * 2 + 1, places.to_numpy().astype(np.int64) * 2 + replaces.to_numpy().astype(np.int64)])
    return pl.concat([before.filter(pl.Series(stays)), rows])[pl.Series(np.argsort(order, kind="stable"))]


def _new(keys: pl.Series, known: pl.Series) -> pl.Series:
    """Return those of the keys that are not known."""
    if len(keys) == len(known) and bool((keys == known).all()):
        return keys.head(0)
    return keys.to_frame("key").join(known.to_frame("key"), on="key", how="anti")["key"]
