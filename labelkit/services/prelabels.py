"""Prelabel runs: label files of a model (or of anybody) in, as one immutable content a media and capability."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from labelkit.core.actors import Action
from labelkit.core.review.annotations import Source
from labelkit.core.review.drafts import Lineage, LineageKind
from labelkit.errors import LabelsAllRefused
from labelkit.formats import reader
from labelkit.formats.rows import NOTES, REFUSED
from labelkit.store.content import Content
from labelkit.store.ids import new_id
from labelkit.store.intake import import_rows

if TYPE_CHECKING:
    from collections.abc import Sequence

    from labelkit.core.media import Media
    from labelkit.formats.rows import OnInvalid
    from labelkit.store.acting import Gate

KEPT_ROWS = 1_000


@dataclass(frozen=True, slots=True)
class ImportReport:
    """What became of every record: `read` is `kept` plus refused; `refused` and `notes` list the first thousand each, by file and line."""

    read: int
    kept: int
    refused_by_code: dict[str, int]
    notes_by_code: dict[str, int]
    refused: pl.DataFrame = field(repr=False)
    notes: pl.DataFrame = field(repr=False)


@dataclass(frozen=True, slots=True)
class PrelabelRun:
    """One import of labels for a media and capability; `pack` is the prelabel pack that a review is seeded from."""

    id: str
    pack: str
    media: str
    capability: str
    model: str
    model_version: str
    content_hash: str
    annotation_count: int
    report: ImportReport

    @property
    def lineage(self) -> Lineage:
        """Return what a draft seeded from this run shows as its origin."""
        return Lineage(LineageKind.PACK, self.pack)


class Prelabels:
    """`ws.prelabels`: import and list prelabel runs."""

    def __init__(self, gate: Gate) -> None:
        self._gate = gate

    def import_(
        self,
        format: str,
        source: str | Path,
        *,
        media: str | Media,
        capability: str,
        classes: Sequence[str] | None = None,
        model: str = "unknown",
        model_version: str = "",
        on_invalid: OnInvalid = "refuse",
    ) -> PrelabelRun:
        """Import label files as a prelabel run; returns it with a report of every record.

        `format` is `yolo` or `coco`; `classes` names class numbers in order. Boxes reaching over the frame are cut at it, records that fit
        nowhere are refused with file, line and reason, and neither stops the import; `on_invalid="keep"` keeps what is outside or of an
        unknown class as it is, for the review to correct. Raises `LABELS_ALL_REFUSED` where records were there but none fits.
        """
        read = reader(format)
        name = media if isinstance(media, str) else media.name
        with self._gate.read() as (tx, _):
            found = tx.media.get(self._gate.workspace.id, name)
            known = tx.media.capability(self._gate.workspace.id, capability)
        objects = self._gate.database.objects
        chunks = list(
            read(source, frames=objects.read_frame(found.frames_object), classes=classes, capability=known, on_invalid=on_invalid)
        )
        report = _report([c.rows.height for c in chunks], [c.refused for c in chunks], [c.notes for c in chunks])
        if report.read and not report.kept:
            raise LabelsAllRefused(count=report.read, source=str(source), summary=_summary(report.refused))
        pack_id, run_id = new_id("pre"), new_id("run")
        digest = import_rows(
            self._gate.database, [c.rows for c in chunks], frame_count=found.frame_count, seed=pack_id, source=Source.MODEL.value
        )
        content = Content(objects.read_frame(digest))
        content_hash = content.hash(capability)
        with self._gate.act(Action.IMPORT, f"run:{run_id}") as act:
            act.tx.review.add_run(
                {
                    "id": run_id,
                    "workspace_id": self._gate.workspace.id,
                    "source_format": format,
                    "source": str(Path(source).resolve()),
                    "model": model,
                    "model_version": model_version,
                    "status": "completed",
                    "created_at": act.tx.now,
                    "created_by": act.actor.user,
                },
                [
                    {
                        "id": pack_id,
                        "run_id": run_id,
                        "workspace_id": self._gate.workspace.id,
                        "media_id": found.id,
                        "capability": capability,
                        "content_object": digest,
                        "content_hash": content_hash,
                        "frame_count": found.frame_count,
                        "annotation_count": report.kept,
                        "report": json.dumps({"read": report.read, "refused": report.refused_by_code, "notes": report.notes_by_code}),
                    }
                ],
            )
            act.record("PRELABELS_IMPORTED", pack=pack_id, media=found.id, kept=report.kept, refused=report.read - report.kept)
        return PrelabelRun(run_id, pack_id, found.name, capability, model, model_version, content_hash, report.kept, report)

    def runs(self, *, media: str | None = None, capability: str | None = None, status: str | None = None) -> pl.DataFrame:
        """Return the runs, newest first, one row an outcome line: run_id, media, capability, model, lineage, counts, status, report."""
        with self._gate.read() as (tx, _):
            rows = tx.review.runs(self._gate.workspace.id)
        wanted = {"media": media, "capability": capability, "status": status}
        return rows.filter(pl.lit(value=True), *(pl.col(name) == value for name, value in wanted.items() if value is not None))


def _report(kept: list[int], refused: list[pl.DataFrame], notes: list[pl.DataFrame]) -> ImportReport:
    all_refused = pl.concat([pl.DataFrame(schema=REFUSED), *refused])
    all_notes = pl.concat([pl.DataFrame(schema=NOTES), *notes])
    return ImportReport(
        read=sum(kept) + all_refused.height,
        kept=sum(kept),
        refused_by_code=_counts(all_refused),
        notes_by_code=_counts(all_notes),
        refused=all_refused.head(KEPT_ROWS),
        notes=all_notes.head(KEPT_ROWS),
    )


def _counts(rows: pl.DataFrame) -> dict[str, int]:
    return dict(sorted(Counter(rows["code"].to_list()).items()))


def _summary(refused: pl.DataFrame) -> str:
    first = refused.row(0, named=True)
    counts = ", ".join(f"{code} ({n})" for code, n in _counts(refused).items())
    return f"{counts}; the first is {first['file']} line {first['line']}: {first['detail']}"
