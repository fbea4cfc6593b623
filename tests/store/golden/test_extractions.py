"""Where candidates end among the examples that are there, and the record of runs."""

from __future__ import annotations

import polars as pl
import pytest

from labelkit.core.golden.pipeline import Place, Tally
from labelkit.core.golden.types import SHIPPED
from labelkit.store.golden.examples import BATCH
from labelkit.store.golden.extractions import CANDIDATES, ExtractionRow, new_extraction_id

KIND = SHIPPED["lead_score"]


def batch(*examples: tuple[str, str | None]) -> pl.DataFrame:
    rows = [(n, one, "{}", '{"lead_score":1}', "{}", decision, one) for n, (one, decision) in enumerate(examples)]
    return pl.DataFrame(rows, schema=BATCH, orient="row")


def extraction(plan: str, watermark: str | None) -> ExtractionRow:
    tally = Tally(2, {Place.NEW: 1, Place.FILTERED: 1}, {"sure": 1})
    return ExtractionRow(new_extraction_id(), "lead_score", 1, "csv", "/d.csv", plan, "m", "f", None, tally, "at", watermark)


@pytest.fixture
def candidates(tmp_path):
    def write(*rows: tuple[str | None, str]) -> str:
        frame = pl.DataFrame([(n, *row, "{}") for n, row in enumerate(rows, start=1)], schema=CANDIDATES, orient="row")
        frame.write_parquet(tmp_path / "candidates.parquet")
        return tmp_path / "candidates.parquet"

    return write


def test_candidates_find_their_places(db, candidates, tmp_path):
    # given an example of d1, and one whose decision d2 is linked
    pl.DataFrame({"decision_id": ["d2", "d1"], "example_id": ["b", "a"]}).write_parquet(tmp_path / "links.parquet")
    with db.transaction() as tx:
        tx.golden.add("w", KIND, batch(("a", "d1"), ("b", None)), "ana")
        for _ in range(2):
            tx.extractions.link("w", "lead_score", "ext_1", tmp_path / "links.parquet")
        assert tx.rows("SELECT decision_id, example_id FROM extraction_links") == [{"decision_id": "d2", "example_id": "b"}]

    # when
    file = candidates(
        ("d1", "a"), ("d1", "c"), ("d2", "d"), ("d3", "e"), ("d4", "e"), ("d5", "f"), ("d5", "g"), ("d6", "g"), (None, "h"), (None, "h")
    )
    with db.reading() as tx:
        found = tx.extractions.placed("w", "lead_score", file)
        elsewhere = tx.extractions.placed("other", "lead_score", file)

    # then
    assert found["place"].to_list() == [
        "present", "changed", "changed", "new", "duplicate", "refused", "refused", "new", "new", "duplicate",
    ]  # fmt: skip
    assert found["same_as"].to_list()[4] == 4
    assert found["before"].to_list()[1:3] == ["a", "b"]
    assert elsewhere["place"].to_list()[:3] == ["refused", "refused", "new"]


def test_runs_are_listed_newest_first_and_know_how_far_they_looked(db):
    # given
    rows = [extraction("p", "1"), extraction("p", "2"), extraction("q", None)]
    with db.transaction() as tx:
        for row in rows:
            tx.extractions.add("w", row, "ana")

    # then
    with db.reading() as tx:
        assert [tx.extractions.watermark("w", plan) for plan in ("p", "q")] == ["2", None]
        assert tx.extractions.watermark("other", "p") is None
        listed = tx.extractions.listed("w")
        assert tx.extractions.listed("w", "contact_tier").is_empty()
    assert listed["id"].to_list() == [row.id for row in reversed(rows)]
    assert listed.row(0, named=True) | {"id": "", "created_at": None} == {
        "id": "", "type": "lead_score", "source_kind": "csv", "source": "/d.csv", "read": 2, "new": 1, "changed": 0, "present": 0,
        "duplicate": 0, "filtered": 1, "refused": 0, "quality_threshold": None, "since": "at", "watermark": None, "mapping_digest": "m",
        "created_at": None, "created_by": "ana",
    }  # fmt: skip
