"""Tables that have to wait: in memory up to a limit, beyond it on disk."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Self

import polars as pl

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import TracebackType

BYTES_IN_MEMORY = 128 << 20


class Spool:
    """Tables kept in order until they are taken out; a context manager that leaves nothing behind."""

    def __init__(self, bytes_in_memory: int = BYTES_IN_MEMORY) -> None:
        self._left = bytes_in_memory
        self._parts: list[pl.DataFrame | Path] = []
        self._folder: TemporaryDirectory[str] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._parts.clear()
        if self._folder is not None:
            self._folder.cleanup()

    def put(self, table: pl.DataFrame) -> None:
        """Keep a table."""
        self._left -= int(table.estimated_size())
        if self._left >= 0:
            self._parts.append(table)
            return
        self._folder = self._folder or TemporaryDirectory(prefix="labelkit-")
        path = Path(self._folder.name, f"{len(self._parts)}.arrow")
        table.write_ipc(path)
        self._parts.append(path)

    def take(self) -> Iterator[pl.DataFrame]:
        """Yield the tables in the order in which they came, each once."""
        self._parts.reverse()
        while self._parts:
            part = self._parts.pop()
            yield pl.read_ipc(part.read_bytes()) if isinstance(part, Path) else part
