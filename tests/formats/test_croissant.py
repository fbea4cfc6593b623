"""Exports describe themselves in Croissant 1.1: mlcroissant finds no error and reads the rows that were written."""

from __future__ import annotations

import datetime as dt
import json

import polars as pl
import pytest

from labelkit.formats import WRITERS, croissant, exports
from labelkit.formats.croissant import row_sets
from tests.formats import helpers
from tests.oracles import environments

ROWS = pl.DataFrame(
    {
        "example_id": [f"ex_{place}" for place in range(5)],
        "input": [json.dumps({"title": f"VP {place}", "employees": place, "tags": ["a"] * place}) for place in range(5)],
        "text": ["plain", "a,b", 'say "so"', "ünïcödé", "two\nlines"],
        "whole": pl.Series([1, None, -3, 2**40, 0], dtype=pl.Int64),
        "share": [0.1, 1e-9, None, -2.5, 3.0],
        "truth": [True, False, True, True, False],
        "at": [dt.datetime(2026, 3, day, 4, 5, 6, 7, tzinfo=dt.UTC) for day in range(1, 6)],
        "day": [dt.date(2026, 3, day) for day in range(1, 6)],
        "tags": [["x", "y"], [], ["z"], ["x"], ["y"]],
        "split": ["train", "test", "train", "train", "test"],
    }
)
FACTS = {"license": "CC-BY-4.0", "creator": "Ann", "published": "2026-03-01T00:00:00+00:00", "source": "commit:" + "a" * 64}
BOX = {"label": "ball", "x": 1.25, "y": 2.0, "width": 9.5, "height": 8.0}
SAMPLES = helpers.samples(("train", [BOX, BOX | {"label": "player"}]), ("test", [BOX]), ("train", []), ("test", [BOX]))
RECOMMENDED = ("citeAs",)  # nobody told how the data want to be cited, and nothing is made up
TABLES = ("jsonl", "csv", "parquet")


def described(folder, name, rows, capability=None, **facts):
    """Fill a folder as an export is filled and describe it; returns the folder."""
    folder.mkdir()
    about = helpers.about(rows, capability, columns={name: kind for name, kind in rows.schema.items() if name != "split"}, **facts)
    WRITERS[name].write([rows], folder, about)
    (folder / croissant.NAME).write_bytes(croissant.describe(folder, about, exports.digests(folder), name))
    return folder


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    """Every format, with splits and without: of rows where it takes them, and of samples, with splits only where it takes rows too."""
    base, made = tmp_path_factory.mktemp("described"), {}
    rows = [("rows", ROWS, {"json_columns": ("input",), **FACTS}), ("samples", SAMPLES, {"capability": helpers.BOXES, **FACTS})]
    for name, writer in WRITERS.items():
        for what, data, facts in rows:
            alone = what in writer.takes and (what == "rows" or "rows" not in writer.takes)
            for splits in ((), ("train", "test")) if alone else (("train", "test"),) if what in writer.takes else ():
                key = f"{name} {what} {len(splits)}"
                made[key] = described(base / key.replace(" ", "-"), name, data, splits=splits, **facts)
    return made


PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c4890000"
    "000d49444154789c636064626601000019000be75a46a40000000049454e44ae426082"
)


@pytest.fixture(scope="module")
def pictured(tmp_path_factory):
    """Samples with their pictures, in a folder of Hugging Face and in one of WebDataset."""
    base = tmp_path_factory.mktemp("pictured")
    facts = {"capability": helpers.BOXES, "splits": ("train", "test"), "picture": lambda _: (PNG, "image/png")}
    return {name: described(base / name, name, SAMPLES, **facts) for name in ("huggingface", "webdataset")}


@pytest.fixture(scope="module")
def found(folders, pictured):
    """What mlcroissant says of all of them."""
    asked = {f"{key} issues": ("croissant", folder, {}) for key, folder in folders.items()}
    for key in [f"{name} rows {splits}" for name in TABLES for splits in (0, 2)]:
        asked[key] = ("croissant", folders[key], {"records": "rows"})
    asked["test only"] = ("croissant", folders["jsonl rows 2"], {"records": "rows", "split": "test"})
    for name, records in (("coco", "annotations"), ("coco", "images"), ("coco", "categories"), ("yolo", "annotations")):
        asked[f"{name} {records}"] = ("croissant", folders[f"{name} samples 2"], {"records": records})
    asked["huggingface pictures"] = ("croissant", pictured["huggingface"], {"records": "samples"})
    asked["webdataset pictures"] = ("croissant", pictured["webdataset"], {"records": "pictures-test"})
    return environments.read("formats", asked)


