"""A mapping over a source's columns: expressions that give the three JSON texts of each row, or the first thing that is wrong with it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import polars as pl

from labelkit.core.golden.json_texts import canonical_text
from labelkit.core.golden.mapping import SIDES, Cast, Cell, Field, Rule, object_schema
from labelkit.core.golden.pipeline import Reason
from labelkit.errors import MappingInvalid, NotFound
from labelkit.formats.decisions.json_expressions import as_time, is_sayable, json_text, json_type, object_text, parsed_texts, quoted

if TYPE_CHECKING:
    from labelkit.formats.decisions.sources import Source

Schemas = Mapping[str, Mapping[str, Any]]
_CAST_TYPES = {
    Cast.TEXT: "string",
    Cast.INTEGER: "integer",
    Cast.NUMBER: "number",
    Cast.BOOLEAN: "boolean",
    Cast.DATE: "string",
    Cast.DATETIME: "string",
}
_CODES = (Reason.WRONG_TYPE, Reason.NOT_IN_MAP, Reason.NOT_EXACT, Reason.MISSING_VALUE)
_WIDTH = len(_CODES)


@dataclass(frozen=True, slots=True)
class Problem:
    """What can be wrong with a row: the reason, the field, and what fills it."""

    reason: Reason
    target: str
    column: str


@dataclass(frozen=True, slots=True)
class Compiled:
    """A mapping for one source. `problems` are numbered by their place; `over` adds columns named by `SIDES`, `PROBLEM` and `VALUE`."""

    problems: tuple[Problem, ...]
    over: Callable[[pl.LazyFrame], pl.LazyFrame]


PROBLEM, VALUE = "problem", "value"


@dataclass(frozen=True, slots=True)
class _Texts:
    """One cell as expressions: its JSON text, whether a value was no value of the type, or none of the map; and the value as it came."""

    text: pl.Expr
    wrong: pl.Expr
    unmapped: pl.Expr
    came: pl.Expr


def compiled(cells: Sequence[Cell], fields: Mapping[str, Field], schemas: Schemas, source: Source) -> Compiled:
    """Return a mapping for a source. Raises `MAPPING_INVALID` for columns that are not there or whose type a field never takes."""
    texts = [_texts(cell, fields[cell.target], source) for cell in cells]
    problems = tuple(Problem(reason, cell.target, cell.rule.title) for cell in cells for reason in _CODES)

    def over(rows: pl.LazyFrame) -> pl.LazyFrame:
        named = rows.with_columns(
            part.alias(_name(kind, number))
            for number, one in enumerate(texts)
            for kind, part in (("text", one.text), ("wrong", one.wrong), ("unmapped", one.unmapped), ("came", one.came))
        )
        wrong = [_wrong(number, cell, cells, fields, schemas) for number, cell in enumerate(cells)]
        value = pl.coalesce(
            pl.when(code.is_not_null() & (_before(wrong[:number]))).then(pl.col(_name("came", number)).str.head(200))
            for number, code in enumerate(wrong)
        )
        sides = [_side(side, cells, schemas).alias(side) for side in SIDES]
        made = named.with_columns(
            pl.coalesce(code + number * _WIDTH for number, code in enumerate(wrong)).alias(PROBLEM), value.alias(VALUE), *sides
        )
        return made.drop(_name(kind, number) for number in range(len(texts)) for kind in ("text", "wrong", "unmapped", "came"))

    return Compiled(problems, over)


def column_named(name: str, columns: Mapping[str, pl.DataType], source: Source) -> pl.DataType:
    """Return the type of a source's column. Raises `NOT_FOUND` with the nearest name."""
    if name not in columns:
        raise NotFound.among("column", name, columns, f"the source {source.title} has these columns and it")
    return columns[name]


