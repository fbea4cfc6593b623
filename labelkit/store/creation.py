"""Opening a store: is the path one, is it ours, is it of our schema; make it, bring it up to date, or say why not."""

from __future__ import annotations

import os
import secrets
from contextlib import suppress
from glob import escape
from pathlib import Path
from typing import TYPE_CHECKING

from labelkit.errors import InvalidValue, StorageReadFailed, StorageWriteFailed, StoreNotRecognized, StoreReadOnly
from labelkit.store import migrate
from labelkit.store.files import sync_folder, write_durably
from labelkit.store.place import attached
from labelkit.store.values import utc

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from labelkit.store.place import FilePlace

_MAGIC = slice(8, 12)  # where a DuckDB file says what it is


def store_path(target: str | Path) -> str:
    """Return the real path of a store that is there or could be made. Raises `INVALID_VALUE` and `STORE_NOT_RECOGNIZED`."""
    text = str(target)
    if not text.strip():
        raise InvalidValue(what="The store's path", reason="it is empty", fix="Name a file such as 'labels.duckdb', or ':memory:'.")
    if "://" in text:
        raise InvalidValue(what="The store's path", reason=f"{text!r} is a URL", fix="Name a local file such as 'labels.duckdb'.")
    path = Path(target).expanduser().resolve()
    must_be_attachable("The store's path", path)
    folder = path.parent
    if path.is_dir():
        raise StoreNotRecognized(path=path, reason="it is a folder; a store is a file in one, such as labels.duckdb")
    if not folder.is_dir():
        raise InvalidValue(what="The store's path", reason=f"the folder {folder} does not exist", fix=f"Make the folder {folder} first.")
    if path.exists():
        _must_be_duckdb(path)
    elif _log(path).exists():  # DuckDB would replay it into whatever has this name
        raise StoreNotRecognized(path=path, reason=f"its file is missing, but a write-ahead log {_log(path)} is left of one")
    return str(path)


def must_be_attachable(what: str, path: Path) -> None:
    """Raise `INVALID_VALUE` for a path at which DuckDB cannot keep a file. What else is a sign of a pattern stands for itself in a path."""
    if "?" in str(path):
        reason = f"{path} has a question mark, and DuckDB would keep the file's log at another place, cut off there"
        raise InvalidValue(what=what, reason=reason, fix="Name a path without a question mark; rename the folder where it is in that.")


def unwritable(path: Path) -> str | None:
    """Return why the store cannot be written here, or None when it can. The folder counts: DuckDB's log and the lock stand in it."""
    if not os.access(path.parent, os.W_OK):
        return f"the folder {path.parent} is read-only for this user"
    if path.exists() and not os.access(path, os.W_OK):
        return "the file is read-only for this user"
    return None


def create(place: FilePlace, *, clock: Callable[[], datetime], deadline_s: float, unwritable: str | None) -> bool:
    """Make the store where there is none, whole or not at all, and say whether it was made here."""
    path = Path(place.path)
    if path.exists():
        return False
    if unwritable is not None:
        raise StoreReadOnly(path=path, reason=f"there is no store yet, and {unwritable}")
    with place.locked(writes=True, deadline_s=deadline_s):
        if path.exists():  # another process was first
            return False
        new = path.with_name(f"{path.name}.new-{secrets.token_hex(8)}")
        try:
            _remove(*path.parent.glob(escape(path.name) + ".new-*"))  # left by creators that were killed
            with attached(str(new), writes=True, create=True) as cursor:
                migrate.apply_all(cursor, utc(clock()))
            _must_have_no_log(new)
            new.replace(path)
            sync_folder(path.parent)
        except OSError as error:
            raise StorageWriteFailed(what=path, reason=error.strerror or str(error)) from error
        finally:
            _remove(new, _log(new))
    return True


def upgrade(place: FilePlace, *, clock: Callable[[], datetime], deadline_s: float, unwritable: str | None) -> None:
    """Apply the migrations that the store lacks, after a copy of the file to `<store>.before-<number>`."""
    steps = _pending(place, deadline_s)
    if not steps:
        return
    if unwritable is not None:
        raise StoreReadOnly(path=place.path, reason=f"it needs the migration {steps[0].name}, but {unwritable}")
    with place.locked(writes=True, deadline_s=deadline_s):
        with attached(place.path, writes=True) as cursor:  # another process may have been first
            steps = migrate.pending(cursor, path=place.path)
        if steps:
            copy_state(Path(place.path), Path(f"{place.path}.before-{steps[0].number:04d}"))
        with attached(place.path, writes=True) as cursor:
            for step in steps:
                migrate.apply(cursor, step, utc(clock()))


def _pending(place: FilePlace, deadline_s: float) -> list[migrate.Migration]:
    """Return the migrations that the store lacks. Of a database that is not ours nothing is left changed, not even the folder."""
    new_here = not place.lock.path.exists()
    try:
        with place.unit(writes=False, deadline_s=deadline_s) as cursor:
            return migrate.pending(cursor, path=place.path)
    except StoreNotRecognized:
        if new_here:
            place.lock.remove()
        raise


def copy_state(path: Path, target: Path) -> None:
    """Copy a store's file, which its caller has locked and closed, durably. Raises `STORAGE_WRITE_FAILED`."""
    _must_have_no_log(path)
    try:
        with path.open("rb") as file:
            write_durably(target, file)
    except OSError as error:
        raise StorageWriteFailed(what=str(target), reason=error.strerror or str(error)) from error


def _log(path: Path) -> Path:
    return path.with_name(path.name + ".wal")


def _must_have_no_log(path: Path) -> None:
    if _log(path).exists():
        raise StorageWriteFailed(what=path, reason="its write-ahead log could not be folded in; is the disk full?")


def _must_be_duckdb(path: Path) -> None:
    try:
        with path.open("rb") as file:
            start = file.read(16)
    except OSError as error:
        raise StorageReadFailed(what=path, reason=error.strerror or str(error)) from error
    if start[_MAGIC] != b"DUCK":
        raise StoreNotRecognized(path=path, reason="it is not a DuckDB database")


def _remove(*files: Path) -> None:
    for file in files:
        with suppress(FileNotFoundError):
            file.unlink()
