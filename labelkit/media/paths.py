r"""Names of frames and the files behind them: a name never leads out of the media's root.

A name is the path below the root, with `/`. Bytes of a file name that are not UTF-8 stand in it as `\xhh`, because neither a table nor
JSON can hold them; `locate` finds the file again.
"""

from __future__ import annotations

import os
import re
import stat
from pathlib import Path
from typing import TYPE_CHECKING

from labelkit.core.media import FrameProblem

if TYPE_CHECKING:
    from io import BufferedReader

_ESCAPED = re.compile(rb"\\x([89a-f][0-9a-f])")


class ProblemError(Exception):
    """A file that gives no picture, with its reason code."""

    def __init__(self, problem: FrameProblem) -> None:
        super().__init__(str(problem))
        self.problem = problem


def name_of(path: str | Path, root: Path) -> str:
    """Return the name of a file below the root."""
    return os.fsencode(os.path.relpath(path, root)).decode("utf-8", "backslashreplace").replace(os.sep, "/")


def locate(root: Path, name: str) -> Path:
    """Return the real file of a name. Raises `ProblemError` with `FRAME_OUTSIDE_ROOT` for a name or link that leads out of the root."""
    if not name or "\0" in name or Path(name).is_absolute() or ".." in Path(name).parts:
        raise ProblemError(FrameProblem.OUTSIDE_ROOT)
    path = root / name
    if "\\x" in name and not os.path.lexists(path):
        path = root / os.fsdecode(_ESCAPED.sub(lambda found: bytes.fromhex(found[1].decode()), name.encode()))
    try:
        real = path.resolve()
    except (OSError, RuntimeError) as error:  # a link that leads to itself
        raise ProblemError(FrameProblem.MISSING) from error
    if not real.is_relative_to(root.resolve()):
        raise ProblemError(FrameProblem.OUTSIDE_ROOT)
    return real


def open_file(path: Path) -> BufferedReader:
    """Open a regular file for reading. Raises `ProblemError` with the reason where that is not possible; never waits for a pipe."""
    try:
        file = os.fdopen(os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0)), "rb")
    except (FileNotFoundError, NotADirectoryError) as error:
        raise ProblemError(FrameProblem.MISSING) from error
    except OSError as error:
        raise ProblemError(FrameProblem.UNREADABLE) from error
    if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
        file.close()
        raise ProblemError(FrameProblem.NOT_AN_IMAGE)
    return file
