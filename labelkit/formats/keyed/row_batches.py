"""Rows in batches: of a fixed size whatever the chunks, and encoded side by side but written in order."""

from __future__ import annotations

import os
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Self, TypeVar

import polars as pl

from labelkit.formats.exports import parted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from concurrent.futures import Future

    from labelkit.formats.exports import About

Item = TypeVar("Item")
Made = TypeVar("Made")
SLICE_ROWS = 16_384
ENCODERS = min(4, os.cpu_count() or 1)


def slices(chunks: Iterable[pl.DataFrame], about: About) -> Iterator[tuple[str, pl.DataFrame]]:
    """Yield the rows of chunks part by part, at most `SLICE_ROWS` at a time: the name of the part, and rows with the columns to write."""
    for chunk in chunks:
        for part, rows in parted(chunk, about):
            for piece in rows.iter_slices(SLICE_ROWS):
                yield part, piece


def in_order(items: Iterable[Item], make: Callable[[Item], Made]) -> Iterator[Made]:
    """Yield what `make` makes of each item, in their order; a few are made side by side while the next are fetched."""
    waiting: deque[Future[Made]] = deque()
    with ThreadPoolExecutor(ENCODERS, thread_name_prefix="labelkit-export") as pool:
        try:
            for item in items:
                waiting.append(pool.submit(make, item))
                while len(waiting) > ENCODERS:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            for future in waiting:
                future.cancel()


def ahead(items: Iterable[Item]) -> Iterator[Item]:
    """Yield the items; the next one is made while the one before is used."""
    rest = iter(items)
    with ThreadPoolExecutor(1, thread_name_prefix="labelkit-ahead") as pool:
        waiting = pool.submit(next, rest, None)
        while (item := waiting.result()) is not None:
            waiting = pool.submit(next, rest, None)
            yield item


class Background:
    """Does one thing beside what goes on; the next thing waits for it, and what went wrong is raised there or at the end."""

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="labelkit-background")
        self._under_way: Future[None] | None = None

    def run(self, work: Callable[[], None]) -> None:
        """Start some work when that before is done."""
        self._end()
        self._under_way = self._pool.submit(work)

    def _end(self) -> None:
        if self._under_way is not None:
            self._under_way.result()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        try:
            if kind is None:
                self._end()
        finally:
            self._pool.shutdown()


def weight(rows: pl.DataFrame) -> int:
    """Return about how many bytes the values are; equal rows have equal weight however they stand in memory."""
    return sum(_weight(column) for column in rows)


def _weight(values: pl.Series) -> int:
    match values.dtype:
        case pl.String():
            return int(values.str.len_bytes().sum() or 0)
        case pl.Binary():
            return int(values.bin.size().sum() or 0)
        case pl.List():
            filled = values.filter(values.list.len() > 0)
            return 4 * len(values) + (_weight(filled.explode()) if len(filled) else 0)
        case pl.Struct():
            return sum(_weight(values.struct.field(name)) for name in values.struct.fields)
    return 8 * len(values)
