"""A run of a notebook: what it returns, and how each way of failing ends it."""

from __future__ import annotations

import json
import time

import nbformat
import pytest

from labelkit import cli, errors, recipes


def test_a_run_returns_the_result_of_the_notebook_and_keeps_it_with_the_executed_notebook(notebook, tmp_path):
    # given a notebook with two parameters
    file = notebook("sum", "a = 1\nb = 2", "import labelkit", "labelkit.recipes.Result(outcome='created', sum=a + b)")
    seen = []

    # when it is run with one of them
    outcome = recipes.run(file, {"a": 40}, output=tmp_path / "runs", progress=seen.append)

    # then
    assert outcome.result == {"outcome": "created", "sum": 42}
    assert outcome.exit_code == 0
    assert outcome.notebook == tmp_path / "runs" / "sum.ipynb"
    assert json.loads((tmp_path / "runs" / "sum.json").read_text()) == outcome.result
    assert [(cell.number, cell.total, cell.title) for cell in seen] == [
        (1, 3, "a = 1"),
        (2, 3, "import labelkit"),
        (3, 3, "labelkit.recipes.Result(outcome='created', sum=a + b)"),
    ]
    assert [title for title, _ in outcome.seconds] == ["a = 1", "the given parameters", *[cell.title for cell in seen[1:]]]
    shown = nbformat.read(outcome.notebook, as_version=4).cells[-1].outputs[0].data
    assert shown["text/plain"] == "Result(outcome='created', sum=42)"
    assert ">42</td>" in shown["text/html"]


def test_a_run_without_a_result_returns_none_and_the_code_0(notebook, tmp_path):
    outcome = recipes.run(notebook("quiet", "a = 1", "a"), output=tmp_path / "runs")
    assert (outcome.result, outcome.exit_code) == (None, 0)
    assert [file.name for file in (tmp_path / "runs").iterdir()] == ["quiet.ipynb"]


LIMITED = "import resource; resource.setrlimit(resource.RLIMIT_AS, (2 * 1024**3,) * 2); bytearray(8 * 1024**3)"
KILLED = "import os, signal; os.kill(os.getpid(), signal.SIGKILL)"
ENDS = {
    "done": (0, "labelkit.recipes.Result(outcome='created')", "outcome: created"),
    "in progress elsewhere": (3, "labelkit.recipes.Result(outcome='reused_in_progress')", "outcome: reused_in_progress"),
    "a refusal": (1, "raise labelkit.errors.ReasonRequired(action='revoke')", "RECIPE_REFUSED", "REASON_REQUIRED"),
    "an exception": (5, "1 / 0", "RECIPE_FAILED", "ZeroDivisionError: division by zero"),
    "memory that a limit refuses": (5, LIMITED, "RECIPE_FAILED", "MemoryError"),
    "a kernel that the machine kills": (5, KILLED, "RECIPE_KERNEL_DIED", "killed (SIGKILL), as a machine or a container does"),
    "a kernel that ends itself": (5, "import os; os._exit(9)", "RECIPE_KERNEL_DIED", "the exit code 9"),
}


@pytest.mark.parametrize(("code", "cell", "words"), [(code, cell, words) for code, cell, *words in ENDS.values()], ids=ENDS)
def test_every_end_of_a_run_has_its_exit_code_and_keeps_the_notebook_with_the_cell_marked(notebook, tmp_path, capsys, code, cell, words):
    # given
    file = notebook("ending", "import labelkit", "before = 'kept'\nbefore", cell, "after = 'the end'\nafter")
    began = time.monotonic()

    # when
    with pytest.raises(SystemExit) as ended:
        cli.main(["run", str(file), "--output", str(tmp_path / "runs")])

    # then
    out, err = capsys.readouterr()
    assert (ended.value.code or 0) == code
    assert recipes.EXIT_CODES[code]
    assert all(word in out + err for word in words)
    assert time.monotonic() - began < 60
    cells = nbformat.read(tmp_path / "runs" / "ending.ipynb", as_version=4).cells
    sources = [each.source for each in cells]
    assert cells[sources.index("before = 'kept'\nbefore")].outputs[0].data["text/plain"] == "'kept'"
    failed = "RECIPE" in words[0]
    assert (cells[sources.index(cell) - 1].cell_type == "markdown") is failed
    assert bool(cells[-1].outputs) is not failed
    assert (tmp_path / "runs" / "ending.json").exists() is not failed
    assert ("not recorded: the recipe has no store among its parameters" in err) is not failed


@pytest.mark.parametrize(("inner", "code"), [("STORE_BUSY", 3), ("PUBLISH_LOCK_CONFLICT", 4), ("REASON_REQUIRED", 1)])
def test_a_refusal_within_a_run_has_the_exit_code_of_that_refusal(inner, code):
    facts = {"recipe": "ending", "cell": "x", "message": "", "notebook": "ending.ipynb"}
    assert recipes.exit_code(errors.RecipeRefused(**facts, inner=inner)) == code
    assert recipes.EXIT_CODES[code]


def test_a_run_that_takes_too_long_is_stopped_at_the_deadline_of_the_whole_run(notebook, tmp_path, capsys):
    # given cells that each stay below the limit
    file = notebook("slow", "import time", *["time.sleep(1.5)"] * 4)
    began = time.monotonic()

    # when
    with pytest.raises(SystemExit) as ended:
        cli.main(["run", str(file), "--output", str(tmp_path / "runs"), "--timeout", "3"])

    # then
    assert ended.value.code == 5
    assert "RECIPE_TIMED_OUT" in (said := capsys.readouterr().err)
    assert "within 3 s; it was in the cell 'time.sleep(1.5)'" in said
    assert time.monotonic() - began < 30
    assert any("No end after 3 s" in cell.source for cell in nbformat.read(tmp_path / "runs" / "slow.ipynb", as_version=4).cells)


def test_wrong_parameters_are_refused_before_anything_is_written_or_started(notebook, tmp_path):
    # given
    file = notebook("sum", "alpha = 1\nname = 'x'")

    # when
    with pytest.raises(errors.RecipeParametersInvalid) as caught:
        recipes.run(file, {"alhpa": 1, "name": 3}, output=tmp_path / "runs")

    # then
    assert caught.value.detail == "sum: 'name': input should be a valid string, not 3; unknown 'alhpa', did you mean 'alpha'?."
    assert recipes.exit_code(caught.value) == 2
    assert not (tmp_path / "runs").exists()


def test_a_notebook_that_does_not_exist_is_refused_with_the_nearest_name():
    with pytest.raises(errors.RecipeNotFound, match=r"Did you mean 'quickstart'\?") as caught:
        recipes.run("quikstart")
    assert recipes.exit_code(caught.value) == 2


@pytest.mark.parametrize("content", ["", "plain text", "[]", '{"cells": 3}'], ids=["empty", "text", "another JSON", "wrong fields"])
def test_a_file_that_is_no_notebook_is_refused_before_anything_is_written(tmp_path, content):
    # given
    (tmp_path / "odd.ipynb").write_text(content)

    # when
    with pytest.raises(errors.InvalidValue, match="this is no notebook") as caught:
        recipes.run(tmp_path / "odd.ipynb", output=tmp_path / "runs")

    # then
    assert recipes.exit_code(caught.value) == 2
    assert not (tmp_path / "runs").exists()
