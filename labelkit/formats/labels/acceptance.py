"""The one rule of what may come in: every reader's rows are judged here, as sets."""

from __future__ import annotations

from typing import TYPE_CHECKING, get_args

import numpy as np
import polars as pl

from labelkit.core.geometry import MIN_BOX_SIDE_PX, UNITS_PER_PX, px
from labelkit.errors import InvalidValue
from labelkit.formats.labels.rows import GEOMETRY, NOTES, REFUSED, ROWS, Chunk, NoteCode, OnInvalid, RefusedCode

if TYPE_CHECKING:
    from collections.abc import Sequence

    from labelkit.core.review.annotations import Capability

ROUNDING_PX = 0.01  # formats write two to six decimals: a label this little over the edge is rounded, not wrong
KEEPABLE = [str(code) for code in (RefusedCode.UNKNOWN_CLASS, RefusedCode.OUTSIDE_FRAME, RefusedCode.TOO_SMALL)]


def accept(
    raw: pl.DataFrame, frames: pl.DataFrame, capability: Capability, on_invalid: OnInvalid = "refuse", *, relative: bool = False
) -> Chunk:
    """Judge `RAW` rows; a row that comes with a code is refused with it.

    `frames` has index, width, height, problem; with `relative` the geometry is in fractions of the frame. Afterwards coordinates are
    rounded as `core.geometry.px` does, a box in a capability of points is its centre with the mean of its sides as size, and boxes are
    cut at the frame (without a note where they reach over by no more than `ROUNDING_PX`). A box of which the frame holds less than 1 px
    on a side is refused; one that was made that small is a label like any other, kept with a note. `on_invalid="keep"` leaves classes
    that the capability does not have, and geometry that is outside or too small, as they are, with a note. NaN and infinities are
    refused always: no content hash can hold them. Raises `INVALID_VALUE` for another `on_invalid`.
    """
    if on_invalid not in get_args(OnInvalid):
        raise InvalidValue(what="on_invalid", reason=f"{on_invalid!r} is no way to treat labels", fix="Use 'refuse' or 'keep'.")
    placed = _placed(raw, frames, relative=relative)
    if capability.geometry == "point":
        placed = _as_points(placed)
    judged = _cut(placed).with_columns(code=_verdict(capability), finding=pl.lit(None, pl.String))
    if on_invalid == "keep":
        judged = _with_findings(judged)
    kept, refused = judged.filter(pl.col("code").is_null()), judged.filter(pl.col("code").is_not_null())
    return Chunk(
        rows=_cut_rows(kept),
        refused=_told(refused, capability),
        notes=_notes(kept, capability),
    )


def rounded(frame: pl.DataFrame, columns: Sequence[str]) -> pl.DataFrame:
    """Return the frame with these Float64 columns rounded to a ten-thousandth, each value exactly as `core.geometry.px` rounds it."""
    return frame.with_columns(_px(frame[name]) for name in columns)


def _px(values: pl.Series) -> pl.Series:
    if values.null_count() == len(values):
        return values
    given = (values.fill_null(0.0) if values.null_count() else values).to_numpy()
    with np.errstate(all="ignore"):
        scaled = given * UNITS_PER_PX
        low = np.floor(scaled)
        out = (low + (scaled - low >= 0.5)) / UNITS_PER_PX + 0.0
        # so near to a half the product may itself have been rounded across it: there the decimal rounding of Python decides
        sure = (np.abs(scaled - low - 0.5) > np.abs(scaled) * 1e-15) & (np.abs(scaled) < 2.0**50)
    out[~sure] = [px(value) for value in given[~sure].tolist()]
    done = pl.Series(values.name, out)
    return done if values.null_count() == 0 else done.zip_with(values.is_not_null(), pl.Series(values.name, [None], dtype=pl.Float64))


