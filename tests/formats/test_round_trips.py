"""Five formats of labels: what is written is what our own readers find again, and what a format claims to carry is what survives."""

from __future__ import annotations

import csv
import hashlib
import json
import re
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from labelkit.errors import InvalidValue
from labelkit.formats import coco, coco_write, cvat, cvat_write, labelstudio, labelstudio_write, voc, voc_write, yolo, yolo_write
from labelkit.formats.exports import SAMPLE_FACETS, Facet, digests
from labelkit.formats.labels.attributes import canonical_text
from labelkit.formats.labels.rows import NoteCode
from tests.formats import helpers

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

FORMATS = {
    "coco": (coco_write.FORMAT, coco.read),
    "cvat": (cvat_write.FORMAT, cvat.read),
    "labelstudio": (labelstudio_write.FORMAT, labelstudio.read),
    "voc": (voc_write.FORMAT, voc.read),
    "yolo": (yolo_write.FORMAT, yolo.read),
}
COLUMNS = ("id", "label", *helpers.GEOMETRY, "score", "attributes")
every_format = pytest.mark.parametrize("name", FORMATS)


def written(folder: Path, name: str, rows: pl.DataFrame, capability=helpers.BOXES, chunks: int = 1) -> Path:
    """A folder filled by a writer, from rows in that many chunks."""
    folder.mkdir()
    size = max(1, -(-rows.height // chunks))
    FORMATS[name][0].write(rows.iter_slices(size), folder, helpers.about(rows, capability))
    return folder


def read(folder: Path, name: str, rows: pl.DataFrame, capability=helpers.BOXES, media: Sequence[str] = ()):
    """What our reader finds for the media of these samples."""
    size = {"width": rows["width"][0], "height": rows["height"][0]}
    frames = helpers.frames(*rows["frame_name"], **size).with_columns(
        folders=pl.Series([[rows["workspace"][0], rows["media"][0], *media], *([[]] * (rows.height - 1))], dtype=pl.List(pl.String))
    )
    return helpers.together(FORMATS[name][1](folder, frames=frames, capability=capability))


def expected(rows: pl.DataFrame) -> list[dict[str, object]]:
    """The annotations of samples, as they went in."""
    return [
        {"frame_index": row["frame_index"]} | {c: one[c] for c in COLUMNS}
        for row in rows.iter_rows(named=True)
        for one in row["annotations"]
    ]


# --- everything that labels can be

SIGNS = st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"], exclude_characters="\ufffe\uffff")
WORDS = st.text(SIGNS, min_size=1, max_size=8)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**6), 10**6) | st.floats(-1e6, 1e6).map(lambda x: round(x, 3)) | WORDS,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(WORDS, inner, max_size=2),
    max_leaves=4,
)
KNOWN = st.sampled_from(
    [
        {"truncated": True, "difficult": True, "pose": "Left"},
        {"occluded": True, "team": 'red & "blue" <x>'},
        {"occluded": "yes", "z_order": 3, "group_id": 7, "source": "auto", "track_id": 4},
        {"iscrowd": 1, "segmentation": [[1, 2, 3.5, 4, 5, 6]], "attributes": {"a": 1}},
        {"keypoints": [1, 2, 2, 3, 4, 1], "shape": "polygon", "points": [[1, 2], [3, 4]]},
        {"meta": {"text": ["note"]}, "labels": ["player", "other"], "image_rotation": 90},
        {"part": [{"name": "head", "bndbox": {"xmin": "1"}}, {"name": "hand"}], "actions": {"running": "1"}},
        {"labelkit": {"id": "no"}, "score": "high", "name": "no", "bndbox": {"xmin": "9"}, "meta": "no", "a b": "\n\ttext "},
    ]
)
ATTRIBUTES = (KNOWN | st.dictionaries(WORDS, VALUES, min_size=1, max_size=3)).map(canonical_text)
UNITS = st.integers(0, 300_000).map(lambda count: count / 10_000)
SIDES = st.integers(10_000, 190_000).map(lambda count: count / 10_000)
RARE = {"score": st.none() | st.floats(0, 1), "attributes": st.none() | ATTRIBUTES}
BOX = st.fixed_dictionaries(
    {"label": st.sampled_from(helpers.BOXES.classes), "x": UNITS, "y": UNITS, "width": SIDES, "height": SIDES, **RARE}
)
POINT = st.fixed_dictionaries({"label": st.just("ball"), "x": UNITS, "y": UNITS, "size": st.none() | UNITS.filter(bool), **RARE})
NAMES = st.from_regex(r"[a-zé&' ()\[\]%#;+,=]{0,6}[a-z0-9é]", fullmatch=True)


