"""Finding clips and labels in folders that other people laid out."""

from __future__ import annotations

import pytest
from PIL import Image

from labelkit import errors
from labelkit.demo import layout


@pytest.fixture
def data(tmp_path):
    return tmp_path / "data"


def put(root, *names):
    for name in names:
        file = root / name
        file.parent.mkdir(parents=True, exist_ok=True)
        if file.suffix == ".jpg":
            Image.new("RGB", (8, 8)).save(file)
        else:
            file.write_text("0 0.5 0.5 0.5 0.5\n" if file.name != "classes.txt" else "player\nball\n")


FLAT = [f"images/{clip}_{n}.jpg" for clip in "ab" for n in range(3)]
FLAT_LABELS = [name.replace("images", "labels").replace("jpg", "txt") for name in FLAT]


@pytest.mark.parametrize(
    ("files", "clips"),
    [
        pytest.param([*FLAT, *FLAT_LABELS, "classes.txt"], {"a": 3, "b": 3}, id="one folder, the first field of the name is the clip"),
        pytest.param(
            ["images/x/1.jpg", "images/y/1.jpg", "labels/x/1.txt", "labels/y/1.txt", "classes.txt"],
            {"images-x": 1, "images-y": 1},
            id="a folder a clip, equal names in each",
        ),
        pytest.param(
            ["train/images/1.jpg", "train/images/2.jpg", "val/images/1.jpg", "train/labels/1.txt", "val/labels/1.txt", "classes.txt"],
            {"train-images": 1, "val-images": 1},
            id="split folders with images and labels in each",
        ),
        pytest.param(["1.jpg", "2.jpg", "1.txt", "2.txt", "classes.txt"], {"data": 2}, id="everything in one place"),
        pytest.param(
            ["images/0001.jpg", "images/0002.jpg", "labels/0002.txt", "labels/classes.txt"], {"data": 1}, id="numbers are one clip"
        ),
        pytest.param(["images/a_1.jpg", "images/b_1.jpg", "labels/a_1.txt", "classes.txt"], {"data": 1}, id="a clip each is no clip"),
    ],
)
def test_clips_and_their_label_files_are_found_in_common_layouts(data, tmp_path, files, clips):
    # given
    put(data, *files)

    # when
    source = layout.found(data, tmp_path / "work", labels=None, corrected=None)

    # then
    assert {clip.name: len(list(clip.labels.iterdir())) for clip in source.clips} == clips
    assert source.classes == ("player", "ball")


def test_labels_of_equal_names_go_to_the_clip_of_their_folder(data, tmp_path):
    # given two clips whose first frames have one name
    put(data, "images/x/1.jpg", "images/y/1.jpg", "labels/x/1.txt", "labels/y/1.txt", "classes.txt")
    (data / "labels/y/1.txt").write_text("1 0.1 0.1 0.1 0.1\n")

    # when
    source = layout.found(data, tmp_path / "work", labels=None, corrected=None)

    # then
    assert [next(clip.labels.iterdir()).read_text()[0] for clip in source.clips] == ["0", "1"]


def test_of_several_label_folders_the_one_named_labels_is_taken_and_the_others_are_named(data, tmp_path):
    # given
    put(data, *FLAT, *FLAT_LABELS, "classes.txt", "better/a_0.txt", "worse/a_0.txt", "notes/unrelated.txt")

    # when
    source = layout.found(data, tmp_path / "work", labels=None, corrected=None)

    # then
    assert source.model == "labels"
    assert "not used: better, worse" in source.sentence


def test_named_folders_are_taken_for_the_labels_and_the_corrected_ones(data, tmp_path):
    # given
    put(data, *FLAT, "classes.txt", *(f"{folder}/{clip}_0.txt" for folder in ("one", "two") for clip in "ab"))

    # when
    source = layout.found(data, tmp_path / "work", labels="two", corrected="one")

    # then
    assert source.model == "two"
    assert all(clip.corrected.parent.name == "one" and list(clip.corrected.iterdir()) for clip in source.clips)


def test_a_second_call_leaves_no_label_of_the_first_behind(data, tmp_path):
    # given
    put(data, *FLAT, *FLAT_LABELS, "classes.txt")
    layout.found(data, tmp_path / "work", labels=None, corrected=None)
    (data / "labels/a_0.txt").unlink()

    # when
    source = layout.found(data, tmp_path / "work", labels=None, corrected=None)

    # then
    assert sorted(file.name for file in source.clips[0].labels.iterdir()) == ["a_1.txt", "a_2.txt"]


@pytest.mark.parametrize(
    ("files", "labels", "kind", "words"),
    [
        pytest.param([], None, errors.MediaNotFound, "does not exist", id="no folder"),
        pytest.param(["readme.txt"], None, errors.MediaEmpty, "no image files", id="no images"),
        pytest.param(["images/a.jpg"], None, errors.LabelsNotFound, "classes.txt", id="no labels"),
        pytest.param(["images/a.jpg", "labels/b.txt"], None, errors.LabelsNotFound, "named after an image", id="labels of other images"),
        pytest.param(["images/a.jpg", "labels/a.txt"], "labelz", errors.LabelsNotFound, "labelz", id="a folder that is not there"),
        pytest.param(["images/a.jpg", "labels/a.txt"], None, errors.ClassesUnknown, "classes.txt", id="no class names"),
    ],
)
def test_a_folder_that_does_not_fit_is_refused_with_what_is_missing(data, tmp_path, files, labels, kind, words):
    put(data, *files)
    with pytest.raises(kind, match=words):
        layout.found(data, tmp_path / "work", labels=labels, corrected=None)
