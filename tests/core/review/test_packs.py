"""Label packs: approve, reject, revoke, with reasons, in the states that allow it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from labelkit.core.review.packs import PACK as MACHINE
from labelkit.core.review.packs import PackStep, ReviewStatus, ValidationStatus, decide_pack_step
from labelkit.errors import LabelkitError
from tests.core.review.scopes import pack

EVERY_PAIR = [pytest.param(state, step, after, id=f"{state}, {step}") for state, step, after in MACHINE.every_pair()]


@pytest.mark.parametrize(("state", "step", "after"), EVERY_PAIR)
def test_a_pack_makes_each_legal_step_with_a_reason_and_no_other(state, step, after):
    # given
    before = pack(review=state)

    # when it is legal, then the next status and the trimmed reason come back
    if after is not None:
        assert decide_pack_step(before, step, "  looks right ") == (after, "looks right")
        return

    # when it is not, then the pack is as it was
    with pytest.raises(LabelkitError) as refusal:
        decide_pack_step(before, step, "looks right")
    assert refusal.value.code == "ILLEGAL_STEP"
    assert before == pack(review=state)


@pytest.mark.parametrize("step", PackStep)
@pytest.mark.parametrize("reason", [None, "", "   ", "\n\t"])
def test_every_step_needs_a_reason_that_says_something(step, reason):
    with pytest.raises(LabelkitError) as refusal:
        decide_pack_step(pack(review="pending"), step, reason)
    assert refusal.value.code == "REASON_REQUIRED"


@pytest.mark.parametrize("validation", ["pending", "failed"])
@pytest.mark.parametrize("review", ["pending", "rejected", "revoked"])
def test_a_pack_is_approved_only_after_its_validation_passed(review, validation):
    with pytest.raises(LabelkitError) as refusal:
        decide_pack_step(pack(review=review, validation=validation), PackStep.APPROVE, "looks right")
    assert refusal.value.code == "LABEL_PACK_NOT_APPROVED"


@pytest.mark.parametrize("validation", ValidationStatus)
@pytest.mark.parametrize("review", ReviewStatus)
def test_only_an_approved_pack_that_passed_can_be_published_into(review, validation):
    assert pack(review=review, validation=validation).publishable is (review == "approved" and validation == "passed")


def test_a_pack_whose_validation_failed_can_still_be_revoked():
    assert decide_pack_step(replace(pack(validation="failed")), PackStep.REVOKE, "broken")[0] is ReviewStatus.REVOKED
