"""The same rows are the same chunks, objects and tree, whatever the way to them; what differs between two trees is found from chunks."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from labelkit.core.versions import CHUNK_BELOW, ChangeCount, Tree, starts_chunk
from labelkit.store.database import Database
from labelkit.store.versions.canonical import canonical
from labelkit.store.versions.chunking import FEW_KEYS, Chunking, read_chunks
from labelkit.store.versions.diffing import between, compared
from tests.store.keyed import KEYS, STARTS, TABLES, VALUES, frame

CHANGES = st.lists(
    st.tuples(st.dictionaries(st.sampled_from(KEYS), VALUES, max_size=6), st.sets(st.sampled_from(KEYS), max_size=6)), max_size=4
)


@pytest.fixture(scope="module")
def database():
    with Database.open(":memory:", user="ana") as opened:
        yield opened


@pytest.fixture(scope="module")
def chunking(database):
    return Chunking(database)


def whole(chunking, table, base=None):
    return chunking.whole(canonical(frame(table), "key"), base)


def rows_of(database, tree: Tree) -> pl.DataFrame:
    return read_chunks(database.objects, tree, tree.chunks)


@settings(max_examples=40)
@given(start=TABLES, changes=CHANGES)
def test_a_series_of_changes_ends_in_the_same_tree_as_all_rows_at_once(database, chunking, start, changes):
    # given a version that is changed again and again
    table, tree = dict(start), whole(chunking, start).tree
    for rows, removed in changes:
        gone = sorted(removed - rows.keys())
        tree = chunking.changed(tree, canonical(frame(rows), "key"), pl.Series(gone, dtype=pl.String)).tree
        table = {key: value for key, value in (table | rows).items() if key not in gone}

    # when the same rows are stored at once, alone or on top of another version
    at_once = whole(chunking, table).tree
    on_top = whole(chunking, table, whole(chunking, start).tree).tree

    # then chunks, objects and digest are the same, and the rows are these
    assert tree == at_once == on_top
    assert tree.digest == at_once.digest
    assert rows_of(database, tree).equals(canonical(frame(table), "key"))


@settings(max_examples=40)
@given(a=TABLES, b=TABLES)
def test_a_diff_applied_to_one_version_gives_the_other(database, chunking, a, b):
    # given
    before, after = whole(chunking, a).tree, whole(chunking, b).tree

    # when
    found = compared(database.objects, before, after)
    rows = pl.concat([found.added, found.after]).sort("key")
    applied = chunking.changed(before, rows, found.removed["key"]).tree

    # then
    assert applied == after
    same = {
        key for key in a.keys() & b.keys() if frame({key: a[key]}).pipe(canonical, "key").equals(canonical(frame({key: b[key]}), "key"))
    }
    assert set(found.added["key"]) == b.keys() - a.keys()
    assert set(found.removed["key"]) == a.keys() - b.keys()
    assert set(found.after["key"]) == (a.keys() & b.keys()) - same
    assert found.before["key"].equals(found.after["key"])


def test_a_chunk_starts_at_the_first_row_and_where_the_hash_of_a_key_says_so(chunking):
    # given
    tree = whole(chunking, dict.fromkeys(KEYS, ("cat", 0.5))).tree

    # then
    assert len(STARTS) >= 4
    assert [chunk.first_key for chunk in tree.chunks] == sorted({KEYS[0], *STARTS})


def test_keys_are_hashed_alike_in_python_and_in_sql(database, chunking):
    # given more keys than are hashed in Python
    rows = pl.DataFrame({"key": pl.int_range(40_000, eager=True)})
    assert rows.height > FEW_KEYS

    # then numbers are cut by their decimal text, and stand in the order of numbers
    tree = chunking.whole(canonical(rows, "key")).tree
    assert [int(chunk.first_key) for chunk in tree.chunks] == [n for n in range(40_000) if n == 0 or starts_chunk(str(n))]
    assert len(tree.chunks) > 1
    assert rows_of(database, tree)["key"].to_list() == list(range(40_000))
    assert CHUNK_BELOW == "0004"


def test_a_change_reads_and_writes_only_chunks_that_can_hold_its_keys(database, chunking):
    # given a version of which nothing can be read but the chunk that a key stands in
    tree = whole(chunking, dict.fromkeys(KEYS, ("heron", 0.5))).tree
    held = next(chunk for chunk in tree.chunks if chunk.first_key == STARTS[2])
    for digest in {*tree.objects} - {held.object}:
        Path(database.objects.path(digest)).unlink()

    # when its row changes
    cut = chunking.changed(tree, frame({STARTS[2]: ("dog", 0.5)}), pl.Series([], dtype=pl.String))

    # then
    assert cut.before["key"].to_list() == cut.after["key"].to_list() == [STARTS[2]]
    assert len(set(cut.tree.objects) - set(tree.objects)) == 1


def test_what_a_delta_changed_is_told_row_by_row(chunking):
    # given
    tree = whole(chunking, {"a": ("cat", 0.5), "b": ("cat", 0.5), "c": ("cat", 0.5), "d": ("cat", 0.5)}).tree

    # when one row comes, one changes, one stays as it is and one of two removed keys is there
    cut = chunking.changed(tree, frame({"aa": ("new", 1.0), "b": ("cat", 0.7), "c": ("cat", 0.5)}), pl.Series(["nobody", "d"]))

    # then
    assert (cut.before["key"].to_list(), cut.after["key"].to_list()) == (["b", "c", "d"], ["aa", "b", "c"])
    assert between("key", cut.before, cut.after).count == ChangeCount(added=1, removed=1, modified=1)


def test_removing_keys_that_are_not_there_changes_nothing(chunking):
    tree = whole(chunking, dict.fromkeys(KEYS, ("cat", 0.5))).tree
    assert chunking.changed(tree, frame({}), pl.Series(["nobody", "k9"])).tree == tree


def test_a_version_whose_rows_are_all_removed_still_has_its_columns(database, chunking):
    # given
    tree = whole(chunking, {"a": ("cat", 0.5)}).tree

    # when
    empty = chunking.changed(tree, frame({}), pl.Series(["a"])).tree

    # then
    assert (empty.rows, empty.chunks) == (0, ())
    assert rows_of(database, empty).schema == rows_of(database, tree).schema
    assert empty == whole(chunking, {}).tree
    assert empty.digest != Tree("key", (), '[["key","text"]]').digest


def test_a_row_differs_in_the_fields_that_differ():
    # given a column more, a column less, a column of another type
    before = pl.DataFrame({"key": ["a", "b", "c"], "n": [1, 2, 3], "old": [None, "x", None]})
    after = pl.DataFrame({"key": ["a", "b", "d"], "n": [1.0, 2.5, 4.0], "new": [None, "y", None]})

    # when
    found = between("key", before, after)

    # then a null beside a missing column is no difference, nor is 1 beside 1.0
    assert (found.columns.added, found.columns.removed, found.columns.retyped) == (("new",), ("old",), (("n", "Int64", "Float64"),))
    assert found.fields.rows() == [("b", True, True, True)]
    assert (found.added["key"].to_list(), found.removed["key"].to_list()) == (["d"], ["c"])


def test_values_of_types_that_have_nothing_in_common_are_compared_as_text():
    found = between("key", pl.DataFrame({"key": ["a", "b"], "v": [[1], [2]]}), pl.DataFrame({"key": ["a", "b"], "v": ["[1]", "2"]}))
    assert found.after["key"].to_list() == ["b"]
