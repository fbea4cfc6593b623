"""Looking through a difference: rows that differ in key order, filtered as whole columns, then a page at a time."""

from __future__ import annotations

import re
from collections import OrderedDict
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import polars as pl

from labelkit.errors import InvalidValue, NotFound

if TYPE_CHECKING:
    from collections.abc import Mapping

    from labelkit.store.versions.diffing import Rows

CHANGES = ("added", "removed", "modified")
GROUPS = ("split", "type", "status", "tier")  # columns by which rows are counted where there are such
CLASSES = ("label", "class", "category")  # columns that hold the class of a row, where no list of labels does
LABELS = "annotations"
MANY = 50  # more values than this group nothing
KEPT = 8  # filters whose rows are remembered
UNSEEN = ("score", "source")  # of a label: how it came, not what it says
_KEY, _THERE, _AFTER = "\x00key", "\x00there", "\x00after"  # no column is named so


@dataclass(frozen=True)
class DiffPage:
    """Some of the rows that differ, in key order, and how many there are in all (`total`) from which `offset` were passed over.

    `rows` has `at` (the row's place among all that differ), `key`, `change` (added, removed, modified), `fields` (names, of modified
    rows), and `before` and `after`: structs of the other columns, null where the row is not there.
    """

    rows: pl.DataFrame = field(repr=False)
    total: int
    offset: int

    def __len__(self) -> int:
        return self.rows.height

    def _repr_html_(self) -> str:
        return self.rows._repr_html_()


