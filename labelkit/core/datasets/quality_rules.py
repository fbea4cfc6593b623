"""A team's own quality rules: what one is, and when it is refused before any of them is looked at by the database."""

from __future__ import annotations

import re
from collections.abc import Mapping
from string import Formatter
from typing import TYPE_CHECKING, Any, Self

from pydantic import BaseModel, ConfigDict, Field, ModelWrapValidatorHandler, ValidationError, model_validator

from labelkit.core.datasets.quality import ABOVE, BELOW, HARD_FAILS, MEASURES, WARNINGS, Rule, Severity
from labelkit.errors import QualityRuleInvalid

if TYPE_CHECKING:
    from collections.abc import Sequence

MOST_RULES = 100
_CODE = re.compile(r"[A-Z][A-Z0-9]*(_[A-Z0-9]+)*")
_FORMAT = re.compile(r",?(\.[0-9])?[f%]?")  # of a number in a message; nothing that could make a message long
_WANTED = {BELOW: "at least", ABOVE: "at most"}


class QualityRule(BaseModel):
    """A rule that fires where `measure` is `below` or `above` a number; exactly one of the two is given.

    `measure` is the name of a number that every build has (`samples`, `groups`, `empty_label_rate`, `label_coverage`, `class_ratio`,
    `annotations`, `classes`, …), or an SQL expression over the one-row table `measures` of them, or a SELECT that gives one number from
    `samples` (one row a frame), `annotations` (one row a label) and `measures`. `code` is UPPER_SNAKE; that of a warning of policy v1
    takes the warning's place, and a hard fail of v1 cannot be replaced. `severity` is `warning` or `hard_fail`. `message` may show
    `{value}` and `{threshold}`. A rule without a number where it is evaluated fires.

    Raises `QUALITY_RULE_INVALID` with the field and the reason.

    >>> QualityRule(code="FEW_BALLS", severity="warning", measure="annotations / samples", below=0.5).below
    0.5
    """

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    code: str = Field(max_length=64)
    severity: Severity
    measure: str = Field(min_length=1, max_length=10_000)
    below: float | None = Field(default=None, allow_inf_nan=False)
    above: float | None = Field(default=None, allow_inf_nan=False)
    message: str | None = Field(default=None, min_length=1, max_length=500)

    @model_validator(mode="wrap")
    @classmethod
    def _refuse_clearly(cls, data: Any, handler: ModelWrapValidatorHandler[Self]) -> Self:  # noqa: ANN401 - whatever the caller passed
        """Say each refusal under our own code, instead of pydantic's."""
        try:
            rule = handler(data)
        except ValidationError as error:
            first = error.errors()[0]
            name = data.get("code", "?") if isinstance(data, Mapping) else "?"
            field = ".".join(str(part) for part in first["loc"]) or "the form"
            raise QualityRuleInvalid(rule=name, field=field, reason=first["msg"].rstrip(".")) from error
        problem = _problem(rule)
        if problem is not None:
            raise QualityRuleInvalid(rule=rule.code, field=problem[0], reason=problem[1])
        return rule

    @property
    def rule(self) -> Rule:
        """Return the rule as an evaluation uses it."""
        fires, threshold = (BELOW, self.below) if self.below is not None else (ABOVE, self.above)
        measure = self.measure.strip()
        return Rule(
            self.code, self.severity, measure, fires, threshold or 0.0, self.message or _message(self.code, measure, fires), own=True
        )


def own_rules(rules: Sequence[QualityRule | Mapping[str, Any]]) -> list[QualityRule]:
    """Return a team's rules, by code. Raises `QUALITY_RULE_INVALID` for a rule that is none, a code given twice, and too many rules."""
    found: dict[str, QualityRule] = {}
    for given in rules:
        rule = given if isinstance(given, QualityRule) else QualityRule.model_validate(given)
        if rule.code in found:
            raise QualityRuleInvalid(rule=rule.code, field="code", reason="two rules have it")
        found[rule.code] = rule
    if len(found) > MOST_RULES:
        raise QualityRuleInvalid(rule=max(found), field="the number of rules", reason=f"{len(found)} are more than {MOST_RULES}")
    return [found[code] for code in sorted(found)]


def _problem(rule: QualityRule) -> tuple[str, str] | None:
    """Return the field that is wrong, and why."""
    if not _CODE.fullmatch(rule.code):
        return "code", "it is not UPPER_SNAKE, such as FEW_BALLS"
    if rule.code in HARD_FAILS:
        return "code", "it is a hard fail of policy v1, which no rule can replace"
    if not rule.measure.strip():
        return "measure", "it is empty"
    if (rule.below is None) == (rule.above is None):
        return "below" if rule.below is None else "above", "give exactly one of below and above"
    return None if rule.message is None else _message_problem(rule.message)


def _message_problem(message: str) -> tuple[str, str] | None:
    try:
        parts = list(Formatter().parse(message))
    except ValueError as error:
        return "message", f"it cannot be filled in: {error}"
    for _, name, form, conversion in parts:
        if name is not None and (name not in ("value", "threshold") or conversion or not _FORMAT.fullmatch(form or "")):
            return "message", "between braces only value and threshold can stand, with a form such as {value:.1%}"
    return None


def _message(code: str, measure: str, fires: str) -> str:
    """Return the sentence of a rule that came without one: that of the warning which it replaces, if it measures the same."""
    replaced = WARNINGS.get(code)
    if replaced is not None and (replaced.measure, replaced.fires) == (measure, fires):
        return replaced.message
    name = measure if measure in MEASURES else "its measure"
    return f"{name} is {{value}}; {_WANTED[fires]} {{threshold}} is wanted"
