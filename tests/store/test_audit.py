"""The audit trail: what is kept of each allow and deny, and that nothing happens without it."""

from __future__ import annotations

from datetime import timedelta

import pytest

from labelkit.core.actors import Action
from labelkit.errors import AuditPersistFailed
from labelkit.store.database import Database
from tests.store.conftest import NOON


def record(tx, action=Action.PUBLISH, code="PUBLISH_SUCCESS", **changes):
    known = {"actor": "ana", "workspace": "ws_1", "subject": "draft:drf_1", "allowed": True, "facts": {}}
    tx.audit.record(action, code, **{**known, **changes})


def test_a_row_keeps_who_what_when_and_the_facts(db):
    # when
    with db.transaction() as tx:
        record(tx, code="OVERRIDE_FORBIDDEN", allowed=False, facts={"count": 2, "frames": (1, 2), "reason": "größer <b>"})

    # then
    with db.reading() as tx:
        (row,) = tx.audit.rows()
    assert (row.actor, row.action, row.code, row.allowed, row.subject) == ("ana", "publish", "OVERRIDE_FORBIDDEN", False, "draft:drf_1")
    assert (row.recorded_at, row.workspace, row.facts) == (NOON, "ws_1", {"count": 2, "frames": [1, 2], "reason": "größer <b>"})


def test_rows_come_newest_first_and_by_workspace_subject_and_action(store_path):
    # given
    times = iter(NOON + timedelta(minutes=n) for n in range(100))
    db = Database.open(store_path, user="ana", clock=lambda: next(times))
    for workspace, subject, action in [("ws_1", "a", "build"), ("ws_1", "b", "publish"), ("ws_2", "a", "publish"), (None, "store", "open")]:
        with db.transaction() as tx:
            record(tx, action, workspace=workspace, subject=subject)

    # then
    with db.reading() as tx:
        found = {
            "all": tx.audit.rows(),
            "one workspace": tx.audit.rows(workspace="ws_1"),
            "one subject": tx.audit.rows(subject="a"),
            "one action": tx.audit.rows(action="publish", workspace="ws_2"),
            "the newest": tx.audit.rows(limit=1),
        }
    assert {name: [row.subject for row in rows] for name, rows in found.items()} == {
        "all": ["store", "a", "b", "a"],
        "one workspace": ["b", "a"],
        "one subject": ["a", "a"],
        "one action": ["a"],
        "the newest": ["store"],
    }
    assert [row.recorded_at for row in found["all"]] == sorted((row.recorded_at for row in found["all"]), reverse=True)


def test_an_action_whose_audit_row_cannot_be_written_does_not_happen(db):
    # given a store without its audit table
    with db.transaction() as tx:
        tx.execute("DROP TABLE audit")

    # when
    with pytest.raises(AuditPersistFailed, match="publish"), db.transaction() as tx:  # noqa: PT012 - the second line raises
        tx.workspaces.create("team", owner="ana")
        record(tx)

    # then
    with db.reading() as tx:
        assert tx.workspaces.all() == []
