"""Three trees become one: what both sides did to each key and field since their base is compared in sets, and nothing is guessed.

One side is the target: what the other side did is laid over it. That is ours, unless theirs alone changed columns.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import polars as pl

from labelkit.core.versions import MERGE, Change, Verdict
from labelkit.errors import SchemaMismatch
from labelkit.store.versions.chunking import first_keys, read_chunks
from labelkit.store.versions.diffing import Rows, compared, values_text

if TYPE_CHECKING:
    from labelkit.core.versions import Tree
    from labelkit.store.objects import Objects

Side = Literal["ours", "theirs"]

_VERDICTS = pl.DataFrame([(str(o), str(t), str(v)) for (o, t), v in MERGE.items()], schema=["ours", "theirs", "verdict"], orient="row")
_SWAP: dict[Side, Side] = {"ours": "theirs", "theirs": "ours"}


@dataclass(frozen=True)
class MergePlan:
    """What a merge will do: rows to lay over the target and keys to remove from it, and the conflicts that are left to people.

    `conflicts` has one row a field, or one a row that one side removed and the other changed (`field` is null then): `key`, `field`,
    `ours_did`, `theirs_did`, and the values as text: `base`, `ours`, `theirs`. None of these keys is among `rows` or `removed`.
    """

    target: Tree
    rows: pl.DataFrame
    removed: pl.Series
    conflicts: pl.DataFrame

    @property
    def keys(self) -> pl.Series:
        """Return the keys in conflict, each once, in order."""
        return self.conflicts["key"].unique().sort()


def planned(objects: Objects, base: Tree, ours: Tree, theirs: Tree, prefer: Side | None = None) -> MergePlan:
    """Return what merging theirs into ours does; with `prefer` that side wins where both changed the same.

    Raises `SCHEMA_MISMATCH` where both sides changed columns in different ways, or one removed a column that the other filled.
    """
    if theirs.schema not in (base.schema, ours.schema):
        if ours.schema != base.schema:
            fix = "Commit the columns of one side on the other first, then merge."
            raise SchemaMismatch(what="The merge", reason="both sides changed the columns, in different ways", fix=fix)
        plan = planned(objects, base, theirs, ours, None if prefer is None else _SWAP[prefer])
        columns = {"ours_did": "theirs_did", "theirs_did": "ours_did", "ours": "theirs", "theirs": "ours"}
        conflicts = plan.conflicts.rename(columns).select(plan.conflicts.columns)
        return MergePlan(plan.target, plan.rows, plan.removed, conflicts)
    return _Merge(objects, base, ours, theirs).plan(prefer)


class _Merge:
    def __init__(self, objects: Objects, base: Tree, ours: Tree, theirs: Tree) -> None:
        self._objects = objects
        self._trees = base, ours, theirs
        self._key = ours.key
        self._form = read_chunks(objects, ours, [])  # the columns of the target

    def plan(self, prefer: Side | None) -> MergePlan:
        base, ours, theirs = self._trees
        theirs_rows = compared(self._objects, base, theirs)
        self._refuse_lost_columns(theirs_rows)
        sides = self._sides(compared(self._objects, base, ours), theirs_rows)
        taken = sides.filter(verdict=str(Verdict.THEIRS))
        # Where ours has other columns, a row that theirs alone modified still has what ours put into these columns.
        modified = taken.filter(theirs=str(Change.MODIFIED))
        by_field = [sides.filter(verdict=str(Verdict.BY_FIELD)), modified if ours.schema != theirs.schema else modified.head(0)]
        whole = taken.filter(pl.col("theirs") != str(Change.REMOVED)).join(by_field[1], on="key", how="anti")
        merged, fields = self._by_field(pl.concat(by_field).sort("key"), prefer)
        rows, removed, torn = self._torn(sides.filter(verdict=str(Verdict.CONFLICT)), prefer)
        added = self._aligned(rows_of(self._objects, theirs, whole["key"]))
        gone = taken.filter(theirs=str(Change.REMOVED))["key"]
        conflicts = pl.concat([fields, torn]).sort("key", "field", maintain_order=True)
        upserts = pl.concat([added, merged, rows]).sort(self._key)
        return MergePlan(ours, upserts, pl.concat([gone, removed]), conflicts)

    def _sides(self, ours: Rows, theirs: Rows) -> pl.DataFrame:
        """Return each key that theirs changed, with what either side did and the verdict: key, ours, theirs, verdict."""
        kept, other = (
            pl.concat([part.select(pl.col(self._key).alias("key"), pl.lit(str(did)).alias(name)) for did, part in _parts(rows)])
            for name, rows in (("ours", ours), ("theirs", theirs))
        )
        both = other.join(kept, on="key", how="left").with_columns(pl.col("ours").fill_null(str(Change.NONE)))
        return both.join(_VERDICTS, on=["ours", "theirs"], how="left").select("key", "ours", "theirs", "verdict")

    def _by_field(self, sides: pl.DataFrame, prefer: Side | None) -> tuple[pl.DataFrame, pl.DataFrame]:
        """Return the merged rows of keys that both sides have, and a row for each field in conflict; these rows are left out."""
        base, ours, theirs = (self._in_place(sides, tree) for tree in self._trees)
        in_base = sides["key"].is_in(base.drop_nulls(self._key)[self._key].implode())
        merged, conflicts, clear = (
            {self._key: sides["key"].alias(self._key)},
            [],
            pl.repeat(value=True, n=sides.height, dtype=pl.Boolean, eager=True),
        )
        for name in self._form.columns[1:]:
            merged[name] = ours[name]
            if name not in theirs.columns:
                continue
            was, mine, other = _cast(base, name, self._form), ours[name], _cast(theirs, name, self._form)
            changed, took = mine.ne_missing(was) | ~in_base, other.ne_missing(was) | ~in_base
            clash = changed & took & mine.ne_missing(other)
            takes = (took & ~changed) | (clash if prefer == "theirs" else clash & False)
            merged[name] = pl.DataFrame({"a": other, "b": mine}).select(pl.when(takes).then("a").otherwise("b").alias(name)).to_series()
            if prefer is None and clash.any():
                clear &= ~clash
                values = {side: values_text(column) for side, column in (("base", was), ("ours", mine), ("theirs", other))}
                conflicts.append(self._conflicts(sides, name, values).filter(clash))
        rows = pl.DataFrame(merged, schema=self._form.schema).filter(clear)
        return rows, pl.concat([self._conflicts(sides.head(0), None, {}), *conflicts])

    def _torn(self, sides: pl.DataFrame, prefer: Side | None) -> tuple[pl.DataFrame, pl.Series, pl.DataFrame]:
        """Settle rows that one side removed and the other changed: rows to lay over, keys to remove, conflicts."""
        theirs = sides.filter(theirs=str(Change.MODIFIED)) if prefer == "theirs" else sides.head(0)
        gone = sides.filter(theirs=str(Change.REMOVED)) if prefer == "theirs" else sides.head(0)
        rows = self._aligned(rows_of(self._objects, self._trees[2], theirs["key"]))
        return rows, gone["key"], self._conflicts(sides if prefer is None else sides.head(0), None, {})

    def _conflicts(self, sides: pl.DataFrame, field: str | None, values: dict[str, pl.Series]) -> pl.DataFrame:
        """Return a row a key: a conflict about a field with the values of each side, or about the whole row."""
        nothing = pl.lit(None, dtype=pl.String)
        return sides.select(
            "key",
            pl.lit(field, dtype=pl.String).alias("field"),
            pl.col("ours").alias("ours_did"),
            pl.col("theirs").alias("theirs_did"),
            *((pl.lit(values[side]) if side in values else nothing).alias(side) for side in ("base", "ours", "theirs")),
        )

    def _in_place(self, sides: pl.DataFrame, tree: Tree) -> pl.DataFrame:
        """Return a side's rows of these keys in their order; nulls where it has no such row."""
        found = rows_of(self._objects, tree, sides["key"]).with_columns(pl.lit(value=True).alias("\x00there"))
        placed = sides.select(pl.col("key").alias(self._key)).join(found, on=self._key, how="left", maintain_order="left")
        return placed.with_columns(pl.when(pl.col("\x00there")).then(self._key).alias(self._key)).drop("\x00there")

    def _aligned(self, rows: pl.DataFrame) -> pl.DataFrame:
        """Return rows with the columns of the target."""
        return rows.select(self._key).with_columns(
            _cast(rows, name, self._form) if name in rows.columns else pl.lit(None, dtype=kind).alias(name)
            for name, kind in list(self._form.schema.items())[1:]
        )

    def _refuse_lost_columns(self, theirs: Rows) -> None:
        lost = [name for name in theirs.after.columns if name not in self._form.columns]
        for name in lost:
            if theirs.fields[name].any() or theirs.added[name].null_count() < theirs.added.height:
                reason = f"one side removed column {name}, the other put values into it"
                raise SchemaMismatch(what="The merge", reason=reason, fix="Decide about the column on one side first, then merge.")


