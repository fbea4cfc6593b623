"""Scores of examples, one after the other in plain Python: slow and readable, for the set-based pass to be held against."""

from __future__ import annotations

import json
import math
import re
from collections import Counter
from typing import TYPE_CHECKING, Any

from labelkit.core.golden.examples import Status
from labelkit.core.golden.json_texts import canonical_text
from labelkit.core.golden.scoring import Facts, Score, scored

if TYPE_CHECKING:
    from labelkit.core.golden.score_rules import TypeRules

ABSENT = object()
Row = dict[str, Any]


def scores(rows: list[Row], rules: dict[str, TypeRules], quality: dict[str, float] | None = None) -> dict[str, tuple[Facts, Score]]:
    """Return facts and score by id of rows with example_id, type, input, expected_output, labels (JSON texts) and status."""
    found = {}
    for kind, rule in rules.items():
        mine = [row for row in rows if row["type"] == kind]
        live = _Live([other for other in mine if other["status"] != "rejected"], rule)
        for row in mine:
            facts = _facts(row, live, rule, (quality or {}).get(row["example_id"]))
            found[row["example_id"]] = facts, scored(facts, rule)
    return found


class _Live:
    """What is said of the examples of one type that were not rejected, in their order."""

    def __init__(self, rows: list[Row], rules: TypeRules) -> None:
        self.near = [near(row, rules) for row in rows]
        self.said = [_said(row, rules) for row in rows]
        self.answers = [_answer(row, rules) for row in rows]
        self.slices = [_slice(row, rules) for row in rows]


def _facts(row: Row, live: _Live, rules: TypeRules, quality: float | None) -> Facts:
    rejected = row["status"] == "rejected"
    said = _said(row, rules)
    place = near(row, rules)
    alike = [] if rejected else [other for where, other in zip(live.near, live.said, strict=True) if where == place]
    conflict = len(set(alike)) > 1
    return Facts(
        status=Status(row["status"]),
        missing=tuple(path for path in rules.required if _value(row, path) is ABSENT),
        blank=tuple(path for path in rules.filled if _is_blank(_value(row, path))),
        elsewhere=rules.verified is not None and _value(row, rules.verified) is True,
        outcome=_outcome(row, rules),
        similar=len(alike) if conflict else 1,
        agreeing=alike.count(said) if conflict else 1,
        label_quality=quality,
        agreement=_agreement(row, rules),
        confidence=_first_share(row, rules.confidence),
        documented=_documented(row, rules),
        has_class=_answer(row, rules) is not None,
        class_rarity=0.0 if rejected else _rarity(live.answers, _answer(row, rules)),
        slice_rarity=0.0 if rejected else _rarity(live.slices, _slice(row, rules)),
        balance=_balance(live.answers),
    )


def _value(row: Row, path: str) -> Any:
    part, name = path.split(".", 1)
    return json.loads(row[part]).get(name, ABSENT)


def _is_blank(value: Any) -> bool:
    return value is ABSENT or value is None or (isinstance(value, str) and not re.sub(r"[\t\n\f\r ]", "", value))


def _text(value: Any) -> str:
    return "null" if value is ABSENT else canonical_text(value)


def _answer(row: Row, rules: TypeRules) -> str | None:
    text = "null" if rules.answer is None else _text(_value(row, rules.answer))
    return None if text == "null" else text


def _said(row: Row, rules: TypeRules) -> str:
    return row["expected_output"] if rules.answer is None else _text(_value(row, rules.answer))


def _slice(row: Row, rules: TypeRules) -> tuple[str, ...]:
    return tuple(_text(_value(row, path)) for path in rules.slices)


def near(row: Row, rules: TypeRules) -> object:
    if not rules.near:
        return re.sub(" +", " ", row["input"]).lower()
    return tuple(_near(_value(row, path), how) for path, how in rules.near.items())


def _near(value: Any, how: str | float) -> str:
    if how != "text" and isinstance(value, int | float) and not isinstance(value, bool):
        return f"{float(value):.1e}" if how == "number" else f"bin {math.floor(value / how)}"
    if isinstance(value, str):
        return '"' + re.sub(r"[\t\n\f\r ]+", " ", value).strip(" ").lower() + '"'
    return _text(value).lower()


def _share(value: Any) -> float | None:
    return min(max(float(value), 0.0), 1.0) if isinstance(value, int | float) and not isinstance(value, bool) else None


def _first_share(row: Row, paths: tuple[str, ...]) -> float | None:
    return next((share for share in (_share(_value(row, path)) for path in paths) if share is not None), None)


def _agreement(row: Row, rules: TypeRules) -> float | None:
    stated = None if rules.agreement is None else _share(_value(row, rules.agreement))
    answers = ABSENT if rules.answers is None else _value(row, rules.answers)
    if stated is not None or not isinstance(answers, list) or not answers:
        return stated
    return sum(_text(answer) == _said(row, rules) for answer in answers) / len(answers)


def _outcome(row: Row, rules: TypeRules) -> bool | None:
    if rules.outcome is None:
        return None
    seen, said = _text(_value(row, rules.outcome)), _said(row, rules)
    for word, answers in rules.agrees.items():
        if seen in (json.dumps(word), word):
            return any(said in (json.dumps(answer), answer) for answer in answers)
    return None


def _documented(row: Row, rules: TypeRules) -> bool:
    if rules.edge_case is None or _value(row, rules.edge_case) is not True:
        return True
    return any(not _is_blank(_value(row, path)) for path in rules.documentation)


def _rarity(values: list[object], mine: object) -> float:
    counts = Counter(value for value in values if value is not None)
    return 0.0 if mine is None or not counts else min(1.0, counts.total() / (len(counts) * counts[mine])) if counts[mine] else 0.0


def _balance(answers: list[object]) -> float:
    counts = Counter(answer for answer in answers if answer is not None)
    if len(counts) < 2:
        return 0.0
    differ = 1 - sum((number / counts.total()) ** 2 for number in counts.values())
    return differ / (1 - 1 / len(counts))
