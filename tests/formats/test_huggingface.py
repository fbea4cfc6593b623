"""A Hugging Face folder out and in: what `datasets.load_dataset` reads, item by item, and what comes back."""

from __future__ import annotations

import datetime as dt
import io

import polars as pl
import pytest
import yaml
from PIL import Image

from labelkit.errors import InvalidValue
from labelkit.formats.huggingface import write as huggingface_write
from tests.formats import helpers, row_zoo
from tests.oracles import environments

BOX = {"id": "1", "label": "player", "x": 10.1234, "y": 5.5, "width": 20.25, "height": 30.0, "score": 0.875}
BALL = {"id": "2", "label": "ball", "x": 0.0, "y": 0.0, "width": 100.0, "height": 50.0}
SAMPLES = helpers.samples(("train", [BOX, BALL]), ("val", []), ("train", [BALL]))
TYPES = {
    "int8": (pl.Int8(), -3, -3),
    "uint16": (pl.UInt16(), 4, 4),
    "time64[ns]": (pl.Time(), dt.time(1, 2, 3, 4), "01:02:03.000004"),
    "timestamp[us, tz=UTC]": (pl.Datetime("us", "UTC"), dt.datetime(2020, 1, 1, tzinfo=dt.UTC), "2020-01-01 00:00:00+00:00"),
    "duration[us]": (pl.Duration("us"), dt.timedelta(days=1), "1 day, 0:00:00"),
    "decimal128(12, 3)": (pl.Decimal(12, 3), "1.5", "1.500"),
    "date32": (pl.Date(), dt.date(1960, 2, 29), "1960-02-29"),
    "float32": (pl.Float32(), 0.1, "0.10000000149011612"),
}
TYPED = pl.DataFrame({"key": ["a", "b"]} | {name: pl.Series([value, None], dtype=kind) for name, (kind, value, _) in TYPES.items()})


def picture(row):
    if row["frame_index"] == 1:
        return None
    data = io.BytesIO()
    Image.new("RGB", (row["width"], row["height"]), (row["frame_index"], 0, 0)).save(data, "PNG")
    return data.getvalue(), "image/png"


def written(target, rows, capability=None, **facts):
    helpers.export(huggingface_write.FORMAT, target, rows, capability, **facts)
    return target


def head_of(folder):
    return yaml.safe_load((folder / "README.md").read_text(encoding="utf-8").split("---\n")[1])


@pytest.fixture(scope="module")
def theirs(tmp_path_factory):
    """What `datasets` loads from each export, by split."""
    root = tmp_path_factory.mktemp("exports")
    exports = {
        "samples": written(root / "samples", SAMPLES, helpers.BOXES, picture=picture),
        "strange": written(root / "strange", SAMPLES.head(1), helpers.POINTS),
        "rows": written(root / "rows", row_zoo.ODDITIES),
        "types": written(root / "types", TYPED),
        "splits": written(root / "splits", pl.DataFrame({"key": ["a"], "split": ["train"]}), splits=["train", "test"]),
    }
    found = environments.read("formats", {name: ("huggingface", folder, {}) for name, folder in exports.items()})
    return {name: {part["split"]: part for part in parts} for name, parts in found.items()}


def test_another_library_finds_samples_by_split_with_their_stored_pictures(theirs):
    train, val = theirs["samples"]["train"], theirs["samples"]["val"]

    assert (list(theirs["samples"]), train["first_picture"]) == (["train", "val"], [100, 50])
    rows = SAMPLES.filter(pl.col("split") == "train").to_dicts()
    assert [bytes.fromhex(one["image"]["bytes"]) for one in train["rows"]] == [picture(row)[0] for row in rows]
    assert [one["image"]["path"] for one in train["rows"]] == ["club-a/match-1/f0.jpg", "club-a/match-1/f2.jpg"]
    assert [one["sample_key"] for one in train["rows"]] == ["club-a/match-1/000000", "club-a/match-1/000002"]
    assert (val["rows"][0]["image"], val["rows"][0]["annotations"], val["rows"][0]["frame_index"]) == (None, [], 1)


