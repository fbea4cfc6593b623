"""What differs between two trees, row by row: only chunks that differ are read, and rows are compared as whole columns.

Two chunks with the same first key and as many rows are laid side by side: where the keys agree the values are compared in place. Only
what is left is joined.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import polars as pl

from labelkit.core.hashing import canonical_json
from labelkit.core.versions import ChangeCount
from labelkit.store.versions.chunking import read_chunks
from labelkit.store.versions.snapshots import ROW_DIGEST

if TYPE_CHECKING:
    from collections.abc import Sequence

    from labelkit.core.versions import Chunk, Tree
    from labelkit.store.objects import Objects

_AFTER = "\x00after\x00"  # no column is named so


@dataclass(frozen=True)
class Columns:
    """How the columns of two versions differ: names; `retyped` has the types before and after."""

    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    retyped: tuple[tuple[str, str, str], ...] = ()

    def __bool__(self) -> bool:
        return bool(self.added or self.removed or self.retyped)


@dataclass(frozen=True)
class Rows:
    """Rows that differ, by key. `before` and `after` have the modified rows in the same order, each with all of its own columns.

    `fields` has the key and, for every column, whether it differs there.
    """

    key: str
    columns: Columns
    added: pl.DataFrame
    removed: pl.DataFrame
    before: pl.DataFrame
    after: pl.DataFrame
    fields: pl.DataFrame

    @cached_property
    def count(self) -> ChangeCount:
        """Return how many rows were added, removed and modified."""
        return ChangeCount(self.added.height, self.removed.height, self.after.height)


def compared(objects: Objects, a: Tree, b: Tree) -> Rows:
    """Return the rows that differ between two trees of one key. Raises `STORAGE_READ_FAILED`."""
    held_a, held_b = ({chunk.digest for chunk in tree.chunks} if a.schema == b.schema else set() for tree in (a, b))
    only_a = [chunk for chunk in a.chunks if chunk.digest not in held_b]
    only_b = [chunk for chunk in b.chunks if chunk.digest not in held_a]
    beside_a, beside_b, rest_a, rest_b = _beside(only_a, only_b)
    rows = [read_chunks(objects, tree, part) for tree, part in ((a, beside_a), (b, beside_b), (a, rest_a), (b, rest_b))]
    return between(a.key, rows[0], rows[1], rows[2], rows[3])


def between(
    key: str, before: pl.DataFrame, after: pl.DataFrame, rest_before: pl.DataFrame | None = None, rest_after: pl.DataFrame | None = None
) -> Rows:
    """Return how rows differ, by key; both sides are sorted. Those of the rest are compared with each other and with what does not fit."""
    rest_before, rest_after = (
        (before.head(0) if rest_before is None else rest_before),
        (after.head(0) if rest_after is None else rest_after),
    )
    columns = _columns(before, after)
    if before.height == after.height:
        fits = before[key] == after[key]
        parts = [_modified(key, before.filter(fits), after.filter(fits))] if fits.any() else []
        rest_before, rest_after = (
            pl.concat([before.filter(~fits), rest_before]) if not fits.all() else rest_before,
            pl.concat([after.filter(~fits), rest_after]) if not fits.all() else rest_after,
        )
    else:
        parts = []
        rest_before, rest_after = pl.concat([before, rest_before]), pl.concat([after, rest_after])
    at = rest_before.select(key).with_row_index(_AFTER + "a").join(rest_after.select(key).with_row_index(_AFTER + "b"), on=key)
    parts.append(_modified(key, rest_before[at[_AFTER + "a"]], rest_after[at[_AFTER + "b"]]))
    old, new, fields = (pl.concat(frames) for frames in zip(*parts, strict=True))
    if not old[key].is_sorted():  # laid side by side they come in order, and to gather nested columns costs as much as to compare them
        order = old[key].arg_sort()
        old, new, fields = old[order], new[order], fields[order]
    removed = rest_before.join(rest_after.select(key), on=key, how="anti").sort(key)
    added = rest_after.join(rest_before.select(key), on=key, how="anti").sort(key)
    return Rows(key, columns, _shown(added), _shown(removed), _shown(old), _shown(new), fields)


def _beside(a: Sequence[Chunk], b: Sequence[Chunk]) -> tuple[list[Chunk], list[Chunk], list[Chunk], list[Chunk]]:
    """Return chunks that can be laid side by side, and those of both sides that cannot."""
    there = {(chunk.first_key, chunk.rows): chunk for chunk in b}
    pairs = [(chunk, there[chunk.first_key, chunk.rows]) for chunk in a if (chunk.first_key, chunk.rows) in there]
    digests = {chunk.digest for pair in pairs for chunk in pair}
    rest_a, rest_b = ([chunk for chunk in side if chunk.digest not in digests] for side in (a, b))
    return [one for one, _ in pairs], [other for _, other in pairs], rest_a, rest_b


def _columns(before: pl.DataFrame, after: pl.DataFrame) -> Columns:
    old, new = (_shown(frame).schema for frame in (before, after))
    return Columns(
        tuple(name for name in new if name not in old),
        tuple(name for name in old if name not in new),
        tuple((name, str(old[name]), str(new[name])) for name in old if name in new and old[name] != new[name]),
    )


def _modified(key: str, before: pl.DataFrame, after: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame]:
    """Return those of paired rows that differ: as they were, as they are, and which fields differ.

    Rows with digests of their own differ where these do, and then in whatever else differs. A column that one side lacks is null there.
    """
    names = [name for name in dict.fromkeys([*before.columns, *after.columns]) if name not in (key, ROW_DIGEST)]
    masks = {name: _differs(before, after, name) for name in names}
    if ROW_DIGEST in before.columns and ROW_DIGEST in after.columns:
        anywhere = before[ROW_DIGEST] != after[ROW_DIGEST]
    else:
        nowhere = pl.repeat(value=False, n=before.height, dtype=pl.Boolean, eager=True)
        anywhere = pl.DataFrame({key: nowhere, **masks}).select(pl.any_horizontal(pl.all())).to_series()
    fields = pl.DataFrame({key: before[key], **masks})
    if anywhere.all():
        return before, after, fields
    return before.filter(anywhere), after.filter(anywhere), fields.filter(anywhere)


def _differs(before: pl.DataFrame, after: pl.DataFrame, name: str) -> pl.Series:
    if name not in before.columns:
        return after[name].is_not_null()
    if name not in after.columns:
        return before[name].is_not_null()
    old, new = _alike(before[name], after[name])
    return old.ne_missing(new).alias(name)


def _alike(old: pl.Series, new: pl.Series) -> tuple[pl.Series, pl.Series]:
    """Return two columns with one type: the one that holds both where there is such, else text."""
    if old.dtype == new.dtype:
        return old, new
    try:
        kind = pl.concat([old.head(0).to_frame("x"), new.head(0).to_frame("x")], how="vertical_relaxed").schema["x"]
        return old.cast(kind), new.cast(kind)
    except pl.exceptions.PolarsError:
        return values_text(old), values_text(new)


def values_text(values: pl.Series) -> pl.Series:
    """Return values as people read them: text as it is, numbers and the like in their usual form, lists and structs as JSON."""
    if values.dtype == pl.String:
        return values
    if values.dtype.is_nested():
        texts = [None if value is None else canonical_json(_json(value)).decode() for value in values.to_list()]
        return pl.Series(values.name, texts, dtype=pl.String)
    if values.dtype == pl.Binary:
        return values.bin.encode("hex")
    return values.cast(pl.String)


def _json(value: object) -> object:
    if isinstance(value, dict):
        return {name: _json(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_json(item) for item in value]
    return value if value is None or isinstance(value, (str, bool, int)) else str(value)


def _shown(rows: pl.DataFrame) -> pl.DataFrame:
    return rows.drop(ROW_DIGEST, strict=False)
