"""The command line: each command against a real store, its words and its exit codes."""

from __future__ import annotations

import json
import re

import nbformat
import pytest

import labelkit
from labelkit import BuildRequest, cli
from labelkit.core.geometry import Box
from tests.services import pictured
from tests.services.packs import Pack, add


@pytest.fixture
def call(capsys):
    """`call("store", "info", path)` runs a command and returns its exit code, output and errors."""

    def run(*arguments):
        with pytest.raises(SystemExit) as ended:
            cli.main([str(argument) for argument in arguments])
        out, err = capsys.readouterr()
        return ended.value.code or 0, out, err

    return run


@pytest.fixture(scope="module")
def match(tmp_path_factory):
    drawn = labelkit.synthetic.match(tmp_path_factory.mktemp("drawn"), frames=6, width=320, height=180, clips=1)
    drawn.write_yolo(drawn.folder / "labels")
    return drawn


@pytest.fixture
def store(tmp_path, match, call):
    """A store with one clip and one run, made by the command line."""
    path = tmp_path / "labels.duckdb"
    code, out, err = call(
        *("import", "yolo", match.folder / "labels" / "clip-1", "--media", "clip-1", "--frames", match.clips[0].folder),
        *("--model", "dice", "--store", path),
    )
    assert (code, err) == (0, "")
    assert re.fullmatch(r"run_\w+: (\d+) of \1 labels imported for clip-1, player_detection\n", out)
    return path


def test_import_adds_the_media_and_the_run_and_says_what_was_refused(store, call, tmp_path):
    # given labels with one bad line
    folder = tmp_path / "more"
    folder.mkdir()
    (folder / "clip-1_000.txt").write_text("2 0.5 0.5 0.1 0.1\n9 0.5 0.5 0.1 0.1\n")

    # when they are imported for the media that is there
    code, out, _ = call("import", "yolo", folder, "--media", "clip-1", "--classes", "ball, goalkeeper,player,referee", "--store", store)

    # then
    assert code == 0
    assert "1 of 2 labels imported" in out
    assert "refused 1: " in out
    with labelkit.open(store) as ws:
        assert ws.media.list()["name"].to_list() == ["clip-1"]
        assert ws.prelabels.runs()["model"].to_list() == ["unknown", "dice"]


def test_import_renames_classes_and_hands_the_format_its_options(store, call, tmp_path):
    # given a table that calls things otherwise, with pixels that could be fractions
    table = tmp_path / "labels.csv"
    table.write_text("frame,label,x,y,w,h\n0,person,0.5,0.5,1,1\n0,crowd,0,0,1,1\n0,player,1,1,5,5\n")

    # when
    code, out, err = call(
        *("import", "csv", table, "--media", "clip-1", "--rename", "person=referee", "--rename", "crowd="),
        *("--option", "units=pixels", "--store", store),
    )

    # then
    assert (code, err) == (0, "")
    assert "2 of 3 labels imported" in out
    assert "refused 1: LABEL_CLASS_LEFT_OUT" in out
    assert call("import", "csv", table, "--media", "clip-1", "--option", "one_based=true", "--store", store)[0] == 2
    with labelkit.open(store) as ws:
        run = ws.prelabels.runs()["run_id"][0]
        draft = ws.review.open("clip-1", "player_detection", run=run)
        assert [(a.label, a.geometry.x) for a in draft.frames[0].annotations] == [("referee", 0.5), ("player", 1.0)]


def test_import_renames_numbered_classes_too(store, call, tmp_path):
    # given
    folder = tmp_path / "more"
    folder.mkdir()
    (folder / "clip-1_000.txt").write_text("0 0.5 0.5 0.1 0.1\n1 0.5 0.5 0.1 0.2\n2 0.5 0.5 0.2 0.2\n")

    # when
    code, out, _ = call(
        *("import", "yolo", folder, "--media", "clip-1", "--classes", "person,crowd,ball", "--store", store),
        *("--rename", "person=player", "--rename", "crowd="),
    )

    # then
    assert code == 0
    assert "2 of 3 labels imported" in out
    assert "refused 1: LABEL_CLASS_LEFT_OUT" in out


def test_a_frozen_test_set_is_exported_for_evaluation_only(call, tmp_path):
    # given
    store = tmp_path / "labels.duckdb"
    with labelkit.open(store) as ws:
        ids = add(ws, [Pack("match", [("APPROVED", {0: [("player", Box(10.0, 20.0, 30.0, 40.0))]})])])
        asked = BuildRequest(capability="player_detection", label_pack_ids=list(ids.values()), name="hold", ratios={"test": 1.0})
        ws.datasets.build(asked).dataset.freeze()

    # when
    refused, _, words = call("export", "coco", "hold", tmp_path / "train", "--store", store)
    code, out, _ = call("export", "coco", "hold", tmp_path / "test", "--purpose", "evaluation", "--store", store)

    # then
    assert (refused != 0, "FROZEN_DATASET_TRAINING_FORBIDDEN" in words, (tmp_path / "train").exists()) == (True, True, False)
    assert (code, out.split(":")[0]) == (0, "coco")


