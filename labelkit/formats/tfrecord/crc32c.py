"""CRC-32C of many stretches of a buffer at once, by numpy alone.

A CRC is linear: what a stretch leaves is the exclusive or of what its blocks leave, each pushed on by the zeros behind it. So all blocks of
all stretches are worked on side by side, sixteen words one after the other, and then joined in pairs.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

_POLYNOMIAL = 0x82F63B78  # Castagnoli, bits reversed
_BLOCK = 64  # bytes
_BLOCK_POWER = 6
_AT_ONCE = 1 << 14  # blocks whose words are in the cache together
_MASK_DELTA = 0xA282EAD8


def crc32c(data: NDArray[np.uint8], starts: NDArray[np.int64], lengths: NDArray[np.int64]) -> NDArray[np.uint32]:
    """Return the CRC-32C of each stretch of `data` (n of them, given by where it starts and its length in bytes)."""
    if not len(starts):
        return np.empty(0, np.uint32)
    blocks = -(-lengths // _BLOCK)
    ends = np.repeat(starts + lengths, blocks)
    firsts = np.cumsum(blocks) - blocks
    order = np.arange(len(ends)) - np.repeat(firsts, blocks)
    states = _blocks(data, ends - (np.repeat(blocks, blocks) - order) * _BLOCK, order == 0, np.repeat(-lengths % _BLOCK, blocks))
    return _joined(states, blocks) ^ _initial(lengths) ^ np.uint32(0xFFFFFFFF)


def masked(crcs: NDArray[np.uint32]) -> NDArray[np.uint32]:
    """Return checksums as TFRecord stores them: rotated and shifted by a constant, so that data that hold checksums have good ones."""
    return ((crcs >> np.uint32(15)) | (crcs << np.uint32(17))) + np.uint32(_MASK_DELTA)


def _blocks(data: NDArray[np.uint8], starts: NDArray[np.int64], first: NDArray[np.bool_], strange: NDArray[np.int64]) -> NDArray[np.uint32]:
    """Return what each block leaves behind; the `strange` bytes at the front of a first block belong to something else: zeros."""
    room = np.concatenate([np.zeros(_BLOCK, np.uint8), data])
    windows = np.ndarray((len(data) + 1,), dtype=f"V{_BLOCK}", buffer=room, strides=(1,))
    states = np.zeros(len(starts), np.uint32)
    kept = (np.arange(_BLOCK) >= np.arange(_BLOCK)[:, None]).astype(np.uint8) * np.uint8(0xFF)
    tables = _zeros(2)
    for begin in range(0, len(starts), _AT_ONCE):
        part = slice(begin, begin + _AT_ONCE)
        found = windows[starts[part] + _BLOCK].view(np.uint8).reshape(-1, _BLOCK)
        heads = np.flatnonzero(first[part])
        found[heads] &= kept[strange[part][heads]]
        words = np.ascontiguousarray(found.view("<u4").T).astype(np.uint32, copy=False)
        state = np.zeros(found.shape[0], np.uint32)
        for word in words:
            state ^= word
            state = _pushed(state, tables)
        states[part] = state
    return states


def _joined(states: NDArray[np.uint32], blocks: NDArray[np.int64]) -> NDArray[np.uint32]:
    """Return what each stretch leaves, from what its blocks leave: neighbours are joined until one is left of each."""
    power = _BLOCK_POWER
    while len(blocks) and blocks.max() > 1:
        pairs = (blocks + 1) >> 1
        left_out = np.repeat(np.cumsum(pairs * 2 - blocks), blocks)  # a block of zeros goes before an odd number of them
        room = np.zeros(int(pairs.sum()) * 2, np.uint32)
        room[np.arange(len(states)) + left_out] = states
        states = _pushed(room[::2], _zeros(power)) ^ room[1::2]
        blocks, power = pairs, power + 1
    whole = np.zeros(len(blocks), np.uint32)
    whole[blocks > 0] = states
    return whole


def _initial(lengths: NDArray[np.int64]) -> NDArray[np.uint32]:
    """Return what the state that a CRC begins with leaves behind that many bytes."""
    states = np.full(len(lengths), 0xFFFFFFFF, np.uint32)
    for power in range(int(lengths.max()).bit_length()):
        rows = np.flatnonzero((lengths >> power) & 1)
        states[rows] = _pushed(states[rows], _zeros(power))
    return states


@cache
def _zeros(power: int) -> tuple[NDArray[np.uint32], NDArray[np.uint32]]:
    """Return the tables that push a state over 2**power zero bytes, by its low and its high 16 bits."""
    halves = np.arange(1 << 16, dtype=np.uint32)
    if power == 0:
        table = np.arange(256, dtype=np.uint32)
        for _ in range(8):
            table = np.where(table & 1, (table >> 1) ^ np.uint32(_POLYNOMIAL), table >> 1).astype(np.uint32)
        return table[halves & 0xFF] ^ (halves >> 8), halves << np.uint32(8)
    half = _zeros(power - 1)
    return _pushed(half[0], half), _pushed(half[1], half)


def _pushed(states: NDArray[np.uint32], tables: tuple[NDArray[np.uint32], NDArray[np.uint32]]) -> NDArray[np.uint32]:
    """Return states pushed over zeros by the tables of `_zeros`."""
    low, high = ((states & 0xFFFF).astype(np.intp), (states >> 16).astype(np.intp))
    pushed = tables[0].take(low, mode="clip")  # nothing is clipped; without the check it takes half the time
    pushed ^= tables[1].take(high, mode="clip")
    return pushed
