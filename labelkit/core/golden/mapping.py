"""From columns of decisions to the fields of an example type: rules as people write them, held against the type's JSON Schemas."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from labelkit.core.hashing import digest_of
from labelkit.errors import MappingInvalid

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

SIDES = ("input", "expected_output", "labels")
_WORDS = ("column", "constant", "map", "otherwise", "default", "cast")
_VALUES = ("constant", "otherwise", "default")  # None is a value of theirs
_NOTHING: Any = object()


class Cast(StrEnum):
    """What the values of a column are read as."""

    TEXT = "text"
    INTEGER = "integer"
    NUMBER = "number"
    BOOLEAN = "boolean"
    DATE = "date"
    DATETIME = "datetime"
    JSON = "json"


@dataclass(frozen=True, slots=True)
class Rule:
    """How one field is filled: a column (with a value map or a cast), a constant, or an expression of polars over the source's columns.

    `default` stands where the column has no value, `otherwise` where the map does not know it. Both and constants are JSON values.
    """

    column: str | None = None
    expression: Any = None
    constant: Any = _NOTHING
    map: Mapping[Any, Any] | None = None
    otherwise: Any = _NOTHING
    default: Any = _NOTHING
    cast: Cast | None = None

    @property
    def is_constant(self) -> bool:
        """Say whether no column is read."""
        return self.constant is not _NOTHING

    @property
    def has_default(self) -> bool:
        """Say whether a missing value is filled."""
        return self.default is not _NOTHING

    @property
    def has_otherwise(self) -> bool:
        """Say whether a value that the map does not know is filled."""
        return self.otherwise is not _NOTHING

    @property
    def words(self) -> dict[str, Any]:
        """Return the rule as plain JSON values, for its digest and for people."""
        given = {name: getattr(self, name) for name in _WORDS}
        given = {name: value for name, value in given.items() if value is not _NOTHING and (value is not None or name in _VALUES)}
        if self.map is not None:
            given["map"] = [[repr(key), value] for key, value in self.map.items()]
        return given if self.expression is None else given | {"expression": str(self.expression)}

    @property
    def title(self) -> str:
        """Return what fills the field, for people."""
        return self.column if self.column is not None else "a constant" if self.is_constant else "an expression"


@dataclass(frozen=True, slots=True)
class Cell:
    """One field of an example and the rule that fills it; a path without steps is the whole side."""

    side: str
    path: tuple[str, ...]
    rule: Rule

    @property
    def target(self) -> str:
        """Return the field as people write it: `input.title`."""
        return ".".join((self.side, *self.path))


@dataclass(frozen=True, slots=True)
class Field:
    """What a JSON Schema says of one field: the JSON types that it takes (None: any), and whether the object that it is in needs it."""

    types: frozenset[str] | None
    required: bool
    schema: Mapping[str, Any] = field(repr=False)

    @property
    def takes_null(self) -> bool:
        """Say whether null is a value here."""
        return self.types is not None and "null" in self.types

    def takes(self, *types: str) -> bool:
        """Say whether any of these JSON types is taken; whole numbers are numbers."""
        return self.types is None or any(one in self.types or (one == "integer" and "number" in self.types) for one in types)


def parse_mapping(mapping: Mapping[str, Any]) -> tuple[Cell, ...]:
    """Return the cells of a mapping in its order. Raises `MAPPING_INVALID`.

    Keys are `input.title`, or `input` with a dict of its fields; values are the name of a column, an expression of polars, or a dict of
    column, map, otherwise, default and cast, or of constant.
    """
    cells = [cell for key, value in mapping.items() for cell in _cells(str(key), value)]
    if not cells:
        raise MappingInvalid(what="mapping", reason="it fills no field", fix='Write such as {"input.title": "job_title"}.')
    taken: dict[tuple[str, ...], Cell] = {}
    for cell in cells:
        place = (cell.side, *cell.path)
        clash = next((other for other in taken if other[: len(place)] == place[: len(other)]), None)
        if clash is not None:
            raise MappingInvalid(
                what=cell.target, reason=f"{'.'.join(clash)} is filled too, in the same place", fix="Fill each field once."
            )
        taken[place] = cell
    return tuple(cells)


def mapping_digest(cells: Sequence[Cell]) -> str:
    """Return the sha256 of what a mapping says, whatever its order; expressions count by their text."""
    return digest_of(sorted([cell.target, cell.rule.words] for cell in cells)).value


def _cells(key: str, value: object) -> Iterator[Cell]:
    side, *path = key.split(".")
    if side not in SIDES:
        close = get_close_matches(side, SIDES, n=1)
        near = f"did you mean {'.'.join([close[0], *path])!r}" if close else "a field begins with input, expected_output or labels"
        raise MappingInvalid(what=f"mapping[{key!r}]", reason=f"there is no side {side!r}; {near}", fix="Name fields such as input.title.")
    if isinstance(value, Mapping) and not _is_rule(value):
        for name, inner in value.items():
            yield from _cells(f"{key}.{name}", inner)
        return
    yield Cell(side, tuple(path), rule_of(value, key))


def _is_rule(value: Mapping[Any, Any]) -> bool:
    """Say whether a dict is a rule and not the fields of an object: fields called column or constant are written `input.a.column`."""
    return "column" in value or "constant" in value


def rule_of(value: object, what: str) -> Rule:
    """Return a rule as it was written. Raises `MAPPING_INVALID`."""
    if isinstance(value, str):
        return Rule(column=value)
    if not isinstance(value, Mapping):
        if hasattr(value, "meta"):  # an expression of polars, which this layer does not know
            return Rule(expression=value)
        fix = 'Write "column", {"column": ..., "cast": ...}, {"constant": ...} or an expression of polars.'
        raise MappingInvalid(what=what, reason=f"{type(value).__name__} is no rule", fix=fix)
    given: dict[str, Any] = {str(name): one for name, one in value.items()}
    strange = sorted(set(given) - set(_WORDS))
    if strange:
        raise MappingInvalid(what=what, reason=f"{strange[0]!r} is no part of a rule", fix=f"Parts are {', '.join(_WORDS)}.")
    if ("column" in given) == ("constant" in given):
        raise MappingInvalid(what=what, reason="a rule has a column or a constant", fix="Give one of them.")
    if "constant" in given and len(given) > 1:
        raise MappingInvalid(what=what, reason="a constant stands alone", fix="Leave the other parts out.")
    if "map" in given and ("cast" in given or not isinstance(given["map"], Mapping)):
        raise MappingInvalid(what=what, reason="map is a dict from values to JSON values, without cast", fix="Map to the final values.")
    if "otherwise" in given and "map" not in given:
        raise MappingInvalid(what=what, reason="otherwise is for values that a map does not know", fix="Use default for missing values.")
    if given.get("cast") is not None and given["cast"] not in list(Cast):
        raise MappingInvalid(what=what, reason=f"{given['cast']!r} is no cast", fix=f"Casts are {', '.join(Cast)}.")
    cast = None if given.get("cast") is None else Cast(given["cast"])
    return Rule(**{**given, "cast": cast})


# --- what the type's schemas say


def check_targets(cells: Sequence[Cell], schemas: Mapping[str, Mapping[str, Any]]) -> dict[str, Field]:
    """Return what the schemas say of each cell's field, by target. `schemas` is by side.

    Raises `MAPPING_INVALID` for a field that the type does not have, naming the nearest, and for a required one that nothing fills.
    """
    found = {cell.target: _field(cell, schemas[cell.side]) for cell in cells}
    places = {(cell.side, *cell.path) for cell in cells}
    for side, schema in schemas.items():
        if side == "labels" and not any(place[0] == side for place in places):
            continue  # labels are {} where nothing is said
        for path in _required(schema, schema, (side,), places):
            name = ".".join(path)
            raise MappingInvalid(what=name, reason="the type requires it, and nothing fills it", fix=f"Map a column or constant to {name}.")
    return found


def object_schema(schemas: Mapping[str, Mapping[str, Any]], side: str, path: Sequence[str]) -> Field:
    """Return what the schemas say of an object on the way to a field."""
    return _field(Cell(side, tuple(path), Rule()), schemas[side])


def _field(cell: Cell, schema: Mapping[str, Any]) -> Field:
    here, required = schema, True
    for depth, name in enumerate(cell.path):
        properties = dict(_properties(schema, here))
        if name not in properties:
            if properties and not _is_open(schema, here):
                raise _unknown(cell, depth, properties)
            return Field(None, required=False, schema={})
        required = name in _needed(schema, here)
        here = properties[name]
    return Field(_types(schema, here), required, here)


def _unknown(cell: Cell, depth: int, known: Iterable[str]) -> MappingInvalid:
    before = (cell.side, *cell.path[:depth])
    close = get_close_matches(cell.path[depth], list(known), n=1)
    names = [".".join((*before, name)) for name in (close or sorted(known)[:10])]
    near = f"Did you mean {names[0]!r}?" if close else f"There are: {', '.join(names)}."
    return MappingInvalid(what=cell.target, reason="the type has no such field", fix=near)


def _required(
    root: Mapping[str, Any], schema: Mapping[str, Any], path: tuple[str, ...], places: set[tuple[str, ...]]
) -> Iterator[tuple[str, ...]]:
    """Yield the required fields below an object that nothing fills; an object that is filled as a whole is its column's matter."""
    if path in places:
        return
    if len(path) > 1 and not any(place[: len(path)] == path for place in places):
        yield path
        return
    properties = dict(_properties(root, schema))
    begun = {place[len(path)] for place in places if place[: len(path)] == path and len(place) > len(path)}
    for name in sorted(_needed(root, schema) | begun & set(properties)):
        yield from _required(root, properties.get(name, {}), (*path, name), places)


