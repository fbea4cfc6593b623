"""JSON Schema, one value after the other: what a schema must be, and what is wrong with a value, with its path and in words."""

from __future__ import annotations

import re
from functools import cached_property
from typing import TYPE_CHECKING

from labelkit.core.golden.schemas import found, patterns, words
from labelkit.core.golden.types import PARTS
from labelkit.errors import ExampleTypeInvalid

if TYPE_CHECKING:
    from jsonschema import Draft202012Validator

    from labelkit.core.golden.types import ExampleType, Schema

MOST = 300  # characters of a reason


def check_type(kind: ExampleType) -> None:
    """Raise `EXAMPLE_TYPE_INVALID` where a part of a type is no JSON Schema that can be used without a network."""
    from jsonschema import Draft202012Validator, SchemaError

    for part in PARTS:
        schema = kind.schema(part)
        try:
            Draft202012Validator.check_schema(schema)
        except SchemaError as error:
            path = "/".join(map(str, error.absolute_path))
            raise ExampleTypeInvalid(name=kind.name, reason=f"{part}{f' at {path}' if path else ''}: {_cut(error.message)}") from error
        for ref in (*words(schema, "$ref"), *words(schema, "$dynamicRef")):
            if found(schema, ref) is None:
                raise ExampleTypeInvalid(name=kind.name, reason=f"{part} refers to {ref!r}, which is no place inside it, such as #/$defs/a")
        for pattern in patterns(schema):
            try:
                re.compile(pattern)
            except re.error as error:
                raise ExampleTypeInvalid(name=kind.name, reason=f"{part} has a pattern {pattern!r} that is none: {error}") from error


class Judge:
    """Says what a schema has against a value. The library loads with the first value: most rows never come here, and it is slow to load."""

    def __init__(self, schema: Schema) -> None:
        self._schema = schema

    def wrong(self, value: object) -> tuple[str, str] | None:
        """Return the path (`/` between its steps, empty for the whole value) and the reason; None where the value is as it should be."""
        from jsonschema.exceptions import best_match

        if self._validator.is_valid(value):
            return None
        error = best_match(self._validator.iter_errors(value))
        return "/".join(map(str, error.absolute_path)), _cut(error.message)

    @cached_property
    def _validator(self) -> Draft202012Validator:
        from jsonschema import Draft202012Validator

        return Draft202012Validator(self._schema)


def _cut(text: str) -> str:
    return text if len(text) <= MOST else f"{text[: MOST - 1]}…"
