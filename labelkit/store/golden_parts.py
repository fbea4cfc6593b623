"""One part of many examples: its canonical JSON texts, and what is wrong with those that have none or that the schema refuses."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

from labelkit.core.golden.json_texts import canonical_text, parsed
from labelkit.store.golden_schema import Judge

if TYPE_CHECKING:
    from labelkit.core.golden.types import Schema

REFUSED: dict[str, pl.DataType] = {"row": pl.Int64(), "part": pl.String(), "path": pl.String(), "reason": pl.String()}


@dataclass(frozen=True, slots=True)
class Part:
    """`texts` is canonical JSON, null where refused; `refused` has the columns of `REFUSED`, its rows by place in what was given."""

    texts: pl.Series
    refused: pl.DataFrame


def part_of(name: str, given: pl.Series, schema: Schema) -> Part:
    """Return JSON texts in their one spelling, held against the schema; a null among them is refused."""
    judge = Judge(schema)
    texts: list[str | None] = []
    refused: list[tuple[int, str, str, str]] = []
    for row, text in enumerate(given):
        found, path, reason = _one(judge, text)
        texts.append(found)
        if found is None:
            refused.append((row, name, path, reason))
    return Part(pl.Series(name, texts, dtype=pl.String()), pl.DataFrame(refused, schema=REFUSED, orient="row"))


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
