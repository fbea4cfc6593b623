"""Prelabel runs: label files of a model (or of anybody), or a model itself, in as one immutable content a media and capability."""

from __future__ import annotations

import json
from contextlib import contextmanager
from dataclasses import dataclass
from html import escape
from inspect import signature
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

from labelkit.core.actors import Action
from labelkit.core.review.annotations import Source
from labelkit.core.review.drafts import Lineage, LineageKind
from labelkit.errors import InvalidValue, LabelsAllRefused
from labelkit.formats import reader
from labelkit.formats.labels.renaming import Renaming
from labelkit.formats.labels.reports import ImportReport, Tally
from labelkit.formats.labels.rows import Reader
from labelkit.media import open_frames
from labelkit.media.model_frames import ModelFrame
from labelkit.store.ids import new_id
from labelkit.store.media import Frames
from labelkit.store.review.content import Content
from labelkit.store.review.intake import import_rows

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from labelkit.core.media import Media
    from labelkit.formats.labels.renaming import Classes
    from labelkit.formats.labels.rows import Chunk, OnInvalid
    from labelkit.store.acting import Gate

    LabelSource = str | Path | pl.DataFrame | Callable[[ModelFrame], object]


TABLES = ("csv", "parquet")


@dataclass(frozen=True, slots=True, repr=False)
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

    @property
    def _title(self) -> str:
        model = f"{self.model} {self.model_version}".strip()
        return f"{self.annotation_count:,} labels of {self.media}, {self.capability}, by {model}"

    def __repr__(self) -> str:
        return f"<PrelabelRun {self.id}: {self._title}>\n{self.report!r}"

    def _repr_html_(self) -> str:
        ids = f"<p><small>run <code>{escape(self.id)}</code>, pack <code>{escape(self.pack)}</code></small></p>"
        return f"<p><b>{escape(self._title)}</b></p>{ids}{self.report._repr_html_()}"


