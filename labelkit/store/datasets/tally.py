"""What assembled sample rows really hold, counted batch by batch: the statistics that quality is judged by."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import polars as pl

from labelkit.core.datasets.quality import Statistics
from labelkit.core.datasets.splits import GroupCounts
from labelkit.store.datasets.samples import exploded
from labelkit.store.review.findings import SLACK_PX

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
        self.splits: Counter[str] = Counter()
        self.classes: Counter[tuple[str, str]] = Counter()
        self._group_samples: Counter[str] = Counter()
        self._group_classes: dict[str, Counter[str]] = {}

    def add(self, rows: pl.DataFrame) -> None:
        """Count a batch of sample rows."""
        self.samples += rows.height
        self.empty += int((rows["annotations"].list.len() == 0).sum())
        for group, split, number in rows.group_by("group_key", "split").len().iter_rows():
            self.splits[split] += number
            self._group_samples[group] += number
        found = exploded(rows.lazy(), "group_key", "split", frame_size=True)
        mistakes = misfit(self._capability).sum().alias("schema"), misplaced().sum().alias("geometry")
        counted = found.group_by("group_key", "split", "label").agg(pl.len().alias("count"), *mistakes).collect()
        for group, split, label, number, schema, geometry in counted.iter_rows():
            self.classes[label, split] += number
            self._group_classes.setdefault(group, Counter())[label] += number
            self.errors["schema"] += schema
            self.errors["geometry"] += geometry

    @property
    def groups(self) -> dict[str, GroupCounts]:
        """Return the samples and annotations of each group."""
        return {group: GroupCounts(number, self._group_classes.get(group, {})) for group, number in self._group_samples.items()}

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
            groups=len(self._group_samples),
            empty_samples=self.empty,
            selected_frames=selected_frames,
            class_counts=dict(sorted(totals.items())),
            schema_errors=self.errors["schema"],
            geometry_errors=self.errors["geometry"],
        )


def misfit(capability: Capability) -> pl.Expr:
    """Return whether an annotation has another geometry than the capability, or a class that it does not name."""
    kind = pl.when(pl.col("width").is_null()).then(pl.lit("point")).otherwise(pl.lit("box"))
    return (kind != capability.geometry) | ~pl.col("label").is_in(list(capability.classes))


def misplaced() -> pl.Expr:
    """Return whether an annotation is empty, has no finite coordinates or reaches outside its frame."""
    wide, high = pl.col("width").fill_null(0.0), pl.col("height").fill_null(0.0)
    finite = pl.all_horizontal(pl.col(name).is_finite().fill_null(value=True) for name in ("x", "y", "width", "height", "size"))
    empty = pl.col("width").is_not_null() & ((wide <= 0) | (high <= 0))
    beyond = (pl.col("x") + wide > pl.col("frame_width") + SLACK_PX) | (pl.col("y") + high > pl.col("frame_height") + SLACK_PX)
    return ~finite | empty | (pl.col("x") < 0) | (pl.col("y") < 0) | beyond
