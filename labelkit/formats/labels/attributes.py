"""What a format holds beside class, box and score, kept as canonical JSON text (RFC 8785), quickly."""

from __future__ import annotations

import json
import re
from typing import Any

from labelkit.core.hashing import canonical_json
from labelkit.errors import InvalidValue

_EXPONENT = re.compile(r"\d[eE][+-]")
_LONG_INTEGER = re.compile(r"(?<![\d.])\d{16,}(?![\d.])")


def canonical_text(value: dict[str, Any]) -> str | None:
    """Return the RFC 8785 text of JSON values, equal to `core.hashing.canonical_json`; None where that cannot be, as for NaN.

    >>> canonical_text({"b": [1.0, 2.5], "a": "é"})
    '{"a":"é","b":[1,2.5]}'
    """
    try:
        quick = json.dumps(_whole(value), sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
        # exponents, integers beyond 2**53 and the order of letters beyond ASCII are where the two may differ
        if quick.isascii() and not _EXPONENT.search(quick) and not _LONG_INTEGER.search(quick):
            return quick
        return canonical_json(value).decode()
    except (InvalidValue, ValueError, TypeError, RecursionError):
        return None


def exact_text(text: str | None) -> str | None:
    """Return attributes that stand in a file as JSON as canonical text; None for what is no JSON object, and for an empty one.

    >>> exact_text('{"b": 1, "a": 2.0}')
    '{"a":2,"b":1}'
    """
    try:
        value = json.loads(text or "")
    except (ValueError, RecursionError):
        return None
    return canonical_text(value) if isinstance(value, dict) and value else None


def _whole(value: Any) -> Any:  # noqa: ANN401 (JSON)
    """Return the value with floats that are whole numbers as integers, the form in which RFC 8785 writes them."""
    if isinstance(value, float):
        return int(value) if value.is_integer() else value
    if isinstance(value, list):
        return [_whole(item) for item in value]
    if isinstance(value, dict):
        return {key: _whole(item) for key, item in value.items()}
    return value
