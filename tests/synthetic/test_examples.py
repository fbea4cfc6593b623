"""Drawn golden examples: as many as asked for, all different, the same for a seed, and fit for the type that they are of."""

from __future__ import annotations

import pytest

import labelkit
from labelkit.errors import InvalidValue
from labelkit.synthetic.examples import contact_tiers


def test_every_contact_there_is_fits_its_type_and_is_another_example():
    with labelkit.open(":memory:") as ws:
        report = ws.golden.add("contact_tier", contact_tiers(400))
    assert (report.added, report.present, report.refused.height) == (400, 0, 0)


def test_a_seed_draws_the_same_examples_of_all_tiers_every_time():
    drawn = contact_tiers(60, seed=3)
    assert drawn == contact_tiers(60, seed=3) != contact_tiers(60, seed=4)
    assert {one["expected_output"]["tier"] for one in drawn} == set("ABCD")


@pytest.mark.parametrize("count", [0, 401])
def test_more_than_there_are_or_none_is_refused(count):
    with pytest.raises(InvalidValue, match="400 contacts"):
        contact_tiers(count)
