"""An export is there whole or not at all, and nothing of anybody else's is touched."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from labelkit import formats
from labelkit.errors import ExportTargetTaken, StorageWriteFailed
from labelkit.formats import coco_write, exporting, yolo_write
from labelkit.formats.exporting import staging
from tests import needs
from tests.formats import helpers
from tests.media.helpers import as_ordinary_user, open_folder

SAMPLES = helpers.samples(*[("train", [{"label": "player", "x": 1.0, "y": 1.0, "width": 9.0, "height": 9.0}])] * 3)
COCO = coco_write.FORMAT
WRITERS = pytest.mark.parametrize("format", [coco_write.FORMAT, yolo_write.FORMAT], ids=["coco", "yolo"])


def files(folder):
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


@WRITERS
def test_what_is_reported_is_what_lies_there(tmp_path, format):
    # when
    out = helpers.export(format, tmp_path / "a" / "b", SAMPLES)

    # then
    lying = files(tmp_path / "a" / "b")
    assert {file.name: file.byte_count for file in out.files} == {name: len(data) for name, data in lying.items()}
    assert [path.name for path in (tmp_path / "a").iterdir()] == ["b"]
    assert (tmp_path / "a" / "b").stat().st_mode & 0o777 == 0o777 & ~_umask()


def _umask():
    before = os.umask(0)
    os.umask(before)
    return before


@WRITERS
def test_an_earlier_export_is_replaced_whole(tmp_path, format):
    # given
    out = tmp_path / "out"
    helpers.export(format, out, SAMPLES.with_columns(split=helpers.pl.lit("old")))

    # when
    helpers.export(format, out, SAMPLES)
    helpers.export(format, tmp_path / "fresh", SAMPLES)

    # then
    assert files(out) == files(tmp_path / "fresh")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["fresh", "out"]


@WRITERS
def test_an_empty_folder_and_a_link_to_one_are_filled(tmp_path, format):
    # given
    (tmp_path / "empty").mkdir()
    (tmp_path / "link").symlink_to("empty")

    # when
    helpers.export(format, tmp_path / "link", SAMPLES)

    # then
    assert files(tmp_path / "empty")
    assert (tmp_path / "link").is_symlink()


TAKEN = {
    "a manifest that is none": {"labelkit-export.json": "{}", "annotations/instances_train.json": "{}"},
    "notes": {"notes.txt": "mine"},
    "an export with notes beside": {"annotations/instances_train.json": "{}", "classes.txt": "x", "labels/a.txt": "", "notes.md": "mine"},
    "something hidden": {".git/config": "mine"},
    "a link": {},
}


@WRITERS
@pytest.mark.parametrize("content", TAKEN.values(), ids=TAKEN)
def test_a_folder_with_anything_else_is_refused_and_left_alone(tmp_path, format, content):
    # given
    out = helpers.write(tmp_path / "out", content)
    out.mkdir(exist_ok=True)
    if not content:
        (out / "mine").symlink_to("/etc")
    before = files(out)

    # then
    with pytest.raises(ExportTargetTaken) as refused:
        helpers.export(format, out, SAMPLES)
    assert str(out) in refused.value.detail
    assert files(out) == before
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


@WRITERS
def test_a_file_is_no_place_for_an_export(tmp_path, format):
    (tmp_path / "out").write_text("mine")
    with pytest.raises(ExportTargetTaken):
        helpers.export(format, tmp_path / "out", SAMPLES)
    assert (tmp_path / "out").read_text() == "mine"


@WRITERS
def test_samples_that_fail_half_way_leave_the_earlier_export(tmp_path, format):
    # given
    helpers.export(format, tmp_path / "out", SAMPLES)
    before = files(tmp_path / "out")

    def failing():
        yield SAMPLES
        raise RuntimeError("the store went away")

    # then
    with pytest.raises(RuntimeError):
        exporting.export(format, failing(), tmp_path / "out", helpers.about(SAMPLES))
    assert files(tmp_path / "out") == before
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_where_the_new_one_cannot_be_put_the_earlier_one_stays(tmp_path, monkeypatch):
    # given a system that cannot let two folders change places
    helpers.export(COCO, tmp_path / "out", SAMPLES)
    before = files(tmp_path / "out")
    rename = Path.rename

    def stubborn(self, target):
        if ".new-" in self.name:
            raise OSError("the disk says no")
        return rename(self, target)

    # when
    monkeypatch.setattr(staging, "_exchanged", lambda *_: False)
    monkeypatch.setattr(Path, "rename", stubborn)
    with pytest.raises(StorageWriteFailed, match="the disk says no"):
        helpers.export(COCO, tmp_path / "out", SAMPLES[:1])

    # then
    assert files(tmp_path / "out") == before
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


CANCELS = {"an error": ValueError("enough"), "control C": KeyboardInterrupt()}


@pytest.mark.parametrize("cancel", CANCELS.values(), ids=CANCELS)
def test_progress_is_told_after_each_chunk_and_may_cancel(tmp_path, cancel):
    # given
    told = []

    def progress(done, total):
        told.append((done, total))
        if done == 2:
            raise cancel

    # then
    with pytest.raises(type(cancel)):
        exporting.export(COCO, SAMPLES.iter_slices(1), tmp_path / "out", helpers.about(SAMPLES), total=3, progress=progress)
    assert told == [(1, 3), (2, 3)]
    assert list(tmp_path.iterdir()) == []


def test_what_dead_exports_left_is_removed_and_what_a_living_one_writes_is_not(tmp_path):
    # given what two processes that were killed left beside an export, and an export under way
    helpers.export(COCO, tmp_path / "out", SAMPLES)
    for name in (".out.new-0123456789ab", ".out.old-0123456789ab"):
        helpers.write(tmp_path / name, {"labels/train/a.txt": "x"})
    helpers.write(tmp_path / ".out.new-of-somebody", {"a.txt": "mine"})
    helpers.export(COCO, tmp_path / "out", SAMPLES)
    assert sorted(path.name for path in tmp_path.iterdir()) == [".out.new-of-somebody", "out"]

    def slow():
        yield SAMPLES[:1]
        helpers.export(COCO, tmp_path / "out", SAMPLES[:2])
        yield SAMPLES[1:]

    # when another one to the same place begins and ends meanwhile
    exporting.export(COCO, slow(), tmp_path / "out", helpers.about(SAMPLES))

    # then both were whole, and the last one is there
    assert files(tmp_path / "out") == files(helpers.export(COCO, tmp_path / "fresh", SAMPLES).root)
    assert sorted(path.name for path in tmp_path.iterdir()) == [".out.new-of-somebody", "fresh", "out"]


def test_an_export_that_was_moved_away_and_never_replaced_goes_back(tmp_path):
    # given a system that cannot let folders change places, and a process that died between its two steps
    helpers.export(COCO, tmp_path / "out", SAMPLES)
    before = files(tmp_path / "out")
    (tmp_path / "out").rename(tmp_path / ".out.old-0123456789ab")

    def failing():
        raise RuntimeError("the store went away")
        yield

    # when the next export fails too
    with pytest.raises(RuntimeError):
        exporting.export(COCO, failing(), tmp_path / "out", helpers.about(SAMPLES))

    # then the earlier one is there again
    assert files(tmp_path / "out") == before
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_where_folders_cannot_change_places_the_new_one_comes_after_the_old_one(tmp_path, monkeypatch):
    monkeypatch.setattr(staging, "_exchanged", lambda *_: False)
    helpers.export(COCO, tmp_path / "out", SAMPLES[:1])
    helpers.export(COCO, tmp_path / "out", SAMPLES)
    assert files(tmp_path / "out") == files(helpers.export(COCO, tmp_path / "fresh", SAMPLES).root)


PRELUDE = "import sys; from labelkit.errors import LabelkitError; from tests.formats.test_exporting import COCO, SAMPLES, helpers"


def test_a_disk_that_takes_no_more_is_a_refusal_in_every_format_and_leaves_nothing(tmp_path):
    # given a limit of 100 bytes a file, which the system enforces as it does a full disk
    code = (
        f"import resource; from labelkit import formats; {PRELUDE}\nresource.setrlimit(resource.RLIMIT_FSIZE, (100, 100))\n"
        "for name in formats.WRITERS:\n"
        "    try: helpers.export(formats.writer(name), sys.argv[1], SAMPLES)\n    except LabelkitError as error: print(name, error.code)"
    )

    # when
    done = needs.run(sys.executable, "-W", "error", "-B", "-c", code, tmp_path / "out", cwd=needs.ROOT)

    # then
    assert (done.stdout.split("\n")[:-1], done.stderr) == ([f"{name} STORAGE_WRITE_FAILED" for name in formats.WRITERS], "")
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_may_not_be_written_is_a_refusal():
    code = "try: helpers.export(COCO, sys.argv[1], SAMPLES)\nexcept LabelkitError as error: print(error.code)"
    with open_folder() as folder:
        assert as_ordinary_user(f"{PRELUDE}\n---\n{code}", folder / "out") == "STORAGE_WRITE_FAILED"


def test_a_process_killed_while_it_exports_leaves_a_whole_export_and_nothing_for_long(tmp_path):
    # given a process that exports in turn one and the other set of samples into one folder, without end
    loop = "while True:\n    for part in (SAMPLES[:1], SAMPLES): helpers.export(COCO, sys.argv[1], part)"
    both = [files(helpers.export(COCO, tmp_path / "whole", part).root) for part in (SAMPLES[:1], SAMPLES)]

    for attempt in range(2):
        out = tmp_path / f"{attempt}" / "out"
        process = subprocess.Popen([sys.executable, "-c", f"{PRELUDE}\n{loop}", str(out)], cwd=needs.ROOT, stdin=subprocess.DEVNULL)
        deadline = time.monotonic() + 60
        while not out.exists() and time.monotonic() < deadline:
            time.sleep(0.01)
        time.sleep(0.03 * attempt)

        # when
        process.send_signal(signal.SIGKILL)
        process.wait(timeout=30)

        # then the folder has one or the other, whole; the next export removes what is left beside it
        assert files(out) in both
        helpers.export(COCO, out, SAMPLES)
        assert [path.name for path in out.parent.iterdir()] == ["out"]
