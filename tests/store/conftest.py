"""Stores to test with: in a file and in memory."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from labelkit.store.database import Database

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

NOON = datetime(2026, 3, 1, 12, 0, 0, 250_000, tzinfo=UTC)


@pytest.fixture
def store_path(tmp_path: Path) -> Path:
    return tmp_path / "labels.duckdb"


@pytest.fixture(params=["file", "memory"])
def db(request: pytest.FixtureRequest, store_path: Path) -> Iterator[Database]:
    """A new store, in a file and in memory, whose clock stands at noon."""
    target = ":memory:" if request.param == "memory" else store_path
    with Database.open(target, user="ana", clock=lambda: NOON) as opened:
        yield opened


@pytest.fixture
def things(db: Database) -> Database:
    """A store with a table of things: id is unique, each has a version."""
    with db.transaction() as tx:
        tx.execute("CREATE TABLE things (id VARCHAR NOT NULL, version INTEGER NOT NULL, seen_at TIMESTAMP, tags VARCHAR[], UNIQUE (id))")
    return db
