"""An export is checked by its manifest alone: whatever changes in it, down to a bit, is named."""

from __future__ import annotations

import hashlib
import json
import random
import shutil
from dataclasses import replace

import fsspec
import polars as pl
import pytest
import rfc8785
from hypothesis import given, settings
from hypothesis import strategies as st

import labelkit
from labelkit import formats
from labelkit.errors import NotAnExport
from labelkit.formats.exports import Facet, Loss, WrittenFile
from labelkit.formats.manifest import MANIFEST, Manifest
from tests.formats import helpers, row_zoo

BOX = {"id": "1", "label": "player", "x": 10.1234, "y": 5.5, "width": 20.25, "height": 30.0, "score": 0.875}
SAMPLES = helpers.samples(("train", [BOX]), ("val", []), ("train", [BOX | {"id": "2"}]))


@pytest.fixture(scope="module")
def exports(tmp_path_factory):
    """One export of each format, which tests change and bring back."""
    root = tmp_path_factory.mktemp("exports")
    for name in formats.WRITERS:
        helpers.export(formats.writer(name), root / name, SAMPLES)
    helpers.export(formats.writer("jsonl"), root / "rows", row_zoo.ODDITIES, None)
    return root


def named(folder):
    return [(one.file, str(one.problem)) for one in labelkit.verify(folder).findings]


def test_an_export_as_it_was_written_is_whole_in_every_format(exports):
    for folder in exports.iterdir():
        found = labelkit.verify(folder)
        assert (found.ok, bool(found), found.findings) == (True, True, ())
        assert found.file_count == sum(path.is_file() for path in folder.rglob("*"))
        assert found.byte_count == sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
        assert repr(found).startswith(f"{folder}: whole (")


