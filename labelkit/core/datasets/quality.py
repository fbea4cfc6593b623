"""Quality: a versioned policy of rules over a dataset's statistics, what it found, and the badge that sums it up."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from enum import StrEnum
from html import escape
from textwrap import shorten
from typing import TYPE_CHECKING, Any

from labelkit.core.datasets.tables import indented, table_html, table_text
from labelkit.core.hashing import digest_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

BELOW, ABOVE = "below", "above"
SHOWN = 60  # characters of a measure in a table


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

    def numbers(self) -> dict[str, float | None]:
        """Return the measures and the counts behind them: what a team's own rule may name, and the row of the table `measures`."""
        counts = None if self.class_counts is None else [count for count in self.class_counts.values() if count]
        return self.measures() | {
            "annotations": None if counts is None else sum(counts),
            "classes": None if counts is None else len(counts),
            "empty_samples": self.empty_samples,
            "selected_frames": self.selected_frames,
        }


def _share(part: int | None, whole: int | None) -> float | None:
    return round(part / whole, 4) if part is not None and whole else None


MEASURES = tuple(Statistics(0, 0, 0, 0, {}, 0, 0).numbers())


@dataclass(frozen=True, slots=True)
class Measured:
    """What came of a measure that is SQL: a number, or why there is none."""

    value: float | None
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule fires where `measure` is `below` or `above` its threshold.

    Where the measure has no value, a rule of the policy v1 stays silent (MISSING_REQUIRED_STATS speaks for all of them), and an `own` one,
    a team's, fires: what cannot be judged must not look good.
    """

    code: str
    severity: Severity
    measure: str
    fires: str
    threshold: float
    message: str
    own: bool = False

    @property
    def is_sql(self) -> bool:
        """Say whether the measure has to be computed from the dataset."""
        return self.measure not in MEASURES

    @property
    def limit(self) -> str:
        """Return the threshold with the side that is wanted, such as `>= 3`."""
        return f"{'>=' if self.fires == BELOW else '<='} {_plain(self.threshold)}"

    def indicator(self, found: Measured) -> Indicator:
        """Return what this rule says of what was measured."""
        value = found.value
        if value is None:
            fired = self.own
            name = "the measure" if self.is_sql else self.measure
            shown = f"{name} could not be computed{': ' if found.problem else ''}{found.problem}"
        else:
            fired = value < self.threshold if self.fires == BELOW else value > self.threshold
            number = _plain(value) if self.own else value
            shown = self.message.format(value=number, threshold=_plain(self.threshold))
        return Indicator(self.code, self.severity, self.measure, value, self.threshold, shown, fired, self.fires, self.own)


def _plain(number: float) -> float:
    """Return a number as a sentence shows it: whole ones without a point, others to six digits."""
    return int(number) if number == int(number) else float(f"{number:.6g}")


@dataclass(frozen=True, slots=True)
class Indicator:
    """A rule with the value it saw; `fired` says that the value is beyond the threshold, on the side that `fires` names."""

    code: str
    severity: Severity
    measure: str
    value: float | None
    threshold: float
    message: str
    fired: bool
    fires: str = ABOVE
    own: bool = False

    @classmethod
    def from_json(cls, kept: Mapping[str, Any]) -> Indicator:
        """Return the indicator that was kept; the first ones were kept without the side on which they fire."""
        side = {"fires": BELOW if kept["code"] in _BELOW else ABOVE}
        return cls(**{**side, **kept, "severity": Severity(kept["severity"])})


@dataclass(frozen=True, slots=True, repr=False)
class QualityPolicy:
    """Rules under a version, for the capabilities that they cover. `v1+2` is v1 with the second version of a team's own rules."""

    version: str
    capabilities: frozenset[str]
    rules: tuple[Rule, ...]

    @property
    def own_rules(self) -> tuple[Rule, ...]:
        """Return the team's own rules, by code."""
        return tuple(sorted((rule for rule in self.rules if rule.own), key=lambda rule: rule.code))

    @property
    def identity(self) -> str:
        """Return what tells policies apart in fingerprints: the base's version, and a digest of the own rules where there are any."""
        own = [list(asdict(rule).values()) for rule in self.own_rules]
        return f"{self.version.partition('+')[0]}+{digest_of(own).value}" if own else self.version

    def with_own(self, capability: str, number: int, own: Sequence[Rule]) -> QualityPolicy:
        """Return the policy of one capability with a team's rules: one with the code of a warning takes its place."""
        covered = capability in self.capabilities
        codes = {rule.code for rule in own}
        kept = tuple(rule for rule in self.rules if rule.code not in codes) if covered else ()
        version = f"{self.version if covered else 'own'}+{number}" if own else self.version
        return QualityPolicy(version, frozenset({capability} if kept or own else ()), (*kept, *own))

    def __repr__(self) -> str:
        return "\n".join([f"<QualityPolicy {self._head}>", *indented(table_text(*self._table))])

    def _repr_html_(self) -> str:
        return f"<p><b>Quality policy</b> {escape(self._head)}</p>{table_html(*self._table)}"

    @property
    def _head(self) -> str:
        return f"{self.version}: {', '.join(sorted(self.capabilities)) or 'no capability, datasets are not evaluated'}"

    @property
    def _table(self) -> tuple[list[str], list[list[object]]]:
        ordered = sorted(self.rules, key=lambda rule: (rule.severity is Severity.WARNING, rule.code))
        rows: list[list[object]] = [
            [r.code, r.severity, shorten(r.measure, SHOWN), r.limit, "own" if r.own else POLICY.version] for r in ordered
        ]
        return ["code", "severity", "measure", "wanted", "from"], rows


