"""Files of bounded size that rows of bytes are written to, one after the other, for each part of an export."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, BinaryIO, Self

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

SHARD_ROWS = 250_000
SHARD_BYTES = 256 << 20
_OPEN = ".{part}-{index}.open"


@dataclass(frozen=True, slots=True)
class Limits:
    """How much a file holds at most: rows, and bytes (where a single row has more, that row alone)."""

    rows: int = SHARD_ROWS
    size_bytes: int = SHARD_BYTES


@dataclass(slots=True)
class _Part:
    name: str
    file: BinaryIO
    rows: list[int] = field(default_factory=lambda: [0])
    size_bytes: int = 0


class ShardFiles:
    """Takes rows of bytes for parts; use it in a `with` statement. Which file a row is in depends on the rows before it alone.

    `name` is a template of part, index and count of the part's files, such as `{part}-{index:05}-of-{count:05}.tfrecord`; `end` closes
    every file.
    """

    def __init__(self, folder: Path, parts: Sequence[str], name: str, *, end: bytes = b"", limits: Limits | None = None) -> None:
        self._folder = folder
        self._name = name
        self._end = end
        self._limits = limits or Limits()
        self._stack = ExitStack()
        self._parts = {part: _Part(part, self._opened(part, 0)) for part in parts}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def add(self, part: str, data: NDArray[np.uint8], ends: NDArray[np.int64]) -> None:
        """Append rows to a part; row i is `data[ends[i - 1]:ends[i]]`."""
        view, begin, done = data.data, 0, 0
        to = self._parts[part]
        while done < len(ends):
            fit = int(np.searchsorted(ends, begin + self._limits.size_bytes - to.size_bytes, side="right"))
            upto = min(fit, done + self._limits.rows - to.rows[-1], len(ends))
            if upto <= done and to.rows[-1]:
                self._next(to)
                continue
            upto = max(upto, done + 1)
            end = int(ends[upto - 1])
            to.file.write(view[begin:end])
            to.rows[-1] += upto - done
            to.size_bytes += end - begin
            begin, done = end, upto

    def finish(self) -> Mapping[str, int]:
        """Close and name all files, and return how many rows each holds. A part without rows has one file without rows."""
        found: dict[str, int] = {}
        for part in self._parts.values():
            self._close(part)
            for index, rows in enumerate(part.rows):
                name = self._name.format(part=part.name, index=index, count=len(part.rows))
                (self._folder / _OPEN.format(part=part.name, index=index)).rename(self._folder / name)
                found[name] = rows
        return found

    def _opened(self, part: str, index: int) -> BinaryIO:
        path = self._folder / _OPEN.format(part=part, index=index)
        return self._stack.enter_context(path.open("wb", buffering=1 << 20))

    def _next(self, part: _Part) -> None:
        self._close(part)
        part.file = self._opened(part.name, len(part.rows))
        part.rows.append(0)
        part.size_bytes = 0

    def _close(self, part: _Part) -> None:
        part.file.write(self._end)
        part.file.close()
