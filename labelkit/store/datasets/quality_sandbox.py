"""The process in which the SQL of quality rules runs: one user's SQL, evaluated by another, reads one dataset and can do nothing else.

It is started as a script: a job comes in as JSON, one answer a line goes out. Three fences stand around it. A statement is read as a
syntax tree first and may hold only what a query over three views needs. DuckDB may open only the dataset's own files, and its settings
are locked. The process has a bound on memory, on time for each statement, and may not write a file.
"""

from __future__ import annotations

import json
import os
import re
import sys
import threading
from glob import escape
from typing import TYPE_CHECKING, Any

import duckdb

if TYPE_CHECKING:
    from collections.abc import Iterator

OUT_OF_TIME = 3  # how the process ends when a statement takes too long
ADDRESS_SPACE = 2560 * 2**20  # bytes; DuckDB's own limit is lower, but functions on one value do not keep it
CONFIG: dict[str, str | bool | int | float | list[str]] = {
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false",
    "memory_limit": "1GB",
    "python_enable_replacements": "false",
    "temp_directory": "",
    "threads": "1",  # so that sums of floats and samples of rows are the same every time
}

# A chunk as `SnapshotWriter` stores it, for a check without a dataset.
_EMPTY = """
    CREATE TABLE chunks (sample_key VARCHAR, split VARCHAR, group_key VARCHAR, camera_type VARCHAR, workspace VARCHAR, media VARCHAR,
        frame_index INTEGER, frame_name VARCHAR, pts_ms DOUBLE, width INTEGER, height INTEGER, sha256 VARCHAR, flags VARCHAR[],
        digest VARCHAR, annotations STRUCT(id VARCHAR, label VARCHAR, x DOUBLE, y DOUBLE, width DOUBLE, height DOUBLE, size DOUBLE,
        score DOUBLE, source VARCHAR, attributes VARCHAR)[], row_digest VARCHAR)
"""
_VIEWS = """
    CREATE VIEW samples AS SELECT * EXCLUDE (annotations, row_digest), len(annotations) AS annotation_count FROM chunks;
    CREATE VIEW annotations AS
        SELECT sample_key, split, group_key, camera_type, workspace, media, frame_index, frame_width, frame_height,
            unnest(annotations, max_depth := 2)
        FROM (SELECT *, width AS frame_width, height AS frame_height FROM chunks);
"""

# What a statement may consist of. Whatever DuckDB learns to parse later is refused until it stands here.
TABLES = frozenset({"samples", "annotations", "measures"})
_TABLE_FUNCTIONS = frozenset({"unnest", "range", "generate_series"})
_QUERIES = frozenset({"SELECT_NODE", "SET_OPERATION_NODE", "RECURSIVE_CTE_NODE", "CTE_NODE"})
_SOURCES = frozenset({"BASE_TABLE", "EMPTY", "EXPRESSION_LIST", "JOIN", "SUBQUERY", "TABLE_FUNCTION"})
_PARTS = re.compile(r"[A-Z_]+_(MODIFIER|TYPE_INFO)|ORDER_DEFAULT|ASCENDING|DESCENDING")
_NAME = re.compile(r"\w+")
# Names without parentheses that give another value every day, and an aggregate that draws lots.
_CHANGING = {"current_date", "current_time", "current_timestamp", "localtime", "localtimestamp", "reservoir_quantile"}


class RefusedError(Exception):
    """A statement holds something that a rule may not; the text says what."""


def main() -> None:
    """Answer the job on the standard input."""
    import resource  # of POSIX; the process that starts this one reads this module too, wherever it is

    job = json.load(sys.stdin)
    resource.setrlimit(resource.RLIMIT_AS, (ADDRESS_SPACE, ADDRESS_SPACE))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    for answer in answers(job["files"], job["numbers"], job["measures"], job["limit_s"]):
        print(json.dumps(answer), flush=True)  # noqa: T201 - the answer of a process is what it prints


def answers(files: list[str] | None, numbers: dict[str, float | None], measures: list[str], limit_s: float) -> Iterator[dict[str, Any]]:
    """Yield `{"value": number or null}` or `{"problem": text}` of each measure; `files` None stands for a dataset without a sample."""
    try:
        connection, changing = _opened(files, numbers)
    except duckdb.Error as error:
        yield from [{"problem": _sentence(error)}] * len(measures)
        return
    for measure in measures:
        watch = threading.Timer(limit_s, os._exit, (OUT_OF_TIME,))
        watch.daemon = True
        watch.start()
        try:
            yield {"value": _measured(connection, measure, changing)}
        except RecursionError:
            yield {"problem": "it is nested too deeply"}
        except (RefusedError, duckdb.Error, MemoryError) as error:
            yield {"problem": _sentence(error)}
        watch.cancel()


