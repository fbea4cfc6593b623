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


def test_no_extension_is_fetched_from_the_network(db):
    with pytest.raises(LabelkitError):
        db.analyse("SELECT * FROM read_parquet('https://localhost:1/x.parquet')")
    with pytest.raises(LabelkitError):
        db.analyse("SELECT * FROM st_read('x.shp')")
