"""`labelkit.open`: who one is, what is made, who may come in, and what a workspace says of itself."""

from __future__ import annotations

import json

import pytest

import labelkit
from labelkit import LabelkitError
from labelkit.core.actors import Role
from tests import needs

OPEN = """
import sys, labelkit
with labelkit.open(sys.argv[1], workspace="club-a", user=sys.argv[2]) as ws:
    print(ws.id)
"""


def refused(call) -> LabelkitError:
    with pytest.raises(LabelkitError) as refusal:
        call()
    return refusal.value


@pytest.fixture
def path(tmp_path):
    return tmp_path / "labels.duckdb"


def test_whoever_makes_a_store_is_its_first_developer_and_owner(path):
    with labelkit.open(path, workspace="club-a", user="ana") as ws:
        assert (ws.name, ws.user, ws.path, ws.read_only) == ("club-a", "ana", str(path), False)
        assert (ws.actor.is_developer, ws.actor.is_support, ws.actor.roles) == (True, False, {ws.id: Role.OWNER})
        assert ws.members().rows() == [("ana", "owner")]
        assert ws.audit().select("actor", "action", "code", "allowed").rows() == [
            ("ana", "manage the workspace", "WORKSPACE_CREATED", True)
        ]


def test_a_store_opened_again_is_the_same_workspace(path):
    with labelkit.open(path, workspace="club-a", user="ana") as ws:
        first = ws.id
    with labelkit.open(path, workspace="club-a", user="bob") as again:
        assert again.id == first
        assert again.actor.roles == {}


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        pytest.param({"LABELKIT_USER": "lena", "JUPYTERHUB_USER": "judy"}, "lena", id="LABELKIT_USER comes first"),
        pytest.param({"JUPYTERHUB_USER": "judy", "LOGNAME": "root"}, "judy", id="then the JupyterHub user"),
        pytest.param({"LOGNAME": "carla"}, "carla", id="then the login name"),
    ],
)
def test_the_user_comes_from_the_environment_where_none_is_named(monkeypatch, environment, expected):
    # given
    for name in ("LABELKIT_USER", "JUPYTERHUB_USER", "LOGNAME"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)

    # then
    with labelkit.open(":memory:") as ws:
        assert (ws.user, ws.name) == (expected, "default")
    with labelkit.open(":memory:", user="ana") as ws:
        assert ws.user == "ana"


def test_a_new_workspace_is_made_by_developers_and_owners_only(path):
    # given a store of ana's with a workspace of which olga is owner and bob a member
    with labelkit.open(path, workspace="club-a", user="ana") as ws:
        ws.set_role("olga", "owner")
        ws.set_role("bob", "lead")

    # when
    with labelkit.open(path, workspace="club-b", user="ana") as second, labelkit.open(path, workspace="club-c", user="olga") as third:
        # then whoever makes one owns it
        assert second.members().rows() == [("ana", "owner")]
        assert third.members().rows() == [("olga", "owner")]
        assert not third.actor.is_developer
    for user in ("bob", "nobody"):
        assert refused(lambda user=user: labelkit.open(path, workspace="club-d", user=user)).code == "NOT_FOUND"


def test_a_workspace_that_is_nearly_named_right_is_offered(path):
    labelkit.open(path, workspace="club-a", user="ana").close()
    assert "Did you mean 'club-a'?" in refused(lambda: labelkit.open(path, workspace="clubb-a", user="bob")).detail


@pytest.mark.parametrize("name", ["", "  ", "a/b"])
def test_a_name_that_is_none_is_refused_before_anything_is_made(path, name):
    assert refused(lambda: labelkit.open(path, workspace=name, user="ana")).code == "INVALID_VALUE"
    assert not path.exists()


def test_who_only_looks_makes_neither_store_nor_workspace(path):
    # given
    assert refused(lambda: labelkit.open(path, create=False)).code == "INVALID_VALUE"
    assert list(path.parent.iterdir()) == []
    labelkit.open(path, workspace="club-a", user="ana").close()

    # then
    for _ in range(2):
        assert refused(lambda: labelkit.open(path, workspace="club-b", user="ana", create=False)).code == "NOT_FOUND"
    with labelkit.open(path, workspace="club-a", user="ana", create=False) as ws:
        assert ws.name == "club-a"


