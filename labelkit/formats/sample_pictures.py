"""Pictures of samples on their way into an export: asked for row by row, handed on in runs of bounded size."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

import polars as pl

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from labelkit.formats.exports import About

Picture: TypeAlias = tuple[bytes, str] | None  # stored bytes and mime type; None where there is none to be had
RUN_BYTES = 8 << 20
RUN_ROWS = 4_096
SUFFIXES = {
    "image/jpeg": "jpg",
    "image/png": "png",
    "image/webp": "webp",
    "image/gif": "gif",
    "image/bmp": "bmp",
    "image/tiff": "tiff",
}


def with_pictures(rows: pl.DataFrame, about: About) -> Iterator[tuple[pl.DataFrame, Sequence[Picture]]]:
    """Yield runs of rows in their order, each row with its picture; a run's pictures have some `RUN_BYTES` together.

    Without pictures to be had, runs are of `RUN_ROWS` rows and their pictures None.
    """
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
