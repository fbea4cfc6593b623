"""What validation finds in a whole content, as sets: hard findings that block a publish, and warnings.

The limits of `core.geometry` and the reducer, said once more as expressions because a content has hundreds of thousands of boxes; a
property test holds the two together. A box under 1 px on a side cannot be drawn but may be imported: it is small, not invalid.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from labelkit.core.review.annotations import Capability, FrameState
from labelkit.core.review.publishing import Finding, FindingCode

if TYPE_CHECKING:
    from collections.abc import Mapping

    from labelkit.core.review.annotations import FrameContent
    from labelkit.store.media import Frames
    from labelkit.store.review.content import Content

NEAR_IDENTICAL_IOU = 0.9
SLACK_PX = 0.00005  # half of what a rounded coordinate can differ by: as exact as `Box.inside`, whatever the sum of two floats
MOST_ROWS = 200


def find(content: Content, frames: Frames, capability: Capability) -> list[Finding]:
    """Return every finding: hard ones first, then warnings, by code and frame; after 200 of a code one row counts the rest."""
    rows = _on_frames(content.annotations(), frames)
    found = [*_hard(rows, capability), *_content_warnings(content), *_ball_warnings(rows, capability), *_twins(rows)]
    return sorted(found, key=lambda finding: (not finding.hard, finding.code, finding.frame))


def leaps(content: Content, changed: Mapping[int, FrameContent], frames: Frames, capability: Capability) -> pl.DataFrame:
    """Return the points that moved faster than is plausible from the one before: `frame_index`, `before`, `speed`, `id`, in frame order.

    `changed` stands in place of frames of the content. A frame with several points or none says nothing of where the point was: it is
    passed over. The speed is in frame widths a second.
    """
    places = ["frame_index", "id", "x", "y"]
    kept = content.annotations().select(places).filter(~pl.col("frame_index").is_in(list(changed)))
    new = [(index, a.id, a.geometry.x, a.geometry.y) for index, frame in changed.items() for a in frame.annotations]
    rows = pl.concat([kept, pl.DataFrame(new, schema=kept.schema, orient="row")])
    return _fast(_on_frames(rows, frames), capability)


def _on_frames(rows: pl.DataFrame, frames: Frames) -> pl.DataFrame:
    return rows.join(
        frames.rows.select(
            pl.col("index").alias("frame_index"), "pts_ms", pl.col("width").alias("frame_width"), pl.col("height").alias("frame_height")
        ),
        on="frame_index",
        how="left",
        maintain_order="left",
    )


def _hard(rows: pl.DataFrame, capability: Capability) -> list[Finding]:
    right, bottom = pl.col("x") + pl.col("width").fill_null(0), pl.col("y") + pl.col("height").fill_null(0)
    finite = pl.all_horizontal(pl.col(name).is_finite().fill_null(value=True) for name in ("x", "y", "width", "height", "size"))
    outside = (
        (pl.col("x") < 0) | (pl.col("y") < 0) | (right > pl.col("frame_width") + SLACK_PX) | (bottom > pl.col("frame_height") + SLACK_PX)
    )
    kind = pl.when(pl.col("width").is_null()).then(pl.lit("point")).otherwise(pl.lit("box"))
    known = pl.col("frame_width").is_not_null() & (pl.col("frame_width") > 0)
    empty = (pl.col("width") <= 0) | (pl.col("height") <= 0)
    rules = [
        (FindingCode.UNKNOWN_FRAME, ~known, "lies on a frame without a picture"),
        (FindingCode.NOT_A_NUMBER, ~finite, "has a coordinate that is no finite number"),
        (FindingCode.OUTSIDE_FRAME, known & finite & outside, "reaches outside the frame"),
        (FindingCode.EMPTY_BOX, finite & empty.fill_null(value=False), "is an empty box"),
        (FindingCode.UNKNOWN_CLASS, ~pl.col("label").is_in(list(capability.classes)), "is no class of " + capability.name),
        (FindingCode.WRONG_GEOMETRY, kind != capability.geometry, "is no " + capability.geometry),
        (FindingCode.DUPLICATE_ID, pl.struct("frame_index", "id").is_duplicated(), "shares its id with another annotation"),
    ]
    return [finding for code, rule, message in rules for finding in _listed(rows.filter(rule), code, message)]


def _listed(rows: pl.DataFrame, code: FindingCode, message: str) -> list[Finding]:
    found = [
        Finding(code, row["frame_index"], f"Frame {row['frame_index']}: {row['label']} {message}", row["id"])
        for row in rows.head(MOST_ROWS).iter_rows(named=True)
    ]
    if rows.height > MOST_ROWS:
        found.append(Finding(code, rows["frame_index"][MOST_ROWS], f"{rows.height - MOST_ROWS} more like this"))
    return found


def _content_warnings(content: Content) -> list[Finding]:
    untouched = content.rows.filter(pl.col("state") == FrameState.UNTOUCHED.value)["frame_index"]
    flagged = content.rows.filter(pl.col("flags").list.len() > 0)["frame_index"]
    found = []
    if len(untouched):
        found.append(Finding(FindingCode.UNTOUCHED_FRAMES, untouched[0], f"{len(untouched)} of {len(content)} frames were never looked at"))
    if len(flagged):
        found.append(Finding(FindingCode.FLAGGED_FRAMES, flagged[0], f"{len(flagged)} of {len(content)} frames are flagged"))
    return found


def _ball_warnings(rows: pl.DataFrame, capability: Capability) -> list[Finding]:
    if capability.geometry != "point":
        return []
    found = []
    if capability.single:
        several = rows.group_by("frame_index").len().filter(pl.col("len") > 1).sort("frame_index")
        found += [
            Finding(FindingCode.SEVERAL_BALLS, row["frame_index"], f"Frame {row['frame_index']} has {row['len']} points, one is expected")
            for row in several.head(MOST_ROWS).iter_rows(named=True)
        ]
    found += [
        Finding(
            FindingCode.BALL_JUMP,
            row["frame_index"],
            f"Frame {row['frame_index']}: the point moved {row['speed']:.1f} frame widths a second",
            row["id"],
        )
        for row in _fast(rows, capability).head(MOST_ROWS).iter_rows(named=True)
    ]
    return found


def _fast(rows: pl.DataFrame, capability: Capability) -> pl.DataFrame:
    limit = None if capability.geometry != "point" else capability.max_speed
    alone = rows.filter(pl.len().over("frame_index") == 1).sort("frame_index")
    seconds = (pl.col("pts_ms") - pl.col("pts_ms").shift(1)) / 1000
    distance = ((pl.col("x") - pl.col("x").shift(1)) ** 2 + (pl.col("y") - pl.col("y").shift(1)) ** 2).sqrt()
    speed = distance / pl.col("frame_width") / seconds
    moved = alone.select("frame_index", pl.col("frame_index").shift(1).alias("before"), speed.alias("speed"), "id")
    return moved.filter((pl.col("speed") > (float("inf") if limit is None else limit)) & pl.col("speed").is_finite())


def _twins(rows: pl.DataFrame) -> list[Finding]:
    boxes = (
        rows.lazy()
        .filter(pl.col("width").is_not_null())
        .with_row_index("n")
        .select("n", "frame_index", "id", "label", "x", "y", "width", "height")
    )
    pairs = boxes.join(boxes, on=["frame_index", "label"], suffix="_b").filter(pl.col("n") < pl.col("n_b"))
    across = pl.min_horizontal(pl.col("x") + pl.col("width"), pl.col("x_b") + pl.col("width_b")) - pl.max_horizontal("x", "x_b")
    down = pl.min_horizontal(pl.col("y") + pl.col("height"), pl.col("y_b") + pl.col("height_b")) - pl.max_horizontal("y", "y_b")
    shared = pl.max_horizontal(across, pl.lit(0.0)) * pl.max_horizontal(down, pl.lit(0.0))
    union = pl.col("width") * pl.col("height") + pl.col("width_b") * pl.col("height_b") - shared
    near = pairs.filter(shared / union >= NEAR_IDENTICAL_IOU).sort("frame_index", "n").collect()
    return [
        Finding(
            FindingCode.NEAR_IDENTICAL_BOXES,
            row["frame_index"],
            f"Frame {row['frame_index']}: two {row['label']} boxes are nearly identical",
            row["id"],
        )
        for row in near.head(MOST_ROWS).iter_rows(named=True)
    ]
