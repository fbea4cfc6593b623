"""What set work needs of a store: its objects, queries over them, and a look at its rows. `Database` is one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from contextlib import AbstractContextManager
    from pathlib import Path

    import polars as pl

    from labelkit.store.objects import Objects
    from labelkit.store.statements import Statements


class Store(Protocol):
    """Work on whole sets asks no more than this, so that it stands beside the rows of its system and below the database."""

    @property
    def objects(self) -> Objects:
        """Return the content-addressed objects."""
        ...

    def analyse(self, sql: str, /, **params: object) -> pl.DataFrame:
        """Run a query over Parquet objects; it sees no table of the store."""
        ...

    def analyse_to(self, path: Path | str, sql: str, /, **params: object) -> None:
        """Run a query over Parquet objects and write its rows to a Parquet file."""
        ...

    def reading(self) -> AbstractContextManager[Statements]:
        """Open a unit of work that changes nothing."""
        ...
