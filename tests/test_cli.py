"""The command line: each command against a real store, its words and its exit codes."""

from __future__ import annotations

import json
import re

import nbformat
import polars as pl
import pytest

import labelkit
from labelkit import BuildRequest, LabelkitError, cli
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


@pytest.fixture
def tiers(tmp_path):
    """A store with one name of versions, tagged v1."""
    path = tmp_path / "labels.duckdb"
    with labelkit.open(path) as ws:
        rows = {"id": [f"e{n}" for n in range(100)], "tier": ["A", "B"] * 50, "tags": [["x"]] * 100}
        ws.versions.commit("golden/tiers", pl.DataFrame(rows), key="id")
        ws.versions.tag("golden/tiers", "v1")
    return path


def test_a_version_is_exported_with_splits_and_what_is_lost_is_said_first(call, tiers, tmp_path):
    # when
    code, out, err = call(
        *("export", "csv", "golden/tiers@v1", tmp_path / "out", "--splits", "train=0.8,val=0.2", "--by", "id", "--store", tiers)
    )

    # then
    assert (code, out) == (0, f"csv: 100 rows in 4 file(s) below {tmp_path / 'out'}\n")
    assert err == "csv: 1 column(s) hold lists or structs: other readers see JSON text, labelkit reads the manifest\n"
    assert sorted(path.name for path in (tmp_path / "out").glob("*.csv")) == ["train.csv", "val.csv"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("jsonl", "golden/tier"), "Did you mean 'golden/tiers'?"),
        (("jsonl", "golden/tiers@v2"), "v2"),
        (("coco", "golden/tiers"), "coco takes samples of a dataset"),
        (("jsonl", "golden/tiers", "--split", "val"), "--split: golden/tiers is a version"),
        (("jsonl", "golden/tiers", "--splits", "train=most"), "most: it is no number"),
        (("jsonl", "golden/tiers", "--splits", "train"), "train: it is not a name and a value"),
    ],
)
def test_an_export_that_cannot_be_says_why_and_writes_nothing(call, tiers, tmp_path, arguments, words):
    code, out, err = call("export", *arguments[:2], tmp_path / "out", *arguments[2:], "--store", tiers)
    assert (code != 0, out, words in err, (tmp_path / "out").exists()) == (True, "", True, False)


def test_where_a_dataset_and_a_version_have_one_name_it_says_which_is_meant(call, tmp_path):
    # given
    store = tmp_path / "labels.duckdb"
    with labelkit.open(store) as ws:
        ids = add(ws, [Pack("match", [("APPROVED", {0: [("player", Box(10.0, 20.0, 30.0, 40.0))]})])])
        ws.datasets.build(
            BuildRequest(capability="player_detection", label_pack_ids=list(ids.values()), name="same", ratios={"train": 1.0})
        )
        ws.versions.commit("same", pl.DataFrame({"id": [1, 2]}), key="id")

    # when
    _, of_dataset, words = call("export", "jsonl", "same", tmp_path / "dataset", "--split", "train", "--store", store)
    _, of_version, _ = call("export", "jsonl", "same@main", tmp_path / "version", "--store", store)
    refused, _, reason = call("export", "jsonl", "same", tmp_path / "x", "--by", "id", "--store", store)

    # then
    assert "same is a dataset and a name of versions: the dataset is exported. The version is same@main." in words
    assert (of_dataset[:16], of_version[:13]) == ("jsonl: 4 samples", "jsonl: 2 rows")
    assert (refused, "--by: same is a dataset" in reason) == (2, True)


def test_an_export_is_verified_without_a_store(call, tiers, tmp_path):
    # given
    call("export", "jsonl", "golden/tiers", tmp_path / "out", "--store", tiers)
    tiers.unlink()

    # when it is as it was written, then one letter of it is not, then there is none
    whole = call("verify", tmp_path / "out")
    file = tmp_path / "out" / "data.jsonl"
    file.write_bytes(file.read_bytes().replace(b"e7", b"e8", 1))
    changed = call("verify", tmp_path / "out")
    none = call("verify", tmp_path)

    # then
    assert (whole[0], whole[1].startswith(f"{tmp_path / 'out'}: whole (jsonl, 3 files, ")) == (0, True)
    assert (changed[0], "changed: data.jsonl (sha256 " in changed[1]) == (1, True)
    assert (none[0], none[1], none[2].split(":")[0]) == (2, "", "NOT_AN_EXPORT")


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


@pytest.mark.parametrize(
    "arguments",
    [
        pytest.param(["store", "info", "labels.duckdb"], id="store info"),
        pytest.param(["open", "labels.duckdb", "--no-lab"], id="open"),
        pytest.param(["golden", "list"], id="golden list"),
        pytest.param(["run", "build_dataset", "-p", "store", "labels.duckdb"], id="run"),
    ],
)
def test_a_workspace_that_is_named_wrong_is_refused_and_not_made(call, tmp_path, monkeypatch, arguments):
    # given
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LABELKIT_USER", "ana")
    labelkit.open("labels.duckdb", workspace="club-a").close()

    # when
    ended, _, err = call(*arguments)

    # then
    assert ended == 1
    assert "There is no workspace 'default' here. There are: club-a." in err
    with pytest.raises(LabelkitError, match="NOT_FOUND"):
        labelkit.open("labels.duckdb", create=False)


def test_an_empty_yaml_file_is_no_parameters_and_a_list_is_refused(call, tmp_path):
    (tmp_path / "empty.yaml").write_text("")
    (tmp_path / "list.yaml").write_text("- a\n")
    assert "missing 'store'" in call("run", "build_dataset", "-f", tmp_path / "empty.yaml")[2]
    assert "no mapping of names to values" in call("run", "build_dataset", "-f", tmp_path / "list.yaml")[2]


def test_no_arguments_show_the_help(call):
    code, out, err = call()
    assert code == 2
    assert "Usage: labelkit" in out + err