POLICY = QualityPolicy(
    "v1",
    frozenset({"ball_detection", "player_detection"}),
    (
        Rule("LOW_SAMPLE_COUNT", Severity.WARNING, "samples", BELOW, 100, "{value} samples; at least {threshold} are wanted"),
        Rule("LOW_GROUP_COUNT", Severity.WARNING, "groups", BELOW, 3, "{value} groups; at least {threshold} are wanted"),
        Rule(
            "HIGH_EMPTY_LABEL_RATE",
            Severity.WARNING,
            "empty_label_rate",
            ABOVE,
            0.3,
            "{value:.1%} of the samples have no label; at most {threshold:.0%} are wanted",
        ),
        Rule(
            "LOW_LABEL_COVERAGE",
            Severity.WARNING,
            "label_coverage",
            BELOW,
            0.8,
            "{value:.1%} of the packs' frames are in the dataset; at least {threshold:.0%} are wanted",
        ),
        Rule(
            "CLASS_IMBALANCE",
            Severity.WARNING,
            "class_ratio",
            ABOVE,
            20,
            "the largest class has {value} times the annotations of the smallest; at most {threshold} times are wanted",
        ),
        Rule("MATERIALIZATION_PARTIAL", Severity.WARNING, "failed_shards", ABOVE, 0, "{value} shards were not materialized"),
        Rule("INVALID_LABEL_SCHEMA", Severity.HARD_FAIL, "schema_errors", ABOVE, 0, "{value} annotations do not fit the capability"),
        Rule(
            "INVALID_GEOMETRY",
            Severity.HARD_FAIL,
            "geometry_errors",
            ABOVE,
            0,
            "{value} annotations are empty, reach outside their frame or have no finite coordinates",
        ),
        Rule("MISSING_REQUIRED_STATS", Severity.HARD_FAIL, "missing_statistics", ABOVE, 0, "{value} statistics could not be computed"),
        Rule("MISSING_MATERIALIZED_ASSETS", Severity.HARD_FAIL, "missing_assets", ABOVE, 0, "{value} promised files are absent"),
    ),
)

WARNINGS = {rule.code: rule for rule in POLICY.rules if rule.severity is Severity.WARNING}
HARD_FAILS = frozenset(rule.code for rule in POLICY.rules if rule.severity is Severity.HARD_FAIL)
_BELOW = frozenset(rule.code for rule in POLICY.rules if rule.fires == BELOW)


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
        return _badge([check.severity for check in self.indicators], judged=bool(self.checks))

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
        return cls(kept["policy_version"], tuple(Indicator.from_json(check) for check in kept["checks"]))

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


def badge_of(text: str | None) -> str:
    """Return the badge of a kept evaluation, without making the evaluation: a list has many.

    >>> badge_of(None), badge_of('{"policy_version": "v1", "checks": [{"severity": "warning", "fired": true}]}')
    ('Not evaluated', 'Warnings (1)')
    """
    checks = [] if text is None else json.loads(text)["checks"]
    return _badge([check["severity"] for check in checks if check["fired"]], judged=bool(checks))


def _badge(fired: Sequence[str], *, judged: bool) -> str:
    if not judged:
        return "Not evaluated"
    fails = fired.count(Severity.HARD_FAIL)
    return f"Hard fail ({fails})" if fails else f"Warnings ({len(fired)})" if fired else "Pass"


def evaluate(
    statistics: Statistics, capability: str, policy: QualityPolicy = POLICY, measured: Mapping[str, Measured] | None = None
) -> Evaluation:
    """Judge a dataset's statistics, and by code what was `measured` for rules in SQL; what the policy does not cover is not evaluated."""
    if capability not in policy.capabilities:
        return NOT_EVALUATED
    numbers, found = statistics.numbers(), measured or {}
    checks = [
        rule.indicator(found.get(rule.code, Measured(None)) if rule.is_sql else Measured(numbers[rule.measure])) for rule in policy.rules
    ]
    return Evaluation(policy.version, tuple(sorted(checks, key=lambda check: (check.severity is Severity.WARNING, check.code))))
