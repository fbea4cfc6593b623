"""YOLO out: a text file a sample under `labels/<split>/`, classes.txt and data.yaml, the same bytes for the same samples."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl
import yaml

from labelkit.formats.exports import Facet, Format, file_name, labelled_with, with_split
from labelkit.formats.json_text import decimal
from labelkit.formats.labels.label_rows import labels_of
from labelkit.formats.labels.sample_files import SampleFiles, label_file
from labelkit.formats.yolo_ids import ID_SIGNS, IDS, csv_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from labelkit.core.review.annotations import Capability
    from labelkit.formats.exports import About, WrittenFile

DECIMALS = 10  # a ten-thousandth of a px survives in pictures up to a million px wide


def write(chunks: Iterable[pl.DataFrame], folder: Path, about: About) -> Mapping[str, WrittenFile]:
    """Write sample rows (see `exports.Writer`) as YOLO: `labels/<split>/<workspace>/<media>/<stem>.txt`, one line a label.

    Lines are class number, centre, width and height as fractions. A point is a square of its size (0 where that is unknown). YOLO has
    no place for scores, flags and attributes: they are left out. A sample without labels has an empty file. `ids.csv` names for each file
    the key of its sample and the ids of its lines; a reader that knows it finds them again. `data.yaml` looks for pictures at
    `images/<split>/<workspace>/<media>/<name>`. Returns what is known of the label files. Raises `INVALID_VALUE` for a class that the
    capability does not have, and where two samples would have the same file.
    """
    capability = labelled_with(about)
    for part in about.parts:
        (folder / "labels" / part).mkdir(parents=True)
    files = SampleFiles(folder)
    with (folder / IDS).open("w", encoding="utf-8", newline="\n") as ids:
        ids.write("file,sample_key,ids\n")
        for chunk in chunks:
            texts = _texts(with_split(chunk, about).rechunk(), capability)
            files.put(texts["file"], texts["text"])
            ids.write("".join(csv_text(texts.select("file", "sample_key", "ids")).to_list()))
    (folder / "classes.txt").write_text("".join(f"{name}\n" for name in capability.classes), encoding="utf-8")
    pictures = {part: f"images/{part}" for part in ("train", "val", "test") if part in about.parts}
    described = pictures | {"nc": len(capability.classes), "names": list(capability.classes)}
    (folder / "data.yaml").write_text(yaml.safe_dump(described, sort_keys=False, allow_unicode=True), encoding="utf-8")
    return files.written


def _texts(chunk: pl.DataFrame, capability: Capability) -> pl.DataFrame:
    """Return file, text, sample_key and the ids of the lines (with spaces between) of each sample, in order."""
    file = pl.format("labels/{}/{}", "split", label_file(file_name(), ".txt"))
    samples = chunk.with_row_index("sample").with_columns(file=file, fw="width", fh="height")
    labels = labels_of(samples, capability, "sample", "fw", "fh")
    point, size = pl.col("width").is_null(), pl.col("size").fill_null(0.0)
    width, height = (pl.when(point).then(size).otherwise(name) for name in ("width", "height"))
    centre_x = pl.col("x") + pl.when(point).then(0.0).otherwise(pl.col("width") / 2)
    centre_y = pl.col("y") + pl.when(point).then(0.0).otherwise(pl.col("height") / 2)
    shares = (centre_x / pl.col("fw"), centre_y / pl.col("fh"), width / pl.col("fw"), height / pl.col("fh"))
    line = pl.concat_str(pl.col("class_number").cast(pl.String), *(_fraction(share) for share in shares), separator=" ")
    known = pl.when(pl.col("id").str.contains(ID_SIGNS)).then("id").otherwise(pl.lit("-"))
    lines = labels.select("sample", text=line + "\n", ids=known).group_by("sample", maintain_order=True)
    joined = lines.agg(text=pl.col("text").str.join(""), ids=pl.col("ids").str.join(" "))
    return samples.join(joined, on="sample", how="left", maintain_order="left").select(
        "file", "sample_key", pl.col("text", "ids").fill_null("")
    )


def _fraction(share: pl.Expr) -> pl.Expr:
    return decimal((share * 10**DECIMALS).round().cast(pl.Int64), DECIMALS)


FORMAT = Format(
    "yolo",
    write,
    carries=frozenset({Facet.SAMPLE_KEYS, Facet.ANNOTATION_IDS, Facet.POINT_SIZES, Facet.EMPTY_SAMPLES, Facet.SPLITS}),
    takes=frozenset({"samples"}),
)
