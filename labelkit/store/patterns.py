"""Paths as `read_parquet` takes them: DuckDB reads `*`, `?` and `[` in one as a pattern, so that a folder `run[1]` would be `run1`."""

from __future__ import annotations

import re
from glob import escape
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

_READ = re.compile(r"read_parquet\(\s*\$(\w+)")


def exact(path: str | Path) -> str:
    """Return the pattern that only this path fits.

    >>> exact("runs/run[1]/rows.parquet")
    'runs/run[[]1]/rows.parquet'
    """
    return escape(str(path))


def exactly_read(sql: str, params: Mapping[str, object]) -> Mapping[str, object]:
    """Return the parameters of a query, those that it gives to `read_parquet` as the very files that they name."""
    if "read_parquet" not in sql:
        return params
    read = set(_READ.findall(sql))
    return {name: _files(value) if name in read else value for name, value in params.items()}


def _files(value: object) -> object:
    if isinstance(value, (list, tuple)):
        return [_files(one) for one in value]
    return exact(value) if isinstance(value, (str, Path)) else value
