"""A checkpoint that is cut short: what it had overwritten in place is put back, and the log is replayed over it."""

from __future__ import annotations

import signal
import struct
from pathlib import Path

import pytest

from labelkit.errors import StorageReadFailed
from labelkit.store import journal
from labelkit.store.database import Database
from tests.store import processes

# Commits, and is killed where the checkpoint would begin.
KILLED = """
import os, signal, sys
from labelkit.store import journal
from labelkit.store.database import Database

keep = journal.keep
def keep_and_die(*arguments):
    keep(*arguments)
    os.kill(os.getpid(), signal.SIGKILL)

db = Database.open(sys.argv[1], user="ana")
with db.transaction() as tx:
    tx.insert("things", [{"id": n} for n in range(10)])
journal.keep = keep_and_die
with db.transaction() as tx:
    tx.insert("things", [{"id": 10}])
"""
BLOCK_0, BLOCK_BYTES = 12_288, 262_144


@pytest.fixture
def cut_short(store_path):
    """A store whose last writer was killed after its commit, as the checkpoint began."""
    with Database.open(store_path, user="ana") as db, db.transaction() as tx:
        tx.execute("CREATE TABLE things (id INTEGER NOT NULL)")
    process = processes.start(KILLED, store_path)
    assert process.communicate(timeout=60)[1] == ""
    assert process.returncode == -signal.SIGKILL
    return store_path


def overwrite(path: Path, offset: int, data: bytes) -> None:
    with path.open("r+b") as file:
        file.seek(offset)
        file.write(data)


def things(path: Path) -> list[int]:
    with Database.open(path, user="bob") as db, db.reading() as tx:
        return [row["id"] for row in tx.rows("SELECT id FROM things ORDER BY id")]


def test_a_save_overwrites_in_place_what_the_header_names(store_path):
    # the reason for all of this: should it ever fail, the journal has become unnecessary
    with Database.open(store_path, user="ana") as db:
        before = store_path.read_bytes()
        with db.transaction() as tx:
            tx.workspaces.create("club-a", owner="ana")
        after = store_path.read_bytes()
    assert before[BLOCK_0 : BLOCK_0 + BLOCK_BYTES] != after[BLOCK_0 : BLOCK_0 + BLOCK_BYTES]


@pytest.mark.parametrize("half", [slice(0, BLOCK_BYTES // 2), slice(4096, 8192), slice(BLOCK_BYTES - 1, BLOCK_BYTES)], ids=str)
def test_a_block_that_was_torn_is_put_back_and_every_commit_is_there(cut_short, half):
    # given a checkpoint that got as far as the middle of its metadata
    overwrite(cut_short, BLOCK_0 + half.start, b"\xff" * (half.stop - half.start))

    # then readers and writers find everything, the commit in the log included
    assert things(cut_short) == list(range(11))
    with Database.open(cut_short, user="ana") as db, db.transaction() as tx:
        tx.insert("things", [{"id": 11}])
    assert things(cut_short) == list(range(12))


def test_a_writer_that_comes_first_puts_it_back_too(cut_short):
    # given a store that somebody has open while its writer dies
    db = Database.open(cut_short, user="ana")
    overwrite(cut_short, BLOCK_0, b"\xff" * 4096)

    # then
    with db.transaction() as tx:
        tx.insert("things", [{"id": 11}])
    assert things(cut_short) == list(range(12))


def test_without_the_copy_the_store_would_be_lost(cut_short):
    journal.forget(str(cut_short))
    overwrite(cut_short, BLOCK_0, b"\xff" * 4096)
    with pytest.raises(StorageReadFailed, match="checksum"):
        things(cut_short)


def test_a_copy_of_an_earlier_checkpoint_is_not_put_back(cut_short):
    # given a copy that was not emptied, and checkpoints after it
    kept = Path(f"{cut_short}.journal").read_bytes()
    with Database.open(cut_short, user="ana") as db:
        for number in (11, 12):
            with db.transaction() as tx:
                tx.insert("things", [{"id": number}])
    Path(f"{cut_short}.journal").write_bytes(kept)
    Path(f"{cut_short}.wal").write_bytes(b"")

    # then
    assert not journal.torn(str(cut_short))
    journal.mend(str(cut_short))
    Path(f"{cut_short}.wal").unlink()
    assert things(cut_short) == list(range(13))


@pytest.mark.parametrize("cut", [0, 3, 20, 1000, -1], ids=str)
def test_a_copy_that_was_cut_short_itself_is_not_used(cut_short, cut):
    # given: a copy is complete before the first block is overwritten, so here none was
    file = Path(f"{cut_short}.journal")
    file.write_bytes(file.read_bytes()[:cut])

    # then
    assert not journal.torn(str(cut_short))
    assert things(cut_short) == list(range(11))


def test_after_a_checkpoint_nothing_is_kept(cut_short):
    with Database.open(cut_short, user="ana") as db, db.transaction() as tx:
        tx.insert("things", [{"id": 11}])
    assert Path(f"{cut_short}.journal").read_bytes() == b""
    assert not Path(f"{cut_short}.wal").exists()


def test_reading_and_a_transaction_that_changes_nothing_keep_nothing(store_path):
    with Database.open(store_path, user="ana") as db:
        with db.reading() as tx:
            tx.workspaces.all()
        with db.transaction() as tx:
            tx.workspaces.all()
    assert not Path(f"{store_path}.journal").exists()


def test_the_copy_holds_the_blocks_of_the_metadata_whole(cut_short):
    # given
    data = Path(f"{cut_short}.journal").read_bytes()
    magic, _, size, count = struct.unpack_from("<8sQQQ", data)

    # then
    assert (magic, size) == (b"lkblocks", BLOCK_BYTES)
    assert len(data) == 32 + count * (8 + size) + 4
