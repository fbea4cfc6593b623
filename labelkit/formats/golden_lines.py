"""Golden examples as JSONL, a line each: `{"input":…,"output":…,"metadata":{…}}`, every value as JSON; and such lines read back.

Each of the three stands behind a tab, as columns of JSON text do in every JSONL that is written here.
"""

from __future__ import annotations

import json
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import polars as pl

from labelkit.core.golden.json_texts import parsed
from labelkit.formats.exports import EVERYTHING, Format, parted
from labelkit.formats.row_batches import in_order
from labelkit.formats.row_sources import readable, sourced

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from labelkit.formats.exports import About

COLUMNS = {name: pl.String() for name in ("input", "output", "metadata")}  # JSON texts
SLICE_ROWS = 16_384
_OF_METADATA = ("type", "labels", "source_decision_id")


def write(chunks: Iterable[pl.DataFrame], folder: Path, about: About) -> Mapping[str, int]:
    """Write rows as `<part>.jsonl`; return the rows a file."""
    count = {f"{part}.jsonl": 0 for part in about.parts}
    with ExitStack() as stack:
        files = {name: stack.enter_context((folder / name).open("wb")) for name in count}
        for name, rows, data in in_order(_slices(chunks, about), lambda one: (one[0], one[1].height, lines(one[1]))):
            files[name].write(data)
            count[name] += rows
    return count


def lines(rows: pl.DataFrame) -> bytes:
    """Return rows of `COLUMNS` as lines."""
    begin, middle, last = (pl.lit(f'\t"{name}":') for name in COLUMNS)
    comma = pl.lit(",")
    text = pl.concat_str(pl.lit("{"), begin, "input", comma, middle, "output", comma, last, "metadata", pl.lit("}\n"))
    return str(rows.select(text.str.join("")).item()).encode()


def read(source: str | Path) -> Iterator[tuple[Mapping[str, Any] | None, str]]:
    """Yield each line of the files as the example it is: input, expected_output, labels, source_decision_id and, where it says so, type.

    A line that is no such JSON is None with the reason; empty lines do not count. Raises `LABELS_NOT_FOUND`, `LABELS_UNREADABLE`, and
    `EXPORT_DAMAGED` for an export that is not whole.
    """
    files, _ = sourced(source, ".jsonl")
    for file in files:
        with readable(file), file.open(encoding="utf-8") as stream:
            for line in stream:
                if line.strip():
                    yield _example(line)


def _example(line: str) -> tuple[Mapping[str, Any] | None, str]:
    try:
        found = parsed(line)
    except ValueError as error:
        return None, str(error)
    if not isinstance(found, dict):
        return None, f"{json.dumps(found, ensure_ascii=False)[:40]} is no example"
    metadata = found.pop("metadata", None)
    told = {name: metadata[name] for name in _OF_METADATA if name in metadata} if isinstance(metadata, dict) else {}
    return told | found, ""


def _slices(chunks: Iterable[pl.DataFrame], about: About) -> Iterator[tuple[str, pl.DataFrame]]:
    for chunk in chunks:
        for part, rows in parted(chunk, about):
            for piece in rows.iter_slices(SLICE_ROWS):
                yield f"{part}.jsonl", piece


FORMAT = Format("jsonl", write, carries=EVERYTHING, takes=frozenset({"rows"}), embeds=True)
