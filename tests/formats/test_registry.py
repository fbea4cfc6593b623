"""Formats by name."""

from __future__ import annotations

import pytest

from labelkit import formats
from labelkit.errors import UnknownFormat


@pytest.mark.parametrize(("find", "known"), [(formats.reader, formats.READERS), (formats.writer, formats.WRITERS)])
def test_every_format_is_found_by_its_name(find, known):
    assert sorted(known) == ["coco", "yolo"]
    assert all(find(name) is function for name, function in known.items())


@pytest.mark.parametrize(("name", "near"), [("COCO", "'coco'"), ("yolov5", "'yolo'"), ("coc", "'coco'"), ("parquet", "")])
@pytest.mark.parametrize("find", [formats.reader, formats.writer])
def test_an_unknown_name_is_refused_with_the_nearest(find, name, near):
    with pytest.raises(UnknownFormat) as refused:
        find(name)
    assert near in refused.value.detail
    assert refused.value.hint == "Known: coco, yolo."
