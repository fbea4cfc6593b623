"""CRC-32C by columns: the known answers, and a plain loop over bytes as the peer."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from labelkit.formats.tfrecord.crc32c import crc32c, masked

KNOWN = {
    "nothing": (b"", 0x00000000),
    "the usual check": (b"123456789", 0xE3069283),
    "32 zeros": (bytes(32), 0x8A9136AA),
    "32 bytes of ones": (b"\xff" * 32, 0x62A8AB43),
    "a run upwards": (bytes(range(32)), 0x46DD794E),
}


def one_by_one(data: bytes) -> int:
    state = 0xFFFFFFFF
    for byte in data:
        state ^= byte
        for _ in range(8):
            state = state >> 1 ^ (0x82F63B78 if state & 1 else 0)
    return state ^ 0xFFFFFFFF


@pytest.mark.parametrize(("data", "expected"), KNOWN.values(), ids=KNOWN)
def test_known_answers_are_given(data, expected):
    found = crc32c(np.frombuffer(data, np.uint8), np.asarray([0]), np.asarray([len(data)]))

    assert found.tolist() == [expected]


@given(st.binary(max_size=400), st.lists(st.tuples(st.integers(0, 400), st.integers(0, 400)), max_size=6))
def test_any_stretches_of_a_buffer_have_the_sum_that_a_plain_loop_finds(data, wanted):
    stretches = [(begin, min(length, len(data) - begin)) for begin, length in wanted if begin <= len(data)]
    starts, lengths = (np.asarray([one[place] for one in stretches], dtype=np.int64) for place in (0, 1))

    found = crc32c(np.frombuffer(data, np.uint8), starts, lengths)

    assert found.tolist() == [one_by_one(data[begin : begin + length]) for begin, length in stretches]


def test_a_stretch_of_many_blocks_beside_short_ones_has_its_sum():
    data = bytes(range(251)) * 120
    lengths = [30_001, 0, 64, 65]

    found = crc32c(np.frombuffer(data, np.uint8), np.asarray([7, 0, 1, 2]), np.asarray(lengths))

    assert found.tolist() == [one_by_one(data[begin : begin + length]) for begin, length in zip([7, 0, 1, 2], lengths, strict=True)]


def test_a_masked_sum_is_turned_by_fifteen_bits_and_moved_by_the_constant_of_the_format():
    assert masked(np.asarray([0, 0xE3069283], np.uint32)).tolist() == [0xA282EAD8, 0xC78AB0E5]
