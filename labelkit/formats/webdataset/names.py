"""Keys of rows as names in a WebDataset, and back.

WebDataset takes what stands before the first dot of a file's name as the key, folders included, and the rest as the kind of content. So
every sign of a key but ASCII letters, digits, `_`, `-` and the slash between two parts stands as its UTF-8 bytes, `%2E` for a dot; the key
without signs is `%`.
"""

from __future__ import annotations

import re
from urllib.parse import quote, unquote

import polars as pl

_PLAIN = r"^[A-Za-z0-9_-]+(/[A-Za-z0-9_-]+)*$"
_STRANGE = re.compile(r"[^A-Za-z0-9_/-]|(?<![^/])/|/(?![^/])")


def name_of(key: str) -> str:
    """Return the name that a key has.

    >>> name_of("club-a/match-1/000042"), name_of("v1.2/ü"), name_of("../x/")
    ('club-a/match-1/000042', 'v1%2E2/%C3%BC', '%2E%2E/x%2F')
    """
    return _STRANGE.sub(lambda sign: "%2E" if sign[0] == "." else quote(sign[0], safe=""), key) or "%"


def key_of(name: str) -> str:
    """Return the key that a name stands for.

    >>> key_of("v1%2E2/%C3%BC")
    'v1.2/ü'
    """
    return "" if name == "%" else unquote(name, errors="strict")


def names_of(keys: pl.Series) -> pl.Series:
    """Return the names of many keys; only those that are not plain are looked at singly."""
    text = keys.cast(pl.String)
    strange = (~text.str.contains(_PLAIN)).arg_true()
    return text.scatter(strange, [name_of(text[place]) for place in strange.to_list()]) if len(strange) else text
