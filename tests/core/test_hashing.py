"""Canonical JSON and digests: equal values, equal bytes; the expected hashes are literals."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labelkit.core.hashing import Digest, canonical_flat, canonical_json, digest_of, digest_of_lines, sha256_hex
from labelkit.errors import InvalidValue

NUMBERS = st.integers(-(2**53) + 1, 2**53 - 1) | st.floats(-(2**53) + 1, 2**53 - 1)
VALUES = st.recursive(
    st.none() | st.booleans() | NUMBERS | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        pytest.param({"b": 1, "a": [True, None]}, b'{"a":[true,null],"b":1}', id="keys are sorted, no spaces"),
        pytest.param([1.0, 10, 1e21, 0.1], b"[1,10,1e+21,0.1]", id="numbers as ECMAScript writes them"),
        pytest.param('é\u2028\x1f"', '"é\u2028\\u001f\\""'.encode(), id="only what must be escaped is, in lower case"),
        pytest.param({"\U0001f600": 1, "\ufb33": 2}, '{"\U0001f600":1,"\ufb33":2}'.encode(), id="keys sort by UTF-16 units"),
    ],
)
def test_canonical_json_follows_rfc_8785(value, expected):
    assert canonical_json(value) == expected


@given(st.lists(st.none() | st.text() | st.integers(-(2**53) + 1, 2**53 - 1)))
def test_a_flat_list_has_the_same_text_by_the_short_way(values):
    assert canonical_flat(values).encode() == canonical_json(values)


@pytest.mark.parametrize("value", [2**53, -(2**53), "\ud800"], ids=["too large", "too small", "half a character"])
def test_a_flat_list_is_refused_by_the_short_way_too(value):
    with pytest.raises(InvalidValue):
        canonical_flat([value])


@given(VALUES)
def test_canonical_json_reads_back_and_is_its_own_canonical_form(value):
    text = canonical_json(value)
    assert canonical_json(json.loads(text)) == text


@pytest.mark.parametrize("value", [float("nan"), float("inf"), [2**53], {"a": -(2**60)}], ids=repr)
def test_what_json_cannot_hold_is_refused(value):
    with pytest.raises(InvalidValue) as refusal:
        canonical_json(value)
    assert refusal.value.code == "INVALID_VALUE"


def test_digests_are_the_same_everywhere_and_carry_their_algorithm():
    assert str(digest_of({"a": 1})) == "sha256:015abd7f5cc57a2dd94b7590f04ad8084273905ee33ec5cebeae62276a97f862"
    assert digest_of({"a": 1}).short == "015abd7f5cc5"
    assert sha256_hex(b"") == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    assert digest_of_lines(["a", "b"]) == Digest("sha256", sha256_hex(b"a\nb\n"))


def test_lines_are_told_apart_from_their_concatenation():
    assert digest_of_lines(["ab"]) != digest_of_lines(["a", "b"]) != digest_of_lines(["b", "a"])
