"""Splits of any rows: each group belongs to one split for ever, by a hash of its name, whatever other rows there are.

The hash is FNV-1a of 64 bits over the UTF-8 bytes, finished by the mixer of MurmurHash3. A group's place in [0, 1) is the hash by 2**64,
and the splits share [0, 1) in their order by their shares.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from labelkit.errors import InvalidValue
from labelkit.formats.exports import check_part

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

_BASIS, _PRIME = np.uint64(0xCBF29CE484222325), np.uint64(0x100000001B3)
_MIXERS = (np.uint64(0xFF51AFD7ED558CCD), np.uint64(0xC4CEB9FE1A85EC53))
_HALF = np.uint64(33)


def checked_shares(shares: Mapping[str, float]) -> dict[str, float]:
    """Return shares of splits as given, if they are any. Raises `INVALID_VALUE`."""
    fix = 'Give each split its share, such as {"train": 0.8, "val": 0.1, "test": 0.1}.'
    if not shares:
        raise InvalidValue(what="splits", reason="there are none", fix=fix)
    for split, share in shares.items():
        check_part(split)
        if not math.isfinite(share) or share < 0:
            raise InvalidValue(what="splits", reason=f"{split} has the share {share}", fix=fix)
    if abs(sum(shares.values()) - 1) > 1e-6:  # what is lost in writing thirds
        raise InvalidValue(what="splits", reason=f"the shares add up to {sum(shares.values()):g}, not 1", fix=fix)
    return dict(shares)


def with_splits(rows: pl.DataFrame, shares: Mapping[str, float], key: str, by: str | None = None) -> pl.DataFrame:
    """Return rows with a column `split`: that of the group in `by`; of the row's own key without `by` and where it is null."""
    keys = rows[key].cast(pl.String)
    groups = keys if by is None else rows.select(pl.coalesce(pl.col(by).cast(pl.String), pl.lit(keys))).to_series()
    ends = np.cumsum(np.asarray([*shares.values()], dtype=np.float64))
    ends[-1] = 1.0
    chosen = np.searchsorted(ends, places(groups), side="right")
    return rows.with_columns(pl.Series("split", [*shares], dtype=pl.String).gather(pl.Series(chosen.astype(np.uint32))).alias("split"))


def check_group(by: str | None, columns: Mapping[str, pl.DataType]) -> None:
    """Refuse a column of groups that is not there or has no text form. Raises `INVALID_VALUE`."""
    if by is None:
        return
    if by not in columns:
        raise InvalidValue(what="by", reason=f"there is no column {by!r}", fix=f"Use one of: {', '.join(list(columns)[:20])}.")
    if isinstance(columns[by], (pl.List, pl.Struct, pl.Binary)):
        raise InvalidValue(what="by", reason=f"{by} is {columns[by]}", fix="Use a column of text, numbers or dates.")


def places(groups: pl.Series) -> NDArray[np.float64]:
    """Return the place of each text in [0, 1).

    >>> [round(float(place), 4) for place in places(pl.Series(["", "match-1", "match-2"]))]
    [0.9368, 0.3807, 0.5745]
    """
    hashes = _hashes(groups)
    for mixer in _MIXERS:
        hashes = (hashes ^ (hashes >> _HALF)) * mixer
    hashes ^= hashes >> _HALF
    return (hashes >> np.uint64(11)).astype(np.float64) / float(1 << 53)


def _hashes(groups: pl.Series) -> NDArray[np.uint64]:
    lengths = groups.str.len_bytes().to_numpy().astype(np.int64)
    data = np.frombuffer(groups.str.join("").item().encode() if len(groups) else b"", dtype=np.uint8)
    starts = np.cumsum(lengths) - lengths
    hashes = np.full(len(groups), _BASIS, dtype=np.uint64)
    open_ = np.flatnonzero(lengths > 0)
    for position in range(int(lengths.max(initial=0))):
        open_ = open_[lengths[open_] > position]
        hashes[open_] = (hashes[open_] ^ data[starts[open_] + position].astype(np.uint64)) * _PRIME
    return hashes
