"""The tally of a pipeline: rows add up, or there is no tally."""

from __future__ import annotations

import json

import pytest

from labelkit.core.golden.pipeline import Place, Reason, Tally

TALLY = Tally(10, {Place.NEW: 4, Place.FILTERED: 3, Place.REFUSED: 2, Place.PRESENT: 1}, {"sure": 3}, {"SCHEMA": 2}, {"gold": 4})


def test_a_tally_is_plain_json_and_back():
    assert Tally.of_json(json.loads(json.dumps(TALLY.as_json()))) == TALLY
    assert (TALLY.kept, TALLY.count(Place.CHANGED), TALLY.as_json()["duplicate"]) == (4, 0, 0)


@pytest.mark.parametrize(
    "wrong",
    [
        pytest.param((11, TALLY.places, TALLY.filters, TALLY.reasons), id="a row without a place"),
        pytest.param((10, TALLY.places, {}, TALLY.reasons), id="a filter too few"),
        pytest.param((10, TALLY.places, TALLY.filters, {"SCHEMA": 3}), id="a reason too many"),
    ],
)
def test_rows_that_do_not_add_up_are_no_tally(wrong):
    with pytest.raises(ValueError, match="do not add up"):
        Tally(*wrong)


def test_every_place_and_reason_has_its_sentence():
    assert all(len(place.sentence) > 10 for place in Place)
    assert all(len(reason.sentence) > 10 for reason in Reason)
