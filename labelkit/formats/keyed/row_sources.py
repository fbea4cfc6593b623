"""Where rows are read from: the files of an export with its manifest, which must be whole, or files of anybody else's."""

from __future__ import annotations

import tempfile
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

import polars as pl

from labelkit.errors import ExportDamaged, InvalidValue, LabelsNotFound, LabelsUnreadable
from labelkit.formats.exports import digest_of_file
from labelkit.formats.manifest import MANIFEST, Manifest
from labelkit.formats.places import RemotePlace, place_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

SUFFIXES = {
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".csv": "csv",
    ".parquet": "parquet",
    ".tfrecord": "tfrecord",
    ".tar": "webdataset",
}


def sourced(source: str | Path, suffix: str) -> tuple[list[Path], Manifest | None]:
    """Return the files of rows below a folder, or the one that is named, in order, and the manifest where they are an export's.

    Raises `LABELS_NOT_FOUND`, and `EXPORT_DAMAGED` where a manifest, or a file that it names, is not what was written.
    """
    path = Path(source).expanduser()
    root = next((folder for folder in (path, *path.resolve().parents[:3]) if (folder / MANIFEST).is_file()), None)
    files = [path] if path.is_file() else sorted(file for file in path.rglob(f"*{suffix}") if file.is_file())
    if root is None:
        if not files:
            raise LabelsNotFound(source=path, reason=f"there is no {suffix} file", expected=f"a {suffix} file, or a folder of them")
        return files, None
    manifest = Manifest.read((root / MANIFEST).read_bytes())
    if manifest is None:
        raise ExportDamaged(folder=root, what=f"{MANIFEST} is not as it was written")
    chosen = [file for file in manifest.files if file.name.endswith(suffix) and _within(root / file.name, path)]
    if not chosen and path.is_file():
        return files, None
    if not chosen:
        reason = f"it is an export of {manifest.format}, in which there is no {suffix} file"
        raise LabelsNotFound(source=path, reason=reason, expected=f"a {suffix} file or a folder of them, or the format {manifest.format}")
    for file in chosen:
        if not (root / file.name).is_file() or digest_of_file(root, file.name).sha256 != file.sha256:
            raise ExportDamaged(folder=root, what=f"{file.name} is missing or not as it was written")
    return [root / file.name for file in chosen], manifest


@contextmanager
def local_copy(source: str | Path, storage_options: Mapping[str, object] | None = None) -> Iterator[Path]:
    """Give the path of files that lie here, or of a copy of those at a URL, which goes with the block. Raises `STORAGE_READ_FAILED`."""
    place = place_of(source, storage_options)
    if not isinstance(place, RemotePlace):
        yield place.root
        return
    with tempfile.TemporaryDirectory(prefix="labelkit-import-") as folder:
        root = Path(folder)
        for name in place.names() or [""]:  # without files below it is a file itself
            file = root / (name or PurePosixPath(place.root).name)
            file.parent.mkdir(parents=True, exist_ok=True)
            place.fetch(name, file)
        yield root


def format_of(source: str | Path) -> str:
    """Return the format of rows that files are in: what the manifest of an export says, else what the name ends in.

    Raises `INVALID_VALUE` where neither says it.
    """
    manifest = Path(source).expanduser() / MANIFEST
    found = Manifest.read(manifest.read_bytes()) if manifest.is_file() else None
    name = SUFFIXES.get(PurePosixPath(source).suffix.lower()) if found is None else found.format
    if name is None:
        known = ", ".join(SUFFIXES)
        raise InvalidValue(what=str(source), reason="its name says no format", fix=f"Name the format, or a file that ends in {known}.")
    return name


def key_of(source: Path) -> str | None:
    """Return the column that the manifest of an export calls the key; None where there is no manifest."""
    manifest = source / MANIFEST
    found = Manifest.read(manifest.read_bytes()) if manifest.is_file() else None
    return None if found is None else found.key


def _within(file: Path, path: Path) -> bool:
    return file.resolve().is_relative_to(path.resolve())


@contextmanager
def readable(file: str | Path) -> Iterator[None]:
    """Turn what a reader stumbles over into `LABELS_UNREADABLE`."""
    try:
        yield
    except (OSError, ValueError, pl.exceptions.PolarsError) as error:
        reason = " ".join(str(error).split())[:300]
        raise LabelsUnreadable(source=file, reason=reason, fix="Export it again, or look at the file.") from error
