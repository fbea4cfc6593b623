"""RevisionHistory: rows newest first, details on demand, eligibility with conflict refresh."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from labelkit import ReviewOp
from labelkit.widgets import RevisionHistory, revision_history
from tests.widgets.messages import Wire
from tests.widgets.scenes import PLAYERS, published

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from labelkit import Workspace


@pytest.fixture
def ws(tmp_path: Path) -> Iterator[Workspace]:
    with published(tmp_path, revisions=2) as made:
        yield made


@pytest.fixture
def wire(ws: Workspace, monkeypatch: pytest.MonkeyPatch) -> Wire:
    return Wire.to(RevisionHistory(ws, "clip-1", PLAYERS), monkeypatch)


def test_rows_come_newest_first_with_difference_provenance_and_eligibility(wire: Wire) -> None:
    # when
    rows = wire.ask("ready")["result"]["revisions"]
    # then
    assert [row["number"] for row in rows] == [2, 1]
    assert {name: rows[0]["diff"][name] for name in ("added", "removed", "modified", "frames")} == {
        "added": 0,
        "removed": 1,
        "modified": 0,
        "frames": 1,
    }
    assert rows[0]["lineage"].startswith("pack:pre_")
    assert (rows[0]["eligibility"], rows[0]["steps"]) == ("REVIEWED", ["approve"])


def test_opening_a_row_gives_counts_by_class_and_by_frame_and_selects_it(wire: Wire) -> None:
    # given
    newest = wire.widget.value[0]
    # when
    details = wire.ask("select", revision=newest.id)["result"]
    # then
    assert sum(removed for _, _, removed, _ in details["by_class"]) == 1
    assert details["frames"] == [{"frame": 0, "added": 0, "removed": 1, "modified": 0, "flags": ""}]
    assert wire.widget.selected == newest
    assert wire.ask("ready")["result"]["open"] == details


def test_flags_and_edits_of_several_frames_are_counted_by_frame(wire: Wire, ws: Workspace) -> None:
    # given
    draft = ws.review.open("clip-1", PLAYERS)
    kept = draft.frames[1].annotations[0]
    ops = [
        ReviewOp.flag(2, "bad_frame"),
        ReviewOp.move(1, kept.id, x=kept.geometry.x + 3, y=kept.geometry.y),
        ReviewOp.add_box(1, "player", 10, 10, 20, 30),
    ]
    draft = ws.review.apply(draft.id, base_version=draft.version, ops=ops)
    ws.review.publish(draft.id, expected_version=draft.version, override_warnings=True, reason="third")
    # when
    frames = wire.ask("select", revision=wire.widget.value[0].id)["result"]["frames"]
    # then
    assert frames == [
        {"frame": 1, "added": 1, "removed": 0, "modified": 1, "flags": ""},
        {"frame": 2, "added": 0, "removed": 0, "modified": 0, "flags": "bad_frame"},
    ]


def test_closing_a_row_selects_nothing(wire: Wire) -> None:
    # given
    wire.ask("select", revision=wire.widget.value[0].id)
    # when
    answer = wire.ask("select", revision=None)
    # then
    assert (answer["ok"], answer["result"], wire.widget.selected) == (True, None, None)


def test_the_first_revision_says_that_it_has_nothing_before_it(wire: Wire) -> None:
    # when
    details = wire.ask("select", revision=wire.widget.value[1].id)["result"]
    # then
    assert details["frames"] is None
    assert "first revision" in details["note"]


def test_a_difference_too_large_to_list_names_the_call_that_has_it(wire: Wire, monkeypatch: pytest.MonkeyPatch) -> None:
    # given
    monkeypatch.setattr(revision_history, "LISTED_CHANGES", 0)
    newest, before = wire.widget.value
    # when
    details = wire.ask("select", revision=newest.id)["result"]
    # then
    assert details["frames"] is None
    assert f"ws.review.diff({before.id!r}, {newest.id!r})" in details["note"]


def test_an_unknown_revision_is_refused_and_the_selection_stays(wire: Wire) -> None:
    # given
    wire.ask("select", revision=wire.widget.value[0].id)
    # when
    answer = wire.ask("select", revision="rev_nowhere")
    # then
    assert answer["error"]["code"] == "NOT_FOUND"
    assert wire.widget.selected == wire.widget.value[0]


def test_a_stale_eligibility_version_is_a_conflict_that_sends_the_present_rows(wire: Wire, ws: Workspace) -> None:
    # given
    newest = wire.widget.value[0]
    ws.review.set_eligibility(newest.id, "APPROVED", expected_version=1)
    # when
    answer = wire.ask("set_eligibility", revision=newest.id, state="APPROVED", expected_version=1)
    # then
    assert answer["error"]["code"] == "ELIGIBILITY_VERSION_CONFLICT"
    assert [row["eligibility"] for row in wire.events("state")[-1]["revisions"]] == ["APPROVED", "REVIEWED"]


@pytest.mark.parametrize(
    ("state", "reason", "code"),
    [
        pytest.param("REVOKED", "", "ILLEGAL_STEP", id="a reviewed revision cannot be revoked"),
        pytest.param("MAYBE", "x", "INVALID_VALUE", id="a state that does not exist"),
    ],
)
def test_a_step_that_is_not_possible_is_refused_by_its_code(wire: Wire, state: str, reason: str, code: str) -> None:
    # when
    answer = wire.ask("set_eligibility", revision=wire.widget.value[0].id, state=state, expected_version=1, reason=reason)
    # then
    assert answer["error"]["code"] == code


def test_without_a_kernel_the_history_is_a_table_with_everything_escaped(tmp_path: Path, ws: Workspace) -> None:
    # given
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "0.jpg").write_bytes((ws.media.frame_bytes("clip-1", 0))[0])
    ws.media.add(tmp_path / "other", name="<b>bold</b>")
    # when
    pages = [RevisionHistory(ws, name, PLAYERS).to_html() for name in ("clip-1", "<b>bold</b>")]
    # then
    assert "+0 -1 ~0" in pages[0]
    assert "&lt;b&gt;bold" in pages[1]
    assert "<b>bold" not in pages[1]
    assert "Nothing is published yet." in pages[1]


def test_it_describes_itself_in_a_line(ws: Workspace) -> None:
    assert repr(RevisionHistory(ws, "clip-1", PLAYERS)) == (
        "Revision history of clip-1 · player_detection: 2 revisions; the newest is 2, reviewed"
    )
