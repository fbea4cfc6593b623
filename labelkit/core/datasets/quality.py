"""Quality: a versioned policy of rules over a dataset's statistics, what it found, and the badge that sums it up."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from enum import StrEnum
from html import escape
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping


class Severity(StrEnum):
    """A warning is shown; a hard fail can stop a build."""

    HARD_FAIL = "hard_fail"
    WARNING = "warning"


@dataclass(frozen=True, slots=True)
class Statistics:
    """What a finished snapshot is judged by; None is a statistic that could not be computed.

    `selected_frames` counts all frames of the included packs, `class_counts` annotations by class; the last three count annotations
    that do not fit the capability, annotations that lie wrong in their frame, and promised files that are absent.
    """

    samples: int | None
    groups: int | None
    empty_samples: int | None
    selected_frames: int | None
    class_counts: Mapping[str, int] | None
    schema_errors: int | None
    geometry_errors: int | None
    missing_assets: int | None = 0
    failed_shards: int | None = 0

    def measures(self) -> dict[str, float | None]:
        """Return each number that a rule may name; None where it has no value."""
        counts = None if self.class_counts is None else [count for count in self.class_counts.values() if count]
        values: dict[str, float | None] = {
            "samples": self.samples,
            "groups": self.groups,
            "empty_label_rate": _share(self.empty_samples, self.samples),
            "label_coverage": _share(self.samples, self.selected_frames),
            "class_ratio": None if counts is None else round(max(counts) / min(counts), 2) if counts else 1.0,
            "schema_errors": self.schema_errors,
            "geometry_errors": self.geometry_errors,
            "missing_assets": self.missing_assets,
            "failed_shards": self.failed_shards,
        }
        return values | {"missing_statistics": sum(value is None for value in values.values())}


def _share(part: int | None, whole: int | None) -> float | None:
    return round(part / whole, 4) if part is not None and whole else None


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule fires where `measure` is `below` or `above` its threshold; a measure without a value fires nothing but the rule for that."""

    code: str
    severity: Severity
    measure: str
    fires: str
    threshold: float
    message: str

    def indicator(self, value: float | None) -> Indicator:
        """Return what this rule says of a value."""
        fired = value is not None and (value < self.threshold if self.fires == "below" else value > self.threshold)
        shown = f"{self.measure} could not be computed" if value is None else self.message.format(value=value, threshold=self.threshold)
        return Indicator(self.code, self.severity, self.measure, value, self.threshold, shown, fired)


@dataclass(frozen=True, slots=True)
class Indicator:
    """A rule with the value it saw; `fired` says that the value is beyond the threshold."""

    code: str
    severity: Severity
    measure: str
    value: float | None
    threshold: float
    message: str
    fired: bool


@dataclass(frozen=True, slots=True)
class QualityPolicy:
    """Rules under a version; a changed rule is a new version."""

    version: str
    capabilities: frozenset[str]
    rules: tuple[Rule, ...]


POLICY = QualityPolicy(
    "v1",
    frozenset({"ball_detection", "player_detection"}),
    (
        Rule("LOW_SAMPLE_COUNT", Severity.WARNING, "samples", "below", 100, "{value} samples; at least {threshold} are wanted"),
        Rule("LOW_GROUP_COUNT", Severity.WARNING, "groups", "below", 3, "{value} groups; at least {threshold} are wanted"),
        Rule(
            "HIGH_EMPTY_LABEL_RATE",
            Severity.WARNING,
            "empty_label_rate",
            "above",
            0.3,
            "{value:.1%} of the samples have no label; at most {threshold:.0%} are wanted",
        ),
        Rule(
            "LOW_LABEL_COVERAGE",
            Severity.WARNING,
            "label_coverage",
            "below",
            0.8,
            "{value:.1%} of the packs' frames are in the dataset; at least {threshold:.0%} are wanted",
        ),
        Rule(
            "CLASS_IMBALANCE",
            Severity.WARNING,
            "class_ratio",
            "above",
            20,
            "the largest class has {value} times the annotations of the smallest; at most {threshold} times are wanted",
        ),
        Rule("MATERIALIZATION_PARTIAL", Severity.WARNING, "failed_shards", "above", 0, "{value} shards were not materialized"),
        Rule("INVALID_LABEL_SCHEMA", Severity.HARD_FAIL, "schema_errors", "above", 0, "{value} annotations do not fit the capability"),
        Rule(
            "INVALID_GEOMETRY",
            Severity.HARD_FAIL,
            "geometry_errors",
            "above",
            0,
            "{value} annotations are empty, reach outside their frame or have no finite coordinates",
        ),
        Rule("MISSING_REQUIRED_STATS", Severity.HARD_FAIL, "missing_statistics", "above", 0, "{value} statistics could not be computed"),
        Rule("MISSING_MATERIALIZED_ASSETS", Severity.HARD_FAIL, "missing_assets", "above", 0, "{value} promised files are absent"),
    ),
)


