"""Example types: what input, expected output and labels of a kind of example look like, as JSON Schemas."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeAlias

from pydantic import BaseModel

from labelkit.core.golden.json_texts import canonical_text
from labelkit.errors import ExampleTypeInvalid

if TYPE_CHECKING:
    from collections.abc import Mapping

PARTS = ("input", "expected_output", "labels")
DIALECT = "https://json-schema.org/draft/2020-12/schema"
_NAME = re.compile(r"[a-z][a-z0-9_]{0,49}")

Schema: TypeAlias = "Mapping[str, Any]"
SchemaLike: TypeAlias = "Mapping[str, Any] | type[BaseModel]"


@dataclass(frozen=True, slots=True)
class ExampleType:
    """A kind of example: a name, a JSON Schema (draft 2020-12) for each part, and the number of its version in the workspace."""

    name: str
    input: Schema
    expected_output: Schema
    labels: Schema = field(default_factory=dict)
    version: int = 1

    @classmethod
    def of(cls, name: str, input: SchemaLike, expected_output: SchemaLike, labels: SchemaLike | None, version: int = 1) -> ExampleType:
        """Return the type with each part given as a JSON Schema or a pydantic model. Raises `EXAMPLE_TYPE_INVALID`."""
        if not _NAME.fullmatch(name):
            raise ExampleTypeInvalid(name=name, reason="a name is lower-case letters, digits and _, at most 50, a letter first")
        return cls(name, _schema(name, input), _schema(name, expected_output), _schema(name, labels or {}), version)

    @classmethod
    def of_text(cls, name: str, text: str, version: int) -> ExampleType:
        """Return a type from what `text` gave."""
        schemas = json.loads(text)
        return cls(name, schemas["input"], schemas["expected_output"], schemas["labels"], version)

    @property
    def text(self) -> str:
        """Return the schemas as canonical JSON: equal types have equal texts."""
        return canonical_text({part: getattr(self, part) for part in PARTS})

    def schema(self, part: str) -> Schema:
        """Return the schema of `input`, `expected_output` or `labels`."""
        found: Schema = getattr(self, part)
        return found

    def __str__(self) -> str:
        parts = (f"{part}: {', '.join(self.schema(part).get('properties', {})) or 'anything'}" for part in PARTS)
        return f"{self.name} version {self.version}: {'; '.join(parts)}"

    __repr__ = __str__


def _schema(name: str, given: SchemaLike) -> Schema:
    if isinstance(given, type) and issubclass(given, BaseModel):
        return given.model_json_schema()
    try:
        schema = json.loads(canonical_text(dict(given)))
    except (TypeError, ValueError) as error:
        raise ExampleTypeInvalid(name=name, reason=f"a part is neither a JSON Schema nor a pydantic model: {error}") from error
    return schema  # type: ignore[no-any-return]  # an object, as it was given


_TEXT: Schema = {"type": ["string", "null"]}
_SHARE: Schema = {"type": ["number", "null"], "minimum": 0, "maximum": 1}
_TEXTS: Schema = {"type": ["array", "null"], "items": {"type": "string"}}
_SURE: dict[str, Schema] = {"confidence": _SHARE, "difficulty": _TEXT, "edge_case": {"type": ["boolean", "null"]}}


def _points(*kinds: str) -> Schema:
    return {"type": list(kinds), "minimum": 0, "maximum": 100}


def _object(properties: Mapping[str, Schema], *required: str) -> Schema:
    return {"type": "object", "properties": dict(properties), "required": list(required)}


def _shipped(name: str, input: Schema, expected_output: Schema, labels: Schema) -> ExampleType:
    return ExampleType(name, input, expected_output, labels)


# What a decision is about may be missing or null: that costs an example points, it does not keep it out. The decision itself must stand.
SHIPPED = {
    kind.name: kind
    for kind in (
        _shipped(
            "contact_tier",
            _object(dict.fromkeys(("title", "seniority", "department", "company_size", "industry"), _TEXT)),
            _object({"tier": {"type": "string", "minLength": 1}, "confidence": _SHARE, "reasoning": _TEXT}, "tier"),
            _object(_SURE | {"clear_indicators": _TEXTS}),
        ),
        _shipped(
            "lead_score",
            _object(
                {
                    "fit_score": _points("number", "null"),
                    "engagement_score": _points("number", "null"),
                    "intent_signals": _TEXTS,
                    "company_quality": _TEXT,
                    "contact_tier": _TEXT,
                }
            ),
            _object({"lead_score": _points("number"), "priority": _TEXT, "reasoning": _TEXT}, "lead_score"),
            _object(_SURE | {"conversion_outcome": _TEXT, "time_to_conversion": _TEXT}),
        ),
        _shipped(
            "company_quality",
            _object(
                dict.fromkeys(("company_name", "domain", "industry", "license_type", "revenue_estimate"), _TEXT)
                | {"employee_count": {"type": ["integer", "null"], "minimum": 0}}
            ),
            _object({"quality_rating": {"type": "string", "minLength": 1}, "icp_match": _SHARE, "reasoning": _TEXT}, "quality_rating"),
            _object(_SURE | {"verified": {"type": ["boolean", "null"]}, "outcome": _TEXT}),
        ),
    )
}
