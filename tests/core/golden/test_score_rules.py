"""Rules that follow from schemas, those of the shipped types, and policies."""

from __future__ import annotations

from enum import Enum

import pytest
from pydantic import BaseModel

from labelkit.core.golden.score_rules import ScorePolicy, TypeRules, of_type
from labelkit.core.golden.types import SHIPPED
from labelkit.errors import InvalidValue


class Verdict(Enum):
    GOOD = "good"
    BAD = "bad"


class Question(BaseModel):
    text: str
    words: int | None = None
    language: Verdict | None = None


class Answer(BaseModel):
    score: float
    verdict: Verdict
    confidence: float | None = None


class Closed(BaseModel, extra="forbid"):
    confidence: float | None = None


def test_rules_follow_from_pydantic_models():
    # when
    rules = TypeRules.of_schemas(Question.model_json_schema(), Answer.model_json_schema(), Closed.model_json_schema())

    # then what is required, what matters, the class, the slice and how inputs are near; labels only as far as the closed schema names them
    assert rules == TypeRules(
        required=("input.text", "expected_output.score", "expected_output.verdict"),
        filled=("input.text", "input.words", "input.language", "expected_output.score", "expected_output.verdict"),
        answer="expected_output.verdict",
        slices=("input.language",),
        near={"input.text": "text", "input.words": "number", "input.language": "text"},
        confidence=("labels.confidence", "expected_output.confidence"),
        agreement=None,
        answers=None,
        edge_case=None,
        documentation=(),
    )


def test_a_type_without_schemas_is_judged_by_open_labels_and_its_whole_input():
    rules = TypeRules.of_schemas()
    assert (rules.required, rules.filled, rules.answer, rules.slices, rules.near) == ((), (), None, (), None)
    assert (rules.agreement, rules.edge_case, rules.confidence) == ("labels.agreement", "labels.edge_case", ("labels.confidence",))


@pytest.mark.parametrize(
    ("name", "answer", "slices", "outcome"),
    [
        pytest.param("contact_tier", "expected_output.tier", ("input.industry",), None, id="contact_tier"),
        pytest.param("lead_score", "expected_output.priority", ("input.company_quality",), "labels.conversion_outcome", id="lead_score"),
        pytest.param("company_quality", "expected_output.quality_rating", ("input.industry",), "labels.outcome", id="company_quality"),
    ],
)
def test_shipped_types_know_their_class_slice_and_outcome(name, answer, slices, outcome):
    # given
    kind = SHIPPED[name]

    # when
    rules = of_type(name, kind.input, kind.expected_output, kind.labels)

    # then
    assert (rules.answer, rules.slices, rules.outcome) == (answer, slices, outcome)
    assert rules.judges_outcomes == (outcome is not None)
    assert set(rules.filled) >= {f"input.{field}" for field in kind.input["properties"]}


def test_a_team_that_registers_a_shipped_name_anew_keeps_only_what_its_schemas_name():
    # given
    given = {"properties": {"plan": {"type": "string"}}}

    # when
    rules = of_type("lead_score", given, {"properties": {"priority": {"type": "string"}}}, {})

    # then
    assert (rules.answer, rules.slices, rules.outcome) == ("expected_output.priority", (), None)


def test_a_policy_is_completed_for_the_types_there_are_and_its_digest_tells_policies_apart():
    # given
    own = TypeRules(answer="expected_output.tier")
    derived = {"contact_tier": TypeRules(), "lead_score": TypeRules(required=("input.fit_score",))}
    policy = ScorePolicy(version="team-2", types={"contact_tier": own, "elsewhere": TypeRules()})

    # when
    whole = policy.completed(derived)

    # then
    assert whole.types == {"contact_tier": own, "lead_score": derived["lead_score"]}
    digests = {one.digest for one in (policy, whole, ScorePolicy(), ScorePolicy(version="v2"))}
    assert len(digests) == 4
    assert ScorePolicy.model_validate_json(whole.model_dump_json()).digest == whole.digest
    assert ScorePolicy().digest == "684214f5f0eec7e11a6dc322512c6f212f13cf0c8e4e2857cf9b6b6eb065e42f"


@pytest.mark.parametrize(
    ("given", "where"),
    [
        pytest.param({"types": {"x": {"answer": "tier"}}}, "answer", id="no path"),
        pytest.param({"types": {"x": {"near": {"input.a": -1}}}}, "near", id="bins without width"),
        pytest.param({"types": {"x": {"weights": 3}}}, "weights", id="unknown rule"),
        pytest.param({"version": ""}, "version", id="no version"),
    ],
)
def test_a_policy_that_is_none_is_refused_with_the_place(given, where):
    with pytest.raises(InvalidValue, match=where):
        ScorePolicy.model_validate(given)
