"""JSON in its one spelling, one value after the other: what counts as JSON, and the RFC 8785 text of it, or why there is none."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from typing import Any

import rfc8785
from pydantic import BaseModel

EXACT = 2**53  # whole numbers from here on are JSON only where a double holds them exactly
DEPTH = 100  # lists and objects inside each other

_ODD_NUMBER = re.compile(r"(?:^|[\[:,])-?(?:\d+(?:\.\d+)?e|\d{16}\.0)")  # Python spells these otherwise than ECMAScript
_BEYOND_UTF16_ORDER = "\ue000"  # from here on code points and UTF-16 units sort keys in another order


def parsed(text: str) -> object:
    """Return the value of a JSON text whose numbers are doubles. Raises ValueError with a reason that reads as a sentence part."""
    depth = _depth(text)
    if depth > DEPTH:
        raise ValueError(f"lists and objects stand in each other more than {DEPTH} deep")
    try:
        return json.loads(text, object_pairs_hook=_object, parse_constant=_constant, parse_float=_number, parse_int=_whole)
    except json.JSONDecodeError as error:
        raise ValueError(f"it is no JSON: {error.msg} at character {error.pos}") from error


def canonical_text(value: object) -> str:
    """Return the RFC 8785 text of a JSON value. Raises ValueError for what JSON cannot say, with the reason."""
    try:
        plain = _plain(value, 0)
        text = json.dumps(plain, sort_keys=True, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
        text.encode()
    except UnicodeEncodeError as error:
        raise ValueError("it holds half a character (a lone surrogate)") from error
    if _ODD_NUMBER.search(text) or (not text.isascii() and max(text) >= _BEYOND_UTF16_ORDER):
        return rfc8785.dumps(plain).decode()  # type: ignore[arg-type]
    return text


def _depth(text: str) -> int:
    """Return how deep lists and objects can stand in each other at most; exact only where it matters."""
    most = text.count("[") + text.count("{")
    if most <= DEPTH:
        return most
    depth = deepest = 0
    for sign in re.findall(r'"(?:[^"\\]|\\.)*"|[\[\]{}]', text, re.DOTALL):
        if sign in "[{":
            depth += 1
            deepest = max(deepest, depth)
        elif sign in "]}":
            depth -= 1
    return deepest


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        keys = [key for key, _ in pairs]
        twice = next(key for key in keys if keys.count(key) > 1)
        raise ValueError(f"the key {twice!r} comes twice in one object")
    return found


def _constant(name: str) -> object:
    raise ValueError(f"{name} is no JSON number")


def _number(text: str) -> float | int:
    value = float(text)
    if math.isinf(value):
        raise ValueError(f"{text[:40]} is beyond what a JSON number can be")
    return _whole_or_float(value)


def _whole(text: str) -> float | int:
    if len(text) > 400:
        raise ValueError(f"a whole number of {len(text)} digits is beyond what a JSON number can be")
    return _exact(int(text))


def _whole_or_float(value: float) -> float | int:
    return int(value) if value.is_integer() and abs(value) < EXACT else value


def _exact(value: int) -> int | float:
    if -EXACT < value < EXACT:
        return value
    try:
        double = float(value)
    except OverflowError:
        double = math.inf
    if math.isinf(double) or (int(double) != value and rfc8785.dumps(double) != str(value).encode()):  # the second is how it is spelled
        raise ValueError(f"the whole number {str(value)[:40]} is beyond what a JSON number holds exactly; write it as text")
    return double


def _plain(value: object, depth: int) -> object:  # noqa: PLR0911  # one for each kind
    """Return a value of plain dicts, lists, text, numbers, booleans and None; whole doubles as integers."""
    if depth > DEPTH:
        raise ValueError(f"lists and objects stand in each other more than {DEPTH} deep")
    match value:
        case None | bool():
            return value
        case str():
            return str.__str__(value)
        case int():
            return _exact(int(value))
        case float():
            return _whole_or_float(_finite(value))
        case list() | tuple():
            return [_plain(item, depth + 1) for item in value]
        case Mapping():
            return {_key(key): _plain(item, depth + 1) for key, item in value.items()}
        case BaseModel():
            return _plain(value.model_dump(mode="json"), depth)
    raise ValueError(f"{type(value).__name__} is no JSON value")


def _finite(value: float) -> float:
    if not math.isfinite(value):
        raise ValueError(f"{value} is no JSON number")
    return float(value)


def _key(key: object) -> str:
    if not isinstance(key, str):
        raise ValueError(f"the key {key!r} is {type(key).__name__}, keys are text")  # noqa: TRY004  # a reason, as for every other value
    return str.__str__(key)
