"""Rows that are to become examples: each in its one spelling, held against its type, known by its content, or refused with a reason."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING

import polars as pl

from labelkit.core.golden.examples import ID_DIGITS, ID_PREFIX
from labelkit.core.golden.json_texts import canonical_text
from labelkit.core.golden.types import PARTS
from labelkit.store.golden.examples import BATCH
from labelkit.store.golden.parts import REFUSED, part_of

if TYPE_CHECKING:
    from labelkit.core.golden.types import ExampleType


@dataclass(frozen=True, slots=True)
class Intake:
    """Rows on their way in, by their place `row` in what was given.

    `batch` is ready for `GoldenRows.add`: each content once. `repeats` are rows whose content stands in the batch already: row,
    example_id, labels (given), first_labels. `refused` says what is wrong with each other row: row, part, path, reason.
    """

    batch: pl.DataFrame
    repeats: pl.DataFrame
    refused: pl.DataFrame


def intake(kind: ExampleType, given: pl.DataFrame, refused: pl.DataFrame | None = None) -> Intake:
    """Return rows as examples of a type. `given` has input, expected_output and labels as JSON texts, source_decision_id, and row.

    `row` counts from 0; `refused` are rows that fell out before, with the columns of `REFUSED`.
    """
    parts = [part_of(name, given[name], kind.schema(name)) for name in PARTS]
    places = given["row"]
    bad = [part.refused.with_columns(places.gather(part.refused["row"]).alias("row")) for part in parts]
    rows = given.with_columns(part.texts for part in parts).filter(pl.all_horizontal(pl.col(PARTS).is_not_null()))
    digests = _digests(kind.name, rows)
    known = rows.with_columns(digests, (ID_PREFIX + digests.str.head(ID_DIGITS)).alias("example_id")).select(*BATCH)
    first = known["example_id"].is_first_distinct()
    batch = known.filter(first)
    repeats = (
        known.filter(~first)
        .join(batch.select("example_id", first_labels="labels"), on="example_id", how="left", maintain_order="left")
        .select("row", "example_id", "labels", "first_labels")
    )
    fallen = [pl.DataFrame(schema=REFUSED) if refused is None else refused]
    return Intake(batch, repeats, pl.concat([*fallen, *bad]).sort("row", maintain_order=True))


def _digests(type: str, rows: pl.DataFrame) -> pl.Series:
    """Return what `core.golden.examples.content_digest` gives for each row."""
    name = canonical_text(type)
    texts = rows.select(
        pl.concat_str(
            pl.lit('{"expected_output":'), pl.col("expected_output"), pl.lit(',"input":'), pl.col("input"), pl.lit(f',"type":{name}}}')
        )
    ).to_series()
    return pl.Series("content_digest", [sha256(text.encode()).hexdigest() for text in texts], dtype=pl.String())
