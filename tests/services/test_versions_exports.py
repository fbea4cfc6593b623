"""Versions as files and back: every row format gives the version again, splits are stable, and each export is on record."""

from __future__ import annotations

import json
from itertools import count

import polars as pl
import pytest
from hypothesis import example, given, settings

import labelkit
from labelkit import BuildRequest, formats
from labelkit.core.geometry import Box
from labelkit.errors import InvalidValue, KeyChanged
from labelkit.formats.manifest import MANIFEST, Manifest
from tests.formats import row_zoo
from tests.services.packs import Pack, add
from tests.services.worlds import as_user, refused, trail

NAME = "golden/contact-tier"
ROWS = pl.DataFrame(
    {
        "example_id": ["a", "b", "c", "d"],
        "input": ['{"n":1}', '{"n":2}', '{"company":"x","n":3}', "{}"],
        "company": ["x", "x", "y", None],
        "score": [1.5, float("nan"), None, 4.0],
    }
)
NUMBERS = count()
EACH = pytest.mark.parametrize("format", ["jsonl", "csv", "parquet"])


@pytest.fixture
def ws(memory):
    memory.versions.commit(NAME, ROWS, key="example_id", message="first")
    return memory


@pytest.fixture(scope="module")
def space():
    """A workspace for a property, in which every case has names of its own."""
    with labelkit.open(":memory:", workspace="club-a", user="ana") as opened:
        yield opened


@settings(max_examples=5, deadline=None)
@given(rows=row_zoo.frames())
@example(rows=row_zoo.ODDITIES)
def test_a_version_that_goes_out_and_comes_in_again_is_the_same_version(space, tmp_path_factory, rows):
    # given
    name, root = f"rows/{next(NUMBERS)}", tmp_path_factory.mktemp("exports")
    before = space.versions.commit(name, rows, key="key").commit

    # then from every format it has the same tree under a new name, and under its own there is nothing to commit
    for kind in formats.ROW_READERS:
        space.versions.export(name, kind, root / kind)
        assert space.versions.import_(f"{name}/{kind}", kind, root / kind).commit.tree == before.tree
        assert space.versions.import_(name, kind, root / kind).code == "NO_OP_UNCHANGED"


@EACH
def test_it_comes_back_from_splits_and_from_a_url_too(ws, format):
    # given
    ws.versions.export(NAME, format, "memory://versions/out", {"train": 0.5, "test": 0.5}, by="company")

    # then
    assert ws.versions.import_(NAME, format, "memory://versions/out").code == "NO_OP_UNCHANGED"
    assert labelkit.verify("memory://versions/out").ok


def test_an_export_says_what_it_is_of(ws, tmp_path):
    # given
    ws.versions.tag(NAME, "v1")

    # when
    report = ws.versions.export(f"{NAME}@v1", "jsonl", tmp_path / "out")

    # then
    commit = ws.versions.get(NAME)
    content = Manifest.read((tmp_path / "out" / MANIFEST).read_bytes()).content
    assert (content["title"], content["description"], content["version"], content["key"]) == (NAME, "first", "v1", "example_id")
    assert (content["source"], content["creator"], content["rows"]) == (f"commit:{commit.id}", "ana", {"data": 4})
    assert content["json_columns"] == ["input"]
    assert json.loads((tmp_path / "out" / "data.jsonl").read_text().split("\n")[2])["input"] == {"company": "x", "n": 3}
    assert (report.row_count, report.sample_count, report.annotation_count) == (4, 4, 0)
    assert report.to_polars()["name"].to_list() == ["croissant.json", "data.jsonl", MANIFEST]
    assert str(report) == f"jsonl: 4 rows in 3 file(s) below {tmp_path / 'out'}"


def test_every_export_is_on_record_with_what_was_lost(ws, tmp_path):
    # given
    rows = ROWS.with_columns(tags=pl.Series([["a"], None, [], ["b"]]))
    ws.versions.commit(NAME, rows)

    # when
    lost = ws.versions.losses(NAME, "csv")
    report = ws.versions.export(NAME, "csv", tmp_path / "out")

    # then
    assert lost.select("facet", "count").rows() == [("nested", 1)]
    assert report.lost.equals(lost)
    record = ws.versions.exports(NAME).row(0, named=True)
    assert (record["id"], record["format"], record["path"], record["created_by"]) == (report.id, "csv", str(tmp_path / "out"), "ana")
    assert [file["sha256"] for file in json.loads(record["files"])] == [file.sha256 for file in report.files]
    assert [loss["facet"] for loss in json.loads(record["losses"])] == ["nested"]
    assert trail(ws, "subject", "code")[-1] == (f"versions:{NAME}", "EXPORTED")
    assert "JSON text" in repr(report)


