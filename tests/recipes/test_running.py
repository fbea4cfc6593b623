"""A run of a notebook: what it returns, and how each way of failing ends it."""

from __future__ import annotations

import json
import time

import nbformat
import pytest

from labelkit import errors, recipes

REFUSE = "from labelkit import errors\n"


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
    assert "<td>42</td>" in shown["text/html"]


def test_a_run_without_a_result_returns_none_and_the_code_0(notebook, tmp_path):
    outcome = recipes.run(notebook("quiet", "a = 1", "a"), output=tmp_path / "runs")
    assert (outcome.result, outcome.exit_code) == (None, 0)
    assert [file.name for file in (tmp_path / "runs").iterdir()] == ["quiet.ipynb"]


def test_work_in_progress_elsewhere_is_the_code_3(notebook, tmp_path):
    file = notebook("busy", "a = 1", "import labelkit\nlabelkit.recipes.Result(outcome='reused_in_progress')")
    assert recipes.run(file, output=tmp_path / "runs").exit_code == 3


@pytest.mark.parametrize(
    ("cell", "kind", "code", "words"),
    [
        pytest.param("1 / 0", errors.RecipeFailed, 5, "ZeroDivisionError: division by zero", id="an exception"),
        pytest.param(f"{REFUSE}raise errors.ReasonRequired(action='revoke')", errors.RecipeRefused, 1, "REASON_REQUIRED", id="a refusal"),
        pytest.param(
            f"{REFUSE}raise errors.PublishLockConflict(reason='another kernel')",
            errors.RecipeRefused,
            4,
            "PUBLISH_LOCK_CONFLICT",
            id="a conflict",
        ),
        pytest.param(
            f"{REFUSE}raise errors.StoreBusy(path='x', since='now', pid=1, user='u', host='h', waited_s=1.0)",
            errors.RecipeRefused,
            3,
            "STORE_BUSY",
            id="a busy store",
        ),
        pytest.param("import os; os._exit(9)", errors.RecipeKernelDied, 5, "lost its kernel", id="a dead kernel"),
    ],
)
def test_a_run_that_fails_says_how_and_keeps_the_notebook_with_the_cell_marked(notebook, tmp_path, cell, kind, code, words):
    # given
    file = notebook("failing", "a = 1", "before = 'kept'\nbefore", cell, "after = 'never'")

    # when
    with pytest.raises(kind, match=words) as caught:
        recipes.run(file, output=tmp_path / "runs")

    # then
    assert recipes.exit_code(caught.value) == code
    assert recipes.EXIT_CODES[code]
    cells = nbformat.read(tmp_path / "runs" / "failing.ipynb", as_version=4).cells
    sources = [each.source for each in cells]
    assert cells[sources.index("before = 'kept'\nbefore")].outputs[0].data["text/plain"] == "'kept'"
    assert cells[sources.index(cell) - 1].cell_type == "markdown"
    assert cells[sources.index("after = 'never'")].outputs == []
    assert not (tmp_path / "runs" / "failing.json").exists()


def test_a_run_that_takes_too_long_is_stopped_at_the_deadline_of_the_whole_run(notebook, tmp_path):
    # given cells that each stay below the limit
    file = notebook("slow", "import time", *["time.sleep(1.5)"] * 4)
    began = time.monotonic()

    # when
    with pytest.raises(errors.RecipeTimedOut, match=r"within 3 s; it was in the cell 'time.sleep\(1.5\)'") as caught:
        recipes.run(file, output=tmp_path / "runs", timeout_s=3)

    # then
    assert recipes.exit_code(caught.value) == 5
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
