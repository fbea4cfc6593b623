"""Executed notebooks stand still: what needs a kernel is gone, what does not stays."""

from __future__ import annotations

import nbformat

from labelkit.recipes import rendering
from labelkit.recipes.outcome import RESULT_TYPE

VIEW = {"model_id": "1", "version_major": 2, "version_minor": 0}


def output(**data):
    return nbformat.v4.new_output("display_data", {name.replace("_", "/"): value for name, value in data.items()})


def test_live_views_go_and_what_stands_beside_them_stays(tmp_path):
    # given a widget with a rendering of its own, one without, a picture, and the state of all widgets
    outputs = [output(text_html="<b>1</b>", text_plain="one"), output(), output(image_png="aaaa")]
    for one in outputs[:2]:
        one.data[rendering.WIDGET] = VIEW
    cells = [nbformat.v4.new_code_cell("x", outputs=outputs)]
    state = {"application/vnd.jupyter.widget-state+json": {"state": {}, "version_major": 2, "version_minor": 0}}
    nbformat.write(nbformat.v4.new_notebook(cells=cells, metadata={"widgets": state}), tmp_path / "x.ipynb")

    # when
    rendering.finish(tmp_path / "x.ipynb")

    # then
    notebook = nbformat.read(tmp_path / "x.ipynb", as_version=4)
    assert [dict(one.data) for one in notebook.cells[0].outputs] == [
        {"text/html": "<b>1</b>", "text/plain": "one"},
        {"text/plain": "A widget that is shown only where a kernel runs."},
        {"image/png": "aaaa"},
    ]
    assert "widgets" not in notebook.metadata
    nbformat.validate(notebook)


def test_a_sentence_is_put_above_the_cell_that_failed_and_the_last_result_is_read(tmp_path):
    # given
    results = [nbformat.v4.new_output("execute_result", {RESULT_TYPE: {"outcome": name}}) for name in ("created", "reused_success")]
    cells = [nbformat.v4.new_code_cell(str(number), outputs=[result]) for number, result in enumerate(results)]
    nbformat.write(nbformat.v4.new_notebook(cells=cells), tmp_path / "x.ipynb")

    # when
    finished = rendering.finish(tmp_path / "x.ipynb", failed_at=1, sentence="No more.")

    # then
    assert rendering.read_result(finished) == {"outcome": "reused_success"}
    assert [(cell.cell_type, cell.source) for cell in nbformat.read(tmp_path / "x.ipynb", as_version=4).cells] == [
        ("code", "0"),
        ("markdown", "**No more.**"),
        ("code", "1"),
    ]
    assert finished.cells[1].metadata.tags == [rendering.MARKED]
    assert rendering.read_result(nbformat.v4.new_notebook()) is None
