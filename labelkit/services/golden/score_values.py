"""What the calls about quality return: a report of scores, the explanation of one, a plan to lift many; they print well."""

from __future__ import annotations

from dataclasses import dataclass, field
from html import escape
from typing import TYPE_CHECKING

import polars as pl

from labelkit.core.golden.reasons import OF_MANY, Code
from labelkit.core.golden.scoring import POINTS, Part
from labelkit.core.golden.tiers import Tier

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from labelkit.core.golden.lifting import LiftStep
    from labelkit.core.golden.reasons import Reason
    from labelkit.core.golden.score_rules import ScorePolicy

SHOWN = 8


@dataclass(frozen=True, slots=True)
class ScoreReport:
    """What came of scoring. `outcomes` says for each type SCORED, or NO_OP_UNCHANGED where the newest scores are the same already.

    `tiers` has one row a type: type, gold, silver, bronze, rejected, examples; `means` the mean points of each part and the total by type;
    `reasons` the reasons by how many examples have them: code, examples, sentence. `policy` holds the rules of each type.
    """

    outcomes: Mapping[str, str]
    tiers: pl.DataFrame = field(compare=False)
    means: pl.DataFrame = field(compare=False)
    reasons: pl.DataFrame = field(compare=False)
    policy: ScorePolicy = field(compare=False)

    @property
    def code(self) -> str:
        """Return NO_OP_UNCHANGED where that holds for every type, NOTHING_TO_SCORE without examples, else SCORED."""
        codes = set(self.outcomes.values())
        return "SCORED" if "SCORED" in codes else "NO_OP_UNCHANGED" if codes else "NOTHING_TO_SCORE"

    @property
    def examples(self) -> int:
        """Return how many examples were scored."""
        return int(self.tiers["examples"].sum())

    def share(self, tier: str) -> float:
        """Return the share of the examples at a tier or above, 0 to 1. Raises `INVALID_VALUE`."""
        wanted = [name.value for name in Tier if name.least >= Tier.named(tier).least]
        return int(self.tiers.select(pl.sum_horizontal(wanted).sum()).item()) / self.examples if self.examples else 0.0

    def _lines(self) -> list[str]:
        lines = [f"{self.code}: {self.examples:,} examples, policy {self.policy.version}"]
        for row in self.tiers.iter_rows(named=True):
            counts = ", ".join(f"{row[tier.value]:,} {tier}" for tier in Tier)
            lines.append(f"{row['type']} ({self.outcomes[row['type']]}): {counts}")
        for row in self.means.iter_rows(named=True):
            parts = ", ".join(f"{part} {row[part.value]:.1f} of {POINTS[part]:g}" for part in Part)
            lines.append(f"{row['type']}, mean {row['total']:.1f}: {parts}")
        return lines

    def __repr__(self) -> str:
        most = [f"{row[1]:,} × {row[2]} ({row[0]})" for row in self.reasons.head(SHOWN).iter_rows()]
        return "\n  ".join([*self._lines(), *most])

    def _repr_html_(self) -> str:
        frames = (self.tiers, self.means.with_columns(pl.exclude("type").round(1)), self.reasons.head(SHOWN))
        return f"<p>{escape(self._lines()[0])}</p>" + "".join(_table(frame) for frame in frames if frame.height)


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why an example has its score, and what would lift it.

    `steps` are all that would gain points, each with what it alone gains; `cheapest` is the set of least effort with which the example
    reaches `next_tier`, None where no set does. `is_stale` says that the example was changed after it was scored.
    """

    example_id: str
    type: str
    total: float
    tier: Tier
    parts: Mapping[Part, float]
    reasons: tuple[Reason, ...]
    next_tier: Tier | None
    steps: tuple[LiftStep, ...]
    cheapest: tuple[LiftStep, ...] | None
    is_stale: bool
    scored_at: datetime

    def _head(self) -> str:
        changed = "; it was changed since, score again" if self.is_stale else ""
        return f"{self.example_id} ({self.type}): {self.total:.2f}, {self.tier}, scored {self.scored_at:%Y-%m-%d %H:%M}{changed}"

    def _rows(self) -> list[tuple[str, str]]:
        rows = [(part.value, f"{points:.2f} of {POINTS[part]:g}") for part, points in self.parts.items()]
        rows += [("because", f"{reason.sentence} ({reason})") for reason in self.reasons]
        rows += [("step", str(step)) for step in self.steps]
        return [*rows, *self._way()]

    def _way(self) -> list[tuple[str, str]]:
        if self.next_tier is None or not self.steps:
            return []
        if self.cheapest is None:
            return [(f"to {self.next_tier}", "no set of these steps suffices")]
        return [(f"to {self.next_tier}", " and ".join(step.sentence for step in self.cheapest))]

    def __repr__(self) -> str:
        return "\n  ".join([self._head(), *(f"{name}: {said}" for name, said in self._rows())])

    def _repr_html_(self) -> str:
        rows = "".join(f"<tr><th>{escape(name)}</th><td>{escape(said)}</td></tr>" for name, said in self._rows())
        return f"<p>{escape(self._head())}</p><table>{rows}</table>"


@dataclass(frozen=True, slots=True)
class LiftPlan:
    """The smallest set of examples to review so that a share of all reaches a tier.

    Of `examples` that no reviewer rejected, `reached` are at the tier now, `wanted` should be, `after` will be. `reviews` is in the order
    that lifts most first: example_id, type, review (validate, settle, document), similar_to, total, reviewed_total, lifts (how many
    examples this one review brings to the tier) and lifted (it and those before it). Where the share cannot be reached by review the plan
    holds all reviews that help, `missing` says how many examples stay short, and `lacks` what they lack: code, examples.
    """

    tier: Tier
    share: float
    examples: int
    reached: int
    wanted: int
    after: int
    reviews: pl.DataFrame = field(compare=False)
    lacks: pl.DataFrame = field(compare=False)

    @property
    def missing(self) -> int:
        """Return how many examples are short of the share even after all reviews."""
        return max(self.wanted - self.after, 0)

    def __bool__(self) -> bool:
        """Say whether the share is reached after these reviews."""
        return self.missing == 0

    def _lines(self) -> list[str]:
        now = f"{self.reached:,} of {self.examples:,} examples are {self.tier} or better, {self.wanted:,} should be ({self.share:.0%})"
        if not self:
            lines = [
                now,
                f"not to be reached by review: {self.missing:,} are short even after all {self.reviews.height:,} reviews that help",
            ]
            return lines + [f"{count:,} × {OF_MANY[Code(code)]} ({code})" for code, count in self.lacks.head(SHOWN).iter_rows()]
        if self.reviews.is_empty():
            return [now, "nothing to review"]
        return [now, f"{self.reviews.height:,} reviews lift {self.after - self.reached:,} examples, to {self.after:,}"]

    def __repr__(self) -> str:
        first = self.reviews.head(SHOWN).select("example_id", "review", "lifts").iter_rows()
        return "\n  ".join([*self._lines(), *(f"{one}: {' and '.join(review)}, lifts {lifts:,}" for one, review, lifts in first)])

    def _repr_html_(self) -> str:
        lines = "".join(f"<p>{escape(line)}</p>" for line in self._lines())
        return lines + (_table(self.reviews.head(SHOWN)) if self.reviews.height else "")


def _table(frame: pl.DataFrame) -> str:
    head = "".join(f"<th>{escape(name)}</th>" for name in frame.columns)
    rows = ("".join(f"<td>{escape(_cell(cell))}</td>" for cell in row) for row in frame.iter_rows())
    return f"<table><thead><tr>{head}</tr></thead><tbody>{''.join(f'<tr>{row}</tr>' for row in rows)}</tbody></table>"


def _cell(cell: object) -> str:
    if isinstance(cell, list):
        return ", ".join(map(str, cell))
    return "" if cell is None else f"{cell:,}" if isinstance(cell, int) else str(cell)
