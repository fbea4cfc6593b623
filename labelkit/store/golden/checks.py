"""A JSON Schema as one expression over typed columns: which values are as it wants them, for a million at once.

What the expression says is exactly what `jsonschema` says; where it could not, there is none, and the values are looked at one by one.
"""

from __future__ import annotations

import math
import re
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import polars as pl

from labelkit.core.golden.json_texts import EXACT
from labelkit.store.golden.encode import ITEMS, made
from labelkit.store.golden.schema import Judge

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from labelkit.store.golden.encode import Nulls, Path

_SAYS_NOTHING = {
    "$schema", "$comment", "title", "description", "default", "examples", "deprecated", "readOnly", "writeOnly", "format",
    "contentMediaType", "contentEncoding", "$defs", "definitions",
}  # fmt: skip
_BOUNDS: dict[str, Callable[[pl.Expr, float], pl.Expr]] = {
    "minimum": pl.Expr.ge,
    "maximum": pl.Expr.le,
    "exclusiveMinimum": pl.Expr.gt,
    "exclusiveMaximum": pl.Expr.lt,
}
_TRUE, _FALSE = pl.lit(value=True), pl.lit(value=False)


class Undecidable(Exception):  # noqa: N818  # no error: the values are looked at one by one instead
    """The schema holds something that is not said by an expression here."""


def passes(schema: Any, values: pl.Expr, kind: pl.DataType, nulls: Nulls) -> pl.Expr | None:  # noqa: ANN401  # a schema, true or false
    """Return whether each value that is not null is as an inlined schema wants it; None where an expression cannot say."""
    try:
        return _Checks(nulls).of(schema, values, kind)
    except Undecidable:
        return None


