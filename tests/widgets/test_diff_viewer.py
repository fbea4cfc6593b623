"""DiffViewer without a browser: what a view is told, filters and pages, rows before and after, refusals, the page without a kernel."""

from __future__ import annotations

import re

import polars as pl
import pytest

import labelkit
from labelkit import LabelkitError
from labelkit.errors import UnknownArgument
from labelkit.widgets import DiffViewer, diff_values
from labelkit.widgets.diff_viewer import PAGE
from tests.widgets.differences import NAME, example, examples, many, rebuilt, revised
from tests.widgets.messages import Wire
from tests.widgets.scenes import PLAYERS

ROWS = 20_000


@pytest.fixture(scope="module")
def versions():
    """A workspace with the golden examples' two versions, which no test changes."""
    with examples() as ws:
        yield ws


@pytest.fixture
def golden(versions, monkeypatch):
    """A view of the golden examples' two versions."""
    viewer = DiffViewer(versions, f"{NAME}@v1", NAME)
    yield Wire.to(viewer, monkeypatch)
    viewer.close()


@pytest.fixture(scope="module")
def revisions(tmp_path_factory):
    """A workspace and two revisions of a clip."""
    ws, before, after = revised(tmp_path_factory.mktemp("revised"))
    with ws:
        yield ws, before, after


def keys(items):
    return [item["key"].removeprefix("ex_").lstrip("0") or "0" for item in items]


def test_a_new_view_is_told_both_sides_the_counts_and_the_first_rows(golden):
    # when
    state = golden.ask("ready")["result"]

    # then
    summary = state["summary"]
    assert [side["title"] for side in summary["sides"]] == [f"{NAME}@v1", NAME]
    assert summary["sides"][1]["about"].endswith("ana: second round")
    assert summary["counts"] == [1, 1, 3]
    assert summary["fields"] == [["score", 2], ["expected_output", 1], ["input", 1]]
    assert summary["groups"] == [["split", [["test", 1, 1, 1], ["train", 0, 0, 2]]]]
    assert summary["step"] == ["major", "Existing data changed: 1 row removed, 3 rows modified."]
    assert keys(state["items"]) == ["0", "2", "3", "5", "c"]
    assert state["items"][2]["glimpses"] == [["score", "80.3", "91.5"]]
    assert (state["total"], state["every"], state["selected"], state["refused"]) == (5, 5, None, None)
    assert state["choices"]["split"] == ["test", "train"]


def test_a_filter_is_told_to_every_view_and_can_be_copied_as_python(golden):
    # when
    golden.ask("filter", filters={"change": "modified", "text": "this month", "split": "train", "field": None})

    # then
    (listed,) = golden.events("list")
    assert (keys(listed["items"]), listed["total"], listed["every"]) == (["2"], 1, 5)
    assert golden.widget.filters == {"change": "modified", "text": "this month", "split": "train"}
    ws = golden.widget._ws
    assert eval(golden.widget.python, {"ws": ws}).total == 1


@pytest.mark.parametrize(
    ("filters", "near"), [({"spilt": "test"}, "split"), ({"field": "scores"}, "score"), ({"change": "more"}, "modified")]
)
def test_a_filter_that_does_not_exist_is_refused_and_the_rows_stay(golden, filters, near):
    answer = golden.ask("filter", filters=filters)
    assert answer["error"]["code"] == "NOT_FOUND"
    assert near in answer["error"]["detail"] + answer["error"]["hint"]
    assert (golden.widget.filters, golden.events("list")) == ({}, [])


def test_a_row_is_shown_field_by_field_with_the_words_and_numbers_that_changed(golden):
    # when
    golden.ask("show", at=1)

    # then
    (row,) = golden.events("row")
    assert (golden.widget.selected, row["place"], row["change"], row["frame"]) == (row["key"], 1, "modified", None)
    first, *alike = row["fields"]
    entries = {entry["path"]: entry for entry in first["entries"]}
    assert (first["name"], first["change"], {field["change"] for field in alike}) == ("input", "modified", {"same"})
    assert entries.keys() == {"company.employees", "notes", "tags"}
    assert (entries["company.employees"]["form"], entries["company.employees"]["delta"]) == ("number", "+24")
    assert [part for part in entries["notes"]["parts"] if part[0] != "same"] == [["removed", "next week"], ["added", "this month"]]
    assert entries["tags"]["parts"] == [["same", "eu"], ["added", "churn"]]
    assert eval(golden.widget.python, {"ws": golden.widget._ws})["key"] == row["key"]


