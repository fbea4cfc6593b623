"""What a checkpoint overwrites in place, kept beside the store while it is under way, so that a writer killed in the middle tears nothing.

DuckDB writes the tables of a checkpoint into free blocks, but its metadata into the very blocks that the present header names: old and
new together, under one checksum. A kill, or a power cut, in the middle of such a write leaves a block that nobody can read, and with it
the whole file. So those blocks are copied to `<store>.journal` first. When a writer has left a log behind and the header is still the one
of the copy, the checkpoint did not come to its end: the blocks are put back, and the log, which holds every commit, is replayed over them.
"""

from __future__ import annotations

import os
import struct
import zlib
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from labelkit.store.files import sync_folder

if TYPE_CHECKING:
    import duckdb

_HEADERS = (4096, 8192)  # two headers take turns; the one with the higher number of the checkpoint counts
_BLOCKS = 12_288  # where block 0 begins
_HEADER = struct.Struct("<8xQ24xQ")  # checksum, number, three pointers and counts, size of a block in bytes
_START = struct.Struct("<8sQQQ")  # magic, number of the checkpoint, size of a block, count of blocks
_MAGIC = b"lkblocks"


@dataclass(frozen=True, slots=True)
class Kept:
    """Blocks by number, as they were at a checkpoint (by its number)."""

    checkpoint: int
    block_size: int
    blocks: dict[int, bytes]


def keep(cursor: duckdb.DuckDBPyConnection, alias: str, path: str) -> None:
    """Copy what the next checkpoint of the attached store overwrites. Without a log there is nothing to write, and nothing is copied.

    A disk without room for the copy costs the protection, not the commit.
    """
    if not _log(path).exists():
        return
    numbers = [number for (number,) in cursor.execute(f"SELECT DISTINCT block_id FROM pragma_metadata_info('{alias}')").fetchall()]
    with suppress(OSError):
        with Path(path).open("rb") as store:
            checkpoint, size = _present(store.fileno())
            blocks = {number: os.pread(store.fileno(), size, _BLOCKS + number * size) for number in numbers}
        _write(_file(path), Kept(checkpoint, size, {number: data for number, data in blocks.items() if len(data) == size}))


def forget(path: str) -> None:
    """Empty the copy after a checkpoint has come to its end."""
    with suppress(OSError):
        os.truncate(_file(path), 0)


def torn(path: str) -> bool:
    """Say whether a checkpoint was cut short and blocks are not what they were before it. The caller holds the lock."""
    with suppress(OSError):
        if _log(path).exists():
            return bool(_lost(path))
    return False


def mend(path: str) -> None:
    """Put back what a checkpoint that was cut short has overwritten. The caller holds the lock alone."""
    if not torn(path):
        return
    with Path(path).open("r+b") as store:
        for offset, data in _lost(path).items():
            os.pwrite(store.fileno(), data, offset)
        os.fsync(store.fileno())


def _lost(path: str) -> dict[int, bytes]:
    """Return the kept blocks that differ from those in the file, by their place in it, where the header is still that of the copy."""
    kept = _read(_file(path))
    with Path(path).open("rb") as store:
        if kept is None or _present(store.fileno()) != (kept.checkpoint, kept.block_size):
            return {}
        places = {_BLOCKS + number * kept.block_size: data for number, data in kept.blocks.items()}
        return {offset: data for offset, data in places.items() if os.pread(store.fileno(), kept.block_size, offset) != data}


def _present(store: int) -> tuple[int, int]:
    """Return the number of the last checkpoint that came to its end, and the size of a block."""
    found = [_HEADER.unpack(os.pread(store, _HEADER.size, offset)) for offset in _HEADERS]
    return max(found)


def _write(path: Path, kept: Kept) -> None:
    numbers = sorted(kept.blocks)
    start = _START.pack(_MAGIC, kept.checkpoint, kept.block_size, len(numbers)) + struct.pack(f"<{len(numbers)}Q", *numbers)
    data = b"".join([start, *(kept.blocks[number] for number in numbers)])
    new = not path.exists()
    with path.open("r+b" if not new else "w+b") as file:
        file.write(data + struct.pack("<I", zlib.crc32(data)))
        file.truncate()
        file.flush()
        os.fsync(file.fileno())
    if new:
        sync_folder(path.parent)


def _read(path: Path) -> Kept | None:
    """Return the copy, None where there is none or it was cut short itself: then no checkpoint had begun."""
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return None
    body, end = data[:-4], data[-4:]
    if len(body) < _START.size or end != struct.pack("<I", zlib.crc32(body)):
        return None
    magic, checkpoint, size, count = _START.unpack_from(body)
    if magic != _MAGIC:
        return None
    first = _START.size + 8 * count
    numbers = struct.unpack_from(f"<{count}Q", body, _START.size)
    return Kept(checkpoint, size, {number: body[first + n * size : first + (n + 1) * size] for n, number in enumerate(numbers)})


def _file(path: str) -> Path:
    return Path(path + ".journal")


def _log(path: str) -> Path:
    return Path(path + ".wal")
