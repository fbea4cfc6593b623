"""Protobuf's numbers of variable length: seven bits a byte, least first, the eighth bit says that more follow. By columns."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

LONGEST = 10  # bytes of a negative number


def varint(value: int) -> bytes:
    """Return one number, 0 or more, as bytes.

    >>> varint(300).hex()
    'ac02'
    """
    parts = []
    while value > 0x7F:
        parts.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*parts, value])


def encoded(values: NDArray[np.int64]) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Return the bytes of m numbers, as rows of a matrix of which only the beginning counts, and how many bytes count."""
    left = values.astype(np.int64, copy=False).view(np.uint64)
    lengths = np.ones(len(left), np.int64)
    for power in range(7, 64, 7):
        lengths += left >= np.uint64(1 << power)
    width = int(lengths.max()) if len(left) else 1
    shifts = np.arange(width, dtype=np.uint64) * np.uint64(7)
    data = (left[:, None] >> shifts & np.uint64(0x7F)).astype(np.uint8)
    data |= (np.arange(width) < lengths[:, None] - 1).astype(np.uint8) << np.uint8(7)
    return data, lengths


def decoded(data: NDArray[np.uint8]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the numbers that stand one behind the other in `data`, and where each ends. Raises ValueError where the last is cut."""
    ends = np.flatnonzero(data < 0x80) + 1
    if len(data) and (not len(ends) or ends[-1] != len(data)):
        raise ValueError("a number is cut")
    lengths = np.diff(ends, prepend=0)
    if len(lengths) and lengths.max() > LONGEST:
        raise ValueError("a number is longer than any")
    values = np.zeros(len(ends), np.uint64)
    for place in range(int(lengths.max()) if len(lengths) else 0):
        rows = np.flatnonzero(lengths > place)
        bits = data[ends[rows] - lengths[rows] + place].astype(np.uint64) & np.uint64(0x7F)
        values[rows] |= bits << np.uint64(7 * place)
    return values.view(np.int64), ends


def at(data: NDArray[np.uint8], places: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the number at each place and where it ends; `data` has room for a number behind every place. Raises ValueError."""
    values = np.zeros(len(places), np.int64)
    ends = places.copy()
    rows = np.arange(len(places))
    for power in range(0, 7 * 9, 7):
        byte = data[ends[rows]].astype(np.int64)
        values[rows] |= (byte & 0x7F) << power
        ends[rows] += 1
        rows = rows[byte >= 0x80]
        if not len(rows):
            return values, ends
    raise ValueError("a length is longer than any")
