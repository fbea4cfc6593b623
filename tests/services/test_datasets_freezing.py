"""Frozen test sets through the public surface: every code, every path to a leak, leases, ledger, audit, and protected content."""

from __future__ import annotations

import json
from contextlib import ExitStack
from datetime import timedelta

import polars as pl
import pytest

import labelkit
from labelkit import BuildRequest
from labelkit.core.datasets.near_duplicates import Ruling
from labelkit.core.geometry import Box
from labelkit.services.datasets import heartbeat
from labelkit.store.near_duplicates import HASHES, pair_id
from tests.services.packs import Pack, add, change, sha256
from tests.services.worlds import as_user, refused, trail

BOX = Box(10.0, 20.0, 30.0, 40.0)
PLAIN = Pack("m", [("APPROVED", {0: [("player", BOX)]})], frames=3)


class World:
    """A workspace with packs by media, datasets built from some of them, and other people."""

    def __init__(self, ws) -> None:
        self.ws = ws
        self.ids: dict[str, str] = {}
        self.add(*(PLAIN.with_(media=name, split=split) for name, split in [("a", "test"), ("b", "train"), ("c", "val"), ("d", "train")]))
        with ws._database.transaction() as tx:
            tx.workspaces.set_flags("sue", is_developer=False, is_support=True)
        self.support, self.reviewer, self.viewer = as_user(ws, "sue"), as_user(ws, "rob", "reviewer"), as_user(ws, "vic", "viewer")

    def add(self, *packs: Pack) -> None:
        self.ids |= add(self.ws, packs)

    def build(self, name: str, media: str, **more):
        asked = {"capability": "player_detection", "label_pack_ids": [self.ids[one] for one in media.split()], "name": name}
        return self.ws.datasets.build(BuildRequest(**asked | {"split_strategy": "predefined"} | more)).dataset

    def seen_by(self, ws, dataset):
        return ws.datasets.get(dataset.id)


@pytest.fixture
def world():
    with labelkit.open(":memory:", workspace="club-a", user="ana") as ws:
        yield World(ws)


@pytest.fixture
def hold(world):
    return world.build("hold", "a")


@pytest.fixture(scope="module")
def common():
    with labelkit.open(":memory:", workspace="club-a", user="ana") as ws:
        world = World(ws)
        world.build("hold", "a")
        yield world


@pytest.fixture
def calm(common):
    """A world that tests share, in which nothing is frozen."""
    yield common
    for name in common.ws.datasets.list().filter("is_frozen")["id"]:
        common.ws.datasets.unfreeze(name, "the test is over")


@pytest.fixture
def held(calm):
    return calm.build("hold", "a")


def train(dataset, **more) -> int:
    with dataset.for_training(**more) as data:
        return data.to_polars().height


# --- every code


def already_frozen(world, hold, _path):
    hold.freeze()
    world.ws.datasets.freeze("hold")


def in_use(_world, hold, _path):
    with hold.for_training():
        hold.freeze()


def sources_in_use(world, hold, _path):
    with world.build("more", "a b").for_training():
        hold.freeze()


def trained_on(_world, hold, _path):
    hold.freeze()
    train(hold)


def trained_on_another_version(world, hold, _path):
    hold.freeze()
    train(world.build("hold", "a", force=True))


def trained_beside_it(world, hold, _path):
    hold.freeze()
    train(world.build("more", "a b"))


def exported(_world, hold, path):
    hold.freeze()
    hold.export("coco", path / "out")


def exported_beside_it(world, hold, path):
    more = world.build("more", "a b")
    hold.freeze()
    more.export("coco", path / "out", purpose="training")


