"""Rows in batches: of a fixed size whatever the chunks, and encoded side by side but written in order."""

from __future__ import annotations

import os
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, TypeVar

import polars as pl

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from concurrent.futures import Future

Item = TypeVar("Item")
Made = TypeVar("Made")
ENCODERS = min(4, os.cpu_count() or 1)


def rebatched(frames: Iterable[pl.DataFrame], rows: int) -> Iterator[pl.DataFrame]:
    """Yield the same rows in batches of exactly that many, the last one with what is left; each stands in one piece of memory."""
    held: list[pl.DataFrame] = []
    count = 0
    for frame in frames:
        held.append(frame)
        count += frame.height
        while count >= rows:
            together = pl.concat(held)
            yield together.slice(0, rows).rechunk()
            held, count = [together.slice(rows)], count - rows
    if count:
        yield pl.concat(held).rechunk()


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
