"""Checking an export by its manifest alone: no store, no network but that to the files, and not one bit unseen."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from html import escape
from typing import TYPE_CHECKING

import polars as pl

from labelkit.errors import NotAnExport
from labelkit.formats.manifest import MANIFEST, Manifest
from labelkit.formats.places import place_of

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from labelkit.formats.exports import WrittenFile
    from labelkit.formats.places import Place

_ROWS = {"file": pl.String(), "problem": pl.String(), "detail": pl.String()}


class Problem(StrEnum):
    """What can be wrong with a file of an export."""

    MISSING = "missing"
    CHANGED = "changed"
    FOREIGN = "foreign"


@dataclass(frozen=True, slots=True)
class Finding:
    """A file that is not as it was written: its path below the folder, what is wrong, and how that shows."""

    file: str
    problem: Problem
    detail: str

    def __str__(self) -> str:
        return f"{self.problem}: {self.file} ({self.detail})"


@dataclass(frozen=True, slots=True, repr=False)
class Verification:
    """What a check found, in the order of the files; true where everything is as it was written."""

    folder: str
    format: str | None
    file_count: int
    byte_count: int
    row_count: int
    findings: tuple[Finding, ...]

    @property
    def ok(self) -> bool:
        """Say whether everything is there, as it was written, and nothing else."""
        return not self.findings

    def __bool__(self) -> bool:
        return self.ok

    def to_polars(self) -> pl.DataFrame:
        """Return one row a finding: file, problem, detail."""
        return pl.DataFrame([(one.file, str(one.problem), one.detail) for one in self.findings], schema=_ROWS, orient="row")

    def __repr__(self) -> str:
        what = f"{self.format}, " if self.format else ""
        checked = f"{what}{self.file_count:,} files, {self.byte_count:,} bytes, {self.row_count:,} rows"
        if self.ok:
            return f"{self.folder}: whole ({checked})"
        return "\n".join([f"{self.folder}: {len(self.findings)} problem(s) ({checked})", *(f"  {one}" for one in self.findings)])

    def _repr_html_(self) -> str:
        first = escape(repr(self).split("\n", maxsplit=1)[0])
        return f"<p>{first}</p>" if self.ok else f"<p>{first}</p>{self.to_polars()._repr_html_()}"  # the hook of notebooks


def verify(export: str | Path, *, storage_options: Mapping[str, object] | None = None) -> Verification:
    """Check an export, a folder or a URL of fsspec, by its manifest: every file that is missing, changed or foreign is named.

    Changed is a file of another size or sha256 than was written; the manifest itself is changed where it is not letter by letter what
    was written. Files are read block by block; nothing else is asked. Raises `NOT_AN_EXPORT` where there is no manifest, and
    `STORAGE_READ_FAILED`.
    """
    place = place_of(export, storage_options)
    there = set(place.names())
    if MANIFEST not in there:
        raise NotAnExport(folder=place.title)
    data = place.read(MANIFEST)
    manifest = Manifest.read(data)
    if manifest is None:
        unknown = Finding(MANIFEST, Problem.CHANGED, "it is not as it was written, so nothing says what the other files should be")
        return Verification(place.title, None, len(there), len(data), 0, (unknown,))
    named = {file.name: file for file in manifest.files}
    foreign = [Finding(name, Problem.FOREIGN, "the manifest does not name it") for name in there - named.keys() - {MANIFEST}]
    judged = (_judged(place, file) if name in there else Finding(name, Problem.MISSING, "it is not there") for name, file in named.items())
    findings = sorted([*foreign, *(one for one in judged if one is not None)], key=lambda one: one.file)
    size = len(data) + sum(file.byte_count for file in named.values())
    return Verification(place.title, manifest.format, len(named) + 1, size, manifest.rows, tuple(findings))


def _judged(place: Place, file: WrittenFile) -> Finding | None:
    if not place.is_plain(file.name):
        return Finding(file.name, Problem.CHANGED, "it is a link or no file")
    found = place.digest(file.name)
    if found.byte_count != file.byte_count:
        return Finding(file.name, Problem.CHANGED, f"{found.byte_count:,} bytes, {file.byte_count:,} were written")
    if found.sha256 != file.sha256:
        return Finding(file.name, Problem.CHANGED, f"sha256 {found.sha256[:12]}…, {file.sha256[:12]}… was written")
    return None
