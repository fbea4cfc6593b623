"""Exports of examples: their lines and rows as they are promised, and back again with the same ids."""

from __future__ import annotations

import csv
import json

import polars as pl
import pytest

import labelkit
from labelkit.formats import golden_lines
from tests.services.worlds import refused, trail

ROWS = [
    {
        "input": {"title": f"Head of {n}", "seniority": None if n % 2 else 'a "senior"\n'},
        "expected_output": {"tier": "AB"[n % 2], "confidence": n / 70},
        "labels": {"difficulty": "easy", "clear_indicators": ["é\t"]} if n % 3 else {},
        "source_decision_id": f'd"{n}' if n % 4 else None,
    }
    for n in range(40)
]
SPLITS = {"train": 0.75, "test": 0.25}
FORMATS = ["jsonl", "csv", "parquet", "tfrecord", "huggingface", "webdataset"]


@pytest.fixture(scope="module")
def world():
    """A workspace with forty examples of contact tiers, ten judged, all scored, and one of another type. Nobody changes them."""
    with labelkit.open(":memory:", workspace="club-a", user="ana") as ws:
        ids = ws.golden.add("contact_tier", ROWS).rows["example_id"]
        ws.golden.validate(ids[:8])
        ws.golden.reject(ids[8:10], "no")
        ws.golden.score()
        ws.golden.add("lead_score", [{"input": {"fit_score": 85}, "expected_output": {"lead_score": 88.5}}])
        yield ws


@pytest.fixture
def golden(world):
    return world.golden


def elsewhere():
    """A new store, in memory."""
    return labelkit.open(":memory:", workspace="club-b", user="bo")


def test_a_line_of_jsonl_is_input_output_and_metadata(golden, tmp_path):
    # when
    golden.export("jsonl", tmp_path / "out", type="contact_tier")
    lines = [json.loads(line) for line in (tmp_path / "out/data.jsonl").read_text(encoding="utf-8").splitlines()]

    # then they stand in the order of their ids
    frame = golden.to_polars(type="contact_tier").sort("example_id")
    assert [list(line) for line in lines] == [["input", "output", "metadata"]] * 40
    for line, row in zip(lines, frame.iter_rows(named=True), strict=True):
        assert line["input"] == json.loads(row["input"])
        assert line["output"] == json.loads(row["expected_output"])
        told = ("example_id", "type", "quality_score", "tier", "status", "source_decision_id")
        assert line["metadata"] == {name: row[name] for name in told} | {"labels": json.loads(row["labels"])}


