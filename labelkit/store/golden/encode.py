"""Typed columns as JSON texts, set-based: in the one spelling of RFC 8785, or as a text was written, to see that a guess at it is right.

A value that cannot be written this way (a number that is none, or whose spelling is not the usual) leaves `UNDECIDED` in its text.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any, TypeAlias

import polars as pl

from labelkit.core.golden.json_texts import EXACT, canonical_text

UNDECIDED = "\x00"  # stands in no JSON text
_ESCAPES = {'"': '\\"', "\\": "\\\\", "\b": "\\b", "\f": "\\f", "\n": "\\n", "\r": "\\r", "\t": "\\t"}
_ESCAPES |= {sign: f"\\u{ord(sign):04x}" for sign in map(chr, range(32)) if sign not in _ESCAPES}
_TEXT_LIKE = (pl.Categorical, pl.Enum)

Path: TypeAlias = tuple[str, ...]
ITEMS = "[]"  # the step of a path into a list


@dataclass(frozen=True, slots=True)
class Nulls:
    """What a null field of an object stands for: `null` at these paths (None: everywhere), elsewhere a field that is not there."""

    written: frozenset[Path] | None = frozenset()

    def there(self, path: Path) -> bool:
        """Say whether the null field at a path is there, as `null`."""
        return self.written is None or path in self.written


ABSENT, EXPLICIT = Nulls(), Nulls(None)


@dataclass(frozen=True, slots=True)
class Style:
    """How a text is written: null fields; fields in the order of the type or sorted; with spaces; whole doubles as Python does (`1.0`)."""

    nulls: Nulls = field(default=ABSENT)
    order: bool = False
    spaces: bool = False
    whole: bool = False
    escapes: bool = True

    @property
    def canonical(self) -> Style:
        """Return the one spelling of RFC 8785 for the same values."""
        return replace(self, order=False, spaces=False, whole=False)


def encodable(kind: pl.DataType) -> bool:
    """Say whether values of a type are JSON values."""
    if isinstance(kind, (pl.List, pl.Array)):
        return encodable(made(kind.inner))
    if isinstance(kind, pl.Struct):
        return all(encodable(made(one.dtype)) for one in kind.fields)
    return kind.is_integer() or kind.is_float() or isinstance(kind, (pl.String, pl.Boolean, pl.Null, *_TEXT_LIKE))


def encoded(values: pl.Expr, kind: pl.DataType, style: Style, path: Path = ()) -> pl.Expr:  # noqa: PLR0911  # one for each kind
    """Return the JSON text of each value, null for a null; `path` is where the values stand."""
    match kind:
        case pl.Struct():
            return _object(values, kind, style, path)
        case pl.List() | pl.Array():
            lists = values.arr.to_list() if isinstance(kind, pl.Array) else values
            inner = encoded(pl.element(), made(kind.inner), style, (*path, ITEMS)).fill_null("null")
            joined = lists.list.eval(inner).list.join(", " if style.spaces else ",")
            return pl.concat_str(pl.lit("["), joined, pl.lit("]"))
        case pl.Boolean():
            return values.cast(pl.String)
        case pl.Null():
            return values.cast(pl.String)
    if kind.is_integer():
        exact = values.cast(pl.Int64, strict=False).is_between(1 - EXACT, EXACT - 1)
        return pl.when(exact).then(values.cast(pl.String)).when(values.is_not_null()).then(pl.lit(UNDECIDED))
    if kind.is_float():
        return _double(values.cast(pl.Float64), style)
    text = values.cast(pl.String)
    inner = text.str.replace_many(list(_ESCAPES), list(_ESCAPES.values())) if style.escapes else text
    return pl.concat_str(pl.lit('"'), inner, pl.lit('"'))


def _object(values: pl.Expr, kind: pl.Struct, style: Style, path: Path) -> pl.Expr:
    comma, colon = (", ", ": ") if style.spaces else (",", ":")
    fields = kind.fields if style.order else sorted(kind.fields, key=lambda one: one.name.encode("utf-16-be"))
    parts = []
    for one in fields:
        way = (*path, one.name)
        text = encoded(values.struct.field(one.name), made(one.dtype), style, way)
        if style.nulls.there(way):
            text = text.fill_null("null")
        parts.append(pl.concat_str(pl.lit(f"{comma}{canonical_text(one.name)}{colon}"), text))
    body = pl.concat_str(parts, ignore_nulls=True).str.strip_prefix(comma) if parts else pl.lit("")
    return pl.when(values.is_not_null()).then(pl.concat_str(pl.lit("{"), body, pl.lit("}")))


def _double(values: pl.Expr, style: Style) -> pl.Expr:
    """Return doubles between 1e-5 and 1e16 as text; there, the shortest digits are the same in every language."""
    size = values.abs()
    text = values.cast(pl.String)
    plain = pl.when(((size >= 1e-5) & (size < 1e16)) | (size == 0)).then(text)
    if style.whole:
        return plain.when(values.is_not_null()).then(pl.lit(UNDECIDED))
    whole = values.cast(pl.Int64, strict=False)
    return (
        pl.when((values.round() == values) & (size < EXACT))
        .then(whole.cast(pl.String))
        .when((size >= 1e-5) & (size < EXACT))
        .then(text)
        .when(values.is_not_null())
        .then(pl.lit(UNDECIDED))
    )


def made(kind: Any) -> pl.DataType:  # noqa: ANN401  # polars gives an instance or its class
    """Return a type as an instance."""
    found: pl.DataType = kind() if isinstance(kind, type) else kind
    return found
