"""The sidecar of a YOLO export, `ids.csv`: for each label file the key of its sample, and the ids of its lines in their order."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

if TYPE_CHECKING:
    from pathlib import Path

IDS = "ids.csv"
ID_SIGNS = r"^[A-Za-z0-9][A-Za-z0-9_.:-]*$"  # of ids that can stand there; `-` stands for any other
_QUOTED = r'[",\r\n]'
_COLUMNS = {"file": pl.String(), "sample_key": pl.String(), "ids": pl.String()}


def csv_text(rows: pl.DataFrame) -> pl.Series:
    """Return rows of texts as lines of CSV."""
    cells = [
        pl.when(pl.col(name).str.contains(_QUOTED))
        .then(pl.format('"{}"', pl.col(name).str.replace_all('"', '""', literal=True)))
        .otherwise(name)
        for name in rows.columns
    ]
    return rows.select(pl.concat_str(*cells, separator=",") + "\n").to_series()


def ids_of_lines(root: Path) -> pl.DataFrame | None:
    """Return file (below `root`) and ids (a list, one a line) where `root` or a folder above it is an export with ids, else None.

    A sidecar that is none of ours says nothing.
    """
    for above in (root, *root.parents[:4]):
        if (above / IDS).is_file():
            return _read(above / IDS, root.relative_to(above).as_posix())
    return None


def _read(file: Path, below: str) -> pl.DataFrame | None:
    try:
        known = pl.read_csv(file, schema=_COLUMNS, glob=False)
    except pl.exceptions.PolarsError:
        return None
    if below != ".":
        known = known.filter(pl.col("file").str.starts_with(f"{below}/")).with_columns(pl.col("file").str.slice(len(below) + 1))
    return known.filter(pl.col("ids").is_not_null()).select("file", pl.col("ids").str.split(" "))
