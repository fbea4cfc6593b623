"""The table of permissions: every role and flag with every action."""

from __future__ import annotations

import pytest

from labelkit.core.actors import PERMISSIONS, Action, Actor, Role, Scope
from labelkit.errors import PermissionDenied

WHO = ("stranger", "viewer", "annotator", "reviewer", "lead", "owner", "developer", "support")

# One row an action, one column for each of WHO: x may, . may not.
TABLE = {
    Action.READ: ". x x x x x x x",
    Action.EDIT: ". . x x x x . .",
    Action.IMPORT: ". . x x x x . .",
    Action.APPROVE_PACK: ". . . x x x . .",
    Action.PUBLISH: ". . . x x x . .",
    Action.SET_ELIGIBILITY: ". . . x x x . .",
    Action.BUILD: ". . . x x x . .",
    Action.OVERRIDE_WARNINGS: ". . . . x x x .",
    Action.INCLUDE_REVIEWED: ". . . . . . x .",
    Action.RULE_NEAR_DUPLICATES: ". . . x x x . .",
    Action.FREEZE: ". . . . . . x x",
    Action.UNFREEZE: ". . . . . . x .",
    Action.TRAIN: ". x x x x x x x",
    Action.EVALUATE: ". x x x x x x x",
    Action.SET_QUALITY_RULES: ". . . . x x x .",
    Action.COMMIT: ". . x x x x . .",
    Action.SET_VERSION_NAMES: ". . . x x x . .",
    Action.LABEL_EXAMPLE: ". . x x x x . .",
    Action.JUDGE_EXAMPLE: ". . . x x x . .",
    Action.REGISTER_EXAMPLE_TYPE: ". . . x x x . .",
    Action.COLLECT: ". . . . . x x .",
    Action.MANAGE_WORKSPACE: ". . . . . x x .",
}
CELLS = [
    pytest.param(who, action, mark == "x", id=f"{who} {action}")
    for action, row in TABLE.items()
    for who, mark in zip(WHO, row.split(), strict=True)
]


def actor(who: str, workspace: str = "ws_1") -> Actor:
    roles = {workspace: Role[who.upper()]} if who.upper() in Role.__members__ else {}
    return Actor(who, roles, is_developer=who == "developer", is_support=who == "support")


@pytest.mark.parametrize(("who", "action", "allowed"), CELLS)
def test_the_table_says_who_may_do_what(who, action, allowed):
    assert actor(who).may(action, "ws_1") is allowed


def test_every_action_stands_in_the_table():
    assert set(TABLE) == set(Action) == set(PERMISSIONS)


@pytest.mark.parametrize("action", Action)
def test_a_role_in_one_workspace_is_none_in_another(action):
    assert not actor("owner", "ws_2").may(action, "ws_1")


def test_a_refusal_names_what_is_needed_and_what_one_is():
    # given a viewer of the workspace with the id ws_1, named club-a
    refusal = actor("viewer").refusal(Action.OVERRIDE_WARNINGS, "ws_1", "club-a")

    # then
    assert isinstance(refusal, PermissionDenied)
    assert refusal.detail == (
        "viewer may not override publish warnings in workspace club-a: this needs lead or above or a developer, and viewer is a viewer."
    )


@pytest.mark.parametrize(
    ("who", "expected"),
    [("stranger", "no member"), ("annotator", "an annotator"), ("reviewer", "a reviewer"), ("owner", "an owner")],
)
def test_a_refusal_says_what_someone_is_in_words(who, expected):
    assert f" is {expected}." in actor(who).refusal(Action.FREEZE, "ws_1").detail


@pytest.mark.parametrize("action", Action)
def test_a_refusal_has_the_code_of_its_action(action):
    code = actor("stranger").refusal(action, "ws_1").code
    assert code == ("UNFREEZE_PERMISSION_REQUIRED" if action is Action.UNFREEZE else "PERMISSION_DENIED")


def test_a_scope_is_one_text():
    assert Scope("ws_1", "med_2", "ball_detection").key == "ws_1/med_2/ball_detection"