@settings(max_examples=80, deadline=None)
@given(data=st.data())
def test_a_bit_that_changes_anywhere_is_named_by_its_file(exports, data):
    # given any bit of any file of any export
    folder = data.draw(st.sampled_from(sorted(exports.iterdir())))
    file = data.draw(st.sampled_from(sorted(path for path in folder.rglob("*") if path.is_file() and path.stat().st_size)))
    before = file.read_bytes()
    bit = data.draw(st.integers(0, len(before) * 8 - 1))

    # when it changes
    after = bytearray(before)
    after[bit // 8] ^= 1 << bit % 8
    file.write_bytes(after)

    # then this file is named and no other
    try:
        assert named(folder) == [(file.relative_to(folder).as_posix(), "changed")]
    finally:
        file.write_bytes(before)


def test_every_single_bit_of_a_manifest_counts(exports):
    # given
    data = (exports / "rows" / MANIFEST).read_bytes()
    assert Manifest.read(data) is not None

    # then of any flipped bit, cut end, and of other letters for the same value, nothing is taken for a manifest
    for place in range(len(data)):
        changed = bytearray(data)
        changed[place] ^= 1 << random.Random(place).randrange(8)
        assert Manifest.read(bytes(changed)) is None
    assert Manifest.read(data[:-1]) is None
    assert Manifest.read(data + b"\n") is None
    assert Manifest.read(json.dumps(json.loads(data)).encode()) is None


def cut(file, end):
    file.write_bytes(file.read_bytes()[:end])


def grown(file):
    file.write_bytes(file.read_bytes() + b" ")


def linked(file):
    file.rename(file.parent.parent / "elsewhere")
    file.symlink_to(file.parent.parent / "elsewhere")


def swapped(folder):
    (folder / "val.jsonl").rename(folder / "x")
    (folder / "train.jsonl").rename(folder / "val.jsonl")
    (folder / "x").rename(folder / "train.jsonl")


def other_manifest(folder):
    manifest = Manifest.read((folder / MANIFEST).read_bytes())
    files = [one if one["name"] != "train.jsonl" else one | {"sha256": "0" * 64} for one in manifest.content["files"]]
    (folder / MANIFEST).write_bytes(replace(manifest, content={**manifest.content, "files": files}).data)


CHANGES = {
    "cut short": (lambda folder: cut(folder / "train.jsonl", -1), [("train.jsonl", "changed")]),
    "made longer": (lambda folder: grown(folder / "train.jsonl"), [("train.jsonl", "changed")]),
    "emptied": (lambda folder: (folder / "val.jsonl").write_bytes(b""), [("val.jsonl", "changed")]),
    "added": (lambda folder: helpers.write(folder, {"deep/er/notes.txt": "mine"}), [("deep/er/notes.txt", "foreign")]),
    "hidden": (lambda folder: helpers.write(folder, {".DS_Store": ""}), [(".DS_Store", "foreign")]),
    "removed": (lambda folder: (folder / "val.jsonl").unlink(), [("val.jsonl", "missing")]),
    "renamed": (lambda folder: (folder / "val.jsonl").rename(folder / "test.jsonl"), [("test.jsonl", "foreign"), ("val.jsonl", "missing")]),
    "a link": (lambda folder: linked(folder / "val.jsonl"), [("val.jsonl", "changed")]),
    "a folder": (lambda folder: ((folder / "val.jsonl").unlink(), (folder / "val.jsonl").mkdir()), [("val.jsonl", "missing")]),
    "swapped": (swapped, [("train.jsonl", "changed"), ("val.jsonl", "changed")]),
    "the description": (lambda folder: cut(folder / "croissant.json", 5), [("croissant.json", "changed")]),
    "the manifest": (lambda folder: cut(folder / MANIFEST, 5), [(MANIFEST, "changed")]),
    "the manifest of another": (other_manifest, [("train.jsonl", "changed")]),
}


@pytest.mark.parametrize(("change", "findings"), CHANGES.values(), ids=CHANGES)
def test_whatever_was_changed_is_named(exports, tmp_path, change, findings):
    # given
    folder = tmp_path / "jsonl"
    shutil.copytree(exports / "jsonl", folder)

    # when
    change(folder)

    # then
    assert named(folder) == findings
    found = labelkit.verify(folder)
    assert not found
    assert found.to_polars().select("file", "problem").rows() == findings
    assert all(name in repr(found) and name in found._repr_html_() for name, _ in findings)


def test_a_url_is_checked_too(exports):
    # given
    fs = fsspec.filesystem("memory")
    fs.put(f"{exports / 'coco'}/", "/checked/", recursive=True)

    # then
    assert labelkit.verify("memory://checked").ok
    fs.pipe("/checked/annotations/instances_train.json", b"{}")
    assert named("memory://checked") == [("annotations/instances_train.json", "changed")]
    fs.rm("/checked", recursive=True)


@pytest.mark.parametrize("what", ["nothing", "a file", "files"])
def test_a_place_without_manifest_is_no_export(tmp_path, what):
    # given
    if what == "a file":
        (tmp_path / "out").write_text("x")
    elif what == "files":
        helpers.write(tmp_path / "out", {"a.jsonl": "{}"})

    # then
    with pytest.raises(NotAnExport) as refused:
        labelkit.verify(tmp_path / "out")
    assert (refused.value.code, str(tmp_path / "out") in refused.value.detail) == ("NOT_AN_EXPORT", True)


@pytest.mark.parametrize(
    "data", [b"", b"{}", b"[]", b"\xff", b'{"schema":NaN}', b'{"size":1e400}', b'{"size":12345678901234567890}', b"[" * 10_000]
)
def test_what_is_no_manifest_is_never_taken_for_one(data):
    assert Manifest.read(data) is None


def test_a_manifest_is_canonical_json_with_the_digest_of_the_rest():
    # given files whose names and counts are written in another way by plain encoders
    files = [WrittenFile(name, 2**40, "0" * 64, rows) for name, rows in (("a/b.txt", 1), ('q"\\', None), ("é\u2028\x7f", 0))]
    about = helpers.about(SAMPLES, helpers.POINTS, title="tëst")

    for some in (files[:2], files):
        # when
        data = Manifest.of("coco", about, some, {"train": 1}, 0, ()).data

        # then
        held = json.loads(data)
        digest = held.pop("digest")
        assert data == rfc8785.dumps(held | {"digest": digest})
        assert digest == "sha256:" + hashlib.sha256(rfc8785.dumps(held)).hexdigest()


def test_a_manifest_that_lacks_something_is_none(exports):
    # given
    content = dict(Manifest.read((exports / "rows" / MANIFEST).read_bytes()).content)

    # then
    for name in ("format", "key", "files", "columns", "json_columns", "splits", "rows"):
        assert Manifest.read(Manifest({one: value for one, value in content.items() if one != name}).data) is None


def test_a_manifest_says_what_the_export_is_of(tmp_path):
    # given
    loss = Loss(Facet.SCORES, 2, "2 annotations lose the score of the model")
    about = helpers.about(SAMPLES, license="CC0-1.0", creator="ana", source="dataset:ab12")

    # when
    files = helpers.exporting.export(formats.writer("yolo"), [SAMPLES], tmp_path / "out", about, losses=[loss]).files

    # then
    manifest = Manifest.read((tmp_path / "out" / MANIFEST).read_bytes())
    assert {name: manifest.content[name] for name in ("format", "title", "license", "creator", "source", "rows", "annotations")} == {
        "format": "yolo",
        "title": "demo v1",
        "license": "CC0-1.0",
        "creator": "ana",
        "source": "dataset:ab12",
        "rows": {"train": 2, "val": 1},
        "annotations": 2,
    }
    assert manifest.content["losses"] == [{"facet": "scores", "count": 2, "sentence": loss.sentence}]
    assert manifest.columns == dict(SAMPLES.schema)
    assert manifest.files == tuple(file for file in files if file.name != MANIFEST)
    assert isinstance(manifest.columns["annotations"], pl.List)