@st.composite
def datasets(draw, annotations):
    """Sample rows of one media whose pictures have unusual names."""
    parts = draw(st.lists(st.tuples(st.sampled_from(["train", "val"]), st.lists(annotations, max_size=3)), min_size=1, max_size=4))
    names = draw(st.lists(NAMES, min_size=len(parts), max_size=len(parts), unique=True))
    numbered = [(split, [one | {"id": f"ann_{at}.{place}"} for place, one in enumerate(many)]) for at, (split, many) in enumerate(parts)]
    rows = helpers.samples(*numbered, width=draw(st.integers(50, 9000)), height=draw(st.integers(50, 9000)))
    return rows.with_columns(frame_name=pl.Series([f"{name}.jpg" for name in names]), media=pl.lit(draw(NAMES)))


@every_format
@settings(deadline=None, max_examples=12)
@given(data=st.data(), kind=st.sampled_from([(helpers.BOXES, BOX), (helpers.POINTS, POINT)]))
def test_what_is_written_is_read_again_by_our_own_reader(tmp_path_factory, name, data, kind):
    # given
    capability, annotations = kind
    rows = data.draw(datasets(annotations))

    # when
    found = read(written(tmp_path_factory.mktemp("out") / "x", name, rows, capability), name, rows, capability)

    # then
    lost = {} if name != "yolo" else dict.fromkeys(("score", "attributes"))
    wanted = [one | lost for one in expected(rows)]
    assert found.refused.is_empty()
    assert sorted(found.rows["id"]) == sorted(one["id"] for one in wanted)
    for one, row in zip(sorted(wanted, key=lambda o: o["id"]), found.rows.sort("id").iter_rows(named=True), strict=True):
        places = {place: one.pop(place) for place in helpers.GEOMETRY}
        assert {column: row[column] for column in one} == one
        if name == "yolo" and capability is helpers.POINTS:  # the corners of a square were rounded
            assert all(abs((row[place] or 0) - (value or 0)) < 1.01e-4 for place, value in places.items())
        else:
            assert {place: row[place] for place in places} == places


# --- what a format claims to carry

RICH = helpers.samples(
    (
        "train",
        [{"id": "ann_a", "label": "player", "x": 1.0001, "y": 2.0, "width": 33.3333, "height": 7.7777, "score": 0.25, "source": "human"}],
    ),
    ("val", []),
    (
        "train",
        [
            {
                "id": "ann_b",
                "label": "ball",
                "x": 0.5,
                "y": 0.5,
                "width": 3.0,
                "height": 3.0,
                "attributes": '{"team":"red"}',
                "source": "model",
            }
        ],
    ),
    width=997,
    height=613,
)
SPOTS = helpers.samples(("train", [{"id": "ann_p", "label": "ball", "x": 40.5001, "y": 20.0002, "size": 8.0001, "source": "human"}]))


def told_by_coco(folder):
    for file in sorted((folder / "annotations").iterdir()):
        for image in json.loads(file.read_text(encoding="utf-8"))["images"]:
            facts = {Facet.GROUPS: image["group"], Facet.TIMESTAMPS: image["pts_ms"], Facet.FRAME_DIGESTS: image["sha256"]}
            yield image["sample_key"], facts | {Facet.FLAGS: image["flags"], Facet.SPLITS: file.stem.removeprefix("instances_")}


def told_by_cvat(folder):
    for file in sorted((folder / "annotations").iterdir()):
        for image in ET.parse(file).iter("image"):
            facts = {Facet.GROUPS: image.get("group_key"), Facet.TIMESTAMPS: float(image.get("pts_ms"))}
            flags = [tag.get("label") for tag in image.iter("tag")]
            yield image.get("sample_key"), facts | {Facet.FRAME_DIGESTS: image.get("sha256"), Facet.FLAGS: flags, Facet.SPLITS: file.stem}


