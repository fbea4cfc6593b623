"""Croissant 1.1: what an export is, which files it has and what their records hold, as JSON-LD that search engines and loaders read.

After http://mlcommons.org/croissant/1.1 and the JSON-LD context of its reference implementation, mlcroissant.
"""

from __future__ import annotations

import json
import re
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

from labelkit.formats.croissant.fields import Node, field, file_set, record_set
from labelkit.formats.croissant.labels import LABEL_FORMATS
from labelkit.formats.croissant.row_sets import TABLES, TFRECORD, rows, webdataset

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from labelkit.formats.croissant.labels import Described
    from labelkit.formats.exports import About, WrittenFile

NAME = "croissant.json"
CONFORMS_TO = "http://mlcommons.org/croissant/1.1"
MOST_FILES = 256  # of one kind, which are named one by one with their digests; of more, all are in a set, and the manifest has the digests

_TERMS = (
    *("annotation", "arrayShape", "citeAs", "column", "containedIn", "equivalentProperty", "excludes", "extract", "field", "fileObject"),
    *("fileProperty", "fileSet", "format", "includes", "isArray", "isLiveDataset", "jsonPath", "key", "md5", "parentField", "path"),
    *("readLines", "recordSet", "references", "regex", "repeated", "replace", "samplingRate", "sdVersion", "separator", "source"),
    *("subField", "transform", "unArchive"),
)
_CONTEXT: Node = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    "cr": "http://mlcommons.org/croissant/",
    "dct": "http://purl.org/dc/terms/",
    "prov": "http://www.w3.org/ns/prov#",
    "rai": "http://mlcommons.org/croissant/RAI/",
    "sc": "https://schema.org/",
    "conformsTo": "dct:conformsTo",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "description": {"@container": "@language"},
    "examples": {"@id": "cr:examples", "@type": "@json"},
    "name": {"@container": "@language"},
    **{term: f"cr:{term}" for term in _TERMS},
}
_MEDIA_TYPES = {
    ".csv": "text/csv",
    ".jpg": "image/jpeg",
    ".json": "application/json",
    ".jsonl": "application/jsonlines",
    ".md": "text/markdown",
    ".parquet": "application/x-parquet",
    ".png": "image/png",
    ".tar": "application/x-tar",
    ".tfrecord": TFRECORD,
    ".txt": "text/plain",
    ".xml": "application/xml",
    ".yaml": "application/yaml",
}
_LICENSES = "https://spdx.org/licenses/"
_VERSION = re.compile(r"v?((?:0|[1-9]\d{0,8})(?:\.(?:0|[1-9]\d*)){0,2})")
_SPDX = re.compile(r"[A-Za-z0-9][A-Za-z0-9.+-]*")
_SAFE = re.compile(r"[\w./-]+", re.ASCII)  # names that are the same as a URL
_SPLITS = {
    "train": "cr:TrainingSplit",
    "training": "cr:TrainingSplit",
    "val": "cr:ValidationSplit",
    "validation": "cr:ValidationSplit",
    "valid": "cr:ValidationSplit",
    "dev": "cr:ValidationSplit",
    "test": "cr:TestSplit",
}


def describe(folder: Path, about: About, files: Sequence[WrittenFile], format: str) -> bytes:
    """Return the description of an export that lies in `folder`: the same bytes for the same export.

    It names every file with size and sha256, or sets of files where there are thousands, and the records that a loader can read from
    them: rows with the types of their columns, images, boxes and classes of label formats, splits. What `about` does not know (licence,
    creator, date) is left out, never made up.
    """
    names = [file.name for file in files]
    sets, records = _records(folder, about, names, format)
    described: Node = {
        "@context": _CONTEXT,
        "@type": "sc:Dataset",
        "conformsTo": CONFORMS_TO,
        "name": about.title,
        "description": about.description or about.title,
        **_known(about),
        "distribution": [*_objects(files, sets), *sets],
        "recordSet": [*_splits(about), *records],
    }
    return (json.dumps(described, ensure_ascii=False, indent=1) + "\n").encode()


def _records(folder: Path, about: About, names: Sequence[str], format: str) -> Described:
    if format in LABEL_FORMATS:
        return LABEL_FORMATS[format](about)
    if format == "webdataset":
        return webdataset(folder, about, names)
    return rows(folder, about, TABLES[format], names) if format in TABLES else ([], [])


def _known(about: About) -> Node:
    """Return what is known of the data as a whole."""
    known: dict[str, Any] = {
        "version": _version(about.version or ""),
        "license": _license(about.license) if about.license else None,
        "creator": {"@type": "sc:Person", "name": about.creator} if about.creator else None,
        "datePublished": about.published,
        "prov:wasDerivedFrom": {"@id": f"urn:labelkit:{about.source}"} if about.source else None,
        "prov:wasGeneratedBy": {"@type": "prov:Activity", "prov:label": "labelkit export"},
    }
    return {name: value for name, value in known.items() if value is not None}


def _version(text: str) -> str | None:
    """Return what a tag such as v1.4.2 says as a version number; None for what is none, such as the id of a commit."""
    found = _VERSION.fullmatch(text)
    return None if found is None else found[1]


def _license(text: str) -> str:
    return f"{_LICENSES}{text}.html" if _SPDX.fullmatch(text) else text


def _objects(files: Sequence[WrittenFile], sets: Sequence[Node]) -> list[Node]:
    """Return the files that are named one by one, and a set for each kind that has too many and is in none yet.

    Archives are always named: what is in them is described as contained in them.
    """
    kinds: dict[tuple[str, str], list[WrittenFile]] = {}
    for file in files:
        path = PurePosixPath(file.name)
        kinds.setdefault((path.parts[0] if len(path.parts) > 1 else "", path.suffix), []).append(file)
    nodes: list[Node] = []
    for (top, suffix), alike in kinds.items():
        if (len(alike) <= MOST_FILES or suffix == ".tar") and all(_SAFE.fullmatch(file.name) for file in alike):
            nodes += [_object(file) for file in alike]
            continue
        glob = f"{top}/**/*{suffix}" if top else f"*{suffix}"
        if not any(glob == node["includes"] for node in sets):
            nodes.append(file_set(f"{top or 'all'}{suffix}-files", _media_type(f"x{suffix}"), glob))
    return nodes


def _object(file: WrittenFile) -> Node:
    return {
        "@type": "cr:FileObject",
        "@id": file.name,
        "name": PurePosixPath(file.name).name,
        "contentUrl": file.name,
        "contentSize": f"{file.byte_count} B",
        "encodingFormat": _media_type(file.name),
        "sha256": file.sha256,
    }


def _media_type(name: str) -> str:
    return _MEDIA_TYPES.get(PurePosixPath(name).suffix, "application/octet-stream")


def _splits(about: About) -> list[Node]:
    if not about.splits:
        return []
    fields = [field("splits", "name", "sc:Text"), field("splits", "url", ["sc:URL", "cr:Split"])]
    data = [{"splits/name": split, "splits/url": _SPLITS.get(split, f"urn:labelkit:split:{split}")} for split in about.splits]
    described = record_set("splits", "The parts that the data are divided into.", fields, key="name", data=data)
    return [described | {"dataType": "cr:Split"}]
