"""Which objects the store names, and whether each is there and whole."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from labelkit.store.objects import Objects
    from labelkit.store.statements import Statements

# A column named so holds the digest of an object, or a list of them, or null: this is how collection knows what it must keep.
OBJECT_COLUMN = "%!_object"
OBJECTS_COLUMN = "%!_objects"


@dataclass(frozen=True, slots=True)
class Finding:
    """An object that a row names and that is missing or damaged; `where` is the column, as table.column."""

    digest: str
    where: str
    problem: str


def named_objects(tx: Statements) -> list[tuple[str, str]]:
    """Return each digest that a row names with the column that names it, in order."""
    found: set[tuple[str, str]] = set()
    for column in _columns(tx):
        value = f"unnest({column['column_name']})" if column["column_name"].endswith("_objects") else column["column_name"]
        where = f"{column['table_name']}.{column['column_name']}"
        digests = tx.rows(f"SELECT DISTINCT digest FROM (SELECT {value} AS digest FROM {column['table_name']}) WHERE digest IS NOT NULL")
        found |= {(row["digest"], where) for row in digests}
    return sorted(found)


def findings(objects: Objects, named: Iterable[tuple[str, str]]) -> list[Finding]:
    """Return what is wrong with the named objects: each is read as a whole."""
    return [
        Finding(digest, where, "damaged" if objects.exists(digest) else "missing") for digest, where in named if not objects.verify(digest)
    ]


def _columns(tx: Statements) -> list[dict[str, str]]:
    return tx.rows(
        "SELECT table_name, column_name FROM information_schema.columns"
        " WHERE table_catalog = current_database() AND table_schema = 'main'"
        "   AND (column_name LIKE $one ESCAPE '!' OR column_name LIKE $many ESCAPE '!')"
        " ORDER BY table_name, column_name",
        one=OBJECT_COLUMN,
        many=OBJECTS_COLUMN,
    )
