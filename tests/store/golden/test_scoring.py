"""The set-based score against the plain one: equal on any examples, in any order, on every version of the engine."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from labelkit.core.golden.json_texts import canonical_text
from labelkit.core.golden.reasons import Reason
from labelkit.core.golden.score_rules import ScorePolicy, TypeRules, of_type
from labelkit.core.golden.types import SHIPPED
from labelkit.store.database import Database
from labelkit.store.golden.scores import facts_of
from labelkit.store.golden.scoring import CONTRACT, SCORED, score_to
from labelkit.store.versions.canonical import canonical, chunk_digests, schema_text
from tests.store import golden_oracle

if TYPE_CHECKING:
    from pathlib import Path

RULES = {name: of_type(name, kind.input, kind.expected_output, kind.labels) for name, kind in SHIPPED.items()}
ODD = TypeRules(
    required=("input.a/b", 'input.it\'s "~0"', "expected_output.y"),
    filled=("input.a/b", "labels.why"),
    answer="expected_output.y",
    slices=("input.a/b", "input.n"),
    near={"input.a/b": "text", "input.n": "number", "input.w": 2.5},
    outcome="labels.outcome",
    agrees={"true": ("1", "2"), "yes": ("a",), "never": ()},
    confidence=("labels.confidence", "expected_output.confidence"),
    documentation=("labels.why",),
    verified="labels.verified",
)
BARE = TypeRules(confidence=(), agreement=None, answers=None, edge_case=None)  # nothing but status and similar examples
PLAIN = TypeRules(required=("input.x", "input.z"), near={}, confidence=(), agreement=None, answers=None, edge_case=None)
KINDS = RULES | {"odd": ODD, "bare": BARE, "plain": PLAIN}


@pytest.fixture(scope="module")
def db():
    with Database.open(":memory:", user="ana") as opened:
        yield opened


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path


def example(number: int, kind: str, input: object, output: object, labels: object, status: str = "pending") -> dict[str, object]:
    texts = {"input": input, "expected_output": output, "labels": labels}
    return {"example_id": f"ex_{number:032x}", "type": kind, **{name: canonical_text(value) for name, value in texts.items()}} | {
        "status": status,
        "version": 1,
    }


def score(db: Database, folder: Path, rows: list[dict[str, object]], rules=KINDS, quality: dict[str, float] | None = None) -> pl.DataFrame:
    examples, out, given_quality = folder / "examples.parquet", folder / "scores.parquet", None
    schema = dict.fromkeys(("example_id", "type", "input", "expected_output", "labels", "status"), pl.String()) | {"version": pl.Int32()}
    pl.DataFrame(rows, schema=schema).write_parquet(examples)
    if quality is not None:
        given_quality = folder / "quality.parquet"
        schema = {"example_id": pl.String(), "quality": pl.Float64()}
        pl.DataFrame(list(quality.items()), schema=schema, orient="row").write_parquet(given_quality)
    score_to(db, out, examples, ScorePolicy(types=rules), label_quality=given_quality)
    return pl.read_parquet(out)


# --- random examples: few values, so that inputs are often near each other, and every kind of gap

WORDS = st.sampled_from(["a", "A", " a ", "a  b", "A\tB", "a b", "", " ", "\n", "é", "É", 'say "a"', "null", "it's"])
NUMBERS = st.sampled_from([0, 1, 2, 85, 85.4, 86, 1234, 1251, 0.04, -3.3, 1e21, 0.3, 0.95])
VALUES = st.one_of(WORDS, NUMBERS, st.none(), st.booleans(), st.lists(WORDS, max_size=2))
NAMES = {
    "contact_tier": (["title", "industry"], ["tier", "confidence", "reasoning"]),
    "lead_score": (["fit_score", "company_quality"], ["lead_score", "priority", "reasoning"]),
    "company_quality": (["domain", "employee_count", "industry"], ["quality_rating"]),
    "odd": (["a/b", 'it\'s "~0"', "n", "w"], ["y", "confidence"]),
    "bare": (["x"], ["y"]),
    "plain": (["x"], ["y"]),
}
CLASSES = st.sampled_from(["A", "hot", "a", 1, 2, None, "cold"])
LABELS = st.fixed_dictionaries(
    {},
    optional={
        "confidence": st.one_of(NUMBERS, WORDS),
        "agreement": st.one_of(st.none(), NUMBERS),
        "answers": st.one_of(st.lists(CLASSES, max_size=3), st.none(), WORDS),
        "edge_case": st.one_of(st.booleans(), st.none()),
        "notes": VALUES,
        "why": VALUES,
        "verified": st.one_of(st.booleans(), WORDS),
        "outcome": st.sampled_from(["yes", True, "never", "became_customer", "churned", None, "?"]),
        "conversion_outcome": st.sampled_from(["closed_won", "closed_lost", "?"]),
    },
)


@st.composite
def some_examples(draw) -> list[dict[str, object]]:
    rows = []
    for number in range(draw(st.integers(0, 40))):
        kind = draw(st.sampled_from(list(NAMES)))
        fields, outputs = NAMES[kind]
        given_input = draw(st.fixed_dictionaries({}, optional=dict.fromkeys(fields, VALUES)))
        output = draw(st.fixed_dictionaries({}, optional={name: VALUES if name == "reasoning" else CLASSES for name in outputs}))
        rows.append(example(number, kind, given_input, output, draw(LABELS), draw(st.sampled_from(["pending", "validated", "rejected"]))))
    return rows


@settings(max_examples=10)
@given(some_examples(), st.data())
def test_the_set_based_pass_gives_what_the_plain_scorer_gives_in_any_order(db, tmp_path_factory, rows, data):
    # given
    ids = [row["example_id"] for row in rows]
    quality = data.draw(st.none() | st.dictionaries(st.sampled_from(ids or ["ex_"]), st.sampled_from([0.0, 0.3, 0.5, 1.0])))
    shuffled = data.draw(st.permutations(rows))

    # when
    found = score(db, tmp_path_factory.mktemp("scores"), shuffled, quality=quality)

    # then
    expected = golden_oracle.scores(rows, KINDS, quality)
    assert found.columns == list(SCORED)
    assert found["example_id"].to_list() == sorted(expected)
    for row in found.iter_rows(named=True):
        facts, plain = expected[row["example_id"]]
        rules = KINDS[row["type"]]
        parts = [row[name] for name in CONTRACT[1:5]]
        assert parts == pytest.approx([part / 100 for part in plain.parts], abs=1e-9)
        assert (row["total"], row["tier"]) == (plain.total, plain.tier)
        assert row["reasons"] == [str(reason) for reason in plain.reasons]
        live = row["status"] != "rejected"
        later = [golden_oracle.scored(one, rules).total if live else plain.total for one in (facts.settled, facts.reviewed)]
        assert [row["settled_total"], row["reviewed_total"]] == later
        kept = golden_oracle.scored(facts_of(row, rules), rules)  # what is kept beside a score gives the score again
        assert (kept.total, [str(reason) for reason in kept.reasons]) == (row["total"], row["reasons"])
        assert [row["class_rarity"], row["slice_rarity"], row["balance"]] == pytest.approx(
            [facts.class_rarity, facts.slice_rarity, facts.balance], abs=1e-9
        )


@settings(max_examples=3)
@given(st.lists(st.one_of(st.floats(-1e9, 1e9), st.integers(-(10**9), 10**9)), min_size=20, max_size=200))
def test_numbers_are_near_when_they_have_the_same_two_digits(db, tmp_path_factory, numbers):
    # given every number twice, with answers that differ
    rows = [example(2 * n + side, "odd", {"n": value}, {"y": side}, {}) for n, value in enumerate(numbers) for side in (0, 1)]

    # when
    found = score(db, tmp_path_factory.mktemp("near"), rows)

    # then every group is as large as the numbers that the plain scorer finds near
    expected = {key: facts.similar for key, (facts, _) in golden_oracle.scores(rows, KINDS).items()}
    assert dict(found.select("example_id", "similar_count").iter_rows()) == expected


@pytest.mark.parametrize(
    ("left", "right", "near"),
    [
        pytest.param({"title": "Chief  Technology\tOfficer "}, {"title": "chief technology officer"}, True, id="case and white space"),
        pytest.param({"title": 'the "boss"'}, {"title": 'The  "Boss"'}, True, id="quotes"),
        pytest.param({"title": None}, {}, True, id="null and absent"),
        pytest.param({"title": "CTO"}, {"title": "CEO"}, False, id="other words"),
        pytest.param({"title": "1"}, {"title": 1}, False, id="text and number"),
    ],
)
def test_inputs_are_near_by_the_words_they_share(db, folder, left, right, near):
    # given two examples with other answers
    rows = [example(1, "contact_tier", left, {"tier": "A"}, {}), example(2, "contact_tier", right, {"tier": "B"}, {})]

    # when
    found = score(db, folder, rows)

    # then both lose half of what consistency gives, and know the group by its first id
    assert found["similar_to"].to_list() == ([rows[0]["example_id"]] * 2 if near else [None, None])
    assert [("INCONSISTENT_WITH_SIMILAR(1)" in reasons) for reasons in found["reasons"]] == [near, near]


def test_a_rejected_example_weighs_nothing_for_the_others(db, folder):
    # given two that agree, and one that a reviewer rejected because it does not
    title = {"title": "CTO"}
    rows = [
        example(1, "contact_tier", title, {"tier": "A"}, {}),
        example(2, "contact_tier", title, {"tier": "A", "reasoning": "runs it"}, {}),
        example(3, "contact_tier", title, {"tier": "B"}, {}, "rejected"),
    ]

    # when
    found = score(db, folder, rows)

    # then
    assert found["similar_count"].to_list() == [1, 1, 1]
    assert found.row(2, named=True)["reasons"].count("REJECTED_BY_REVIEWER") == 1
    assert found.select("correctness", "representativeness").row(2) == (0.0, 0.0)


def test_scores_of_known_examples_are_the_same_everywhere(db, folder):
    # given examples made from a seed
    random_ = random.Random(7)
    rows = [
        example(
            number,
            "lead_score",
            {"fit_score": random_.randint(1, 100), "company_quality": random_.choice(["high", "low", None])},
            {"lead_score": random_.randint(1, 100), "priority": random_.choice(["hot", "warm", "cold"])},
            {"conversion_outcome": random_.choice(["closed_won", "closed_lost", "open"]), "confidence": random_.random()},
            random_.choice(["pending", "validated", "rejected"]),
        )
        for number in range(500)
    ]

    # when
    found = score(db, folder, rows)

    # then the digest is that of every engine and machine
    kept = canonical(found.select(CONTRACT), "example_id")
    assert chunk_digests(kept, [0, kept.height], schema_text(kept)) == ["fa753bb5917496a528de86100b9080ddcef18ef66c09f3ca5408054bbbae9e76"]
    assert [Reason.parsed(text).code.value for text in found["reasons"][0]]
