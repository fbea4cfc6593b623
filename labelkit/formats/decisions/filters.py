"""Filters over decisions: equality, lists, bounds and expressions; the first that a row fails is the one that leaves it out."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import TYPE_CHECKING, Any, TypeAlias

import polars as pl

from labelkit.core.golden.mapping import Rule
from labelkit.core.hashing import digest_of
from labelkit.errors import FilterInvalid, MappingInvalid
from labelkit.formats.decisions.json_expressions import as_time
from labelkit.formats.decisions.mapping import column_named, value_of

if TYPE_CHECKING:
    from labelkit.formats.decisions.sources import Source

Filters: TypeAlias = Mapping[str, Any] | pl.Expr | list["Mapping[str, Any] | pl.Expr"] | None

_PARTS = ("min", "max", "above", "below", "in", "not_in", "equals", "not")
_FIX = 'Write {"confidence": {"min": 0.8}, "outcome": ["won", "renewed"], "is_positive": True}, or an expression of polars.'


@dataclass(frozen=True, slots=True)
class Filter:
    """One filter for one source: its name, which rows it keeps, which have a value that cannot be compared, and that value as text."""

    name: str
    column: str
    keeps: pl.Expr = field(repr=False)
    strange: pl.Expr = field(repr=False)
    came: pl.Expr = field(repr=False)


def compiled_filters(filters: Filters, source: Source) -> list[Filter]:
    """Return the filters for a source, in their order. Raises `NOT_FOUND` for a column that is not there, `FILTER_INVALID`."""
    return [_test(name, spec, source) for name, spec in _named(filters)]


def filters_digest(filters: Filters) -> str:
    """Return the sha256 of what filters say; expressions and times count by their text."""
    return digest_of([[name, spec if isinstance(spec, (str, bool)) else repr(_told(spec))] for name, spec in _named(filters)]).value


def _told(spec: object) -> object:
    if isinstance(spec, pl.Expr):
        return str(spec)
    return sorted(spec.items()) if isinstance(spec, Mapping) else spec


def _named(filters: Filters) -> list[tuple[str, Any]]:
    if filters is None:
        return []
    if isinstance(filters, pl.Expr):
        return [("expression", filters)]
    if isinstance(filters, Mapping):
        return [(str(name), spec) for name, spec in filters.items()]
    if not isinstance(filters, list):
        raise FilterInvalid(what="filters", reason=f"{type(filters).__name__} is no filter", fix=_FIX)
    found = [one for part in filters for one in _named(part)]
    named = [(f"{name} {number}" if name == "expression" else name, spec) for number, (name, spec) in enumerate(found, start=1)]
    twice = next((name for name, _ in named if [other for other, _ in named].count(name) > 1), None)
    if twice is not None:
        raise FilterInvalid(what="filters", reason=f"{twice} stands there twice", fix="Put both bounds into one filter.")
    return named


def _test(name: str, spec: object, source: Source) -> Filter:
    if isinstance(spec, pl.Expr):
        return _expression(name, spec, source)
    kind = column_named(name, source.columns(), source)
    parts = (
        spec if isinstance(spec, Mapping) else {"in": list(spec)} if isinstance(spec, (list, tuple, set, frozenset)) else {"equals": spec}
    )
    strange = sorted(set(map(str, parts)) - set(_PARTS))
    if strange or not parts:
        reason = f"{strange[0]!r} is no part of a filter" if strange else "it says nothing"
        raise FilterInvalid(what=f"filters[{name!r}]", reason=reason, fix=f"Parts are {', '.join(_PARTS)}.")
    operands = [one for value in parts.values() for one in (value if isinstance(value, (list, tuple, set, frozenset)) else [value])]
    column, kind = _comparable(name, kind, [one for one in operands if one is not None], source)
    try:
        keeps = pl.all_horizontal(_keeps(column, kind, part, value) for part, value in parts.items())
        source.rows.select(keeps.alias("keeps")).collect_schema()
    except (pl.exceptions.PolarsError, TypeError) as error:
        reason = f"it does not fit a column of {kind}: {source.secrets.hidden(error)}"
        raise FilterInvalid(what=f"filters[{name!r}]", reason=reason, fix=_FIX) from None
    came = pl.lit(None, dtype=pl.String()) if kind.is_nested() else pl.col(name).cast(pl.String, strict=False)
    given = pl.when(pl.col(name).str.strip_chars() != "").then(pl.col(name)) if source.is_text else pl.col(name)
    return Filter(name, name, keeps.fill_null(value=False), (column.is_null() & given.is_not_null()).fill_null(value=False), came)


def _expression(name: str, spec: pl.Expr, source: Source) -> Filter:
    try:
        _, kind = value_of(Rule(expression=spec), name, source)
    except MappingInvalid as error:
        raise FilterInvalid(what=f"filters[{name!r}]", reason=str(error.facts["reason"]), fix=str(error.facts["fix"])) from None
    if not isinstance(kind, pl.Boolean):
        raise FilterInvalid(what=f"filters[{name!r}]", reason=f"the expression gives {kind}", fix="Give one that is true for rows to keep.")
    nothing = pl.lit(value=False)
    return Filter(name, name, spec.fill_null(value=False), nothing, pl.lit(None, dtype=pl.String()))


def _comparable(name: str, kind: pl.DataType, operands: Sequence[object], source: Source) -> tuple[pl.Expr, pl.DataType]:
    """Return the column in the type that its operands have; text of a CSV is read as that type."""
    column = pl.col(name)
    wanted = {_kind_of(one) for one in operands} or {"text"}
    if wanted == {"text", "time"}:  # a day as text beside a day
        wanted = {"time"}
    if len(wanted) > 1:
        raise FilterInvalid(
            what=f"filters[{name!r}]", reason=f"it compares with {' and '.join(sorted(wanted))}", fix="Use values of one kind."
        )
    (one,) = wanted
    if source.is_text and one != "text":
        return _read_as(column.str.strip_chars(), one)
    fits = {
        "text": isinstance(kind, (pl.String, pl.Categorical, pl.Enum)) or kind.is_temporal() or not operands,
        "number": kind.is_numeric(),
        "truth": isinstance(kind, pl.Boolean),
        "time": isinstance(kind, (pl.Date, pl.Datetime)),
    }
    if not fits[one]:
        raise FilterInvalid(what=f"filters[{name!r}]", reason=f"the column is {kind} and is compared with a {one}", fix=_FIX)
    return (column.cast(pl.String), pl.String()) if isinstance(kind, (pl.Categorical, pl.Enum)) else (column, kind)


def _read_as(text: pl.Expr, kind: str) -> tuple[pl.Expr, pl.DataType]:
    if kind == "number":
        return text.cast(pl.Float64, strict=False), pl.Float64()
    if kind == "truth":
        word = text.str.to_lowercase()
        return pl.when(word.is_in(["true", "false"])).then(word == "true"), pl.Boolean()
    return as_time(text), pl.Datetime("us", "UTC")


def _kind_of(value: object) -> str:
    match value:
        case bool():
            return "truth"
        case int() | float():
            return "number"
        case date():
            return "time"
        case str():
            return "text"
    raise FilterInvalid(what="filters", reason=f"{value!r} is no value to compare with", fix=_FIX)


def _keeps(column: pl.Expr, kind: pl.DataType, part: str, value: Any) -> pl.Expr:  # noqa: ANN401 (what people compare with)
    if part in ("in", "not_in"):
        known = [_operand(one, kind) for one in value if one is not None]
        found = pl.any_horizontal(column == one for one in known) if known else pl.lit(value=False)
        found = found.fill_null(value=None in value)
        return found if part == "in" else ~found
    if value is None:
        return column.is_null() if part == "equals" else column.is_not_null()
    operand = _operand(value, kind)
    found = {
        "equals": column == operand,
        "not": column.ne_missing(operand),
        "min": column >= operand,
        "max": column <= operand,
        "above": column > operand,
        "below": column < operand,
    }[part]
    return found & column.is_not_nan() if kind.is_float() and part != "not" else found


def _operand(value: object, kind: pl.DataType) -> pl.Expr:
    """Return what a column is compared with, in the column's type; days begin at midnight, and what has no zone is UTC."""
    if isinstance(kind, pl.Date) and isinstance(value, str):
        return pl.lit(date.fromisoformat(value))
    if isinstance(kind, pl.Datetime):
        moment = datetime.fromisoformat(value) if isinstance(value, str) else value
        if isinstance(moment, date) and not isinstance(moment, datetime):
            moment = datetime(moment.year, moment.month, moment.day)  # noqa: DTZ001 (the zone follows)
        return _moment(moment, kind)
    return pl.lit(value)


def _moment(moment: object, kind: pl.Datetime) -> pl.Expr:
    found = pl.lit(moment)
    zoned = isinstance(moment, datetime) and moment.tzinfo is not None
    if kind.time_zone is None:
        return found.dt.convert_time_zone("UTC").dt.replace_time_zone(None) if zoned else found
    return (found if zoned else found.dt.replace_time_zone("UTC")).dt.convert_time_zone(kind.time_zone)


def moment_filter(name: str, value: pl.Expr, kind: pl.DataType, watermark: str) -> Filter:
    """Return the filter that keeps what is at or after a watermark (canonical JSON), and what has no value there."""
    told = json.loads(watermark)
    keeps = (value >= _operand(told, kind)).fill_null(value=True)
    return Filter(name, name, keeps, pl.lit(value=False), pl.lit(None, dtype=pl.String()))
