"""`ws.golden.label_quality`: cleanlab's word about each label, and how the score takes it."""

from __future__ import annotations

import sys
from importlib.util import find_spec

import polars as pl
import pytest

import labelkit
from labelkit.errors import LabelkitError
from tests import needs

TIERS = ("A", "B", "C")


@pytest.fixture
def ws():
    needs.need(find_spec("cleanlab"), "cleanlab is not installed; `pip install 'labelkit[ml]'` does it.")
    with labelkit.open(":memory:", user="ana") as opened:
        rows = [{"input": {"title": f"title {number}"}, "expected_output": {"tier": TIERS[number % 3]}} for number in range(30)]
        opened.golden.add("contact_tier", rows)
        yield opened


def probabilities(ws: labelkit.Workspace, *, doubted: int = 1) -> pl.DataFrame:
    """A model that is sure of every class but that of the first `doubted` examples, where it is sure of another one."""
    rows = ws.golden.to_polars("contact_tier").select("example_id", tier=pl.col("expected_output").str.json_path_match("$.tier"))
    given = [TIERS[(TIERS.index(tier) + (place < doubted)) % 3] for place, tier in enumerate(rows["tier"])]
    columns = {name: [0.9 if tier == name else 0.05 for tier in given] for name in TIERS}
    return pl.DataFrame({"example_id": rows["example_id"], **columns})


def test_the_label_that_a_model_doubts_has_the_least_quality_and_fewer_points(ws):
    # given
    known = probabilities(ws)
    doubted = known["example_id"][0]
    # when
    quality = ws.golden.label_quality("contact_tier", known)
    ws.golden.score(label_quality=quality)
    # then
    assert quality.columns == ["example_id", "quality"]
    assert quality["example_id"].to_list() == known["example_id"].to_list()
    assert quality.sort("quality")["example_id"][0] == doubted
    assert quality.filter(pl.col("example_id") != doubted)["quality"].min() > quality.filter(example_id=doubted)["quality"].item()
    assert "LABEL_ISSUE_LIKELY" in [reason.code for reason in ws.golden.explain(doubted).reasons]
    scores = ws.golden.to_polars("contact_tier").sort("quality_score")
    assert scores["example_id"][0] == doubted


def test_the_numbers_are_those_of_the_library(ws):
    # given
    from cleanlab.rank import get_label_quality_scores

    known = probabilities(ws, doubted=4)
    tiers = known.join(ws.golden.to_polars(), on="example_id", maintain_order="left")["expected_output"].str.json_path_match("$.tier")
    numbers = [TIERS.index(tier) for tier in tiers]
    # then
    found = ws.golden.label_quality("contact_tier", known.select("example_id", *TIERS))["quality"]
    theirs = get_label_quality_scores(pl.Series(numbers).to_numpy(), known.select(TIERS).to_numpy(), adjust_pred_probs=True)
    assert found.to_list() == pytest.approx(theirs.clip(0, 1).tolist())


WRONG = {
    "no classes": (lambda rows: rows.select("example_id"), "its columns are example_id"),
    "no ids": (lambda rows: rows.drop("example_id"), "its columns are A, B, C"),
    "text": (lambda rows: rows.with_columns(A=pl.lit("much")), "no number"),
    "a sum of 2": (lambda rows: rows.with_columns(pl.col("A") + 1), "with a sum of 1"),
    "not a number": (lambda rows: rows.with_columns(A=pl.lit(float("nan"))), "with a sum of 1"),
    "twice": (lambda rows: pl.concat([rows, rows]), "more than once"),
    "an unknown example": (lambda rows: rows.with_columns(pl.format("{}0", "example_id").alias("example_id")), "there is no example"),
    "a class without a column": (lambda rows: rows.rename({"C": "D"}), "the class of"),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_cannot_be_judged_is_refused_by_name(ws, name):
    # given
    change, reason = WRONG[name]
    # then
    with pytest.raises(LabelkitError, match="INVALID_VALUE") as refused:
        ws.golden.label_quality("contact_tier", change(probabilities(ws)))
    assert reason in refused.value.detail


def test_a_field_that_is_no_output_is_no_class(ws):
    with pytest.raises(LabelkitError, match="is no field of the expected output"):
        ws.golden.label_quality("contact_tier", probabilities(ws), answer="input.title")


def test_without_the_library_the_refusal_says_how_to_get_it(ws, monkeypatch):
    # given
    monkeypatch.setitem(sys.modules, "cleanlab.rank", None)
    # then
    with pytest.raises(LabelkitError, match="LABEL_QUALITY_SUPPORT_MISSING") as refused:
        ws.golden.label_quality("contact_tier", probabilities(ws))
    assert "labelkit[ml]" in refused.value.hint
