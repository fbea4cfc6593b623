"""Addresses of pictures that a browser can fetch by itself: signed by the file system that holds them, and good for a while only."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

TTL = timedelta(minutes=15)
RENEWED_BEFORE = timedelta(minutes=2)  # an address that is good for less is made anew


@dataclass(frozen=True, slots=True)
class AssetUrl:
    """An address and when it stops to work."""

    url: str
    expires_at: datetime

    def is_fresh(self, now: datetime) -> bool:
        """Say whether it is good for a while longer."""
        return self.expires_at - now > RENEWED_BEFORE


def signed(url: str, now: datetime) -> AssetUrl | None:
    """Return an address for a file at an fsspec URL; None where its file system has none to give, as a local disk."""
    if "://" not in url:
        return None
    import fsspec

    fs, path = fsspec.core.url_to_fs(url)
    try:
        made = fs.sign(path, expiration=int(TTL.total_seconds()))
    except RuntimeError:  # what a file system says that has no addresses to give
        return None
    return AssetUrl(str(made), now + TTL)


class AssetUrls:
    """Addresses by file, each made when it is first asked for and anew before it expires. At most `size` are kept."""

    def __init__(self, clock: Callable[[], datetime], size: int = 1_000) -> None:
        self._clock = clock
        self._size = size
        self._kept: dict[str, AssetUrl] = {}

    def get(self, url: str) -> AssetUrl | None:
        """Return an address of the file that is good for a while; None where there is none to give."""
        now = self._clock()
        kept = self._kept.get(url)
        if kept is not None and kept.is_fresh(now):
            return kept
        made = signed(url, now)
        self._kept.pop(url, None)
        if made is not None:
            self._kept[url] = made
            while len(self._kept) > self._size:
                del self._kept[next(iter(self._kept))]
        return made

    def forget(self, url: str) -> None:
        """Make the address anew when it is next asked for, as after it was refused."""
        self._kept.pop(url, None)
