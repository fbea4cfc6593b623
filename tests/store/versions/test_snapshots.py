"""Rows become chunks by their keys alone: the same rows give the same chunks and objects, whatever their history."""

from __future__ import annotations

import hashlib
from itertools import pairwise

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from labelkit.core.versions import CHUNK_START, Tree
from labelkit.store.database import Database
from labelkit.store.versions.snapshots import CHUNK_STARTS, ROW_DIGEST, SnapshotWriter, chunk_start_sql, digest_sql, row, scan

MANY = 30_000


def made(db: Database, first: int, last: int, *, where: str = "true", value: str = "key") -> pl.DataFrame:
    """Rows of the keys k000000 to k029999 in part, as a store's query makes them; about one in 4,096 starts a chunk."""
    return db.analyse(
        f"""SELECT *, {digest_sql("key", "value")}, {chunk_start_sql("key")}
            FROM (SELECT 'k' || lpad(CAST(n AS VARCHAR), 6, '0') AS key, {value} AS value FROM range($first, $last) t(n) WHERE {where})
            ORDER BY key""",
        first=first,
        last=last,
    )


def written(db: Database, *batches: pl.DataFrame) -> Tree:
    writer = SnapshotWriter(db.objects, "key")
    for batch in batches:
        writer.add(batch)
    return writer.finish()


@pytest.fixture(scope="module")
def database():
    with Database.open(":memory:", user="ana") as opened:
        yield opened


@pytest.fixture(scope="module")
def rows(database):
    return made(database, 0, MANY)


@pytest.fixture(scope="module")
def tree(database, rows):
    return written(database, rows)


def test_chunks_start_where_the_hash_of_a_key_says_so(tree, rows):
    # given, in Python, the keys whose sha256 starts as it must
    starts = [key for key in rows["key"] if hashlib.sha256(key.encode()).hexdigest().startswith(CHUNK_START)]

    # then they start the chunks, behind the first one
    assert 3 < len(starts) < 20
    assert [chunk.first_key for chunk in tree.chunks] == sorted({rows["key"][0], *starts})
    assert tree.rows == MANY


def test_a_row_digest_is_the_sha256_of_a_canonical_json_array(database):
    found = database.analyse(f"SELECT {digest_sql('a', 'b', 'c')} FROM (SELECT 'é\"/' AS a, 7 AS b, CAST(NULL AS VARCHAR) AS c)")
    assert found[ROW_DIGEST].to_list() == [hashlib.sha256('["é\\"/",7,null]'.encode()).hexdigest()]


def test_the_tree_digest_is_the_same_in_every_store_and_for_ever(tree):
    assert tree.digest.value == "f9cafa7cf29d2a4f00fc9d4f1d67d115972649112acac97131722412ee9f56cc"


@settings(max_examples=25, deadline=None)
@given(cuts=st.lists(st.integers(0, MANY), max_size=6))
def test_how_the_rows_were_handed_over_changes_nothing(database, rows, tree, cuts):
    ends = [0, *sorted(cuts), MANY]
    assert written(database, *(rows.slice(a, b - a) for a, b in pairwise(ends))) == tree


def test_a_changed_row_changes_one_chunk_and_the_others_are_the_same_objects(database, tree):
    # when one row in the middle has another value
    changed = written(database, made(database, 0, MANY, value="CASE WHEN n = 15000 THEN 'x' ELSE key END"))

    # then one chunk differs
    differing = [a.first_key for a, b in zip(tree.chunks, changed.chunks, strict=True) if a != b]
    assert differing == [tree.holding("k015000").first_key]
    assert changed.digest != tree.digest


def test_a_deleted_row_moves_no_other_boundary(database, tree):
    fewer = written(database, made(database, 0, MANY, where="n <> 15000"))
    assert [chunk.first_key for chunk in fewer.chunks] == [chunk.first_key for chunk in tree.chunks]
    assert len(set(fewer.objects) - set(tree.objects)) == 1


def test_what_no_digest_covers_is_kept_and_changes_no_identity(database, rows, tree):
    # given the same rows with an annotation's id beside them, which is no part of the digest
    other = written(database, rows.with_columns(pl.lit("ann_2").alias("extra")))

    # then
    assert other.digest == tree.digest
    assert other.objects != tree.objects
    assert scan(database.objects, other).select(pl.col("extra").unique()).collect().item() == "ann_2"


@pytest.mark.parametrize("order", [pytest.param([0, 1, 1], id="a key twice"), pytest.param([0, 2, 1], id="keys that fall")])
def test_keys_that_do_not_ascend_are_refused(database, rows, order):
    with pytest.raises(ValueError, match="do not ascend"):
        written(database, rows[order])
    with pytest.raises(ValueError, match="do not ascend"):
        written(database, rows[order[:-1]], rows[order[-1:]])


def test_nothing_at_all_is_an_empty_tree(database, rows):
    assert written(database, rows.head(0)) == Tree("key", ())


def test_a_scan_gives_the_rows_back_in_key_order(database, rows, tree):
    assert scan(database.objects, tree).collect().equals(rows.drop(CHUNK_STARTS))


def test_a_row_is_found_by_its_key_and_a_strange_key_is_no_row(database, tree):
    assert row(database.objects, tree, "k012345")["value"].to_list() == ["k012345"]
    assert [row(database.objects, tree, key).height for key in ("a", "k0123456", "z")] == [0, 0, 0]


def test_a_tree_is_kept_once_and_read_back(db):
    # given
    tree = written(db, made(db, 0, 9000))

    # when it is kept twice
    with db.transaction() as tx:
        ids = [tx.datasets.snapshots.add(tree) for _ in range(2)]

    # then
    with db.reading() as tx:
        assert tx.datasets.snapshots.tree(ids[0]) == tree
        assert ids[0] == ids[1]
        assert tx.rows("SELECT row_count, tree_digest FROM snapshots") == [{"row_count": 9000, "tree_digest": tree.digest.value}]


def test_collection_spares_the_chunks_of_every_snapshot(db):
    # given a snapshot that is kept and one that is not
    kept, forgotten = written(db, made(db, 0, 9000)), written(db, made(db, 0, 50, value="'other'"))
    with db.transaction() as tx:
        tx.datasets.snapshots.add(kept)

    # when
    db.collect(grace_s=-1)

    # then
    assert [db.objects.exists(one) for one in (*kept.objects, *forgotten.objects)] == [True] * len(kept.chunks) + [False]
    assert db.check() == []
