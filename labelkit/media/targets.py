"""Where files are materialized: a local folder, or any place that fsspec reaches; a file appears there whole or not at all."""

from __future__ import annotations

import errno
import os
import secrets
import stat
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from labelkit.errors import MaterializationTargetUnreachable
from labelkit.media.folders import OpenFolder

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

Stamp = int | str
Found = tuple[int, Stamp]  # size in bytes, and what changes when the file does

_STAMPS = ("ETag", "etag", "md5Hash", "generation", "mtime", "LastModified", "created")
_LOCAL = ("file://", "local://")


class Target(Protocol):
    """A place for files; paths are below it, with `/`. Every method raises OSError or `MATERIALIZATION_TARGET_UNREACHABLE`."""

    batch_bytes: int  # how much to hand over at once
    is_local: bool

    def look(self, paths: Sequence[str]) -> dict[str, Found]:
        """Return the files that are there, by path."""
        ...

    def read(self, path: str) -> bytes | None:
        """Return the bytes of a file, None where there is none."""
        ...

    def put(self, files: Sequence[tuple[str, bytes]]) -> dict[str, Found]:
        """Write files in the place of what is there, and return what is known of them without another look."""
        ...

    def link(self, source: tuple[int, str], path: str) -> None:
        """Make a hard link to a file, named by its open folder and its name there, in the place of what is there.

        Raises OSError where there are no links.
        """
        ...

    def settle(self, files: Iterable[str], folders: Iterable[str]) -> None:
        """Make the bytes of files, and the names in folders, durable."""
        ...

    def is_taken(self, but: str) -> bool:
        """Say whether anything else than the folder `but` is there."""
        ...

    def close(self) -> None:
        """Let go of what is open."""
        ...


def open_target(url: str, options: Mapping[str, Any] | None = None) -> Target:
    """Return the place at a path or URL. Raises `MATERIALIZATION_TARGET_UNREACHABLE` for a protocol that is not known or not installed."""
    for prefix in _LOCAL:
        url = url.removeprefix(prefix)
    if "://" not in url and "::" not in url:
        return LocalTarget(Path(url).expanduser().absolute())
    import fsspec

    with _reaching(url):
        fs, root = fsspec.core.url_to_fs(url, **(options or {}))
    return RemoteTarget(url, fs, root.rstrip("/"))


class LocalTarget:
    """A folder of this machine."""

    batch_bytes = 0
    is_local = True

    def __init__(self, root: Path) -> None:
        self._root = str(root)
        self._folders: dict[str, str] = {}
        self._open = OpenFolder()

    def look(self, paths: Sequence[str]) -> dict[str, Found]:
        """Return the regular files that are there: size, and time of change in ns."""
        found: dict[str, Found] = {}
        for path in paths:
            with suppress(OSError):
                status = os.lstat(f"{self._root}/{path}")
                if stat.S_ISREG(status.st_mode):
                    found[path] = (status.st_size, status.st_mtime_ns)
        return found

    def read(self, path: str) -> bytes | None:
        """Return the bytes of a file, None where there is none."""
        try:
            return Path(self._root, path).read_bytes()
        except FileNotFoundError:
            return None

    def put(self, files: Sequence[tuple[str, bytes]]) -> dict[str, Found]:
        """Write files beside their place and rename them into it, so that a link to a frame is replaced and never written through."""
        return {path: self._put(path, data) for path, data in files}

    def link(self, source: tuple[int, str], path: str) -> None:
        """Make a hard link to a file in the place of what is there."""
        folder, name = self._place(path)
        try:
            os.link(source[1], name, src_dir_fd=source[0], dst_dir_fd=folder)
        except FileExistsError:
            new = _new_name()
            os.link(source[1], new, src_dir_fd=source[0], dst_dir_fd=folder)
            os.replace(new, name, src_dir_fd=folder, dst_dir_fd=folder)  # does nothing where both are links to one file
            with suppress(FileNotFoundError):
                os.unlink(new, dir_fd=folder)

    def settle(self, files: Iterable[str], folders: Iterable[str]) -> None:
        """Sync these files, these folders, and the folders above them."""
        places = {self._root}
        for folder in folders:
            parts = folder.split("/")
            places.update(f"{self._root}/{'/'.join(parts[: number + 1])}" for number in range(len(parts)))
        for place in [*(f"{self._root}/{file}" for file in files), *sorted(places)]:
            with suppress(FileNotFoundError):  # somebody took it away, which is no matter of being durable
                file = os.open(place, os.O_RDONLY)
                try:
                    os.fsync(file)
                finally:
                    os.close(file)

    def is_taken(self, but: str) -> bool:
        """Say whether anything else than the folder `but` is there."""
        try:
            return any(entry.name != but for entry in Path(self._root).iterdir())
        except FileNotFoundError:
            return False

    def device(self) -> int:
        """Return the file system of the folder, or of the nearest one above that exists."""
        place = Path(self._root)
        return next(folder.stat().st_dev for folder in (place, *place.parents) if folder.exists())

    def close(self) -> None:
        """Let the folder go that was written to last."""
        self._open.close()

    def _put(self, path: str, data: bytes) -> Found:
        folder, name = self._place(path)
        new = _new_name()
        try:
            file = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666, dir_fd=folder)
            try:
                written = 0
                while written < len(data):
                    written += os.write(file, data[written:] if written else data)
                status = os.fstat(file)
            finally:
                os.close(file)
            os.rename(new, name, src_dir_fd=folder, dst_dir_fd=folder)
        except BaseException:
            with suppress(OSError):
                os.unlink(new, dir_fd=folder)
            raise
        return (status.st_size, status.st_mtime_ns)

    def _place(self, path: str) -> tuple[int, str]:
        """Return the open folder of a file, made where there is none, and the file's name in it."""
        folder, _, name = path.rpartition("/")
        place = self._folders.get(folder)
        if place is None:
            place = self._folders[folder] = f"{self._root}/{folder}"
            Path(place).mkdir(parents=True, exist_ok=True)
        return self._open.at(place), name


