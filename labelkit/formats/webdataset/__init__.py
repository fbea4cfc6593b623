"""WebDataset in: rows as the JSON files of an export say them, in exactly their types; of other tar files, what their JSON seems to be."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from labelkit.formats.keyed.jsonl import rows_of
from labelkit.formats.keyed.row_sources import readable, sourced
from labelkit.formats.keyed.tar_rows import read_members
from labelkit.formats.webdataset.names import key_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

READ_BYTES = 16 << 20
KEY = "__key__"
_JSON = ".json"


def read(source: str | Path) -> Iterator[pl.DataFrame]:
    """Yield the rows of an export in blocks, in the types that its manifest tells.

    Of tar files that others wrote, rows are what the `*.json` in them seem to be, with the name before the first dot as column `__key__`.
    Raises `LABELS_NOT_FOUND`, `LABELS_UNREADABLE` that names the place in a file, and `EXPORT_DAMAGED` for an export that is not whole.
    """
    files, manifest = sourced(source, ".tar")
    if manifest is None:
        with readable(source):
            yield pl.concat([_guessed(file) for file in files], how="diagonal_relaxed")
        return
    yield pl.DataFrame(schema=manifest.columns)
    for file in files:
        for lines in _blocks(file):
            with readable(file):
                yield rows_of(lines, manifest)


def _blocks(file: Path) -> Iterator[bytes]:
    """Yield what the JSON files say as lines, some at a time."""
    held, size = list[bytes](), 0
    for member in read_members(file):
        if member.name.endswith(_JSON):
            held.append(member.data)
            size += len(member.data)
        if size >= READ_BYTES:
            yield b"\n".join(held) + b"\n"
            held, size = [], 0
    if held:
        yield b"\n".join(held) + b"\n"


def _guessed(file: Path) -> pl.DataFrame:
    found = [(_key(member.name), b" ".join(member.data.split(b"\n"))) for member in read_members(file) if member.name.endswith(_JSON)]
    if not found:
        return pl.DataFrame(schema={KEY: pl.String()})
    rows = pl.read_ndjson(b"\n".join(data for _, data in found), infer_schema_length=None)
    return rows.insert_column(0, pl.Series(KEY, [key for key, _ in found]))


def _key(name: str) -> str:
    folders, slash, last = name.rpartition("/")
    return key_of(folders + slash + last.partition(".")[0])
