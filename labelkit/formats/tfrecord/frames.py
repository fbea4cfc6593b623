"""TFRecord files in: records found in their frames and both checksums of each verified, then taken apart as protobuf; by columns."""

from __future__ import annotations

import struct
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from labelkit.errors import LabelsUnreadable
from labelkit.formats.tfrecord import varints
from labelkit.formats.tfrecord.crc32c import crc32c, masked
from labelkit.formats.tfrecord.records import HEAD_BYTES, TAIL_BYTES

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from numpy.typing import NDArray

    from labelkit.formats.tfrecord.feature_kinds import Kind

READ_BYTES = 8 << 20
READ_ROWS = 16_384
_ROOM = 16  # zeros behind the last record, so that reading a number there needs no check
_KINDS: dict[int, Kind] = {0x0A: "bytes", 0x12: "float", 0x1A: "int64"}
_FIRST, _SECOND = 0x0A, 0x12
_FIX = "Export the data again, or copy the file again; `labelkit verify` names every file that changed."


@dataclass(frozen=True, slots=True)
class Found:
    """One feature of n rows as it was read: values in row order, how many each row has (n), which rows have the feature (n)."""

    kind: Kind
    values: pl.Series
    counts: NDArray[np.int64]
    present: NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Batch:
    """Some records of a file: their bytes, and where each begins and ends in `data`; `offset` is where `data` stands in the file."""

    path: Path
    offset: int
    data: NDArray[np.uint8]
    starts: NDArray[np.int64]
    ends: NDArray[np.int64]

    def damaged(self, row: int, what: str) -> LabelsUnreadable:
        """Return the refusal that names a record by its file and offset."""
        at = self.offset + int(self.starts[row]) - HEAD_BYTES
        return LabelsUnreadable(source=self.path, reason=f"the record at byte {at:,} {what}", fix=_FIX)


def batches(path: Path) -> Iterator[Batch]:
    """Yield the records of a file in order, some at a time. Raises `LABELS_UNREADABLE`, naming the record, where one is damaged."""
    size = path.stat().st_size
    with path.open("rb") as file:
        offset, left, wanted = 0, b"", READ_BYTES
        while block := file.read(wanted):
            data = left + block
            starts, ends, used = _frames(data)
            if starts:
                batch = Batch(path, offset, np.frombuffer(data[:used] + bytes(_ROOM), np.uint8), np.asarray(starts), np.asarray(ends))
                _verify(batch)
                yield batch
            offset, left = offset + used, data[used:]
            wanted = max(READ_BYTES, min(_missing(path, offset, left), size))
        if left:
            raise _cut(path, offset, left)


def _missing(path: Path, offset: int, left: bytes) -> int:
    """Return how many bytes are still to be read of the record that `left` begins. Raises `LABELS_UNREADABLE` for a damaged length."""
    if len(left) < HEAD_BYTES:
        return 0
    if not _good(np.frombuffer(left[:HEAD_BYTES], np.uint8), np.asarray([0]), np.asarray([8]))[0]:
        raise _cut(path, offset, left)
    return HEAD_BYTES + int.from_bytes(left[:8], "little") + TAIL_BYTES - len(left)


def _frames(data: bytes) -> tuple[list[int], list[int], int]:
    """Return where the records begin and end that are there whole, and where the last one's frame ends."""
    starts, ends, at = list[int](), list[int](), 0
    length_at, size = struct.Struct("<Q").unpack_from, len(data)
    while at + HEAD_BYTES <= size and len(starts) < READ_ROWS:
        end = at + HEAD_BYTES + length_at(data, at)[0]
        if end + TAIL_BYTES > size:
            break
        starts.append(at + HEAD_BYTES)
        ends.append(end)
        at = end + TAIL_BYTES
    return starts, ends, at


