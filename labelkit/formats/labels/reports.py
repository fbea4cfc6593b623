"""What became of every record of an import: counts by reason, and the first of each kind with file and line."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from html import escape
from typing import TYPE_CHECKING

import polars as pl

from labelkit.core.datasets.tables import indented, table_html, table_text
from labelkit.formats.labels.rows import NOTES, REFUSED, NoteCode, RefusedCode

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from labelkit.formats.labels.rows import Chunk

LISTED = 1_000
SHOWN = 10
_HEAD = ("code", "count", "what it means")
_PLACES = ("file", "line", "code", "detail")


@dataclass(frozen=True, slots=True, repr=False)
class ImportReport:
    """What became of every record: `read` is `kept` plus refused.

    `refused` (file, line, code, detail) and `notes` (frame_index, file, line, code, detail) list the first thousand each.
    """

    read: int
    kept: int
    refused_by_code: dict[str, int]
    notes_by_code: dict[str, int]
    refused: pl.DataFrame = field(repr=False)
    notes: pl.DataFrame = field(repr=False)

    @property
    def refused_count(self) -> int:
        """Return the number of records that were not taken in."""
        return self.read - self.kept

    @property
    def not_editable_count(self) -> int:
        """Return how many of those kept carry something that the review shows but cannot edit."""
        return self.notes_by_code.get(str(NoteCode.KEPT_NOT_EDITABLE), 0)

    @property
    def summary(self) -> str:
        """Return the counts in one sentence."""
        counts = f"{self.read:,} read, {self.kept:,} kept"
        partly = f" ({self.not_editable_count:,} with more than can be edited here)" if self.not_editable_count else ""
        return f"{counts}{partly}, {self.refused_count:,} refused"

    @property
    def reasons(self) -> str:
        """Return the codes of the refusals with their counts, and the first one with its place."""
        if self.refused.is_empty():
            return "nothing was refused"
        first = self.refused.row(0, named=True)
        counts = ", ".join(f"{code} ({count})" for code, count in self.refused_by_code.items())
        place = first["file"] if first["line"] is None else f"{first['file']} line {first['line']}"
        return f"{counts}; the first is {place}: {first['detail']}"

    def __repr__(self) -> str:
        lines = [f"<ImportReport: {self.summary}>", *indented(table_text(_HEAD, _meanings(self)))]
        return "\n".join([*lines, *indented(table_text(_PLACES, _first(self.refused))), *_more(self)])

    def _repr_html_(self) -> str:
        parts = [f"<p><b>{escape(self.summary)}</b></p>", table_html(_HEAD, _meanings(self)), table_html(_PLACES, _first(self.refused))]
        return "".join([*parts, *(f"<p><small>{escape(line.strip())}</small></p>" for line in _more(self))])


class Tally:
    """Counts chunks while they pass: memory does not grow with the source."""

    def __init__(self) -> None:
        self._kept = 0
        self._codes: dict[str, Counter[str]] = {"refused": Counter(), "notes": Counter()}
        self._listed = {"refused": pl.DataFrame(schema=REFUSED), "notes": pl.DataFrame(schema=NOTES)}

    def rows(self, chunks: Iterable[Chunk]) -> Iterator[pl.DataFrame]:
        """Yield the rows of the chunks, counted."""
        for chunk in chunks:
            self._kept += chunk.rows.height
            for name, table in (("refused", chunk.refused), ("notes", chunk.notes)):
                self._codes[name].update(dict(table["code"].value_counts().iter_rows()))
                listed = self._listed[name]
                self._listed[name] = pl.concat([listed, table.head(LISTED - listed.height)], rechunk=True)
            yield chunk.rows

    def report(self) -> ImportReport:
        """Return what has passed so far."""
        refused, notes = (dict(sorted(self._codes[name].items())) for name in ("refused", "notes"))
        read = self._kept + sum(refused.values())
        return ImportReport(read, self._kept, refused, notes, self._listed["refused"], self._listed["notes"])


def _meanings(report: ImportReport) -> list[tuple[str, int, str]]:
    refused = [(code, count, RefusedCode(code).sentence) for code, count in report.refused_by_code.items()]
    return refused + [(code, count, NoteCode(code).sentence) for code, count in report.notes_by_code.items()]


def _first(refused: pl.DataFrame) -> list[tuple[str, str, str, str]]:
    rows = refused.head(SHOWN).select(_PLACES).iter_rows()
    return [(file, "" if line is None else str(line), code, (detail or "")[:160]) for file, line, code, detail in rows]


def _more(report: ImportReport) -> list[str]:
    more = report.refused_count - SHOWN
    return [f"  and {more:,} more refused; see report.refused"] if more > 0 else []
