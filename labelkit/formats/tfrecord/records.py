"""Features as the records of a TFRecord file: tf.train.Example as protobuf, each in its frame of length and checksums; by columns.

A frame is the length of the record (8 bytes), the masked CRC-32C of these, the record, and its masked CRC-32C, all little-endian.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from labelkit.formats.keyed.byte_rows import Blobs, ByteRows, Over, Piece, looked_up, put_together, within_rows, zeros
from labelkit.formats.tfrecord import varints
from labelkit.formats.tfrecord.crc32c import crc32c, masked
from labelkit.formats.tfrecord.varints import varint

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from labelkit.formats.tfrecord.feature_kinds import Feature

HEAD_BYTES, TAIL_BYTES = 12, 4
_LIST_TAG = {"bytes": b"\x0a", "float": b"\x12", "int64": b"\x1a"}  # fields 1, 2 and 3 of Feature
_FIRST, _SECOND = b"\x0a", b"\x12"  # fields 1 and 2 that have a length
_ABSENT, _NO_VALUES = -2, -1


def records_of(features: Sequence[Feature], count: int) -> ByteRows:
    """Return the framed records of `count` rows, at least one, with these features."""
    pieces = [piece for feature in features for piece in _entry(feature, count)]
    sizes = np.zeros(count, np.int64)
    for piece in pieces:
        sizes += piece.text.str.len_bytes().to_numpy()
    size, codes = np.unique(sizes, return_inverse=True)
    begin = looked_up([b"\0" * HEAD_BYTES + _FIRST + varint(one) for one in size.tolist()], codes.ravel())
    made = put_together([begin, *pieces, Piece(pl.repeat("\0" * TAIL_BYTES, count, dtype=pl.String, eager=True))])
    _frame(made)
    return made


def _frame(made: ByteRows) -> None:
    """Write length and checksums into each record."""
    data, begins = made.data, made.begins
    lengths = made.ends - begins - HEAD_BYTES - TAIL_BYTES
    _put(data, begins, lengths.astype("<u8").view(np.uint8).reshape(-1, 8))
    _put(data, begins + 8, _checksums(data, begins, np.full(len(begins), 8)))
    _put(data, made.ends - TAIL_BYTES, _checksums(data, begins + HEAD_BYTES, lengths))


def _checksums(data: NDArray[np.uint8], starts: NDArray[np.int64], lengths: NDArray[np.int64]) -> NDArray[np.uint8]:
    return masked(crc32c(data, starts, lengths)).astype("<u4").view(np.uint8).reshape(-1, 4)


def _put(data: NDArray[np.uint8], places: NDArray[np.int64], values: NDArray[np.uint8]) -> None:
    data[places[:, None] + np.arange(values.shape[1])] = values


def _entry(feature: Feature, count: int) -> list[Piece]:
    """Return the pieces of a feature as an entry of the map: what stands before its values, and the values."""
    if feature.kind == "bytes":
        return _of_bytes(feature, count)
    if feature.kind == "float":
        return _of_numbers(feature, count, *_little(feature.values, "<f4"))
    if feature.kind == "int64":
        return _of_numbers(feature, count, *varints.encoded(feature.values.to_numpy()))
    return _of_doubles(feature, count)


def _little(values: pl.Series, kind: str) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    width = np.dtype(kind).itemsize
    data = np.ascontiguousarray(values.to_numpy().astype(kind, copy=False)).view(np.uint8).reshape(-1, width)
    return data, np.full(len(data), width)


def _of_numbers(feature: Feature, count: int, data: NDArray[np.uint8], lengths: NDArray[np.int64]) -> list[Piece]:
    """Return the pieces of packed numbers."""
    sizes = _summed(lengths, feature.rows, count)
    over = Over(feature.rows, within_rows(lengths, feature.rows), data, lengths)
    codes = np.where(feature.present, np.where(sizes == 0, _NO_VALUES, sizes), _ABSENT)
    return [_head(feature.name, feature.kind, codes), Piece(zeros(sizes), (over,))]


def _of_doubles(feature: Feature, count: int) -> list[Piece]:
    """Return the pieces of one byte string a row that holds all its numbers."""
    data, lengths = _little(feature.values, "<f8")
    sizes = _summed(lengths, feature.rows, count)
    over = Over(feature.rows, within_rows(lengths, feature.rows), data, lengths)
    return [_head(feature.name, "bytes", np.where(feature.present, sizes, _ABSENT), single=True), Piece(zeros(sizes), (over,))]


def _of_bytes(feature: Feature, count: int) -> list[Piece]:
    binary = isinstance(feature.values.dtype, pl.Binary)
    lengths = (feature.values.bin.size() if binary else feature.values.str.len_bytes()).cast(pl.Int64).to_numpy()
    if len(feature.rows) == np.count_nonzero(feature.present) and (len(feature.rows) < 2 or (np.diff(feature.rows) > 0).all()):
        codes = np.full(count, _ABSENT)
        codes[feature.rows] = lengths
        text = zeros(lengths) if binary else feature.values
        whole = (Blobs(feature.rows, np.zeros(len(lengths), np.int64), feature.values.to_list()),) if binary else ()
        return [_head(feature.name, "bytes", codes, single=True), Piece(_spread(text, feature.rows, count), whole)]
    size, places = np.unique(lengths, return_inverse=True)
    begin = looked_up([_FIRST + varint(one) for one in size.tolist()], places.ravel())
    begin_lengths = begin.text.str.len_bytes().cast(pl.Int64).to_numpy()
    offsets = within_rows(begin_lengths + lengths, feature.rows)
    items = pl.DataFrame({"row": feature.rows, "begin": begin.text, "value": zeros(lengths) if binary else feature.values})
    texts = items.group_by("row", maintain_order=True).agg(pl.concat_str("begin", "value").str.join(""))
    over = tuple(Over(feature.rows[one.rows], offsets[one.rows], one.data, one.lengths) for one in begin.over if isinstance(one, Over))
    blobs = (Blobs(feature.rows, offsets + begin_lengths, feature.values.to_list()),) if binary else ()
    sizes = _summed(begin_lengths + lengths, feature.rows, count)
    codes = np.where(feature.present, np.where(sizes == 0, _NO_VALUES, sizes), _ABSENT)
    return [_head(feature.name, "bytes", codes), Piece(_spread(texts["begin"], texts["row"].to_numpy(), count), (*over, *blobs))]


def _spread(texts: pl.Series, rows: NDArray[np.int64], count: int) -> pl.Series:
    """Return text for each of `count` rows: `texts` in `rows`, nothing in others."""
    if len(rows) == count:
        return texts
    places = np.full(count, len(rows))
    places[rows] = np.arange(len(rows))
    return pl.concat([texts.alias(""), pl.Series([""], dtype=pl.String)]).gather(places)


def _summed(lengths: NDArray[np.int64], rows: NDArray[np.int64], count: int) -> NDArray[np.int64]:
    return np.bincount(rows, weights=lengths, minlength=count).astype(np.int64)


def _head(name: str, kind: str, codes: NDArray[np.int64], *, single: bool = False) -> Piece:
    """Return what stands before the values: `codes` are the bytes of these, or `_NO_VALUES` or `_ABSENT`.

    With `single` the values are one byte string, whose own length comes into the head too.
    """
    sizes, places = np.unique(codes, return_inverse=True)
    return looked_up([_head_bytes(name.encode(), kind, size, single=single) for size in sizes.tolist()], places.ravel())


def _head_bytes(name: bytes, kind: str, size: int, *, single: bool) -> bytes:
    if size == _ABSENT:
        return b""
    body = max(size, 0)
    inner = b"" if size == _NO_VALUES or (kind == "bytes" and not single) else _FIRST + varint(body)
    listed = _LIST_TAG[kind] + varint(len(inner) + body) + inner
    value = _SECOND + varint(len(listed) + body) + listed
    key = _FIRST + varint(len(name)) + name
    return _FIRST + varint(len(key) + len(value) + body) + key + value
