"""Executes a notebook through papermill, cell by cell, under a deadline, and says how it ended."""

from __future__ import annotations

import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from labelkit import errors
from labelkit.recipes import notebooks, rendering
from labelkit.recipes.delivery import target_of
from labelkit.recipes.identity import prepare
from labelkit.recipes.lineage import Lineage
from labelkit.recipes.outcome import REUSED, RunOutcome, code_of_result, exit_code
from labelkit.recipes.places import declared_outputs
from labelkit.recipes.recording import Recorder
from labelkit.services.datasets.building.planning import RECIPE_DIGEST, RUN
from labelkit.services.runs import RunEnd, RunFile, RunStatus

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from nbformat import NotebookNode
    from papermill.exceptions import PapermillExecutionError
    from pydantic import BaseModel

    from labelkit.recipes.identity import Identity, Job
    from labelkit.recipes.notebooks import Notebook
    from labelkit.services.runs import NewRun, Run

DEFAULT_TIMEOUT_S = 3600.0


@dataclass(frozen=True, slots=True)
class CellProgress:
    """A code cell that begins: its number from 1, the number of code cells, and its first line."""

    number: int
    total: int
    title: str


@dataclass(frozen=True, slots=True)
class Way:
    """How a job is run: where its files go, how long it may take, who follows it, where its lineage goes."""

    output: Path
    timeout_s: float = DEFAULT_TIMEOUT_S
    progress: Callable[[CellProgress], None] | None = None
    lineage: str | None = None


@dataclass(frozen=True, slots=True)
class Made:
    """What an execution made: the executed notebook, the result that it shows, and every file where its parameters say that it writes."""

    notebook: Path
    result: Mapping[str, Any] | None
    files: tuple[RunFile, ...]


@dataclass(frozen=True, slots=True)
class Again:
    """That an execution repeats a run (id); `conclude` says what is kept as its result, `equal` being false where it differs."""

    run: str
    conclude: Callable[[Made], Mapping[str, Any]]


def run(
    recipe: str | Path,
    parameters: Mapping[str, object] | None = None,
    *,
    texts: Mapping[str, str] | None = None,
    model: type[BaseModel] | None = None,
    output: str | Path = "runs",
    timeout_s: float = DEFAULT_TIMEOUT_S,
    progress: Callable[[CellProgress], None] | None = None,
    force: bool = False,
    lineage: str | None = None,
) -> RunOutcome:
    """Execute a notebook file, or a notebook of the package by its name, and return what it made.

    `parameters` are values, `texts` values typed on a command line; `model` declares those of a notebook of one's own. `output` is a
    folder, which then holds the executed notebook and, when it came to its end, its result as JSON; the notebook is kept also when the run
    fails, with the failing cell marked. The kernel runs in the present folder. The run is recorded in the store that the parameters
    name; an equal run that the store knows answers without a kernel, unless `force` (which executes the notebook; a new build is
    its own parameter). `lineage` is a file or an address for OpenLineage events.

    Raises `RecipeNotFound` and `RecipeParametersInvalid` before a kernel starts; `RecipeRefused` when a labelkit refusal ended the
    notebook, `RecipeFailed` for another exception, `RecipeKernelDied`, and `RecipeTimedOut` after `timeout_s`.
    """
    job = prepare(recipe, parameters or {}, texts, model)
    way = Way(Path(output), timeout_s, progress, target_of(lineage))
    with Recorder(job) as recorder:
        identity = recorder.identity()
        found = None if force else recorder.answer(identity)
        if found is not None:
            return _answered(job, way, *found)
        return execute(job, recorder, identity, way)


def _answered(job: Job, way: Way, earlier: Run, notebook: str) -> RunOutcome:
    """Put the executed notebook and the result of an earlier run where this one would have put its own."""
    way.output.mkdir(parents=True, exist_ok=True)
    target = way.output / f"{job.recipe}.ipynb"
    target.write_text(notebook, encoding="utf-8")
    result = {**(earlier.result or {}), "outcome": REUSED}
    rendering.write_result(target.with_suffix(".json"), result)
    return RunOutcome(target, result, (), earlier.id, reused=True)


def execute(job: Job, recorder: Recorder, identity: Identity, way: Way, *, replay: Again | None = None) -> RunOutcome:
    """Execute a job in a kernel, whatever is known of earlier runs, and record it; raises what `run` raises."""
    source = notebooks.source_of(job.file)
    way.output.mkdir(parents=True, exist_ok=True)
    target = way.output / f"{job.recipe}.ipynb"
    watch = _Watch(job.notebook, way.timeout_s, way.progress)
    record = recorder.start(identity, source, None if replay is None else replay.run)
    lineage = Lineage.begin(job, record, identity, recorder.ws, way.lineage)
    told = {RUN: record.id, RECIPE_DIGEST: record.recipe_digest, **lineage.environment}
    with _failures_recorded(recorder, record, lineage, target, watch):
        executed = _execute(job, target, watch, told)
        result = rendering.read_result(executed)
        made = Made(target, result, declared_outputs(job.parameters))
        kept = result if replay is None else replay.conclude(made)
    code = code_of_result(result) if replay is None or kept is None else int(not kept["equal"])
    end = RunEnd(
        status=RunStatus.SUCCESS,
        exit_code=code,
        # What the store held when it began must be what it held when it ended, or nobody knows which of the two the result is of.
        reusable=replay is None and job.may_be_answered and not code and _unchanged(recorder, identity),
        notebook_path=str(target.absolute()),
        notebook=target.read_text(encoding="utf-8"),
        result=kept,
        cell_seconds=tuple(watch.seconds),
        files=made.files if replay is None else (),
    )
    if kept is not None:
        rendering.write_result(target.with_suffix(".json"), kept)
    recorder.end(record, end)
    datasets = [str(kept["dataset"])] if kept is not None and "dataset" in kept else []
    lineage.complete(datasets, end.files)
    lineage.close()
    return RunOutcome(target, kept, end.cell_seconds, None if recorder.because else record.id, unrecorded=recorder.because)