def test_a_csv_begins_as_the_source_document_says(golden, tmp_path):
    # when
    golden.export("csv", tmp_path / "out")
    with (tmp_path / "out/data.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))

    # then
    assert list(rows[0])[:6] == ["example_id", "type", "input_json", "output_json", "quality_score", "labels"]
    assert len(rows) == 41
    by_id = {row["example_id"]: row for row in golden.to_polars().to_dicts()}
    assert all(row["input_json"] == by_id[row["example_id"]]["input"] for row in rows)


@pytest.mark.parametrize("format", FORMATS)
def test_what_was_exported_comes_back_with_the_ids_it_had(golden, tmp_path, format):
    # given
    report = golden.export(format, tmp_path / "out", type="contact_tier", splits=SPLITS)

    # when
    with elsewhere() as other:
        added = other.golden.add_file(format, tmp_path / "out")
        again = other.golden.add_file(format, tmp_path / "out", "contact_tier")
        back = other.golden.to_polars()

    # then
    assert (report.row_count, added.added, again.added, again.present) == (40, 40, 0, 40)
    columns = ["example_id", "type", "input", "expected_output", "labels", "source_decision_id", "content_digest"]
    assert back.select(columns).sort("example_id").equals(golden.to_polars("contact_tier").select(columns).sort("example_id"))
    assert set(back["status"]) == {"pending"}
    assert again.differing.is_empty()
    assert labelkit.verify(tmp_path / "out").ok


def test_splits_part_the_examples_and_stay_when_others_come(memory, tmp_path):
    # given
    def parts(out):
        memory.golden.export("jsonl", out, splits=SPLITS)
        lines = {name: (out / f"{name}.jsonl").read_text(encoding="utf-8").splitlines() for name in SPLITS}
        return {json.loads(line)["metadata"]["example_id"]: name for name, found in lines.items() for line in found}

    memory.golden.add("contact_tier", ROWS)
    before = parts(tmp_path / "before")

    # when
    memory.golden.add("contact_tier", [{"input": {"title": f"new {n}"}, "expected_output": {"tier": "C"}} for n in range(40)])
    after = parts(tmp_path / "after")

    # then
    assert (len(before), len(after), set(before.values())) == (40, 80, set(SPLITS))
    assert {one: after[one] for one in before} == before


@pytest.mark.parametrize(
    ("choice", "expected"),
    [
        pytest.param({"type": "lead_score"}, 1, id="a type"),
        pytest.param({"status": "validated"}, 8, id="a status"),
        pytest.param({"type": "contact_tier", "status": "rejected"}, 2, id="both"),
        pytest.param({"tier": "gold"}, None, id="a tier"),
        pytest.param({"type": "company_quality"}, 0, id="none"),
    ],
)
def test_the_export_holds_what_the_frame_holds(golden, tmp_path, choice, expected):
    # when
    report = golden.export("parquet", tmp_path / "out", **choice)

    # then
    frame = golden.to_polars(**choice)
    assert report.row_count == frame.height
    assert expected in {None, frame.height}
    assert sorted(pl.read_parquet(tmp_path / "out/**/*.parquet")["example_id"]) == sorted(frame["example_id"])


def test_the_same_examples_are_the_same_bytes(golden, tmp_path):
    first, second = (golden.export("jsonl", tmp_path / name, splits=SPLITS, by="source_decision_id") for name in ("a", "b"))
    assert first.files == second.files


def test_an_export_is_recorded_and_says_what_is_lost(world, golden, tmp_path):
    # when
    report = golden.export("csv", tmp_path / "out", type="contact_tier")

    # then
    assert golden.exports("contact_tier")["id"].to_list()[-1] == report.id
    assert report.id not in golden.exports()["id"]
    assert golden.losses("csv", "contact_tier").equals(report.lost)
    assert golden.losses("jsonl").is_empty()
    assert trail(world, "action", "code", "allowed")[-1] == ("read", "EXPORTED", True)


def test_an_export_that_is_cancelled_leaves_nothing(golden, tmp_path):
    before = golden.exports()

    def stop(done, total):
        assert (done, total) == (41, 41)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        golden.export("jsonl", tmp_path / "out", progress=stop)
    assert list(tmp_path.iterdir()) == []
    assert golden.exports().equals(before)


@pytest.mark.parametrize(
    ("call", "code"),
    [
        pytest.param(lambda golden, out: golden.export("jsonlines", out), "UNKNOWN_FORMAT", id="no format"),
        pytest.param(lambda golden, out: golden.export("coco", out), "INVALID_VALUE", id="a format of labels"),
        pytest.param(lambda golden, out: golden.export("jsonl", out, type="contact"), "NOT_FOUND", id="no type"),
        pytest.param(lambda golden, out: golden.export("jsonl", out, tier="iron"), "INVALID_VALUE", id="no tier"),
        pytest.param(lambda golden, out: golden.export("jsonl", out, splits={"a": 0.3}), "INVALID_VALUE", id="shares that are no whole"),
        pytest.param(lambda golden, out: golden.export("jsonl", out, splits=SPLITS, by="x"), "INVALID_VALUE", id="no column"),
        pytest.param(lambda golden, out: golden.add_file("jsonl", out), "LABELS_NOT_FOUND", id="no file"),
    ],
)
def test_what_cannot_be_written_or_read_leaves_nothing(golden, tmp_path, call, code):
    assert refused(lambda: call(golden, tmp_path / "out")) == code
    assert list(tmp_path.iterdir()) == []


# --- files of anybody's

LINES = """\
{"input": {"title": "CTO"}, "output": {"tier": "A"}, "metadata": {"labels": {"edge_case": true}, "source_decision_id": "d1", "model": "x"}}
{"input_data": {"title": "CEO"}, "expected_output": {"tier": "B"}, "labels": {"difficulty": "easy"}}

not JSON
{"input": {"title": "CFO"}, "output": {"tier": 5}}
{"input": {"title": "a", "title": "b"}, "output": {"tier": "A"}}
[1]
{"input": {}, "output": {"tier": "A"}, "type": "lead_score"}
"""


def test_lines_of_anybodys_are_taken_where_they_fit(memory, tmp_path):
    # given
    file = tmp_path / "examples.jsonl"
    file.write_text(LINES, encoding="utf-8")

    # when
    report = memory.golden.add_file("jsonl", file, "contact_tier")

    # then
    assert report.added == 2
    assert set(memory.golden.to_polars().select("labels", "source_decision_id").rows()) == {
        ('{"edge_case":true}', "d1"),
        ('{"difficulty":"easy"}', None),
    }
    assert [row for row, *_ in report.refused.iter_rows()] == [2, 3, 4, 5, 6]
    reasons = report.refused["reason"].to_list()
    for reason, words in zip(
        reasons, ["it is no JSON", "5 is not of type", "comes twice", "is no example", "it is a lead_score"], strict=True
    ):
        assert words in reason


@pytest.mark.parametrize("broken", [False, True], ids=["as a set", "one by one"])
def test_lines_of_an_export_that_were_changed_by_hand_are_judged_as_they_are(golden, memory, tmp_path, broken):
    # given an export, and a copy of its lines; one whose metadata are no JSON makes all of them be read one by one
    golden.export("jsonl", tmp_path / "out", type="contact_tier")
    lines = (tmp_path / "out/data.jsonl").read_text(encoding="utf-8").splitlines()
    assert [found.others for found in golden_lines.read(tmp_path / "out")] == [[]]
    lines[3] = lines[3].replace('"type":"contact_tier"', '"type":5')
    lines[5] = lines[5].replace("{\t", "{ ")
    lines[7] = lines[7].replace('"input":{', '"input":{"title":"x",')
    lines[9] = lines[9].replace('"type":', '"type"') if broken else lines[9]
    (tmp_path / "changed.jsonl").write_text("\n".join(lines), encoding="utf-8")

    # when
    report = memory.golden.add_file("jsonl", tmp_path / "changed.jsonl", "contact_tier")

    # then
    reasons = dict(report.refused.select("row", "reason").iter_rows())
    assert reasons.pop(9, "").startswith("it is no JSON") is broken
    assert reasons == {3: "it is a 5, not a contact_tier", 7: "the key 'title' comes twice in one object"}
    assert report.added == (37 if broken else 38)
    assert set(memory.golden.to_polars()["example_id"]) < set(golden.to_polars()["example_id"])


def test_a_table_of_anybodys_is_taken_by_the_names_of_its_columns(memory, tmp_path):
    # given outputs that are plain numbers
    memory.golden.types.register("rating", input={"type": "object"}, expected_output={"type": "integer"})
    pl.DataFrame({"input_json": ['{"a":1}', '{"a": 2}'], "output_json": [3, 4], "note": ["x", "y"]}).write_csv(tmp_path / "rows.csv")

    # when
    report = memory.golden.add_file("csv", tmp_path / "rows.csv", "rating")

    # then
    assert report.added == 2
    assert set(memory.golden.to_polars()["expected_output"]) == {"3", "4"}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        pytest.param('{"input":1,"output":1}\n', "the rows do not say", id="no type"),
        pytest.param('{"input":1,"output":1,"type":"a"}\n{"input":1,"output":1,"type":"b"}\n', "the rows are of a, b", id="two types"),
    ],
)
def test_a_file_that_does_not_say_one_type_is_refused(memory, tmp_path, text, said):
    file = tmp_path / "examples.jsonl"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(labelkit.LabelkitError, match=said):
        memory.golden.add_file("jsonl", file)
