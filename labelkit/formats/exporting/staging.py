"""Folders that appear whole or not at all: everything is written beside the target, made durable, then put in its place at once.

On Linux the new folder and the old one change places in one step; elsewhere there is an instant with none. What a killed process left
beside the target is removed by the next export to it; a folder that a living process writes is held by a lock and left alone.
"""

from __future__ import annotations

import ctypes
import os
import re
import secrets
import shutil
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from labelkit.errors import StorageWriteFailed
from labelkit.formats.exports import names_below

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

FILES_SYNCED_ONE_BY_ONE = 64
REMOVERS = 4
LOCKS = os.name == "posix"  # elsewhere nothing tells what is left over, and it stays
_AT_FDCWD, _RENAME_EXCHANGE = -100, 2  # of Linux' renameat2


@contextmanager
def staged(final: Path, check: Callable[[], None]) -> Iterator[Path]:
    """Give a new folder to write into; when the block ends it is durable and stands at `final`, and what stood there is gone.

    `check` raises where `final` must not be replaced; it is asked before and after the block. Whoever looks at `final` sees what was
    there before or all that is new; an error in the block leaves what was there. Raises `STORAGE_WRITE_FAILED`.
    """
    check()
    try:
        final.parent.mkdir(parents=True, exist_ok=True)
        _sweep(final)
        new, hold = _held(final)
    except OSError as error:
        raise StorageWriteFailed(what=f"The export to {final}", reason=str(error)) from error
    try:
        yield new
        _sync(new)
        check()
        _put_in_place(new, final)
    except OSError as error:
        raise StorageWriteFailed(what=f"The export to {final}", reason=str(error)) from error
    finally:
        _remove(new)
        _close(hold)


def _held(final: Path) -> tuple[Path, int | None]:
    """Make a folder beside `final` and lock it, so that other exports know that it is not left over."""
    while True:
        new = final.parent / f".{final.name}.new-{secrets.token_hex(6)}"
        new.mkdir()
        hold = _locked(new)
        if not LOCKS or (hold is not None and new.exists()):
            return new, hold
        _close(hold)  # another export took it for left over before it was locked


def _locked(folder: Path) -> int | None:
    """Lock a folder and return the descriptor that holds the lock; None where another process holds it, or it is gone."""
    if not LOCKS:
        return None
    import fcntl

    try:
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    except OSError:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(descriptor)
        return None
    return descriptor


def _close(descriptor: int | None) -> None:
    if descriptor is not None:
        os.close(descriptor)


def _sweep(final: Path) -> None:
    """Remove what dead exports to `final` left beside it; one that was moved away and never replaced goes back."""
    ours = re.compile(rf"\.{re.escape(final.name)}\.(new|old)-[0-9a-f]{{12}}")
    for left in sorted(final.parent.iterdir()):
        found = ours.fullmatch(left.name)
        if found is None or (hold := _locked(left)) is None:
            continue
        try:
            if found[1] == "old" and not final.exists():
                left.rename(final)
            else:
                _remove(left)
        finally:
            os.close(hold)


def _put_in_place(new: Path, final: Path) -> None:
    if not final.exists():
        new.rename(final)
    elif not _exchanged(new, final):
        _replaced(new, final)
    _sync_folder(final.parent)


def _exchanged(new: Path, final: Path) -> bool:
    """Let two folders change places in one step; say whether the system can."""
    call = getattr(ctypes.CDLL(None, use_errno=True), "renameat2", None) if os.name == "posix" else None
    return call is not None and call(_AT_FDCWD, os.fsencode(new), _AT_FDCWD, os.fsencode(final), _RENAME_EXCHANGE) == 0


def _replaced(new: Path, final: Path) -> None:
    old = final.parent / f".{final.name}.old-{secrets.token_hex(6)}"
    hold = _locked(final)  # or the next export would put it back
    try:
        final.rename(old)
        try:
            new.rename(final)
        except OSError:
            old.rename(final)
            raise
        _remove(old)
    finally:
        _close(hold)


def _remove(root: Path) -> None:
    """Remove a folder with everything below as far as that is allowed; of many files some at once, because each may wait for the disk."""
    names: list[str] = []
    with suppress(OSError):
        names = names_below(root)
    if len(names) > FILES_SYNCED_ONE_BY_ONE:
        share = -(-len(names) // REMOVERS)
        with ThreadPoolExecutor(REMOVERS, thread_name_prefix="labelkit-remove") as pool:
            for start in range(0, len(names), share):
                pool.submit(_unlink, str(root), names[start : start + share])
    shutil.rmtree(root, ignore_errors=True)


def _unlink(root: str, names: list[str]) -> None:
    for name in names:
        with suppress(OSError):
            os.unlink(f"{root}/{name}")  # noqa: PTH108 (there may be a million of them)


def _sync(root: Path) -> None:
    """Make a folder with everything below durable; thousands of files by one call for the whole machine, which is quicker."""
    names = names_below(root)
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
        with suppress(OSError):  # some file systems cannot sync a folder
            os.fsync(descriptor)
    finally:
        os.close(descriptor)
