"""Stores in folders whose names DuckDB would read as patterns: every file that is read is the one that is named."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

import labelkit
from labelkit import BuildRequest, QualityRule, ReviewOp, synthetic
from labelkit.core.geometry import Box
from labelkit.store.patterns import exact, exactly_read
from tests.services.packs import Pack, add

PLAYERS = "player_detection"
LABELS = {0: [("player", Box(10.0, 20.0, 30.0, 40.0)), ("ball", Box(1.0, 2.0, 3.0, 4.0))], 1: [("player", Box(5.0, 5.0, 9.0, 9.0))]}
BALLS = QualityRule(code="FEW_BALLS", severity="warning", measure="(SELECT count(*) FROM annotations WHERE label = 'ball')", below=99)


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a store in which a draft, six label packs, a frozen dataset and two versions are objects."""
    folder = tmp_path_factory.mktemp("stores") / "plain"
    folder.mkdir()
    match = synthetic.match(folder / "match", frames=4, clips=1)
    match.write_yolo(folder / "pre")
    with opened(folder) as ws:
        ws.media.add(folder / "match" / "images" / "clip-1", name="clip-1")
        given = {"media": "clip-1", "capability": PLAYERS, "classes": list(match.classes), "model": "m"}
        run = ws.prelabels.import_("yolo", folder / "pre" / "clip-1", **given)
        ws.review.open("clip-1", PLAYERS, run=run.id)
        packs = add(ws, [Pack(f"match-{n}", [("APPROVED", LABELS)], group=f"g{n}") for n in range(6)])
        built = ws.datasets.build(BuildRequest(capability=PLAYERS, label_pack_ids=list(packs.values()), name="players"))
        ws.datasets.set_quality_rules(PLAYERS, [BALLS], reason="the ball is what we track")
        ws.datasets.freeze(built.dataset.id, "to be held out")
        ws.versions.commit("words", [{"id": n, "word": f"word {n}"} for n in range(50)], key="id", message="first")
        ws.versions.tag("words", "v1")
        ws.versions.commit("words", [{"id": n, "word": f"word {n % 40}"} for n in range(60)], message="second")
    return folder


def opened(folder: Path) -> labelkit.Workspace:
    return labelkit.open(folder / "labels.duckdb", workspace="club-a", user="ana")


def work(ws: labelkit.Workspace) -> dict[str, object]:
    """Do what reads rows of objects, and return what came of it: risk, a build with a rule's SQL, what else holds its frames, versions."""
    live = ws.review.live("clip-1", PLAYERS)
    live.apply(ReviewOp.delete(0, live.frame(0).annotations[0].id))
    packs = [pack for pack in ws.datasets.candidates(PLAYERS)["pack_id"].to_list() if pack is not None]
    preflight = ws.datasets.preflight(BuildRequest(capability=PLAYERS, label_pack_ids=packs, name="others"))
    again = ws.datasets.build(BuildRequest(capability=PLAYERS, label_pack_ids=packs[:3], name="others"))
    done = ws.versions.commit("words", [{"id": 0, "word": "changed"}], upsert=True, message="third")
    return {
        "risk": live.worth()["risk"],
        "preflight": [issue.code for issue in preflight.issues],
        "build": (again.outcome, again.dataset.quality.badge, [check.value for check in again.dataset.quality.checks]),
        "samples": again.dataset.to_polars().drop("workspace").to_dicts(),
        "versions": (ws.versions.diff("words@v1", done.id).summary, ws.versions.checkout(done.id).collect().height),
    }


@pytest.fixture(scope="module")
def expected(plain: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, object]:
    """What the work comes to in a folder with a plain name."""
    copy = tmp_path_factory.mktemp("work") / "plain"
    shutil.copytree(plain, copy)
    with opened(copy) as ws:
        return work(ws)


@pytest.mark.parametrize(
    ("folder", "other"),
    [
        pytest.param("run[1]", None, id="a class of signs"),
        pytest.param("run[1]", "run1", id="a class of signs, and another folder that fits it"),
        pytest.param("a*b", "a-and-b", id="a star, and another folder that fits it"),
        pytest.param("[!x]**", "ab", id="everything but x, any depth"),
    ],
)
def test_a_store_in_a_folder_that_is_called_like_a_pattern_does_what_any_other_does(
    plain: Path, expected: dict[str, object], tmp_path: Path, folder: str, other: str | None
) -> None:
    # given copies of one store, so that the objects of the other folder have the same names
    for name in {folder, other} - {None}:
        shutil.copytree(plain, tmp_path / name)
    # when
    with opened(tmp_path / folder) as like:
        found = work(like)
    # then
    assert found == expected
    assert len(found["samples"]) == len({row["sample_key"] for row in found["samples"]}) == 12


@pytest.mark.parametrize("name", ["what?/labels.duckdb", "labels?.duckdb"])
def test_a_path_with_a_question_mark_is_refused_before_anything_is_written(plain: Path, tmp_path: Path, name: str) -> None:
    # given
    path = tmp_path / name
    path.parent.mkdir(exist_ok=True)
    before = sorted(tmp_path.rglob("*"))
    # when
    with pytest.raises(labelkit.LabelkitError, match=r"INVALID_VALUE.*has a question mark.*Name a path without a question mark"):
        labelkit.open(path, workspace="club-a", user="ana")
    with opened(plain) as ws, pytest.raises(labelkit.LabelkitError, match=r"The backup's path.*has a question mark"):
        ws.backup(path)
    # then
    assert sorted(tmp_path.rglob("*")) == before


def test_only_what_read_parquet_is_given_is_made_exact() -> None:
    # given
    sql = "SELECT $name FROM read_parquet( $files, filename = true) JOIN read_parquet($more) USING (id)"
    # then
    assert exactly_read(sql, {"name": "a[1]", "files": ["a[1]", "b"], "more": "c?*"}) == {
        "name": "a[1]",
        "files": ["a[[]1]", "b"],
        "more": "c[?][*]",
    }
    assert exact(Path("plain", "rows.parquet")) == "plain/rows.parquet"
