"""Pictures of samples on their way into an export: asked for row by row, handed on in runs of bounded size."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import polars as pl

from labelkit.formats.exports import parted

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from labelkit.formats.exports import About

Picture: TypeAlias = tuple[bytes, str] | None  # stored bytes and mime type; None where there is none to be had
RUN_BYTES = 4 << 20
RUN_ROWS = 8_192
SUFFIXES = {
    "image/jpeg": "jpg",
    "image/png": "png",
    "image/webp": "webp",
    "image/gif": "gif",
    "image/bmp": "bmp",
    "image/tiff": "tiff",
}


@dataclass(frozen=True, slots=True)
class Run:
    """Some rows of one part, in their order, each with its picture; the pictures have some `RUN_BYTES` together."""

    part: str
    rows: pl.DataFrame
    pictures: Sequence[Picture]


def runs(chunks: Iterable[pl.DataFrame], about: About) -> Iterator[Run]:
    """Yield the rows of chunks as runs; where no pictures are to be had, all of them are None."""
    for chunk in chunks:
        for part, rows in parted(chunk, about):
            for run, pictures in with_pictures(rows, about):
                yield Run(part, run, pictures)


def with_pictures(rows: pl.DataFrame, about: About) -> Iterator[tuple[pl.DataFrame, Sequence[Picture]]]:
    """Yield rows in runs, each row with its picture."""
    if about.picture is None:
        for begin in range(0, rows.height, RUN_ROWS):
            run = rows.slice(begin, RUN_ROWS)
            yield run, [None] * run.height
        return
    begin, size, pictures = 0, 0, list[Picture]()
    for place, row in enumerate(rows.select(pl.exclude("annotations")).iter_rows(named=True), 1):
        picture = about.picture(row)
        pictures.append(picture)
        size += 0 if picture is None else len(picture[0])
        if size >= RUN_BYTES or len(pictures) >= RUN_ROWS:
            yield rows.slice(begin, len(pictures)), pictures
            begin, size, pictures = place, 0, []
    if pictures:
        yield rows.slice(begin, len(pictures)), pictures
