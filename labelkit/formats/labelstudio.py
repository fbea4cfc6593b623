"""Label Studio: a JSON or JSON-MIN export with tasks, the regions that people drew on them, and those that models predicted."""

from __future__ import annotations

from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from labelkit.errors import LabelsNotFound, LabelsUnreadable
from labelkit.formats.json_stream import JsonDocument
from labelkit.formats.labels.placing import FrameFinder, around_points, around_turned, judged, numbered, placed
from labelkit.formats.labels.rows import OnInvalid, RefusedCode
from labelkit.formats.labelstudio_regions import Region, regions
from labelkit.formats.labelstudio_tasks import answers, is_task, records_of_tasks
from labelkit.formats.manifest import MANIFEST

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from labelkit.core.review.annotations import Capability
    from labelkit.formats.labels.rows import Chunk
    from labelkit.formats.labelstudio_tasks import Prefer

REGIONS_A_CHUNK = 20_000
UPLOADED = r"(^|/)[0-9a-f]{8}-([^/]+)$"  # what Label Studio puts before the name of an uploaded picture
_KINDS: dict[str, pl.DataType] = {
    "image": pl.String(),
    "frame": pl.Int64(),
    "label": pl.String(),
    "points": pl.List(pl.Float64()),
    "attributes": pl.String(),
    "id": pl.String(),
    "code": pl.String(),
    "detail": pl.String(),
}
NO_TASK = Region(code=str(RefusedCode.MALFORMED), detail="it is no task with data and annotations, and no record of a picture")
_SCHEMA = {"line": pl.Int64(), **{name: _KINDS.get(name, pl.Float64()) for name in Region._fields}}


def read(
    source: str | Path,
    *,
    frames: pl.DataFrame,
    classes: Sequence[str] | None = None,  # noqa: ARG001 (one shape for all readers)
    capability: Capability,
    on_invalid: OnInvalid = "refuse",
    prefer: Prefer = "annotations",
) -> Iterator[Chunk]:
    """Read an export of tasks, or those of a folder (its one .json, or `tasks/*.json`); the line is the task, from 1.

    Chunks are of about `REGIONS_A_CHUNK` regions.

    A task belongs to the frame of its picture's path below the server, bucket or folder of local files, else of its file name, else of its
    stem, also without the eight signs that Label Studio puts before uploads. Of several answers to a task one is taken: annotations before
    predictions (`prefer="predictions"`: after), ground truth first, then the latest that was not cancelled; the regions of the others are
    refused, drafts are not read. Percent are of the frame. Rectangles and keypoints are read; a turned rectangle, an ellipse or a polygon
    is the box around it with its value in the attributes; a rectangle of a video is one a frame, those between keyframes with keyframe
    false. The score is the region's, else the prediction's. Kept in the attributes too: further labels, answers and notes about the region,
    and image_rotation. Regions of tasks that labelkit exported keep their ids; its flags are not read. Brushes, choices, texts and
    relations are refused. Classes are names, so `classes` is not needed. Raises `LABELS_NOT_FOUND`, and `LABELS_UNREADABLE` with the byte
    where it is no JSON.
    """
    finder = FrameFinder(frames)
    files = _files(Path(source))
    return chain.from_iterable(_chunks(file, finder, frames, capability, on_invalid, prefer) for file in files)


def _files(source: Path) -> list[Path]:
    if source.is_file():
        return [source]
    found = sorted(path for path in source.glob("*.json") if path.name != MANIFEST)
    parts = sorted(source.glob("tasks/*.json")) if len(found) != 1 or (source / MANIFEST).is_file() else []
    if parts or len(found) == 1:
        return parts or found
    reason = f"{len(found)} .json files are in it" if source.is_dir() else "there is no such file"
    raise LabelsNotFound(source=source, reason=reason, expected="the .json file that Label Studio exported")


