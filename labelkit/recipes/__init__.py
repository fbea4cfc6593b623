"""Notebooks as functions: checked parameters in, an executed notebook and a result out.

`run("build_dataset", {...}, output="runs/")` executes a notebook of the package, or any notebook file, through papermill. Wrong
parameters are refused before a kernel starts; a dead kernel, a refusal and an exception each end the run with their own exit code. What
was run before, with everything equal that decides the result, is answered from the store; `replay(ws, run)` proves that it is so.
"""

from __future__ import annotations

from labelkit.recipes.notebooks import find, folder
from labelkit.recipes.outcome import EXIT_CODES, RESULT_TYPE, Result, RunOutcome, exit_code
from labelkit.recipes.parameters import BuildDataset, GoldenVersion, Parameters, Quickstart, ReviewQueue, check, parameter_model, read_file
from labelkit.recipes.places import Inputs, Place, Source
from labelkit.recipes.replaying import Replay, replay
from labelkit.recipes.running import CellProgress, run

__all__ = [
    "EXIT_CODES",
    "RESULT_TYPE",
    "BuildDataset",
    "CellProgress",
    "GoldenVersion",
    "Inputs",
    "Parameters",
    "Place",
    "Quickstart",
    "Replay",
    "Result",
    "ReviewQueue",
    "RunOutcome",
    "Source",
    "check",
    "exit_code",
    "find",
    "folder",
    "parameter_model",
    "read_file",
    "replay",
    "run",
]
