"""CVAT: one XML file with images and their shapes (CVAT for images 1.1), or with tracks over the frames of a video (CVAT for video 1.1)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from labelkit.errors import LabelsNotFound, LabelsUnreadable
from labelkit.formats.cvat_shapes import Place, Shape, shape_of
from labelkit.formats.labels.placing import FrameFinder, around_points, around_turned, judged, numbered, numbers, placed
from labelkit.formats.labels.rows import OnInvalid, RefusedCode
from labelkit.formats.xml_stream import BrokenXmlError, Element, elements

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from labelkit.core.review.annotations import Capability
    from labelkit.formats.labels.rows import Chunk

SHAPES_A_CHUNK = 20_000
_SIDES = Place._fields[:6]
_TEXTS = ("frame", "image_width", "image_height", *_SIDES, "degrees", "score", "size")
_SCHEMA: dict[str, pl.DataType] = {name: pl.String() for name in (*Shape._fields[:-1], *Place._fields)} | {"line": pl.Int64()}


def read(
    source: str | Path,
    *,
    frames: pl.DataFrame,
    classes: Sequence[str] | None = None,  # noqa: ARG001 (one shape for all readers)
    capability: Capability,
    on_invalid: OnInvalid = "refuse",
) -> Iterator[Chunk]:
    """Read a CVAT file, or those of a folder (its annotations.xml, else its one .xml, else `annotations/*.xml`).

    Chunks are of `SHAPES_A_CHUNK` shapes.

    An `<image>` belongs to the frame of its name (with its subset as folder before it, where there is such a frame), else of its name
    without folders, else of its stem. The frames of tracks are those of the video that the task was made from; where the media has just
    the task's frames, they count in it. A shape outside is no label. Corners are px. Boxes are read; a turned box, polygon, polyline,
    ellipse, cuboid, mask or skeleton is the box around it, with its form in the attributes; a single point is a point; tags have no
    place. Kept in the attributes too: those that the label declares, track_id, and occluded, z_order, group_id, source and keyframe
    where they say something. What an export of labelkit says of itself (ids, scores, sizes of points) is taken; its flags are not read.
    Classes are names, so `classes` is not needed. Raises `LABELS_NOT_FOUND`; `LABELS_UNREADABLE` with the
    line of what is no such XML, and for tracks of several tasks, which count their frames each from their own start.
    """
    finder = FrameFinder(frames)
    files = _files(Path(source))
    return chain.from_iterable(_chunks(file, finder, frames, capability, on_invalid) for file in files)


def _files(source: Path) -> list[Path]:
    if source.is_file():
        return [source]
    found = [source / "annotations.xml"] if (source / "annotations.xml").is_file() else sorted(source.glob("*.xml"))
    parts = [] if found else sorted(source.glob("annotations/*.xml"))
    if len(found) == 1 or parts:
        return parts or found
    reason = f"{len(found)} .xml files are in it, none of them annotations.xml" if source.is_dir() else "there is no such file"
    raise LabelsNotFound(source=source, reason=reason, expected="the annotations.xml that CVAT exported")


def _chunks(file: Path, finder: FrameFinder, frames: pl.DataFrame, capability: Capability, on_invalid: OnInvalid) -> Iterator[Chunk]:
    for tasks, shapes in _batches(file):
        rows = pl.DataFrame([(*shape[:-1], *shape.place) for shape in shapes], schema=_SCHEMA, orient="row")
        rows = numbers(rows.with_columns(file=pl.lit(file.name)), _TEXTS)
        of_images, of_tracks = rows.filter(pl.col("frame").is_null()), rows.filter(pl.col("frame").is_not_null())
        if of_images.height:
            named = of_images.with_columns(image=_image(frames))
            yield judged(_boxes(placed(named, finder.find(named["image"]))), frames, capability, on_invalid)
        if of_tracks.height:
            yield judged(_boxes(_numbering(file, tasks, frames).placed(of_tracks)), frames, capability, on_invalid)


def _batches(file: Path) -> Iterator[tuple[list[Element], list[Shape]]]:
    """Parse the file: what it has said so far of its tasks, and some shapes."""
    tasks: list[Element] = []
    shapes: list[Shape] = []
    try:
        with file.open("rb") as stream:
            for element in elements(stream, "annotations", depth=2):
                owner = element.parent
                if owner is None or owner.tag == "meta":
                    tasks += _tasks(element)
                elif owner.tag in {"image", "track"} and (shape := shape_of(element, owner)) is not None:
                    shapes.append(shape)
                    if len(shapes) == SHAPES_A_CHUNK:
                        yield tasks, shapes
                        shapes = []
    except BrokenXmlError as error:
        fix = "Export it from CVAT again, whole, as CVAT for images 1.1 or CVAT for video 1.1."
        raise LabelsUnreadable(source=file, reason=f"line {error.line}: {error}", fix=fix) from error
    except OSError as error:
        raise LabelsUnreadable(source=file, reason=str(error.strerror), fix="Ask for permission to read the file.") from error
    yield tasks, shapes


def _tasks(element: Element) -> list[Element]:
    below = element.find("tasks")
    return [child for child in below.children if child.tag == "task"] if below is not None else [element] if element.tag == "task" else []


@dataclass(frozen=True, slots=True)
class Numbering:
    """How the frame numbers of tracks become indices: `(number - start) / step`, in a media of `frame_count` frames."""

    start: int
    step: int
    frame_count: int

    def placed(self, rows: pl.DataFrame) -> pl.DataFrame:
        """Return track rows with frame_index, and a code and detail where the media has no such frame."""
        facts = (self.frame_count, self.start, self.step)
        number = pl.col("frame").cast(pl.Int64, strict=False)
        lost = pl.format("frame {}: the {} frames of the media count from {} in steps of {}", number, *map(pl.lit, facts))
        return numbered(rows, (pl.col("frame") - self.start) / self.step, self.frame_count, lost)


def _numbering(file: Path, tasks: list[Element], frames: pl.DataFrame) -> Numbering:
    """Return how tracks count: in the whole video, or in the frames of the task where the media has just these."""
    if len(tasks) > 1:
        raise LabelsUnreadable(source=file, reason="it holds tracks of several tasks", fix="Export each task for itself.")
    said = {name: _count(tasks[0].text_of(name)) for name in ("size", "start_frame", "stop_frame")} if tasks else {}
    step = re.search(r"step\s*=\s*(\d{1,6})", tasks[0].text_of("frame_filter") or "") if tasks else None
    of_task = Numbering(said.get("start_frame") or 0, max(int(step[1]), 1) if step else 1, frames.height)
    whole = Numbering(0, 1, frames.height)
    if said.get("size") == frames.height:
        return of_task
    return whole if frames.height > (said.get("stop_frame") or 0) else of_task


def _count(text: str | None) -> int | None:
    return int(text) if text and text.isdecimal() and len(text) < 10 else None


def _image(frames: pl.DataFrame) -> pl.Expr:
    """Return the name of the image, below its subset where a frame is named so."""
    below = pl.format("{}/{}", "subset", "image")
    return pl.when(below.is_in(frames["name"].to_list())).then(below).otherwise("image")


def _boxes(rows: pl.DataFrame) -> pl.DataFrame:
    """Return shapes with x, y, width, height in px, and a code where points are none."""
    parts = pl.col("points").str.replace_all(";", ",", literal=True).str.split(",")
    listed = rows.with_columns(numbers=parts.list.eval(pl.element().str.strip_chars().cast(pl.Float64, strict=False)))
    has_points = pl.col("points").is_not_null()
    odd = has_points & (pl.col("numbers").list.len() % 2 == 1)
    wrong = has_points & pl.col("numbers").list.eval(pl.element().is_null()).list.any()
    fresh = pl.when(pl.col("code").is_null())
    coded = listed.with_columns(
        code=pl.coalesce(
            "code",
            fresh.then(pl.when(wrong).then(pl.lit(str(RefusedCode.NOT_A_NUMBER)))),
            fresh.then(pl.when(odd).then(pl.lit(str(RefusedCode.MALFORMED)))),
        ),
        detail=pl.coalesce("detail", fresh.then(pl.when(wrong | odd).then(pl.format("points {}", pl.col("points").str.slice(0, 80))))),
        x="left",
        y="top",
        width=pl.coalesce("width", pl.col("right") - pl.col("left")),
        height=pl.coalesce("height", pl.col("bottom") - pl.col("top")),
    )
    turned = coded.with_columns(**around_turned(pl.col("degrees"), about="centre"))
    around = around_points(pl.col("numbers"))
    return turned.with_columns(pl.when(has_points).then(value).otherwise(name).alias(name) for name, value in around.items())