def test_files_of_a_dataset_are_made_once_and_what_fails_is_exit_code_1(call, tmp_path):
    # given
    with labelkit.open(tmp_path / "labels.duckdb") as ws:
        pictured.dataset(ws, tmp_path / "media", media=1)
    picture = tmp_path / "media" / "match-0" / "000002.png"

    # when they are made, made again, and made after a picture was changed
    run = ("materialize", "players", tmp_path / "out", "--mode", "copy", "--store", tmp_path / "labels.duckdb")
    first, again = call(*run), call(*run)
    picture.write_bytes(b"x")
    (tmp_path / "out" / "train" / "default" / "match-0" / "000002.png").unlink()
    after = call(*run)

    # then
    assert [ended[0] for ended in (first, again, after)] == [0, 0, 1]
    assert "4 files made, 0 kept, 0 absent" in first[1]
    assert "1/1 shards, 4 files" in first[2]
    assert "0 files made, 4 kept, 0 absent" in again[1]
    assert "default/match-0/000002: FRAME_CHANGED" in after[1]


def test_store_info_lists_what_a_workspace_holds(store, call):
    code, out, _ = call("store", "info", store)
    assert code == 0
    assert "media: 1\n  name=clip-1" in out
    assert "prelabel runs: 1" in out
    assert "drafts: 0" in out


def test_store_check_is_0_for_a_whole_store_and_1_for_a_damaged_one(store, call):
    # given
    assert call("store", "check", store)[:2] == (0, "every object is there and whole\n")

    # when an object is damaged
    damaged = next(file for file in store.with_name("labels.duckdb.objects").rglob("*") if file.is_file())
    damaged.chmod(0o644)
    damaged.write_bytes(b"nothing of value")

    # then
    code, out, _ = call("store", "check", store)
    assert code == 1
    assert "damaged: " in out
    assert "1 problem(s)" in out


def test_store_backup_opens_like_the_original(store, call, tmp_path):
    code, out, _ = call("store", "backup", store, tmp_path / "copy.duckdb")
    assert (code, out) == (0, f"copied to {tmp_path / 'copy.duckdb'}\n")
    assert call("store", "check", tmp_path / "copy.duckdb")[0] == 0
    with labelkit.open(tmp_path / "copy.duckdb") as ws:
        assert ws.media.list()["name"].to_list() == ["clip-1"]


def test_open_without_jupyterlab_writes_a_review_notebook_for_this_store(store, call):
    # when
    code, out, _ = call("open", store, "--no-lab")

    # then the notebook has the store's path and was not executed
    assert code == 0
    notebook = nbformat.read(store.parent / "review.ipynb", as_version=4)
    assert f'store = "{store}"' in "\n".join(cell.source for cell in notebook.cells)
    assert [cell.outputs for cell in notebook.cells if cell.cell_type == "code"] == [[]] * 3
    assert "papermill" not in notebook.metadata
    assert out.endswith(f"Review it with: jupyter lab {store.parent / 'review.ipynb'}\n")


def test_run_takes_parameters_as_names_and_values_and_from_a_file(call, tmp_path):
    # given
    notebook = nbformat.v4.new_notebook(
        cells=[
            nbformat.v4.new_code_cell("a = 1\nb = 2\nc = 'x'", metadata={"tags": ["parameters"]}),
            nbformat.v4.new_code_cell("import labelkit\nlabelkit.recipes.Result(outcome='created', sum=a + b, c=c)"),
        ]
    )
    nbformat.write(notebook, tmp_path / "sum.ipynb")
    (tmp_path / "values.yaml").write_text("a: 10\nb: 20\n")

    # when a value of the file is overridden on the command line
    code, out, err = call(
        "run", tmp_path / "sum.ipynb", "-f", tmp_path / "values.yaml", "-p", "b", "5", "-p", "c=2024", "--output", tmp_path / "runs"
    )

    # then
    assert code == 0
    assert json.loads((tmp_path / "runs" / "sum.json").read_text()) == {"outcome": "created", "sum": 15, "c": "2024"}
    assert "sum: 15\n" in out
    assert "[2/2] import labelkit\n" in err


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        pytest.param(["run", "build_dataset", "-p", "sed", "1"], 2, "unknown 'sed', did you mean 'seed'?", id="unknown parameter"),
        pytest.param(["run", "build_dataset", "-p", "sed"], 2, "Write -p NAME VALUE", id="a name without a value"),
        pytest.param(["run", "build_datset"], 2, "Did you mean 'build_dataset'?", id="unknown notebook"),
        pytest.param(["run", "build_dataset", "-f", "none.yaml"], 2, "none.yaml: it cannot be read", id="no file"),
        pytest.param(["store", "info", "none.duckdb"], 2, "there is no such file", id="no store"),
        pytest.param(
            ["import", "yolo", "none", "--media", "m", "--store", "none.duckdb"], 2, "there is no such file", id="no store to import into"
        ),
        pytest.param(["demo", "--data", "none"], 1, "none does not exist", id="no data"),
        pytest.param(["nonsense"], 2, "nonsense", id="no such command"),
    ],
)
def test_a_refusal_is_said_in_words_with_its_exit_code_and_leaves_nothing(call, tmp_path, monkeypatch, arguments, code, words):
    # given
    monkeypatch.chdir(tmp_path)

    # when
    ended, out, err = call(*arguments)

    # then
    assert ended == code
    assert words in err
    assert "Traceback" not in out + err
    assert not list(tmp_path.rglob("*.duckdb"))


def test_an_empty_yaml_file_is_no_parameters_and_a_list_is_refused(call, tmp_path):
    (tmp_path / "empty.yaml").write_text("")
    (tmp_path / "list.yaml").write_text("- a\n")
    assert "missing 'store'" in call("run", "build_dataset", "-f", tmp_path / "empty.yaml")[2]
    assert "no mapping of names to values" in call("run", "build_dataset", "-f", tmp_path / "list.yaml")[2]


def test_no_arguments_show_the_help(call):
    code, out, err = call()
    assert code == 2
    assert "Usage: labelkit" in out + err
