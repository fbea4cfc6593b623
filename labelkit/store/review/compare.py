"""The difference between two contents as a set: by annotation id, or paired by overlap or distance where ids are not shared."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, overload

import polars as pl

from labelkit.core.matching import Pair, greedy
from labelkit.core.review.annotations import Annotation, FrameFlag
from labelkit.core.review.revisions import Change, Diff, DiffSummary

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from labelkit.store.review.content import Content

MatchBy = Literal["auto", "id", "geometry"]
LEAST_IOU = 0.3
MOST_PX = 20.0
FIELDS = ("label", "x", "y", "width", "height", "size", "score", "source", "attributes")
GEOMETRY = ("x", "y", "width", "height", "size")


@dataclass(frozen=True, slots=True)
class Changes:
    """What differs between two contents.

    `rows`: one row an annotation that is not alike on both sides: frame_index, `id` and every field, the right side's with the suffix
    `_after`, and `kind`, `class_changed`, `geometry_changed`. `flags`: frame_index, flags, flags_after of frames whose flags differ.
    """

    rows: pl.DataFrame
    flags: pl.DataFrame
    frames: int
    matched_by: str
    threshold: str

    def summary(self) -> DiffSummary:
        """Return the counts, by kind, field and class."""
        kinds = dict(self.rows.group_by("kind").len().iter_rows())
        label = pl.coalesce("label_after", "label").alias("label")
        by_class = self.rows.group_by(label, "kind").len().pivot("kind", index="label", values="len").sort("label")
        changed = pl.concat([self.rows["frame_index"], self.flags["frame_index"]]).n_unique()
        return DiffSummary(
            added=kinds.get("added", 0),
            removed=kinds.get("removed", 0),
            modified=kinds.get("modified", 0),
            class_changed=int(self.rows["class_changed"].sum()),
            geometry_changed=int(self.rows["geometry_changed"].sum()),
            flags_changed=self.flags.height,
            frames_changed=changed,
            frames=self.frames,
            matched_by=self.matched_by,
            threshold=self.threshold,
            by_class={
                row["label"]: (row.get("added") or 0, row.get("removed") or 0, row.get("modified") or 0)
                for row in by_class.iter_rows(named=True)
            },
        )

    def diff(self) -> Diff:
        """Return the changes as values, in frame order; each is made when it is looked at."""
        added, removed, modified = (ChangeValues(self.rows.filter(pl.col("kind") == kind)) for kind in ("added", "removed", "modified"))
        flags = tuple((index, _flags(before), _flags(after)) for index, before, after in self.flags.iter_rows())
        return Diff(added, removed, modified, flags, self.summary())


class ChangeValues(Sequence[Change]):
    """Rows as `Changes` has them, each a value when it is looked at: to make a million at once would take half a minute."""

    def __init__(self, rows: pl.DataFrame) -> None:
        self._rows = rows

    def __len__(self) -> int:
        return self._rows.height

    @overload
    def __getitem__(self, at: int) -> Change: ...
    @overload
    def __getitem__(self, at: slice) -> tuple[Change, ...]: ...
    def __getitem__(self, at: int | slice) -> Change | tuple[Change, ...]:
        if isinstance(at, slice):
            return tuple(ChangeValues(self._rows[at]))
        return _change(self._rows.row(at, named=True))

    def __iter__(self) -> Iterator[Change]:
        return map(_change, self._rows.iter_rows(named=True))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and len(self) == len(other) and all(a == b for a, b in zip(self, other, strict=True))

    def __add__(self, other: Iterable[Change]) -> tuple[Change, ...]:
        return (*self, *other)

    def __hash__(self) -> int:
        return hash(tuple(self))

    def __repr__(self) -> str:
        return f"<{len(self):,} change{'' if len(self) == 1 else 's'}>"


def compare(
    left: Content, right: Content, *, match: MatchBy = "auto", threshold: float | None = None, tolerance_px: float | None = None
) -> Changes:
    """Return what changed from `left` to `right`. Only frames whose digests differ are read.

    `match="auto"` uses ids where the two share any, else geometry: boxes from an IoU of 0.3, points within 20 px, or `threshold`.
    Coordinates count as changed beyond `tolerance_px`: by default 0 by id and 1 px by geometry, where two tools round differently.
    """
    differing = left.rows.join(right.rows, on="frame_index", how="full", suffix="_after", coalesce=True).filter(
        pl.col("digest").ne_missing(pl.col("digest_after"))
    )
    a, b = _exploded(differing, "annotations"), _exploded(differing, "annotations_after")
    by_id = match == "id" or (match == "auto" and (_share_ids(a, b) or _share_ids(left.annotations(), right.annotations())))
    least_iou, most_px = (LEAST_IOU, MOST_PX) if threshold is None else (threshold, threshold)
    points = not a.is_empty() and a["width"].null_count() > 0
    if by_id:
        a, b = a.with_columns(key="id"), b.with_columns(key="id")
    else:
        a, b = _paired(a, b, least_iou, most_px)
    shown = "" if by_id else f" within {most_px:g} px" if points else f" at IoU >= {least_iou:g}"
    tolerance = tolerance_px if tolerance_px is not None else 0.0 if by_id else 1.0
    flags = differing.filter(pl.col("flags").ne_missing(pl.col("flags_after"))).select("frame_index", "flags", "flags_after")
    return Changes(_joined(a, b, tolerance), flags.sort("frame_index"), max(len(left), len(right)), "id" if by_id else "geometry", shown)


def _exploded(differing: pl.DataFrame, column: str) -> pl.DataFrame:
    kept = differing.select("frame_index", pl.col(column).alias("annotations")).filter(pl.col("annotations").list.len() > 0)
    return kept.explode("annotations").unnest("annotations")


def _share_ids(a: pl.DataFrame, b: pl.DataFrame) -> bool:
    return a.is_empty() or b.is_empty() or not a.join(b, on=["frame_index", "id"], how="semi").is_empty()


def _joined(a: pl.DataFrame, b: pl.DataFrame, tolerance_px: float) -> pl.DataFrame:
    both = a.with_columns(here=True).join(b.with_columns(here=True), on=["frame_index", "key"], how="full", suffix="_after", coalesce=True)
    # as exact as the hash where the tolerance is 0: half a ten-thousandth of a px
    beyond = max(tolerance_px, 0.00005)
    moved = [
        (pl.col(n).is_null() != pl.col(f"{n}_after").is_null()) | ((pl.col(n) - pl.col(f"{n}_after")).abs() > beyond).fill_null(value=False)
        for n in GEOMETRY
    ]
    shared = pl.col("here").is_not_null() & pl.col("here_after").is_not_null()
    facts = both.with_columns(
        kind=pl.when(pl.col("here").is_null())
        .then(pl.lit("added"))
        .when(pl.col("here_after").is_null())
        .then(pl.lit("removed"))
        .otherwise(pl.lit("modified")),
        class_changed=shared & pl.col("label").ne_missing(pl.col("label_after")),
        geometry_changed=shared & pl.any_horizontal(moved),
    )
    alike = shared & ~pl.col("class_changed") & ~pl.col("geometry_changed") & pl.col("attributes").eq_missing(pl.col("attributes_after"))
    return facts.filter(~alike).sort("frame_index", "key", maintain_order=True)


def _paired(a: pl.DataFrame, b: pl.DataFrame, least_iou: float, most_px: float) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Give both sides a key: the number of their pair, or one of their own where nothing matches."""
    a, b = a.with_row_index("n"), b.with_row_index("n")
    across = pl.min_horizontal(pl.col("x") + pl.col("width"), pl.col("x_b") + pl.col("width_b")) - pl.max_horizontal("x", "x_b")
    down = pl.min_horizontal(pl.col("y") + pl.col("height"), pl.col("y_b") + pl.col("height_b")) - pl.max_horizontal("y", "y_b")
    shared = pl.max_horizontal(across, pl.lit(0.0)) * pl.max_horizontal(down, pl.lit(0.0))
    overlap = shared / (pl.col("width") * pl.col("height") + pl.col("width_b") * pl.col("height_b") - shared)
    distance = ((pl.col("x") - pl.col("x_b")) ** 2 + (pl.col("y") - pl.col("y_b")) ** 2).sqrt()
    is_box, other_box = pl.col("width").is_not_null(), pl.col("width_b").is_not_null()
    score = (
        pl.when(is_box & other_box & (overlap >= least_iou))
        .then(overlap)
        .when(~is_box & ~other_box & (distance <= most_px))
        .then(-distance)
    )
    candidates = a.join(b, on="frame_index", suffix="_b").select("n", "n_b", score.alias("score")).drop_nulls("score")
    pairs = greedy(Pair(*row) for row in candidates.iter_rows())
    left = pl.DataFrame([(p.left, f"pair {p.left}") for p in pairs], schema={"n": pl.UInt32(), "key": pl.String()}, orient="row")
    right = pl.DataFrame([(p.right, f"pair {p.left}") for p in pairs], schema={"n": pl.UInt32(), "key": pl.String()}, orient="row")
    return (
        a.join(left, on="n", how="left").with_columns(pl.col("key").fill_null("left " + pl.col("n").cast(pl.String()))).drop("n"),
        b.join(right, on="n", how="left").with_columns(pl.col("key").fill_null("right " + pl.col("n").cast(pl.String()))).drop("n"),
    )


def _change(row: dict[str, Any]) -> Change:
    before = None if row["kind"] == "added" else _side(row, "")
    after = None if row["kind"] == "removed" else _side(row, "_after")
    return Change(row["frame_index"], before, after)


def _side(row: dict[str, object], suffix: str) -> Annotation:
    return Annotation.from_json({"id": row["id" + suffix] or row["key"], **{name: row[name + suffix] for name in FIELDS}})


def _flags(flags: list[str] | None) -> tuple[FrameFlag, ...]:
    return tuple(FrameFlag(flag) for flag in flags or ())
