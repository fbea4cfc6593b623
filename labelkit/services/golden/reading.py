"""Files of examples, exported here or written by anybody, as rows that can be added."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import polars as pl

from labelkit.core.golden.types import PARTS
from labelkit.errors import InvalidValue
from labelkit.formats import golden_lines, row_reader
from labelkit.store.golden_parts import REFUSED
from labelkit.store.golden_rows import OTHER_NAMES, SOURCE, given_of

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

TYPE = "type"
_FLAT_NAMES = {**OTHER_NAMES, "input_json": "input", "output_json": "expected_output"}


def given_of_file(format: str, path: Path) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return the rows of files as `store.golden_rows.given_of` does, with a column `type` (null where a row does not say)."""
    return _of_lines(path) if format == "jsonl" else _of_rows(format, path)


def _of_lines(path: Path) -> tuple[pl.DataFrame, pl.DataFrame]:
    examples: list[object] = []
    types: list[str | None] = []
    fallen: dict[int, str] = {}
    for row, (example, reason) in enumerate(golden_lines.read(path)):
        if example is None:
            fallen[row] = reason
        types.append(_type(example))
        examples.append(None if example is None else {name: value for name, value in example.items() if name != TYPE})
    given, refused = given_of(examples)
    said = pl.Series(TYPE, types, dtype=pl.String()).gather(given["row"])
    reasons = [fallen.get(row, reason) for row, reason in refused.select("row", "reason").iter_rows()]
    return given.with_columns(said), refused.with_columns(pl.Series("reason", reasons, dtype=pl.String()))


def _type(example: Mapping[str, Any] | None) -> str | None:
    found = None if example is None else example.get(TYPE)
    return found if isinstance(found, str) else None


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
