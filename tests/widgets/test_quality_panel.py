"""QualityPanel: every check in the policy's order, with its value against its threshold; words where there are none."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from labelkit import BuildRequest
from labelkit.core.datasets.quality import Statistics, evaluate
from labelkit.widgets import QualityPanel
from labelkit.widgets.quality_badge import quality_row
from labelkit.widgets.quality_panel import quality_html
from tests.widgets.messages import Wire
from tests.widgets.scenes import PLAYERS, built, half_built

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from labelkit import Workspace
    from labelkit.services.datasets import Dataset

BAD = Statistics(12, 1, 0, 12, {"ball": 1, "player": 90}, 2, 3)


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[tuple[Workspace, Dataset]]:
    ws, dataset = built(tmp_path)
    with ws:
        yield ws, dataset


def test_all_checks_stand_in_the_order_of_the_policy_whether_they_fired_or_not() -> None:
    # when
    checks = quality_row(evaluate(BAD, PLAYERS), ordered=True)["checks"]
    # then
    codes = [(check["severity"], check["code"]) for check in checks]
    assert codes == sorted(codes, key=lambda one: (one[0] == "Warning", one[1]))
    assert [check["code"] for check in checks if check["fired"]] == [
        "INVALID_GEOMETRY",
        "INVALID_LABEL_SCHEMA",
        "CLASS_IMBALANCE",
        "LOW_GROUP_COUNT",
        "LOW_SAMPLE_COUNT",
    ]
    assert len(checks) == 10


def test_a_view_gets_policy_values_and_thresholds(scene: tuple[Workspace, Dataset], monkeypatch: pytest.MonkeyPatch) -> None:
    # when
    wire = Wire.to(QualityPanel(scene[1]), monkeypatch)
    state = wire.ask("ready")["result"]
    # then
    assert (state["badge"], state["policy_version"], state["failure"]) == (scene[1].quality.badge, "v1", "")
    count = next(check for check in state["checks"] if check["code"] == "LOW_SAMPLE_COUNT")
    assert (count["value"], count["threshold"], count["fired"]) == ("9", "≥ 100", True)
    assert eval(wire.widget.python, {"ws": scene[0]}) == wire.widget.value
    # when
    wire.ask("refresh")
    # then
    assert wire.events("state") == [state]


def test_an_old_row_without_an_evaluation_says_not_evaluated_instead_of_nothing(scene: tuple[Workspace, Dataset]) -> None:
    # given a dataset of before quality was evaluated
    ws, dataset = scene
    with ws._database.transaction() as tx:
        tx.execute("DELETE FROM build_quality")
    # when
    panel = QualityPanel(ws.datasets.get(dataset.id))
    # then
    assert (panel.value.badge, panel.ready()["checks"]) == ("Not evaluated", [])
    assert panel.ready()["note"]
    assert "Not evaluated" in panel.to_html()
    assert ws.datasets.list()["quality"].to_list() == ["Not evaluated"]


def test_a_capability_that_no_policy_covers_says_not_evaluated(scene: tuple[Workspace, Dataset]) -> None:
    # given
    ws = scene[0]
    ws.capabilities.add("flags", geometry="box", classes=["flag"])
    draft = ws.review.open("clip-1", "flags")
    outcome = ws.review.publish(draft.id, expected_version=draft.version, override_warnings=True, reason="empty on purpose")
    ws.review.set_eligibility(outcome.revision.id, "APPROVED", expected_version=1)
    dataset = ws.datasets.build(BuildRequest(capability="flags", label_pack_ids=[outcome.pack.id], name="flags")).dataset
    # then
    assert repr(QualityPanel(dataset)) == f"Quality of {dataset.title}: Not evaluated"


def test_a_build_that_failed_says_by_what(tmp_path: Path) -> None:
    # given
    ws, dataset = half_built(tmp_path)
    with ws:
        state = QualityPanel(dataset).ready()
    # then
    assert (state["failure"], state["checks"]) == ("STORAGE_READ_FAILED", [])
    assert state["reason"]


def test_the_static_table_has_every_check() -> None:
    # when
    fired, table = quality_html(evaluate(BAD, PLAYERS))
    # then
    assert fired == "Policy v1: 5 of 10 checks fired."
    assert (table.count("<tr>"), table.count("Passed"), table.count("Hard fail")) == (11, 5, 2)
