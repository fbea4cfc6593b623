"""Opening: what is made, what is refused, and that a file that is not ours stays as it is."""

from __future__ import annotations

from typing import TYPE_CHECKING

import duckdb
import pytest

from labelkit.errors import (
    InvalidValue,
    StorageReadFailed,
    StoreNotRecognized,
    StoreReadOnly,
    StoreTooNew,
)
from labelkit.store.database import Database
from labelkit.store.place import STORAGE_VERSION
from tests.store import processes
from tests.store.disks import read_only

if TYPE_CHECKING:
    from pathlib import Path


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def test_a_store_is_made_where_there_is_none_and_opened_where_there_is_one(store_path):
    first = Database.open(store_path, user="ana")
    second = Database.open(str(store_path), user="bob")
    assert (first.created, second.created) == (True, False)
    assert (first.read_only, second.path) == (False, str(store_path))
    assert names(store_path.parent) == {"labels.duckdb", "labels.duckdb.lock", "labels.duckdb.lock.next"}


def test_a_new_store_has_the_file_format_that_older_duckdb_reads(store_path):
    # given
    Database.open(store_path, user="ana")

    # then
    with duckdb.connect() as con:
        con.execute(f"ATTACH '{store_path}' AS s (TYPE duckdb, READ_ONLY)")
        tags = con.execute("SELECT tags FROM duckdb_databases() WHERE database_name = 's'").fetchone()[0]
    assert str(tags["storage_version"]).startswith(STORAGE_VERSION)


def test_a_store_in_memory_is_new_each_time():
    with Database.open(":memory:", user="ana") as one, Database.open(":memory:", user="ana") as other:
        with one.transaction() as tx:
            tx.workspaces.create("team", owner="ana")
        with other.reading() as tx:
            assert tx.workspaces.all() == []
        assert (one.created, one.path) == (True, ":memory:")


def test_the_objects_of_a_store_in_memory_are_gone_with_it():
    # given
    db = Database.open(":memory:", user="ana")
    db.objects.put_bytes(b"x")
    root = db.objects.root

    # when
    del db

    # then
    assert not root.exists()


