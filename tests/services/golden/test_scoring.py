"""`ws.golden.score`, `explain` and `lift_plan`: what they return, that equal scores are kept once, and who may."""

from __future__ import annotations

import polars as pl
import pytest

import labelkit
from labelkit.core.golden.score_rules import ScorePolicy
from labelkit.core.golden.tiers import Tier
from labelkit.errors import LabelkitError
from labelkit.store.golden import scores as golden_scores


@pytest.fixture
def ws():
    with labelkit.open(":memory:", user="ana") as opened:
        yield opened


def contact(title: str, tier: str = "A", *, industry: str = "retail", reasoning: str = "", **labels: object) -> dict[str, object]:
    whole = {"title": title, "seniority": "executive", "department": "sales", "company_size": "small", "industry": industry}
    return {"input": whole, "expected_output": {"tier": tier, "reasoning": reasoning}, "labels": {"confidence": 0.9} | labels}


def ids(ws: labelkit.Workspace) -> dict[str, str]:
    """Ids by title and tier, such as `CTO A`."""
    rows = ws.golden.to_polars()
    names = rows.select(
        pl.col("input").str.json_path_match("$.title") + " " + pl.col("expected_output").str.json_path_match("$.tier")
    ).to_series()
    return dict(zip(names, rows["example_id"], strict=True))


def test_a_report_counts_tiers_means_and_reasons_and_prints_well(ws):
    # given examples of two types, one of them rejected by a reviewer
    ws.golden.add(
        "contact_tier", [contact("CTO", agreement=1.0), contact("CEO", "B"), contact("VP", "C"), contact("Clerk", "B", edge_case=True)]
    )
    ws.golden.add("lead_score", [{"input": {"fit_score": 80}, "expected_output": {"lead_score": 90}}])
    known = ids(ws)
    ws.golden.validate([known["CTO A"], known["CEO B"]])
    ws.golden.reject(known["VP C"], reason="no such tier any more")

    # when
    report = ws.golden.score()

    # then
    assert report.code == "SCORED"
    assert report.outcomes == {"contact_tier": "SCORED", "lead_score": "SCORED"}
    assert report.tiers.rows() == [("contact_tier", 1, 1, 1, 1, 4), ("lead_score", 0, 0, 0, 1, 1)]
    assert (report.examples, report.share("Silver"), report.share("bronze")) == (5, 0.4, 0.6)
    assert report.reasons.row(0)[:2] == ("AGREEMENT_UNKNOWN", 4)
    assert dict(report.reasons.select("code", "examples").iter_rows())["EDGE_CASE_UNDOCUMENTED"] == 1
    for part in ("completeness", "correctness", "clarity", "representativeness"):
        assert report.means.filter(type="contact_tier")[part].item() <= 40
    assert "contact_tier (SCORED): 1 gold, 1 silver, 1 bronze, 1 rejected" in repr(report)
    assert "<td>contact_tier</td><td>1</td>" in report._repr_html_()

    # and the frame of examples shows the newest scores
    tiers = ws.golden.to_polars(type="contact_tier").select("example_id", "tier")
    assert dict(tiers.iter_rows())[known["CTO A"]] == "gold"
    assert ws.golden.to_polars(tier="gold")["example_id"].to_list() == [known["CTO A"]]


def test_scoring_again_is_a_no_op_until_an_example_or_the_policy_changes(ws):
    # given
    ws.golden.add("contact_tier", [contact("CTO"), contact("CEO", "B")])
    first = ws.golden.score()

    # when nothing, an example, then the policy changes
    again = ws.golden.score(type="contact_tier")
    ws.golden.validate(ids(ws)["CTO A"])
    changed = ws.golden.score()
    own = ws.golden.score(policy={"version": "team-2"})
    back = ws.golden.score(policy=ScorePolicy(version="team-2"))

    # then
    assert [one.code for one in (first, again, changed, own, back)] == ["SCORED", "NO_OP_UNCHANGED", "SCORED", "SCORED", "NO_OP_UNCHANGED"]
    with ws._database.reading() as tx:
        kept = tx.rows("SELECT number, scores_object, scores_digest FROM golden_scorings ORDER BY number")
        (newest,) = golden_scores.newest(tx, ws.id)
    assert [row["number"] for row in kept] == [1, 2, 3]
    assert kept[1]["scores_digest"] == kept[2]["scores_digest"] != kept[0]["scores_digest"]
    assert (newest.number, newest.policy.version, newest.examples) == (3, "team-2", 2)


