"""JSONL, CSV and Parquet: every type comes back, the bytes do not depend on chunks, and others read what they expect."""

from __future__ import annotations

import csv
import hashlib
import json
import sys
import tempfile
from dataclasses import replace
from functools import partial
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from labelkit import formats
from labelkit.errors import ExportDamaged, InvalidValue, LabelsNotFound, LabelsUnreadable
from labelkit.formats.keyed import csv_rows, jsonl, parquet_rows
from tests import needs
from tests.formats import helpers, row_zoo

NAMES = ["csv", "jsonl", "parquet"]
SPLITS = ("train", "val", "test")
EACH = pytest.mark.parametrize("name", NAMES)
EXTREMES = pl.DataFrame(
    {
        "key": ["a", "", "c", "d"],
        "day": pl.Series([2**30, -(2**30), 0, None], dtype=pl.Int32).cast(pl.Date),
        "moment": pl.Series([2**62, -(2**62), 0, None]).cast(pl.Datetime("us")),
        "fine": pl.Series([2**63 - 1, -(2**62), 0, None]).cast(pl.Datetime("ns")),
        "zoned": pl.Series([2**62, -(2**62), 1_711_846_800_000_000, None]).cast(pl.Datetime("us")).dt.replace_time_zone("Europe/Berlin"),
        "lasting": pl.Series([2**62, -1, None, 0]).cast(pl.Duration("ms")),
        "price": pl.Series(["1.10", None, "-0.01", "9" * 30 + ".99"]).cast(pl.Decimal(38, 2)),
        "double": [float("nan"), float("-inf"), float("inf"), None],
        'a "name", with\nodd {parts}': ["=1+1", "\r", " padded ", "a\tb"],
    }
)
JSON = pl.DataFrame(
    {
        "key": ["a", "b", "c", "d", "e"],
        "input": ['{"b": 2.50,"a":[1e3,{"x":"\\n\\t"}]}', "[]", None, '{"input":{"key":"a"}}', "{}"],
        "text": ["[CLS] a [SEP]", '"quoted"', "null", '{"a":\n1}', ""],
    }
)


def written(folder, name, rows, **facts):
    helpers.export(formats.writer(name), folder, rows, None, **facts)
    return folder


def read(folder, name):
    return pl.concat(list(formats.row_reader(name)(folder)))


def digests(folder):
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.rglob("*") if path.is_file()}


@EACH
@settings(max_examples=20, deadline=None)
@given(rows=row_zoo.frames(), chunks=st.integers(1, 3))
def test_rows_of_any_type_come_back_exactly(name, rows, chunks):
    with tempfile.TemporaryDirectory() as folder:
        assert row_zoo.same(read(written(Path(folder, "out"), name, rows, chunks=chunks), name), rows)


@EACH
@pytest.mark.parametrize("rows", [row_zoo.ODDITIES, EXTREMES, JSON, EXTREMES.clear()], ids=["oddities", "extremes", "json", "no rows"])
def test_what_is_rare_comes_back_too(tmp_path, name, rows):
    found = read(written(tmp_path / "out", name, rows, json_columns=("input", "text")), name)
    assert (found.schema, found.equals(rows)) == (rows.schema, True)


