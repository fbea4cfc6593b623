"""YOLO: a folder of text files, one a frame, one line a box: class number, centre, width and height as fractions, and a score."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from labelkit.errors import LabelsNotFound
from labelkit.formats.labels.acceptance import accept
from labelkit.formats.labels.classes import LISTS, class_names
from labelkit.formats.labels.label_files import RefusedFileError, content, label_files
from labelkit.formats.labels.names import match
from labelkit.formats.labels.rows import Chunk, OnInvalid, RefusedCode, raw_rows, refused_chunk
from labelkit.formats.yolo_ids import ids_of_lines

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from labelkit.core.review.annotations import Capability

FILES_A_CHUNK = 4096
BYTES_A_CHUNK = 8 << 20
NO_LABELS = {*LISTS, "labels.txt", "train.txt", "valid.txt", "val.txt", "test.txt"}  # lists beside labels, unless a frame has that name
_FIELDS = ("class", "cx", "cy", "w", "h", "score")


def read(
    source: str | Path,
    *,
    frames: pl.DataFrame,
    classes: Sequence[str] | None = None,
    capability: Capability,
    on_invalid: OnInvalid = "refuse",
) -> Iterator[Chunk]:
    """Read a folder of label files, with its subfolders, into chunks of at most `FILES_A_CHUNK` files or about `BYTES_A_CHUNK` bytes.

    A file belongs to the frame of its path without suffix, else of its stem. Lines have five fields, or six with a score; lines with more
    (polygons, keypoints) are refused. `classes` are the names in the order of the numbers, else classes.txt, obj.names or data.yaml say.
    Frames without a file get no rows. The `ids.csv` of an export of labelkit gives lines their ids. Raises `LABELS_NOT_FOUND`,
    `LABELS_UNREADABLE`, `CLASSES_UNKNOWN`.
    """
    root = labels_folder(source)
    names = class_names(root, classes)
    _, files = label_files(root, (".txt",))
    found = match(files, frames, images=False)
    unlisted = pl.col("path").str.replace(r"^.*/", "").is_in(NO_LABELS) & (pl.col("code") == RefusedCode.NO_IMAGE)
    return _chunks(root, files, found.filter(~unlisted.fill_null(value=False)), names, frames, capability, on_invalid)


def labels_folder(source: str | Path) -> Path:
    """Return the folder of labels as an absolute path without links. Raises `LABELS_NOT_FOUND`."""
    path = Path(source)
    if not path.is_dir():
        reason = "it is a file" if path.exists() else "there is no such folder"
        raise LabelsNotFound(source=path, reason=reason, expected="the folder that holds the .txt files, one a frame")
    return path.resolve()


def _chunks(
    root: Path,
    files: dict[str, str],
    found: pl.DataFrame,
    names: tuple[str, ...],
    frames: pl.DataFrame,
    capability: Capability,
    on_invalid: OnInvalid,
) -> Iterator[Chunk]:
    lost = found.filter(pl.col("code").is_not_null())
    ids = ids_of_lines(root)
    if lost.height:
        yield refused_chunk(lost.select("code", "detail", file="path"))
    for texts, refused in _batches(root, files, found.filter(pl.col("code").is_null())):
        if refused:
            yield refused_chunk(pl.DataFrame(refused, schema=["file", "code", "detail"], orient="row"))
        yield accept(_with_ids(_parsed(texts, names), ids), frames, capability, on_invalid, relative=True)


def _batches(root: Path, files: dict[str, str], found: pl.DataFrame) -> Iterator[tuple[pl.DataFrame, list[tuple[str, str, str]]]]:
    """Read the files: frames of file, frame_index, text; and a refusal (file, code, detail) for each that is no text."""
    texts: list[tuple[str, int, str]] = []
    refused: list[tuple[str, str, str]] = []
    size = 0
    for name, index in found.select("path", "frame_index").iter_rows():
        try:
            text = _text(files[name], root)
        except UnicodeDecodeError as error:
            refused.append((name, RefusedCode.NOT_UTF8, f"byte {error.start} of {name} is not UTF-8"))
            continue
        except RefusedFileError as error:
            refused.append((name, error.code, f"{name}: {error}"))
            continue
        texts.append((name, index, text))
        size += len(text)
        if len(texts) == FILES_A_CHUNK or size >= BYTES_A_CHUNK:
            yield _frame_of(texts), refused
            texts, refused, size = [], [], 0
    yield _frame_of(texts), refused


def _frame_of(texts: list[tuple[str, int, str]]) -> pl.DataFrame:
    return pl.DataFrame(texts, schema={"file": pl.String, "frame_index": pl.Int32, "text": pl.String}, orient="row")


def _text(path: str, root: Path) -> str:
    text = content(path, root).decode("utf-8-sig")
    return text.replace("\r\n", "\n").replace("\r", "\n") if "\r" in text else text


def _parsed(texts: pl.DataFrame, names: tuple[str, ...]) -> pl.DataFrame:
    """Return `RAW` rows, one a line that is not blank; geometry in fractions of the frame."""
    split = texts.select("file", "frame_index", text=pl.col("text").str.split("\n"))
    lines = split.with_columns(line=pl.int_ranges(1, pl.col("text").list.len() + 1)).explode("text", "line")
    lines = lines.with_columns(pl.col("text").str.strip_chars()).filter(pl.col("text") != "")
    if lines["text"].str.contains(r"\s\s|[^\S ]").any():
        lines = lines.with_columns(pl.col("text").str.replace_all(r"\s+", " "))
    tokens = lines["text"].str.split_exact(" ", len(_FIELDS)).struct.rename_fields([*_FIELDS, "more"]).struct.unnest()
    numbers = tokens.select(pl.col(name).cast(pl.Float64, strict=False).alias(f"{name}_number") for name in _FIELDS)
    known = pl.DataFrame({"class_number": range(len(names)), "label": names}, schema={"class_number": pl.Float64, "label": pl.String})
    judged = lines.hstack(tokens).hstack(numbers).with_columns(code=_verdict(len(names)))
    named = judged.join(known, on="class_number", how="left", maintain_order="left")
    return raw_rows(
        named.select(
            "file",
            "line",
            "frame_index",
            "label",
            "code",
            x=pl.col("cx_number") - pl.col("w_number") / 2,
            y=pl.col("cy_number") - pl.col("h_number") / 2,
            width="w_number",
            height="h_number",
            score="score_number",
            detail=_detail(len(names)),
        )
    )


def _with_ids(rows: pl.DataFrame, ids: pl.DataFrame | None) -> pl.DataFrame:
    """Return rows with the ids of an export of our own, in files that have still as many lines as it wrote."""
    if ids is None:
        return rows
    joined = rows.drop("id").join(ids, on="file", how="left", maintain_order="left")
    same = pl.col("ids").list.len() == pl.len().over("file")
    number = pl.int_range(pl.len()).over("file")
    id_ = pl.when(same).then(pl.col("ids").list.get(number, null_on_oob=True))
    return joined.with_columns(id=pl.when(id_ != "-").then(id_)).select(rows.columns)


def _verdict(class_count: int) -> pl.Expr:
    box, number = _FIELDS[:5], pl.col("class_number")
    unparsed = pl.any_horizontal(pl.col(name).is_not_null() & pl.col(f"{name}_number").is_null() for name in _FIELDS)
    rules = {
        RefusedCode.MALFORMED: pl.col("more").is_not_null() | pl.any_horizontal(pl.col(name).is_null() for name in box),
        RefusedCode.NOT_A_NUMBER: unparsed | ~number.is_finite(),
        RefusedCode.CLASS_OUT_OF_RANGE: (number < 0) | (number >= class_count) | (number != number.floor()),
    }
    return pl.coalesce(pl.when(rule).then(pl.lit(str(code))) for code, rule in rules.items())


def _detail(class_count: int) -> pl.Expr:
    text = pl.col("text").str.slice(0, 80)
    details = {
        RefusedCode.MALFORMED: pl.format("not 'class cx cy w h' with or without a score (polygons are not read): {}", text),
        RefusedCode.NOT_A_NUMBER: text,
        RefusedCode.CLASS_OUT_OF_RANGE: pl.format("class {} of 0 to {}: {}", "class", pl.lit(class_count - 1), text),
    }
    return pl.coalesce(pl.when(pl.col("code") == str(code)).then(said) for code, said in details.items())
