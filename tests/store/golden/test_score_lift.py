"""The plan of reviews against every set of reviews: no smaller one brings as many examples to the tier."""

from __future__ import annotations

from itertools import combinations
from math import ceil
from typing import TYPE_CHECKING

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from labelkit.core.golden.examples import Status
from labelkit.core.golden.json_texts import canonical_text
from labelkit.core.golden.score_rules import ScorePolicy, of_type
from labelkit.core.golden.scoring import scored
from labelkit.core.golden.tiers import Tier
from labelkit.core.golden.types import SHIPPED
from labelkit.store.database import Database
from labelkit.store.golden.score_lift import Lift, lift
from labelkit.store.golden.scoring import score_to
from tests.store import golden_oracle

if TYPE_CHECKING:
    from pathlib import Path

KIND = SHIPPED["contact_tier"]
RULES = {KIND.name: of_type(KIND.name, KIND.input, KIND.expected_output, KIND.labels)}
WHOLE = {"seniority": "executive", "department": "sales", "company_size": "small", "industry": "retail"}


@pytest.fixture(scope="module")
def db():
    with Database.open(":memory:", user="ana") as opened:
        yield opened


def example(number: int, title: str, tier: str, *, status: str = "pending", fields: int = 4, **labels: object) -> dict[str, object]:
    input_ = {"title": title} | dict(list(WHOLE.items())[:fields])
    texts = {"input": input_, "expected_output": {"tier": tier, "x": number}, "labels": labels}
    return {"example_id": f"ex_{number:032x}", "type": KIND.name, "status": status, "version": 1} | {
        name: canonical_text(value) for name, value in texts.items()
    }


def planned(db: Database, folder: Path, rows: list[dict[str, object]], tier: Tier, share: float) -> Lift:
    schema = dict.fromkeys(("example_id", "type", "status", "input", "expected_output", "labels"), pl.String()) | {"version": pl.Int32()}
    pl.DataFrame(rows, schema=schema).write_parquet(folder / "examples.parquet")
    score_to(db, folder / "scores.parquet", folder / "examples.parquet", ScorePolicy(types=RULES))
    return lift(db, [db.objects.put_file(folder / "scores.parquet")], tier, share)


def reached(rows: list[dict[str, object]], reviewed: frozenset[str], tier: Tier) -> int:
    """How many examples are at the tier once some were reviewed: one after the other, as the plan says what a review does."""
    known = golden_oracle.scores(rows, RULES)
    live = [row for row in rows if row["status"] != "rejected"]
    settled = {golden_oracle.near(row, RULES[KIND.name]) for row in live if row["example_id"] in reviewed}
    count = 0
    for row in live:
        facts = known[row["example_id"]][0]
        if golden_oracle.near(row, RULES[KIND.name]) in settled:
            facts = facts.settled
        if row["example_id"] in reviewed:
            facts = facts.reviewed
        count += scored(facts, RULES[KIND.name]).hundredths >= tier.least
    return count


EXAMPLE = st.fixed_dictionaries(
    {
        "title": st.sampled_from(["CTO", "cto ", "CEO", "VP"]),
        "tier": st.sampled_from("AB"),
        "status": st.sampled_from([*Status, Status.PENDING]).map(str),
        "fields": st.sampled_from([4, 4, 4, 1]),
    },
    optional={
        "agreement": st.sampled_from([0.0, 0.5, 0.7, 1.0]),
        "confidence": st.sampled_from([0.1, 0.5, 0.7, 1.0]),
        "edge_case": st.booleans(),
    },
)


@settings(max_examples=25)
@given(
    st.lists(EXAMPLE, min_size=1, max_size=8),
    st.sampled_from([Tier.GOLD, Tier.SILVER, Tier.BRONZE]),
    st.sampled_from([0.01, 0.3, 0.5, 0.8, 1.0]),
)
def test_no_smaller_set_of_reviews_reaches_the_share(db, tmp_path_factory, given_rows, tier, share):
    # given
    rows = [example(number, **row) for number, row in enumerate(given_rows)]
    live = [row["example_id"] for row in rows if row["status"] != "rejected"]

    # when
    plan = planned(db, tmp_path_factory.mktemp("lift"), rows, tier, share)

    # then the plan comes to what it says
    chosen = plan.reviews["example_id"].to_list()
    assert (plan.examples, plan.wanted) == (len(live), ceil(share * len(live)))
    assert plan.reached == reached(rows, frozenset(), tier)
    assert plan.after == reached(rows, frozenset(chosen), tier)
    for number in range(len(chosen)):
        assert plan.reviews["lifted"][number] == reached(rows, frozenset(chosen[: number + 1]), tier) - plan.reached

    # and no smaller set does, or where the share is out of reach, no set does better
    smaller = [reached(rows, frozenset(some), tier) for number in range(len(chosen)) for some in combinations(live, number)]
    if plan.after >= plan.wanted:
        assert max(smaller, default=-1) < plan.wanted or not chosen
        assert plan.lacks.is_empty()
    else:
        assert plan.after == reached(rows, frozenset(live), tier)
        assert max(smaller, default=plan.after) <= plan.after


def test_one_review_that_settles_a_conflict_lifts_its_peers_and_comes_first(db, tmp_path):
    # given three validated examples, just below Silver for one that says otherwise, and one alone that needs a review
    peers = [example(number, "CTO", "A", status="validated", confidence=0.1, agreement=0.0) for number in range(3)]
    rows = [*peers, example(3, "cto", "B", confidence=0.1), example(4, "CEO", "B", agreement=1.0, confidence=0.2)]
    before = golden_oracle.scores(rows, RULES)
    assert [before[row["example_id"]][1].tier for row in rows[:3]] == [Tier.BRONZE] * 3

    # when
    plan = planned(db, tmp_path, rows, Tier.SILVER, 1.0)

    # then
    assert plan.reviews["lifts"].to_list()[0] >= 3
    assert "settle" in plan.reviews["review"].to_list()[0]
    assert plan.after == reached(rows, frozenset(plan.reviews["example_id"]), Tier.SILVER)


def test_what_review_cannot_give_is_named(db, tmp_path):
    # given examples without most fields, which no review fills
    rows = [example(number, f"title {number}", "A", fields=0, confidence=0.9) for number in range(4)]

    # when
    plan = planned(db, tmp_path, rows, Tier.GOLD, 0.5)

    # then
    assert (plan.after, plan.wanted, plan.reviews.height) == (0, 2, 0)
    assert plan.lacks.rows()[:2] == [("AGREEMENT_UNKNOWN", 4), ("CLASSES_UNBALANCED", 4)]
    assert ("REQUIRED_FIELD_MISSING", 4) in plan.lacks.rows()


def test_nothing_is_planned_where_the_share_is_reached_or_there_is_no_example(db, tmp_path):
    # given
    rows = [example(0, "CTO", "A", status="validated", confidence=1.0, agreement=1.0), example(1, "CEO", "B", status="rejected")]

    # when
    good, none = (planned(db, tmp_path, some, Tier.SILVER, 1.0) for some in (rows, rows[1:]))

    # then
    assert (good.examples, good.reached, good.reviews.height) == (1, 1, 0)
    assert (none.examples, none.wanted, none.reviews.height) == (0, 0, 0)
