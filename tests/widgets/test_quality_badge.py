"""QualityBadge: indicators in order, numbers as people read them, and words where nothing was evaluated."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from labelkit.core.datasets.quality import NOT_EVALUATED, Statistics, evaluate
from labelkit.errors import LabelkitError
from labelkit.widgets import QualityBadge
from labelkit.widgets.quality_badge import quality_row
from tests.widgets.messages import Wire
from tests.widgets.scenes import PLAYERS, built

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from labelkit import Workspace
    from labelkit.services.datasets import Dataset

GOOD = {
    "samples": 1200,
    "groups": 5,
    "empty_samples": 12,
    "selected_frames": 1250,
    "class_counts": {"ball": 100, "player": 900},
    "schema_errors": 0,
    "geometry_errors": 0,
}


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[tuple[Workspace, Dataset]]:
    ws, dataset = built(tmp_path)
    with ws:
        yield ws, dataset


def test_the_badge_of_a_dataset_comes_with_its_indicators_and_policy(
    scene: tuple[Workspace, Dataset], monkeypatch: pytest.MonkeyPatch
) -> None:
    # given
    wire = Wire.to(QualityBadge(scene[0], scene[1]), monkeypatch)
    # when
    state = wire.ask("ready")["result"]
    # then
    assert (state["name"], state["version"], state["policy_version"]) == ("players", 1, "v1")
    assert (state["badge"], state["tone"]) == (scene[1].quality.badge, "warn")
    assert [check["code"] for check in state["checks"] if check["fired"]] == [one.code for one in wire.widget.value.indicators]


@pytest.mark.parametrize(
    ("statistics", "badge", "tone", "fired"),
    [
        pytest.param({}, "Pass", "good", [], id="all is well"),
        pytest.param({"samples": 60}, "Warnings (2)", "warn", ["LOW_LABEL_COVERAGE", "LOW_SAMPLE_COUNT"], id="too few samples"),
        pytest.param(
            {"groups": 1, "geometry_errors": 2, "schema_errors": 1},
            "Hard fail (2)",
            "bad",
            ["INVALID_GEOMETRY", "INVALID_LABEL_SCHEMA", "LOW_GROUP_COUNT"],
            id="hard fails come first, then by code",
        ),
        pytest.param({"schema_errors": None}, "Hard fail (1)", "bad", ["MISSING_REQUIRED_STATS"], id="a number that nobody could compute"),
    ],
)
def test_what_fired_comes_first_in_the_order_of_the_policy(statistics: dict[str, object], badge: str, tone: str, fired: list[str]) -> None:
    # when
    row = quality_row(evaluate(Statistics(**{**GOOD, **statistics}), PLAYERS))
    # then
    assert (row["badge"], row["tone"]) == (badge, tone)
    assert [check["code"] for check in row["checks"]][: len(fired)] == fired
    assert [check["fired"] for check in row["checks"]] == [True] * len(fired) + [False] * (10 - len(fired))


@pytest.mark.parametrize(
    ("code", "value", "threshold"),
    [
        pytest.param("LOW_SAMPLE_COUNT", "1,200", "≥ 100", id="a count has separators"),
        pytest.param("LOW_LABEL_COVERAGE", "96.0%", "≥ 80.0%", id="a share is in per cent"),
        pytest.param("HIGH_EMPTY_LABEL_RATE", "1.0%", "≤ 30.0%", id="the most that is wanted"),
        pytest.param("CLASS_IMBALANCE", "9", "≤ 20", id="a ratio"),
    ],
)
def test_numbers_stand_beside_their_thresholds_as_people_read_them(code: str, value: str, threshold: str) -> None:
    # when
    row = quality_row(evaluate(Statistics(**GOOD), PLAYERS))
    # then
    check = next(one for one in row["checks"] if one["code"] == code)
    assert (check["value"], check["threshold"]) == (value, threshold)


def test_what_was_never_evaluated_says_so() -> None:
    # when
    row = quality_row(NOT_EVALUATED)
    # then
    assert (row["badge"], row["tone"], row["checks"]) == ("Not evaluated", "plain", [])
    assert row["note"]


def test_the_static_page_has_badge_policy_and_numbers(scene: tuple[Workspace, Dataset]) -> None:
    # when
    widget = QualityBadge(scene[0], "players")
    # then
    page = widget.to_html()
    assert all(part in page for part in ("Policy v1, 10 checks.", "LOW_SAMPLE_COUNT", "100", scene[1].quality.badge))
    assert repr(widget) == f"Quality of players v1 ({scene[1].id}): {scene[1].quality.badge}"


def test_refreshing_reads_the_dataset_anew(scene: tuple[Workspace, Dataset], monkeypatch: pytest.MonkeyPatch) -> None:
    # given
    wire = Wire.to(QualityBadge(scene[0], scene[1].id), monkeypatch)
    # when
    wire.ask("refresh")
    # then
    assert [state["badge"] for state in wire.events("state")] == [scene[1].quality.badge]


def test_a_dataset_that_does_not_exist_is_refused_with_the_nearest_name(scene: tuple[Workspace, Dataset]) -> None:
    # when
    with pytest.raises(LabelkitError) as refusal:
        QualityBadge(scene[0], "player")
    # then
    assert refusal.value.code == "NOT_FOUND"
    assert "'players'" in str(refusal.value)
