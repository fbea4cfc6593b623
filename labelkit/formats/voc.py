"""Pascal VOC: a folder of XML files, one a picture, with objects and their boxes; ImageNet, LabelImg, Roboflow and CVAT write it too."""

from __future__ import annotations

import io
import math
from typing import TYPE_CHECKING, Any

import polars as pl

from labelkit.formats.labels.attributes import canonical_text, exact_text
from labelkit.formats.labels.label_files import RefusedFileError, content, label_files
from labelkit.formats.labels.names import match
from labelkit.formats.labels.placing import around_turned, judged, numbers
from labelkit.formats.labels.rows import OnInvalid, RefusedCode, refused_chunk
from labelkit.formats.xml_stream import BrokenXmlError, Element, elements

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from labelkit.core.review.annotations import Capability
    from labelkit.formats.labels.rows import Chunk

FILES_A_CHUNK = 2048
OBJECTS_A_CHUNK = 20_000
CORNERS = ("xmin", "ymin", "xmax", "ymax")
FLAGS = ("truncated", "difficult", "occluded", "crowd", "deleted")
OWN = "labelkit"  # the element in which our own exports say what VOC has no place for
_NOT_KEPT = ("name", "bndbox", "score", "confidence", "attributes", OWN)
_NO = ("", "0", "false", "no", "unspecified")  # said of a flag or a pose these say nothing
_TEXTS = ("label", *CORNERS, "score", "degrees", "point_x", "point_y", "point_size")
_OBJECT = {"file": pl.String(), "line": pl.Int64(), **dict.fromkeys((*_TEXTS, "attributes", "id", "code", "detail"), pl.String())}
_NOTHING = Element(OWN, {}, 0, None)
_PICTURE = {"file": pl.String(), "named": pl.String(), "image_width": pl.String(), "image_height": pl.String()}


def read(
    source: str | Path,
    *,
    frames: pl.DataFrame,
    classes: Sequence[str] | None = None,  # noqa: ARG001 (one shape for all readers)
    capability: Capability,
    on_invalid: OnInvalid = "refuse",
    one_based: bool = False,
) -> Iterator[Chunk]:
    """Read a folder of VOC files with its subfolders, or one file, in chunks of at most `FILES_A_CHUNK` files.

    A file belongs to the frame of its path without suffix, else of its stem, else of its `<filename>`; where the two mean different frames
    it is refused. Classes are names, so `classes` is not needed. Corners are px and taken as edges, width = xmax - xmin, as CVAT, LabelImg
    and other tools write and read them; `one_based=True` reads them as the numbers of the first and last pixel counted from 1, as VOC's own
    kit defines them. `<score>` or `<confidence>` is the score, a `<robndbox>` (centre, size, radians) the box around it. Everything else of
    an object (truncated, difficult, occluded, pose, parts, actions, polygon, attributes) is kept in the attributes, unless it says no. What
    an export of labelkit says of itself (ids, exact points) is taken from there. A file that is no such XML is refused with its line.
    Raises `LABELS_NOT_FOUND`, `LABELS_UNREADABLE`.
    """
    root, files = label_files(source, (".xml",))
    found = match(files, frames, images=False)
    return _chunks(root, files, found, frames, capability, on_invalid, shift=1.0 if one_based else 0.0)


def _chunks(
    root: Path,
    files: dict[str, str],
    found: pl.DataFrame,
    frames: pl.DataFrame,
    capability: Capability,
    on_invalid: OnInvalid,
    *,
    shift: float,
) -> Iterator[Chunk]:
    hopeless = pl.col("code").is_not_null() & (pl.col("code") != RefusedCode.NO_IMAGE)
    if found.select(hopeless.any()).item():
        yield refused_chunk(found.filter(hopeless).select("code", "detail", file="path"))
    taken = found.filter(pl.col("frame_index").is_not_null()).select("frame_index", owner="path")
    for pictures, objects, refused in _batches(root, files, found.filter(~hopeless.fill_null(value=False))["path"]):
        if refused:
            yield refused_chunk(pl.DataFrame(refused, schema=["file", "line", "code", "detail"], orient="row"))
        known = _frames_of(pictures, found, taken, frames)
        lost = known.filter(pl.col("code").is_not_null())
        if lost.height:
            yield refused_chunk(lost.select("file", "code", "detail"))
        known = known.filter(pl.col("code").is_null())
        taken = pl.concat([taken, known.select("frame_index", owner="file")]).unique("frame_index", keep="first")
        records = _boxes(objects, shift, as_points=capability.geometry == "point").join(
            known.drop("code", "detail"), on="file", maintain_order="left"
        )
        yield judged(records, frames, capability, on_invalid)


def _batches(root: Path, files: dict[str, str], names: pl.Series) -> Iterator[tuple[pl.DataFrame, pl.DataFrame, list[tuple[Any, ...]]]]:
    """Parse the files: what they say of their picture, their objects, and a refusal (file, line, code, detail) for each that is no VOC."""
    pictures: list[tuple[Any, ...]] = []
    objects: list[tuple[Any, ...]] = []
    refused: list[tuple[Any, ...]] = []
    for name in names:
        try:
            parts = list(elements(io.BytesIO(content(files[name], root)), "annotation"))
        except BrokenXmlError as error:
            refused.append((name, error.line, str(RefusedCode.MALFORMED), f"it is no VOC file: {error}"))
            continue
        except RefusedFileError as error:
            refused.append((name, None, str(error.code), f"{name}: {error}"))
            continue
        pictures.append((name, *_picture(parts)))
        objects.extend((name, *_object(part)) for part in parts if part.tag == "object")
        if len(pictures) == FILES_A_CHUNK or len(objects) >= OBJECTS_A_CHUNK:
            yield pl.DataFrame(pictures, _PICTURE, orient="row"), pl.DataFrame(objects, _OBJECT, orient="row"), refused
            pictures, objects, refused = [], [], []
    yield pl.DataFrame(pictures, _PICTURE, orient="row"), pl.DataFrame(objects, _OBJECT, orient="row"), refused


