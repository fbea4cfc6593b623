"""What assembled sample rows really hold, counted batch by batch: the statistics that quality is judged by."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import polars as pl

from labelkit.core.datasets.quality import Statistics
from labelkit.store.findings import SLACK_PX
from labelkit.store.samples import exploded

if TYPE_CHECKING:
    from collections.abc import Sequence

    from labelkit.core.review.annotations import Capability


class Tally:
    """Counts of samples, splits, classes, groups and mistakes."""

    def __init__(self, capability: Capability) -> None:
        self._capability = capability
        self.samples = 0
        self.empty = 0
        self.errors: Counter[str] = Counter()
        self.groups: set[str] = set()
        self.splits: Counter[str] = Counter()
        self.classes: Counter[tuple[str, str]] = Counter()

    def add(self, rows: pl.DataFrame) -> None:
        """Count a batch of sample rows."""
        self.samples += rows.height
        self.empty += int((rows["annotations"].list.len() == 0).sum())
        self.groups.update(rows["group_key"].unique())
        self.splits.update(dict(rows.group_by("split").len().iter_rows()))
        found = exploded(rows.lazy(), "split", frame_size=True)
        kind = pl.when(pl.col("width").is_null()).then(pl.lit("point")).otherwise(pl.lit("box"))
        misfit = (kind != self._capability.geometry) | ~pl.col("label").is_in(list(self._capability.classes))
        mistakes = misfit.sum().alias("schema"), _misplaced().sum().alias("geometry")
        counted = found.group_by("split", "label").agg(pl.len().alias("count"), *mistakes).collect()
        for split, label, number, schema, geometry in counted.iter_rows():
            self.classes[label, split] += number
            self.errors.update(schema=schema, geometry=geometry)

    @property
    def annotations(self) -> int:
        """Return the number of annotations."""
        return sum(self.classes.values())

    def class_counts(self, splits: Sequence[str]) -> dict[str, dict[str, int]]:
        """Return the number of annotations by class and split."""
        return {name: {split: self.classes[name, split] for split in splits} for name in sorted({label for label, _ in self.classes})}

    def statistics(self, selected_frames: int) -> Statistics:
        """Return what quality is judged by; `selected_frames` counts all frames of the included packs."""
        totals: Counter[str] = Counter()
        for (label, _), number in self.classes.items():
            totals[label] += number
        return Statistics(
            samples=self.samples,
            groups=len(self.groups),
            empty_samples=self.empty,
            selected_frames=selected_frames,
            class_counts=dict(sorted(totals.items())),
            schema_errors=self.errors["schema"],
            geometry_errors=self.errors["geometry"],
        )


def _misplaced() -> pl.Expr:
    """Return whether an annotation is empty, has no finite coordinates or reaches outside its frame."""
    wide, high = pl.col("width").fill_null(0.0), pl.col("height").fill_null(0.0)
    finite = pl.all_horizontal(pl.col(name).is_finite().fill_null(value=True) for name in ("x", "y", "width", "height", "size"))
    empty = pl.col("width").is_not_null() & ((wide <= 0) | (high <= 0))
    beyond = (pl.col("x") + wide > pl.col("frame_width") + SLACK_PX) | (pl.col("y") + high > pl.col("frame_height") + SLACK_PX)
    return ~finite | empty | (pl.col("x") < 0) | (pl.col("y") < 0) | beyond
