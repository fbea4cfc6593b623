"""MOT Challenge: one text file a video, one line a box: frame, id, left, top, width, height, confidence, and class and visibility."""

from __future__ import annotations

import configparser
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from labelkit.errors import ClassesUnknown, LabelsNotFound, LabelsUnreadable
from labelkit.formats.labels.attribute_columns import attributes_of
from labelkit.formats.labels.placing import judged
from labelkit.formats.labels.rows import OnInvalid, RefusedCode
from labelkit.formats.labels.text_lines import lines

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from labelkit.core.review.annotations import Capability
    from labelkit.formats.labels.rows import Chunk

FILES = ("gt/gt.txt", "det/det.txt", "gt.txt", "det.txt")
CLASSES = (  # of MOT16, MOT17 and MOT20, where no labels.txt says otherwise
    "pedestrian",
    "person_on_vehicle",
    "car",
    "bicycle",
    "motorbike",
    "non_motorized_vehicle",
    "static_person",
    "distractor",
    "occluder",
    "occluder_on_the_ground",
    "occluder_full",
    "reflection",
    "crowd",
)
_FIELDS = ("frame", "id", "left", "top", "width", "height", "confidence", "seventh", "eighth", "ninth")
_BETWEEN = r"\s*[,;\s]\s*"


def read(
    source: str | Path,
    *,
    frames: pl.DataFrame,
    classes: Sequence[str] | None = None,
    capability: Capability,
    on_invalid: OnInvalid = "refuse",
    one_based: bool = False,
    first_frame: int | None = None,
) -> Iterator[Chunk]:
    """Read a sequence's folder (its gt/gt.txt, else its det/det.txt) or one such file, in chunks of a few MB.

    Fields stand between commas or blanks: 6 to 8 of the list above, 9 with class and visibility (MOT16 on), or 10 with a place in the
    world instead (MOT15, det.txt); -1 is unknown. Frames count from 1, or from 0 where the file has a frame 0; where every frame of the
    media is named by a number (000060.jpg) and the file has none below, by that number; `first_frame` says what the first frame of the
    media is called. Left and top are px as they stand, as CVAT and other tools write them; `one_based=True` takes 1 from each, as the
    challenge itself counts. Classes count from 1: `classes`, else labels.txt beside the file, else those of MOT16; a line without a
    class has the only one there is. Where the id is -1 the confidence is the score; in tracks, 1 says nothing and 0 that the entry is
    to be ignored. Kept in the attributes: track_id, visibility, ignored, world_x, world_y, world_z, and a confidence that is not
    between 0 and 1. Raises `LABELS_NOT_FOUND`, `LABELS_UNREADABLE`, `CLASSES_UNKNOWN`.
    """
    file = _file(Path(source))
    names = _classes(file, classes)
    size = _size(file)
    return _chunks(file, names, size, frames, capability, on_invalid, shift=1.0 if one_based else 0.0, first_frame=first_frame)


def _file(source: Path) -> Path:
    if source.is_file():
        return source
    found = next((source / name for name in FILES if (source / name).is_file()), None)
    if found is None:
        reason = f"none of {', '.join(FILES)} is in it" if source.is_dir() else "there is no such file"
        raise LabelsNotFound(source=source, reason=reason, expected="the folder of one sequence, or its gt.txt or det.txt")
    return found


def _classes(file: Path, given: Sequence[str] | None) -> tuple[str, ...]:
    if given is not None:
        names = (given,) if isinstance(given, str) else tuple(given)
    elif (beside := file.parent / "labels.txt").is_file():
        names = tuple(text.strip() for part in lines(beside) for text in part["text"])
    else:
        names = CLASSES
    if not names:
        raise ClassesUnknown(source=file, reason="no names are given", places="labels.txt")
    return names


def _size(file: Path) -> tuple[float | None, float | None]:
    """Return width and height of the pictures as seqinfo.ini says, beside the file or in the folder above."""
    for place in (file.parent, file.parent.parent):
        if (place / "seqinfo.ini").is_file():
            parser = configparser.ConfigParser(interpolation=None)
            try:
                parser.read(place / "seqinfo.ini", encoding="utf-8-sig")
                return parser.getfloat("Sequence", "imWidth", fallback=None), parser.getfloat("Sequence", "imHeight", fallback=None)
            except (configparser.Error, ValueError, OSError) as error:
                reason = " ".join(str(error).split())
                raise LabelsUnreadable(source=place / "seqinfo.ini", reason=reason, fix="Correct it, or take it away.") from error
    return None, None


def _chunks(
    file: Path,
    names: tuple[str, ...],
    size: tuple[float | None, float | None],
    frames: pl.DataFrame,
    capability: Capability,
    on_invalid: OnInvalid,
    *,
    shift: float,
    first_frame: int | None,
) -> Iterator[Chunk]:
    numbers = _frame_numbers(frames, _lowest(file) if first_frame is None else None, first_frame)
    for part in lines(file):
        fields = _fields(part).join(numbers, on="frame", how="left", maintain_order="left")
        boxes = _boxes(fields, names, frames, shift).with_columns(
            file=pl.lit(file.name), image_width=pl.lit(size[0], pl.Float64), image_height=pl.lit(size[1], pl.Float64)
        )
        yield judged(boxes, frames, capability, on_invalid)


def _lowest(file: Path) -> float | None:
    """Return the lowest frame number of the file."""
    first = pl.col("text").str.strip_chars().str.extract(r"^([^,;\s]+)").cast(pl.Float64, strict=False)
    found = [part.select(first.min()).item() for part in lines(file)]
    return min((number for number in found if number is not None), default=None)


