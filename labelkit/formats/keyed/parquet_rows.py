"""Parquet out and in: shards `data/<part>-00000-of-0000N.parquet`, zstd, cut by number of rows and by weight, never by chunks."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import polars as pl

from labelkit.formats.exports import EVERYTHING, Format, parted
from labelkit.formats.keyed.foreign_rows import joined
from labelkit.formats.keyed.row_batches import Background, weight
from labelkit.formats.keyed.row_sources import readable, sourced

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from labelkit.formats.exports import About

GROUP_ROWS = 32_768
SHARD_ROWS = 32 * GROUP_ROWS
SHARD_BYTES = 64 << 20  # of values in memory, at least: a shard ends with the row group that reaches it
LEVEL = 1  # of zstd: as small as higher ones for rows of text and numbers, in three quarters of the time


@dataclass(frozen=True, slots=True)
class Cut:
    """How rows are cut: `step_rows` are taken at a time, and a shard ends with the step that reaches one of its limits."""

    step_rows: int = GROUP_ROWS
    group_rows: int = GROUP_ROWS
    shard_rows: int = SHARD_ROWS
    shard_bytes: int = SHARD_BYTES


PLAIN = Cut()


def write(chunks: Iterable[pl.DataFrame], folder: Path, about: About, *, cut: Cut = PLAIN) -> Mapping[str, int]:
    """Write rows as Parquet shards, cut as `cut` says; a part without rows is one shard without rows. Return the rows a file."""
    (folder / "data").mkdir()
    none = pl.DataFrame(schema=dict(about.columns))
    with Background() as background:
        parts = {part: _Part(folder / "data", part, none, cut, background) for part in about.parts}
        for chunk in chunks:
            for name, rows in parted(chunk, about):
                parts[name].add(rows)
        for part in parts.values():
            part.end()
    return {f"data/{name}": rows for part in parts.values() for name, rows in part.named().items()}


def read(source: str | Path) -> Iterator[pl.DataFrame]:
    """Yield the rows of an export, a frame a file, or of other Parquet files, in one.

    Raises `LABELS_NOT_FOUND`, `LABELS_UNREADABLE`, and `EXPORT_DAMAGED` for an export that is not whole.
    """
    files, manifest = sourced(source, ".parquet")
    if manifest is None:
        yield joined(files, lambda file: pl.read_parquet(file, glob=False), why=lambda _: None)
        return
    for file in files:
        with readable(file):
            rows = pl.read_parquet(file, columns=[*manifest.columns], glob=False)
            yield rows.select(pl.col(name).cast(kind) for name, kind in manifest.columns.items())


@dataclass
class _Part:
    """One part: rows wait until a step is full, steps until a shard is; memory holds one shard, and one that is being written."""

    folder: Path
    name: str
    none: pl.DataFrame
    cut: Cut
    background: Background
    waiting: list[pl.DataFrame] = field(default_factory=list)
    steps: list[pl.DataFrame] = field(default_factory=list)
    heavy: int = 0
    shards: list[int] = field(default_factory=list)

    def add(self, rows: pl.DataFrame) -> None:
        """Take rows, in order."""
        self.waiting.append(rows)
        step = self.cut.step_rows
        while sum(one.height for one in self.waiting) >= step:
            together = pl.concat(self.waiting)
            self.waiting = [together.slice(step)]
            self._step(together.slice(0, step))

    def end(self) -> None:
        """Write what is left."""
        left = pl.concat([self.none, *self.waiting])
        if left.height:
            self._step(left)
        if self.steps or not self.shards:
            self._shard()

    def named(self) -> dict[str, int]:
        """Give each shard its name, when all are written; return the rows a shard."""
        names = {f"{self.name}-{n:05d}-of-{len(self.shards):05d}.parquet": rows for n, rows in enumerate(self.shards)}
        for number, name in enumerate(names):
            (self.folder / self._draft(number)).rename(self.folder / name)
        return names

    def _step(self, rows: pl.DataFrame) -> None:
        self.steps.append(rows.rechunk())  # here, while a shard is being written or the next rows are read
        self.heavy += weight(rows)
        if len(self.steps) * self.cut.step_rows >= self.cut.shard_rows or self.heavy >= self.cut.shard_bytes:
            self._shard()

    def _shard(self) -> None:
        steps, file = [self.none, *self.steps], self.folder / self._draft(len(self.shards))
        self.background.run(lambda: self._write(steps, file))
        self.shards.append(sum(step.height for step in steps))
        self.steps, self.heavy = [], 0

    def _write(self, steps: list[pl.DataFrame], file: Path) -> None:
        rows = pl.concat(steps, rechunk=self.cut.step_rows != self.cut.group_rows)  # a step that is a row group is in one piece already
        try:
            rows.write_parquet(file, compression="zstd", compression_level=LEVEL, row_group_size=self.cut.group_rows)
        except pl.exceptions.ComputeError as error:  # what polars makes of a full disk
            raise OSError(str(error)) from error

    def _draft(self, number: int) -> str:
        return f".{self.name}-{number}"


FORMAT = Format("parquet", write, carries=EVERYTHING, takes=frozenset({"samples", "rows"}))
