"""Where an export lies: a local folder, or any URL that fsspec reaches. What is there by name, and bytes by name."""

from __future__ import annotations

import hashlib
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from labelkit.errors import InvalidValue, StorageReadFailed
from labelkit.formats.exports import WrittenFile, digest_of_file, names_below

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_BLOCK = 1 << 20
_LOCAL = ("file://", "local://")


class Place(Protocol):
    """A folder of files."""

    @property
    def title(self) -> str:
        """Return the path or URL, for people."""

    def names(self) -> list[str]:
        """Return the paths of all files, in order; none where there is no such folder."""

    def is_plain(self, name: str) -> bool:
        """Say whether it is a file and no link to one."""

    def read(self, name: str) -> bytes:
        """Return the bytes of a file."""

    def digest(self, name: str) -> WrittenFile:
        """Return size and sha256 of a file, read block by block."""


def place_of(target: str | Path, storage_options: Mapping[str, object] | None = None) -> LocalPlace | RemotePlace:
    """Return the place at a path or URL. Raises `INVALID_VALUE` for a protocol that is not known or not installed."""
    text = str(target)
    for prefix in _LOCAL:
        text = text.removeprefix(prefix)
    if isinstance(target, Path) or ("://" not in text and "::" not in text):
        return LocalPlace(Path(text).expanduser().absolute())
    import fsspec

    try:
        fs, root = fsspec.core.url_to_fs(text, **(storage_options or {}))
    except (ValueError, ImportError) as error:
        raise InvalidValue(what=text, reason=str(error), fix="Install what serves the protocol, or name a folder.") from error
    return RemotePlace(text, fs, root.rstrip("/"))


@dataclass(frozen=True, slots=True)
class LocalPlace:
    """A folder of this machine."""

    root: Path

    @property
    def title(self) -> str:
        """Return the path."""
        return str(self.root)

    def names(self) -> list[str]:
        """Return the paths of everything that is no folder, in order."""
        with _reading(self.title):
            return names_below(self.root)

    def is_plain(self, name: str) -> bool:
        """Say whether it is a file and no link to one."""
        path = self.root / name
        return path.is_file() and not path.is_symlink()

    def read(self, name: str) -> bytes:
        """Return the bytes of a file."""
        with _reading(self.title):
            return (self.root / name).read_bytes()

    def digest(self, name: str) -> WrittenFile:
        """Return size and sha256 of a file."""
        with _reading(self.title):
            return digest_of_file(self.root, name)


@dataclass(frozen=True, slots=True)
class RemotePlace:
    """A place that fsspec reaches."""

    title: str
    fs: Any
    root: str

    def path(self, name: str) -> str:
        """Return the path of a file as the file system names it; the place itself without a name."""
        return f"{self.root}/{name}" if name else self.root

    def infos(self) -> dict[str, dict[str, Any]]:
        """Return what the file system knows of each file, by path, in order; read anew, never from a cache."""
        with _reading(self.title):
            self.fs.invalidate_cache()
            try:
                found = self.fs.find(self.root, detail=True)
            except FileNotFoundError:
                return {}
        start = len(self.root.strip("/")) + 1
        return {path.strip("/")[start:]: info for path, info in sorted(found.items()) if path.strip("/")[start:]}

    def names(self) -> list[str]:
        """Return the paths of all files, in order."""
        return list(self.infos())

    def is_plain(self, name: str) -> bool:  # noqa: ARG002  # there are no links
        """Return True."""
        return True

    def read(self, name: str) -> bytes:
        """Return the bytes of a file."""
        with _reading(self.title):
            data: bytes = self.fs.cat_file(self.path(name))
            return data

    def fetch(self, name: str, file: Path) -> None:
        """Copy a file to this machine."""
        with _reading(self.title):
            self.fs.get_file(self.path(name), str(file))

    def digest(self, name: str) -> WrittenFile:
        """Return size and sha256 of a file."""
        state, size = hashlib.sha256(), 0
        with _reading(self.title), self.fs.open(self.path(name), "rb") as file:
            while block := file.read(_BLOCK):
                state.update(block)
                size += len(block)
        return WrittenFile(name, size, state.hexdigest())


@contextmanager
def _reading(title: str) -> Iterator[None]:
    """Turn whatever a protocol's library raises into one refusal."""
    try:
        yield
    except Exception as error:
        raise StorageReadFailed(what=f"The export at {title}", reason=" ".join(str(error).split())) from error
