"""Tables of any size as batches of rows with their file and line: text with any of the usual separators, Parquet, data frames."""

from __future__ import annotations

import csv
from functools import partial
from itertools import zip_longest
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, TextIO

import polars as pl

from labelkit.errors import LabelsNotFound, LabelsUnreadable
from labelkit.formats.labels.label_files import RefusedFileError, check, label_files
from labelkit.formats.labels.rows import RefusedCode

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

ROWS_A_BATCH = 50_000
LONGEST_LINE = 16 << 20
TEXT = (".csv", ".tsv", ".txt")
PARQUET = (".parquet", ".pq")
FILE, LINE, MORE = "\0file", "\0line", "\0more"  # names that no column of a table has
_SEPARATORS = "\t;,|"
_PARQUET_MARK = b"PAR1"

Row = tuple[int, list[str]]


class Batch(NamedTuple):
    """Some rows with the columns `names`, and `FILE`, `LINE`, and `MORE` where a line has more fields than there are names."""

    names: tuple[str, ...]
    table: pl.DataFrame


class Refusal(NamedTuple):
    """A file of several that is not read, or not to its end."""

    file: str
    code: str
    detail: str


def table_files(source: Path) -> tuple[Path, dict[str, str]]:
    """Return the root, and name and path of the file, or of the Parquet files of a folder, else of its text files.

    Raises `LABELS_NOT_FOUND`, `LABELS_UNREADABLE`.
    """
    if not source.is_file() and not source.is_dir():
        raise LabelsNotFound(source=source, reason="there is no such file", expected="a table, or a folder of tables")
    try:
        return label_files(source, PARQUET)
    except LabelsNotFound:
        return label_files(source, TEXT)


def batches(root: Path, files: Mapping[str, str], columns: Sequence[str] | None) -> Iterator[Batch | Refusal]:
    """Yield the rows of the files; `columns` names those of text without a header.

    Of several files one that cannot be read is a refusal; one alone raises `LABELS_UNREADABLE`. A table without rows is a batch too.
    """
    pending: list[tuple[str, int, list[str]]] = []
    names: tuple[str, ...] = ()
    for name, path in files.items():
        try:
            check(path, root)
            if _is_parquet(Path(path)):
                yield from _of_parquet(name, Path(path))
                continue
            own, rows = _text(Path(path), columns)
            if own != names:
                yield from [_batch(pending, names)] if names else []
                pending, names = [], own
            for line, fields in rows:
                pending.append((name, line, fields))
                if len(pending) == ROWS_A_BATCH:
                    yield _batch(pending, names)
                    pending = []
        except (LabelsUnreadable, RefusedFileError) as error:
            if len(files) == 1:
                raise _alone(path, error) from error
            code = error.code if isinstance(error, RefusedFileError) else RefusedCode.MALFORMED
            yield Refusal(name, str(code), str(error.facts["reason"]) if isinstance(error, LabelsUnreadable) else str(error))
    if names:
        yield _batch(pending, names)


def frame_batches(table: pl.DataFrame) -> Iterator[Batch]:
    """Yield a data frame as `batches` yields a file; its rows count from 1."""
    for start in range(0, max(table.height, 1), ROWS_A_BATCH):
        yield _numbered("data frame", start, table.slice(start, ROWS_A_BATCH))


def _alone(path: str, error: LabelsUnreadable | RefusedFileError) -> LabelsUnreadable:
    if isinstance(error, LabelsUnreadable):
        return error
    return LabelsUnreadable(source=path, reason=str(error), fix="Name a file that you may read.")


def _text(file: Path, columns: Sequence[str] | None) -> tuple[tuple[str, ...], Iterator[Row]]:
    """Return the column names, from the first line unless given, and the rows that are not blank with the line where each ends."""
    rows = _rows(file)
    if columns is not None:
        return tuple(columns), rows
    header = next(rows, None)
    if header is None:
        raise LabelsUnreadable(source=file, reason="it is empty", fix="Name a table with a header, or pass columns=[...].")
    return tuple(_distinct(header[1])), rows


