"""Parquet out and in: shards `data/<part>-00000-of-0000N.parquet`, zstd, cut by number of rows and by weight, never by chunks."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import polars as pl

from labelkit.formats.exports import EVERYTHING, Format, parted
from labelkit.formats.row_batches import weight
from labelkit.formats.row_sources import readable, sourced

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from labelkit.formats.exports import About

GROUP_ROWS = 32_768
SHARD_ROWS = 32 * GROUP_ROWS
SHARD_BYTES = 96 << 20  # of values in memory, at least: a shard ends with the row group that reaches it
LEVEL = 3


def write(chunks: Iterable[pl.DataFrame], folder: Path, about: About, *, group_rows: int = GROUP_ROWS) -> Mapping[str, int]:
    """Write rows as Parquet shards of at most `SHARD_ROWS`; a part without rows is one shard without rows. Return the rows a file."""
    (folder / "data").mkdir()
    parts = {part: _Part(folder / "data", part, pl.DataFrame(schema=dict(about.columns)), group_rows) for part in about.parts}
    for chunk in chunks:
        for name, rows in parted(chunk, about):
            parts[name].add(rows)
    return {f"data/{name}": rows for part in parts.values() for name, rows in part.finish().items()}


def read(source: str | Path) -> Iterator[pl.DataFrame]:
    """Yield the rows of an export, or of other Parquet files, a frame a file.

    Raises `LABELS_NOT_FOUND`, `LABELS_UNREADABLE`, and `EXPORT_DAMAGED` for an export that is not whole.
    """
    files, manifest = sourced(source, ".parquet")
    for file in files:
        with readable(file):
            rows = pl.read_parquet(file, columns=None if manifest is None else [*manifest.columns])
            yield rows if manifest is None else rows.select(pl.col(name).cast(kind) for name, kind in manifest.columns.items())


@dataclass
class _Part:
    """One part: rows wait until a row group is full, row groups until a shard is; memory holds one shard."""

    folder: Path
    name: str
    none: pl.DataFrame
    group_rows: int
    waiting: list[pl.DataFrame] = field(default_factory=list)
    groups: list[pl.DataFrame] = field(default_factory=list)
    heavy: int = 0
    shards: list[int] = field(default_factory=list)

    def add(self, rows: pl.DataFrame) -> None:
        """Take rows, in order."""
        self.waiting.append(rows)
        while sum(one.height for one in self.waiting) >= self.group_rows:
            together = pl.concat(self.waiting)
            self.waiting = [together.slice(self.group_rows)]
            self._group(together.slice(0, self.group_rows))

    def finish(self) -> dict[str, int]:
        """Write what is left and give each shard its name; return the rows a shard."""
        left = pl.concat([self.none, *self.waiting])
        if left.height:
            self._group(left)
        if self.groups or not self.shards:
            self._shard()
        names = {f"{self.name}-{n:05d}-of-{len(self.shards):05d}.parquet": rows for n, rows in enumerate(self.shards)}
        for number, name in enumerate(names):
            (self.folder / self._draft(number)).rename(self.folder / name)
        return names

    def _group(self, rows: pl.DataFrame) -> None:
        self.groups.append(rows)
        self.heavy += weight(rows)
        if len(self.groups) * self.group_rows >= SHARD_ROWS or self.heavy >= SHARD_BYTES:
            self._shard()

    def _shard(self) -> None:
        rows = pl.concat([self.none, *self.groups], rechunk=True)
        rows.write_parquet(
            self.folder / self._draft(len(self.shards)), compression="zstd", compression_level=LEVEL, row_group_size=self.group_rows
        )
        self.shards.append(rows.height)
        self.groups, self.heavy = [], 0

    def _draft(self, number: int) -> str:
        return f".{self.name}-{number}"


FORMAT = Format("parquet", write, carries=EVERYTHING, takes=frozenset({"samples", "rows"}))
