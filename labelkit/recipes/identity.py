"""The identity of a run: what decides its result, hashed. Equal digests have equal results, on every machine and in every store."""

from __future__ import annotations

import json
import platform
from contextlib import suppress
from dataclasses import dataclass, replace
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from labelkit.core.hashing import digest_of
from labelkit.errors import LabelkitError, RecipeParametersInvalid
from labelkit.recipes import notebooks
from labelkit.recipes.notebooks import INJECTED, Notebook
from labelkit.recipes.parameters import Parameters, check, parameter_model, read_text
from labelkit.recipes.places import Inputs, Place, declared_inputs, places

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pydantic import BaseModel

    from labelkit.workspace import Workspace

FORMAT = "labelkit.recipe.v1"
BAD_REQUEST = 400


@dataclass(frozen=True)
class Job:
    """A notebook with checked parameters, ready to be run: `given` are those that were named, `parameters` all, with defaults."""

    recipe: str
    file: Path
    notebook: Notebook
    given: Mapping[str, Any]
    parameters: BaseModel

    @property
    def store(self) -> Path | None:
        """Return the store that the parameters name; None where the recipe has no such parameter."""
        names = places(type(self.parameters), Place.STORE)
        return Path(str(getattr(self.parameters, names[0]))).expanduser() if names else None

    @property
    def workspace(self) -> str:
        """Return the workspace that the parameters name."""
        return str(getattr(self.parameters, "workspace", "default"))

    @property
    def may_be_answered(self) -> bool:
        """Say whether an earlier run may answer for this one."""
        return isinstance(self.parameters, Parameters) and self.parameters.may_be_answered()

    @property
    def libraries(self) -> tuple[str, ...]:
        """Return the libraries whose versions belong to the identity, beside labelkit."""
        return self.parameters.libraries if isinstance(self.parameters, Parameters) else Parameters.libraries

    def given_also(self, **more: object) -> Job:
        """Return the job with other values of some parameters."""
        given = {**self.given, **more}
        return replace(self, given=given, parameters=type(self.parameters).model_validate_json(json.dumps(given)))


@dataclass(frozen=True, slots=True)
class Identity:
    """The parts that decide a result, as JSON values, and what a run reads by name."""

    parts: Mapping[str, Any]
    inputs: Inputs

    @property
    def digest(self) -> str:
        """Return the recipe digest: sha256 of the canonical JSON of the parts, as 64 hex digits."""
        return digest_of(self.parts).value


def prepare(
    recipe: str | Path,
    parameters: Mapping[str, object],
    texts: Mapping[str, str] | None = None,
    model: type[BaseModel] | None = None,
) -> Job:
    """Return the job of a notebook file or of a recipe's name.

    Raises `RECIPE_NOT_FOUND`, `INVALID_VALUE` for a file that is no notebook, and `RECIPE_PARAMETERS_INVALID`, also for a store that the
    recipe cannot do without and that is not there.
    """
    file = notebooks.find(recipe)
    notebook = notebooks.read(file)
    known = model or parameter_model(file.stem, notebook)
    typed = {name: read_text(known, name, text) for name, text in (texts or {}).items()}
    given = check(file.stem, known, {**parameters, **typed})
    job = Job(file.stem, file, notebook, given, known.model_validate_json(json.dumps(given)))
    for name in places(known, Place.STORE):
        if known.model_fields[name].is_required() and job.store is not None and not job.store.is_file():
            raise _wrong(job, f"{name!r}: there is no store {str(job.store)!r}")
    return job


def identify(job: Job, ws: Workspace | None) -> Identity:
    """Return the identity of a run, by what the store holds at this moment.

    Where the store stands is no part of it, what is read there is. What the store refuses is a part too: the run will say it in full.
    Raises `RECIPE_PARAMETERS_INVALID` for values that make no sense together.
    """
    try:
        inputs = job.parameters.inputs(ws) if isinstance(job.parameters, Parameters) else declared_inputs(job.parameters)
    except LabelkitError as refused:
        if refused.status == BAD_REQUEST:
            raise _wrong(job, refused.detail.rstrip(".")) from refused
        inputs = Inputs({"refused": [refused.code]})
    parts = {
        "format": FORMAT,
        "source": str(digest_of(code_of(job.notebook))),
        "parameters": job.parameters.model_dump(mode="json", exclude=set(places(type(job.parameters), Place.STORE))),
        "inputs": inputs.fingerprint,
        "versions": versions(job.libraries),
    }
    return Identity(parts, inputs)


def code_of(notebook: Notebook) -> list[str]:
    """Return the source of each code cell, without trailing whitespace; empty cells and those that papermill added do not count."""
    cells = [cell for cell in notebook.cells if cell.cell_type == "code" and INJECTED not in cell.metadata.get("tags", [])]
    sources = ["\n".join(line.rstrip() for line in cell.source.strip("\n").splitlines()).rstrip() for cell in cells]
    return [source for source in sources if source]


def versions(libraries: tuple[str, ...]) -> dict[str, str]:
    """Return the versions of labelkit and of those libraries that are installed."""
    import labelkit

    found = {"labelkit": labelkit.__version__}
    for name in libraries:
        with suppress(PackageNotFoundError):
            found[name] = version(name)
    return found


def environment(libraries: tuple[str, ...]) -> dict[str, str]:
    """Return what a run runs on: Python, platform, and the versions that belong to its identity."""
    return {"python": platform.python_version(), "platform": platform.platform(), **versions(libraries)}


def _wrong(job: Job, faults: str) -> RecipeParametersInvalid:
    return RecipeParametersInvalid(recipe=job.recipe, faults=faults, known=", ".join(type(job.parameters).model_fields))
