"""How a run ended, for people, for programs and for a shell."""

from __future__ import annotations

import json
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Any

from labelkit import errors

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

RESULT_TYPE = "application/vnd.labelkit.result+json"
IN_PROGRESS, REUSED = "reused_in_progress", "reused_success"
EXIT_CODES: dict[int, str] = {
    0: "done, or reused",
    1: "refused by a gate or a preflight",
    2: "usage: the recipe or its parameters are wrong; nothing was run",
    3: "in progress elsewhere",
    4: "conflict: somebody else was first",
    5: "the notebook raised, timed out or lost its kernel",
}


class Result:
    """What a recipe made, as the last value of its last cell: shown as a small table, read back by `run` as JSON values.

    >>> Result(outcome="created", samples=48)
    Result(outcome='created', samples=48)
    """

    def __init__(self, **facts: object) -> None:
        self.facts: dict[str, object] = json.loads(json.dumps(facts))

    def __repr__(self) -> str:
        return f"Result({', '.join(f'{name}={value!r}' for name, value in self.facts.items())})"

    def _repr_mimebundle_(self, **_: object) -> dict[str, object]:
        """Return the result for programs, for readers without a kernel and for a terminal."""
        rows = "".join(
            f"<tr><th style='text-align:left'>{escape(name)}</th><td style='text-align:left'>{escape(str(value))}</td></tr>"
            for name, value in self.facts.items()
        )
        return {RESULT_TYPE: self.facts, "text/html": f"<table>{rows}</table>", "text/plain": repr(self)}


@dataclass(frozen=True, slots=True)
class RunOutcome:
    """A run that came to its end: the executed notebook, the result of its last cell that showed one, seconds a code cell.

    `run` is the id under which the store keeps it, None where it is kept nowhere and `unrecorded` says why. `reused` says that nothing
    was executed: the notebook and the result are those of that earlier run.
    """

    notebook: Path
    result: Mapping[str, Any] | None
    seconds: tuple[tuple[str, float], ...]
    run: str | None = None
    reused: bool = False
    unrecorded: str = ""

    @property
    def exit_code(self) -> int:
        """Return 0, or 3 where the work is in progress elsewhere."""
        return code_of_result(self.result)


def code_of_result(result: Mapping[str, Any] | None) -> int:
    """Return the exit code of a run that came to its end with this result."""
    return 3 if result is not None and result.get("outcome") == IN_PROGRESS else 0


def exit_code(refusal: errors.LabelkitError) -> int:
    """Return the exit code for a refusal, of a recipe or of any other command; the codes are in `EXIT_CODES`."""
    if isinstance(refusal, errors.RecipeFailed | errors.RecipeKernelDied | errors.RecipeTimedOut):
        return 5
    if isinstance(refusal, errors.RecipeNotFound | errors.RecipeParametersInvalid | errors.InvalidValue | errors.UnknownArgument):
        return 2
    kind: type[errors.LabelkitError] = type(refusal)
    if isinstance(refusal, errors.RecipeRefused):
        kind = next(each for each in errors.catalogue() if each.code == refusal.facts["inner"])
    return {409: 4, 503: 3}.get(kind.status or 0, 1)
