"""Splits of any rows: a group is in one split for ever, and shares are what was asked for."""

from __future__ import annotations

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from labelkit.errors import InvalidValue
from labelkit.formats.exporting.splitting import check_group, checked_shares, places, with_splits

SHARES = {"train": 0.8, "val": 0.1, "test": 0.1}
TEXTS = st.lists(st.text(st.characters(exclude_categories=("Cs",)), max_size=20), max_size=20, unique=True)


def fnv_1a(text):
    """The hash as its authors write it, one byte at a time, and the last steps of MurmurHash3."""
    state = 0xCBF29CE484222325
    for byte in text.encode():
        state = (state ^ byte) * 0x100000001B3 % 2**64
    for mixer in (0xFF51AFD7ED558CCD, 0xC4CEB9FE1A85EC53):
        state = (state ^ state >> 33) * mixer % 2**64
    return (state ^ state >> 33) / 2**64


def rows(keys, groups=None):
    return pl.DataFrame({"key": keys, "group": keys if groups is None else groups})


def split_of(frame, **options):
    made = with_splits(frame, SHARES, "key", **options)
    return dict(zip(made["key"], made["split"], strict=True))


@given(texts=TEXTS)
def test_a_place_is_the_published_hash_of_the_text(texts):
    assert places(pl.Series(texts, dtype=pl.String)).tolist() == pytest.approx([fnv_1a(text) for text in texts], abs=1e-15)


@settings(max_examples=50, deadline=None)
@given(texts=TEXTS, data=st.data())
def test_a_row_stays_in_its_split_whatever_other_rows_there_are(texts, data):
    some = data.draw(st.lists(st.sampled_from(texts), unique=True)) if texts else []
    assert split_of(rows(some)).items() <= split_of(rows(texts)).items()


@pytest.mark.parametrize("kind", [pl.String(), pl.Int64()])
def test_of_ten_thousand_rows_each_split_has_its_share(kind):
    keys = pl.Series(range(10_000)).cast(kind)
    counts = with_splits(rows(keys), SHARES, "key")["split"].value_counts()
    assert {name: count / 10_000 for name, count in counts.iter_rows()} == pytest.approx(SHARES, abs=0.01)


def test_nothing_of_a_group_is_in_two_splits():
    # given 10,000 rows of 300 companies
    frame = rows(range(10_000), [f"company {number % 300}" for number in range(10_000)])

    # when
    made = with_splits(frame, SHARES, "key", "group")

    # then
    assert made.group_by("group").agg(pl.col("split").n_unique())["split"].max() == 1
    assert set(made["split"]) == set(SHARES)
    assert made["split"].equals(pl.concat([with_splits(part, SHARES, "key", "group") for part in frame.iter_slices(999)])["split"])


def test_a_row_without_group_goes_by_its_own_key():
    frame = rows(["a", "b", "c", "d"], ["x", None, "x", None])
    assert split_of(frame, by="group") == split_of(rows(["b", "d"])) | dict.fromkeys(["a", "c"], split_of(rows(["x"]))["x"])


@pytest.mark.parametrize("shares", [{"train": 0.5, "none": 0.0, "val": 0.5}, {"all": 1.0}, {"a": 1 / 3, "b": 1 / 3, "c": 1 / 3}])
def test_a_share_of_nothing_gets_nothing_and_thirds_are_shares(shares):
    made = with_splits(rows(range(3_000)), checked_shares(shares), "key")
    assert {name for name, share in shares.items() if share} == set(made["split"])


@pytest.mark.parametrize(
    ("shares", "reason"),
    [
        ({}, "there are none"),
        ({"train": 0.8}, "add up to 0.8"),
        ({"train": 1.5, "val": -0.5}, "val has the share -0.5"),
        ({"train": float("nan"), "val": 1}, "train has the share nan"),
        ({"a/b": 1.0}, "'a/b' cannot be part of a file name"),
        ({"..": 1.0}, "cannot be part of a file name"),
    ],
)
def test_shares_that_are_none_are_refused(shares, reason):
    with pytest.raises(InvalidValue, match=reason):
        checked_shares(shares)


@pytest.mark.parametrize(("by", "reason"), [("team", "there is no column 'team'"), ("tags", "tags is List")])
def test_a_column_that_makes_no_groups_is_refused(by, reason):
    with pytest.raises(InvalidValue, match=reason):
        check_group(by, {"key": pl.String(), "tags": pl.List(pl.String())})
