"""Pairing two label sets without shared ids: greedy, best first, deterministic."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labelkit.core.geometry import Box, Point
from labelkit.core.matching import Pair, match

BOXES = st.lists(st.builds(Box.at, st.floats(0, 50), st.floats(0, 50), st.floats(1, 30), st.floats(1, 30)), max_size=8)


def pairs(*args, **options) -> list[tuple[int, int]]:
    return [(pair.left, pair.right) for pair in match(*args, **options)]


@pytest.mark.parametrize(
    ("left", "right", "expected"),
    [
        pytest.param([Box(0, 0, 10, 10)], [Box(0, 0, 10, 10)], [(0, 0)], id="equal boxes"),
        pytest.param([Box(0, 0, 10, 10)], [Box(20, 0, 10, 10)], [], id="boxes apart"),
        pytest.param([Box(0, 0, 10, 10)], [Box(0, 0, 10, 3)], [(0, 0)], id="an overlap of exactly 0.3"),
        pytest.param([Box(0, 0, 10, 10)], [Box(0, 0, 10, 2.99)], [], id="an overlap just below"),
        pytest.param([Box(0, 0, 10, 10), Box(1, 0, 10, 10)], [Box(1, 0, 10, 10)], [(1, 0)], id="the better one wins"),
        pytest.param([Box(0, 0, 10, 10)] * 2, [Box(0, 0, 10, 10)] * 2, [(0, 0), (1, 1)], id="ties go to the first in order"),
        pytest.param([Point(0, 0)], [Point(12, 16)], [(0, 0)], id="points 20 px apart"),
        pytest.param([Point(0, 0)], [Point(12, 16.1)], [], id="points further apart"),
        pytest.param([Point(5, 5)], [Box(0, 0, 10, 10)], [], id="a point is no box"),
        pytest.param([], [Box(0, 0, 1, 1)], [], id="nothing to pair"),
    ],
)
def test_pairs_are_found_at_the_default_thresholds(left, right, expected):
    assert pairs(left, right) == expected


def test_thresholds_can_be_given():
    assert pairs([Box(0, 0, 10, 10)], [Box(0, 0, 10, 4)], least_iou=0.5) == []
    assert match([Point(0, 0)], [Point(3, 4)], most_px=5) == [Pair(0, 0, -5.0)]


@given(BOXES, BOXES)
def test_pairs_are_disjoint_and_best_first(left, right):
    found = match(left, right)
    assert len({pair.left for pair in found}) == len({pair.right for pair in found}) == len(found)
    assert [pair.score for pair in found] == sorted((pair.score for pair in found), reverse=True)


@given(BOXES)
def test_a_set_pairs_with_itself_completely(boxes):
    assert len(match(boxes, boxes)) == len(boxes)
