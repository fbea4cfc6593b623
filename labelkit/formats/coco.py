"""COCO: one JSON with images, categories and annotations, or a list of results with scores."""

from __future__ import annotations

from dataclasses import replace
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import polars as pl

from labelkit.errors import ClassesUnknown, LabelsNotFound, LabelsUnreadable
from labelkit.formats.coco_plain import plain
from labelkit.formats.coco_records import CATEGORIES, RECORDS, records
from labelkit.formats.coco_tables import Meaning, Tables
from labelkit.formats.json_stream import JsonDocument
from labelkit.formats.labels.acceptance import accept
from labelkit.formats.labels.rows import NOTES, Chunk, NoteCode, OnInvalid, raw_rows
from labelkit.formats.labels.spool import Spool

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from labelkit.core.review.annotations import Capability


def read(
    source: str | Path,
    *,
    frames: pl.DataFrame,
    classes: Sequence[str] | None = None,
    capability: Capability,
    on_invalid: OnInvalid = "refuse",
    images: str | Path | None = None,
) -> Iterator[Chunk]:
    """Read a COCO file, or those of a folder (`annotations/instances_*.json`, else its one .json), in chunks of a few MB.

    An image belongs to the frame of its `file_name`, else of its name without folders, else of its stem. A list of results takes images and
    categories from the annotation file `images=`; without it `image_id` is the name, stem or number of the frame and `classes` name the
    category ids from 1. Scores are kept; polygons, masks, crowd marks, keypoints and attributes stay in the attributes, and ids of
    annotations from an export of labelkit. In a capability of points a single visible keypoint is the point and its box gives the size;
    else the box is converted. Records are counted from 1. Raises `LABELS_NOT_FOUND`, `LABELS_UNREADABLE`, `CLASSES_UNKNOWN`.
    """
    files = _files(Path(source))
    given = Tables() if images is None else _tables(Path(images))
    if given.categories is None and classes is not None:
        names = {"id": [str(number) for number in range(1, len(classes) + 1)], "name": list(classes)}
        given = replace(given, categories=pl.DataFrame(names, schema=CATEGORIES))
    return chain.from_iterable(_chunks(file, given, frames, capability, on_invalid) for file in files)


def _files(source: Path) -> list[Path]:
    if source.is_file():
        return [source]
    parts = sorted(source.glob("annotations/instances_*.json"))
    single = sorted(source.glob("*.json"))
    if parts or len(single) == 1:
        return parts or single
    reason = f"{len(single)} .json files are in it" if source.is_dir() else "there is no such file"
    raise LabelsNotFound(source=source, reason=reason, expected="one COCO .json file")


def _chunks(file: Path, given: Tables, frames: pl.DataFrame, capability: Capability, on_invalid: OnInvalid) -> Iterator[Chunk]:
    """Judge the records as they come; those that stand before their images and categories wait."""
    with _opened(file) as stream, Spool() as waiting:
        document = JsonDocument(stream, file)
        is_list = document.is_array()
        known, meaning, count, found = given, None, 0, is_list
        for key in ("annotations",) if is_list else document.members():
            known = known.read(key, document)
            if key != "annotations":
                continue
            found = True
            meaning = _meaning(known, frames, file) if is_list or known.complete() else None
            for block in document.elements(RECORDS, plain):
                now = records(block, file.name, count + 1, as_points=capability.geometry == "point")
                count += len(block)
                if meaning is None:
                    waiting.put(now)
                else:
                    yield _accepted(meaning.of(now), frames, capability, on_invalid)
        document.finish()
        if not found:
            raise LabelsUnreadable(source=file, reason="it has no list `annotations`", fix="Name a COCO annotation or result file.")
        for part in waiting.take():
            meaning = meaning or _meaning(known, frames, file)
            yield _accepted(meaning.of(part), frames, capability, on_invalid)


def _meaning(known: Tables, frames: pl.DataFrame, file: Path) -> Meaning:
    if known.categories is None:
        raise ClassesUnknown(source=file, reason="it has no `categories`", places="the annotation file in images=")
    return known.resolved(frames)


def _opened(file: Path) -> BinaryIO:
    try:
        return file.open("rb")
    except OSError as error:
        raise LabelsUnreadable(source=file, reason=str(error.strerror), fix="Ask for permission to read the file.") from error


def _tables(file: Path) -> Tables:
    known = Tables()
    with _opened(file) as stream:
        document = JsonDocument(stream, file)
        for key in document.members():
            known = known.read(key, document)
    return known


def _accepted(placed: pl.DataFrame, frames: pl.DataFrame, capability: Capability, on_invalid: OnInvalid) -> Chunk:
    """Judge records, with a note to every kept one whose image had another size when it was labelled."""
    chunk = accept(raw_rows(placed), frames, capability, on_invalid)
    other = placed.filter(pl.col("image_size").is_not_null()).join(chunk.rows.select("line"), on="line", how="semi")
    notes = other.with_columns(code=pl.lit(str(NoteCode.OTHER_SIZE)), detail="image_size").select(*NOTES)
    return replace(chunk, notes=pl.concat([chunk.notes, notes]))
