"""Approvals: steps with reasons, refusals with codes, rows that follow, and a fallback that runs nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from labelkit.errors import LabelkitError
from labelkit.widgets import Approvals
from tests.widgets.messages import Wire
from tests.widgets.scenes import PLAYERS, colleague, published

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from labelkit import Workspace


@pytest.fixture
def ws(tmp_path: Path) -> Iterator[Workspace]:
    with published(tmp_path) as made:
        yield made


@pytest.fixture
def wire(ws: Workspace, monkeypatch: pytest.MonkeyPatch) -> Wire:
    return Wire.to(Approvals(ws, "clip-1", PLAYERS), monkeypatch)


def test_a_view_that_asks_ready_gets_packs_and_revisions_with_their_possible_steps(wire: Wire) -> None:
    # when
    state = wire.ask("ready")["result"]
    # then
    assert (state["media"], state["capability"]) == ("clip-1", PLAYERS)
    assert [(p["review_status"], p["validation_status"], p["reason"], p["steps"]) for p in state["packs"]] == [
        ("approved", "passed", "first publish", ["revoke"])
    ]
    assert [(r["number"], r["eligibility"], r["steps"]) for r in state["revisions"]] == [(1, "REVIEWED", ["approve"])]


def test_revoking_and_approving_a_pack_changes_the_store_and_sends_the_new_rows(wire: Wire, ws: Workspace) -> None:
    # given
    pack = wire.widget.value[0].id
    # when
    revoked = wire.ask("step", pack=pack, step="revoke", reason="wrong half")
    approved = wire.ask("step", pack=pack, step="approve", reason="checked again")
    # then
    assert [revoked["result"], approved["result"]] == [{"review_status": "revoked"}, {"review_status": "approved"}]
    assert [state["packs"][0]["review_status"] for state in wire.events("state")] == ["revoked", "approved"]
    assert ws.review.packs("clip-1", PLAYERS)[0].reason == "checked again"


@pytest.mark.parametrize(
    ("step", "reason", "code"),
    [
        pytest.param("approve", "again", "ILLEGAL_STEP", id="an approved pack cannot be approved"),
        pytest.param("reject", "no", "ILLEGAL_STEP", id="an approved pack cannot be rejected"),
        pytest.param("revoke", "  ", "REASON_REQUIRED", id="a blank reason is none"),
    ],
)
def test_a_refused_step_changes_nothing_and_still_sends_the_present_rows(wire: Wire, step: str, reason: str, code: str) -> None:
    # when
    answer = wire.ask("step", pack=wire.widget.value[0].id, step=step, reason=reason)
    # then
    assert answer["error"]["code"] == code
    assert all(answer["error"][part] for part in ("title", "detail", "hint"))
    assert [state["packs"][0]["review_status"] for state in wire.events("state")] == ["approved"]


def test_someone_without_the_role_is_refused_by_name_and_the_deny_is_audited(ws: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    # given
    with colleague(ws, "bo", "annotator") as theirs:
        wire = Wire.to(Approvals(theirs, "clip-1", PLAYERS), monkeypatch)
        # when
        answer = wire.ask("step", pack=wire.widget.value[0].id, step="revoke", reason="mine")
    # then
    assert answer["error"]["code"] == "PERMISSION_DENIED"
    assert ws.audit(action="approve a pack").row(0, named=True)["allowed"] is False


def test_a_change_by_a_colleague_is_a_conflict_that_shows_their_state(wire: Wire, ws: Workspace) -> None:
    # given
    shown = wire.ask("ready")["result"]["revisions"][0]
    ws.review.set_eligibility(shown["id"], "APPROVED", expected_version=1)
    # when
    answer = wire.ask("set_eligibility", revision=shown["id"], state="APPROVED", expected_version=shown["eligibility_version"])
    # then
    assert answer["error"]["code"] == "ELIGIBILITY_VERSION_CONFLICT"
    assert wire.events("state")[-1]["revisions"][0]["eligibility"] == "APPROVED"


def test_what_was_clicked_is_shown_as_the_call_that_does_the_same(wire: Wire, ws: Workspace) -> None:
    # given
    pack = wire.widget.value[0].id
    wire.ask("step", pack=pack, step="revoke", reason="it's off")
    ws.review.approve_pack(pack, reason="back")
    # when
    eval(wire.widget.python, {"ws": ws})
    # then
    assert ws.review.packs("clip-1", PLAYERS)[0].reason == "it's off"


def test_a_scope_without_labels_is_told_in_words(ws: Workspace) -> None:
    # when
    widget = Approvals(ws, "clip-1", "ball_detection")
    # then
    assert widget.value == []
    assert widget.describe() == "Approvals of clip-1 · ball_detection: no label pack yet"
    assert "No label pack yet" in widget.to_html()


def test_names_and_reasons_are_escaped_in_the_static_page(wire: Wire) -> None:
    # given
    wire.ask("step", pack=wire.widget.value[0].id, step="revoke", reason="<img src=x onerror=alert(1)>")
    # when
    page = wire.widget.to_html()
    # then
    assert "&lt;img src=x onerror=alert(1)&gt;" in page
    assert "<img" not in page


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        pytest.param({"media": "clip-1", "capabilty": PLAYERS}, "UNKNOWN_ARGUMENT", "'capability'", id="a misspelt argument"),
        pytest.param({"media": "clip1", "capability": PLAYERS}, "NOT_FOUND", "'clip-1'", id="a misspelt media"),
        pytest.param({"media": "clip-1", "capability": "players_detection"}, "NOT_FOUND", PLAYERS, id="a misspelt capability"),
    ],
)
def test_what_does_not_exist_is_refused_with_the_nearest_name(ws: Workspace, arguments: dict[str, str], code: str, said: str) -> None:
    # when
    with pytest.raises(LabelkitError) as refusal:
        Approvals(ws, **arguments)
    # then
    assert refusal.value.code == code
    assert said in str(refusal.value)
