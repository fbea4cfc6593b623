"""Executes a notebook through papermill, cell by cell, under a deadline, and says how it ended."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from labelkit import errors
from labelkit.recipes import notebooks
from labelkit.recipes.outcome import RunOutcome, read_result
from labelkit.recipes.parameters import check, parameter_model, read_text

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from nbformat import NotebookNode
    from papermill.exceptions import PapermillExecutionError

DEFAULT_TIMEOUT_S = 3600.0
MARKED = "labelkit-failed-cell"


@dataclass(frozen=True, slots=True)
class CellProgress:
    """A code cell that begins: its number from 1, the number of code cells, and its first line."""

    number: int
    total: int
    title: str


def run(
    recipe: str | Path,
    parameters: Mapping[str, object] | None = None,
    *,
    texts: Mapping[str, str] | None = None,
    output: str | Path = "runs",
    timeout_s: float = DEFAULT_TIMEOUT_S,
    progress: Callable[[CellProgress], None] | None = None,
) -> RunOutcome:
    """Execute a notebook file, or a notebook of the package by its name, and return what it made.

    `parameters` are values, `texts` values typed on a command line. `output` is a folder, which then holds the executed notebook and, when
    it came to its end, its result as JSON; the notebook is kept also when the run fails, with the failing cell marked. The kernel runs
    in the present folder. Raises `RecipeNotFound` and `RecipeParametersInvalid` before a kernel starts; `RecipeRefused` when a
    labelkit refusal ended the notebook, `RecipeFailed` for another exception, `RecipeKernelDied`, and `RecipeTimedOut` after `timeout_s`.
    """
    source = notebooks.find(recipe)
    notebook = notebooks.read(source)
    model = parameter_model(source.stem, notebook)
    typed = {name: read_text(model, name, text) for name, text in (texts or {}).items()}
    values = check(source.stem, model, {**(parameters or {}), **typed})
    target = Path(output)
    target.mkdir(parents=True, exist_ok=True)
    watch = _Watch(notebook, timeout_s, progress)
    executed = _execute(source, target / f"{source.stem}.ipynb", values, watch)
    result = read_result(executed)
    if result is not None:
        (target / f"{source.stem}.json").write_text(json.dumps(result, indent=2, sort_keys=True) + "\n", encoding="utf-8")
    return RunOutcome(target / f"{source.stem}.ipynb", result, tuple(watch.seconds))


class _Watch:
    """Follows the execution: which code cell runs, how long each took, how much time is left."""

    def __init__(self, notebook: NotebookNode, timeout_s: float, progress: Callable[[CellProgress], None] | None) -> None:
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
        injected = "injected-parameters" in cell.metadata.get("tags", [])
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


def _execute(source: Path, target: Path, values: Mapping[str, object], watch: _Watch) -> NotebookNode:
    import papermill
    from nbclient.exceptions import CellTimeoutError
    from papermill.exceptions import PapermillExecutionError

    try:
        executed: NotebookNode = papermill.execute_notebook(
            source,
            target,
            parameters=dict(values),
            kernel_name="python3",
            language="python",
            progress_bar=False,
            extra_arguments=["--log-level=CRITICAL"],  # what the kernel's own log says, the refusals below say better
            timeout_func=watch.left_s,
            on_cell_start=watch.started,
            on_cell_executed=watch.ended,
        )
    except PapermillExecutionError as error:
        _raised(source, target, error)
    except CellTimeoutError as error:
        _mark(target, watch.index, f"No end after {watch.timeout_s:g} s: the run was stopped in this cell.")
        raise errors.RecipeTimedOut(recipe=source.stem, cell=watch.title, timeout_s=watch.timeout_s, notebook=str(target)) from error
    except RuntimeError as error:  # a kernel that dies at work, or that never answers
        _mark(target, watch.index, "The kernel died in this cell.")
        raise errors.RecipeKernelDied(recipe=source.stem, cell=watch.title, reason=str(error), notebook=str(target)) from error
    return executed


def _raised(source: Path, target: Path, error: PapermillExecutionError) -> NoReturn:
    first = error.source.strip().splitlines()[0][:80] if error.source.strip() else ""
    facts = {"recipe": source.stem, "cell": first, "notebook": str(target)}
    refusals = {kind.__name__: kind for kind in errors.catalogue()}
    if error.ename in refusals:
        raise errors.RecipeRefused(**facts, inner=refusals[error.ename].code, message=error.evalue) from error
    raise errors.RecipeFailed(**facts, error=error.ename, message=error.evalue) from error


def _mark(target: Path, index: int, sentence: str) -> None:
    """Write into the saved notebook, above the cell that was running, what happened to it."""
    import nbformat

    notebook = nbformat.read(target, as_version=4)
    notebook.cells.insert(index, nbformat.v4.new_markdown_cell(f"**{sentence}**", metadata={"tags": [MARKED]}))
    nbformat.write(notebook, target)
