"""The one shape of every reader: rows, refusals and notes, in chunks.

A reader turns its format into `RAW` rows, and `acceptance.accept` decides about them. Every record of the source ends in exactly one
place: in `rows` (kept) or in `refused` (with a code). `notes` say what was kept but changed, or kept and cannot be edited. `id` is the
annotation's own where an export of labelkit says it, null in every other source.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Literal, Protocol

import polars as pl

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from labelkit.core.review.annotations import Capability

OnInvalid = Literal["refuse", "keep"]
GEOMETRY = ("x", "y", "width", "height", "size")

RAW: dict[str, pl.DataType] = {
    "file": pl.String(),
    "line": pl.Int64(),
    "frame_index": pl.Int32(),
    "label": pl.String(),
    **dict.fromkeys(GEOMETRY, pl.Float64()),
    "score": pl.Float64(),
    "attributes": pl.String(),
    "id": pl.String(),
    "code": pl.String(),
    "detail": pl.String(),
}
ROWS = {name: RAW[name] for name in ("frame_index", "label", *GEOMETRY, "score", "attributes", "id", "file", "line")}
REFUSED = {name: RAW[name] for name in ("file", "line", "code", "detail")}
NOTES = {name: RAW[name] for name in ("frame_index", "file", "line", "code", "detail")}


class RefusedCode(StrEnum):
    """Why a record was not taken in."""

    NO_IMAGE = "LABEL_NO_IMAGE"
    AMBIGUOUS_IMAGE = "LABEL_AMBIGUOUS_IMAGE"
    OTHER_MEDIA = "LABEL_OTHER_MEDIA"
    OUTSIDE_ROOT = "LABEL_OUTSIDE_ROOT"
    NOT_UTF8 = "LABEL_NOT_UTF8"
    UNREADABLE = "LABEL_UNREADABLE"
    MALFORMED = "LABEL_MALFORMED"
    CLASS_OUT_OF_RANGE = "LABEL_CLASS_OUT_OF_RANGE"
    UNKNOWN_CLASS = "LABEL_UNKNOWN_CLASS"
    NOT_A_NUMBER = "LABEL_NOT_A_NUMBER"
    SCORE_OUT_OF_RANGE = "LABEL_SCORE_OUT_OF_RANGE"
    NOT_A_BOX = "LABEL_NOT_A_BOX"
    FRAME_BROKEN = "LABEL_FRAME_BROKEN"
    OUTSIDE_FRAME = "LABEL_OUTSIDE_FRAME"
    TOO_SMALL = "LABEL_TOO_SMALL"
    NO_PLACE = "LABEL_NO_PLACE"
    NOT_CHOSEN = "LABEL_NOT_CHOSEN"
    MODEL_FAILED = "LABEL_MODEL_FAILED"
    CLASS_LEFT_OUT = "LABEL_CLASS_LEFT_OUT"

    @property
    def sentence(self) -> str:
        """Say what is wrong with such a record."""
        return _SENTENCES[self]


class NoteCode(StrEnum):
    """What is to be known about a record that was kept."""

    CLAMPED = "CLAMPED"
    CONVERTED = "CONVERTED"
    TINY = "TINY"
    OTHER_SIZE = "OTHER_SIZE"
    KEPT_NOT_EDITABLE = "KEPT_NOT_EDITABLE"
    KEPT_INVALID = "KEPT_INVALID"
    LEFT_OUT = "LEFT_OUT"

    @property
    def sentence(self) -> str:
        """Say what became of such a record."""
        return _SENTENCES[self]


_SENTENCES: dict[StrEnum, str] = {
    RefusedCode.NO_IMAGE: "The media has no frame of that name.",
    RefusedCode.AMBIGUOUS_IMAGE: "More than one frame, or more than one label file, has that name.",
    RefusedCode.OTHER_MEDIA: "The picture is one of another media of the workspace.",
    RefusedCode.OUTSIDE_ROOT: "The path is absolute or leads out of the folder.",
    RefusedCode.NOT_UTF8: "The text is not UTF-8.",
    RefusedCode.UNREADABLE: "The file could not be read.",
    RefusedCode.MALFORMED: "The record does not have the form of its format.",
    RefusedCode.CLASS_OUT_OF_RANGE: "The class number has no name.",
    RefusedCode.UNKNOWN_CLASS: "The capability does not have that class.",
    RefusedCode.NOT_A_NUMBER: "A coordinate or score is no finite number.",
    RefusedCode.SCORE_OUT_OF_RANGE: "The score is not between 0 and 1.",
    RefusedCode.NOT_A_BOX: "The record has no box, and the capability is labelled with boxes.",
    RefusedCode.FRAME_BROKEN: "The frame has no picture, so nothing can be placed on it.",
    RefusedCode.OUTSIDE_FRAME: "The label lies entirely outside the frame.",
    RefusedCode.TOO_SMALL: "The box is empty, or the frame holds less than 1 px of a side.",
    RefusedCode.NO_PLACE: "The record says nothing about a place in the frame, or has its place in a form that is not read.",
    RefusedCode.NOT_CHOSEN: "Several people labelled the picture, or the work was cancelled: another answer was taken.",
    RefusedCode.MODEL_FAILED: "The model raised an exception on the frame, or there was no picture to give to it.",
    RefusedCode.CLASS_LEFT_OUT: "The import was told to leave labels of this class out.",
    NoteCode.CLAMPED: "The part outside the frame was cut off.",
    NoteCode.CONVERTED: "The box became its centre, with the mean of its sides as size.",
    NoteCode.TINY: "A side is under 1 px: kept, though nobody could draw such a box.",
    NoteCode.OTHER_SIZE: "Labelled on a picture of another size than the frame; look whether it is in place.",
    NoteCode.KEPT_NOT_EDITABLE: "Kept in the attributes; the review shows it but cannot edit it.",
    NoteCode.KEPT_INVALID: "Kept as it is; publishing will refuse it until it is corrected.",
    NoteCode.LEFT_OUT: "The file holds more than labels; this part was not read.",
}


@dataclass(frozen=True, slots=True)
class Chunk:
    """A bounded part of a source: `rows` as `ROWS`, `refused` as `REFUSED`, `notes` as `NOTES`."""

    rows: pl.DataFrame
    refused: pl.DataFrame
    notes: pl.DataFrame


class Reader(Protocol):
    """What every format's `read` is: arguments are checked at the call, the source is read while the chunks are taken.

    A format may have options of its own, with defaults.
    """

    def __call__(  # noqa: D102 (said above)
        self,
        source: str | Path,
        *,
        frames: pl.DataFrame,
        classes: Sequence[str] | None = None,
        capability: Capability,
        on_invalid: OnInvalid = "refuse",
    ) -> Iterator[Chunk]: ...


def raw_rows(data: dict[str, object] | pl.DataFrame) -> pl.DataFrame:
    """Return rows in the shape `RAW`: missing columns are null, others are cast, extra ones fall away."""
    frame = data if isinstance(data, pl.DataFrame) else pl.DataFrame(data)
    missing = [pl.lit(None, kind).alias(name) for name, kind in RAW.items() if name not in frame.columns]
    return frame.with_columns(missing).select(pl.col(name).cast(kind) for name, kind in RAW.items())


def refused_chunk(refused: pl.DataFrame) -> Chunk:
    """Return a chunk of nothing but refusals (file, line, code, detail)."""
    return Chunk(pl.DataFrame(schema=ROWS), raw_rows(refused).select(*REFUSED), pl.DataFrame(schema=NOTES))
