"""Publish decisions: every rule, and of two violated rules the one that the specification names first."""

from __future__ import annotations

from dataclasses import replace

import pytest

from labelkit.core.actors import Actor
from labelkit.core.review.annotations import BALL, PLAYER
from labelkit.core.review.publishing import (
    HARD,
    Finding,
    FindingCode,
    PublishDecision,
    PublishFacts,
    PublishRequest,
    decide_publish,
    summary,
)
from labelkit.errors import LabelkitError
from tests.core.review.scopes import HEAD, REVISION, actor, pack

HARD_FINDING = Finding(FindingCode.OUTSIDE_FRAME, 2, "Frame 2: player reaches outside the frame", "a")
WARNING = Finding(FindingCode.UNTOUCHED_FRAMES, 0, "5 of 9 frames were never looked at")
SAME = REVISION.content_hash


def decide(
    *,
    who: Actor | str = "reviewer",
    expected: int = HEAD.version,
    schema: int = HEAD.payload_schema,
    ball: bool = True,
    named: str | None = None,
    override: bool = False,
    reason: str | None = None,
    content: str = "abc",
    findings: tuple[Finding, ...] = (),
    packs: tuple = (pack(),),
    latest: object = REVISION,
) -> PublishDecision:
    """A publish that succeeds, unless an argument breaks a rule."""
    request = PublishRequest(HEAD.id, expected, named, override, reason)
    head = replace(HEAD, payload_schema=schema)
    facts = PublishFacts(content, findings, packs, latest)
    return decide_publish(request, head, BALL if ball else PLAYER, facts, actor(who) if isinstance(who, str) else who)


@pytest.mark.parametrize(
    ("case", "code", "number", "into"),
    [
        pytest.param({}, "PUBLISH_SUCCESS", 4, "pck_1", id="the next revision of the approved pack"),
        pytest.param({"packs": (), "latest": None}, "PUBLISH_SUCCESS", 1, None, id="the first publish makes the pack"),
        pytest.param({"latest": None}, "PUBLISH_SUCCESS", 1, "pck_1", id="the first revision of a pack"),
        pytest.param({"packs": (pack("pck_2"), pack()), "named": "pck_1"}, "PUBLISH_SUCCESS", 4, "pck_1", id="a named pack of several"),
        pytest.param({"packs": (pack("pck_2", "revoked"), pack())}, "PUBLISH_SUCCESS", 4, "pck_1", id="the only approved one of several"),
        pytest.param({"content": SAME}, "NO_OP_ALREADY_PUBLISHED", 3, "pck_1", id="the same content again"),
        pytest.param(
            {"content": SAME, "findings": (WARNING,)}, "NO_OP_ALREADY_PUBLISHED", 3, "pck_1", id="the same content again, warnings or not"
        ),
        pytest.param(
            {"findings": (WARNING,), "who": "lead", "override": True, "reason": "known"},
            "PUBLISH_SUCCESS",
            4,
            "pck_1",
            id="a lead overrides warnings",
        ),
        pytest.param(
            {"findings": (WARNING,), "who": actor("reviewer", developer=True), "override": True, "reason": "known"},
            "PUBLISH_SUCCESS",
            4,
            "pck_1",
            id="a developer overrides warnings",
        ),
        pytest.param({"schema": 1, "ball": False}, "PUBLISH_SUCCESS", 4, "pck_1", id="boxes had their size in the older schema"),
    ],
)
def test_a_publish_comes_to_an_outcome(case, code, number, into):
    # when
    decision = decide(**case)

    # then
    assert (decision.code, decision.number, decision.pack and decision.pack.id) == (code, number, into)
    assert decision.creates_pack is (into is None)
    assert (decision.existing is not None) is (code == "NO_OP_ALREADY_PUBLISHED")


# The rules in the order of the specification. Each breaks a rule and leaves the others.
RULES = [
    ("permission", {"who": "annotator"}, "PERMISSION_DENIED"),
    ("version", {"expected": 6}, "STALE_DRAFT_VERSION"),
    ("schema", {"schema": 1}, "RESET_DRAFT_REQUIRED"),
    ("scope of the pack", {"named": "pck_9"}, "LABEL_PACK_SCOPE_MISMATCH"),
    ("hard findings", {"findings": (WARNING, HARD_FINDING)}, "VALIDATION_HARD_FAIL"),
    ("no change", {"content": SAME}, "NO_OP_ALREADY_PUBLISHED"),
    ("warnings", {"findings": (WARNING,), "who": "lead"}, "WARNINGS_REQUIRE_OVERRIDE"),
]
TWO_BROKEN = [
    pytest.param({**later, **earlier}, code, id=f"{name} before {after}")
    for n, (name, earlier, code) in enumerate(RULES)
    for after, later, _ in RULES[n + 1 :]
    # both are broken by one argument, of which only one value can be given
    if not (name == "hard findings" and after == "warnings")
]