def test_a_path_may_hold_quotes_spaces_and_a_home(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    with Database.open("~/it's ä store.duckdb", user="ana").transaction() as tx:
        tx.workspaces.create("team", owner="ana")
    assert (tmp_path / "it's ä store.duckdb").is_file()


def test_a_link_to_a_store_is_the_store(store_path):
    # given
    Database.open(store_path, user="ana")
    link = store_path.with_name("link.duckdb")
    link.symlink_to(store_path)

    # then it has the same lock
    assert Database.open(link, user="ana").path == str(store_path)
    assert "link.duckdb.lock" not in names(store_path.parent)


@pytest.mark.parametrize(
    ("target", "error", "sentence"),
    [
        pytest.param("", InvalidValue, "it is empty", id="empty"),
        pytest.param("  ", InvalidValue, "it is empty", id="blank"),
        pytest.param("{tmp}/no/such/labels.duckdb", InvalidValue, "does not exist", id="no folder"),
        pytest.param("{tmp}", StoreNotRecognized, "it is a folder", id="a folder"),
        pytest.param("postgresql://host/labels", InvalidValue, "is a URL", id="a URL"),
    ],
)
def test_a_target_that_is_no_file_is_refused(tmp_path, target, error, sentence):
    with pytest.raises(error, match=sentence):
        Database.open(target.format(tmp=tmp_path), user="ana")
    assert names(tmp_path) == set()


@pytest.mark.parametrize(
    ("content", "error"),
    [
        pytest.param(b"", StoreNotRecognized, id="no bytes"),
        pytest.param(b"id,label\n1,ball\n" * 500, StoreNotRecognized, id="a table as text"),
        pytest.param(b"SQLite format 3\x00" + bytes(4096), StoreNotRecognized, id="another database"),
        pytest.param(bytes(8) + b"DUCK" + bytes(20_000), StorageReadFailed, id="only the first bytes are DuckDB's"),
    ],
)
def test_a_file_that_is_no_duckdb_database_is_refused_and_stays_as_it_is(store_path, content, error):
    # given
    store_path.write_bytes(content)

    # when
    with pytest.raises(error):
        Database.open(store_path, user="ana")

    # then
    assert store_path.read_bytes() == content


def test_a_duckdb_database_of_somebody_else_is_refused_and_nothing_changes(store_path):
    # given
    with duckdb.connect(str(store_path)) as con:
        con.execute("CREATE TABLE sales (n INTEGER)")
    before = store_path.read_bytes()

    # when
    with pytest.raises(StoreNotRecognized, match="without the tables of labelkit"):
        Database.open(store_path, user="ana")

    # then not even a lock file is left
    assert store_path.read_bytes() == before
    assert names(store_path.parent) == {"labels.duckdb"}


def test_a_cut_off_store_is_a_read_error_and_stays_as_it_is(store_path):
    # given
    Database.open(store_path, user="ana")
    cut = store_path.read_bytes()[:5000]
    store_path.write_bytes(cut)

    # then
    with pytest.raises(StorageReadFailed):
        Database.open(store_path, user="ana")
    assert store_path.read_bytes() == cut


def test_the_log_of_a_vanished_store_is_not_replayed_into_a_new_one(store_path):
    store_path.with_name("labels.duckdb.wal").write_bytes(b"left over")
    with pytest.raises(StoreNotRecognized, match="write-ahead log"):
        Database.open(store_path, user="ana")
    assert names(store_path.parent) == {"labels.duckdb.wal"}


def test_a_store_of_a_newer_schema_is_refused_and_stays_as_it_is(store_path):
    # given
    db = Database.open(store_path, user="ana")
    with db.transaction() as tx:
        tx.execute("INSERT INTO schema_migrations (number, name, applied_at) VALUES (9999, 'later', $now)", now=tx.now)
    before = store_path.read_bytes()

    # then nobody opens it, and who has it open does not work on
    with pytest.raises(StoreTooNew, match="9999"):
        Database.open(store_path, user="ana")
    with pytest.raises(StoreTooNew, match="9999"), db.transaction():
        pass
    assert store_path.read_bytes() == before


@pytest.mark.parametrize("how", ["transaction", "reading"])
def test_a_store_that_vanishes_is_not_made_again_by_the_way(store_path, how):
    # given
    db = Database.open(store_path, user="ana")
    store_path.unlink()

    # then
    with pytest.raises(StoreNotRecognized, match="gone"), getattr(db, how)():
        pass
    assert not store_path.exists()


def test_a_read_only_place_opens_for_reading_and_says_so(store_path):
    # given a store with a workspace and an object
    db = Database.open(store_path, user="ana")
    with db.transaction() as tx:
        tx.workspaces.create("team", owner="ana")
    digest = db.objects.put_bytes(b"content")

    # when its folder can only be read
    with read_only(store_path.parent):
        reader = Database.open(store_path, user="bob")

        # then
        assert (reader.read_only, repr(reader)) == (True, f"Database({str(store_path)!r}, read-only)")
        with reader.reading() as tx:
            assert [row.name for row in tx.workspaces.all()] == ["team"]
        assert reader.objects.verify(digest)
        with pytest.raises(StoreReadOnly), reader.transaction():
            pass


def test_a_read_only_store_without_lock_files_opens_too(store_path):
    # given a store that was copied without them
    Database.open(store_path, user="ana")
    for name in ("labels.duckdb.lock", "labels.duckdb.lock.next"):
        store_path.with_name(name).unlink()

    # then
    with read_only(store_path.parent), Database.open(store_path, user="bob").reading() as tx:
        assert tx.workspaces.all() == []


def test_no_store_is_made_in_a_read_only_place(tmp_path):
    folder = tmp_path / "ro"
    folder.mkdir()
    with read_only(folder), pytest.raises(StoreReadOnly, match="there is no store yet"):
        Database.open(folder / "labels.duckdb", user="ana")


CREATE = """
import sys
from labelkit.store.database import Database
sys.stdin.readline()
db = Database.open(sys.argv[1], user="ana", deadline_s=30)
with db.transaction() as tx:
    tx.audit.record("open", "OK", actor=sys.argv[2], workspace=None, subject="store", allowed=True, facts={})
print(db.created)
"""


def test_processes_that_make_the_same_store_at_once_get_one_store(store_path):
    # when four processes open a path where nothing is
    running = [processes.start(CREATE, store_path, n) for n in range(4)]
    for process in running:
        process.stdin.write("\n")
        process.stdin.flush()
    created = [processes.finish(process).strip() for process in running]

    # then one of them made it, and all of them work on it
    assert sorted(created) == ["False", "False", "False", "True"]
    with Database.open(store_path, user="ana").reading() as tx:
        assert sorted(row.actor for row in tx.audit.rows()) == ["0", "1", "2", "3"]
    assert names(store_path.parent) == {"labels.duckdb", "labels.duckdb.journal", "labels.duckdb.lock", "labels.duckdb.lock.next"}


def test_what_a_killed_creator_left_is_removed(store_path):
    # given
    left = store_path.with_name("labels.duckdb.new-0123456789abcdef")
    left.write_bytes(b"half a store")

    # when
    Database.open(store_path, user="ana")

    # then
    assert not left.exists()


def test_a_damaged_store_is_a_read_error_that_says_so(store_path):
    # given a store with a damaged block
    db = Database.open(store_path, user="ana")
    with db.transaction() as tx:
        tx.execute("CREATE TABLE numbers AS SELECT range AS n, hash(range) AS h FROM range(100000)")
    content = bytearray(store_path.read_bytes())
    for place in range(40_000, len(content), 4_000):
        content[place] ^= 0xFF
    store_path.write_bytes(content)

    # then
    with pytest.raises(StorageReadFailed), db.reading() as tx:
        tx.one("SELECT sum(n) AS n, max(h) AS h FROM numbers")
