"""The second half of a pipeline: what fits the type is known by its content, finds its place among what is there, and is scored."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

from labelkit.core.golden.pipeline import KEPT, Place, Reason, Tally
from labelkit.core.golden.score_rules import ScorePolicy, of_type
from labelkit.services.golden.pipeline_reading import ID, ROW
from labelkit.store.golden.examples import BATCH
from labelkit.store.golden.extractions import CANDIDATES
from labelkit.store.golden.intake import intake
from labelkit.store.golden.scoring import score_to

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from labelkit.core.golden.mapping import Cell
    from labelkit.services.golden.pipeline_reading import Plan, Spooled
    from labelkit.store.database import Database
    from labelkit.store.transaction import Transaction

BATCH_ROWS = 200_000
SCORES = {"example_id": pl.String(), "total": pl.Float64(), "tier": pl.String()}
_REFUSED = {ROW: pl.Int64(), ID: pl.String(), "code": pl.String(), "column": pl.String(), "target": pl.String(), "came": pl.String()}
_SHOWN = 80  # characters of a value in a sentence


@dataclass(frozen=True, slots=True)
class Candidates:
    """Rows that fit the type: `file` has the columns of `CANDIDATES`, `contents` are files with those of `BATCH`, every content in one.

    `refused` are the rows that the type's schemas do not take: row, decision_id, code, column, target, came (why).
    """

    file: Path
    contents: tuple[Path, ...]
    refused: pl.DataFrame


@dataclass(frozen=True, slots=True)
class Placed:
    """Where every row of the source ended. `rows` has row, decision_id, place, example_id, code, column, sentence, in order of row."""

    rows: pl.DataFrame
    tally: Tally

    def kept(self) -> pl.DataFrame:
        """Return the rows that become examples: row, decision_id, example_id."""
        return self.rows.filter(pl.col("place").is_in(list(map(str, KEPT)))).select(ROW, ID, "example_id")


def candidates(plan: Plan, spool: Spooled, folder: Path) -> Candidates:
    """Hold rows against the type, so many at a time."""
    known: list[pl.DataFrame] = [pl.DataFrame(schema=CANDIDATES)]
    contents: list[Path] = []
    refused: list[pl.DataFrame] = [pl.DataFrame(schema=_REFUSED)]
    for begin in range(0, spool.read, BATCH_ROWS):
        rows = spool.fitting().filter(pl.col(ROW).is_between(begin + 1, begin + BATCH_ROWS)).collect()
        if rows.is_empty():
            continue
        found = intake(plan.kind, rows.rename({ID: "source_decision_id"}).with_columns(pl.col(ROW).cast(pl.Int64)))
        repeats = found.repeats.select(ROW, "example_id", "labels").join(rows.select(ROW, ID), on=ROW, how="left")
        firsts = found.batch.rename({"source_decision_id": ID})
        known += [part.select(*CANDIDATES) for part in (firsts, repeats)]
        refused.append(_misfits(found.refused.unique(ROW, keep="first", maintain_order=True), rows, plan.cells))
        contents.append(folder / f"contents-{begin:012d}.parquet")
        found.batch.write_parquet(contents[-1], compression="lz4")
    file = folder / "candidates.parquet"
    pl.concat(known).sort(ROW).write_parquet(file, compression="lz4")
    return Candidates(file, tuple(contents), pl.concat(refused))


def _misfits(refused: pl.DataFrame, rows: pl.DataFrame, cells: tuple[Cell, ...]) -> pl.DataFrame:
    """Return rows that a schema does not take, with the column that filled the field."""
    named = refused.with_columns(
        pl.when(pl.col("path") == "")
        .then("part")
        .otherwise(pl.format("{}.{}", "part", pl.col("path").str.replace_all("/", ".")))
        .alias("target")
    )
    filled = {target: _column_of(target, cells) for target in named["target"].unique()}
    columns = pl.col("target").replace_strict(filled, default="", return_dtype=pl.String()).alias("column")
    return named.join(rows.select(ROW, ID), on=ROW, how="left").select(
        ROW, ID, pl.lit(str(Reason.SCHEMA)).alias("code"), columns, "target", pl.col("reason").alias("came")
    )


def _column_of(target: str, cells: tuple[Cell, ...]) -> str:
    steps = target.split(".")
    near = [cell for cell in cells if steps[: len(cell.path) + 1] == [cell.side, *cell.path]]
    return max(near, key=lambda cell: len(cell.path)).rule.title if near else ""


def scored(database: Database, there: pl.DataFrame, plan: Plan, found: Candidates, folder: Path) -> pl.DataFrame:
    """Return the scores of all candidates, judged together with the examples that are there: example_id, total, tier."""
    present = folder / "present.parquet"
    wanted = ("example_id", "type", "input", "expected_output", "labels", "status", "version")
    there.select(wanted).write_parquet(present, compression="lz4")
    coming = pl.scan_parquet(list(found.contents), glob=False) if found.contents else pl.LazyFrame(schema=BATCH)
    fresh = (
        coming.unique("example_id", keep="first", maintain_order=True)
        .join(pl.scan_parquet(present, glob=False).select("example_id"), on="example_id", how="anti")
        .with_columns(type=pl.lit(plan.kind.name), status=pl.lit("pending"), version=pl.lit(1, pl.Int32()))
        .select(wanted)
    )
    examples, out = folder / "examples.parquet", folder / "scores.parquet"
    pl.concat([pl.scan_parquet(present, glob=False), fresh], how="vertical_relaxed").sink_parquet(examples, compression="lz4")
    kind = plan.kind
    rules = of_type(kind.name, kind.input, kind.expected_output, kind.labels)
    score_to(database, out, examples, (plan.policy or ScorePolicy()).completed({kind.name: rules}))
    return pl.read_parquet(out, columns=list(SCORES), glob=False)


def placed(tx: Transaction, workspace: str, plan: Plan, spool: Spooled, found: Candidates, scores: pl.DataFrame | None) -> Placed:
    """Return where every row ends as things are now, with its reason in words."""
    rows = tx.extractions.placed(workspace, plan.kind.name, found.file)
    rows = rows.with_columns(came=pl.lit(None, pl.String()), tier=pl.lit(None, pl.String()))
    if scores is not None and plan.quality_threshold is not None:
        rows = _judged(rows, scores, plan.quality_threshold)
    filtered = spool.left_out().select(ROW, ID, place=pl.lit(str(Place.FILTERED)), code="filter")
    refused = pl.concat([spool.refused().select(list(_REFUSED)), found.refused.select(list(_REFUSED))])
    refused = refused.with_columns(place=pl.lit(str(Place.REFUSED)))
    every = pl.concat([rows, filtered, refused], how="diagonal_relaxed").sort(ROW)
    tally = _tally(spool.read, every)
    listed = every.with_columns(_sentences(plan)).with_columns(
        code=pl.when(pl.col("other_labels").fill_null(value=False)).then(pl.lit("OTHER_LABELS")).otherwise("code")
    )
    return Placed(listed.select(ROW, ID, "place", "example_id", "code", "column", "sentence"), tally)


def _judged(rows: pl.DataFrame, scores: pl.DataFrame, threshold: float) -> pl.DataFrame:
    """Refuse what would be kept and stays below the threshold, and what has the same content."""
    kept = pl.col("place").is_in(list(map(str, KEPT)))
    below = (kept | (pl.col("place") == str(Place.DUPLICATE))) & ((pl.col("total") < threshold) | pl.col("total").is_null())
    return (
        rows.drop("tier")
        .join(scores, on="example_id", how="left", maintain_order="left")
        .with_columns(
            place=pl.when(below).then(pl.lit(str(Place.REFUSED))).otherwise("place"),
            code=pl.when(below).then(pl.lit(str(Reason.BELOW_THRESHOLD))).otherwise("code"),
            came=pl.when(below).then(pl.format("{} ({})", pl.col("total").round(2), "tier")).otherwise("came"),
            tier=pl.when(kept & ~below).then("tier"),
        )
    )


def _tally(read: int, rows: pl.DataFrame) -> Tally:
    def counted(column: str, of: pl.DataFrame) -> dict[str, int]:
        return dict(sorted(Counter(dict(of[column].drop_nulls().value_counts().iter_rows())).items()))

    places = {Place(place): count for place, count in counted("place", rows).items()}
    filters, reasons = (counted("code", rows.filter(pl.col("place") == str(place))) for place in (Place.FILTERED, Place.REFUSED))
    return Tally(read, places, filters, reasons, counted("tier", rows))


def _sentences(plan: Plan) -> pl.Expr:
    """Return why each row is where it is, in words; null for what is new, and for what is there as it is."""
    place, code = pl.col("place"), pl.col("code")
    value = pl.when(pl.col("came").is_null()).then(pl.lit("something else")).otherwise(pl.col("came").str.head(_SHOWN))
    reasons = {str(reason): reason.sentence for reason in Reason}
    template = code.replace_strict(reasons, default=None, return_dtype=pl.String())
    spelled = (
        template.str.replace("{column}", pl.col("column").fill_null(""), literal=True)
        .str.replace("{target}", pl.col("target").fill_null(""), literal=True)
        .str.replace("{value}", value, literal=True)
    )
    threshold = pl.lit("" if plan.quality_threshold is None else f" {plan.quality_threshold:g}")
    return (
        pl.when(place == str(Place.FILTERED))
        .then(pl.format("the filter {} leaves it out", code))
        .when(code == str(Reason.BELOW_THRESHOLD))
        .then(pl.concat_str(spelled, threshold))
        .when(place == str(Place.REFUSED))
        .then(spelled)
        .when(place == str(Place.DUPLICATE))
        .then(pl.format("row {} has the same content", "same_as"))
        .when(place == str(Place.CHANGED))
        .then(pl.format("the decision was taken before as {} and says something else now", "before"))
        .when(pl.col("other_labels").fill_null(value=False))
        .then(pl.lit("the example is there with other labels, which stay as they are"))
        .alias("sentence")
    )


def batches(kept: pl.DataFrame, found: Candidates) -> Iterator[pl.DataFrame]:
    """Yield what is to be added, so many at a time, as `BATCH`, each with the decision and labels of the row that counts."""
    labels = pl.read_parquet(found.file, columns=[ROW, "labels"], glob=False)
    wanted = kept.join(labels, on=ROW, how="left").rename({ID: "source_decision_id"})
    for file in found.contents:
        contents = pl.read_parquet(file, glob=False).drop(ROW, "source_decision_id", "labels")
        batch = contents.join(wanted, on="example_id", how="inner", maintain_order="left")
        if batch.height:
            wanted = wanted.join(batch.select("example_id"), on="example_id", how="anti")
            yield batch.select(pl.col(name).cast(kind) for name, kind in BATCH.items())


def links(rows: pl.DataFrame) -> pl.DataFrame:
    """Return which decisions stand behind examples that are there: decision_id, example_id."""
    linked = (
        pl.col("place").is_in([str(Place.PRESENT), str(Place.DUPLICATE)]) & pl.col(ID).is_not_null() & pl.col("example_id").is_not_null()
    )
    return rows.filter(linked).select(ID, "example_id").unique()
