"""Adding examples, one or a million: prepared outside the lock, added in one transaction, each row accounted for."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import polars as pl

from labelkit.core.actors import Action
from labelkit.core.golden.examples import RowOutcome
from labelkit.errors import InvalidValue, StoreConflict
from labelkit.formats.keyed.row_sources import local_copy
from labelkit.services.golden.reading import given_of_file
from labelkit.services.golden.types import type_of
from labelkit.store.golden.intake import Intake, intake
from labelkit.store.golden.rows import given_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from labelkit.core.golden.types import ExampleType
    from labelkit.store.acting import Gate

SHOWN = 5  # refused rows that a report prints


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
        for row, part, path, reason in self.refused.head(SHOWN).iter_rows():
            place = "/".join(name for name in (part, path) if name)
            lines.append(f"  row {row}{f', {place}' if place else ''}: {reason}")
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        head = repr(self).splitlines()[0]
        tables = [frame.head(10)._repr_html_() for frame in (self.refused, self.differing) if frame.height]
        return f"<p>{head}</p>{''.join(tables)}"


class Examples:
    """The use cases that bring examples in, for one workspace."""

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
        kind = self._kind(type)
        return self._added(kind, *given_of(examples, source_decision_ids))

    def add_file(
        self,
        format: str,
        path: str | Path,
        type: str | None = None,
        *,
        storage_options: Mapping[str, object] | None = None,
    ) -> AddReport:
        """Add the examples of files: an export of examples, or JSONL, CSV, Parquet and other rows of anybody's, also at a URL of fsspec.

        Rows have input (or input_json, input_data) and expected_output (or output, output_json), and may have labels, source_decision_id
        and type; lines of JSONL may keep the last three in `metadata`. Without `type` the rows say which, and it is one for all. What was
        exported comes back with the ids it had; it is pending, whatever it was where it comes from. The report's `row` counts from 0.
        For annotators and above. Raises `UNKNOWN_FORMAT`, `LABELS_NOT_FOUND`, `LABELS_UNREADABLE`, `EXPORT_DAMAGED` and what `add` raises.
        """
        with local_copy(path, storage_options) as here:
            given, refused = given_of_file(format, here)
        types = given["type"].drop_nulls().unique().sort().to_list()
        if type is None and len(types) != 1:
            reason = f"the rows are of {', '.join(types)}" if types else "the rows do not say"
            raise InvalidValue(what="type", reason=reason, fix="Name the type whose examples are to be added.")
        kind = self._kind(type or types[0])
        other = given.filter(pl.col("type").is_not_null() & (pl.col("type") != kind.name))
        fallen = other.select(
            "row", part=pl.lit("type"), path=pl.lit(""), reason=pl.format("it is a {}, not a {}", "type", pl.lit(kind.name))
        )
        return self._added(kind, given.join(other, on="row", how="anti", maintain_order="left").drop("type"), pl.concat([refused, fallen]))

    def _kind(self, type: str) -> ExampleType:
        """Return the type, and refuse who may not add, before the work and not after it."""
        with self._gate.read() as (tx, actor):
            kind = type_of(tx, self._gate.workspace.id, type)
        self._gate.require(Action.LABEL_EXAMPLE, f"examples:{type}", actor)
        return kind

    def _added(self, kind: ExampleType, given: pl.DataFrame, refused: pl.DataFrame) -> AddReport:
        coming = intake(kind, given, refused)
        with self._gate.act(Action.LABEL_EXAMPLE, f"examples:{kind.name}", on_conflict=StoreConflict) as act:
            present = act.tx.golden.add(act.workspace, kind, coming.batch, act.actor.user)
            report = _report(kind.name, coming, present)
            act.record("EXAMPLES_ADDED", added=report.added, present=report.present, refused=report.refused["row"].n_unique())
        return report


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
