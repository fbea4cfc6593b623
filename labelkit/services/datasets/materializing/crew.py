"""Shards over any executor: a few at a time, stopped before the next one, and those of a killed worker once more."""

from __future__ import annotations

import itertools
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, CancelledError, ProcessPoolExecutor, wait
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from labelkit.core.datasets.materialization import Failure, ShardOutcome
from labelkit.media.shards import run_shard

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from concurrent.futures import Executor, Future

    from labelkit.media.shards import ShardTask

WINDOW = 32  # shards that are handed out at once: enough for the workers of a cluster, and little to wait for after a cancel
TICK_S = 2.0


class Crew:
    """Runs shards. Every outcome goes to `done`; `tick` is called when some have ended, and at least every `TICK_S` seconds."""

    def __init__(
        self, executor: Executor, *, done: Callable[[ShardOutcome], None], cancelled: Callable[[], bool], tick: Callable[[], None]
    ) -> None:
        self._executor = executor
        self._done = done
        self._cancelled = cancelled
        self._tick = tick
        self._running: dict[Future[ShardOutcome], ShardTask] = {}
        self._lost: list[ShardTask] = []
        self._spare: ProcessPoolExecutor | None = None

    def run(self, tasks: Iterable[ShardTask]) -> None:
        """Run every shard, or those before a cancel. What is raised meanwhile, as by Ctrl-C, is raised when none runs any more."""
        waiting = iter(tasks)
        try:
            while True:
                self._hand_out(waiting)
                if self._lost and not self._running:
                    waiting = itertools.chain(self._again(), waiting)
                    continue
                if not self._running:
                    return
                self._collect(*wait(self._running, timeout=TICK_S, return_when=FIRST_COMPLETED))
                self._tick()
        except BaseException:
            self._drain()
            raise
        finally:
            if self._spare is not None:
                self._spare.shutdown()

    def _hand_out(self, tasks: Iterable[ShardTask]) -> None:
        """Keep some shards with the executor; after a cancel take back those that were not begun."""
        if self._cancelled():
            self._take_back()
            self._lost.clear()
            return
        for task in itertools.islice(tasks, max(WINDOW - len(self._running), 0) if not self._lost else 0):
            try:
                self._running[self._executor.submit(run_shard, task)] = task
            except (BrokenExecutor, RuntimeError):
                self._lost.append(task)
                return

    def _collect(self, ended: Iterable[Future[ShardOutcome]], _: Any) -> None:  # noqa: ANN401 - the others
        for future in ended:
            task = self._running.pop(future)
            try:
                outcome = future.result()
            except BrokenExecutor:
                self._lost.append(task)
                continue
            except (Exception, CancelledError) as error:  # noqa: BLE001 - what a cluster raises for a shard it lost is its own
                outcome = _failed(task, type(error).__name__, str(error))
            self._done(outcome)

    def _again(self) -> list[ShardTask]:
        """Return the shards that a killed worker lost, to be run once more in new processes; they fail where that cannot be."""
        lost, self._lost = sorted(self._lost, key=lambda task: task.number), []
        if self._spare is None and isinstance(self._executor, ProcessPoolExecutor):
            workers, context = (getattr(self._executor, name, None) for name in ("_max_workers", "_mp_context"))
            self._executor = self._spare = ProcessPoolExecutor(workers, mp_context=context)
            return lost
        for task in lost:
            self._done(_failed(task, "WORKER_LOST", "the process that worked on it ended"))
        return []

    def _take_back(self) -> None:
        for future in [future for future in self._running if future.cancel()]:
            del self._running[future]

    def _drain(self) -> None:
        """Wait for the shards that are being worked on, so that what they did counts; who interrupts again waits no longer."""
        self._take_back()
        with suppress(KeyboardInterrupt):
            self._collect(*wait(self._running))


def _failed(task: ShardTask, code: str, reason: str) -> ShardOutcome:
    failure = Failure(task.number, "", code, reason or code)
    return ShardOutcome(task.number, 0, 0, len(task.wanted), 0, (failure,))
