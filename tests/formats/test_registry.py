"""Formats by name."""

from __future__ import annotations

import pytest

from labelkit import formats
from labelkit.errors import UnknownFormat

READERS = ["coco", "csv", "cvat", "labelstudio", "mot", "parquet", "python", "voc", "yolo"]
ROW_FORMATS = ["csv", "huggingface", "jsonl", "parquet", "tfrecord", "webdataset"]
WRITERS = sorted(["coco", "cvat", "labelstudio", "voc", "yolo", *ROW_FORMATS])
BY_NAME = [
    (formats.reader, formats.READERS, READERS),
    (formats.row_reader, formats.ROW_READERS, ROW_FORMATS),
    (formats.writer, formats.WRITERS, WRITERS),
]


@pytest.mark.parametrize(("find", "known", "names"), BY_NAME)
def test_every_format_is_found_by_its_name(find, known, names):
    assert sorted(known) == names
    assert all(find(name) is one for name, one in known.items())


def test_every_format_to_write_goes_by_its_own_name():
    assert all(one.name == name for name, one in formats.WRITERS.items())


@pytest.mark.parametrize(("name", "near"), [("COCO", "'coco'"), ("yolov5", "'yolo'"), ("coc", "'coco'"), ("x", "")])
@pytest.mark.parametrize(("find", "names"), [(formats.reader, READERS), (formats.writer, WRITERS)])
def test_an_unknown_name_is_refused_with_the_nearest(find, names, name, near):
    with pytest.raises(UnknownFormat) as refused:
        find(name)
    assert near in refused.value.detail
    assert sorted(refused.value.hint.removeprefix("Known: ").removesuffix(".").split(", ")) == names