def told_by_labelstudio(folder):
    for file in sorted((folder / "tasks").iterdir()):
        for task in json.loads(file.read_text(encoding="utf-8")):
            said = task["data"]
            chosen = [one["value"]["choices"] for one in task["annotations"][0]["result"] if one["type"] == "choices"]
            facts = {Facet.GROUPS: said["group_key"], Facet.TIMESTAMPS: said["pts_ms"], Facet.FRAME_DIGESTS: said["sha256"]}
            yield said["sample_key"], facts | {Facet.FLAGS: [flag for flags in chosen for flag in flags], Facet.SPLITS: file.stem}


def told_by_voc(folder):
    for file in sorted((folder / "ImageSets" / "Main").iterdir()):
        for name in file.read_text(encoding="utf-8").splitlines():
            said = ET.parse(folder / "Annotations" / f"{name}.xml").find("labelkit")
            facts = {Facet.GROUPS: said.findtext("group"), Facet.TIMESTAMPS: float(said.findtext("pts_ms"))}
            flags = [flag for flag in said.findtext("flags").split(",") if flag]
            facts |= {Facet.FRAME_DIGESTS: said.findtext("sha256"), Facet.FLAGS: flags, Facet.SPLITS: file.stem}
            yield said.findtext("sample_key"), facts


