"""Label files in and out: one module a format, all readers of one shape (`rows`), judged by one rule (`acceptance`)."""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING

from labelkit.errors import UnknownFormat
from labelkit.formats import coco, yolo

if TYPE_CHECKING:
    from labelkit.formats.rows import Reader

READERS: dict[str, Reader] = {"coco": coco.read, "yolo": yolo.read}


def reader(name: str) -> Reader:
    """Return the reader of a format. Raises `UNKNOWN_FORMAT`, naming the nearest."""
    if name in READERS:
        return READERS[name]
    raise _unknown("reader", name, list(READERS))


def _unknown(direction: str, name: str, known: list[str]) -> UnknownFormat:
    close = get_close_matches(name.lower(), known, n=1, cutoff=0.4)
    near = f"The nearest is {close[0]!r}." if close else ""
    return UnknownFormat(direction=direction, name=name, near=near, known=", ".join(known))