def _rows(file: Path) -> Iterator[Row]:
    line = 0
    try:
        with file.open(encoding="utf-8-sig", newline="") as stream:
            first = next((text for text in _lines(stream) if text.strip()), "")
            stream.seek(0)
            separator = max(_SEPARATORS, key=first.count)
            if separator in first:
                reader = csv.reader(_lines(stream), delimiter=separator, skipinitialspace=True)
                for fields in reader:
                    line = reader.line_num
                    if any(fields):
                        yield line, fields
            else:
                for line, text in enumerate(_lines(stream), 1):
                    if fields := text.split():
                        yield line, fields
    except UnicodeDecodeError as error:
        raise LabelsUnreadable(source=file, reason=f"after line {line} it is not UTF-8", fix="Save it as UTF-8 text.") from error
    except csv.Error as error:
        raise LabelsUnreadable(
            source=file, reason=f"after line {line}: {error}", fix="Close the quotation marks, or save it again."
        ) from error
    except OSError as error:
        raise LabelsUnreadable(source=file, reason=str(error.strerror), fix="Name a file that you may read.") from error


def _lines(stream: TextIO) -> Iterator[str]:
    return iter(partial(stream.readline, LONGEST_LINE), "")


def _batch(rows: Sequence[tuple[str, int, list[str]]], names: Sequence[str]) -> Batch:
    """Return rows (file, line, fields) as a table of text; missing fields are null."""
    width = len(names)
    fields = list(zip_longest(*(fields for _, _, fields in rows)))
    more = [any(extra) for extra in zip(*fields[width:], strict=True)] if len(fields) > width else [False] * len(rows)
    fields += [(None,) * len(rows)] * (width - len(fields))
    columns = [pl.Series(name, values, dtype=pl.String) for name, values in zip(names, fields[:width], strict=True)]
    columns.append(pl.Series(FILE, [row[0] for row in rows], dtype=pl.String))
    columns.append(pl.Series(LINE, [row[1] for row in rows], dtype=pl.Int64))
    columns.append(pl.Series(MORE, more, dtype=pl.Boolean))
    return Batch(tuple(names), pl.DataFrame(columns))


def _of_parquet(name: str, file: Path) -> Iterator[Batch]:
    try:
        lazy = pl.scan_parquet(file, glob=False)
        height = lazy.select(pl.len()).collect().item()
        for start in range(0, max(height, 1), ROWS_A_BATCH):
            yield _numbered(name, start, lazy.slice(start, ROWS_A_BATCH).collect())
    except (pl.exceptions.PolarsError, OSError) as error:
        raise LabelsUnreadable(source=file, reason=f"it is no Parquet: {error}", fix="Write the file again, whole.") from error


def _numbered(name: str, start: int, part: pl.DataFrame) -> Batch:
    lines = pl.int_range(start + 1, start + 1 + part.height, dtype=pl.Int64).alias(LINE)
    return Batch(tuple(part.columns), part.with_columns(pl.lit(name).alias(FILE), lines, pl.lit(value=False).alias(MORE)))


def _is_parquet(file: Path) -> bool:
    try:
        with file.open("rb") as stream:
            return stream.read(len(_PARQUET_MARK)) == _PARQUET_MARK
    except OSError as error:
        raise LabelsUnreadable(source=file, reason=str(error.strerror), fix="Name a file that you may read.") from error


def _distinct(names: Sequence[str]) -> Iterator[str]:
    """Yield names, each once: a table may have two columns of one name, and some without any."""
    seen: set[str] = set()
    for number, raw in enumerate(names, 1):
        name = raw.strip()
        while not name or name in seen:
            name = f"{name or 'column'}_{number}"
        seen.add(name)
        yield name
