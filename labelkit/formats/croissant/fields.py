"""What records hold, in Croissant's words: a field for each column, with the type of its values and the place that they are read from."""

from __future__ import annotations

import io
import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias
from urllib.parse import quote

import polars as pl

from labelkit.formats.column_types import made

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

Node: TypeAlias = dict[str, Any]
"""A part of the description, as JSON-LD."""

SPLITS = "splits"
LINES_LOOKED_AT, BYTES_LOOKED_AT = 2_000, 8 << 20  # of a JSONL file, to see what the JSON in it holds
_NAME = re.compile(r"[A-Za-z_]\w*", re.ASCII)
_TYPES: dict[pl.DataType, str | list[str]] = {
    pl.Boolean(): "sc:Boolean",
    pl.Int8(): "cr:Int8",
    pl.Int16(): "cr:Int16",
    pl.Int32(): "cr:Int32",
    pl.Int64(): "cr:Int64",
    pl.UInt8(): "cr:UInt8",
    pl.UInt16(): "cr:UInt16",
    pl.UInt32(): "cr:UInt32",
    pl.UInt64(): "cr:UInt64",
    pl.Float32(): "cr:Float32",
    pl.Float64(): "cr:Float64",
    pl.Date(): "sc:Date",
    pl.Time(): "sc:Time",
}


@dataclass(frozen=True, slots=True)
class Place:
    """Where records are read from: a `fileObject` or a `fileSet` by its id, and what a path says of the split, where there are splits."""

    kind: str
    id: str
    split: str | None = None

    def source(self, extract: Node, **more: object) -> Node:
        """Return the source of a field: what of the files it is, and what is done to it."""
        return {self.kind: {"@id": self.id}, "extract": extract, **more}


if TYPE_CHECKING:
    Reach: TypeAlias = Callable[[Place, tuple[str, ...]], Node]  # the source of a field by the names that lead to it


def file_set(id: str, media_type: str | list[str], *includes: str) -> Node:
    """Return a set of files, by globs from the folder of the description; its pictures, labels or shards are described as one."""
    return {
        "@type": "cr:FileSet",
        "@id": id,
        "name": id,
        "encodingFormat": media_type,
        "includes": includes[0] if len(includes) == 1 else list(includes),
    }


def record_set(id: str, description: str, fields: Sequence[Node], *, key: str | None = None, data: Sequence[Node] = ()) -> Node:
    """Return a set of records. `key` is the name of the column that tells them apart; `data` are they themselves, where they are few."""
    made: Node = {"@type": "cr:RecordSet", "@id": id, "name": id, "description": description}
    if key is not None:
        made["key"] = {"@id": field_id(id, key)}
    return made | {"field": list(fields)} | ({"data": list(data)} if data else {})


def field(records: str, name: str, data_type: str | list[str], source: Node | None = None, **more: object) -> Node:
    """Return a field of a set of records."""
    made: Node = {"@type": "cr:Field", "@id": field_id(records, name), "name": name, "dataType": data_type}
    return made | more | ({} if source is None else {"source": source})


def field_id(records: str, name: str) -> str:
    """Return the id of a field: an IRI, whatever signs the name of the column has."""
    return f"{records}/{quote(name, safe='')}"


def split_field(records: str, place: Place) -> list[Node]:
    """Return the field that says which split a record is of, by the path of its file; none where there are no splits."""
    if place.split is None:
        return []
    source = place.source({"fileProperty": "fullpath"}, transform={"regex": place.split})
    return [field(records, "split", "sc:Text", source, references={"field": {"@id": f"{SPLITS}/name"}})]


def split_pattern(splits: Sequence[str], before: str, after: str) -> str | None:
    """Return the regular expression of paths whose one group is the split; `before` and `after` are regular expressions too."""
    names = "|".join(re.escape(split) for split in sorted(splits, key=lambda split: (-len(split), split)))
    return f"^{before}({names}){after}$" if splits else None


def fields_of(columns: Mapping[str, pl.DataType], records: str, place: Place, reach: Reach) -> list[Node]:
    """Return a field for each column, in its order, and of nested ones a field for each part that a path reaches."""
    return [one for name, kind in columns.items() for one in _fields(field_id(records, name), (name,), made(kind), place, reach)]


def embedded(files: Sequence[Path], columns: Sequence[str]) -> dict[str, pl.DataType | None]:
    """Return what the JSON in these columns of JSONL files holds, as far as the first lines of each file tell; None: no one thing."""
    lines: list[bytes] = []
    for path in files if columns else ():
        with path.open("rb") as file:
            lines += file.readlines(BYTES_LOOKED_AT)[:LINES_LOOKED_AT]
    rows = [json.loads(line) for line in lines]
    return {name: _held([row.get(name) for row in rows]) for name in columns}


def _held(values: Sequence[object]) -> pl.DataType | None:
    lines = "\n".join(json.dumps({"x": value}) for value in values)
    try:
        return pl.read_ndjson(io.BytesIO(lines.encode()), infer_schema_length=None).schema.get("x") if lines else pl.String()
    except pl.exceptions.PolarsError:
        return None


def _fields(id: str, path: tuple[str, ...], kind: pl.DataType, place: Place, reach: Reach) -> list[Node]:
    shape: list[str] = []
    while isinstance(kind, pl.List | pl.Array):
        shape.append(str(kind.size) if isinstance(kind, pl.Array) else "-1")
        kind = made(kind.inner)
    named: Node = {"@type": "cr:Field", "@id": id, "name": path[-1]}
    array = {"isArray": True, "arrayShape": ",".join(shape)} if shape else {}
    if not isinstance(kind, pl.Struct) or not kind.fields:
        return [named | {"dataType": _type(kind)} | array | {"source": reach(place, path)}]
    if len(shape) > 1 or (shape and len(path) > 1):
        return []  # lists of structs within a list or a struct: no path leads to what is in them
    parts = [
        part
        for one in kind.fields
        for part in _fields(f"{id}/{quote(one.name, safe='')}", (*path, one.name), made(one.dtype), place, reach)
    ]
    return [named | array | {"subField": parts}] if parts else []


def by_column(place: Place, path: tuple[str, ...]) -> Node:
    """Return the source of a field in a table whose values nest: a column, and the path within it."""
    return _within(place, {"column": path[0]}, path)


def by_member(place: Place, path: tuple[str, ...]) -> Node:
    """Return the source of a field in files with one JSON object each."""
    return _within(place, {"jsonPath": _step(path[0])}, path)


def by_feature(place: Place, path: tuple[str, ...]) -> Node:
    """Return the source of a field in flat features, whose names say where they were nested: `annotations/label`."""
    return place.source({"column": "/".join(path)})


def _within(place: Place, extract: Node, path: tuple[str, ...]) -> Node:
    rest = ".".join(_step(step) for step in path[1:])
    return place.source(extract, **({"transform": {"jsonPath": rest}} if rest else {}))


def _step(name: str) -> str:
    return name if _NAME.fullmatch(name) else f"'{name}'"


def _type(kind: pl.DataType) -> str | list[str]:
    if kind in _TYPES:
        return _TYPES[kind]
    match kind:
        case pl.Datetime():
            return "sc:DateTime"
        case pl.Duration():
            return ["cr:Int64", "sc:Duration"]
        case pl.Decimal():
            return ["sc:Text", "sc:Number"]
    return "sc:Text"
