"""`ws.runs`: what recipes were run, by whom, with which inputs and outputs; the record of a run, and what one answers for another."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import polars as pl

from labelkit.core.actors import Action
from labelkit.core.datasets.builds import BuildStatus
from labelkit.errors import InvalidValue, NotFound
from labelkit.store.ids import new_id
from labelkit.store.liveness import holder
from labelkit.store.runs import NewRun, Run, RunEnd, RunFile, RunStatus, status_of
from labelkit.store.versions import snapshots

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from labelkit.core.versions import Tree
    from labelkit.store.acting import Gate

__all__ = ["Changes", "NewRun", "Run", "RunEnd", "RunFile", "RunStatus", "Runs", "new_run_id"]

EXAMPLES = 5


def new_run_id() -> str:
    """Return the id of a run that is about to start."""
    return new_id("run")


@dataclass(frozen=True, slots=True)
class Changes:
    """How the samples of two dataset versions differ: counts by sample key, and the first keys of each kind."""

    added: int
    removed: int
    changed: int
    examples: Mapping[str, tuple[str, ...]]

    def __bool__(self) -> bool:
        return bool(self.added or self.removed or self.changed)

    def __str__(self) -> str:
        return f"{self.added} samples added, {self.removed} removed, {self.changed} changed"


class Runs:
    """Every use case of recorded runs, for one workspace."""

    def __init__(self, gate: Gate) -> None:
        self._gate = gate

    def list(self, *, recipe: str | None = None, limit: int = 100) -> pl.DataFrame:
        """Return runs, newest first.

        Columns: id, recipe, status (running, success, failed, lost), exit_code, failure, created_at, created_by, seconds, datasets (ids of
        the versions whose builds it started), recipe_digest, replay_of, notebook_path.
        """
        with self._gate.read() as (tx, _):
            rows = tx.runs.listed(self._gate.workspace.id, recipe=recipe, limit=limit)
        status = [str(status_of(*row)) for row in rows.select("status", "holder").iter_rows()]
        return rows.with_columns(
            status=pl.Series(status, dtype=pl.String()),
            seconds=(pl.col("ended_at") - pl.col("created_at")).dt.total_milliseconds() / 1000,
            datasets=pl.col("datasets").fill_null("").str.split(" ").list.eval(pl.element().filter(pl.element() != "")),
        ).select(LISTED)

    def get(self, run: str) -> Run:
        """Return a run by its id. Raises `NOT_FOUND` with the nearest id."""
        with self._gate.read() as (tx, _):
            found = tx.runs.get(self._gate.workspace.id, run)
            if found is None:
                raise NotFound.among("run", run, tx.runs.ids(self._gate.workspace.id), "ws.runs.list()")
        return found

    def notebook(self, run: str, kind: Literal["executed", "source"] = "executed") -> str:
        """Return the JSON text of the executed notebook of a run, or of the notebook that it executed.

        Raises `NOT_FOUND`, and `INVALID_VALUE` for a run that kept no executed notebook.
        """
        found = self.get(run)
        if kind == "source":
            with self._gate.read() as (tx, _):
                return tx.runs.source(found.source_digest)
        if found.notebook_object is None:
            raise InvalidValue(what=run, reason="the run kept no executed notebook", fix="Look at its reason in ws.runs.get(...).")
        return str(self._gate.database.objects.read_frame(found.notebook_object)["notebook"][0])

    # --- the record of a run, for whoever runs recipes

    def start(self, run: NewRun) -> None:
        """Record that a run begins. Raises `PERMISSION_DENIED` and what a store raises that cannot be written."""
        with self._gate.act(Action.READ, f"recipe:{run.recipe}") as act:
            act.tx.runs.start(self._gate.workspace.id, run, holder=holder(), actor=act.actor.user)
            act.record("RUN_STARTED", run=run.id, recipe_digest=run.recipe_digest, replay_of=run.replay_of)

    def end(self, run: NewRun, end: RunEnd) -> None:
        """Record how a run ended, with its executed notebook."""
        kept = None if end.notebook is None else self._gate.database.objects.put_frame(pl.DataFrame({"notebook": [end.notebook]}))
        with self._gate.act(Action.READ, f"recipe:{run.recipe}") as act:
            act.tx.runs.end(run.id, end, kept)
            act.record(f"RUN_{end.status.upper()}", run=run.id, exit_code=end.exit_code, failure=end.failure)

    def answer(self, recipe: str, recipe_digest: str, *, holds: Callable[[Mapping[str, Any]], bool] | None = None) -> Run | None:
        """Return the run that answers for a recipe digest, None where there is none: its dataset is whole and its files are there.

        `holds` says what else the recipe wants of the result, which it is given. An answer counts as a build: who may not build gets
        `PERMISSION_DENIED`. Datasets with hard fails are never one, because whether they are refused depends on where the recipe runs.
        """
        with self._gate.read() as (tx, _):
            found = tx.runs.reusable(self._gate.workspace.id, recipe_digest)
            named = None if found is None or found.result is None else found.result.get("dataset")
            dataset = None if named is None else tx.datasets.build(self._gate.workspace.id, str(named))
        if found is None or (named is not None and (dataset is None or dataset.status is not BuildStatus.SUCCESS)):
            return None
        if (dataset is not None and dataset.quality.hard_fails) or not all(map(_is_there, found.files)):
            return None
        if holds is not None and not holds(found.result or {}):
            return None
        with self._gate.act(Action.BUILD, f"recipe:{recipe}") as act:
            act.record("RUN_REUSED", run=found.id, recipe_digest=recipe_digest)
        return found

    # --- comparing what runs made

    def working_copy(self, path: str | Path) -> None:
        """Make a store at `path` in which a recipe can be run again without a trace in this one; objects are shared, not copied."""
        self._gate.database.working_copy(path)

    def schema(self, dataset: str) -> dict[str, str]:
        """Return the columns of a dataset version (id) with their types; reads the head of one object."""
        tree = self._tree(dataset)
        rows = self._gate.database.objects.scan(tree.objects[:1]).drop(snapshots.ROW_DIGEST)
        return {name: str(kind) for name, kind in rows.collect_schema().items()}

    def changes(self, left: str, right: str) -> Changes:
        """Return how the samples of two dataset versions (ids) differ. Only chunks that are not in both are read."""
        sides = self._tree(left), self._tree(right)
        shared = {chunk.digest for chunk in sides[0].chunks} & {chunk.digest for chunk in sides[1].chunks}
        rows = [self._digests([chunk.object for chunk in tree.chunks if chunk.digest not in shared], tree.key) for tree in sides]
        both = rows[0].join(rows[1], on="key", how="full", coalesce=True, suffix="_after").sort("key")
        before, after = pl.col("digest"), pl.col("digest_after")
        kinds = {
            "added": both.filter(before.is_null())["key"],
            "removed": both.filter(after.is_null())["key"],
            "changed": both.filter(before != after)["key"],
        }
        counts = {kind: len(keys) for kind, keys in kinds.items()}
        return Changes(**counts, examples={kind: tuple(keys.head(EXAMPLES)) for kind, keys in kinds.items()})

    def _digests(self, objects: Sequence[str], key: str) -> pl.DataFrame:
        if len(objects) == 0:
            return pl.DataFrame(schema={"key": pl.String(), "digest": pl.String()})
        rows = self._gate.database.objects.scan(objects).select(key=key, digest=snapshots.ROW_DIGEST)
        return snapshots.collected(rows)

    def _tree(self, dataset: str) -> Tree:
        with self._gate.read() as (tx, _):
            row = tx.datasets.build(self._gate.workspace.id, dataset)
            if row is None or row.snapshot_id is None:
                raise NotFound.among("dataset version", dataset, None, "ws.datasets.list()")
            return tx.datasets.snapshots.tree(row.snapshot_id)


def _is_there(file: RunFile) -> bool:
    """Say whether a file is where it was written, as large as it was."""
    with suppress(OSError):
        return Path(file.path).stat().st_size == file.byte_count
    return False


LISTED = [
    "id",
    "recipe",
    "status",
    "exit_code",
    "failure",
    "created_at",
    "created_by",
    "seconds",
    "datasets",
    "recipe_digest",
    "replay_of",
    "notebook_path",
]
