"""Eligibility of revisions for datasets, decided in order; and what a change says of itself."""

from __future__ import annotations

from dataclasses import replace

import pytest

from labelkit.core.geometry import Box
from labelkit.core.review.annotations import Annotation
from labelkit.core.review.revisions import Change, Diff, DiffSummary, Eligibility, decide_eligibility
from labelkit.errors import LabelkitError
from tests.core.review.scopes import REVISION, pack

APPROVED, REVOKED, REVIEWED = Eligibility.APPROVED, Eligibility.REVOKED, Eligibility.REVIEWED


def decide(
    now: Eligibility = REVIEWED, wanted: Eligibility = APPROVED, review: str = "approved", expected: int = 1, reason: str | None = "sound"
) -> tuple[Eligibility, str | None]:
    return decide_eligibility(replace(REVISION, eligibility=now), pack(review=review), wanted, expected, reason)


@pytest.mark.parametrize(
    ("case", "expected"),
    [
        pytest.param({}, (APPROVED, "sound"), id="approve with a reason"),
        pytest.param({"reason": None}, (APPROVED, None), id="the first approval needs none"),
        pytest.param({"reason": "  "}, (APPROVED, None), id="blanks are no reason"),
        pytest.param({"now": APPROVED, "wanted": REVOKED}, (REVOKED, "sound"), id="revoke"),
        pytest.param({"now": APPROVED, "wanted": REVOKED, "review": "revoked"}, (REVOKED, "sound"), id="revoke under a revoked pack"),
        pytest.param({"now": REVOKED}, (APPROVED, "sound"), id="approve again"),
    ],
)
def test_a_revision_becomes_eligible_or_not(case, expected):
    assert decide(**case) == expected


@pytest.mark.parametrize(
    ("case", "code"),
    [
        pytest.param({"expected": 0, "now": APPROVED, "review": "pending"}, "ELIGIBILITY_VERSION_CONFLICT", id="version before step"),
        pytest.param({"now": APPROVED, "review": "pending"}, "ILLEGAL_STEP", id="step before pack: approved is approved"),
        pytest.param({"wanted": REVOKED, "reason": None}, "ILLEGAL_STEP", id="step before reason: reviewed cannot be revoked"),
        pytest.param({"now": REVOKED, "wanted": REVOKED}, "ILLEGAL_STEP", id="revoked twice"),
        pytest.param({"now": REVOKED, "review": "pending", "reason": None}, "REVISION_NOT_ELIGIBLE", id="pack before reason"),
        pytest.param({"review": "rejected"}, "REVISION_NOT_ELIGIBLE", id="the pack is rejected"),
        pytest.param({"review": "revoked"}, "REVISION_NOT_ELIGIBLE", id="the pack is revoked"),
        pytest.param({"now": APPROVED, "wanted": REVOKED, "reason": " "}, "REASON_REQUIRED", id="revoke without reason"),
        pytest.param({"now": REVOKED, "reason": None}, "REASON_REQUIRED", id="approve again without reason"),
    ],
)
def test_the_first_rule_that_speaks_refuses(case, code):
    with pytest.raises(LabelkitError) as refusal:
        decide(**case)
    assert refusal.value.code == code


def test_a_revision_whose_pack_failed_validation_is_not_eligible():
    with pytest.raises(LabelkitError) as refusal:
        decide_eligibility(REVISION, pack(validation="failed"), APPROVED, 1, "sound")
    assert refusal.value.code == "REVISION_NOT_ELIGIBLE"


BEFORE = Annotation("a", "player", Box(0, 0, 10, 10), 0.5)


@pytest.mark.parametrize(
    ("after", "kind", "fields"),
    [
        pytest.param(replace(BEFORE, label="referee"), "modified", ("class",), id="class"),
        pytest.param(replace(BEFORE, geometry=Box(1, 0, 10, 10)), "modified", ("geometry",), id="geometry"),
        pytest.param(replace(BEFORE, attributes='{"a":1}'), "modified", ("attributes",), id="attributes"),
        pytest.param(replace(BEFORE, score=None), "modified", (), id="a score is no content"),
        pytest.param(None, "removed", (), id="gone"),
    ],
)
def test_a_change_says_what_differs(after, kind, fields):
    change = Change(3, BEFORE, after)
    assert (change.kind, change.fields) == (kind, fields)


def test_what_was_not_there_is_added():
    assert (Change(3, None, BEFORE).kind, Change(3, None, BEFORE).fields) == ("added", ())


def test_a_diff_prints_its_counts():
    summary = DiffSummary(1, 2, 3, class_changed=1, geometry_changed=2, frames_changed=4, frames=9)
    assert str(summary) == "+1 -2 ~3"
    assert repr(Diff((), (), (), (), summary)) == "<Diff +1 -2 ~3: 1 class, 2 geometry changes on 4 of 9 frames, matched by id>"