def _frame_numbers(frames: pl.DataFrame, lowest: float | None, first_frame: int | None) -> pl.DataFrame:
    """Return frame (the number in the file) and frame_index: by the number that is its name, else by place in the media."""
    stem = pl.col("name").str.replace(r"^.*/", "").str.replace(r"\.[^.]*$", "")
    named = frames.select(frame_index="index", frame=stem.str.extract(r"^(\d{1,15})$").cast(pl.Float64))
    if lowest is not None and named["frame"].null_count() == 0 and named["frame"].is_unique().all():
        smallest = min(named["frame"].to_list(), default=lowest + 1)
        if lowest >= smallest and (smallest >= 1 or lowest == 0):
            return named
    first = first_frame if first_frame is not None else 0 if lowest == 0 else 1
    return frames.select(frame_index="index", frame=(pl.col("index").cast(pl.Float64) + first))


def _fields(part: pl.DataFrame) -> pl.DataFrame:
    """Return the fields of each line as numbers, with a code where they are none."""
    texts = part.with_columns(fields=pl.col("text").str.strip_chars().str.replace_all(_BETWEEN, " ").str.split(" "))
    raw = [pl.col("fields").list.get(at, null_on_oob=True).alias(name) for at, name in enumerate(_FIELDS)]
    parsed = texts.with_columns(raw).with_columns(pl.col(name).cast(pl.Float64, strict=False).alias(f"{name}_number") for name in _FIELDS)
    count = pl.col("fields").list.len()
    wrong = pl.any_horizontal(pl.col(name).is_not_null() & pl.col(f"{name}_number").is_null() for name in _FIELDS)
    shape = pl.when((count < 6) | (count > 10)).then(pl.lit(str(RefusedCode.MALFORMED)))
    about = pl.col("text").str.slice(0, 80)
    return parsed.select(
        "line",
        *(pl.col(f"{name}_number").alias(name) for name in _FIELDS),
        count=count,
        code=pl.coalesce(shape, pl.when(wrong).then(pl.lit(str(RefusedCode.NOT_A_NUMBER)))),
        detail=pl.when(shape.is_not_null())
        .then(pl.format("{} fields, not 6 to 10: {}", count, about))
        .otherwise(pl.when(wrong).then(about)),
    )


def _boxes(fields: pl.DataFrame, names: tuple[str, ...], frames: pl.DataFrame, shift: float) -> pl.DataFrame:
    known = pl.DataFrame({"class": range(1, len(names) + 1), "label": names}, schema={"class": pl.Float64, "label": pl.String})
    only = pl.lit(names[0] if len(names) == 1 else None, pl.String)
    said = fields.with_columns(pl.when(pl.col("count") < 10).then(_known("seventh")).alias("class"), confidence=_known("confidence"))
    named = said.join(known, on="class", how="left", maintain_order="left")
    label = pl.when(pl.col("class").is_null()).then(only).otherwise("label")
    number = pl.coalesce(pl.col("frame").cast(pl.Int64, strict=False).cast(pl.String), pl.col("frame").cast(pl.String))
    of = pl.col("class").cast(pl.String).str.replace(r"\.0$", "").fill_null("none")
    fresh, lost, nameless = pl.col("code").is_null(), pl.col("frame_index").is_null(), label.is_null()
    rules = (
        (fresh & lost, RefusedCode.NO_IMAGE, pl.format("frame {}: the media has {} frames", number, pl.lit(frames.height))),
        (fresh & nameless, RefusedCode.CLASS_OUT_OF_RANGE, pl.format("class {} of 1 to {}", of, pl.lit(len(names)))),
    )
    return named.with_columns(
        label=label,
        x=pl.col("left") - shift,
        y=pl.col("top") - shift,
        score=pl.when(_is_score() & ~(_in_track() & pl.col("confidence").is_in([0.0, 1.0]))).then("confidence"),
        attributes=attributes_of(_attributes(named)),
        code=pl.coalesce("code", *(pl.when(rule).then(pl.lit(str(code))) for rule, code, _ in rules)),
        detail=pl.coalesce("detail", *(pl.when(rule).then(text) for rule, _, text in rules)),
    )


def _attributes(named: pl.DataFrame) -> pl.DataFrame:
    """Return what is kept beside class, box and score, null where it says nothing."""
    with_class, in_world = pl.col("count") == 9, pl.col("count") == 10
    placed = in_world & ~pl.all_horizontal(pl.col(name) == -1 for name in ("seventh", "eighth", "ninth"))
    return named.select(
        track_id=pl.when(_in_track()).then("id"),
        ignored=pl.when(_in_track() & (pl.col("confidence") == 0)).then(pl.lit(value=True)),
        confidence=pl.when(~_is_score()).then("confidence"),
        visibility=pl.when(with_class).then(_known("eighth")),
        world_x=pl.when(placed).then("seventh"),
        world_y=pl.when(placed).then("eighth"),
        world_z=pl.when(placed).then("ninth"),
    )


def _in_track() -> pl.Expr:
    return pl.col("id").is_finite() & (pl.col("id") >= 0)


def _is_score() -> pl.Expr:
    """Say whether a confidence goes as the score: between 0 and 1, or no number at all, which is refused there."""
    return pl.col("confidence").is_between(0, 1) | ~pl.col("confidence").is_finite()


def _known(name: str) -> pl.Expr:
    return pl.when(pl.col(name) != -1).then(name)
