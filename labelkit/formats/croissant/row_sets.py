"""What formats of rows hold, in Croissant's words: rows or samples, a field for each column, in one file or in a set of shards."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

import polars as pl

from labelkit.formats.croissant.fields import (
    Node,
    Place,
    by_column,
    by_feature,
    by_member,
    embedded,
    field,
    fields_of,
    file_set,
    record_set,
    split_field,
    split_pattern,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from labelkit.formats.croissant.fields import Reach
    from labelkit.formats.croissant.labels import Described
    from labelkit.formats.exports import About

_FILES = "row-files"


@dataclass(frozen=True, slots=True)
class Table:
    """A format of rows: the files that have them, how a field is reached, and what becomes of values that nest and of JSON in text.

    `picture` leads to the bytes of a sample's picture, where the format has them beside the columns.
    """

    suffix: str
    media_type: str
    reach: Reach = by_column
    nests: bool = True
    embeds: bool = False
    picture: tuple[str, ...] = ()


TFRECORD = "https://www.tensorflow.org/tutorials/load_data/tfrecord"
TABLES = {
    "csv": Table(".csv", "text/csv", nests=False),
    "huggingface": Table(".parquet", "application/x-parquet", picture=("image", "bytes")),
    "jsonl": Table(".jsonl", "application/jsonlines", embeds=True),
    "parquet": Table(".parquet", "application/x-parquet"),
    "tfrecord": Table(".tfrecord", TFRECORD, by_feature, picture=("image", "encoded")),
}


def rows(folder: Path, about: About, table: Table, names: Sequence[str]) -> Described:
    """Return the set of files that rows are in, where they are in several, and the rows as a set of records."""
    there = [name for name in names if name.endswith(table.suffix)]
    sets, place = _place(about, table, there)
    columns = _columns(folder, about, table, there)
    records = "rows" if about.capability is None else "samples"
    what = "Rows" if about.capability is None else f"Samples labelled with {about.capability.name}"
    fields = [*split_field(records, place), *fields_of(columns, records, place, table.reach)]
    if table.picture and about.picture is not None:
        fields.append(field(records, "picture", "sc:ImageObject", table.reach(place, table.picture)))
    return sets, [record_set(records, f"{what}, told apart by {about.key}.", fields, key=about.key if about.key in columns else None)]


def _place(about: About, table: Table, names: Sequence[str]) -> tuple[list[Node], Place]:
    """Return the set of files that rows are in, and the place to read them from: the one file where there is only one."""
    if len(names) == 1 and not about.splits:
        return [], Place("fileObject", names[0])
    folders = {str(PurePosixPath(name).parent) for name in names}
    folder = folders.pop() if len(folders) == 1 else "**"
    glob = f"*{table.suffix}" if folder == "." else f"{folder}/*{table.suffix}"
    split = split_pattern(about.splits, "(?:.*/)?", rf"(?:[.-][^/]*)?{re.escape(table.suffix)}")
    return [file_set(_FILES, table.media_type, glob)], Place("fileSet", _FILES, split)


def _columns(folder: Path, about: About, table: Table, names: Sequence[str]) -> Mapping[str, pl.DataType]:
    """Return the columns as the format has them: without the split that the path of a file tells, with what JSON in text holds."""
    held = {name: kind for name, kind in about.columns.items() if name != "split" or not about.splits}
    if not table.nests:
        return {name: pl.String() if kind.is_nested() else kind for name, kind in held.items()}
    if not table.embeds:
        return held
    known = embedded([folder / name for name in names], [name for name in about.json_columns if name in held])
    of_json = {name: kind for name, kind in known.items() if kind is not None}
    return {name: of_json.get(name, kind) for name, kind in held.items() if known.get(name, kind) is not None}


def webdataset(folder: Path, about: About, names: Sequence[str]) -> Described:
    """Return the members of the shards, a set for each part, and what they hold: no path within a shard says which split it is of."""
    columns = _columns(folder, about, Table(".json", "application/json"), ())
    key = about.key if about.key in columns else None
    what = "rows" if about.capability is None else "samples"
    sets, records = [], []
    for part in about.parts:
        inside = {"containedIn": [{"@id": name} for name in names if re.fullmatch(rf"{re.escape(part)}-\d+\.tar", name)]}
        suffix = f"-{part}" if about.splits else ""
        members = Place("fileSet", f"members{suffix}")
        sets.append(file_set(members.id, "application/json", "*.json", "**/*.json") | inside)
        fields = fields_of(columns, f"{what}{suffix}", members, by_member)
        told = f", those of {part}" if about.splits else ""
        records.append(record_set(f"{what}{suffix}", f"The {what}{told}, told apart by {about.key}.", fields, key=key))
        if about.picture is not None:
            pictures = Place("fileSet", f"picture-files{suffix}")
            sets.append(file_set(pictures.id, ["image/jpeg", "image/png"], "*.jpg", "**/*.jpg", "*.png", "**/*.png") | inside)
            content = field(f"pictures{suffix}", "picture", "sc:ImageObject", pictures.source({"fileProperty": "content"}))
            name = field(f"pictures{suffix}", "file", "sc:Text", pictures.source({"fileProperty": "filename"}))
            records.append(record_set(f"pictures{suffix}", f"The pictures of the {what}{told}.", [name, content]))
    return sets, records