def test_the_bytes_depend_on_the_rows_alone(tmp_path):
    # given more rows than a row group of Parquet and a slice of text have, in two of three splits
    count = parquet_rows.GROUP_ROWS + 4
    rows = pl.DataFrame(
        {"key": [f"k{n:06d}" for n in range(count)], "n": range(count), "tags": [["a", "b"], [], None, ["c"]] * (count // 4)}
    )
    rows = rows.with_columns(split=pl.when(pl.col("n") % 3 == 0).then(pl.lit("val")).otherwise(pl.lit("train")))
    rows.write_parquet(tmp_path / "rows.parquet")

    # when they come in one chunk, in seven, and to one thread
    for name in NAMES:
        for chunks in (1, 7):
            written(tmp_path / f"{name}-{chunks}", name, rows, chunks=chunks, splits=SPLITS)
    code = (
        "import sys, polars as pl; from tests.formats import test_row_formats as here\n"
        "rows = pl.read_parquet(sys.argv[1] + '/rows.parquet')\n"
        "for name in here.NAMES: here.written(f'{sys.argv[1]}/{name}-alone', name, rows, chunks=3, splits=here.SPLITS)"
    )
    done = needs.run(sys.executable, "-W", "error", "-c", code, tmp_path, cwd=needs.ROOT, env={"POLARS_MAX_THREADS": "1"})
    assert done.stderr == ""

    # then
    for name in NAMES:
        one, seven, alone = (digests(tmp_path / f"{name}-{how}") for how in (1, 7, "alone"))
        assert one == seven == alone
        found = read(tmp_path / f"{name}-1", name).sort("key")
        assert (found.schema, found.equals(rows)) == (rows.schema, True)


@EACH
def test_a_split_that_was_assigned_is_in_the_names_of_files_only(tmp_path, name):
    # given
    rows = pl.DataFrame({"key": ["a", "b"], "n": [1, 2]})
    columns = dict(rows.schema)

    # when
    out = written(tmp_path / "out", name, rows.with_columns(split=pl.Series(["val", "train"])), columns=columns)

    # then
    assert any("train" in path.name for path in out.rglob("*"))
    assert read(out, name).sort("key").equals(rows)


@EACH
def test_a_split_that_nobody_named_is_refused(tmp_path, name):
    rows = pl.DataFrame({"key": ["a"], "split": ["holdout"]})
    with pytest.raises(InvalidValue, match="'holdout' is not one of train"):
        written(tmp_path / "out", name, rows, splits=("train",))
    assert list(tmp_path.iterdir()) == []


def test_others_read_json_columns_of_jsonl_as_json(tmp_path):
    # when
    out = written(tmp_path / "out", "jsonl", JSON, json_columns=("input", "text"))

    # then
    lines = [json.loads(line) for line in (out / "data.jsonl").read_text(encoding="utf-8").split("\n")[:-1]]
    assert [line["input"] for line in lines] == [{"b": 2.5, "a": [1000, {"x": "\n\t"}]}, [], None, {"input": {"key": "a"}}, {}]
    assert [line["text"] for line in lines] == JSON["text"].to_list()


def test_others_read_what_jsonl_says_of_dates_numbers_and_bytes(tmp_path):
    # given
    rows = row_zoo.ODDITIES.select("key", "double", "single", "bytes", "day", "moment", "large", "struct")

    # when
    out = written(tmp_path / "out", "jsonl", rows)

    # then
    first, second, third = ((out / "data.jsonl").read_text(encoding="utf-8")).split("\n")[:-1]
    assert first == (
        '{"key":"a","double":0.1,"single":0.5,"bytes":"/wA=","day":"2020-01-01","moment":"2020-01-01T01:02:03.000004",'
        '"large":18446744073709551615,"struct":{"a":1,"b":"x"}}'
    )
    assert json.loads(second) | {"struct": 0} == json.loads(second) | {"struct": 0, "day": None, "bytes": ""}
    assert json.loads(third)["double"] == "NaN"


def test_a_number_that_could_stand_for_nan_is_never_taken_for_it(tmp_path):
    # given every number that the first attempts put in the place of NaN
    taken = [float(f"-{place}.{attempt:02d}718281828459e-287") for place in (1, 2, 3) for attempt in range(3)]
    rows = pl.DataFrame({"key": range(11), "x": [*taken, float("nan"), float("inf")], "text": [f"{value!r}" for value in [*taken, 1, 2]]})

    # then
    assert row_zoo.same(read(written(tmp_path / "out", "jsonl", rows), "jsonl"), rows)


def test_csv_is_what_rfc_4180_says_and_tells_null_from_empty_text(tmp_path):
    # given
    rows = pl.DataFrame({"key": ["a", "b"], "text": ["", None], 'odd "name"': ['x,"y"', "line\nbreak"], "tags": [["=1", None], None]})

    # when
    out = written(tmp_path / "out", "csv", rows)

    # then
    data = (out / "data.csv").read_bytes()
    assert data == (b'key,text,"odd ""name""",tags\r\na,"","x,""y""","[""=1"",null]"\r\nb,,"line\nbreak",\r\n')
    with (out / "data.csv").open(newline="", encoding="utf-8") as file:
        assert [row["tags"] for row in csv.DictReader(file, strict=True)] == ['["=1",null]', ""]


def test_parquet_is_cut_into_shards_by_rows_and_by_weight(tmp_path):
    # given
    light = pl.DataFrame({"key": range(95), "text": ["x"] * 95})
    heavy = pl.DataFrame({"key": range(25), "text": ["x" * 20_000] * 25})

    # when
    kind = replace(parquet_rows.FORMAT, write=partial(parquet_rows.write, cut=parquet_rows.Cut(10, 10, shard_rows=40, shard_bytes=100_000)))
    shards = {
        label: [(file.name, file.rows) for file in helpers.export(kind, tmp_path / label, rows, None, chunks=4).files[1:-1]]
        for label, rows in (("light", light), ("heavy", heavy))
    }

    # then
    names = [f"data/data-{number:05d}-of-00003.parquet" for number in range(3)]
    assert shards == {"light": list(zip(names, [40, 40, 15], strict=True)), "heavy": list(zip(names, [10, 10, 5], strict=True))}
    assert read(tmp_path / "light", "parquet").equals(light)


@pytest.mark.parametrize(("name", "module"), [("jsonl", jsonl), ("csv", csv_rows)])
def test_files_of_anybody_else_are_read_for_what_they_seem_to_be(tmp_path, name, module):
    # given
    text = {"jsonl": '{"id":1,"tags":["a"]}\n{"id":2,"score":0.5}\n', "csv": "id,score\n1,\n2,0.5\n"}[name]
    (tmp_path / f"theirs.{name}").write_text(text)

    # then
    for source in (tmp_path, tmp_path / f"theirs.{name}"):
        rows = pl.concat(list(module.read(source)))
        assert rows.select("id", "score").rows() == [(1, None), (2, 0.5)]


@EACH
def test_a_file_of_an_export_is_read_alone_with_the_types_of_its_manifest(tmp_path, name):
    out = written(tmp_path / "out", name, row_zoo.ODDITIES.with_columns(split=pl.Series(["a", "b", "a"])))
    file = next(path for path in out.rglob(f"*.{name}") if path.name.startswith("b"))
    assert read(file, name)["key"].to_list() == ["b.c/ü"]
    assert read(file, name).schema["single"] == pl.Float32


@EACH
@pytest.mark.parametrize("damage", ["data", "manifest", "missing"])
def test_rows_of_an_export_that_is_not_whole_are_refused(tmp_path, name, damage):
    # given
    out = written(tmp_path / "out", name, JSON)
    file = next(out.rglob(f"*.{name}")) if damage != "manifest" else out / "labelkit-export.json"
    if damage == "missing":
        file.unlink()
    else:
        data = bytearray(file.read_bytes())
        data[len(data) // 2] ^= 1
        file.write_bytes(data)

    # then
    with pytest.raises(ExportDamaged, match="not as it was written"):
        read(out, name)


@EACH
def test_a_folder_without_such_files_is_refused(tmp_path, name):
    with pytest.raises(LabelsNotFound):
        read(tmp_path, name)


@pytest.mark.parametrize(("name", "text"), [("jsonl", '{"a":\n'), ("csv", 'a,b\n"1,2\n'), ("parquet", "no")])
def test_a_file_that_cannot_be_read_is_refused(tmp_path, name, text):
    (tmp_path / f"x.{name}").write_text(text)
    with pytest.raises(LabelsUnreadable):
        read(tmp_path, name)