@pytest.mark.parametrize(("at", "change", "side"), [(0, "removed", "before"), (4, "added", "after")])
def test_a_row_that_is_on_one_side_only_is_shown_whole_on_that_side(golden, at, change, side):
    # when
    golden.ask("show", at=at)

    # then
    (row,) = golden.events("row")
    entries = [entry for field in row["fields"] for entry in field["entries"]]
    assert {(entry["change"], entry[side] is None) for entry in entries} == {(change, False)}
    assert {entry["before" if side == "after" else "after"] for entry in entries} == {None}


def test_a_view_that_comes_later_finds_filter_and_row_as_they_are(golden):
    # given
    golden.ask("filter", filters={"change": "modified"})
    golden.ask("show", at=3)

    # when
    state = golden.ask("ready")["result"]
    golden.ask("shown")

    # then
    assert (state["filters"], state["total"], state["selected"], state["place"]) == ({"change": "modified"}, 3, 3, 2)
    assert [row["at"] for row in golden.events("row")] == [3, 3]


def test_pages_are_read_where_one_jumps_to(monkeypatch):
    with many(ROWS) as ws:
        # given
        wire = Wire.to(DiffViewer(ws, "many@v1", "many"), monkeypatch)
        state = wire.ask("ready")["result"]

        # when
        page = wire.ask("page", offset=ROWS - 50, filters={})["result"]

        # then
        assert (len(state["items"]), state["total"]) == (PAGE, ROWS)
        assert (len(page["items"]), page["items"][-1]["key"], page["items"][-1]["at"]) == (50, f"row-{ROWS - 1:07}", ROWS - 1)
        assert page["items"][0]["glimpses"][0] == ["score", "4,987.5", "4,988.5"]


def test_revisions_are_shown_by_frame_with_labels_that_belong_together(revisions, monkeypatch):
    # given
    ws, before, after = revisions
    wire = Wire.to(DiffViewer(ws, before, after.id), monkeypatch)

    # when
    state = wire.ask("ready")["result"]
    wire.ask("show", at=0)

    # then
    summary = state["summary"]
    assert (summary["counts"], summary["step"], summary["columns"]) == ([1, 1, 2], None, ["2 of 3 frames differ"])
    assert [side["title"] for side in summary["sides"]] == ["clip-1 revision 1", "clip-1 revision 2"]
    assert [(item["key"], item["labels"], item["glimpses"]) for item in state["items"]] == [
        ("frame 1", [1, 1, 2], []),
        ("frame 2", [0, 0, 0], [["flags", "none", "needs_human_review"]]),
    ]
    (row,) = wire.events("row")
    changed = {what: (change, name) for change, name, what, _ in row["frame"]["changed"]}
    assert changed == {
        "moved by 5.0 px": ("modified", "player"),
        "another class": ("modified", "player → goalkeeper"),
        "added": ("added", "ball"),
        "removed": ("removed", "player"),
    }
    assert (row["frame"]["width"], row["frame"]["height"], row["frame"]["problem"]) == (320, 180, None)
    assert wire.buffers[-2] == [ws.media.frame_bytes("clip-1", 0)[0]]
    assert wire.widget.selected == 0
    assert len(eval(wire.widget.python, {"ws": ws})) == 4


@pytest.mark.parametrize(
    ("filters", "frames"),
    [
        ({"change": "added"}, [0]),
        ({"label": "goalkeeper"}, [0]),
        ({"field": "flags"}, [1]),
        ({"change": "added", "label": "goalkeeper"}, []),
        ({"text": "HUMAN"}, [1]),
        ({"field": "geometry", "text": "play"}, [0]),
    ],
)
def test_frames_are_filtered_by_what_one_label_on_them_has(revisions, monkeypatch, filters, frames):
    wire = Wire.to(DiffViewer(*revisions), monkeypatch)
    wire.ask("filter", filters=filters)
    assert [item["key"] for item in wire.events("list")[-1]["items"]] == [f"frame {index + 1}" for index in frames]


