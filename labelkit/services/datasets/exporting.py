"""An export of a dataset: what was written, and its record in the store."""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from labelkit.core.actors import Action
from labelkit.errors import StoreReadOnly
from labelkit.formats.exports import About
from labelkit.store.ids import new_id

if TYPE_CHECKING:
    from pathlib import Path

    import polars as pl

    from labelkit.core.datasets.freezing import Purpose
    from labelkit.core.review.annotations import Capability
    from labelkit.formats.exports import Written, WrittenFile
    from labelkit.store.acting import Gate


@dataclass(frozen=True, slots=True)
class ExportReport:
    """An export that is there: its id, format and folder, each file with size and sha256, and how much is in them."""

    id: str
    format: str
    split: str | None
    path: Path | str
    files: tuple[WrittenFile, ...]
    sample_count: int
    annotation_count: int

    def __str__(self) -> str:
        what = f"{self.sample_count} samples and {self.annotation_count} annotations"
        return f"{self.format}: {what} in {len(self.files)} file(s) below {self.path}"


def about_samples(
    title: str, description: str, version: int | None, rows: pl.LazyFrame, capability: Capability, splits: tuple[str, ...]
) -> About:
    """Return what a writer must know of the samples of a dataset beside the rows."""
    columns = dict(rows.collect_schema())
    return About(title, description, str(version), "sample_key", columns, splits=splits, capability=capability)


def recorded(gate: Gate, version: str, format: str, split: str | None, written: Written, purpose: Purpose) -> ExportReport:
    """Record an export with the digest of each file; a store that cannot be written keeps no record."""
    report = ExportReport(new_id("exp"), format, split, written.root, written.files, written.row_count, written.annotation_count)
    with suppress(StoreReadOnly), gate.act(Action.READ, f"dataset:{version}") as act:
        act.tx.datasets.add_export(
            {
                "id": report.id,
                "version_id": version,
                "format": format,
                "split": split,
                "path": str(report.path),
                "files": json.dumps([asdict(file) for file in report.files]),
                "created_by": act.actor.user,
            }
        )
        act.record("EXPORTED", purpose=purpose, format=format, path=str(report.path), files=len(report.files))
    return report
