"""`labelkit open`: JupyterLab on a review notebook of this store."""

from __future__ import annotations

import json
import sys
import urllib.error
import urllib.request

import pytest

import labelkit
from labelkit import errors
from labelkit.demo import lab
from tests import needs, servers


@pytest.fixture
def opened(tmp_path):
    """The address of the JupyterLab that `labelkit open` starts on a store with one clip, ended with its whole process group."""
    needs.need(needs.python("import jupyterlab").returncode == 0, "JupyterLab is not installed; install the extra [lab].")
    store = tmp_path / "work" / "labels.duckdb"
    store.parent.mkdir()
    match = labelkit.synthetic.match(tmp_path / "match", frames=2, width=320, height=180, clips=1)
    with labelkit.open(store, workspace="club-a") as ws:
        ws.media.add(match.clips[0].folder, name="clip-1")
    port = servers.free_port()
    settings = {"ServerApp": {"port": port, "port_retries": 0, "open_browser": False}, "IdentityProvider": {"token": "t"}}
    (tmp_path / "config").mkdir()
    (tmp_path / "config" / "jupyter_server_config.json").write_text(json.dumps(settings))
    command = [sys.executable, "-c", "from labelkit.cli import main; main()", "open", store, "--workspace", "club-a"]
    environment = {"JUPYTER_CONFIG_DIR": str(tmp_path / "config"), "PYTHONPATH": str(needs.ROOT)}
    with servers.running(command, cwd=tmp_path, env=environment, log=tmp_path / "log"):
        yield f"http://127.0.0.1:{port}", tmp_path / "log"


def read(address: str) -> dict | None:
    try:
        with urllib.request.urlopen(address, timeout=5) as answer:
            return json.load(answer)
    except (urllib.error.URLError, ConnectionError):
        return None


def test_it_shows_what_the_store_holds_and_serves_the_review_notebook_beside_it(opened):
    # given
    address, log = opened

    # when the server answers
    notebook = servers.answered(lambda: read(f"{address}/api/contents/review.ipynb?token=t"))

    # then it serves the notebook with this store and workspace in it
    assert notebook is not None, log.read_text()
    source = "\n".join(cell["source"] for cell in notebook["content"]["cells"])
    assert "work/labels.duckdb" in source
    assert 'workspace = "club-a"' in source
    assert "media: 1\n  name=clip-1" in log.read_text()


def test_without_jupyterlab_it_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda _name: None)
    with pytest.raises(errors.InvalidValue, match=r"pip install 'labelkit\[lab\]'"):
        lab.start_lab(tmp_path / "review.ipynb")