def test_another_library_finds_annotations_whose_labels_are_classes(theirs):
    train = theirs["samples"]["train"]

    assert "'label': ClassLabel(names=['player', 'ball'])" in train["features"]["annotations"]
    assert [[one["label"] for one in row["annotations"]] for row in train["rows"]] == [[0, 1], [1]]
    assert train["rows"][0]["annotations"][0] == helpers.ANNOTATION | {
        "id": "1",
        "label": 0,
        "x": "10.1234",
        "y": "5.5",
        "width": "20.25",
        "height": "30.0",
        "size": None,
        "score": "0.875",
        "source": None,
        "attributes": None,
    }


def test_labels_that_are_no_classes_of_the_capability_stay_names(theirs):
    found = theirs["strange"]["train"]

    assert "'label': Value('string')" in found["features"]["annotations"]
    assert [one["label"] for one in found["rows"][0]["annotations"]] == ["player", "ball"]


def test_another_library_finds_every_value_of_odd_rows(theirs):
    found = theirs["rows"]["data"]["rows"]

    def plain(value):
        if isinstance(value, bytes):
            return value.hex()
        if isinstance(value, dict):
            return {name: plain(one) for name, one in value.items()}
        if isinstance(value, list):
            return [plain(one) for one in value]
        return value if value is None or isinstance(value, (bool, int, str)) else str(value)

    assert found == [plain(row) for row in row_zoo.ODDITIES.to_dicts()]


@pytest.mark.parametrize("name", TYPES)
def test_another_library_finds_each_type_as_it_is(theirs, name):
    found = theirs["types"]["data"]

    assert found["features"][name] == f"Value('{name}')"
    assert [row[name] for row in found["rows"]] == [TYPES[name][2], None]


def test_a_split_without_rows_is_not_named_on_the_card_since_datasets_refuses_it(theirs, tmp_path):
    folder = written(tmp_path / "out", pl.DataFrame({"key": ["a"], "split": ["train"]}), splits=["train", "test"])

    assert list(theirs["splits"]) == ["train"]
    assert [one["split"] for one in head_of(folder)["configs"][0]["data_files"]] == ["train"]
    assert sorted(path.name for path in (folder / "data").iterdir()) == ["test-00000-of-00001.parquet", "train-00000-of-00001.parquet"]


def test_the_card_says_counts_task_and_licence(tmp_path):
    facts = {"license": "CC-BY-4.0", "creator": "ana", "source": "dataset:abc"}
    folder = written(tmp_path / "out", SAMPLES, helpers.BOXES, picture=picture, **facts)

    head, text = head_of(folder), (folder / "README.md").read_text(encoding="utf-8")

    assert (head["license"], head["task_categories"], head["size_categories"]) == ("cc-by-4.0", ["object-detection"], ["n<1K"])
    splits = {one["name"]: one for one in head["dataset_info"]["splits"]}
    assert {name: one["num_examples"] for name, one in splits.items()} == {"train": 2, "val": 1}
    assert head["dataset_info"]["dataset_size"] == sum(one["num_bytes"] for one in splits.values())
    assert "- Made by: ana\n- Source: dataset:abc\n" in text


LICENCES = {
    "none": (None, {}),
    "an SPDX id": ("Apache-2.0", {"license": "apache-2.0"}),
    "a page": ("https://x.y/z", {"license": "other", "license_name": "see link", "license_link": "https://x.y/z"}),
}


@pytest.mark.parametrize(("told", "expected"), LICENCES.values(), ids=LICENCES)
def test_a_licence_stands_on_the_card_as_it_is_known(tmp_path, told, expected):
    head = head_of(written(tmp_path / "out", row_zoo.ODDITIES, license=told))

    assert {name: value for name, value in head.items() if name.startswith("license")} == expected


def test_samples_and_odd_rows_come_back_as_they_were(tmp_path):
    by_part = SAMPLES.sort("split", maintain_order=True)

    assert pl.concat(list(huggingface_write.read(written(tmp_path / "s", SAMPLES, helpers.BOXES, picture=picture)))).equals(by_part)
    assert row_zoo.same(pl.concat(list(huggingface_write.read(written(tmp_path / "r", row_zoo.ODDITIES)))), row_zoo.ODDITIES)


def test_a_split_whose_name_datasets_does_not_take_is_refused(tmp_path):
    with pytest.raises(InvalidValue, match="no name of a split"):
        written(tmp_path / "out", pl.DataFrame({"key": ["a"], "split": ["hold-out"]}))
