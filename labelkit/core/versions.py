"""Snapshots and commits as values: chunks of keyed rows, trees of chunks, commits over trees.

Rows are cut into chunks by their keys alone, a tree digest over the chunks is their identity, and a commit is a digest over its parents,
its tree, and who made it, when and why.
"""

from __future__ import annotations

import json
import re
from bisect import bisect_right
from dataclasses import asdict, dataclass
from datetime import UTC
from enum import StrEnum
from typing import TYPE_CHECKING

from labelkit.core.hashing import Digest, canonical_flat, digest_of, digest_of_lines, sha256_hex
from labelkit.errors import InvalidValue

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

SNAPSHOT_FORMAT = "labelkit.snapshot.v1"
COMMIT_FORMAT = "labelkit.commit.v1"
CHUNK_START = "000"  # a key whose sha256 starts so starts a chunk of a built dataset: one in 4,096
CHUNK_BELOW = "0004"  # a key whose sha256 is less starts a chunk of committed rows: one in 16,384, and each of them is one of the former
MAIN = "main"

_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*(/[A-Za-z0-9_][A-Za-z0-9_.-]*)*")
_COMMIT = re.compile(r"[0-9a-f]{8,64}")


@dataclass(frozen=True, slots=True)
class Chunk:
    """A run of rows in key order: its first key, number of rows, digest of the row digests, and the object that holds the rows.

    The digest is the identity. The object is named by its bytes, which also hold what no digest covers, and which another version of
    the writer may compress differently.
    """

    first_key: str
    rows: int
    digest: str
    object: str


@dataclass(frozen=True, slots=True)
class Tree:
    """All chunks of a snapshot, in key order; the column that holds the key.

    `schema` is the canonical text of the columns and their types, part of the identity where there is one (the rows of a built dataset
    have none: their columns are fixed); `schema_object` holds the same as a frame without rows.
    """

    key: str
    chunks: tuple[Chunk, ...]
    schema: str | None = None
    schema_object: str | None = None

    @property
    def keyed_by(self) -> str:
        """Return the column of the key and its type, for people: `example_id (text)`. Versions that differ in it cannot be compared."""
        kinds = {} if self.schema is None else dict(json.loads(self.schema))
        return f"{self.key} ({kinds.get(self.key, 'text')})"

    @property
    def rows(self) -> int:
        """Return the number of rows."""
        return sum(chunk.rows for chunk in self.chunks)

    @property
    def digest(self) -> Digest:
        """Return the digest of the whole content: equal rows have it equal on every machine, whatever their history."""
        lines = (canonical_flat([chunk.rows, chunk.first_key, chunk.digest]) for chunk in self.chunks)
        return digest_of_lines([SNAPSHOT_FORMAT, self.key, *([] if self.schema is None else [self.schema]), *lines])

    @property
    def objects(self) -> list[str]:
        """Return the object of each chunk, in key order."""
        return [chunk.object for chunk in self.chunks]

    def after(self, key: str | None) -> Tree:
        """Return the chunks that can hold rows beyond `key`; all of them for None."""
        if key is None:
            return self
        passed = bisect_right(self.chunks, key, key=lambda chunk: chunk.first_key)
        return Tree(self.key, self.chunks[max(passed - 1, 0) :])

    def holding(self, key: str) -> Chunk | None:
        """Return the one chunk that can hold the key; None where the key comes before all."""
        before = [chunk for chunk in self.chunks if chunk.first_key <= key]
        return before[-1] if before else None


def row_digests(digests: Sequence[str]) -> str:
    """Return the digest of a chunk from the digests of its rows, in key order."""
    return sha256_hex("".join([f"{digest}\n" for digest in digests]).encode())


def starts_chunk(key: str) -> bool:
    """Say whether a key, as text, starts a chunk of committed rows: the key alone decides, so that edits elsewhere move no boundary."""
    return sha256_hex(key.encode()) < CHUNK_BELOW


# --- history


@dataclass(frozen=True, slots=True)
class ChangeCount:
    """How many rows differ between two versions, by key."""

    added: int = 0
    removed: int = 0
    modified: int = 0

    def __bool__(self) -> bool:
        return bool(self.added or self.removed or self.modified)

    def __str__(self) -> str:
        return f"{self.added:,} added, {self.removed:,} removed, {self.modified:,} modified"


@dataclass(frozen=True, slots=True)
class Commit:
    """One version of a named set of rows: what it holds, what came before it, who made it, when and why.

    `changes` counts against the first parent. `id` is the sha256 over all of that; equal content has an equal `tree`, whoever made it.
    """

    parents: tuple[str, ...]
    tree: str
    changes: ChangeCount
    author: str
    committed_at: datetime
    message: str

    @property
    def id(self) -> str:
        """Return the identity of the commit: 64 hex digits."""
        return digest_of(
            [
                COMMIT_FORMAT,
                list(self.parents),
                self.tree,
                asdict(self.changes),
                self.author,
                self.committed_at.astimezone(UTC).isoformat(timespec="microseconds"),
                self.message,
            ]
        ).value


@dataclass(frozen=True, slots=True)
class Ref:
    """What a text such as `golden/tier@v1` points at: a name, and a tag, branch or commit of it, by default the branch `main`.

    A commit id alone, or its first eight digits or more, has no name.
    """

    name: str | None
    at: str

    @classmethod
    def parse(cls, text: str) -> Ref:
        """Return the ref. Raises `INVALID_VALUE` for a text that is none."""
        name, mark, at = text.partition("@")
        if not mark and _COMMIT.fullmatch(text):
            return cls(None, text)
        checked_name(name, "The name of a set of rows")
        return cls(name, checked_name(at, "What follows the @") if mark else MAIN)

    @property
    def may_be_commit(self) -> bool:
        """Say whether it reads like a commit id or the beginning of one."""
        return _COMMIT.fullmatch(self.at) is not None