def _placed(raw: pl.DataFrame, frames: pl.DataFrame, *, relative: bool) -> pl.DataFrame:
    """Add the frame's size as `fw` and `fh` (null where it has no picture), scale relative geometry, round."""
    size = pl.when(pl.col("problem").is_null() & (pl.col("width") > 0) & (pl.col("height") > 0))
    sizes = frames.select("problem", frame_index="index", fw=size.then("width").cast(pl.Float64), fh=size.then("height").cast(pl.Float64))
    placed = raw.join(sizes, on="frame_index", how="left", maintain_order="left")
    if relative:
        across = [pl.col(name) * pl.col("fw") for name in ("x", "width")]
        placed = placed.with_columns(*across, *(pl.col(name) * pl.col("fh") for name in ("y", "height")))
    return rounded(placed, GEOMETRY).with_columns(converted=pl.lit(value=False))


def _as_points(placed: pl.DataFrame) -> pl.DataFrame:
    negative = (pl.col("width") < 0) | (pl.col("height") < 0)
    box = pl.when(pl.col("width").is_not_null())
    centred = placed.with_columns(
        converted=pl.col("width").is_not_null(),
        code=pl.coalesce("code", pl.when(negative).then(pl.lit(str(RefusedCode.MALFORMED)))),
        x=box.then(pl.col("x") + pl.col("width") / 2).otherwise("x"),
        y=box.then(pl.col("y") + pl.col("height") / 2).otherwise("y"),
        size=box.then((pl.col("width") + pl.col("height")) / 2).otherwise("size"),
        width=pl.lit(None, pl.Float64),
        height=pl.lit(None, pl.Float64),
    )
    return rounded(centred, ("x", "y", "size"))


def _cut(placed: pl.DataFrame) -> pl.DataFrame:
    """Add what `Box.clamp` would leave (`cut_x`, `cut_y`, `cut_width`, `cut_height`) and `over`, the px by which the label leaves it."""
    right, bottom = (pl.col(at) + pl.col(side).fill_null(0.0) for at, side in (("x", "width"), ("y", "height")))
    ends = rounded(placed.with_columns(right=right, bottom=bottom), ("right", "bottom"))
    cut = ends.with_columns(
        over=pl.max_horizontal(-pl.col("x"), -pl.col("y"), pl.col("right") - pl.col("fw"), pl.col("bottom") - pl.col("fh")),
        cut_x=pl.col("x").clip(0.0, pl.col("fw")),
        cut_y=pl.col("y").clip(0.0, pl.col("fh")),
        right=pl.col("right").clip(0.0, pl.col("fw")),
        bottom=pl.col("bottom").clip(0.0, pl.col("fh")),
    )
    crossing = pl.when((pl.col("over") > 0) & pl.col("width").is_not_null())
    sides = cut.with_columns(
        cut_width=crossing.then(pl.col("right") - pl.col("cut_x")).otherwise("width"),
        cut_height=crossing.then(pl.col("bottom") - pl.col("cut_y")).otherwise("height"),
    )
    return rounded(sides, ("cut_width", "cut_height"))


def _verdict(capability: Capability) -> pl.Expr:
    """Return the code of the first rule that speaks, null where none does; those that cannot be kept stand first."""
    is_box = pl.col("width").is_not_null()
    no_number = pl.any_horizontal(~pl.col(name).is_finite() for name in (*GEOMETRY, "score"))
    incomplete = pl.any_horizontal(pl.col(name).is_null() for name in ("label", "x", "y")) | (is_box & pl.col("height").is_null())
    negative = pl.any_horizontal(pl.col(name) < 0 for name in ("width", "height", "size"))
    nothing_left = (pl.col("right") <= pl.col("cut_x")) | (pl.col("bottom") <= pl.col("cut_y"))
    sides = pl.min_horizontal("cut_width", "cut_height")
    rules = {
        RefusedCode.NO_IMAGE: pl.col("frame_index").is_null(),
        RefusedCode.FRAME_BROKEN: pl.col("fw").is_null(),
        RefusedCode.NOT_A_NUMBER: no_number,
        RefusedCode.MALFORMED: incomplete | negative,
        RefusedCode.NOT_A_BOX: ~is_box & pl.lit(capability.geometry == "box"),
        RefusedCode.SCORE_OUT_OF_RANGE: ~pl.col("score").is_between(0, 1),
        RefusedCode.UNKNOWN_CLASS: ~pl.col("label").is_in(list(capability.classes)),
        RefusedCode.OUTSIDE_FRAME: pl.when(is_box).then(nothing_left & (pl.col("over") > 0)).otherwise(pl.col("over") > ROUNDING_PX),
        RefusedCode.TOO_SMALL: is_box & ((sides <= 0) | ((sides < MIN_BOX_SIDE_PX) & (pl.col("over") > ROUNDING_PX))),
    }
    return pl.coalesce("code", *(pl.when(rule).then(pl.lit(str(code))) for code, rule in rules.items()))


