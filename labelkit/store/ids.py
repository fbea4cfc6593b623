"""Ids made by the client: a word that says what it is of, then 26 letters and digits in order of time."""

from __future__ import annotations

import re
import secrets
import threading
import time

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"  # Crockford's base 32: nothing that reads like another sign
_PREFIX = re.compile(r"[a-z][a-z0-9]*")
_RANDOM_BITS = 80


class _Clockwork:
    """Hands out 128-bit numbers that grow within a process: 48 bits of milliseconds, then 80 random bits."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._last = 0

    def next(self) -> int:
        fresh = (time.time_ns() // 1_000_000 << _RANDOM_BITS) | secrets.randbits(_RANDOM_BITS)
        with self._guard:
            # Two ids of one millisecond, or a clock set back: step on from the last one, by a random stride.
            self._last = fresh if fresh > self._last else self._last + 1 + secrets.randbits(32)
            return self._last


_clockwork = _Clockwork()


def new_id(prefix: str) -> str:
    """Return a new id such as `drf_01j5…`: `prefix`, an underscore, 26 lowercase signs; later ids of a process sort after earlier ones.

    >>> new_id("drf")[:4], len(new_id("drf")), new_id("drf") < new_id("drf")
    ('drf_', 30, True)
    """
    if not _PREFIX.fullmatch(prefix):
        raise ValueError(f"an id's prefix is lowercase letters and digits, without underscore: {prefix!r}")
    number = _clockwork.next()
    return prefix + "_" + "".join(_ALPHABET[(number >> shift) & 31] for shift in range(125, -1, -5))
