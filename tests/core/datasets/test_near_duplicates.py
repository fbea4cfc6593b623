"""Groups that near-duplicate frames hold together: what counts as one, and what that means for splits and for what is to be known."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labelkit.core.datasets.near_duplicates import Evidence, Link, Units, clusters, joined_sentence
from labelkit.core.datasets.splits import GroupCounts
from tests.core.datasets.test_plans import PACKS, plan

NAMES = [f"g{n}" for n in range(10)]
LINKS = st.lists(st.tuples(st.sampled_from([*NAMES, "absent-1", "absent-2"]), st.sampled_from(NAMES)).filter(lambda p: p[0] != p[1]))


def links(*pairs: tuple[str, str]) -> tuple[Link, ...]:
    return tuple(Link(*sorted(pair)) for pair in pairs)


def counts(groups) -> dict[str, GroupCounts]:
    return {name: GroupCounts(5 + 3 * int(name[1:]), {"player": 7 + int(name[1:]) ** 2, "ball": 3}) for name in groups}


def known(pairs, **more: int) -> Evidence:
    return Evidence(links(*pairs), **({"searched": 10} | more))


@given(pairs=LINKS, groups=st.sets(st.sampled_from(NAMES)))
def test_two_groups_are_in_one_cluster_exactly_where_links_lead_from_one_to_the_other(pairs, groups):
    # given who is reached from whom, by walking
    reached = {name: {name} for name in [*NAMES, "absent-1", "absent-2"]}
    for _ in reached:
        for a, b in pairs:
            both = reached[a] | reached[b]
            for name in both:
                reached[name] = both | reached[name]

    # when
    found = clusters(links(*pairs), groups)

    # then
    assert all(len(members) > 1 and list(members) == sorted(members) for members in found)
    assert list(found) == sorted(found)
    together = {(a, b) for members in found for a in members for b in members if a != b}
    assert together == {(a, b) for a in groups for b in groups if a != b and b in reached[a]}


def test_a_long_chain_is_one_cluster():
    chain = links(*((f"{n:05}", f"{n + 1:05}") for n in range(20_000)))
    (found,) = clusters(chain, [f"{n:05}" for n in range(20_001)])
    assert len(found) == 20_001


@pytest.mark.parametrize(
    ("case", "placed", "units", "kept"),
    [
        ("nobody is placed", {}, {"g1": "g1", "g2": "g1", "g3": "g1"}, {}),
        ("one is placed", {"g2": "val"}, {"g1": "g2", "g2": "g2", "g3": "g2"}, {"g2": "val"}),
        ("all in one split", {"g2": "val", "g1": "val"}, {"g1": "g1", "g2": "g1", "g3": "g1"}, {"g1": "val"}),
        (
            "torn: the new one goes to the larger",
            {"g1": "val", "g2": "test"},
            {"g1": "g1", "g2": "g2", "g3": "g2"},
            {"g1": "val", "g2": "test"},
        ),
        ("another group is placed", {"g9": "test"}, {"g1": "g1", "g2": "g1", "g3": "g1"}, {"g9": "test"}),
    ],
)
def test_a_cluster_goes_where_its_groups_are_already(case, placed, units, kept):
    found = Units.joined([("g1", "g2", "g3")], counts(NAMES), placed)
    assert (dict(found.of), dict(found.placed)) == (units, kept), case


@given(pairs=LINKS, groups=st.sets(st.sampled_from(NAMES), min_size=1))
def test_units_have_all_samples_and_labels_of_their_groups(pairs, groups):
    given_counts = counts(groups)
    units = Units.joined(clusters(links(*pairs), groups), given_counts, {})
    merged = units.merged(given_counts)
    assert sum(one.samples for one in merged.values()) == sum(one.samples for one in given_counts.values())
    for name in ("player", "ball"):
        assert sum(one.classes[name] for one in merged.values()) == sum(one.classes[name] for one in given_counts.values())
    assert units.spread({unit: unit for unit in merged}, groups) == {group: units.of.get(group, group) for group in sorted(groups)}


@given(pairs=LINKS, strategy=st.sampled_from(["group_stable", "group_ratio"]), seed=st.integers(0, 99))
def test_no_near_duplicates_are_in_two_splits(pairs, strategy, seed):
    # when
    found = plan(groups=counts(NAMES), evidence=known(pairs), split_strategy=strategy, seed=seed, join_near_duplicates=True)

    # then
    assert all(found.placement[a] == found.placement[b] for a, b in pairs if a in found.placement)
    assert found.refusals == ()
    found.check()


@given(
    pairs=LINKS,
    old=st.sets(st.sampled_from(NAMES), min_size=1),
    late=LINKS,
    seeds=st.tuples(st.integers(0, 9), st.integers(0, 9)),
)
def test_growth_moves_no_group_and_joins_whatever_is_new_to_what_is_there(pairs, old, late, seeds):
    # given a first version of some groups
    packs = [PACKS[int(name[1:])] for name in sorted(old)]
    first = plan(packs, counts(old), evidence=known(pairs), seed=seeds[0])

    # when all groups come, and with them more evidence
    second = plan(groups=counts(NAMES), placed=first.placement, evidence=known([*pairs, *late]), seed=seeds[1])

    # then nothing moves, and only clusters that were placed apart before lie in several splits
    assert {group: second.placement[group] for group in old} == dict(first.placement)
    torn = []
    for cluster in second.joined:
        before = {first.placement[group] for group in cluster if group in old}
        now = {second.placement[group] for group in cluster}
        assert now == before or (len(now) == 1 and not before)
        torn += [cluster] if len(before) > 1 else []
    codes = [issue.code for issue in second.issues if not issue.blocking]
    assert ("NEAR_DUPLICATES_ACROSS_SPLITS" in codes) == bool(torn)
    assert ("NEAR_DUPLICATES_JOINED" in codes) == bool(second.joined)
    assert second.refusals == ()
    # and the same evidence, insisted on, stops the build
    insisting = plan(
        groups=counts(NAMES), placed=first.placement, evidence=known([*pairs, *late]), seed=seeds[1], join_near_duplicates=True
    )
    assert [refusal.code for refusal in insisting.refusals] == ["NEAR_DUPLICATES_ACROSS_SPLITS"] * bool(torn)
    assert insisting.placement == second.placement


@pytest.mark.parametrize(
    ("case", "asked", "evidence", "expected"),
    [
        ("nothing was ever searched", None, Evidence((), 0, 10), []),
        ("some were searched", None, known([], searched=7, unsearched=3), [("NEAR_DUPLICATES_NOT_SEARCHED", False)]),
        ("all were searched", True, known([]), []),
        ("nothing was searched, and must be", True, Evidence((), 0, 10), [("NEAR_DUPLICATES_NOT_SEARCHED", True)]),
        ("joined", None, known([("g1", "g2")]), [("NEAR_DUPLICATES_JOINED", False)]),
        ("not to be joined", False, known([("g1", "g2")], unsearched=1), []),
    ],
)
def test_a_plan_says_what_is_to_be_known_about_near_duplicates(case, asked, evidence, expected):
    found = plan(evidence=evidence, join_near_duplicates=asked)
    assert [(issue.code, issue.blocking) for issue in found.issues] == expected, case


def test_what_is_joined_is_part_of_the_reuse_fingerprint_only_where_it_changes_the_splits():
    # given ten groups, of which one pair is in two splits where nothing is joined
    apart = plan(groups=counts(NAMES))
    a, b = next((a, b) for a in NAMES for b in NAMES if apart.placement[a] != apart.placement[b])

    # then
    assert plan(groups=counts(NAMES), evidence=known([(a, b)])).reuse.value != apart.reuse.value
    assert plan(groups=counts(NAMES), evidence=known([])).reuse.value == apart.reuse.value
    assert plan(groups=counts(NAMES), evidence=known([(a, b)]), join_near_duplicates=False).reuse.value == apart.reuse.value


def test_a_predefined_split_joins_nothing_and_says_where_it_parts_near_duplicates():
    # given
    packs = [PACKS[n]._replace(split="train" if n else "test") for n in range(3)]
    request = {"split_strategy": "predefined", "groups": counts(["g0", "g1", "g2"])}

    # when
    found = plan(packs, evidence=known([("g0", "g1")]), **request)

    # then
    assert found.placement == {"g0": "test", "g1": "train", "g2": "train"}
    assert [(issue.code, issue.blocking) for issue in found.issues] == [("NEAR_DUPLICATES_ACROSS_SPLITS", False)]
    assert "g0, g1 in test, train" in found.issues[0].message


def test_the_price_of_stability_is_counted_in_groups_and_judged_by_what_is_placed_as_a_whole():
    # given two of three groups placed
    placed = {"g1": "train", "g2": "val"}
    found = plan(groups=counts(["g1", "g2", "g3"]), packs=PACKS[1:4], placed=placed, evidence=known([("g2", "g3")]))

    # then
    assert found.stability.kept == 2
    assert found.placement["g3"] == "val"
    assert found.near_duplicate_count == 1


def test_too_few_groups_are_counted_after_joining():
    found = plan(groups=counts(["g1", "g2", "g3"]), packs=PACKS[1:4], evidence=known([("g1", "g2")]))
    assert [issue.code for issue in found.issues] == ["NEAR_DUPLICATES_JOINED", "TOO_FEW_GROUPS", "EMPTY_SPLIT"]
    assert found.issues[1].message.startswith("2 groups cannot fill 3 splits")


def test_a_long_list_of_clusters_is_cut_in_its_sentence():
    many = [(f"a{n}", f"b{n}") for n in range(5)]
    assert joined_sentence(many[:1], 1) == "Groups with near-duplicate frames count as one: a0, b0. Evidence: 1 pair of media."
    assert "a2, b2; and 2 more. Evidence: 7 pairs of media." in joined_sentence(many, 7)
    assert "g0, g1, g2, g3, g4 and 5 more." in joined_sentence([NAMES], 9)
