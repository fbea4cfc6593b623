"""Snapshots as values: rows with a key are cut into chunks by the keys alone, and a tree digest over the chunks is their identity."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from labelkit.core.hashing import Digest, canonical_json, digest_of_lines, sha256_hex

if TYPE_CHECKING:
    from collections.abc import Sequence

SNAPSHOT_FORMAT = "labelkit.snapshot.v1"
CHUNK_START = "000"  # a key whose sha256 starts so starts a chunk: one in 4,096


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
    """All chunks of a snapshot, in key order; the column that holds the key."""

    key: str
    chunks: tuple[Chunk, ...]

    @property
    def rows(self) -> int:
        """Return the number of rows."""
        return sum(chunk.rows for chunk in self.chunks)

    @property
    def digest(self) -> Digest:
        """Return the digest of the whole content: equal rows have it equal on every machine, whatever their history."""
        lines = (canonical_json([chunk.rows, chunk.first_key, chunk.digest]).decode() for chunk in self.chunks)
        return digest_of_lines([SNAPSHOT_FORMAT, self.key, *lines])

    @property
    def objects(self) -> list[str]:
        """Return the object of each chunk, in key order."""
        return [chunk.object for chunk in self.chunks]

    def after(self, key: str | None) -> Tree:
        """Return the chunks that can hold rows beyond `key`; all of them for None."""
        if key is None:
            return self
        passed = sum(chunk.first_key <= key for chunk in self.chunks)
        return Tree(self.key, self.chunks[max(passed - 1, 0) :])

    def holding(self, key: str) -> Chunk | None:
        """Return the one chunk that can hold the key; None where the key comes before all."""
        before = [chunk for chunk in self.chunks if chunk.first_key <= key]
        return before[-1] if before else None


def row_digests(digests: Sequence[str]) -> str:
    """Return the digest of a chunk from the digests of its rows, in key order."""
    return sha256_hex("".join([f"{digest}\n" for digest in digests]).encode())
