"""A build in the background: how far it is, stopping it from here and from elsewhere, joining it, and closing over it."""

from __future__ import annotations

import threading
import time

import pytest

import labelkit
from labelkit import BuildRequest
from labelkit.core.geometry import Box
from labelkit.errors import LabelkitError
from labelkit.services.datasets import heartbeat
from tests.services.packs import Pack, add
from tests.services.worlds import as_user, refused, trail

BOX = Box(10.0, 20.0, 30.0, 40.0)
SIX = [Pack(f"match-{n}", [("APPROVED", {0: [("player", BOX)], 1: [("player", BOX)]})], group=f"g{n}") for n in range(6)]
LONG_S = 30.0


@pytest.fixture(autouse=True)
def small_batches(monkeypatch):
    """Batches of one pack, so that a build of six has six steps, and signs of life at each moment."""
    monkeypatch.setattr("labelkit.store.datasets.samples.BATCH_ROWS", 1)
    monkeypatch.setattr(heartbeat, "BEAT_S", 0.02)


@pytest.fixture
def ws():
    with labelkit.open(":memory:", workspace="club-a", user="ana") as opened:
        yield opened


@pytest.fixture
def asked(ws) -> BuildRequest:
    return BuildRequest(capability="player_detection", label_pack_ids=list(add(ws, SIX).values()), name="players")


class Held:
    """A build that stops after its second step until it is let go."""

    def __init__(self, ws, asked, **more) -> None:
        self.seen: list[tuple[int, int]] = []
        self.arrived, self.free = threading.Event(), threading.Event()
        self.job = ws.datasets.start(asked, progress=self.moved, **more)
        assert self.arrived.wait(LONG_S)

    def moved(self, done: int, total: int) -> None:
        self.seen.append((done, total))
        if len(self.seen) == 2:
            self.arrived.set()
            assert self.free.wait(LONG_S)

    def end(self):
        self.free.set()
        return self.job.result(LONG_S)


def ends_in(held: Held) -> str:
    return refused(held.end)


def test_a_build_goes_on_in_the_background_and_says_how_far_it_is(ws, asked):
    # given
    ended = []
    held = Held(ws, asked, then=ended.append)

    # then this one is free meanwhile, and anybody can see how far it is
    job = held.job
    assert (job.running, job.done, job.total, repr(job)) == (True, 8, 24, f"<BuildJob {job.build_id}: 8 of 24 samples>")
    assert refused(lambda: job.result(0.01)) == "BUILD_STILL_RUNNING"
    assert ws.datasets.build(asked).outcome == "reused_in_progress"

    # when
    result = held.end()

    # then
    assert (result.outcome, result.build_id, result.dataset.sample_count, job.running) == ("created", job.build_id, 24, False)
    assert held.seen == [(4 * n, 24) for n in range(1, 7)]
    assert ended == [job]
    assert "ended" in repr(job)


def test_what_cannot_be_built_is_refused_before_anything_starts(ws, asked):
    assert refused(lambda: ws.datasets.start(asked.model_copy(update={"label_pack_ids": ("lpk_none",)}))) == "NO_ELIGIBLE_LABEL_DATA"
    assert ws.datasets.list().is_empty()


def test_an_equal_dataset_is_the_result_at_once(ws, asked):
    # given
    first = ws.datasets.build(asked)

    # when
    job = ws.datasets.start(asked)

    # then
    assert (job.result(LONG_S).outcome, job.build_id) == ("reused_success", first.build_id)


def test_a_canceled_build_leaves_only_its_row_and_the_next_request_builds(ws, asked):
    # given
    held = Held(ws, asked)

    # when
    held.job.cancel()

    # then
    assert ends_in(held) == "BUILD_CANCELED"
    stopped = ws.datasets.get("players")
    assert (stopped.status, stopped.failure, stopped.version) == ("failed", "BUILD_CANCELED", None)
    assert refused(stopped.to_polars) == "DATASET_NOT_READY"
    assert len(held.seen) == 2
    assert ws.datasets.build(asked).outcome == "created"


