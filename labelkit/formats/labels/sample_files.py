"""Formats of one text file a sample: thousands of small files, written as quickly as the disk takes them."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from labelkit.errors import InvalidValue

if TYPE_CHECKING:
    from pathlib import Path

    import polars as pl

_CLIMBS = r"(^|/)\.{0,2}(/|$)"


class SampleFiles:
    """Text files below a folder, one a sample, each path once; folders are made when the first file needs them."""

    def __init__(self, root: Path) -> None:
        self._root = str(root)
        self._made: set[str] = set()

    def put(self, names: pl.Series, texts: pl.Series) -> None:
        """Write the files of these names (with folders and suffix). Raises `INVALID_VALUE` where two samples have the same file."""
        climbing = names.filter(names.str.contains(_CLIMBS))
        if climbing.len():
            raise InvalidValue(what="samples", reason=f"{climbing[0]!r} is no path of a file", fix="Export another format, such as coco.")
        for name, text in zip(names.to_list(), texts.to_list(), strict=True):
            self._put(name, text.encode())

    def _put(self, name: str, data: bytes) -> None:
        path = f"{self._root}/{name}"
        folder = path.rpartition("/")[0]
        if folder not in self._made:
            os.makedirs(folder, exist_ok=True)  # noqa: PTH103 (text all the way: Path objects would cost more than the writing)
            self._made.add(folder)
        try:
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)
        except FileExistsError as error:
            fix = "Pictures whose names differ only in the suffix need different names in this format; export coco instead."
            raise InvalidValue(what="samples", reason=f"two of them have the label file {name}", fix=fix) from error
        try:
            while data:
                data = data[os.write(descriptor, data) :]
        finally:
            os.close(descriptor)


def label_file(picture: pl.Expr, suffix: str) -> pl.Expr:
    """Return the path of a picture's label file: the picture's, with another suffix."""
    return picture.str.replace(r"([^/])\.[^./]*$", "$1") + suffix
