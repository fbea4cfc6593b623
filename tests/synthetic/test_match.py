"""The match as files: the same seed gives the same bytes, and the labels are the truth where no noise is asked for."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

import labelkit
from labelkit import synthetic
from labelkit.core.geometry import Box
from labelkit.synthetic import model


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    return synthetic.match(tmp_path_factory.mktemp("match"), frames=8, width=480, height=270, clips=3)


def digest(folder) -> dict[str, str]:
    return {
        str(file.relative_to(folder)): hashlib.sha256(file.read_bytes()).hexdigest() for file in sorted(folder.rglob("*")) if file.is_file()
    }


def read_yolo(folder, match, truth):
    rows = [line.split() for line in (folder / truth.file.parent.name / f"{truth.file.stem}.txt").read_text().splitlines()]
    for kind, *numbers in rows:
        x, y, width, height, *score = map(float, numbers)
        box = Box.at((x - width / 2) * match.width, (y - height / 2) * match.height, width * match.width, height * match.height)
        yield match.classes[int(kind)], box, score


def test_the_frames_are_shared_among_the_clips_and_have_the_size_that_was_asked_for(small):
    assert [(clip.name, len(clip.frames)) for clip in small.clips] == [("clip-1", 3), ("clip-2", 3), ("clip-3", 2)]
    assert len(small) == 8
    for clip in small.clips:
        files = sorted(clip.folder.iterdir())
        assert files == [truth.file for truth in clip.frames]
        for file in files:
            with Image.open(file) as image:
                assert image.size == (480, 270)


def test_the_same_seed_gives_the_same_bytes_and_another_seed_other_ones(tmp_path):
    # when
    for name, seed in (("one", 7), ("again", 7), ("other", 8)):
        synthetic.match(tmp_path / name, frames=4, width=320, height=180, seed=seed, clips=2).write_yolo(tmp_path / name / "labels")

    # then
    one, again, other = (digest(tmp_path / name) for name in ("one", "again", "other"))
    assert one == again
    assert one.keys() == other.keys()
    assert {name for name in one if one[name] == other[name]} == {"labels/classes.txt"}


def test_drawing_fewer_frames_into_the_same_folder_leaves_no_old_frame_behind_and_no_strange_file_is_touched(tmp_path):
    # given
    synthetic.match(tmp_path, frames=5, width=320, height=180, clips=1)
    (tmp_path / "images" / "clip-1" / "notes.txt").write_text("mine")

    # when
    match = synthetic.match(tmp_path, frames=2, width=320, height=180, clips=1)

    # then
    names = sorted(file.name for file in match.clips[0].folder.iterdir())
    assert names == ["clip-1_000.jpg", "clip-1_001.jpg", "notes.txt"]


def test_every_true_box_and_the_ball_lie_in_the_frame(small):
    for clip in small.clips:
        for truth in clip.frames:
            assert all(label.box.inside(small.width, small.height) for label in truth.labels)
            assert truth.ball.inside(small.width, small.height)
            assert [label.label for label in truth.labels].count("ball") == 1


def test_labels_without_noise_are_the_truth(small, tmp_path):
    # when
    folder = small.write_yolo(tmp_path / "labels", scores=False, noise=0)

    # then
    assert (folder / "classes.txt").read_text().split() == ["ball", "goalkeeper", "player", "referee"]
    for clip in small.clips:
        for index, truth in enumerate(clip.frames):
            read = list(read_yolo(folder, small, small.truth(clip.name, index)))
            assert [label for label, _, _ in read] == [label.label for label in truth.labels]
            for (_, box, score), label in zip(read, truth.labels, strict=True):
                assert score == []
                edges = (label.box.x, label.box.y, label.box.right, label.box.bottom)
                assert (box.x, box.y, box.right, box.bottom) == pytest.approx(edges, abs=0.001)


def test_the_model_is_passable_but_wrong_and_says_how_sure_it_is(tmp_path):
    # given
    match = synthetic.match(tmp_path, frames=12, width=480, height=270, clips=3)
    true = sum(len(truth.labels) for clip in match.clips for truth in clip.frames)

    # when
    folder = match.write_yolo(tmp_path / "labels")

    # then most people are found, not all things found are people, and each row has a score
    read = [row for clip in match.clips for truth in clip.frames for row in read_yolo(folder, match, truth)]
    assert 0.85 * true < len(read) < 1.1 * true
    assert all(len(score) == 1 and 0 < score[0] <= 1 for _, _, score in read)
    assert all(box.inside(match.width + 0.01, match.height + 0.01) for _, box, _ in read)
    assert sum(label == "ball" for label, _, _ in read) < len(match)


@given(
    seed=st.integers(0, 10_000),
    noise=st.floats(0, 5),
    boxes=st.lists(st.builds(Box.at, st.floats(0, 300), st.floats(0, 160), st.floats(1, 20), st.floats(1, 20)), max_size=12),
)
def test_whatever_the_noise_the_model_returns_boxes_in_the_frame_with_scores_in_order(seed, noise, boxes):
    from random import Random

    guesses = model.guess(Random(seed), [("player", box) for box in boxes], width=320, height=180, noise=noise)
    assert all(box.inside(320, 180) and not box.too_small() for _, box, _ in guesses)
    assert [score for _, _, score in guesses] == sorted((score for _, _, score in guesses), reverse=True)
    assert all(0 < score <= 1 for _, _, score in guesses)


@pytest.mark.parametrize(
    ("wrong", "name"),
    [
        pytest.param({"frames": 2, "clips": 3}, "frames=2", id="fewer frames than clips"),
        pytest.param({"clips": 0}, "clips=0", id="no clip"),
        pytest.param({"width": 10}, "width=10", id="too narrow"),
    ],
)
def test_what_cannot_be_drawn_is_refused_with_the_number_that_is_wrong(tmp_path, wrong, name):
    with pytest.raises(labelkit.LabelkitError, match=name) as caught:
        synthetic.match(tmp_path / "match", **wrong)
    assert caught.value.code == "INVALID_VALUE"
    assert not (tmp_path / "match").exists()