def _unchanged(recorder: Recorder, identity: Identity) -> bool:
    return recorder.ws is not None and recorder.identity().digest == identity.digest


@contextmanager
def _failures_recorded(recorder: Recorder, record: NewRun, lineage: Lineage, target: Path, watch: _Watch) -> Iterator[None]:
    """Record whatever ends the block, tell of it, and let it go on to the caller."""
    try:
        yield
    except BaseException as error:
        refusal = error if isinstance(error, errors.LabelkitError) else None
        end = RunEnd(
            status=RunStatus.FAILED,
            exit_code=5 if refusal is None else exit_code(refusal),
            failure="INTERRUPTED" if refusal is None else str(refusal.facts.get("inner", refusal.code)),
            reason=type(error).__name__ if refusal is None else refusal.detail,
            notebook_path=str(target.absolute()),
            notebook=target.read_text(encoding="utf-8") if target.is_file() else None,
            cell_seconds=tuple(watch.seconds),
        )
        recorder.end(record, end)
        lineage.fail(error)
        lineage.close()
        raise


class _Watch:
    """Follows the execution: which code cell runs, how long each took, how much time is left."""

    def __init__(self, notebook: Notebook, timeout_s: float, progress: Callable[[CellProgress], None] | None) -> None:
        self.total = sum(cell.cell_type == "code" and bool(cell.source.strip()) for cell in notebook.cells)
        self.seconds: list[tuple[str, float]] = []
        self.title = "the start of the kernel"
        self.index = 0
        self.timeout_s = timeout_s
        self._progress = progress
        self._number = 0
        self._began = self._cell_began = time.monotonic()

    def started(self, cell: NotebookNode, cell_index: int) -> None:
        """Note that a cell begins."""
        self.index = cell_index
        if cell.cell_type != "code" or not cell.source.strip():
            return
        injected = notebooks.INJECTED in cell.metadata.get("tags", [])
        self._number += not injected
        self.title = "the given parameters" if injected else cell.source.strip().splitlines()[0][:80]
        self._cell_began = time.monotonic()
        if self._progress is not None and not injected:
            self._progress(CellProgress(self._number, self.total, self.title))

    def ended(self, cell: NotebookNode, cell_index: int, execute_reply: dict[str, Any]) -> None:  # noqa: ARG002  # as above
        """Note that a cell ended."""
        self.seconds.append((self.title, round(time.monotonic() - self._cell_began, 3)))

    def left_s(self, _: NotebookNode) -> float:
        """Return the time left for the cell that begins, never 0, which would mean no limit."""
        return max(0.01, self.timeout_s - (time.monotonic() - self._began))


def _execute(job: Job, target: Path, watch: _Watch, told: Mapping[str, str]) -> NotebookNode:
    import papermill
    from nbclient.exceptions import CellTimeoutError
    from papermill.exceptions import PapermillExecutionError

    from labelkit.recipes.kernel import Death, manager

    death = Death()
    try:
        papermill.execute_notebook(
            job.file,
            target,
            parameters=dict(job.given),
            kernel_name="python3",
            language="python",
            progress_bar=False,
            extra_arguments=["--log-level=CRITICAL"],  # what the kernel's own log says, the refusals below say better
            kernel_manager_class=manager(told, death),
            timeout_func=watch.left_s,
            on_cell_start=watch.started,
            on_cell_executed=watch.ended,
        )
    except PapermillExecutionError as error:
        rendering.finish(target)
        _raised(job, target, error)
    except CellTimeoutError as error:
        rendering.finish(target, failed_at=watch.index, sentence=f"No end after {watch.timeout_s:g} s: the run was stopped in this cell.")
        raise errors.RecipeTimedOut(recipe=job.recipe, cell=watch.title, timeout_s=watch.timeout_s, notebook=str(target)) from error
    except RuntimeError as error:  # a kernel that dies at work, or that never answers
        rendering.finish(target, failed_at=watch.index, sentence=f"The kernel died in this cell: {death}.")
        raise errors.RecipeKernelDied(recipe=job.recipe, cell=watch.title, reason=f"{death}.", notebook=str(target)) from error
    return rendering.finish(target)


def _raised(job: Job, target: Path, error: PapermillExecutionError) -> NoReturn:
    first = error.source.strip().splitlines()[0][:80] if error.source.strip() else ""
    facts = {"recipe": job.recipe, "cell": first, "notebook": str(target)}
    refusals = {kind.__name__: kind for kind in errors.catalogue()}
    if error.ename in refusals:
        raise errors.RecipeRefused(**facts, inner=refusals[error.ename].code, message=error.evalue) from error
    raise errors.RecipeFailed(**facts, error=error.ename, message=error.evalue) from error
