"""Adding examples, looking at them, judging them: what `ws.golden` does with single and many examples."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

import polars as pl

from labelkit.core.actors import Action
from labelkit.core.golden.examples import NEEDS_REASON, Example, RowOutcome, Step, text_of
from labelkit.errors import ExampleStatusConflict, ExampleVersionConflict, InvalidValue, NotFound, ReasonRequired, StoreConflict
from labelkit.services.golden.types import type_of
from labelkit.store.golden import example_of
from labelkit.store.golden_intake import Intake, intake
from labelkit.store.golden_rows import given_of
from labelkit.store.golden_schema import Judge

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from labelkit.core.actors import Actor
    from labelkit.store.acting import Gate
    from labelkit.store.golden import Move
    from labelkit.store.transaction import Transaction

LISTING = "ws.golden.to_polars()"
NAMED = 5  # ids in a sentence; all are in the refusal's facts

Ids: TypeAlias = "str | Sequence[str] | pl.Series | pl.DataFrame"


@dataclass(frozen=True, slots=True)
class AddReport:
    """What became of rows that were to be added, each known by its place `row` (from 0) in what was given.

    `added` and `present` count; present are rows whose content was there before or came earlier in the same batch. `refused` has row, part,
    path and reason; `differing` are present rows whose labels are not those given, which were not taken over: row, example_id, labels
    (given), present_labels. `rows` has one row for each given: row, outcome, example_id (null where refused).
    """

    type: str
    added: int
    present: int
    refused: pl.DataFrame = field(compare=False)
    differing: pl.DataFrame = field(compare=False)
    rows: pl.DataFrame = field(compare=False)

    def __repr__(self) -> str:
        lines = [f"{self.type}: {self.added:,} added, {self.present:,} present already, {self.refused['row'].n_unique():,} refused"]
        if self.differing.height:
            lines.append(f"  {self.differing.height:,} present with other labels, which stay: ws.golden.relabel(id, labels) changes them")
        for row, part, path, reason in self.refused.head(NAMED).iter_rows():
            place = "/".join(name for name in (part, path) if name)
            lines.append(f"  row {row}{f', {place}' if place else ''}: {reason}")
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        head = repr(self).splitlines()[0]
        tables = [frame.head(10)._repr_html_() for frame in (self.refused, self.differing) if frame.height]
        return f"<p>{head}</p>{''.join(tables)}"


class Examples:
    """The use cases of examples, for one workspace."""

    _gate: Gate

    def add(
        self,
        type: str,
        examples: Iterable[Mapping[str, object] | object] | pl.DataFrame,
        *,
        source_decision_ids: Sequence[str | None] | pl.Series | None = None,
    ) -> AddReport:
        """Add examples of a type, one or a million, and report what became of each row.

        An example is a mapping or pydantic model with `input`, `expected_output`, and if you like `labels` and `source_decision_id`; or
        rows of a frame with these columns: text columns hold JSON, struct and list columns the values, a null field being none. Each part
        is held against the type's JSON Schema; rows that do not fit, or are no JSON, are refused with path and reason, and the others are
        added, all together or, where the store fails, none. Content that is there already stays as it is and is reported, with its labels
        where they differ from those given. New examples are pending, version 1. For annotators and above.
        Raises `NOT_FOUND` (the type), `INVALID_VALUE` (columns of a frame), `PERMISSION_DENIED`.
        """
        with self._gate.read() as (tx, actor):
            kind = type_of(tx, self._gate.workspace.id, type)
        self._must(actor, Action.LABEL_EXAMPLE, f"examples:{type}")
        coming = intake(kind, *given_of(examples, source_decision_ids))
        with self._gate.act(Action.LABEL_EXAMPLE, f"examples:{type}", on_conflict=StoreConflict) as act:
            present = act.tx.golden.add(act.workspace, kind, coming.batch, act.actor.user)
            report = _report(type, coming, present)
            act.record("EXAMPLES_ADDED", added=report.added, present=report.present, refused=report.refused["row"].n_unique())
        return report

    def get(self, example_id: str) -> Example:
        """Return an example by its id. Raises `NOT_FOUND`."""
        workspace = self._gate.workspace.id
        with self._gate.read() as (tx, _):
            row = tx.golden.find(workspace, example_id)
            if row is None:
                raise _not_found(tx, workspace, [example_id])
        return example_of(row)

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

    def history(self, example_id: str) -> pl.DataFrame:
        """Return what happened to an example, the newest first: version, step, from, to, labels_before, labels_after, actor, changed_at,
        reason. Raises `NOT_FOUND`.
        """
        workspace = self._gate.workspace.id
        with self._gate.read() as (tx, _):
            found = tx.golden.history(workspace, example_id)
            if found.is_empty():
                raise _not_found(tx, workspace, [example_id])
        return found

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
            raise _not_found(tx, workspace, move.missing)
        if move.stale.height:
            raise _stale(move.stale)
        if move.illegal.height:
            shown = [f"{one} is {status}" for one, status in move.illegal.select("example_id", "status").iter_rows()]
            ids = move.illegal["example_id"].to_list()
            raise ExampleStatusConflict(count=len(ids), step=step.value, examples=_few(shown), ids=ids)
        return move

    def _must(self, actor: Actor, action: Action, subject: str) -> None:
        """Refuse before the work, not after it."""
        if not actor.may(action, self._gate.workspace.id):
            refused = actor.refusal(action, self._gate.workspace.id, self._gate.workspace.name)
            self._gate.deny(action, subject, refused)
            raise refused


_WANTED = {"example_id": pl.String(), "expected": pl.Int32()}
_CODES = {Step.VALIDATE: "EXAMPLES_VALIDATED", Step.REJECT: "EXAMPLES_REJECTED", Step.REOPEN: "EXAMPLES_REOPENED"}


def _report(type: str, coming: Intake, present: pl.DataFrame) -> AddReport:
    """Return what became of each row; `present` has row and labels of the contents that were there before."""
    batch = coming.batch.select("row", "example_id", "labels").join(
        present.rename({"labels": "present_labels"}), on="row", how="left", maintain_order="left"
    )
    held = pl.coalesce("present_labels", "labels")
    repeats = coming.repeats.select("row", "example_id", "labels").join(
        batch.select("example_id", present_labels=held), on="example_id", how="left", maintain_order="left"
    )
    other = pl.col("present_labels") != pl.col("labels")
    outcome = (
        pl.when(pl.col("present_labels").is_null())
        .then(pl.lit(RowOutcome.ADDED.value))
        .when(other)
        .then(pl.lit(RowOutcome.PRESENT_OTHER_LABELS.value))
        .otherwise(pl.lit(RowOutcome.PRESENT.value))
        .alias("outcome")
    )
    known = pl.concat([batch, repeats])
    fallen = coming.refused.select("row", pl.lit(RowOutcome.REFUSED.value).alias("outcome"), pl.lit(None, pl.String()).alias("example_id"))
    rows = pl.concat([known.select("row", outcome, "example_id"), fallen.unique("row")]).sort("row")
    added = batch["present_labels"].null_count()
    return AddReport(type, added, known.height - added, coming.refused, known.filter(other).sort("row"), rows)


def _wanted(ids: Ids) -> pl.DataFrame:
    if isinstance(ids, pl.DataFrame):
        expected = pl.col("version").cast(pl.Int32) if "version" in ids.columns else pl.lit(None, pl.Int32())
        return ids.select(pl.col("example_id").cast(pl.String), expected.alias("expected")).unique(maintain_order=True)
    several = pl.Series("example_id", [ids] if isinstance(ids, str) else ids, dtype=pl.String()).unique(maintain_order=True)
    return pl.DataFrame({"example_id": several}).with_columns(pl.lit(None, pl.Int32()).alias("expected"))


def _not_found(tx: Transaction, workspace: str, ids: list[str]) -> NotFound:
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
