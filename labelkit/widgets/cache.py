"""Values that are kept for a while, so that looking again is quick and what changed is still seen soon."""

from __future__ import annotations

import time
from collections import OrderedDict
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

K = TypeVar("K", bound="Hashable")
V = TypeVar("V")


class TimedCache(Generic[K, V]):
    """At most `size` values, each for `ttl_s` seconds after it was made; the one made first goes first."""

    def __init__(self, ttl_s: float, size: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._ttl_s = ttl_s
        self._size = size
        self._clock = clock
        self._kept: OrderedDict[K, tuple[float, V]] = OrderedDict()

    def get(self, key: K, make: Callable[[], V]) -> V:
        """Return the value kept under `key`, or make it. What `make` raises is not kept."""
        now = self._clock()
        kept = self._kept.get(key)
        if kept is not None and now - kept[0] < self._ttl_s:
            return kept[1]
        value = make()
        self._kept.pop(key, None)
        self._kept[key] = now, value
        while len(self._kept) > self._size:
            self._kept.popitem(last=False)
        return value

    def __contains__(self, key: K) -> bool:
        kept = self._kept.get(key)
        return kept is not None and self._clock() - kept[0] < self._ttl_s
