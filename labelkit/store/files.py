"""Files that survive a crash: whole or not at all, and durable when the call returns."""

from __future__ import annotations

import os
import secrets
from typing import TYPE_CHECKING, BinaryIO

if TYPE_CHECKING:
    from pathlib import Path

_CHUNK_BYTES = 1 << 20


def write_durably(target: Path, source: BinaryIO) -> None:
    """Copy a stream into `target` so that after any crash the name has all of the bytes or does not exist. Raises OSError."""
    new = target.parent / f".new-{secrets.token_hex(8)}"
    try:
        with new.open("xb") as file:
            while chunk := source.read(_CHUNK_BYTES):
                file.write(chunk)
            file.flush()
            os.fsync(file.fileno())
        new.replace(target)
    except BaseException:
        new.unlink(missing_ok=True)
        raise
    sync_folder(target.parent)


def sync_folder(folder: Path) -> None:
    """Make the names in a folder durable; where the platform cannot, it needs no such step."""
    if os.name != "posix":
        return
    file = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(file)
    finally:
        os.close(file)