def test_a_build_that_has_ended_cannot_be_canceled(ws, asked):
    # given
    job = ws.datasets.start(asked)
    result = job.result(LONG_S)

    # when
    job.cancel()

    # then
    assert job.result(LONG_S) is result
    assert refused(lambda: ws.datasets.cancel(result.build_id)) == "BUILD_NOT_RUNNING"


def test_somebody_else_stops_a_build_and_the_trail_says_who_and_why(tmp_path, monkeypatch):
    # given a build in one workspace object, and another on the same file, as in another kernel
    monkeypatch.setattr("labelkit.store.datasets.samples.BATCH_ROWS", 1)
    with labelkit.open(tmp_path / "labels.duckdb", workspace="club-a", user="ana") as ws:
        asked = BuildRequest(capability="player_detection", label_pack_ids=list(add(ws, SIX).values()), name="players")
        ws.set_role("vic", "viewer")
        ws.set_role("leo", "lead")
        held = Held(ws, asked)
        with labelkit.open(tmp_path / "labels.duckdb", workspace="club-a", user="leo") as other:
            # when a viewer tries, and a lead does
            assert refused(lambda: as_user(other, "vic").datasets.cancel(held.job.build_id)) == "PERMISSION_DENIED"
            other.datasets.cancel(held.job.build_id, reason="wrong packs")

            # then
            failed = other.datasets.get(held.job.build_id)
            assert (failed.failure, failed.reason) == ("BUILD_CANCELED", "Stopped by leo: wrong packs")
        assert ends_in(held) == "BUILD_CANCELED"
        rows = trail(ws, "actor", "code", "allowed")
        assert ("vic", "PERMISSION_DENIED", False) in rows
        assert ("leo", "BUILD_CANCELED", True) in rows
        assert ws.datasets.get(held.job.build_id).reason == "Stopped by leo: wrong packs"


def test_a_second_caller_joins_a_running_build_follows_it_and_may_stop_waiting(ws, asked):
    # given
    held, far = Held(ws, asked), threading.Event()

    def follows(done: int, total: int) -> None:
        if (done, total) == (8, 24):
            far.set()

    # when one joins, and one joins and gives up
    joined = ws.datasets.start(asked, join=True, progress=follows)
    impatient = ws.datasets.start(asked, join=True)
    impatient.cancel()

    # then
    assert refused(lambda: impatient.result(LONG_S)) == "BUILD_CANCELED"
    assert far.wait(LONG_S)
    mine = held.end()
    theirs = joined.result(LONG_S)
    assert (theirs.outcome, theirs.dataset.manifest_hash) == ("reused_success", mine.dataset.manifest_hash)


def test_how_far_a_running_build_is_stands_on_the_dataset(ws, asked):
    # given
    held = Held(ws, asked)

    # then, with the next sign of life
    until = time.monotonic() + LONG_S
    while ws.datasets.get(held.job.build_id).progress != (8, 24) and time.monotonic() < until:
        time.sleep(0.01)
    assert ws.datasets.get(held.job.build_id).progress == (8, 24)
    assert "8 of 24 samples" in repr(ws.datasets.get(held.job.build_id))
    held.end()
    assert ws.datasets.get(held.job.build_id).progress is None


def test_closing_the_workspace_stops_its_builds(tmp_path):
    # given
    ws = labelkit.open(tmp_path / "labels.duckdb", workspace="club-a", user="ana")
    asked = BuildRequest(capability="player_detection", label_pack_ids=list(add(ws, SIX).values()), name="players")
    held = Held(ws, asked)

    # when
    threading.Timer(0.2, held.free.set).start()
    ws.close()

    # then
    with pytest.raises(LabelkitError) as found:
        held.job.result(LONG_S)
    assert found.value.code == "BUILD_CANCELED"
    with labelkit.open(tmp_path / "labels.duckdb", workspace="club-a", user="ana") as again:
        assert again.datasets.get("players").failure == "BUILD_CANCELED"
