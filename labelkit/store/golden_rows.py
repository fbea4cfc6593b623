"""What people give as examples, mappings, models or frames, as one frame of JSON texts; rows that are none fall out with a reason."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import polars as pl

from labelkit.core.golden.examples import Example
from labelkit.core.golden.json_texts import canonical_text
from labelkit.core.golden.types import PARTS
from labelkit.errors import InvalidValue
from labelkit.store.golden import COLUMNS, SCORES
from labelkit.store.golden_parts import REFUSED

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

SOURCE = "source_decision_id"
GIVEN = (*PARTS, SOURCE)
OTHER_NAMES = {"input_data": "input", "output": "expected_output"}  # as production decisions and exported lines call them
_FIX = f"Use the columns {', '.join(GIVEN)}; the last two may be left out."
_ENCODE = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode


def given_of(
    examples: Iterable[object] | pl.DataFrame, source_decision_ids: Sequence[str | None] | pl.Series | None = None
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return what is given as a frame of row, input, expected_output, labels, source_decision_id; and the rows that fell out.

    A frame's text columns hold JSON texts; columns of other types (structs, lists, numbers) hold the values themselves, a null among the
    fields of a struct being a field that is not there. Raises `INVALID_VALUE` for a frame without the columns, or with others.
    """
    if isinstance(examples, pl.DataFrame):
        given, refused = _of_frame(examples), pl.DataFrame(schema=REFUSED)
    else:
        given, refused = _of_rows(examples)
    if source_decision_ids is not None:
        ids = pl.Series(SOURCE, source_decision_ids, dtype=pl.String())
        count = given.height + refused.height
        if len(ids) != count:
            reason = f"{len(ids):,} ids for {count:,} examples"
            raise InvalidValue(what="source_decision_ids", reason=reason, fix="Give one for each example; None where there is none.")
        given = given.with_columns(ids.gather(given["row"]))
    return given, refused


def _of_frame(frame: pl.DataFrame) -> pl.DataFrame:
    named = frame.rename({old: new for old, new in OTHER_NAMES.items() if old in frame.columns and new not in frame.columns})
    strange = [name for name in named.columns if name not in {*GIVEN, *COLUMNS, *SCORES}]
    missing = [name for name in PARTS[:2] if name not in named.columns]
    if strange or missing:
        reason = f"there is no column {missing[0]!r}" if missing else f"nobody knows what column {strange[0]!r} is"
        raise InvalidValue(what="The frame of examples", reason=reason, fix=_FIX)
    labels = pl.col("labels") if "labels" in named.columns else pl.lit("{}").alias("labels")
    if named.schema.get("labels") == pl.String():
        labels = labels.fill_null("{}")
    source = pl.col(SOURCE).cast(pl.String) if SOURCE in named.columns else pl.lit(None, dtype=pl.String()).alias(SOURCE)
    row = pl.int_range(pl.len(), dtype=pl.Int64()).alias("row")
    return named.select(row, "input", "expected_output", labels, source)


def _of_rows(examples: Iterable[object]) -> tuple[pl.DataFrame, pl.DataFrame]:
    texts: list[tuple[int, str, str, str, str | None]] = []
    refused: list[tuple[int, str, str, str]] = []
    for row, example in enumerate(examples):
        try:
            texts.append((row, *_texts(example)))
        except _Refused as fallen:
            refused.append((row, fallen.part, "", fallen.reason))
    kinds = {"row": pl.Int64()} | dict.fromkeys(GIVEN, pl.String())
    return pl.DataFrame(texts, schema=kinds, orient="row"), pl.DataFrame(refused, schema=REFUSED, orient="row")


class _Refused(Exception):  # noqa: N818  # goes no further than this module
    def __init__(self, part: str, reason: str) -> None:
        super().__init__(reason)
        self.part = part
        self.reason = reason


def _texts(example: object) -> tuple[str, str, str, str | None]:
    fields = _fields(example)
    for name in fields:
        if name not in GIVEN:
            raise _Refused("", f"nobody knows what {name!r} is; an example has {', '.join(GIVEN)}")
    source = fields.get(SOURCE)
    if source is not None and not isinstance(source, str):
        raise _Refused(SOURCE, f"an id is text, this is {type(source).__name__}")
    labels = fields.get("labels")
    return _text("input", fields), _text("expected_output", fields), "{}" if labels is None else _text("labels", fields), source


def _fields(example: object) -> Mapping[str, Any]:
    if isinstance(example, Example):
        return {name: getattr(example, name) for name in GIVEN}
    if hasattr(example, "model_dump"):
        example = example.model_dump(mode="json")
    if not isinstance(example, Mapping):
        raise _Refused("", f"{type(example).__name__} is no example: give mappings or pydantic models")
    return {OTHER_NAMES.get(name, name): value for name, value in example.items()}


def _text(part: str, fields: Mapping[str, Any]) -> str:
    if part not in fields:
        raise _Refused(part, "it is missing")
    value = fields[part]
    if hasattr(value, "model_dump"):
        value = value.model_dump(mode="json")
    try:
        return _ENCODE(value)
    except (TypeError, ValueError, RecursionError):
        try:
            return canonical_text(value)
        except ValueError as error:
            raise _Refused(part, str(error)) from error