def _frames_of(pictures: pl.DataFrame, found: pl.DataFrame, taken: pl.DataFrame, frames: pl.DataFrame) -> pl.DataFrame:
    """Return file, frame_index, code, detail, image_width, image_height: the frame by the file's path, else by what it says inside."""
    inside = match(pictures["named"].drop_nulls(), frames, images=True).select(
        named="path", inner="frame_index", inner_code="code", inner_detail="detail"
    )
    both = pictures.join(found.rename({"path": "file"}), on="file", how="left", maintain_order="left")
    both = both.join(inside, on="named", how="left", maintain_order="left")
    both = both.join(taken.rename({"frame_index": "inner"}), on="inner", how="left", maintain_order="left")
    by_path, inner = pl.col("frame_index").is_not_null(), pl.col("inner").is_not_null()
    by_name = ~by_path & inner
    twice = by_name & (pl.col("owner").is_not_null() | (by_name.cum_sum().over("inner") > 1))
    rules = (
        (
            by_path & (pl.col("inner") != pl.col("frame_index")),
            pl.format("the file is named as another frame than its filename {}", "named"),
        ),
        (twice, pl.format("{} is the filename in another label file too", "named")),
    )
    wrong = pl.coalesce(pl.when(rule).then(said) for rule, said in rules)
    unplaced = pl.when(~by_path & ~inner)
    size = [pl.col(name).cast(pl.Float64, strict=False) for name in ("image_width", "image_height")]
    return both.select(
        "file",
        *size,
        frame_index=pl.coalesce("frame_index", "inner"),
        code=pl.when(wrong.is_not_null()).then(pl.lit(str(RefusedCode.AMBIGUOUS_IMAGE))).otherwise(unplaced.then("code")),
        detail=pl.coalesce(wrong, unplaced.then(pl.format("{}, and its filename is {}", "detail", pl.col("named").fill_null("not given")))),
    )


def _picture(parts: list[Element]) -> tuple[str | None, str | None, str | None]:
    size = next((part for part in parts if part.tag == "size"), None)
    named = next((part.text for part in parts if part.tag == "filename"), None)
    if size is None:
        return named or None, None, None
    return named or None, size.text_of("width"), size.text_of("height")


def _object(part: Element) -> tuple[Any, ...]:
    own = part.find(OWN) or _NOTHING
    box, turned = part.find("bndbox"), part.find("robndbox")
    corners: list[str | None] = [None if box is None else box.text_of(name) for name in CORNERS]
    degrees = None
    if box is None and turned is not None:
        corners, degrees = _corners_of_turned(turned)
    code = str(RefusedCode.MALFORMED) if None in corners or "" in corners else None
    attributes = exact_text(own.text_of("attributes")) or attributes_of(part)
    point = (own.text_of("x"), own.text_of("y"), own.text_of("size"))
    score = part.text_of("score") or part.text_of("confidence")
    detail = code and f"{part.text_of('name')}: it has no bndbox with {', '.join(CORNERS)}"
    return part.line, part.text_of("name") or None, *corners, score, degrees, *point, attributes, own.text_of("id"), code, detail


def _corners_of_turned(turned: Element) -> tuple[list[str | None], str | None]:
    try:
        x, y, width, height, angle = (float(turned.text_of(name) or "") for name in ("cx", "cy", "w", "h", "angle"))
    except ValueError:
        return [None] * 4, None
    return [str(x - width / 2), str(y - height / 2), str(x + width / 2), str(y + height / 2)], str(math.degrees(angle))


def attributes_of(part: Element) -> str | None:
    """Return as canonical JSON text what an object holds beside class, box and score and is not a no."""
    kept: dict[str, Any] = {}
    attributes = part.find("attributes")
    for one in attributes.children if attributes else ():
        name = one.text_of("name")
        if name:
            kept[name] = one.text_of("value") or ""
    for child in part.children:
        if child.tag not in _NOT_KEPT:
            _add(kept, child)
    return canonical_text(kept) if kept else None


def _add(kept: dict[str, Any], child: Element) -> None:
    value: Any = child.text
    if child.children:
        value = {}
        for below in child.children:
            _add(value, below)
    elif child.tag in FLAGS or child.tag == "pose":
        if child.text.lower() in _NO:
            return
        value = True if child.text.lower() in {"1", "true", "yes"} else child.text
    elif not child.text:
        return
    if child.tag in kept:
        before = kept[child.tag]
        value = [*before, value] if isinstance(before, list) else [before, value]
    kept[child.tag] = value


def _boxes(objects: pl.DataFrame, shift: float, *, as_points: bool) -> pl.DataFrame:
    """Return objects with x, y, width, height (or size) in px; `shift` is what the first corner loses."""
    parsed = numbers(objects, _TEXTS[1:])
    left, top = pl.col("xmin") - shift, pl.col("ymin") - shift
    boxes = parsed.with_columns(x=left, y=top, width=pl.col("xmax") - left, height=pl.col("ymax") - top)
    turned = boxes.with_columns(**around_turned(pl.col("degrees"), about="centre"))
    point = pl.when(pl.col("point_x").is_not_null() & pl.lit(as_points))
    return turned.with_columns(
        x=point.then("point_x").otherwise("x"),
        y=point.then("point_y").otherwise("y"),
        width=point.then(None).otherwise("width"),
        height=point.then(None).otherwise("height"),
        size=point.then("point_size"),
    )
