"""The search for near hashes: exactly what a loop over all pairs finds, however the hashes are spread."""

from __future__ import annotations

import time

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from labelkit.store.database import Database
from labelkit.store.datasets.hamming import alike, within

HASH = st.integers(0, 2**64 - 1)
# Hashes near each other: a few centres, and some bits of them flipped, so that distances of 0 to 9 are frequent.
NEAR = st.builds(
    lambda centre, bits: centre ^ sum(1 << bit for bit in bits),
    st.sampled_from([0, 2**64 - 1, 0x0123_4567_89AB_CDEF]),
    st.sets(st.integers(0, 63), max_size=9),
)
GROUPS = 3  # media n is of group n % 3
FRAMES = st.lists(st.tuples(st.integers(0, 8), st.integers(0, 3), NEAR, NEAR), max_size=25, unique_by=lambda row: row[:2])


@pytest.fixture(scope="module")
def db():
    with Database.open(":memory:", user="ana") as opened:
        yield opened


def hashes(values) -> pl.DataFrame:
    return pl.DataFrame({"hash": list(values)}, schema={"hash": pl.UInt64})


def distance(a: int, b: int) -> int:
    return (a ^ b).bit_count()


def frames(rows, *, left=()) -> pl.DataFrame:
    known = {media for media, *_ in left}
    made = [(media, media % GROUPS, index, dhash, phash, media in known) for media, index, dhash, phash in rows]
    schema = {"media": pl.UInt32, "grp": pl.UInt32, "frame_index": pl.Int32, "dhash": pl.UInt64, "phash": pl.UInt64, "on_left": pl.Boolean}
    return pl.DataFrame(made, schema=schema, orient="row")


def by_hand(left, right, *, across=False) -> dict[tuple[int, int], tuple[int, int]]:
    """Return, by pair of media, how many pairs of frames are near and the smallest sum of both distances."""
    found: dict[tuple[int, int], list[int]] = {}
    for a, _, ad, ap in left:
        for b, _, bd, bp in right:
            if distance(ad, bd) <= 6 and distance(ap, bp) <= 6 and not (across and a % GROUPS == b % GROUPS):
                found.setdefault((a, b), []).append(distance(ad, bd) + distance(ap, bp))
    return {pair: (len(sums), min(sums)) for pair, sums in found.items()}


@settings(max_examples=25)
@given(left=st.lists(HASH | NEAR, max_size=30), right=st.lists(HASH | NEAR, max_size=30), most=st.integers(0, 7))
def test_the_join_finds_exactly_the_pairs_that_a_loop_finds(db, left, right, most):
    found = within(db, hashes(left), hashes(right), most=most)
    wanted = {(a, b): d for a in set(left) for b in set(right) if (d := distance(a, b)) <= most}
    assert {(a, b): d for a, b, d in found.iter_rows()} == wanted
    assert found.height == len(wanted)


def test_bits_may_differ_anywhere_and_a_distance_that_bands_cannot_promise_is_refused(db):
    # given hashes that differ from one in exactly n bits, all in one band or spread over all four
    one = 0xDEAD_BEEF_0BAD_CAFE
    spread = {n: one ^ sum(1 << (16 * (k % 4) + k // 4) for k in range(n)) for n in range(10)}
    dense = {n: one ^ ((1 << n) - 1) for n in range(10)}

    # then
    for family in (spread, dense):
        found = within(db, hashes([one]), hashes(family.values()))
        assert sorted(found["distance"]) == list(range(7))
    with pytest.raises(ValueError, match="7 bits"):
        within(db, hashes([one]), hashes([one]), most=8)


@settings(max_examples=25)
@given(left=FRAMES, right=FRAMES, across=st.booleans())
def test_pairs_of_media_are_those_with_two_frames_near_in_both_hashes(db, left, right, across):
    found = alike(db, frames(left).drop("on_left"), frames(right), across=across, full=None)
    wanted = by_hand(left, right, across=across)
    shown = {(row["left_media"], row["right_media"]): row for row in found.iter_rows(named=True)}
    assert {pair: (row["frame_pairs"], row["dhash_distance"] + row["phash_distance"]) for pair, row in shown.items()} == wanted
    # and the frames named are as near as is said
    at = {"left": {row[:2]: row[2:] for row in left}, "right": {row[:2]: row[2:] for row in right}}
    for row in shown.values():
        a, b = (at[side][row[f"{side}_media"], row[f"{side}_frame"]] for side in ("left", "right"))
        assert (distance(a[0], b[0]), distance(a[1], b[1])) == (row["dhash_distance"], row["phash_distance"])


@settings(max_examples=25)
@given(rows=FRAMES, new=st.sets(st.integers(0, 8)))
def test_new_media_against_all_give_each_pair_that_is_new_once(db, rows, new):
    # given some media of a set as new
    left = [row for row in rows if row[0] in new]

    # when
    found = alike(db, frames(left).drop("on_left"), frames(rows, left=left), across=True)

    # then
    pairs = [tuple(sorted(pair)) for pair in found.select("left_media", "right_media").iter_rows()]
    assert len(pairs) == len(set(pairs))
    assert set(pairs) == {tuple(sorted(pair)) for pair in by_hand(left, rows, across=True)}


@pytest.mark.parametrize("full", [0, 3, 30])
@settings(max_examples=15)
@given(rows=FRAMES, new=st.sets(st.integers(0, 8)))
def test_where_not_every_pair_of_a_common_look_is_kept_the_same_groups_hang_together(db, full, rows, new):
    # given all pairs, and the shortened pairs of a search in two steps
    def components(pairs) -> set[frozenset[int]]:
        found = [{a % GROUPS, b % GROUPS} for a, b in pairs]
        merged: list[set[int]] = []
        for one in found:
            touching = [other for other in merged if other & one]
            merged = [other for other in merged if not other & one] + [one.union(*touching)]
        return {frozenset(one) for one in merged}

    old, left = [row for row in rows if row[0] not in new], [row for row in rows if row[0] in new]

    # when
    first = alike(db, frames(old).drop("on_left"), frames(old, left=old), across=True, full=full)
    second = alike(db, frames(left).drop("on_left"), frames(rows, left=left), across=True, full=full)

    # then
    pairs = [pair for found in (first, second) for pair in found.select("left_media", "right_media").iter_rows()]
    assert components(pairs) == components(by_hand(rows, rows, across=True))


def test_a_hundred_thousand_equal_frames_are_compared_once(db):
    # given 1,000 media of three groups, each with 100 black frames
    rows = frames([(media, index, 0, 0) for media in range(1000) for index in range(100)], left=[(n,) for n in range(1000)])

    # when
    start = time.monotonic()
    found = alike(db, rows.drop("on_left"), rows, across=True)
    seconds = time.monotonic() - start

    # then there is evidence for every group, and neither ten thousand million pairs nor the half million of media
    assert {media % GROUPS for column in ("left_media", "right_media") for media in found[column]} == {0, 1, 2}
    assert found.height < 2000
    assert seconds < 20