CASES = [
    ("frozen twice", already_frozen, "DATASET_ALREADY_FROZEN", 409),
    ("frozen while trained on", in_use, "DATASET_IN_ACTIVE_USE", 409),
    ("frozen while its pack is trained on", sources_in_use, "DATASET_IN_ACTIVE_USE", 409),
    ("frozen in another state", lambda _, hold, __: hold.freeze(expected_version=1), "FREEZE_STATE_CONFLICT", 409),
    ("frozen by a reviewer", lambda world, hold, _: world.seen_by(world.reviewer, hold).freeze("x"), "PERMISSION_DENIED", 403),
    ("trained on", trained_on, "FROZEN_DATASET_TRAINING_FORBIDDEN", 403),
    ("another version of it trained on", trained_on_another_version, "FROZEN_SOURCE_LEAKAGE_FORBIDDEN", 403),
    ("its pack trained on", trained_beside_it, "FROZEN_SOURCE_LEAKAGE_FORBIDDEN", 403),
    ("exported", exported, "FROZEN_DATASET_TRAINING_FORBIDDEN", 403),
    ("its pack exported", exported_beside_it, "FROZEN_SOURCE_LEAKAGE_FORBIDDEN", 403),
    ("exported for nothing known", lambda _, hold, path: hold.export("coco", path / "out", purpose="fun"), "INVALID_VALUE", 400),
    ("evaluated on though open", lambda _, hold, __: hold.for_evaluation(require_frozen=True).__enter__(), "DATASET_NOT_FROZEN", 409),
    ("unfrozen though open", lambda _, hold, __: hold.unfreeze("why not"), "DATASET_NOT_FROZEN", 409),
    ("unfrozen by support", lambda world, hold, _: world.seen_by(world.support, hold).unfreeze("x"), "UNFREEZE_PERMISSION_REQUIRED", 403),
    ("unfrozen by a reviewer", lambda world, hold, _: world.reviewer.datasets.unfreeze(hold.id, "x"), "UNFREEZE_PERMISSION_REQUIRED", 403),
    ("unfrozen without a reason", lambda world, _, __: world.ws.datasets.unfreeze("hold"), "UNFREEZE_REASON_REQUIRED", 400),
    ("unfrozen with blanks", lambda world, _, __: world.ws.datasets.unfreeze("hold", " \t"), "UNFREEZE_REASON_REQUIRED", 400),
    ("a split that is none", lambda _, hold, __: train(hold, split="dev"), "NOT_FOUND", 404),
]


@pytest.mark.parametrize(("case", "call", "code", "status"), CASES, ids=[case[0] for case in CASES])
def test_every_refusal_has_its_code(calm, tmp_path, case, call, code, status):
    # given
    before = trail(calm.ws, "code", "allowed")

    # when
    with pytest.raises(labelkit.LabelkitError) as found:
        call(calm, calm.ws.datasets.get("hold"), tmp_path)

    # then nothing was written, and the deny is audited
    assert (found.value.code, found.value.status) == (code, status), case
    assert not (tmp_path / "out").exists()
    denied = [row for row in trail(calm.ws, "code", "allowed")[len(before) :] if not row[1]]
    assert denied == ([] if code in ("INVALID_VALUE", "NOT_FOUND") else [(code, False)])


def test_a_dataset_without_content_cannot_be_frozen_or_trained_on(calm):
    # given a dataset that is being built
    seen = []

    def meanwhile(_done, _all):
        running = calm.ws.datasets.get("slow")
        seen.extend([refused(running.freeze), refused(lambda: train(running))])

    # when
    calm.ws.datasets.build(
        BuildRequest(capability="player_detection", label_pack_ids=[calm.ids["a"]], name="slow", ratios={"test": 1.0}), progress=meanwhile
    )

    # then
    assert set(seen) == {"DATASET_NOT_READY"}


# --- state and history


def test_support_freezes_and_a_developer_unfreezes_and_the_history_tells_all(world, hold):
    # when
    frozen = world.seen_by(world.support, hold)
    frozen.freeze("official test of 2026", expected_version=0)
    refused(lambda: frozen.unfreeze("sorry"))
    hold.unfreeze("wrong clip", expected_version=1)
    again = hold.freeze()

    # then
    assert (again.is_frozen, again.version, hold.is_frozen_test_set, hold.frozen_at) == (True, 3, True, again.last_freeze.at)
    assert (hold.last_freeze.actor, hold.last_unfreeze.actor, hold.last_unfreeze.reason) == ("ana", "ana", "wrong clip")
    history = hold.freeze_history()
    assert history.select("number", "action", "actor", "allowed", "code", "reason").rows() == [
        (3, "freeze", "ana", True, None, None),
        (2, "unfreeze", "ana", True, None, "wrong clip"),
        (None, "unfreeze", "sue", False, "UNFREEZE_PERMISSION_REQUIRED", None),
        (1, "freeze", "sue", True, None, "official test of 2026"),
    ]
    assert "needs a developer, and sue is no member" in history["detail"][2]
    assert history["changed_at"].is_sorted(descending=True)