def _with_findings(judged: pl.DataFrame) -> pl.DataFrame:
    """Turn the codes that may be kept into findings, and labels partly outside too."""
    keepable = pl.col("code").is_in(KEEPABLE)
    partly = pl.col("code").is_null() & (pl.col("over") > ROUNDING_PX)
    outside = pl.when(partly).then(pl.lit(str(RefusedCode.OUTSIDE_FRAME)))
    return judged.with_columns(finding=pl.when(keepable).then("code").otherwise(outside), code=pl.when(~keepable).then("code"))


def _detail(column: str, capability: Capability) -> pl.Expr:
    """Return the facts behind the code in `column`; a detail that came with the row stays."""
    code = pl.col(column)
    geometry = pl.concat_str(
        *(pl.lit(f"{name} ") + pl.col(name).round(4).cast(pl.String).fill_null("none") for name in GEOMETRY), separator=", "
    )
    in_frame = pl.format("{} in a frame of {} x {} px", geometry, pl.col("fw").cast(pl.Int64), pl.col("fh").cast(pl.Int64))
    unknown = pl.format("class {}; {} has {}", "label", pl.lit(capability.name), pl.lit(", ".join(capability.classes)))
    facts = {
        RefusedCode.NO_IMAGE: pl.lit("the media has no such frame"),
        RefusedCode.FRAME_BROKEN: pl.format("frame {}: {}", "frame_index", pl.col("problem").fill_null("its size is not known")),
        RefusedCode.SCORE_OUT_OF_RANGE: pl.format("score {}", "score"),
        RefusedCode.UNKNOWN_CLASS: unknown,
        RefusedCode.OUTSIDE_FRAME: in_frame,
        RefusedCode.TOO_SMALL: in_frame,
    }
    return pl.coalesce("detail", *(pl.when(code == str(which)).then(text) for which, text in facts.items()), geometry)


def _told(refused: pl.DataFrame, capability: Capability) -> pl.DataFrame:
    return refused.with_columns(detail=_detail("code", capability)).select(*REFUSED) if refused.height else refused.select(*REFUSED)


def _cut_rows(kept: pl.DataFrame) -> pl.DataFrame:
    cut = pl.when((pl.col("over") > 0) & pl.col("finding").is_null())
    sides = {name: cut.then(f"cut_{name}").otherwise(name).alias(name) for name in ("x", "y", "width", "height")}
    return kept.select(sides.get(name, pl.col(name)) for name in ROWS)


def _notes(kept: pl.DataFrame, capability: Capability) -> pl.DataFrame:
    cut = pl.col("finding").is_null() & (pl.col("over") > ROUNDING_PX)
    tiny = pl.col("finding").is_null() & (pl.min_horizontal("cut_width", "cut_height") < MIN_BOX_SIDE_PX)
    said = {
        NoteCode.KEPT_INVALID: (pl.col("finding").is_not_null(), pl.format("{}: {}", "finding", _detail("finding", capability))),
        NoteCode.TINY: (tiny, pl.format("{} x {} px", "cut_width", "cut_height")),
        NoteCode.CLAMPED: (cut, pl.format("{} px outside were cut off", pl.col("over").round(4))),
        NoteCode.CONVERTED: (pl.col("converted"), pl.format("a box, kept as a point of size {}", "size")),
        NoteCode.KEPT_NOT_EDITABLE: (pl.col("attributes").is_not_null(), pl.col("attributes").str.slice(0, 120)),
    }
    there = kept.select(which.any().alias(code) for code, (which, _) in said.items())
    found = [
        kept.filter(which).with_columns(code=pl.lit(str(code)), detail=text).select(*NOTES)
        for code, (which, text) in said.items()
        if there[code][0]
    ]
    return pl.concat(found) if found else pl.DataFrame(schema=NOTES)