def test_mlcroissant_finds_no_error_in_any_format_and_misses_only_the_citation(folders, found):
    for key in folders:
        issues = found[f"{key} issues"][0]
        assert issues["errors"] == [], key
        assert [warning for warning in issues["warnings"] if not any(f"/{name}" in warning for name in RECOMMENDED)] == [], key
        assert issues["records"], key


def expected(name):
    """The rows as mlcroissant gives them: fields by their ids, times as ISO text, JSON within rows by its parts."""
    for row in ROWS.to_dicts():
        plain = row | {"at": row["at"].isoformat(), "day": f"{row['day']}T00:00:00"}
        if name == "csv":
            plain["tags"] = json.dumps(row["tags"], separators=(",", ":"))
        if name == "jsonl":
            plain["input"] = {f"rows/input/{part}": value for part, value in json.loads(row["input"]).items()}
        yield {f"rows/{column}": value for column, value in plain.items()}


@pytest.mark.parametrize("name", TABLES)
def test_the_records_that_mlcroissant_reads_are_the_rows(found, name):
    for splits in (0, 2):
        read = sorted(found[f"{name} rows {splits}"], key=lambda record: record["rows/example_id"])
        wanted = [record if splits else {key: one for key, one in record.items() if key != "rows/split"} for record in expected(name)]
        assert read == wanted


def test_one_split_can_be_read_alone(found):
    assert sorted(record["rows/example_id"] for record in found["test only"]) == ["ex_1", "ex_4"]


def test_boxes_images_and_classes_are_read_from_label_formats(found):
    # COCO counts annotations over the whole export, train and test in key order
    boxes = {record["annotations/id"]: record for record in found["coco annotations"]}
    assert [boxes[number]["annotations/bbox"] for number in (1, 2, 3, 4)] == [[1.25, 2.0, 9.5, 8.0]] * 4
    assert [boxes[number]["annotations/split"] for number in (1, 2, 3, 4)] == ["train", "train", "test", "test"]
    assert [boxes[number]["annotations/category_id"] for number in (1, 2, 3, 4)] == [2, 1, 2, 2]
    assert {record["images/sample_key"] for record in found["coco images"]} == set(SAMPLES["sample_key"])
    assert found["coco categories"] == [{"categories/id": n, "categories/name": name} for n, name in enumerate(helpers.BOXES.classes, 1)]
    assert sorted((record["annotations/split"], record["annotations/category_id"]) for record in found["yolo annotations"]) == [
        ("test", 1),
        ("test", 1),
        ("train", 0),
        ("train", 1),
    ]
    assert {tuple(record["annotations/bbox"]) for record in found["yolo annotations"]} == {(0.06, 0.12, 0.095, 0.16)}


def test_pictures_are_read_as_images(found):
    shown = [record["samples/picture"] for record in found["huggingface pictures"]]
    assert shown == ["1 x 1 RGBA"] * SAMPLES.height
    assert sorted(record["pictures-test/file"] for record in found["webdataset pictures"]) == ["000001.png", "000003.png"]
    assert {record["pictures-test/picture"] for record in found["webdataset pictures"]} == {"1 x 1 RGBA"}


def test_every_file_is_named_with_its_size_and_digest(folders):
    for folder in (folders["jsonl rows 2"], folders["parquet rows 0"]):
        listed = {node["contentUrl"]: node for node in content(folder)["distribution"] if node["@type"] == "cr:FileObject"}
        files = {file.name: file for file in exports.digests(folder) if file.name != croissant.NAME}
        assert {name: (node["sha256"], node["contentSize"]) for name, node in listed.items()} == {
            name: (file.sha256, f"{file.byte_count} B") for name, file in files.items()
        }


def content(folder):
    return json.loads((folder / croissant.NAME).read_text(encoding="utf-8"))


def test_what_is_known_is_said_and_what_is_not_is_left_out(tmp_path, folders):
    # given one export that everything is known of, and one of a tag v1.4.2 that nothing else is known of
    known = content(folders["csv rows 0"])
    bare = content(described(tmp_path / "bare", "csv", ROWS, version="v1.4.2"))
    untagged = content(described(tmp_path / "untagged", "csv", ROWS, version="0123456789ab"))

    # then
    assert known["conformsTo"] == "http://mlcommons.org/croissant/1.1"
    assert known["license"] == "https://spdx.org/licenses/CC-BY-4.0.html"
    assert known["creator"] == {"@type": "sc:Person", "name": "Ann"}
    assert known["datePublished"] == FACTS["published"]
    assert known["prov:wasDerivedFrom"] == {"@id": "urn:labelkit:commit:" + "a" * 64}
    assert bare["version"] == "1.4.2"
    assert "version" not in untagged
    assert not {"license", "creator", "datePublished", "prov:wasDerivedFrom"} & bare.keys()