def test_rows_of_a_group_stay_together_and_none_moves_when_others_come(ws, tmp_path):
    # given 2,000 rows of 40 companies
    rows = pl.DataFrame({"example_id": [f"e{n:05d}" for n in range(2_000)], "company": [f"c{n % 40}" for n in range(2_000)]})
    ws.versions.commit("many", rows.head(1_000), key="example_id")
    ws.versions.commit("many", rows)
    first, all_ = ws.versions.log("many")[::-1]

    # when
    for number, commit in enumerate((first, all_)):
        ws.versions.export(commit, "parquet", tmp_path / str(number), {"train": 0.7, "val": 0.3}, by="company")

    # then
    found = [
        {split: set(pl.read_parquet(tmp_path / number / "data" / f"{split}-*.parquet")["example_id"]) for split in ("train", "val")}
        for number in ("0", "1")
    ]
    assert all(found[0][split] <= found[1][split] for split in ("train", "val"))
    companies = [set(rows.filter(pl.col("example_id").is_in(found[1][split]))["company"]) for split in ("train", "val")]
    assert (companies[0] & companies[1], len(companies[0] | companies[1])) == (set(), 40)


@pytest.mark.parametrize(
    ("ask", "code"),
    [
        (lambda ws, out: ws.versions.export(NAME, "jsonn", out), "UNKNOWN_FORMAT"),
        (lambda ws, out: ws.versions.export("golden/nothing", "jsonl", out), "NOT_FOUND"),
        (lambda ws, out: ws.versions.export(NAME, "coco", out), "INVALID_VALUE"),
        (lambda ws, out: ws.versions.export(NAME, "jsonl", out, {"train": 0.5}), "INVALID_VALUE"),
        (lambda ws, out: ws.versions.export(NAME, "jsonl", out, {"a": 1.0}, by="firm"), "INVALID_VALUE"),
        (lambda ws, out: ws.versions.export(NAME, "jsonl", out, by="company"), "INVALID_VALUE"),
        (lambda ws, _: ws.versions.losses(NAME, "yolo"), "INVALID_VALUE"),
        (lambda ws, out: ws.versions.import_("new", "jsonl", out), "LABELS_NOT_FOUND"),
        (lambda ws, out: ws.versions.import_("new", "coco", out), "UNKNOWN_FORMAT"),
    ],
    ids=["format", "name", "no samples", "shares", "no column", "by alone", "losses", "no files", "no row format"],
)
def test_what_cannot_be_is_refused_and_nothing_is_written(ws, tmp_path, ask, code):
    assert refused(lambda: ask(ws, tmp_path / "out")) == code
    assert list(tmp_path.iterdir()) == []


def test_rows_that_have_splits_of_their_own_keep_them(ws, tmp_path):
    # given
    ws.versions.commit("own", ROWS.with_columns(split=pl.lit("train")), key="example_id")

    # then
    with pytest.raises(InvalidValue, match="a column named split already"):
        ws.versions.export("own", "jsonl", tmp_path / "out", {"train": 1.0})
    ws.versions.export("own", "jsonl", tmp_path / "out")
    assert ws.versions.import_("own", "jsonl", tmp_path / "out").code == "NO_OP_UNCHANGED"


def test_a_dataset_version_is_exported_by_its_own_door(ws, tmp_path):
    ids = add(ws, [Pack("north", [("APPROVED", {0: [("player", Box(10.0, 20.0, 30.0, 40.0))]})])])
    dataset = ws.datasets.build(BuildRequest(capability="player_detection", label_pack_ids=list(ids.values()), name="players")).dataset
    with pytest.raises(InvalidValue, match="a dataset version is exported as a dataset"):
        ws.versions.export(dataset, "jsonl", tmp_path / "out")

    # but its export is rows that can be committed
    dataset.export("jsonl", tmp_path / "out")
    assert ws.versions.import_("players/v1", "jsonl", tmp_path / "out").commit.key == "sample_key"
    assert ws.versions.checkout("players/v1").collect().equals(dataset.to_polars())


def test_files_of_somebody_else_need_a_key_once(ws, tmp_path):
    # given
    (tmp_path / "theirs.csv").write_text("id,tier\n1,A\n2,B\n")

    # then
    assert refused(lambda: ws.versions.import_("theirs", "csv", tmp_path / "theirs.csv")) == "INVALID_VALUE"
    assert ws.versions.import_("theirs", "csv", tmp_path / "theirs.csv", key="id").commit.message.startswith("Import csv from")
    assert ws.versions.import_("theirs", "csv", tmp_path / "theirs.csv", message="again").code == "NO_OP_UNCHANGED"
    with pytest.raises(KeyChanged):
        ws.versions.import_("theirs", "csv", tmp_path / "theirs.csv", key="tier")


def test_members_may_export_and_annotators_import(ws, tmp_path):
    viewer = as_user(ws, "vic", "viewer")
    assert viewer.versions.export(NAME, "jsonl", tmp_path / "out").row_count == 4
    assert refused(lambda: viewer.versions.import_(NAME, "jsonl", tmp_path / "out")) == "PERMISSION_DENIED"
    assert as_user(ws, "nora", "annotator").versions.import_("copy", "jsonl", tmp_path / "out").code == "COMMITTED"
