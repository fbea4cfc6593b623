"""The page of a dataset as one file: what stands in it, what it shows where something is missing, how large it gets."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from tests.services.packs import change
from tests.services.worlds import as_user, refused
from tests.widgets.scenes import built, half_built

MOST_BYTES_A_SAMPLE = 60_000


def samples_of(page: Path) -> list[dict[str, object]]:
    return json.loads(re.search(r'<script type="application/json" id="data">(.*?)</script>', page.read_text("utf-8"), re.DOTALL)[1])


@pytest.fixture
def scene(tmp_path: Path):
    ws, dataset = built(tmp_path)
    with ws:
        yield ws, dataset


def test_the_page_is_one_file_with_pictures_labels_and_everything_that_is_known(scene, tmp_path: Path):
    # when
    dataset = scene[1]
    page = dataset.to_page(tmp_path / "players.html")

    # then
    text, samples = page.read_text("utf-8"), samples_of(page)
    assert [one["key"] for one in samples] == dataset.to_polars()["sample_key"].to_list()
    assert all(one["picture"].startswith("data:image/jpeg;base64,") for one in samples)
    assert [len(one["shapes"]) for one in samples] == [len(sample.annotations) for sample in dataset.samples()]
    assert "All samples." in text
    assert all(
        part in text for part in (dataset.id, dataset.manifest_hash, dataset.build_fingerprint, dataset.quality.badge, "LOW_SAMPLE_COUNT")
    )
    assert not re.search(r'(src|href|url)\s*[=(]\s*"?(https?:|//)', text)
    assert page.stat().st_size < 100_000 + len(samples) * MOST_BYTES_A_SAMPLE


@pytest.mark.parametrize(
    ("samples", "numbers", "said"),
    [(3, [0, 3, 6], "3 of 9 samples, evenly spread."), (0, [], "0 of 9 samples"), (["club-a/clip-2/000001"], [4], "1 chosen samples.")],
)
def test_the_page_holds_as_many_samples_as_asked_for_and_says_which(scene, tmp_path: Path, samples, numbers, said):
    # when
    page = scene[1].to_page(tmp_path / "page.html", samples=samples)
    # then
    keys = scene[1].to_polars()["sample_key"].to_list()
    assert [one["key"] for one in samples_of(page)] == [keys[number] for number in numbers]
    assert said in page.read_text("utf-8")


def test_a_picture_that_is_gone_is_a_reason_and_never_a_blank(scene, tmp_path: Path):
    # given
    ws, dataset = scene

    file = Path(ws.media.get("clip-1").root) / ws.media.frame("clip-1", 0).name
    kept = file.read_bytes()
    file.unlink()
    try:
        # when
        first, second, *_ = samples_of(dataset.to_page(tmp_path / "page.html"))
    finally:
        file.write_bytes(kept)
    # then
    assert (first["picture"], first["reason_code"]) == (None, "FRAME_MISSING")
    assert (second["reason_code"], second["picture"] is None) == ("", False)


def test_a_materialized_picture_stands_in_for_one_that_is_gone(scene, tmp_path: Path):
    # given
    ws, dataset = scene
    dataset.materialize(tmp_path / "files", "copy")

    file = Path(ws.media.get("clip-1").root) / ws.media.frame("clip-1", 0).name
    kept = file.read_bytes()
    file.unlink()
    try:
        # when
        first = samples_of(ws.datasets.get(dataset.id).to_page(tmp_path / "page.html"))[0]
    finally:
        file.write_bytes(kept)
    # then
    assert (first["reason_code"], first["picture"] is None) == ("", False)


def test_a_version_without_content_has_a_page_that_says_so(tmp_path: Path):
    # given
    ws, dataset = half_built(tmp_path)
    with ws:
        text = dataset.to_page(tmp_path / "page.html").read_text("utf-8")
    # then
    assert text.count("Stats not available yet") == 2
    assert all(part in text for part in ("STORAGE_READ_FAILED", "Not evaluated", "failed"))


@pytest.mark.parametrize(
    ("wanted", "code"),
    [({"samples": -1}, "INVALID_VALUE"), ({"samples": "club-a/clip-1/000000"}, "INVALID_VALUE"), ({"samples": ["nobody/0"]}, "NOT_FOUND")],
)
def test_what_cannot_be_shown_is_refused(scene, tmp_path: Path, wanted, code):
    assert refused(lambda: scene[1].to_page(tmp_path / "page.html", **wanted)) == code
    assert refused(lambda: scene[1].to_page(tmp_path / "no folder" / "page.html")) == "STORAGE_WRITE_FAILED"


def test_pictures_of_a_workspace_that_one_may_not_read_are_not_on_the_page(scene, tmp_path: Path):
    # given that the media are somebody else's now, and their files were made before
    ws, dataset = scene
    dataset.materialize(tmp_path / "files", "copy")
    mina = as_user(ws, "mina", "viewer")
    change(ws, "UPDATE media SET workspace_id = 'wsp_other'")
    # when
    page = mina.datasets.get(dataset.id).to_page(tmp_path / "page.html", samples=2)
    # then
    assert [(one["picture"], one["reason_code"]) for one in samples_of(page)] == [(None, "SAMPLE_OF_ANOTHER_WORKSPACE")] * 2
