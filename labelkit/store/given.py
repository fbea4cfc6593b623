"""Rows as people give them: frames of polars and of other libraries, and lists of rows; what only looks like rows is refused."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import polars as pl

from labelkit.errors import InvalidValue


def frame_of(given: object) -> pl.DataFrame | None:
    """Return a frame that was given, of polars or of any library that hands out Arrow (pyarrow, DuckDB, pandas); None for what is none.

    Raises `INVALID_VALUE` for a frame that cannot be handed over.
    """
    if isinstance(given, pl.DataFrame):
        return given
    if isinstance(given, pl.LazyFrame):
        return given.collect()
    if isinstance(given, type) or not hasattr(given, "__arrow_c_stream__"):
        return None
    try:
        return pl.DataFrame(given)
    except (ImportError, TypeError, ValueError, pl.exceptions.PolarsError) as error:
        what, reason = f"The {type(given).__name__}", " ".join(str(error).split())[:200]
        fix = "Give a polars frame; polars.from_pandas(frame) makes one, where pyarrow is installed."
        raise InvalidValue(what=what, reason=reason, fix=fix) from error


def listed_rows(given: object, what: str, whole: tuple[type, ...] = ()) -> Iterable[object]:
    """Return several rows. Raises `INVALID_VALUE` for text, for nothing, and for one row (a mapping, or of a type in `whole`) alone."""
    one = isinstance(given, (Mapping, *whole))
    if one or isinstance(given, (str, bytes)) or not isinstance(given, Iterable):
        fix = "Put it into a list: [row]." if one else "Give a list of mappings or models, or a polars frame."
        raise InvalidValue(what=what, reason=f"{type(given).__name__} is not several rows", fix=fix)
    return given
