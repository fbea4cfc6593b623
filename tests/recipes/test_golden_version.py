"""A version of golden examples by its recipe: drawn, scored, committed, compared with the last tag, tagged, exported, verified."""

from __future__ import annotations

import json

import nbformat
import polars as pl
import pytest

import labelkit
from labelkit import LabelkitError, recipes
from labelkit.synthetic.examples import contact_tiers

NAME = "golden/contact-tier"


def cells(values):
    """Run the recipe's cells in this process, as a kernel would, and return the result of the last one."""
    names = {}
    for cell in nbformat.read(recipes.find("golden_version"), as_version=4).cells:
        if cell.source.startswith("recipes.Result("):
            result = eval(cell.source, names)
        elif cell.cell_type == "code":
            exec(cell.source, names)
        if "parameters" in cell.metadata.get("tags", []):
            names |= values
    names["ws"].close()
    return result.facts


@pytest.fixture(scope="module")
def first(tmp_path_factory):
    """A folder in which the recipe made its first version, and what came of it."""
    home = tmp_path_factory.mktemp("golden")
    values = {"store": str(home / "labels.duckdb"), "export_to": str(home / "out"), "sample": 20}
    return values, cells(values)


def test_the_first_version_is_drawn_scored_tagged_exported_and_verified(first):
    # given
    values, made = first

    # then
    assert (made["outcome"], made["tag"], made["since"], made["rows"], made["added"]) == ("COMMITTED", "v1.0.0", None, 20, 20)
    assert (sum(made["tiers"].values()), made["verified"], made["losses"]) == (20, True, [])
    assert {"train.jsonl", "labelkit-export.json", "croissant.json"} <= made["files"].keys()
    with labelkit.open(values["store"]) as ws:
        assert ws.versions.checkout(f"{NAME}@v1.0.0").collect().height == 20
        assert ws.golden.list()["pending"].to_list() == [20]


def test_run_again_with_nothing_changed_it_commits_nothing_and_exports_the_same_bytes(first):
    # given
    values, made = first

    # when
    again = cells(values)

    # then
    assert (again["outcome"], again["tag"], again["since"], again["step"]) == ("NO_OP_UNCHANGED", "v1.0.0", "v1.0.0", "patch")
    assert (again["added"], again["changes"], again["commit"]) == (0, "0 added, 0 removed, 0 modified", made["commit"])
    assert (again["files"], again["tree"]) == (made["files"], made["tree"])


def test_more_examples_are_a_minor_version_whose_notebook_shows_the_difference_without_a_kernel(first, tmp_path):
    # given a store with a tagged version, and a file with an example more
    values, _ = first
    source = tmp_path / "more.jsonl"
    source.write_text("".join(f"{json.dumps(one)}\n" for one in contact_tiers(1, seed=99)))
    with labelkit.open(values["store"]) as ws:
        ws.backup(tmp_path / "copy.duckdb")
    given = {"store": str(tmp_path / "copy.duckdb"), "source": str(source), "export_to": str(tmp_path / "out"), "export_format": "parquet"}

    # when
    outcome = recipes.run("golden_version", given, output=tmp_path / "runs")

    # then
    made = outcome.result
    assert (made["outcome"], made["since"], made["tag"], made["step"]) == ("COMMITTED", "v1.0.0", "v1.1.0", "minor")
    assert (made["changes"], made["rows"], made["verified"]) == ("1 added, 0 removed, 0 modified", 21, True)
    text = outcome.notebook.read_text(encoding="utf-8")
    shown = [
        output.data["text/html"]
        for cell in nbformat.reads(text, as_version=4).cells
        if cell.cell_type == "code" and "DiffViewer" in cell.source
        for output in cell.outputs
    ]
    assert f"{NAME}@v1.0.0" in shown[0]
    assert "+1 added" in shown[0]
    assert "application/vnd.jupyter.widget-view+json" not in text
    with labelkit.open(given["store"]) as ws:
        assert ws.versions.get(f"{NAME}@{made['tag']}").id == made["commit"]


def test_a_source_of_another_kind_is_refused(first):
    values, _ = first
    given = recipes.GoldenVersion(**values, source="examples.xml")
    with labelkit.open(values["store"]) as ws, pytest.raises(LabelkitError, match="its name says no format") as refused:
        given.added(ws, contact_tiers)
    assert refused.value.code == "INVALID_VALUE"


def test_only_a_tier_and_better_ones_are_chosen_and_none_that_was_rejected():
    # given
    rows = pl.DataFrame(
        {
            "example_id": ["a", "b", "c", "d", "e"],
            "status": ["pending"] * 4 + ["rejected"],
            "quality_score": [95.0, 80.0, 61.0, None, 95.0],
            "tier": ["gold", "silver", "bronze", None, "gold"],
        }
    )

    # then
    assert recipes.GoldenVersion(tier="silver").chosen(rows)["example_id"].to_list() == ["a", "b"]
    assert recipes.GoldenVersion().chosen(rows)["example_id"].to_list() == ["a", "b", "c", "d"]
    assert recipes.GoldenVersion().rows(rows).columns == ["example_id", "status"]
    assert recipes.GoldenVersion(keep_scores=True).rows(rows).equals(rows)
