"""JSON Schemas as they are used here: references resolved in place, so that each part can be looked at by itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_DEFINITIONS = {"$defs", "definitions"}


def inlined(schema: Mapping[str, Any]) -> Any:  # noqa: ANN401  # a schema is an object, true or false
    """Return a schema in which each `$ref` to a place of its own stands as what it refers to; one that leads back to itself stays."""
    return _inlined(schema, schema, ())


def patterns(schema: object) -> Iterator[str]:
    """Yield every regular expression of a schema."""
    yield from words(schema, "pattern")
    if isinstance(schema, dict):
        yield from schema.get("patternProperties", ())
    for value in schema.values() if isinstance(schema, dict) else schema if isinstance(schema, list) else ():
        yield from patterns(value)


def words(schema: object, keyword: str) -> Iterator[str]:
    """Yield every text that stands behind a keyword anywhere in a schema."""
    if isinstance(schema, dict):
        for key, value in schema.items():
            if key == keyword and isinstance(value, str):
                yield value
            yield from words(value, keyword)
    elif isinstance(schema, list):
        for value in schema:
            yield from words(value, keyword)


def _inlined(part: Any, root: Mapping[str, Any], way: tuple[str, ...]) -> Any:  # noqa: ANN401
    if isinstance(part, list):
        return [_inlined(item, root, way) for item in part]
    if not isinstance(part, dict):
        return part
    ref = part.get("$ref")
    others = {key: _inlined(value, root, way) for key, value in part.items() if key not in {*_DEFINITIONS, "$ref"}}
    if ref is None:
        return others
    meant = found(root, ref) if isinstance(ref, str) and ref not in way else None
    if meant is None:
        return part
    whole = _inlined(meant, root, (*way, ref))
    return {**others, "allOf": [*others.get("allOf", ()), whole]} if others else whole


def found(root: Any, ref: str) -> Any:  # noqa: ANN401
    """Return what `#/a/b` points at, None where there is nothing or it is another kind of reference."""
    if not ref.startswith("#/"):
        return root if ref == "#" else None
    for step in ref[2:].split("/"):
        name = step.replace("~1", "/").replace("~0", "~")
        if not isinstance(root, dict) or name not in root:
            return None
        root = root[name]
    return root