class Paging:
    """The rows that differ as one list in key order. A filter is worked out once over whole columns; a page then costs what it shows."""

    def __init__(self, rows: Rows) -> None:
        self._rows = rows
        self._found: OrderedDict[tuple[object, ...], pl.Series] = OrderedDict()

    @cached_property
    def _order(self) -> pl.Series:
        """The places of added, removed and modified rows, laid one behind the other, in key order."""
        rows = self._rows
        return pl.concat([frame.get_column(rows.key) for frame in (rows.added, rows.removed, rows.after)]).arg_sort()

    @property
    def fields(self) -> list[str]:
        """Return the names of the columns of either version, without the key."""
        return [name for name in self._rows.fields.columns if name != self._rows.key]

    @cached_property
    def groups(self) -> dict[str, pl.DataFrame]:
        """Return, for each column that groups rows, how many of each value were added, removed and modified (by what they are now)."""
        rows = self._rows
        sides = (rows.added, rows.removed, rows.after)
        found = {}
        for name in GROUPS:
            if any(frame.schema.get(name) != pl.String() for frame in sides):
                continue
            values = pl.concat(
                [
                    frame.select(pl.col(name).alias("value"), pl.lit(change).alias("change"))
                    for frame, change in zip(sides, CHANGES, strict=True)
                ]
            ).drop_nulls()
            if 0 < values["value"].n_unique() <= MANY:
                found[name] = _counted(values)
        return found

    @cached_property
    def classes(self) -> pl.DataFrame:
        """Return how many labels of each class were added, removed and modified (by what they are now); rows where those have one class.

        Labels are told apart by their ids. Columns: value, added, removed, modified; no rows where nothing has a class.
        """
        rows = self._rows
        if self._labelled():
            return _label_counts(rows)
        name = self._class_column()
        if name is None:
            return _counted(pl.DataFrame(schema={"value": pl.String(), "change": pl.String()}))
        sides = zip((rows.added, rows.removed, rows.after), CHANGES, strict=True)
        return _counted(pl.concat([f.select(pl.col(name).alias("value"), pl.lit(c).alias("change")) for f, c in sides]).drop_nulls())

    def page(
        self,
        change: str | None = None,
        field: str | None = None,
        text: str | None = None,
        label: str | None = None,
        where: Mapping[str, str] | None = None,
        offset: int = 0,
        limit: int = 100,
    ) -> DiffPage:
        """Return up to `limit` rows after the first `offset` of those that have everything that is asked for."""
        if offset < 0 or limit < 0:
            raise InvalidValue(
                what="offset and limit", reason=f"{offset} and {limit}: neither counts rows", fix="Give numbers of 0 or more."
            )
        found = self._matching(change, field, text or None, label, tuple(sorted((where or {}).items())))
        return DiffPage(self._gathered(found.slice(offset, limit)), len(found), offset)

    def position(self, at: int, **filters: Any) -> int | None:  # noqa: ANN401 - as `page` takes them
        """Return how many rows of a filter come before the row that is `at` that place among all; None where it is not among them."""
        where = tuple(sorted((filters.get("where") or {}).items()))
        found = self._matching(filters.get("change"), filters.get("field"), filters.get("text") or None, filters.get("label"), where)
        place = int(found.search_sorted(at))
        return place if place < len(found) and found[place] == at else None

    def row(self, at: int) -> dict[str, Any]:
        """Return the row at that place among all that differ: at, key, change, fields, before, after. Raises `NOT_FOUND`."""
        if not 0 <= at < len(self._order):
            raise NotFound(kind="row that differs", name=str(at), near=f"There are {len(self._order):,}.", listing="diff.page()")
        return self._gathered(pl.Series([at], dtype=pl.UInt32())).row(0, named=True)

    # --- which rows

    def _matching(
        self, change: str | None, name: str | None, text: str | None, label: str | None, where: tuple[tuple[str, str], ...]
    ) -> pl.Series:
        asked = (change, name, text, label, where)
        found = self._found.pop(asked, None)
        if found is None:
            found = self._places(*asked)
        self._found[asked] = found
        while len(self._found) > KEPT:
            self._found.popitem(last=False)
        return found

    def _places(
        self, change: str | None, name: str | None, text: str | None, label: str | None, where: tuple[tuple[str, str], ...]
    ) -> pl.Series:
        rows = self._rows
        if change is not None and change not in CHANGES:
            raise NotFound.among("change", change, CHANGES, "diff.page(change=…)")
        for wanted in (*([] if name is None else [name]), *(column for column, _ in where)):
            if wanted not in self.fields:
                raise NotFound.among("field", wanted, self.fields, "diff.summary")
        wanted_rows = [self._wanted(text, label, where, frame) for frame in (rows.added, rows.removed)]
        both = self._wanted(text, label, where, rows.before) | self._wanted(text, label, where, rows.after)
        if name is not None:
            wanted_rows = [_none(frame) for frame in (rows.added, rows.removed)]
            both &= rows.fields[name]
        masks = [mask if change in (None, kind) else _none(mask) for kind, mask in zip(CHANGES, [*wanted_rows, both], strict=True)]
        return pl.concat(masks).gather(self._order).arg_true()

    def _wanted(self, text: str | None, label: str | None, where: tuple[tuple[str, str], ...], rows: pl.DataFrame) -> pl.Series:
        tests = [pl.col(column).cast(pl.String()).eq(value) if column in rows.columns else pl.lit(value=False) for column, value in where]
        if label is not None:
            tests.append(self._has_class(label, rows))
        if text is not None:
            pattern = "(?i)" + re.escape(text)
            readable = [_readable(name, kind) for name, kind in rows.schema.items() if kind != pl.Binary()]
            tests.append(pl.any_horizontal([one.str.contains(pattern).fill_null(value=False) for one in readable]))
        if not tests:
            return pl.repeat(value=True, n=rows.height, dtype=pl.Boolean(), eager=True)
        return rows.select(pl.all_horizontal(tests).fill_null(value=False).alias("wanted"))["wanted"] if rows.height else _none(rows)

    def _has_class(self, label: str, rows: pl.DataFrame) -> pl.Expr:
        if _is_label_list(rows.schema.get(LABELS)):
            return pl.col(LABELS).list.eval(pl.element().struct.field("label")).list.contains(label)
        name = self._class_column()
        if name is None or name not in rows.columns:
            raise NotFound.among("class", label, None, "diff.classes")
        return pl.col(name).eq(label)

    def _labelled(self) -> bool:
        return _is_label_list(self._rows.after.schema.get(LABELS)) and _is_label_list(self._rows.before.schema.get(LABELS))

    def _class_column(self) -> str | None:
        rows = self._rows
        sides = (rows.added, rows.removed, rows.before, rows.after)
        return next((name for name in CLASSES if all(frame.schema.get(name) == pl.String() for frame in sides)), None)

    # --- what they hold

    def _gathered(self, at: pl.Series) -> pl.DataFrame:
        """Return the rows at these places among all, in that order."""
        rows = self._rows
        place = self._order.gather(at).cast(pl.Int64())
        ends = (rows.added.height, rows.added.height + rows.removed.height)
        parts = []
        for change, start, end in zip(CHANGES, (0, *ends), (*ends, len(self._order)), strict=True):
            inside = (place >= start) & (place < end)
            parts.append(self._part(change, place.filter(inside) - start).with_columns(at.filter(inside).cast(pl.UInt32()).alias("at")))
        return pl.concat(parts).sort("at").select("at", "key", "change", "fields", "before", "after")

    def _part(self, change: str, places: pl.Series) -> pl.DataFrame:
        rows = self._rows
        sides = {"added": (None, rows.added), "removed": (rows.removed, None), "modified": (rows.before, rows.after)}[change]
        frames = [None if side is None else side[places] for side in sides]
        present = next(frame for frame in reversed(frames) if frame is not None)
        fields = pl.Series("fields", [[]] * len(places), dtype=pl.List(pl.String()))
        if change == "modified" and self.fields:
            named = [pl.when(pl.col(name)).then(pl.lit(name)) for name in self.fields]
            fields = rows.fields[places].select(pl.concat_list(named).list.drop_nulls().alias("fields"))["fields"]
        shapes = (rows.before, rows.after)
        structs = [
            _struct(name, frame, like.drop(rows.key), len(places))
            for name, frame, like in zip(("before", "after"), frames, shapes, strict=True)
        ]
        return pl.DataFrame(
            [
                present[rows.key].alias("key"),
                pl.repeat(change, len(places), dtype=pl.String(), eager=True).alias("change"),
                fields,
                *structs,
            ]
        )