def _resolved(root: Mapping[str, Any], schema: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Return the schemas that a field may follow: references followed, alternatives listed."""
    waiting, found, seen = [schema], list[Mapping[str, Any]](), set[str]()
    while waiting:
        one = waiting.pop(0)
        reference = one.get("$ref")
        if isinstance(reference, str) and reference not in seen:
            seen.add(reference)
            waiting.append(_referred(root, reference))
        alternatives = [inner for word in ("anyOf", "oneOf", "allOf") for inner in one.get(word, []) if isinstance(inner, Mapping)]
        waiting += alternatives
        if (not alternatives and reference is None) or "properties" in one or "type" in one:
            found.append(one)
    return found


def _referred(root: Mapping[str, Any], reference: str) -> Mapping[str, Any]:
    here: Any = root
    for step in reference.removeprefix("#").strip("/").split("/"):
        here = here.get(step.replace("~1", "/").replace("~0", "~"), {}) if isinstance(here, Mapping) and step else here
    return here if isinstance(here, Mapping) else {}


def _properties(root: Mapping[str, Any], schema: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for one in _resolved(root, schema):
        for name, inner in one.get("properties", {}).items():
            yield name, inner if isinstance(inner, Mapping) else {}


def _needed(root: Mapping[str, Any], schema: Mapping[str, Any]) -> set[str]:
    return {name for one in _resolved(root, schema) for name in one.get("required", [])}


def _is_open(root: Mapping[str, Any], schema: Mapping[str, Any]) -> bool:
    return any(one.get("additionalProperties") not in (None, False) for one in _resolved(root, schema))


def _types(root: Mapping[str, Any], schema: Mapping[str, Any]) -> frozenset[str] | None:
    found: set[str] = set()
    for one in _resolved(root, schema):
        kinds = one.get("type")
        if kinds is None:
            values = one.get("enum", [one["const"]] if "const" in one else None)
            if values is None:
                return None
            kinds = [_type_of(value) for value in values]
        found |= {kinds} if isinstance(kinds, str) else set(kinds)
    return frozenset(found)


def _type_of(value: object) -> str:
    match value:
        case None:
            return "null"
        case bool():
            return "boolean"
        case int():
            return "integer"
        case float():
            return "number"
        case str():
            return "string"
    return "array" if isinstance(value, (list, tuple)) else "object"
