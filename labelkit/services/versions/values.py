"""What the calls of `ws.versions` return: commits, logs, diffs and outcomes, which print well."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from html import escape
from typing import TYPE_CHECKING, Any

import polars as pl

from labelkit.core.versions import ChangeCount, version_step
from labelkit.services.versions.paging import DiffPage, Paging
from labelkit.store.versions.diffing import values_text

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from labelkit.core.versions import VersionStep
    from labelkit.store.versions.commits import CommitRow
    from labelkit.store.versions.diffing import Columns, Rows

EXAMPLES = 10
_NO_FIELDS = pl.DataFrame(schema={"fields": pl.List(pl.String())})


@dataclass(frozen=True, slots=True, repr=False)
class Version:
    """One commit of a name: `id` and `tree` are sha256, `changes` counts against the first parent."""

    id: str
    name: str
    key: str
    parents: tuple[str, ...]
    tree: str
    changes: ChangeCount
    rows: int
    columns: tuple[str, ...]
    author: str
    committed_at: datetime
    message: str

    @classmethod
    def of(cls, row: CommitRow) -> Version:
        """Return a commit of the store as people see it."""
        value, history = row.value, row.history
        return cls(
            row.id,
            history.name,
            history.key,
            value.parents,
            value.tree,
            value.changes,
            row.rows,
            row.columns,
            value.author,
            value.committed_at,
            value.message,
        )

    @property
    def short(self) -> str:
        """Return the first twelve digits of the id, which are a ref of their own."""
        return self.id[:12]

    def __str__(self) -> str:
        return f"{self.short} {self.committed_at:%Y-%m-%d %H:%M} {self.author}: {self.message} ({self.changes}; {self.rows:,} rows)"

    def __repr__(self) -> str:
        return f"<{self.name}@{self}>"


class Log(tuple[Version, ...]):
    """Commits, newest first."""

    __slots__ = ()

    def to_polars(self) -> pl.DataFrame:
        """Return one row a commit: id, parents, tree, added, removed, modified, rows, author, committed_at, message."""
        plain = ("id", "parents", "tree", "rows", "author", "committed_at", "message")
        counts = ("added", "removed", "modified")
        rows = [
            {name: getattr(v, name) for name in plain} | {name: getattr(v.changes, name) for name in counts} | {"parents": list(v.parents)}
            for v in self
        ]
        kinds = {"parents": pl.List(pl.String()), "rows": pl.Int64(), "committed_at": pl.Datetime("us", "UTC")} | dict.fromkeys(
            counts, pl.Int64()
        )
        order = ("id", "parents", "tree", *counts, "rows", "author", "committed_at", "message")
        return pl.DataFrame(rows, schema={name: kinds.get(name, pl.String()) for name in order})

    def __repr__(self) -> str:
        return "\n".join(map(str, self)) or "no commits"

    def _repr_html_(self) -> str:
        return self.to_polars().drop("parents", "tree")._repr_html_()


@dataclass(frozen=True, slots=True)
class CommitOutcome:
    """What came of a commit, merge, rebase or revert, and the commit at which the branch stands now.

    `code` is COMMITTED, NO_OP_UNCHANGED (the rows are those of the head), MERGED, FAST_FORWARD, NO_OP_MERGED, REBASED or REVERTED.
    """

    code: str
    commit: Version
    branch: str

    @property
    def id(self) -> str:
        """Return the id of the commit."""
        return self.commit.id

    @property
    def changes(self) -> ChangeCount:
        """Return what the commit changed against its first parent."""
        return self.commit.changes

    def __repr__(self) -> str:
        return f"<{self.code} {self.commit.name}@{self.branch}: {self.commit}>"


@dataclass(frozen=True)
class Diff:
    """What differs between two versions: rows by key, and columns. All frames are in key order.

    `a` and `b` are the refs that were compared; `columns` has the columns `added`, `removed` and `retyped`.
    """

    a: str
    b: str
    _rows: Rows = field(repr=False)

    @property
    def key(self) -> str:
        """Return the column that tells rows apart."""
        return self._rows.key

    @property
    def columns(self) -> Columns:
        """Return how the columns differ."""
        return self._rows.columns

    @property
    def added(self) -> pl.DataFrame:
        """Return the rows that only b has."""
        return self._rows.added

    @property
    def removed(self) -> pl.DataFrame:
        """Return the rows that only a has."""
        return self._rows.removed

    @cached_property
    def modified(self) -> pl.DataFrame:
        """Return the rows that both have with different values: the key, `fields` (names), `before` and `after` (structs of all fields)."""
        rows = self._rows
        names = [name for name in rows.fields.columns if name != self.key]
        named = [pl.when(pl.col(name)).then(pl.lit(name)) for name in names]
        fields = rows.fields.select(pl.concat_list(named).list.drop_nulls().alias("fields")) if names else _NO_FIELDS
        sides = [(side, frame.drop(self.key)) for side, frame in (("before", rows.before), ("after", rows.after))]
        structs = [frame.select(pl.struct(pl.all()).alias(side)) for side, frame in sides if frame.width]
        name = "key" if self.key in ("fields", "before", "after") else self.key
        return pl.concat([rows.after.select(pl.col(self.key).alias(name)), fields, *structs], how="horizontal")

    @cached_property
    def changes(self) -> pl.DataFrame:
        """Return one row a changed field of a modified row: `key`, `field`, `before`, `after` (as text)."""
        parts = [self._field(name) for name in self._rows.fields.columns if name != self.key]
        keys = self._rows.after[self.key].alias("key")
        nothing = pl.DataFrame(schema={"key": keys.dtype, "field": pl.String(), "before": pl.String(), "after": pl.String()})
        return pl.concat([nothing, *parts]).sort("key", "field")

    def _field(self, name: str) -> pl.DataFrame:
        rows = self._rows
        differs = rows.fields[name]
        texts = {
            side: values_text(frame[name].filter(differs)) if name in frame.columns else pl.lit(None, dtype=pl.String())
            for side, frame in (("before", rows.before), ("after", rows.after))
        }
        return rows.after.filter(differs).select(pl.col(self.key).alias("key"), pl.lit(name).alias("field"), **texts)

    @property
    def count(self) -> ChangeCount:
        """Return how many rows were added, removed and modified."""
        return self._rows.count

    @property
    def summary(self) -> dict[str, Any]:
        """Return the counts: added, removed, modified; `fields` by name; the columns added, removed and retyped (before, after)."""
        count, columns = self.count, self.columns
        fields = {name: int(self._rows.fields[name].sum()) for name in self._rows.fields.columns if name != self.key}
        return {
            "added": count.added,
            "removed": count.removed,
            "modified": count.modified,
            "fields": {name: number for name, number in fields.items() if number},
            "columns_added": list(columns.added),
            "columns_removed": list(columns.removed),
            "columns_retyped": {name: (old, new) for name, old, new in columns.retyped},
        }

    @property
    def step(self) -> VersionStep:
        """Return which part of a version number should grow from a to b."""
        columns, fields = self.columns, self._rows.fields.drop(self.key, *self.columns.added)
        # A row that only got values in a new column still has everything that it had.
        changed = fields.filter(pl.any_horizontal(pl.all())).height if fields.width else 0
        count = ChangeCount(self.count.added, self.count.removed, changed)
        retyped = [name for name, _, _ in columns.retyped]
        return version_step(count, columns_added=columns.added, columns_removed=columns.removed, retyped=retyped)

    def to_polars(self) -> pl.DataFrame:
        """Return one row a key that differs: `key`, `change` (added, removed, modified), `fields` (names, of modified rows)."""
        parts = [("added", self.added, None), ("removed", self.removed, None), ("modified", self._rows.after, self.modified["fields"])]
        nothing = pl.lit([], dtype=pl.List(pl.String()))
        frames = [
            rows.select(
                pl.col(self.key).alias("key"),
                pl.lit(change).alias("change"),
                (nothing if fields is None else pl.lit(fields)).alias("fields"),
            )
            for change, rows, fields in parts
        ]
        return pl.concat(frames).sort("key")

    @cached_property
    def paging(self) -> Paging:
        """Return the rows that differ as one list: `.page(…)`, `.row(at)`, `.position(at, …)`, `.classes`, `.groups`."""
        return Paging(self._rows)

    def page(
        self,
        change: str | None = None,
        *,
        field: str | None = None,
        text: str | None = None,
        label: str | None = None,
        where: Mapping[str, str] | None = None,
        offset: int = 0,
        limit: int = 100,
    ) -> DiffPage:
        """Return up to `limit` of the rows that differ, in key order after the first `offset`, that have everything that is asked for.

        `change` is added, removed or modified; `field` a column whose value changed; `text` stands in the key or any value, in capitals or
        not; `label` is the class of the row or of a label on it; `where` maps columns to values. The rows of the last few filters are
        remembered, so that the next page costs what it shows. Raises `NOT_FOUND`, `INVALID_VALUE`.
        """
        return self.paging.page(change, field, text, label, where, offset, limit)

    def __bool__(self) -> bool:
        return bool(self.count or self.columns)

    def _sentences(self) -> list[str]:
        facts = self.summary
        lines = [f"{self.a} -> {self.b}: {self.count}"]
        lines += [
            f"columns {what}: {', '.join(facts[f'columns_{what}'])}" for what in ("added", "removed", "retyped") if facts[f"columns_{what}"]
        ]
        lines += [f"{name}: {number:,} changed" for name, number in sorted(facts["fields"].items(), key=lambda one: -one[1])]
        return lines

    def __repr__(self) -> str:
        return "\n  ".join(self._sentences())

    def _repr_html_(self) -> str:
        lines = "".join(f"<li>{escape(line)}</li>" for line in self._sentences()[1:])
        return f"<p>{escape(self._sentences()[0])}</p><ul>{lines}</ul>{self.changes.head(EXAMPLES)._repr_html_()}"


@dataclass(frozen=True)
class MergePreview:
    """What a merge would do. `conflicts` has one row a field in conflict: key, field, ours_did, theirs_did, base, ours, theirs (text).

    `field` is null where one side removed the row that the other changed. `code` is what the merge would answer.
    """

    code: str
    base: str | None
    ours: str
    theirs: str
    conflicts: pl.DataFrame = field(repr=False)
    changed: int
    removed: int

    def __bool__(self) -> bool:
        """Say whether the merge goes through as it is."""
        return self.conflicts.is_empty()

    def __repr__(self) -> str:
        clash = f", {self.conflicts['key'].n_unique():,} rows in conflict" if self.conflicts.height else ""
        return f"<{self.code}: {self.changed:,} rows to write, {self.removed:,} to remove{clash}>"


@dataclass(frozen=True, slots=True)
class Garbage:
    """What a collection removed, or would remove: ids of commits that no branch or tag reaches, snapshots, objects, and bytes."""

    commits: tuple[str, ...]
    snapshots: tuple[str, ...]
    objects: tuple[str, ...]
    size_bytes: int
    dry_run: bool

    def __repr__(self) -> str:
        verb = "would remove" if self.dry_run else "removed"
        counts = f"{len(self.commits):,} commits, {len(self.snapshots):,} snapshots, {len(self.objects):,} objects"
        return f"<{verb} {counts}, {self.size_bytes / 1e6:,.1f} MB>"
