"""The quick canonical text is the canonical text."""

from __future__ import annotations

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from labelkit.core.hashing import canonical_json
from labelkit.formats.labels.attributes import canonical_text

numbers = st.integers(1 - 2**53, 2**53 - 1) | st.floats(allow_nan=False, allow_infinity=False) | st.integers(-(10**9), 10**9).map(float)
values = st.recursive(
    st.none() | st.booleans() | numbers | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@settings(deadline=None, max_examples=80)
@given(st.dictionaries(st.text(), values, max_size=5))
@example({"\U0001f600": 1, "\uff61": 2})  # in the order of UTF-16, not of the signs' numbers
def test_the_quick_way_writes_the_same_text_as_the_core(value):
    assert canonical_text(value) == canonical_json(value).decode()


NONE = {
    "NaN": {"a": [float("nan")]},
    "infinity": {"a": float("inf")},
    "integer that no float holds": {"a": 2**53},
    "half a surrogate": {"a": "\udce9"},
}


@pytest.mark.parametrize("value", NONE.values(), ids=NONE)
def test_what_has_no_canonical_text_has_none(value):
    assert canonical_text(value) is None


def test_nesting_without_end_has_none():
    value: dict[str, object] = {}
    for _ in range(100_000):
        value = {"a": value}
    assert canonical_text(value) is None
