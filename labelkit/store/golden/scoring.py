"""One set-based pass that gives each golden example its score, tier and reasons: the formulas of `core.golden.scoring` in SQL.

The pass reads a relation of examples once a type, groups similar inputs by the text that they share, counts classes and slices, and writes
one Parquet file in order of the ids. Beside the score it keeps what the score was made of, so that nobody has to read the examples again
to explain it or to plan a review. A property test holds the SQL and the formulas together.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from labelkit.core.golden import scoring as formulas
from labelkit.core.golden.reasons import Code
from labelkit.core.golden.scoring import POINTS, Part
from labelkit.core.golden.tiers import HALF, Tier
from labelkit.store.golden.scoring_facts import facts, number, reasons, text

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from labelkit.core.golden.score_rules import ScorePolicy, TypeRules
    from labelkit.store.analysis import Store

CONTRACT = ("example_id", "completeness", "correctness", "clarity", "representativeness", "total", "tier", "reasons")
_KEPT = (
    "type",
    "version",
    "status",
    "similar_to",
    "similar_count",
    "agreeing_count",
    "outcome",
    "label_quality",
    "agreement",
    "confidence",
    "class_rarity",
    "slice_rarity",
    "balance",
    "settled_total",
    "reviewed_total",
)
SCORED = (*CONTRACT, *_KEPT)
_Sub = tuple[float, str]


def score_to(db: Store, out: Path, examples: Path, policy: ScorePolicy, *, label_quality: Path | None = None) -> None:
    """Write the scores of a Parquet file of examples, as far as the policy has rules for their types, to a Parquet file.

    `examples` has the columns example_id, type, input, expected_output and labels (canonical JSON), status and version; each id once.
    `label_quality` is a Parquet file with example_id and quality, 0 to 1. The columns written are `SCORED`: `total` and parts have two
    decimals; `similar_to` is the smallest id among similar examples that do not expect the same, null where all do; `settled_total` and
    `reviewed_total` are what the total would be after its similar examples were settled, and after a review. The rows depend on neither
    the order nor the layout of the input.
    """
    queries = [f"({_type_query(name, rules, has_quality=label_quality is not None)})" for name, rules in policy.types.items()]
    files = {"examples": str(examples)} | ({} if label_quality is None else {"quality": str(label_quality)})
    db.analyse_to(out, f"SELECT * FROM ({' UNION ALL '.join(queries)}) ORDER BY example_id", **files)


def _type_query(name: str, rules: TypeRules, *, has_quality: bool) -> str:
    quality = "JOINED.quality" if has_quality else "CAST(NULL AS DOUBLE)"
    joined = "LEFT JOIN read_parquet($quality) JOINED ON JOINED.example_id = f.example_id" if has_quality else ""
    parts = _parts(rules, "verified", "consistent", "documented")
    settled = _parts(rules, "verified", "1e0", "documented")
    reviewed = _parts(rules, "1e0", "1e0", "(documented OR NOT rejected)")
    return f"""
        WITH facts AS MATERIALIZED ({facts(name, rules, "read_parquet($examples)")}),
        conflicts AS MATERIALIZED (
            SELECT near, count(*) AS n FROM facts WHERE NOT rejected GROUP BY near HAVING min(said) <> max(said)
        ), sides AS (
            SELECT f.near, f.said, count(*) AS agreeing, any_value(c.n) AS n, min(f.example_id) AS least
            FROM facts f JOIN conflicts c ON c.near = f.near WHERE NOT f.rejected GROUP BY f.near, f.said
        ), alike AS MATERIALIZED (
            SELECT near, said, agreeing, n, min(least) OVER (PARTITION BY near) AS similar_to FROM sides
        ), classes AS MATERIALIZED (
            SELECT answer, CAST(count(*) AS DOUBLE) AS n FROM facts WHERE NOT rejected AND answer IS NOT NULL GROUP BY answer
        ), slices AS MATERIALIZED (
            SELECT slice, CAST(count(*) AS DOUBLE) AS n FROM facts WHERE NOT rejected GROUP BY slice
        ), classed AS (
            SELECT sum(n) AS n, CAST(count(*) AS DOUBLE) AS k, sum(n * n) AS squares FROM classes
        ), rarities AS MATERIALIZED (
            SELECT answer, least(1e0, t.n / (t.k * c.n)) AS rarity FROM classes c, classed t
        ), sliced AS (
            SELECT sum(n) AS n, CAST(count(*) AS DOUBLE) AS k FROM slices
        ), slice_rarities AS MATERIALIZED (
            SELECT slice, least(1e0, t.n / (t.k * s.n)) AS rarity FROM slices s, sliced t
        ), known AS (
            SELECT f.example_id, f.version, f.status, f.rejected, f.completeness_reasons, f.missing, f.blank, f.elsewhere, f.outcome,
                f.agreement, f.confidence, f.documented, f.answer IS NOT NULL AS has_class, g.similar_to,
                coalesce(g.n, 1) AS similar_count, coalesce(g.agreeing, 1) AS agreeing_count, {quality} AS label_quality,
                CASE WHEN f.rejected THEN 0e0 ELSE coalesce(c.rarity, 0e0) END AS class_rarity,
                CASE WHEN f.rejected THEN 0e0 ELSE s.rarity END AS slice_rarity,
                coalesce((SELECT CASE WHEN k > 1 THEN (n * n - squares) * k / (n * n * (k - 1)) ELSE 0e0 END FROM classed), 0e0) AS balance
            FROM facts f
            LEFT JOIN alike g ON g.near = f.near AND g.said = f.said AND NOT f.rejected
            LEFT JOIN rarities c ON c.answer = f.answer
            LEFT JOIN slice_rarities s ON s.slice = f.slice
            {joined}
        ), subs AS (
            SELECT *, agreeing_count / similar_count AS consistent,
                CASE status WHEN 'validated' THEN 1e0 WHEN 'rejected' THEN 0e0
                    ELSE {_either("elsewhere", formulas.ELSEWHERE, formulas.PENDING)} END AS verified
            FROM known
        ), parted AS (
            SELECT *, {", ".join(f"{part} AS part_{place}" for place, part in enumerate(parts))},
                {" + ".join(settled)} AS settled_total, {" + ".join(reviewed)} AS reviewed_total FROM subs
        ), summed AS (
            SELECT *, part_0 + part_1 + part_2 + part_3 AS total FROM parted
        )
        SELECT example_id, {", ".join(f"part_{place} / 1e2 AS {part}" for place, part in enumerate(Part))}, total / 1e2 AS total,
            {_tier("total")} AS tier, list_concat(completeness_reasons, {reasons(_reason_cases(rules))}) AS reasons,
            CAST({text(name)} AS VARCHAR) AS type, CAST(version AS INTEGER) AS version, status, similar_to,
            CAST(similar_count AS BIGINT) AS similar_count, CAST(agreeing_count AS BIGINT) AS agreeing_count, outcome, label_quality,
            agreement, confidence, class_rarity, slice_rarity, balance, settled_total / 1e2 AS settled_total,
            reviewed_total / 1e2 AS reviewed_total
        FROM summed
    """


def _either(test: str, yes: float, no: float) -> str:
    return f"CASE WHEN {test} THEN {number(yes)} ELSE {number(no)} END"


def _mean(sub: Sequence[_Sub]) -> str | None:
    if not sub:
        return None
    return f"({' + '.join(f'{number(weight)} * {score}' for weight, score in sub)}) / {number(sum(weight for weight, _ in sub))}"


def _parts(rules: TypeRules, verified: str, consistent: str, documented: str) -> list[str]:
    """Return the SQL of each of the four parts in hundredths, with these sub-scores in place of those of the facts."""
    means = [_completeness(rules), _correctness(rules, verified, consistent), _clarity(rules, documented), _representativeness(rules)]
    points = [None if mean is None else f"{number(full)} * ({mean})" for full, mean in zip(POINTS.values(), means, strict=True)]
    for place in (1, 3):
        if points[place] is not None:
            points[place] = f"CASE WHEN rejected THEN 0e0 ELSE {points[place]} END"
    known = [(full, part) for full, part in zip(POINTS.values(), points, strict=True) if part is not None]
    rest = f"(({' + '.join(f'({part})' for _, part in known)}) / {number(sum(full for full, _ in known))})"
    without = [f"{number(full)} * {rest}" for full in POINTS.values()]
    without[3] = f"CASE WHEN rejected THEN 0e0 ELSE {without[3]} END"
    parts = [other if part is None else part for part, other in zip(points, without, strict=True)]
    return [f"CAST(floor(({part}) * 1e2 + {number(HALF)}) AS INTEGER)" for part in parts]


def _completeness(rules: TypeRules) -> str | None:
    sub: list[_Sub] = []
    if rules.required:
        sub.append((formulas.PRESENT, f"(({len(rules.required)} - missing) / {number(len(rules.required))})"))
    if rules.filled:
        sub.append((formulas.FILLED, f"(({len(rules.filled)} - blank) / {number(len(rules.filled))})"))
    return _mean(sub)


def _correctness(rules: TypeRules, verified: str, consistent: str) -> str:
    sub: list[_Sub] = [(formulas.VERIFIED, verified)]
    if rules.judges_outcomes or rules.judges_agreement:
        sub.append((formulas.CONFIRMED, f"coalesce(CAST(outcome AS DOUBLE), agreement, {number(formulas.UNKNOWN)})"))
    sub.append((formulas.CONSISTENT, consistent))
    return f"CASE WHEN label_quality IS NULL THEN {_mean(sub)} ELSE {_mean([*sub, (formulas.LABEL_QUALITY, 'label_quality')])} END"


def _clarity(rules: TypeRules, documented: str) -> str | None:
    sub: list[_Sub] = []
    if rules.judges_agreement:
        sub.append((formulas.AGREEMENT, f"coalesce(agreement, {number(formulas.UNKNOWN)})"))
    if rules.confidence:
        sub.append((formulas.CONFIDENCE, f"coalesce(confidence, {number(formulas.UNKNOWN)})"))
    if rules.edge_case is not None:
        sub.append((formulas.DOCUMENTED, f"CAST({documented} AS DOUBLE)"))
    return _mean(sub)


def _representativeness(rules: TypeRules) -> str | None:
    sub: list[_Sub] = []
    if rules.answer is not None:
        sub.append((formulas.CLASS, "class_rarity"))
    if rules.slices:
        sub.append((formulas.SLICE, "slice_rarity"))
    if rules.answer is not None:
        sub.append((formulas.BALANCE, "balance"))
    return _mean(sub)


def _tier(total: str) -> str:
    return f"CASE {' '.join(f'WHEN {total} >= {tier.least} THEN {text(tier)}' for tier in Tier)} END"


def _reason_cases(rules: TypeRules) -> list[tuple[str, str]]:
    conflict = f"concat('{Code.INCONSISTENT_WITH_SIMILAR}(', similar_count - agreeing_count, ')')"
    table = [
        (Code.REJECTED_BY_REVIEWER, "rejected", True),
        (Code.NOT_VERIFIED, "status = 'pending' AND NOT elsewhere", True),
        (Code.VERIFIED_ELSEWHERE, "status = 'pending' AND elsewhere", True),
        (Code.OUTCOME_UNKNOWN, "outcome IS NULL", rules.judges_outcomes),
        (Code.OUTCOME_DISAGREES, "NOT outcome", rules.judges_outcomes),
        (conflict, "similar_count > agreeing_count", True),
        (Code.LABEL_ISSUE_LIKELY, f"label_quality < {formulas.LIKELY_ISSUE}", True),
        (Code.AGREEMENT_UNKNOWN, "agreement IS NULL", rules.judges_agreement),
        (Code.ANNOTATORS_DISAGREE, f"agreement < {number(formulas.LOW_AGREEMENT)}", rules.judges_agreement),
        (Code.CONFIDENCE_UNKNOWN, "confidence IS NULL", bool(rules.confidence)),
        (Code.LOW_CONFIDENCE, f"confidence < {number(formulas.LOW_CONFIDENCE)}", bool(rules.confidence)),
        (Code.EDGE_CASE_UNDOCUMENTED, "NOT documented", rules.edge_case is not None),
        (Code.CLASS_UNKNOWN, "NOT has_class", rules.answer is not None),
        (
            Code.CLASS_OVERREPRESENTED,
            f"NOT rejected AND has_class AND class_rarity < {number(formulas.OVERREPRESENTED)}",
            rules.answer is not None,
        ),
        (Code.SLICE_OVERREPRESENTED, f"NOT rejected AND slice_rarity < {number(formulas.OVERREPRESENTED)}", bool(rules.slices)),
        (Code.CLASSES_UNBALANCED, f"NOT rejected AND balance < {number(formulas.UNBALANCED)}", rules.answer is not None),
    ]
    return [(test, str(code)) for code, test, applies in table if applies]