def value_of(rule: Rule, what: str, source: Source) -> tuple[pl.Expr, pl.DataType]:
    """Return what a rule reads and its type. Raises `NOT_FOUND`, and `MAPPING_INVALID` for an expression that the source cannot do."""
    if rule.column is not None:
        return pl.col(rule.column), column_named(rule.column, source.columns(), source)
    try:
        ((_, kind),) = source.rows.select(rule.expression.alias("value")).collect_schema().items()
    except (pl.exceptions.PolarsError, ValueError) as error:
        reason = f"the expression does not fit the columns: {source.secrets.hidden(error)}"
        raise MappingInvalid(what=what, reason=reason, fix=f"Columns: {', '.join(list(source.columns())[:20])}.") from None
    return rule.expression, kind


# --- one cell


def _texts(cell: Cell, field: Field, source: Source) -> _Texts:
    rule, nothing = cell.rule, pl.lit(value=False)
    if rule.is_constant:
        text = pl.lit(_json(rule.constant, cell))
        return _Texts(text, nothing, nothing, pl.lit(None, dtype=pl.String()))
    value, kind = value_of(rule, cell.target, source)
    is_text = source.is_text and rule.column is not None
    came = _shown(value, kind)
    if rule.map is not None:
        text, unmapped = _mapped(value, kind, cell)
        return _Texts(_filled(text, cell), nothing, unmapped, came)
    cast = rule.cast or (_cast_of_text(field) if is_text or _is_json(kind, field) else None)
    if isinstance(kind, pl.String) and cast not in (None, Cast.TEXT):
        value = pl.when(value.str.strip_chars() != "").then(value.str.strip_chars())  # a blank is no number
    _must_take(field, json_type(kind) if cast is None else _CAST_TYPES.get(cast), kind, cell)
    text = json_text(value, kind) if cast is None else _cast(value, kind, cast, cell)
    whole = _must_be_whole(value, kind, cast, field)
    wrong = (value.is_not_null() & text.is_null()) | whole
    return _Texts(_filled(text, cell), wrong.fill_null(value=False), nothing, came)


def _must_take(field: Field, kind: str | None, dtype: pl.DataType, cell: Cell) -> None:
    """Refuse before anything runs what would be refused row by row."""
    if kind is None and cell.rule.cast is not Cast.JSON and json_type(dtype) is None:
        raise MappingInvalid(
            what=cell.target, reason=f"{cell.rule.title} is {dtype}, which JSON has nothing for", fix="Cast it in an expression."
        )
    if kind in (None, "null") or field.takes(kind or "") or (kind == "number" and field.takes("integer")):
        return
    takes = " or ".join(sorted(field.types or ()))
    fix = 'Say how it is meant, such as {"column": ..., "cast": "number"}, or with an expression of polars.'
    raise MappingInvalid(what=cell.target, reason=f"{cell.rule.title} is {dtype} and gives a {kind}, the type takes {takes}", fix=fix)


def _must_be_whole(value: pl.Expr, kind: pl.DataType, cast: Cast | None, field: Field) -> pl.Expr:
    """Say whether a number is broken where only whole ones are taken."""
    if cast is None and (kind.is_float() or isinstance(kind, pl.Decimal)) and not field.takes("number"):
        number = value.cast(pl.Float64)
        return number.is_finite() & (number != number.floor())
    return pl.lit(value=False)


def _is_json(kind: pl.DataType, field: Field) -> bool:
    """Say whether text stands where only objects and lists are taken: then it is JSON."""
    return isinstance(kind, pl.String) and field.types is not None and field.types <= {"object", "array", "null"}


def _cast_of_text(field: Field) -> Cast:
    """Return how a text is read for a field: text where text is taken."""
    if field.types is None or "string" in field.types:
        return Cast.TEXT
    kinds = (("number", Cast.NUMBER), ("integer", Cast.INTEGER), ("boolean", Cast.BOOLEAN))
    return next((cast for name, cast in kinds if name in (field.types or ())), Cast.JSON)


