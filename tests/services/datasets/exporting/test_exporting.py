"""A built dataset in every format: what is lost is known before, pictures come as they are stored, and cancelling leaves nothing."""

from __future__ import annotations

import json
import tarfile

import polars as pl
import pytest

import labelkit
from labelkit import formats
from tests.services import pictured
from tests.services.worlds import as_user, refused


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """A dataset of two media with four pictures each, in a store that tests only read and export from."""
    root = tmp_path_factory.mktemp("store")
    with labelkit.open(root / "labels.duckdb", workspace="club-a", user="ana") as ws:
        yield ws, pictured.dataset(ws, root / "media"), root / "media"


@pytest.mark.parametrize("name", formats.WRITERS)
def test_a_dataset_goes_out_in_every_format_and_is_on_record(built, tmp_path, name):
    # given
    ws, dataset, _ = built
    told = []

    # when
    lost = dataset.losses(name)
    report = dataset.export(name, tmp_path / "out", progress=lambda *counts: told.append(counts))

    # then
    assert labelkit.verify(tmp_path / "out").ok
    assert (report.sample_count, report.annotation_count, told[-1]) == (8, 16, (8, 8))
    assert report.lost.equals(lost)
    with ws._database.reading() as tx:
        record = tx.exports.of(dataset.id).filter(id=report.id).row(0, named=True)
    assert (record["format"], record["path"]) == (name, str(tmp_path / "out"))
    assert [loss["facet"] for loss in json.loads(record["losses"])] == lost["facet"].to_list()


@pytest.mark.parametrize("name", formats.ROW_READERS)
def test_samples_come_back_from_every_format_of_rows(built, tmp_path, name):
    _, dataset, _ = built
    dataset.export(name, tmp_path / "out")
    assert pl.concat(list(formats.row_reader(name)(tmp_path / "out"))).sort("sample_key").equals(dataset.to_polars())


def test_yolo_says_beforehand_what_it_has_no_place_for(built):
    _, dataset, _ = built
    lost = dict(dataset.losses("yolo").select("facet", "count").iter_rows())
    assert lost["timestamps"] == 8
    assert "empty_samples" not in lost
    assert dataset.losses("jsonl").is_empty()


def test_pictures_are_exported_as_they_are_stored_if_they_still_are(built, tmp_path):
    # given one picture that is another one now
    _, dataset, media = built
    changed = media / "match-1" / "000002.png"
    before = changed.read_bytes()
    stored = {path.read_bytes() for path in media.rglob("*.png") if path != changed}
    changed.write_bytes((media / "match-0" / "000002.png").read_bytes())

    # when
    dataset.export("webdataset", tmp_path / "out")
    changed.write_bytes(before)

    # then all others are in the export
    found = []
    for shard in (tmp_path / "out").rglob("*.tar"):
        with tarfile.open(shard) as tar:
            found += [tar.extractfile(member).read() for member in tar if member.name.endswith(".png")]
    assert (len(found), set(found)) == (7, stored)


def test_cancelling_leaves_nothing_and_no_record(built, tmp_path):
    # given
    ws, dataset, _ = built

    def cancel(*_):
        raise KeyboardInterrupt

    # when
    with pytest.raises(KeyboardInterrupt):
        dataset.export("coco", tmp_path / "out", progress=cancel)

    # then
    assert list(tmp_path.iterdir()) == []
    with ws._database.reading() as tx:
        assert str(tmp_path / "out") not in tx.exports.of(dataset.id)["path"].to_list()


def test_a_dataset_goes_to_a_url_and_one_split_of_it_too(built):
    _, dataset, _ = built
    report = dataset.export("jsonl", "memory://datasets/out", split="train")
    assert (report.split, report.path) == ("train", "memory://datasets/out")
    assert labelkit.verify("memory://datasets/out").ok


def test_what_cannot_be_is_refused_before_anything_is_written(built, tmp_path):
    ws, dataset, _ = built
    viewer = as_user(ws, "vic", "viewer").datasets.get(dataset.id)
    assert viewer.export("csv", tmp_path / "by-viewer").sample_count == 8
    assert refused(lambda: dataset.losses("cocoa")) == "UNKNOWN_FORMAT"
    assert refused(lambda: dataset.losses("coco", "nosuch")) == "NOT_FOUND"
    assert refused(lambda: dataset.export("coco", tmp_path / "out", split="nosuch")) == "NOT_FOUND"
    assert not (tmp_path / "out").exists()
