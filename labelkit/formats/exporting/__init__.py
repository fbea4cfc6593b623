"""Running a writer: a staging folder, counts, progress, description and manifest, and the whole export put in its place at once."""

from __future__ import annotations

import os
import tempfile
from collections import Counter
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from labelkit.errors import ExportTargetTaken, StorageWriteFailed
from labelkit.formats import croissant
from labelkit.formats.exporting.losses import check_takes
from labelkit.formats.exporting.staging import staged
from labelkit.formats.exporting.uploading import check_uploadable, upload
from labelkit.formats.exports import Written, WrittenFile, check_part, digest_of_file, names_below
from labelkit.formats.manifest import MANIFEST, Manifest
from labelkit.formats.places import RemotePlace, place_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    import polars as pl

    from labelkit.formats.exports import About, Format, Loss

    Progress = Callable[[int, int], object]  # rows done, rows in all; it may raise to cancel


def export(
    format: Format,
    chunks: Iterable[pl.DataFrame],
    out: str | Path,
    about: About,
    *,
    total: int = 0,
    losses: Sequence[Loss] = (),
    progress: Progress | None = None,
    storage_options: Mapping[str, object] | None = None,
) -> Written:
    """Write rows in a format to `out`, a folder or a URL of fsspec, whole or not at all, and return what lies there.

    `chunks` come in key order; `total` is how many rows they have together, for `progress`, which is called after each chunk and may raise
    to cancel: then, as after any error, nothing has changed. An earlier export at `out` is replaced; `uploading` says how at URLs. Raises
    `EXPORT_TARGET_TAKEN` where anything else is there, `STORAGE_WRITE_FAILED`, and `INVALID_VALUE` for what the format cannot write.
    """
    check_takes(format, about)
    for split in about.parts:
        check_part(split)
    count = _Count(about, total, progress)
    with _place(out, storage_options) as folder:
        try:
            files = _filled(format, count, chunks, folder, about, losses)
        except OSError as error:
            raise StorageWriteFailed(what=f"The export to {out}", reason=str(error)) from error
    root = out if isinstance(out, Path) or "://" in out else Path(out)
    return Written(root, files, sum(count.rows.values()), count.annotations or 0, tuple(losses))


@contextmanager
def _place(out: str | Path, storage_options: Mapping[str, object] | None) -> Iterator[Path]:
    """Give the folder to fill; when the block ends, what is in it stands at `out`."""
    place = place_of(out, storage_options)
    if isinstance(place, RemotePlace):
        check_uploadable(place)
        with tempfile.TemporaryDirectory(prefix="labelkit-export-") as folder:
            yield Path(folder)
            upload(Path(folder), place)
    else:
        final = place.root.resolve()
        with staged(final, Replaceable(final).check) as folder:
            yield folder


def _filled(
    format: Format, count: _Count, chunks: Iterable[pl.DataFrame], folder: Path, about: About, losses: Sequence[Loss]
) -> tuple[WrittenFile, ...]:
    """Fill a folder with the files of a format, their description and the manifest, and return them all."""
    told = format.write(count.of(chunks), folder, about) or {}
    files = tuple(_file(folder, name, told.get(name)) for name in names_below(folder))
    (folder / croissant.NAME).write_bytes(croissant.describe(folder, about, files, format.name))
    files = tuple(sorted((*files, digest_of_file(folder, croissant.NAME)), key=lambda file: file.name))
    manifest = Manifest.of(format.name, about, files, count.rows, count.annotations, losses)
    (folder / MANIFEST).write_bytes(manifest.data)
    return tuple(sorted((*files, digest_of_file(folder, MANIFEST)), key=lambda file: file.name))


def _file(folder: Path, name: str, told: int | WrittenFile | None) -> WrittenFile:
    return told if isinstance(told, WrittenFile) else replace(digest_of_file(folder, name), rows=told)


class Replaceable:
    """A place that an export may take: nothing is there, or an earlier export whose manifest is read once as long as it stays the same."""

    def __init__(self, final: Path) -> None:
        self._final = final
        self._manifest = b""
        self._known: set[str] = set()

    def check(self) -> None:
        """Refuse a place that holds anything but an earlier export or nothing. Raises `EXPORT_TARGET_TAKEN`."""
        if not self._final.exists():
            return
        foreign = self._foreign() if self._final.is_dir() else [self._final.name]
        if foreign:
            raise ExportTargetTaken(target=self._final, example=min(foreign), count=len(foreign))

    def _foreign(self) -> list[str]:
        path = self._final / MANIFEST
        data = path.read_bytes() if path.is_file() else b""
        if data != self._manifest:
            manifest = Manifest.read(data)
            self._known = {MANIFEST, *(file.name for file in manifest.files)} if manifest else set()
            self._manifest = data
        root = str(self._final)
        return [name for name in names_below(self._final) if name not in self._known or os.path.islink(f"{root}/{name}")]  # noqa: PTH114  # as below


class _Count:
    """Counts rows and annotations while they pass, and tells how far it is."""

    def __init__(self, about: About, total: int, progress: Progress | None) -> None:
        self._about = about
        self._total = total
        self._progress = progress
        self.rows: Counter[str] = Counter(dict.fromkeys(about.parts, 0))
        self.annotations: int | None = 0 if about.capability is not None else None

    def of(self, chunks: Iterable[pl.DataFrame]) -> Iterator[pl.DataFrame]:
        """Yield the chunks, each in one piece: polars fails to join the texts of filtered rows that lie in several."""
        for chunk in chunks:
            yield chunk.rechunk()
            for part, count in self._parts(chunk):
                self.rows[part] += count
            if self.annotations is not None:
                self.annotations += int(chunk["annotations"].list.len().sum())
            if self._progress is not None:
                done = sum(self.rows.values())
                self._progress(done, max(self._total, done))

    def _parts(self, chunk: pl.DataFrame) -> Iterable[tuple[str, int]]:
        if not self._about.splits:
            return [(self._about.parts[0], chunk.height)]
        return chunk["split"].value_counts().iter_rows()
