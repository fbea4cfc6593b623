"""The workflow that users copy: its steps, run as they stand, build and gate."""

from __future__ import annotations

import json
import os
import re
import sys
import tomllib
from pathlib import Path

import pytest
import yaml

import labelkit
from tests import needs
from tests.recipes import stores

FILE = needs.ROOT / ".github" / "workflows" / "dataset.yml"
WORKFLOW = yaml.safe_load(FILE.read_text(encoding="utf-8"))
JOB = WORKFLOW["jobs"]["build"]
ON = True  # as YAML 1.1 reads the key `on`
INPUT = re.compile(r"\$\{\{ inputs\.(\w+) \}\}")
STEPS = {step.get("name", step.get("uses")): step for step in JOB["steps"]}


def run(step, folder, **inputs):
    """Run a step as a runner does: bash that stops at the first error, with the job's environment."""
    known = {name: value["default"] for name, value in WORKFLOW[ON]["workflow_call"]["inputs"].items()} | inputs
    given = {name: INPUT.sub(lambda found: known[found[1]], str(value)) for name, value in JOB["env"].items()}
    summary = folder / "summary.md"
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    environment = {**given, "GITHUB_STEP_SUMMARY": str(summary), "PATH": path, "PYTHONPATH": str(needs.ROOT)}
    done = needs.run("bash", "-e", "-o", "pipefail", "-c", STEPS[step]["run"], cwd=folder, env=environment)
    return done, summary.read_text(encoding="utf-8") if summary.exists() else ""


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """A checkout with a store that the workflow's user may build from, after the step that builds."""
    folder = tmp_path_factory.mktemp("checkout")
    with labelkit.open(stores.make(folder / "labels.duckdb")) as ws:
        ws.set_role("ci", "reviewer")
    return folder, run("Build", folder)[0]


def test_it_starts_by_hand_or_from_another_workflow_and_never_by_a_push_here():
    assert set(WORKFLOW[ON]) == {"workflow_dispatch", "workflow_call"}
    by_hand, by_call = (WORKFLOW[ON][trigger]["inputs"] for trigger in ("workflow_dispatch", "workflow_call"))
    assert {name: value["default"] for name, value in by_hand.items()} == {name: value["default"] for name, value in by_call.items()}


def test_it_installs_the_package_by_its_name(repository):
    project = tomllib.loads((repository / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert STEPS["Install"]["run"] == f"python -m pip install {project['name']}"


def test_it_builds_and_what_it_uploads_whatever_happened_is_there(built):
    # given
    folder, done = built

    # then
    assert done.returncode == 0, done.stderr
    upload = STEPS["actions/upload-artifact@v4"]
    assert (upload["if"], upload["with"]["path"]) == ("always()", "runs")
    assert {path.name for path in (folder / "runs").iterdir()} == {"build_dataset.ipynb", "build_dataset.json", "coco", "lineage.jsonl"}
    with labelkit.open(folder / "labels.duckdb") as ws:
        assert ws.datasets.get("players").run.created_by == "ci"


@pytest.mark.parametrize(("least", "code"), [("Pass", 1), ("Warnings", 0), ("Any", 0)])
def test_its_gate_lets_through_by_the_badge_and_writes_a_summary(built, least, code):
    # given a dataset of twelve samples, which is a warning
    folder, _ = built
    (folder / "summary.md").unlink(missing_ok=True)

    # when
    done, summary = run("Gate", folder, quality=least)

    # then
    result = json.loads((folder / "runs" / "build_dataset.json").read_text())
    assert (done.returncode, result["quality"]) == (code, "Warnings (1)")
    assert "## players v1: Warnings (1)" in summary
    assert result["manifest_hash"] in summary
    assert ("wanted is 'Pass' at the least" in done.stderr) is (code == 1)


def test_a_store_that_is_not_there_ends_it_with_the_code_of_usage(tmp_path):
    done, _ = run("Build", tmp_path)
    assert done.returncode == 2
    assert "there is no store 'labels.duckdb'" in done.stderr