def _struct(name: str, frame: pl.DataFrame | None, like: pl.DataFrame, height: int) -> pl.Series:
    kind = pl.Struct(like.schema)
    if frame is None:
        return pl.Series(name, [None] * height, dtype=kind)
    if not like.width:
        return pl.Series(name, [{}] * height, dtype=kind)
    return frame.select(pl.struct(like.columns).alias(name))[name]


def _none(like: pl.DataFrame | pl.Series) -> pl.Series:
    return pl.repeat(value=False, n=len(like), dtype=pl.Boolean(), eager=True)


def _readable(name: str, kind: pl.DataType) -> pl.Expr:
    """Return a column as text to search in: nested values as JSON."""
    if kind.is_nested():
        return pl.struct(pl.col(name)).struct.json_encode()
    return pl.col(name).cast(pl.String())


def _is_label_list(kind: pl.DataType | None) -> bool:
    inner = kind.inner if isinstance(kind, pl.List) else None
    return isinstance(inner, pl.Struct) and {"id", "label"} <= {one.name for one in inner.fields}


def _counted(values: pl.DataFrame) -> pl.DataFrame:
    """Return how often each value was added, removed and modified, by value."""
    counts = [(pl.col("change") == change).sum().cast(pl.Int64()).alias(change) for change in CHANGES]
    return values.group_by("value").agg(counts).sort("value")


def _label_counts(rows: Rows) -> pl.DataFrame:
    """Return the labels that differ in more than score and source, by class: of rows that are new or gone all of them.

    Where both sides of a row have the same ids in the same order its labels are compared in place; only the others are joined.
    """
    both = [frame.select(pl.col(rows.key).alias(_KEY), LABELS) for frame in (rows.before, rows.after)]
    ids = [frame.select(pl.col(LABELS).list.eval(pl.element().struct.field("id")))[LABELS] for frame in both]
    beside = ids[0].eq_missing(ids[1])
    in_place = [_labels(frame.filter(beside)) for frame in both]
    old, new = (
        _labels(pl.concat([alone.select(pl.col(rows.key).alias(_KEY), LABELS), frame.filter(~beside)], how="vertical_relaxed"))
        for alone, frame in zip((rows.removed, rows.added), both, strict=True)
    )
    shared = [name for name in new.columns if name in old.columns and name not in (_KEY, "id", *UNSEEN)]
    changed = pl.any_horizontal([pl.col(name).ne_missing(pl.col(name + _AFTER)) for name in shared])
    laid = pl.concat(
        [in_place[0].select(shared), in_place[1].select(shared).rename({name: name + _AFTER for name in shared})], how="horizontal"
    )
    sides = [side.select(_KEY, "id", *shared, pl.lit(value=True).alias(_THERE)) for side in (old, new)]
    joined = sides[0].join(sides[1], on=(_KEY, "id"), how="full", suffix=_AFTER, nulls_equal=True)
    change = (
        pl.when(pl.col(_THERE).is_null())
        .then(pl.lit("added"))
        .when(pl.col(_THERE + _AFTER).is_null())
        .then(pl.lit("removed"))
        .when(changed)
        .then(pl.lit("modified"))
    )
    value = pl.coalesce(f"label{_AFTER}", "label").alias("value")
    moved = laid.filter(changed).select(value, pl.lit("modified").alias("change"))
    return _counted(pl.concat([joined.select(value, change.alias("change")).drop_nulls(), moved.drop_nulls()]))


def _labels(rows: pl.DataFrame) -> pl.DataFrame:
    """Return the labels of rows, one a row, with the key of theirs."""
    return rows.explode(LABELS).drop_nulls(LABELS).unnest(LABELS)
