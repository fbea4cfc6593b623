"""Text files of any size as numbered lines, a bounded part at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from labelkit.errors import LabelsUnreadable

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

BLOCK = 8 << 20
LONGEST_LINE = 64 << 20
_LINES = {"line": pl.Int64(), "text": pl.String()}


def lines(file: Path) -> Iterator[pl.DataFrame]:
    """Yield line (from 1) and text of the lines that are not blank; line ends and a byte order mark fall away.

    Raises `LABELS_UNREADABLE` for a file that may not be read or is not UTF-8, with the byte.
    """
    count = before = 0
    for data in _blocks(file):
        try:
            text = data.decode("utf-8-sig" if before == 0 else "utf-8")
        except UnicodeDecodeError as error:
            reason = f"byte {before + error.start} is not UTF-8"
            raise LabelsUnreadable(source=file, reason=reason, fix="Save it as UTF-8 text.") from error
        before += len(data)
        found = text.replace("\r\n", "\n").replace("\r", "\n").removesuffix("\n").split("\n")
        yield pl.DataFrame({"line": range(count + 1, count + len(found) + 1), "text": found}, schema=_LINES).filter(
            pl.col("text").str.contains(r"\S")
        )
        count += len(found)


def _blocks(file: Path) -> Iterator[bytes]:
    """Yield the file in parts that end with a line."""
    rest = b""
    try:
        with file.open("rb") as stream:
            while data := stream.read(BLOCK):
                whole, end, rest = (rest + data).rpartition(b"\n")
                if end:
                    yield whole + end
                elif len(rest) > LONGEST_LINE:
                    raise LabelsUnreadable(source=file, reason=f"a line is longer than {LONGEST_LINE >> 20} MB", fix="Name a text file.")
    except OSError as error:
        raise LabelsUnreadable(source=file, reason=str(error.strerror), fix="Name a file that you may read.") from error
    if rest:
        yield rest
