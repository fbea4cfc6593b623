"""Places that files are materialized to: S3, memory, other disks, and places that hold something else."""

from __future__ import annotations

import errno
import os

import fsspec
import pytest

import labelkit
from tests import cloud
from tests.services import pictured
from tests.services.pictured import files
from tests.services.worlds import refused


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    return tmp_path_factory.mktemp("media")


@pytest.fixture(scope="module")
def ws():
    with labelkit.open(":memory:", workspace="club-a", user="ana") as opened:
        yield opened


@pytest.fixture(scope="module")
def dataset(ws, root):
    """Two media with four frames of 64 x 48 px, two boxes each."""
    return pictured.dataset(ws, root)


@pytest.fixture(scope="module")
def s3(tmp_path_factory):
    with cloud.s3(tmp_path_factory.mktemp("s3")) as options:
        yield options


@pytest.fixture(params=["memory", "s3"])
def remote(request):
    """A place that no disk has, with its storage options and the file system below it."""
    name = "".join(sign if sign.isalnum() else "-" for sign in request.node.name)
    if request.param == "memory":
        return f"memory://{name}", {}, fsspec.filesystem("memory")
    options = request.getfixturevalue("s3")
    return f"s3://{cloud.BUCKET}/{name}", options, fsspec.filesystem("s3", **options)


def below(url, fs):
    """The files of a place by path, without manifests."""
    fs.invalidate_cache()
    root = fs._strip_protocol(url)
    return {path.removeprefix(f"{root}/"): fs.cat_file(path) for path in sorted(fs.find(root)) if "/.labelkit/" not in path}


@pytest.mark.parametrize("mode", ["copy", "crops"])
def test_a_remote_place_gets_the_same_files_and_a_rerun_makes_what_is_missing_or_damaged(dataset, tmp_path, remote, mode):
    # given
    url, options, fs = remote
    dataset.materialize(tmp_path / mode, mode)
    expected = files(tmp_path / mode)

    # when
    report = dataset.materialize(url, mode, storage_options=options, shard_samples=2)

    # then
    assert (report.status, report.made, report.target) == ("complete", len(expected), url)
    assert below(url, fs) == expected

    # and when one is gone, one cut short and one replaced by as many bytes
    gone, short, other = (f"{fs._strip_protocol(url)}/{name}" for name in [*expected][:3])
    fs.rm_file(gone)
    fs.pipe_file(short, b"x")
    fs.pipe_file(other, bytes(len(expected[[*expected][2]])))
    again = dataset.materialize(url, mode, storage_options=options)
    assert (again.status, again.made, again.kept) == ("complete", 3, len(expected) - 3)
    assert below(url, fs) == expected
    assert dataset.materialize(url, mode, storage_options=options).made == 0


def test_a_bucket_that_is_not_there_is_not_made(dataset, s3):
    assert refused(lambda: dataset.materialize("s3://no-such-bucket/x", "copy", storage_options=s3)) == "MATERIALIZATION_TARGET_UNREACHABLE"
    assert not fsspec.filesystem("s3", **s3).exists("s3://no-such-bucket")


def test_secrets_in_an_address_are_not_kept(ws, dataset):
    # when
    report = dataset.materialize("memory://me:secret@place/x", "copy", storage_options={"key": "s3cr3t"})

    # then
    assert report.target == dataset.materialized.target == "memory://place/x"
    kept = f"{report!r} {dataset.materialization_runs()} {ws.audit()['facts'].to_list()}"
    assert "secret" not in kept
    assert "s3cr3t" not in kept


def test_there_are_no_links_but_on_a_disk(dataset, tmp_path):
    # then
    assert refused(lambda: dataset.materialize("memory://links", "link")) == "MATERIALIZATION_LINK_IMPOSSIBLE"

    # and with copies in their place
    report = dataset.materialize("memory://links", "link", copy_if_unlinkable=True)
    dataset.materialize(tmp_path / "link")
    assert report.status == "complete"
    assert below("memory://links", fsspec.filesystem("memory")) == files(tmp_path / "link")


def test_another_disk_is_refused_before_anything_is_made(dataset, tmp_path, monkeypatch):
    # given a place on another device, as far as the system says
    monkeypatch.setattr("labelkit.media.targets.LocalTarget.device", lambda _: -1)

    # then
    assert refused(lambda: dataset.materialize(tmp_path / "out")) == "MATERIALIZATION_LINK_IMPOSSIBLE"
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("code", [errno.EXDEV, errno.EPERM, errno.EMLINK])
def test_where_the_system_will_not_link_frames_are_copied_only_when_asked(dataset, tmp_path, monkeypatch, code):
    # given
    def link(*_, **_more):
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr("labelkit.media.targets.os.link", link)

    # when
    plain = dataset.materialize(tmp_path / "plain")
    asked = dataset.materialize(tmp_path / "asked", copy_if_unlinkable=True)

    # then
    assert (plain.status, plain.made, {one.code for one in plain.failures}) == ("partial", 0, {"MATERIALIZATION_LINK_IMPOSSIBLE"})
    assert (asked.status, asked.made) == ("complete", 8)
    assert {row["made"] for row in pictured.manifest(tmp_path / "asked")} == {"copy"}


@pytest.mark.parametrize(
    ("before", "says"),
    [
        pytest.param(lambda out, _: (out.mkdir(), (out / "mine.txt").write_text("x")), "files that no materialization made", id="files"),
        pytest.param(lambda out, dataset: dataset.materialize(out, "crops"), "in mode crops", id="another mode"),
        pytest.param(
            lambda out, _: ((out / ".labelkit").mkdir(parents=True), (out / ".labelkit" / "materialization.json").write_text("{")),
            "a damaged materialization",
            id="a damaged marker",
        ),
    ],
)
def test_a_place_that_holds_something_else_is_refused_and_stays_as_it_is(dataset, tmp_path, before, says):
    # given
    out = tmp_path / "out"
    before(out, dataset)
    there = pictured.everything(out)

    # when
    with pytest.raises(labelkit.LabelkitError) as refusal:
        dataset.materialize(out, "copy")

    # then
    assert refusal.value.code == "MATERIALIZATION_TARGET_TAKEN"
    assert says in refusal.value.detail
    assert pictured.everything(out) == there


def test_another_version_goes_to_another_place_and_an_equal_one_to_the_same(ws, dataset, tmp_path):
    # given a version of half of it, and one that is equal
    packs = dataset.lineage.to_polars()["pack_id"].to_list()
    half = pictured.built(ws, packs[:1], name="half")
    forced = pictured.built(ws, packs, name="players", force=True)
    dataset.materialize(tmp_path / "out")

    # then
    assert refused(lambda: half.materialize(tmp_path / "out")) == "MATERIALIZATION_TARGET_TAKEN"
    assert forced.materialize(tmp_path / "out").kept == 8


@pytest.mark.parametrize("url", ["nosuch://x/y", "http://127.0.0.1:1/x", "/dev/null/x", "/dev/null"])
def test_a_place_that_cannot_be_is_a_refusal(dataset, url):
    assert refused(lambda: dataset.materialize(url, "copy")) == "MATERIALIZATION_TARGET_UNREACHABLE"


def test_a_file_address_is_a_folder(dataset, tmp_path):
    assert dataset.materialize(f"file://{tmp_path}/out", "link").made == 8
    assert len(files(tmp_path / "out")) == 8
