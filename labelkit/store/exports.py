"""Records of exports: what was exported, where to, and the digest of each file."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    import polars as pl

    from labelkit.store.statements import Statements


class ExportRows:
    """Reads and writes the records of exports; a record never changes."""

    def __init__(self, tx: Statements) -> None:
        self._tx = tx

    def add(self, export: Mapping[str, object]) -> None:
        """Record an export: id, kind (dataset, version or golden), version_id, format, split, path, files, losses, created_by."""
        self._tx.insert("exports", [{**export, "created_at": self._tx.now}])

    def of(self, version: str) -> pl.DataFrame:
        """Return the exports of a version, oldest first: id, format, split, path, files, losses, created_at, created_by."""
        return self._tx.frame(
            """SELECT id, format, split, path, files, losses, created_at, created_by FROM exports
               WHERE version_id = $version ORDER BY created_at, id""",
            version=version,
        )
