"""Registering example types: by model or schema, versioned, with word of the examples that would not pass any more."""

from __future__ import annotations

import pytest
from pydantic import BaseModel, Field

from labelkit.core.golden.types import SHIPPED
from labelkit.errors import ExampleTypeConflict
from tests.services.worlds import as_user, refused, trail


class Size(BaseModel):
    people: int


class Company(BaseModel):
    name: str = Field(pattern="^[A-Z]")
    size: Size | None = None


class Rating(BaseModel):
    rating: int


def test_a_type_of_models_takes_what_the_models_take(memory):
    # when
    outcome = memory.golden.types.register("rating", input=Company, expected_output=Rating)
    rows = [{"name": "Acme", "size": {"people": 3}}, {"name": "acme"}, {"name": "Acme", "size": {"people": "x"}}, {"name": "Bond"}]
    report = memory.golden.add("rating", [{"input": row, "expected_output": {"rating": 1}} for row in rows])

    # then
    assert (outcome.code, outcome.type.version) == ("REGISTERED", 1)
    assert report.rows["outcome"].to_list() == ["ADDED", "REFUSED", "REFUSED", "ADDED"]
    assert report.refused["path"].to_list() == ["name", "size/people"]


def test_equal_schemas_are_no_new_version(memory):
    # given the models as schemas, their keys in another order
    memory.golden.types.register("rating", input=Company, expected_output=Rating)
    schemas = {"input": Company.model_json_schema(), "expected_output": dict(reversed(Rating.model_json_schema().items()))}

    # when
    outcome = memory.golden.types.register("rating", **schemas, labels={})

    # then
    assert (outcome.code, outcome.type.version) == ("NO_OP_UNCHANGED", 1)
    assert memory.golden.types.get("rating") == outcome.type


def test_changed_schemas_are_a_new_version_that_says_which_examples_would_not_pass(memory):
    # given
    memory.golden.types.register("rating", input={}, expected_output=Rating)
    rows = [{"input": n, "expected_output": {"rating": n}} for n in range(3)]
    ids = memory.golden.add("rating", rows).rows["example_id"]

    # when
    outcome = memory.golden.types.register("rating", input={"minimum": 2}, expected_output={"properties": {"rating": {"minimum": 1}}})

    # then they stay, and new ones are held against it
    assert (outcome.code, outcome.type.version) == ("NEW_VERSION", 2)
    assert outcome.failing.sort("part", "reason").rows() == [
        (ids[0], "expected_output", "rating", "0 is less than the minimum of 1"),
        (ids[0], "input", "", "0 is less than the minimum of 2"),
        (ids[1], "input", "", "1 is less than the minimum of 2"),
    ]
    assert memory.golden.to_polars().height == 3
    assert memory.golden.add("rating", [{"input": 1, "expected_output": {"rating": 9}}]).refused.height == 1


def test_a_shipped_type_can_be_changed_for_a_workspace(memory):
    outcome = memory.golden.types.register("lead_score", input={}, expected_output={"type": "number"})
    assert (outcome.code, outcome.type.version) == ("NEW_VERSION", 2)
    assert memory.golden.types.list().filter(name="lead_score")["version"].to_list() == [2]


def test_the_list_shows_every_type_with_its_fields(memory):
    memory.golden.types.register("rating", input=Company, expected_output=Rating, labels={})
    listed = {row["name"]: row for row in memory.golden.types.list().to_dicts()}
    assert set(listed) == {*SHIPPED, "rating"}
    assert (listed["rating"]["input"], listed["rating"]["labels"]) == (["name", "size"], [])


@pytest.mark.parametrize(
    "schema",
    [
        pytest.param({"type": "text"}, id="a type that there is not"),
        pytest.param({"minimum": "1"}, id="a bound that is no number"),
        pytest.param({"$ref": "https://example.org/x.json"}, id="a reference to elsewhere"),
        pytest.param({"$ref": "#/$defs/gone"}, id="a reference to nothing"),
        pytest.param({"pattern": "("}, id="a pattern that is none"),
        pytest.param({"patternProperties": {"[": {}}}, id="a pattern of names that is none"),
        pytest.param({"const": float("nan")}, id="a value that is no JSON"),
        pytest.param(5, id="no schema"),
    ],
)
def test_what_is_no_schema_is_refused(memory, schema):
    assert refused(lambda: memory.golden.types.register("rating", input=schema, expected_output={})) == "EXAMPLE_TYPE_INVALID"
    assert refused(lambda: memory.golden.types.get("rating")) == "NOT_FOUND"


def test_registering_is_for_reviewers_and_leaves_an_audit_row_either_way(memory):
    # given
    annotator, reviewer = as_user(memory, "an", "annotator"), as_user(memory, "re", "reviewer")

    # when
    assert refused(lambda: annotator.golden.types.register("rating", input={}, expected_output={})) == "PERMISSION_DENIED"
    reviewer.golden.types.register("rating", input={}, expected_output={})

    # then
    assert trail(memory, "actor", "action", "code", "allowed")[-2:] == [
        ("an", "register an example type", "PERMISSION_DENIED", False),
        ("re", "register an example type", "REGISTERED", True),
    ]


def test_of_two_who_register_the_same_version_one_is_told(memory):
    # given a type that somebody else registers while this call holds the examples against its schemas
    kind = memory.golden.types.register("rating", input={}, expected_output={}).type

    # when, then
    with pytest.raises(ExampleTypeConflict), memory._database.transaction(on_conflict=ExampleTypeConflict) as tx:
        tx.golden.add_type(memory.id, kind, "bo")
