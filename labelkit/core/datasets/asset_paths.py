"""Names of materialized files: below the place they go to, whatever media and frames are called, and apart on every file system.

A part of a path keeps letters of any script. What a file system or a program could take for something else is written as `%` and two hex
digits, so that two different names never become one; names that differ by case or accents' spelling alone get a mark of their own.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

PLAIN = r"^(?:[A-Za-z0-9_-](?:[A-Za-z0-9_. -]{0,80}[A-Za-z0-9_-])?/)*[A-Za-z0-9_-](?:[A-Za-z0-9_. -]{0,80}[A-Za-z0-9_-])?$"
RESERVED = r"(?i)(?:^|/)(?:con|prn|aux|nul|com[0-9]|lpt[0-9])(?:\.|/|$)"
LONGEST_BYTES = 180  # of a part; file systems take 255, and a mark and a temporary name come on top
_UNSAFE = re.compile(r'[\x00-\x1f\x7f<>:"/\\|?*%]')
_RESERVED = re.compile(RESERVED)


def part(name: str) -> str:
    """Return a name as one part of a path: never empty, hidden, `..`, reserved, or longer than `LONGEST_BYTES`.

    >>> part("match 1"), part("../x"), part("a:b"), part("NUL")
    ('match 1', '%2E.%2Fx', 'a%3Ab', '%4EUL')
    """
    safe = _UNSAFE.sub(_escaped, name) or "%"
    if safe[0] in ". " or _RESERVED.search(safe):
        safe = _hex(safe[0]) + safe[1:]
    if safe[-1] in ". ":
        safe = safe[:-1] + _hex(safe[-1])
    if len(safe.encode(errors="replace")) <= LONGEST_BYTES:
        return safe
    stem, dot, suffix = safe.rpartition(".")
    kept = f"{dot}{suffix}" if dot and len(suffix) < 8 else ""
    head = (stem if kept else safe).encode(errors="replace")[: LONGEST_BYTES - 24].decode(errors="ignore")
    return f"{head}~{mark(name, 12)}{kept}"


def path(name: str) -> str:
    """Return the name of a frame, which may have folders, as a path below its media's folder.

    >>> path("day 1/cam#2/000001.jpg"), path("../../etc/passwd")
    ('day 1/cam#2/000001.jpg', '%2E%2E/%2E%2E/etc/passwd')
    """
    return "/".join("%2E%2E" if one == ".." else part(one) for one in name.split("/"))


def parts(names: Iterable[str]) -> Mapping[str, str]:
    """Return each name as a part of a path that no other has, on file systems that do not tell case apart too.

    >>> parts(["Train", "train", "val"])
    {'Train': 'Train', 'train': 'train~116f54c4', 'val': 'val'}
    """
    taken: set[str] = set()
    found = {}
    for name in sorted(set(names)):
        safe = part(name)
        found[name] = safe if folded(safe) not in taken else marked(safe, name)
        taken.add(folded(found[name]))
    return found


def folded(text: str) -> str:
    """Return what a path is on a file system that tells neither case nor spellings of an accent apart."""
    return unicodedata.normalize("NFC", text.casefold())


def marked(path: str, name: str) -> str:
    """Return a path with a mark of `name` before its suffix.

    >>> marked("a/B.jpg", "club/match/000001")
    'a/B~0ac14768.jpg'
    """
    folder, slash, last = path.rpartition("/")
    stem, dot, suffix = last.rpartition(".")
    return f"{folder}{slash}{stem or suffix}~{mark(name, 8)}{dot}{suffix}" if dot else f"{path}~{mark(name, 8)}"


def mark(name: str, digits: int) -> str:
    """Return hex digits that tell names apart."""
    return hashlib.sha256(name.encode(errors="surrogatepass")).hexdigest()[:digits]


def _escaped(found: re.Match[str]) -> str:
    return _hex(found[0])


def _hex(character: str) -> str:
    return "".join(f"%{byte:02X}" for byte in character.encode())
