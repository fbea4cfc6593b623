"""PreflightTable: what is ticked decides the request, and what a build would decide follows at once."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

import polars as pl
import pytest

import labelkit
from labelkit.errors import LabelkitError
from labelkit.widgets import PreflightTable
from tests.widgets.messages import Wire
from tests.widgets.scenes import PLAYERS, approved, colleague

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from labelkit import Workspace


@pytest.fixture
def ws(tmp_path: Path) -> Iterator[Workspace]:
    with approved(tmp_path, clips=4, leave=1) as made:
        yield made


@pytest.fixture
def wire(ws: Workspace, monkeypatch: pytest.MonkeyPatch) -> Wire:
    return Wire.to(PreflightTable(ws, PLAYERS, name="players"), monkeypatch)


def pack_of(ws: Workspace, media: str) -> str:
    return ws.review.packs(media, PLAYERS)[0].id


def test_what_a_build_would_include_is_ticked_and_the_rest_says_why_not(wire: Wire) -> None:
    # when
    state = wire.ask("ready")["result"]
    # then
    by_media = {row["media"]: row for row in state["rows"]}
    assert [by_media[f"clip-{n}"]["pack_id"] in state["selected"] for n in (1, 2, 3, 4)] == [True, True, True, False]
    assert (by_media["clip-1"]["reason"], by_media["clip-1"]["selectable"]) == (None, True)
    assert (by_media["clip-4"]["reason"], by_media["clip-4"]["selectable"]) == ("LABEL_PACK_NOT_APPROVED", False)
    assert "None of its revisions is approved" in by_media["clip-4"]["why"]


def test_groups_and_classes_per_split_follow_the_ticks(wire: Wire, ws: Workspace) -> None:
    # given
    before = wire.ask("ready")["result"]["preflight"]
    # when
    after = wire.ask("select", on=[], off=[pack_of(ws, "clip-1")])["result"]
    # then
    assert ([s["name"] for s in before["splits"]], before["groups"], before["samples"]) == (["train", "val", "test"], 3, 9)
    assert (after["groups"], after["samples"], sum(split["samples"] for split in after["splits"])) == (2, 6, 6)
    assert all(len(split["classes"]) == len(after["classes"]) for split in after["splits"])
    assert {issue["code"] for issue in after["issues"]} == {"TOO_FEW_GROUPS", "EMPTY_SPLIT"}
    assert wire.widget.selected == sorted([pack_of(ws, "clip-2"), pack_of(ws, "clip-3")])


def build(wire: Wire) -> str:
    """Build, wait until the view has heard what came of it, and return the outcome."""
    before = len(wire.events("ended"))
    answer = wire.ask("build")
    assert answer["result"] == {"build": wire.widget.job.build_id}
    return ended(wire, before)


def ended(wire: Wire, before: int = 0) -> str:
    until = time.monotonic() + 30
    while len(wire.events("ended")) == before:
        assert time.monotonic() < until
        time.sleep(0.01)
    return str(wire.widget.job.result(0).outcome)


def test_the_request_is_what_a_notebook_would_write(wire: Wire, ws: Workspace) -> None:
    # when
    wire.ask("change", options={"name": "balls of players", "seed": 7, "ratios": {"train": 0.5, "val": 0.5}})
    # then
    assert wire.widget.value == labelkit.BuildRequest(
        capability=PLAYERS,
        label_pack_ids=sorted(pack_of(ws, f"clip-{n}") for n in (1, 2, 3)),
        name="balls of players",
        seed=7,
        ratios={"train": 0.5, "val": 0.5},
    )


def test_without_a_tick_there_is_nothing_to_decide_and_nothing_to_build(wire: Wire) -> None:
    # when
    answer = wire.ask("select", on=[], off=wire.widget.selected)
    refused = wire.ask("build")
    # then
    assert (answer["ok"], answer["result"], wire.widget.preflight) == (True, None, None)
    assert refused["error"]["code"] == "NO_ELIGIBLE_LABEL_DATA"


@pytest.mark.parametrize(
    ("options", "code"),
    [
        pytest.param({"name": " "}, "INVALID_VALUE", id="a name of spaces"),
        pytest.param({"seed": "many"}, "INVALID_VALUE", id="a seed that is no number"),
        pytest.param({"ratios": {"train": -1}}, "INVALID_VALUE", id="a negative share"),
        pytest.param({"capability": "ball_detection"}, "INVALID_VALUE", id="what the table does not offer"),
    ],
)
def test_an_option_that_does_not_fit_is_refused_and_changes_nothing(wire: Wire, options: dict[str, object], code: str) -> None:
    # given
    before = wire.widget.value
    # when
    answer = wire.ask("change", options=options)
    # then
    assert answer["error"]["code"] == code
    assert wire.widget.value == before


def test_shares_that_do_not_add_up_are_an_issue_that_blocks(wire: Wire) -> None:
    # when
    plan = wire.ask("change", options={"ratios": {"train": 0.5, "val": 0.1}})["result"]
    # then
    assert plan["ok"] is False
    assert [issue["code"] for issue in plan["issues"] if issue["blocking"]] == ["SPLIT_RATIOS_INVALID"]


def test_a_build_tells_its_progress_and_outcome_and_the_next_one_is_reused(wire: Wire, ws: Workspace) -> None:
    # when
    first, second = build(wire), build(wire)
    # then
    assert [first, second] == ["created", "reused_success"]
    assert wire.events("progress")[-1] == {"done": 9, "total": 9}
    told = wire.events("ended")[0]
    assert (told["result"]["name"], told["result"]["version"], told["result"]["included"]) == ("players", 1, 3)
    assert told["result"]["quality"]["badge"] == ws.datasets.get("players").quality.badge
    assert told["preflight"]["outcome"] == "reused_success"
    assert wire.widget.result.dataset.id == told["result"]["id"]


def test_a_build_under_way_blocks_nothing_is_shown_to_a_new_view_and_can_be_stopped(
    wire: Wire, ws: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    # given a build that waits after its first step
    monkeypatch.setattr("labelkit.store.datasets.samples.BATCH_ROWS", 1)
    arrived, free = threading.Event(), threading.Event()
    moved = PreflightTable._moved

    def hold(widget: PreflightTable, done: int, total: int) -> None:
        moved(widget, done, total)
        arrived.set()
        assert free.wait(30)

    monkeypatch.setattr(PreflightTable, "_moved", hold)
    first = wire.ask("build")["result"]
    assert arrived.wait(30)
    # when somebody clicks twice, and another view opens
    second = wire.ask("build")["result"]
    shown = wire.ask("ready")["result"]["running"]
    # then
    assert second == first
    assert shown == {"build": first["build"], "done": 3, "total": 9}
    assert wire.ask("select", on=[], off=[pack_of(ws, "clip-1")])["ok"]
    # when it is stopped
    wire.ask("cancel")
    free.set()
    with pytest.raises(LabelkitError):
        wire.widget.job.result(30)
    with pytest.raises(LabelkitError):
        ended(wire)
    # then
    assert [event["code"] for event in wire.events("error")] == ["BUILD_CANCELED"]
    assert wire.events("ended") == [{"result": None, "preflight": wire.ask("ready")["result"]["preflight"]}]
    assert wire.ask("ready")["result"]["running"] is None
    assert ws.datasets.get("players").failure == "BUILD_CANCELED"


def test_a_split_that_came_with_the_media_asks_for_its_column_only(wire: Wire, ws: Workspace) -> None:
    # when
    plan = wire.ask("change", options={"split_strategy": "predefined", "split_column": "media"})["result"]
    # then each media is a split of its own, and shares and seed are not asked for
    assert [(split["name"], split["samples"]) for split in plan["splits"]] == [(f"clip-{n}", 3) for n in (1, 2, 3)]
    assert wire.events("state")[-1]["options"]["split_strategy"] == "predefined"
    assert build(wire) == "created"
    assert wire.widget.result.dataset.split_counts == {"clip-1": 3, "clip-2": 3, "clip-3": 3}
    # when it is balanced again
    wire.ask("change", options={"split_strategy": "group_ratio"})
    # then
    assert wire.widget.value == labelkit.BuildRequest(
        capability=PLAYERS,
        label_pack_ids=sorted(pack_of(ws, f"clip-{n}") for n in (1, 2, 3)),
        name="players",
        split_strategy="group_ratio",
    )


def test_force_builds_a_second_version_of_equal_content(wire: Wire) -> None:
    # given
    build(wire)
    wire.ask("change", options={"force": True})
    # when
    outcome = build(wire)
    # then
    assert outcome == "created"
    assert wire.widget.result.dataset.version == 2


def test_what_was_built_is_shown_as_the_call_that_builds_the_same(wire: Wire, ws: Workspace) -> None:
    # given
    build(wire)
    # when
    again = eval(wire.widget.python, {"ws": ws, "labelkit": labelkit})
    # then
    assert str(again.outcome) == "reused_success"


def test_many_packs_are_named_by_the_rule_that_ticked_them(wire: Wire, ws: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    # given
    monkeypatch.setattr("labelkit.widgets.preflight_table.LISTED_IDS", 2)
    build(wire)
    # when
    again = eval(wire.widget.python, {"ws": ws, "labelkit": labelkit, "pl": pl})
    # then
    assert "pck_" not in wire.widget.python
    assert again.included_label_pack_ids == wire.widget.selected


def test_a_developer_may_admit_reviewed_revisions_and_their_packs_can_then_be_ticked(wire: Wire, ws: Workspace) -> None:
    # given
    pack = pack_of(ws, "clip-4")
    # when
    wire.ask("change", options={"include_reviewed_override": True})
    plan = wire.ask("select", on=[pack], off=[])["result"]
    # then
    row = next(row for row in wire.events("state")[-1]["rows"] if row["pack_id"] == pack)
    assert (row["selectable"], row["admitted"]) == (True, True)
    assert (plan["ok"], plan["packs"]) == (True, 4)


def test_who_is_no_developer_sees_the_override_as_a_blocking_issue(ws: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    # given
    with colleague(ws, "bo", "reviewer") as theirs:
        wire = Wire.to(PreflightTable(theirs, PLAYERS, name="players"), monkeypatch)
        # when
        may = wire.ask("ready")["result"]["may_override"]
        plan = wire.ask("change", options={"include_reviewed_override": True})["result"]
    # then
    assert may is False
    assert [issue["code"] for issue in plan["issues"] if issue["blocking"]] == ["ELIGIBILITY_OVERRIDE_FORBIDDEN"]


def test_an_annotator_is_refused_when_building_and_told_what_it_needs(ws: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    # given
    with colleague(ws, "bo", "annotator") as theirs:
        wire = Wire.to(PreflightTable(theirs, PLAYERS, name="players"), monkeypatch)
        # when
        answer = wire.ask("build")
    # then
    assert answer["error"]["code"] == "PERMISSION_DENIED"
    assert wire.widget.result is None


def test_refreshing_lets_go_of_packs_that_are_gone_and_finds_new_approvals(wire: Wire, ws: Workspace) -> None:
    # given
    ws.review.set_eligibility(ws.review.history("clip-4", PLAYERS)[0].id, "APPROVED", expected_version=1)
    ws.review.revoke_pack(pack_of(ws, "clip-1"), reason="wrong half")
    # when
    wire.ask("refresh")
    # then
    state = wire.events("state")[-1]
    assert {row["media"]: row["reason"] for row in state["rows"]} == {
        "clip-1": "LABEL_PACK_REVOKED",
        "clip-2": None,
        "clip-3": None,
        "clip-4": None,
    }
    assert [one["reason"] for one in state["preflight"]["excluded"]] == ["LABEL_PACK_REVOKED"]


def test_ticks_can_be_set_in_python_and_show_at_once(wire: Wire, ws: Workspace) -> None:
    # when
    wire.widget.selected = [pack_of(ws, "clip-2")]
    # then
    assert wire.events("state")[-1]["selected"] == [pack_of(ws, "clip-2")]
    assert wire.widget.preflight.group_count == 1


def test_a_pack_that_is_no_candidate_is_refused_with_the_nearest_one(wire: Wire, ws: Workspace) -> None:
    # given
    pack = pack_of(ws, "clip-2")
    # when
    with pytest.raises(LabelkitError) as refusal:
        wire.widget.selected = [pack[:-1]]
    # then
    assert refusal.value.code == "NOT_FOUND"
    assert pack in str(refusal.value)


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        pytest.param({"capability": PLAYERS, "nmae": "x"}, "UNKNOWN_ARGUMENT", "'name'", id="a misspelt argument"),
        pytest.param({"capability": "player_detetcion"}, "NOT_FOUND", PLAYERS, id="a misspelt capability"),
        pytest.param({"capability": PLAYERS, "split_strategy": "random"}, "SPLIT_STRATEGY_NOT_SUPPORTED", "random", id="a strategy"),
        pytest.param({"capability": PLAYERS, "ratios": {"train": float("nan")}}, "INVALID_VALUE", "train", id="a share that is no number"),
    ],
)
def test_wrong_arguments_are_refused_before_anything_is_shown(ws: Workspace, arguments: dict[str, object], code: str, said: str) -> None:
    # when
    with pytest.raises(LabelkitError) as refusal:
        PreflightTable(ws, **arguments)
    # then
    assert refusal.value.code == code
    assert said in str(refusal.value)


def test_without_a_kernel_plan_and_packs_are_tables_with_everything_escaped(ws: Workspace) -> None:
    # given
    widget = PreflightTable(ws, PLAYERS, name="<script>alert(1)</script>")
    # when
    page = widget.to_html()
    # then
    assert "<script" not in page
    assert "&lt;script&gt;" in page
    assert all(word in page for word in ("train", "goalkeeper", "clip-3", "3 of 4 packs ticked"))