def test_samples_of_built_datasets_are_shown_on_their_frame_and_a_picture_that_changed_is_said(tmp_path, monkeypatch):
    # given
    ws, first, second = rebuilt(tmp_path)
    with ws:
        wire = Wire.to(DiffViewer(ws, first, second), monkeypatch)
        summary = wire.ask("ready")["result"]["summary"]
        wire.ask("show", at=0)
        # when the picture's file is another one
        changed = ws.versions.commit("samples", second.to_polars().with_columns(sha256=pl.lit("0" * 64)), key="sample_key")
        asset = DiffViewer(ws, first, changed)._rows.detail(0).frame

        # then
        assert [side["title"] for side in summary["sides"]] == ["players v1", "players v2"]
        assert summary["groups"][0] == ["class", [["ball", 1, 0, 0], ["goalkeeper", 0, 0, 1], ["player", 0, 1, 1]]]
        frame = wire.events("row")[0]["frame"]
        assert (frame["media"], frame["index"], len(frame["changed"]), frame["problem"]) == ("clip-1", 0, 4, None)
        assert (asset.problem, asset.data) == ("SAMPLE_ASSET_CHANGED", None)


def test_what_cannot_be_compared_is_said_in_the_view_and_raised_in_python(monkeypatch):
    with examples() as ws:
        # given
        ws.versions.commit("others", pl.DataFrame({"id": [1]}), key="id")
        for refs, code in (((NAME, "golden/contact-teir"), "NOT_FOUND"), ((NAME, "others"), "KEY_CHANGED")):
            wire = Wire.to(DiffViewer(ws, *refs), monkeypatch)

            # when
            state = wire.ask("ready")["result"]

            # then
            assert (state["refused"]["code"], state["sides"]) == (code, list(refs))
            assert code in wire.widget.to_html()
            assert code in repr(wire.widget)
            with pytest.raises(LabelkitError) as refused:
                _ = wire.widget.value
            assert refused.value.code == code


def test_a_missing_object_is_said_and_compared_again_when_it_is_back(tmp_path, monkeypatch):
    with labelkit.open(tmp_path / "s.duckdb", workspace="club-a", user="ana") as ws:
        # given
        commits = [ws.versions.commit(NAME, [example(number)], key="example_id") for number in (1, 2)]
        (lost,) = {file for file in tmp_path.rglob("*.parquet") if b"ex_" + b"0" * 31 + b"2" in file.read_bytes()}
        away = lost.rename(tmp_path / "away")
        wire = Wire.to(DiffViewer(ws, *commits), monkeypatch)
        assert wire.ask("ready")["result"]["refused"]["code"] == "STORAGE_READ_FAILED"

        # when
        away.rename(lost)
        wire.ask("reload")

        # then
        assert wire.events("state")[-1]["summary"]["counts"] == [1, 1, 0]


def test_equal_versions_are_the_same_rows(monkeypatch):
    with examples() as ws:
        wire = Wire.to(DiffViewer(ws, NAME, NAME), monkeypatch)
        state = wire.ask("ready")["result"]
        assert (state["summary"]["same"], state["total"], state["items"]) == (True, 0, [])
        assert "The same rows." in wire.widget.to_html()
        assert wire.widget.describe().endswith("the same rows")


