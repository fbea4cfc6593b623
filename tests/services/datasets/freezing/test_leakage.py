"""Every path by which a training could see a frozen test set: label packs, pictures, pictures that look alike."""

from __future__ import annotations

import pytest

import labelkit
from labelkit import BuildRequest
from labelkit.core.datasets.near_duplicates import Ruling
from labelkit.store.datasets.near_duplicates import pair_id
from tests.services.datasets.freezing.world import BOX, PLAIN, near, train, workspace
from tests.services.packs import add, change
from tests.services.worlds import refused

# --- leakage


def leak(dataset, **more) -> list[tuple[object, ...]]:
    return dataset.leakage(**more).select("by", "count", "ours", "theirs").rows()


def test_the_same_pictures_under_another_media_are_a_leak_by_frame(world, hold):
    # given a media with the pictures of a, and its own pack
    world.add(PLAIN.with_(media="copy", pictures="a", frames=2, split="train"))
    copied = world.build("copied", "b copy")

    # when
    hold.freeze()

    # then
    assert leak(copied) == [("media frame", 2, "club-a/copy/000000", "club-a/a/000000")]
    with pytest.raises(
        labelkit.LabelkitError, match=r"media frame club-a/copy/000000 \(club-a/a/000000 there\) and 1 more with .* hold v1"
    ):
        train(copied)
    assert train(world.build("rest", "b c d")) == 9


def test_another_pack_of_the_same_media_is_a_leak_by_frame(world, hold):
    world.add(PLAIN.with_(media="a", capability="other_detection"))
    change(world.ws, "UPDATE label_packs SET capability = 'player_detection'")
    second = world.build("second", "a")
    hold.freeze()
    assert [row[0] for row in leak(second)] == ["media frame"]


def test_another_revision_of_a_pack_is_a_leak_by_pack_also_where_no_frame_is_shared(world):
    # given a pack of two revisions that label different frames, each built with the labelled frames only
    world.add(PLAIN.with_(media="two", revisions=[("APPROVED", {0: [("player", BOX)]})], split="test"))
    first = world.build("first", "two", min_annotations=1)
    world.add(PLAIN.with_(media="spare", revisions=[("REVIEWED", {}), ("APPROVED", {2: [("player", BOX)]})], frames=3))
    change(world.ws, "UPDATE eligibility SET state = 'REVIEWED'")
    change(world.ws, "UPDATE revisions SET pack_id = $to WHERE pack_id = $of AND number = 2", to=world.ids["two"], of=world.ids["spare"])
    change(
        world.ws,
        "UPDATE eligibility SET state = 'APPROVED' WHERE revision_id IN (SELECT id FROM revisions WHERE pack_id = $of AND number = 2)",
        of=world.ids["two"],
    )
    later = world.build("later", "two", min_annotations=1)

    # when
    first.freeze()

    # then
    assert (first.to_polars()["frame_index"].to_list(), later.to_polars()["frame_index"].to_list()) == ([0], [2])
    assert leak(later) == [("label pack", 1, world.ids["two"], world.ids["two"])]


def test_a_split_is_judged_by_its_own_frames_and_packs(calm, held):
    # given a dataset whose test split is the frozen set's, and whose other splits are clean
    whole = calm.build("whole", "a b c")
    held.freeze()

    # then
    assert refused(lambda: train(whole)) == "FROZEN_SOURCE_LEAKAGE_FORBIDDEN"
    assert refused(lambda: train(whole, split="test")) == "FROZEN_SOURCE_LEAKAGE_FORBIDDEN"
    assert (train(whole, split="train"), train(whole, split="val")) == (3, 3)
    assert (leak(whole, split="train"), len(leak(whole, split="test"))) == ([], 2)


def test_a_lease_on_a_clean_split_does_not_stop_the_freeze_of_what_another_split_uses(calm, held):
    whole = calm.build("whole", "a b c")
    with whole.for_training(split="train"):
        with whole.for_training(split="test"):
            assert refused(held.freeze) == "DATASET_IN_ACTIVE_USE"
        assert held.freeze().is_frozen


