"""Units of work: all or nothing, one at a time, and what a transaction may not do."""

from __future__ import annotations

import os
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime, timedelta, tzinfo

import duckdb
import polars as pl
import pytest
from polars.testing import assert_frame_equal

from labelkit.errors import InvalidValue, LabelkitError, StorageReadFailed, StorageWriteFailed, StoreBusy, StoreConflict
from labelkit.store.database import Database
from tests.store import processes
from tests.store.conftest import NOON

ADD = "INSERT INTO things (id, version) VALUES ($id, 1)"


def ids(db):
    with db.reading() as tx:
        return [row["id"] for row in tx.rows("SELECT id FROM things ORDER BY id")]


def test_a_transaction_that_ends_well_is_kept(things):
    with things.transaction() as tx:
        tx.execute(ADD, id="a")
    assert ids(things) == ["a"]


def test_a_transaction_whose_block_raises_is_undone(things):
    with pytest.raises(InvalidValue), things.transaction() as tx:  # noqa: PT012 - the block raises after its work
        tx.execute(ADD, id="a")
        raise InvalidValue(what="x", reason="y", fix="z")
    assert ids(things) == []


def test_after_a_failed_statement_nothing_is_kept_even_when_the_block_swallows_the_error(things):
    # given a row
    with things.transaction() as tx:
        tx.execute(ADD, id="a")

    # when a block writes, fails, and goes on
    with pytest.raises(StoreConflict), things.transaction() as tx:  # noqa: PT012 - the end of the block raises
        tx.execute(ADD, id="b")
        with suppress(StoreConflict):
            tx.execute(ADD, id="a")

    # then the end of the block has raised, and nothing was kept
    assert ids(things) == ["a"]


def test_after_a_failed_statement_every_further_one_says_why(things):
    with pytest.raises(StoreConflict), things.transaction() as tx:  # noqa: PT012
        tx.execute(ADD, id="a")
        with pytest.raises(StoreConflict):
            tx.execute(ADD, id="a")
        with pytest.raises(StoreConflict):
            tx.rows("SELECT 1")


def test_an_interrupted_statement_undoes_the_transaction(things):
    # given a value whose reading is interrupted
    class Interrupting(tzinfo):
        def utcoffset(self, _):
            raise KeyboardInterrupt

    with pytest.raises(LabelkitError, match="KeyboardInterrupt"), things.transaction() as tx:  # noqa: PT012
        tx.execute(ADD, id="a")

        # when
        with pytest.raises(KeyboardInterrupt):
            tx.execute(ADD, id=datetime(2026, 3, 1, tzinfo=Interrupting()))

    # then
    assert ids(things) == []


def test_reading_changes_nothing(things):
    with pytest.raises(LabelkitError), things.reading() as tx:
        tx.execute(ADD, id="a")
    assert ids(things) == []


@pytest.mark.parametrize("inner", ["transaction", "reading"])
@pytest.mark.parametrize("outer", ["transaction", "reading"])
def test_a_second_unit_of_work_on_the_same_thread_is_a_programming_error_at_once(things, outer, inner):
    # when
    started = time.monotonic()
    with getattr(things, outer)(), pytest.raises(RuntimeError, match="already open on this thread"), getattr(things, inner)():
        pass

    # then it did not wait for the deadline, and the store goes on
    assert time.monotonic() - started < 2
    assert ids(things) == []


def test_two_stores_may_be_open_in_one_thread(tmp_path):
    with (
        Database.open(tmp_path / "a.duckdb", user="ana") as a,
        Database.open(tmp_path / "b.duckdb", user="ana") as b,
        a.transaction() as one,
    ):
        with b.transaction() as two:
            two.workspaces.create("in b", owner="ana")
        one.workspaces.create("in a", owner="ana")
    with Database.open(tmp_path / "a.duckdb", user="ana").reading() as tx:
        assert [row.name for row in tx.workspaces.all()] == ["in a"]


def test_two_databases_on_one_file_see_each_others_commits(store_path):
    # given
    one, other = Database.open(store_path, user="ana"), Database.open(store_path, user="bob")

    # when
    with one.transaction() as tx:
        tx.workspaces.create("team", owner="ana")

    # then
    with other.reading() as tx:
        assert [row.name for row in tx.workspaces.all()] == ["team"]


def test_threads_take_turns_and_lose_nothing(things):
    # when eight threads count in one row
    with things.transaction() as tx:
        tx.execute(ADD, id="count")

    def count(_):
        with things.transaction() as tx:
            version = tx.one("SELECT version FROM things")["version"]
            tx.execute("UPDATE things SET version = $next", next=version + 1)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(count, range(64)))

    # then
    with things.reading() as tx:
        assert tx.one("SELECT version FROM things") == {"version": 65}


def test_a_thread_that_waits_too_long_is_told_who_works(db):
    # given a thread that holds the store
    busy, done = threading.Event(), threading.Event()

    def hold():
        with db.transaction():
            busy.set()
            done.wait(10)

    thread = threading.Thread(target=hold)
    thread.start()
    busy.wait(10)
    db.deadline_s = 0.1

    # then
    with pytest.raises(StoreBusy) as refused, db.reading():
        pass
    done.set()
    thread.join(10)
    assert refused.value.facts["user"] == "ana"


