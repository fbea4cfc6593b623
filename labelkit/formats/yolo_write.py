"""YOLO out: a text file a sample under `labels/<split>/`, classes.txt and data.yaml, the same bytes for the same samples."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import TYPE_CHECKING

import polars as pl
import yaml

from labelkit.errors import InvalidValue
from labelkit.formats.exports import Facet, Format, file_name, labelled_with, with_split
from labelkit.formats.json_text import decimal

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from labelkit.core.review.annotations import Capability
    from labelkit.formats.exports import About

DECIMALS = 10  # a ten-thousandth of a px survives in pictures up to a million px wide


def write(chunks: Iterable[pl.DataFrame], folder: Path, about: About) -> None:
    """Write sample rows (see `exports.Writer`) as YOLO: `labels/<split>/<workspace>/<media>/<stem>.txt`, one line a label.

    Lines are class number, centre, width and height as fractions. A point is a square of its size (0 where that is unknown). YOLO has
    no place for scores, flags and attributes: they are left out. A sample without labels has an empty file. Raises `INVALID_VALUE` for
    a class that the capability does not have, and where two samples would have the same file.
    """
    capability = labelled_with(about)
    for part in about.parts:
        (folder / "labels" / part).mkdir(parents=True)
    for chunk in chunks:
        for split, name, text in _texts(with_split(chunk, about), capability).select("split", "name", "text").iter_rows():
            _put(folder / "labels" / split / PurePosixPath(name).with_suffix(".txt"), text)
    (folder / "classes.txt").write_text("".join(f"{name}\n" for name in capability.classes), encoding="utf-8")
    names = {"nc": len(capability.classes), "names": list(capability.classes)}
    (folder / "data.yaml").write_text(yaml.safe_dump(names, sort_keys=False, allow_unicode=True), encoding="utf-8")


def _put(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        with path.open("x", encoding="utf-8", newline="\n") as file:
            file.write(text)
    except FileExistsError as error:
        fix = "Pictures whose names differ only in the suffix need different names in YOLO; export COCO instead."
        raise InvalidValue(what="samples", reason=f"two of them have the label file {path.name}", fix=fix) from error


def _texts(chunk: pl.DataFrame, capability: Capability) -> pl.DataFrame:
    """Return split, name of the picture, number of labels and text of the label file of each sample, in order."""
    samples = chunk.with_row_index("sample").with_columns(name=file_name())
    labels = samples.filter(pl.col("annotations").list.len() > 0).select("sample", fw="width", fh="height", annotation="annotations")
    labels = labels.explode("annotation").unnest("annotation")
    numbers = pl.DataFrame({"label": capability.classes, "class": range(len(capability.classes))})
    labels = labels.join(numbers, on="label", how="left", maintain_order="left")
    unknown = labels.filter(pl.col("class").is_null())["label"]
    if unknown.len():
        reason = f"class {unknown[0]!r} is not one of {', '.join(capability.classes)}"
        raise InvalidValue(what="samples", reason=reason, fix="Export with the capability that the labels were made for.")
    point, size = pl.col("width").is_null(), pl.col("size").fill_null(0.0)
    width, height = (pl.when(point).then(size).otherwise(name) for name in ("width", "height"))
    centre_x = pl.col("x") + pl.when(point).then(0.0).otherwise(pl.col("width") / 2)
    centre_y = pl.col("y") + pl.when(point).then(0.0).otherwise(pl.col("height") / 2)
    shares = (centre_x / pl.col("fw"), centre_y / pl.col("fh"), width / pl.col("fw"), height / pl.col("fh"))
    line = pl.concat_str(pl.col("class").cast(pl.String), *(_fraction(share) for share in shares), pl.lit("\n"), separator=" ")
    texts = labels.select("sample", line=line.str.replace(" \n", "\n", literal=True)).group_by("sample", maintain_order=True)
    joined = texts.agg(text=pl.col("line").str.join(""), count=pl.len())
    return samples.join(joined, on="sample", how="left", maintain_order="left").select(
        "split", "name", count=pl.col("count").fill_null(0), text=pl.col("text").fill_null("")
    )


def _fraction(share: pl.Expr) -> pl.Expr:
    return decimal((share * 10**DECIMALS).round().cast(pl.Int64), DECIMALS)


FORMAT = Format(
    "yolo",
    write,
    carries=frozenset({Facet.SAMPLE_KEYS, Facet.POINT_SIZES, Facet.EMPTY_SAMPLES, Facet.SPLITS}),
    takes=frozenset({"samples"}),
)