def test_all_splits_of_a_frozen_set_are_protected(calm):
    calm.build("whole", "a b c").freeze()
    assert refused(lambda: train(calm.build("b-again", "b"))) == "FROZEN_SOURCE_LEAKAGE_FORBIDDEN"
    assert train(calm.build("d-alone", "d")) == 3


def test_every_frozen_set_is_named_with_each_way(calm, held):
    second = calm.build("second", "b")
    both = calm.build("both", "a b d")
    held.freeze()
    second.freeze()
    assert both.leakage().select("frozen_id", "by", "count").sort("frozen_id", "by").rows() == sorted(
        (one.id, way, count) for one in (held, second) for way, count in (("label pack", 1), ("media frame", 3))
    )


def test_a_frozen_set_of_another_workspace_protects_its_pictures_and_keeps_its_name(world):
    # given the same pictures in a workspace of which rob is no member
    other = labelkit.Workspace(world.ws._database, workspace(world.ws, "club-secret"), "ana")
    theirs = add(other, [PLAIN.with_(media="their-name", pictures="a")])
    hidden = other.datasets.build(
        BuildRequest(capability="player_detection", label_pack_ids=list(theirs.values()), name="their-set", ratios={"test": 1.0})
    ).dataset
    mine = world.build("mine", "a b")
    hidden.freeze("official")

    # when, then rob hears of his own frame and of no name, and the developer of both
    with pytest.raises(labelkit.LabelkitError) as found:
        train(world.seen_by(world.reviewer, mine))
    assert found.value.code == "FROZEN_SOURCE_LEAKAGE_FORBIDDEN"
    assert "media frame club-a/a/000000 and 2 more" in found.value.detail
    assert hidden.id in found.value.detail
    assert "their" not in found.value.detail
    assert leak(mine) == [("media frame", 3, "club-a/a/000000", "club-secret/their-name/000000")]


def test_a_picture_that_looks_alike_is_a_leak(world, hold):
    # given a frame of d that is 3 bits from one of the frozen set, and none of c
    near(world, "a", "d")
    hold.freeze()

    # then
    alike = world.build("alike", "c d")
    assert leak(alike) == [("near-duplicate frame", 3, "club-a/d/000000", "club-a/a/000000")]
    with pytest.raises(labelkit.LabelkitError, match=r"FROZEN_SOURCE_LEAKAGE_FORBIDDEN.*near-duplicate frame club-a/d/000000"):
        train(alike)
    with world.build("clean", "b c").for_training() as data:
        assert data.unsearched == 6


def test_a_training_on_what_looks_alike_keeps_others_from_freezing(world, hold):
    near(world, "a", "d")
    with world.build("alike", "d").for_training():
        assert refused(hold.freeze) == "DATASET_IN_ACTIVE_USE"


def test_pictures_that_a_reviewer_of_the_frozen_set_ruled_different_are_no_leak(world, hold):
    # given
    near(world, "a", "d")
    hold.freeze()
    alike = world.build("alike", "d")
    known = dict(world.ws.media.list().select("name", "id").iter_rows())

    # when
    with world.ws._database.transaction() as tx:
        pair = pair_id(known["a"], known["d"])
        tx.datasets.near_duplicates.rule(world.ws.id, {pair: 1}, Ruling.DIFFERENT, reason="another match", actor="ana")

    # then
    assert (leak(alike), train(alike)) == ([], 3)


def test_pictures_farther_apart_than_a_near_duplicate_are_no_leak(world, hold):
    near(world, "a", "d", bits=7)
    hold.freeze()
    assert leak(world.build("other", "d")) == []


def test_a_damaged_object_lets_nobody_train(world, hold):
    # given a frozen set of which an object cannot be read: whether something is shared is not known
    other = world.build("other", "b")
    hold.freeze()
    with world.ws._database.reading() as tx:
        (digest,) = tx.freezing.protected_objects()
    file = world.ws._database.objects.root / digest[:2] / f"{digest[2:]}.parquet"
    file.write_bytes(b"damaged")
    assert refused(lambda: train(other)) == "STORAGE_READ_FAILED"
