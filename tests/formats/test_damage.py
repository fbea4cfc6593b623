"""Damaged files: whatever bytes are in them, a reader gives labels and refusals, or refuses the whole; it never breaks."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from labelkit.errors import LabelkitError
from labelkit.formats import READERS
from tests.formats import helpers

if TYPE_CHECKING:
    from labelkit.formats.labels.rows import Chunk

FRAMES = helpers.frames("a.jpg", "b.jpg")
COCO = {
    "images": [{"id": 1, "file_name": "a.jpg", "width": 100, "height": 50}],
    "categories": [{"id": 1, "name": "player"}],
    "annotations": [{"image_id": 1, "category_id": 1, "bbox": [1.5, 2, 30, 4e1], "attributes": {"a": "é"}}, {"image_id": 1, "score": 0.5}],
}
REGION = {
    "id": "r",
    "type": "rectanglelabels",
    "to_name": "i",
    "value": {"x": 1, "y": 2, "width": 3, "height": 40, "rectanglelabels": ["player"]},
}
POLYGON = {"value": {"points": [[1, 2], [30, 4], [5, 60.5]], "polygonlabels": ["ball"]}, "score": 0.5, "original_width": 100}
MOVING = {"value": {"sequence": [{"frame": 1, "x": 1, "y": 2, "width": 30, "height": 40, "enabled": True}], "labels": ["player"]}}
TASK = {
    "id": 1,
    "data": {"i": "a.jpg"},
    "annotations": [{"id": 1, "result": [REGION, POLYGON, MOVING], "was_cancelled": False}],
    "predictions": [],
}
CVAT = """<?xml version="1.0" encoding="utf-8"?><annotations><meta><task><size>2</size><frame_filter>step=1</frame_filter></task></meta>
<image id="0" name="a.jpg" width="100" height="50"><box label="player" occluded="1" xtl="1" ytl="2.5" xbr="30" ybr="40" rotation="30">
<attribute name="team">red</attribute></box><polygon label="player" points="1,2;30,4;5,40"/>
<ellipse label="ball" cx="9" cy="9" rx="3" ry="4"/>
</image><track id="1" label="ball"><box frame="1" outside="0" keyframe="0" xtl="1" ytl="2" xbr="30" ybr="40"/></track></annotations>"""
VOC = """<annotation><filename>a.jpg</filename><size><width>100</width><height>50</height></size><object><name>player</name>
<difficult>1</difficult><bndbox><xmin>1</xmin><ymin>2</ymin><xmax>30.5</xmax><ymax>40</ymax></bndbox><part><name>head</name></part></object></annotation>"""
SAMPLES = {
    "coco": ("labels.json", json.dumps(COCO, ensure_ascii=False)),
    "csv": ("labels.csv", 'image,label,xmin,ymin,xmax,ymax,score,track_id\na.jpg,player,1,"2,5",30,40,0.5,7\nb.jpg,ball,1,2,3,4,,\n'),
    "cvat": ("annotations.xml", CVAT),
    "labelstudio": ("export.json", json.dumps([TASK, TASK])),
    "mot": ("gt.txt", "1,7,1,2.5,30,40,1,1,0.5\n2,-1,1,2,30,40,0.75,-1,-1,-1\n"),
    "voc": ("a.xml", VOC),
    "yolo": ("a.txt", "0 0.5 0.5 0.2 0.4 0.75\n1 0.1 0.2 0.1 0.2\n"),
}


def read(format: str, folder) -> Chunk:
    name = SAMPLES[format][0]
    source = folder if format == "yolo" else folder / name
    return helpers.together(READERS[format](source, frames=FRAMES, classes=["player", "ball"], capability=helpers.BOXES))


@pytest.mark.parametrize("format", SAMPLES)
def test_the_whole_file_is_read(tmp_path, format):
    name, text = SAMPLES[format]
    assert read(format, helpers.write(tmp_path, {name: text})).rows.height >= 1


def damaged(data: st.DataObject, text: bytes) -> bytes:
    """Replace, remove, double and insert some bytes."""
    out = bytearray(text)
    for _ in range(data.draw(st.integers(1, 5))):
        at, length = data.draw(st.integers(0, len(out))), data.draw(st.integers(0, 6))
        kind = data.draw(st.sampled_from(["replace", "double", "cut"]))
        piece = data.draw(
            st.binary(max_size=4) | st.sampled_from([b"-", b"1e999", b"nan", b"null", b'"', b"[", b"}", b"&", b"<", b",", b"\\ud800"])
        )
        if kind == "cut":
            del out[at:]
        else:
            out[at : at + length] = piece if kind == "replace" else bytes(out[at : at + length]) * 2
    return bytes(out)


@pytest.mark.parametrize("format", SAMPLES)
@settings(deadline=None, max_examples=25)
@given(data=st.data())
def test_no_damage_breaks_a_reader(tmp_path_factory, format, data):
    # given
    name, text = SAMPLES[format]
    folder = helpers.write(tmp_path_factory.mktemp("damaged"), {name: damaged(data, text.encode())})

    # then
    try:
        found = read(format, folder)
    except LabelkitError:
        return
    numbers = found.rows.select("x", "y", "width", "height")
    assert numbers.select(pl.all_horizontal(pl.all().is_finite().fill_null(value=True)).all()).item()
    assert found.refused["code"].null_count() == 0
