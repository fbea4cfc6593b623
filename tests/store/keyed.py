"""Keys that start chunks and keys that do not, so that a handful of rows makes many chunks; rows to put under them."""

from __future__ import annotations

import polars as pl
from hypothesis import strategies as st

from labelkit.core.versions import starts_chunk

# Found by looking: of the texts k000000 to k120000 these start a chunk.
STARTS = tuple(key for key in (f"k{n:06d}" for n in range(120_000)) if starts_chunk(key))
PLAIN = tuple(f"k{n:06d}" for n in range(1_500, 120_000, 6_000))
KEYS = tuple(sorted({*STARTS, *PLAIN}))
SCHEMA = {"key": pl.String(), "label": pl.String(), "score": pl.Float64()}

VALUES = st.tuples(st.sampled_from(["cat", "dog", None]), st.sampled_from([0.0, -0.0, 0.5, float("nan"), None]))
TABLES = st.dictionaries(st.sampled_from(KEYS), VALUES, max_size=len(KEYS))


def frame(table: dict[str, tuple[str | None, float | None]]) -> pl.DataFrame:
    """Return the rows of a table by key, in the order of the table."""
    rows = [{"key": key, "label": label, "score": score} for key, (label, score) in table.items()]
    return pl.DataFrame(rows, schema=SCHEMA)
