"""Who may do what, through the use cases: every role with every action, each allow and deny in the trail; and other workspaces' ids."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

import labelkit
from labelkit import ReviewOp
from labelkit.core.geometry import Box
from labelkit.core.review.annotations import Annotation, FrameContent
from labelkit.workspace import Workspace
from tests.services.worlds import PLAYERS, add_media, add_run, as_user, refused, tables, trail

if TYPE_CHECKING:
    from collections.abc import Iterator

ROLES = ("viewer", "annotator", "reviewer", "lead", "owner")
ACTIONS = [
    pytest.param("viewer", lambda ws, f: ws.review.get(f.draft), id="look at a draft"),
    pytest.param("viewer", lambda ws, _: ws.review.history("match", PLAYERS), id="read the history"),
    pytest.param("viewer", lambda ws, f: ws.review.diff(f.revision, f.draft), id="compare"),
    pytest.param("viewer", lambda ws, _: ws.media.list(), id="list media"),
    pytest.param("annotator", lambda ws, f: ws.review.apply(f.draft, base_version=2, ops=[ReviewOp.flag(0, "bad_frame")]), id="edit"),
    pytest.param("annotator", lambda ws, f: ws.review.save(f.draft, base_version=2, frames=[FrameContent(0)], save_id="s"), id="save"),
    pytest.param("annotator", lambda ws, f: ws.review.reset(f.draft), id="reset"),
    pytest.param("annotator", lambda ws, _: ws.capabilities.add("cones", geometry="box", classes=["cone"]), id="add a capability"),
    pytest.param("reviewer", lambda ws, f: ws.review.publish(f.draft, expected_version=2), id="publish"),
    pytest.param("reviewer", lambda ws, f: ws.review.revoke_pack(f.pack, reason="wrong"), id="revoke a pack"),
    pytest.param("reviewer", lambda ws, f: ws.review.set_eligibility(f.revision, "APPROVED", expected_version=1), id="set eligibility"),
    pytest.param("owner", lambda ws, _: ws.set_role("eve", "viewer"), id="add a member"),
    pytest.param("owner", lambda ws, _: ws.set_training_policy("opted_out"), id="set the training policy"),
]


@pytest.fixture
def ws(memory):
    """Permissions are decided before a store is asked; one in memory is enough for so many cells."""
    return memory


class Facts:
    """Ids of a scope with a published draft."""

    def __init__(self, ws, run: str) -> None:
        draft = ws.review.open("match", PLAYERS, run=run)
        draft = ws.review.apply(draft.id, base_version=1, ops=[ReviewOp.accept(index) for index in range(4)])
        out = ws.review.publish(draft.id, expected_version=2)
        self.draft, self.run, self.revision, self.pack = draft.id, run, out.revision.id, out.pack.id


@pytest.fixture
def facts(ws, players):
    return Facts(ws, players)


@pytest.fixture(scope="module")
def shared() -> Iterator[tuple[Workspace, Facts]]:
    """A workspace with a member of each role, named by it, and its facts; for what changes nothing but the trail."""
    with labelkit.open(":memory:", workspace="club-a", user="ana") as ws:
        boxes = [Annotation("", "player", Box(10, 10, 20, 40), 0.9)]
        facts = Facts(ws, add_run(ws, {0: boxes}, add_media(ws, broken=(3,))))
        for role in ROLES:
            ws.set_role(role, role)
        yield ws, facts


def cells(*, allowed: bool, reads: bool | None = None) -> list[object]:
    """Return the role and the action of every cell of the table that is allowed or not, of reading or of changing actions."""
    return [
        pytest.param(role, param.values[1], id=f"{param.id}-{role}")
        for param in ACTIONS
        for role in (None, *ROLES)
        if (role is not None and ROLES.index(role) >= ROLES.index(param.values[0])) is allowed
        if reads is None or (param.values[0] == "viewer") is reads
    ]


@pytest.mark.parametrize(("role", "action"), cells(allowed=True, reads=True))
def test_a_role_may_look_at_what_the_table_says(shared, action, role):
    ws, facts = shared
    rows = len(trail(ws, "code"))
    action(as_user(ws, role), facts)
    assert all(allowed for (allowed,) in trail(ws, "allowed")[rows:])


@pytest.mark.parametrize(("role", "action"), cells(allowed=True, reads=False))
def test_a_role_may_do_what_the_table_says(ws, facts, action, role):
    bob = as_user(ws, "bob", role)
    rows = len(trail(ws, "code"))
    action(bob, facts)
    assert all(allowed for (allowed,) in trail(ws, "allowed")[rows:])


@pytest.mark.parametrize(("role", "action"), cells(allowed=False))
def test_a_role_may_do_nothing_else_which_the_trail_keeps(shared, action, role):
    # given
    ws, facts = shared
    user = role or "bob"
    rows, before = len(trail(ws, "code")), tables(ws)

    # then it is refused, nothing changes, and the deny is in the trail
    assert refused(lambda: action(as_user(ws, user), facts)) == "PERMISSION_DENIED"
    assert tables(ws) == before
    assert trail(ws, "actor", "code", "allowed")[rows:] == [(user, "PERMISSION_DENIED", False)]


@pytest.mark.parametrize(
    ("flags", "sees"),
    [
        pytest.param({"is_developer": True, "is_support": False}, True, id="developer"),
        pytest.param({"is_developer": False, "is_support": True}, True, id="support"),
        pytest.param({"is_developer": False, "is_support": False}, False, id="neither"),
    ],
)
def test_internal_users_read_everywhere_but_edit_nowhere(ws, facts, flags, sees):
    # given
    with ws._database.transaction() as tx:
        tx.workspaces.set_flags("ivan", **flags)
    ivan = as_user(ws, "ivan")

    # then
    if sees:
        assert ivan.review.get(facts.draft).version == 2
    else:
        assert refused(lambda: ivan.review.get(facts.draft)) == "PERMISSION_DENIED"
    assert refused(lambda: ivan.review.apply(facts.draft, base_version=2, ops=[ReviewOp.accept(0)])) == "PERMISSION_DENIED"
    assert refused(lambda: ivan.review.publish(facts.draft, expected_version=2)) == "PERMISSION_DENIED"


def test_a_refusal_says_what_one_is_and_what_is_needed(ws, facts):
    vera = as_user(ws, "vera", "viewer")
    with pytest.raises(labelkit.LabelkitError) as refusal:
        vera.review.revoke_pack(facts.pack, reason="wrong")
    assert refusal.value.detail == ("vera may not approve a pack in workspace club-a: this needs reviewer or above, and vera is a viewer.")


def test_a_role_that_was_taken_away_is_gone_at_once(ws, facts):
    bob = as_user(ws, "bob", "annotator")
    bob.review.apply(facts.draft, base_version=2, ops=[ReviewOp.flag(0, "bad_frame")])
    ws.set_role("bob", None)
    assert refused(lambda: bob.review.apply(facts.draft, base_version=3, ops=[ReviewOp.accept(0)])) == "PERMISSION_DENIED"
    assert refused(lambda: bob.review.get(facts.draft)) == "PERMISSION_DENIED"


@pytest.fixture(scope="module")
def neighbour(shared) -> tuple[Workspace, Workspace, Facts]:
    """The workspace, one of olga with a media of her own in the same store, and the facts of the first one with two values."""
    ws, facts = shared
    with ws._database.transaction() as tx:
        row = tx.workspaces.create("club-b", owner="olga")
    olga = Workspace(ws._database, row, "olga")
    add_media(olga, "own")
    facts.value, facts.media = ws.review.revision(facts.revision), ws.media.get("match")
    return ws, olga, facts


@pytest.mark.parametrize(
    ("action", "code"),
    [
        pytest.param(lambda ws, f: ws.review.get(f.draft), "NOT_FOUND", id="look at a draft"),
        pytest.param(lambda ws, f: ws.review.apply(f.draft, base_version=2, ops=[ReviewOp.accept(0)]), "NOT_FOUND", id="edit"),
        pytest.param(lambda ws, f: ws.review.save(f.draft, base_version=2, frames=[FrameContent(0)], save_id="s"), "NOT_FOUND", id="save"),
        pytest.param(lambda ws, f: ws.review.reset(f.draft), "NOT_FOUND", id="reset"),
        pytest.param(lambda ws, f: ws.review.restore(f.draft), "NOT_FOUND", id="restore"),
        pytest.param(lambda ws, f: ws.review.publish(f.draft, expected_version=2), "NOT_FOUND", id="publish"),
        pytest.param(lambda ws, _: ws.review.open("match", PLAYERS), "NOT_FOUND", id="open by name"),
        pytest.param(lambda ws, f: ws.review.open("own", PLAYERS, run=f.run), "SCOPE_MISMATCH", id="a run"),
        pytest.param(lambda ws, f: ws.review.approve_pack(f.pack, reason="mine"), "NOT_FOUND", id="approve a pack"),
        pytest.param(lambda ws, f: ws.review.revision(f.revision), "NOT_FOUND", id="a revision"),
        pytest.param(lambda ws, f: ws.review.set_eligibility(f.revision, "APPROVED", expected_version=1), "NOT_FOUND", id="eligibility"),
        pytest.param(lambda ws, f: ws.review.diff(f.revision, f.revision), "NOT_FOUND", id="compare revisions"),
        pytest.param(lambda ws, f: ws.review.diff(f.draft, f.draft), "NOT_FOUND", id="compare drafts"),
        pytest.param(lambda ws, f: ws.review.diff(f.run, f.run), "NOT_FOUND", id="compare runs"),
        pytest.param(lambda ws, f: ws.review.diff(f.value, f.value), "NOT_FOUND", id="compare revisions by value"),
        pytest.param(lambda ws, f: ws.media.frames(f.media), "NOT_FOUND", id="frames of a media by value"),
    ],
)
def test_ids_of_another_workspace_are_not_there(neighbour, action, code):
    # given an owner of another workspace of the same store, who is nobody in the first one
    ws, olga, facts = neighbour
    before = tables(ws)

    # then
    assert refused(lambda: action(olga, facts)) == code
    assert tables(ws) == before
    assert olga.prelabels.runs().is_empty()
    assert olga.review.drafts().is_empty()
    assert olga.media.list()["name"].to_list() == ["own"]
