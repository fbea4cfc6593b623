"""COCO out: one `annotations/instances_<split>.json` a split, streamed, the same bytes for the same samples."""

from __future__ import annotations

import json
import shutil
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any, BinaryIO

import polars as pl

from labelkit.formats.coco_records import KEPT, OWN_ID
from labelkit.formats.exports import SAMPLE_FACETS, Facet, Format, file_name, labelled_with, with_split
from labelkit.formats.json_text import decimal, filled, quoted, units
from labelkit.formats.labels.label_rows import labels_of, with_said

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from labelkit.core.review.annotations import Capability
    from labelkit.formats.exports import About


def write(chunks: Iterable[pl.DataFrame], folder: Path, about: About) -> Mapping[str, int]:
    """Write sample rows (see `exports.Writer`) as COCO, with a file also for a split that gets no sample; return the samples a file.

    Image and annotation ids count from 1 over the whole export, category ids over the capability's classes. `file_name` is
    workspace/media/name of the frame. Coordinates are exact. A point is the one keypoint of its category, in a square box of the point's
    size (empty where that is unknown), which may reach over the edge. Scores, flags and attributes are written too; `area` is the box's.
    Raises `INVALID_VALUE` for a class that the capability does not have.
    """
    images = annotations = 0
    capability = labelled_with(about)
    with ExitStack() as stack:
        files = {part: _File(folder, part, stack) for part in about.parts}
        for chunk in chunks:
            samples = with_split(chunk, about).rechunk().with_row_index("image_id", offset=images + 1)
            labels = _annotations(samples, annotations + 1, capability)
            images, annotations = images + samples.height, annotations + labels.height
            for split in samples["split"].unique(maintain_order=True):
                of_split = pl.col("split") == split
                files[split].add(_image_lines(samples.filter(of_split)), labels.filter(of_split)["text"])
        for file in files.values():
            file.finish(_header(capability))
    shutil.rmtree(folder / _File.PARTS)
    return {file.name: file.images for file in files.values()}


_PLAIN = ',"iscrowd":0,"segmentation":[]'


class _File:
    """One split: images and annotations grow in two files, because in the end all images stand before all annotations."""

    PARTS = ".parts"

    def __init__(self, folder: Path, split: str, stack: ExitStack) -> None:
        (folder / self.PARTS).mkdir(exist_ok=True)
        (folder / "annotations").mkdir(exist_ok=True)
        self.name = f"annotations/instances_{split}.json"
        self.images = 0
        self._final = folder / self.name
        self._images = stack.enter_context((folder / self.PARTS / f"{split}.images").open("w+b"))
        self._annotations = stack.enter_context((folder / self.PARTS / f"{split}.annotations").open("w+b"))

    def add(self, images: pl.Series, annotations: pl.Series) -> None:
        self.images += len(images)
        _append(self._images, images)
        _append(self._annotations, annotations)

    def finish(self, header: str) -> None:
        with self._final.open("wb") as file:
            file.write(f'{header[:-1]},\n"images":[\n'.encode())
            _copy(self._images, file)
            file.write(b'\n],\n"annotations":[\n')
            _copy(self._annotations, file)
            file.write(b"\n]}\n")


def _append(file: BinaryIO, lines: pl.Series) -> None:
    if lines.len():
        if file.tell():
            file.write(b",\n")
        file.write(str(lines.str.join(",\n").item()).encode())


def _copy(part: BinaryIO, file: BinaryIO) -> None:
    part.seek(0)
    shutil.copyfileobj(part, file, 1 << 20)


def _header(capability: Capability) -> str:
    point: dict[str, Any] = {"keypoints": ["point"], "skeleton": []} if capability.geometry == "point" else {}
    categories = [{"id": number, "name": name, "supercategory": "", **point} for number, name in enumerate(capability.classes, 1)]
    info = {"description": f"{capability.name}, exported by labelkit", "version": "1"}
    return json.dumps({"info": info, "licenses": [], "categories": categories}, ensure_ascii=False)