def _cut(path: Path, offset: int, left: bytes) -> LabelsUnreadable:
    """Return the refusal of a last record that is not there whole, or whose length is damaged."""
    batch = Batch(path, offset, np.frombuffer(left + bytes(_ROOM), np.uint8), np.asarray([HEAD_BYTES]), np.asarray([len(left)]))
    if len(left) >= HEAD_BYTES and not _good(batch.data, np.asarray([0]), np.asarray([8]))[0]:
        return batch.damaged(0, "has a length that does not fit its checksum")
    return batch.damaged(0, f"is cut: {len(left):,} bytes are left of it")


def _verify(batch: Batch) -> None:
    heads = batch.starts - HEAD_BYTES
    for begins, lengths, what in ((heads, np.full(len(heads), 8), "length"), (batch.starts, batch.ends - batch.starts, "content")):
        bad = np.flatnonzero(~_good(batch.data, begins, lengths))
        if len(bad):
            raise batch.damaged(int(bad[0]), f"has a {what} that does not fit its checksum")


def _good(data: NDArray[np.uint8], begins: NDArray[np.int64], lengths: NDArray[np.int64]) -> NDArray[np.bool_]:
    stored = np.ascontiguousarray(data[(begins + lengths)[:, None] + np.arange(4)]).view("<u4").ravel()
    good: NDArray[np.bool_] = stored == masked(crc32c(data, begins, lengths))
    return good


# --- protobuf


def features(batch: Batch) -> Mapping[str, Found]:
    """Return the features of records by name. Raises `LABELS_UNREADABLE` for a record that is no tf.train.Example."""
    parts: dict[str, list[_Lists]] = defaultdict(list)
    rows = np.flatnonzero(batch.ends > batch.starts)
    at, ends = _message(batch, rows, batch.starts[rows], batch.ends[rows], _FIRST, whole=True)
    while True:
        left = at < ends
        rows, at, ends = rows[left], at[left], ends[left]
        if not len(rows):
            break
        entries, entry_ends = _message(batch, rows, at, ends, _FIRST)
        keys, key_ends = _message(batch, rows, entries, entry_ends, _FIRST)
        values, value_ends = _message(batch, rows, key_ends, entry_ends, _SECOND, whole=True)
        for name, of_name in _named(batch.data, keys, key_ends):
            for kind, chosen in _kinds(batch, rows, values, value_ends, of_name):
                lists, list_ends = _message(batch, rows[chosen], values[chosen], value_ends[chosen], None, whole=True)
                parts[name].append(_Lists(kind, rows[chosen], lists, list_ends))
        at = entry_ends
    return {name: _found(batch, name, lists) for name, lists in parts.items()}


@dataclass(frozen=True, slots=True)
class _Lists:
    """Where the lists of values of one feature stand: the row, begin and end of each."""

    kind: Kind
    rows: NDArray[np.int64]
    starts: NDArray[np.int64]
    ends: NDArray[np.int64]


