"""The evidence of near-duplicates: ruled on by reviewers, and shown to those who may read it."""

from __future__ import annotations

import pytest

from tests.services.datasets.near_duplicates.looks import (
    looking,
    pairs,
)
from tests.services.packs import CAPABILITY, change
from tests.services.worlds import as_user, refused, trail


def test_a_ruling_is_versioned_and_leaves_its_audit_row(ws):
    # given
    looking(ws, a="red", bb="red")
    pair = ws.datasets.find_near_duplicates(CAPABILITY)["id"][0]

    # when two rulings are made, and one on what was seen before the second
    ws.datasets.rule_near_duplicate(pair, "different", reason="another day", expected_version=0)
    ws.datasets.rule_near_duplicate([pair, pair], "duplicate", reason="the same after all")
    late = refused(lambda: ws.datasets.rule_near_duplicate(pair, "different", reason="late", expected_version=1))

    # then
    assert late == "NEAR_DUPLICATE_RULING_CONFLICT"
    shown = ws.datasets.near_duplicates().select("ruling", "ruling_version", "reason", "ruled_by").rows()
    assert shown == [("duplicate", 2, "the same after all", "ana")]
    assert ws.datasets.near_duplicate_rulings(pair).select("version", "ruling", "reason", "ruled_by").rows() == [
        (2, "duplicate", "the same after all", "ana"),
        (1, "different", "another day", "ana"),
    ]
    assert [ws.datasets.near_duplicates(ruling=one).height for one in ("duplicate", "different", "none")] == [1, 0, 0]
    rows = [row for row in trail(ws, "action", "code", "allowed", "subject") if row[0] == "rule on near-duplicates"]
    assert [row[1:3] for row in rows] == [
        ("NEAR_DUPLICATES_STARTED", True),
        ("NEAR_DUPLICATES_FOUND", True),
        ("NEAR_DUPLICATES_RULED", True),
        ("NEAR_DUPLICATES_RULED", True),
        ("NEAR_DUPLICATE_RULING_CONFLICT", False),
    ]
    assert rows[2][3] == f"near-duplicates:{pair}"


@pytest.mark.parametrize(("role", "allowed"), [(None, False), ("viewer", False), ("annotator", False), ("reviewer", True), ("lead", True)])
def test_reviewers_and_above_search_and_rule(ws, role, allowed):
    # given
    looking(ws, a="red", bb="red")
    pair = ws.datasets.find_near_duplicates(CAPABILITY)["id"][0]
    them = as_user(ws, "bob", role)
    calls = (
        lambda: them.datasets.find_near_duplicates(CAPABILITY),
        lambda: them.datasets.rule_near_duplicate(pair, "different", reason="seen"),
    )

    # then
    for call in calls:
        if allowed:
            call()
        else:
            assert refused(call) == "PERMISSION_DENIED"
    rows = [row for row in trail(ws, "actor", "code", "allowed") if row[0] == "bob"]
    wanted = ["NEAR_DUPLICATES_SEARCHED", "NEAR_DUPLICATES_RULED"] if allowed else ["PERMISSION_DENIED"] * 2
    assert [row[1:] for row in rows] == [(code, allowed) for code in wanted]


def test_evidence_of_a_workspace_that_one_may_not_read_is_not_shown(ws):
    # given evidence between media of two workspaces, found by one who reads both
    ids = looking(ws, a="red", bb="red", ccc="red")
    with ws._database.transaction() as tx:
        other = tx.workspaces.create("club-b", owner="ana")
    change(ws, "UPDATE media SET workspace_id = $to WHERE name = 'ccc'", to=other.id)
    change(ws, "UPDATE label_packs SET workspace_id = $to WHERE id = $id", to=other.id, id=ids["ccc"])
    assert ws.datasets.find_near_duplicates(CAPABILITY).height == 3

    # then
    them = as_user(ws, "bob", "reviewer")
    assert pairs(them.datasets.near_duplicates()) == [("a", "bb")]
    assert refused(lambda: them.datasets.find_near_duplicates(label_pack_ids=[ids["ccc"]])) == "NOT_FOUND"
