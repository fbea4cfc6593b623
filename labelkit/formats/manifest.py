"""The manifest of an export, `labelkit-export.json`: what it is of, every file with size, digest and rows, what was lost, its own digest.

Its bytes are the canonical JSON of its content and hold the digest of the rest, so that not one bit of it can change unnoticed.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from labelkit.core.hashing import Digest, canonical_json, sha256_hex
from labelkit.errors import LabelkitError
from labelkit.formats.column_types import columns_of, types_of
from labelkit.formats.exports import WrittenFile

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import polars as pl

    from labelkit.formats.exports import About, Loss

MANIFEST = "labelkit-export.json"
SCHEMA = "labelkit.export.v1"
_FLAT = (str, int, type(None))
_EXACT = 2**53  # RFC 8785 has no integers at or beyond it


@dataclass(frozen=True, slots=True)
class Manifest:
    """A manifest as a value: `content` is everything but its digest."""

    content: Mapping[str, Any]

    @classmethod
    def of(
        cls,
        format: str,
        about: About,
        files: Sequence[WrittenFile],
        rows: Mapping[str, int],
        annotations: int | None,
        losses: Sequence[Loss],
    ) -> Manifest:
        """Return the manifest of an export; `rows` counts them by part, `annotations` is None where rows are not samples."""
        capability = None if about.capability is None else asdict(about.capability)
        return cls(
            {
                "schema": SCHEMA,
                "format": format,
                "title": about.title,
                "description": about.description,
                "version": about.version,
                "license": about.license,
                "creator": about.creator,
                "published": about.published,
                "source": about.source,
                "key": about.key,
                "columns": types_of(about.columns),
                "json_columns": list(about.json_columns),
                "splits": list(about.splits),
                "rows": dict(rows),
                "annotations": annotations,
                "capability": capability,
                "losses": [{"facet": str(loss.facet), "count": loss.count, "sentence": loss.sentence} for loss in losses],
                "files": [{"name": file.name, "size": file.byte_count, "sha256": file.sha256, "rows": file.rows} for file in files],
            }
        )

    @classmethod
    def read(cls, data: bytes) -> Manifest | None:
        """Return the manifest that these bytes are; None for anything else, such as one of which a bit has changed."""
        try:
            held = json.loads(data)
            found = cls({name: value for name, value in held.items() if name != "digest"})
            whole = found.content["schema"] == SCHEMA and found.data == data
            _ = found.format, found.key, found.files, found.columns, found.json_columns, found.splits, found.rows  # all can be asked for
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError, LabelkitError):
            return None
        return found if whole else None

    @property
    def data(self) -> bytes:
        """Return the bytes of the file."""
        members = _members(self.content)
        digest = Digest("sha256", sha256_hex(_together(members)))
        return _together([*members, *_members({"digest": str(digest)})])

    @property
    def format(self) -> str:
        """Return the name of the format."""
        return str(self.content["format"])

    @property
    def files(self) -> tuple[WrittenFile, ...]:
        """Return every file of the export but the manifest."""
        return tuple(WrittenFile(one["name"], one["size"], one["sha256"], one["rows"]) for one in self.content["files"])

    @property
    def columns(self) -> dict[str, pl.DataType]:
        """Return the columns of the rows that were exported, with their types."""
        return columns_of(self.content["columns"])

    @property
    def key(self) -> str:
        """Return the column that identifies a row."""
        return str(self.content["key"])

    @property
    def json_columns(self) -> tuple[str, ...]:
        """Return the columns that hold canonical JSON as text."""
        return tuple(self.content["json_columns"])

    @property
    def splits(self) -> tuple[str, ...]:
        """Return the splits; none where all rows are one part."""
        return tuple(self.content["splits"])

    @property
    def rows(self) -> int:
        """Return the number of rows of all parts."""
        return sum(self.content["rows"].values())


def _members(content: Mapping[str, Any]) -> list[bytes]:
    """Return the members of a content as canonical JSON; the list of files, maybe long, by the plain encoder where it writes that."""
    return [canonical_json(name) + b":" + (_listed(value) if name == "files" else canonical_json(value)) for name, value in content.items()]


def _together(members: Sequence[bytes]) -> bytes:
    return b"{" + b",".join(sorted(members)) + b"}"


def _listed(files: Any) -> bytes:  # noqa: ANN401  # it may have been read from anywhere
    plain = isinstance(files, list) and all(
        isinstance(file, dict) and all(type(value) in _FLAT and (type(value) is not int or abs(value) < _EXACT) for value in file.values())
        for file in files
    )
    text = json.dumps(files, ensure_ascii=False, separators=(",", ":"), sort_keys=True) if plain else ""
    return text.encode() if plain and text.isascii() else canonical_json(files)
