"""`labelkit golden`: files in, counts, files out."""

from __future__ import annotations

import pytest

import labelkit
from labelkit import cli

LINES = """\
{"input": {"title": "CTO"}, "output": {"tier": "A"}}
{"input": {"title": "CEO"}, "output": {"tier": "A"}}
"""


@pytest.fixture
def call(capsys, tmp_path):
    """`call("add", ...)` runs a command of `labelkit golden` on one store and returns its exit code, output and errors."""
    store = tmp_path / "labels.duckdb"
    with labelkit.open(store, user="ana"):
        pass

    def run(*arguments):
        with pytest.raises(SystemExit) as ended:
            cli.main(["golden", *map(str, arguments), "--store", str(store), "--user", "ana"])
        out, err = capsys.readouterr()
        return ended.value.code or 0, out, err

    return run


def test_examples_are_added_from_a_file_listed_and_exported(call, tmp_path):
    # given
    file = tmp_path / "examples.jsonl"
    file.write_text(LINES, encoding="utf-8")

    # when, then
    assert call("list") == (0, "no examples yet\n", "")
    assert call("add", "contact_tier", file) == (0, "contact_tier: 2 added, 0 present already, 0 refused\n", "")
    assert call("list") == (0, "contact_tier: 2 examples (2 pending, 0 validated, 0 rejected)\n", "")
    code, out, err = call("export", "csv", tmp_path / "out", "--type", "contact_tier", "--splits", "train=0.5,test=0.5")
    assert (code, out) == (0, f"csv: 2 rows in 4 file(s) below {tmp_path / 'out'}\n")
    assert err == ""
    assert sorted(file.name for file in (tmp_path / "out").glob("*.csv")) == ["test.csv", "train.csv"]
    assert call("add", "contact_tier", tmp_path / "out", "--format", "csv")[1] == "contact_tier: 0 added, 2 present already, 0 refused\n"


def test_the_first_examples_make_the_store_and_a_wrong_path_makes_none(tmp_path, capsys):
    # given
    file, store = tmp_path / "examples.jsonl", tmp_path / "new.duckdb"
    file.write_text(LINES, encoding="utf-8")
    codes = []

    # when
    for name in ("exampels.jsonl", "examples.jsonl"):
        with pytest.raises(SystemExit) as ended:
            cli.main(["golden", "add", "contact_tier", str(tmp_path / name), "--store", str(store), "--user", "ana"])
        codes.append((ended.value.code, store.exists()))

    # then
    assert codes == [(2, False), (0, True)]
    assert capsys.readouterr().out == "contact_tier: 2 added, 0 present already, 0 refused\n"


def test_rows_that_do_not_fit_are_printed_with_their_reason_and_end_in_exit_code_1(call, tmp_path):
    # given
    file = tmp_path / "examples.jsonl"
    file.write_text(LINES + '{"input": {"title": 5}, "output": {"tier": "A"}}\n', encoding="utf-8")

    # when
    code, out, err = call("add", "contact_tier", file)

    # then
    assert (code, out) == (1, "contact_tier: 2 added, 0 present already, 1 refused\n")
    assert err == "  row 2, input/title: 5 is not of type 'string', 'null'\n"


def test_a_type_that_there_is_not_is_refused_with_the_nearest(call, tmp_path):
    (tmp_path / "x.jsonl").write_text(LINES, encoding="utf-8")
    code, _, err = call("add", "contact_teir", tmp_path / "x.jsonl")
    assert code == 1
    assert "Did you mean 'contact_tier'?" in err