@pytest.mark.parametrize(("case", "code"), TWO_BROKEN)
def test_of_two_broken_rules_the_earlier_one_speaks(case, code):
    if code == "NO_OP_ALREADY_PUBLISHED":
        assert decide(**case).code == code
        return
    with pytest.raises(LabelkitError) as refusal:
        decide(**case)
    assert refusal.value.code == code


@pytest.mark.parametrize(
    ("case", "code"),
    [
        pytest.param({"who": "viewer"}, "PERMISSION_DENIED", id="a viewer"),
        pytest.param({"who": Actor("eve", is_developer=True, is_support=True)}, "PERMISSION_DENIED", id="internal, but no reviewer"),
        pytest.param({"expected": 8}, "STALE_DRAFT_VERSION", id="a version that is not yet"),
        pytest.param({"packs": (pack(review="pending"),)}, "LABEL_PACK_NOT_APPROVED", id="the only pack is pending"),
        pytest.param({"packs": (pack(review="revoked"),), "named": "pck_1"}, "LABEL_PACK_NOT_APPROVED", id="the named pack is revoked"),
        pytest.param(
            {"packs": (pack(validation="failed"),), "named": "pck_1"}, "LABEL_PACK_NOT_APPROVED", id="the named pack failed validation"
        ),
        pytest.param({"packs": (pack("pck_2"), pack())}, "INVALID_VALUE", id="several approved packs and no name"),
        pytest.param(
            {"findings": (WARNING,), "override": True, "reason": "known"}, "OVERRIDE_FORBIDDEN", id="a reviewer overrides warnings"
        ),
        pytest.param({"findings": (WARNING,)}, "OVERRIDE_FORBIDDEN", id="a reviewer cannot, asked or not"),
        pytest.param({"findings": (WARNING,), "who": "lead"}, "WARNINGS_REQUIRE_OVERRIDE", id="a lead did not ask"),
        pytest.param(
            {"findings": (WARNING,), "who": "lead", "override": True, "reason": " "}, "REASON_REQUIRED", id="an override without reason"
        ),
    ],
)
def test_a_publish_is_refused_with_the_code_of_its_reason(case, code):
    with pytest.raises(LabelkitError) as refusal:
        decide(**case)
    assert refusal.value.code == code


def test_a_refusal_carries_every_finding_that_caused_it():
    # given five hard findings and a warning
    hard = tuple(replace(HARD_FINDING, frame=n, message=f"Frame {n}: player reaches outside the frame") for n in range(5))

    # when
    with pytest.raises(LabelkitError) as refusal:
        decide(findings=(*hard, WARNING))

    # then
    assert refusal.value.facts["findings"] == [finding.as_json() for finding in hard]
    assert refusal.value.detail.startswith("5 finding(s) must be fixed first: GEOMETRY_OUTSIDE_FRAME (5): Frame 0")


def test_the_hard_findings_are_those_of_the_specification():
    assert {code.value for code in HARD} == {
        "GEOMETRY_OUTSIDE_FRAME",
        "GEOMETRY_NOT_A_NUMBER",
        "GEOMETRY_EMPTY_BOX",
        "UNKNOWN_CLASS",
        "WRONG_GEOMETRY",
        "DUPLICATE_ID",
        "FRAME_UNKNOWN",
    }
    assert {code.value for code in set(FindingCode) - HARD} == {
        "UNTOUCHED_FRAMES",
        "FLAGGED_FRAMES",
        "BALL_JUMP",
        "SEVERAL_BALLS",
        "NEAR_IDENTICAL_BOXES",
    }


def test_findings_are_summed_up_in_one_line():
    assert summary([WARNING, HARD_FINDING, HARD_FINDING]) == (
        "GEOMETRY_OUTSIDE_FRAME (2), UNTOUCHED_FRAMES (1): 5 of 9 frames were never looked at; "
        "Frame 2: player reaches outside the frame; Frame 2: player reaches outside the frame"
    )
