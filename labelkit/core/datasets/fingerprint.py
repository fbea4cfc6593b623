"""Fingerprints: the values that decide something, hashed; two that differ can say where."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

from labelkit.core.hashing import digest_of

SHOWN = 3


@dataclass(frozen=True)
class Fingerprint:
    """JSON values by field name; equal values have equal fingerprints on every machine."""

    parts: Mapping[str, object]

    @cached_property
    def value(self) -> str:
        """Return the sha256 of the canonical JSON of the parts, as 64 hex digits."""
        return digest_of(self.parts).value

    def extended(self, **more: object) -> Fingerprint:
        """Return the fingerprint of these parts and more."""
        return Fingerprint({**self.parts, **more})

    def __str__(self) -> str:
        return self.value


@dataclass(frozen=True, slots=True)
class Difference:
    """One field that two fingerprints do not share; None where one of them lacks it."""

    field: str
    left: object
    right: object

    def sides(self) -> tuple[str, str]:
        """Return both sides as short texts."""
        return _shown(self.left), _shown(self.right)

    def __str__(self) -> str:
        return f"{self.field}: {' -> '.join(self.sides())}"


def explain(left: Fingerprint, right: Fingerprint) -> list[Difference]:
    """Return the fields that differ, by name; of lists only the items that the other side lacks.

    >>> explain(Fingerprint({"seed": 1, "packs": ["a", "b"]}), Fingerprint({"seed": 2, "packs": ["b"]}))
    [Difference(field='packs', left=['a'], right=[]), Difference(field='seed', left=1, right=2)]
    """
    return list(_differences("", left.parts, right.parts))


def _differences(name: str, left: object, right: object) -> Iterator[Difference]:
    if left == right:
        return
    if isinstance(left, Mapping) and isinstance(right, Mapping):
        for key in sorted(left.keys() | right.keys()):
            yield from _differences(f"{name}.{key}" if name else str(key), left.get(key), right.get(key))
    elif isinstance(left, list) and isinstance(right, list):
        mine, theirs = {str(item) for item in left}, {str(item) for item in right}
        yield Difference(name, [one for one in left if str(one) not in theirs], [one for one in right if str(one) not in mine])
    else:
        yield Difference(name, left, right)


def _shown(value: object) -> str:
    if isinstance(value, list):
        more = f" and {len(value) - SHOWN} more" if len(value) > SHOWN else ""
        return ", ".join(str(item) for item in value[:SHOWN]) + more or "nothing"
    return repr(value)
