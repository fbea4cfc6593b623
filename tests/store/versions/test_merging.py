"""Merges by key and field, held against a merge of single rows in plain Python, and the laws that any merge must keep."""

from __future__ import annotations

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from labelkit.errors import SchemaMismatch
from labelkit.store.database import Database
from labelkit.store.versions.canonical import canonical
from labelkit.store.versions.chunking import Chunking, read_chunks
from labelkit.store.versions.merging import planned
from tests.store.keyed import KEYS, frame

SOME = KEYS[:: len(KEYS) // 8]
SIDES = st.dictionaries(st.sampled_from(SOME), st.tuples(st.sampled_from(["cat", "dog", None]), st.sampled_from([0.5, 1.0, None])))


@pytest.fixture(scope="module")
def database():
    with Database.open(":memory:", user="ana") as opened:
        yield opened


@pytest.fixture(scope="module")
def chunking(database):
    return Chunking(database)


def tree(chunking, rows):
    return chunking.whole(canonical(rows if isinstance(rows, pl.DataFrame) else frame(rows), "key")).tree


def merged(chunking, database, base, ours, theirs, prefer=None):
    plan = planned(database.objects, base, ours, theirs, prefer)
    return plan, chunking.changed(plan.target, plan.rows, plan.removed).tree


def by_hand(base, ours, theirs, prefer=None):
    """Merge tables row by row: the rows without conflicts, and each conflict as key and field."""
    rows, conflicts = {}, set()
    for key in base.keys() | ours.keys() | theirs.keys():
        was, mine, other = base.get(key), ours.get(key), theirs.get(key)
        if other in (mine, was):
            row = mine
        elif mine == was:
            row = other
        elif mine is None or other is None:
            row = {"ours": mine, "theirs": other, None: mine}[prefer]
            conflicts |= {(key, None)} if prefer is None else set()
        else:
            fields = []
            for position, name in enumerate(("label", "score")):
                values = [None if side is None else side[position] for side in (was, mine, other)]
                if values[1] == values[2] or (was is not None and values[2] == values[0]):
                    fields.append(values[1])
                elif was is not None and values[1] == values[0]:
                    fields.append(values[2])
                else:
                    fields.append(values[2] if prefer == "theirs" else values[1])
                    conflicts |= {(key, name)} if prefer is None else set()
            row = tuple(fields)
        if row is not None:
            rows[key] = row
    return rows, conflicts


@settings(max_examples=30)
@given(base=SIDES, ours=SIDES, theirs=SIDES, prefer=st.sampled_from([None, "ours", "theirs"]))
def test_a_merge_does_what_a_merge_of_single_rows_does(database, chunking, base, ours, theirs, prefer):
    # given
    rows, conflicts = by_hand(base, ours, theirs, prefer)
    trees = [tree(chunking, side) for side in (base, ours, theirs)]

    # when
    plan, result = merged(chunking, database, *trees, prefer)

    # then
    assert set(plan.conflicts.select("key", "field").iter_rows()) == conflicts
    torn = {key for key, _ in conflicts}
    expected = {key: row for key, row in rows.items() if key not in torn} | {key: ours[key] for key in torn if key in ours}
    assert result == tree(chunking, expected)


@settings(max_examples=12)
@given(base=SIDES, ours=SIDES, theirs=SIDES)
def test_the_laws_of_merging_hold(database, chunking, base, ours, theirs):
    b, o, t = (tree(chunking, side) for side in (base, ours, theirs))

    # with itself, and with what it descends from: nothing happens
    assert merged(chunking, database, b, o, o)[1] == o
    assert merged(chunking, database, b, o, b)[1] == o
    # what only the other side did is taken whole
    assert merged(chunking, database, b, b, t)[1] == t
    # and which side is ours decides nothing but the names, and who wins where one is told to
    assert merged(chunking, database, b, o, t, "ours")[1] == merged(chunking, database, b, t, o, "theirs")[1]
    one, other = (planned(database.objects, b, *sides).conflicts for sides in ((o, t), (t, o)))
    swapped = other.rename({"ours_did": "theirs_did", "theirs_did": "ours_did", "ours": "theirs", "theirs": "ours"})
    assert one.sort("key", "field").equals(swapped.select(one.columns).sort("key", "field"))


def test_edits_of_other_rows_come_together(database, chunking):
    # given
    base = dict.fromkeys(KEYS, ("cat", 0.5))
    ours, theirs = base | {KEYS[0]: ("dog", 0.5)}, base | {KEYS[-1]: ("dog", 0.5)}
    del theirs[KEYS[5]]

    # when
    plan, result = merged(chunking, database, *(tree(chunking, side) for side in (base, ours, theirs)))

    # then
    assert plan.conflicts.is_empty()
    both = base | {KEYS[0]: ("dog", 0.5), KEYS[-1]: ("dog", 0.5)}
    del both[KEYS[5]]
    assert result == tree(chunking, both)


def test_a_conflict_is_a_row_with_what_each_side_says(database, chunking):
    sides = [tree(chunking, {"a": ("cat", 0.5)}), tree(chunking, {"a": ("dog", 1.0)}), tree(chunking, {"a": ("cow", 1.0)})]
    assert planned(database.objects, *sides).conflicts.to_dicts() == [
        {"key": "a", "field": "label", "ours_did": "modified", "theirs_did": "modified", "base": "cat", "ours": "dog", "theirs": "cow"}
    ]


COLUMNS = pl.DataFrame({"key": ["a", "b"], "n": [1, 2]})


@pytest.mark.parametrize(
    ("ours", "theirs", "result"),
    [
        pytest.param(
            COLUMNS.with_columns(x=pl.Series(["new", None])),
            pl.DataFrame({"key": ["a", "c"], "n": [9, 3]}),
            pl.DataFrame({"key": ["a", "c"], "n": [9, 3], "x": ["new", None]}),
            id="a column more here, edits there",
        ),
        pytest.param(
            pl.DataFrame({"key": ["a", "b"], "n": [1, 5]}),
            COLUMNS.with_columns(n=pl.col("n").cast(pl.Float64())),
            pl.DataFrame({"key": ["a", "b"], "n": [1.0, 5.0]}),
            id="another type there, edits here",
        ),
        pytest.param(
            COLUMNS.select("key"),
            pl.DataFrame({"key": ["a"], "n": [1]}),
            pl.DataFrame({"key": ["a"]}),
            id="a column less here, a row less there",
        ),
    ],
)
def test_columns_that_one_side_changed_are_merged_from_either_side(database, chunking, ours, theirs, result):
    b, o, t = (tree(chunking, side) for side in (COLUMNS, ours, theirs))
    for sides in ((b, o, t), (b, t, o)):
        plan, found = merged(chunking, database, *sides)
        assert plan.conflicts.is_empty()
        assert read_chunks(database.objects, found, found.chunks).equals(canonical(result, "key"))


@pytest.mark.parametrize(
    ("ours", "theirs", "says"),
    [
        pytest.param(COLUMNS.with_columns(x=1), COLUMNS.with_columns(y=1), "both sides changed the columns", id="both"),
        pytest.param(
            COLUMNS.select("key"), pl.DataFrame({"key": ["a", "b"], "n": [1, 9]}), "the other put values into it", id="a lost edit"
        ),
        pytest.param(
            COLUMNS.with_columns(n=pl.col("n").cast(pl.Int8())),
            pl.DataFrame({"key": ["a", "b"], "n": [1, 999]}),
            "values of column n are no Int8",
            id="no room",
        ),
    ],
)
def test_columns_that_cannot_be_merged_are_refused_from_either_side(database, chunking, ours, theirs, says):
    b, o, t = (tree(chunking, side) for side in (COLUMNS, ours, theirs))
    for sides in ((b, o, t), (b, t, o)):
        with pytest.raises(SchemaMismatch, match=says):
            planned(database.objects, *sides)
