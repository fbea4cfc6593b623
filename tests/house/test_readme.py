"""The README: generated blocks are up to date, links lead somewhere, the tour runs."""

from __future__ import annotations

import re

import pytest

import labelkit
from tests import needs

README = (needs.ROOT / "README.md").read_text(encoding="utf-8")


def test_the_generated_blocks_are_what_the_package_says_now():
    done = needs.run("cog", "--check", "--diff", "README.md", cwd=needs.ROOT)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("target", sorted(set(re.findall(r"\]\((?!http)([^)#]+)", README))))
def test_every_local_link_and_picture_is_there(target):
    assert (needs.ROOT / target).is_file()


def test_the_picture_is_small():
    assert (needs.ROOT / ".github" / "picture.png").stat().st_size < 300_000


def test_the_tour_runs_as_it_stands(tmp_path, monkeypatch):
    # given the folders that the tour names
    match = labelkit.synthetic.match(tmp_path / "drawn", frames=4, width=320, height=180, clips=1)
    (tmp_path / "frames").mkdir()
    match.clips[0].folder.rename(tmp_path / "frames" / "clip-1")
    match.write_yolo(tmp_path / "labels")
    decisions = ["id,job_title,tier,confidence", "1,Chief Technology Officer,A,0.95", "2,Buyer,C,0.9", "3,Clerk,C,0.2"]
    (tmp_path / "decisions.csv").write_text("\n".join(decisions))
    monkeypatch.chdir(tmp_path)

    # when its code is run
    names = {}
    for block in re.findall(r"```python\n(.*?)```", README, flags=re.DOTALL):
        exec(block, names)

    # then it did what it says
    assert names["out"].code == "PUBLISH_SUCCESS"
    assert names["built"].outcome == "created"
    assert names["dataset"].to_polars().height == 4
    assert any((tmp_path / "out").iterdir())
    assert names["job"].result().outcome == "reused_success"
    assert [row["purpose"] for row in names["dataset"].holdout_ledger().to_dicts()] != []
    assert len(list((tmp_path / "files").rglob("*.png"))) == names["dataset"].annotation_count
    assert "<html" in (tmp_path / "dataset.html").read_text(encoding="utf-8")
    assert names["ws"].versions.log("golden/boxes")[0].id == names["second"].id
    assert sorted(names["tiers"]["source_decision_id"]) == ["1", "2"]
    assert names["golden"].commit.rows == 2
    names["ws"].close()


def test_every_widget_of_the_table_exists_and_every_widget_is_in_the_table():
    table = README.split("## Widgets")[1].split("##")[0]
    named = {re.match(r"\| `(\w+)", line)[1] for line in table.splitlines() if line.startswith("| `")}
    assert named == set(labelkit.widgets.__all__)