def rows_of(objects: Objects, tree: Tree, keys: pl.Series) -> pl.DataFrame:
    """Return the rows of some keys in key order; only chunks that can hold them are read. Raises `STORAGE_READ_FAILED`."""
    if keys.is_empty() or not tree.chunks:
        return read_chunks(objects, tree, [])
    holding = (first_keys(tree, keys.dtype).search_sorted(keys, side="right").cast(pl.Int64) - 1).clip(lower_bound=0).unique().sort()
    rows = read_chunks(objects, tree, [tree.chunks[position] for position in holding])
    return rows.join(keys.to_frame(tree.key), on=tree.key, how="semi", maintain_order="left")


def _parts(rows: Rows) -> tuple[tuple[Change, pl.DataFrame], ...]:
    """Return what one side did, by kind; that a column went is no change of its rows."""
    fields = rows.fields.drop(rows.key, *rows.columns.removed)
    changed = fields.select(pl.any_horizontal(pl.all())).to_series() if fields.width and fields.height else None
    after = rows.after.head(0) if changed is None else rows.after.filter(changed)
    return (Change.ADDED, rows.added), (Change.REMOVED, rows.removed), (Change.MODIFIED, after)


def _cast(rows: pl.DataFrame, name: str, form: pl.DataFrame) -> pl.Series:
    """Return a column in the type of the target; one that is not there is null. Raises `SCHEMA_MISMATCH` for values that do not fit."""
    kind = form.schema[name]
    if name not in rows.columns:
        return pl.Series(name, [None], dtype=kind).new_from_index(0, rows.height)
    try:
        return rows[name].cast(kind)
    except pl.exceptions.PolarsError as error:
        reason = f"values of column {name} are no {kind}: {' '.join(str(error).split())[:120]}"
        raise SchemaMismatch(what="The merge", reason=reason, fix="Bring the column to one type on both sides first.") from error
