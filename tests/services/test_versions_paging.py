"""Looking through a difference: pages in key order, filters over whole columns, counts by class and group."""

from __future__ import annotations

import time

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import labelkit
from labelkit import LabelkitError
from tests.widgets.differences import NAME, examples, many, rebuilt

MANY = 200_000
KEYS = {number: f"ex_{number:032x}" for number in range(13)}


@pytest.fixture(scope="module")
def diff():
    with examples() as ws:
        yield ws.versions.diff(f"{NAME}@v1", NAME)


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        pytest.param({}, [0, 2, 3, 5, 12], id="all, in key order"),
        pytest.param({"change": "added"}, [12], id="added"),
        pytest.param({"change": "removed"}, [0], id="removed"),
        pytest.param({"change": "modified"}, [2, 3, 5], id="modified"),
        pytest.param({"field": "score"}, [3, 5], id="a field that changed"),
        pytest.param({"text": "THIS month"}, [2], id="text of after, in other letters"),
        pytest.param({"text": "about prices (next"}, [], id="text is no pattern"),
        pytest.param({"text": f"{3:032x}"}, [3], id="text in the key"),
        pytest.param({"where": {"split": "test"}}, [0, 3, 12], id="a value of a column"),
        pytest.param({"where": {"split": "test"}, "change": "modified", "field": "score"}, [3], id="all of it"),
    ],
)
def test_a_page_has_the_rows_that_have_everything_that_is_asked_for(diff, asked, expected):
    page = diff.page(**asked)
    assert page.rows["key"].to_list() == [KEYS[number] for number in expected]
    assert (len(page), page.total, page.offset) == (len(expected), len(expected), 0)


def test_a_row_says_what_became_of_it_with_all_other_columns_before_and_after(diff):
    # when
    rows = {row["key"]: row for row in diff.page().rows.iter_rows(named=True)}

    # then
    gone, changed, new = rows[KEYS[0]], rows[KEYS[5]], rows[KEYS[12]]
    assert (gone["change"], gone["after"], gone["before"]["score"]) == ("removed", None, 80.0)
    assert (new["change"], new["before"], new["fields"]) == ("added", None, [])
    assert (changed["change"], changed["fields"]) == ("modified", ["expected_output", "score"])
    assert (changed["before"]["expected_output"], changed["after"]["expected_output"]) == ('{"tier": "B"}', '{"tier": "A"}')
    assert diff.paging.row(3) == changed


def test_the_place_of_a_row_in_a_filter_is_told_or_that_it_is_not_there(diff):
    assert [diff.paging.position(at, field="score") for at in range(5)] == [None, None, 0, 1, None]


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 7), st.integers(0, 7))
def test_pages_of_any_size_are_stretches_of_the_whole(diff, offset, limit):
    assert diff.page(offset=offset, limit=limit).rows.equals(diff.page().rows.slice(offset, limit))


@pytest.mark.parametrize(
    ("asked", "code", "near"),
    [
        ({"change": "add"}, "NOT_FOUND", "added"),
        ({"field": "scor"}, "NOT_FOUND", "score"),
        ({"where": {"spilt": "test"}}, "NOT_FOUND", "split"),
        ({"label": "player"}, "NOT_FOUND", "player"),
        ({"offset": -1}, "INVALID_VALUE", "-1"),
    ],
)
def test_what_does_not_exist_is_refused_with_the_nearest(diff, asked, code, near):
    with pytest.raises(LabelkitError, match=near) as refused:
        diff.page(**asked)
    assert refused.value.code == code


def test_rows_are_counted_by_group_and_labels_by_class(diff, tmp_path):
    # given
    ws, before, after = rebuilt(tmp_path)
    with ws:
        labels = ws.versions.diff(before, after)

        # then
        assert diff.paging.groups["split"].rows() == [("test", 1, 1, 1), ("train", 0, 0, 2)]
        assert {row[0]: row[1:] for row in labels.paging.classes.rows()} == {
            "ball": (1, 0, 0),
            "goalkeeper": (0, 0, 1),
            "player": (0, 1, 1),
        }
        assert labels.page(label="goalkeeper").total == 1
        assert diff.paging.classes.is_empty()


def test_a_label_whose_score_alone_differs_is_not_counted_as_changed():
    # given
    def frame(score, label):
        return pl.DataFrame(
            {
                "id": ["f"],
                "annotations": [
                    [{"id": "a", "label": "ball", "x": 1.0, "score": score}, {"id": "b", "label": label, "x": 1.0, "score": 0.5}]
                ],
            }
        )

    with labelkit.open(":memory:") as ws:
        commits = [ws.versions.commit("frames", frame(*one), key="id") for one in ((0.5, "ball"), (0.9, "player"))]

        # then
        assert ws.versions.diff(*commits).paging.classes.rows() == [("player", 0, 0, 1)]


def test_columns_that_came_went_or_have_another_type_are_looked_through_too():
    # given
    with labelkit.open(":memory:") as ws:
        a = ws.versions.commit(
            "rows", pl.DataFrame({"id": [1, 2, 3], "n": [1, 2, 3], "old": ["x", "y", None], "label": ["a", "b", "a"]}), key="id"
        )
        b = ws.versions.commit(
            "rows", pl.DataFrame({"id": [1, 2, 4], "n": [1.0, 2.5, 4.0], "new": ["z", None, "z"], "label": ["a", "a", "b"]})
        )
        diff = ws.versions.diff(a, b)

        # then
        assert diff.page(text="y").rows["key"].to_list() == [2]
        assert diff.page(field="old").rows["key"].to_list() == [1, 2]
        assert diff.page(where={"new": "z"}).rows["key"].to_list() == [1, 4]
        assert diff.page(label="b").rows["key"].to_list() == [2, 4]
        assert diff.paging.classes.rows() == [("a", 0, 1, 2), ("b", 1, 0, 0)]
        assert diff.page().rows.schema["key"] == pl.Int64()


def test_a_key_without_other_columns_and_equal_versions_have_pages_too():
    with labelkit.open(":memory:") as ws:
        a = ws.versions.commit("keys", pl.DataFrame({"id": ["a", "b"]}), key="id")
        b = ws.versions.commit("keys", pl.DataFrame({"id": ["b", "c"]}))
        assert ws.versions.diff(a, b).page().rows.select("key", "change").rows() == [("a", "removed"), ("c", "added")]
        assert (ws.versions.diff(a, a).page().total, ws.versions.diff(a, a).page(text="a").total) == (0, 0)


def test_a_page_of_many_rows_costs_what_it_shows_once_its_filter_was_worked_out():
    with many(MANY) as ws:
        # given
        diff = ws.versions.diff("many@v1", "many")
        assert diff.page(field="text").total == MANY // 3 + 1

        # when
        took = []
        for offset in (0, 30_000, 66_000):
            began = time.perf_counter()
            page = diff.page(field="text", offset=offset)
            took.append(time.perf_counter() - began)

        # then
        assert page.rows["key"][0] == "row-0198000"
        assert min(took) < 0.1
