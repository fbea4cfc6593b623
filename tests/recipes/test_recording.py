"""What a run leaves in its store: also of notebooks of one's own, and nothing where the store cannot have it."""

from __future__ import annotations

from typing import Annotated

import pytest

import labelkit
from labelkit import recipes
from labelkit.recipes import identity
from labelkit.recipes.recording import Recorder
from labelkit.services.runs import RunEnd, RunStatus
from tests.recipes import stores
from tests.store.disks import read_only

END = RunEnd(RunStatus.SUCCESS, 0, "/runs/x.ipynb", "{}", reusable=True)
SORT = f"""
from pathlib import Path

lines = Path(source).read_text().split()
Path(source).write_text(" ".join(sorted(lines)))
display({{"{recipes.RESULT_TYPE}": {{"outcome": "created", "lines": lines}}}}, raw=True)
"""


class Sorting(recipes.Parameters):
    """A recipe of one's own that reads a file, and here sorts it as well."""

    store: Annotated[str, recipes.Place.STORE]
    source: Annotated[str, recipes.Place.INPUT]

    def may_be_answered(self) -> bool:
        return True


def test_a_notebook_with_a_model_of_ones_own_is_recorded_answered_and_replayed(notebook, tmp_path):
    # given a notebook that sorts its input, once
    file = notebook("sorting", 'store = ""\nsource = ""', SORT)
    (tmp_path / "lines.txt").write_text("b a")
    values = {"store": str(stores.make(tmp_path / "labels.duckdb", [])), "source": str(tmp_path / "lines.txt")}

    def run():
        return recipes.run(file, values, model=Sorting, output=tmp_path / "runs")

    # when what it reads changes while it runs, nobody knows what its result is of; from then on it does not change
    changing, settled, answered = run(), run(), run()

    # then
    assert [outcome.reused for outcome in (changing, settled, answered)] == [False, False, True]
    assert (settled.result["lines"], answered.run) == (["a", "b"], settled.run)

    # and a replay compares results where there is no dataset
    with stores.opened(values["store"]) as ws:
        equal = recipes.replay(ws, settled.run, model=Sorting, output=tmp_path / "replays")
        (tmp_path / "lines.txt").write_text("a b <c>")
        different = recipes.replay(ws, settled.run, model=Sorting, output=tmp_path / "replays")
        kept = ws.runs.list().select("replay_of", "exit_code").rows()
    assert (equal.exit_code, equal.lines()) == (0, ["equal: the result is the same"])
    assert different.exit_code == 1
    assert different.lines()[0] == "different"
    assert any(line.startswith("because of inputs.source: 'sha256:") for line in different.lines())
    assert "result lines: nothing -> <c>" in different.lines()
    assert "different</b>" in (page := different._repr_html_())
    assert "&lt;c&gt;</td>" in page
    assert "<c>" not in page
    assert "equal</b>" in equal._repr_html_()
    assert settled.run in repr(equal)
    assert kept == [(settled.run, 1), (settled.run, 0), (None, 0), (None, 0)]


def test_a_notebook_that_declares_nothing_is_recorded_and_never_answered(notebook, tmp_path):
    # given its parameters cell names a store
    store = stores.make(tmp_path / "labels.duckdb", [])
    job = identity.prepare(notebook("own", f"store = {str(store)!r}\nseed = 0", "seed"), {"seed": 1})

    # when a run of it ended well
    with Recorder(job) as recorder:
        known = recorder.identity()
        run = recorder.start(known, "{}")
        recorder.end(run, END)

        # then
        assert recorder.because == ""
        assert recorder.answer(known) is None
        kept = recorder.ws.runs.get(run.id)
    assert (kept.recipe, kept.parameters, kept.identity["parameters"]) == ("own", {"seed": 1}, {"seed": 1})


def test_a_recipe_without_a_store_leaves_nothing_and_says_so(tmp_path):
    job = identity.prepare("quickstart", {"folder": str(tmp_path)})
    with Recorder(job) as recorder:
        run = recorder.start(recorder.identity(), "{}")
        recorder.end(run, END)
    assert recorder.because == "the recipe has no store among its parameters"
    assert list(tmp_path.iterdir()) == []


def test_a_store_that_is_not_there_is_not_made(tmp_path):
    with Recorder(identity.prepare("review_queue", {"store": str(tmp_path / "none.duckdb")})) as recorder:
        recorder.start(recorder.identity(), "{}")
    assert recorder.because == f"there is no store '{tmp_path / 'none.duckdb'}'"
    assert list(tmp_path.iterdir()) == []


def test_a_run_that_makes_its_store_is_recorded_in_it(tmp_path):
    # given
    path = tmp_path / "labels.duckdb"
    job = identity.prepare("review_queue", {"store": str(path)})

    # when
    with Recorder(job) as recorder:
        known = recorder.identity()
        run = recorder.start(known, "{}")
        stores.make(path, [])
        recorder.end(run, END)

    # then
    assert recorder.because == ""
    with stores.opened(path) as ws:
        assert ws.runs.list().select("id", "exit_code").rows() == [(run.id, 0)]


def test_a_store_that_is_none_is_left_to_the_notebook_to_refuse(tmp_path):
    (tmp_path / "labels.duckdb").write_text("no database at all")
    with Recorder(identity.prepare("build_dataset", {"store": str(tmp_path / "labels.duckdb")})) as recorder:
        assert recorder.answer(recorder.identity()) is None
    assert "STORE_NOT_RECOGNIZED" in recorder.because


def test_a_read_only_store_records_nothing_and_stops_nothing(tmp_path):
    # given
    (tmp_path / "place").mkdir()
    store = stores.make(tmp_path / "place" / "labels.duckdb", ["a"])
    with read_only(tmp_path / "place"), Recorder(identity.prepare("build_dataset", {"store": str(store)})) as recorder:
        # when
        known = recorder.identity()
        recorder.end(recorder.start(known, "{}"), END)

        # then the identity is known all the same
        assert known.parts["inputs"]["refused"] == []
        assert recorder.answer(known) is None
        assert recorder.because == "the store cannot be written"
        assert recorder.ws.runs.list().is_empty()


def test_whoever_is_no_member_is_not_recorded_and_the_notebook_says_why(tmp_path, monkeypatch):
    # given
    store = stores.make(tmp_path / "labels.duckdb", ["a"])
    monkeypatch.setenv("LABELKIT_USER", "stranger")

    # when
    with Recorder(identity.prepare("build_dataset", {"store": str(store)})) as recorder:
        known = recorder.identity()
        recorder.start(known, "{}")

    # then
    assert known.parts["inputs"] == {"refused": ["PERMISSION_DENIED"]}
    assert "PERMISSION_DENIED" in recorder.because
    monkeypatch.delenv("LABELKIT_USER")
    with labelkit.open(store) as ws:
        assert ws.runs.list().is_empty()


@pytest.mark.parametrize("name", ["build_dataset", "review_queue"])
def test_the_recipes_of_a_store_declare_it(name):
    model = recipes.parameter_model(name, None)
    assert recipes.Place.STORE in model.model_fields["store"].metadata
