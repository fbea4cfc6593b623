"""The main job from end to end, as the demo tells it."""

from __future__ import annotations

import io
from dataclasses import astuple

import polars as pl
import pytest
from rich.console import Console

import labelkit
from labelkit import recipes
from labelkit.core.geometry import Box
from labelkit.demo import Demo


@pytest.fixture(scope="module")
def told(tmp_path_factory):
    """The demo on a small drawn match, told twice on one store: (store, first result, second result, what was said)."""
    store = tmp_path_factory.mktemp("demo") / "labels.duckdb"
    said = io.StringIO()
    results = [Demo(store, quick=True, console=Console(file=said, width=200)).run() for _ in range(2)]
    return store, *results, said.getvalue()


def test_the_built_dataset_holds_exactly_what_was_drawn(told):
    # given the truth of the match, drawn again from its seed
    store, result, _, _ = told
    match = labelkit.synthetic.match(store.parent / "again", frames=12)
    drawn = [
        (clip.name, index, true.label, true.box) for clip in match.clips for index, truth in enumerate(clip.frames) for true in truth.labels
    ]

    # when
    with labelkit.open(store) as ws:
        rows = ws.datasets.get(result["dataset"]).annotations().rows(named=True)
    built = [(row["media"], row["frame_index"], row["label"], Box.at(row["x"], row["y"], row["width"], row["height"])) for row in rows]

    # then the review by operations led there; what differs by less than a px counts as equal in a diff by geometry
    assert (result["samples"], result["annotations"]) == (12, len(drawn))
    assert sorted(row[:3] for row in built) == sorted(row[:3] for row in drawn)
    for *where, box in drawn:
        there = [other for *place, other in built if place == where]
        assert min(max(abs(a - b) for a, b in zip(astuple(box), astuple(other), strict=True)) for other in there) <= 1.0


def test_no_clip_is_cut_by_the_split_and_every_split_has_one(told):
    store, result, _, _ = told
    with labelkit.open(store) as ws:
        rows = ws.datasets.get(result["dataset"]).to_polars()
    assert rows.group_by("group_key").agg(pl.col("split").n_unique())["split"].to_list() == [1, 1, 1]
    assert set(result["splits"]) == set(rows["split"].unique()) == {"train", "val", "test"}


def test_told_again_it_publishes_and_builds_nothing_twice(told):
    # given
    store, first, second, said = told

    # then
    assert (first["outcome"], second["outcome"]) == ("created", "reused_success")
    assert (first["dataset"], first["manifest_hash"]) == (second["dataset"], second["manifest_hash"])
    assert "PUBLISH_SUCCESS (3)" in said
    assert "NO_OP_ALREADY_PUBLISHED (3)" in said
    with labelkit.open(store) as ws:
        assert [len(ws.review.history(f"clip-{n}", "player_detection")) for n in (1, 2, 3)] == [1, 1, 1]


def test_it_says_the_verdict_and_where_everything_is(told):
    store, result, _, said = told
    assert result["quality"].startswith("Warnings")
    assert result["quality"] in said
    for place in (str(store), result["manifest_hash"], str(store.parent / "runs" / "build_dataset.ipynb"), f"labelkit open {store}"):
        assert place in said
    assert any((store.parent / "export").rglob("*.json"))


def test_real_labels_without_better_ones_lose_only_near_doubles_and_of_several_folders_the_first_is_taken(tmp_path):
    # given two clips whose labels hold one box twice, once less sure, and two more folders of labels
    match = labelkit.synthetic.match(tmp_path / "drawn", frames=4, width=320, height=180, clips=2)
    data = tmp_path / "data"
    match.write_yolo(data / "labels", noise=0)
    (tmp_path / "drawn" / "images").rename(data / "images")
    (data / "labels" / "classes.txt").rename(data / "classes.txt")
    file = data / "labels" / "clip-1" / "clip-1_000.txt"
    best, *_ = file.read_text().splitlines()
    file.write_text(f"{file.read_text()}{best.rsplit(' ', 1)[0]} 0.300\n")

    for other in ("labels_rev1", "labels_rev2"):
        (data / other / "clip-1").mkdir(parents=True)
        (data / other / "clip-1" / "clip-1_000.txt").write_text(best)
    said = io.StringIO()

    # when
    result = Demo(tmp_path / "labels.duckdb", data=data, console=Console(file=said, width=300)).run()

    # then
    assert "labels from labels/ (not used: labels_rev1, labels_rev2" in said.getvalue()
    assert result["annotations"] == sum(len(truth.labels) for clip in match.clips for truth in clip.frames)
    assert set(result["splits"]) == {"train", "val"}


def test_classes_that_no_built_in_capability_has_make_one_of_their_own(tmp_path):
    # given one clip of things that are not football
    match = labelkit.synthetic.match(tmp_path / "drawn", frames=3, width=320, height=180, clips=1)
    match.write_yolo(tmp_path / "data" / "labels", noise=0)
    (tmp_path / "drawn" / "images" / "clip-1").rename(tmp_path / "data" / "images")
    (tmp_path / "data" / "labels" / "classes.txt").write_text("sphere\ncat\ndog\nbird\n")

    # when
    result = Demo(tmp_path / "labels.duckdb", data=tmp_path / "data", console=Console(file=io.StringIO())).run()

    # then nothing can be said of its quality, because the policy does not know it
    assert (result["splits"], result["quality"]) == ({"train": 3}, "Not evaluated")
    with labelkit.open(tmp_path / "labels.duckdb") as ws:
        assert set(ws.datasets.get("demo").annotations()["label"]) <= {"sphere", "cat", "dog", "bird"}


@pytest.mark.parametrize(
    ("called", "shown"),
    [
        pytest.param("{here}/.ci/venv/bin/labelkit", ".ci/venv/bin/labelkit open", id="an environment of this folder"),
        pytest.param("/opt/elsewhere/bin/labelkit", "labelkit open", id="an environment elsewhere"),
        pytest.param("{here}/bin/pytest", "labelkit open", id="another program"),
    ],
)
def test_the_next_command_is_shown_as_it_can_be_typed_here(tmp_path, monkeypatch, called, shown):
    # given
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.argv", [called.format(here=tmp_path)])
    demo = Demo(tmp_path / "labels.duckdb")

    # when
    places = demo.places(recipes.RunOutcome(tmp_path / "n.ipynb", {}, ()))

    # then
    assert places["open in JupyterLab"].startswith(shown)
