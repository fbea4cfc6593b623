"""Exports at URLs: staged here, uploaded file by file, the manifest last.

Object stores replace one file at a time, so the manifest is what makes an export: as long as one is there, all that it names is there,
and a reader who checks it never takes a mix for an export. An upload begins with a note of all files that come and go, removes the
manifest of the export before, uploads what is not there yet, removes what that export had and this one has not, writes the manifest,
and removes the note. One that ends on the way leaves the note, by which the next export knows the files for its own and goes on: files
that are there with the same size and MD5, as far as the store tells it, are not uploaded again.
"""

from __future__ import annotations

import base64
import hashlib
import json
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from labelkit.core.hashing import canonical_json
from labelkit.errors import ExportTargetTaken, LabelkitError, StorageWriteFailed
from labelkit.formats.exports import names_below
from labelkit.formats.manifest import MANIFEST, Manifest

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from labelkit.formats.places import RemotePlace

NOTE = "labelkit-export.uploading.json"


def check_uploadable(place: RemotePlace) -> set[str]:
    """Return what lies there of an earlier export or of one that was interrupted. Raises `EXPORT_TARGET_TAKEN` for anything else."""
    there = set(place.names())
    known = {MANIFEST, NOTE} if there & {MANIFEST, NOTE} else set()
    if MANIFEST in there and (manifest := Manifest.read(place.read(MANIFEST))) is not None:
        known |= {file.name for file in manifest.files}
    elif NOTE not in there:
        known = set()
    if NOTE in there:
        known |= _noted(place.read(NOTE))
    foreign = there - known
    if foreign:
        raise ExportTargetTaken(target=place.title, example=min(foreign), count=len(foreign))
    return there


def upload(folder: Path, place: RemotePlace) -> None:
    """Put a whole export, its manifest included, in the place of what is there. Raises `EXPORT_TARGET_TAKEN`, `STORAGE_WRITE_FAILED`."""
    names = [name for name in names_below(folder) if name != MANIFEST]
    there = check_uploadable(place)
    with _writing(place):
        place.fs.pipe_file(place.path(NOTE), canonical_json(sorted({*names, *there})))
        if MANIFEST in there:
            place.fs.rm_file(place.path(MANIFEST))
        infos = place.infos()
        for name in names:
            if not _same(folder / name, infos.get(name)):
                place.fs.put_file(str(folder / name), place.path(name))
        for name in sorted(there - {*names, MANIFEST, NOTE}):
            place.fs.rm_file(place.path(name))
        place.fs.pipe_file(place.path(MANIFEST), (folder / MANIFEST).read_bytes())
        place.fs.rm_file(place.path(NOTE))
        place.fs.invalidate_cache()


def _noted(data: bytes) -> set[str]:
    try:
        return {str(name) for name in json.loads(data)}
    except (ValueError, TypeError):
        return set()


def _same(file: Path, info: dict[str, Any] | None) -> bool:
    """Say whether a file is there for certain: with the same size, and the same MD5 by what the store says of it."""
    if info is None or info.get("size") != file.stat().st_size:
        return False
    told = {str(info[name]).strip('"') for name in ("ETag", "md5Hash", "content_md5", "md5") if info.get(name)}
    if not told:
        return False
    with file.open("rb") as stream:
        digest = hashlib.file_digest(stream, lambda: hashlib.md5(usedforsecurity=False))
    return bool(told & {digest.hexdigest(), base64.b64encode(digest.digest()).decode()})


@contextmanager
def _writing(place: RemotePlace) -> Iterator[None]:
    """Turn whatever a protocol's library raises into one refusal."""
    try:
        yield
    except LabelkitError:
        raise
    except Exception as error:
        raise StorageWriteFailed(what=f"The export to {place.title}", reason=" ".join(str(error).split())) from error
