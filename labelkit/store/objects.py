"""Content-addressed objects: immutable files named by the sha256 of their bytes, below one folder.

A file appears under its name only when all of its bytes are on the disk, so that whatever has a name is whole.
"""

from __future__ import annotations

import hashlib
import io
import os
import re
import secrets
import time
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import polars as pl

from labelkit.errors import StorageReadFailed, StorageWriteFailed
from labelkit.store.files import sync_folder, write_durably

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

_DIGEST = re.compile(r"[0-9a-f]{64}")
_SUFFIX = re.compile(r"\.[a-z0-9]{1,16}")
_ROW_GROUP = 122_880  # rows; DuckDB's own unit of parallel work


@dataclass(frozen=True, slots=True)
class Collected:
    """What a collection removed, or would remove: digests of objects that nothing names, and bytes won."""

    digests: tuple[str, ...]
    size_bytes: int


class Objects:
    """The objects of one store, as `<root>/ab/cdef….parquet`. A digest is 64 lowercase hex digits."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def put_bytes(self, data: bytes, suffix: str = ".parquet") -> str:
        """Store bytes durably and return their digest; the same bytes twice are one object."""
        return self._put(io.BytesIO(data), hashlib.sha256(data).hexdigest(), suffix)

    def put_frame(self, df: pl.DataFrame, *, level: int = 3) -> str:
        """Store a data frame as Parquet and return its digest; equal frames and levels give equal bytes with one version of polars."""
        buffer = io.BytesIO()
        df.write_parquet(buffer, compression="zstd", compression_level=level, statistics=True, row_group_size=_ROW_GROUP)
        return self.put_bytes(buffer.getvalue())

    def put_file(self, path: Path | str, suffix: str = ".parquet") -> str:
        """Store a copy of a file and return its digest."""
        with self._reading(str(path)), Path(path).open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
            file.seek(0)
            return self._put(file, digest, suffix)

    def path(self, digest: str, suffix: str = ".parquet") -> str:
        """Return where the object is or would be: a path that polars and DuckDB can scan."""
        if not _DIGEST.fullmatch(digest) or not _SUFFIX.fullmatch(suffix):
            raise ValueError(f"not the name of an object: {digest!r}{suffix!r}")
        return f"{self.root}/{digest[:2]}/{digest[2:]}{suffix}"  # a version of millions of rows asks for hundreds of these

    def exists(self, digest: str, suffix: str = ".parquet") -> bool:
        """Say whether the object is there."""
        return Path(self.path(digest, suffix)).is_file()

    def verify(self, digest: str, suffix: str = ".parquet") -> bool:
        """Read the whole object and say whether it is there and its bytes have this digest."""
        try:
            with Path(self.path(digest, suffix)).open("rb") as file:
                return hashlib.file_digest(file, "sha256").hexdigest() == digest
        except OSError:
            return False

    def read_bytes(self, digest: str, suffix: str = ".parquet") -> bytes:
        """Return the bytes of an object. Raises `STORAGE_READ_FAILED`."""
        with self._reading(digest):
            return Path(self.path(digest, suffix)).read_bytes()

    def read_frame(self, digest: str, columns: Sequence[str] | None = None) -> pl.DataFrame:
        """Return the rows of an object, or some of its columns. Raises `STORAGE_READ_FAILED` when it is missing or damaged."""
        with self._reading(digest):
            return pl.read_parquet(self.path(digest), columns=None if columns is None else list(columns), glob=False)

    def scan(self, digests: Iterable[str]) -> pl.LazyFrame:
        """Return the rows of one object or more, one after the other, to be read when the query runs. At least one digest."""
        return pl.scan_parquet([self.path(digest) for digest in digests], glob=False)

    def collect(self, named: set[str], grace_s: float, *, dry_run: bool = False) -> Collected:
        """Remove the objects that are not in `named` and were not stored again for `grace_s` seconds, and what killed writers left.

        The caller holds the store's lock, so that `named` is complete; an object stored meanwhile is younger than the grace time.
        """
        digests: list[str] = []
        size_bytes = 0
        old = time.time() - grace_s
        for file in sorted(self.root.glob("*/*")) + sorted(self.root.glob(".new-*")):
            digest = file.parent.name + file.stem
            is_object = _DIGEST.fullmatch(digest) is not None
            with suppress(FileNotFoundError):
                status = file.stat()
                if status.st_mtime > old or (is_object and digest in named) or not (dry_run or _remove(file, old)):
                    continue
                size_bytes += status.st_size
                digests += [digest] if is_object else []
        return Collected(tuple(digests), size_bytes)

    def _put(self, source: BinaryIO, digest: str, suffix: str) -> str:
        target = Path(self.path(digest, suffix))
        with self._writing(digest):
            with suppress(FileNotFoundError, PermissionError):  # not there, or a colleague's: write it (again)
                os.utime(target)  # a new lease: the row that will name it is about to be written
                return digest
            if not target.parent.is_dir():
                target.parent.mkdir(parents=True, exist_ok=True)
                for folder in (self.root.parent, self.root):
                    sync_folder(folder)
            write_durably(target, source)
        return digest

    @contextmanager
    def _writing(self, what: str) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise StorageWriteFailed(what=f"Object {what} in {self.root}", reason=error.strerror or str(error)) from error

    @contextmanager
    def _reading(self, what: str) -> Iterator[None]:
        try:
            yield
        except (OSError, pl.exceptions.PolarsError) as error:
            reason = " ".join(str(error).split())
            raise StorageReadFailed(what=f"Object {what} in {self.root}", reason=reason) from error


def _remove(file: Path, old: float) -> bool:
    """Remove a file unless it got a new lease since it was looked at, and say so."""
    away = file.with_name(f".new-{secrets.token_hex(8)}")
    file.rename(away)  # from here on a writer of the same bytes sees nothing and writes anew
    if away.stat().st_mtime > old:
        away.replace(file)
        return False
    away.unlink()
    return True
