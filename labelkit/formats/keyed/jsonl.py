"""JSONL out and in: a file a part, `<part>.jsonl`, one object a row, its values as in `row_json`.

Columns of JSON text come last in a row and stand in it as JSON, each behind a tab: nothing else in a row is a tab, so they are read back
letter by letter. One of their values that is no JSON object or array stands there as text.
"""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING

import polars as pl

from labelkit.formats.exports import EVERYTHING, DigestedFile, Format
from labelkit.formats.keyed.foreign_rows import joined, no_object
from labelkit.formats.keyed.row_batches import in_order, slices
from labelkit.formats.keyed.row_json import as_lines, decoded, encoded, encoded_lines, quoted_name
from labelkit.formats.keyed.row_sources import readable, sourced

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from labelkit.formats.exports import About, WrittenFile
    from labelkit.formats.manifest import Manifest

BLOCK_BYTES = 8 << 20
_CONTROLS = r"[\x00-\x1f]"


def write(chunks: Iterable[pl.DataFrame], folder: Path, about: About) -> Mapping[str, WrittenFile]:
    """Write rows as `<part>.jsonl`, one JSON object a line; return what was written."""
    with ExitStack() as stack:
        files = {part: stack.enter_context(DigestedFile(folder, f"{part}.jsonl")) for part in about.parts}
        for part, rows, data in in_order(slices(chunks, about), lambda one: (one[0], one[1].height, lines(one[1], about.json_columns))):
            files[part].write(data, rows)
        return {f"{part}.jsonl": file.written() for part, file in files.items()}


def lines(rows: pl.DataFrame, json_columns: Sequence[str] = ()) -> bytes:
    """Return rows as lines, each one JSON object and a line feed; values of `json_columns` are embedded."""
    embedded = [name for name in rows.columns if name in json_columns]
    if not embedded:
        return encoded_lines(rows)
    plain = rows.drop(embedded)
    ends = [part for name in embedded for part in (pl.lit(f",\t{quoted_name(name)}:"), _embedded(pl.col(name)))]
    body = encoded(plain).str.strip_suffix("}") if plain.width else pl.repeat("{", rows.height, eager=True)
    text = rows.select(pl.concat_str(pl.lit(body), *ends, pl.lit("}")).alias("text")).to_series()
    return as_lines(text if plain.width else text.str.replace(",", "", literal=True))


def _embedded(column: pl.Expr) -> pl.Expr:
    """Return texts as they are where they are a JSON object or array without control characters, else as JSON strings."""
    nested = column.str.contains(r"^[{\[]") & ~column.str.contains(_CONTROLS) & column.str.json_path_match("$").is_not_null()
    quoted = pl.struct(x=pl.when(nested).then(None).otherwise(column)).struct.json_encode().str.slice(5)
    return pl.when(nested).then(column).otherwise(quoted.str.head(-1)).fill_null("null")


def read(source: str | Path) -> Iterator[pl.DataFrame]:
    """Yield the rows of an export in blocks, in the types that its manifest tells; of other JSONL files what they seem to be.

    There, a field that a line does not have is null, and one with numbers and text is text. Raises `LABELS_NOT_FOUND`,
    `LABELS_UNREADABLE`, and `EXPORT_DAMAGED` for an export that is not whole.
    """
    files, manifest = sourced(source, ".jsonl")
    if manifest is None:
        yield joined(files, _foreign, why=no_object, missing=True)
        return
    yield pl.DataFrame(schema=manifest.columns)  # an export may have no rows
    for file in files:
        with readable(file):
            for block in _blocks(file):
                yield rows_of(block, manifest)


def _foreign(file: Path) -> pl.DataFrame:
    with file.open("rb") as lines:  # by its path polars would take the signs of a pattern in it for one
        return pl.read_ndjson(lines, infer_schema_length=None)


def _blocks(file: Path) -> Iterator[bytes]:
    """Yield a file in blocks of whole lines."""
    with file.open("rb") as stream:
        rest = b""
        while block := stream.read(BLOCK_BYTES):
            end = block.rfind(b"\n") + 1
            if end:
                yield rest + block[:end]
                rest = block[end:]
            else:
                rest += block
        if rest:
            yield rest


def rows_of(block: bytes, manifest: Manifest) -> pl.DataFrame:
    """Return the rows that lines of an export are. Raises a polars error or ValueError for lines that are none of it."""
    columns, embedded = manifest.columns, [name for name in manifest.columns if name in manifest.json_columns]
    plain = {name: kind for name, kind in columns.items() if name not in embedded}
    if not embedded:
        return decoded(block, columns)
    parts = (
        pl.Series(block.decode().removesuffix("\n").split("\n"), dtype=pl.String)
        .str.split("\t")
        .list.to_struct(fields=[str(number) for number in range(len(embedded) + 1)])
    )
    texts = [parts.struct.field(str(number)) for number in range(len(embedded) + 1)]
    held = {
        name: _value(text.str.head(-1).str.strip_prefix(f"{quoted_name(name)}:")) for name, text in zip(embedded, texts[1:], strict=True)
    }
    if not plain:
        return pl.DataFrame(held).select(*columns)
    bodies = (texts[0].str.strip_suffix(",") + "}").str.join("\n").item()
    return decoded(bodies.encode(), plain).with_columns(**held).select(*columns)


def _value(texts: pl.Series) -> pl.Series:
    """Return the texts that stand in lines: JSON as it stands there, text out of its quotes, null."""
    text = pl.lit(texts)
    quoted = pl.when(text.str.starts_with('"')).then(text).str.json_decode(pl.String)
    return pl.select(pl.when(text == "null").then(None).otherwise(pl.coalesce(quoted, text))).to_series()


FORMAT = Format("jsonl", write, carries=EVERYTHING, takes=frozenset({"samples", "rows"}), embeds=True)
