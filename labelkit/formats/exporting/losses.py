"""What a format would lose of some rows, counted before anything is written: one lazy pass over what the format has no place for."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from labelkit.errors import InvalidValue
from labelkit.formats.column_types import made
from labelkit.formats.exports import ROW_FACETS, SAMPLE_FACETS, Facet, Loss

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from labelkit.formats.exports import About, Format

    Count = Callable[[Mapping[str, pl.DataType]], pl.Expr | None]

_SAID = {
    Facet.SAMPLE_KEYS: "{n} sample(s) lose their key",
    Facet.ANNOTATION_IDS: "{n} annotation(s) lose their id",
    Facet.SCORES: "{n} annotation(s) lose the score of the model",
    Facet.SOURCES: "{n} annotation(s) do not say any more whether a model or a person made them",
    Facet.ATTRIBUTES: "{n} annotation(s) lose their attributes",
    Facet.FLAGS: "{n} sample(s) lose their flags",
    Facet.POINTS: "{n} point(s) become boxes",
    Facet.POINT_SIZES: "{n} point(s) lose their size",
    Facet.GROUPS: "{n} sample(s) lose their group",
    Facet.TIMESTAMPS: "{n} sample(s) lose their time",
    Facet.FRAME_DIGESTS: "{n} sample(s) lose the digest of their picture",
    Facet.EMPTY_SAMPLES: "{n} sample(s) without annotations are left out",
    Facet.EXACT_COORDINATES: "{n} annotation(s) have their coordinates rounded",
    Facet.SPLITS: "{n} sample(s) lose their split",
    Facet.KEYS: "{n} row(s) lose their key",
    Facet.TYPES: "{n} column(s) have types that the format has not: other readers see text or other numbers, labelkit reads the manifest",
    Facet.NESTED: "{n} column(s) hold lists or structs: other readers see JSON text, labelkit reads the manifest",
    Facet.NULLS: "{n} null value(s) are read back as empty ones",
    Facet.EXACT_NUMBERS: "{n} number(s) are not kept exactly",
}
_EXACT = 2**53
LOSSES = {"facet": pl.String(), "count": pl.Int64(), "sentence": pl.String()}


def losses(format: Format, rows: pl.LazyFrame, about: About) -> tuple[Loss, ...]:
    """Return what the rows hold and the format has no place for, in the order of `Facet`.

    Of samples everything that samples have is looked at, of other rows what any rows have. Raises `INVALID_VALUE` where the format does
    not take such rows at all.
    """
    check_takes(format, about)
    facets = SAMPLE_FACETS if about.capability is not None else ROW_FACETS
    lost = [facet for facet in Facet if facet in facets - format.carries]
    counts = {facet: found for facet in lost if (found := _counts(facet, about)) is not None}
    if not counts:
        return ()
    asked = {facet: count for facet, count in counts.items() if not isinstance(count, int)}
    held: dict[str, int] = (
        rows.select(**{str(facet): count for facet, count in asked.items()}).collect().row(0, named=True) if asked else {}
    )
    known = {facet: count if isinstance(count, int) else int(held[facet] or 0) for facet, count in counts.items()}
    return tuple(Loss(facet, known[facet], _SAID[facet].format(n=f"{known[facet]:,}")) for facet in counts if known[facet])


def check_takes(format: Format, about: About) -> None:
    """Refuse rows that the format does not take. Raises `INVALID_VALUE`."""
    kind = "samples" if about.capability is not None else "rows"
    if kind not in format.takes:
        fix = "Use jsonl, csv or parquet; label formats take built datasets."
        raise InvalidValue(what=about.title, reason=f"{format.name} takes samples of a dataset, not rows of any other kind", fix=fix)


def losses_frame(found: Iterable[Loss]) -> pl.DataFrame:
    """Return losses as rows: facet, count, sentence."""
    return pl.DataFrame([(str(loss.facet), loss.count, loss.sentence) for loss in found], schema=LOSSES, orient="row")


def _counts(facet: Facet, about: About) -> pl.Expr | int | None:
    """Return how often the rows hold a facet: as an expression, or at once where the columns tell; None where they cannot hold it."""
    columns = about.columns
    if facet in ROW_FACETS:
        return _of_rows(facet, about)
    if facet in _ANNOTATED:
        count = pl.col("annotations").list.eval(_ANNOTATED[facet].cast(pl.Int64)).list.sum().sum() if "annotations" in columns else None
        return count if facet is not Facet.SPLITS else None
    name = {Facet.SAMPLE_KEYS: "sample_key", Facet.GROUPS: "group_key", Facet.TIMESTAMPS: "pts_ms", Facet.FRAME_DIGESTS: "sha256"}.get(
        facet
    )
    if name is not None:
        return pl.col(name).count() if name in columns else None
    if facet is Facet.SPLITS:
        return pl.len() if about.splits else None
    column = "flags" if facet is Facet.FLAGS else "annotations"
    empty = pl.col(column).list.len() == 0
    return (~empty if facet is Facet.FLAGS else empty).sum() if column in columns else None


def _field(name: str) -> pl.Expr:
    return pl.element().struct.field(name)


_ANNOTATED: dict[Facet, pl.Expr] = {
    Facet.ANNOTATION_IDS: _field("id").is_not_null(),
    Facet.SCORES: _field("score").is_not_null(),
    Facet.SOURCES: _field("source").is_not_null(),
    Facet.ATTRIBUTES: _field("attributes").is_not_null() & (_field("attributes") != "{}"),
    Facet.POINTS: _field("width").is_null(),
    Facet.POINT_SIZES: _field("width").is_null() & _field("size").is_not_null(),
    Facet.EXACT_COORDINATES: _field("x").is_not_null(),
}


def _of_rows(facet: Facet, about: About) -> pl.Expr | int | None:
    columns = about.columns
    match facet:
        case Facet.KEYS:
            return pl.len()
        case Facet.TYPES:
            return sum(not _plain(kind) for kind in columns.values())
        case Facet.NESTED:
            return sum(isinstance(kind, (pl.List, pl.Struct)) for kind in columns.values())
        case Facet.NULLS:
            return pl.sum_horizontal(pl.col(name).null_count() for name in columns)
        case _:
            found = [_inexact(pl.col(name), kind) for name, kind in columns.items() if kind.is_numeric()]
            return pl.sum_horizontal(one.sum() for one in found) if found else None


def _plain(kind: pl.DataType) -> bool:
    """Say whether every text format has the type: text, flags, whole numbers, floats, and lists and structs of these."""
    match kind:
        case pl.List():
            return _plain(made(kind.inner))
        case pl.Struct():
            return all(_plain(made(field.dtype)) for field in kind.fields)
    return kind in (pl.String, pl.Boolean, pl.Int64, pl.Float64)


def _inexact(column: pl.Expr, kind: pl.DataType) -> pl.Expr:
    """Say which numbers are none, are not exact in 32 bit floats, lie beyond 2**53, or have exact decimals."""
    if kind.is_float():
        return column.is_nan() | column.is_infinite() | (column.cast(pl.Float32).cast(pl.Float64) != column.cast(pl.Float64))
    return column.is_not_null() if kind.is_decimal() else ~column.is_between(-_EXACT, _EXACT)
