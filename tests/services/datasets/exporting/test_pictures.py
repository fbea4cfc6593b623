"""Pictures in exports: the stored bytes of each sample in the three formats that hold them, and what is said of those that are not."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import polars as pl
import pytest
from PIL import Image

import labelkit
from labelkit.formats.keyed.tar_rows import read_members
from labelkit.formats.tfrecord.frames import batches, features
from tests.media.helpers import index_in, video
from tests.services import pictured
from tests.services.packs import change
from tests.services.worlds import as_user

if TYPE_CHECKING:
    from pathlib import Path

    from labelkit.services.datasets import Dataset

FORMATS = ("huggingface", "tfrecord", "webdataset")
every_format = pytest.mark.parametrize("name", FORMATS)


@pytest.fixture
def ws():
    with labelkit.open(":memory:", workspace="club-a", user="ana") as opened:
        yield opened


@pytest.fixture
def dataset(ws, tmp_path) -> Dataset:
    """Two media with four frames each."""
    return pictured.dataset(ws, tmp_path / "media")


def pictures(folder: Path, name: str) -> dict[str, bytes]:
    """The pictures in an export by sample key, those that are there."""
    if name == "huggingface":
        rows = pl.read_parquet(folder / "data").select("sample_key", data=pl.col("image").struct.field("bytes"))
        return {key: data for key, data in rows.iter_rows() if data is not None}
    if name == "webdataset":
        members = [member for path in folder.glob("*.tar") for member in read_members(path)]
        return {member.name.rpartition(".")[0]: member.data for member in members if not member.name.endswith(".json")}
    found = [features(batch) for path in folder.glob("*.tfrecord") for batch in batches(path)]
    held = {}
    for one in found:
        if "image/encoded" in one:
            keys = pl.Series(one["sample_key"].values).cast(pl.String).filter(pl.Series(one["image/encoded"].present))
            held |= dict(zip(keys.to_list(), one["image/encoded"].values.to_list(), strict=True))
    return held


def stored(root: Path) -> dict[str, bytes]:
    return {f"club-a/{file.parent.name}/{file.stem}": file.read_bytes() for file in sorted(root.rglob("*.png"))}


def told(report) -> list[tuple[str, int, str]]:
    return [(str(loss.facet), loss.count, loss.sentence) for loss in report.losses]


@every_format
def test_an_export_holds_the_stored_bytes_of_each_picture_and_loses_nothing(dataset, tmp_path, name):
    report = dataset.export(name, tmp_path / "out")

    assert pictures(tmp_path / "out", name) == stored(tmp_path / "media")
    assert told(report) == []
    assert labelkit.verify(tmp_path / "out")


@every_format
def test_a_picture_that_is_gone_or_changed_leaves_its_sample_without_one_and_is_listed_as_lost(dataset, tmp_path, name):
    (tmp_path / "media" / "match-0" / "000001.png").unlink()
    pictured.draw(tmp_path / "media" / "match-1", ["000002.png"], seed=99)

    report = dataset.export(name, tmp_path / "out")

    kept = stored(tmp_path / "media")
    del kept["club-a/match-1/000002"]
    assert pictures(tmp_path / "out", name) == kept
    assert report.row_count == 8
    assert told(report) == [("pictures", 2, "2 samples come without their picture: FRAME_CHANGED 1, FRAME_MISSING 1")]
    assert "2 samples come without their picture" in (tmp_path / "out" / "labelkit-export.json").read_text(encoding="utf-8")


def test_a_picture_that_is_gone_is_taken_from_where_it_was_materialized(dataset, tmp_path):
    before = stored(tmp_path / "media")
    dataset.materialize(tmp_path / "copies", mode="copy")
    (tmp_path / "media" / "match-0" / "000001.png").unlink()

    report = dataset.export("webdataset", tmp_path / "out")

    assert pictures(tmp_path / "out", "webdataset") == before
    assert told(report) == []


def test_pictures_of_a_workspace_that_one_may_not_read_are_left_out_and_said_beforehand(ws, dataset, tmp_path):
    mina = as_user(ws, "mina", "viewer").datasets.get(dataset.id)
    change(ws, "UPDATE media SET workspace_id = 'wsp_other' WHERE name = 'match-1'")

    expected = mina.losses("tfrecord")
    report = mina.export("tfrecord", tmp_path / "out")

    assert set(pictures(tmp_path / "out", "tfrecord")) == {f"club-a/match-0/{index:06}" for index in range(4)}
    assert told(report) == [("pictures", 4, "4 samples come without their picture: SAMPLE_OF_ANOTHER_WORKSPACE 4")]
    assert expected.rows() == told(report)
    assert mina.losses("jsonl").is_empty()


def test_frames_of_a_video_become_jpeg_which_is_said_beforehand(ws, tmp_path):
    path = video(tmp_path / "clip.mp4", frames=5)
    dataset = pictured.built(ws, [pictured.pack(ws, path, "clip", 5)])

    expected = dataset.losses("webdataset")
    report = dataset.export("webdataset", tmp_path / "out")

    found = pictures(tmp_path / "out", "webdataset")
    assert [index_in(data) for _, data in sorted(found.items())] == list(range(5))
    assert {Image.open(io.BytesIO(data)).format for data in found.values()} == {"JPEG"}
    assert told(report) == [("pictures", 5, "5 pictures are frames of videos, decoded and written as JPEG")]
    assert expected.rows() == told(report)


def test_a_picture_that_browsers_do_not_show_keeps_its_bytes_too(ws, tmp_path):
    source = pictured.draw(tmp_path / "media" / "m", ["a.tiff"])
    dataset = pictured.built(ws, [pictured.pack(ws, source, "m", 1)])

    dataset.export("webdataset", tmp_path / "out")

    [member] = [one for path in (tmp_path / "out").glob("*.tar") for one in read_members(path) if not one.name.endswith(".json")]
    assert (member.name, member.data) == ("club-a/m/000000.tiff", (source / "a.tiff").read_bytes())
