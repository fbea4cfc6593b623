"""Scores of 1,000,000 golden examples in one pass, and what rests on them: the newest scores again, one explained, a plan of reviews."""

from __future__ import annotations

import tempfile
from contextlib import ExitStack
from pathlib import Path

import duckdb
import numpy as np
import polars as pl

import labelkit
from labelkit.core.golden.score_rules import ScorePolicy, of_type
from labelkit.core.golden.types import SHIPPED
from labelkit.store.database import Database
from labelkit.store.golden.scoring import score_to
from tests.bench.harness import Goal, Row, alternate, row, timed

ROWS, QUICK_ROWS = 1_000_000, 5_000
STORED, QUICK_STORED = 100_000, 500
SEED = 20_260_302
PASS, EXPLAINED, PLANNED = Goal("p50", 5.0), Goal("p50", 0.1), Goal("p50", 5.0)
KIND = SHIPPED["lead_score"]

# The limit: the same JSON parsed once for the same fields, nothing made of it.
_PARSED = """
    SELECT sum(len(i)), sum(len(o)), sum(len(l)) FROM (SELECT
        json_extract(input, ['/fit_score', '/engagement_score', '/intent_signals', '/company_quality', '/contact_tier']) AS i,
        json_extract(expected_output, ['/lead_score', '/priority', '/reasoning']) AS o,
        json_extract(labels, ['/confidence', '/agreement', '/answers', '/edge_case', '/notes', '/conversion_outcome']) AS l
    FROM read_parquet($file))
"""


def run(quick: bool) -> list[Row]:  # noqa: FBT001 - every benchmark has this one switch
    """Measure the pass over a Parquet file, then the public calls on a store with some of these examples."""
    count, stored, repetitions = (QUICK_ROWS, QUICK_STORED, 1) if quick else (ROWS, STORED, 5)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="labelkit-bench-")))
        leads(count).write_parquet(folder / "examples.parquet")
        ws = stack.enter_context(labelkit.open(folder / "labels.duckdb", user="bench"))
        database = stack.enter_context(Database.open(":memory:", user="bench"))
        return [_pass(database, folder, count, repetitions), *_calls(ws, leads(stored), repetitions)]


def _pass(database: Database, folder: Path, count: int, repetitions: int) -> Row:
    rules = of_type(KIND.name, KIND.input, KIND.expected_output, KIND.labels)
    policy = ScorePolicy(types={KIND.name: rules})
    examples, out = folder / "examples.parquet", folder / "scores.parquet"
    sides = {
        "score": timed(lambda: score_to(database, out, examples, policy)),
        "parse": timed(lambda: duckdb.execute(_PARSED, {"file": str(examples)}).fetchall()),
    }
    times = alternate(sides, repetitions=repetitions)
    return row(f"score {count:,} examples", times["score"], limit=("SQL that parses the same JSON", times["parse"]), goal=PASS)


def _calls(ws: labelkit.Workspace, rows: pl.DataFrame, repetitions: int) -> list[Row]:
    ws.golden.add(KIND.name, rows.select("input", "expected_output", "labels"))
    ids = ws.golden.to_polars()["example_id"]
    ws.golden.validate(ids.gather_every(3))
    ws.golden.score()
    sides = {
        "again": timed(ws.golden.score),
        "explain": timed(lambda: ws.golden.explain(ids[0])),
        "plan": timed(lambda: ws.golden.lift_plan("silver", 0.8)),
    }
    times = alternate(sides, repetitions=repetitions)
    size = f"{rows.height:,} examples in a store"
    return [
        row("score again, nothing changed", times["again"], note=size),
        row("explain one", times["explain"], goal=EXPLAINED, note=size),
        row("plan the fewest reviews", times["plan"], goal=PLANNED, note=size),
    ]


def leads(count: int) -> pl.DataFrame:
    """Return that many lead-score examples with the columns that scoring reads; most are near others, which often expect something else."""
    random = np.random.default_rng(SEED)

    def chosen(*words: str) -> pl.Series:
        return pl.Series(np.array(words)[random.integers(0, len(words), count)])

    numbers = pl.DataFrame(
        {
            "fit": random.integers(1, 10_000, count) / 100,
            "engagement": random.integers(1, 10_000, count) / 100,
            "score": random.integers(0, 101, count),
            "confidence": random.integers(0, 1_001, count) / 1_000,
            "quality": chosen("high", "medium", "low"),
            "tier": chosen("A", "B", "C"),
            "signal": chosen("demo_request", "website_visit", "pricing_page"),
            "priority": chosen("hot", "warm", "warm", "cold"),
            "outcome": chosen("closed_won", "closed_lost", "open"),
            "edge": chosen("true", "false", "false", "false"),
            "status": chosen("pending", "pending", "validated", "validated", "rejected"),
            "number": np.arange(count),
        }
    )
    return numbers.select(
        pl.format("ex_{}", pl.col("number").cast(pl.String).str.zfill(32)).alias("example_id"),
        pl.lit(KIND.name).alias("type"),
        _object(
            company_quality=_quoted("quality"),
            contact_tier=_quoted("tier"),
            engagement_score=pl.col("engagement"),
            fit_score=pl.col("fit"),
            intent_signals=pl.concat_str(pl.lit("["), _quoted("signal"), pl.lit("]")),
        ).alias("input"),
        _object(
            lead_score=pl.col("score"),
            priority=_quoted("priority"),
            reasoning=pl.concat_str(pl.lit('"signals and fit, case '), "number", pl.lit('"')),
        ).alias("expected_output"),
        _object(confidence=pl.col("confidence"), conversion_outcome=_quoted("outcome"), edge_case=pl.col("edge")).alias("labels"),
        "status",
        pl.lit(1, pl.Int32).alias("version"),
    )


def _quoted(column: str) -> pl.Expr:
    return pl.concat_str(pl.lit('"'), column, pl.lit('"'))


def _object(**fields: pl.Expr) -> pl.Expr:
    parts = [part for name, value in fields.items() for part in (pl.lit(f',"{name}":'), value)]
    return pl.concat_str(pl.lit("{"), pl.concat_str(parts).str.slice(1), pl.lit("}"))
