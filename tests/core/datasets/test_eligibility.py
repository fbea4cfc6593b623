"""Each rule of exclusion, its place among the others, and which revision an included pack gives."""

from __future__ import annotations

from dataclasses import replace

import pytest

from labelkit.core.datasets.eligibility import RULES, ExclusionReason, PackFacts, Policy, RevisionFacts, judge
from labelkit.core.review.packs import ReviewStatus, ValidationStatus

POLICY = Policy("player_detection", frozenset({"ws_1"}))


def revision(number: int) -> RevisionFacts:
    return RevisionFacts(f"rev_{number}", number, f"hash_{number}", f"object_{number}", 10, 9, 50)


GOOD = PackFacts(
    "pack",
    workspace_id="ws_1",
    workspace="club-a",
    media_id="med_1",
    media="match-1",
    capability="player_detection",
    review_status=ReviewStatus.APPROVED,
    validation_status=ValidationStatus.PASSED,
    approved=revision(2),
)
NO_REVISION = GOOD._replace(approved=None)


def reason_of(pack: PackFacts, policy: Policy = POLICY) -> str | None:
    return judge([pack], policy)[0].reason


@pytest.mark.parametrize(
    ("case", "pack", "reason"),
    [
        ("all is well", GOOD, None),
        ("no such pack", PackFacts("pack", found=False), "LABEL_PACK_NOT_FOUND"),
        ("a workspace that the actor may not read", GOOD._replace(workspace_id="ws_2"), "LABEL_PACK_ACCESS_DENIED"),
        ("a workspace that opted out", GOOD._replace(training_policy="opted_out"), "WORKSPACE_TRAINING_OPT_OUT"),
        ("another capability", GOOD._replace(capability="ball_detection"), "LABEL_PACK_CAPABILITY_MISMATCH"),
        ("a revoked pack, though its revision is approved", GOOD._replace(review_status=ReviewStatus.REVOKED), "LABEL_PACK_REVOKED"),
        ("no eligible revision and one revoked", NO_REVISION._replace(has_revoked=True), "LABEL_PACK_REVOKED"),
        ("one revoked, another one approved", GOOD._replace(has_revoked=True), None),
        ("a pending pack", GOOD._replace(review_status=ReviewStatus.PENDING), "LABEL_PACK_NOT_APPROVED"),
        ("a rejected pack", GOOD._replace(review_status=ReviewStatus.REJECTED), "LABEL_PACK_NOT_APPROVED"),
        ("nothing published", NO_REVISION, "LABEL_PACK_NOT_APPROVED"),
        ("only a reviewed revision", NO_REVISION._replace(reviewed=revision(3)), "LABEL_PACK_NOT_APPROVED"),
        ("validation failed", GOOD._replace(validation_status=ValidationStatus.FAILED), "LABEL_PACK_VALIDATION_NOT_PASSED"),
        ("validation pending", GOOD._replace(validation_status=ValidationStatus.PENDING), "LABEL_PACK_VALIDATION_NOT_PASSED"),
    ],
)
def test_a_pack_is_left_out_for_one_reason(case, pack, reason):
    assert reason_of(pack) == reason, case


def test_the_first_rule_in_the_order_of_the_specification_decides():
    # given a pack for which every rule but "not found" applies
    pack = NO_REVISION._replace(
        workspace_id="ws_2",
        training_policy="opted_out",
        capability="ball_detection",
        review_status=ReviewStatus.REVOKED,
        validation_status=ValidationStatus.FAILED,
    )
    repairs = [
        {"workspace_id": "ws_1"},
        {"training_policy": "allowed"},
        {"capability": "player_detection"},
        {"review_status": ReviewStatus.APPROVED},
        {"approved": revision(1)},
        {"validation_status": ValidationStatus.PASSED},
    ]

    # when what the reason names is repaired, one after the other
    seen = [reason_of(pack)]
    for repair in repairs:
        pack = pack._replace(**repair)
        seen.append(reason_of(pack))

    # then the reasons come in order, and nothing is left
    assert seen == [*[str(reason) for reason in ExclusionReason][1:], None]
    assert [reason for reason, _ in RULES] == list(ExclusionReason)


@pytest.mark.parametrize(
    ("case", "approved", "reviewed", "override", "taken"),
    [
        ("the newest approved", 2, 5, False, 2),
        ("with the override the newest of both", 2, 5, True, 5),
        ("with the override an approved one that is newer", 4, 3, True, 4),
        ("with the override a reviewed one alone", None, 1, True, 1),
    ],
)
def test_the_newest_revision_that_the_policy_accepts_is_taken(case, approved, reviewed, override, taken):
    pack = GOOD._replace(approved=revision(approved) if approved else None, reviewed=revision(reviewed) if reviewed else None)
    verdict = judge([pack], replace(POLICY, include_reviewed=override))[0]
    assert verdict.revision is not None, case
    assert (verdict.included, verdict.revision.number) == (True, taken), case


def test_a_pack_that_may_not_be_read_gives_nothing_away():
    verdict = judge([GOOD._replace(workspace_id="ws_2")], POLICY)[0]
    assert verdict.pack == PackFacts("pack")
    assert "club-a" not in verdict.why
    assert verdict.revision is None


def test_verdicts_come_in_order_of_pack_id_whatever_the_order_of_the_facts():
    packs = [GOOD._replace(pack_id=name) for name in "bca"]
    assert [verdict.pack.pack_id for verdict in judge(packs, POLICY)] == ["a", "b", "c"]


def test_every_verdict_says_in_a_sentence_which_row_decided():
    packs = {
        "Workspace club-a has training policy opted_out.": GOOD._replace(training_policy="opted_out"),
        "Its capability is ball_detection.": GOOD._replace(capability="ball_detection"),
        "The pack was revoked.": GOOD._replace(review_status=ReviewStatus.REVOKED),
        "None of its revisions is eligible, and at least one was revoked.": NO_REVISION._replace(has_revoked=True),
        "Its review status is pending.": GOOD._replace(review_status=ReviewStatus.PENDING),
        "None of its revisions is approved for datasets.": NO_REVISION,
        "Its validation status is failed.": GOOD._replace(validation_status=ValidationStatus.FAILED),
        "There is no such label pack.": PackFacts("pack", found=False),
        "Included: revision 2 (rev_2) is its newest eligible one.": GOOD,
    }
    assert {sentence: judge([pack], POLICY)[0].why for sentence, pack in packs.items()} == {sentence: sentence for sentence in packs}
