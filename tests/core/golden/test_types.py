"""Example types: by model or schema, shipped after the source document, references resolved."""

from __future__ import annotations

import pytest
from jsonschema import Draft202012Validator
from pydantic import BaseModel

from labelkit.core.golden.schemas import inlined
from labelkit.core.golden.types import SHIPPED, ExampleType
from labelkit.errors import ExampleTypeInvalid

# The examples of the source document, word for word.
DOCUMENT = {
    "contact_tier": (
        {
            "title": "Chief Technology Officer",
            "seniority": "executive",
            "department": "engineering",
            "company_size": "midsize",
            "industry": "technology",
        },
        {"tier": "A", "confidence": 0.95, "reasoning": "Executive-level technical decision maker"},
        {"difficulty": "easy", "edge_case": False, "clear_indicators": ["title", "seniority"]},
    ),
    "lead_score": (
        {
            "fit_score": 85,
            "engagement_score": 72,
            "intent_signals": ["website_visit", "demo_request"],
            "company_quality": "high",
            "contact_tier": "A",
        },
        {"lead_score": 88, "priority": "hot", "reasoning": "High fit with strong engagement"},
        {"conversion_outcome": "closed_won", "time_to_conversion": "14_days"},
    ),
    "company_quality": (
        {
            "company_name": "TechCorp UAE",
            "domain": "techcorp.ae",
            "industry": "Technology",
            "employee_count": 150,
            "license_type": "Free Zone",
            "revenue_estimate": "high",
        },
        {"quality_rating": "A", "icp_match": 0.92, "reasoning": "Strong ICP fit: tech sector, mid-size, UAE presence"},
        {"verified": True, "outcome": "became_customer"},
    ),
}


class Size(BaseModel):
    people: int


class Company(BaseModel):
    name: str
    size: Size | None = None


@pytest.mark.parametrize("name", SHIPPED)
def test_a_shipped_type_has_the_fields_of_the_source_document_and_takes_its_example(name):
    for part, value in zip(("input", "expected_output", "labels"), DOCUMENT[name], strict=True):
        schema = SHIPPED[name].schema(part)
        assert Draft202012Validator(schema).is_valid(value)
        assert set(value) <= set(schema["properties"])
    assert set(SHIPPED[name].input["properties"]) == set(DOCUMENT[name][0])
    assert set(SHIPPED[name].expected_output["properties"]) == set(DOCUMENT[name][1])


def test_the_shipped_types_are_the_three_of_the_source_document():
    assert set(SHIPPED) == set(DOCUMENT)


def test_a_type_of_models_survives_its_text():
    kind = ExampleType.of("company", Company, {"type": "string"}, None, version=4)
    assert ExampleType.of_text("company", kind.text, 4) == kind
    assert str(kind) == "company version 4: input: name, size; expected_output: anything; labels: anything"


@pytest.mark.parametrize("name", ["", "Contact", "a b", "1a", "a" * 51, "a-b"])
def test_a_name_of_a_type_is_a_plain_word(name):
    with pytest.raises(ExampleTypeInvalid, match="a name is lower-case"):
        ExampleType.of(name, {}, {}, None)


@pytest.mark.parametrize("part", [5, "x", [1], int])
def test_a_part_is_a_model_or_a_schema(part):
    with pytest.raises(ExampleTypeInvalid, match="neither a JSON Schema nor a pydantic model"):
        ExampleType.of("t", part, {}, None)


def test_references_are_resolved_in_place():
    assert inlined(Company.model_json_schema())["properties"]["size"]["anyOf"][0] == Size.model_json_schema()


@pytest.mark.parametrize(
    ("schema", "expected"),
    [
        pytest.param({"$ref": "#/$defs/a", "$defs": {"a": {"type": "string"}}}, {"type": "string"}, id="alone"),
        pytest.param(
            {"$ref": "#/$defs/a", "minLength": 2, "$defs": {"a": {"type": "string"}}},
            {"minLength": 2, "allOf": [{"type": "string"}]},
            id="beside others",
        ),
        pytest.param({"$ref": "#/$defs/a~1b", "$defs": {"a/b": True}}, True, id="a name with a slash"),
        pytest.param({"$ref": "#/$defs/gone"}, {"$ref": "#/$defs/gone"}, id="to nothing"),
        pytest.param({"$ref": "#name"}, {"$ref": "#name"}, id="to an anchor"),
        pytest.param({"items": {"$ref": "#"}}, {"items": {"items": {"$ref": "#"}}}, id="to itself, once"),
    ],
)
def test_a_reference_stands_as_what_it_refers_to(schema, expected):
    assert inlined(schema) == expected
