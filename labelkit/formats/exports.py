"""Exports that appear whole or not at all: everything is written beside the target, made durable, then renamed into place."""

from __future__ import annotations

import hashlib
import os
import secrets
import shutil
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import polars as pl

from labelkit.errors import ExportTargetTaken, StorageWriteFailed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from labelkit.core.review.annotations import Capability

FILES_SYNCED_ONE_BY_ONE = 64


@dataclass(frozen=True, slots=True)
class WrittenFile:
    """A file of an export: its path below the root, size and sha256."""

    name: str
    byte_count: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Written:
    """What an export holds: its folder, its files in name order, and how many samples and annotations are in them."""

    root: Path
    files: tuple[WrittenFile, ...]
    sample_count: int
    annotation_count: int


class Writer(Protocol):
    """What every format's `write` is.

    `chunks` are sample rows in key order: sample_key, split, group_key, workspace, media, frame_index, frame_name, pts_ms, width, height,
    sha256, flags, annotations. Afterwards `target` holds the export, the same bytes for the same rows, whatever the chunks. Raises
    `EXPORT_TARGET_TAKEN` where the folder holds anything but an earlier export, `STORAGE_WRITE_FAILED` where it cannot be written; then
    nothing has changed.
    """

    def __call__(  # noqa: D102 (said above)
        self, chunks: Iterable[pl.DataFrame], target: str | Path, *, capability: Capability, splits: Sequence[str] = ()
    ) -> Written: ...


@contextmanager
def whole_folder(target: str | Path, belongs: Callable[[str], bool]) -> Iterator[Path]:
    """Give a new folder to write into; when the block ends it is durable and in the place of `target`.

    An earlier export, a folder in which every file's path `belongs`, is replaced: whoever looks there sees the old one, for an instant
    none, then the new one. Raises `EXPORT_TARGET_TAKEN` for any other folder with files, `STORAGE_WRITE_FAILED`.
    """
    final = Path(target).expanduser().resolve()
    _check(final, belongs)
    new = final.parent / f".{final.name}.new-{secrets.token_hex(6)}"
    try:
        final.parent.mkdir(parents=True, exist_ok=True)
        new.mkdir()
        yield new
        _sync(new)
        _check(final, belongs)
        _put_in_place(new, final)
    except OSError as error:
        raise StorageWriteFailed(what=f"The export to {final}", reason=str(error)) from error
    finally:
        shutil.rmtree(new, ignore_errors=True)


def digests(root: Path) -> tuple[WrittenFile, ...]:
    """Return the files below a folder with their sizes and sha256, in name order."""
    found = []
    for name in sorted(_names(root)):
        with (root / name).open("rb") as file:
            found.append(WrittenFile(name, os.fstat(file.fileno()).st_size, hashlib.file_digest(file, "sha256").hexdigest()))
    return tuple(found)


def _names(root: Path) -> list[str]:
    return [path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_symlink() or not path.is_dir()]


def _check(final: Path, belongs: Callable[[str], bool]) -> None:
    if not final.exists():
        return
    foreign = [final.name] if not final.is_dir() else [name for name in _names(final) if not belongs(name)]
    if foreign:
        raise ExportTargetTaken(target=final, example=min(foreign), count=len(foreign))


def _put_in_place(new: Path, final: Path) -> None:
    old = final.parent / f".{final.name}.old-{secrets.token_hex(6)}"
    if final.exists():
        final.rename(old)
    try:
        new.rename(final)
    except OSError:
        if old.exists():
            old.rename(final)
        raise
    _sync_folder(final.parent)
    shutil.rmtree(old, ignore_errors=True)


def _sync(root: Path) -> None:
    """Make a folder with everything below durable; thousands of files by one call for the whole machine, which is quicker."""
    names = _names(root)
    if len(names) > FILES_SYNCED_ONE_BY_ONE and hasattr(os, "sync"):
        os.sync()
        return
    for name in names:
        with (root / name).open("rb+") as file:
            os.fsync(file.fileno())
    for folder in (*(path for path in root.rglob("*") if path.is_dir()), root):
        _sync_folder(folder)


def _sync_folder(folder: Path) -> None:
    if os.name != "posix":
        return  # elsewhere a name is durable with its file
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def file_name() -> pl.Expr:
    """Return the path of a sample's picture in an export: workspace/media/name, for a frame of a video its index and .jpg."""
    of_video = pl.format("{}.jpg", pl.col("frame_index").cast(pl.String).str.zfill(6))
    return pl.format("{}/{}/{}", "workspace", "media", pl.when(pl.col("frame_name") == "").then(of_video).otherwise("frame_name"))