class Prelabels:
    """`ws.prelabels`: import and list prelabel runs."""

    def __init__(self, gate: Gate) -> None:
        self._gate = gate

    def import_(
        self,
        format: str,
        source: LabelSource,
        *,
        media: str | Media,
        capability: str,
        classes: Classes | None = None,
        model: str = "unknown",
        model_version: str = "",
        on_invalid: OnInvalid = "refuse",
        **options: object,
    ) -> PrelabelRun:
        """Import labels as a prelabel run; returns it with a report of every record.

        `format` is `coco`, `csv`, `cvat`, `labelstudio`, `mot`, `parquet`, `voc` or `yolo`, and `source` a file or folder (for tables
        also a polars frame); or `format` is `python` and `source` a function that gets a frame (index, name, width, height, bytes,
        image) and returns labels. `options` are those of the format's reader, such as `one_based=True` for voc or `progress=` for
        python. `classes` names class numbers in order, or says what the source's classes are called here: `{"person": "player",
        "crowd": None}` by name, `{0: "player"}` by number; None leaves a class out, other names stay. Boxes reaching over the frame are
        cut at it, records that fit nowhere are refused with file, line and reason, and neither stops the import; `on_invalid="keep"`
        keeps what is outside or of an unknown class as it is, for the review to correct. Memory does not grow with the source.
        Raises `UNKNOWN_FORMAT`, what the reader raises, and `LABELS_ALL_REFUSED` where records were there but none fits; then nothing
        was imported.
        """
        read = reader(format)
        _check(format, source, read, options)
        name = media if isinstance(media, str) else media.name
        with self._gate.read() as (tx, _):
            found = tx.media.get(self._gate.workspace.id, name)
            known = tx.media.capability(self._gate.workspace.id, capability)
            names_of_media = [one.name for one in tx.media.all(self._gate.workspace.id)]
        folders = pl.lit(pl.Series([[self._gate.workspace.name, found.name, *names_of_media]]))  # what exports call them
        objects = self._gate.database.objects
        frames = objects.read_frame(found.frames_object)
        renaming = None if classes is None else Renaming.of(classes, known)
        names, accepted = (None, known) if renaming is None else (renaming.numbers, renaming.widened(known))
        where, said = _said(source)
        pack_id, run_id = new_id("pre"), new_id("run")
        tally = Tally()
        with _pictures(format, found, frames) as pictures:
            chunks = read(
                source,  # type: ignore[arg-type]
                frames=frames.with_columns(folders=pl.when(pl.int_range(pl.len()) == 0).then(folders)),
                classes=names,
                capability=accepted,
                on_invalid=on_invalid,
                **pictures,
                **options,
            )
            chunks = chunks if renaming is None else renaming.applied(chunks)
            digest = import_rows(
                self._gate.database,
                _some(tally, chunks, where),
                frame_count=found.frame_count,
                seed=pack_id,
                source=Source.MODEL.value,
            )
        report = tally.report()
        content_hash = Content(objects.read_frame(digest, columns=["frame_index", "digest"])).hash(capability)
        model = said if model == "unknown" and said else model
        with self._gate.act(Action.IMPORT, f"run:{run_id}") as act:
            act.tx.review.add_run(
                {
                    "id": run_id,
                    "workspace_id": self._gate.workspace.id,
                    "source_format": format,
                    "source": where,
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
            act.record("PRELABELS_IMPORTED", pack=pack_id, media=found.id, kept=report.kept, refused=report.refused_count)
        return PrelabelRun(run_id, pack_id, found.name, capability, model, model_version, content_hash, report.kept, report)

    def runs(self, *, media: str | None = None, capability: str | None = None, status: str | None = None) -> pl.DataFrame:
        """Return the runs, newest first, one row an outcome line: run_id, media, capability, model, lineage, counts, status, report."""
        with self._gate.read() as (tx, _):
            rows = tx.review.runs(self._gate.workspace.id)
        wanted = {"media": media, "capability": capability, "status": status}
        return rows.filter(pl.lit(value=True), *(pl.col(name) == value for name, value in wanted.items() if value is not None))


def _check(format: str, source: LabelSource, read: Reader, options: dict[str, object]) -> None:
    """Refuse a source of another kind than the format's, and options that its reader does not have."""
    is_table, is_path = isinstance(source, pl.DataFrame), isinstance(source, str | Path)
    if not (callable(source) if format == "python" else is_path or (is_table and format in TABLES)):
        fix = "A function goes with format 'python', a polars frame with 'csv' or 'parquet', every other format with a file or folder."
        raise InvalidValue(what="source", reason=f"{type(source).__name__} is no source for format {format!r}", fix=fix)
    own = set(signature(read).parameters) - set(signature(Reader.__call__).parameters) - {"given"}
    unknown = sorted(set(options) - own)
    if unknown:
        fix = f"It has {', '.join(sorted(own))}." if own else "It has none beside those of every import."
        raise InvalidValue(what=unknown[0], reason=f"format {format!r} has no such option", fix=fix)


def _said(source: LabelSource) -> tuple[str, str]:
    """Return where labels come from as a run keeps it, and the name of the model where it is a function."""
    if isinstance(source, str | Path):
        return str(Path(source).resolve()), ""
    if isinstance(source, pl.DataFrame):
        return "data frame", ""
    name = getattr(source, "__qualname__", type(source).__qualname__)
    module = getattr(source, "__module__", None) or type(source).__module__
    return f"{module}.{name}", name


@contextmanager
def _pictures(format: str, media: Media, frames: pl.DataFrame) -> Iterator[dict[str, Any]]:
    """Give what a model is called with, and close the media afterwards; nothing for formats that are files."""
    if format != "python":
        yield {}
        return
    source, rows = open_frames(media.kind, media.root, frames), Frames(frames)
    try:
        yield {"given": lambda index: ModelFrame(rows[index], source)}
    finally:
        if (close := getattr(source, "close", None)) is not None:
            close()


def _some(tally: Tally, chunks: Iterator[Chunk], where: str) -> Iterator[pl.DataFrame]:
    """Yield the rows of the chunks. Raises `LABELS_ALL_REFUSED` at the end where none was kept of those that were there."""
    yield from tally.rows(chunks)
    report = tally.report()
    if report.read and not report.kept:
        raise LabelsAllRefused(count=report.read, source=where, summary=report.reasons)
