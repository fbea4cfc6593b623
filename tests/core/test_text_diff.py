"""What differs between two texts: both can be made from the parts, the way is the shortest, long texts stay quick."""

from __future__ import annotations

import time
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labelkit.core.text_diff import Edit, word_diff

TEXTS = st.lists(st.sampled_from(["a", "b", "c", " ", "\n", ".", "ä", "two  "]), max_size=24).map("".join)


def side(parts, edit):
    return "".join(text for one, text in parts if one in (Edit.SAME, edit))


@given(TEXTS, TEXTS, st.integers(0, 12))
def test_both_texts_can_be_made_from_the_parts_however_early_the_search_ends(before, after, most):
    parts = word_diff(before, after, most)
    assert (side(parts, Edit.REMOVED), side(parts, Edit.ADDED)) == (before, after)
    assert all(text for _, text in parts)
    assert all(one[0] is not other[0] for one, other in pairwise(parts))


@given(TEXTS)
def test_equal_texts_are_one_part_that_is_the_same(text):
    assert word_diff(text, text) == ([(Edit.SAME, text)] if text else [])


@pytest.mark.parametrize(
    ("before", "after", "shown"),
    [
        pytest.param("", "new words", "[+new words]", id="out of nothing"),
        pytest.param("old words", "", "[-old words]", id="to nothing"),
        pytest.param("the contact is cold", "the contact is warm", "the contact is [-cold][+warm]", id="a word"),
        pytest.param("one two three", "four five three", "[-one two][+four five] three", id="space between changes belongs to them"),
        pytest.param("tier: gold.", "tier: gold!", "tier: gold[-.][+!]", id="a sign"),
        pytest.param("a b c d", "a c d", "a [-b ]c d", id="a word less"),
        pytest.param("naïve café", "naïve cafés", "naïve [-café][+cafés]", id="letters of any language"),
    ],
)
def test_a_change_is_told_in_whole_words(before, after, shown):
    signs = {Edit.SAME: "{}", Edit.REMOVED: "[-{}]", Edit.ADDED: "[+{}]"}
    assert "".join(signs[edit].format(text) for edit, text in word_diff(before, after)) == shown


def test_one_changed_line_among_thousands_is_found_word_by_word_and_quite_other_texts_are_replaced_at_once():
    # given
    lines = [f"line {number} of a long answer\n" for number in range(20_000)]
    edited = [*lines[:9_000], "line 9000 of a short answer\n", *lines[9_001:]]
    other = [f"{number} nothing alike {number * 7}\n" for number in range(20_000)]

    # when
    began = time.perf_counter()
    near, far = word_diff("".join(lines), "".join(edited)), word_diff("".join(lines), "".join(other))
    took = time.perf_counter() - began

    # then
    assert [part for part in near if part[0] is not Edit.SAME] == [(Edit.REMOVED, "long"), (Edit.ADDED, "short")]
    assert (side(far, Edit.REMOVED), side(far, Edit.ADDED)) == ("".join(lines), "".join(other))
    assert took < 5  # some 0.3 s; without a bound it would be hours
