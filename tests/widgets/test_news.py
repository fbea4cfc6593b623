"""News between widgets: what one changed in a workspace, the others show."""

from __future__ import annotations

import gc
import weakref
from typing import TYPE_CHECKING

import pytest

from labelkit.widgets import Approvals, PreflightTable, RevisionHistory
from tests.widgets.messages import Wire
from tests.widgets.scenes import PLAYERS, approved, published

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from labelkit import Workspace


@pytest.fixture
def ws(tmp_path: Path) -> Iterator[Workspace]:
    with approved(tmp_path, clips=2) as made:
        yield made


def test_a_revoked_pack_leaves_the_candidates_and_the_history_at_once(ws: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    # given
    table, history = Wire.to(PreflightTable(ws, PLAYERS), monkeypatch), Wire.to(RevisionHistory(ws, "clip-1", PLAYERS), monkeypatch)
    approvals = Wire.to(Approvals(ws, "clip-1", PLAYERS), monkeypatch)
    # when
    approvals.ask("step", pack=approvals.widget.value[0].id, step="revoke", reason="wrong half")
    # then
    reasons = {row["media"]: row["reason"] for row in table.events("state")[-1]["rows"]}
    assert reasons == {"clip-1": "LABEL_PACK_REVOKED", "clip-2": None}
    assert [row["pack_approved"] for row in history.events("state")[-1]["revisions"]] == [False]
    assert len(approvals.events("state")) == 1


def test_a_step_that_was_refused_is_no_news(ws: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    # given
    table, approvals = Wire.to(PreflightTable(ws, PLAYERS), monkeypatch), Wire.to(Approvals(ws, "clip-1", PLAYERS), monkeypatch)
    # when
    approvals.ask("step", pack=approvals.widget.value[0].id, step="revoke", reason="")
    # then
    assert table.events("state") == []


def test_widgets_that_are_closed_or_of_another_store_hear_nothing(ws: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # given
    closed, approvals = RevisionHistory(ws, "clip-1", PLAYERS), Wire.to(Approvals(ws, "clip-1", PLAYERS), monkeypatch)
    closed.close()
    with published(tmp_path, clips=2) as elsewhere:
        other = Wire.to(RevisionHistory(elsewhere, "clip-1", PLAYERS), monkeypatch)
        # when
        answer = approvals.ask("step", pack=approvals.widget.value[0].id, step="revoke", reason="wrong half")
    # then
    assert answer["ok"] is True
    assert other.events("state") == []
    assert list(closed.errors) == []


def test_listening_keeps_no_closed_widget_alive(ws: Workspace) -> None:
    # given
    widget = RevisionHistory(ws, "clip-1", PLAYERS)
    kept = weakref.ref(widget)
    # when
    widget.close()
    del widget
    gc.collect()
    # then
    assert kept() is None


def test_a_listener_that_fails_shows_it_and_does_not_stop_the_step(ws: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    # given
    table, approvals = Wire.to(PreflightTable(ws, PLAYERS), monkeypatch), Wire.to(Approvals(ws, "clip-1", PLAYERS), monkeypatch)
    table.widget._options["name"] = ""
    # when
    answer = approvals.ask("step", pack=approvals.widget.value[0].id, step="revoke", reason="wrong half")
    # then
    assert answer["ok"] is True
    assert [event["code"] for event in table.events("error")] == ["INVALID_VALUE"]
