"""Risk a frame, in one query over a draft's content: what `core.review.risk` weighs."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from labelkit.core.review.risk import CROWD, NEIGHBOURS, WEIGHTS, Signal

if TYPE_CHECKING:
    import polars as pl

    from labelkit.core.review.annotations import Capability
    from labelkit.store.analysis import Store
    from labelkit.store.media import Frames
    from labelkit.store.review.content import Content

_SQL = f"""
    WITH content AS (
        SELECT frame_index, digest, state, flags, annotations, len(annotations) AS n,
            list_sum(list_transform(annotations, lambda a: CASE WHEN a.source = 'model' THEN 1 - a.score END)) AS doubt,
            CASE WHEN len(annotations) = 1 AND annotations[1].width IS NULL THEN annotations[1].x END AS x,
            CASE WHEN len(annotations) = 1 AND annotations[1].width IS NULL THEN annotations[1].y END AS y
        FROM read_parquet($content)
    ), boxes AS MATERIALIZED (
        SELECT frame_index, frame_index::BIGINT * {CROWD + 1} + position AS box, a.label, a.width AS w, a.height AS h,
            a.x + a.width / 2 AS cx, a.y + a.height / 2 AS cy
        FROM (
            SELECT frame_index, unnest(annotations) AS a, generate_subscripts(annotations, 1) AS position FROM read_parquet($content)
            WHERE len(annotations) <= {CROWD}
        ) WHERE a.width IS NOT NULL
    ), pairs AS MATERIALIZED (
        SELECT b.box AS earlier, l.box AS later FROM boxes b JOIN boxes l ON l.frame_index = b.frame_index + 1 AND l.label = b.label
            AND abs(l.cx - b.cx) <= greatest(l.w, b.w) AND abs(l.cy - b.cy) <= greatest(l.h, b.h)
    ), alone AS (
        SELECT frame_index,
            avg(CAST(box NOT IN (SELECT earlier FROM pairs) AND box NOT IN (SELECT later FROM pairs) AS INTEGER)) AS alone
        FROM boxes GROUP BY frame_index
    ), alone_scale AS (
        SELECT coalesce(median(alone), 0) AS usual FROM alone
    ), scale AS (
        SELECT greatest(quantile_cont(doubt, 0.95), 1e-9) AS doubt FROM content
    ), facts AS (
        SELECT c.*, f.pts_ms, f.width AS frame_width, scale.doubt AS doubt_scale,
            greatest(coalesce(alone, 0) - u.usual, 0) / greatest(1 - u.usual, 1e-9) AS boxes_alone,
            c.state = 'untouched' AND list_count(list_filter(c.annotations, lambda a: a.source IN ('interpolated', 'propagated'))) > 0
                AS unseen_change,
            c.state IN ('edited', 'accepted') AND s.digest IS NOT NULL AND s.digest <> c.digest AS corrected,
            median(c.n) OVER near AS usual,
            lag(x IGNORE NULLS) OVER ordered AS x_before, lag(y IGNORE NULLS) OVER ordered AS y_before,
            lag(CASE WHEN x IS NOT NULL THEN f.pts_ms END IGNORE NULLS) OVER ordered AS pts_before
        FROM content c JOIN read_parquet($frames) f ON f.index = c.frame_index
        LEFT JOIN read_parquet($seed) s ON s.frame_index = c.frame_index
        LEFT JOIN alone ON alone.frame_index = c.frame_index
        CROSS JOIN scale CROSS JOIN alone_scale u
        WINDOW ordered AS (ORDER BY c.frame_index),
            near AS (ORDER BY c.frame_index ROWS BETWEEN {NEIGHBOURS} PRECEDING AND {NEIGHBOURS} FOLLOWING)
    ), signals AS (
        SELECT frame_index, state,
            least(coalesce(doubt / doubt_scale, 0), 1) AS {Signal.CONFIDENCE},
            CASE WHEN $single THEN 0 ELSE least(abs(n - usual) / greatest(usual, 1), 1) END AS {Signal.COUNT_JUMP},
            CASE WHEN CAST($max_speed AS DOUBLE) IS NULL OR x IS NULL OR x_before IS NULL THEN 0
                ELSE least(sqrt((x - x_before) ** 2 + (y - y_before) ** 2) / frame_width
                    / greatest((pts_ms - pts_before) / 1000, 1e-3) / $max_speed / 2, 1) END AS {Signal.POSITION_JUMP},
            boxes_alone AS {Signal.BOXES_ALONE},
            CAST($single AND n <> 1 AS INTEGER) AS {Signal.POINT_COUNT},
            CAST(unseen_change AS INTEGER) AS {Signal.UNSEEN_CHANGE},
            avg(CAST(corrected AS INTEGER)) OVER near AS {Signal.NEIGHBOUR_EDITED},
            CAST(max(len(flags)) OVER near > 0 AS INTEGER) AS {Signal.NEIGHBOUR_FLAGGED}
        FROM facts
        WINDOW near AS (ORDER BY frame_index ROWS BETWEEN {NEIGHBOURS} PRECEDING AND {NEIGHBOURS} FOLLOWING)
    )
    SELECT frame_index, state <> 'untouched' AS seen,
        1 - {" * ".join(f"(1 - {weight.weight} * {signal})" for signal, weight in WEIGHTS.items())} AS risk,
        {", ".join(WEIGHTS)}
    FROM signals ORDER BY frame_index
"""


def risk(db: Store, content: Content, frames: Frames, seed: Content | None, capability: Capability) -> pl.DataFrame:
    """Return one row a frame: frame_index, seen, risk in [0, 1], and each signal. `seed` is what the model proposed."""
    with tempfile.TemporaryDirectory(prefix="labelkit-") as folder:
        paths = {name: str(Path(folder, f"{name}.parquet")) for name in ("content", "frames", "seed")}
        content.rows.write_parquet(paths["content"], compression="uncompressed")
        frames.rows.select("index", "pts_ms", "width").write_parquet(paths["frames"])
        (content.rows.head(0) if seed is None else seed.rows).select("frame_index", "digest").write_parquet(paths["seed"])
        return db.analyse(_SQL, **paths, single=capability.single, max_speed=capability.max_speed)


def reasons(row: dict[str, float]) -> list[str]:
    """Return the sentences of a frame's strongest signals, strongest first, at most three."""
    strong = sorted(((weight.weight * (row[signal] or 0.0), weight.sentence) for signal, weight in WEIGHTS.items()), reverse=True)
    return [sentence for value, sentence in strong[:3] if value >= 0.1]
