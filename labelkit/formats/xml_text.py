"""XML text made of columns, set-based: every text escaped as an attribute's value needs it, which is right in elements too."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from labelkit.errors import InvalidValue

if TYPE_CHECKING:
    import polars as pl

_ESCAPES = {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "\t": "&#9;", "\n": "&#10;", "\r": "&#13;"}
_TABLE = str.maketrans(_ESCAPES)
_NO_XML = "[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]"
_STRANGE = re.compile(_NO_XML)


def escaped(texts: pl.Series) -> pl.Series:
    """Return texts as they stand in XML, null as null. Raises `INVALID_VALUE` for a sign that no XML can hold, such as NUL."""
    strange = texts.filter(texts.str.contains(_NO_XML).fill_null(value=False))
    if strange.len():
        raise _no_xml(strange[0])
    return texts.str.replace_many(list(_ESCAPES), list(_ESCAPES.values()))


def escape(text: str) -> str:
    """Return one text as it stands in XML (see `escaped`)."""
    if _STRANGE.search(text):
        raise _no_xml(text)
    return text.translate(_TABLE)


def with_escaped(rows: pl.DataFrame, *columns: str) -> pl.DataFrame:
    """Return the rows with these text columns as they stand in XML (see `escaped`); a column of few texts costs little."""
    return rows.with_columns(escaped(rows[name]) for name in columns)


def _no_xml(text: str) -> InvalidValue:
    fix = "Rename it, or export a format of JSON, such as coco."
    return InvalidValue(what="samples", reason=f"{text[:80]!r} holds a sign that XML cannot", fix=fix)
