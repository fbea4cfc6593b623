"""Mappings as people write them: what they say, and what the type's schemas say to them."""

from __future__ import annotations

import pytest
from pydantic import BaseModel

from labelkit import LabelkitError
from labelkit.core.golden.mapping import check_targets, mapping_digest, parse_mapping, rule_of
from labelkit.core.golden.types import SHIPPED


class Street(BaseModel):
    city: str
    zip: str | None = None


class Given(BaseModel):
    title: str
    level: int = 1
    home: Street | None = None
    work: Street


class Open(BaseModel, extra="allow"):
    tier: str


SCHEMAS = {"input": Given.model_json_schema(), "expected_output": Open.model_json_schema(), "labels": {}}
WHOLE = {"input.title": "title", "input.work.city": "city", "expected_output.tier": "tier"}


def refused(call) -> LabelkitError:
    with pytest.raises(LabelkitError) as told:
        call()
    assert told.value.code == "MAPPING_INVALID"
    return told.value


def test_flat_and_nested_mappings_say_the_same():
    # given
    flat = parse_mapping(WHOLE)
    nested = parse_mapping({"expected_output": {"tier": "tier"}, "input": {"work": {"city": "city"}, "title": "title"}})

    # then
    assert {cell.target for cell in flat} == {cell.target for cell in nested} == set(WHOLE)
    assert mapping_digest(flat) == mapping_digest(nested)
    assert mapping_digest(flat) != mapping_digest(parse_mapping(WHOLE | {"input.title": "name"}))


@pytest.mark.parametrize(
    ("value", "title", "words"),
    [
        pytest.param("a", "a", {"column": "a"}, id="a column"),
        pytest.param({"constant": None}, "a constant", {"constant": None}, id="a constant"),
        pytest.param({"column": "a", "cast": "number", "default": 0}, "a", {"column": "a", "cast": "number", "default": 0}, id="a cast"),
        pytest.param({"column": "a", "map": {"x": 1}, "otherwise": 2}, "a", {"column": "a", "map": [["'x'", 1]], "otherwise": 2}, id="map"),
    ],
)
def test_rules_say_what_they_were_told(value, title, words):
    rule = rule_of(value, "input.x")
    assert rule.words == words
    assert rule.title == title


@pytest.mark.parametrize(
    ("mapping", "said"),
    [
        pytest.param({}, "fills no field", id="nothing"),
        pytest.param({"inpt.title": "a"}, "did you mean 'input.title'", id="a side with a typing error"),
        pytest.param({"metadata.x": "a"}, "a field begins with", id="no side"),
        pytest.param({"input.a": 7}, "int is no rule", id="a number"),
        pytest.param({"input.a": {"column": "a", "casts": "text"}}, "'casts' is no part of a rule", id="an unknown part"),
        pytest.param({"input.a": "x", "input.a.b": "y"}, "in the same place", id="a field and a part of it"),
        pytest.param({"input": "x", "input.a": "y"}, "in the same place", id="a side and a part of it"),
        pytest.param({"input.a": {"column": "a", "constant": 1}}, "a column or a constant", id="both"),
        pytest.param({"input.a": {"constant": 1, "default": 2}}, "stands alone", id="a constant with a default"),
        pytest.param({"input.a": {"column": "a", "cast": "float"}}, "is no cast", id="no cast"),
        pytest.param({"input.a": {"column": "a", "map": {"x": 1}, "cast": "text"}}, "without cast", id="a map and a cast"),
        pytest.param({"input.a": {"column": "a", "map": ["x"]}}, "map is a dict", id="a map that is none"),
        pytest.param({"input.a": {"column": "a", "otherwise": 1}}, "a map does not know", id="otherwise without a map"),
    ],
)
def test_what_is_no_mapping_is_refused_with_the_reason(mapping, said):
    assert said in refused(lambda: parse_mapping(mapping)).detail


@pytest.mark.parametrize(
    ("more", "what", "said"),
    [
        pytest.param({"input.titel": "t"}, "input.titel", "Did you mean 'input.title'?", id="the nearest field"),
        pytest.param({"input.home.zpi": "t"}, "input.home.zpi", "Did you mean 'input.home.zip'?", id="the nearest field of an object"),
        pytest.param({"input.work.city": None}, "input.work", "Map a column or constant to input.work.", id="a required object"),
        pytest.param({"input.title": None}, "input.title", "Map a column or constant to input.title.", id="a required field"),
        pytest.param({"expected_output.tier": None}, "expected_output.tier", "Map a column or constant", id="a required side"),
        pytest.param({"input.home.zip": "z"}, "input.home.city", "Map a column", id="an object that is begun"),
    ],
)
def test_fields_are_held_against_the_schemas_before_anything_runs(more, what, said):
    # given
    mapping = {name: column for name, column in (WHOLE | more).items() if column is not None}

    # then
    told = refused(lambda: check_targets(parse_mapping(mapping), SCHEMAS))
    assert told.facts["what"] == what
    assert said in told.hint


def test_schemas_say_what_a_field_takes():
    # when
    fields = check_targets(
        parse_mapping(WHOLE | {"input.level": "n", "input.home.city": "h", "expected_output.more": "m", "labels.any": "l"}), SCHEMAS
    )

    # then
    assert {name: (field.types and sorted(field.types), field.required) for name, field in fields.items()} == {
        "input.title": (["string"], True),
        "input.work.city": (["string"], True),
        "expected_output.tier": (["string"], True),
        "input.level": (["integer"], False),
        "input.home.city": (["string"], True),
        "expected_output.more": (None, False),
        "labels.any": (None, False),
    }
    assert fields["input.level"].takes("integer")
    assert not fields["input.level"].takes("number")


def test_a_whole_side_may_come_from_one_column():
    shipped = SHIPPED["contact_tier"]
    schemas = {part: shipped.schema(part) for part in ("input", "expected_output", "labels")}
    fields = check_targets(parse_mapping({"input": "input_data", "expected_output": "output"}), schemas)
    assert fields["input"].types == frozenset({"object"})
    assert fields["input"].required
