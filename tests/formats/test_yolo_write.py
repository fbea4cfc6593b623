"""YOLO out: what our own reader reads back, and what YOLO has no place for."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from labelkit.errors import InvalidValue
from labelkit.formats import exports, yolo, yolo_write
from tests.formats import helpers

BOX = {"id": "ann_1", "label": "player", "x": 40.0, "y": 15.0, "width": 20.0, "height": 20.0, "score": 0.5, "attributes": '{"a":1}'}
BALL = {"label": "ball", "x": 0.0, "y": 0.0, "width": 100.0, "height": 50.0}


def written(target, samples, capability=helpers.BOXES, **options):
    return helpers.export(yolo_write.FORMAT, target, samples, capability, **options)


def test_each_sample_is_a_text_file_in_its_split(tmp_path):
    # when
    out = written(tmp_path / "out", helpers.samples(("train", [BOX, BALL]), ("val", [])), splits=["train", "val", "test"])

    # then
    names = [file.name for file in out.files if file.name not in ("croissant.json", "labelkit-export.json")]
    assert {name: (out.root / name).read_text(encoding="utf-8") for name in names} == {
        "classes.txt": "player\nball\n",
        "data.yaml": "train: images/train\nval: images/val\ntest: images/test\nnc: 2\nnames:\n- player\n- ball\n",
        "ids.csv": (
            "file,sample_key,ids\n"
            "labels/train/club-a/match-1/f0.txt,club-a/match-1/000000,ann_1 -\n"
            "labels/val/club-a/match-1/f1.txt,club-a/match-1/000001,\n"
        ),
        "labels/train/club-a/match-1/f0.txt": "0 0.5 0.5 0.2 0.4\n1 0.5 0.5 1 1\n",
        "labels/val/club-a/match-1/f1.txt": "",
    }
    assert (out.row_count, out.annotation_count) == (2, 2)
    assert (out.root / "labels" / "test").is_dir()


def test_a_point_is_a_square_of_its_size(tmp_path):
    # given
    points = [{"label": "ball", "x": 50.0, "y": 25.0, "size": 10.0}, {"label": "ball", "x": 10.0, "y": 5.0}]

    # when
    out = written(tmp_path / "out", helpers.samples(("train", points)), helpers.POINTS)

    # then
    text = (out.root / "labels/train/club-a/match-1/f0.txt").read_text(encoding="utf-8")
    assert text == "0 0.5 0.5 0.1 0.2\n0 0.1 0.1 0 0\n"


def test_the_same_samples_give_the_same_bytes_in_any_chunks(tmp_path):
    samples = helpers.samples(("train", [BOX]), ("val", [BALL]), ("train", [BOX, BALL]))
    parts = written(tmp_path / "two", samples, chunks=3)
    assert written(tmp_path / "one", samples).files == parts.files


def test_hundreds_of_files_are_replaced_by_fewer_and_are_as_they_are_told(tmp_path):
    # given
    written(tmp_path / "out", helpers.samples(*(("train", [BOX]) for _ in range(300))))

    # when
    out = written(tmp_path / "out", helpers.samples(*(("train", [BALL]) for _ in range(200))))

    # then
    assert [file.name for file in tmp_path.iterdir()] == ["out"]
    assert exports.digests(out.root) == out.files
    assert len(out.files) == 200 + len(("classes.txt", "data.yaml", "ids.csv", "croissant.json", "labelkit-export.json"))


@pytest.mark.parametrize(
    ("samples", "reason"),
    [
        (helpers.samples(("train", [BOX | {"label": "cat"}])), "class 'cat'"),
        (
            helpers.samples(("train", []), ("train", [])).with_columns(frame_name=helpers.pl.Series(["a.jpg", "a.png"])),
            "label file labels/train/club-a/match-1/a.txt",
        ),
    ],
    ids=["class", "same file"],
)
def test_what_yolo_cannot_say_is_refused_and_nothing_is_written(tmp_path, samples, reason):
    with pytest.raises(InvalidValue, match=reason):
        written(tmp_path / "out", samples)
    assert list(tmp_path.iterdir()) == []


widths = st.integers(10, 8000)
shares = st.floats(0, 1)


@settings(deadline=None, max_examples=10)
@given(widths, widths, st.lists(st.tuples(shares, shares, shares, shares), min_size=1, max_size=12))
def test_what_is_written_reads_back_to_the_last_digit(tmp_path_factory, width, height, drawn):
    # given boxes of ten-thousandths of a px in frames of any size
    boxes = []
    for left, top, across, down in drawn:
        wide, high = round(1 + across * (width - 1), 4), round(1 + down * (height - 1), 4)
        x, y = round(left * (width - wide) - 0.00005, 4), round(top * (height - high) - 0.00005, 4)
        boxes.append({"label": "player", "x": max(x, 0.0), "y": max(y, 0.0), "width": wide, "height": high})
    out = tmp_path_factory.mktemp("out") / "export"
    written(out, helpers.samples(("train", boxes), width=width, height=height))

    # when
    found = helpers.together(
        yolo.read(out / "labels", frames=helpers.frames("f0.jpg", width=width, height=height), capability=helpers.BOXES)
    )

    # then
    assert found.rows.select("x", "y", "width", "height").rows(named=True) == [
        {name: one[name] for name in ("x", "y", "width", "height")} for one in boxes
    ]
