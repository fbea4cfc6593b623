"""`ws.golden.score`, `explain` and `lift_plan`: how good examples are, why, and what to review first."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from labelkit.core.actors import Action
from labelkit.core.golden.lifting import cheapest, steps
from labelkit.core.golden.reasons import Reason
from labelkit.core.golden.score_rules import ScorePolicy, of_type
from labelkit.core.golden.scoring import Part
from labelkit.core.golden.tiers import Tier
from labelkit.errors import ExamplesNotScored, InvalidValue, NotFound, StoreConflict
from labelkit.services.golden.score_values import Explanation, LiftPlan, ScoreReport
from labelkit.services.golden.types import type_of
from labelkit.store.golden import scores as golden_scores
from labelkit.store.golden.score_lift import lift
from labelkit.store.golden.scoring import score_to
from labelkit.store.golden.scoring_summary import summary

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from labelkit.store.acting import Act, Gate
    from labelkit.store.golden.scores import Scoring as Kept


@dataclass(frozen=True, slots=True)
class _Scored:
    """The scores of a type in a file, before anybody names them."""

    type: str
    file: Path
    digest: str
    examples: int


class Scoring:
    """The use cases of quality, for one workspace."""

    _gate: Gate

    def score(
        self,
        type: str | None = None,
        policy: ScorePolicy | Mapping[str, object] | None = None,
        *,
        label_quality: pl.DataFrame | None = None,
    ) -> ScoreReport:
        """Score all examples, or those of a type, in one pass, and report tiers, means and the most frequent reasons.

        Without a `policy`, and for types that it has no rules for, what follows from the schemas of the type holds. `label_quality` is one
        more input of correctness: a frame with example_id and quality, 0 (surely mislabelled) to 1, for some or all examples, as cleanlab
        gives it. The scores of a type are one immutable object; equal examples and policy give equal scores, and a type whose newest
        scores are these already is reported as NO_OP_UNCHANGED. For annotators and above.
        Raises `NOT_FOUND` (the type), `INVALID_VALUE` (policy, label_quality), `PERMISSION_DENIED`.
        """
        workspace, subject = self._gate.workspace.id, f"scores:{type or '*'}"
        rules = policy if isinstance(policy, ScorePolicy) else ScorePolicy.model_validate(policy or {})
        with self._gate.read() as (tx, actor):
            asked = tx.golden.types(workspace) if type is None else [type_of(tx, workspace, type)]
            present = set(tx.golden.counts(workspace)["type"])
        self._gate.require(Action.LABEL_EXAMPLE, subject, actor)
        kinds = [kind for kind in asked if kind.name in present]
        whole = rules.completed({kind.name: of_type(kind.name, kind.input, kind.expected_output, kind.labels) for kind in kinds})
        with tempfile.TemporaryDirectory(prefix="labelkit-scores-") as folder:
            made = self._scored(whole, Path(folder), label_quality)
            outcomes = self._kept(made, whole, subject)
            return ScoreReport(outcomes, *summary(self._gate.database, [one.file for one in made]), whole)

    def explain(self, example_id: str) -> Explanation:
        """Return the parts of an example's newest score with their reasons, what would lift it, and the cheapest way to the next tier.

        Raises `NOT_FOUND`, `EXAMPLES_NOT_SCORED`.
        """
        workspace, objects = self._gate.workspace.id, self._gate.database.objects
        with self._gate.read() as (tx, _):
            example = tx.golden.find(workspace, example_id)
            if example is None:
                near = tx.golden.starting(workspace, example_id[:8])
                raise NotFound.among("example", example_id, near, "ws.golden.to_polars()")
            newest = golden_scores.newest(tx, workspace, example["type"])
        row = golden_scores.score_row(objects, newest[0], example_id) if newest else None
        if row is None:
            raise ExamplesNotScored(what=f"the example {example_id}")
        rules, facts = newest[0].rules, golden_scores.facts_of(row, newest[0].rules)
        tier = Tier(row["tier"])
        return Explanation(
            example_id,
            row["type"],
            row["total"],
            tier,
            {part: row[part.value] for part in Part},
            tuple(Reason.parsed(text) for text in row["reasons"]),
            tier.above,
            steps(facts, rules),
            None if tier.above is None else cheapest(facts, rules, tier.above),
            row["version"] != example["version"],
            newest[0].created_at,
        )

    def lift_plan(self, tier: str, share: float = 0.8, type: str | None = None) -> LiftPlan:
        """Return the smallest set of examples to review so that at least `share` of all, or of a type, are of a tier or better.

        Whoever reviews an example is taken to validate it, to say why where it is an edge case, and to settle which output is right where
        similar examples expect something else, which lifts these too. Examples that a reviewer rejected do not count. Rests on the newest
        scores. Raises `NOT_FOUND` (the type), `INVALID_VALUE`, `EXAMPLES_NOT_SCORED`.
        """
        wanted = Tier.named(tier)
        if not 0 < share <= 1:
            raise InvalidValue(what="share", reason=f"{share} is no share", fix="Give a number above 0, 1 at most.")
        with self._gate.read() as (tx, _):
            if type is not None:
                type_of(tx, self._gate.workspace.id, type)
            newest = golden_scores.newest(tx, self._gate.workspace.id, type)
        if not newest:
            raise ExamplesNotScored(what="any example" if type is None else f"examples of the type {type}")
        found = lift(self._gate.database, [one.object for one in newest], wanted, share)
        return LiftPlan(wanted, share, found.examples, found.reached, found.wanted, found.after, found.reviews, found.lacks)

    def _scored(self, policy: ScorePolicy, folder: Path, label_quality: pl.DataFrame | None) -> list[_Scored]:
        """Score each type of a policy into a file."""
        database, quality = self._gate.database, None
        if label_quality is not None:
            quality = folder / "quality.parquet"
            _checked(label_quality).write_parquet(quality)
        made = []
        for name, rules in policy.types.items():
            examples, file = folder / "examples.parquet", folder / f"{name}.parquet"
            with self._gate.read() as (tx, _):
                golden_scores.hand_out(tx, self._gate.workspace.id, name, examples)
            score_to(database, file, examples, ScorePolicy(version=policy.version, types={name: rules}), label_quality=quality)
            made.append(_Scored(name, file, *golden_scores.digest_of_scores(file)))
        return made

    def _kept(self, made: Sequence[_Scored], policy: ScorePolicy, subject: str) -> dict[str, str]:
        """Name the scores that are new, and return the outcome of each type."""
        objects = self._gate.database.objects
        with self._gate.read() as (tx, _):
            before = {one.type: one for one in golden_scores.newest(tx, self._gate.workspace.id)}
        policies = {one.type: ScorePolicy(version=policy.version, types={one.type: policy.types[one.type]}) for one in made}
        stored = {one.type: objects.put_file(one.file) for one in made if not _is_same(before.get(one.type), one, policies[one.type])}
        outcomes = {one.type: "SCORED" if one.type in stored else "NO_OP_UNCHANGED" for one in made}
        with self._gate.act(Action.LABEL_EXAMPLE, subject, on_conflict=StoreConflict) as act:
            for one in made:
                if one.type in stored:
                    _add(act, one, stored[one.type], policies[one.type])
            act.record("EXAMPLES_SCORED" if stored else "NO_OP_UNCHANGED", outcomes=outcomes, policy=policy.digest)
        return outcomes


def _add(act: Act, made: _Scored, digest: str, policy: ScorePolicy) -> None:
    golden_scores.add(
        act.tx,
        act.workspace,
        made.type,
        scores_object=digest,
        digest=made.digest,
        policy=policy,
        examples=made.examples,
        actor=act.actor.user,
    )


def _is_same(before: Kept | None, made: _Scored, policy: ScorePolicy) -> bool:
    return before is not None and (before.digest, before.policy.digest) == (made.digest, policy.digest)


def _checked(given: pl.DataFrame) -> pl.DataFrame:
    """Return label quality as scoring reads it. Raises `INVALID_VALUE`."""
    fix = "Give one row an example: example_id (text) and quality, from 0 (surely mislabelled) to 1."
    if not {"example_id", "quality"} <= set(given.columns):
        raise InvalidValue(what="label_quality", reason=f"its columns are {', '.join(given.columns)}", fix=fix)
    try:
        rows = given.select(pl.col("example_id").cast(pl.String), pl.col("quality").cast(pl.Float64))
    except pl.exceptions.PolarsError as error:
        raise InvalidValue(what="label_quality", reason="quality is no number", fix=fix) from error
    wrong = rows.filter(pl.col("example_id").is_null() | ~pl.col("quality").is_between(0, 1).fill_null(value=False))
    if wrong.height:
        raise InvalidValue(what="label_quality", reason=f"{wrong.height:,} rows have no quality from 0 to 1", fix=fix)
    if rows["example_id"].is_duplicated().any():
        raise InvalidValue(what="label_quality", reason="an example_id comes more than once", fix=fix)
    return rows
