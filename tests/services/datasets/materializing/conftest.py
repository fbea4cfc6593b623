"""Datasets to make files of: one that tests share and leave as it was, and one of its own a test."""

from __future__ import annotations

import pytest

import labelkit
from tests.services import pictured


@pytest.fixture
def ws():
    with labelkit.open(":memory:", workspace="club-a", user="ana") as opened:
        yield opened


@pytest.fixture
def fresh(ws, tmp_path):
    """A dataset that nobody has materialized yet."""
    return pictured.dataset(ws, tmp_path / "media")


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    """The folder of the media of `dataset`; a test that harms a picture puts it back."""
    return tmp_path_factory.mktemp("media")


@pytest.fixture(scope="module")
def dataset(root):
    """Two media with four frames of 64 x 48 px, each with a box of a player and one of a ball."""
    with labelkit.open(":memory:", workspace="club-a", user="ana") as opened:
        yield pictured.dataset(opened, root)
