"""Backups: a copy that opens like the original, made under the lock."""

from __future__ import annotations

import signal

import pytest

from labelkit.errors import InvalidValue, StorageWriteFailed, StoreBusy
from labelkit.store.database import Database
from tests.store import processes
from tests.store.disks import read_only
from tests.store.test_opening import names


@pytest.fixture
def filled(db):
    with db.transaction() as tx:
        tx.workspaces.create("team", owner="ana")
        tx.execute("CREATE TABLE named (id VARCHAR, content_object VARCHAR, UNIQUE (id))")
        tx.insert("named", [{"id": "a", "content_object": db.objects.put_bytes(b"content")}])
    return db


def test_a_backup_opens_with_the_same_rows_and_whole_objects(filled, tmp_path):
    # when
    filled.backup(tmp_path / "copy.duckdb")

    # then
    copy = Database.open(tmp_path / "copy.duckdb", user="bob")
    with copy.reading() as theirs, filled.reading() as ours:
        assert theirs.rows("SELECT * FROM named") == ours.rows("SELECT * FROM named")
        assert theirs.workspaces.all() == ours.workspaces.all()
    assert (copy.created, copy.check(), len(list(copy.objects.root.rglob("*.parquet")))) == (False, [], 1)


def test_a_backup_has_the_constraints_of_the_original(filled, tmp_path):
    filled.backup(tmp_path / "copy.duckdb")
    with pytest.raises(Exception, match="STORE_CONFLICT"), Database.open(tmp_path / "copy.duckdb", user="bob").transaction() as tx:
        tx.insert("named", [{"id": "a", "content_object": None}])


def test_what_happens_after_the_backup_is_not_in_it(filled, tmp_path):
    # given
    filled.backup(tmp_path / "copy.duckdb")

    # when
    with filled.transaction() as tx:
        tx.workspaces.create("later", owner="ana")

    # then
    with Database.open(tmp_path / "copy.duckdb", user="bob").reading() as tx:
        assert [row.name for row in tx.workspaces.all()] == ["team"]


@pytest.mark.parametrize("name", ["copy.duckdb", "copy.duckdb.objects"])
def test_a_backup_never_overwrites(filled, tmp_path, name):
    (tmp_path / name).write_text("mine")
    with pytest.raises(InvalidValue, match="exists"):
        filled.backup(tmp_path / "copy.duckdb")
    assert (tmp_path / name).read_text() == "mine"


def test_a_backup_into_a_folder_that_is_not_there_is_refused(filled, tmp_path):
    with pytest.raises(StorageWriteFailed):
        filled.backup(tmp_path / "no folder" / "copy.duckdb")


def test_a_backup_waits_for_the_lock(store_path, tmp_path):
    db = Database.open(store_path, user="ana", deadline_s=0.2)
    with processes.holding(store_path), pytest.raises(StoreBusy):
        db.backup(tmp_path / "copy.duckdb")
    assert not [name for name in names(tmp_path) if name.startswith("copy")]


KILLED = """
import os, sys
import duckdb
from labelkit.store.engine import PROCESS
cursor = PROCESS.cursor()
cursor.execute(f"ATTACH '{sys.argv[1]}' AS s (TYPE duckdb)")
cursor.execute("BEGIN; INSERT INTO s.workspaces VALUES ('ws_1', 'committed', 'allowed', TIMESTAMP '2026-03-01 12:00:00'); COMMIT")
os.kill(os.getpid(), 9)
"""


@pytest.fixture
def killed_before_its_checkpoint(store_path):
    """A store whose last writer was killed between COMMIT and DETACH."""
    Database.open(store_path, user="ana")
    process = processes.start(KILLED, store_path)
    process.communicate(timeout=60)
    assert process.returncode == -signal.SIGKILL
    assert store_path.with_name("labels.duckdb.wal").exists()
    return store_path


def test_a_commit_that_stands_only_in_the_log_is_read_and_backed_up(killed_before_its_checkpoint, tmp_path):
    # when
    db = Database.open(killed_before_its_checkpoint, user="ana")
    with db.reading() as tx:
        read = [row.name for row in tx.workspaces.all()]
    db.backup(tmp_path / "copy.duckdb")

    # then
    with Database.open(tmp_path / "copy.duckdb", user="bob").reading() as tx:
        copied = [row.name for row in tx.workspaces.all()]
    assert (read, copied) == (["committed"], ["committed"])


def test_a_read_only_place_shows_the_commit_that_stands_only_in_the_log(killed_before_its_checkpoint):
    folder = killed_before_its_checkpoint.parent
    with read_only(folder), Database.open(killed_before_its_checkpoint, user="bob").reading() as tx:
        assert [row.name for row in tx.workspaces.all()] == ["committed"]


def test_a_store_in_a_read_only_place_is_backed_up_elsewhere(tmp_path):
    # given
    folder = tmp_path / "ro"
    folder.mkdir()
    with Database.open(folder / "labels.duckdb", user="ana").transaction() as tx:
        tx.workspaces.create("team", owner="ana")

    # when
    with read_only(folder):
        Database.open(folder / "labels.duckdb", user="bob").backup(tmp_path / "copy.duckdb")

    # then
    with Database.open(tmp_path / "copy.duckdb", user="bob").reading() as tx:
        assert [row.name for row in tx.workspaces.all()] == ["team"]
