"""Reading beside working: the next part of a source is read while the last one is worked on."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

T = TypeVar("T")


def ahead(parts: Iterator[T]) -> Generator[T, None, None]:
    """Yield the parts, each made in another thread while the one before is in use; at most one waits. What making raises is raised here."""
    end = object()
    with ThreadPoolExecutor(1, thread_name_prefix="labelkit-read") as reading:
        following = reading.submit(next, parts, end)
        while (part := following.result()) is not end:
            following = reading.submit(next, parts, end)
            yield part  # type: ignore[misc]  # the end is told apart above
