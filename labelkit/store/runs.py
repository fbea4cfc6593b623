"""Runs of recipes: who ran what with which inputs, how it ended, and which builds it started; rows to values and back."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from enum import StrEnum
from html import escape
from typing import TYPE_CHECKING, Any

from labelkit.core.hashing import sha256_hex
from labelkit.store.liveness import is_gone

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    import polars as pl

    from labelkit.store.statements import Statements


class RunStatus(StrEnum):
    """How far a run is; `lost` is one whose process ended without saying how."""

    RUNNING = "running"
    SUCCESS = "success"
    FAILED = "failed"
    LOST = "lost"


@dataclass(frozen=True, slots=True)
class RunFile:
    """A file that a run wrote: the parameter that leads to it and its path below that, where, how large, and the sha256 of its bytes."""

    name: str
    path: str
    byte_count: int
    sha256: str


@dataclass(frozen=True)
class Run:
    """One execution of a recipe. What is not known yet, or does not apply, is None or empty; `cell_seconds` is (title, seconds)."""

    id: str
    recipe: str
    recipe_digest: str
    identity: Mapping[str, Any]
    source_digest: str
    parameters: Mapping[str, Any]
    environment: Mapping[str, str]
    replay_of: str | None
    created_at: datetime
    created_by: str
    status: RunStatus
    exit_code: int | None
    failure: str | None
    reason: str | None
    result: Mapping[str, Any] | None
    cell_seconds: tuple[tuple[str, float], ...]
    files: tuple[RunFile, ...]
    notebook_path: str | None
    notebook_sha256: str | None
    notebook_object: str | None
    ended_at: datetime | None
    datasets: tuple[str, ...]

    @property
    def seconds(self) -> float | None:
        """Return how long the run took; None until it has ended."""
        return None if self.ended_at is None else (self.ended_at - self.created_at).total_seconds()

    def __repr__(self) -> str:
        lines = [f"<Run {self.id} of {self.recipe}: {self.status}{f' ({self.failure})' if self.failure else ''}>"]
        return "\n".join([*lines, *(f"  {name}: {value}" for name, value in self._facts())])

    def _repr_html_(self) -> str:
        cell = "<td style='text-align:left'>"
        rows = "".join(
            f"<tr><th style='text-align:left'>{escape(name)}</th>{cell}{escape(value)}</td></tr>" for name, value in self._facts()
        )
        failed = f" ({escape(self.failure)})" if self.failure else ""
        return f"<p><b>{escape(self.recipe)}</b> <small>{escape(self.id)}, {self.status}{failed}</small></p><table>{rows}</table>"

    def _facts(self) -> list[tuple[str, str]]:
        took = "" if self.seconds is None else f", {self.seconds:.1f} s"
        facts = {
            "by": f"{self.created_by}, {self.created_at:%Y-%m-%d %H:%M:%S} UTC{took}",
            "digest": self.recipe_digest,
            "parameters": json.dumps(self.parameters),
            "datasets": ", ".join(self.datasets),
            "files": ", ".join(file.path for file in self.files[:5]) + (f" and {len(self.files) - 5} more" if len(self.files) > 5 else ""),
            "notebook": self.notebook_path or "",
            "replay of": self.replay_of or "",
            "reason": self.reason or "",
        }
        return [(name, value) for name, value in facts.items() if value]


@dataclass(frozen=True, slots=True)
class NewRun:
    """What is written when a run starts; `source` is the notebook's JSON text without outputs."""

    id: str
    recipe: str
    recipe_digest: str
    identity: Mapping[str, Any]
    source: str
    parameters: Mapping[str, Any]
    environment: Mapping[str, str]
    replay_of: str | None = None


@dataclass(frozen=True, slots=True)
class RunEnd:
    """What is written when a run has ended; `notebook` is the text of the executed notebook, None where there is none."""

    status: RunStatus
    exit_code: int
    notebook_path: str
    notebook: str | None
    reusable: bool = False
    failure: str | None = None
    reason: str | None = None
    result: Mapping[str, Any] | None = None
    cell_seconds: tuple[tuple[str, float], ...] = ()
    files: tuple[RunFile, ...] = field(default=())


_RUNS = """
    SELECT r.id, r.recipe, r.recipe_digest, r.identity, r.source_digest, r.parameters, r.environment, r.replay_of, r.holder,
        r.created_at, r.created_by, e.status, e.exit_code, e.failure, e.reason, e.result, e.cell_seconds, e.files, e.notebook_path,
        e.notebook_sha256, e.notebook_object, e.ended_at,
        (SELECT string_agg(b.version_id, ' ' ORDER BY b.id) FROM run_builds l JOIN builds b ON b.id = l.build_id WHERE l.run_id = r.id)
            AS datasets
    FROM runs r LEFT JOIN run_ends e ON e.run_id = r.id
"""