def checked_name(text: str, what: str) -> str:
    """Return a name of rows, a tag or a branch. Raises `INVALID_VALUE` where it is none, or where it reads like a commit id."""
    if not _NAME.fullmatch(text):
        fix = "Use letters, digits, '_', '-' and '.', in parts with '/' between them, such as golden/contact-tier."
        raise InvalidValue(what=what, reason=f"{text!r} is no name", fix=fix)
    return text


def label(text: str, what: str) -> str:
    """Return the name of a new tag or branch. Raises `INVALID_VALUE` where it is none, or where it could be meant for a commit id."""
    if _COMMIT.fullmatch(text):
        raise InvalidValue(what=what, reason=f"{text!r} reads like the id of a commit", fix="Choose another name, such as v1 or 2026-03.")
    return checked_name(text, what)


def ancestors(head: str, parents: dict[str, tuple[str, ...]]) -> list[str]:
    """Return a commit and everything that it descends from, each once, children before their parents on every path."""
    waiting, order, left = [head], [], {head}
    children: dict[str, int] = {}
    seen = [head]
    for commit in seen:
        for parent in parents.get(commit, ()):
            children[parent] = children.get(parent, 0) + 1
            if parent not in left:
                left.add(parent)
                seen.append(parent)
    while waiting:
        commit = waiting.pop()
        order.append(commit)
        for parent in reversed(parents.get(commit, ())):
            children[parent] -= 1
            if children[parent] == 0:
                waiting.append(parent)
    return order


def merge_base(ours: str, theirs: str, parents: dict[str, tuple[str, ...]]) -> str | None:
    """Return the newest commit that both descend from (or are); None where the histories have nothing in common.

    Where two are equally good (a criss-cross), the one that comes first in the order of ours.
    """
    reached = set(ancestors(theirs, parents))
    return next((commit for commit in ancestors(ours, parents) if commit in reached), None)


# --- three-way merge: what becomes of a key, by what each side did to it since the base


class Change(StrEnum):
    """What one side did to a key."""

    NONE = "none"
    ADDED = "added"
    REMOVED = "removed"
    MODIFIED = "modified"


class Verdict(StrEnum):
    """What a merge makes of a key."""

    OURS = "ours"
    THEIRS = "theirs"
    BY_FIELD = "by field"
    CONFLICT = "conflict"


MERGE: dict[tuple[Change, Change], Verdict] = {
    (Change.ADDED, Change.NONE): Verdict.OURS,
    (Change.REMOVED, Change.NONE): Verdict.OURS,
    (Change.MODIFIED, Change.NONE): Verdict.OURS,
    (Change.NONE, Change.ADDED): Verdict.THEIRS,
    (Change.NONE, Change.REMOVED): Verdict.THEIRS,
    (Change.NONE, Change.MODIFIED): Verdict.THEIRS,
    (Change.ADDED, Change.ADDED): Verdict.BY_FIELD,
    (Change.MODIFIED, Change.MODIFIED): Verdict.BY_FIELD,
    (Change.REMOVED, Change.REMOVED): Verdict.OURS,
    (Change.REMOVED, Change.MODIFIED): Verdict.CONFLICT,
    (Change.MODIFIED, Change.REMOVED): Verdict.CONFLICT,
}


# --- version numbers


@dataclass(frozen=True, slots=True)
class VersionStep:
    """Which part of a version number should grow, and why, by the section on versions of http://mlcommons.org/croissant/1.1.

    patch: the data are the same, however they are written down. minor: what was there is the same and can still be had as it was, and
    there is more. major: something that was there is changed, gone, or in another split. Rows more are minor, because the version before
    stays: its commit gives its rows exactly, whatever comes after it.
    """

    level: str
    reason: str

    def after(self, version: str) -> str:
        """Return the version that follows `version` (`1.4.2`, or `v1.4.2`). Raises `INVALID_VALUE` for any other form."""
        found = re.fullmatch(r"(v?)(\d+)\.(\d+)\.(\d+)", version)
        if found is None:
            raise InvalidValue(what="version", reason=f"{version!r} is no MAJOR.MINOR.PATCH", fix="Give one such as 1.4.2.")
        mark, (major, minor, patch) = found[1], map(int, found.groups()[1:])
        following = {"major": (major + 1, 0, 0), "minor": (major, minor + 1, 0), "patch": (major, minor, patch + 1)}[self.level]
        return mark + ".".join(map(str, following))


def version_step(
    changes: ChangeCount, *, columns_added: Sequence[str], columns_removed: Sequence[str], retyped: Sequence[str]
) -> VersionStep:
    """Return which part of a version number should grow after these changes."""
    broken = [
        f"{count:,} row{'' if count == 1 else 's'} {what}"
        for count, what in ((changes.removed, "removed"), (changes.modified, "modified"))
        if count
    ]
    broken += [f"column {column} removed" for column in columns_removed] + [f"column {column} has another type" for column in retyped]
    if broken:
        return VersionStep("major", "Existing data changed: " + ", ".join(broken) + ".")
    more = ([_rows(changes.added)] if changes.added else []) + [f"column {column}" for column in columns_added]
    if more:
        return VersionStep("minor", "Existing data are the same, there is more: " + ", ".join(more) + ".")
    return VersionStep("patch", "The data are the same.")


def _rows(count: int) -> str:
    return f"{count:,} row" + ("" if count == 1 else "s")
