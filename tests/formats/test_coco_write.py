"""COCO out: what pycocotools and our own reader read back, and the same bytes however the samples come."""

from __future__ import annotations

import json

import pytest
from pycocotools.coco import COCO

from labelkit.errors import InvalidValue
from labelkit.formats import coco_write
from tests.formats import helpers

BOX = {"id": "1", "label": "player", "x": 10.1234, "y": 5.5, "width": 20.25, "height": 30.0001, "score": 0.875}
BALL = {"id": "2", "label": "ball", "x": 0.0, "y": 0.0, "width": 100.0, "height": 50.0}
SAMPLES = helpers.samples(("train", [BOX, BALL]), ("val", []), ("train", [BALL]), ("val", [BOX]), ("train", []))


def written(target, samples=SAMPLES, capability=helpers.BOXES, **options):
    return helpers.export(coco_write.FORMAT, target, samples, capability, **options)


def load(target, split):
    return json.loads((target / "annotations" / f"instances_{split}.json").read_text(encoding="utf-8"))


def test_each_split_is_a_file_with_ids_that_count_over_the_export(tmp_path):
    # when
    out = written(tmp_path / "out", splits=["train", "val", "test"])

    # then
    assert [(file.name, file.rows) for file in out.files if file.name.startswith("annotations/")] == [
        ("annotations/instances_test.json", 0),
        ("annotations/instances_train.json", 3),
        ("annotations/instances_val.json", 2),
    ]
    assert (out.row_count, out.annotation_count) == (5, 4)
    train, val, test = (load(out.root, split) for split in ("train", "val", "test"))
    assert [image["id"] for image in train["images"]] == [1, 3, 5]
    assert [image["id"] for image in val["images"]] == [2, 4]
    assert [(one["id"], one["image_id"], one["category_id"]) for one in train["annotations"]] == [(1, 1, 1), (2, 1, 2), (3, 3, 2)]
    assert [one["id"] for one in val["annotations"]] == [4]
    assert (test["images"], test["annotations"]) == ([], [])
    assert (
        train["categories"]
        == test["categories"]
        == [
            {"id": 1, "name": "player", "supercategory": ""},
            {"id": 2, "name": "ball", "supercategory": ""},
        ]
    )


def test_an_image_says_where_it_comes_from(tmp_path):
    written(tmp_path / "out")
    assert load(tmp_path / "out", "train")["images"][1] == {
        "id": 3,
        "file_name": "club-a/match-1/f2.jpg",
        "width": 100,
        "height": 50,
        "sample_key": "club-a/match-1/000002",
        "group": "g0",
        "frame_index": 2,
        "pts_ms": 80,
        "sha256": f"{2:064x}",
        "flags": ["bad_frame"],
    }


def test_numbers_are_written_exactly(tmp_path):
    # when
    written(tmp_path / "out")

    # then
    text = (tmp_path / "out" / "annotations" / "instances_train.json").read_text(encoding="utf-8")
    assert '"bbox":[10.1234,5.5,20.25,30.0001],"area":607.502025,"score":0.875,"iscrowd":0' in text
    assert '"bbox":[0,0,100,50],"area":5000,"iscrowd":0' in text


def test_pycocotools_reads_back_what_was_written(tmp_path, capsys):
    # given
    written(tmp_path / "out")

    # when
    found = COCO(str(tmp_path / "out" / "annotations" / "instances_train.json"))

    # then
    assert [found.loadCats(one["category_id"])[0]["name"] for one in found.loadAnns(found.getAnnIds(imgIds=[1]))] == ["player", "ball"]
    assert found.loadAnns([1])[0]["bbox"] == [BOX["x"], BOX["y"], BOX["width"], BOX["height"]]
    assert "index created" in capsys.readouterr().out


def test_the_same_samples_give_the_same_bytes_in_any_chunks(tmp_path):
    # when
    whole = written(tmp_path / "one")
    parts = written(tmp_path / "two", chunks=5)

    # then also on every other machine
    assert whole.files == parts.files
    assert {file.name: file.sha256[:16] for file in whole.files if file.name.startswith("annotations/")} == {
        "annotations/instances_train.json": "2225590c74c940b4",
        "annotations/instances_val.json": "af6d91a7a3b967cd",
    }


