"""Golden examples in the store: types by version, contents that never change, small states, and the events that made them."""

from __future__ import annotations

import json
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

from labelkit.core.golden.examples import EXAMPLE, Example, Status, Step
from labelkit.core.golden.types import SHIPPED, ExampleType
from labelkit.store.place import quoted

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from labelkit.store.statements import Statements

TIME = pl.Datetime("us", "UTC")
COLUMNS: dict[str, pl.DataType] = {
    "example_id": pl.String(),
    "type": pl.String(),
    "input": pl.String(),
    "expected_output": pl.String(),
    "labels": pl.String(),
    "source_decision_id": pl.String(),
    "status": pl.String(),
    "version": pl.Int32(),
    "reason": pl.String(),
    "validator": pl.String(),
    "validated_at": TIME,
    "created_at": TIME,
    "created_by": pl.String(),
    "content_digest": pl.String(),
}
SCORES: dict[str, pl.DataType] = {"quality_score": pl.Float64(), "tier": pl.String()}
# What a batch that is ready to be added has, one row a content: `row` is its place in what was given.
BATCH: dict[str, pl.DataType] = {"row": pl.Int64()} | {
    name: pl.String() for name in ("example_id", "input", "expected_output", "labels", "source_decision_id", "content_digest")
}
_NAMES = ", ".join(COLUMNS)


@dataclass(frozen=True, slots=True)
class Move:
    """What a step was asked for: example_id and the version it rests on (null: any), and where each example stands; null: not there."""

    step: Step
    rows: pl.DataFrame

    @property
    def missing(self) -> list[str]:
        """Return the ids that do not exist."""
        return self.rows.filter(pl.col("status").is_null())["example_id"].to_list()

    @property
    def stale(self) -> pl.DataFrame:
        """Return the rows whose version is not the one that the step rests on: example_id, expected, version, status."""
        return self.rows.filter(pl.col("expected") != pl.col("version"))

    @property
    def illegal(self) -> pl.DataFrame:
        """Return the rows whose status has no such step."""
        able = [status.value for status in Status if EXAMPLE.can(status, self.step)]
        return self.rows.filter(~pl.col("status").is_in(able))