def test_a_frozen_set_is_named_in_lists_and_looks(world, hold):
    other = world.build("other", "b")
    assert "frozen" not in repr(hold)
    hold.freeze()
    assert dict(world.ws.datasets.list().select("name", "is_frozen").iter_rows()) == {"hold": True, "other": False}
    assert "frozen test set" in repr(hold)
    assert "frozen test set" in world.ws.datasets.get("hold")._repr_html_()
    assert "frozen" not in repr(other)
    assert "frozen" not in repr(world.ws.datasets.unfreeze(hold, "over"))
    assert hold.freezing.badge == ""
    assert world.ws.datasets.freeze(hold).freezing.badge.startswith("Frozen test set since 20")


def test_every_allow_and_deny_leaves_an_audit_row_about_the_version(world, hold):
    # when
    train(hold)
    hold.freeze("official")
    refused(lambda: train(hold))
    with hold.for_evaluation(model="net-1") as data:
        data.record(ap50=0.5)
    hold.unfreeze("over")

    # then
    rows = world.ws.audit(subject=f"dataset:{hold.id}").reverse()
    assert rows.select("action", "code", "allowed").rows() == [
        ("train", "TRAINING_STARTED", True),
        ("train", "TRAINING_ENDED", True),
        ("freeze", "FROZEN", True),
        ("train", "FROZEN_DATASET_TRAINING_FORBIDDEN", False),
        ("evaluate", "EVALUATION_STARTED", True),
        ("evaluate", "EVALUATION_RECORDED", True),
        ("unfreeze", "UNFROZEN", True),
    ]
    assert json.loads(rows["facts"][2])["reason"] == "official"


def test_after_an_unfreeze_everything_may_be_trained_on_again(calm, held):
    more = calm.build("more", "a b")
    held.freeze()
    assert refused(lambda: train(more)) == "FROZEN_SOURCE_LEAKAGE_FORBIDDEN"
    assert refused(lambda: train(held)) == "FROZEN_DATASET_TRAINING_FORBIDDEN"
    held.unfreeze("over")
    assert (train(more), train(held)) == (6, 3)


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
    other = labelkit.Workspace(world.ws._database, _workspace(world.ws, "club-secret"), "ana")
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


def _workspace(ws, name):
    with ws._database.transaction() as tx:
        return tx.workspaces.create(name, owner="ana")


def near(world, *media: str, bits: int = 3) -> None:
    """Say that the same frames of these media look alike, each `bits` apart from the media before; other pictures have no hashes."""
    looks = [
        (sha256(f"{name}/{frame}"), int(sha256(f"look {frame}")[:16], 16) ^ ((1 << bits * n) - 1), frame << 40)
        for n, name in enumerate(media)
        for frame in range(3)
    ]
    with world.ws._database.transaction() as tx:
        tx.datasets.near_duplicates.add_hashes(pl.DataFrame(looks, schema=HASHES, orient="row"))


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


# --- doors


def test_the_door_to_a_training_gives_the_content_until_it_closes(calm, tmp_path):
    whole = calm.build("whole", "a b c")
    with whole.for_training(purpose="yolo", split="train") as data:
        assert data.to_polars().equals(whole.to_polars("train"))
        assert data.annotations().equals(whole.annotations("train"))
        assert [one.key for one in data.samples(limit=2).items] == ["club-a/b/000000", "club-a/b/000001"]
        assert data.export("coco", tmp_path / "out").sample_count == 3
        assert refused(lambda: data.to_polars("val")) == "NOT_FOUND"
        assert repr(data).endswith(", for training>")
    with pytest.raises(RuntimeError, match="was closed"):
        data.to_polars()
    assert repr(data).endswith(", for training, closed>")


def test_a_lease_ends_with_its_block_also_when_the_training_fails(calm, held):
    with pytest.raises(ZeroDivisionError), held.for_training():
        raise ZeroDivisionError
    assert held.freeze().is_frozen
    assert trail(calm.ws, "code")[-2:] == [("TRAINING_ENDED",), ("FROZEN",)]


def test_several_trainings_at_once_each_keep_others_from_freezing(calm, held):
    with ExitStack() as first:
        first.enter_context(calm.seen_by(calm.viewer, held).for_training(purpose="one"))
        with held.for_training(purpose="two"):
            detail = _detail(held.freeze)
        assert f"vic trains on {held.name} v{held.version} (one)" in detail
        assert f"ana trains on {held.name} v{held.version} (two)" in detail
        assert "ana" not in _detail(held.freeze)
    assert held.freeze().is_frozen


def _detail(call) -> str:
    with pytest.raises(labelkit.LabelkitError) as found:
        call()
    return found.value.detail


def test_whoever_leaves_the_workspace_during_a_training_can_still_end_it(world, hold):
    with world.seen_by(world.viewer, hold).for_training():
        world.ws.set_role("vic", None)
    assert hold.freeze().is_frozen


