"""Rows of bytes put together column by column, set-based: polars lays out text, and what is no text is written over its place.

A piece holds some bytes of every row. Where they are UTF-8 they are laid out as they are; other bytes are laid out as zeros of the same
length, and `over` says what goes there.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

_LARGE = 4_096  # bytes; zeros for longer values are made one by one instead of being kept


@dataclass(frozen=True, slots=True)
class Over:
    """Bytes that replace zeros: m short runs, the i-th `lengths[i]` bytes of `data[i]` at `offsets[i]` of the piece in row `rows[i]`."""

    rows: NDArray[np.int64]
    offsets: NDArray[np.int64]
    data: NDArray[np.uint8]
    lengths: NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Blobs:
    """Long values that replace zeros, at `offsets[i]` of the piece in `rows[i]`."""

    rows: NDArray[np.int64]
    offsets: NDArray[np.int64]
    values: Sequence[bytes]


@dataclass(frozen=True, slots=True)
class Piece:
    """Some bytes of each row: text without nulls, and what goes over it."""

    text: pl.Series
    over: tuple[Over | Blobs, ...] = ()


@dataclass(frozen=True, slots=True)
class ByteRows:
    """All bytes of all rows in one buffer; row i is `data[ends[i - 1]:ends[i]]`, and `starts[p][i]` is where its piece p begins."""

    data: NDArray[np.uint8]
    ends: NDArray[np.int64]
    starts: NDArray[np.int64]

    @property
    def begins(self) -> NDArray[np.int64]:
        """Return where each row begins."""
        return np.concatenate([[0], self.ends[:-1]]).astype(np.int64)


def put_together(pieces: Sequence[Piece]) -> ByteRows:
    """Return rows that are their pieces one behind the other. At least one row, and no row may be empty."""
    frame = pl.DataFrame([piece.text.alias(str(place)) for place, piece in enumerate(pieces)])
    lengths = frame.select(pl.all().str.len_bytes().cast(pl.Int64)).to_numpy()
    ends = np.cumsum(lengths.ravel()).reshape(lengths.shape)
    starts = np.ascontiguousarray((ends - lengths).T)
    joined = frame.select(pl.concat_str(pl.all())).to_series()
    data = joined.cast(pl.Binary).cast(pl.List(pl.UInt8)).explode().to_numpy().copy()
    for place, piece in enumerate(pieces):
        for over in piece.over:
            _write(data, over, starts[place])
    return ByteRows(data, np.ascontiguousarray(ends[:, -1]), starts)


def looked_up(table: Sequence[bytes], codes: NDArray[np.intp]) -> Piece:
    """Return a piece that is `table[codes[i]]` in row i."""
    plain = [entry.isascii() for entry in table]
    texts = [entry.decode() if ascii_only else "\0" * len(entry) for entry, ascii_only in zip(table, plain, strict=True)]
    text = pl.Series(texts, dtype=pl.String).gather(codes)
    if all(plain):
        return Piece(text)
    rows = np.flatnonzero(~np.asarray(plain)[codes])
    lengths = np.asarray([len(entry) for entry in table], dtype=np.int64)
    data = np.zeros((len(table), int(lengths.max())), np.uint8)
    for place, entry in enumerate(table):
        data[place, : len(entry)] = np.frombuffer(entry, np.uint8)
    chosen = codes[rows]
    return Piece(text, (Over(rows, np.zeros(len(rows), np.int64), data[chosen], lengths[chosen]),))


def zeros(lengths: NDArray[np.int64]) -> pl.Series:
    """Return text of that many zero bytes for each row."""
    if len(lengths) and int(lengths.max()) > _LARGE:
        return pl.Series(["\0" * length for length in lengths.tolist()], dtype=pl.String)
    sizes, codes = np.unique(lengths, return_inverse=True)
    return pl.Series(["\0" * size for size in sizes.tolist()], dtype=pl.String).gather(codes.ravel())


def within_rows(lengths: NDArray[np.int64], rows: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return how many bytes of the same row stand before each of m items, which are given in row order."""
    before = np.cumsum(lengths) - lengths
    if not len(rows):
        return before
    firsts = np.flatnonzero(np.concatenate([[True], rows[1:] != rows[:-1]]))
    of_row: NDArray[np.int64] = np.repeat(before[firsts], np.diff(firsts, append=len(rows)))
    return before - of_row


def _write(data: NDArray[np.uint8], over: Over | Blobs, starts: NDArray[np.int64]) -> None:
    places = starts[over.rows] + over.offsets
    if isinstance(over, Blobs):
        view = data.data
        for place, value in zip(places.tolist(), over.values, strict=True):
            view[place : place + len(value)] = value
        return
    width = over.data.shape[1]
    at = places[:, None] + np.arange(width)
    if (over.lengths == width).all():
        data[at] = over.data
    else:
        here = np.arange(width) < over.lengths[:, None]
        data[at[here]] = over.data[here]