class RunRows:
    """Reads and writes the tables of runs."""

    def __init__(self, tx: Statements) -> None:
        self._tx = tx

    def start(self, workspace: str, run: NewRun, *, holder: str, actor: str) -> None:
        """Write a run that begins, with its notebook where no run had it before."""
        digest = sha256_hex(run.source.encode())
        if self._tx.one("SELECT digest FROM run_notebooks WHERE digest = $digest", digest=digest) is None:
            self._tx.insert("run_notebooks", [{"digest": digest, "source": run.source}])
        row = {
            "id": run.id,
            "workspace_id": workspace,
            "recipe": run.recipe,
            "recipe_digest": run.recipe_digest,
            "identity": json.dumps(run.identity),
            "source_digest": digest,
            "parameters": json.dumps(run.parameters),
            "environment": json.dumps(run.environment),
            "replay_of": run.replay_of,
            "holder": holder,
            "created_at": self._tx.now,
            "created_by": actor,
        }
        self._tx.insert("runs", [row])

    def end(self, run: str, end: RunEnd, notebook_object: str | None) -> None:
        """Write how a run ended. A second end of one run is a conflict."""
        row = {
            "run_id": run,
            "status": end.status,
            "reusable": end.reusable,
            "exit_code": end.exit_code,
            "failure": end.failure,
            "reason": end.reason,
            "result": None if end.result is None else json.dumps(end.result),
            "cell_seconds": json.dumps(end.cell_seconds),
            "files": json.dumps([[file.name, file.path, file.byte_count, file.sha256] for file in end.files]),
            "notebook_path": end.notebook_path,
            "notebook_sha256": None if end.notebook is None else sha256_hex(end.notebook.encode()),
            "notebook_object": notebook_object,
            "ended_at": self._tx.now,
        }
        self._tx.insert("run_ends", [row])

    def link(self, run: str, build: str) -> None:
        """Write that a run started a build; a run of another store is none of ours."""
        known = "SELECT $build, id FROM runs WHERE id = $run"
        self._tx.execute(f"INSERT INTO run_builds (build_id, run_id) {known}", build=build, run=run)

    def get(self, workspace: str, id: str) -> Run | None:
        """Return a run."""
        return self._one("WHERE r.workspace_id = $workspace AND r.id = $id", workspace=workspace, id=id)

    def of_build(self, build: str) -> Run | None:
        """Return the run that started a build."""
        return self._one("WHERE r.id = (SELECT run_id FROM run_builds WHERE build_id = $build)", build=build)

    def reusable(self, workspace: str, recipe_digest: str) -> Run | None:
        """Return the newest run whose result answers for a recipe digest."""
        return self._one(
            "WHERE r.workspace_id = $workspace AND r.recipe_digest = $digest AND e.reusable ORDER BY r.id DESC LIMIT 1",
            workspace=workspace,
            digest=recipe_digest,
        )

    def source(self, digest: str) -> str:
        """Return the notebook of a source digest."""
        return str(self._tx.rows("SELECT source FROM run_notebooks WHERE digest = $digest", digest=digest)[0]["source"])

    def ids(self, workspace: str) -> list[str]:
        """Return the ids of the workspace's runs, oldest first."""
        return [row["id"] for row in self._tx.rows("SELECT id FROM runs WHERE workspace_id = $workspace ORDER BY id", workspace=workspace)]

    def listed(self, workspace: str, *, recipe: str | None, limit: int) -> pl.DataFrame:
        """Return runs, newest first; `status` is null where there is no end, and `holder` says who had it."""
        return self._tx.frame(
            f"""WITH found AS ({_RUNS} WHERE r.workspace_id = $workspace AND ($recipe::TEXT IS NULL OR r.recipe = $recipe))
                SELECT id, recipe, status, exit_code, failure, created_at, created_by, ended_at, datasets, recipe_digest,
                    replay_of, notebook_path, holder
                FROM found ORDER BY id DESC LIMIT $limit""",
            workspace=workspace,
            recipe=recipe,
            limit=limit,
        )

    def _one(self, where: str, **params: object) -> Run | None:
        row = self._tx.one(_RUNS + where, **params)
        return None if row is None else _run(row)


def status_of(status: str | None, holder: str) -> RunStatus:
    """Return how far a run is, by the status that it ended with and who had it."""
    if status is not None:
        return RunStatus(status)
    return RunStatus.LOST if is_gone(holder) else RunStatus.RUNNING


def _run(row: Mapping[str, Any]) -> Run:
    read = {name: json.loads(row[name] or "[]") for name in ("cell_seconds", "files")}
    values: dict[str, Any] = {name: None if row[name] is None else json.loads(row[name]) for name in _JSON}
    return Run(
        **{name: value for name, value in row.items() if name not in ("holder", "status", "datasets", *values, *read)},
        **values,
        status=status_of(row["status"], row["holder"]),
        cell_seconds=tuple((title, seconds) for title, seconds in read["cell_seconds"]),
        files=tuple(RunFile(*file) for file in read["files"]),
        datasets=tuple((row["datasets"] or "").split()),
    )


_JSON = ("identity", "parameters", "environment", "result")
