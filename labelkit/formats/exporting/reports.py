"""The report of an export that is there, which prints well and is kept in the store."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from html import escape
from typing import TYPE_CHECKING

import polars as pl

from labelkit.formats.exporting.losses import losses_frame

if TYPE_CHECKING:
    from pathlib import Path

    from labelkit.formats.exports import Loss, Written, WrittenFile

_FILES = {"name": pl.String(), "byte_count": pl.Int64(), "sha256": pl.String(), "rows": pl.Int64()}


@dataclass(frozen=True, slots=True)
class ExportReport:
    """An export that is there: its id, format and place, each file with size and sha256, how much is in them, and what was lost.

    `annotation_count` is 0 where the rows are no samples.
    """

    id: str
    format: str
    split: str | None
    path: Path | str
    files: tuple[WrittenFile, ...]
    row_count: int
    annotation_count: int
    losses: tuple[Loss, ...] = ()

    @classmethod
    def of(cls, id: str, format: str, split: str | None, written: Written) -> ExportReport:
        """Return the report of what was written."""
        return cls(id, format, split, written.root, written.files, written.row_count, written.annotation_count, written.losses)

    @property
    def sample_count(self) -> int:
        """Return the number of rows, which of a dataset are samples."""
        return self.row_count

    @property
    def lost(self) -> pl.DataFrame:
        """Return one row a loss: facet, count, sentence."""
        return losses_frame(self.losses)

    def to_polars(self) -> pl.DataFrame:
        """Return one row a file: name, byte_count, sha256, rows."""
        return pl.DataFrame([asdict(file) for file in self.files], schema=_FILES)

    def as_row(self, kind: str, of: str, user: str) -> dict[str, object]:
        """Return the report as a row of the store: an export of `of`, which is a dataset, a version or golden examples."""
        return {
            "id": self.id,
            "kind": kind,
            "version_id": of,
            "format": self.format,
            "split": self.split,
            "path": str(self.path),
            "files": json.dumps([asdict(file) for file in self.files]),
            "losses": json.dumps([asdict(loss) for loss in self.losses]),
            "created_by": user,
        }

    def __str__(self) -> str:
        counted = f"{self.row_count:,} rows"
        if self.annotation_count:
            counted = f"{self.row_count} samples and {self.annotation_count} annotations"
        lines = [f"{self.format}: {counted} in {len(self.files)} file(s) below {self.path}", *(f"  {loss}" for loss in self.losses)]
        return "\n".join(lines)

    __repr__ = __str__

    def _repr_html_(self) -> str:
        first, *others = str(self).split("\n")
        lost = "".join(f"<li>{escape(line.strip())}</li>" for line in others)
        return f"<p>{escape(first)}</p><ul>{lost}</ul>{self.to_polars()._repr_html_()}"  # the hook of notebooks
