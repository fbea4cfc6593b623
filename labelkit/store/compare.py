"""The difference between two contents as a set: by annotation id, or paired by overlap or distance where ids are not shared."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import polars as pl

from labelkit.core.matching import match as match_geometry
from labelkit.core.review.revisions import Change, Diff, summarize
from labelkit.store.content import frame_value

if TYPE_CHECKING:
    from labelkit.core.review.annotations import FrameContent
    from labelkit.store.content import Content

MatchBy = Literal["auto", "id", "geometry"]
LEAST_IOU = 0.3
MOST_PX = 20.0


def compare(left: Content, right: Content, *, match: MatchBy = "auto", threshold: float | None = None) -> Diff:
    """Return what changed from `left` to `right`.

    Only frames whose digests differ are read. `match="auto"` uses ids where the two share any, else geometry: boxes from an IoU of
    0.3, points within 20 px, or `threshold`.
    """
    differing = left.rows.join(right.rows, on="frame_index", how="full", suffix="_after", coalesce=True).filter(
        pl.col("digest").ne_missing(pl.col("digest_after"))
    )
    pairs = [_sides(row) for row in differing.sort("frame_index").iter_rows(named=True)]
    by_id = match == "id" or (match == "auto" and _share_ids(pairs))
    changes: list[Change] = []
    for before, after in pairs:
        changes += _by_id(before, after) if by_id else _by_geometry(before, after, threshold)
    flags = tuple((before.index, before.flags, after.flags) for before, after in pairs if before.flags != after.flags)
    frames_changed = len({change.frame for change in changes} | {index for index, _, _ in flags})
    points = any(change.before is not None and change.before.geometry.kind == "point" for change in changes)
    shown = "" if by_id else f" within {threshold or MOST_PX:g} px" if points else f" at IoU >= {threshold or LEAST_IOU:g}"
    return Diff(
        added=tuple(c for c in changes if c.kind == "added"),
        removed=tuple(c for c in changes if c.kind == "removed"),
        modified=tuple(c for c in changes if c.kind == "modified"),
        flags=flags,
        summary=summarize(changes, len(flags), frames_changed, max(len(left), len(right)), "id" if by_id else "geometry", shown),
    )


def _sides(row: dict[str, object]) -> tuple[FrameContent, FrameContent]:
    def side(suffix: str) -> FrameContent:
        return frame_value(
            {
                "frame_index": row["frame_index"],
                "annotations": row["annotations" + suffix] or (),
                "flags": row["flags" + suffix] or (),
                "state": row["state" + suffix] or "untouched",
            }
        )

    return side(""), side("_after")


def _share_ids(pairs: list[tuple[FrameContent, FrameContent]]) -> bool:
    populated = [(b, a) for b, a in pairs if b.annotations and a.annotations]
    return not populated or any({x.id for x in b.annotations} & {x.id for x in a.annotations} for b, a in populated)


def _by_id(before: FrameContent, after: FrameContent) -> list[Change]:
    old = {a.id: a for a in before.annotations}
    new = {a.id: a for a in after.annotations}
    paired = [Change(before.index, old.get(key), new.get(key)) for key in {**old, **new}]
    return [change for change in paired if change.kind != "modified" or change.fields]


def _by_geometry(before: FrameContent, after: FrameContent, threshold: float | None) -> list[Change]:
    left, right = before.annotations, after.annotations
    pairs = match_geometry(
        [a.geometry for a in left], [a.geometry for a in right], least_iou=threshold or LEAST_IOU, most_px=threshold or MOST_PX
    )
    paired = [Change(before.index, left[p.left], right[p.right]) for p in pairs]
    taken_left, taken_right = {p.left for p in pairs}, {p.right for p in pairs}
    gone = [Change(before.index, a, None) for n, a in enumerate(left) if n not in taken_left]
    come = [Change(before.index, None, a) for n, a in enumerate(right) if n not in taken_right]
    return [change for change in paired if change.fields] + gone + come
