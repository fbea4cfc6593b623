"""Scores summed up: how many examples of each type are in each tier, the mean points of each part, and how frequent each reason is."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from labelkit.core.golden.reasons import OF_MANY, Code
from labelkit.core.golden.scoring import Part
from labelkit.core.golden.tiers import Tier

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from labelkit.store.analysis import Store

_TIERS = f"""
    SELECT type, {", ".join(f"count(*) FILTER (WHERE tier = '{tier}') AS {tier}" for tier in Tier)}, count(*) AS examples
    FROM read_parquet($files) GROUP BY type ORDER BY type
"""
# Points are summed as whole hundredths, so that the order of rows changes nothing.
_MEANS = f"""
    SELECT type, {", ".join(f"sum(CAST(round({part} * 100) AS BIGINT)) / count(*) / 100 AS {part}" for part in (*Part, "total"))}
    FROM read_parquet($files) GROUP BY type ORDER BY type
"""
_REASONS = """
    SELECT code, count(DISTINCT example_id) AS examples FROM (
        SELECT example_id, regexp_extract(unnest(reasons), '^[A-Z_]+') AS code FROM read_parquet($files)
    ) GROUP BY code ORDER BY examples DESC, code
"""


def summary(db: Store, files: Sequence[Path]) -> tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame]:
    """Return three frames of scores in files: tiers, means and reasons.

    Columns: type, gold, silver, bronze, rejected, examples; type, the parts, total; code, examples, sentence.
    """
    if not files:
        counts = dict.fromkeys([*Tier, "examples"], pl.Int64())
        tiers = pl.DataFrame(schema={"type": pl.String(), **{str(name): kind for name, kind in counts.items()}})
        means = pl.DataFrame(schema={"type": pl.String(), **{str(name): pl.Float64() for name in (*Part, "total")}})
        return tiers, means, pl.DataFrame(schema={"code": pl.String(), "examples": pl.Int64(), "sentence": pl.String()})
    tiers, means, reasons = (db.analyse(sql, files=[str(file) for file in files]) for sql in (_TIERS, _MEANS, _REASONS))
    sentences = [OF_MANY[Code(code)] for code in reasons["code"]]
    return tiers, means, reasons.with_columns(pl.Series("sentence", sentences, dtype=pl.String()))
