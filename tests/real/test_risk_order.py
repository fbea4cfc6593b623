"""Frames worth a look first: on real labels of a real model the risk order finds the errors earlier than the order of the frames."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random
from statistics import mean
from typing import TYPE_CHECKING

import polars as pl
import pytest

import labelkit
from labelkit import ReviewOp
from labelkit.core.matching import match
from tests.real.test_soccer_ball import centres
from tests.real.test_soccer_players import CLASSES, truth

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from labelkit.services.review import Draft
    from labelkit.workspace import Workspace

pytestmark = pytest.mark.real

PLAYERS, BALLS = "player_detection", "ball_detection"


@dataclass(frozen=True)
class Curve:
    """The share of all errors that is found after the first frames of an order."""

    shares: tuple[float, ...]

    @classmethod
    def of(cls, order: Sequence[int], errors: Sequence[int]) -> Curve:
        found, shares = 0, []
        for index in order:
            found += errors[index]
            shares.append(found / sum(errors))
        return cls(tuple(shares))

    @property
    def area(self) -> float:
        """The area under the curve: 1/2 where errors are found evenly."""
        return mean([0.0, *self.shares, *self.shares[:-1]])

    def __str__(self) -> str:
        deciles = [self.shares[round(tenth * len(self.shares) / 10) - 1] for tenth in range(1, 11)]
        return f"{self.area:.3f}: {' '.join(f'{share:.2f}' for share in deciles)}"


@dataclass(frozen=True)
class Orders:
    """The curves of one draft: by risk, by frame, at random (the mean of many), and by who knows the errors."""

    risk: Curve
    frame: Curve
    random: Curve
    oracle: Curve

    @classmethod
    def of(cls, ranked: Sequence[int], errors: Sequence[int]) -> Orders:
        random, count = Random(11), len(errors)
        drawn = [Curve.of(random.sample(range(count), count), errors) for _ in range(200)]
        even = Curve(tuple(mean(shares) for shares in zip(*(curve.shares for curve in drawn), strict=True)))
        oracle = sorted(range(count), key=lambda index: -errors[index])
        return cls(Curve.of(ranked, errors), Curve.of(range(count), errors), even, Curve.of(oracle, errors))

    def __str__(self) -> str:
        curves = {"risk": self.risk, "frame": self.frame, "random": self.random, "oracle": self.oracle}
        return "\n".join(["area, and share of the errors after each tenth of the frames", *(f"{n:6} {c}" for n, c in curves.items())])


def errors_of(draft: Draft, folder: Path) -> list[int]:
    """What is wrong on each frame of a draft: boxes too many, boxes missing, and classes that differ, by overlap from 0.3."""
    found = []
    for frame in draft.frames:
        wanted = truth(folder, frame.name.removesuffix(".jpg"))
        pairs = match([a.geometry for a in frame.annotations], [box for _, box in wanted])
        differ = sum(frame.annotations[pair.left].label != wanted[pair.right][0] for pair in pairs)
        found.append(len(frame.annotations) + len(wanted) - 2 * len(pairs) + differ)
    return found


@pytest.fixture(scope="module")
def ws(tmp_path_factory):
    with labelkit.open(tmp_path_factory.mktemp("risk") / "labels.duckdb", workspace="bundesliga", user="ana") as opened:
        yield opened


@pytest.fixture(scope="module")
def draft(ws: Workspace, real_data) -> Draft:
    """What the model proposed; the better labels are not in the store."""
    data = real_data("soccer_players")
    ws.media.add(data / "images", name="players", group_key="all")
    run = ws.prelabels.import_(
        "yolo", data / "prelabels_fastestdet", media="players", capability=PLAYERS, classes=CLASSES, model="fastestdet"
    )
    return ws.review.open("players", PLAYERS, run=run.id)


def test_the_risk_order_finds_real_errors_earlier_than_the_order_of_frames_and_chance(ws, draft, real_data):
    # given
    errors = errors_of(draft, real_data("soccer_players") / "labels_rev2")
    assert sum(errors) > 5_000

    # when
    ranked = ws.review.risk("players", PLAYERS)

    # then
    orders = Orders.of(ranked["frame_index"].to_list(), errors)
    assert orders.risk.area > orders.frame.area + 0.08, str(orders)
    assert orders.risk.area > orders.random.area + 0.08, str(orders)
    assert orders.risk.area > orders.oracle.area - 0.02, str(orders)


@pytest.mark.usefixtures("draft")
def test_the_order_of_the_table_is_the_order_of_the_jumps_and_the_coverage_is_honest(ws):
    # given
    live = ws.review.live("players", PLAYERS)
    ranked = ws.review.risk("players", PLAYERS)
    assert ranked["risk"].is_sorted(descending=True)
    worth = live.worth()
    assert ranked["reasons"][0].to_list() == worth["reasons"][worth["next"]] != []
    assert live.worth()["coverage"] == f"seen 0 of 110; highest unseen risk {ranked['risk'][0]:.2f}"

    # when somebody jumps from one to the next until nothing above 0.4 is left
    gone = []
    while (worth := live.worth())["risk"][worth["next"]] > 0.4:
        gone.append(worth["next"])
        live.go(worth["next"])
        assert len(gone) < 110, "the jumps do not end"
    live.save()

    # then it says so, and of the frames that are left each is as harmless as the table says
    after = ws.review.risk("players", PLAYERS)
    assert gone == ranked["frame_index"].to_list()[: len(gone)]
    assert live.worth()["coverage"] == f"seen {len(gone)} of 110; none unseen above 0.4"
    assert (after.filter("seen").height, after.filter(~pl.col("seen"))["risk"].max() <= 0.4) == (len(gone), True)
    assert after.tail(len(gone))["seen"].all()


@pytest.mark.usefixtures("draft")
def test_corrected_frames_make_their_neighbours_worth_a_look(ws):
    # given
    before = {row["frame_index"]: row for row in ws.review.risk("players", PLAYERS).iter_rows(named=True)}
    index = next(i for i in range(10, 100) if all(before[n]["neighbour_edited"] == 0 for n in range(i - 2, i + 3)))
    live = ws.review.live("players", PLAYERS)

    # when
    live.apply(ReviewOp.delete(index, live.frame(index).annotations[0].id))
    live.save()

    # then
    after = {row["frame_index"]: row for row in ws.review.risk("players", PLAYERS).iter_rows(named=True)}
    assert all(after[n]["risk"] > before[n]["risk"] for n in (index - 2, index - 1, index + 1, index + 2))
    assert after[index + 3]["risk"] == before[index + 3]["risk"]


@pytest.mark.parametrize("clip", ["08fd33_0", "2e57b9_0"])
def test_errors_planted_among_real_balls_come_first(ws, real_data, clip):
    # given the balls of a clip, of which one in eight is missing, doubled or far away
    random, data = Random(clip), real_data("soccer_ball")
    ws.media.add(str(data / "images" / f"{clip}-*.jpg"), name=clip, group_key=clip)
    balls = centres(data, clip)
    wrong = dict.fromkeys(random.sample(range(len(balls)), len(balls) // 8), 1)
    rows = []
    for index, (x, y, _) in enumerate(balls):
        away = [((x + 320) % 640, (y + 320) % 640)]
        kind = random.choice(("missing", "doubled", "far away")) if index in wrong else "right"
        shown = {"missing": [], "doubled": [(x, y), *away], "far away": away, "right": [(x, y)]}[kind]
        rows += [{"frame_index": index, "label": "ball", "x": a, "y": b, "score": 0.9} for a, b in shown]
    run = ws.prelabels.import_("csv", pl.DataFrame(rows), media=clip, capability=BALLS)

    ws.review.open(clip, BALLS, run=run.id)

    # when
    ranked = ws.review.risk(clip, BALLS)

    # then
    orders = Orders.of(ranked["frame_index"].to_list(), [wrong.get(index, 0) for index in range(len(balls))])
    assert orders.risk.area > orders.frame.area + 0.2, str(orders)
    assert orders.risk.area > orders.random.area + 0.2, str(orders)
