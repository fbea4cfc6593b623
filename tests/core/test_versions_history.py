"""Commits, refs, ancestors and version numbers as values."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labelkit.core.versions import MERGE, Change, ChangeCount, Commit, Ref, ancestors, label, merge_base, version_step
from labelkit.errors import InvalidValue

NOON = datetime(2026, 3, 1, 12, 0, 0, 250_000, tzinfo=UTC)
COMMIT = Commit(("a" * 64,), "b" * 64, ChangeCount(1, 2, 3), "ana", NOON, "better tiers")


def changed(**fields) -> Commit:
    return Commit(
        **({name: getattr(COMMIT, name) for name in ("parents", "tree", "changes", "author", "committed_at", "message")} | fields)
    )


def test_the_id_of_a_commit_is_what_it_is_for_ever():
    assert COMMIT.id == "485741c6d7d9901f58d68d37c32ae11e3dadd0fb71b19c46d3b5afdee815485a"


@pytest.mark.parametrize(
    "other",
    [
        pytest.param(changed(parents=()), id="parents"),
        pytest.param(changed(parents=("a" * 64, "c" * 64)), id="a merge"),
        pytest.param(changed(tree="c" * 64), id="tree"),
        pytest.param(changed(changes=ChangeCount(1, 2, 4)), id="changes"),
        pytest.param(changed(author="ben"), id="author"),
        pytest.param(changed(committed_at=NOON + timedelta(microseconds=1)), id="time"),
        pytest.param(changed(message="Better tiers"), id="message"),
    ],
)
def test_everything_about_a_commit_is_part_of_its_id(other):
    assert other.id != COMMIT.id


def test_the_zone_of_a_time_is_no_part_of_it():
    assert changed(committed_at=NOON.astimezone(timezone(timedelta(hours=2)))).id == COMMIT.id


@pytest.mark.parametrize(
    ("text", "name", "at"),
    [
        pytest.param("golden/contact-tier", "golden/contact-tier", "main", id="a name"),
        pytest.param("tiers@v1", "tiers", "v1", id="a tag"),
        pytest.param("tiers@feature/x.2", "tiers", "feature/x.2", id="a branch"),
        pytest.param("tiers@0123abcd", "tiers", "0123abcd", id="a commit of a name"),
        pytest.param("0123abcd", None, "0123abcd", id="a commit"),
        pytest.param("0123abc", "0123abc", "main", id="too short for a commit"),
    ],
)
def test_a_text_is_a_ref(text, name, at):
    assert Ref.parse(text) == Ref(name, at)


@pytest.mark.parametrize("text", ["", "@v1", "a@", "a b", "/a", "a/", "a//b", "../a", "a@b@c", "-a", "a\n"])
def test_a_text_that_is_no_ref_is_refused(text):
    with pytest.raises(InvalidValue):
        Ref.parse(text)


def test_a_new_name_must_not_read_like_a_commit():
    assert label("v1", "tag") == "v1"
    with pytest.raises(InvalidValue, match="reads like the id of a commit"):
        label("deadbeef", "tag")


#     a --- b --- d --- f
#      \         /     /
#       c ------+     e   (e has no parent)
PARENTS = {"a": (), "b": ("a",), "c": ("a",), "d": ("b", "c"), "e": (), "f": ("d", "e")}


@pytest.mark.parametrize(
    ("ours", "theirs", "base"),
    [
        pytest.param("b", "c", "a", id="two branches"),
        pytest.param("d", "c", "c", id="merged already"),
        pytest.param("b", "d", "b", id="behind"),
        pytest.param("b", "b", "b", id="the same"),
        pytest.param("b", "e", None, id="nothing in common"),
        pytest.param("f", "e", "e", id="joined roots"),
    ],
)
def test_the_base_of_a_merge_is_the_newest_commit_that_both_descend_from(ours, theirs, base):
    assert merge_base(ours, theirs, PARENTS) == base


@given(st.lists(st.lists(st.integers(0, 30), max_size=2), min_size=1, max_size=30))
def test_every_ancestor_comes_once_and_children_before_parents(graph):
    # given commits whose parents are earlier commits
    parents = {str(n): tuple(dict.fromkeys(str(p % n) for p in named)) if n else () for n, named in enumerate(graph)}

    # when
    order = ancestors(str(len(graph) - 1), parents)

    # then
    assert len(order) == len(set(order))
    place = {commit: position for position, commit in enumerate(order)}
    assert all(place[parent] > place[commit] for commit in order for parent in parents[commit])


def test_a_long_history_is_walked_without_recursion():
    parents = {str(n): (str(n - 1),) for n in range(1, 50_000)}
    assert len(ancestors("49999", parents)) == 50_000


def test_a_merge_answers_every_pair_that_can_happen_and_is_fair_to_both_sides():
    # given: who added a key has no base, so the other side added it too or did nothing
    possible = {
        (ours, theirs)
        for ours in Change
        for theirs in Change
        if (ours, theirs) != (Change.NONE, Change.NONE)
        and (Change.ADDED not in (ours, theirs) or {ours, theirs} <= {Change.ADDED, Change.NONE})
    }

    # then
    assert set(MERGE) == possible
    flip = {"ours": "theirs", "theirs": "ours", "by field": "by field", "conflict": "conflict"}
    assert all(flip[MERGE[a, b]] == MERGE[b, a] for a, b in possible if a != b)


@pytest.mark.parametrize(
    ("changes", "columns", "level", "following"),
    [
        pytest.param(ChangeCount(), {}, "patch", "1.4.3", id="nothing"),
        pytest.param(ChangeCount(added=3), {}, "minor", "1.5.0", id="more rows"),
        pytest.param(ChangeCount(), {"columns_added": ["x"]}, "minor", "1.5.0", id="a column more"),
        pytest.param(ChangeCount(added=3, removed=1), {}, "major", "2.0.0", id="a row less"),
        pytest.param(ChangeCount(modified=1), {}, "major", "2.0.0", id="another value"),
        pytest.param(ChangeCount(), {"columns_removed": ["x"]}, "major", "2.0.0", id="a column less"),
        pytest.param(ChangeCount(), {"retyped": ["x"]}, "major", "2.0.0", id="another type"),
    ],
)
def test_a_version_number_grows_by_what_happened_to_existing_data(changes, columns, level, following):
    step = version_step(changes, **({"columns_added": [], "columns_removed": [], "retyped": []} | columns))
    assert (step.level, step.after("1.4.2"), step.after("v1.4.2")) == (level, following, f"v{following}")


def test_a_version_that_is_no_number_is_refused():
    with pytest.raises(InvalidValue):
        version_step(ChangeCount(), columns_added=[], columns_removed=[], retyped=[]).after("1.4")
