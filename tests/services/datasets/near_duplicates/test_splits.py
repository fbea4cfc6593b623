"""Near-duplicates heeded by every split: alike groups stay together, unless a reviewer says that they differ."""

from __future__ import annotations

from itertools import combinations

from hypothesis import given, settings
from hypothesis import strategies as st

import labelkit
from tests.services.datasets.near_duplicates.looks import (
    LOOKS,
    codes,
    looking,
    pairs,
    request,
    splits_of,
)
from tests.services.packs import CAPABILITY
from tests.services.worlds import refused


def test_a_preflight_names_the_groups_that_count_as_one_and_the_build_keeps_them_together(ws):
    # given nine media of which three hang together, through the look of one
    ids = looking(ws, a="red", bb="red blue", ccc="blue", **{f"x{n}": "grey" for n in range(1)}, y="green")
    ws.datasets.find_near_duplicates(CAPABILITY)

    # when
    found = ws.datasets.preflight(request(ids.values()))

    # then
    assert codes(found) == [("NEAR_DUPLICATES_JOINED", False)]
    assert (found.joined_groups, found.near_duplicate_count, found.unsearched_media_count) == ((("a", "bb", "ccc"),), 2, 0)
    assert "a, bb, ccc. Evidence: 2 pairs of media." in found.issues[0].message
    assert "NEAR_DUPLICATES_JOINED" in repr(found)
    assert "NEAR_DUPLICATES_JOINED" in found._repr_html_()
    splits = splits_of(ws, ids.values(), join_near_duplicates=True)
    assert splits == found.plan.placement
    assert len({splits[group] for group in ("a", "bb", "ccc")}) == 1
    assert splits["y"] != splits["a"]


def test_a_pair_that_was_ruled_out_joins_nothing_and_a_confirmed_one_does(ws):
    # given two groups that would be in two splits were they not alike
    ids = looking(ws, a="red", bb="red")
    half = {"ratios": {"train": 0.5, "test": 0.5}}
    pair = ws.datasets.find_near_duplicates(CAPABILITY)["id"][0]
    joined = ws.datasets.build(request(ids.values(), name="one", **half))

    # when
    ws.datasets.rule_near_duplicate(pair, "different", reason="another day")
    apart = splits_of(ws, ids.values(), name="two", **half)
    ws.datasets.rule_near_duplicate(pair, "duplicate", reason="no, the same")
    again = ws.datasets.build(request(ids.values(), name="three", **half))

    # then, and equal splits are one build
    assert set(apart.values()) == {"train", "test"}
    assert again.dataset.id == joined.dataset.id
    assert ws.datasets.build(request(ids.values(), name="four", join_near_duplicates=False, **half)).outcome == "reused_success"


def test_media_that_were_not_searched_stop_a_build_that_insists(ws):
    # given
    ids = looking(ws, a="red", bb="blue")
    insists = request(ids.values(), join_near_duplicates=True, ratios={"train": 1.0})
    relaxed = request(ids.values(), ratios={"train": 1.0})
    assert codes(ws.datasets.preflight(relaxed)) == []

    # when one of two was searched
    ws.datasets.find_near_duplicates(label_pack_ids=[ids["a"]])

    # then
    assert codes(ws.datasets.preflight(relaxed)) == [("NEAR_DUPLICATES_NOT_SEARCHED", False)]
    assert codes(ws.datasets.preflight(insists)) == [("NEAR_DUPLICATES_NOT_SEARCHED", True)]
    assert refused(lambda: ws.datasets.build(insists)) == "NEAR_DUPLICATES_NOT_SEARCHED"
    ws.datasets.find_near_duplicates(CAPABILITY)
    assert ws.datasets.build(insists).outcome == "created"


def test_near_duplicates_that_come_late_to_placed_groups_are_named_and_move_nothing(ws):
    # given a version with two groups in two splits
    ids = looking(ws, a="red", bb="blue")
    half = {"ratios": {"train": 0.5, "test": 0.5}}
    before = splits_of(ws, ids.values(), **half)
    assert set(before.values()) == {"train", "test"}

    # when a third one is like both
    ids |= looking(ws, ccc="red blue")
    ws.datasets.find_near_duplicates(CAPABILITY)
    found = ws.datasets.preflight(request(ids.values(), **half))

    # then
    assert codes(found) == [("NEAR_DUPLICATES_ACROSS_SPLITS", False), ("NEAR_DUPLICATES_JOINED", False)]
    assert {group: split for group, split in found.plan.placement.items() if group in before} == before
    assert refused(lambda: ws.datasets.build(request(ids.values(), join_near_duplicates=True, **half))) == "NEAR_DUPLICATES_ACROSS_SPLITS"
    after = splits_of(ws, ids.values(), **half)
    assert {group: after[group] for group in before} == before


@settings(max_examples=6)
@given(
    looks=st.lists(st.sets(st.sampled_from(sorted(LOOKS)), min_size=1, max_size=2), min_size=2, max_size=6),
    early=st.integers(1, 6),
    ruled=st.lists(st.tuples(st.integers(0, 20), st.sampled_from(["different", "duplicate"])), max_size=4),
    seed=st.integers(0, 99),
)
def test_no_near_duplicates_that_nobody_ruled_out_are_parted_and_growth_moves_no_group(looks, early, ruled, seed):
    with labelkit.open(":memory:", workspace="club-a", user="ana") as ws:
        # given media with looks, some rulings, and a version of the first of them
        names = [chr(97 + number) * (number + 1) for number in range(len(looks))]
        ids = looking(ws, **{name: " ".join(sorted(one)) for name, one in zip(names, looks, strict=True)})
        found = ws.datasets.find_near_duplicates(CAPABILITY).sort("media_a", "media_b")
        alike = {(a, b) for (a, x), (b, y) in combinations(zip(names, looks, strict=True), 2) if x & y}
        assert set(pairs(found)) == alike
        out = set()
        for number, ruling in ruled if found.height else []:
            row = found.row(number % found.height, named=True)
            ws.datasets.rule_near_duplicate(row["id"], ruling, reason="seen")
            out = (out | {(row["media_a"], row["media_b"])}) - ({(row["media_a"], row["media_b"])} if ruling == "duplicate" else set())
        first = splits_of(ws, [ids[name] for name in names[:early]], seed=seed)

        # when
        second = splits_of(ws, ids.values(), seed=seed)

        # then
        assert {group: second[group] for group in first} == first
        torn = {cluster for cluster in clusters_of(alike - out) if len({first[group] for group in cluster if group in first}) > 1}
        for version in (first, second):
            for a, b in alike - out:
                in_torn = any(a in cluster for cluster in torn)
                assert a not in version or b not in version or version[a] == version[b] or (in_torn and version is second)


def clusters_of(links: set[tuple[str, str]]) -> set[frozenset[str]]:
    found: set[frozenset[str]] = set()
    for pair in links:
        touching = {one for one in found if one & set(pair)}
        found = (found - touching) | {frozenset(pair).union(*touching)}
    return found
