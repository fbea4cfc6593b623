"""Builds that promise files: made as part of the build, judged by its quality, and never a part of the content's identity."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

import labelkit
from labelkit.core.geometry import Point
from labelkit.errors import LabelkitError
from labelkit.services.datasets.building.builder import ENFORCEMENT
from tests.services import pictured
from tests.services.pictured import draw, files, request
from tests.services.worlds import refused, trail

MODES = ["link", "copy", "crops"]
FRAMES = [f"{index:06}.png" for index in range(4)]


@pytest.fixture(autouse=True)
def no_enforcement(monkeypatch):
    monkeypatch.delenv(ENFORCEMENT, raising=False)


@pytest.fixture
def ws(tmp_path):
    with labelkit.open(tmp_path / "labels.duckdb", workspace="club-a", user="ana") as opened:
        yield opened


@pytest.fixture
def memory():
    with labelkit.open(":memory:", workspace="club-a", user="ana") as opened:
        yield opened


def pack(ws, root, name="match-0"):
    return pictured.pack(ws, draw(root / name, FRAMES), name, len(FRAMES))


def fired(dataset):
    return {one.code: one.value for one in dataset.quality.indicators if "ASSETS" in one.code or "MATERIAL" in one.code}


@pytest.mark.parametrize("mode", MODES)
def test_a_build_makes_the_files_that_it_promises_beside_the_store(ws, tmp_path, mode):
    # when
    result = ws.datasets.build(request([pack(ws, tmp_path)], materialization=mode))

    # then
    dataset, place = result.dataset, tmp_path / f"labels.duckdb.assets/{result.dataset.id}"
    assert (dataset.materialization, dataset.materialized.mode, dataset.materialized.target) == ("complete", mode, str(place))
    assert len(files(place)) == (8 if mode == "crops" else 4)
    assert fired(dataset) == {}
    assert {"MATERIALIZATION_STARTED", "MATERIALIZATION_COMPLETE", "BUILD_SUCCEEDED"} < {code for (code,) in trail(ws, "code")}


def test_the_files_change_nothing_of_the_content(memory, tmp_path):
    # given
    packs = [pack(memory, tmp_path)]

    # when
    places = {"none": None} | {mode: str(tmp_path / mode) for mode in MODES}
    made = [memory.datasets.build(request(packs, name=m, materialization=m, materialize_to=to)) for m, to in places.items()]

    # then
    assert {one.outcome for one in made} == {"created"}
    assert len({one.dataset.manifest_hash for one in made}) == 1
    assert len({one.dataset.reuse_fingerprint for one in made}) == 4


def test_an_equal_request_makes_the_files_again_that_are_not_all_there(memory, tmp_path):
    # given a build whose files went to one place
    packs = [pack(memory, tmp_path)]
    first = memory.datasets.build(request(packs, materialization="copy", materialize_to=str(tmp_path / "one")))

    # when the same is asked for, and then at another place
    same = memory.datasets.build(request(packs, materialization="copy", materialize_to=str(tmp_path / "one")))
    runs = same.dataset.materialization_runs().height
    other = memory.datasets.build(request(packs, materialization="copy", materialize_to=str(tmp_path / "two")))

    # then
    assert (same.outcome, other.outcome, other.dataset.id) == ("reused_success", "reused_success", first.dataset.id)
    assert (runs, files(tmp_path / "one")) == (1, files(tmp_path / "two"))
    assert other.dataset.materialized.target == str(tmp_path / "two")


def test_a_failed_shard_is_a_warning_and_the_same_request_makes_the_rest(memory, tmp_path):
    # given a picture that changed since it was labelled
    packs = [pack(memory, tmp_path), pack(memory, tmp_path, "match-1")]
    picture = tmp_path / "match-1" / FRAMES[2]
    data = picture.read_bytes()
    picture.write_bytes(b"another picture")
    asked = request(packs, materialization="copy", materialize_to=str(tmp_path / "out"))

    # when
    result = memory.datasets.build(asked)

    # then
    assert (result.dataset.materialization, len(files(tmp_path / "out"))) == ("partial", 7)
    assert fired(result.dataset) == {"MATERIALIZATION_PARTIAL": 1}

    # and when the picture is back
    picture.write_bytes(data)
    again = memory.datasets.build(asked)
    assert (again.outcome, again.dataset.materialization, len(files(tmp_path / "out"))) == ("reused_success", "complete", 8)


def test_files_that_are_all_absent_are_a_hard_fail_that_enforcement_stops(memory, tmp_path):
    # given
    packs = [pack(memory, tmp_path)]
    for picture in (tmp_path / "match-0").iterdir():
        picture.unlink()
    asked = request(packs, materialization="link", materialize_to=str(tmp_path / "out"))

    # then the build says so
    assert fired(memory.datasets.build(asked).dataset) == {"MISSING_MATERIALIZED_ASSETS": 4, "MATERIALIZATION_PARTIAL": 1}

    # and where quality is enforced, there is no version
    enforced = asked.model_copy(update={"enforce_quality": True, "force": True, "materialize_to": str(tmp_path / "more")})
    assert refused(lambda: memory.datasets.build(enforced)) == "DATASET_QUALITY_HARD_FAIL"


def test_files_that_vanish_after_their_shard_was_done_are_promised_and_absent(memory, tmp_path, monkeypatch):
    # given somebody who clears up while shards are made
    from labelkit.services.datasets.materializing.making import Materializing

    seen = Materializing._must_be_seen

    def cleared(run):
        (tmp_path / "out" / "train" / "club-a" / "match-0" / FRAMES[0]).unlink()
        seen(run)

    monkeypatch.setattr(Materializing, "_must_be_seen", cleared)

    # when
    result = memory.datasets.build(request([pack(memory, tmp_path)], materialization="copy", materialize_to=str(tmp_path / "out")))

    # then
    assert fired(result.dataset) == {"MISSING_MATERIALIZED_ASSETS": 1}


@pytest.mark.parametrize(("mode", "made"), [("copy", True), ("crops", False)])
def test_a_build_beside_a_frozen_test_set_promises_no_crops_to_train_on(memory, tmp_path, mode, made):
    # given a frozen test set of one pack
    held, free = pack(memory, tmp_path, "held"), pack(memory, tmp_path, "free")
    memory.datasets.freeze(memory.datasets.build(request([held], name="test-set")).dataset)
    asked = request([held, free], materialization=mode, materialize_to=str(tmp_path / "out"))

    # when
    if made:
        memory.datasets.build(asked)
    else:
        assert refused(lambda: memory.datasets.build(asked)) == "FROZEN_SOURCE_LEAKAGE_FORBIDDEN"

    # then
    assert (memory.datasets.list(name="players")["failure"].to_list(), (tmp_path / "out").exists()) == (
        ([None], True) if made else (["FROZEN_SOURCE_LEAKAGE_FORBIDDEN"], False)
    )


def test_a_taken_place_fails_the_build_by_its_code(memory, tmp_path):
    # given
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine").touch()
    packs = [pack(memory, tmp_path)]

    # then
    assert refused(lambda: memory.datasets.build(request(packs, materialization="copy", materialize_to=str(tmp_path / "out")))) == (
        "MATERIALIZATION_TARGET_TAKEN"
    )
    failed = memory.datasets.get("players")
    assert (failed.status, failed.failure, failed.materialization) == ("failed", "MATERIALIZATION_TARGET_TAKEN", "none")


@pytest.mark.parametrize(
    ("more", "code"),
    [
        pytest.param({"materialization": "crops", "materialize_to": "/x"}, "MATERIALIZATION_CROPS_NEED_BOXES", id="crops of points"),
        pytest.param({"materialization": "copy"}, "INVALID_VALUE", id="no place beside a store in memory"),
    ],
)
def test_files_that_cannot_be_are_seen_by_the_preflight_and_refused_before_the_build(memory, tmp_path, more, code):
    # given
    labels = {0: [("ball", Point(10.0, 10.0, 6.0))]}
    balls = pictured.pack(memory, draw(tmp_path / "one", FRAMES), "one", 4, labels=labels, capability="ball_detection")
    asked = request([balls], capability="ball_detection", **more)

    # then
    assert code in [issue.code for issue in memory.datasets.preflight(asked).issues if issue.blocking]
    assert refused(lambda: memory.datasets.build(asked)) == code
    assert memory.datasets.list().is_empty()


def test_a_build_that_is_canceled_while_it_makes_files_leaves_no_version(memory, tmp_path, monkeypatch):
    # given a build that has begun with its files
    monkeypatch.setattr("labelkit.services.datasets.materializing.crew.WINDOW", 1)
    monkeypatch.setattr("labelkit.core.datasets.materialization.Mode.shard_samples", 1)
    begun, go_on = threading.Event(), threading.Event()
    real = labelkit.services.datasets.materializing.crew.run_shard

    def slow(task):
        begun.set()
        go_on.wait(20)
        return real(task)

    monkeypatch.setattr("labelkit.services.datasets.materializing.crew.run_shard", slow)
    job = memory.datasets.start(request([pack(memory, tmp_path)], materialization="copy", materialize_to=str(tmp_path / "out")))
    assert begun.wait(20)

    # when
    job.cancel()
    go_on.set()

    # then
    with pytest.raises(LabelkitError) as refusal:
        job.result(20)
    dataset = memory.datasets.get("players")
    assert (refusal.value.code, dataset.status, dataset.materialization) == ("BUILD_CANCELED", "failed", "partial")
    assert len(files(tmp_path / "out")) == 1
    assert Path(tmp_path / "out" / ".labelkit" / "shard-000000.json").exists()
