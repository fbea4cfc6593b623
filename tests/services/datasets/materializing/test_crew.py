"""Materialization over processes and over a Dask cluster, of which a worker is killed in the middle."""

from __future__ import annotations

import multiprocessing
import os
import signal
from concurrent.futures import BrokenExecutor, Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor

import pytest

import labelkit
from tests import cloud
from tests.services import pictured
from tests.services.pictured import everything, files

FRAMES = 40


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    """Forty frames of 640 x 480 px with two boxes each: with one frame a shard there is work for a while."""
    with labelkit.open(":memory:", workspace="club-a", user="ana") as ws:
        yield pictured.dataset(ws, tmp_path_factory.mktemp("media"), media=1, frames=FRAMES, size=(640, 480))


@pytest.fixture(scope="module")
def expected(dataset, tmp_path_factory):
    """What threads make of it."""
    out = tmp_path_factory.mktemp("threads")
    assert dataset.materialize(out / "crops", "crops").status == "complete"
    return files(out / "crops")


def killer(kill):
    """Return a progress callback that kills once, when two shards have ended, and the list of what it saw."""
    seen = []

    def progress(tally):
        seen.append(tally.done)
        if tally.done >= 2 and kill:
            kill.pop()()

    return progress, seen


def whole(out, expected):
    """The files are there as they should be, and nothing half done lies beside them."""
    return files(out) == expected and not [name for name in everything(out) if ".new-" in name]


def test_processes_make_the_same_files_and_a_killed_one_costs_what_it_had_in_hand(dataset, expected, tmp_path):
    # given
    with ProcessPoolExecutor(2, mp_context=multiprocessing.get_context("spawn")) as pool:
        progress, seen = killer([lambda: os.kill(min(pool._processes), signal.SIGKILL)])

        # when
        report = dataset.materialize(tmp_path / "out", "crops", executor=pool, shard_samples=1, progress=progress)

        # then what was done before stays done, and new processes made the lost shards
        assert pool._broken
    assert (report.status, report.failures, report.made + report.kept) == ("complete", (), 2 * FRAMES)
    assert whole(tmp_path / "out", expected)
    assert seen[-1] == FRAMES


class Breaking(Executor):
    """An executor that is no process pool and loses every shard after the first few."""

    def __init__(self, good):
        self.good = good

    def submit(self, work, task):
        future = Future()
        if self.good > 0:
            self.good -= 1
            future.set_result(work(task))
        else:
            future.set_exception(BrokenExecutor("its worker is gone"))
        return future


def test_shards_that_nobody_can_run_again_are_reported_and_made_later(dataset, expected, tmp_path):
    # when
    report = dataset.materialize(tmp_path / "out", "crops", executor=Breaking(3), shard_samples=5)

    # then
    assert (report.status, report.tally.done, report.tally.failed, report.absent) == ("partial", 3, 5, 50)
    assert {failure.code for failure in report.failures} == {"WORKER_LOST"}
    assert [failure.shard for failure in report.failures] == [3, 4, 5, 6, 7]

    # and
    with ThreadPoolExecutor(2) as threads:
        again = dataset.materialize(tmp_path / "out", "crops", executor=threads)
    assert (again.status, again.made, again.kept) == ("complete", 50, 30)
    assert whole(tmp_path / "out", expected)


def test_files_that_workers_wrote_where_nobody_here_sees_them_are_no_files(dataset):
    # given processes, each with a memory of its own
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        report = dataset.materialize("memory://elsewhere", "copy", executor=pool, shard_samples=20)

    # then
    assert (report.status, report.tally.done, report.absent) == ("partial", 0, FRAMES)
    assert {failure.code for failure in report.failures} == {"SHARD_NOT_SEEN"}


def test_a_dask_cluster_makes_the_same_files_though_one_of_its_workers_is_killed(dataset, expected, tmp_path):
    with cloud.dask(tmp_path) as cluster:
        # given
        victim, _ = cluster.workers()
        progress, seen = killer([lambda: cluster.kill(victim)])

        # when
        report = dataset.materialize(tmp_path / "out", "crops", executor=cluster.client.get_executor(), shard_samples=1, progress=progress)

        # then
        assert victim not in cluster.workers()
    assert (report.status, report.failures, report.made + report.kept) == ("complete", (), 2 * FRAMES)
    assert whole(tmp_path / "out", expected)
    assert seen[-1] == FRAMES
