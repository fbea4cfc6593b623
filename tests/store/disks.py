"""Disks that fail: small ones that fill up, and folders that even root cannot write."""

from __future__ import annotations

import os
from contextlib import contextmanager
from typing import TYPE_CHECKING

from tests import needs

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@contextmanager
def small_disk(folder: Path, size: str) -> Iterator[Path]:
    """Make `folder` a disk of its own of that size ("64k", "6m") in the block."""
    needs.root_user()
    folder.mkdir()
    mounted = needs.run("mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", folder).returncode == 0
    needs.need(mounted, "Root may not mount here, so a full disk cannot be made.")
    try:
        yield folder
    finally:
        needs.run("umount", "-l", folder)


@contextmanager
def read_only(folder: Path) -> Iterator[None]:
    """Make an existing folder read-only for everybody, root included, in the block."""
    if os.geteuid() != 0:
        folder.chmod(0o555)
        try:
            yield
        finally:
            folder.chmod(0o755)
        return
    mounted = needs.run("mount", "--bind", folder, folder).returncode == 0
    needs.need(mounted, "Root may not mount here, so a folder that root cannot write cannot be made.")
    try:
        assert needs.run("mount", "-o", "remount,ro,bind", folder).returncode == 0
        yield
    finally:
        needs.run("umount", "-l", folder)
