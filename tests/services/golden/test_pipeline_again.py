"""Pipelines that run again: only new decisions are taken, changed ones are reported, time is looked at once, secrets are kept nowhere."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta

import fsspec
import polars as pl
import pytest

import labelkit
from labelkit import LabelkitError
from labelkit.store.golden.extractions import ExtractionRows
from tests.services.worlds import refused, tables, trail

MAPPING = {"input": {"fit_score": "fit", "company_quality": "grade"}, "expected_output.lead_score": "score"}
START = datetime(2026, 1, 1, tzinfo=UTC)


def rows(*decisions: tuple[str, float, str, int]) -> pl.DataFrame:
    return pl.DataFrame(list(decisions), schema=["id", "fit", "grade", "score"], orient="row").with_columns(
        decided=pl.lit(START) + pl.duration(days=pl.int_range(pl.len()))
    )


FIRST = rows(("d1", 1.0, "high", 10), ("d2", 2.0, "low", 20), ("d3", 3.0, "low", 30))


@pytest.fixture
def ws(memory):
    return memory


def run(ws, source, **options):
    return ws.golden.pipeline(source, "lead_score", MAPPING, **{"decision_id": "id"} | options).extract()


def places(report) -> dict[str, str]:
    return dict(report.rows.select("decision_id", "place").iter_rows())


def test_a_second_run_adds_nothing(ws):
    # given
    first = run(ws, FIRST)
    before = tables(ws, but=("audit", "extractions"))

    # when
    second = run(ws, FIRST.reverse())

    # then
    assert (first.kept, second.kept, second.present) == (3, 0, 3)
    assert tables(ws, but=("audit", "extractions")) == before
    assert ws.golden.extractions().select("id", "new", "present").rows() == [(second.id, 0, 3), (first.id, 3, 0)]


def test_a_decision_whose_content_stays_below_the_threshold_was_not_taken_whichever_row_says_it_first(ws):
    # given two decisions of one content that does not reach the threshold
    twice = rows(("d1", 1.0, "high", 10), ("d2", 1.0, "high", 10))
    refused_first = run(ws, twice, quality_threshold=99)

    # when one of them says something else later
    later = run(ws, rows(("d2", 4.0, "low", 40)))

    # then it was never taken before, so nothing changed
    assert places(refused_first) == {"d1": "refused", "d2": "refused"}
    assert refused_first.rows["code"].to_list() == ["BELOW_THRESHOLD"] * 2
    assert (refused_first.kept, places(later)) == (0, {"d2": "new"})


def test_a_changed_decision_is_another_example_of_the_same_decision_and_is_said(ws):
    # given
    first = run(ws, FIRST)

    # when d2 says something else, and d4 is new
    report = run(ws, rows(("d1", 1.0, "high", 10), ("d2", 2.0, "low", 25), ("d3", 3.0, "low", 30), ("d4", 4.0, "mid", 40)))

    # then
    assert places(report) == {"d1": "present", "d2": "changed", "d3": "present", "d4": "new"}
    assert report.changed["sentence"].to_list() == [f"the decision was taken before as {first.example_ids[1]} and says something else now"]
    assert ws.golden.to_polars().filter(source_decision_id="d2").height == 2
    assert run(ws, FIRST).kept == 0


def test_a_decision_whose_content_another_one_brought_is_remembered(ws):
    # given two decisions with one content: the example names the first
    first = run(ws, rows(("d1", 1.0, "high", 10), ("d2", 1.0, "high", 10)))
    assert places(first) == {"d1": "new", "d2": "duplicate"}

    # then the second one is known all the same when it changes
    assert places(run(ws, rows(("d1", 1.0, "high", 10), ("d2", 1.0, "high", 99)))) == {"d1": "present", "d2": "changed"}


def test_content_that_was_added_by_hand_is_present_and_keeps_its_labels(ws):
    # given
    ws.golden.add("lead_score", [{"input": {"fit_score": 1, "company_quality": "high"}, "expected_output": {"lead_score": 10}}])
    labelled = FIRST.with_columns(sure=0.5)

    # when
    report = ws.golden.pipeline(labelled, "lead_score", MAPPING | {"labels.confidence": "sure"}, decision_id="id").extract()

    # then
    assert places(report) == {"d1": "present", "d2": "new", "d3": "new"}
    assert report.rows.row(0, named=True)["code"] == "OTHER_LABELS"
    assert places(run(ws, rows(("d1", 1.0, "high", 11)))) == {"d1": "changed"}


def test_a_decision_with_two_contents_in_one_source_is_not_guessed(ws):
    # given
    torn = rows(("d1", 1.0, "high", 10), ("d1", 1.0, "high", 11), ("d2", 1.0, "high", 11), ("d3", 3.0, "low", 30))

    # when
    report = run(ws, torn)

    # then the other decision with that content is taken
    assert report.rows["place"].to_list() == ["refused", "refused", "new", "new"]
    assert report.tally.reasons == {"CONFLICTING_DECISION": 2}

    # and what is there already is no conflict: the log of a decision may hold its old content
    log = rows(("d3", 3.0, "low", 30), ("d3", 3.0, "low", 31))
    assert run(ws, log).rows["place"].to_list() == ["present", "changed"]


def test_without_ids_the_content_alone_tells(ws):
    assert run(ws, FIRST, decision_id=None).kept == 3
    assert run(ws, FIRST, decision_id=None).kept == 0
    assert ws.golden.to_polars()["source_decision_id"].null_count() == 3


# --- since


@pytest.mark.parametrize(
    ("since", "suffix"),
    [
        pytest.param("decided", "parquet", id="times"),
        pytest.param("score", "parquet", id="numbers"),
        pytest.param({"column": "decided", "cast": "datetime"}, "csv", id="times of a CSV"),
        pytest.param({"column": "score", "cast": "integer"}, "csv", id="numbers of a CSV"),
        pytest.param({"column": "decided", "cast": "text"}, "csv", id="text of a CSV"),
        pytest.param("decided", "jsonl", id="times of JSON Lines"),
    ],
)
def test_a_later_run_leaves_out_what_was_looked_at(ws, tmp_path, since, suffix):
    # given
    file = tmp_path / f"decisions.{suffix}"

    def write(frame: pl.DataFrame) -> None:
        getattr(frame, {"parquet": "write_parquet", "csv": "write_csv", "jsonl": "write_ndjson"}[suffix])(file)

    if suffix == "jsonl":
        since = {"column": "decided", "cast": "datetime"}
    write(FIRST)
    first = run(ws, file, since=since)

    # when one more comes, and an old one changes behind the watermark
    more = rows(("d1", 9.0, "high", 10), ("d2", 2.0, "low", 20), ("d3", 3.0, "low", 30), ("d4", 4.0, "mid", 40))
    write(more)
    second = run(ws, file, since=since)

    # then what lies before it is counted, what lies at it is looked at again
    assert places(second) == {"d1": "filtered", "d2": "filtered", "d3": "present", "d4": "new"}
    assert second.tally.filters == {"since": 2}
    assert first.watermark != second.watermark
    assert ws.golden.extractions()["watermark"].to_list() == [second.watermark, first.watermark]

    # and another pipeline over the source starts from the beginning
    other = run(ws, file, since=since, filters={"grade": ["high", "low", "mid"]})
    assert places(other) == {"d1": "changed", "d2": "present", "d3": "present", "d4": "present"}


def test_rows_without_a_time_are_always_looked_at(ws):
    # given
    run(ws, FIRST, since="decided", source_name="log")

    # when
    timeless = FIRST.with_columns(decided=pl.lit(None, FIRST.schema["decided"]), score=pl.col("score") + 1)
    report = run(ws, timeless, since="decided", source_name="log")

    # then
    assert set(places(report).values()) == {"changed"}
    assert report.watermark is not None


def test_an_empty_source_is_no_trouble(ws):
    # given
    run(ws, FIRST, since="decided", source_name="log")

    # then the watermark stays
    report = run(ws, FIRST.clear(), since="decided", source_name="log")
    assert (report.read, report.kept, report.watermark) == (0, 0, ws.golden.extractions()["watermark"][1])
    assert run(ws, FIRST.clear(), quality_threshold=50).read == 0


# --- whole or not at all


def test_an_extraction_that_fails_at_its_end_leaves_nothing(ws, monkeypatch):
    # given a store that fails when all examples are written
    def fail(*_: object) -> None:
        raise LabelkitError(reason="the disk is full")

    before = tables(ws)
    monkeypatch.setattr(ExtractionRows, "add", fail)

    # then
    assert refused(lambda: run(ws, FIRST)) == "LABELKIT_ERROR"
    assert tables(ws) == before
    assert trail(ws, "code", "allowed")[-1] == ("LABELKIT_ERROR", False)
    monkeypatch.undo()
    assert run(ws, FIRST).kept == 3


def test_two_at_once_add_nothing_twice(tmp_path):
    # given
    path = tmp_path / "labels.duckdb"
    many = pl.DataFrame({"id": [f"d{n}" for n in range(400)], "fit": [n % 100 + 0.5 for n in range(400)]}).with_columns(
        grade=pl.lit("high"), score=pl.int_range(pl.len()) % 97
    )
    reports = []
    gate = threading.Barrier(3)

    def work(part: pl.DataFrame) -> None:
        with labelkit.open(path, user="ana", deadline_s=60) as ws:
            gate.wait(30)
            reports.append(run(ws, part))

    # when
    with labelkit.open(path, user="ana") as ws:
        threads = [threading.Thread(target=work, args=(part,)) for part in (many, many.head(300), many.tail(300))]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(120)

        # then
        kept = [one for report in reports for one in report.example_ids]
        assert len(reports) == 3
        assert sorted(kept) == sorted(set(kept)) == sorted(ws.golden.to_polars()["example_id"])
        assert len(kept) == 400


def test_a_type_that_was_registered_anew_is_not_written_behind_its_back(ws):
    # given
    schemas = {part: ws.golden.types.get("lead_score").schema(part) for part in ("input", "expected_output", "labels")}
    pipeline = ws.golden.pipeline(FIRST, "lead_score", MAPPING, decision_id="id")
    ws.golden.types.register("lead_score", **schemas | {"labels": {}})

    # then
    assert refused(pipeline.extract) == "EXAMPLE_TYPE_CONFLICT"
    assert ws.golden.to_polars().is_empty()


# --- what is kept of a source


def test_the_record_of_a_run_holds_no_secret(ws, tmp_path):
    # given
    FIRST.write_parquet(tmp_path / "d.parquet")
    fsspec.filesystem("memory").pipe_file("/secrets/d.parquet", (tmp_path / "d.parquet").read_bytes())

    # when
    report = run(ws, "memory://secrets/d.parquet", storage_options={"key": "sekrit-key-1"})

    # then
    kept = str(tables(ws, but=())) + repr(report) + report._repr_html_()
    assert "sekrit-key-1" not in kept
    assert ws.golden.extractions().row(0, named=True)["source"] == "memory://secrets/d.parquet"


def test_reports_and_previews_print_well(ws):
    # given
    run(ws, FIRST)
    pipeline = ws.golden.pipeline(
        rows(("d1", 1.0, "high", 10), ("d2", 2.0, "<b>", 21), ("d3", 500.0, "low", 3), ("d9", 9.0, "x", 9)),
        "lead_score",
        MAPPING,
        decision_id="id",
        filters={"score": {"max": 30}},
    )

    # then
    assert repr(pipeline).splitlines()[0] == "<Pipeline to lead_score version 1; look with .preview(), run with .extract()>"
    preview = pipeline.preview()
    assert "2 of 4 rows would become examples; nothing was written" in repr(preview)
    assert "row 3 d3: the type does not take input.fit_score" in repr(preview)
    assert "<b>" not in preview._repr_html_().replace("<b>Preview", "")
    report = pipeline.extract()
    assert repr(report).startswith("Extracted 2 examples of lead_score from 4 rows, 1 of them from decisions that changed (ext_")
    assert "<table>" in report._repr_html_()
    assert timedelta(0) < datetime.now(UTC) - ws.golden.extractions("lead_score")["created_at"][0] < timedelta(minutes=5)
