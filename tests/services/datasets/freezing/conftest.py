"""Worlds for the tests of frozen test sets: one of its own a test, or one that tests share and leave as it was."""

from __future__ import annotations

import pytest

import labelkit
from tests.services.datasets.freezing.world import World


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
