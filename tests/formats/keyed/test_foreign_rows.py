"""Files of anybody else's: rows one below the other, and what cannot be read named by file and line."""

from __future__ import annotations

import polars as pl
import pytest

from labelkit import formats
from labelkit.errors import LabelsNotFound, LabelsUnreadable
from tests.formats import helpers


def read(format, path):
    return pl.concat(list(formats.row_reader(format)(path)), how="vertical_relaxed")


def laid(tmp_path, files):
    for name, content in files.items():
        (tmp_path / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    return tmp_path


TOGETHER = {
    "numbers widen": ("csv", {"a.csv": "id,x\n1,2\n", "b.csv": "id,x\n2,0.5\n"}, [(1, 2.0), (2, 0.5)]),
    "columns in another order": ("csv", {"a.csv": "id,x\n1,2\n", "b.csv": "x,id\n3,4\n"}, [(1, 2), (4, 3)]),
    "a mark of the encoding": ("csv", {"a.csv": b"\xef\xbb\xbfid,x\r\n1,\xc3\xa4\r\n"}, [(1, "ä")]),
    "fields that lines do not have": ("jsonl", {"a.jsonl": '{"id": 1}\n', "b.jsonl": '{"id": 2, "x": [1]}\n'}, [(1, None), (2, [1])]),
    "numbers and text": ("jsonl", {"a.jsonl": '{"id": 1, "x": 1}\n', "b.jsonl": '{"id": 2, "x": "a"}\n'}, [(1, "1"), (2, "a")]),
}


@pytest.mark.parametrize(("format", "files", "rows"), TOGETHER.values(), ids=TOGETHER)
def test_files_are_read_as_one_table(tmp_path, format, files, rows):
    assert read(format, laid(tmp_path, files)).rows() == rows


REFUSED = {
    "another column": ("csv", {"a.csv": "id,x\n1,2\n", "b.csv": "id,y\n3,4\n"}, "b.csv: it has no column 'x'"),
    "one column more": ("csv", {"a.csv": "id\n1\n", "b.csv": "id,y\n3,4\n"}, "b.csv: it has a column 'y'"),
    "an empty table": ("csv", {"a.csv": ""}, "a.csv: it is empty"),
    "more fields than the header": ("csv", {"a.csv": "id,x\n1,2\n3,4,5\n"}, "a.csv: line 3 has 3 fields, the header 2"),
    "another encoding": ("csv", {"a.csv": b"id,x\n1,a\n2,Z\xfcrich\n"}, "is not UTF-8"),
    "another encoding of the header": ("csv", {"a.csv": "id,x\n1,a\n".encode("utf-16")}, "is not UTF-8"),
    "no lines": ("jsonl", {"a.jsonl": ""}, "a.jsonl: it is empty"),
    "a number that is none": ("jsonl", {"a.jsonl": '{"x": 1}\n{"x": NaN}\n'}, "a.jsonl: line 2: NaN is no JSON number"),
    "one object over lines": ("jsonl", {"a.jsonl": '{\n "x": 1}\n'}, "a.jsonl: line 1: it is no JSON"),
    "a list": ("jsonl", {"a.jsonl": '{"x": 1}\n\n[1]\n'}, "a.jsonl: line 3 is no JSON object"),
    "bytes": ("jsonl", {"a.jsonl": b'{"x": "\xff"}\n'}, "a.jsonl: line 1 is not UTF-8"),
    "kinds that do not fit": ("jsonl", {"a.jsonl": '{"x": 1}\n', "b.jsonl": '{"x": [1]}\n'}, "b.jsonl: column 'x' holds List"),
    "no table at all": ("parquet", {"a.parquet": "no table"}, "a.parquet: parquet"),
}


@pytest.mark.parametrize(("format", "files", "sentence"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_read_is_named_by_file_and_line(tmp_path, format, files, sentence):
    with pytest.raises(LabelsUnreadable) as refused:
        read(format, laid(tmp_path, files))
    assert sentence in refused.value.detail


def test_parquet_files_whose_columns_differ_in_kind_are_refused_by_name(tmp_path):
    # given
    pl.DataFrame({"id": [1], "x": [1]}).write_parquet(tmp_path / "a.parquet")
    pl.DataFrame({"id": [2], "x": [[1]]}).write_parquet(tmp_path / "b.parquet")

    # then
    with pytest.raises(LabelsUnreadable, match=r"b\.parquet: column 'x' holds List\(Int64\), and Int64"):
        read("parquet", tmp_path)


@pytest.mark.parametrize("rows", [pl.DataFrame({"key": ["a"]}), pl.DataFrame(schema={"key": pl.String()})], ids=["rows", "no rows"])
@pytest.mark.parametrize("format", sorted(formats.ROW_READERS))
def test_an_export_that_is_read_as_another_format_is_refused_by_its_own(tmp_path, format, rows):
    # given
    other = "csv" if format == "jsonl" else "jsonl"
    helpers.export(formats.writer(other), tmp_path / "out", rows, None)

    # then
    with pytest.raises(LabelsNotFound, match=f"an export of {other}"):
        read(format, tmp_path / "out")


@pytest.mark.parametrize("format", sorted(formats.ROW_READERS))
def test_an_export_without_rows_is_read_as_its_columns(tmp_path, format):
    # given
    rows = pl.DataFrame(schema={"key": pl.String(), "x": pl.List(pl.Float32)})
    helpers.export(formats.writer(format), tmp_path / "out", rows, None)

    # then
    assert read(format, tmp_path / "out").equals(rows)


@pytest.mark.parametrize("format", ["csv", "jsonl", "parquet"])
def test_a_file_whose_name_looks_like_a_pattern_is_that_file(tmp_path, format):
    # given a file beside one that the pattern would fit
    for name, number in (("rows[1]", 1), ("rows1", 2)):
        rows = pl.DataFrame({"id": [number]})
        file = tmp_path / f"{name}.{format}"
        {"csv": rows.write_csv, "jsonl": rows.write_ndjson, "parquet": rows.write_parquet}[format](file)

    # then
    assert read(format, tmp_path / f"rows[1].{format}").rows() == [(1,)]
