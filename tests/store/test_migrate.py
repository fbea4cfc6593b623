"""Migrations: in order, each with its record or not at all, after a backup."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import duckdb
import pytest

from labelkit.errors import StoreReadOnly
from labelkit.store import migrate
from labelkit.store.check import findings, named_objects
from labelkit.store.database import Database
from labelkit.store.place import attached
from tests.store.conftest import NOON
from tests.store.disks import read_only
from tests.store.test_opening import names

if TYPE_CHECKING:
    from pathlib import Path

FIRST, *LATER = migrate.migrations()


def make_old_store(path: Path) -> None:
    """A store as the first labelkit made it, with one workspace."""
    with attached(str(path), writes=True, create=True) as cursor:
        migrate.apply(cursor, FIRST, NOON)
        cursor.execute("INSERT INTO workspaces VALUES ('ws_1', 'team', 'allowed', TIMESTAMP '2026-03-01 12:00:00')")


def applied(db: Database) -> list[int]:
    with db.reading() as tx:
        return [row["number"] for row in tx.rows("SELECT number FROM schema_migrations ORDER BY applied_at, number")]


def test_the_steps_are_numbered_without_gaps_from_one():
    assert [step.number for step in (FIRST, *LATER)] == list(range(1, len(LATER) + 2))


def test_a_new_store_has_every_step_with_its_record(db):
    with db.reading() as tx:
        records = tx.rows("SELECT number, name, applied_at FROM schema_migrations ORDER BY number")
    assert records == [{"number": step.number, "name": step.name, "applied_at": NOON} for step in (FIRST, *LATER)]


SCHEMA = {
    "columns": "table_name, column_index, column_name, data_type, column_default, is_nullable FROM duckdb_columns()",
    "constraints": "table_name, constraint_type, constraint_text FROM duckdb_constraints()",
    "views": "view_name, sql FROM duckdb_views()",
    "indexes": "index_name, sql FROM duckdb_indexes()",
    "sequences": "sequence_name FROM duckdb_sequences()",
}


@pytest.mark.parametrize("what", SCHEMA.values(), ids=SCHEMA)
def test_a_schema_made_at_once_is_the_one_that_the_steps_make_one_by_one(tmp_path, what):
    # given an old store and a new one
    make_old_store(tmp_path / "old.duckdb")
    stores = [Database.open(tmp_path / name, user="ana") for name in ("old.duckdb", "new.duckdb")]
    assert [db.created for db in stores] == [False, True]

    # when
    found = []
    for db in stores:
        with db.reading() as tx:
            found.append(tx.rows(f"SELECT {what} WHERE database_name = current_database() ORDER BY ALL"))

    # then
    assert found[0] == found[1]


def test_an_older_store_is_brought_up_to_date_after_a_copy_of_its_file(store_path):
    # given
    make_old_store(store_path)
    before = store_path.read_bytes()

    # when
    db = Database.open(store_path, user="ana")

    # then it has the later steps and its rows, and the copy is the file as it was
    assert (db.created, applied(db)) == (False, [step.number for step in (FIRST, *LATER)])
    with db.reading() as tx:
        assert tx.workspaces.get("ws_1").name == "team"
    assert store_path.with_name("labels.duckdb.before-0002").read_bytes() == before


def test_a_store_that_is_up_to_date_is_not_copied(store_path):
    Database.open(store_path, user="ana")
    Database.open(store_path, user="ana")
    assert not [name for name in names(store_path.parent) if "before" in name]


def test_an_older_store_in_a_read_only_place_is_refused_and_stays_as_it_is(store_path):
    make_old_store(store_path)
    with read_only(store_path.parent), pytest.raises(StoreReadOnly, match="needs the migration"):
        Database.open(store_path, user="ana")


@pytest.mark.parametrize(
    "sql",
    [
        pytest.param("CREATE TABLE half (n INTEGER); INSERT INTO half VALUES (1); SELECT error('boo');", id="fails at its end"),
        pytest.param("CREATE TABLE half (n INTEGER); CREATE TABLE audit (n INTEGER);", id="makes a table twice"),
        pytest.param("CREATE TABLE half (n INTEGER); ALTER TABLE audit ADD COLUMN more VARCHAR; SELEC 1;", id="does not parse"),
    ],
)
def test_a_step_that_fails_leaves_nothing_of_itself(store_path, sql):
    # given
    make_old_store(store_path)
    broken = migrate.Migration(2, "broken", sql)

    # when
    with attached(str(store_path), writes=True) as cursor, pytest.raises(duckdb.Error):
        migrate.apply(cursor, broken, NOON)

    # then
    with attached(str(store_path), writes=False) as cursor:
        assert [step.number for step in migrate.pending(cursor, path=str(store_path))] == [step.number for step in LATER]
        tables = cursor.execute("SELECT table_name FROM duckdb_tables() WHERE database_name = current_database()").fetchall()
    assert ("half",) not in tables


def test_two_stores_of_one_file_copied_between_machines_are_the_same(store_path):
    # given a store whose file alone was copied
    with Database.open(store_path, user="ana").transaction() as tx:
        tx.workspaces.create("team", owner="ana")
    copy = store_path.with_name("copy.duckdb")
    shutil.copyfile(store_path, copy)

    # then it opens with its rows
    with Database.open(copy, user="bob").reading() as tx:
        assert [row.name for row in tx.workspaces.all()] == ["team"]


def test_every_column_of_the_schema_that_names_objects_can_be_checked(db):
    with db.reading() as tx:
        assert findings(db.objects, named_objects(tx)) == []