def _image_lines(samples: pl.DataFrame) -> pl.Series:
    texts = {"name": samples.select(name=file_name()).to_series(), "key": samples["sample_key"], "group": samples["group_key"]}
    parts = samples.with_columns(quoted(text.alias(f"json_{name}")) for name, text in texts.items())
    flags = pl.when(pl.col("flags").list.len() > 0).then(pl.format('["{}"]', pl.col("flags").list.join('","'))).otherwise(pl.lit("[]"))
    line = filled(
        '{"id":$,"file_name":$,"width":$,"height":$,"sample_key":$,"group":$,"frame_index":$,"pts_ms":$,"sha256":"$","flags":$}',
        "image_id",
        "json_name",
        "width",
        "height",
        "json_key",
        "json_group",
        "frame_index",
        decimal(units(pl.col("pts_ms")), 4),
        "sha256",
        flags,
    )
    return parts.select(line=line).to_series()


def _annotations(samples: pl.DataFrame, first: int, capability: Capability) -> pl.DataFrame:
    """Return split and JSON text of every annotation in order."""
    rows = labels_of(samples, capability, "image_id", "split").with_row_index("number", offset=first)
    rows = rows.with_columns(point=pl.col("width").is_null())
    return _with_text(with_said(rows, ("attributes", "point"), _tail, {"tail": _PLAIN}))


def _tail(text: str, point: bool) -> tuple[str]:  # noqa: FBT001 (a column)
    """Return attributes as the end of a record: where COCO has them, else among its `attributes`; a point has its own keypoint."""
    attributes: dict[str, Any] = json.loads(text)
    placed = [name for name in KEPT if attributes.get(name) and not (name == "keypoints" and point)]
    own = {"iscrowd": 0, "segmentation": []} | {name: attributes[name] for name in placed}
    rest = {name: value for name, value in attributes.items() if name not in placed}
    text = json.dumps(own | ({"attributes": rest} if rest else {}), ensure_ascii=False, separators=(",", ":"))
    return (f",{text[1:-1]}",)


def _with_text(rows: pl.DataFrame) -> pl.DataFrame:
    rows = rows.with_columns(said_id=pl.when(pl.col("id").is_not_null()).then(quoted(rows["id"])))
    x, y, width, height = (units(pl.col(name)) for name in ("x", "y", "width", "height"))
    corners = pl.concat_str(*(decimal(value, 4) for value in (x, y, width, height)), separator=",")
    area, key = width * height, pl.lit("")
    if rows["point"].any():  # else their text, most of which is of numbers, would be made for nothing
        point, size = pl.col("point"), units(pl.col("size").fill_null(0.0))
        # half a size may be half a ten-thousandth, so corners around a point have one digit more
        around = pl.concat_str(*(decimal(at * 10 - size * 5, 5) for at in (x, y)), decimal(size, 4), decimal(size, 4), separator=",")
        corners = pl.when(point).then(around).otherwise(corners)
        area = pl.when(point).then(size * size).otherwise(area)
        key = pl.when(point).then(filled(',"keypoints":[$,$,2],"num_keypoints":1', decimal(x, 4), decimal(y, 4))).otherwise(key)
    score = filled(',"score":$', "score")
    text = pl.concat_str(
        filled('{"id":$,"image_id":$,"category_id":$', "number", "image_id", pl.col("class_number") + 1),
        filled(f',"{OWN_ID}":$', "said_id").fill_null(""),
        pl.lit(',"bbox":['),
        corners,
        pl.lit('],"area":'),
        decimal(area, 8),
        key,
        score.fill_null(""),
        pl.col("tail"),
        pl.lit("}"),
    )
    return rows.select("split", text=text)


FORMAT = Format("coco", write, carries=SAMPLE_FACETS - {Facet.SOURCES}, takes=frozenset({"samples"}))