@pytest.mark.parametrize(
    ("point", "box", "area"),
    [
        ({"x": 40.5, "y": 20.0001, "size": 8.0001}, [36.49995, 16.00005, 8.0001, 8.0001], 64.00160001),
        ({"x": 1.0, "y": 0.0, "size": 8.0}, [-3, -4, 8, 8], 64),
        ({"x": 100.0, "y": 50.0, "size": None}, [100, 50, 0, 0], 0),
    ],
    ids=["inside", "at the edge", "without size"],
)
def test_a_point_is_a_keypoint_in_a_box_of_its_size(tmp_path, capsys, point, box, area):
    # given
    samples = helpers.samples(("train", [{"label": "ball", **point}]))

    # when
    written(tmp_path / "out", samples, helpers.POINTS)

    # then
    found = COCO(str(tmp_path / "out" / "annotations" / "instances_train.json"))
    assert found.loadCats([1])[0]["keypoints"] == ["point"]
    one = found.loadAnns([1])[0]
    assert (one["keypoints"], one["num_keypoints"], one["bbox"], one["area"]) == ([point["x"], point["y"], 2], 1, box, area)
    assert "Done" in capsys.readouterr().out


def test_attributes_go_back_to_where_they_came_from(tmp_path):
    # given
    text = '{"iscrowd":1,"segmentation":[[1,2,3,4.5]],"team":"h\\"é\\n"}'
    samples = helpers.samples(("train", [BOX | {"attributes": text}, BOX | {"attributes": '{"a":1}'}]))

    # when
    written(tmp_path / "out", samples)

    # then
    first, second = load(tmp_path / "out", "train")["annotations"]
    assert (first["iscrowd"], first["segmentation"], first["attributes"]) == (1, [[1, 2, 3, 4.5]], {"team": 'h"é\n'})
    assert (second["iscrowd"], second["segmentation"], second["attributes"]) == (0, [], {"a": 1})


def test_names_are_escaped(tmp_path):
    # given
    awkward = 'a"b\\c\u0001\u2028é/<script>.jpg'
    samples = helpers.samples(("train", [])).with_columns(frame_name=helpers.pl.lit(awkward), group_key=helpers.pl.lit('g"1'))

    # when
    written(tmp_path / "out", samples)

    # then
    image = load(tmp_path / "out", "train")["images"][0]
    assert (image["file_name"], image["group"]) == (f"club-a/match-1/{awkward}", 'g"1')


def test_frames_of_a_video_are_named_by_their_index(tmp_path):
    written(tmp_path / "out", helpers.samples(("train", [])).with_columns(frame_name=helpers.pl.lit("")))
    assert load(tmp_path / "out", "train")["images"][0]["file_name"] == "club-a/match-1/000000.jpg"


@pytest.mark.parametrize(("splits", "part"), [([], "data"), (["train"], "train")])
def test_no_samples_at_all_are_an_export_with_an_empty_file_a_part(tmp_path, splits, part):
    assert load(written(tmp_path / "out", SAMPLES.clear(), splits=splits).root, part)["images"] == []


@pytest.mark.parametrize("split", ["../up", "a/b", "", "a b"])
def test_a_split_that_is_no_file_name_is_refused_and_nothing_is_written(tmp_path, split):
    with pytest.raises(InvalidValue, match="split"):
        written(tmp_path / "out", helpers.samples((split, [])))
    assert list(tmp_path.iterdir()) == []


def test_a_class_that_the_capability_lacks_is_refused_and_nothing_is_written(tmp_path):
    with pytest.raises(InvalidValue, match="class 'cat' is not one of player, ball"):
        written(tmp_path / "out", helpers.samples(("train", [BOX | {"label": "cat"}])))
    assert list(tmp_path.iterdir()) == []
