"""The arrays of a COCO file as tables: well-formed blocks as sets, the others value by value, so that a bad record spoils no other."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Any

import polars as pl

from labelkit.formats.labels.attributes import canonical_text
from labelkit.formats.labels.names import text_of
from labelkit.formats.labels.rows import RAW, RefusedCode

if TYPE_CHECKING:
    from collections.abc import Mapping

    from labelkit.formats.json_stream import Block, JsonDocument

OWN_ID = "labelkit_id"  # the annotation's id in exports of our own; `id` is a number that each of them counts anew
KEPT = ("segmentation", "iscrowd", "keypoints")  # kept in the attributes, beside what the record's own `attributes` hold
IMAGES: dict[str, pl.DataType] = {"id": pl.String(), "file_name": pl.String(), "width": pl.Float64(), "height": pl.Float64()}
CATEGORIES: dict[str, pl.DataType] = {"id": pl.String(), "name": pl.String()}
RECORDS: dict[str, pl.DataType] = {
    "image_id": pl.String(),
    "category_id": pl.String(),
    "bbox": pl.List(pl.Float64()),
    "score": pl.Float64(),
    "keypoints": pl.List(pl.Float64()),
    "segmentation": pl.String(),
    "iscrowd": pl.String(),
    "attributes": pl.String(),
    OWN_ID: pl.String(),
}
_NOTHING = ["", "[]", "{}", "0", "false", "null"]


def table(document: JsonDocument, schema: Mapping[str, pl.DataType]) -> pl.DataFrame:
    """Return a whole array of objects as a table; values of another kind are null."""
    parts = [_typed(block, schema) for block in document.elements(schema)]
    return pl.concat([pl.DataFrame(schema=dict(schema)), *(part.select(*schema) for part in parts)])


def records(block: Block, file: str, first: int, *, as_points: bool) -> pl.DataFrame:
    """Return annotations or results as rows with image_id, category_id, geometry, score, attributes, and a code where malformed.

    Records are numbered from `first`. With `as_points` a single visible keypoint is the point, and the mean side of its box its size.
    """
    if block.table is not None and block.is_plain:
        nothing = {name: pl.lit(None, RAW[name]) for name in ("id", "code", "detail", "size", "attributes")}
        return block.table.with_columns(file=pl.lit(file), line=pl.int_range(first, first + pl.len(), dtype=pl.Int64), **nothing)
    typed = _typed(block, RECORDS)
    key, box = pl.col("keypoints").list, pl.col("bbox").list
    point = (key.len() == 3) & (key.get(2, null_on_oob=True) > 0) & pl.lit(as_points)
    sides = [pl.when(box.len() == 4).then(box.get(at, null_on_oob=True)) for at in range(4)]
    mean = (sides[2] + sides[3]) / 2
    rows = typed.select(
        "image_id",
        "category_id",
        "score",
        pl.col(OWN_ID).alias("id"),
        "code",
        "detail",
        file=pl.lit(file),
        line=pl.int_range(first, first + pl.len(), dtype=pl.Int64),
        point=point.fill_null(value=False),
        x=pl.when(point).then(key.get(0, null_on_oob=True)).otherwise(sides[0]),
        y=pl.when(point).then(key.get(1, null_on_oob=True)).otherwise(sides[1]),
        width=pl.when(point).then(None).otherwise(sides[2]),
        height=pl.when(point).then(None).otherwise(sides[3]),
        size=pl.when(point & (mean > 0)).then(mean),
        extra=pl.any_horizontal(~pl.col("segmentation", "iscrowd", "attributes").fill_null("").is_in(_NOTHING), key.len().fill_null(0) > 0),
    )
    boxless = pl.when(pl.col("code").is_null() & ~pl.col("point") & pl.any_horizontal(pl.col("x", "y", "width", "height").is_null()))
    return _with_attributes(
        rows.with_columns(
            code=boxless.then(pl.lit(str(RefusedCode.MALFORMED))).otherwise("code"),
            detail=boxless.then(pl.lit("bbox is not a list of four numbers")).otherwise("detail"),
        ),
        block,
    )


def _with_attributes(rows: pl.DataFrame, block: Block) -> pl.DataFrame:
    """Add the attributes text where a record has something beside class, box and score: only those records are decoded one by one."""
    wanted = rows.select(number=pl.int_range(pl.len()), point="point", extra="extra").filter("extra")
    if wanted.is_empty():
        return rows.drop("extra", "point").with_columns(attributes=pl.lit(None, pl.String))
    lines = block.lines.split(b"\n") if block.table is not None else []
    texts: list[str | None] = [None] * rows.height
    broken: list[bool] = [False] * rows.height
    for number, point, _ in wanted.iter_rows():
        kept = _kept(json.loads(lines[number]) if lines else block.values[number], point=point)
        texts[number] = canonical_text(kept) if kept else None
        broken[number] = bool(kept) and texts[number] is None
    spoiled = pl.when(pl.Series(broken) & pl.col("code").is_null())
    return rows.drop("extra", "point").with_columns(
        attributes=pl.Series(texts, dtype=pl.String),
        code=spoiled.then(pl.lit(str(RefusedCode.MALFORMED))).otherwise("code"),
        detail=spoiled.then(pl.lit("its attributes hold NaN, a number beyond 2**53, or text that is not UTF-8")).otherwise("detail"),
    )


def _kept(record: dict[str, Any], *, point: bool) -> dict[str, Any]:
    attributes = record.get("attributes")
    kept = dict(attributes) if isinstance(attributes, dict) else {"attributes": attributes} if attributes else {}
    kept |= {name: record[name] for name in KEPT if record.get(name) and not (name == "keypoints" and point)}
    return kept


def _typed(block: Block, schema: Mapping[str, pl.DataType]) -> pl.DataFrame:
    """Return a block as a table of `schema` with code and detail of values that are of another kind."""
    both = {**schema, "code": RAW["code"], "detail": RAW["detail"]}
    if block.table is not None:
        return block.table.with_columns(code=pl.lit(None, pl.String), detail=pl.lit(None, pl.String))
    return pl.DataFrame([_row(value, schema) for value in block.values], schema=both, orient="row")


def _row(value: object, schema: Mapping[str, pl.DataType]) -> list[Any]:
    if not isinstance(value, dict):
        return [*(None for _ in schema), str(RefusedCode.MALFORMED), "it is no object"]
    cells = [_cell(value.get(name), kind) for name, kind in schema.items()]
    wrong = next((name for name, cell in zip(schema, cells, strict=True) if cell is _WRONG), None)
    clean = [None if cell is _WRONG else cell for cell in cells]
    return [*clean, None, None] if wrong is None else [*clean, str(RefusedCode.NOT_A_NUMBER), f"{wrong} is {_text(value[wrong])}"]


_WRONG: Any = object()


def _cell(value: object, kind: pl.DataType) -> Any:  # noqa: ANN401 (JSON)
    if value is None:
        return None
    if kind == pl.Float64:
        return _number(value)
    if kind == pl.String:
        return _text(value)
    numbers = [_number(item) for item in value] if isinstance(value, list) else []
    return _WRONG if _WRONG in numbers else numbers


def _number(value: object) -> Any:  # noqa: ANN401 (a float, or the mark of something else)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return _WRONG
    try:
        return float(value)
    except OverflowError:
        return math.inf


def _text(value: object) -> str:
    return text_of(value) if isinstance(value, str) else text_of(json.dumps(value))[:200]
