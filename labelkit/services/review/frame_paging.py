"""Looking through what differs between two contents: frames in order, filtered as whole columns; a change is made when it is looked at."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import polars as pl

from labelkit.core.review.annotations import FrameFlag
from labelkit.core.review.revisions import Change, Diff
from labelkit.errors import NotFound
from labelkit.store.review.compare import ChangeValues

if TYPE_CHECKING:
    from collections.abc import Iterable

    from labelkit.store.review.compare import Changes

KINDS = ("added", "removed", "modified")
FIELDS = ("class", "geometry", "attributes", "flags")
ORDER = ("modified", "added", "removed")  # of the labels on a frame


@dataclass(frozen=True, slots=True)
class FrameChange:
    """What differs on one frame: how many labels were added, removed and modified, and its flags before and after where these differ."""

    index: int
    counts: tuple[int, int, int]
    flags: tuple[tuple[FrameFlag, ...], tuple[FrameFlag, ...]] | None


class FramePaging:
    """The frames that differ as one list in frame order."""

    def __init__(self, changes: Changes) -> None:
        modified = pl.col("kind") == "modified"
        attributes = pl.col("attributes").ne_missing(pl.col("attributes_after"))
        self._changes = changes
        self._rows = changes.rows.with_columns(attributes_changed=modified & attributes)
        counts = self._rows.group_by("frame_index").agg((pl.col("kind") == kind).sum().alias(kind) for kind in KINDS)
        frames = counts.join(changes.flags, on="frame_index", how="full", coalesce=True).sort("frame_index")
        self._frames = frames.with_columns(pl.col(*KINDS).fill_null(0))

    def __len__(self) -> int:
        return self._frames.height

    @property
    def fields(self) -> dict[str, int]:
        """Return how many labels differ in class, geometry and attributes, and how many frames in flags, where any do."""
        numbers = [int(self._rows[f"{name}_changed"].sum()) for name in FIELDS[:-1]] + [self._changes.flags.height]
        return {name: number for name, number in zip(FIELDS, numbers, strict=True) if number}

    def frame(self, at: int) -> FrameChange:
        """Return the frame at that place. Raises `NOT_FOUND`."""
        if not 0 <= at < len(self):
            raise NotFound(kind="frame that differs", name=str(at), near=f"There are {len(self):,}.", listing="viewer.value")
        return next(iter(self.frames([at])))

    def frames(self, places: Iterable[int]) -> list[FrameChange]:
        """Return the frames at these places, in that order."""
        found = self._frames[list(places)]
        return [
            FrameChange(row["frame_index"], (row["added"], row["removed"], row["modified"]), _flags(row["flags"], row["flags_after"]))
            for row in found.iter_rows(named=True)
        ]

    def labels(self, index: int) -> tuple[Change, ...]:
        """Return what differs on the frame with that index: modified, added, removed labels."""
        column = self._rows["frame_index"]
        start, end = int(column.search_sorted(index, side="left")), int(column.search_sorted(index, side="right"))
        here = self._rows[start:end]
        return tuple(ChangeValues(pl.concat([here.filter(pl.col("kind") == kind) for kind in ORDER])))

    def matching(
        self, *, change: str | None = None, field: str | None = None, label: str | None = None, text: str | None = None
    ) -> pl.Series:
        """Return the places of the frames that have everything that is asked for, the first three of one label."""
        mask = pl.lit(value=True)
        if field == "flags":
            mask = pl.col("flags").is_not_null() | pl.col("flags_after").is_not_null()
            mask &= pl.lit(change in (None, "modified") and label is None)
        elif (change, field, label) != (None, None, None):
            mask = pl.col("frame_index").is_in(self._labels_with(change, field, label).implode())
        if text is not None:
            mask &= self._says(text)
        return self._frames.with_row_index("at").filter(mask)["at"]

    def _labels_with(self, change: str | None, field: str | None, label: str | None) -> pl.Series:
        asked = [pl.lit(value=True)]
        if change is not None:
            asked.append(pl.col("kind") == change)
        if field is not None:
            asked.append(pl.col(f"{field}_changed"))
        if label is not None:
            asked.append((pl.col("label") == label) | (pl.col("label_after") == label))
        return self._rows.filter(pl.all_horizontal(asked).fill_null(value=False))["frame_index"].unique()

    def _says(self, text: str) -> pl.Expr:
        """Say which frames have the text in their number, counted from one, in a flag, or in a label that differs."""
        pattern = "(?i)" + re.escape(text)
        words = [name + side for name in ("id", "label", "attributes") for side in ("", "_after")]
        said = self._rows.filter(pl.any_horizontal([pl.col(name).str.contains(pattern).fill_null(value=False) for name in words]))
        flags = [
            pl.col(name).list.eval(pl.element().str.contains(pattern)).list.any().fill_null(value=False)
            for name in ("flags", "flags_after")
        ]
        number = (pl.col("frame_index") + 1).cast(pl.String()).str.contains(pattern)
        return number | pl.any_horizontal(flags) | pl.col("frame_index").is_in(said["frame_index"].unique().implode())


@dataclass(frozen=True, slots=True, repr=False)
class ContentDiff(Diff):
    """The difference between two contents, with `paging` to look through it frame by frame."""

    paging: FramePaging = field(compare=False)

    def on(self, frame: int) -> tuple[Change, ...]:
        """Return the changes on one frame: modified, added, removed labels."""
        return self.paging.labels(frame)


def content_diff(changes: Changes) -> ContentDiff:
    """Return changes as a difference."""
    diff = changes.diff()
    return ContentDiff(diff.added, diff.removed, diff.modified, diff.flags, diff.summary, FramePaging(changes))


def _flags(before: list[str] | None, after: list[str] | None) -> tuple[tuple[FrameFlag, ...], tuple[FrameFlag, ...]] | None:
    if before is None and after is None:
        return None
    return tuple(FrameFlag(flag) for flag in before or ()), tuple(FrameFlag(flag) for flag in after or ())
