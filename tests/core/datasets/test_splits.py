"""Groups are placed whole, by seed, towards the shares; a placed group never moves."""

from __future__ import annotations

import random

from hypothesis import given
from hypothesis import strategies as st
from sklearn.model_selection import StratifiedGroupKFold

from labelkit.core.datasets.splits import GroupCounts, balance, imbalance, place, stability

RATIOS = {"train": 0.8, "val": 0.1, "test": 0.1}

names = st.text(st.characters(codec="utf-8", categories=("L", "N")), min_size=1, max_size=6)
counts = st.builds(GroupCounts, st.integers(1, 500), st.dictionaries(st.sampled_from("abc"), st.integers(0, 300), max_size=3))
worlds = st.dictionaries(names, counts, max_size=30)
ratios = st.sampled_from([RATIOS, {"train": 1.0}, {"a": 0.5, "b": 0.5}, {"train": 0.7, "val": 0.3, "holdout": 0.0}])


@given(worlds, ratios, st.integers(0, 5))
def test_every_group_gets_one_split_with_a_share_and_none_stays_empty_that_could_be_filled(groups, ratios, seed):
    placed = place(groups, ratios, seed, {})
    assert list(placed) == sorted(groups)
    wanted = {split for split, ratio in ratios.items() if ratio}
    assert set(placed.values()) <= wanted
    if len(groups) >= len(wanted):
        assert set(placed.values()) == wanted


@given(worlds, worlds, ratios, st.integers(0, 5), st.integers(0, 5))
def test_a_placed_group_stays_when_others_come_and_the_seed_changes(before, after, ratios, seed, other_seed):
    # given what an earlier version placed
    placed = place(before, ratios, seed, {})

    # when the dataset grows
    grown = place({**after, **before}, ratios, other_seed, placed)

    # then
    assert {group: grown[group] for group in before} == placed


@given(worlds, ratios, st.integers(0, 5), st.randoms())
def test_the_placement_does_not_depend_on_the_order_of_the_groups_or_of_the_ratios(groups, ratios, seed, shuffler):
    shuffled = list(groups)
    shuffler.shuffle(shuffled)
    turned = dict(reversed(ratios.items()))
    assert place({group: groups[group] for group in shuffled}, turned, seed, {}) == place(groups, ratios, seed, {})


@given(worlds, ratios)
def test_placing_again_what_is_placed_changes_nothing(groups, ratios):
    once = place(groups, ratios, 0, {})
    assert place(groups, ratios, 0, once) == once


@given(worlds, ratios, st.integers(0, 5), st.randoms())
def test_a_balanced_split_is_whole_fills_every_split_and_does_not_depend_on_the_order(groups, ratios, seed, shuffler):
    # given
    shuffled = list(groups)
    shuffler.shuffle(shuffled)

    # when
    found = balance(groups, ratios, seed)

    # then
    assert list(found) == sorted(groups)
    wanted = {split for split, ratio in ratios.items() if ratio}
    assert set(found.values()) <= wanted
    if len(groups) >= len(wanted):
        assert set(found.values()) == wanted
    assert balance({group: groups[group] for group in shuffled}, dict(reversed(ratios.items())), seed) == found


def test_balancing_for_this_set_alone_comes_at_least_as_close_as_scikit_learn():
    # given worlds of groups of many sizes, with a rare class in some of them
    worse = []
    for world in range(20):
        chance = random.Random(world)
        groups = {
            f"g{n:03}": GroupCounts(size := chance.randint(5, 80), {"a": size, "b": chance.choice([0, 0, 0, size // 4]), "c": size // 3})
            for n in range(chance.randint(12, 90))
        }

        # when both make five equal splits
        ratios = dict.fromkeys("vwxyz", 0.2)
        ours = imbalance(groups, ratios, balance(groups, ratios, 0))
        theirs = imbalance(groups, ratios, folds_of_scikit_learn(groups))

        # then
        worse += [(world, ours, theirs)] if ours > theirs else []
    assert worse == []


def folds_of_scikit_learn(groups):
    """Return the five folds of `StratifiedGroupKFold`, a sample standing for each label, as splits v to z."""
    labels = [(group, name) for group, counts in groups.items() for name, count in counts.classes.items() for _ in range(count)]
    folds = StratifiedGroupKFold(n_splits=5).split(labels, [name for _, name in labels], [group for group, _ in labels])
    return {labels[row][0]: split for split, (_, rows) in zip("vwxyz", folds, strict=True) for row in rows}


def test_six_equal_groups_fill_all_three_splits():
    placed = place({name: GroupCounts(10, {"player": 100}) for name in "abcdef"}, RATIOS, 0, {})
    assert sorted(placed.values()) == ["test", "train", "train", "train", "train", "val"]


def test_the_seed_decides_among_equals():
    groups = {f"g{n}": GroupCounts(10) for n in range(20)}
    assert len({tuple(place(groups, RATIOS, seed, {}).items()) for seed in range(5)}) == 5


def test_a_rare_class_is_spread_over_the_splits():
    # given thirty groups of which three have the ball
    groups = {f"g{n:02}": GroupCounts(10, {"player": 100, "ball": 8 if n % 10 == 0 else 0}) for n in range(30)}

    # when
    placed = place(groups, {"train": 0.34, "val": 0.33, "test": 0.33}, 0, {})

    # then each split has one of the three
    assert sorted(placed[f"g{n:02}"] for n in (0, 10, 20)) == ["test", "train", "val"]


def test_ten_thousand_groups_come_within_a_thousandth_of_the_shares():
    groups = {f"g{n}": GroupCounts(50 + n % 101, {"player": 400 + n * 7 % 300, "ball": n % 13}) for n in range(10_000)}
    assert imbalance(groups, RATIOS, place(groups, RATIOS, 0, {})) < 0.001


def test_what_stability_costs_is_the_imbalance_that_a_new_placement_would_not_have():
    # given a dataset whose first version had only these three groups, so that each got a split of its own
    groups = {f"g{n}": GroupCounts(10, {"player": 100}) for n in range(10)}
    placed = {"g0": "train", "g1": "val", "g2": "test", "g3": "val", "g4": "test"}

    # when
    report = stability(groups, RATIOS, 0, placed)

    # then val and test keep two tenths each, where one tenth is wanted
    assert (report.kept, report.imbalance, report.imbalance_if_free, report.cost) == (5, 0.2, 0.0, 0.2)
    assert stability(groups, RATIOS, 0, {}).cost == 0
