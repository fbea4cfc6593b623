"""A workspace of a new store in memory, of which ana is owner and developer."""

from __future__ import annotations

import pytest

import labelkit


@pytest.fixture
def ws():
    with labelkit.open(":memory:", workspace="club-a", user="ana") as opened:
        yield opened
