"""Ids: what they look like, and that later ones sort after earlier ones."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor

import pytest

from labelkit.store.ids import new_id


def test_an_id_says_what_it_is_of_and_holds_26_lowercase_signs():
    assert re.fullmatch(r"drf_[0-9a-z]{26}", new_id("drf"))


def test_later_ids_of_a_process_sort_after_earlier_ones():
    # when thousands are made within one millisecond
    made = [new_id("x") for _ in range(20_000)]

    # then
    assert made == sorted(set(made))


def test_threads_never_get_the_same_id():
    # when
    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(lambda _: new_id("x"), range(20_000)))

    # then
    assert len(set(made)) == len(made)


@pytest.mark.parametrize("prefix", ["", "drf_", "Draft", "a b", "1x"])
def test_a_prefix_is_lowercase_letters_and_digits(prefix):
    with pytest.raises(ValueError, match="prefix"):
        new_id(prefix)
