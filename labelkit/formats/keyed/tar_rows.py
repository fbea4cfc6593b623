"""Members of tar files as pieces of rows, by columns: the same bytes for the same contents, nothing of who wrote them or when.

A header is as POSIX has it: mode 0644, ids and time 0, no names of users; a name of more than 100 bytes stands in a pax record before it.
"""

from __future__ import annotations

import tarfile
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from labelkit.errors import LabelsUnreadable
from labelkit.formats.keyed.byte_rows import Blobs, Piece, looked_up, zeros

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path
    from typing import BinaryIO

    from numpy.typing import NDArray

END = bytes(1024)
_BLOCK = 512
_NAME = 100  # bytes that the plain field of a name has
_OWNER = "0000644\0" + "0000000\0" * 2
_TIME = "00000000000\0"
_REST = "0" + "\0" * 100 + "ustar\00000" + "\0" * 64 + "0000000\0" * 2 + "\0" * 167
_CONSTANT = sum((_OWNER + _TIME + _REST).encode()) + 8 * ord(" ")
_FIX = "Export the data again, or copy the file again; `labelkit verify` names every file that changed."


def members(names: pl.Series, contents: pl.Series | Sequence[bytes | None]) -> list[Piece]:
    """Return the pieces of one member a row: header, content and what fills the last block; nothing where the name is null.

    `names` are ASCII; `contents` are text, or bytes as a list, each as long as it may be.
    """
    text = contents if isinstance(contents, pl.Series) else None
    sizes = np.asarray([len(one or b"") for one in contents]) if text is None else text.str.len_bytes().cast(pl.Int64).to_numpy()
    return [_headers(names, sizes), _body(text, sizes, contents), Piece(zeros(-sizes % _BLOCK))]


def _body(text: pl.Series | None, sizes: NDArray[np.int64], contents: pl.Series | Sequence[bytes | None]) -> Piece:
    if text is not None:
        return Piece(text)
    filled = np.flatnonzero(sizes)
    values = [one for one in contents if one]
    return Piece(zeros(sizes), (Blobs(filled, np.zeros(len(filled), np.int64), values),))


def _headers(names: pl.Series, sizes: NDArray[np.int64]) -> Piece:
    length = names.str.len_bytes().fill_null(0)
    sums = names.cast(pl.Binary).cast(pl.List(pl.UInt8)).list.sum().fill_null(0).cast(pl.Int64).to_numpy()
    octal, sums = _octal(sizes, 11, "\0"), sums + _CONSTANT + _digits_sum(sizes, 11)
    plain = pl.select(
        pl.concat_str(names.str.pad_end(_NAME, "\0"), pl.lit(_OWNER), octal, pl.lit(_TIME), _octal(sums, 6, "\0 "), pl.lit(_REST))
    ).to_series()
    long = (length > _NAME).arg_true().to_list()
    if long:
        plain = plain.scatter(long, [_long_header(names[row], int(sizes[row])) for row in long])
    return Piece(plain.fill_null(""))


def _octal(numbers: NDArray[np.int64], digits: int, end: str) -> pl.Series:
    found, codes = np.unique(numbers, return_inverse=True)
    return looked_up([f"{number:0{digits}o}{end}".encode() for number in found.tolist()], codes.ravel()).text


def _digits_sum(numbers: NDArray[np.int64], digits: int) -> NDArray[np.int64]:
    shifts = np.arange(digits) * 3
    of_digits: NDArray[np.int64] = (numbers[:, None] >> shifts & 7).sum(axis=1) + digits * ord("0")
    return of_digits


def _long_header(name: str, size: int) -> str:
    info = tarfile.TarInfo(name)
    info.size = size
    return info.tobuf(tarfile.PAX_FORMAT).decode("ascii")


# --- in


@dataclass(frozen=True, slots=True)
class Member:
    """A file in a tar file: its name, its bytes, and where its header stands."""

    name: str
    data: bytes
    offset: int


def read_members(path: Path) -> Iterator[Member]:
    """Yield the files in a tar file, in order. Raises `LABELS_UNREADABLE`, naming the place, where it is damaged or cut."""
    left = path.stat().st_size
    with path.open("rb") as file:
        name, offset = "", 0
        while any(header := _taken(file, path, offset, _BLOCK)):
            kind, size = _checked(header, path, offset, left - offset)
            data = _taken(file, path, offset, size + -size % _BLOCK)[:size]
            if kind == b"x":
                name = _pax_path(data, path, offset) or name
            elif kind == b"L":
                name = data.rstrip(b"\0").decode(errors="replace")
            elif kind in (b"0", b"\0"):
                yield Member(name or _plain_name(header), data, offset)
                name = ""
            else:
                name = ""
            offset = file.tell()


def _taken(file: BinaryIO, path: Path, offset: int, size: int) -> bytes:
    data = file.read(size)
    if len(data) < size:
        raise LabelsUnreadable(source=path, reason=f"the file in it at byte {offset:,} is cut", fix=_FIX)
    return data


def _checked(header: bytes, path: Path, offset: int, left: int) -> tuple[bytes, int]:
    """Return type and size of a header whose checksum is good, and whose content is in what is left of the file."""
    try:
        stored, size = (int(field.strip(b" \0") or b"0", 8) for field in (header[148:156], header[124:136]))
    except ValueError:
        stored, size = -1, 0
    if stored != sum(header) - sum(header[148:156]) + 8 * ord(" "):
        raise LabelsUnreadable(source=path, reason=f"the header at byte {offset:,} does not fit its checksum", fix=_FIX)
    if not 0 <= size <= left - _BLOCK:
        raise LabelsUnreadable(source=path, reason=f"the file in it at byte {offset:,} is cut", fix=_FIX)
    return header[156:157], size


def _pax_path(data: bytes, path: Path, offset: int) -> str | None:
    """Return the path that pax records name."""
    found = None
    while data:
        digits, space, rest = data.partition(b" ")
        length = int(digits) if space and digits.isdigit() else 0
        if not len(digits) < length <= len(data):
            raise LabelsUnreadable(source=path, reason=f"the pax header at byte {offset:,} cannot be read", fix=_FIX)
        key, _, value = rest[: length - len(digits) - 1].removesuffix(b"\n").partition(b"=")
        found = value.decode(errors="replace") if key == b"path" else found
        data = data[length:]
    return found


def _plain_name(header: bytes) -> str:
    name, prefix = (field.partition(b"\0")[0].decode(errors="replace") for field in (header[:100], header[345:500]))
    return f"{prefix}/{name}" if prefix else name
