"""What an export is made of: what data can hold (`Facet`), what a writer must know beside rows (`About`), a format and its files.

A format fills an empty folder. Everything around it, from the folder beside the target to the manifest, is `labelkit.formats.exporting`.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Self, TypeAlias

import polars as pl

from labelkit.errors import InvalidValue

if TYPE_CHECKING:
    from concurrent.futures import Future

    from labelkit.core.review.annotations import Capability

ONE_PART = "data"  # what the part of an export without splits is called
_PART = re.compile(r"(?!\.)[\w.-]+", re.ASCII)
_BLOCK = 1 << 20
_SYNC_BYTES = 32 << 20  # as much as a disk takes while the next are made


class Facet(StrEnum):
    """What data can hold and a format may have no place for; of samples first, then of any keyed rows.

    A format that carries `PICTURES` has the pictures of samples inside; others leave them where they are, which is no loss.
    """

    SAMPLE_KEYS = "sample_keys"
    ANNOTATION_IDS = "annotation_ids"
    SCORES = "scores"
    SOURCES = "sources"
    ATTRIBUTES = "attributes"
    FLAGS = "flags"
    POINTS = "points"
    POINT_SIZES = "point_sizes"
    GROUPS = "groups"
    TIMESTAMPS = "timestamps"
    FRAME_DIGESTS = "frame_digests"
    EMPTY_SAMPLES = "empty_samples"
    EXACT_COORDINATES = "exact_coordinates"
    SPLITS = "splits"
    PICTURES = "pictures"
    KEYS = "keys"
    TYPES = "types"
    NESTED = "nested"
    NULLS = "nulls"
    EXACT_NUMBERS = "exact_numbers"


ROW_FACETS = frozenset({Facet.KEYS, Facet.TYPES, Facet.NESTED, Facet.NULLS, Facet.EXACT_NUMBERS})
SAMPLE_FACETS = frozenset(Facet) - ROW_FACETS - {Facet.PICTURES}
EVERYTHING = SAMPLE_FACETS | ROW_FACETS


@dataclass(frozen=True, slots=True)
class About:
    """What a writer must know beside the rows.

    `columns` is what is to be written of every chunk, in this order; `key` is the one that identifies a row (`sample_key` of samples).
    `json_columns` are text columns that hold canonical JSON: where the format nests they are embedded, never quoted as text. With
    `splits` every chunk has a column `split`, which is written only where it is one of `columns`; without, all rows are one part called
    `data`. `capability` is what samples are labelled with; `picture` gives the stored bytes and mime type of the picture of a sample row,
    None where there is none. What else is known of the whole: `license` (an SPDX id or a URL), `creator`, `published` (the ISO time at
    which the version was made) and `source` (`commit:` or `dataset:` and the digest that the rows are of).
    """

    title: str
    description: str
    version: str | None
    key: str
    columns: Mapping[str, pl.DataType]
    json_columns: tuple[str, ...] = ()
    splits: tuple[str, ...] = ()
    capability: Capability | None = None
    picture: Callable[[Mapping[str, object]], tuple[bytes, str] | None] | None = None
    license: str | None = None
    creator: str | None = None
    published: str | None = None
    source: str | None = None

    @property
    def parts(self) -> tuple[str, ...]:
        """Return the names of the parts: the splits, or `data`. All of them are written, those without rows too."""
        return self.splits or (ONE_PART,)


Writer: TypeAlias = Callable[[Iterable[pl.DataFrame], Path, About], "Mapping[str, int] | Mapping[str, WrittenFile] | None"]
"""Fills an empty local folder with the rows of the chunks, which come in key order.

May return how many rows each of its files holds, or what else it knows of them when it digested them while it wrote.

