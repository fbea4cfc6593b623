"""Imported label rows become the content of a scope: grouped by frame, named, and hashed, as one set in one engine."""

from __future__ import annotations

import tempfile
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from labelkit.core.hashing import canonical_json
from labelkit.store.content import ANNOTATION

if TYPE_CHECKING:
    from collections.abc import Iterable

    from labelkit.store.database import Database

# The canonical text of one annotation, equal to `canonical_json(annotation.canonical())`. The label comes as canonical JSON, because
# DuckDB writes control characters with other digits; attributes are canonical JSON already and hold none.
ITEM_SQL = """
    '[' || label_json || CASE WHEN width IS NULL
        THEN ',"point",' || CAST(round(x * 10000) AS BIGINT) || ',' || CAST(round(y * 10000) AS BIGINT) || ','
             || coalesce(CAST(CAST(round(size * 10000) AS BIGINT) AS VARCHAR), 'null')
        ELSE ',"box",' || CAST(round(x * 10000) AS BIGINT) || ',' || CAST(round(y * 10000) AS BIGINT) || ','
             || CAST(round(width * 10000) AS BIGINT) || ',' || CAST(round(height * 10000) AS BIGINT)
    END || CASE WHEN attributes IS NULL THEN '' ELSE ',' || CAST(to_json(attributes) AS VARCHAR) END || ']'
"""

_COLUMNS = ("frame_index", "label", "x", "y", "width", "height", "size", "score", "attributes", "id")
_ROWS = {name: ANNOTATION.get(name, pl.Int32()) for name in _COLUMNS}
_TEXTS = {"label": pl.String(), "label_json": pl.String()}

IMPORT_SQL = f"""
    WITH items AS (
        SELECT frame_index, ordinal, {ITEM_SQL} AS item, struct_pack(
            id := {{id}}, label := label,
            x := x, y := y, width := width, height := height, size := size,
            score := score, source := $source, attributes := attributes) AS annotation
        FROM (SELECT *, row_number() OVER (ORDER BY frame_index, filename, file_row_number) AS ordinal
              FROM read_parquet($rows, file_row_number = true, filename = true))
    ), labelled AS (
        SELECT frame_index, list(annotation ORDER BY ordinal) AS annotations,
            sha256('[[],[' || string_agg(item, ',' ORDER BY item) || ']]') AS digest
        FROM items GROUP BY frame_index
    )
    SELECT frame_index, CAST([] AS VARCHAR[]) AS flags, 'untouched' AS state,
        coalesce(digest, sha256('[[],[]]')) AS digest, coalesce(annotations, []) AS annotations
    FROM (SELECT CAST(unnest(generate_series(0, $frames - 1)) AS INTEGER) AS frame_index) LEFT JOIN labelled USING (frame_index)
    ORDER BY frame_index
"""

NEW_ID_SQL = "'ann_' || substr(sha256($seed || ':' || ordinal), 1, 20)"
KEPT_ID_SQL = f"""CASE WHEN regexp_full_match(id, '[A-Za-z0-9][A-Za-z0-9_.:-]{{0,127}}') AND count(*) OVER (PARTITION BY id) = 1
                THEN id ELSE {NEW_ID_SQL} END"""


def import_rows(db: Database, chunks: Iterable[pl.DataFrame], *, frame_count: int, seed: str, source: str) -> str:
    """Write imported annotation rows as a content object and return its digest; one chunk after another is in memory.

    Rows have frame_index, label, x, y, width, height, size, score, attributes and perhaps id, in file order. An id that is well-formed
    and that no other row has is kept; all others come from `seed` and order.
    """
    has_ids = False  # without any, nothing is asked about them
    with tempfile.TemporaryDirectory(prefix="labelkit-") as folder:
        parts: list[str] = []
        for chunk in chain([pl.DataFrame(schema=_ROWS)], chunks):
            part = Path(folder, f"{len(parts):09d}.parquet")
            if chunk.height or not parts:
                rows = chunk if "id" in chunk.columns else chunk.with_columns(id=pl.lit(None, pl.String))
                has_ids = has_ids or rows["id"].null_count() < rows.height
                _with_label_texts(rows.select([pl.col(name).cast(kind) for name, kind in _ROWS.items()])).write_parquet(part)
                parts.append(str(part))
        made = Path(folder, "content.parquet")
        query = IMPORT_SQL.replace("{id}", KEPT_ID_SQL if has_ids else NEW_ID_SQL)
        db.analyse_to(made, query, rows=parts, seed=seed, source=source, frames=frame_count)
        return db.objects.put_file(made)


def _with_label_texts(rows: pl.DataFrame) -> pl.DataFrame:
    labels = rows["label"].unique()
    texts = pl.DataFrame({"label": labels, "label_json": [canonical_json(label).decode() for label in labels]}, schema=_TEXTS)
    return rows.join(texts, on="label", how="left", maintain_order="left")
