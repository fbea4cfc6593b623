"""The values of a table of labels: numbers in any spelling, places in any form, classes by name or number, and what is kept."""

from __future__ import annotations

import csv
from typing import TYPE_CHECKING

import polars as pl

from labelkit.errors import LabelsUnreadable
from labelkit.formats.labels.attribute_columns import attributes_of
from labelkit.formats.labels.classes import class_names
from labelkit.formats.labels.placing import numbers
from labelkit.formats.labels.rows import RefusedCode
from labelkit.formats.table_columns import FORMS, KEPT
from labelkit.formats.table_rows import FILE, LINE, MORE

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from labelkit.formats.table_columns import BoxForm, Columns

NUMBERS = (
    *("left", "top", "right", "bottom", "width", "height", "centre_x", "centre_y"),
    *("size", "score", "frame", "image_width", "image_height"),
)
LARGEST_FRACTION = 1.5  # where the middle row's label ends: fractions end at 1, and pixels hardly before 2
_DECIMAL_COMMA = r"^(\s*[+-]?\d*),(\d+(?:[eE][+-]?\d+)?\s*)$"
_NUMBER = r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?"
_NO = ("", "0", "0.0", "-1", "-1.0", "no", "false", "none", "null", "nan")  # of a flag these say nothing; -1 is OpenImages' unknown


def check_kinds(source: object, table: pl.DataFrame, columns: Columns) -> None:
    """Raise `LABELS_UNREADABLE` where a column holds lists or records, as Parquet can; a box may be a list."""
    for name in {*columns.of.values(), *columns.flags, *columns.kept}:
        kind = table.schema[name]
        is_box = name == columns.of.get("box") and isinstance(kind, pl.List | pl.Array) and not kind.inner.is_nested()
        if (kind.is_nested() and not is_box) or kind == pl.Object:
            fix = "Write a table with plain values: one number or text a column."
            raise LabelsUnreadable(source=source, reason=f"column {name} holds {kind}", fix=fix)


def records(table: pl.DataFrame, columns: Columns, box: BoxForm | None) -> pl.DataFrame:
    """Return file, line, image, frame, place (x, y, width, height, size), score, attributes, and code and detail of rows that are wrong."""
    of = columns.of
    texts = {name: _text(table[of[name]]) if name in of else _nothing(table) for name in NUMBERS}
    form, broken = columns.form, pl.lit(value=False)
    if form == "box" and box is not None:
        form, parts = box, _parts(table[of["box"]])
        texts |= {name: parts.list.get(at, null_on_oob=True) for at, name in enumerate(FORMS[box])}
        broken = pl.lit(parts.list.len().fill_null(0) != len(FORMS[box]))
    found = table.select(
        file=FILE,
        line=LINE,
        image=pl.col(of["image"]).cast(pl.String) if "image" in of else pl.col(FILE),
        more=MORE,
        broken=broken,
        attributes=pl.lit(_attributes(table, columns)),
        **texts,
    )
    wrong = (("more", f"it has more fields than the {table.width - 3} columns"), ("broken", f"{of.get('box')} does not hold four numbers"))
    coded = found.with_columns(
        code=pl.when(pl.col("more") | pl.col("broken")).then(pl.lit(str(RefusedCode.MALFORMED))),
        detail=pl.coalesce(pl.when(pl.col(name)).then(pl.lit(said)) for name, said in wrong),
    )
    return _placed(numbers(coded, NUMBERS), form)


def are_fractions(placed: pl.DataFrame) -> bool | None:
    """Say whether places are in fractions of the picture, by where the middle one ends; None where there is none."""
    ends = pl.max_horizontal(pl.col("x") + pl.col("width").fill_null(0.0), pl.col("y") + pl.col("height").fill_null(0.0))
    middle = placed.select(ends.filter(ends.is_finite()).median()).item()
    return None if middle is None else bool(middle <= LARGEST_FRACTION)


