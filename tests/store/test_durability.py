"""Many processes on one store, killed at any moment: no acknowledged change is lost, and nobody starves."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from labelkit.errors import StorageWriteFailed
from labelkit.store.database import Database
from tests import needs
from tests.store import processes
from tests.store.disks import small_disk

TABLES = """
CREATE TABLE docs (id INTEGER NOT NULL, version INTEGER NOT NULL, UNIQUE (id));
CREATE TABLE writes (draft_id INTEGER NOT NULL, version INTEGER NOT NULL, writer VARCHAR NOT NULL, UNIQUE (draft_id, version));
"""


def make_docs(path, count):
    db = Database.open(path, user="ana", deadline_s=30)
    with db.transaction() as tx:
        tx.execute(TABLES)
        tx.insert("docs", [{"id": n, "version": 0} for n in range(count)])
    return db


KILLING = """
import os, random, signal, sys, time
from labelkit.store.database import Database

def write(path, pipe):
    db = Database.open(path, user="child", deadline_s=30)
    writer = str(os.getpid())
    while True:
        with db.transaction() as tx:
            version = tx.one("SELECT version FROM docs")["version"] + 1
            tx.execute("UPDATE docs SET version = $version", version=version)
            tx.insert("writes", [{"draft_id": 0, "version": version, "writer": writer}])
        os.write(pipe, f"{version} {writer}\\n".encode())

random.seed(7)
path, kills = sys.argv[1], int(sys.argv[2])
reading, writing = os.pipe()

def start():
    child = os.fork()
    if not child:
        try:
            write(path, writing)
        finally:
            os._exit(1)
    return child

children = [start(), start()]
said = b""
for n in range(kills):
    # A few commits after the last kill, in the middle of something; the other one goes on, and works on what it left.
    goal = said.count(b"\\n") + random.randint(2, 5)
    while said.count(b"\\n") < goal:
        said += os.read(reading, 65536)
    time.sleep(random.uniform(0, 0.02))
    os.kill(children[0], signal.SIGKILL)
    assert os.waitpid(children[0], 0)[1] == signal.SIGKILL
    children = [children[1], start()]
for child in children:
    os.kill(child, signal.SIGKILL)
    assert os.waitpid(child, 0)[1] == signal.SIGKILL
os.close(writing)
with os.fdopen(reading) as rest:
    print(said.decode() + rest.read())
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="this platform has no SIGKILL")
def test_a_hundred_kills_lose_no_acknowledged_commit(store_path):
    # given
    db = make_docs(store_path, 1)

    # when writers are killed a hundred times while they commit
    printed = processes.finish(processes.start(KILLING, store_path, 100), 240)
    acknowledged = {(int(version), writer) for version, writer in map(str.split, printed.strip().splitlines())}

    # then the store opens, and every acknowledged commit is there, in a row without gaps
    with db.reading() as tx:
        saves = [(row["version"], row["writer"]) for row in tx.rows("SELECT version, writer FROM writes ORDER BY version")]
        assert tx.one("SELECT version FROM docs") == {"version": len(saves)}
    assert [version for version, _ in saves] == list(range(1, len(saves) + 1))
    assert acknowledged <= set(saves)
    # and a killed writer had at most one commit that it could not acknowledge any more
    assert len(saves) - len(acknowledged) <= 102
    # and there was work to lose
    assert len(acknowledged) >= 200


SAVES = 12  # a process; the proof with real drafts makes two hundred

IMPORTS = """
import random, time
from labelkit.errors import StoreConflict
from labelkit.store.database import Database
"""

SAVING = """
db = Database.open(sys.argv[1], user="writer", deadline_s=60)
me, saves, drafts = int(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4])
random.seed(me)
known = dict.fromkeys(range(drafts), 0)
draft, conflicts, done = 0, 0, 0
while done < saves:
    try:
        with db.transaction() as tx:
            sql = "UPDATE docs SET version = version + 1 WHERE id = $id AND version = $version RETURNING id"
            if not tx.changed(sql, id=draft, version=known[draft]):
                known[draft] = tx.one("SELECT version FROM docs WHERE id = $id", id=draft)["version"]
                raise StoreConflict(reason="the version moved on")
            tx.insert("writes", [{"draft_id": draft, "version": known[draft] + 1, "writer": str(me)}])
    except StoreConflict:
        conflicts += 1
        continue
    known[draft] += 1
    done += 1
    draft = random.randrange(drafts)
print(done, conflicts)
"""


