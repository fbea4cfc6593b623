"""Values on their way to and from the driver: times, enum members, and frames through the Arrow stream."""

from __future__ import annotations

from datetime import UTC, datetime
from enum import Enum
from typing import TYPE_CHECKING

from labelkit.errors import InvalidValue

if TYPE_CHECKING:
    from collections.abc import Mapping


class ArrowStream:
    """What polars reads a query's result from: the stream alone, once.

    Polars remembers for ever the class of whatever it was given, and through its module all that the module knows. Given DuckDB's own
    class, DuckDB 2.0 would complain about leaked instances at the end of every process. So this module must not import duckdb.
    """

    def __init__(self, capsule: object) -> None:
        self._capsule = capsule

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        """Return the stream (Arrow PyCapsule interface)."""
        return self._capsule


def bound(params: Mapping[str, object]) -> dict[str, object]:
    """Return parameters as the driver takes them."""
    return {name: plain(value) for name, value in params.items()}


def plain(value: object) -> object:
    """Return a value as the driver takes it: UTC without a zone for times, the value of an enum member, a list for a collection.

    Raises `INVALID_VALUE` for a value of ours that was given in place of its id.
    """
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, datetime):
        return utc(value).replace(tzinfo=None)
    if isinstance(value, (tuple, list, set, frozenset)):
        return [plain(item) for item in value]
    if isinstance(getattr(value, "id", None), str):
        raise InvalidValue(what=type(value).__name__, reason="an id is wanted here, not the value that has it", fix="Pass its .id.")
    return value


def utc(time: datetime) -> datetime:
    """Return a time in UTC. Raises ValueError for a time without a zone: nobody knows which hour it means."""
    if time.tzinfo is None:
        raise ValueError(f"a time without a zone: {time!r}")
    return time.astimezone(UTC)


def aware(value: datetime | None) -> datetime | None:
    """Return a time of the store with its zone, which is always UTC."""
    return None if value is None else value.replace(tzinfo=UTC)
