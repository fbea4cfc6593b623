"""Canonical JSON (RFC 8785) and digests: equal values have equal bytes, and a digest carries its algorithm."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

import rfc8785

from labelkit.errors import InvalidValue

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_FLAT = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), check_circular=False).encode
_EXACT = 2**53  # RFC 8785 has no integers at or beyond it


@dataclass(frozen=True, slots=True)
class Digest:
    """A hash value with its algorithm; prints as `sha256:ab12…`."""

    algorithm: str
    value: str

    def __str__(self) -> str:
        return f"{self.algorithm}:{self.value}"

    @property
    def short(self) -> str:
        """Return the first twelve hex digits, for people."""
        return self.value[:12]


def canonical_json(value: object) -> bytes:
    """Return the RFC 8785 bytes of a JSON value. Raises `INVALID_VALUE` for NaN, infinities and integers beyond 2**53."""
    try:
        return rfc8785.dumps(value)  # type: ignore[arg-type]
    except rfc8785.CanonicalizationError as error:
        raise InvalidValue(what="A value to be hashed", reason=str(error), fix="Use JSON values with finite numbers only.") from error


def canonical_flat(values: Sequence[str | int | None]) -> str:
    """Return the text of `canonical_json(values)`: where nothing is a float or nested, the plain encoder writes the same, much faster."""
    text = _FLAT(values)
    if text.isascii() and all(type(value) is not int or -_EXACT < value < _EXACT for value in values):
        return text
    return canonical_json(list(values)).decode()


def sha256_hex(data: bytes) -> str:
    """Return the sha256 of bytes as 64 lowercase hex digits."""
    return hashlib.sha256(data).hexdigest()


def digest_of(value: object) -> Digest:
    """Return the sha256 of the canonical JSON of `value`."""
    return Digest("sha256", sha256_hex(canonical_json(value)))


def digest_of_lines(lines: Iterable[str]) -> Digest:
    """Return the sha256 of text lines, each ended by a newline: the form for long lists that are hashed in sets."""
    state = hashlib.sha256()
    for line in lines:
        state.update(line.encode())
        state.update(b"\n")
    return Digest("sha256", state.hexdigest())