def _chunks(
    file: Path, finder: FrameFinder, frames: pl.DataFrame, capability: Capability, on_invalid: OnInvalid, prefer: Prefer
) -> Iterator[Chunk]:
    sizes = frames.select(frame_index="index", fw=pl.col("width").cast(pl.Float64), fh=pl.col("height").cast(pl.Float64))
    for rows in _batches(file, frames.height, prefer):
        table = pl.DataFrame(rows, schema=_SCHEMA, orient="row").with_columns(file=pl.lit(file.name))
        table = table.rename({"original_width": "image_width", "original_height": "image_height"})
        both = (_of_pictures(table, finder), _of_videos(table, frames.height))
        for placed_ones in (some for some in both if some.height):
            sized = placed_ones.join(sizes, on="frame_index", how="left", maintain_order="left")
            yield judged(_boxes(sized), frames, capability, on_invalid)


def _batches(file: Path, frame_count: int, prefer: Prefer) -> Iterator[list[tuple[object, ...]]]:
    rows: list[tuple[object, ...]] = []
    for task in records_of_tasks(_records(file)):
        known = [(number, record) for number, record in task if is_task(record)]
        rows += [(number, *NO_TASK) for number, record in task if not is_task(record)]
        numbers = {id(record): number for number, record in known}
        for record, answer in answers([record for _, record in known], prefer):
            rows += [(numbers[id(record)], *region) for region in regions(record, answer, frame_count)]
        if len(rows) >= REGIONS_A_CHUNK:
            yield rows
            rows = []
    yield rows


def _records(file: Path) -> Iterator[object]:
    try:
        with file.open("rb") as stream:
            document = JsonDocument(stream, file)
            yield from chain.from_iterable(document.values()) if document.is_array() else (document.value(),)
            document.finish()
    except OSError as error:
        raise LabelsUnreadable(source=file, reason=str(error.strerror), fix="Ask for permission to read the file.") from error


def _of_pictures(rows: pl.DataFrame, finder: FrameFinder) -> pl.DataFrame:
    """Return the regions of pictures with their frame, found by name, also by the name before the upload."""
    pictures = rows.filter(pl.col("frame").is_null())
    found = finder.find(pictures.filter(pl.col("code").is_null())["image"])
    missing = found.filter((pl.col("code") == RefusedCode.NO_IMAGE) & pl.col("path").str.contains(UPLOADED))
    if missing.height:
        plain = missing.select("path", plain=pl.col("path").str.replace(UPLOADED, "$1$2"))
        again = plain.join(finder.find(plain["plain"]).rename({"path": "plain"}), on="plain", maintain_order="left")
        found = pl.concat([found.join(missing, on="path", how="anti", maintain_order="left"), again.select(found.columns)])
    return placed(pictures, found)


def _of_videos(rows: pl.DataFrame, frame_count: int) -> pl.DataFrame:
    lost = pl.format("frame {}: the media has {} frames", "frame", pl.lit(frame_count))
    return numbered(rows.filter(pl.col("frame").is_not_null()), pl.col("frame") - 1, frame_count, lost)


def _boxes(rows: pl.DataFrame) -> pl.DataFrame:
    """Return the regions in px: rectangles turned about their corner, ellipses about their centre, and boxes around points."""
    across, down = pl.col("fw") / 100, pl.col("fh") / 100
    turn = pl.col("rotation").radians().fill_null(0.0)
    in_px = rows.with_columns(
        pl.col("x", "width", "radius_x", "size") * across,
        pl.col("y", "height", "radius_y") * down,
    )
    wide = ((pl.col("radius_x") * turn.cos()) ** 2 + (pl.col("radius_y") * turn.sin()) ** 2).sqrt()
    high = ((pl.col("radius_x") * turn.sin()) ** 2 + (pl.col("radius_y") * turn.cos()) ** 2).sqrt()
    around = around_points(pl.col("points"))
    turned = in_px.with_columns(**around_turned(pl.col("rotation"), about="corner"))
    kinds = {
        "x": (pl.col("x") - wide, around["x"] * across),
        "y": (pl.col("y") - high, around["y"] * down),
        "width": (wide * 2, around["width"] * across),
        "height": (high * 2, around["height"] * down),
    }
    ellipse, polygon = pl.col("radius_x").is_not_null(), pl.col("points").is_not_null()
    return turned.with_columns(
        pl.when(ellipse).then(of_ellipse).when(polygon).then(of_polygon).otherwise(name).alias(name)
        for name, (of_ellipse, of_polygon) in kinds.items()
    )