def told_by_yolo(folder):
    with (folder / "ids.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            assert (folder / row["file"]).is_file()
            yield row["sample_key"], {Facet.SPLITS: row["file"].split("/")[1]}


TOLD = {"coco": told_by_coco, "cvat": told_by_cvat, "labelstudio": told_by_labelstudio, "voc": told_by_voc, "yolo": told_by_yolo}


def surviving(tmp_path: Path, name: str) -> set[Facet]:
    """The facets of `RICH` and `SPOTS` that are found again: of samples by what the files tell, of annotations by our reader."""
    folder = written(tmp_path / "boxes", name, RICH)
    told, found = dict(TOLD[name](folder)), read(folder, name, RICH).rows.sort("frame_index")
    spots = written(tmp_path / "points", name, SPOTS, helpers.POINTS)
    exact = read(spots, name, SPOTS, helpers.POINTS).rows
    for file in (spots / "Annotations").rglob("*.xml"):  # what others see, who pass over our own element
        file.write_text(re.sub("<labelkit>.*</labelkit>", "", file.read_text(encoding="utf-8")), encoding="utf-8")
    notes = read(spots, name, SPOTS, helpers.POINTS).notes["code"].to_list()
    truth = {row["sample_key"]: row for row in RICH.iter_rows(named=True)}
    columns = {
        Facet.GROUPS: "group_key",
        Facet.TIMESTAMPS: "pts_ms",
        Facet.FRAME_DIGESTS: "sha256",
        Facet.FLAGS: "flags",
        Facet.SPLITS: "split",
    }
    kept = {
        facet for facet, column in columns.items() if {k: v.get(facet) for k, v in told.items()} == {k: r[column] for k, r in truth.items()}
    }
    labels = pl.DataFrame(expected(RICH))
    rows = {Facet.ANNOTATION_IDS: "id", Facet.SCORES: "score", Facet.ATTRIBUTES: "attributes", Facet.SOURCES: "source"}
    kept |= {facet for facet, column in rows.items() if column in found.columns and found[column].equals(labels[column])}
    places = [place for place in helpers.GEOMETRY if place != "size"]
    point = SPOTS["annotations"][0][0]
    checks = {
        Facet.SAMPLE_KEYS: set(told) == set(truth),
        Facet.EMPTY_SAMPLES: any(not truth[key]["annotations"] for key in told),
        Facet.POINTS: str(NoteCode.CONVERTED) not in notes,
        Facet.POINT_SIZES: abs(exact["size"][0] - point["size"]) < 1e-3,
        Facet.EXACT_COORDINATES: found.select(places).rows() == labels.select(places).rows() and exact["x"][0] == point["x"],
    }
    return kept | {facet for facet, there in checks.items() if there}


@every_format
def test_a_format_carries_what_it_claims_and_nothing_else(tmp_path, name):
    assert surviving(tmp_path, name) == FORMATS[name][0].carries & SAMPLE_FACETS


# --- bytes, names, media

DIGESTS = {
    "coco": "77c28a084de8b6c3",
    "cvat": "2cea7f28642b956c",
    "labelstudio": "9e80d4080b32667f",
    "voc": "eaefc8714e70cd9b",
    "yolo": "08c246a6b99ffd0f",
}


@every_format
def test_the_same_samples_give_the_same_bytes_in_any_chunks(tmp_path, name):
    whole = digests(written(tmp_path / "one", name, RICH))
    assert whole == digests(written(tmp_path / "two", name, RICH, chunks=3))

    # then also of rows in several pieces of memory, and on every other machine
    pieces = pl.concat([RICH[:1], RICH[1:2], RICH[2:]], rechunk=False)
    assert whole == digests(written(tmp_path / "pieces", name, pieces))
    assert hashlib.sha256("".join(file.sha256 for file in whole).encode()).hexdigest()[:16] == DIGESTS[name]


@every_format
@pytest.mark.parametrize("names", [None, ""], ids=["pictures", "videos"])
def test_a_media_finds_its_own_frames_in_an_export_of_several_with_the_same_names(tmp_path, name, names):
    # given two media whose frames have the same names, labelled in different frames, in files of their own where the format has splits
    other = RICH.with_columns(
        media=pl.lit("match-2"), sample_key=pl.col("sample_key").str.replace("match-1", "match-2"), split=pl.lit("test")
    )
    other = other.with_columns(annotations=pl.col("annotations").shift(1).fill_null([]))
    both = pl.concat([RICH, other]).with_columns(frame_name=pl.col("frame_name") if names is None else pl.lit(names))
    media = ["match-1", "match-2"]

    # when
    folder = written(tmp_path / "out", name, both)

    # then
    for rows, indices in ((both[:3], [0, 2]), (both[3:], [1])):
        found = read(folder, name, rows, media=media)
        assert sorted(found.rows["frame_index"]) == indices
        assert set(found.refused["code"]) == {"LABEL_OTHER_MEDIA"}
    elsewhere = both[3:].with_columns(media=pl.lit("called otherwise here"))
    assert len(read(written(tmp_path / "alone", name, both[3:]), name, elsewhere).rows) == 1


@every_format
def test_frames_of_a_video_are_named_by_their_index(tmp_path, name):
    video = RICH.with_columns(frame_name=pl.lit(""))
    assert read(written(tmp_path / "out", name, video), name, video).rows.sort("frame_index")["id"].to_list() == ["ann_a", "ann_b"]


@pytest.mark.parametrize("name", ["cvat", "voc"])
@pytest.mark.parametrize("column", ["frame_name", "media"])
def test_a_sign_that_xml_cannot_hold_is_refused(tmp_path, name, column):
    with pytest.raises(InvalidValue, match="XML"):
        written(tmp_path / "out", name, RICH.with_columns(pl.lit("a\u0001b").alias(column)))


@every_format
def test_a_class_that_the_capability_lacks_is_refused(tmp_path, name):
    with pytest.raises(InvalidValue, match="class 'cat' is not one of player, ball"):
        written(
            tmp_path / "out",
            name,
            helpers.samples(("train", [{"id": "1", "label": "cat", "x": 1.0, "y": 1.0, "width": 2.0, "height": 2.0}])),
        )


@every_format
def test_no_samples_at_all_are_an_export_of_empty_splits(tmp_path, name):
    # given
    folder = tmp_path / "out"
    folder.mkdir()

    # when
    FORMATS[name][0].write(iter([]), folder, helpers.about(RICH.clear(), splits=["train", "val"]))

    # then
    assert dict(TOLD[name](folder)) == {}
    assert any("val" in path.name for path in folder.rglob("*"))


@pytest.mark.parametrize("name", ["voc", "yolo"])
@pytest.mark.parametrize(
    ("names", "reason"), [(["a.jpg", "a.png"], "a\\."), (["../../a.jpg", "b.jpg"], "path")], ids=["same stem", "climbs"]
)
def test_names_that_cannot_be_label_files_are_refused(tmp_path, name, names, reason):
    with pytest.raises(InvalidValue, match=reason):
        written(tmp_path / "out", name, helpers.samples(("train", []), ("train", [])).with_columns(frame_name=pl.Series(names)))