def test_the_page_without_a_kernel_has_summary_rows_and_words_escaped():
    with examples() as ws:
        # given
        ws.versions.commit("evil", [{"id": "<b>", "t": "a <script> word"}], key="id", message="<i>one</i>")
        ws.versions.tag("evil", "v1")
        ws.versions.commit("evil", [{"id": "<b>", "t": "a <style> word"}])

        # when
        viewer = DiffViewer(ws, f"{NAME}@v1", NAME)
        text, evil = viewer.to_html(limit=2), DiffViewer(ws, "evil@v1", "evil").to_html()

        # then
        assert "+1 added · −1 removed · ~3 modified" in text
        assert "Version step: <strong>major</strong>" in text
        assert re.search(r"<del[^>]*>next week</del> <ins[^>]*>this month</ins>", text)
        assert "3 more rows differ." in text
        assert not re.search(r"<(script|style|b|i)>", evil)
        assert re.search(r"&lt;</?\w*[^>]*>?.*script", evil)


def test_the_page_without_a_kernel_has_pictures_of_both_sides(revisions):
    text = DiffViewer(*revisions).to_html()
    assert len(set(re.findall(r'src="data:image/jpeg;base64,([^"]+)"', text))) == 2
    assert "<figcaption>Before</figcaption>" in text
    assert "player → goalkeeper: another class" in text


def test_an_unknown_argument_names_the_likely_one():
    with examples() as ws, pytest.raises(UnknownArgument, match="height"):
        DiffViewer(ws, NAME, NAME, hieght=3)


def test_a_cell_that_is_run_again_shows_one_viewer():
    with examples() as ws:
        first = DiffViewer(ws, NAME, NAME)
        second = DiffViewer(ws, NAME, NAME)
        assert (first.comm, second.comm is None) == (None, False)


def test_revisions_of_another_workspace_are_not_found(revisions):
    ws, before, after = revisions
    with labelkit.open(ws.path, workspace="club-b", user="ana") as other:
        assert "NOT_FOUND" in repr(DiffViewer(other, before, after))
        assert ws.review.history("clip-1", PLAYERS)[0].id == after.id


@pytest.mark.parametrize(
    ("before", "after", "entries"),
    [
        pytest.param(1, 2.5, [("", "modified", "number", "1", "2.5", "+1.5")], id="numbers"),
        pytest.param(True, False, [("", "modified", "plain", "true", "false", None)], id="truths are no numbers"),
        pytest.param(None, "x", [("", "modified", "plain", "null", "x", None)], id="nothing is null"),
        pytest.param(b"\x00\x01", b"\x02", [("", "modified", "plain", "2 bytes: 00 01", "1 bytes: 02", None)], id="bytes"),
        pytest.param(
            '{"a": {"b": 1}}',
            '{"a": {"c": 1}}',
            [("a.b", "removed", "plain", "1", None, None), ("a.c", "added", "plain", None, "1", None)],
            id="JSON",
        ),
        pytest.param('{"a": 1}', '{ "a": 1 }', [("", "same", "plain", None, '{"a": 1}', None)], id="JSON that says the same"),
        pytest.param("{no json}", "{none}", [("", "modified", "words", "{no json}", "{none}", None)], id="braces alone"),
        pytest.param(
            [{"id": "a", "x": 1}],
            [{"id": "b", "x": 1}, {"id": "a", "x": 2}],
            [("[a].x", "modified", "number", "1", "2", "+1"), ("[b]", "added", "plain", None, '{"x": 1}', None)],
            id="structs by id",
        ),
        pytest.param(
            [{"x": 1}, {"x": 1}],
            [{"x": 3}],
            [("[0].x", "modified", "number", "1", "3", "+2"), ("[1]", "removed", "plain", '{"x": 1}', None, None)],
            id="structs by place",
        ),
    ],
)
def test_a_value_is_compared_by_what_it_is(before, after, entries):
    told = diff_values.column("field", before, after)["entries"]
    assert [tuple(one[name] for name in ("path", "change", "form", "before", "after", "delta")) for one in told] == entries


def test_long_texts_are_shown_by_what_is_around_a_change():
    # given
    before = "word " * 15_000 + "old" + " tail" * 2_000

    # when
    (entry,) = diff_values.column("text", before, before.replace("old", "new"))["entries"]

    # then
    assert [edit for edit, _ in entry["parts"]] == ["same", "removed", "added", "same"]
    assert sum(len(text) for _, text in entry["parts"]) + len(entry["before"]) < 10_000
    assert "signs alike" in entry["parts"][0][1]