@pytest.mark.slow
def test_eight_processes_save_at_once_and_no_update_is_lost(store_path):
    # given eight drafts
    db = make_docs(store_path, 8)

    # when eight processes save them at once, each save being based on the version it knows
    printed = [line.split() for line in processes.fork_all(IMPORTS, SAVING, [(store_path, n, SAVES, 8) for n in range(8)], 280)]

    # then there were conflicts, every save is there, and versions have no gaps
    assert [int(done) for done, _ in printed] == [SAVES] * 8
    assert sum(int(conflicts) for _, conflicts in printed) > SAVES / 2
    with db.reading() as tx:
        drafts = tx.rows("SELECT id, version FROM docs ORDER BY id")
        saves = tx.rows("SELECT draft_id AS id, count(*) AS version, max(version) AS last FROM writes GROUP BY draft_id ORDER BY draft_id")
        writers = tx.rows("SELECT writer, count(*) AS n FROM writes GROUP BY writer ORDER BY writer")
    assert sum(row["version"] for row in drafts) == 8 * SAVES
    assert [{"id": row["id"], "version": row["version"], "last": row["version"]} for row in drafts] == saves
    assert writers == [{"writer": str(n), "n": SAVES} for n in range(8)]


SATURATING = """
db = Database.open(sys.argv[1], user="writer", deadline_s=60)
me, mode, seconds = sys.argv[2], sys.argv[3], float(sys.argv[4])
end, count, longest = time.monotonic() + seconds, 0, 0.0
while time.monotonic() < end:
    started = time.monotonic()
    if mode == "write":
        with db.transaction() as tx:
            tx.execute("UPDATE docs SET version = version + 1 WHERE id = $id", id=int(me))
    else:
        with db.reading() as tx:
            tx.rows("SELECT version FROM docs")
    longest = max(longest, time.monotonic() - started)
    count += 1
print(count, longest)
"""


def saturate(path, modes, seconds):
    """Let processes write or read as fast as they can; return how often each did, and its longest wait in seconds."""
    each = [(path, n, mode, seconds) for n, mode in enumerate(modes)]
    printed = [line.split() for line in processes.fork_all(IMPORTS, SATURATING, each)]
    return [int(count) for count, _ in printed], [float(longest) for _, longest in printed]


@pytest.mark.slow
def test_eight_processes_that_never_pause_get_a_fair_share_each(store_path):
    # given
    make_docs(store_path, 8)

    # when
    counts, longest = saturate(store_path, ["write"] * 8, 3)

    # then
    assert min(counts) > sum(counts) / 8 / 3
    assert max(longest) < 3


@pytest.mark.slow
def test_readers_that_never_pause_do_not_starve_a_writer(store_path):
    # given
    make_docs(store_path, 1)

    # when
    counts, longest = saturate(store_path, ["write", "read", "read", "read", "read"], 2)

    # then
    assert counts[0] > 10
    assert longest[0] < 2


@pytest.fixture
def full_disk(tmp_path):
    """A store on a disk of six megabytes, filled up by commits: the database and the number of commits that were acknowledged."""
    with small_disk(tmp_path / "small", "6m") as folder:
        db = make_docs(folder / "labels.duckdb", 1)
        with db.transaction() as tx:
            tx.execute("CREATE TABLE noise (n INTEGER, text VARCHAR)")
        acknowledged = 0
        with pytest.raises(StorageWriteFailed, match="No space left"):  # noqa: PT012 - some commit raises, nobody knows which
            while acknowledged < 2000:
                with db.transaction() as tx:
                    sql = "INSERT INTO noise SELECT $n::INTEGER, string_agg(md5(random()::VARCHAR), '') FROM range($size)"
                    tx.execute(sql, n=acknowledged, size=40 if acknowledged % 2 else 5000)
                acknowledged += 1
        yield db, acknowledged


def test_a_full_disk_refuses_and_keeps_every_acknowledged_commit(full_disk):
    # given
    db, acknowledged = full_disk

    # then it stays so when it is tried again, in this process and for who opens it now
    with pytest.raises(StorageWriteFailed), db.transaction() as tx:
        tx.execute("INSERT INTO noise SELECT -1, string_agg(md5(random()::VARCHAR), '') FROM range(9000)")
    for opened in (db, Database.open(db.path, user="bob")):
        with opened.reading() as tx:
            assert tx.one("SELECT count(*) AS n, max(n) AS last FROM noise") == {"n": acknowledged, "last": acknowledged - 1}


def test_a_store_goes_on_once_the_disk_has_room_again(full_disk):
    # given
    db, acknowledged = full_disk
    folder = Path(db.path).parent
    assert needs.run("mount", "-o", "remount,size=12m", folder).returncode == 0

    # when
    with db.transaction() as tx:
        tx.execute("INSERT INTO noise VALUES (-1, 'again')")

    # then
    with db.reading() as tx:
        assert tx.one("SELECT count(*) AS n FROM noise") == {"n": acknowledged + 1}
    assert not Path(db.path + ".wal").exists()


def test_a_new_store_on_a_full_disk_is_refused_and_leaves_nothing(tmp_path):
    # given a disk without room for a store
    with small_disk(tmp_path / "tiny", "64k") as folder:
        # when
        with pytest.raises(StorageWriteFailed):
            Database.open(folder / "labels.duckdb", user="ana")

        # then
        assert {path.name for path in folder.iterdir()} <= {"labels.duckdb.lock", "labels.duckdb.lock.next"}