def labels(table: pl.DataFrame, columns: Columns, classes: Sequence[str] | None, root: Path) -> pl.DataFrame:
    """Return label, and code and detail where a class number has no name.

    Raises `CLASSES_UNKNOWN` for numbers without names, `LABELS_UNREADABLE` where no column says the class and `classes` has not just one.
    """
    column = columns.of.get("label") or columns.of.get("number")
    if column is None:
        if classes is None or len(classes) != 1:
            fix = "Pass classes=['...'] with the one class that all rows are of, or name the columns with columns=[...]."
            raise LabelsUnreadable(source=root, reason="no column says what a label is", fix=fix)
        return table.with_columns(said=pl.lit(classes[0])).select(label="said", **_no_code())
    said = table.select(said=pl.col(column).cast(pl.String).str.strip_chars())
    if "label" not in columns.of:
        classes = class_names(root, classes)
    if classes is None:
        return _described(said, root)
    known = pl.DataFrame({"number": range(len(classes)), "name": classes}, schema={"number": pl.Float64, "name": pl.String})
    named = pl.col("said").is_in(list(classes))
    number = pl.when(~named).then(pl.col("said").cast(pl.Float64, strict=False))
    found = said.with_columns(number=number).join(known, on="number", how="left", maintain_order="left")
    lost = pl.col("number").is_not_null() & pl.col("name").is_null()
    return found.select(
        label=pl.coalesce("name", "said"),
        code=pl.when(lost).then(pl.lit(str(RefusedCode.CLASS_OUT_OF_RANGE))),
        detail=pl.when(lost).then(pl.format("class {} of 0 to {}", "said", pl.lit(len(classes) - 1))),
    )


def _described(said: pl.DataFrame, root: Path) -> pl.DataFrame:
    """Return names as they are, the codes of OpenImages as the class-descriptions file beside the table names them."""
    if not said["said"].str.starts_with("/m/").any():
        return said.select(label="said", **_no_code())
    names: dict[str, str] = {}
    for file in sorted(root.glob("*class-descriptions*.csv")):
        with file.open(encoding="utf-8-sig", errors="replace", newline="") as stream:
            names |= {row[0]: row[1] for row in csv.reader(stream) if len(row) > 1}
    return said.select(label=pl.col("said").replace(names), **_no_code())


def _no_code() -> dict[str, pl.Expr]:
    return {"code": pl.lit(None, pl.String), "detail": pl.lit(None, pl.String)}


def _text(values: pl.Series) -> pl.Series:
    """Return numbers as text with a decimal point; what Parquet holds as no number is missing."""
    if values.dtype.is_float():
        values = values.fill_nan(None)
    return values.cast(pl.String, strict=False).str.replace(_DECIMAL_COMMA, "$1.$2")


def _nothing(table: pl.DataFrame) -> pl.Series:
    return pl.Series([None] * table.height, dtype=pl.String)


def _parts(values: pl.Series) -> pl.Series:
    """Return the numbers in one column, as lists of text."""
    if isinstance(values.dtype, pl.Array):
        values = values.arr.to_list()
    if isinstance(values.dtype, pl.List):
        return values.cast(pl.List(pl.String), strict=False)
    return values.cast(pl.String, strict=False).str.extract_all(_NUMBER)


def _placed(found: pl.DataFrame, form: str) -> pl.DataFrame:
    left, top, width, height = (pl.col(name) for name in ("left", "top", "width", "height"))
    nothing = pl.lit(None, pl.Float64)
    places = {
        "xyxy": (left, top, pl.col("right") - left, pl.col("bottom") - top),
        "xywh": (left, top, width, height),
        "cxcywh": (pl.col("centre_x") - width / 2, pl.col("centre_y") - height / 2, width, height),
        "point": (left, top, nothing, nothing),
        "centre": (pl.col("centre_x"), pl.col("centre_y"), nothing, nothing),
    }
    return found.with_columns(value.alias(name) for name, value in zip(("x", "y", "width", "height"), places[form], strict=True))


def _attributes(table: pl.DataFrame, columns: Columns) -> pl.Series:
    """Return the attributes of each row: flags that say yes, and the columns that are kept."""
    flags = [
        pl.col(name).cast(pl.String, strict=False).str.strip_chars().str.to_lowercase().is_in(_NO).alias(name) for name in columns.flags
    ]
    yes = table.select(
        pl.when(~flag.fill_null(value=True)).then(pl.lit(value=True)).alias(name) for flag, name in zip(flags, columns.flags, strict=True)
    )
    kept = table.select(pl.col(name) if table[name].dtype != pl.String else pl.col(name).replace("", None) for name in columns.kept)
    numeric = [name for name in columns.kept if "".join(letter for letter in name.lower() if letter.isalnum()) in KEPT]
    whole = pl.concat([yes, kept], how="horizontal") if yes.width and kept.width else kept if kept.width else yes
    if not whole.width:
        return pl.Series("attributes", [None] * table.height, dtype=pl.String)
    return attributes_of(whole, numbers_in=numeric)