def test_the_same_export_is_described_in_the_same_bytes(tmp_path, folders):
    again = described(tmp_path / "elsewhere", "jsonl", ROWS, json_columns=("input",), splits=("train", "test"), **FACTS)
    assert (again / croissant.NAME).read_bytes() == (folders["jsonl rows 2"] / croissant.NAME).read_bytes()


def test_files_of_which_there_are_too_many_or_with_strange_names_are_sets(tmp_path, monkeypatch):
    # given a limit of two files of a kind
    monkeypatch.setattr(croissant, "MOST_FILES", 2)
    files = [exports.WrittenFile(name, 1, "0" * 64) for name in ("pictures/a b.jpg", "notes/1.md", "notes/2.md", "notes/3.md", "x.csv")]

    # when
    about = helpers.about(ROWS, None)
    described = json.loads(croissant.describe(tmp_path, about, files, "csv"))

    # then
    assert {node["@id"]: node["includes"] for node in described["distribution"] if node["@type"] == "cr:FileSet"} == {
        "pictures.jpg-files": "pictures/**/*.jpg",
        "notes.md-files": "notes/**/*.md",
        "row-files": "*.csv",
    }


def test_however_many_archives_there_are_each_is_named(tmp_path, monkeypatch):
    monkeypatch.setattr(croissant, "MOST_FILES", 2)
    files = [exports.WrittenFile(f"data-{number:06}.tar", 1, "0" * 64) for number in range(4)]
    described = json.loads(croissant.describe(tmp_path, helpers.about(ROWS, None, splits=()), files, "webdataset"))
    *named, members = described["distribution"]
    assert [node["@id"] for node in named] == [node["@id"] for node in members["containedIn"]] == [file.name for file in files]


TYPES = {
    "small": (pl.Int8(), {"dataType": "cr:Int8"}),
    "long": (pl.UInt64(), {"dataType": "cr:UInt64"}),
    "money": (pl.Decimal(12, 2), {"dataType": ["sc:Text", "sc:Number"]}),
    "pause": (pl.Duration("us"), {"dataType": ["cr:Int64", "sc:Duration"]}),
    "texts": (pl.List(pl.String()), {"dataType": "sc:Text", "isArray": True, "arrayShape": "-1"}),
    "grid": (pl.List(pl.Array(pl.Float32(), 3)), {"dataType": "cr:Float32", "isArray": True, "arrayShape": "-1,3"}),
    "nothing": (pl.Null(), {"dataType": "sc:Text"}),
}


@pytest.mark.parametrize(("kind", "said"), TYPES.values(), ids=TYPES)
def test_a_column_has_the_type_of_its_values(tmp_path, kind, said):
    about = helpers.about(pl.DataFrame(schema={"key": pl.String, "a column/ü": kind}), None)
    described = json.loads(croissant.describe(tmp_path, about, [exports.WrittenFile("data.parquet", 1, "0" * 64)], "parquet"))
    field = described["recordSet"][0]["field"][1]
    assert field == {
        "@type": "cr:Field",
        "@id": "rows/a%20column%2F%C3%BC",
        "name": "a column/ü",
        **said,
        "source": {"fileObject": {"@id": "data.parquet"}, "extract": {"column": "a column/ü"}},
    }


def test_structs_have_a_field_for_each_part_and_what_no_path_reaches_is_left_out(tmp_path):
    # given boxes in a list, and a list of structs within a struct
    box = pl.Struct({"x": pl.Float64(), "what is it": pl.String()})
    columns = {"key": pl.String, "boxes": pl.List(box), "deep": pl.Struct({"a": pl.Int64(), "boxes": pl.List(box)})}

    # when
    about = helpers.about(pl.DataFrame(schema=columns), None)
    described = json.loads(croissant.describe(tmp_path, about, [exports.WrittenFile("data.parquet", 1, "0" * 64)], "parquet"))

    # then
    boxes, deep = described["recordSet"][0]["field"][1:]
    assert [part["source"]["transform"] for part in boxes["subField"]] == [{"jsonPath": "x"}, {"jsonPath": "'what is it'"}]
    assert (boxes["isArray"], "dataType" in boxes) == (True, False)
    assert [part["@id"] for part in deep["subField"]] == ["rows/deep/a"]


def test_json_that_is_not_of_one_kind_has_no_field(tmp_path):
    rows = pl.DataFrame(
        {"key": ["a", "b"], "input": ['{"a":1}', '{"a":{"b":1}}'], "nothing": [None, None]}, schema_overrides={"nothing": pl.String}
    )
    folder = described(tmp_path / "out", "jsonl", rows, json_columns=("input", "nothing"))
    assert [field["name"] for field in content(folder)["recordSet"][0]["field"]] == ["key", "nothing"]


def test_every_format_of_rows_has_a_place_in_the_description():
    rows = {name for name, writer in WRITERS.items() if "rows" in writer.takes}
    assert rows <= {*row_sets.TABLES, "webdataset"}
