"""One open folder at a time: files named from it cost the system no walk along their path, which is a third of what a link costs."""

from __future__ import annotations

import os


class OpenFolder:
    """Keeps the folder open that was asked for last; who works in an order of paths asks for the same one again and again."""

    def __init__(self) -> None:
        self._path: str | None = None
        self._file = -1

    def at(self, path: str) -> int:
        """Return the descriptor of a folder, valid until another one is asked for. Raises OSError."""
        if path != self._path:
            self.close()
            self._file = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
            self._path = path
        return self._file

    def close(self) -> None:
        """Let the folder go."""
        if self._path is not None:
            self._path = None
            os.close(self._file)
