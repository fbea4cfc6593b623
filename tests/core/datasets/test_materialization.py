"""What a materialization is made of: modes, its machine, whole pixels, and how far a run is."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labelkit.core.datasets.materialization import (
    MATERIALIZATION,
    Failure,
    MaterializationStatus,
    MaterializationStep,
    Mode,
    ShardOutcome,
    Tally,
    missing_assets,
    pixels,
    shard_size,
    size_text,
    status_after,
    without_secrets,
)
from labelkit.core.geometry import Box

SIDES = st.floats(-200, 200, allow_nan=False)
FAILED = (Failure(0, "k", "FRAME_MISSING", "gone"),)


@given(SIDES, SIDES, st.floats(0.001, 200), st.floats(0.001, 200))
def test_a_crop_has_exactly_the_pixels_that_the_box_touches_in_the_frame(x, y, width, height):
    box = Box(x, y, width, height)
    inside = [
        (column, row)
        for column in range(30)
        for row in range(20)
        if x < column + 1 and x + width > column and y < row + 1 and y + height > row
    ]
    found = pixels(box, 30, 20)
    if found is None:
        assert inside == []
    else:
        left, top, right, bottom = found
        assert inside == [(column, row) for column in range(left, right) for row in range(top, bottom)]


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_a_box_without_finite_numbers_has_no_pixels(value):
    assert pixels(Box(value, 0.0, 5.0, 5.0), 30, 20) is None


def test_every_state_may_start_again_and_only_a_run_ends():
    for state, step, after in MATERIALIZATION.every_pair():
        if step is MaterializationStep.START:
            assert after is MaterializationStatus.PENDING
        else:
            assert (after is not None) == (state is MaterializationStatus.PENDING)


@pytest.mark.parametrize(
    ("outcomes", "status", "missing", "gone"),
    [
        pytest.param([ShardOutcome(0, 5, 0, 0, 50), ShardOutcome(1, 0, 5, 0, 50)], "complete", 0, 0, id="all done"),
        pytest.param([ShardOutcome(0, 5, 0, 0, 50)], "partial", 1, 0, id="one not tried"),
        pytest.param([ShardOutcome(0, 5, 0, 0, 50), ShardOutcome(1, 4, 0, 1, 40, FAILED)], "partial", 0, 0, id="one failed"),
        pytest.param([ShardOutcome(0, 0, 0, 5, 0, FAILED), ShardOutcome(1, 0, 0, 5, 0, FAILED)], "partial", 0, 10, id="no file at all"),
        pytest.param([], "partial", 2, 10, id="nothing tried"),
    ],
)
def test_a_run_is_complete_when_every_shard_is_done(outcomes, status, missing, gone):
    # when
    tally = Tally(2, 10)
    for outcome in outcomes:
        tally = tally.with_outcome(outcome, 1.0)

    # then
    assert (status_after(tally), tally.missing) == (status, missing)
    assert (missing_assets(tally, 0), missing_assets(tally, 3)) == (gone, gone or 3)


def test_a_set_without_a_box_has_all_its_crops():
    tally = Tally(1, 0).with_outcome(ShardOutcome(0, 0, 0, 0, 0), 0.1)
    assert (status_after(tally), missing_assets(tally, 0)) == ("complete", 0)


@pytest.mark.parametrize(("asked", "kept", "size"), [(None, None, 1024), (300, None, 300), (300, 512, 512), (None, 7, 7)])
def test_an_earlier_run_keeps_its_shards(asked, kept, size):
    assert shard_size(asked, kept, Mode.LINK) == size


def test_a_bar_says_shards_files_bytes_and_seconds():
    tally = Tally(4, 40, done=1, failed=1, made=15, kept=2, absent=3, byte_count=1_500_000, seconds=2.5)
    assert str(tally) == "█" * 12 + "░" * 12 + " 2/4 shards, 1 failed, 17 files, 1.5 MB, 2.5 s"


@pytest.mark.parametrize(
    ("count", "text"), [(0, "0 B"), (1_000, "1.0 kB"), (12_345_678_901, "12.3 GB"), (5_000_000_000_000_000, "5000.0 TB")]
)
def test_sizes_as_people_read_them(count, text):
    assert size_text(count) == text


@pytest.mark.parametrize(
    ("url", "kept"),
    [
        ("/data/out", "/data/out"),
        ("/data/me@home/out", "/data/me@home/out"),
        ("s3://bucket/a@b", "s3://bucket/a@b"),
        ("ftp://me:secret@host/x", "ftp://host/x"),
    ],
)
def test_an_address_is_kept_without_its_secrets(url, kept):
    assert without_secrets(url) == kept
