"""One part of many examples: its canonical JSON texts, and what is wrong with those that have none or that the schema refuses.

Most rows are settled as sets: a text whose typed value is proved, or a typed column, is spelled and held against the schema by
expressions. What these leave open, and what they refuse, is looked at one by one, so that every refusal has its path and its reason.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import polars as pl

from labelkit.core.golden.json_texts import canonical_text, parsed
from labelkit.core.golden.schemas import inlined
from labelkit.store.golden.checks import passes
from labelkit.store.golden.encode import ITEMS, UNDECIDED, Nulls, Style, encoded, made
from labelkit.store.golden.guess import proved
from labelkit.store.golden.schema import Judge

if TYPE_CHECKING:
    from labelkit.core.golden.types import Schema
    from labelkit.store.golden.encode import Path

REFUSED: dict[str, pl.DataType] = {"row": pl.Int64(), "part": pl.String(), "path": pl.String(), "reason": pl.String()}
FEW = 100  # texts that are sooner looked at one by one
_REPEATED = 2  # times that a text comes on average, from where on each is looked at once


@dataclass(frozen=True, slots=True)
class Part:
    """`texts` is canonical JSON, null where refused; `refused` has the columns of `REFUSED`, its rows by place in what was given."""

    texts: pl.Series
    refused: pl.DataFrame


def part_of(name: str, given: pl.Series, schema: Schema) -> Part:
    """Return JSON texts, or typed values, in their one spelling, held against the schema; a null among them is refused, but for labels."""
    texts = given if isinstance(given.dtype, pl.String) else _texts_of(given, inlined(schema))
    texts = texts.fill_null("{}") if name == "labels" else texts
    judge = Judge(schema)
    if len(texts) <= FEW:
        return one_by_one(name, texts, judge)
    once = texts.unique()
    if len(once) * _REPEATED > len(texts):
        return as_sets(name, texts, schema, judge)
    known = as_sets(name, once, schema, judge)
    back = pl.DataFrame({"text": texts}).join(
        pl.DataFrame({"text": once, "known": known.texts, "at": pl.int_range(len(once), eager=True, dtype=pl.Int64)}),
        on="text",
        how="left",
        maintain_order="left",
        nulls_equal=True,
    )
    rows = back.select("at").with_row_index("row").join(known.refused.rename({"row": "at"}), on="at", maintain_order="left")
    return Part(back["known"].rename(name), rows.select(pl.col(column).cast(kind) for column, kind in REFUSED.items()))


def as_sets(name: str, texts: pl.Series, schema: Schema, judge: Judge, few: int = FEW) -> Part:
    """Return the part with as much as possible settled by expressions; at most `few` texts that these leave open are not tried twice."""
    known = _settled(texts, inlined(schema))
    left = known.is_null().arg_true()
    if len(left) > few:  # other spaces, escapes or orders of keys: in the one spelling they may well be of one shape
        spelled = pl.Series(map(_spelled, texts.gather(left)), dtype=pl.String())
        known = known.scatter(left, _settled(spelled, inlined(schema)))
        left = known.is_null().arg_true()
    rest = one_by_one(name, texts.gather(left), judge)
    refused = rest.refused.with_columns(left.cast(pl.Int64).gather(rest.refused["row"]).alias("row"))
    return Part(known.scatter(left, rest.texts).rename(name) if len(left) else known.rename(name), refused)


def _settled(texts: pl.Series, schema: Any) -> pl.Series:  # noqa: ANN401  # a schema, true or false
    """Return the canonical texts of those that an expression reads, spells and finds as an inlined schema wants them; else null."""
    done = [pl.DataFrame(schema={"place": pl.Int64(), "known": pl.String()})]
    for found in proved(texts):
        kind = found.values.schema["value"]
        valid = passes(schema, pl.col("value"), kind, found.style.nulls)
        if valid is not None:
            text = encoded(pl.col("value"), kind, found.style.canonical)
            rows = found.values.select(found.places.alias("place"), text.alias("known"), valid.alias("valid"))
            done.append(rows.filter(pl.col("valid") & ~pl.col("known").str.contains(UNDECIDED, literal=True)).drop("valid"))
    places = pl.select(place=pl.int_range(len(texts), dtype=pl.Int64))
    return places.join(pl.concat(done), on="place", how="left", maintain_order="left")["known"]


def _spelled(text: str | None) -> str | None:
    try:
        return None if text is None else canonical_text(parsed(text))
    except ValueError:
        return None


def _texts_of(given: pl.Series, schema: Any) -> pl.Series:  # noqa: ANN401  # a schema, true or false
    """Return typed values as JSON texts, null for a null; a null field is written where the schema requires the field."""
    style = Style(Nulls(frozenset(_required(schema, given.dtype, ()))))
    texts = given.to_frame().select(encoded(pl.col(given.name), given.dtype, style)).to_series()
    odd = texts.str.contains(UNDECIDED, literal=True).fill_null(value=False).arg_true()
    if not len(odd):
        return texts
    return texts.scatter(odd, [json.dumps(_without_nulls(value, style.nulls, ())) for value in given.gather(odd)])


def _required(schema: Any, kind: pl.DataType, path: Path) -> list[Path]:  # noqa: ANN401
    """Return the paths of fields that an inlined schema requires."""
    if not isinstance(schema, dict):
        return []
    if isinstance(kind, (pl.List, pl.Array)):
        return _required(schema.get("items"), made(kind.inner), (*path, ITEMS))
    if not isinstance(kind, pl.Struct):
        return []
    own = [(*path, name) for name in schema.get("required", ())]
    properties = schema.get("properties", {})
    return own + [way for one in kind.fields for way in _required(properties.get(one.name), made(one.dtype), (*path, one.name))]


def _without_nulls(value: Any, nulls: Nulls, path: Path) -> Any:  # noqa: ANN401
    if isinstance(value, dict):
        kept = {name: item for name, item in value.items() if item is not None or nulls.there((*path, name))}
        return {name: _without_nulls(item, nulls, (*path, name)) for name, item in kept.items()}
    if isinstance(value, list):
        return [_without_nulls(item, nulls, (*path, ITEMS)) for item in value]
    return value


def one_by_one(name: str, texts: pl.Series, judge: Judge) -> Part:
    """Return the part with each text looked at by itself: the same, slower."""
    found: list[str | None] = []
    refused: list[tuple[int, str, str, str]] = []
    for row, text in enumerate(texts):
        canonical, path, reason = _one(judge, text)
        found.append(canonical)
        if canonical is None:
            refused.append((row, name, path, reason))
    return Part(pl.Series(name, found, dtype=pl.String()), pl.DataFrame(refused, schema=REFUSED, orient="row"))


def _one(judge: Judge, text: str | None) -> tuple[str | None, str, str]:
    if text is None:
        return None, "", "it is missing"
    try:
        value = parsed(text)
        canonical = canonical_text(value)
    except ValueError as error:
        return None, "", str(error)
    wrong = judge.wrong(value)
    return (canonical, "", "") if wrong is None else (None, *wrong)
