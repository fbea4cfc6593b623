"""A build under way: how far it is, a way to stop it, and what it came to."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from labelkit.errors import BuildCanceled, BuildStillRunning
from labelkit.services.datasets.heartbeat import LEASE, Heartbeat

if TYPE_CHECKING:
    from collections.abc import Callable

    from labelkit.services.datasets.building.results import BuildResult
    from labelkit.store.database import Database
    from labelkit.store.transaction import Transaction


class BuildJob:
    """A build that this process carries out, or waits for where an equal one was there first.

    `done` and `total` count samples; `total` is None until the first are done. `cancel` stops the build at its next step: nothing of it
    stays but its row, which says who stopped it.
    """

    def __init__(self, build_id: str, *, progress: Callable[[int, int], None] | None = None) -> None:
        self.build_id = build_id
        self.done = 0
        self.total: int | None = None
        self._progress = progress
        self._stop = threading.Event()
        self._ended = threading.Event()
        self._result: BuildResult | None = None
        self._error: BaseException | None = None

    # --- for who asked

    @property
    def running(self) -> bool:
        """Say whether it has not ended yet."""
        return not self._ended.is_set()

    def cancel(self) -> None:
        """Stop the build at its next step; `result` raises `BUILD_CANCELED` then. One that has ended stays as it is."""
        self._stop.set()

    def result(self, timeout_s: float | None = None) -> BuildResult:
        """Wait for the end and return what the build came to, or raise what ended it.

        Raises `BUILD_STILL_RUNNING` after `timeout_s` seconds, `BUILD_CANCELED`, and everything that `ws.datasets.build` raises.
        """
        if not self._ended.wait(timeout_s):
            raise BuildStillRunning(build=self.build_id, waited_s=timeout_s or 0.0)
        if self._error is not None:
            raise self._error
        return self._result  # type: ignore[return-value]  # an ended job has either

    def __repr__(self) -> str:
        if self.running:
            far = "just begun" if self.total is None else f"{self.done:,} of {self.total:,} samples"
            return f"<BuildJob {self.build_id}: {far}>"
        ended = getattr(self._error, "code", type(self._error).__name__) if self._error is not None else repr(self._result)
        return f"<BuildJob {self.build_id}: ended, {ended}>"

    # --- for who carries it out

    def moved(self, done: int, total: int) -> None:
        """Note how many samples are done of all."""
        self.done, self.total = done, total
        if self._progress is not None:
            self._progress(done, total)

    def check(self) -> None:
        """Raise `BUILD_CANCELED` where somebody wants it stopped."""
        if self._stop.is_set():
            raise BuildCanceled(build=self.build_id)

    def in_a_thread(self, work: Callable[[BuildJob], BuildResult], then: Callable[[BuildJob], None] | None) -> BuildJob:
        """Carry out the work in a thread of its own, call `then` once it has ended, and return the job."""

        def run() -> None:
            try:
                self._result = work(self)
            except BaseException as error:  # noqa: BLE001 - raised again by `result`
                self._error = error
            self._ended.set()
            if then is not None:
                then(self)

        threading.Thread(target=run, name=f"labelkit-{self.build_id}", daemon=True).start()
        return self


class BuildHeart(Heartbeat):
    """The signs of life of a build tell how far it is, for those who look from elsewhere."""

    def __init__(self, database: Database, job: BuildJob) -> None:
        super().__init__(database, job.build_id)
        self._job = job

    def _beat(self, tx: Transaction) -> bool:
        return tx.datasets.beat(self._job.build_id, tx.now + LEASE, done=self._job.done, total=self._job.total)

    def check(self) -> None:
        """Raise `BUILD_CANCELED` where somebody wants the build stopped, `JOB_LOST` where it was given up."""
        self._job.check()
        super().check()
