"""Every notebook runs headless with small data, and what it shows can be seen without a kernel."""

from __future__ import annotations

import io
import json
import sys

import nbformat
import papermill
import pytest
from papermill.exceptions import PapermillExecutionError
from rich.console import Console

import labelkit
from labelkit import cli, recipes
from labelkit.demo import Demo
from tests import needs

WIDGET = "application/vnd.jupyter.widget-view+json"


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    """A store with three published and approved clips."""
    path = tmp_path_factory.mktemp("store") / "labels.duckdb"
    Demo(path, quick=True, console=Console(file=io.StringIO())).run()
    return path


def shown(notebook):
    """The data of every output that shows something, and no output that is an error or a warning."""
    outputs = [output for cell in notebook.cells if cell.cell_type == "code" for output in cell.outputs]
    assert [output for output in outputs if output.output_type == "error"] == []
    assert [output.text for output in outputs if output.output_type == "stream" and output.name == "stderr"] == []
    return [output.data for output in outputs if "data" in output]


def assert_static(text):
    """Nothing in an executed notebook needs a kernel to be seen."""
    notebook = nbformat.reads(text, as_version=4)
    assert WIDGET not in text
    assert "widgets" not in notebook.metadata
    assert all(data.keys() & {"text/html", "text/plain", "image/png", "image/jpeg"} for data in shown(notebook))


def html(executed):
    """The page that `nbconvert --to html` makes of an executed notebook."""
    from nbconvert import HTMLExporter

    return HTMLExporter().from_filename(str(executed))[0]


@pytest.fixture(scope="module")
def quickstart(tmp_path_factory):
    """The folder of an executed quickstart."""
    folder = tmp_path_factory.mktemp("quickstart")
    recipes.run("quickstart", {"frames": 6, "folder": str(folder)}, output=folder / "runs")
    return folder


def test_the_quickstart_tells_the_whole_story(quickstart):
    # given it was run; then it ended with a dataset that was exported
    with labelkit.open(quickstart / "labels.duckdb", workspace="club-a") as ws:
        dataset = ws.datasets.get("players")
        assert (dataset.sample_count, dataset.status) == (6, "success")
    assert any((quickstart / "coco").rglob("*.json"))


def test_every_widget_of_the_quickstart_is_readable_without_a_kernel_and_the_notebook_stays_small(quickstart, artifacts):
    # given
    text = (quickstart / "runs" / "quickstart.ipynb").read_text(encoding="utf-8")
    notebook = nbformat.reads(text, as_version=4)
    cells = {cell.source: cell.outputs for cell in notebook.cells if cell.cell_type == "code" and "widgets." in cell.source}

    # then each stands as a rendering of its own, and no live view is left
    assert len(cells) == 5
    for outputs in cells.values():
        data = outputs[-1].data
        assert len(data["text/html"]) > 100
        assert "object at 0x" not in data["text/plain"]
    assert_static(text)
    assert len(text) < 2_000_000
    (artifacts / "quickstart.ipynb").write_text(text, encoding="utf-8")


def test_the_review_queue_lists_every_clip_of_a_store_with_its_code_folded_away(store, tmp_path):
    # when
    executed = recipes.run("review_queue", {"store": str(store)}, output=tmp_path).notebook

    # then
    assert_static(executed.read_text(encoding="utf-8"))
    notebook = nbformat.read(executed, as_version=4)
    (queue,) = [data for data in shown(notebook) if "text/html" in data]
    assert all(f"clip-{number}" in queue["text/html"] for number in (1, 2, 3))
    assert all(
        cell.metadata.jupyter.source_hidden
        for cell in notebook.cells
        if cell.cell_type == "code" and "injected-parameters" not in cell.metadata.tags
    )


def test_the_build_recipe_builds_once_and_then_reuses(store, tmp_path):
    # given
    parameters = {"store": str(store), "name": "again", "ratios": {"train": 0.5, "val": 0.5}, "export_to": str(tmp_path / "coco")}

    # when
    outcomes = [recipes.run("build_dataset", parameters, output=tmp_path / "runs", force=True) for _ in range(2)]

    # then
    first, second = (outcome.result for outcome in outcomes)
    assert (first["outcome"], second["outcome"]) == ("created", "reused_success")
    assert (first["samples"], sum(first["splits"].values())) == (12, 12)
    assert first["manifest_hash"] == second["manifest_hash"]
    assert [outcome.exit_code for outcome in outcomes] == [0, 0]
    assert any((tmp_path / "coco").rglob("*.json"))
    assert not any(outcome.reused for outcome in outcomes)
    assert_static(outcomes[0].notebook.read_text(encoding="utf-8"))

    # and as a page its tables are there, with no kernel and no script of a widget
    page = html(outcomes[0].notebook)
    assert all(words in page for words in ("<th>pack_id</th>", "clip-1", "Warnings (", "manifest_hash", first["manifest_hash"]))
    assert "widget-view" not in page


def test_the_build_recipe_runs_under_plain_papermill(store, tmp_path):
    # when
    done = needs.run(
        *(sys.executable, "-m", "papermill", recipes.find("build_dataset"), tmp_path / "out.ipynb", "-k", "python3"),
        *("-p", "store", store, "-p", "name", "plain", "-p", "seed", "3"),
        cwd=tmp_path,
    )

    # then
    assert done.returncode == 0, done.stderr
    result = [data for data in shown(nbformat.read(tmp_path / "out.ipynb", as_version=4)) if recipes.RESULT_TYPE in data][-1]
    assert result[recipes.RESULT_TYPE]["name"] == "plain"


def test_plain_papermill_with_a_wrong_type_is_refused_by_the_notebook_itself(store, tmp_path):
    with pytest.raises(PapermillExecutionError, match="RECIPE_PARAMETERS_INVALID"):
        papermill.execute_notebook(
            recipes.find("build_dataset"),
            tmp_path / "out.ipynb",
            {"store": str(store), "seed": "three"},
            kernel_name="python3",
            progress_bar=False,
        )


def test_a_build_that_is_refused_is_the_exit_code_1_with_the_reason(tmp_path, capsys):
    # given a store whose only pack was never approved for datasets
    match = labelkit.synthetic.match(tmp_path / "match", frames=2, width=320, height=180, clips=1)
    match.write_yolo(tmp_path / "labels")
    with labelkit.open(tmp_path / "labels.duckdb") as ws:
        ws.media.add(match.clips[0].folder, name="clip-1")
        run = ws.prelabels.import_("yolo", tmp_path / "labels" / "clip-1", media="clip-1", capability="player_detection")
        draft = ws.review.open("clip-1", "player_detection", run=run.id)
        ws.review.publish(draft.id, expected_version=draft.version, override_warnings=True, reason="test")

    # when
    with pytest.raises(SystemExit) as ended:
        cli.main(["run", "build_dataset", "-p", "store", str(tmp_path / "labels.duckdb"), "--output", str(tmp_path / "runs")])

    # then
    said = capsys.readouterr().err
    assert ended.value.code == 1
    assert "NO_ELIGIBLE_LABEL_DATA" in said
    assert "LABEL_PACK_NOT_APPROVED" in said
    marked = json.loads((tmp_path / "runs" / "build_dataset.ipynb").read_text())
    assert marked["metadata"]["papermill"]["exception"] is True
