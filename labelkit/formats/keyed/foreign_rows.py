"""Rows of files that somebody else wrote: read a file at a time, one below the other, and named by file and line where they cannot be."""

from __future__ import annotations

import csv
from typing import TYPE_CHECKING

import polars as pl

from labelkit.core.golden.json_texts import parsed
from labelkit.errors import LabelsUnreadable

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

_FIX = "Correct the file, or leave it out."


def joined(
    files: Sequence[Path], read: Callable[[Path], pl.DataFrame], *, why: Callable[[Path], str | None], missing: bool = False
) -> pl.DataFrame:
    """Return the rows of all files in order; numbers widen where another file needs it. `missing` columns of a file are null.

    `why` is asked for a file that polars cannot read, and says in words what is wrong with it, if it knows. Raises `LABELS_UNREADABLE`,
    also where the columns of a file are not those of the files before.
    """
    rows = pl.DataFrame()
    for place, file in enumerate(files):
        try:
            found = read(file)
        except (OSError, ValueError, pl.exceptions.PolarsError) as error:
            raise LabelsUnreadable(source=file, reason=why(file) or " ".join(str(error).split())[:300], fix=_FIX) from error
        rows = found if place == 0 else _below(rows, found, file, missing=missing)
    return rows


def _below(rows: pl.DataFrame, found: pl.DataFrame, file: Path, *, missing: bool) -> pl.DataFrame:
    others = sorted(set(rows.columns) ^ set(found.columns))
    if others and not missing:
        where = "has a" if others[0] in found.columns else "has no"
        raise LabelsUnreadable(source=file, reason=f"it {where} column {others[0]!r}, unlike the files before it", fix=_FIX)
    try:
        return pl.concat([rows, found.select(rows.columns) if not missing else found], how="diagonal_relaxed")
    except pl.exceptions.PolarsError as error:
        for name in found.columns:
            if name in rows.columns and not _fit(rows.schema[name], found.schema[name]):
                reason = f"column {name!r} holds {found.schema[name]}, and {rows.schema[name]} in the files before it"
                raise LabelsUnreadable(source=file, reason=reason, fix=_FIX) from error
        raise LabelsUnreadable(source=file, reason=" ".join(str(error).split())[:300], fix=_FIX) from error


def _fit(one: pl.DataType, other: pl.DataType) -> bool:
    try:
        pl.concat([pl.Series([], dtype=one).to_frame(), pl.Series([], dtype=other).to_frame()], how="vertical_relaxed")
    except pl.exceptions.PolarsError:
        return False
    return True


def no_table(file: Path) -> str | None:
    """Say which line of a CSV file is the first that is not UTF-8 or has more fields than the header; None where there is none."""
    number = 0
    try:
        with file.open(encoding="utf-8-sig", newline="") as stream:
            lines = csv.reader(stream)
            header = next(lines, None)
            if header is None:
                return "it is empty"
            for fields in lines:
                number = lines.line_num
                if len(fields) > len(header):
                    return f"line {number:,} has {len(fields)} fields, the header {len(header)}"
    except UnicodeDecodeError:
        return f"after line {number:,} it is not UTF-8; save it as UTF-8 text"
    except csv.Error as error:
        return f"after line {number:,}: {error}"
    return None


def no_object(file: Path) -> str | None:
    """Say which line is the first that is no JSON object, and why; None where all are."""
    if file.stat().st_size == 0:
        return "it is empty"
    with file.open("rb") as lines:
        for number, line in enumerate(lines, 1):
            if not line.strip():
                continue
            try:
                value = parsed(line.decode())
            except UnicodeDecodeError:
                return f"line {number:,} is not UTF-8; save it as UTF-8 text"
            except ValueError as error:
                return f"line {number:,}: {error}"
            if not isinstance(value, dict):
                return f"line {number:,} is no JSON object"
    return None