def test_a_collection_keeps_the_objects_of_scores(ws):
    # given
    ws.golden.add("contact_tier", [contact("CTO")])
    ws.golden.score()
    ws.golden.validate(ids(ws)["CTO A"])
    ws.golden.score()

    # when
    gone = ws.versions.gc(grace_s=0)

    # then both scorings are whole
    assert gone.objects == ()
    assert ws.check() == []
    assert ws.golden.explain(ids(ws)["CTO A"]).tier is Tier.SILVER


def test_an_explanation_names_parts_reasons_and_the_cheapest_way_up(ws):
    # given two contacts of the same title with other tiers, and an edge case without a word
    ws.golden.add("contact_tier", [contact("CTO", "A"), contact("cto ", "B"), contact("VP", "B", edge_case=True)])
    ws.golden.score()
    known = ids(ws)

    # when
    inconsistent, edge = ws.golden.explain(known["CTO A"]), ws.golden.explain(known["VP B"])

    # then
    assert sum(inconsistent.parts.values()) == pytest.approx(inconsistent.total)
    assert "INCONSISTENT_WITH_SIMILAR(1)" in [str(reason) for reason in inconsistent.reasons]
    assert {step.kind.value for step in inconsistent.steps} == {"validate", "settle", "ask_annotators"}
    assert "EDGE_CASE_UNDOCUMENTED" in [str(reason) for reason in edge.reasons]
    assert (edge.next_tier, [step.kind.value for step in edge.cheapest or ()]) == (Tier.SILVER, ["validate"])
    shown = repr(inconsistent)
    assert "to silver: " in shown
    assert "a similar example expects another" in shown
    assert "<th>correctness</th>" in inconsistent._repr_html_()

    # and doing what it says lifts as far as it says
    way = ws.golden.explain(known["VP B"]).steps[0]
    ws.golden.validate(known["VP B"])
    assert ws.golden.explain(known["VP B"]).is_stale
    ws.golden.score()
    after = ws.golden.explain(known["VP B"])
    assert not after.is_stale
    assert after.total == pytest.approx(edge.total + way.gain)


def test_a_plan_that_is_carried_out_reaches_the_share(ws):
    # given
    ws.golden.add("contact_tier", [contact(f"title {number}", "AB"[number % 2], industry=f"i{number % 3}") for number in range(20)])
    ws.golden.validate(ws.golden.to_polars()["example_id"].head(4))
    ws.golden.score()

    # when
    plan = ws.golden.lift_plan("silver")
    ws.golden.validate(plan.reviews)
    report = ws.golden.score()

    # then
    assert bool(plan)
    assert (plan.reached, plan.wanted, plan.after, plan.missing, plan.reviews.height) == (4, 16, 16, 0, 12)
    assert "12 reviews lift 12 examples, to 16" in repr(plan)
    assert report.share("silver") == 0.8
    assert "nothing to review" in repr(ws.golden.lift_plan("silver", type="contact_tier"))
    assert "<td>validate</td>" in plan._repr_html_()


def test_a_plan_says_what_is_missing_where_review_cannot_reach_the_share(ws):
    # given
    ws.golden.add("contact_tier", [contact(f"title {number}") for number in range(3)])
    ws.golden.score()

    # when
    plan = ws.golden.lift_plan("gold", share=1)

    # then
    assert not plan
    assert plan.missing == 3
    assert "3 × it is not known whether annotators agree (AGREEMENT_UNKNOWN)" in repr(plan)