def test_another_process_that_holds_the_store_is_waited_for_until_the_deadline(store_path):
    # given
    db = Database.open(store_path, user="ana", deadline_s=0.2)

    # then
    with processes.holding(store_path) as other, pytest.raises(StoreBusy) as refused, db.transaction():
        pass
    assert (refused.value.facts["pid"], refused.value.facts["user"]) == (other.pid, "bob")


def test_a_program_that_opened_the_file_without_labelkit_is_named(store_path):
    # given
    db = Database.open(store_path, user="ana")
    code = "import duckdb, sys; c = duckdb.connect(sys.argv[1]); print('open', flush=True); sys.stdin.readline()"
    other = processes.start(code, store_path)
    try:
        assert other.stdout.readline() == "open\n"

        # then
        with pytest.raises(StoreBusy) as refused, db.transaction():
            pass
        assert refused.value.facts["pid"] == other.pid
    finally:
        other.kill()
        other.communicate()


def test_a_notebook_that_opened_the_file_itself_is_told_that_it_did(store_path):
    # given
    db = Database.open(store_path, user="ana")
    with duckdb.connect(str(store_path)):
        # then
        with pytest.raises(StoreBusy) as refused, db.transaction():
            pass
        assert refused.value.facts["pid"] == os.getpid()

    # and it goes on when that connection is closed
    with db.transaction() as tx:
        tx.workspaces.create("team", owner="ana")


def test_many_threads_work_on_many_stores_at_once(tmp_path):
    # given three stores in files, opened several times, and stores in memory that come and go
    def work(n):
        with Database.open(tmp_path / f"{n % 3}.duckdb", user="ana", deadline_s=60) as db, Database.open(":memory:", user="ana") as memory:
            for turn in range(6):
                for each in (db, memory):
                    with each.transaction() as tx:
                        tx.workspaces.create(f"{n} {turn}", owner="ana")
                db.analyse("SELECT sum(range) AS n FROM range(10000)")

    # when
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(work, range(12)))

    # then
    for n in range(3):
        with Database.open(tmp_path / f"{n}.duckdb", user="ana").reading() as tx:
            assert len(tx.workspaces.all()) == 4 * 6


def test_the_time_of_a_transaction_is_the_clocks_in_utc_and_stands_still(db):
    with db.transaction() as tx:
        assert (tx.now, tx.now.tzinfo) == (NOON, UTC)


def test_each_transaction_asks_the_clock_again(store_path):
    # given a clock that ticks
    ticks = iter(NOON + timedelta(seconds=n) for n in range(100))
    db = Database.open(store_path, user="ana", clock=lambda: next(ticks))

    # then
    with db.reading() as tx:
        first = tx.now
    with db.reading() as tx:
        assert tx.now == first + timedelta(seconds=1)


def test_a_clock_without_a_zone_is_a_programming_error(store_path):
    with pytest.raises(ValueError, match="zone"):
        Database.open(store_path, user="ana", clock=lambda: datetime(2026, 3, 1))  # noqa: DTZ001


def test_a_closed_store_does_nothing(db):
    db.close()
    db.close()
    with pytest.raises(RuntimeError, match="closed"), db.reading():
        pass


def test_an_analysis_runs_over_objects_without_the_lock(store_path):
    # given an object, and another process that holds the store
    db = Database.open(store_path, user="ana", deadline_s=0.2)
    digest = db.objects.put_frame(pl.DataFrame({"label": ["ball", "player", "player"], "n": [1, 2, 3]}))

    # when
    with processes.holding(store_path):
        found = db.analyse("SELECT label, sum(n) AS n FROM read_parquet($file) GROUP BY label ORDER BY label", file=db.objects.path(digest))

    # then
    assert_frame_equal(found, pl.DataFrame({"label": ["ball", "player"], "n": [1, 5]}))


def test_an_analysis_may_write_its_rows_in_their_order(db, tmp_path):
    # when more rows than one row group are sorted
    file = tmp_path / "it's here.parquet"
    db.analyse_to(file, "SELECT range AS n FROM range($count) ORDER BY hash(n)", count=300_000)

    # then
    written = pl.read_parquet(file)["n"]
    assert written.to_list() == db.analyse("SELECT range AS n FROM range(300000) ORDER BY hash(n)")["n"].to_list()


def test_an_analysis_that_fails_leaves_no_file_behind(db, tmp_path):
    with pytest.raises(StorageReadFailed):
        db.analyse("SELECT * FROM read_parquet($file)", file=str(tmp_path / "missing.parquet"))
    with pytest.raises(LabelkitError, match="boo"):
        db.analyse_to(tmp_path / "out.parquet", "SELECT CASE WHEN range > 200000 THEN error('boo') ELSE range END FROM range(300000)")
    with pytest.raises(StorageWriteFailed):
        db.analyse_to(tmp_path / "no folder" / "out.parquet", "SELECT 1 AS x")
    assert [path.name for path in tmp_path.iterdir() if not path.name.startswith("labels.duckdb")] == []


def test_a_store_prints_where_it_is(store_path):
    assert repr(Database.open(store_path, user="ana")) == f"Database({str(store_path)!r})"
