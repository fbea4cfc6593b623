"""The SQL of quality rules: what it can see, what it may not be, and that it can neither read, write, wait nor fill the memory."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

import polars as pl
import pytest

from labelkit.core.datasets.quality import MEASURES, Measured, Rule, Severity, Statistics
from labelkit.core.versions import Chunk, Tree
from labelkit.errors import QualityRuleInvalid
from labelkit.store.database import Database
from labelkit.store.datasets import quality_measures, quality_sandbox
from labelkit.store.datasets.quality_measures import check, measured
from labelkit.store.datasets.quality_sandbox import TABLES
from labelkit.store.review.content import ANNOTATION

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

NUMBERS = Statistics(3, 2, 1, 4, {"player": 3, "ball": 1}, 0, 0).numbers()
RULE = Rule("CODE", Severity.WARNING, "samples", "above", 0, "{value}", own=True)


def rules(*measures: str) -> list[Rule]:
    return [replace(RULE, code=f"R{n}", measure=measure) for n, measure in enumerate(measures)]


def annotation(label: str, x: float) -> dict[str, object]:
    return dict.fromkeys(ANNOTATION) | {"id": "a", "label": label, "x": x, "y": 0.5, "width": 10.0, "height": 20.0}


def tree_in(db: Database) -> Tree:
    """Three samples in two chunks: two players; a player and a ball; nothing."""
    labels = [[annotation("player", 1.5), annotation("player", 2.5)], [annotation("player", 4.0), annotation("ball", 8.0)], []]
    rows = pl.DataFrame(
        {
            "sample_key": ["c/m/000000", "c/m/000001", "c/n/000000"],
            "split": ["train", "train", "test"],
            "group_key": ["m", "m", "n"],
            "camera_type": ["broadcast"] * 3,
            "workspace": ["c"] * 3,
            "media": ["m", "m", "n"],
            "frame_index": pl.Series([0, 1, 0], dtype=pl.Int32),
            "frame_name": ["0.jpg", "1.jpg", "0.jpg"],
            "pts_ms": [0.0, 40.0, 0.0],
            "width": pl.Series([1280] * 3, dtype=pl.Int32),
            "height": pl.Series([720] * 3, dtype=pl.Int32),
            "sha256": ["a", "b", "a"],
            "flags": pl.Series([["bad_frame"], [], []], dtype=pl.List(pl.String)),
            "digest": ["d"] * 3,
            "annotations": pl.Series(labels, dtype=pl.List(pl.Struct(ANNOTATION))),
            "row_digest": ["r"] * 3,
        }
    )
    chunks = [rows.slice(0, 2), rows.slice(2)]
    return Tree("sample_key", tuple(Chunk(one["sample_key"][0], one.height, "digest", db.objects.put_frame(one)) for one in chunks))


@pytest.fixture
def tree(db: Database) -> Tree:
    return tree_in(db)


@pytest.fixture
def memory() -> Iterator[tuple[Database, Tree]]:
    """The same in memory only, where it makes no difference."""
    with Database.open(":memory:", user="ana") as db:
        yield db, tree_in(db)


def files(memory: tuple[Database, Tree]) -> list[str]:
    return [memory[0].objects.path(digest) for digest in memory[1].objects]


# --- what a rule can see

COMPUTED = {
    "a name with arithmetic": ("annotations / samples", 4 / 3),
    "an expression in lower and upper case": ("GREATEST(Groups, 1) * 2", 4),
    "a comment at its end": ("samples -- all of them", 3),
    "a semicolon at its end": ("SELECT count(*) FROM samples;", 3),
    "samples of one split": ("SELECT count(*) FROM samples WHERE split = 'train'", 2),
    "labels on a sample": ("SELECT max(annotation_count) FROM samples", 2),
    "flags of a sample": ("SELECT count(*) FROM samples WHERE list_contains(flags, 'bad_frame')", 1),
    "pictures that come twice": ("SELECT count(*) - count(DISTINCT sha256) FROM samples", 1),
    "a class among labels": ("SELECT count(*) FROM annotations WHERE label = 'ball'", 1),
    "a label's place in its frame": ("SELECT max((x + width) / frame_width) FROM annotations", 18 / 1280),
    "an average": ("SELECT avg(x) FROM annotations", 4.0),
    "a join of the two": ("SELECT count(*) FROM annotations a JOIN samples s USING (sample_key) WHERE s.group_key = 'm'", 4),
    "a subquery in an expression": ("(SELECT count(*) FROM annotations WHERE label = 'ball') / annotations", 0.25),
    "a query with parts": ("WITH per AS (SELECT count(*) AS n FROM annotations GROUP BY label) SELECT min(n) / max(n) FROM per", 1 / 3),
    "FROM first": ("FROM measures SELECT selected_frames - samples", 1),
    "a decimal": ("CAST(samples AS DECIMAL(9, 2))", 3),
}
NO_NUMBER = {
    "NULL": ("SELECT avg(x) FROM annotations WHERE label = 'hat'", "it gives NULL"),
    "a measure that is missing": ("missing_assets + NULL", "it gives NULL"),
    "infinity": ("CAST('inf' AS DOUBLE)", "it gives inf"),
    "rows that only a dataset has": ("SELECT count(*) FROM samples GROUP BY ROLLUP (split)", "it gives several rows"),
    "a cast that fails": ("SELECT sum(CAST(label AS INTEGER)) FROM annotations", "Could not convert string 'player' to INT32"),
}


def test_a_rule_sees_the_samples_the_labels_and_the_numbers_of_its_dataset(db, tree):
    # when all of them are computed at once
    found = measured(db.objects, tree, NUMBERS, rules(*(sql for sql, _ in (*COMPUTED.values(), *NO_NUMBER.values()))))

    # then each has its number, or says why it has none
    numbers = dict(zip(COMPUTED, found.values(), strict=False))
    assert numbers == {name: Measured(pytest.approx(value)) for name, (_, value) in COMPUTED.items()}
    problems = dict(zip(NO_NUMBER, list(found.values())[len(COMPUTED) :], strict=True))
    assert {name: (one.value, one.problem[: len(NO_NUMBER[name][1])]) for name, one in problems.items()} == {
        name: (None, problem) for name, (_, problem) in NO_NUMBER.items()
    }


def test_whole_numbers_come_back_as_such(memory):
    db, tree = memory
    found = measured(db.objects, tree, NUMBERS, rules("samples * 1.0", "samples / 2"))
    assert [repr(one.value) for one in found.values()] == ["3", "1.5"]


def test_a_measure_with_a_name_starts_no_process(memory, monkeypatch):
    db, tree = memory
    monkeypatch.setattr("subprocess.run", None)
    assert measured(db.objects, tree, NUMBERS, rules(*MEASURES)) == {}


def test_a_chunk_that_is_gone_is_said_for_each_rule(memory):
    db, tree = memory
    lost = Tree(tree.key, (replace(tree.chunks[0], object="0" * 64),))
    found = measured(db.objects, lost, NUMBERS, rules("SELECT count(*) FROM samples", "samples + 1"))
    assert all(one.value is None and one.problem == f"object {lost.objects[0]} of the dataset is missing" for one in found.values())


# --- what a rule may not be

REFUSED = {
    "two statements": ("SELECT 1; SELECT 2", "more than one statement"),
    "a statement behind a closed parenthesis": ("1) FROM measures; SELECT (2", "more than one statement"),
    "an attached database": ("ATTACH ':memory:' AS other", "syntax error"),
    "a copy": ("COPY (SELECT 1) TO '{file}' (USE_TMP_FILE false)", "syntax error"),
    "a copy inside a query": (
        "WITH x AS (COPY (SELECT 1) TO '{file}' (USE_TMP_FILE false)) SELECT 1",
        "(copy query node|CTE needs a SELECT)",
    ),
    "a deletion inside a query": ("WITH x AS (DELETE FROM measures RETURNING *) SELECT count(*) FROM x", "(delete|CTE needs a SELECT)"),
    "a file as a table": ("SELECT count(*) FROM '/etc/passwd'", "there is no table /etc/passwd"),
    "a Parquet file as a table": ("SELECT count(*) FROM '{file}'", "there is no table"),
    "a file as a part of the query": ('WITH "/etc/passwd" AS (SELECT 1) SELECT count(*) FROM "/etc/passwd"', "no name for a part"),
    "read_csv": ("SELECT count(*) FROM read_csv('/etc/passwd')", "read_csv reads what is not the dataset"),
    "read_text": ("SELECT max(length(content)) FROM read_text('/etc/passwd')", "read_text reads"),
    "read_parquet of another object": ("SELECT count(*) FROM read_parquet('{file}')", "read_parquet reads"),
    "read_blob in a subquery": ("(SELECT count(*) FROM read_blob('{file}'))", "read_blob reads"),
    "glob": ("SELECT count(*) FROM glob('/*')", "glob reads"),
    "a query made of text": ("SELECT * FROM query('SELECT 1')", "query reads"),
    "the catalogue": ("SELECT count(*) FROM duckdb_settings()", "duckdb_settings reads"),
    "an environment variable": ("length(getenv('HOME'))", "getenv does not exist"),
    "an extension": ("INSTALL httpfs", "syntax error"),
    "a setting": ("SET threads = 64", "syntax error"),
    "a pragma": ("PRAGMA memory_limit = '64GB'", "syntax error"),
    "the table behind the views": ("SELECT count(*) FROM chunks", "there is no table chunks"),
    "a table by its schema": ("SELECT count(*) FROM main.samples", "there is no table main.samples"),
    "a description": ("SELECT count(*) FROM (DESCRIBE samples)", "show ref has no place"),
    "a random number": ("random()", "random gives another value"),
    "the time": ("extract(epoch FROM now())", "now gives another value"),
    "the date": ("extract(year FROM current_date)", "current_date gives another value"),
    "a sample of rows": ("SELECT count(*) FROM samples TABLESAMPLE 10%", "another one every time"),
    "a pause": ("sleep_ms(1)", "sleep_ms gives another value"),
    "no such column": ("sampels", 'column "sampels" not found'),
    "no such table": ("SELECT count(*) FROM frames", "there is no table frames; there is annotations, measures, samples"),
    "a parameter": ("samples + $1", "Values were not provided"),
    "text": ("'many'", "it gives VARCHAR and not one number"),
    "yes or no": ("samples > 3", "it gives BOOLEAN and not one number"),
    "two columns": ("SELECT 1, 2", "it gives INTEGER, INTEGER and not one number"),
    "a row for each label": ("SELECT x FROM annotations", "no row and not one number; an aggregate gives one"),
    "two rows": ("SELECT unnest([1, 2])", "several rows and not one number"),
    "nonsense": ("SELECT FROM WHERE", "syntax error"),
}


def test_a_rule_that_is_more_than_one_number_from_its_dataset_is_refused(memory):
    db, tree = memory
    # given the file of an object that the dataset consists of
    file = db.objects.path(tree.objects[0])
    before = {path: path.read_bytes() for path in db.objects.root.rglob("*.parquet")}
    asked = rules(*(sql.replace("{file}", file) for sql, _ in REFUSED.values()))

    # when they are computed although nobody tried them first
    found = measured(db.objects, tree, NUMBERS, asked)

    # then none has a number but those that need a dataset without samples to be found out, and no file has changed
    only_without = {"a row for each label"}  # of this dataset it gives several
    assert {name for name, one in zip(REFUSED, found.values(), strict=True) if one.value is not None} == set()
    assert {path: path.read_bytes() for path in db.objects.root.rglob("*.parquet")} == before
    said = dict(zip(REFUSED, (one.problem for one in found.values()), strict=True))
    for name in REFUSED.keys() - only_without:
        assert re.search(REFUSED[name][1], said[name]), (name, said[name])


def test_each_of_them_is_refused_when_it_is_set(monkeypatch):
    # given what a process would answer for each of them
    answers = list(quality_measures._answers(None, dict.fromkeys(MEASURES), [sql for sql, _ in REFUSED.values()], 10))
    monkeypatch.setattr(quality_measures, "_answers", lambda _files, _numbers, asked, _limit: answers[: len(asked)])

    # then the first rule in error is named with its field and the reason
    assert all(problem for _, problem in answers)
    with pytest.raises(QualityRuleInvalid, match="measure of rule R0: it is more than one statement"):
        check(rules(*(sql for sql, _ in REFUSED.values())))


def test_what_is_computed_from_a_dataset_is_accepted_when_it_is_set():
    check(rules(*(sql for sql, _ in COMPUTED.values())))


def test_the_empty_dataset_of_a_check_has_the_columns_of_a_real_one(memory):
    # given the sandbox with a dataset, and without
    real, _ = quality_sandbox._opened(files(memory), NUMBERS)
    empty, _ = quality_sandbox._opened(None, dict.fromkeys(MEASURES))

    # then the tables have the same columns of the same types
    for table in TABLES:
        shapes = [[column[:2] for column in one.execute(f"DESCRIBE {table}").fetchall()] for one in (real, empty)]
        assert shapes[0] == shapes[1]
    real.close()
    empty.close()


# --- bounds


def test_a_rule_that_takes_too_long_ends_and_the_next_one_is_computed(memory, monkeypatch):
    db, tree = memory
    monkeypatch.setattr(quality_measures, "LIMIT_S", 0.5)
    found = measured(db.objects, tree, NUMBERS, rules("samples + 1", "(SELECT count(*) FROM range(100000000000000))", "samples + 2"))
    assert list(found.values()) == [Measured(4), Measured(None, "it took more than 0 s"), Measured(5)]


def test_a_rule_that_needs_too_much_memory_ends_and_the_next_one_is_computed(memory):
    db, tree = memory
    found = measured(db.objects, tree, NUMBERS, rules("length(repeat('x', 4000000000))", "len(range(3000000000))", "samples + 2"))
    problems = [one.problem for one in found.values()]
    assert all("allocat" in one or "memory" in one for one in problems[:2])
    assert found["R2"] == Measured(5)


def test_the_files_of_a_dataset_are_the_only_ones_that_can_be_opened(memory, tmp_path: Path):
    db, _ = memory
    # given the sandbox without its first fence, so that DuckDB's own is what is left
    secret = tmp_path / "secret.csv"
    secret.write_text("1")
    other = db.objects.put_frame(pl.DataFrame({"x": [1]}))
    connection, _ = quality_sandbox._opened(files(memory), NUMBERS)

    # then neither a file, nor another object, nor a folder, nor the network can be read, nor anything written or set
    for sql in (
        f"SELECT * FROM read_csv('{secret}')",
        f"SELECT * FROM read_text('{secret}')",
        f"SELECT * FROM read_parquet('{db.objects.path(other)}')",
        f"SELECT * FROM glob('{tmp_path}/*')",
        "SELECT * FROM read_parquet('https://example.org/x.parquet')",
        f"COPY (SELECT 1) TO '{tmp_path / 'out.csv'}'",
        f"ATTACH '{tmp_path / 'out.duckdb'}' AS other",
        f"EXPORT DATABASE '{tmp_path / 'out'}'",
        "INSTALL httpfs",
        "LOAD httpfs",
        "SET enable_external_access = true",
        "RESET allowed_paths",
        "SET threads = 64",
        "PRAGMA memory_limit = '64GB'",
    ):
        with pytest.raises(quality_sandbox.duckdb.Error):
            connection.execute(sql)
    assert sorted(path.name for path in tmp_path.iterdir() if path.name.startswith("out")) == []
    assert connection.execute("SELECT count(*) FROM samples").fetchall() == [(3,)]
    connection.close()
