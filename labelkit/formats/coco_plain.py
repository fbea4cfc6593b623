"""Boxes as most COCO files hold them, every record written alike and of numbers only: split at commas and cast, column by column.

Polars builds every value of a JSON text before it makes columns of them; here numbers alone are made, some four times as quickly. What is
not certain to be valid JSON that means the same is left to the reader of JSON.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import polars as pl

from labelkit.formats.coco_records import KEPT, OWN_ID

if TYPE_CHECKING:
    from collections.abc import Iterator

IDS = ("image_id", "category_id")
BOX = ("x", "y", "width", "height")
PLAIN: dict[str, pl.DataType] = {**dict.fromkeys(IDS, pl.String()), **dict.fromkeys((*BOX, "score"), pl.Float64())}
_NUMBER, _SAME, _OTHER = "a number", "the same text", "something else"
_FIELD = re.compile(r"([^0-9]*?)-?[0-9][0-9.eE+-]*([^0-9]*)")
_JSON_NUMBER = r"^(0|-?[1-9][0-9]*|-?(0|[1-9][0-9]*)(\.[0-9]+([eE][-+]?[0-9]+)?|[eE][-+]?[0-9]+))$"  # readers differ about -0


def plain(text: bytes) -> pl.DataFrame | None:
    """Return objects separated by commas as `PLAIN` rows; None where they are no plain boxes, or no JSON."""
    if b"\n" not in text:
        text = text.replace(b"}, {", b"},\n{").replace(b"},{", b"},\n{")
    if b"\r" in text or b"}\n" in text:
        return None  # between two of them a comma may be missing, which is not seen below
    end = text.find(b",\n")
    fields = _fields(text if end < 0 else text[:end])
    if fields is None:
        return None
    names = [*(f"{number} {held}" for number, (held, _) in enumerate(fields)), "behind the last comma"]
    try:
        cells = pl.read_csv(text + b",", separator=",", quote_char=None, has_header=False, schema=dict.fromkeys(names, pl.String()))
    except pl.exceptions.PolarsError:
        return None
    return _table(cells, fields)


def _fields(record: bytes) -> list[tuple[str, str]] | None:
    """Return what each field between two commas of a record holds, and its text; None where it is no plain box."""
    try:
        text = record.decode()
        members = json.loads(text, object_pairs_hook=list)
    except ValueError:
        return None
    if not (isinstance(members, list) and all(isinstance(member, tuple) for member in members)):
        return None
    held = [what for member in members for what in _held(*member)]
    texts = text.split(",")
    wanted = {*IDS, *BOX} <= set(held) and _OTHER not in held
    once = len({key for key, _ in members}) == len(members)
    return list(zip(held, texts, strict=True)) if wanted and once and len(texts) == len(held) else None


def _held(key: str, value: object) -> Iterator[str]:
    """Yield what each field of a member holds: what is wanted by its name, else a number, or what is the same in all records."""
    number = type(value) in (int, float)
    if key == "bbox":
        whole = isinstance(value, list) and len(value) == len(BOX) and all(type(side) in (int, float) for side in value)
        yield from BOX if whole else (_OTHER,)
    elif key in IDS:
        yield key if type(value) is int else _OTHER
    elif key == "score" and number:
        yield key
    elif key in ("score", OWN_ID):
        yield _SAME if value is None else _OTHER
    elif key in KEPT or key == "attributes":
        yield _OTHER if value else _SAME
    else:
        yield _NUMBER if number else _SAME


def _table(cells: pl.DataFrame, fields: list[tuple[str, str]]) -> pl.DataFrame | None:
    """Return the wanted cells as numbers, None where one is not written as that of the first record."""
    texts: dict[str, pl.Expr] = {}
    same = [pl.col(cells.columns[-1]).is_null()]
    for name, (held, text) in zip(cells.columns, fields, strict=False):
        around = _FIELD.fullmatch(text)
        if held == _SAME:
            same.append(pl.col(name) == text)
        elif around is not None:
            same += [pl.col(name).str.starts_with(around[1]), pl.col(name).str.ends_with(around[2])]
            texts[name if held == _NUMBER else held] = pl.col(name).str.strip_prefix(around[1]).str.strip_suffix(around[2])
        else:
            return None  # NaN or an infinity
    numbers = cells.select(**texts)
    whole, decimal = pl.col(*IDS), pl.exclude(*IDS)
    if not (
        _true(cells.select(pl.all_horizontal(same)))
        and _true(numbers.select(whole == whole.cast(pl.Int64, strict=False).cast(pl.String)))
        and _true(numbers.select(decimal.str.contains(_JSON_NUMBER)))
    ):
        return None
    score = pl.lit(None, pl.String).alias("score")
    rows = (numbers if "score" in texts else numbers.with_columns(score)).select(pl.col(name).cast(kind) for name, kind in PLAIN.items())
    return rows if _true(rows.select(pl.col(pl.Float64).is_finite().fill_null(value="score" not in texts))) else None


def _true(judged: pl.DataFrame) -> bool:
    """Say whether every value is true: none is false, none is null."""
    return bool(judged.select(pl.all_horizontal(pl.all().fill_null(value=False).all())).item())
