"""Golden examples as JSONL, a line each: `{"input":…,"output":…,"metadata":{…}}`, every value as JSON; and such lines read back.

Each of the three stands behind a tab, as columns of JSON text do in every JSONL that is written here.
"""

from __future__ import annotations

import json
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any

import polars as pl

from labelkit.core.golden.json_texts import parsed
from labelkit.formats.exports import EVERYTHING, Format, parted
from labelkit.formats.keyed.row_batches import in_order
from labelkit.formats.keyed.row_sources import readable, sourced

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from labelkit.formats.exports import About

COLUMNS = {name: pl.String() for name in ("input", "output", "metadata")}  # JSON texts
SLICE_ROWS = 16_384
_SAID = pl.Struct({"source_decision_id": pl.String(), "type": pl.String()})
_TEXTS = ("row", "input", "expected_output", "labels", "source_decision_id", "type")
_LABELS = ',"labels":'  # the last of metadata, and nothing before can hold this
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


@dataclass(frozen=True, slots=True)
class Lines:
    """A piece of files: rows whose parts are JSON texts as they stand there, and the others by their number, None with the reason."""

    texts: pl.DataFrame
    others: list[tuple[int, Mapping[str, Any] | None, str]]


def read(source: str | Path) -> Iterator[Lines]:
    """Yield the lines of files as examples: input, expected_output, labels, source_decision_id and, where they say so, type.

    Lines as `lines` writes them are taken apart as a set; those of anybody's are read one by one. Lines without anything do not count.
    Raises `LABELS_NOT_FOUND`, `LABELS_UNREADABLE`, and `EXPORT_DAMAGED` for an export that is not whole.
    """
    files, _ = sourced(source, ".jsonl")
    row = 0
    for file in files:
        with readable(file), file.open(encoding="utf-8") as stream:
            filled = (line for line in stream if not line.isspace())
            while piece := list(islice(filled, SLICE_ROWS)):
                yield _taken_apart(piece, row)
                row += len(piece)


def _taken_apart(piece: list[str], first: int) -> Lines:
    parts = pl.DataFrame({"line": piece}).with_row_index("row", offset=first).select(pl.col("row").cast(pl.Int64), "line", *_parts())
    try:
        said = parts.with_columns(pl.col("said").str.json_decode(_SAID)).unnest("said")
    except pl.exceptions.PolarsError:  # of these lines, at least one was changed by hand
        said = parts.clear().with_columns(pl.lit(None, _SAID).alias("said")).unnest("said")
    texts = said.drop_nulls(("input", "expected_output", "labels", "type")).select(*_TEXTS)
    known = set(texts["row"])
    return Lines(texts, [(row, *_example(line)) for row, line in parts.select("row", "line").iter_rows() if row not in known])


def _parts() -> list[pl.Expr]:
    """Return the parts of lines as texts, null where a line is not as `lines` writes it."""
    pieces = pl.col("line").str.strip_suffix("\n").str.split("\t")
    begin, *others = (pieces.list.get(number, null_on_oob=True) for number in range(len(COLUMNS) + 1))
    framed = [(part, f'"{name}":', "}" if name == "metadata" else ",") for part, name in zip(others, COLUMNS, strict=True)]
    as_written = [part.str.starts_with(start) & part.str.ends_with(end) for part, start, end in framed]
    same = pl.all_horizontal(pieces.list.len() == len(COLUMNS) + 1, begin == "{", *as_written).fill_null(value=False)
    given, output, metadata = (pl.when(same).then(part.str.strip_prefix(start).str.strip_suffix(end)) for part, start, end in framed)
    told = metadata.str.splitn(_LABELS, 2)
    labels = told.struct.field("field_1").str.strip_suffix("}")
    return [
        given.alias("input"),
        output.alias("expected_output"),
        labels.alias("labels"),
        (told.struct.field("field_0") + "}").alias("said"),
    ]


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