class RemoteTarget:
    """A place that fsspec reaches; writing a file there is atomic as far as its protocol is, which it is for object stores and memory."""

    batch_bytes = 16 << 20
    is_local = False

    def __init__(self, url: str, fs: Any, root: str) -> None:  # noqa: ANN401 (fsspec publishes no types)
        self._url = url
        self._fs = fs
        self._root = root
        self._folders: set[str] = set()

    def look(self, paths: Sequence[str]) -> dict[str, Found]:
        """Return the files that are there: size, and what the protocol has for a version. One listing a folder."""
        wanted = set(paths)
        found: dict[str, Found] = {}
        with _reaching(self._url):
            for folder in sorted({path.rpartition("/")[0] for path in wanted}):
                for entry in self._listed(folder):
                    path = str(entry["name"]).rstrip("/").removeprefix(self._root).lstrip("/")
                    if entry["type"] == "file" and path in wanted:
                        stamp = next((str(entry[name]) for name in _STAMPS if entry.get(name) is not None), "")
                        found[path] = (int(entry["size"]), stamp)
        return found

    def read(self, path: str) -> bytes | None:
        """Return the bytes of a file, None where there is none."""
        with _reaching(self._url):
            try:
                return bytes(self._fs.cat_file(f"{self._root}/{path}"))
            except FileNotFoundError:
                return None

    def put(self, files: Sequence[tuple[str, bytes]]) -> dict[str, Found]:
        """Write files, as many at once as the protocol does."""
        with _reaching(self._url):
            for folder in {path.rpartition("/")[0] for path, _ in files} - self._folders:
                if not self._fs.async_impl:  # object stores have no folders; s3fs would even make the bucket
                    self._fs.makedirs(f"{self._root}/{folder}".rstrip("/"), exist_ok=True)
                self._folders.add(folder)
            self._fs.pipe({f"{self._root}/{path}": data for path, data in files})
        return {}

    def link(self, source: tuple[int, str], path: str) -> None:
        """Raise the error of a link to another disk."""
        raise OSError(errno.EXDEV, "there are hard links on local disks only", source[1], None, path)

    def settle(self, files: Iterable[str], folders: Iterable[str]) -> None:
        """Do nothing: what is written there is there."""

    def is_taken(self, but: str) -> bool:
        """Say whether anything else than the folder `but` is there."""
        with _reaching(self._url):
            return any(str(entry["name"]).rstrip("/").rpartition("/")[2] != but for entry in self._listed(""))

    def close(self) -> None:
        """Do nothing: the protocol's library keeps its own connections."""

    def _listed(self, folder: str) -> list[dict[str, Any]]:
        place = f"{self._root}/{folder}".rstrip("/")
        self._fs.invalidate_cache(place)
        try:
            return list(self._fs.ls(place, detail=True))
        except FileNotFoundError:
            return []


@contextmanager
def _reaching(url: str) -> Iterator[None]:
    """Turn whatever a protocol's library raises into one refusal that can cross processes."""
    try:
        yield
    except Exception as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        raise MaterializationTargetUnreachable(target=url.partition("?")[0], reason=reason) from error


def _new_name() -> str:
    return f".new-{secrets.token_hex(8)}"
