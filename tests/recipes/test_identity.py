"""The identity of a run: what changes its digest and what does not."""

from __future__ import annotations

import json
from typing import Annotated

import nbformat
import pytest

from labelkit import errors, recipes
from labelkit.recipes import identity, notebooks
from labelkit.recipes.recording import Recorder
from tests.recipes import stores
from tests.services import packs

CELLS = ["a = 1  \nb = 2\n", "print(a)"]


class Reads(recipes.Parameters):
    """A recipe that reads a file or folder, and depends on one more library."""

    libraries = ("duckdb", "polars", "pydantic")

    a: int = 1
    b: int = 2
    labels: Annotated[str, recipes.Place.INPUT] = "labels"


def written(path, *cells):
    nbformat.write(nbformat.v4.new_notebook(cells=list(cells)), path)
    return path


def code(source, **more):
    return nbformat.v4.new_code_cell(source, **more)


def digest(file, values=None, model=None):
    with Recorder(identity.prepare(file, values or {}, model=model)) as recorder:
        return recorder.identity().digest


@pytest.fixture
def plain(tmp_path):
    return written(tmp_path / "plain.ipynb", code(CELLS[0], metadata={"tags": ["parameters"]}), code(CELLS[1]))


def test_the_digest_is_the_sha256_of_the_canonical_json_of_its_parts(plain, monkeypatch):
    # given
    monkeypatch.setattr(identity, "version", lambda name: f"1.0 of {name}")
    monkeypatch.setattr("labelkit.__version__", "0.1.0")

    # when
    with Recorder(identity.prepare(plain, {"a": 5})) as recorder:
        found = recorder.identity()

    # then
    assert found.parts == {
        "format": "labelkit.recipe.v1",
        "source": "sha256:9cc8356b861042f8c3d36e6fad5988171f32647005bd12224720505e518ab897",
        "parameters": {"a": 5, "b": 2},
        "inputs": {},
        "versions": {"labelkit": "0.1.0", "duckdb": "1.0 of duckdb", "polars": "1.0 of polars"},
    }
    assert found.digest == "1faaabd36afe29b6ab9d2d5824888665cd292c47e0765f8c79165d68466e949a"


ALIKE = {
    "whitespace at the ends of lines and cells": lambda first, second: (code(first + "\n\n"), code(f"\n{second}   ")),
    "text between the cells": lambda first, second: (nbformat.v4.new_markdown_cell("# Hello"), code(first), code(second)),
    "empty cells": lambda first, second: (code(first), code("  \n"), code(second)),
    "outputs and execution counts": lambda first, second: (
        code(first),
        code(second, execution_count=7, outputs=[nbformat.v4.new_output("stream", text="1")]),
    ),
    "metadata": lambda first, second: (code(first), code(second, metadata={"collapsed": True})),
    "the parameters that papermill wrote": lambda first, second: (
        code(first),
        code("a = 9", metadata={"tags": ["injected-parameters"]}),
        code(second),
    ),
}


@pytest.mark.parametrize("change", ALIKE.values(), ids=ALIKE)
def test_what_does_not_decide_the_result_does_not_change_the_digest(plain, tmp_path, change):
    # given
    first, *rest = change(*CELLS)
    tagged = [first, *rest]
    next(cell for cell in tagged if cell.cell_type == "code").metadata.setdefault("tags", []).append("parameters")

    # then
    assert digest(written(tmp_path / "other.ipynb", *tagged)) == digest(plain)


def test_code_and_parameters_change_the_digest_and_a_default_that_is_named_does_not(plain, tmp_path):
    # given
    other = written(tmp_path / "other.ipynb", code(CELLS[0], metadata={"tags": ["parameters"]}), code("print( a)"))

    # then
    digests = {digest(plain), digest(other), digest(plain, {"a": 2})}
    assert len(digests) == 3
    assert digest(plain, {"a": 1}) == digest(plain)


