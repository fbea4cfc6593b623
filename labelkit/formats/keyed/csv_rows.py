"""CSV out and in: a file a part, `<part>.csv`, as RFC 4180 says, in UTF-8 with a header.

Null is an empty field, the empty text `""`. Lists, structs and what CSV has no type for stand as in `row_json`, nested ones as JSON text;
numbers that are none are NaN, inf and -inf. Text is written as it is: a spreadsheet takes one that begins with =, +, - or @ for a formula,
so open the file there by its import dialog, with all columns as text.
"""

from __future__ import annotations

from contextlib import ExitStack
from io import BytesIO
from typing import TYPE_CHECKING

import polars as pl

from labelkit.formats.exports import EVERYTHING, DigestedFile, Facet, Format
from labelkit.formats.keyed.foreign_rows import joined, no_table
from labelkit.formats.keyed.row_batches import in_order, slices
from labelkit.formats.keyed.row_json import decoded, encoded, from_wire, to_wire_rows, wire_type
from labelkit.formats.keyed.row_sources import readable, sourced

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from labelkit.formats.exports import About, WrittenFile

_NESTED = (pl.List, pl.Struct)


def write(chunks: Iterable[pl.DataFrame], folder: Path, about: About) -> Mapping[str, WrittenFile]:
    """Write rows as `<part>.csv`, with a header; return what was written."""
    with ExitStack() as stack:
        files = {part: stack.enter_context(DigestedFile(folder, f"{part}.csv")) for part in about.parts}
        for file in files.values():
            file.write(_header(about.columns))
        for part, rows, data in in_order(slices(chunks, about), lambda one: (one[0], one[1].height, _lines(_plain(one[1])))):
            files[part].write(data, rows)
        return {f"{part}.csv": file.written() for part, file in files.items()}


def read(source: str | Path) -> Iterator[pl.DataFrame]:
    """Yield the rows of an export, a frame a file, in the types that its manifest tells; of other CSV files what they seem to be.

    Raises `LABELS_NOT_FOUND`, `LABELS_UNREADABLE`, and `EXPORT_DAMAGED` for an export that is not whole.
    """
    files, manifest = sourced(source, ".csv")
    if manifest is None:
        yield joined(files, _foreign, why=no_table)
        return
    for file in files:
        with readable(file):
            yield _read(file, manifest.columns)


def _foreign(file: Path) -> pl.DataFrame:
    rows = pl.read_csv(file, infer_schema_length=None, glob=False)
    if any("\ufffd" in name for name in rows.columns):  # polars reads a header that is not UTF-8 all the same
        raise ValueError("its header is not UTF-8")
    return rows


def _read(file: Path, columns: Mapping[str, pl.DataType]) -> pl.DataFrame:
    header = len(_header(columns))  # names with quotes in them are not read back by polars
    wire = {name: pl.String() if isinstance(kind, _NESTED) else wire_type(kind) for name, kind in columns.items()}
    if file.stat().st_size == header:
        return pl.DataFrame(schema=dict(columns))
    with file.open("rb") as stream:
        stream.seek(header)
        rows = pl.read_csv(stream.read(), has_header=False, schema=wire)
    return pl.DataFrame([_typed(rows[name], kind) for name, kind in columns.items()])


def _plain(rows: pl.DataFrame) -> pl.DataFrame:
    """Return rows whose values CSV has."""
    nested = [name for name, kind in rows.schema.items() if isinstance(kind, _NESTED)]
    plain = to_wire_rows(rows.drop(nested) if nested else rows)
    return plain.hstack([_text(rows[name]) for name in nested]).select(rows.columns) if nested else plain


def _text(values: pl.Series) -> pl.Series:
    """Return nested values as JSON text, null as null."""
    texts = encoded(values.alias("x").to_frame()).str.slice(5).str.head(-1)
    return pl.select(pl.when(pl.lit(values.is_not_null())).then(pl.lit(texts)).alias(values.name)).to_series()


def _typed(values: pl.Series, kind: pl.DataType) -> pl.Series:
    if isinstance(kind, _NESTED):
        lines = pl.select(pl.concat_str(pl.lit('{"x":'), pl.lit(values).fill_null("null"), pl.lit("}"))).to_series()
        return decoded(lines.str.join("\n").item().encode(), {"x": kind})["x"].alias(values.name)
    return values.to_frame().select(from_wire(pl.col(values.name), kind)).to_series().alias(values.name)


def _header(columns: Mapping[str, pl.DataType]) -> bytes:
    return _lines(pl.DataFrame(schema=list(columns)), header=True)


def _lines(rows: pl.DataFrame, *, header: bool = False) -> bytes:
    out = BytesIO()
    rows.write_csv(out, include_header=header, line_terminator="\r\n")
    return out.getvalue()


FORMAT = Format("csv", write, carries=EVERYTHING - {Facet.TYPES, Facet.NESTED}, takes=frozenset({"samples", "rows"}))