@pytest.mark.parametrize(
    ("case", "sql"),
    [
        ("its lease ran out", "UPDATE training_leases SET lease_until = $past"),
        (
            "its process is gone",
            "UPDATE training_leases SET holder = replace(holder, '\"pid\": ', '\"pid\": 9999') WHERE $past IS NOT NULL",
        ),
    ],
)
def test_a_training_that_showed_no_life_is_given_up_by_the_next_freeze_and_hears_of_it(calm, held, monkeypatch, case, sql):
    # given
    monkeypatch.setattr(heartbeat, "BEAT_S", 60.0)
    with calm.ws._database.reading() as tx:
        past = tx.now - timedelta(seconds=1)

    # when
    def sleep_too_long() -> None:
        with held.for_training():
            change(calm.ws, sql, past=past)
            assert held.freeze().is_frozen, case

    # then
    assert refused(sleep_too_long) == "TRAINING_LEASE_LOST", case
    assert trail(calm.ws, "code", "allowed")[-2:] == [("FROZEN", True), ("TRAINING_LEASE_LOST", False)]


def test_a_training_on_another_host_counts_until_its_lease_runs_out(calm, held):
    with held.for_training():
        change(calm.ws, """UPDATE training_leases SET holder = '{"place": "far", "pid": 1, "started": "1"}', host = 'far'""")
        assert "on host far" in _detail(held.freeze)


def test_a_training_hears_at_its_next_read_that_it_was_given_up(calm, held, monkeypatch):
    # given
    monkeypatch.setattr(heartbeat, "BEAT_S", 0.02)

    def read_on() -> None:
        with held.for_training() as data:
            change(calm.ws, "UPDATE training_leases SET ended_at = opened_at, ended_by = 'lost'")
            data._heart._thread.join(timeout=20)
            data.to_polars()

    # when, then
    assert refused(read_on) == "TRAINING_LEASE_LOST"


def test_a_lease_moves_on_while_its_training_runs(calm, held, monkeypatch):
    monkeypatch.setattr(heartbeat, "BEAT_S", 0.02)

    def until():
        with calm.ws._database.reading() as tx:
            return tx.freezing.leases()[0][0].lease_until

    with held.for_training() as data:
        first, seen = until(), []
        while len(seen) < 1000 and not (seen and seen[-1] > first):
            data.to_polars()
            seen.append(until())
    assert seen[-1] > first


# --- two at once


def meanwhile(world, monkeypatch, deed) -> None:
    """Let somebody do something whenever the sources of two datasets are compared, which is outside any lock."""
    database = world.ws._database
    compare, busy = database.analyse, []

    def analyse(*arguments, **more):
        if not busy:
            busy.append(True)
            deed()
            busy.clear()
        return compare(*arguments, **more)

    monkeypatch.setattr(database, "analyse", analyse)


def test_a_set_that_is_frozen_while_a_training_is_judged_counts(calm, held, monkeypatch):
    # given a frozen set that has nothing to do with it, and a colleague who freezes held in the middle of the look
    calm.build("other", "d").freeze()
    more, done = calm.build("more", "a b"), []

    def freeze_once() -> None:
        if not done:
            done.append(held.freeze())

    meanwhile(calm, monkeypatch, freeze_once)

    # when, then
    assert refused(lambda: train(more)) == "FROZEN_SOURCE_LEAKAGE_FORBIDDEN"
    assert done


def test_a_training_that_begins_while_a_freeze_is_judged_counts(calm, held, monkeypatch):
    # given a training that has nothing to do with it, and a colleague who opens another one in the middle of the look
    with ExitStack() as doors:
        doors.enter_context(calm.build("other", "d").for_training())
        more, done = calm.build("more", "a b"), []

        def train_once() -> None:
            if not done:
                done.append(doors.enter_context(more.for_training()))

        meanwhile(calm, monkeypatch, train_once)

        # when, then
        assert refused(held.freeze) == "DATASET_IN_ACTIVE_USE"
        assert done
    assert held.freeze().is_frozen


def test_who_is_overtaken_again_and_again_is_told_so(calm, held, monkeypatch):
    # given colleagues who never rest
    other, third = calm.build("other", "d"), calm.build("third", "c")
    other.freeze()
    meanwhile(calm, monkeypatch, lambda: third.unfreeze("again") if third.is_frozen_test_set else third.freeze())
    assert refused(lambda: train(held)) == "FREEZE_STATE_CONFLICT"
    monkeypatch.undo()
    other.unfreeze("over")
    if third.is_frozen_test_set:
        third.unfreeze("over")

    # when they open one door after the other instead
    with ExitStack() as doors:

        def next_training() -> None:
            doors.close()
            doors.enter_context(other.for_training())

        next_training()
        meanwhile(calm, monkeypatch, next_training)

        # then
        assert refused(held.freeze) == "FREEZE_STATE_CONFLICT"


