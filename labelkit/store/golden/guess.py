"""What type JSON texts have, guessed from a few and then proved: each text must be, byte by byte, what its typed value is written as."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from itertools import product
from typing import TYPE_CHECKING, Any

import polars as pl

from labelkit.core.golden.json_texts import DEPTH
from labelkit.store.golden.encode import ABSENT, EXPLICIT, Style, encoded

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

SAMPLE = 1000  # texts that the guess rests on
BATCH = 1 << 16  # texts that are read together
SMALLEST = 1 << 9  # texts that are given up together when one of them cannot be read as the type


@dataclass(frozen=True, slots=True)
class Proved:
    """Texts whose typed values are known: their places, the values as the column `value`, and how these texts are written."""

    places: pl.Series
    values: pl.DataFrame
    style: Style


def proved(texts: pl.Series) -> Iterator[Proved]:
    """Yield the texts that are what the guess makes of them; the others, of another form or no JSON at all, are left out."""
    places = pl.int_range(len(texts), eager=True, dtype=pl.Int64)
    openers = texts.str.count_matches("{", literal=True) + texts.str.count_matches("[", literal=True)
    able = (texts.str.len_bytes() > 0) & (openers <= DEPTH)
    places, texts = places.filter(able), texts.filter(able)
    sample = texts.sample(min(SAMPLE, len(texts)), seed=0)  # texts at equal distances may all be of one kind
    kind = _type(sample)
    if kind is None:
        return
    slashes = bool(texts.str.contains("\\", literal=True).any())  # without one, nothing in any text is escaped
    styles = [replace(style, escapes=slashes) for style in _styles(sample, kind)]
    for start in range(0, len(texts), BATCH):
        yield from _of_batch(places.slice(start, BATCH), texts.slice(start, BATCH), kind, styles)


def _of_batch(places: pl.Series, texts: pl.Series, kind: pl.DataType, styles: list[Style]) -> Iterator[Proved]:
    values = _decoded(texts, kind)
    if values is None:
        if len(texts) > SMALLEST:
            step = max(SMALLEST, len(texts) // 8)
            for start in range(0, len(texts), step):
                yield from _of_batch(places.slice(start, step), texts.slice(start, step), kind, styles)
        return
    left = pl.DataFrame({"place": places, "text": texts, "value": values})
    for style in styles:
        if left.is_empty():
            return
        same = left.select((encoded(pl.col("value"), kind, style) == pl.col("text")).fill_null(value=False)).to_series()
        if same.any():
            found = left.filter(same)
            yield Proved(found["place"], found.select("value"), style)
            left = left.filter(~same)


def _decoded(texts: pl.Series, kind: pl.DataType) -> pl.Series | None:
    try:
        values = texts.str.json_decode(kind)
    except pl.exceptions.PolarsError:
        return None
    return values if len(values) == len(texts) else None


def _styles(sample: pl.Series, kind: pl.DataType) -> list[Style]:
    """Return the ways in which the sample is written, the most frequent first."""
    values = _decoded(sample, kind)
    if values is None:
        good = [one for one in sample if _decoded(pl.Series([one]), kind) is not None]
        sample = pl.Series("text", good, dtype=pl.String())
        values = _decoded(sample, kind)
    rows = pl.DataFrame({"text": sample, "value": values})
    every = [
        Style(nulls, order=True, spaces=spaces, whole=whole)
        for nulls, spaces, whole in product((ABSENT, EXPLICIT), (False, True), (False, True))
    ]
    counts = rows.select((encoded(pl.col("value"), kind, style) == pl.col("text")).sum().alias(str(n)) for n, style in enumerate(every))
    ranked = sorted(enumerate(counts.row(0) if rows.height else ()), key=lambda item: (-(item[1] or 0), item[0]))
    return [every[n] for n, count in ranked if count]


# --- the guess


def _type(sample: pl.Series) -> pl.DataType | None:
    found: Any = None
    for text in sample:
        try:
            found = _merged(found, _kind(json.loads(text)))
        except (ValueError, RecursionError, _Mixed):
            continue
    return _as_type(found)


class _Mixed(Exception):  # noqa: N818  # goes no further than this module
    """Two values have no type in common."""


def _kind(value: Any) -> Any:  # noqa: ANN401
    """Return None for null, a dict of kinds for an object, a list of one kind for an array, else the type."""
    match value:
        case dict():
            return {key: _kind(item) for key, item in value.items()}
        case list():
            inner: Any = None
            for item in value:
                inner = _merged(inner, _kind(item))
            return [inner]
        case None:
            return None
    return type(value)


def _merged(one: Any, other: Any) -> Any:  # noqa: ANN401
    if one is None or other is None:
        return other if one is None else one
    if isinstance(one, dict) and isinstance(other, dict):
        return {key: _merged(one.get(key), other.get(key)) for key in _keys(list(one), other)}
    if isinstance(one, list) and isinstance(other, list):
        return [_merged(one[0], other[0])]
    if one == other:
        return one
    if {one, other} == {int, float} if isinstance(one, type) and isinstance(other, type) else False:
        return float
    raise _Mixed


def _keys(known: list[str], more: Mapping[str, Any]) -> list[str]:
    """Return keys in an order that suits objects with these keys and with more: a new key comes right behind the one before it."""
    place = 0
    for key in more:
        if key not in known:
            known.insert(place, key)
        place = known.index(key) + 1
    return known


_TYPES: dict[type, pl.DataType] = {str: pl.String(), bool: pl.Boolean(), int: pl.Int64(), float: pl.Float64()}


def _as_type(kind: Any) -> pl.DataType | None:  # noqa: ANN401
    """Return the type, None for an object that never has a field; what was null only is text, so that its nulls can be written."""
    if isinstance(kind, dict):
        fields = {name: _as_type(inner) for name, inner in kind.items()}
        if not fields or any(one is None for one in fields.values()):
            return None
        return pl.Struct({name: one for name, one in fields.items() if one is not None})
    if isinstance(kind, list):
        inner = _as_type(kind[0])
        return None if inner is None else pl.List(inner)
    return pl.String() if kind is None else _TYPES[kind]
