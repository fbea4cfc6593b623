"""A file system in memory that signs addresses which expire, as object stores do."""

from __future__ import annotations

from typing import Any, ClassVar

import fsspec
from fsspec.implementations.memory import MemoryFileSystem

PROTOCOL = "signed"


class SigningFileSystem(MemoryFileSystem):
    """Files in memory; `made` counts the addresses that were signed, which begin with `root`."""

    protocol = PROTOCOL
    store: ClassVar[dict[str, Any]] = {}
    pseudo_dirs: ClassVar[list[str]] = [""]
    made = 0
    root = "https://assets.invalid"

    @classmethod
    def _strip_protocol(cls, path: str) -> str:
        return str(super()._strip_protocol(path.removeprefix(f"{PROTOCOL}://")))

    def sign(self, path: str, expiration: int | None = None, **_: object) -> str:
        """Return an address that says the how many-th it is and for how many seconds it is good."""
        type(self).made += 1
        return f"{self.root}{path}?turn={self.made}&seconds={expiration}"


def register() -> type[SigningFileSystem]:
    """Make `signed://` known to fsspec, with nothing in it."""
    fsspec.register_implementation(PROTOCOL, SigningFileSystem, clobber=True)
    SigningFileSystem.store.clear()
    SigningFileSystem.pseudo_dirs[:] = [""]
    SigningFileSystem.made = 0
    return SigningFileSystem