@dataclass(frozen=True, slots=True)
class Evaluation:
    """Every rule of one policy version with the value it saw, hard fails first, then by code; no rules: not evaluated."""

    policy_version: str
    checks: tuple[Indicator, ...]

    @property
    def indicators(self) -> tuple[Indicator, ...]:
        """Return the rules that fired, hard fails first, then by code."""
        return tuple(check for check in self.checks if check.fired)

    @property
    def hard_fails(self) -> tuple[Indicator, ...]:
        """Return the hard fails that fired."""
        return tuple(check for check in self.indicators if check.severity is Severity.HARD_FAIL)

    @property
    def warnings(self) -> tuple[Indicator, ...]:
        """Return the warnings that fired."""
        return tuple(check for check in self.indicators if check.severity is Severity.WARNING)

    @property
    def badge(self) -> str:
        """Return `Pass`, `Warnings (n)`, `Hard fail (n)` or `Not evaluated`."""
        if not self.checks:
            return "Not evaluated"
        if self.hard_fails:
            return f"Hard fail ({len(self.hard_fails)})"
        return f"Warnings ({len(self.warnings)})" if self.warnings else "Pass"

    @property
    def summary(self) -> str:
        """Return the hard fails in one line."""
        return "; ".join(f"{one.code}: {one.message}" for one in self.hard_fails)

    def as_json(self) -> dict[str, Any]:
        """Return the evaluation with the thresholds it used, as plain JSON."""
        return {"policy_version": self.policy_version, "checks": [asdict(check) for check in self.checks]}

    @classmethod
    def from_json(cls, kept: Mapping[str, Any] | None) -> Evaluation:
        """Return the evaluation that `as_json` wrote; nothing at all is `Not evaluated`."""
        if kept is None:
            return NOT_EVALUATED
        checks = tuple(Indicator(**{**check, "severity": Severity(check["severity"])}) for check in kept["checks"])
        return cls(kept["policy_version"], checks)

    @classmethod
    def from_text(cls, text: str | None) -> Evaluation:
        """Return the evaluation that was kept as JSON text; none is `Not evaluated`."""
        return cls.from_json(None if text is None else json.loads(text))

    def __repr__(self) -> str:
        return "\n".join([f"<Quality {self.badge}>", *(f"  {i.severity} {i.code}: {i.message}" for i in self.indicators)])

    def _repr_html_(self) -> str:
        rows = "".join(
            f"<tr><td>{escape(str(i.severity))}</td><td><code>{escape(i.code)}</code></td><td>{escape(i.message)}</td></tr>"
            for i in self.indicators
        )
        return f"<b>{escape(self.badge)}</b> <small>policy {escape(self.policy_version or 'none')}</small><table>{rows}</table>"


NOT_EVALUATED = Evaluation("", ())


def evaluate(statistics: Statistics, capability: str, policy: QualityPolicy = POLICY) -> Evaluation:
    """Judge a dataset's statistics; a capability that the policy does not cover is not evaluated."""
    if capability not in policy.capabilities:
        return NOT_EVALUATED
    measures = statistics.measures()
    checks = [rule.indicator(measures[rule.measure]) for rule in policy.rules]
    return Evaluation(policy.version, tuple(sorted(checks, key=lambda check: (check.severity is Severity.WARNING, check.code))))
