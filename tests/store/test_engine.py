"""The DuckDB instance of a process: silent at its end, never shared with a forked child, never on the network."""

from __future__ import annotations

import sys

import pytest

from labelkit.errors import LabelkitError
from labelkit.store.database import Database
from tests.store import processes

WHOLE_STORY = """
import sys
import polars as pl
from labelkit.store.database import Database
for target in (":memory:", sys.argv[1]):
    db = Database.open(target, user="ana")
    with db.transaction() as tx:
        tx.workspaces.create("team", owner="ana")
        tx.frame("SELECT * FROM workspaces")
    db.analyse("SELECT 1 AS x")
    try:
        with db.reading() as tx:
            tx.frame("SELECT * FROM nowhere")
    except Exception as error:
        kept = error
print("done")
"""

FORKING = """
import os, sys
from labelkit.store.database import Database
db = Database.open(sys.argv[1], user="ana")
with db.transaction() as tx:
    tx.workspaces.create("by the parent", owner="ana")
child = os.fork()
with db.transaction() as tx:
    tx.workspaces.create("after the fork, " + ("by the child" if child == 0 else "by the parent"), owner="ana")
db.analyse("SELECT count(*) AS n FROM range(1000000)")
if not child:
    os._exit(0)  # as multiprocessing ends its children
assert os.waitpid(child, 0)[1] == 0
"""

FORKING_IN_MEMORY = """
import os
from labelkit.errors import StorageReadFailed
from labelkit.store.database import Database
db = Database.open(":memory:", user="ana")
child = os.fork()
try:
    with db.transaction() as tx:
        tx.workspaces.create("team", owner="ana")
    here = True
except StorageReadFailed as refused:
    assert "forked" in refused.detail
    here = False
assert here == bool(child)
root = db.objects.root
if not child:
    del db  # in the child only
    os._exit(0)  # as multiprocessing ends its children
assert os.waitpid(child, 0)[1] == 0
assert root.exists()
"""


def test_a_process_ends_in_silence(store_path):
    assert processes.finish(processes.start(WHOLE_STORY, store_path)) == "done\n"


@pytest.mark.skipif(sys.platform == "win32", reason="this platform does not fork")
def test_a_forked_child_and_its_parent_both_work_on(store_path):
    # when
    processes.finish(processes.start(FORKING, store_path))

    # then
    with Database.open(store_path, user="ana").reading() as tx:
        assert sorted(row.name for row in tx.workspaces.all()) == [
            "after the fork, by the child",
            "after the fork, by the parent",
            "by the parent",
        ]


@pytest.mark.skipif(sys.platform == "win32", reason="this platform does not fork")
def test_a_store_in_memory_stays_with_the_process_that_made_it():
    processes.finish(processes.start(FORKING_IN_MEMORY))


MEMORY_GIVEN_BACK = """
from pathlib import Path
from labelkit.store.database import Database

def taken():
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096 / 1e6  # MB

Database.open(":memory:", user="ana").close()
before = taken()
for _ in range(2):
    with Database.open(":memory:", user="ana") as db, Database.open(":memory:", user="ana") as small:
        with db.transaction() as tx:
            tx.execute("CREATE TABLE big AS SELECT i, md5(i::VARCHAR) AS text FROM range(2000000) AS r(i)")
    assert taken() - before < 40, (before, taken())
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the memory of a process is read from /proc")
def test_the_memory_of_a_store_is_given_back_when_no_other_is_open():
    processes.finish(processes.start(MEMORY_GIVEN_BACK))


FAILING = """
import sys
from pathlib import Path
from labelkit.errors import LabelkitError
from labelkit.store.database import Database

refusals = 0
with Database.open(":memory:", user="ana") as db:
    for _ in range(200):
        try:
            db.analyse_to(sys.argv[1], "SELECT CASE WHEN range > 200000 THEN error('boo') ELSE range END FROM range(300000)")
        except LabelkitError:
            refusals += 1
assert not Path(sys.argv[1]).exists()
print(refusals)
"""


def test_a_file_that_fails_while_it_is_written_is_always_refused_and_never_waited_for(tmp_path):
    assert processes.finish(processes.start(FAILING, tmp_path / "out.parquet")) == "200\n"


def test_stores_in_memory_know_nothing_of_each_other():
    # given two, of which the first has a workspace
    with Database.open(":memory:", user="ana") as first, Database.open(":memory:", user="ana") as second:
        with first.transaction() as tx:
            tx.workspaces.create("team", owner="ana")

        # when one is closed, twice, and a third is opened and forgotten
        second.close()
        second.close()
        Database.open(":memory:", user="ana")

        # then the first one has what it had
        with first.reading() as tx:
            assert [row.name for row in tx.workspaces.all()] == ["team"]


def test_no_extension_is_fetched_from_the_network(db):
    with pytest.raises(LabelkitError):
        db.analyse("SELECT * FROM read_parquet('https://localhost:1/x.parquet')")
    with pytest.raises(LabelkitError):
        db.analyse("SELECT * FROM st_read('x.shp')")
