"""Files of examples, exported here or written by anybody, as rows that can be added."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import polars as pl

from labelkit.core.golden.types import PARTS
from labelkit.errors import InvalidValue
from labelkit.formats import golden_lines, row_reader
from labelkit.store.golden.parts import REFUSED
from labelkit.store.golden.rows import OTHER_NAMES, SOURCE, given_of

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

TYPE = "type"
_FLAT_NAMES = {**OTHER_NAMES, "input_json": "input", "output_json": "expected_output"}


def given_of_file(format: str, path: Path) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return the rows of files as `store.golden.rows.given_of` does, with a column `type` (null where a row does not say)."""
    return _of_lines(path) if format == "jsonl" else _of_rows(format, path)


def _of_lines(path: Path) -> tuple[pl.DataFrame, pl.DataFrame]:
    kinds = {"row": pl.Int64(), **dict.fromkeys((*PARTS, SOURCE, TYPE), pl.String())}
    given, refused = [pl.DataFrame(schema=kinds)], [pl.DataFrame(schema=REFUSED)]
    for lines in golden_lines.read(path):
        given.append(lines.texts.select(*kinds))
        if lines.others:
            taken, fallen = _of_others(lines.others)
            given.append(taken.select(*kinds))
            refused.append(fallen)
    return pl.concat(given).sort("row"), pl.concat(refused)


def _of_others(others: list[tuple[int, Mapping[str, Any] | None, str]]) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return lines that were read one by one, by the numbers that they have in the file."""
    rows = pl.Series("row", [row for row, *_ in others], dtype=pl.Int64())
    types = pl.Series(TYPE, [_type(example) for _, example, _ in others], dtype=pl.String())
    bare = [None if one is None else {name: value for name, value in one.items() if name != TYPE} for _, one, _ in others]
    given, refused = given_of(bare)
    why = pl.Series("why", [reason or None for *_, reason in others], dtype=pl.String())
    reasons = refused.select(pl.coalesce(pl.lit(why.gather(refused["row"])), "reason").alias("reason")).to_series()
    taken = given.with_columns(types.gather(given["row"]), rows.gather(given["row"]))
    return taken, refused.with_columns(reasons, rows.gather(refused["row"]))


def _type(example: Mapping[str, Any] | None) -> str | None:
    found = None if example is None else example.get(TYPE)
    return None if found is None else str(found)


def _of_rows(format: str, path: Path) -> tuple[pl.DataFrame, pl.DataFrame]:
    frames = list(row_reader(format)(path))
    rows = pl.concat(frames, how="vertical_relaxed").rename(lambda name: _FLAT_NAMES.get(name, name))
    wanted = [name for name in (*PARTS, SOURCE) if name in rows.columns]
    missing = [name for name in PARTS[:2] if name not in rows.columns]
    if missing:
        fix = "Name the columns input_json and output_json, or input and expected_output."
        raise InvalidValue(what=f"The rows of {path.name}", reason=f"there is no column {missing[0]!r}", fix=fix)
    given, refused = given_of(rows.select(wanted))
    said = rows[TYPE].cast(pl.String) if TYPE in rows.columns else pl.repeat(None, rows.height, dtype=pl.String(), eager=True)
    return given.with_columns(said.gather(given["row"]).alias(TYPE)), refused.cast(REFUSED)  # type: ignore[arg-type]  # names to types
