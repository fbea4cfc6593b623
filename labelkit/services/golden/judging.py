"""Judging examples, one or a million: validated, rejected, reopened, relabelled; all of a call or none, each with its event."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

import polars as pl

from labelkit.core.actors import Action
from labelkit.core.golden.examples import NEEDS_REASON, Example, Step, text_of
from labelkit.errors import ExampleStatusConflict, ExampleVersionConflict, InvalidValue, NotFound, ReasonRequired
from labelkit.services.golden.types import type_of
from labelkit.store.golden.examples import example_of
from labelkit.store.golden.schema import Judge

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from labelkit.store.acting import Gate
    from labelkit.store.golden.examples import Move
    from labelkit.store.transaction import Transaction

LISTING = "ws.golden.to_polars()"
NAMED = 5  # ids in a sentence; all are in the refusal's facts

Ids: TypeAlias = "str | Sequence[str] | pl.Series | pl.DataFrame"


class Judging:
    """The use cases that change the state of examples, for one workspace."""

    _gate: Gate

    def validate(self, ids: Ids, reason: str | None = None) -> int:
        """Say that pending examples are right, and return how many. For reviewers and above.

        `ids` is one id, several, or a frame with `example_id`; a frame's column `version` is what the judgement rests on. All are moved
        or none. Raises `NOT_FOUND`, `EXAMPLE_STATUS_CONFLICT`, `EXAMPLE_VERSION_CONFLICT`, `PERMISSION_DENIED`.
        """
        return self._move(Step.VALIDATE, Action.JUDGE_EXAMPLE, ids, reason)

    def reject(self, ids: Ids, reason: str | None = None) -> int:
        """Say that pending examples are wrong, and why. As `validate`; raises also `REASON_REQUIRED`."""
        return self._move(Step.REJECT, Action.JUDGE_EXAMPLE, ids, reason)

    def reopen(self, ids: Ids, reason: str | None = None) -> int:
        """Take judgements back, and say why: the examples are pending again. As `validate`; raises also `REASON_REQUIRED`."""
        return self._move(Step.REOPEN, Action.JUDGE_EXAMPLE, ids, reason)

    def relabel(
        self, example_id: str, labels: Mapping[str, object], expected_version: int | None = None, *, reason: str | None = None
    ) -> Example:
        """Give a pending example other labels and return it; the labels it has are a no-op. For annotators and above.

        Raises `NOT_FOUND`, `INVALID_VALUE` (labels that its type does not allow), `EXAMPLE_STATUS_CONFLICT`, `EXAMPLE_VERSION_CONFLICT`,
        `PERMISSION_DENIED`.
        """
        text = text_of("labels", labels)
        wanted = pl.DataFrame({"example_id": [example_id], "expected": [expected_version]}, schema=_WANTED)
        with self._gate.act(Action.LABEL_EXAMPLE, f"example:{example_id}", on_conflict=_raced) as act:
            move = self._checked(act.tx, Step.RELABEL, wanted)
            row = act.tx.golden.find(act.workspace, example_id) or {}
            wrong = Judge(type_of(act.tx, act.workspace, row["type"]).labels).wrong(labels)
            if wrong is not None:
                raise InvalidValue(
                    what=f"labels {wrong[0]}".strip(), reason=wrong[1], fix="ws.golden.types.get(type).labels says what may be."
                )
            if row["labels"] == text:
                act.record("NO_OP_UNCHANGED", version=row["version"])
            else:
                act.tx.golden.save(act.workspace, move, actor=act.actor.user, reason=reason, labels=text)
                act.record("EXAMPLE_RELABELLED", version=row["version"] + 1, reason=reason)
            return example_of(act.tx.golden.find(act.workspace, example_id) or {})

    def _move(self, step: Step, action: Action, ids: Ids, reason: str | None) -> int:
        wanted = _wanted(ids)
        subject = f"example:{wanted['example_id'][0]}" if wanted.height == 1 else f"examples:{wanted.height}"
        with self._gate.act(action, subject, on_conflict=_raced) as act:
            why = (reason or "").strip() or None
            if why is None and step in NEEDS_REASON:
                raise ReasonRequired(action=f"To {step} an example")
            move = self._checked(act.tx, step, wanted)
            act.tx.golden.save(act.workspace, move, actor=act.actor.user, reason=why)
            act.record(_CODES[step], examples=move.rows.height, ids=move.rows["example_id"].head(100).to_list(), reason=why)
        return wanted.height

    def _checked(self, tx: Transaction, step: Step, wanted: pl.DataFrame) -> Move:
        workspace = self._gate.workspace.id
        move = tx.golden.move(workspace, step, wanted)
        if move.missing:
            raise not_found(tx, workspace, move.missing)
        if move.stale.height:
            raise _stale(move.stale)
        if move.illegal.height:
            shown = [f"{one} is {status}" for one, status in move.illegal.select("example_id", "status").iter_rows()]
            ids = move.illegal["example_id"].to_list()
            raise ExampleStatusConflict(count=len(ids), step=step.value, examples=_few(shown), ids=ids)
        return move


_WANTED = {"example_id": pl.String(), "expected": pl.Int32()}
_CODES = {Step.VALIDATE: "EXAMPLES_VALIDATED", Step.REJECT: "EXAMPLES_REJECTED", Step.REOPEN: "EXAMPLES_REOPENED"}


def _wanted(ids: Ids) -> pl.DataFrame:
    """Return example_id and expected (version, or null), each once. Raises `INVALID_VALUE` for what is no id."""
    fix = "Give ids, or a frame with example_id; rows that were refused have none."
    try:
        if not isinstance(ids, pl.DataFrame):
            ids = pl.DataFrame({"example_id": pl.Series([ids] if isinstance(ids, str) else ids, dtype=pl.String())})
        version = pl.col("version").cast(pl.Int32) if "version" in ids.columns else pl.lit(None, pl.Int32())
        wanted = ids.select(pl.col("example_id").cast(pl.String), version.alias("expected")).unique(maintain_order=True)
    except (TypeError, pl.exceptions.PolarsError) as error:
        raise InvalidValue(what="ids", reason=" ".join(str(error).split())[:200], fix=fix) from error
    if wanted["example_id"].null_count():
        raise InvalidValue(what="ids", reason="some are null", fix=fix)
    return wanted


def not_found(tx: Transaction, workspace: str, ids: list[str]) -> NotFound:
    """Return the refusal for ids that do not exist, with the nearest of those that do."""
    near = tx.golden.starting(workspace, ids[0][:6])
    if len(ids) == 1:
        return NotFound.among("example", ids[0], near, LISTING)
    return NotFound(
        kind="example", name=ids[0], near=f"Nor are {len(ids) - 1:,} others, among them {_few(ids[1:])}.", listing=LISTING, ids=ids
    )


def _stale(rows: pl.DataFrame) -> ExampleVersionConflict:
    shown = [
        f"{one} is at {version}, not at {expected}"
        for one, expected, version in rows.select("example_id", "expected", "version").iter_rows()
    ]
    return ExampleVersionConflict(count=rows.height, examples=_few(shown), ids=rows["example_id"].to_list())


def _raced() -> ExampleVersionConflict:
    return ExampleVersionConflict(count=1, examples="somebody else moved one of them at the same moment", ids=[])


def _few(items: Sequence[str]) -> str:
    more = len(items) - NAMED
    return ", ".join(items[:NAMED]) + (f" and {more:,} more" if more > 0 else "")
