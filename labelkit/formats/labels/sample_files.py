"""Formats of one text file a sample: thousands of small files, written as quickly as the disk takes them."""

from __future__ import annotations

import hashlib
import os
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from labelkit.errors import InvalidValue
from labelkit.formats.exports import WrittenFile

if TYPE_CHECKING:
    from pathlib import Path

    import polars as pl

WRITERS = 4  # a file system that is busy lets each file wait, but not all of them one after another
_CLIMBS = r"(^|/)\.{0,2}(/|$)"


class SampleFiles:
    """Text files below a folder, one a sample, each path once; folders are made when the first file needs them.

    They stand below the folder of an export, all of them in `within` where that is given (`folder/`); `written` tells of each by its path.
    """

    def __init__(self, folder: Path, within: str = "") -> None:
        self._root = f"{folder}/{within}".removesuffix("/")
        self._within = within
        self._made: set[str] = set()
        self.written: dict[str, WrittenFile] = {}

    def put(self, names: pl.Series, texts: pl.Series) -> None:
        """Write the files of these names (with folders and suffix). Raises `INVALID_VALUE` where two samples have the same file."""
        climbing = names.filter(names.str.contains(_CLIMBS))
        if climbing.len():
            raise InvalidValue(what="samples", reason=f"{climbing[0]!r} is no path of a file", fix="Export another format, such as coco.")
        files = [(name, text.encode()) for name, text in zip(names.to_list(), texts.to_list(), strict=True)]
        for folder in dict.fromkeys(f"{self._root}/{name}".rpartition("/")[0] for name, _ in files):
            if folder not in self._made:
                os.makedirs(folder, exist_ok=True)  # noqa: PTH103 (text all the way: Path objects would cost more than the writing)
                self._made.add(folder)
        share = -(-len(files) // WRITERS) or 1
        with ThreadPoolExecutor(WRITERS, thread_name_prefix="labelkit-write") as pool:
            for part in pool.map(self._put, (files[start : start + share] for start in range(0, len(files), share))):
                self.written.update((one.name, one) for one in part)

    def _put(self, files: list[tuple[str, bytes]]) -> list[WrittenFile]:
        written = []
        for name, data in files:
            _create(f"{self._root}/{name}", data, name)
            written.append(WrittenFile(f"{self._within}{name}", len(data), hashlib.sha256(data).hexdigest()))  # nobody reads it again
        return written


def _create(path: str, data: bytes, name: str) -> None:
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
