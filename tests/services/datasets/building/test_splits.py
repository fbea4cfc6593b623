"""Splits of built datasets: stable over versions, for one set alone, or as the media came."""

from __future__ import annotations

import pytest

import labelkit
from labelkit import BuildRequest, synthetic
from labelkit.core.geometry import Box
from labelkit.errors import LabelkitError
from tests.services.packs import Pack, add, change

BOX = Box(10.0, 20.0, 30.0, 40.0)
PLAIN = Pack("m", [("APPROVED", {0: [("player", BOX)], 1: [("player", BOX)]})])
SIX = [PLAIN.with_(media=f"match-{n}", group=f"g{n}") for n in range(6)]
RICH = PLAIN.with_(revisions=[("APPROVED", {0: [("player", BOX)] * 9, 1: [("ball", BOX)] * 4})])


@pytest.fixture
def ws():
    with labelkit.open(":memory:", workspace="club-a", user="ana") as opened:
        yield opened


def request(packs, **more) -> BuildRequest:
    return BuildRequest(**{"capability": "player_detection", "label_pack_ids": list(packs), "name": "players"} | more)


def built(ws, ids, **more):
    return ws.datasets.build(request(ids.values(), **more))


def splits_of(dataset) -> dict[str, str]:
    """Return the split of each group; a group in two splits would be missing from one of them."""
    pairs = dataset.to_polars().select("group_key", "split").unique().rows()
    assert len(pairs) == len({group for group, _ in pairs})
    return dict(pairs)


def test_a_group_never_moves_while_the_dataset_grows(ws):
    # given a first version of six groups
    ids = add(ws, SIX)
    first = ws.datasets.build(request(ids.values())).dataset
    before = dict(first.to_polars().select("group_key", "split").unique().rows())

    # when twenty groups come and the seed changes
    ids |= add(ws, [PLAIN.with_(media=f"new-{n}", group=f"n{n}") for n in range(20)])
    second = ws.datasets.build(request(ids.values(), seed=7)).dataset

    # then
    after = dict(second.to_polars().select("group_key", "split").unique().rows())
    assert {group: after[group] for group in before} == before
    assert (second.version, len(after), second.stability.kept) == (2, 26, 6)
    assert set(after.values()) == {"train", "val", "test"}
    assert ws.datasets.get("players").id == second.id


def test_a_version_of_another_name_is_not_bound_by_these_placements(ws):
    # given
    ids = add(ws, SIX)
    first = ws.datasets.build(request(ids.values(), seed=0)).dataset

    # when
    others = [ws.datasets.build(request(ids.values(), seed=seed, name=f"n{seed}")).dataset for seed in range(1, 5)]

    # then
    assert len({one.manifest_hash for one in [first, *others]}) > 1
    assert all(one.stability.kept == 0 for one in others)


def test_a_split_that_has_groups_cannot_be_dropped(ws):
    ids = add(ws, SIX)
    ws.datasets.build(request(ids.values()))
    with pytest.raises(LabelkitError) as refused:
        ws.datasets.build(request(ids.values(), ratios={"train": 0.9, "val": 0.1}))
    assert (refused.value.code, refused.value.status) == ("SPLIT_PLACEMENT_CONFLICT", 409)
    assert ws.datasets.build(request(ids.values(), ratios={"train": 0.9, "val": 0.1, "test": 0.0})).outcome == "created"


def test_a_build_follows_placements_that_another_build_made_meanwhile(ws):
    # given, during a build, a version of the same dataset that has other groups and one of these in another split
    ids = add(ws, SIX)
    planned = ws.datasets.preflight(request(ids.values())).plan.placement
    mover = next(group for group, split in sorted(planned.items()) if split == "train")
    alone = request([ids[f"match-{mover[1:]}"]], ratios={"train": 0.0, "val": 1.0, "test": 0.0})
    done = []

    def meanwhile(_done, _all):
        if not done:
            done.append(ws.datasets.build(alone).dataset)

    # when
    result = ws.datasets.build(request(ids.values()), progress=meanwhile)

    # then it comes second and leaves the group where it is
    found = dict(result.dataset.to_polars().select("group_key", "split").unique().rows())
    assert (done[0].version, result.dataset.version, found[mover]) == (1, 2, "val")
    assert ws.datasets.list()["failure"].to_list() == [None, None, "BUILD_SUPERSEDED"]


def test_a_group_key_of_two_workspaces_is_one_group(ws):
    # given the same clip in two workspaces
    ids = add(ws, SIX)
    with ws._database.transaction() as tx:
        other = tx.workspaces.create("club-b", owner="ana")
    foreign = add(ws, [PLAIN.with_(media="theirs", group="g0")])
    for table in ("media", "label_packs"):
        change(ws, f"UPDATE {table} SET workspace_id = $to WHERE id = (SELECT max(id) FROM {table})", to=other.id)

    # when
    rows = ws.datasets.build(request([*ids.values(), *foreign.values()])).dataset.to_polars()

    # then
    clip = rows.filter(rows["group_key"] == "g0")
    assert (clip["split"].n_unique(), sorted(clip["workspace"].unique())) == (1, ["club-a", "club-b"])


def test_a_predefined_split_is_that_of_the_media(ws):
    # given
    wanted = {"a": "train", "b": "train", "c": "val"}
    ids = add(ws, [PLAIN.with_(media=name, split=split) for name, split in wanted.items()])

    # when
    result = built(ws, ids, split_strategy="predefined")

    # then, and it binds no later version
    assert splits_of(result.dataset) == wanted
    assert built(ws, ids, split_strategy="predefined").outcome == "reused_success"
    later = built(ws, ids, ratios={"train": 0.5, "test": 0.5})
    assert set(splits_of(later.dataset).values()) == {"train", "test"}


def test_media_are_added_with_the_split_that_they_came_with(ws, tmp_path):
    # given
    clip = synthetic.match(tmp_path, clips=1, frames=2).clips[0]

    # when
    ws.media.add(clip.folder, name="clip", split="holdout")

    # then
    assert ws.media.get("clip").split == "holdout"
    assert ws.media.list()["split"].to_list() == ["holdout"]


def test_a_split_for_this_set_alone_leaves_the_placements_of_the_dataset_as_they_are(ws):
    # given a version whose groups are placed
    ids = add(ws, [(RICH if n % 3 else PLAIN).with_(media=f"m{n}", group=f"g{n}") for n in range(9)])
    placed = splits_of(built(ws, ids).dataset)

    # when one is balanced for itself, under another seed
    alone = built(ws, ids, split_strategy="group_ratio", seed=5)

    # then its fingerprint differs, and the next stable one has the groups where they were
    assert [one.field for one in ws.datasets.explain(alone.dataset.id, ws.datasets.list()["id"][1])] != []
    more = add(ws, [PLAIN.with_(media="m9", group="g9")])
    grown = splits_of(built(ws, ids | more).dataset)
    assert {group: grown[group] for group in placed} == placed


def test_counts_of_classes_decide_a_split_for_this_set_alone_also_after_a_stable_one(ws):
    # given
    ids = add(ws, [(RICH if n % 3 else PLAIN).with_(media=f"m{n}", group=f"g{n}") for n in range(9)])
    fresh = ws.datasets.preflight(request(ids.values(), name="other", split_strategy="group_ratio"))

    # when groups are placed by a stable version, and the same set is then balanced for itself
    built(ws, ids)
    alone = built(ws, ids, split_strategy="group_ratio")

    # then
    assert splits_of(alone.dataset) == fresh.plan.placement