def test_label_quality_of_a_model_is_one_more_input(ws):
    # given
    ws.golden.add("contact_tier", [contact("CTO"), contact("CEO", "B")])
    known = ids(ws)
    plain = ws.golden.score()

    # when a model doubts one of them
    judged = ws.golden.score(label_quality=pl.DataFrame({"example_id": [known["CTO A"], "ex_elsewhere"], "quality": [0.05, 1]}))

    # then
    assert (plain.code, judged.code) == ("SCORED", "SCORED")
    codes = [str(reason) for reason in ws.golden.explain(known["CTO A"]).reasons]
    assert "LABEL_ISSUE_LIKELY" in codes
    assert judged.means["correctness"].item() < plain.means["correctness"].item()


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        pytest.param({"example_id": ["a"], "score": [1]}, "its columns are example_id, score", id="other columns"),
        pytest.param({"example_id": ["a"], "quality": ["good"]}, "no number", id="text"),
        pytest.param({"example_id": ["a", "b"], "quality": [0.5, 1.5]}, "1 rows have no quality", id="above one"),
        pytest.param({"example_id": ["a"], "quality": [float("nan")]}, "1 rows have no quality", id="not a number"),
        pytest.param({"example_id": ["a", "a"], "quality": [0.5, 0.5]}, "more than once", id="twice"),
    ],
)
def test_label_quality_that_is_none_is_refused(ws, given, reason):
    with pytest.raises(LabelkitError, match=reason) as refused:
        ws.golden.score(label_quality=pl.DataFrame(given))
    assert refused.value.code == "INVALID_VALUE"


@pytest.mark.parametrize(
    ("call", "code"),
    [
        pytest.param(lambda ws, _: ws.golden.score(type="nothing"), "NOT_FOUND", id="unknown type"),
        pytest.param(lambda ws, _: ws.golden.explain("ex_0"), "NOT_FOUND", id="unknown example"),
        pytest.param(lambda ws, known: ws.golden.explain(known), "EXAMPLES_NOT_SCORED", id="explain before scoring"),
        pytest.param(lambda ws, _: ws.golden.lift_plan("gold"), "EXAMPLES_NOT_SCORED", id="plan before scoring"),
        pytest.param(lambda ws, _: ws.golden.lift_plan("platinum"), "INVALID_VALUE", id="unknown tier"),
        pytest.param(lambda ws, _: ws.golden.lift_plan("gold", share=80), "INVALID_VALUE", id="percent"),
        pytest.param(lambda ws, _: ws.golden.score(policy={"types": {"x": {"answer": "tier"}}}), "INVALID_VALUE", id="no path"),
    ],
)
def test_what_cannot_be_is_refused_with_its_code(ws, call, code):
    # given an example that was not scored
    ws.golden.add("contact_tier", [contact("CTO")])

    # then
    with pytest.raises(LabelkitError) as refused:
        call(ws, ids(ws)["CTO A"])
    assert refused.value.code == code


def test_a_store_without_examples_has_nothing_to_score(ws):
    report = ws.golden.score()
    assert (report.code, report.examples, report.share("gold")) == ("NOTHING_TO_SCORE", 0, 0.0)
    assert ws.golden.score(type="contact_tier").outcomes == {}


def test_a_viewer_reads_scores_and_may_not_make_them(tmp_path):
    # given
    with labelkit.open(tmp_path / "labels.duckdb", user="ana") as owner:
        owner.golden.add("contact_tier", [contact("CTO")])
        owner.golden.score()
        owner.set_role("vic", "viewer")
        known = ids(owner)["CTO A"]

        # when
        with labelkit.open(tmp_path / "labels.duckdb", user="vic") as viewer:
            explained = viewer.golden.explain(known)
            with pytest.raises(LabelkitError) as refused:
                viewer.golden.score()

        # then
        assert explained.example_id == known
        assert refused.value.code == "PERMISSION_DENIED"
        denied = owner.audit(subject="scores:*").row(0, named=True)
        assert (denied["actor"], denied["allowed"], denied["code"]) == ("vic", False, "PERMISSION_DENIED")
