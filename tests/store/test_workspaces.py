"""Workspaces, members and users: who is what, and what changes."""

from __future__ import annotations

import pytest

from labelkit.core.actors import Action, Actor, Role
from labelkit.errors import LabelkitError, NotFound, StoreConflict
from labelkit.store.workspaces import WorkspaceRow
from tests.store.conftest import NOON


@pytest.fixture
def team(db):
    with db.transaction() as tx:
        return tx.workspaces.create("team", owner="ana")


def test_a_new_workspace_has_its_owner_and_allows_training(db, team):
    with db.reading() as tx:
        assert tx.workspaces.get(team.id) == tx.workspaces.find("team") == team == WorkspaceRow(team.id, "team", "allowed", NOON)
        assert tx.workspaces.members(team.id) == {"ana": Role.OWNER}
        assert tx.workspaces.actor("ana") == Actor("ana", {team.id: Role.OWNER})


def test_two_workspaces_of_one_name_are_a_conflict(db, team):
    with pytest.raises(StoreConflict), db.transaction() as tx:
        tx.workspaces.create(team.name, owner="bob")
    with db.reading() as tx:
        assert [row.id for row in tx.workspaces.all()] == [team.id]


def test_a_workspace_that_is_not_there_is_not_found_and_the_names_are_told(db, team):
    with db.reading() as tx:
        assert tx.workspaces.find("no such") is None
        with pytest.raises(NotFound, match=team.name):
            tx.workspaces.get("ws_no_such")


def test_workspaces_are_listed_by_name(db):
    with db.transaction() as tx:
        for name in ("b", "c", "a"):
            tx.workspaces.create(name, owner="ana")
        assert [row.name for row in tx.workspaces.all()] == ["a", "b", "c"]


@pytest.mark.parametrize("role", list(Role), ids=lambda role: role.word)
def test_a_role_is_given_changed_and_taken_away(db, team, role):
    # when bob gets one role, then another, in one transaction and in two
    with db.transaction() as tx:
        tx.workspaces.set_role(team.id, "bob", Role.VIEWER)
        tx.workspaces.set_role(team.id, "bob", role)
    with db.reading() as tx:
        assert tx.workspaces.members(team.id) == {"ana": Role.OWNER, "bob": role}
        assert tx.workspaces.actor("bob").roles == {team.id: role}
    with db.transaction() as tx:
        tx.workspaces.set_role(team.id, "bob", None)

    # then he is no member any more
    with db.reading() as tx:
        assert tx.workspaces.members(team.id) == {"ana": Role.OWNER}
        assert tx.workspaces.actor("bob") == Actor("bob")


def test_a_user_without_flags_or_role_may_nothing(db, team):
    with db.reading() as tx:
        stranger = tx.workspaces.actor("stranger")
    assert [action for action in Action if stranger.may(action, team.id)] == []


def test_flags_are_kept_and_changed(db):
    with db.transaction() as tx:
        tx.workspaces.set_flags("ana", is_developer=True, is_support=False)
        assert tx.workspaces.actor("ana") == Actor("ana", is_developer=True)
        tx.workspaces.set_flags("ana", is_developer=False, is_support=True)
        assert tx.workspaces.actor("ana") == Actor("ana", is_support=True)


def test_the_training_policy_is_one_of_two_words(db, team):
    with db.transaction() as tx:
        tx.workspaces.set_training_policy(team.id, "opted_out")
    with db.reading() as tx:
        assert tx.workspaces.get(team.id).training_policy == "opted_out"
    with pytest.raises(LabelkitError, match="CHECK"), db.transaction() as tx:
        tx.workspaces.set_training_policy(team.id, "perhaps")
    with pytest.raises(NotFound), db.transaction() as tx:
        tx.workspaces.set_training_policy("ws_no_such", "allowed")
