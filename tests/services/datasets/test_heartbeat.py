"""A running build shows signs of life, and notices when nobody believes in it any more."""

from __future__ import annotations

import time

import pytest

from labelkit.errors import JobLost
from labelkit.services.datasets import heartbeat
from labelkit.services.datasets.heartbeat import Heartbeat
from labelkit.store.database import Database
from tests.store.datasets.test_rows import new_build, read, started


@pytest.fixture
def db(monkeypatch):
    monkeypatch.setattr(heartbeat, "BEAT_S", 0.02)
    with Database.open(":memory:", user="ana") as opened:
        yield opened


def eventually(holds) -> bool:
    until = time.monotonic() + 20
    while not holds() and time.monotonic() < until:
        time.sleep(0.01)
    return holds()


def test_the_lease_of_a_running_build_moves_on(db):
    first = started(db, new_build(1)).lease_until
    with Heartbeat(db, "bld_1") as heart:
        assert eventually(lambda: read(db, "bld_1").lease_until > first)
        heart.check()


def test_a_build_that_was_given_up_hears_of_it(db):
    started(db, new_build(1))
    with Heartbeat(db, "bld_1") as heart:
        with db.transaction() as tx:
            tx.execute("UPDATE build_states SET status = 'failed'")
        with pytest.raises(JobLost):
            eventually(lambda: heart.check() is not None)


def test_no_beat_comes_after_the_block(db):
    started(db, new_build(1))
    with Heartbeat(db, "bld_1"):
        pass
    last = read(db, "bld_1").lease_until
    time.sleep(0.1)
    assert read(db, "bld_1").lease_until == last
