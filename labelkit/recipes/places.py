"""What the paths among a recipe's parameters lead to: the store, what a run reads, and what it writes, by the digests of the bytes."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING

from labelkit.core.hashing import digest_of_lines
from labelkit.formats.exports import digests
from labelkit.services.runs import RunFile

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pydantic import BaseModel


class Place(StrEnum):
    """What a parameter that is a path leads to: declared as `Annotated[str, Place.INPUT]`.

    A store keeps the record of runs, and counts by what is read in it; an input counts by its bytes; an output is what a run writes, and
    is recorded file by file; bulk is written too, with a record of its own.
    """

    STORE = "store"
    INPUT = "input"
    OUTPUT = "output"
    BULK = "bulk"


@dataclass(frozen=True, slots=True)
class Source:
    """One thing that a run reads: its name, a digest of its content, and its rows where that is known."""

    name: str
    version: str
    rows: int | None = None


@dataclass(frozen=True, slots=True)
class Inputs:
    """What a run reads: JSON values that are equal where the result will be, and each source by name."""

    fingerprint: Mapping[str, object]
    sources: tuple[Source, ...] = ()


def places(model: type[BaseModel], place: Place) -> list[str]:
    """Return the names of the parameters that are declared to lead to such a place."""
    return [name for name, field in model.model_fields.items() if place in field.metadata]


def declared_inputs(parameters: BaseModel) -> Inputs:
    """Return the inputs that are declared as paths, by the digest of the file, or of the folder with every file below it."""
    sources = []
    for parameter in places(type(parameters), Place.INPUT):
        files = _files(parameter, getattr(parameters, parameter))
        sources.append(Source(parameter, str(digest_of_lines(f"{file.sha256} {file.name}" for file in files))))
    return Inputs({source.name: source.version for source in sources}, tuple(sources))


def declared_outputs(parameters: BaseModel) -> tuple[RunFile, ...]:
    """Return every file that is there where the parameters say that the run writes."""
    found = [_files(name, getattr(parameters, name)) for name in places(type(parameters), Place.OUTPUT)]
    return tuple(file for files in found for file in files)


def _files(parameter: str, given: str | None) -> list[RunFile]:
    """Return the file at a path, or those below a folder in the order of their names; none where there is nothing, or no path."""
    if given is None:
        return []
    path = Path(given).expanduser().absolute()
    if path.is_file():
        with path.open("rb") as file:
            return [RunFile(parameter, str(path), path.stat().st_size, hashlib.file_digest(file, "sha256").hexdigest())]
    return [RunFile(f"{parameter}/{one.name}", str(path / one.name), one.byte_count, one.sha256) for one in digests(path)]
