"""Tables of a Unity Catalog: asked over the wire with a token, read from where the catalog says; each failure has a code, none a secret."""

from __future__ import annotations

import importlib.util

import polars as pl
import pytest

from labelkit import LabelkitError
from labelkit.formats.decisions.unity_source import unity_source
from tests.unity import CREDENTIALS, TABLES, TOKEN, serving

ROWS = pl.DataFrame({"id": [1, 2], "tier": ["A", "B"], "sure": [0.5, 1.0]})
NAME = "main.agents.decisions"


@pytest.fixture
def unity(monkeypatch):
    with serving() as catalog:
        monkeypatch.setenv("LABELKIT_UNITY_TOKEN", TOKEN)
        monkeypatch.setenv("LABELKIT_UNITY_URL", catalog.url)
        yield catalog


def refusal(source=f"unity://{NAME}", **options) -> LabelkitError:
    with pytest.raises(LabelkitError) as told:
        unity_source(source, **options)
    assert TOKEN not in str(told.value)
    assert told.value.__cause__ is None
    return told.value


@pytest.mark.parametrize(
    ("kind", "file", "write", "rows"),
    [
        pytest.param("PARQUET", "t.parquet", pl.DataFrame.write_parquet, ROWS, id="a Parquet file"),
        pytest.param("PARQUET", "t", pl.DataFrame.write_parquet, ROWS, id="a folder of Parquet files"),
        pytest.param("CSV", "t.csv", pl.DataFrame.write_csv, ROWS.cast(pl.String), id="CSV, which is text"),
        pytest.param("JSON", "t.jsonl", pl.DataFrame.write_ndjson, ROWS, id="JSON Lines"),
        pytest.param("DELTA", "t", pl.DataFrame.write_delta, ROWS, id="a Delta table"),
    ],
)
def test_a_table_is_read_from_where_the_catalog_says(unity, tmp_path, kind, file, write, rows):
    # given
    place = tmp_path / file
    if kind == "PARQUET" and not place.suffix:
        place.mkdir()
        write(ROWS, place / "part-0.parquet")
    else:
        write(ROWS, place)
    unity.tables[NAME] = (kind, place.as_uri())

    # when
    source = unity_source(f"unity://{NAME}", folder=tmp_path)

    # then
    assert source.rows.collect().equals(rows)
    assert (source.kind, source.title, source.is_text) == ("unity", f"unity://{NAME}", kind == "CSV")
    assert set(unity.asked) == {f"{TABLES}{NAME}"} | ({CREDENTIALS} if kind == "DELTA" else set())
    assert TOKEN not in repr(source)


@pytest.mark.parametrize(
    ("status", "code"),
    [
        pytest.param(401, "SOURCE_ACCESS_DENIED", id="no such token"),
        pytest.param(403, "SOURCE_ACCESS_DENIED", id="forbidden"),
        pytest.param(404, "SOURCE_NOT_FOUND", id="no such table"),
        pytest.param(500, "SOURCE_UNREACHABLE", id="broken"),
    ],
)
def test_what_the_catalog_refuses_has_a_code(unity, tmp_path, status, code):
    unity.status = status
    assert refusal(folder=tmp_path).code == code


def test_a_wrong_token_is_no_token(unity, tmp_path, monkeypatch):
    # given
    unity.tables[NAME] = ("PARQUET", tmp_path.as_uri())
    monkeypatch.setenv("LABELKIT_UNITY_TOKEN", "dapi-wrong-and-secret")

    # then
    told = refusal(folder=tmp_path)
    assert (told.code, told.facts["reason"]) == ("SOURCE_ACCESS_DENIED", "the catalog answered 401")
    assert "dapi-wrong" not in str(told)


def test_a_catalog_that_never_answers_is_not_waited_for(unity, tmp_path):
    unity.is_quiet = True
    told = refusal(folder=tmp_path, answer_s=0.2)
    assert (told.code, told.facts["reason"]) == ("SOURCE_UNREACHABLE", "the catalog gave no answer within 0.2 s")


@pytest.mark.usefixtures("unity")
def test_nobody_there_is_unreachable(tmp_path):
    assert refusal(folder=tmp_path, workspace_url="http://127.0.0.1:9").code == "SOURCE_UNREACHABLE"


def test_an_answer_that_is_none_is_not_shown(unity, tmp_path):
    unity.tables[NAME] = ("PARQUET", tmp_path.as_uri())
    unity.garbled = True
    assert refusal(folder=tmp_path).code == "SOURCE_UNREADABLE"


@pytest.mark.parametrize(
    ("table", "code"),
    [
        pytest.param(("PARQUET", None), "SOURCE_NOT_SUPPORTED", id="a view"),
        pytest.param(("AVRO", "file:///nowhere"), "SOURCE_NOT_SUPPORTED", id="Avro"),
        pytest.param(("CSV", "s3://bucket/t.csv"), "SOURCE_NOT_SUPPORTED", id="CSV in a bucket"),
        pytest.param(("PARQUET", "file:///nowhere/at/all"), "SOURCE_NOT_FOUND", id="files that are gone"),
        pytest.param(("DELTA", "file:///nowhere/at/all"), "SOURCE_UNREADABLE", id="a Delta table that is gone"),
    ],
)
def test_tables_that_cannot_be_read_have_a_code(unity, tmp_path, table, code):
    unity.tables[NAME] = table
    assert refusal(folder=tmp_path).code == code


@pytest.mark.parametrize(
    ("source", "options"),
    [
        pytest.param("unity://decisions", {}, id="a table alone"),
        pytest.param("unity://main.agents.a b", {}, id="a blank"),
        pytest.param(f"unity://{NAME}", {"workspace_url": "http://catalog.example.com"}, id="a token in the clear"),
    ],
)
@pytest.mark.usefixtures("unity")
def test_addresses_are_looked_at_before_anything_is_sent(tmp_path, source, options):
    assert refusal(source, folder=tmp_path, **options).code == "INVALID_VALUE"


def test_without_an_address_there_is_nobody_to_ask(tmp_path, monkeypatch):
    for name in ("LABELKIT_UNITY_URL", "DATABRICKS_HOST"):
        monkeypatch.delenv(name, raising=False)
    assert refusal(folder=tmp_path).code == "INVALID_VALUE"


def test_a_delta_table_needs_its_library(unity, tmp_path, monkeypatch):
    # given an installation without deltalake
    unity.tables[NAME] = ("DELTA", tmp_path.as_uri())
    found = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name, *rest: None if name == "deltalake" else found(name, *rest))

    # then
    told = refusal(folder=tmp_path)
    assert (told.code, told.hint) == ("SOURCE_NOT_SUPPORTED", "Install labelkit[delta].")
