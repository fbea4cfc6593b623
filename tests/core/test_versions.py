"""The identity of a snapshot: a digest over its chunks."""

from __future__ import annotations

import pytest

from labelkit.core.versions import ChangeCount, Chunk, Tree, row_digests, version_step
from labelkit.errors import InvalidValue

CHUNKS = (Chunk("a", 3, "d1", "o1"), Chunk("k", 2, "d2", "o2"), Chunk("t", 1, "d3", "o3"))
TREE = Tree("key", CHUNKS)


def test_the_digest_of_a_tree_is_of_counts_keys_and_chunk_digests():
    assert TREE.digest.value == "06bb8445342cb1212f8546aeb02c0c6f376c9f341f60f94c7ed96f40b41417aa"
    assert Tree("key", ()).digest != TREE.digest
    assert Tree("other", CHUNKS).digest != TREE.digest


def test_how_a_writer_compressed_a_chunk_does_not_change_the_digest():
    assert Tree("key", (Chunk("a", 3, "d1", "other"), *CHUNKS[1:])).digest == TREE.digest


def test_a_tree_knows_its_rows_and_its_objects():
    assert (TREE.rows, TREE.objects) == (6, ["o1", "o2", "o3"])


def test_only_chunks_that_can_hold_later_keys_come_after_a_key():
    assert [[c.first_key for c in TREE.after(key).chunks] for key in (None, "A", "a", "j", "k", "z")] == [
        ["a", "k", "t"],
        ["a", "k", "t"],
        ["a", "k", "t"],
        ["a", "k", "t"],
        ["k", "t"],
        ["t"],
    ]


def test_one_chunk_can_hold_a_key():
    assert [getattr(TREE.holding(key), "first_key", None) for key in ("A", "a", "j", "k", "z")] == [None, "a", "a", "k", "t"]


def test_the_digest_of_a_chunk_is_of_its_rows_in_order():
    assert row_digests(["a", "b"]) == "911169ddaaf146aff539f58c26c489af3b892dff0fe283c1c264c65ae5aa59a2"
    assert row_digests(["a", "b"]) != row_digests(["b", "a"])


# After the section on versions of Croissant 1.1.
STEPS = {
    "nothing": (ChangeCount(), {}, "patch", "1.4.3"),
    "rows more": (ChangeCount(added=3), {}, "minor", "1.5.0"),
    "a column more": (ChangeCount(), {"columns_added": ["notes"]}, "minor", "1.5.0"),
    "rows edited or put into another split": (ChangeCount(modified=1), {}, "major", "2.0.0"),
    "rows removed": (ChangeCount(removed=1), {}, "major", "2.0.0"),
    "rows more and rows edited": (ChangeCount(added=9, modified=1), {}, "major", "2.0.0"),
    "a column less": (ChangeCount(), {"columns_removed": ["notes"]}, "major", "2.0.0"),
    "a column of another type": (ChangeCount(), {"retyped": ["score"]}, "major", "2.0.0"),
}


@pytest.mark.parametrize(("changes", "columns", "level", "following"), STEPS.values(), ids=STEPS)
def test_the_part_of_a_version_number_that_grows_is_croissants(changes, columns, level, following):
    step = version_step(changes, **({"columns_added": [], "columns_removed": [], "retyped": []} | columns))
    assert (step.level, step.after("1.4.2"), step.after("v1.4.2")) == (level, following, f"v{following}")


def test_only_numbers_of_three_parts_have_one_that_follows():
    with pytest.raises(InvalidValue, match=r"1\.4"):
        version_step(ChangeCount(), columns_added=[], columns_removed=[], retyped=[]).after("1.4")
