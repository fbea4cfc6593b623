"""Splits of built datasets: stable over versions, for one set alone, or as the media came."""

from __future__ import annotations

import pytest

import labelkit
from labelkit import BuildRequest
from labelkit.core.geometry import Box
from tests.services.packs import Pack, add

BOX = Box(10.0, 20.0, 30.0, 40.0)
PLAIN = Pack("m", [("APPROVED", {0: [("player", BOX)], 1: [("player", BOX)]})])
RICH = PLAIN.with_(revisions=[("APPROVED", {0: [("player", BOX)] * 9, 1: [("ball", BOX)] * 4})])


@pytest.fixture
def ws():
    with labelkit.open(":memory:", workspace="club-a", user="ana") as opened:
        yield opened


def built(ws, ids, **more):
    return ws.datasets.build(BuildRequest(capability="player_detection", label_pack_ids=sorted(ids.values()), name="players", **more))


def splits_of(dataset) -> dict[str, str]:
    """Return the split of each group; a group in two splits would be missing from one of them."""
    pairs = dataset.to_polars().select("group_key", "split").unique().rows()
    assert len(pairs) == len({group for group, _ in pairs})
    return dict(pairs)


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
    from labelkit import synthetic

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
    fresh = ws.datasets.preflight(
        BuildRequest(capability="player_detection", label_pack_ids=sorted(ids.values()), name="other", split_strategy="group_ratio")
    )

    # when groups are placed by a stable version, and the same set is then balanced for itself
    built(ws, ids)
    alone = built(ws, ids, split_strategy="group_ratio")

    # then
    assert splits_of(alone.dataset) == fresh.plan.placement
