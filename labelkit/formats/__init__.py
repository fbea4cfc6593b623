"""Files in and out, one place for each format: labels, all readers judged by one rule, and keyed rows; and everything around an export."""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING

from labelkit.errors import UnknownFormat
from labelkit.formats import (
    coco,
    coco_write,
    cvat,
    cvat_write,
    labelstudio,
    labelstudio_write,
    mot,
    python_model,
    tables,
    tfrecord,
    voc,
    voc_write,
    webdataset,
    yolo,
    yolo_write,
)
from labelkit.formats.huggingface import write as huggingface_write
from labelkit.formats.keyed import csv_rows, jsonl, parquet_rows
from labelkit.formats.tfrecord import write as tfrecord_write
from labelkit.formats.webdataset import write as webdataset_write

if TYPE_CHECKING:
    from collections.abc import Iterable

    from labelkit.formats.exports import Format, RowReader
    from labelkit.formats.labels.rows import Reader

READERS: dict[str, Reader] = {
    "coco": coco.read,
    "csv": tables.read,
    "cvat": cvat.read,
    "labelstudio": labelstudio.read,
    "mot": mot.read,
    "parquet": tables.read,
    "python": python_model.read,
    "voc": voc.read,
    "yolo": yolo.read,
}
ROW_READERS: dict[str, RowReader] = {
    "csv": csv_rows.read,
    "huggingface": huggingface_write.read,
    "jsonl": jsonl.read,
    "parquet": parquet_rows.read,
    "tfrecord": tfrecord.read,
    "webdataset": webdataset.read,
}
WRITERS: dict[str, Format] = {
    "coco": coco_write.FORMAT,
    "csv": csv_rows.FORMAT,
    "cvat": cvat_write.FORMAT,
    "huggingface": huggingface_write.FORMAT,
    "jsonl": jsonl.FORMAT,
    "labelstudio": labelstudio_write.FORMAT,
    "parquet": parquet_rows.FORMAT,
    "tfrecord": tfrecord_write.FORMAT,
    "voc": voc_write.FORMAT,
    "webdataset": webdataset_write.FORMAT,
    "yolo": yolo_write.FORMAT,
}


def reader(name: str) -> Reader:
    """Return the reader of a format. Raises `UNKNOWN_FORMAT`, naming the nearest."""
    if name not in READERS:
        raise _unknown("reader", name, READERS)
    return READERS[name]


def writer(name: str) -> Format:
    """Return a format to write. Raises `UNKNOWN_FORMAT`, naming the nearest."""
    if name not in WRITERS:
        raise _unknown("writer", name, WRITERS)
    return WRITERS[name]


def row_reader(name: str) -> RowReader:
    """Return the reader of rows of a format. Raises `UNKNOWN_FORMAT`, naming the nearest."""
    if name not in ROW_READERS:
        raise _unknown("reader of rows", name, ROW_READERS)
    return ROW_READERS[name]


def _unknown(direction: str, name: str, known: Iterable[str]) -> UnknownFormat:
    close = get_close_matches(name.lower(), list(known), n=1, cutoff=0.4)
    near = f" The nearest is {close[0]!r}." if close else ""
    return UnknownFormat(direction=direction, name=name, near=near, known=", ".join(known))
