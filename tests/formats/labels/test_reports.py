"""What became of every record: counted while the chunks pass, the first of each kind listed."""

from __future__ import annotations

import polars as pl
import pytest

from labelkit.formats.labels import reports
from labelkit.formats.labels.reports import Tally
from labelkit.formats.labels.rows import NOTES, REFUSED, ROWS, Chunk, NoteCode, RefusedCode


def chunk(kept: int, refused: list[tuple[str, int | None, str, str | None]], notes: list[str]) -> Chunk:
    return Chunk(
        pl.DataFrame({"frame_index": [0] * kept}, schema_overrides=ROWS).with_columns(
            pl.lit(None, kind).alias(name) for name, kind in ROWS.items() if name != "frame_index"
        ),
        pl.DataFrame(refused, schema=REFUSED, orient="row"),
        pl.DataFrame([(0, "f", 1, code, None) for code in notes], schema=NOTES, orient="row"),
    )


def passed(*chunks: Chunk) -> Tally:
    tally = Tally()
    assert [rows.height for rows in tally.rows(chunks)] == [one.rows.height for one in chunks]
    return tally


def test_counts_are_those_of_all_chunks():
    # when
    first = chunk(2, [("b", 3, "LABEL_TOO_SMALL", "x")], ["KEPT_NOT_EDITABLE"])
    report = passed(first, chunk(0, [], []), chunk(1, [("a", 1, "LABEL_MALFORMED", None)] * 2, ["TINY"])).report()

    # then
    assert (report.read, report.kept, report.refused_count, report.not_editable_count) == (6, 3, 3, 1)
    assert report.refused_by_code == {"LABEL_MALFORMED": 2, "LABEL_TOO_SMALL": 1}
    assert report.notes_by_code == {"KEPT_NOT_EDITABLE": 1, "TINY": 1}
    assert report.refused["file"].to_list() == ["b", "a", "a"]
    assert report.summary == "6 read, 3 kept (1 with more than can be edited here), 3 refused"
    assert report.reasons == "LABEL_MALFORMED (2), LABEL_TOO_SMALL (1); the first is b line 3: x"


def test_no_more_than_a_few_are_listed_however_many_there_are(monkeypatch):
    monkeypatch.setattr(reports, "LISTED", 5)
    report = passed(*[chunk(0, [("a", line, "LABEL_MALFORMED", "x") for line in range(3)], ["TINY"] * 3)] * 4).report()
    assert (report.refused.height, report.notes.height) == (5, 5)
    assert (report.refused_by_code, report.notes_by_code) == ({"LABEL_MALFORMED": 12}, {"TINY": 12})


def test_a_report_of_nothing_says_so():
    report = passed().report()
    assert repr(report) == "<ImportReport: 0 read, 0 kept, 0 refused>"
    assert report._repr_html_() == "<p><b>0 read, 0 kept, 0 refused</b></p>"
    assert report.reasons == "nothing was refused"


def test_a_report_is_read_from_top_to_bottom():
    report = passed(chunk(1, [("a.txt", None, "LABEL_NO_IMAGE", "no frame is named as a.txt")], [])).report()
    assert repr(report).splitlines() == [
        "<ImportReport: 2 read, 1 kept, 1 refused>",
        "  code            count  what it means",
        "  LABEL_NO_IMAGE      1  The media has no frame of that name.",
        "  file   line  code            detail",
        "  a.txt        LABEL_NO_IMAGE  no frame is named as a.txt",
    ]


@pytest.mark.parametrize("code", [*RefusedCode, *NoteCode])
def test_every_code_has_a_sentence(code):
    assert code.sentence.endswith(".")