def test_roles_are_given_changed_and_taken_away(path):
    with labelkit.open(path, user="ana") as ws:
        # when
        ws.set_role("bob", "viewer")
        ws.set_role("bob", "Reviewer")
        ws.set_role("eve", "annotator")
        ws.set_role("eve", None)

        # then
        assert ws.members().rows() == [("ana", "owner"), ("bob", "reviewer")]
        refusal = refused(lambda: ws.set_role("bob", "king"))
        assert (refusal.code, refusal.hint) == ("INVALID_VALUE", "Use one of: viewer, annotator, reviewer, lead, owner.")


def test_the_training_policy_is_allowed_or_opted_out(path):
    with labelkit.open(path, user="ana") as ws:
        ws.set_training_policy("opted_out")
        with ws._database.reading() as tx:
            assert tx.workspaces.get(ws.id).training_policy == "opted_out"
        assert refused(lambda: ws.set_training_policy("maybe")).code == "INVALID_VALUE"


def test_the_trail_is_of_this_workspace_newest_first_with_filters(path):
    with labelkit.open(path, workspace="club-a", user="ana") as ws, labelkit.open(path, workspace="club-b", user="ana") as other:
        ws.set_role("bob", "viewer")
        ws.capabilities.add("cones", geometry="box", classes=["é"])
        refused(lambda: ws.capabilities.add("cones", geometry="point", classes=["é"]))

        # then
        assert ws.audit()["code"].to_list() == ["INVALID_VALUE", "CAPABILITY_ADDED", "ROLE_SET", "WORKSPACE_CREATED"]
        assert other.audit()["code"].to_list() == ["WORKSPACE_CREATED"]
        assert ws.audit(action="import", limit=1)["code"].to_list() == ["INVALID_VALUE"]
        assert ws.audit(subject="member:bob")["code"].to_list() == ["ROLE_SET"]
        assert json.loads(ws.audit(subject="capability:cones")["facts"][1]) == {"geometry": "box", "classes": ["é"]}
        assert [row["allowed"] for row in ws.audit().to_dicts()] == [False, True, True, True]


def test_strangers_read_nothing(path):
    labelkit.open(path, user="ana").close()
    with labelkit.open(path, user="eve") as ws:
        for call in (ws.members, ws.audit, ws.media.list, ws.review.drafts, ws.prelabels.runs, ws.capabilities.list):
            assert refused(call).code == "PERMISSION_DENIED"
    with labelkit.open(path, user="ana") as ws:
        denied = ws.audit().filter(actor="eve")
        assert denied.select("action", "code", "allowed").unique().rows() == [("read", "PERMISSION_DENIED", False)]


def test_a_closed_workspace_says_so(path):
    ws = labelkit.open(path, user="ana")
    ws.close()
    ws.close()
    with pytest.raises(RuntimeError, match="was closed"):
        ws.members()


def test_a_workspace_prints_what_it_is(path):
    with labelkit.open(path, workspace="club-a", user="ana") as ws:
        assert repr(ws) == f"<Workspace 'club-a' in {path}, as ana>"


def test_stores_in_memory_are_apart():
    with labelkit.open(":memory:", user="ana") as one, labelkit.open(":memory:", user="ana") as two:
        one.set_role("bob", "viewer")
        assert two.members().rows() == [("ana", "owner")]


def test_a_healthy_store_has_no_findings_and_can_be_copied(path, tmp_path):
    with labelkit.open(path, user="ana") as ws:
        assert ws.check() == []
        ws.backup(tmp_path / "copy.duckdb")
    with labelkit.open(tmp_path / "copy.duckdb", user="ana") as copy:
        assert copy.members().rows() == [("ana", "owner")]


def test_two_processes_that_open_a_new_store_at_once_open_the_same_one(path):
    # given
    from tests.store.processes import run_all

    # when
    ids = run_all(OPEN, [(path, user) for user in ("ana", "bob", "cleo")], timeout_s=120)

    # then one of them is the developer and owner, and all see the same workspace
    assert len(set(ids)) == 1
    with labelkit.open(path, workspace="club-a", user="ana") as ws, ws._database.reading() as tx:
        owners = tx.workspaces.members(ws.id)
        assert list(owners.values()) == [Role.OWNER]
        assert [user for user in ("ana", "bob", "cleo") if tx.workspaces.actor(user).is_developer] == list(owners)


def test_labelkit_works_as_a_script_without_any_warning(path):
    done = needs.python(f"import labelkit; labelkit.open({str(path)!r}, user='ana').close()")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