def _cast(value: pl.Expr, kind: pl.DataType, cast: Cast, cell: Cell) -> pl.Expr:
    """Return the JSON text of values read as something else; null where one cannot be."""
    if isinstance(kind, (pl.String, pl.Categorical, pl.Enum)):
        return _text_as(value.cast(pl.String), cast)
    found = _typed_as(value, kind, cast)
    if found is None:
        raise MappingInvalid(
            what=cell.target, reason=f"{cell.rule.title} is {kind} and cannot be read as {cast}", fix="Choose another cast."
        )
    return found


def _text_as(text: pl.Expr, cast: Cast) -> pl.Expr:
    whole = pl.when(text.str.contains(r"^[+-]?\d+$")).then(text.str.strip_prefix("+").cast(pl.Int64, strict=False))
    number = pl.when(text.str.contains(r"^[+-]?[\d.]")).then(text.cast(pl.Float64, strict=False))
    word = text.str.to_lowercase()
    return {
        Cast.TEXT: quoted(text),
        Cast.JSON: text.map_batches(parsed_texts, return_dtype=pl.String()),
        Cast.INTEGER: json_text(whole, pl.Int64()),
        Cast.NUMBER: json_text(number, pl.Float64()),
        Cast.BOOLEAN: pl.when(word.is_in(["true", "false"])).then(word),
        Cast.DATE: json_text(text.str.to_date("%Y-%m-%d", strict=False), pl.Date()),
        Cast.DATETIME: json_text(as_time(text), pl.Datetime("us", "UTC")),
    }[cast]


def _typed_as(value: pl.Expr, kind: pl.DataType, cast: Cast) -> pl.Expr | None:
    match cast:
        case Cast.TEXT if json_type(kind) is not None:
            return quoted(_plain(json_text(value, kind)))
        case Cast.NUMBER if kind.is_numeric():
            return json_text(value, kind)
        case Cast.INTEGER if kind.is_numeric():
            whole = value if kind.is_integer() else pl.when(value.cast(pl.Float64) == value.cast(pl.Float64).floor()).then(value)
            return json_text(whole.cast(pl.Int64, strict=False), pl.Int64())
        case Cast.BOOLEAN if kind.is_integer() or isinstance(kind, pl.Boolean):
            number = value.cast(pl.Int64)
            return pl.when(number == 1).then(pl.lit("true")).when(number == 0).then(pl.lit("false"))
        case Cast.DATE | Cast.DATETIME if isinstance(kind, (pl.Date, pl.Datetime)):
            wanted = pl.Date() if cast == Cast.DATE else kind if isinstance(kind, pl.Datetime) else pl.Datetime("us")
            return json_text(value.cast(wanted), wanted)
    return None


def _plain(text: pl.Expr) -> pl.Expr:
    """Return JSON texts of simple values without their quotes."""
    return text.str.strip_prefix('"').str.strip_suffix('"')


def _mapped(value: pl.Expr, kind: pl.DataType, cell: Cell) -> tuple[pl.Expr, pl.Expr]:
    """Return the JSON texts of a value map, and whether a value is none that it knows."""
    known = cell.rule.map or {}
    if isinstance(kind, (pl.Categorical, pl.Enum)):
        value, kind = value.cast(pl.String), pl.String()
    try:
        keys = pl.Series(list(map(str, known)) if isinstance(kind, pl.String) else list(known), dtype=kind, strict=True)
    except (pl.exceptions.PolarsError, TypeError) as error:
        reason = f"{cell.rule.title} is {kind}, and the keys of the map are not"
        raise MappingInvalid(what=cell.target, reason=reason, fix="Use keys of the column's type.") from error
    texts = [None if one is None else _json(one, cell) for one in known.values()]
    other = _json(cell.rule.otherwise, cell) if cell.rule.has_otherwise else None
    text = value.replace_strict(keys, pl.Series(texts, dtype=pl.String()), default=other, return_dtype=pl.String())
    strange = value.is_not_null() & ~value.is_in(keys.implode()) if other is None else pl.lit(value=False)
    return pl.when(value.is_not_null()).then(text), strange.fill_null(value=False)