def test_declared_inputs_count_by_their_bytes_and_declared_libraries_by_their_versions(plain, tmp_path, monkeypatch):
    # given a folder of two files
    labels = tmp_path / "labels"
    labels.mkdir()
    (labels / "1.txt").write_text("0 0.5")
    (labels / "2.txt").write_text("1 0.5")
    values = {"labels": str(labels)}
    before = digest(plain, values, Reads)

    # when one byte changes, then it is put back, then a library changes
    (labels / "2.txt").write_text("2 0.5")
    changed = digest(plain, values, Reads)
    (labels / "2.txt").write_text("1 0.5")
    restored = digest(plain, values, Reads)
    monkeypatch.setattr(identity, "version", lambda name: "2" if name == "pydantic" else "1")
    newer = digest(plain, values, Reads)
    monkeypatch.setattr(identity, "version", lambda _: "1")

    # then
    assert len({before, changed, newer, digest(plain, values, Reads)}) == 4
    assert restored == before


def test_a_declared_file_counts_alone_and_one_that_is_not_there_counts_too(plain, tmp_path):
    # given
    (tmp_path / "one.txt").write_text("1")
    (tmp_path / "beside.txt").write_text("1")
    values = {"labels": str(tmp_path / "one.txt")}
    before = digest(plain, values, Reads)

    # then
    (tmp_path / "beside.txt").write_text("2")
    assert digest(plain, values, Reads) == before
    (tmp_path / "one.txt").unlink()
    assert digest(plain, values, Reads) != before


def test_a_build_counts_by_what_the_store_would_build_and_not_by_where_the_store_is(tmp_path):
    # given two stores of equal content in different places, and a copy
    first = stores.make(tmp_path / "one.duckdb")
    with stores.opened(first) as ws:
        ws.backup(tmp_path / "two.duckdb")

    def of(path, **more):
        return digest("build_dataset", {"store": str(path), **more})

    before = of(first)
    assert of(tmp_path / "two.duckdb") == before

    # when one more pack is there, which nobody approved, then one that is approved
    with stores.opened(first) as ws:
        packs.add(ws, [stores.pack("d", "REVIEWED")])
        left_out = of(first)
        packs.add(ws, [stores.pack("e")])

    # then each changes what the run would show, and options do
    digests = {before, left_out, of(first), of(first, min_annotations=1), of(first, seed=1), of(first, name="other")}
    assert len(digests) == 6
    assert of(tmp_path / "two.duckdb") == before


@pytest.mark.parametrize(
    ("values", "fault"),
    [
        pytest.param({"split_strategy": "random"}, "random", id="a strategy that does not exist"),
        pytest.param({"split_strategy": "predefined", "seed": 3}, "seed", id="options that exclude each other"),
        pytest.param({"materialization": "teleport"}, "teleport", id="a materialization that does not exist"),
    ],
)
def test_values_that_make_no_sense_together_are_refused_before_a_kernel_starts(tmp_path, values, fault):
    # given
    store = stores.make(tmp_path / "labels.duckdb", ["a"])

    # when
    with pytest.raises(errors.RecipeParametersInvalid, match=fault) as refused:
        recipes.run("build_dataset", {"store": str(store), **values}, output=tmp_path / "runs")

    # then
    assert recipes.exit_code(refused.value) == 2
    assert not (tmp_path / "runs").exists()


def test_a_store_that_is_not_there_is_refused_before_a_kernel_starts_and_none_is_made(tmp_path):
    with pytest.raises(errors.RecipeParametersInvalid, match="there is no store"):
        recipes.run("build_dataset", {"store": str(tmp_path / "none.duckdb")}, output=tmp_path / "runs")
    assert list(tmp_path.iterdir()) == []


def test_the_source_that_is_kept_can_be_executed_again_and_has_nothing_of_an_execution(tmp_path):
    # given an executed notebook
    cells = [
        code("a = 1", metadata={"tags": ["parameters"], "papermill": {"duration": 1}}, execution_count=1),
        code("a = 2", metadata={"tags": ["injected-parameters"]}),
        code("a", outputs=[nbformat.v4.new_output("execute_result", {"text/plain": "2"}, execution_count=3)]),
    ]
    executed = nbformat.v4.new_notebook(cells=cells, metadata={"papermill": {"input_path": "x"}})
    nbformat.write(executed, tmp_path / "executed.ipynb")

    # when
    kept = json.loads(notebooks.source_of(tmp_path / "executed.ipynb"))

    # then
    assert [("".join(cell["source"]), cell["outputs"], cell["execution_count"]) for cell in kept["cells"]] == [
        ("a = 1", [], None),
        ("a", [], None),
    ]
    assert kept["cells"][0]["metadata"] == {"tags": ["parameters"]}
    assert kept["metadata"] == {}