The same rows give the same bytes whatever the chunking. Memory is bounded by a chunk; no clock, no randomness, no names of machines.
Raises `INVALID_VALUE` for what cannot be written at all.
"""


RowReader: TypeAlias = Callable[[str | Path], Iterator[pl.DataFrame]]
"""Yields the rows of an export, or of other files of the format, in exactly the types that the manifest tells where there is one."""


@dataclass(frozen=True, slots=True)
class Format:
    """A format to write: its name, its writer, the facets that survive in it, and what it takes.

    One that `embeds` puts the JSON text of a column in its place as JSON.
    """

    name: str
    write: Writer
    carries: frozenset[Facet]
    takes: frozenset[Literal["samples", "rows"]]
    embeds: bool = False


@dataclass(frozen=True, slots=True)
class WrittenFile:
    """A file of an export: its path below the root, size, sha256, and its number of rows where the format knows it."""

    name: str
    byte_count: int
    sha256: str
    rows: int | None = None


@dataclass(frozen=True, slots=True)
class Loss:
    """Something that the data hold and a format has no place for: what, how often, and what that means as a sentence."""

    facet: Facet
    count: int
    sentence: str

    def __str__(self) -> str:
        return self.sentence


@dataclass(frozen=True, slots=True)
class Written:
    """What an export holds: its folder or URL, its files in name order, the number of rows (samples) and annotations, what was lost."""

    root: Path | str
    files: tuple[WrittenFile, ...]
    row_count: int
    annotation_count: int
    losses: tuple[Loss, ...] = ()


def parted(chunk: pl.DataFrame, about: About) -> Iterator[tuple[str, pl.DataFrame]]:
    """Yield the parts of a chunk that have rows: the name of the part and its rows, in their order, with the columns to be written.

    Raises `INVALID_VALUE` for a split that is not one of `about.splits`.
    """
    if not about.splits:
        if chunk.height:
            yield ONE_PART, (chunk if chunk.columns == [*about.columns] else chunk.select(*about.columns))
        return
    rows = with_split(chunk, about)
    for part in about.parts:
        of_part = rows.filter(pl.col("split") == part)
        if of_part.height:
            yield part, of_part.select(*about.columns)


def with_split(chunk: pl.DataFrame, about: About) -> pl.DataFrame:
    """Return a chunk whose column `split` names the part of each row. Raises `INVALID_VALUE` for one that is not of `about.splits`."""
    if not about.splits:
        return chunk.with_columns(split=pl.lit(ONE_PART))
    strange = chunk.filter(~pl.col("split").is_in(about.splits).fill_null(value=False))["split"]
    if len(strange):
        raise InvalidValue(what="split", reason=f"{strange[0]!r} is not one of {', '.join(about.splits)}", fix="Name every split.")
    return chunk


def labelled_with(about: About) -> Capability:
    """Return the capability of samples. Raises `INVALID_VALUE` where the rows are no samples."""
    if about.capability is None:
        fix = "Export it as jsonl, csv or parquet, or export a dataset."
        raise InvalidValue(what=about.title, reason="its rows are no samples of a capability", fix=fix)
    return about.capability


def check_part(name: str) -> str:
    """Return the name of a part if it can be part of a file's name. Raises `INVALID_VALUE`."""
    if not _PART.fullmatch(name):
        raise InvalidValue(what="split", reason=f"{name!r} cannot be part of a file name", fix="Use letters, digits, - and _.")
    return name


def file_name() -> pl.Expr:
    """Return the path of a sample's picture in an export: workspace/media/name, for a frame of a video its index and .jpg."""
    of_video = pl.format("{}.jpg", pl.col("frame_index").cast(pl.String).str.zfill(6))
    return pl.format("{}/{}/{}", "workspace", "media", pl.when(pl.col("frame_name") == "").then(of_video).otherwise("frame_name"))


class DigestedFile:
    """A file that is written in order, digested and brought to the disk meanwhile: it is not read again, and little is left to sync."""

    def __init__(self, folder: Path, name: str) -> None:
        self._name = name
        self._file = (folder / name).open("wb")
        self._state, self._size, self._rows = hashlib.sha256(), 0, 0
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="labelkit-sync")
        self._syncing: Future[None] | None = None
        self._unsynced = 0

    def write(self, data: bytes, rows: int = 0) -> None:
        """Append bytes, which are so many rows."""
        self._file.write(data)
        self._state.update(data)
        self._size += len(data)
        self._rows += rows
        self._unsynced += len(data)
        if self._unsynced >= _SYNC_BYTES and (self._syncing is None or self._syncing.done()):
            self._end_sync()
            self._syncing, self._unsynced = self._pool.submit(os.fsync, self._file.fileno()), 0

    def written(self) -> WrittenFile:
        """Return what was written. Raises OSError where the disk did not take all of what was brought to it."""
        self._end_sync()
        return WrittenFile(self._name, self._size, self._state.hexdigest(), self._rows)

    def _end_sync(self) -> None:
        under_way, self._syncing = self._syncing, None
        if under_way is not None:
            under_way.result()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._pool.shutdown()
        self._file.close()


def digests(root: Path) -> tuple[WrittenFile, ...]:
    """Return the files below a folder with their sizes and sha256, in name order."""
    return tuple(digest_of_file(root, name) for name in names_below(root))


def digest_of_file(root: Path, name: str) -> WrittenFile:
    """Return size and sha256 of one file below a folder."""
    state, size = hashlib.sha256(), 0
    with open(f"{root}/{name}", "rb", buffering=0) as file:  # noqa: PTH123  # there may be a million of them
        while block := file.read(_BLOCK):
            state.update(block)
            size += len(block)
    return WrittenFile(name, size, state.hexdigest())


def names_below(root: Path) -> list[str]:
    """Return the paths of everything below a folder that is no folder itself, links included, in order; none where there is no folder."""
    names: list[str] = []
    folders = [""]
    while folders:
        below = folders.pop()
        with suppress(FileNotFoundError, NotADirectoryError), os.scandir(f"{root}/{below}") as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    folders.append(f"{below}{entry.name}/")
                else:
                    names.append(f"{below}{entry.name}")
    return sorted(names)