class _Checks:
    """Builds the expression; `nulls` says what a null field of an object stands for."""

    def __init__(self, nulls: Nulls) -> None:
        self._nulls = nulls
        self._path: Path = ()

    def of(self, schema: Any, values: pl.Expr, kind: pl.DataType) -> pl.Expr:  # noqa: ANN401
        if schema is True or schema == {}:
            return _TRUE
        if schema is False:
            return _FALSE
        found = _TRUE
        for keyword, wanted in schema.items():
            if keyword in _SAYS_NOTHING:
                continue
            check = getattr(self, f"_{keyword}", None) if keyword.isalpha() else None
            if keyword in _BOUNDS:
                found &= self._bound(keyword, wanted, values, kind)
            elif check is None:
                raise Undecidable(keyword)
            else:
                found &= check(schema, wanted, values, kind)
        return found.fill_null(value=False)

    def _type(self, _: Any, wanted: str | list[str], values: pl.Expr, kind: pl.DataType) -> pl.Expr:  # noqa: ANN401
        names = {wanted} if isinstance(wanted, str) else set(wanted)
        if kind.is_float():
            return _TRUE if "number" in names else (values.round() == values) if "integer" in names else _FALSE
        if kind.is_integer():
            return _TRUE if names & {"number", "integer"} else _FALSE
        name = {pl.Boolean: "boolean", pl.Struct: "object", pl.List: "array", pl.Array: "array", pl.Null: "null"}.get(type(kind), "string")
        return _TRUE if name in names else _FALSE

    def _enum(self, _: Any, wanted: list[Any], values: pl.Expr, kind: pl.DataType) -> pl.Expr:  # noqa: ANN401
        if any(isinstance(value, (list, dict)) for value in wanted):
            raise Undecidable("enum")
        if kind.is_numeric():
            numbers = [_double(value) for value in wanted if isinstance(value, (int, float)) and not isinstance(value, bool)]
            return values.cast(pl.Float64).is_in(numbers) if numbers else _FALSE
        if isinstance(kind, pl.Boolean):
            flags = [value for value in wanted if isinstance(value, bool)]
            return values.is_in(flags) if flags else _FALSE
        if isinstance(kind, (pl.List, pl.Array, pl.Struct, pl.Null)):
            return _FALSE
        texts = [value for value in wanted if isinstance(value, str)]
        return values.cast(pl.String).is_in(texts) if texts else _FALSE

    def _const(self, schema: Any, wanted: Any, values: pl.Expr, kind: pl.DataType) -> pl.Expr:  # noqa: ANN401
        return self._enum(schema, [wanted], values, kind)

    def _bound(self, keyword: str, wanted: float, values: pl.Expr, kind: pl.DataType) -> pl.Expr:
        return _BOUNDS[keyword](values.cast(pl.Float64), _double(wanted)) if kind.is_numeric() else _TRUE

    def _minLength(self, _: Any, wanted: float, values: pl.Expr, kind: pl.DataType) -> pl.Expr:  # noqa: ANN401, N802  # the keyword
        return values.cast(pl.String).str.len_chars() >= wanted if _is_text(kind) else _TRUE

    def _maxLength(self, _: Any, wanted: float, values: pl.Expr, kind: pl.DataType) -> pl.Expr:  # noqa: ANN401, N802  # the keyword
        return values.cast(pl.String).str.len_chars() <= wanted if _is_text(kind) else _TRUE

    def _pattern(self, _: Any, wanted: str, values: pl.Expr, kind: pl.DataType) -> pl.Expr:  # noqa: ANN401
        if not _is_text(kind):
            return _TRUE
        if ITEMS in self._path:
            raise Undecidable("pattern")
        found = re.compile(wanted).search
        return values.cast(pl.String).map_batches(lambda texts: _each(texts, found), return_dtype=pl.Boolean())

    def _items(self, _: Any, wanted: Any, values: pl.Expr, kind: pl.DataType) -> pl.Expr:  # noqa: ANN401
        if not isinstance(kind, (pl.List, pl.Array)):
            return _TRUE
        with self._at(ITEMS):
            each = pl.when(pl.element().is_null()).then(_null_passes(wanted)).otherwise(self.of(wanted, pl.element(), made(kind.inner)))
        lists = values.arr.to_list() if isinstance(kind, pl.Array) else values
        return lists.list.eval(each).list.all()

    def _minItems(self, _: Any, wanted: float, values: pl.Expr, kind: pl.DataType) -> pl.Expr:  # noqa: ANN401, N802  # the keyword
        return values.list.len() >= wanted if isinstance(kind, pl.List) else _unless_array(kind)

    def _maxItems(self, _: Any, wanted: float, values: pl.Expr, kind: pl.DataType) -> pl.Expr:  # noqa: ANN401, N802  # the keyword
        return values.list.len() <= wanted if isinstance(kind, pl.List) else _unless_array(kind)

    def _properties(self, _: Any, wanted: dict[str, Any], values: pl.Expr, kind: pl.DataType) -> pl.Expr:  # noqa: ANN401
        found = _TRUE
        for name, inner in _fields(kind).items():
            if name in wanted:
                found &= self._field(name, wanted[name], values, inner)
        return found

    def _required(self, _: Any, wanted: list[str], values: pl.Expr, kind: pl.DataType) -> pl.Expr:  # noqa: ANN401
        if not isinstance(kind, pl.Struct):
            return _TRUE
        fields = _fields(kind)
        found = _TRUE
        for name in wanted:
            if name not in fields:
                return _FALSE
            if not self._nulls.there((*self._path, name)):
                found &= values.struct.field(name).is_not_null()
        return found

    def _additionalProperties(self, schema: Any, wanted: Any, values: pl.Expr, kind: pl.DataType) -> pl.Expr:  # noqa: ANN401, N802
        if "patternProperties" in schema:
            raise Undecidable("patternProperties")
        found = _TRUE
        for name, inner in _fields(kind).items():
            if name not in schema.get("properties", {}):
                found &= self._field(name, wanted, values, inner)
        return found

    def _allOf(self, _: Any, wanted: list[Any], values: pl.Expr, kind: pl.DataType) -> pl.Expr:  # noqa: ANN401, N802  # the keyword
        return pl.all_horizontal([self.of(one, values, kind) for one in wanted])

    def _anyOf(self, _: Any, wanted: list[Any], values: pl.Expr, kind: pl.DataType) -> pl.Expr:  # noqa: ANN401, N802  # the keyword
        return pl.any_horizontal([self.of(one, values, kind) for one in wanted])

    def _oneOf(self, _: Any, wanted: list[Any], values: pl.Expr, kind: pl.DataType) -> pl.Expr:  # noqa: ANN401, N802  # the keyword
        return pl.sum_horizontal([self.of(one, values, kind).cast(pl.UInt32) for one in wanted]) == 1

    def _not(self, _: Any, wanted: Any, values: pl.Expr, kind: pl.DataType) -> pl.Expr:  # noqa: ANN401
        return ~self.of(wanted, values, kind)

    def _uniqueItems(self, _: Any, wanted: bool, values: pl.Expr, kind: pl.DataType) -> pl.Expr:  # noqa: ANN401, FBT001, N802  # the keyword
        if not wanted or not isinstance(kind, (pl.List, pl.Array)):
            return _TRUE
        if isinstance(kind, pl.Array) or made(kind.inner).is_nested():
            raise Undecidable("uniqueItems")
        return values.list.n_unique() == values.list.len()

    def _field(self, name: str, wanted: Any, values: pl.Expr, kind: pl.DataType) -> pl.Expr:  # noqa: ANN401
        """Say whether a field passes: it is not there, or `null`, or a value."""
        value = values.struct.field(name)
        with self._at(name):
            missing = _null_passes(wanted) if self._nulls.there(self._path) else _TRUE
            return pl.when(value.is_null()).then(missing).otherwise(self.of(wanted, value, kind))

    @contextmanager
    def _at(self, step: str) -> Iterator[None]:
        outer, self._path = self._path, (*self._path, step)
        yield
        self._path = outer


def _null_passes(schema: Any) -> pl.Expr:  # noqa: ANN401
    return pl.lit(Judge(schema).wrong(None) is None)


def _double(value: float) -> float:
    if isinstance(value, int) and not -EXACT < value < EXACT:
        raise Undecidable(str(value)[:40])
    if not math.isfinite(value):
        raise Undecidable(str(value))
    return float(value)


def _each(texts: pl.Series, found: Callable[[str], object]) -> pl.Series:
    known = texts.drop_nulls().unique()
    table = {text: found(text) is not None for text in known}
    return (
        texts.replace_strict(table, default=None, return_dtype=pl.Boolean()) if table else pl.Series([None] * len(texts), dtype=pl.Boolean)
    )


def _is_text(kind: pl.DataType) -> bool:
    return isinstance(kind, (pl.String, pl.Categorical, pl.Enum))


def _unless_array(kind: pl.DataType) -> pl.Expr:
    if isinstance(kind, pl.Array):
        raise Undecidable("array")
    return _TRUE


def _fields(kind: pl.DataType) -> dict[str, pl.DataType]:
    return {field.name: made(field.dtype) for field in kind.fields} if isinstance(kind, pl.Struct) else {}
