"""Tables with a label a row: CSV in any of the usual dialects, OpenImages, Kaggle and VoTT, text without a header, Parquet, data frames."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import polars as pl

from labelkit.errors import InvalidValue, LabelsUnreadable
from labelkit.formats.labels.placing import FrameFinder, judged, numbered, placed
from labelkit.formats.labels.rows import NOTES, Chunk, NoteCode, OnInvalid, RefusedCode, refused_chunk
from labelkit.formats.table_columns import FORMS, BoxForm, Columns, columns_of
from labelkit.formats.table_rows import FILE, Batch, Refusal, batches, frame_batches, table_files
from labelkit.formats.table_values import are_fractions, check_kinds, labels, records

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from labelkit.core.review.annotations import Capability

Units = Literal["auto", "pixels", "fractions"]


def read(
    source: str | Path | pl.DataFrame,
    *,
    frames: pl.DataFrame,
    classes: Sequence[str] | None = None,
    capability: Capability,
    on_invalid: OnInvalid = "refuse",
    columns: Sequence[str] | None = None,
    box: BoxForm | None = None,
    units: Units = "auto",
    attributes: Sequence[str] = (),
) -> Iterator[Chunk]:
    """Read a table, a folder of tables, or a data frame, in batches of `table_rows.ROWS_A_BATCH` rows.

    Columns are known by their names (see `table_columns.ALIASES`), which stand in the first line or in `columns=`. The place is corners
    (xmin ymin xmax ymax), a corner and sides (x y width height), the centre and sides (cx cy width height), one column `bbox` whose
    form `box=` says, or a point (x y, and size). `units` are pixels or fractions of the picture; "auto" takes fractions where the
    middle row of the first batch ends below `table_values.LARGEST_FRACTION`. The frame is that of the image's path, file name or stem,
    or of the number `frame` from 0; without either column, of the name of the table's file. The class is a name, or a number from 0 in
    `classes`, or in a list beside the table; without a column it is the only one of `classes`. OpenImages codes (/m/0a1b) are named by
    the class-descriptions file beside the table. Decimal commas are read. Kept in the attributes: occluded, truncated, difficult and
    the like where they say yes, track_id, visibility, and the columns of `attributes=`. Other columns are left out, with a note. Raises
    `LABELS_NOT_FOUND`, `CLASSES_UNKNOWN`, `INVALID_VALUE`, and `LABELS_UNREADABLE` for one table alone; in a folder, tables that cannot
    be read are refused one by one.
    """
    if units not in ("auto", "pixels", "fractions"):
        raise InvalidValue(what="units", reason=f"{units!r} are none", fix="Use 'pixels', 'fractions' or 'auto'.")
    if box is not None and len(FORMS.get(box, ())) != 4:
        raise InvalidValue(what="box", reason=f"{box!r} is no form of a box", fix="Use 'xyxy', 'xywh' or 'cxcywh'.")
    names = None if classes is None else (classes,) if isinstance(classes, str) else tuple(classes)
    options = _Options(names, capability, on_invalid, box, tuple(attributes))
    if isinstance(source, pl.DataFrame):
        return _Table(frames, options, Path(), units, alone=True).chunks(frame_batches(source))
    root, files = table_files(Path(source))
    alone = Path(source).is_file() or columns is not None
    return _Table(frames, options, root, units, alone=alone).chunks(batches(root, files, columns))


@dataclass(frozen=True, slots=True)
class _Options:
    classes: tuple[str, ...] | None
    capability: Capability
    on_invalid: OnInvalid
    box: BoxForm | None
    attributes: tuple[str, ...]


@dataclass(slots=True)
class _Table:
    """Makes chunks of batches; the units of the first and the meaning of columns hold for those that come later."""

    frames: pl.DataFrame
    options: _Options
    root: Path
    units: Units
    alone: bool
    finder: FrameFinder = field(init=False)
    meanings: dict[tuple[str, ...], Columns | LabelsUnreadable] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.finder = FrameFinder(self.frames)

    def chunks(self, parts: Iterator[Batch | Refusal]) -> Iterator[Chunk]:
        for part in parts:
            if isinstance(part, Refusal):
                yield refused_chunk(pl.DataFrame([part], schema=["file", "code", "detail"], orient="row"))
                continue
            fresh = part.names not in self.meanings
            meaning = self._meaning(part)
            if isinstance(meaning, LabelsUnreadable):
                files, said = part.table.select(file=pl.col(FILE).unique(maintain_order=True)), str(meaning.facts["reason"])
                yield refused_chunk(files.with_columns(code=pl.lit(str(RefusedCode.MALFORMED)), detail=pl.lit(said)))
                continue
            chunk = self._chunk(part, meaning)
            yield _noted(chunk, part, meaning) if fresh and meaning.left_out else chunk

    def _meaning(self, part: Batch) -> Columns | LabelsUnreadable:
        if part.names not in self.meanings:
            source = part.table[FILE][0] if part.table.height else "the table"
            try:
                found = columns_of(source, part.names, box=self.options.box, attributes=self.options.attributes)
                check_kinds(source, part.table, found)
                self.meanings[part.names] = found
            except LabelsUnreadable as error:
                if self.alone:
                    raise
                self.meanings[part.names] = error
        return self.meanings[part.names]

    def _chunk(self, part: Batch, meaning: Columns) -> Chunk:
        named = labels(part.table, meaning, self.options.classes, self.root).rename({"code": "class_code", "detail": "class_detail"})
        rows = pl.concat([records(part.table, meaning, self.options.box), named], how="horizontal")
        rows = rows.with_columns(code=pl.coalesce("code", "class_code"), detail=pl.coalesce("detail", "class_detail"))
        if "image" in meaning.of or "frame" not in meaning.of:
            rows = placed(rows, self.finder.find(rows["image"]))
        else:
            lost = pl.format("frame {}: the media has {} frames", "frame", pl.lit(self.frames.height))
            rows = numbered(rows, pl.col("frame"), self.frames.height, lost)
        if self.units == "auto" and (fractions := are_fractions(rows)) is not None:
            self.units = "fractions" if fractions else "pixels"
        return judged(rows, self.frames, self.options.capability, self.options.on_invalid, relative=self.units == "fractions")


def _noted(chunk: Chunk, part: Batch, meaning: Columns) -> Chunk:
    """Return the chunk with a note on the columns that are not read."""
    said = f"columns not read: {', '.join(meaning.left_out)[:200]}"
    note = {"frame_index": None, "file": next(iter(part.table[FILE]), ""), "line": None, "code": str(NoteCode.LEFT_OUT), "detail": said}
    return replace(chunk, notes=pl.concat([chunk.notes, pl.DataFrame([note], schema=NOTES)]))
