"""The guarded doors to a dataset: leases of trainings, and what happens between a look and its lock."""

from __future__ import annotations

from contextlib import ExitStack
from datetime import timedelta

import pytest

import labelkit
from labelkit.services.datasets import heartbeat
from tests.services.datasets.freezing.world import train
from tests.services.packs import change
from tests.services.worlds import refused, trail

# --- doors


def test_the_door_to_a_training_gives_the_content_until_it_closes(calm, tmp_path):
    whole = calm.build("whole", "a b c")
    with whole.for_training(purpose="yolo", split="train") as data:
        assert data.to_polars().equals(whole.to_polars("train"))
        assert data.annotations().equals(whole.annotations("train"))
        assert [one.key for one in data.samples(limit=2).items] == ["club-a/b/000000", "club-a/b/000001"]
        assert len(data.samples(camera_type="broadcast", group="b", finding="EMPTY_LABELS")) == 2
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