def _filled(text: pl.Expr, cell: Cell) -> pl.Expr:
    return text.fill_null(pl.lit(_json(cell.rule.default, cell))) if cell.rule.has_default else text


def _json(value: object, cell: Cell) -> str:
    try:
        return canonical_text(value)
    except ValueError as error:
        raise MappingInvalid(what=cell.target, reason=f"{value!r} is no JSON value", fix="Use JSON values in rules.") from error


def _shown(value: pl.Expr, kind: pl.DataType) -> pl.Expr:
    return (
        pl.lit(None, dtype=pl.String())
        if kind.is_nested() or isinstance(kind, (pl.Binary, pl.Object))
        else value.cast(pl.String, strict=False)
    )


# --- all cells of a row


def _name(kind: str, number: int) -> str:
    return f"\x1f{kind} {number}"  # a sign that no column of a source begins with


def _wrong(number: int, cell: Cell, cells: Sequence[Cell], fields: Mapping[str, Field], schemas: Schemas) -> pl.Expr:
    """Return what is wrong with a cell as a place in `_CODES`; null where nothing is."""
    text, came_wrong, unmapped = (pl.col(_name(kind, number)) for kind in ("text", "wrong", "unmapped"))
    field = fields[cell.target]
    missing = text.is_null() & _needed(cell, cells, schemas) if field.required and not field.takes_null else pl.lit(value=False)
    code = pl.lit(None, dtype=pl.Int32())
    for place, sign in reversed(list(enumerate((came_wrong, unmapped, ~is_sayable(text.fill_null("")), missing)))):
        code = pl.when(sign).then(pl.lit(place, dtype=pl.Int32())).otherwise(code)
    return code


def _needed(cell: Cell, cells: Sequence[Cell], schemas: Schemas) -> pl.Expr:
    """Say whether the object that a field stands in is there: one that may be left out needs nothing while all of it is missing."""
    for depth in range(len(cell.path) - 1, 0, -1):
        above = cell.path[:depth]
        if not object_schema(schemas, cell.side, above).required:
            return _any_text(cell.side, above, cells)
    return pl.lit(value=True)


def _any_text(side: str, path: Sequence[str], cells: Sequence[Cell]) -> pl.Expr:
    found = [number for number, cell in enumerate(cells) if cell.side == side and cell.path[: len(path)] == tuple(path)]
    return pl.any_horizontal(pl.col(_name("text", number)).is_not_null() for number in found)


def _before(codes: Sequence[pl.Expr]) -> pl.Expr:
    return pl.all_horizontal(code.is_null() for code in codes) if codes else pl.lit(value=True)


def _side(side: str, cells: Sequence[Cell], schemas: Schemas) -> pl.Expr:
    """Return the text of one side of the example."""
    own = [(number, cell) for number, cell in enumerate(cells) if cell.side == side]
    whole = next((number for number, cell in own if not cell.path), None)
    if whole is not None:
        return pl.col(_name("text", whole)).fill_null("{}") if side == "labels" else pl.col(_name("text", whole))
    return _object(side, (), cells, schemas)


def _object(side: str, path: tuple[str, ...], cells: Sequence[Cell], schemas: Schemas) -> pl.Expr:
    depth = len(path)
    names = dict.fromkeys(cell.path[depth] for cell in cells if cell.side == side and cell.path[:depth] == path and len(cell.path) > depth)
    text = object_text([(name, _part(side, (*path, name), cells, schemas)) for name in names])
    if not path or object_schema(schemas, side, path).required:
        return text
    return pl.when(_any_text(side, path, cells)).then(text)


def _part(side: str, path: tuple[str, ...], cells: Sequence[Cell], schemas: Schemas) -> pl.Expr:
    number = next((number for number, cell in enumerate(cells) if (cell.side, cell.path) == (side, path)), None)
    if number is None:
        return _object(side, path, cells, schemas)
    field = object_schema(schemas, side, path)
    text = pl.col(_name("text", number))
    return text.fill_null("null") if field.required and field.takes_null else text
