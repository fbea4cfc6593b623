"""What people give as examples, mappings, models or frames, as one frame of JSON texts; rows that are none fall out with a reason."""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping
from itertools import islice
from typing import TYPE_CHECKING, Any, TypeAlias

import polars as pl
from pydantic import BaseModel

from labelkit.core.golden.examples import Example
from labelkit.core.golden.json_texts import canonical_text
from labelkit.core.golden.types import PARTS
from labelkit.errors import InvalidValue
from labelkit.store.given import frame_of, listed_rows
from labelkit.store.golden.encode import encodable
from labelkit.store.golden.examples import COLUMNS, SCORES
from labelkit.store.golden.parts import REFUSED

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

SOURCE = "source_decision_id"
GIVEN = (*PARTS, SOURCE)
OTHER_NAMES = {"input_data": "input", "output": "expected_output"}  # as production decisions and exported lines call them
_FIX = f"Use the columns {', '.join(GIVEN)}; the last two may be left out."
_KNOWN = frozenset(GIVEN)
_GIVEN = {"row": pl.Int64()} | dict.fromkeys(GIVEN, pl.String())
_LIKE_OTHER_KEYS = r'"(?:-?\d[\d.eE+-]*|true|false|null)":'
CHUNK = 10_000  # rows that are text together

_Fallen: TypeAlias = tuple[int, str, str, str]


def given_of(
    examples: Iterable[object] | pl.DataFrame, source_decision_ids: Sequence[str | None] | pl.Series | None = None
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return what is given as a frame of row, input, expected_output, labels, source_decision_id; and the rows that fell out.

    A frame's text columns hold JSON texts; columns of other types (structs, lists, numbers) hold the values themselves, a null among the
    fields of a struct being a field that is not there. Raises `INVALID_VALUE` for a frame without the columns, or with others, and for
    what is neither a frame nor examples in a row.
    """
    frame = frame_of(examples)
    if frame is not None:
        given, refused = _of_frame(frame), pl.DataFrame(schema=REFUSED)
    else:
        given, refused = _of_rows(listed_rows(examples, "examples", (BaseModel, Example)))
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
    for name in PARTS:
        if name in named.columns and not encodable(named.schema[name]):
            reason = f"column {name} holds {named.schema[name]}, which is no JSON value"
            raise InvalidValue(
                what="The frame of examples", reason=reason, fix="Cast it to text, numbers, booleans, lists or structs of these."
            )
    labels = pl.col("labels") if "labels" in named.columns else pl.lit("{}").alias("labels")
    source = pl.col(SOURCE).cast(pl.String) if SOURCE in named.columns else pl.lit(None, dtype=pl.String()).alias(SOURCE)
    row = pl.int_range(pl.len(), dtype=pl.Int64()).alias("row")
    return named.select(row, "input", "expected_output", labels, source)


def _of_rows(examples: Iterable[object]) -> tuple[pl.DataFrame, pl.DataFrame]:
    coming = enumerate(examples)
    given, refused = [pl.DataFrame(schema=_GIVEN)], [pl.DataFrame(schema=REFUSED)]
    while chunk := list(islice(coming, CHUNK)):
        rows, fallen = _fields_of(chunk)
        places, *parts, sources = zip(*rows, strict=True) if rows else [()] * len(_GIVEN)
        texts = [_texts(values, part, places, fallen) for part, values in zip(PARTS, parts, strict=True)]
        row, source = pl.Series("row", places, dtype=pl.Int64()), pl.Series(SOURCE, sources, dtype=pl.String())
        given.append(pl.DataFrame([row, *texts, source]).drop_nulls(PARTS))
        refused.append(pl.DataFrame(fallen, schema=REFUSED, orient="row"))
    return pl.concat(given), pl.concat(refused)


def _fields_of(chunk: list[tuple[int, object]]) -> tuple[list[tuple[int, Any, Any, Any, str | None]], list[_Fallen]]:
    """Return row, input, expected output, labels and source of each example, and the rows that are none."""
    rows: list[tuple[int, Any, Any, Any, str | None]] = []
    fallen: list[_Fallen] = []
    for row, example in chunk:
        fields = example if type(example) is dict and example.keys() <= _KNOWN else _mapping(example)
        if fields is not None and "input" in fields and "expected_output" in fields and fields.keys() <= _KNOWN:
            labels, source = fields.get("labels"), fields.get(SOURCE)
            if source is None or (isinstance(source, str) and source.isprintable()):
                rows.append((row, fields["input"], fields["expected_output"], {} if labels is None else labels, source))
                continue
        fallen.append((row, *_why_none(example, fields)))
    return rows, fallen


def _why_none(example: object, fields: Mapping[str, Any] | None) -> tuple[str, str, str]:
    """Return part, path and reason of what is no example."""
    if fields is None:
        return "", "", f"{type(example).__name__} is no example: give mappings or pydantic models"
    strange = fields.keys() - _KNOWN
    if strange:
        return "", "", f"nobody knows what {min(map(str, strange))!r} is; an example has {', '.join(GIVEN)}"
    missing = [name for name in PARTS[:2] if name not in fields]
    if missing:
        return missing[0], "", "it is missing"
    source = fields[SOURCE]
    return SOURCE, "", "an id is printable text" if isinstance(source, str) else f"an id is text, this is {type(source).__name__}"


def _mapping(example: object) -> Mapping[str, Any] | None:
    if isinstance(example, Example):
        return {name: getattr(example, name) for name in GIVEN}
    if isinstance(example, BaseModel):
        example = example.model_dump(mode="json")
    if not isinstance(example, Mapping):
        return None
    return {OTHER_NAMES.get(name, str(name)): value for name, value in example.items()}


def _texts(values: Sequence[Any], part: str, rows: Sequence[int], fallen: list[_Fallen]) -> pl.Series:
    """Return values as JSON texts, null for those that are none, which fall out."""
    texts: list[str | None]
    try:
        made = pl.Series(part, _together(values), dtype=pl.String())
    except (TypeError, ValueError, RecursionError):
        doubtful, texts = list(range(len(values))), [""] * len(values)
    else:  # the encoder makes text of other keys, silently
        doubtful = made.str.contains(_LIKE_OTHER_KEYS).arg_true().to_list()
        if not doubtful:
            return made
        texts = made.to_list()
    for place in doubtful:
        try:
            texts[place] = canonical_text(values[place])
        except ValueError as error:
            texts[place] = None
            fallen.append((rows[place], part, "", str(error)))
    return pl.Series(part, texts, dtype=pl.String())


def _together(values: Sequence[Any]) -> list[str]:
    """Return the JSON text of each value, all made in one go, which is several times quicker than one by one."""
    mark = secrets.token_hex(16)
    between = [item for value in values for item in (value, mark)]
    return _ENCODE(between)[1:].removesuffix(f',"{mark}"]').split(f',"{mark}",') if values else []


def _value(model: object) -> object:
    if isinstance(model, BaseModel):
        return model.model_dump(mode="json")
    raise TypeError


_ENCODE = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), allow_nan=False, check_circular=False, default=_value).encode
