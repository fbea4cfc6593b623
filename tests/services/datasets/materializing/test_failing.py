"""What fails of a materialization, and what stops it: shard by shard, named, and never half a file."""

from __future__ import annotations

import os
import threading

import pytest

from labelkit.core.geometry import Box
from tests.services import pictured
from tests.services.pictured import draw, everything, files, replace, source

# --- what fails


@pytest.mark.parametrize("mode", ["link", "crops"])
@pytest.mark.parametrize(
    ("harm", "code"),
    [
        pytest.param(lambda file: file.unlink(), "FRAME_MISSING", id="gone"),
        pytest.param(lambda file: replace(file, b"something else"), "FRAME_CHANGED", id="changed"),
        pytest.param(lambda file: (file.unlink(), file.symlink_to("/etc/hostname")), "FRAME_OUTSIDE_ROOT", id="a way out"),
        pytest.param(lambda file: (file.unlink(), os.mkfifo(file)), "FRAME_NOT_AN_IMAGE", id="a pipe"),
    ],
)
def test_a_broken_source_fails_its_shard_alone_and_is_named(dataset, root, tmp_path, mode, harm, code):
    # given
    key, out = "club-a/match-0/000003", tmp_path / "out"
    file = source(root, key)
    data = file.read_bytes()
    harm(file)

    # when
    report = dataset.materialize(out, mode, shard_samples=2)

    # then
    a_frame = 2 if mode == "crops" else 1
    assert (report.status, report.tally.done, report.tally.failed, report.tally.missing) == ("partial", 3, 1, 0)
    assert [(failure.shard, failure.key, failure.code) for failure in report.failures] == [(1, key, code)]
    assert (report.made, report.absent) == (7 * a_frame, a_frame)
    assert f"shard 1, {key}: {code}" in repr(report)
    assert dataset.materialization == "partial"

    # and when the picture is back, the same call makes the rest
    file.unlink(missing_ok=True)
    file.write_bytes(data)
    again = dataset.materialize(out, mode)
    assert (again.status, again.made, again.kept, dataset.materialization) == ("complete", a_frame, 7 * a_frame, "complete")


def test_a_frame_that_was_only_touched_is_read_and_linked(fresh, tmp_path):
    # given frames that are trusted by size and time, of which one is newer and one was replaced by as many bytes
    touched, changed = (source(tmp_path / "media", f"club-a/match-0/00000{n}") for n in (0, 1))
    os.utime(touched)
    replace(changed, bytes(changed.stat().st_size))

    # when
    report = fresh.materialize(tmp_path / "out", "link", verify="changed")

    # then
    assert [(failure.key, failure.code) for failure in report.failures] == [("club-a/match-0/000001", "FRAME_CHANGED")]
    assert report.made == 7


def test_a_box_without_a_pixel_in_its_frame_is_named_and_the_others_are_cut_out(ws, tmp_path):
    # given
    labels = {0: [("ball", Box(200.0, 10.0, 5.0, 5.0)), ("player", Box(1.0, 1.0, 5.0, 5.0))]}
    dataset = pictured.built(ws, [pictured.pack(ws, draw(tmp_path / "one", ["a.png"]), "one", 1, labels=labels)])

    # when
    report = dataset.materialize(tmp_path / "out", "crops")

    # then
    assert [(failure.key, failure.code) for failure in report.failures] == [("club-a/one/000000", "INVALID_GEOMETRY")]
    assert [*files(tmp_path / "out")] == ["train/player/club-a/one/000000-001.png"]


def test_a_full_or_forbidden_place_is_a_reason_and_leaves_no_half_file(dataset, tmp_path, monkeypatch):
    # given a disk that is full from the third file on
    real, calls = os.write, []

    def write(file, data):
        calls.append(file)
        if len(calls) in (5, 6):
            real(file, data[:10])
            raise OSError(28, "No space left on device")
        return real(file, data)

    monkeypatch.setattr("labelkit.media.targets.os.write", write)

    # when
    report = dataset.materialize(tmp_path / "out", "copy", shard_samples=2)

    # then
    assert report.status == "partial"
    assert {failure.code for failure in report.failures} == {"STORAGE_WRITE_FAILED"}
    assert "No space left on device" in repr(report)
    assert not [name for name in everything(tmp_path / "out") if ".new-" in name]
    assert dataset.materialize(tmp_path / "out", "copy").status == "complete"


# --- what stops it


def interrupted(_):
    raise KeyboardInterrupt


@pytest.mark.parametrize("by", ["function", "event"])
def test_a_cancel_stops_before_the_next_shard_and_the_same_call_goes_on_later(dataset, tmp_path, monkeypatch, by):
    # given one shard at a time, and somebody who cancels after the second
    monkeypatch.setattr("labelkit.services.datasets.materializing.crew.WINDOW", 1)
    stop, seen = threading.Event(), []

    def progress(tally):
        seen.append(tally.done)
        if tally.done == 2:
            stop.set()

    # when
    report = dataset.materialize(
        tmp_path / "out", "copy", shard_samples=1, progress=progress, cancel=stop if by == "event" else stop.is_set
    )

    # then
    assert (report.status, report.cancelled, report.tally.done, report.tally.missing) == ("partial", True, 2, 6)
    assert (len(files(tmp_path / "out")), seen, dataset.materialization) == (2, [1, 2], "partial")
    assert "cancelled" in repr(report)
    again = dataset.materialize(tmp_path / "out", "copy")
    assert (again.status, again.cancelled, again.made, again.kept) == ("complete", False, 6, 2)


def test_an_interrupt_keeps_the_finished_shards_and_says_partial(fresh, tmp_path, monkeypatch):
    # given
    monkeypatch.setattr("labelkit.services.datasets.materializing.crew.WINDOW", 1)

    # when
    with pytest.raises(KeyboardInterrupt):
        fresh.materialize(tmp_path / "out", "copy", shard_samples=1, progress=interrupted)

    # then
    assert (fresh.materialization, len(files(tmp_path / "out"))) == ("partial", 1)
    runs = fresh.materialization_runs()
    assert runs.select("status", "cancelled").rows() == [("partial", True)]
    again = fresh.materialize(tmp_path / "out", "copy")
    assert (again.made, again.kept, fresh.materialization) == (7, 1, "complete")


def test_a_cancel_from_the_start_makes_nothing(dataset, tmp_path):
    report = dataset.materialize(tmp_path / "out", cancel=lambda: True)
    assert (report.status, report.cancelled, report.made, report.absent) == ("partial", True, 0, 8)


def test_progress_is_a_bar_that_ends_full(dataset, tmp_path):
    # when
    seen = []
    dataset.materialize(tmp_path / "out", shard_samples=2, progress=seen.append)

    # then
    assert [one.done for one in seen] == sorted(one.done for one in seen)
    assert str(seen[-1]).startswith("█" * 24 + " 4/4 shards, 8 files, ")
    assert seen[-1]._repr_html_().startswith('<progress value="4" max="4"></progress>')
