"""The label files of a folder, one a picture: found without following links, read without waiting, refused one by one."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import TYPE_CHECKING

from labelkit.errors import LabelsNotFound, LabelsUnreadable
from labelkit.formats.labels.names import text_of
from labelkit.formats.labels.rows import RefusedCode

if TYPE_CHECKING:
    from collections.abc import Iterator

LARGEST_FILE = 64 << 20
NOT_REGULAR = "it is no regular file"


class RefusedFileError(Exception):
    """A label file that is refused as a whole, with its code."""

    def __init__(self, code: RefusedCode, reason: str) -> None:
        super().__init__(reason)
        self.code = code


def label_files(source: str | Path, suffixes: tuple[str, ...]) -> tuple[Path, dict[str, str]]:
    """Return the folder (absolute, no links), and every file and linked folder with such a suffix below it: name as text, and path.

    `source` is the folder, or one file. Names are in order; hidden files are left out. Raises `LABELS_NOT_FOUND` where there is no such
    file, `LABELS_UNREADABLE` for a folder that may not be read.
    """
    path = Path(source)
    expected = f"the folder that holds the {suffixes[0]} files, one a picture"
    if path.is_file():
        return path.resolve().parent, {text_of(path.name): str(path.resolve())}
    if not path.is_dir():
        raise LabelsNotFound(source=path, reason="there is no such folder", expected=expected)
    root = path.resolve()
    try:
        below = len(os.path.join(root, ""))  # noqa: PTH118 (one name, whatever the number of files)
        found = {text_of(file[below:]): file for file in _walk(str(root), suffixes)}
    except OSError as error:
        fix = "Ask for permission to read the folder and every folder below it."
        raise LabelsUnreadable(source=root, reason=str(error), fix=fix) from error
    if not any(name.lower().endswith(suffixes) for name in found):
        raise LabelsNotFound(source=root, reason=f"no {suffixes[0]} file is in it", expected=expected)
    return root, dict(sorted(found.items()))


def content(path: str, root: Path) -> bytes:
    """Return the bytes of a label file.

    Raises `RefusedFileError` as `check` does, and for a file larger than `LARGEST_FILE`.
    """
    _within(path, root)
    try:
        data = _regular(path)
    except OSError as error:
        raise RefusedFileError(RefusedCode.UNREADABLE, str(error.strerror)) from error
    if data is None:
        raise RefusedFileError(RefusedCode.UNREADABLE, NOT_REGULAR)
    if len(data) > LARGEST_FILE:
        raise RefusedFileError(RefusedCode.MALFORMED, f"larger than {LARGEST_FILE >> 20} MB, which no picture's labels are")
    return data


def check(path: str, root: Path) -> None:
    """Raise `RefusedFileError` for a link out of the folder, a file that is not there, and what is no regular file, such as a pipe."""
    _within(path, root)
    try:
        regular = stat.S_ISREG(os.stat(path).st_mode)  # noqa: PTH116 (as below)
    except OSError as error:
        raise RefusedFileError(RefusedCode.UNREADABLE, str(error.strerror)) from error
    if not regular:
        raise RefusedFileError(RefusedCode.UNREADABLE, NOT_REGULAR)


def _within(path: str, root: Path) -> None:
    if os.path.islink(path) and not os.path.realpath(path).startswith(f"{root}{os.sep}"):  # noqa: PTH114 (20,000 times; Path costs more)
        raise RefusedFileError(RefusedCode.OUTSIDE_ROOT, "it is a link that leads out of the folder")


def _regular(path: str) -> bytes | None:
    """Return the bytes of a regular file up to one more than `LARGEST_FILE`, None for any other; a pipe is not waited for."""
    descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))  # file objects would cost more than the reading
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            return None
        wanted = min(status.st_size, LARGEST_FILE + 1)
        data = os.read(descriptor, wanted)
        while len(data) < wanted and (more := os.read(descriptor, wanted - len(data))):
            data += more
        return data
    finally:
        os.close(descriptor)


def _walk(folder: str, suffixes: tuple[str, ...]) -> Iterator[str]:
    waiting = [folder]
    while waiting:
        with os.scandir(waiting.pop()) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    waiting.append(entry.path)
                elif not entry.name.startswith(".") and (entry.name.lower().endswith(suffixes) or entry.is_dir()):
                    yield entry.path
