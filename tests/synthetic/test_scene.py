"""The drawn match as numbers: plausible motion, decided by the seed alone."""

from __future__ import annotations

import math
from itertools import pairwise
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labelkit.synthetic import scene

CAMERA = scene.Camera(x_m=0.0, focal_px=1346.0, centre_px=(672.0, 286.0))


@given(seed=st.integers(0, 10_000), frames=st.integers(1, 60), centre=st.floats(-26, 26))
def test_nobody_outruns_an_athlete_and_the_ball_is_never_teleported(seed, frames, centre):
    # when a passage is played
    instants = scene.play(Random(seed), frames=frames, centre_m=centre)

    # then
    assert len(instants) == frames
    assert max(person.speed for instant in instants for person in instant.people) < 9
    for before, after in pairwise(instants):
        assert math.dist(before.ball[:2], after.ball[:2]) * scene.FRAMES_PER_SECOND < 25


def test_both_teams_are_complete_and_the_same_seed_plays_the_same_match():
    # given
    instants = scene.play(Random(3), frames=5, centre_m=0)

    # then
    sides = [person.side for person in instants[0].people]
    assert {side: sides.count(side) for side in scene.Side} == {
        scene.Side.HOME: 10,
        scene.Side.AWAY: 10,
        scene.Side.HOME_KEEPER: 1,
        scene.Side.AWAY_KEEPER: 1,
        scene.Side.REFEREE: 2,
    }
    assert instants == scene.play(Random(3), frames=5, centre_m=0)
    assert instants != scene.play(Random(4), frames=5, centre_m=0)


@pytest.mark.parametrize(
    ("nearer", "farther"),
    [pytest.param(5.0, 60.0, id="far side"), pytest.param(33.0, 34.0, id="one metre")],
)
def test_what_is_farther_away_is_smaller_and_higher_in_the_picture(nearer, farther):
    assert CAMERA.scale(farther) < CAMERA.scale(nearer)
    assert CAMERA.project(0, farther)[1] < CAMERA.project(0, nearer)[1]


def test_the_pan_stays_in_the_panorama_keeps_the_ball_in_view_and_moves_calmly():
    # given a long passage
    instants = scene.play(Random(11), frames=80, centre_m=0)

    # when
    lefts = scene.pan(CAMERA, instants, width_px=960, panorama_px=1344, steps_per_px=2)

    # then
    assert all(0 <= left <= 1344 - 960 and left * 2 == int(left * 2) for left in lefts)
    assert all(0 < CAMERA.project(*instant.ball)[0] - left < 960 for instant, left in zip(instants, lefts, strict=True))
    assert max(abs(after - before) for before, after in pairwise(lefts)) < 30
