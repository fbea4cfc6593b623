"""A copy of a whole store that opens like the original: its state under the lock, then the objects, which never change."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb

from labelkit.errors import InvalidValue, StorageWriteFailed
from labelkit.store.creation import copy_state, must_be_attachable, unwritable
from labelkit.store.files import sync_folder, write_durably
from labelkit.store.place import STORAGE_VERSION, FilePlace, attached, quoted
from labelkit.store.statements import refusal

if TYPE_CHECKING:
    from labelkit.store.objects import Objects
    from labelkit.store.place import Place


def backup(place: Place, objects: Objects, target: Path, *, deadline_s: float) -> None:
    """Copy the store to `target` and `target`.objects. Raises `INVALID_VALUE` when one of them exists, `STORAGE_WRITE_FAILED`."""
    must_be_attachable("The backup's path", target)
    folder = Path(f"{target}.objects")
    for path in (target, folder):
        if path.exists():
            raise InvalidValue(what="The backup's path", reason=f"{path} exists", fix="Name a path that does not exist yet.")
    if isinstance(place, FilePlace):
        _copy_file(place, target, deadline_s)
    else:
        _copy_memory(place, target, deadline_s)
    _copy_objects(objects, folder)


def working_copy(place: Place, objects: Objects, target: Path, *, deadline_s: float) -> None:
    """Copy the state to `target`, whose objects are links to the store's own: what is done with the copy leaves the store as it is."""
    if isinstance(place, FilePlace):
        _copy_file(place, target, deadline_s)
    else:
        _copy_memory(place, target, deadline_s)
    for source in objects.root.glob("??/*"):
        link = Path(f"{target}.objects") / source.parent.name / source.name
        link.parent.mkdir(parents=True, exist_ok=True)
        link.symlink_to(source)


def _copy_file(place: FilePlace, target: Path, deadline_s: float) -> None:
    writable = unwritable(Path(place.path)) is None
    with place.locked(writes=writable, deadline_s=deadline_s):
        if writable:
            with attached(place.path, writes=True):
                pass  # a killed writer may have left a log: this folds it into the file
        copy_state(Path(place.path), target)


def _copy_memory(place: Place, target: Path, deadline_s: float) -> None:
    with place.unit(writes=False, deadline_s=deadline_s) as cursor:
        (store,) = cursor.execute("SELECT current_database()").fetchall()[0]
        copy = f"copy_of_{store}"
        try:
            cursor.execute(f"ATTACH {quoted(str(target))} AS {copy} (TYPE duckdb, STORAGE_VERSION '{STORAGE_VERSION}')")
            cursor.execute(f"COPY FROM DATABASE {store} TO {copy}")
            cursor.execute(f"DETACH {copy}")
        except duckdb.Error as error:
            with suppress(duckdb.Error):  # other stores share the instance: nothing of this one stays in it
                cursor.execute(f"DETACH DATABASE IF EXISTS {copy}")
            raise refusal(error, path=str(target), writes=True) from error


def _copy_objects(objects: Objects, folder: Path) -> None:
    """Copy every object there is: rows of the copied state name only some of these, and collection spares young ones."""
    try:
        folder.mkdir()
        for source in sorted(objects.root.glob("??/*")):
            target = folder / source.parent.name / source.name
            target.parent.mkdir(exist_ok=True)
            with source.open("rb") as file:
                write_durably(target, file)
        sync_folder(folder)
        sync_folder(folder.parent)
    except OSError as error:
        raise StorageWriteFailed(what=str(folder), reason=error.strerror or str(error)) from error
