"""The wheel: built from a clean copy, installed with its dependencies in an environment of its own, and every widget opens."""

from __future__ import annotations

import os
import shutil
import sys
import zipfile
from pathlib import Path

import pytest

from tests import needs

# It installs in a tenth of pip's time; where it is not at hand, or finds no way, pip does.
UV = shutil.which("uv", path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}")

pytestmark = [pytest.mark.slow, pytest.mark.network]

OPEN_EVERYTHING = """
import json, pathlib, sys, tempfile
import labelkit
from labelkit import BuildRequest, recipes, widgets
from labelkit.widgets import assets

home = pathlib.Path(labelkit.__file__).parent
assert "site-packages" in home.parts, home
folder = tempfile.mkdtemp()
match = labelkit.synthetic.match(folder, frames=6, width=320, height=180, clips=3)
labels = match.write_yolo(folder + "/labels")
ws = labelkit.open(":memory:")
packs = []
for clip in match.clips:
    ws.media.add(clip.folder, name=clip.name)
    run = ws.prelabels.import_("yolo", labels / clip.name, media=clip.name, capability="player_detection")
    draft = ws.review.open(clip.name, "player_detection", run=run.id)
    out = ws.review.publish(draft.id, expected_version=draft.version, override_warnings=True, reason="wheel")
    ws.review.set_eligibility(out.revision.id, "APPROVED", expected_version=1, reason="wheel")
    packs.append(out.pack.id)
request = BuildRequest(capability="player_detection", label_pack_ids=packs, name="wheel")
dataset = ws.datasets.get(ws.datasets.build(request).dataset.id)
made = {
    "FrameReview": widgets.FrameReview(ws, "clip-1", "player_detection"),
    "ReviewQueue": widgets.ReviewQueue(ws),
    "RevisionHistory": widgets.RevisionHistory(ws, "clip-1", "player_detection"),
    "Approvals": widgets.Approvals(ws, "clip-1", "player_detection"),
    "PreflightTable": widgets.PreflightTable(ws, "player_detection", label_pack_ids=packs),
    "QualityBadge": widgets.QualityBadge(ws, dataset),
    "QualityPanel": widgets.QualityPanel(dataset),
    "DatasetExplorer": widgets.DatasetExplorer(ws),
    "SampleViewer": widgets.SampleViewer(ws, dataset),
    "DiffViewer": widgets.DiffViewer(ws, dataset, dataset),
}
print(json.dumps({
    "widgets": sorted(made),
    "all": sorted(widgets.__all__),
    "esm": {name: len(str(getattr(widget, "_esm", ""))) for name, widget in made.items()},
    "assets": str(assets.folder().relative_to(home)),
    "notebooks": sorted(file.stem for file in recipes.folder().glob("*.ipynb")),
    "heavy": sorted({"jupyterlab", "pandas", "pyarrow", "scipy"} & set(sys.modules)),
}))
"""


@pytest.fixture(scope="module")
def released():
    """The files that git knows: what a release is built from."""
    listed = needs.run("git", "-c", "safe.directory=*", "ls-files", "-z", cwd=needs.ROOT)
    needs.need(listed.returncode == 0, "This is no git checkout, so there is nothing to build a release from.")
    return [name for name in listed.stdout.split("\0") if name and (needs.ROOT / name).is_file()]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory, released):
    """The wheel, built from a copy of the released files by way of the source distribution."""
    source = tmp_path_factory.mktemp("source")
    for name in released:
        (source / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(needs.ROOT / name, source / name)
    out = tmp_path_factory.mktemp("dist")
    build = (sys.executable, "-m", "build", "--outdir", out, source)
    done = needs.run(*build, "--installer", "uv", timeout_s=280) if UV else None
    if done is None or done.returncode != 0:  # uv may not know the index that pip is configured for
        done = needs.run(*build, timeout_s=280)
    assert done.returncode == 0, done.stdout + done.stderr
    return next(out.glob("*.whl"))


def test_the_wheel_holds_the_browser_halves_the_notebooks_and_the_licence_and_no_tests(wheel, released):
    # when
    names = zipfile.ZipFile(wheel).namelist()

    # then what is needed is in, once
    scripts = {name for name in released if name.startswith("widgets/") and name.endswith((".js", ".css"))}
    halves = {"widgets/" + name.removeprefix("labelkit/widgets/static/") for name in names if name.startswith("labelkit/widgets/static/")}
    assert halves == scripts != set()
    notebooks = {f"labelkit/{name}" for name in released if name.endswith(".ipynb")}
    assert {name for name in names if name.endswith(".ipynb")} == notebooks
    assert "labelkit/py.typed" in names
    assert any(name.endswith("licenses/LICENSE") for name in names)
    assert len(names) == len(set(names))

    # and nothing else is
    assert {name.split("/")[0] for name in names} == {"labelkit", next(name for name in names if "dist-info" in name).split("/")[0]}
    assert not [name for name in names if "node_modules" in name or name.endswith((".d.ts", "package.json", "tsconfig.json"))]


def test_the_wheel_installs_with_its_dependencies_alone_and_opens_every_widget(wheel, tmp_path):
    # given an environment of its own
    environment = tmp_path / "venv"
    assert needs.run(sys.executable, "-m", "venv", "--without-pip", environment).returncode == 0
    python = environment / "bin" / "python"
    installed = needs.run(UV, "pip", "install", "--quiet", "--python", python, wheel, timeout_s=280, cwd=tmp_path) if UV else None
    if installed is None or installed.returncode != 0:
        pip = (sys.executable, "-m", "pip", "--python", python, "--disable-pip-version-check", "--quiet")
        installed = needs.run(*pip, "install", wheel, timeout_s=280, cwd=tmp_path)
    needs.need(installed.returncode == 0, f"The dependencies could not be installed from the configured index: {installed.stderr[-300:]}")

    # when
    done = needs.run(python, "-W", "error::UserWarning", "-c", OPEN_EVERYTHING, cwd=tmp_path, env={"PYTHONPATH": ""})

    # then
    assert done.returncode == 0, done.stderr
    import json

    seen = json.loads(done.stdout)
    assert seen["widgets"] == seen["all"]
    assert all(size > 200 for size in seen["esm"].values()), seen["esm"]
    assert seen["assets"] == "widgets/static"
    assert "build_dataset" in seen["notebooks"]
    assert seen["heavy"] == []
    assert needs.run(environment / "bin" / "labelkit", "--help", cwd=tmp_path).returncode == 0
