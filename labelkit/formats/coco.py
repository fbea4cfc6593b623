"""COCO: one JSON with images, categories and annotations, or a list of results with scores."""

from __future__ import annotations

from dataclasses import replace
from itertools import chain
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, BinaryIO

import polars as pl

from labelkit.errors import ClassesUnknown, LabelsNotFound, LabelsUnreadable
from labelkit.formats.acceptance import accept
from labelkit.formats.coco_records import CATEGORIES, RECORDS, records
from labelkit.formats.coco_tables import Tables, frames_by_id, frames_by_image
from labelkit.formats.json_stream import JsonDocument
from labelkit.formats.rows import NOTES, Chunk, NoteCode, OnInvalid, RefusedCode, raw_rows

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

    An image belongs to the frame of its `file_name`, else of its name without folders, else of its stem. A list of results takes
    images and categories from the annotation file `images=`; without it `image_id` is the name, stem or number of the frame and
    `classes` name the category ids from 1. Scores are kept; polygons, masks, crowd marks, keypoints and attributes stay in the
    attributes. In a capability of points a single visible keypoint is the point and its box gives the size; else the box is converted.
    Records are counted from 1. Raises `LABELS_NOT_FOUND`, `LABELS_UNREADABLE`, `CLASSES_UNKNOWN`.
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
    """Judge the records as they come; those that stand before their images and categories wait on disk."""
    with _opened(file) as stream, TemporaryDirectory(prefix="labelkit-") as folder:
        document = JsonDocument(stream, file)
        is_list = document.is_array()
        known, count, found, waiting = given, 0, is_list, list[Path]()
        for key in ("annotations",) if is_list else document.members():
            known = known.read(key, document)
            if key == "annotations":
                found = True
                for block in document.elements(RECORDS):
                    read_now = records(block, file.name, count + 1, as_points=capability.geometry == "point")
                    count += len(block)
                    if is_list or known.complete():
                        yield _accepted(read_now, known, file, frames, capability, on_invalid)
                    else:
                        waiting.append(Path(folder, f"{len(waiting)}.arrow"))
                        read_now.write_ipc(waiting[-1])
        if not found:
            raise LabelsUnreadable(source=file, reason="it has no list `annotations`", fix="Name a COCO annotation or result file.")
        for part in waiting:
            yield _accepted(pl.read_ipc(part.read_bytes()), known, file, frames, capability, on_invalid)


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


def _accepted(found: pl.DataFrame, known: Tables, file: Path, frames: pl.DataFrame, capability: Capability, on_invalid: OnInvalid) -> Chunk:
    if known.categories is None:
        raise ClassesUnknown(source=file, reason="it has no `categories`", places="the annotation file in images=")
    pictures = frames_by_id(found["image_id"], frames) if known.images is None else frames_by_image(known.images, frames)
    names = known.categories.unique("id", keep="first").rename({"id": "category_id", "name": "label"})
    placed = found.join(pictures, on="image_id", how="left", maintain_order="left").join(
        names, on="category_id", how="left", maintain_order="left"
    )
    codes = {
        RefusedCode.NO_IMAGE: pl.col("frame_index").is_null() & pl.col("image_code").is_null(),
        RefusedCode.CLASS_OUT_OF_RANGE: pl.col("label").is_null(),
    }
    said = {
        RefusedCode.NO_IMAGE: pl.format("image_id {} is not among the images", pl.col("image_id").fill_null("(none)")),
        RefusedCode.CLASS_OUT_OF_RANGE: pl.format("category_id {} is not among the categories", pl.col("category_id").fill_null("(none)")),
    }
    own = [pl.when(rule).then(pl.lit(str(code))) for code, rule in codes.items()]
    placed = placed.with_columns(code=pl.coalesce("code", "image_code", *own)).with_columns(
        detail=pl.coalesce("detail", "image_detail", *(pl.when(pl.col("code") == str(code)).then(text) for code, text in said.items()))
    )
    chunk = accept(raw_rows(placed), frames, capability, on_invalid)
    return _with_sizes(chunk, placed)


def _with_sizes(chunk: Chunk, placed: pl.DataFrame) -> Chunk:
    """Add a note to every kept record whose image had another size when it was labelled."""
    other = placed.filter(pl.col("image_size").is_not_null()).join(chunk.rows.select("line"), on="line", how="semi")
    notes = other.with_columns(code=pl.lit(str(NoteCode.OTHER_SIZE)), detail="image_size").select(*NOTES)
    return replace(chunk, notes=pl.concat([chunk.notes, notes]))
