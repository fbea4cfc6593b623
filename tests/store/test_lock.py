"""The lock file: who holds it, who waits, who gives up, and that nobody keeps it by accident."""

from __future__ import annotations

import errno
import fcntl
import os
import signal
import threading
import time
from pathlib import Path

import pytest

from labelkit.errors import StoreBusy, StoreLocksUnsupported
from labelkit.store.lock import StoreLock
from tests.store import processes


def lock_of(path) -> StoreLock:
    return StoreLock(str(path), user="ana", host="here")


def take(path, *, shared=False, deadline_s=5.0) -> float:
    """Take the lock and let it go; return the seconds that it took."""
    started = time.monotonic()
    with lock_of(path).held(shared=shared, until=started + deadline_s):
        return time.monotonic() - started


def waiters() -> int:
    return sum(thread.name == "labelkit-lock" for thread in threading.enumerate())


def queue_has_a_head(path) -> bool:
    with path.with_name(path.name + ".lock.next").open("ab") as queue:
        try:
            fcntl.flock(queue, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


def until_true(condition, timeout_s=5.0):
    end = time.monotonic() + timeout_s
    while not condition() and time.monotonic() < end:
        time.sleep(0.01)
    assert condition()


@pytest.mark.parametrize(
    ("theirs", "ours", "free"),
    [
        pytest.param("exclusive", "exclusive", False, id="a writer keeps a writer out"),
        pytest.param("exclusive", "shared", False, id="a writer keeps a reader out"),
        pytest.param("shared", "exclusive", False, id="a reader keeps a writer out"),
        pytest.param("shared", "shared", True, id="readers read together"),
    ],
)
def test_readers_share_and_a_writer_is_alone(store_path, theirs, ours, free):
    with processes.holding(store_path, theirs):
        if free:
            take(store_path, shared=ours == "shared")
        else:
            with pytest.raises(StoreBusy):
                take(store_path, shared=ours == "shared", deadline_s=0.2)


def test_a_refusal_names_host_process_user_and_since_when(store_path):
    # given
    with processes.holding(store_path) as other:
        # when
        with pytest.raises(StoreBusy) as refused:
            take(store_path, deadline_s=0.2)

        # then
        facts = refused.value.facts
        assert (facts["host"], facts["pid"], facts["user"]) == ("far", other.pid, "bob")
        assert 0.2 <= facts["waited_s"] < 2
        assert str(facts["since"]).startswith("20")


def test_the_lock_of_a_killed_process_is_free(store_path):
    with processes.holding(store_path) as other:
        # when
        other.send_signal(signal.SIGKILL)
        other.wait(10)

        # then
        assert take(store_path) < 1


def test_a_waiter_gets_the_lock_as_soon_as_it_is_free_on_any_thread(store_path):
    # given a thread that waits for another process
    waited = []
    with processes.holding(store_path) as other:
        thread = threading.Thread(target=lambda: waited.append(take(store_path, deadline_s=20)))
        thread.start()
        time.sleep(0.3)

        # when that process lets go
        let_go = time.monotonic()
        other.stdin.write("\n")
        other.stdin.flush()
        thread.join(10)

    # then
    assert len(waited) == 1
    assert waited[0] >= 0.3
    assert time.monotonic() - let_go < 1


def test_whoever_gave_up_does_not_get_the_lock_later(store_path):
    # given a wait that was given up
    with processes.holding(store_path) as other:
        with pytest.raises(StoreBusy):
            take(store_path, deadline_s=0.1)

        # when the holder lets go
        other.stdin.write("\n")
        other.stdin.flush()
        assert other.stdout.readline() == "free\n"

    # then the lock is free for other processes, and no waiter is left
    with processes.holding(store_path):
        until_true(lambda: waiters() == 0)


def test_giving_up_again_and_again_leaves_one_waiter_at_most(store_path):
    with processes.holding(store_path):
        # when
        for _ in range(5):
            with pytest.raises(StoreBusy):
                take(store_path, deadline_s=0.05)

        # then
        assert waiters() == 1
    until_true(lambda: waiters() == 0)


def test_the_next_caller_takes_an_abandoned_wait_over(store_path):
    # given
    with processes.holding(store_path) as other:
        with pytest.raises(StoreBusy):
            take(store_path, deadline_s=0.05)

        # when
        threading.Timer(0.2, other.kill).start()
        waited = take(store_path, deadline_s=10)

    # then the lock was taken, and let go again
    assert waited < 5
    assert take(store_path) < 1


def test_a_writer_who_gave_up_does_not_keep_readers_out(store_path):
    # given a reader who stays, and a writer who waited in vain
    with processes.holding(store_path, "shared"):
        with pytest.raises(StoreBusy):
            take(store_path, deadline_s=0.1)

        # then readers go on
        assert take(store_path, shared=True) < 1


def test_a_waiting_writer_goes_before_later_readers(store_path):
    # given a reader, and a writer of another process who waits for it
    with processes.holding(store_path, "shared") as reader:
        writer = processes.start(processes.HOLDER, store_path, "exclusive")
        try:
            until_true(lambda: queue_has_a_head(store_path), 20)

            # when another reader comes
            with pytest.raises(StoreBusy):
                take(store_path, shared=True, deadline_s=0.2)
            reader.kill()

            # then the writer is next
            assert writer.stdout.readline() == "held\n"
        finally:
            writer.kill()
            writer.communicate()


def test_a_deleted_lock_file_is_nobodys_lock(store_path):
    # given a process that waits for a lock file
    with processes.holding(store_path) as first:
        waiting = processes.start(processes.HOLDER, store_path, "exclusive")
        try:
            until_true(lambda: queue_has_a_head(store_path), 20)

            # when the file is deleted, and its first holder ends
            store_path.with_name("labels.duckdb.lock").unlink()
            first.kill()
            assert waiting.stdout.readline() == "held\n"

            # then who waited holds the lock that everybody else sees
            with pytest.raises(StoreBusy):
                take(store_path, deadline_s=0.2)
        finally:
            waiting.kill()
            waiting.communicate()


def test_a_forked_child_neither_keeps_nor_frees_its_parents_lock(store_path):
    # given a process that forks while it holds the lock, and whose child lives on
    code = """
import os, sys, time
from labelkit.store.lock import StoreLock
with StoreLock(sys.argv[1], user="bob", host="far").held(shared=False, until=time.monotonic() + 5):
    child = os.fork()
    if child == 0:
        time.sleep(20)
        os._exit(0)
    time.sleep(0.2)
    print(child, flush=True)
    sys.stdin.readline()
    os.kill(os.getpid(), 9)
"""
    parent = processes.start(code, store_path)
    child = int(parent.stdout.readline())
    try:
        # then the child's letting go of its copy has freed nothing
        with pytest.raises(StoreBusy):
            take(store_path, deadline_s=0.2)

        # when the parent is killed
        parent.stdin.write("\n")
        parent.stdin.flush()
        parent.wait(10)

        # then the child does not keep the lock
        assert take(store_path) < 1
    finally:
        os.kill(child, signal.SIGKILL)
        parent.communicate()


def test_a_filesystem_without_locks_is_named_as_such(store_path, monkeypatch):
    # given
    def no_locks(*_):
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(fcntl, "flock", no_locks)

    # then
    with pytest.raises(StoreLocksUnsupported, match="No locks available"):
        take(store_path)


def test_lock_files_are_closed_after_use(store_path):
    # given
    take(store_path)
    open_files = Path("/dev/fd")
    before = len(list(open_files.iterdir()))

    # when
    for _ in range(20):
        take(store_path)

    # then
    assert len(list(open_files.iterdir())) == before