def _opened(files: list[str] | None, numbers: dict[str, float | None]) -> tuple[duckdb.DuckDBPyConnection, frozenset[str]]:
    """Return a database with the three views in which nothing else can be opened, and the functions whose value changes."""
    connection = duckdb.connect(":memory:", config=CONFIG)
    patterns = [escape(file) for file in files or []]  # as `patterns.exact` does, which this script does not reach
    listed = ", ".join("'" + file.replace("'", "''") + "'" for file in patterns)
    connection.execute("SET allowed_paths = $paths", {"paths": [*(files or []), *patterns]})
    connection.execute("SET enable_external_access = false")
    connection.execute("SET lock_configuration = true")
    connection.execute(_EMPTY if files is None else f"CREATE VIEW chunks AS SELECT * FROM read_parquet([{listed}])")
    connection.execute(_VIEWS)
    columns = ", ".join(f"CAST(${name} AS DOUBLE) AS {name}" for name in numbers)
    connection.execute(f"CREATE TABLE measures AS SELECT {columns}", numbers)
    found = connection.execute("SELECT DISTINCT function_name FROM duckdb_functions() WHERE stability <> 'CONSISTENT'").fetchall()
    return connection, frozenset(name for (name,) in found) | _CHANGING


def _measured(connection: duckdb.DuckDBPyConnection, measure: str, changing: frozenset[str]) -> float | None:
    """Return the one number of a measure. Raises `RefusedError`, and DuckDB's errors."""
    text = measure.strip().rstrip(";")
    is_query = re.match(r"(SELECT|WITH|FROM)\b", text, re.IGNORECASE) is not None
    # The line break ends a comment, which would take what follows with it.
    statement = f"{text}\n" if is_query else f"SELECT (\n{text}\n) FROM measures"
    check(connection, statement, changing)
    done = connection.execute(statement)
    kinds = [str(column[1]) for column in done.description]
    if len(kinds) != 1 or not re.match(r"U?(TINY|SMALL|BIG|HUGE)?INT(EGER)?$|FLOAT$|DOUBLE$|DECIMAL", kinds[0]):
        raise RefusedError(f"it gives {', '.join(kinds)} and not one number")
    rows = done.fetchmany(2)
    if len(rows) != 1:
        raise RefusedError(f"it gives {'no row' if not rows else 'several rows'} and not one number; an aggregate gives one")
    return None if rows[0][0] is None else float(rows[0][0])


def check(connection: duckdb.DuckDBPyConnection, statement: str, changing: frozenset[str], tables: frozenset[str] = TABLES) -> None:
    """Refuse a statement that is more than one query over these tables (small letters). Raises `RefusedError`, and DuckDB's errors."""
    ((text,),) = connection.execute("SELECT json_serialize_sql($statement)", {"statement": statement}).fetchall()
    tree = json.loads(text)
    if tree["error"]:
        raise RefusedError(" ".join(tree["error_message"].split()))
    if len(tree["statements"]) != 1:
        raise RefusedError("it is more than one statement")
    _Walk(changing, {name.lower() for name in _cte_names(tree)}, tables).look(tree["statements"][0]["node"])


def _cte_names(node: object) -> Iterator[str]:
    if isinstance(node, list):
        for item in node:
            yield from _cte_names(item)
    elif isinstance(node, dict):
        ctes = node.get("cte_map") or {}
        yield from (entry["key"] for entry in ctes.get("map", []))
        yield from _cte_names(list(node.values()))


class _Walk:
    """Looks at every part of a statement's syntax tree."""

    def __init__(self, changing: frozenset[str], ctes: set[str], tables: frozenset[str]) -> None:
        self._changing = changing
        self._named = tables
        odd = [name for name in ctes if not _NAME.fullmatch(name)]
        if odd:
            raise RefusedError(f"{odd[0]!r} is no name for a part of a query")
        self._tables = tables | ctes

    def look(self, node: object) -> None:
        """Refuse what is not known to be harmless, here and below. Raises `RefusedError`."""
        if isinstance(node, list):
            for item in node:
                self.look(item)
        elif isinstance(node, dict):
            if "class" in node:
                self._expression(node)
            elif isinstance(node.get("type"), str):
                self._part(node)
            self.look(list(node.values()))

    def _part(self, node: dict[str, Any]) -> None:
        kind = node["type"]
        known = kind in _QUERIES if "cte_map" in node else kind in _SOURCES or _PARTS.fullmatch(kind)
        if not known:
            raise RefusedError(f"{kind.replace('_', ' ').lower()} has no place here; it is one SELECT over {_listed(self._named)}")
        if node.get("sample") is not None:
            raise RefusedError("a sample of rows is another one every time")
        if kind == "BASE_TABLE":
            name = ".".join(filter(None, (node["catalog_name"], node["schema_name"], node["table_name"])))
            if name.lower() not in self._tables:
                raise RefusedError(f"there is no table {name}; there is {_listed(self._named)}")
        if kind == "TABLE_FUNCTION" and node["function"].get("function_name", "").lower() not in _TABLE_FUNCTIONS:
            raise RefusedError(f"the function {node['function'].get('function_name')} reads what is not the dataset")

    def _expression(self, node: dict[str, Any]) -> None:
        name = ""
        if node["class"] == "FUNCTION":
            name = node["function_name"].lower()
        elif node["class"] == "COLUMN_REF" and len(node["column_names"]) == 1:
            name = node["column_names"][0].lower()
            name = name if name in _CHANGING else ""
        if name in self._changing:
            raise RefusedError(f"{name} gives another value every time, and a rule must not")


def _listed(names: frozenset[str]) -> str:
    return ", ".join(sorted(names))


def _sentence(error: Exception) -> str:
    """Return the first line of a message, without the name of its kind and without a full stop."""
    first = str(error).strip().split("\n")[0].strip() or "it needs too much memory"
    return re.sub(r"^[A-Z][A-Za-z ]+ Error: ", "", first).rstrip(".!")


if __name__ == "__main__":
    main()