class GoldenRows:
    """Reads and writes the tables of golden examples of workspaces (ids)."""

    def __init__(self, tx: Statements) -> None:
        self._tx = tx

    # --- types

    def type(self, workspace: str, name: str) -> ExampleType | None:
        """Return the newest version of a type; the shipped ones are version 1 everywhere."""
        row = self._tx.one(
            "SELECT version, schemas FROM example_types WHERE workspace_id = $workspace AND name = $name ORDER BY version DESC LIMIT 1",
            workspace=workspace,
            name=name,
        )
        return SHIPPED.get(name) if row is None else ExampleType.of_text(name, row["schemas"], row["version"])

    def types(self, workspace: str) -> list[ExampleType]:
        """Return the newest version of each type, by name."""
        rows = self._tx.rows(
            """SELECT name, version, schemas FROM example_types t WHERE workspace_id = $workspace AND version =
                   (SELECT max(version) FROM example_types WHERE workspace_id = t.workspace_id AND name = t.name)""",
            workspace=workspace,
        )
        own = {row["name"]: ExampleType.of_text(row["name"], row["schemas"], row["version"]) for row in rows}
        return [kind for _, kind in sorted((SHIPPED | own).items())]

    def add_type(self, workspace: str, kind: ExampleType, actor: str) -> None:
        """Append a version of a type. Who comes second to the same number is the use case's conflict."""
        row = {"workspace_id": workspace, "name": kind.name, "version": kind.version, "schemas": kind.text}
        self._tx.insert("example_types", [row | {"created_at": self._tx.now, "created_by": actor}])

    # --- contents

    def add(self, workspace: str, kind: ExampleType, batch: pl.DataFrame, actor: str) -> pl.DataFrame:
        """Append the examples of a batch that are not there yet, and return those that are: row, labels (present).

        A batch has the columns of `BATCH` and each id once.
        """
        with _handed(batch.select(*BATCH)) as file:
            present = self._tx.frame(
                """SELECT n.row, e.labels FROM read_parquet($file) n
                   JOIN examples e ON e.workspace_id = $workspace AND e.example_id = n.example_id ORDER BY n.row""",
                file=file,
                workspace=workspace,
            )
            if present.height < batch.height:
                self._tx.execute(
                    """INSERT INTO example_contents (workspace_id, example_id, type, type_version, input, expected_output, labels,
                           source_decision_id, content_digest, created_at, created_by)
                       SELECT $workspace, example_id, $type, $version, input, expected_output, labels, source_decision_id, content_digest,
                           $now, $actor
                       FROM read_parquet($file) n
                       WHERE NOT EXISTS (
                           SELECT 1 FROM example_contents c WHERE c.workspace_id = $workspace AND c.example_id = n.example_id)
                       ORDER BY n.row""",
                    file=file,
                    workspace=workspace,
                    type=kind.name,
                    version=kind.version,
                    now=self._tx.now,
                    actor=actor,
                )
        return present

    def frame(self, workspace: str, *, type: str | None = None, status: str | None = None) -> pl.DataFrame:
        """Return the examples with the columns of `COLUMNS`, in the order in which they came."""
        found = self._tx.frame(
            f"""SELECT {_NAMES} FROM examples
                WHERE workspace_id = $workspace AND ($type::VARCHAR IS NULL OR type = $type)
                  AND ($status::VARCHAR IS NULL OR status = $status)
                ORDER BY created_at, example_id""",
            workspace=workspace,
            type=type,
            status=status,
        )
        return found.select(pl.col(name).cast(kind) for name, kind in COLUMNS.items())

    def hand_out(self, workspace: str, file: Path, *, type: str | None, status: str | None) -> None:
        """Write the examples with the columns of `COLUMNS`, in order of their ids, to a Parquet file; its times have no zone."""
        self._tx.execute(
            f"""COPY (SELECT {_NAMES} FROM examples
                    WHERE workspace_id = $workspace AND (CAST($type AS VARCHAR) IS NULL OR type = $type)
                      AND (CAST($status AS VARCHAR) IS NULL OR status = $status)
                    ORDER BY example_id) TO {quoted(str(file))} (FORMAT parquet, COMPRESSION lz4)""",
            workspace=workspace,
            type=type,
            status=status,
        )

    def find(self, workspace: str, example_id: str) -> dict[str, Any] | None:
        """Return one row of the relation, None where there is no such id."""
        return self._tx.one(
            f"SELECT {_NAMES} FROM examples WHERE workspace_id = $workspace AND example_id = $id", workspace=workspace, id=example_id
        )

    def starting(self, workspace: str, start: str) -> list[str]:
        """Return a few ids that start so, for a refusal that helps."""
        rows = self._tx.rows(
            "SELECT example_id FROM examples WHERE workspace_id = $workspace AND starts_with(example_id, $start) ORDER BY 1 LIMIT 10",
            workspace=workspace,
            start=start,
        )
        return [row["example_id"] for row in rows]

    def counts(self, workspace: str) -> pl.DataFrame:
        """Return one row a type that has examples: type, examples, pending, validated, rejected, newest_at."""
        return self._tx.frame(
            """SELECT type, count(*) AS examples, count(*) FILTER (WHERE status = 'pending') AS pending,
                   count(*) FILTER (WHERE status = 'validated') AS validated, count(*) FILTER (WHERE status = 'rejected') AS rejected,
                   max(created_at) AS newest_at
               FROM examples WHERE workspace_id = $workspace GROUP BY type ORDER BY type""",
            workspace=workspace,
        )

    # --- states

    def move(self, workspace: str, step: Step, wanted: pl.DataFrame) -> Move:
        """Return where the wanted examples stand; `wanted` has example_id and expected (a version, or null)."""
        with _handed(wanted.select(pl.col("example_id").cast(pl.String), pl.col("expected").cast(pl.Int32))) as file:
            rows = self._tx.frame(
                """SELECT n.example_id, n.expected, e.status, e.version, e.labels FROM read_parquet($file) n
                   LEFT JOIN examples e ON e.workspace_id = $workspace AND e.example_id = n.example_id ORDER BY n.example_id""",
                file=file,
                workspace=workspace,
            )
        return Move(step, rows)

    def save(self, workspace: str, move: Move, *, actor: str, reason: str | None, labels: str | None = None) -> None:
        """Append an event for each row of a move that is legal, and move the heads. Who comes second is the use case's conflict.

        `labels` are canonical JSON, for a relabelling; else labels stay.
        """
        before = pl.col("status").alias("status_before")
        after = pl.col("status").replace_strict(
            {s.value: EXAMPLE.move(s, move.step).value for s in Status if EXAMPLE.can(s, move.step)}, return_dtype=pl.String()
        )
        judged = move.step in (Step.VALIDATE, Step.REJECT)
        common = (pl.lit(workspace).alias("workspace_id"), pl.lit(reason, dtype=pl.String()).alias("reason"))
        new_labels = pl.col("labels") if labels is None else pl.lit(labels)
        heads = move.rows.select(
            *common,
            "example_id",
            pl.col("version") + 1,
            after.alias("status"),
            new_labels.alias("labels"),
            pl.lit(actor if judged else None, dtype=pl.String()).alias("validator"),
            pl.lit(self._tx.now if judged else None, dtype=TIME).alias("validated_at"),
        )
        events = move.rows.select(
            *common,
            "example_id",
            (pl.col("version") + 1).alias("number"),
            pl.lit(move.step.value).alias("step"),
            before,
            after.alias("status_after"),
            (pl.col("labels") if labels is not None else pl.lit(None, dtype=pl.String())).alias("labels_before"),
            pl.lit(labels, dtype=pl.String()).alias("labels_after"),
            pl.lit(actor).alias("actor"),
            pl.lit(self._tx.now, dtype=TIME).alias("changed_at"),
        )
        self._tx.insert("example_events", events)
        self._tx.insert("example_heads", heads.filter(pl.col("version") == 2))
        with _handed(heads.filter(pl.col("version") > 2).with_columns(pl.col("validated_at").dt.replace_time_zone(None))) as file:
            self._tx.execute(
                """UPDATE example_heads SET version = n.version, status = n.status, labels = n.labels, reason = n.reason,
                       validator = n.validator, validated_at = n.validated_at
                   FROM read_parquet($file) n
                   WHERE example_heads.workspace_id = n.workspace_id AND example_heads.example_id = n.example_id""",
                file=file,
            )

    def history(self, workspace: str, example_id: str) -> pl.DataFrame:
        """Return what happened to an example, the newest first, down to its adding, which has no event of its own."""
        return self._tx.frame(
            """SELECT number AS version, step, status_before AS "from", status_after AS "to", labels_before, labels_after, actor,
                   changed_at, reason
               FROM example_events WHERE workspace_id = $workspace AND example_id = $id
               UNION ALL
               SELECT 1, 'add', NULL, 'pending', NULL, labels, created_by, created_at, NULL
               FROM example_contents WHERE workspace_id = $workspace AND example_id = $id
               ORDER BY version DESC""",
            workspace=workspace,
            id=example_id,
        )


def example_of(row: dict[str, Any]) -> Example:
    """Return a row of the relation, with or without scores, as the value it is."""
    texts = {name: json.loads(row[name]) for name in ("input", "expected_output", "labels")}
    known = {name: row[name] for name in (*COLUMNS, *SCORES) if name in row and name not in {"example_id", "content_digest"}}
    return Example(**{**known, **texts, "status": Status(row["status"])})


def frame_of(examples: Sequence[Example]) -> pl.DataFrame:
    """Return examples as a frame like `ws.golden.to_polars()`."""
    return pl.DataFrame([example.as_row() for example in examples], schema=COLUMNS | SCORES)


@contextmanager
def _handed(rows: pl.DataFrame) -> Iterator[str]:
    """Give rows to the engine as a temporary Parquet file, and its path."""
    with tempfile.TemporaryDirectory(prefix="labelkit-golden-") as folder:
        file = Path(folder, "rows.parquet")
        rows.write_parquet(file, compression="lz4")
        yield str(file)
