"""Signs of life of a running build, so that another process can tell a long build from a dead one."""

from __future__ import annotations

import threading
from contextlib import suppress
from datetime import timedelta
from typing import TYPE_CHECKING, Self

from labelkit.errors import JobLost, LabelkitError

if TYPE_CHECKING:
    from labelkit.store.database import Database
    from labelkit.store.transaction import Transaction

LEASE = timedelta(seconds=60)
BEAT_S = 10.0


class Heartbeat:
    """Prolongs a build's lease from a thread of its own while the block runs; `check` raises `JOB_LOST` when somebody gave the build up."""

    def __init__(self, database: Database, build: str) -> None:
        self._database = database
        self._build = build
        self._stop = threading.Event()
        self._lost = False
        self._thread = threading.Thread(target=self._run, name=f"labelkit-{build}", daemon=True)

    def check(self) -> None:
        """Raise `JOB_LOST` where the build runs no more as far as the store knows."""
        if self._lost:
            raise JobLost(build=self._build)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _beat(self, tx: Transaction) -> bool:
        return tx.datasets.beat(self._build, tx.now + LEASE)

    def _run(self) -> None:
        while not self._stop.wait(BEAT_S):
            with suppress(LabelkitError), self._database.transaction() as tx:
                self._lost = not self._beat(tx)
            if self._lost:
                return