def _message(
    batch: Batch, rows: NDArray[np.int64], at: NDArray[np.int64], limits: NDArray[np.int64], tag: int | None, *, whole: bool = False
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return where the content begins and ends of fields that stand at `at`, have a length and end at `limits`, or before: not `whole`."""
    wrong = at >= limits if tag is None else (at >= limits) | (batch.data[at] != tag)
    if not wrong.any():
        lengths, starts = _numbers(batch, rows, at + 1)
        wrong = (lengths < 0) | ((lengths != limits - starts) if whole else (lengths > limits - starts))
        if not wrong.any():
            return starts, starts + lengths
    raise _foreign(batch, rows[wrong][0])


def _numbers(batch: Batch, rows: NDArray[np.int64], at: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    try:
        return varints.at(batch.data, at)
    except (ValueError, IndexError) as error:
        raise _foreign(batch, rows[0]) from error


def _foreign(batch: Batch, row: int) -> LabelsUnreadable:
    return batch.damaged(int(row), "is whole, but no tf.train.Example in the usual order of its fields")


def _named(data: NDArray[np.uint8], keys: NDArray[np.int64], key_ends: NDArray[np.int64]) -> Iterator[tuple[str, NDArray[np.int64]]]:
    """Yield each name among the keys with the places of those that have it."""
    left = np.arange(len(keys))
    while len(left):
        begin, end = int(keys[left[0]]), int(key_ends[left[0]])
        wanted = data[begin:end]
        same = key_ends[left] - keys[left] == end - begin
        same[same] = (data[keys[left[same]][:, None] + np.arange(end - begin)] == wanted).all(axis=1)
        yield wanted.tobytes().decode(errors="replace"), left[same]
        left = left[~same]


def _kinds(
    batch: Batch, rows: NDArray[np.int64], values: NDArray[np.int64], value_ends: NDArray[np.int64], chosen: NDArray[np.int64]
) -> Iterator[tuple[Kind, NDArray[np.int64]]]:
    """Yield the places among `chosen` whose value is of a kind; a value of no kind is as if it were not there."""
    filled = chosen[value_ends[chosen] > values[chosen]]
    tags = batch.data[values[filled]]
    for tag in np.unique(tags).tolist():
        if tag not in _KINDS:
            raise _foreign(batch, rows[filled[tags == tag][0]])
        yield _KINDS[tag], filled[tags == tag]


def _found(batch: Batch, name: str, parts: list[_Lists]) -> Found:
    count = len(batch.starts)
    kinds = {part.kind for part in parts}
    rows, starts, ends = (np.concatenate([getattr(part, field) for part in parts]) for field in ("rows", "starts", "ends"))
    order = np.argsort(rows, kind="stable")
    rows, starts, ends = rows[order], starts[order], ends[order]
    if len(kinds) > 1 or (np.diff(rows) == 0).any():
        raise batch.damaged(int(rows[0]), f"or one after it has the feature {name!r} twice, or with another kind of values")
    kind = next(iter(kinds))
    values, counts = _strings(batch, rows, starts, ends) if kind == "bytes" else _packed(batch, kind, rows, starts, ends)
    all_counts, present = np.zeros(count, np.int64), np.zeros(count, np.bool_)
    all_counts[rows], present[rows] = counts, True
    return Found(kind, values, all_counts, present)


def _strings(
    batch: Batch, rows: NDArray[np.int64], starts: NDArray[np.int64], ends: NDArray[np.int64]
) -> tuple[pl.Series, NDArray[np.int64]]:
    counts = np.zeros(len(rows), np.int64)
    owners, begins, stops = [], [], []
    left, at = np.arange(len(rows)), starts
    while len(left := left[at[left] < ends[left]]):
        begin, stop = _message(batch, rows[left], at[left], ends[left], _FIRST)
        counts[left] += 1
        owners.append(left)
        begins.append(begin)
        stops.append(stop)
        at = at.copy()
        at[left] = stop
    if not owners:
        return pl.Series([], dtype=pl.Binary), counts
    order = np.argsort(np.concatenate(owners), kind="stable")
    view = batch.data.tobytes()
    pairs = zip(np.concatenate(begins)[order].tolist(), np.concatenate(stops)[order].tolist(), strict=True)
    return pl.Series([view[begin:stop] for begin, stop in pairs], dtype=pl.Binary), counts


def _packed(
    batch: Batch, kind: Kind, rows: NDArray[np.int64], starts: NDArray[np.int64], ends: NDArray[np.int64]
) -> tuple[pl.Series, NDArray[np.int64]]:
    filled = np.flatnonzero(ends > starts)
    begins, stops = _message(batch, rows[filled], starts[filled], ends[filled], _FIRST, whole=True)
    lengths = stops - begins
    places = np.repeat(begins - (np.cumsum(lengths) - lengths), lengths) + np.arange(int(lengths.sum()))
    data, counts = batch.data[places], np.zeros(len(rows), np.int64)
    if kind == "float":
        if (lengths % 4).any():
            raise _foreign(batch, rows[filled][lengths % 4 != 0][0])
        counts[filled] = lengths // 4
        return pl.Series(data.view("<f4").astype(np.float32, copy=False)), counts
    try:
        values, value_ends = varints.decoded(data)
    except ValueError as error:
        raise _foreign(batch, rows[filled][0]) from error
    counts[filled] = np.diff(np.searchsorted(value_ends, np.cumsum(lengths), side="right"), prepend=0)
    return pl.Series(values), counts
