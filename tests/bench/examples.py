"""Golden examples made from a seed, and edits of them: 1,000 rows side by side, and 1,000 rows spread over all."""

from __future__ import annotations

import numpy as np
import polars as pl

SEED = 20_260_301
CHANGED = 1_000
KEY = "example_id"

_WORDS = {
    "type": ["contact_tier"],
    "industry": ["software", "retail", "health", "energy", "finance", "media"],
    "title": ["CEO", "CTO", "VP Sales", "Engineer", "Analyst", "Director", "Manager"],
    "expected": ["A", "B", "C", "D"],
}


def examples(count: int) -> pl.DataFrame:
    """Return that many examples in key order: ten columns of text, numbers and flags, about 12 MB a million as Parquet."""
    random = np.random.default_rng(SEED)
    words = {name: pl.Series(np.array(choices)[random.integers(0, len(choices), count)]) for name, choices in _WORDS.items()}
    return pl.DataFrame(
        {
            "number": pl.int_range(count, eager=True),
            "decision": random.integers(0, 10_000_000, count),
            **words,
            "employees": random.integers(1, 5_000, count),
            "confidence": random.integers(0, 1_000, count) / 1_000,
            "edge_case": random.random(count) < 0.05,
            "score": random.integers(0, 10_000, count) / 100,
        }
    ).select(
        pl.format("ex-{}", pl.col("number").cast(pl.String).str.zfill(9)).alias(KEY),
        pl.exclude("number", "decision"),
        pl.format("dec-{}", "decision").alias("source_decision_id"),
    )


def clustered(rows: pl.DataFrame, score: float) -> pl.DataFrame:
    """Return 1,000 neighbours from the middle with another score."""
    return rows.slice(rows.height // 2, CHANGED).with_columns(score=pl.lit(score))


def spread(rows: pl.DataFrame, score: float) -> pl.DataFrame:
    """Return 1,000 rows evenly from everywhere with another score."""
    return rows.gather_every(max(rows.height // CHANGED, 1)).head(CHANGED).with_columns(score=pl.lit(score))


def edited(rows: pl.DataFrame, changes: pl.DataFrame) -> pl.DataFrame:
    """Return all rows with the changed ones in their places."""
    return rows.update(changes.select(KEY, "score"), on=KEY)
