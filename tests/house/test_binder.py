"""The binder: what it installs exists, its steps run, its server opens at the quickstart."""

from __future__ import annotations

import os
import re
import shutil
import sys
import tomllib
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from tests import needs, servers

BINDER = needs.ROOT / "binder"
ENVIRONMENT = {**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}", "PYTHONPATH": str(needs.ROOT)}


def test_it_installs_extras_that_exist_on_a_python_that_is_supported():
    # given
    project = tomllib.loads((needs.ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]

    # then
    wanted = re.fullmatch(r"\.\[(.*)\]\n", (BINDER / "requirements.txt").read_text())[1].split(",")
    assert set(wanted) <= set(project["optional-dependencies"])
    version = (BINDER / "runtime.txt").read_text().strip().removeprefix("python-")
    assert tuple(map(int, version.split("."))) >= tuple(map(int, project["requires-python"].removeprefix(">=").split(".")))


def test_the_step_after_the_installation_seeds_a_store_that_the_review_notebook_opens(tmp_path):
    # given
    shutil.copytree(needs.ROOT / "notebooks", tmp_path / "notebooks", ignore=shutil.ignore_patterns("*.duckdb*"))

    # when
    done = needs.run("bash", BINDER / "postBuild", cwd=tmp_path, env=ENVIRONMENT, timeout_s=200)

    # then
    assert done.returncode == 0, done.stdout + done.stderr
    run = needs.run(
        sys.executable, "-m", "papermill", "review_queue.ipynb", "out.ipynb", "-k", "python3", cwd=tmp_path / "notebooks", env=ENVIRONMENT
    )
    assert run.returncode == 0, run.stderr


@pytest.fixture
def server(tmp_path):
    """A JupyterLab started as the binder starts it, ended with its whole process group."""
    needs.need(needs.python("import jupyterlab").returncode == 0, "JupyterLab is not installed; install the extra [lab].")
    port = servers.free_port()
    command = ["bash", BINDER / "start", "jupyter", "lab", "--no-browser", "--allow-root", "--ServerApp.ip=127.0.0.1"]
    command += [f"--ServerApp.port={port}", "--ServerApp.port_retries=0", "--IdentityProvider.token=t", f"--ServerApp.root_dir={tmp_path}"]
    with servers.running(command, cwd=tmp_path, env=ENVIRONMENT, log=tmp_path / "log"):
        yield f"http://127.0.0.1:{port}"


def where_it_leads(url: str) -> str | None:
    """The address without query that a GET ends at, None while nobody answers."""
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:
            return answer.url.split("?")[0]
    except urllib.error.HTTPError as missing:  # the notebook is not in this folder, but that is where it leads
        return missing.url.split("?")[0]
    except (urllib.error.URLError, ConnectionError):
        return None


def test_the_server_opens_at_the_quickstart(server):
    assert servers.answered(lambda: where_it_leads(f"{server}/?token=t")) == f"{server}/lab/tree/notebooks/quickstart.ipynb"
