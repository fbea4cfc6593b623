"""JSON in its one spelling: equal to the RFC 8785 library, and a reason for everything that is no JSON."""

from __future__ import annotations

import json
import math

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from labelkit.core.golden.json_texts import DEPTH, canonical_text, parsed

EXACT = 2**53
NUMBERS = st.integers(1 - EXACT, EXACT - 1) | st.floats(allow_nan=False, allow_infinity=False)
LEAVES = st.none() | st.booleans() | NUMBERS | st.text(st.characters(exclude_categories=("Cs",)))
VALUES = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(st.characters(exclude_categories=("Cs",))), inner, max_size=4),
)


class Contact(BaseModel):
    title: str
    score: float | None = None


@given(VALUES)
def test_a_value_has_the_text_that_the_library_gives_it(value):
    assert canonical_text(value).encode() == rfc8785.dumps(value)


@given(VALUES, st.booleans())
def test_a_text_that_was_read_has_the_same_one_spelling_again(value, ascii_only):
    # given the value as other programs write it
    text = json.dumps(value, ensure_ascii=ascii_only)

    # when, then
    assert canonical_text(parsed(text)).encode() == rfc8785.dumps(value)
    assert canonical_text(parsed(canonical_text(value))) == canonical_text(value)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param('{"b":1.0,"a":-0.0}', '{"a":0,"b":1}', id="whole doubles are whole numbers"),
        pytest.param("1e-7", "1e-7", id="small"),
        pytest.param("[0.000001,1E2]", "[0.000001,100]", id="exponents"),
        pytest.param("10000000000000000", "10000000000000000", id="a whole number that a double holds exactly"),
        pytest.param(str(EXACT), str(EXACT), id="the first whole number beyond 2**53"),
        pytest.param('{"\U0001f600":1,"\ufb33":2}', '{"\U0001f600":1,"\ufb33":2}', id="keys in the order of UTF-16"),
        pytest.param('"\\u00e9\\/\\u001F"', '"é/\\u001f"', id="escapes"),
        pytest.param(' { "a" : [ ] } ', '{"a":[]}', id="spaces"),
        pytest.param('"x:1.0,2e5"', '"x:1.0,2e5"', id="numbers inside text"),
    ],
)
def test_one_spelling(text, expected):
    assert canonical_text(parsed(text)) == expected


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        pytest.param('{"a":1,"a":1}', "the key 'a' comes twice", id="duplicate key"),
        pytest.param('{"x":[{"a":1,"b":2,"a":3}]}', "the key 'a' comes twice", id="duplicate key deep inside"),
        pytest.param('{"a":NaN}', "NaN is no JSON number", id="NaN"),
        pytest.param("-Infinity", "-Infinity is no JSON number", id="infinity"),
        pytest.param("1e400", "beyond what a JSON number can be", id="too large a double"),
        pytest.param(str(EXACT + 1), "beyond what a JSON number holds exactly", id="a whole number that no double holds"),
        pytest.param("9" * 5000, "5000 digits", id="thousands of digits"),
        pytest.param("1" + "0" * 350, "beyond what a JSON number holds exactly", id="a whole number beyond every double"),
        pytest.param("{'a':1}", "it is no JSON: Expecting property name", id="Python"),
        pytest.param('{"a":1} x', "it is no JSON: Extra data at character 8", id="something behind"),
        pytest.param("", "it is no JSON", id="nothing"),
        pytest.param("[" * 200 + "]" * 200, f"more than {DEPTH} deep", id="deep"),
        pytest.param("[" * 1_000_000, f"more than {DEPTH} deep", id="very deep and cut short"),
    ],
)
def test_what_is_no_json_is_refused_with_a_reason(text, reason):
    with pytest.raises(ValueError, match=r".+") as refusal:
        parsed(text)
    assert reason in str(refusal.value)


def test_brackets_inside_text_do_not_count_as_depth():
    assert parsed(json.dumps(["[{" * 200])) == ["[{" * 200]


def deep(levels: int) -> object:
    value: object = 1
    for _ in range(levels):
        value = [value]
    return value


CIRCLE: list[object] = []
CIRCLE.append(CIRCLE)


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        pytest.param({1: 2}, "the key 1 is int, keys are text", id="a key that is no text"),
        pytest.param({"a": {None: 2}}, "the key None is NoneType", id="a null key inside"),
        pytest.param([math.nan], "nan is no JSON number", id="NaN"),
        pytest.param({1, 2}, "set is no JSON value", id="a set"),
        pytest.param(b"x", "bytes is no JSON value", id="bytes"),
        pytest.param("\ud800", "half a character", id="a lone surrogate"),
        pytest.param(EXACT + 1, "beyond what a JSON number holds exactly", id="a large whole number"),
        pytest.param(10**400, "beyond what a JSON number holds exactly", id="a very large one"),
        pytest.param(deep(DEPTH + 2), f"more than {DEPTH} deep", id="deep"),
        pytest.param(CIRCLE, f"more than {DEPTH} deep", id="a list that holds itself"),
    ],
)
def test_a_python_value_that_json_cannot_say_is_refused(value, reason):
    with pytest.raises(ValueError, match=r".+") as refusal:
        canonical_text(value)
    assert reason in str(refusal.value)


def test_models_and_tuples_are_what_they_hold():
    assert canonical_text({"who": Contact(title="CTO"), "of": (1, 2)}) == '{"of":[1,2],"who":{"score":null,"title":"CTO"}}'
