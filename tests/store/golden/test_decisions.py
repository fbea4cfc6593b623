"""Decisions in DuckDB files: tables and queries through a fence that nothing leaves or enters, with the types they have."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import duckdb
import polars as pl
import pytest

from labelkit import LabelkitError
from labelkit.store.golden.decisions import Asked, read_duckdb
from tests.store import processes

MADE = """
    CREATE TABLE decisions (id UUID, wide HUGEINT, price DECIMAL(9, 2), mood ENUM('good', 'bad'), said STRUCT(a INTEGER, b VARCHAR[]),
        made TIMESTAMPTZ, took INTERVAL, sure DOUBLE);
    INSERT INTO decisions VALUES
        ('6f1f3a52-5d8e-4f4e-9c87-000000000001', 12345678901234567890, 29.85, 'good', {'a': 1, 'b': ['x']},
            '2026-03-01 12:00:00+01', '1 day', 0.1),
        ('6f1f3a52-5d8e-4f4e-9c87-000000000002', -1, NULL, NULL, NULL, NULL, NULL, NULL);
    CREATE SCHEMA agents;
    CREATE TABLE agents.log AS SELECT range AS n FROM range(5);
    CREATE VIEW sure AS SELECT * FROM decisions WHERE sure IS NOT NULL;
    CREATE VIEW stolen AS SELECT * FROM read_csv('/etc/passwd', header = false, columns = {'line': 'VARCHAR'}, delim = '\x01');
    CREATE TABLE odd (took UNION(num INTEGER, str VARCHAR));
"""


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    path = tmp_path_factory.mktemp("files") / "log.duckdb"
    with duckdb.connect(path) as connection:
        connection.execute(MADE)
    return path


def refused(file, folder, *asked) -> LabelkitError:
    with pytest.raises(LabelkitError) as told:
        read_duckdb(file, Asked(*asked), folder)
    return told.value


def test_a_table_has_the_values_that_it_has(file, tmp_path):
    # when
    rows = read_duckdb(file, Asked("decisions"), tmp_path).collect()

    # then
    assert rows.row(0, named=True) == {
        "id": "6f1f3a52-5d8e-4f4e-9c87-000000000001",
        "wide": Decimal(12345678901234567890),
        "price": Decimal("29.85"),
        "mood": "good",
        "said": {"a": 1, "b": ["x"]},
        "made": datetime(2026, 3, 1, 11, tzinfo=UTC),
        "took": "1 day",
        "sure": 0.1,
    }
    assert set(rows.row(1)[2:]) == {None}
    assert (rows.schema["wide"], rows.schema["said"]) == (pl.Decimal(38, 0), pl.Struct({"a": pl.Int32, "b": pl.List(pl.String)}))


@pytest.mark.parametrize(
    ("asked", "height"),
    [
        pytest.param(Asked("agents.log"), 5, id="a table of a schema"),
        pytest.param(Asked("SURE"), 1, id="a view, in capitals"),
        pytest.param(Asked(query="SELECT n FROM agents.log WHERE n >= $least -- enough", parameters={"least": 3}), 2, id="a parameter"),
        pytest.param(Asked(query="WITH big AS (SELECT * FROM agents.log) SELECT * FROM big JOIN decisions ON true;"), 10, id="a join"),
        pytest.param(Asked(query="SELECT count(*) AS rows, sum(n) AS total FROM main.decisions, agents.log"), 1, id="an aggregate"),
    ],
)
def test_views_and_queries_are_read(file, tmp_path, asked, height):
    assert read_duckdb(file, asked, tmp_path).collect().height == height


@pytest.mark.parametrize(
    "query",
    [
        pytest.param("INSERT INTO decisions SELECT * FROM decisions", id="an insert"),
        pytest.param("DROP TABLE decisions", id="a drop"),
        pytest.param("CREATE TABLE x AS SELECT 1", id="a table"),
        pytest.param("COPY decisions TO '/tmp/labelkit-stolen.csv'", id="a copy"),
        pytest.param("ATTACH '/tmp/other.duckdb'", id="another file"),
        pytest.param("SET enable_external_access = true", id="a setting"),
        pytest.param("SELECT 1; DROP TABLE decisions", id="two statements"),
        pytest.param("SELECT 1) TO '/tmp/labelkit-stolen.csv' --", id="an end that is none"),
        pytest.param("SELECT * FROM read_csv('/etc/passwd')", id="a file by a function"),
        pytest.param("SELECT * FROM '/etc/passwd'", id="a file as a table"),
        pytest.param("SELECT * FROM duckdb_settings()", id="settings"),
        pytest.param("SELECT * FROM stolen", id="a view on a file"),
        pytest.param("SELECT * FROM decisions USING SAMPLE 1", id="lots"),
        pytest.param("SELECT * FROM decisons", id="a table that is not there"),
        pytest.param("SELECT nothing FROM decisions", id="a column that is not there"),
        pytest.param("SELEC", id="no SQL"),
        pytest.param("", id="nothing"),
    ],
)
def test_a_query_is_one_select_over_the_file(file, tmp_path, query):
    # given
    before = file.read_bytes()

    # then
    assert refused(file, tmp_path, None, query).code == "SOURCE_QUERY_REFUSED"
    assert file.read_bytes() == before


FAILING = """
import sys
from pathlib import Path
from labelkit.errors import LabelkitError
from labelkit.store.golden.decisions import Asked, read_duckdb
query = "SELECT CASE WHEN range > 200000 THEN error('boo') ELSE range END AS n FROM range(300000)"
refusals = 0
for _ in range(80):
    try:
        read_duckdb(Path(sys.argv[1]), Asked(None, query), Path(sys.argv[2]))
    except LabelkitError as refused:
        refusals += "boo" in refused.detail
print(refusals)
"""


def test_a_query_that_fails_while_its_rows_are_written_is_always_refused_and_never_waited_for(file, tmp_path):
    assert processes.finish(processes.start(FAILING, file, tmp_path)) == "80\n"


def test_a_table_that_is_not_there_names_the_nearest(file, tmp_path):
    told = refused(file, tmp_path, "decision")
    assert (told.code, "'decisions'" in told.detail) == ("NOT_FOUND", True)


def test_a_type_that_would_lose_something_is_refused(file, tmp_path):
    told = refused(file, tmp_path, "odd")
    assert (told.code, "column took is UNION" in told.detail) == ("SOURCE_NOT_SUPPORTED", True)


def test_files_that_are_not_there_or_none_or_in_use_have_a_code(file, tmp_path):
    # given
    (tmp_path / "no.duckdb").write_bytes(b"x" * 20_000)

    # then
    assert refused(tmp_path / "gone.duckdb", tmp_path, "t").code == "SOURCE_NOT_FOUND"
    assert refused(tmp_path / "no.duckdb", tmp_path, "t").code == "SOURCE_UNREADABLE"
    with duckdb.connect(file):
        told = refused(file, tmp_path, "decisions")
    assert (told.code, "open for writing" in told.detail) == ("SOURCE_UNREADABLE", True)
