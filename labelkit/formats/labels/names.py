"""Which frame a label file or record means: by path, then by file name, then by stem, and only where that is unique."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import polars as pl

from labelkit.formats.labels.rows import RefusedCode

if TYPE_CHECKING:
    from collections.abc import Iterable

_OUTSIDE = r"^([A-Za-z]:|[\\/])|(^|[\\/])\.\.([\\/]|$)"
_NUMBER_AT_END = r"(\d{1,9})$"


def text_of(path: str) -> str:
    r"""Return a path as text that can be stored: bytes that are not UTF-8 become `\xhh`, as in the names of frames.

    Half a letter, which JSON can hold (`"\ud800"`), becomes `\ud800`.
    """
    try:
        return os.fsencode(path).decode("utf-8", "backslashreplace")
    except UnicodeEncodeError:
        return path.encode("utf-8", "backslashreplace").decode()


def match(paths: Iterable[str], frames: pl.DataFrame, *, images: bool) -> pl.DataFrame:
    """Return path, frame_index, code, detail, one row a different path: the frame that it means, or why none.

    `frames` has index and name. With `images` the paths name images (COCO): the whole path is tried, then the file name, then its
    stem; without, they name label files (YOLO): the path without suffix, then the stem. The first step that finds a frame decides.
    Several frames there are `LABEL_AMBIGUOUS_IMAGE`, and so are several paths for one frame, unless one alone was found at the first
    step. The frames of a video have no names: there the number at the end of the stem is the frame's index. Where `frames` says in the
    first row of `folders` what workspace, media and all media of the workspace are called, a path below `workspace/media`, as exports
    have it, is tried first, and one below the folder of another media is `LABEL_OTHER_MEDIA`. Paths are compared as text only, never
    opened.
    """
    wanted = pl.DataFrame({"path": list(dict.fromkeys(paths))}, schema={"path": pl.String})
    path, name = pl.col("path"), pl.col("name")
    own, elsewhere, sources = None, pl.lit(value=False), [path]
    if frames.height and "folders" in frames.columns:
        workspace, media, *others = frames["folders"][0]
        own = _below(f"{workspace}/{media}", path)
        elsewhere, sources = own.is_null() & _folder(workspace, path).is_in(others or [media]), [own, path]
    if frames.height and (frames["name"] == "").all():
        steps = [(_stem(one).str.extract(_NUMBER_AT_END).cast(pl.Int64), pl.col("index").cast(pl.Int64)) for one in sources]
    elif images:
        steps = [*((one, name) for one in sources), (_file_name(path), _file_name(name)), (_stem(path), _stem(name))]
    else:
        steps = [*((_without_suffix(one), _without_suffix(name)) for one in sources), (_stem(path), _stem(name))]
    both = _stepped(wanted.with_columns(elsewhere=elsewhere.fill_null(value=False)), frames, steps)
    return _judged(both, sure=0 if own is None else 1)


def _stepped(wanted: pl.DataFrame, frames: pl.DataFrame, steps: list[tuple[pl.Expr, pl.Expr]]) -> pl.DataFrame:
    """Return wanted with frame_index, count (of the frames there) and step, null where none finds a frame; each looks for the rest."""
    found, left = [], wanted.filter(~pl.col("elsewhere")).select("path")
    for number, (of_path, of_frame) in enumerate(steps):
        if left.is_empty():
            break
        there = frames.select(frame_index="index", key=of_frame).group_by("key").agg(pl.col("frame_index").first(), count=pl.len())
        tried = left.with_columns(key=of_path).join(there, on="key", how="left", maintain_order="left").drop("key")
        found.append(tried.filter(pl.col("count").is_not_null()).with_columns(step=pl.lit(number)))
        left = tried.filter(pl.col("count").is_null()).select("path")
    kinds = {"path": pl.String(), "frame_index": pl.Int32(), "count": pl.UInt32(), "step": pl.Int32()}
    known = pl.concat(
        [pl.DataFrame(schema=kinds), *(part.select(pl.col(name).cast(kind) for name, kind in kinds.items()) for part in found)]
    )
    return wanted.join(known, on="path", how="left", maintain_order="left")


def _judged(found: pl.DataFrame, sure: int) -> pl.DataFrame:
    """Return what was found with codes; the one path that found its frame earliest has it, if that was at a step up to `sure`."""
    claims, step = pl.len().over("frame_index"), pl.col("step")
    earliest = step == step.min().over("frame_index")
    alone = earliest & (step <= sure) & (earliest.sum().over("frame_index") == 1)
    disputed = found["frame_index"].drop_nulls().is_duplicated().any()  # windows over many frames cost more than all the rest
    rivals = pl.col("count").is_not_null() & (claims > 1) & ~alone if disputed else pl.lit(value=False)
    codes = {
        RefusedCode.OTHER_MEDIA: pl.col("elsewhere"),
        RefusedCode.OUTSIDE_ROOT: pl.col("path").str.contains(_OUTSIDE) & ((step != sure) | step.is_null()),
        RefusedCode.AMBIGUOUS_IMAGE: (pl.col("count") > 1) | rivals,
        RefusedCode.NO_IMAGE: pl.col("count").is_null(),
    }
    details = {
        RefusedCode.OTHER_MEDIA: pl.format("{} lies in the folder of another media", "path"),
        RefusedCode.OUTSIDE_ROOT: pl.format("{} is absolute or leads out of the folder; name it relative to the media", "path"),
        RefusedCode.AMBIGUOUS_IMAGE: pl.when(pl.col("count") > 1)
        .then(pl.format("{} could be any of {} frames", "path", "count"))
        .otherwise(pl.format("{} is one of {} names for frame {}", "path", claims, "frame_index")),
        RefusedCode.NO_IMAGE: pl.format("no frame is named as {}", "path"),
    }
    judged = found.with_columns(code=pl.coalesce(pl.when(rule).then(pl.lit(str(code))) for code, rule in codes.items()))
    return judged.select(
        "path",
        "code",
        frame_index=pl.when(pl.col("code").is_null()).then("frame_index"),
        detail=pl.coalesce(pl.when(pl.col("code") == str(code)).then(text) for code, text in details.items()),
    )


def _below(folder: str, path: pl.Expr) -> pl.Expr:
    return path.str.replace_all("\\", "/", literal=True).str.extract(rf"^(?:.*/)?{pl.escape_regex(folder)}/(.+)$")


def _folder(above: str, path: pl.Expr) -> pl.Expr:
    return path.str.replace_all("\\", "/", literal=True).str.extract(rf"^(?:.*/)?{pl.escape_regex(above)}/([^/]+)/")


def _file_name(path: pl.Expr) -> pl.Expr:
    return path.str.replace_all("\\", "/", literal=True).str.replace(r"^.*/", "")


def _stem(path: pl.Expr) -> pl.Expr:
    return _without_suffix(_file_name(path))


def _without_suffix(path: pl.Expr) -> pl.Expr:
    return path.str.replace(r"([^/])\.[^./]*$", "$1")
