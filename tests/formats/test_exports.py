"""An export is there whole or not at all, and nothing of anybody else's is touched."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

import pytest

from labelkit.errors import ExportTargetTaken, StorageWriteFailed
from labelkit.formats import coco_write, exports, yolo_write
from tests import needs
from tests.formats import helpers
from tests.media.helpers import as_ordinary_user, open_folder

SAMPLES = helpers.samples(*[("train", [{"label": "player", "x": 1.0, "y": 1.0, "width": 9.0, "height": 9.0}])] * 3)
WRITERS = pytest.mark.parametrize("write", [coco_write.write, yolo_write.write], ids=["coco", "yolo"])


def files(folder):
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


@WRITERS
def test_what_is_reported_is_what_lies_there(tmp_path, write):
    # when
    out = write(iter([SAMPLES]), tmp_path / "a" / "b", capability=helpers.BOXES)

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
def test_an_earlier_export_is_replaced_whole(tmp_path, write):
    # given
    out = tmp_path / "out"
    write(iter([SAMPLES.with_columns(split=helpers.pl.lit("old"))]), out, capability=helpers.BOXES)

    # when
    write(iter([SAMPLES]), out, capability=helpers.BOXES)
    write(iter([SAMPLES]), tmp_path / "fresh", capability=helpers.BOXES)

    # then
    assert files(out) == files(tmp_path / "fresh")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["fresh", "out"]


@WRITERS
def test_an_empty_folder_and_a_link_to_one_are_filled(tmp_path, write):
    # given
    (tmp_path / "empty").mkdir()
    (tmp_path / "link").symlink_to("empty")

    # when
    write(iter([SAMPLES]), tmp_path / "link", capability=helpers.BOXES)

    # then
    assert files(tmp_path / "empty")
    assert (tmp_path / "link").is_symlink()


TAKEN = {
    "notes": {"notes.txt": "mine"},
    "an export with notes beside": {"annotations/instances_train.json": "{}", "classes.txt": "x", "labels/a.txt": "", "notes.md": "mine"},
    "something hidden": {".git/config": "mine"},
    "a link": {},
}


@WRITERS
@pytest.mark.parametrize("content", TAKEN.values(), ids=TAKEN)
def test_a_folder_with_anything_else_is_refused_and_left_alone(tmp_path, write, content):
    # given
    out = helpers.write(tmp_path / "out", content)
    out.mkdir(exist_ok=True)
    if not content:
        (out / "mine").symlink_to("/etc")
    before = files(out)

    # then
    with pytest.raises(ExportTargetTaken) as refused:
        write(iter([SAMPLES]), out, capability=helpers.BOXES)
    assert str(out) in refused.value.detail
    assert files(out) == before
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


@WRITERS
def test_a_file_is_no_place_for_an_export(tmp_path, write):
    (tmp_path / "out").write_text("mine")
    with pytest.raises(ExportTargetTaken):
        write(iter([SAMPLES]), tmp_path / "out", capability=helpers.BOXES)
    assert (tmp_path / "out").read_text() == "mine"


@WRITERS
def test_samples_that_fail_half_way_leave_the_earlier_export(tmp_path, write):
    # given
    write(iter([SAMPLES]), tmp_path / "out", capability=helpers.BOXES)
    before = files(tmp_path / "out")

    def failing():
        yield SAMPLES
        raise RuntimeError("the store went away")

    # then
    with pytest.raises(RuntimeError):
        write(failing(), tmp_path / "out", capability=helpers.BOXES)
    assert files(tmp_path / "out") == before
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_where_the_new_one_cannot_be_put_the_earlier_one_stays(tmp_path, monkeypatch):
    # given
    coco_write.write(iter([SAMPLES]), tmp_path / "out", capability=helpers.BOXES)
    before = files(tmp_path / "out")
    rename = exports.Path.rename

    def stubborn(self, target):
        if ".new-" in self.name:
            raise OSError("the disk says no")
        return rename(self, target)

    # when
    monkeypatch.setattr(exports.Path, "rename", stubborn)
    with pytest.raises(StorageWriteFailed, match="the disk says no"):
        coco_write.write(iter([SAMPLES[:1]]), tmp_path / "out", capability=helpers.BOXES)

    # then
    assert files(tmp_path / "out") == before


PRELUDE = "import sys; from labelkit.errors import LabelkitError; from tests.formats.test_exports import SAMPLES, coco_write, helpers"


def test_a_disk_that_takes_no_more_is_a_refusal_and_leaves_nothing(tmp_path):
    # given a limit of 100 bytes a file, which the system enforces as it does a full disk
    code = (
        f"import resource; {PRELUDE}\nresource.setrlimit(resource.RLIMIT_FSIZE, (100, 100))\n"
        "try: coco_write.write(iter([SAMPLES]), sys.argv[1], capability=helpers.BOXES)\nexcept LabelkitError as error: print(error.code)"
    )

    # when
    done = needs.run(sys.executable, "-W", "error", "-B", "-c", code, tmp_path / "out", cwd=needs.ROOT)

    # then
    assert (done.stdout.strip(), done.stderr) == ("STORAGE_WRITE_FAILED", "")
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_may_not_be_written_is_a_refusal():
    code = "try: coco_write.write(iter([SAMPLES]), sys.argv[1], capability=helpers.BOXES)\nexcept LabelkitError as error: print(error.code)"
    with open_folder() as folder:
        assert as_ordinary_user(f"{PRELUDE}\n---\n{code}", folder / "out") == "STORAGE_WRITE_FAILED"


def test_a_process_killed_while_it_exports_leaves_no_half_export(tmp_path):
    # given a process that exports in turn one and the other set of samples into one folder, without end
    loop = "while True:\n    for part in (SAMPLES[:1], SAMPLES): coco_write.write(iter([part]), sys.argv[1], capability=helpers.BOXES)"
    both = [coco_write.write(iter([part]), tmp_path / "whole", capability=helpers.BOXES).files for part in (SAMPLES[:1], SAMPLES)]

    for attempt in range(5):
        out = tmp_path / f"{attempt}" / "out"
        process = subprocess.Popen([sys.executable, "-c", f"{PRELUDE}\n{loop}", str(out)], cwd=needs.ROOT, stdin=subprocess.DEVNULL)
        deadline = time.monotonic() + 60
        while not out.exists() and time.monotonic() < deadline:
            time.sleep(0.01)
        time.sleep(0.017 * attempt)

        # when
        process.send_signal(signal.SIGKILL)
        process.wait(timeout=30)

        # then the folder has one or the other, whole, or there is none for the instant between
        assert not out.exists() or exports.digests(out) in both
