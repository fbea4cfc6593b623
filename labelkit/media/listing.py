"""The image files of a folder or glob, in name order: every folder on the way is read or refused, none is passed over unseen."""

from __future__ import annotations

import os
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING

from labelkit.errors import MediaEmpty, MediaNotFound, MediaNotRecognized, MediaUnreadable
from labelkit.media.paths import name_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

SUFFIXES = ("jpg", "jpeg", "png", "bmp", "webp", "gif", "tif", "tiff")


def list_images(source: str | Path) -> tuple[Path, tuple[str, ...], tuple[str, ...]]:
    """Return the root (absolute, no links), the names of the image files in plain name order, and notes on folders not entered.

    `source` is a folder (searched with its subfolders) or a glob with `*`, `?`, `[...]` or `**`, whose root is the part before the
    first of these. Plain order compares paths letter by letter, so `a10.jpg` comes before `a9.jpg`. Files and folders whose name
    begins with a dot are left out. Linked folders are entered only where the glob names them. Raises `MEDIA_NOT_FOUND`, `MEDIA_EMPTY`,
    `MEDIA_NOT_RECOGNIZED` (a file) and `MEDIA_UNREADABLE` (also for a folder below that cannot be read).
    """
    links: list[str] = []
    try:
        root, parts = _root_and_pattern(source)
        found = {name_of(file, root) for file in _walk(str(root), parts, links)}
    except OSError as error:
        raise MediaUnreadable(source=source, reason=str(error)) from error
    names = sorted(name for name in found if is_image_name(name))
    notes = tuple(f"the linked folder {name_of(link, root)} was not entered" for link in links)
    if not names:
        reason = f"none of {len(found)} files is an image" if found else "no file is there"
        raise MediaEmpty(source=source, reason="; ".join((reason, *notes)), suffixes=", ".join(SUFFIXES))
    return root, tuple(names), notes


def is_image_name(name: str) -> bool:
    """Say whether a file name ends like an image.

    >>> is_image_name("a/b.JPG"), is_image_name("a.jpg.txt")
    (True, False)
    """
    return name.lower().rpartition(".")[2] in SUFFIXES


def _root_and_pattern(source: str | Path) -> tuple[Path, tuple[str, ...]]:
    path = Path(source).expanduser()
    if path.is_dir():
        return path.resolve(), ("**", "*")
    if path.exists():
        raise MediaNotRecognized(source=source, reason="it is a single file")
    parts = path.parts
    first = next((number for number, part in enumerate(parts) if any(sign in part for sign in "*?[")), None)
    if first is None or ".." in parts[first:]:
        raise MediaNotFound(source=source)
    root = Path(*parts[:first])
    if not root.is_dir():
        raise MediaNotFound(source=root)
    return root.resolve(), parts[first:]


def _walk(folder: str, parts: Sequence[str], links: list[str]) -> Iterator[str]:
    """Yield the paths of files that match the pattern; linked folders that `**` meets go to `links`."""
    head, rest = parts[0], parts[1:]
    if head == "**":
        yield from _walk(folder, rest or ("*",), links)
    with os.scandir(folder) as entries:
        listed = sorted(entries, key=lambda entry: entry.name)
    for entry in listed:
        hidden = entry.name.startswith(".") and not head.startswith(".")
        if hidden or (head != "**" and not fnmatchcase(entry.name, head)):
            continue
        if head == "**":
            if entry.is_dir(follow_symlinks=False):
                yield from _walk(entry.path, parts, links)
            elif _leads_to_folder(entry):
                links.append(entry.path)
        elif not rest and not _leads_to_folder(entry):
            yield entry.path
        elif rest and _leads_to_folder(entry):
            yield from _walk(entry.path, rest, links)


def _leads_to_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a link to itself, or to where nobody may look: a file with a problem
        return False
