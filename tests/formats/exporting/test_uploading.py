"""Exports at URLs: whole by their manifest, replaced file by file, resumed after an interruption."""

from __future__ import annotations

from contextlib import suppress

import fsspec
import pytest

import labelkit
from labelkit.errors import ExportTargetTaken, InvalidValue, NotAnExport, StorageWriteFailed
from labelkit.formats import coco_write
from labelkit.formats.exporting import uploading
from labelkit.formats.keyed import jsonl
from labelkit.formats.manifest import MANIFEST
from labelkit.formats.places import RemotePlace, place_of
from tests import cloud
from tests.formats import helpers

BOX = {"id": "1", "label": "player", "x": 1.0, "y": 1.0, "width": 9.0, "height": 9.0}
SAMPLES = helpers.samples(("train", [BOX]), ("val", [BOX]), ("train", []))
FEWER = SAMPLES.filter(split="train")


def place(url, **options):
    return place_of(url, options)


def files(target):
    return {name: target.read(name) for name in target.names()}


def export(target, rows, format=jsonl.FORMAT, **options):
    return helpers.exporting.export(format, [rows], target, helpers.about(rows), **options)


@pytest.fixture
def url():
    """A place in memory, empty before and after."""
    yield "memory://uploads"
    with suppress(FileNotFoundError):
        fsspec.filesystem("memory").rm("/uploads", recursive=True)


class Recorded(RemotePlace):
    """A place that keeps what was done to its files, in order, and may stop before a step."""

    def __init__(self, inner, stop=None):
        super().__init__(inner.title, self, inner.root)
        object.__setattr__(self, "steps", [])
        object.__setattr__(self, "_inner", inner.fs)
        object.__setattr__(self, "_stop", stop)

    def __getattr__(self, name):
        inner = getattr(object.__getattribute__(self, "_inner"), name)
        if name not in ("pipe_file", "put_file", "rm_file"):
            return inner

        def step(*arguments):
            if len(self.steps) == self._stop:
                raise KeyboardInterrupt
            place = arguments[1] if name == "put_file" else arguments[0]
            self.steps.append((name, place.removeprefix(self.root).strip("/")))
            return inner(*arguments)

        return step


def staged(folder, rows):
    helpers.export(jsonl.FORMAT, folder, rows)
    return folder


def test_what_is_written_to_a_url_is_what_is_written_to_a_folder(url, tmp_path):
    # when
    there, here = export(f"{url}/deep", SAMPLES), export(tmp_path / "here", SAMPLES)

    # then
    assert (there.root, there.files) == (f"{url}/deep", here.files)
    assert files(place(f"{url}/deep")) == files(place(tmp_path / "here"))
    assert labelkit.verify(f"{url}/deep").ok


def test_an_earlier_export_is_replaced_and_what_it_had_more_is_removed(url, tmp_path):
    # given
    export(url, SAMPLES, coco_write.FORMAT)

    # when
    export(url, FEWER)

    # then
    assert files(place(url)) == files(place(staged(tmp_path / "here", FEWER)))


def test_the_manifest_goes_before_anything_and_comes_after_everything(url, tmp_path):
    # given
    export(url, SAMPLES)
    recorded = Recorded(place(url))

    # when
    uploading.upload(staged(tmp_path / "here", FEWER), recorded)

    # then no manifest is there while files of both exports may be
    assert recorded.steps == [
        ("pipe_file", uploading.NOTE),
        ("rm_file", MANIFEST),
        ("put_file", "croissant.json"),
        ("put_file", "train.jsonl"),
        ("rm_file", "val.jsonl"),
        ("pipe_file", MANIFEST),
        ("rm_file", uploading.NOTE),
    ]


@pytest.mark.parametrize("stop", range(7))
def test_an_upload_that_ends_anywhere_is_no_mix_and_the_next_one_goes_on(url, tmp_path, stop):
    # given an export, and another one that ends before any of its seven steps
    export(url, SAMPLES)
    new = staged(tmp_path / "new", FEWER)
    with pytest.raises(KeyboardInterrupt):
        uploading.upload(new, Recorded(place(url), stop))

    # then a reader finds no export, or one that is whole but for the note
    if MANIFEST in place(url).names():
        assert {one.file for one in labelkit.verify(url).findings} <= {uploading.NOTE}
    else:
        with pytest.raises(NotAnExport):
            labelkit.verify(url)

    # and the next export makes it whole
    export(url, FEWER)
    assert files(place(url)) == files(place(new))


@pytest.mark.parametrize("content", [{"notes.txt": b"mine"}, {MANIFEST: b"{}"}, {uploading.NOTE: b"no", "data.jsonl": b""}])
def test_a_place_with_anything_else_is_refused_and_left_alone(url, content):
    # given
    target = place(url)
    for name, data in content.items():
        target.fs.pipe_file(target.path(name), data)

    # then
    with pytest.raises(ExportTargetTaken):
        export(url, SAMPLES)
    assert files(target) == content


def test_a_cancelled_export_never_reaches_the_place(url):
    # given
    export(url, FEWER)
    before = files(place(url))

    def cancel(*_):
        raise KeyboardInterrupt

    # then
    with pytest.raises(KeyboardInterrupt):
        export(url, SAMPLES, progress=cancel)
    assert files(place(url)) == before


def test_a_place_that_takes_nothing_is_a_refusal():
    with pytest.raises(StorageWriteFailed):
        export("simplecache::local:///dev/null/out", SAMPLES)


@pytest.mark.parametrize("target", ["nosuch://a/b", "gs2://x"])
def test_a_protocol_that_nobody_serves_is_refused(target):
    with pytest.raises(InvalidValue, match="Protocol not known"):
        export(target, SAMPLES)


def test_s3_takes_exports_and_files_that_are_there_already_are_not_sent_again(tmp_path):
    with cloud.s3(tmp_path) as options:
        # given an export to S3
        url = f"s3://{cloud.BUCKET}/exports/players"
        export(url, SAMPLES, storage_options=options)
        assert labelkit.verify(url, storage_options=options).ok

        # when another one with one more split goes there
        recorded = Recorded(place(url, **options))
        more = helpers.samples(("train", [BOX]), ("val", [BOX]), ("train", []), ("test", []))
        uploading.upload(staged(tmp_path / "more", more), recorded)

        # then only what is new was sent
        sent = [name for step, name in recorded.steps if step == "put_file"]
        assert sent == ["croissant.json", "test.jsonl"]
        assert labelkit.verify(url, storage_options=options).ok

        # and an export that is damaged there is named
        size = len(place(url, **options).read("val.jsonl"))
        place(url, **options).fs.pipe_file(f"{cloud.BUCKET}/exports/players/val.jsonl", b"x" * size)
        assert [one.file for one in labelkit.verify(url, storage_options=options).findings] == ["val.jsonl"]