# --- the ledger


def test_the_ledger_counts_who_evaluated_what_and_when(world, hold):
    # when
    with hold.for_evaluation(model="net-1", purpose="release 4") as data:
        data.record(ap50=0.71)
        data.record(by_class={"ball": 0.5}, count=3)
    hold.freeze()
    with world.seen_by(world.viewer, hold).for_evaluation(model="net-2", require_frozen=True, split="test") as data:
        assert data.to_polars().height == 3
    with pytest.raises(ZeroDivisionError), hold.for_evaluation(model="net-1") as data:
        data.record(ap50=0.72) or 1 / 0
    with world.build("other", "b").for_evaluation():
        pass

    # then, also of an evaluation that failed
    ledger = hold.holdout_ledger()
    columns = ("dataset", "version", "was_frozen", "split", "model", "purpose", "actor", "look", "looks_of_model")
    assert ledger.select(columns).rows() == [
        ("hold", 1, True, None, "net-1", None, "ana", 3, 2),
        ("hold", 1, True, "test", "net-2", None, "vic", 2, 1),
        ("hold", 1, False, None, "net-1", "release 4", "ana", 1, 1),
    ]
    assert [json.loads(text or "null") for text in ledger["metrics"]] == [
        {"ap50": 0.72},
        None,
        {"ap50": 0.71, "by_class": {"ball": 0.5}, "count": 3},
    ]
    assert ledger["evaluated_at"].is_sorted(descending=True)
    assert world.ws.datasets.holdout_ledger().height == 4
    assert world.ws.datasets.holdout_ledger("hold").equals(ledger)


@pytest.mark.parametrize("value", [float("nan"), object(), {1, 2}], ids=["no number", "an object", "a set"])
def test_a_metric_is_a_plain_value(held, value):
    with held.for_evaluation(model="net") as data:
        assert refused(lambda: data.record(ap=value)) == "INVALID_VALUE"
    assert held.holdout_ledger()["metrics"][0] is None


def test_a_frozen_set_is_exported_for_evaluation_and_the_ledger_knows(world, hold, tmp_path):
    # when
    hold.freeze()
    hold.export("coco", tmp_path / "out", purpose="evaluation")
    with hold.for_evaluation(model="net") as data:
        data.export("yolo", tmp_path / "inside")

    # then the export inside a door is no look of its own
    assert hold.holdout_ledger().select("model", "purpose").rows() == [("net", None), (None, "export")]
    assert [row for row in trail(world.ws, "action", "code") if row[1] == "EXPORTED"] == [("read", "EXPORTED")] * 2
    assert {json.loads(facts)["purpose"] for facts, code in trail(world.ws, "facts", "code") if code == "EXPORTED"} == {"evaluation"}


def test_an_export_in_an_unknown_format_is_no_look(hold, tmp_path):
    assert refused(lambda: hold.export("cocoa", tmp_path / "out", purpose="evaluation")) == "UNKNOWN_FORMAT"
    assert hold.holdout_ledger().is_empty()


# --- content


def test_frozen_content_is_not_collected_whatever_happens_to_the_rows_of_its_version(world, hold):
    # given a frozen set whose snapshot somebody forgot
    database = world.ws._database
    hold.freeze()
    with database.reading() as tx:
        protected = tx.freezing.protected_objects()
    change(world.ws, "DELETE FROM snapshot_chunks")

    # when
    kept = database.collect(grace_s=-60)

    # then
    assert protected
    assert not set(kept.digests) & set(protected)
    assert all(database.objects.verify(digest) for digest in protected)
    hold.unfreeze("over")
    with database.reading() as tx:
        assert tx.freezing.protected_objects() == []
    assert set(database.collect(grace_s=-60).digests) == set(protected)


def test_the_protected_content_is_that_of_every_frozen_set(world, hold):
    other = world.build("other", "b c")
    hold.freeze()
    other.freeze()
    with world.ws._database.reading() as tx:
        trees = [tx.datasets.snapshots.tree(one._row.snapshot_id) for one in (hold, other)]
        assert tx.freezing.protected_objects() == sorted({digest for tree in trees for digest in tree.objects})
