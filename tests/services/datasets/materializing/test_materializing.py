"""Materialization: which files there are afterwards, what a rerun does, what fails, what stops it, who may, and what is kept of it."""

from __future__ import annotations

import io
import os
import threading

import numpy as np
import pytest
from PIL import Image

import labelkit
from labelkit.core.geometry import Box, Point
from labelkit.services.datasets import Dataset
from labelkit.store.liveness import holder
from labelkit.workspace import Workspace
from tests.media.helpers import video
from tests.services import pictured
from tests.services.packs import change
from tests.services.pictured import draw, everything, files, manifest, sha256
from tests.services.worlds import as_user, refused, trail

MODES = ["link", "copy", "crops"]


@pytest.fixture
def ws():
    with labelkit.open(":memory:", workspace="club-a", user="ana") as opened:
        yield opened


@pytest.fixture
def fresh(ws, tmp_path):
    """A dataset that nobody has materialized yet."""
    return pictured.dataset(ws, tmp_path / "media")


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    """The folder of the media of `dataset`; a test that harms a picture puts it back."""
    return tmp_path_factory.mktemp("media")


@pytest.fixture(scope="module")
def dataset(root):
    """Two media with four frames of 64 x 48 px, each with a box of a player and one of a ball."""
    with labelkit.open(":memory:", workspace="club-a", user="ana") as opened:
        yield pictured.dataset(opened, root)


def source(root, key):
    """The picture that a sample comes from."""
    _, media, index = key.split("/")
    return root / media / f"{index}.png"


# --- what there is afterwards


def test_a_link_is_the_frame_itself_and_a_copy_is_its_bytes(dataset, root, tmp_path):
    # when
    linked, copied = dataset.materialize(tmp_path / "link"), dataset.materialize(tmp_path / "copy", "copy")

    # then
    names = [f"train/club-a/match-{n}/{frame:06}.png" for n in range(2) for frame in range(4)]
    assert [*files(tmp_path / "link")] == [*files(tmp_path / "copy")] == names
    for key, name in zip(dataset.to_polars()["sample_key"], names, strict=True):
        assert (tmp_path / "link" / name).samefile(source(root, key))
        assert not (tmp_path / "copy" / name).samefile(source(root, key))
        assert (tmp_path / "copy" / name).read_bytes() == source(root, key).read_bytes()
    assert [(one.status, one.made, one.kept, one.absent, one.failures) for one in (linked, copied)] == [("complete", 8, 0, 0, ())] * 2


def test_a_crop_is_every_pixel_that_its_box_touches_inside_the_frame(dataset, root, tmp_path):
    # when
    report = dataset.materialize(tmp_path / "crops", "crops")

    # then
    found = files(tmp_path / "crops")
    media = [(f"club-a/match-{n}", frame) for n in range(2) for frame in range(4)]
    assert sorted(found) == sorted(
        [f"train/player/{at}/{frame:06}-000.png" for at, frame in media] + [f"train/ball/{at}/{frame:06}-001.png" for at, frame in media]
    )
    assert (report.status, report.made) == ("complete", 16)
    frame = np.asarray(Image.open(source(root, "club-a/match-1/000002")))
    for name, rows, columns in [("player", slice(20, 28), slice(10, 26)), ("ball", slice(0, 8), slice(60, 64))]:
        crop = next(data for path, data in found.items() if path.startswith(f"train/{name}/club-a/match-1/000002"))
        assert (np.asarray(Image.open(io.BytesIO(crop))) == frame[rows, columns]).all()


def test_a_crop_is_turned_as_people_see_the_frame(ws, tmp_path):
    # given a frame that says it is to be turned by a quarter
    draw(tmp_path / "turned", ["a.jpg"])
    image = Image.open(tmp_path / "turned" / "a.jpg")
    exif = Image.Exif()
    exif[0x0112] = 6
    image.save(tmp_path / "turned" / "a.jpg", exif=exif)
    dataset = pictured.built(ws, [pictured.pack(ws, tmp_path / "turned", "turned", 1, labels={0: [("ball", Box(40.0, 60.0, 8.0, 4.0))]})])

    # when
    dataset.materialize(tmp_path / "crops", "crops")

    # then
    (crop,) = files(tmp_path / "crops").values()
    upright = np.rot90(np.asarray(Image.open(tmp_path / "turned" / "a.jpg")), -1)
    assert (np.asarray(Image.open(io.BytesIO(crop))) == upright[60:64, 40:48]).all()


@pytest.mark.parametrize("mode", MODES)
def test_the_manifests_name_each_file_with_its_sample_size_and_sha256(dataset, tmp_path, mode):
    # when
    dataset.materialize(tmp_path / mode, mode, shard_samples=3)

    # then
    rows = [row for shard in range(3) for row in manifest(tmp_path / mode, shard)]
    found = files(tmp_path / mode)
    assert {row["path"]: (row["size"], row["sha256"]) for row in rows} == {name: (len(data), sha256(data)) for name, data in found.items()}
    assert [row["key"] for row in rows] == [key for key in dataset.to_polars()["sample_key"] for _ in range(2 if mode == "crops" else 1)]
    assert {row["made"] for row in rows} == {"png" if mode == "crops" else mode}
    digests = dict(dataset.to_polars().select("sample_key", "sha256").iter_rows())
    assert all(row["frame_sha256"] == digests[row["key"]] for row in rows)
    assert sorted(file.name for file in (tmp_path / mode / ".labelkit").iterdir()) == [
        "materialization.json",
        *(f"shard-{n:06}.json" for n in range(3)),
    ]


@pytest.mark.parametrize("mode", MODES)
def test_two_places_have_the_same_bytes_under_the_same_names(dataset, tmp_path, mode):
    dataset.materialize(tmp_path / "a", mode, shard_samples=3)
    dataset.materialize(tmp_path / "b", mode)
    assert files(tmp_path / "a") == files(tmp_path / "b") != {}


@pytest.mark.parametrize("mode", ["link", "copy"])
def test_frames_of_a_video_are_decoded_without_loss(ws, tmp_path, mode):
    # given a video with B-frames, whose frames at hand are far apart and close together
    file = video(tmp_path / "clip.mp4")
    kept = dict.fromkeys((2, 3, 40, 41, 58), pictured.BOXES)
    dataset = pictured.built(ws, [pictured.pack(ws, file, "clip", 60, labels=kept)], min_annotations=1)

    # when
    report = dataset.materialize(tmp_path / "out", mode, shard_samples=2)
    crops = dataset.materialize(tmp_path / "crops", "crops")

    # then
    assert (report.status, crops.status) == ("complete", "complete")
    found = files(tmp_path / "out")
    assert [*found] == [f"train/club-a/clip/{index:06}.png" for index in kept]
    for index, data in zip(kept, found.values(), strict=True):
        picture = np.asarray(Image.open(io.BytesIO(data)))
        assert round((picture[48, :, 0] > 160).sum() / 2) - 1 == index
        crop = np.asarray(Image.open(tmp_path / "crops" / "train" / "player" / "club-a" / "clip" / f"{index:06}-000.png"))
        assert (crop == picture[20:28, 10:26]).all()


def test_names_that_no_file_system_could_hold_together_get_names_of_their_own(ws, tmp_path):
    # given frames that differ by case alone, one in a folder, one that is a device elsewhere, and a media that is called like a way out
    names = ["A.png", "a.png", "day 1/a.png", "nul.png"]
    one, two = draw(tmp_path / "one", names), draw(tmp_path / "two", ["A.png"])
    dataset = pictured.built(ws, [pictured.pack(ws, one, "../up", 4), pictured.pack(ws, two, "Up", 1)])

    # when
    report = dataset.materialize(tmp_path / "out")

    # then
    found = [*files(tmp_path / "out")]
    assert report.status == "complete"
    assert [name for name in found if "~" not in name] == [
        "train/club-a/%2E.%2Fup/%6Eul.png",
        "train/club-a/%2E.%2Fup/A.png",
        "train/club-a/%2E.%2Fup/day 1/a.png",
        "train/club-a/Up/A.png",
    ]
    assert len({name.casefold() for name in found}) == 5
    assert not (tmp_path / "up").exists()


# --- again


@pytest.mark.parametrize("mode", ["link", "crops"])
@pytest.mark.parametrize(
    ("damage", "verify", "made"),
    [
        pytest.param(lambda _: None, "new", 0, id="nothing"),
        pytest.param(lambda file: file.unlink(), "new", 1, id="a file that is gone"),
        pytest.param(lambda file: replace(file, b"x"), "new", 1, id="a file cut short"),
        pytest.param(lambda file: replace(file, bytes(file.stat().st_size)), "new", 1, id="other bytes of the same number"),
        pytest.param(lambda file: same_time(file, bytes(file.stat().st_size)), "all", 1, id="and of the same time, when all are read"),
        pytest.param(lambda file: same_time(file, bytes(file.stat().st_size)), "new", 0, id="which nobody sees who reads none"),
        pytest.param(lambda file: replace(file, file.read_bytes()), "new", 0, id="the same bytes, written anew"),
        pytest.param(lambda file: shard(file).unlink(), "new", 2, id="a manifest that is gone"),
        pytest.param(lambda file: shard(file).write_text("{"), "new", 2, id="a manifest cut short"),
        pytest.param(lambda file: shard(file).write_text("[1]"), "new", 2, id="a manifest of something else"),
    ],
)
def test_a_rerun_makes_what_is_missing_or_damaged_and_nothing_else(dataset, tmp_path, mode, damage, verify, made):
    # given
    out, a_file = tmp_path / "out", 2 if mode == "crops" else 1
    dataset.materialize(out, mode, shard_samples=2)
    before = files(out)
    victim = out / manifest(out, 1)[0]["path"]
    damage(victim)
    stamps = {path: path.stat().st_ino for path in out.rglob("*.png") if path != victim}

    # when
    report = dataset.materialize(out, mode, verify=verify)

    # then
    wanted = made * a_file if made == 2 else made
    assert (report.status, report.made, report.kept, report.absent) == ("complete", wanted, len(before) - wanted, 0)
    if made or verify == "all":
        assert files(out) == before
    if made < 2:
        assert {path: path.stat().st_ino for path in stamps} == stamps
    assert dataset.materialize(out, mode, verify="new").made == 0


def replace(file, data):
    """Put other bytes in a file's place, never into a frame that it may be a link to."""
    file.unlink()
    file.write_bytes(data)


def same_time(file, data):
    status = file.stat()
    replace(file, data)
    os.utime(file, ns=(status.st_atime_ns, status.st_mtime_ns))


def shard(file):
    root = next(folder for folder in file.parents if (folder / ".labelkit").is_dir())
    return root / ".labelkit" / "shard-000001.json"


def test_a_copy_over_a_link_leaves_the_frame_as_it_is(dataset, root, tmp_path):
    # given a place for copies in which somebody put a link to a frame of another bytes
    out = tmp_path / "out"
    dataset.materialize(out, "copy")
    first, second = (source(root, f"club-a/match-0/00000{n}") for n in (0, 1))
    before, place = second.read_bytes(), out / "train" / "club-a" / "match-0" / "000000.png"
    place.unlink()
    os.link(second, place)

    # when
    dataset.materialize(out, "copy")

    # then
    assert (place.read_bytes(), second.read_bytes()) == (first.read_bytes(), before)


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


# --- what is kept, and who may


def test_the_detail_and_the_list_say_how_far_the_files_are(ws, fresh, tmp_path):
    # given
    assert (fresh.materialization, fresh.materialized) == ("none", None)
    meanwhile = []

    def progress(_):
        meanwhile.append((fresh.materialization, ws.datasets.list()["materialization"].to_list()))

    # when
    report = fresh.materialize(tmp_path / "out", "copy", shard_samples=4, progress=progress)

    # then
    assert set(map(str, meanwhile)) == {"('pending', ['pending'])"}
    head = fresh.materialized
    assert (head.status, head.mode, head.target, head.updated_by) == ("complete", "copy", str(tmp_path / "out"), "ana")
    assert (head.run_id, head.tally.shards, head.tally.done, head.tally.made) == (report.id, 2, 2, 8)
    assert ws.datasets.list()["materialization"].to_list() == ["complete"]
    assert fresh.materialization_runs().select("id", "mode", "status").rows() == [(report.id, "copy", "complete")]
    assert fresh.manifest_hash == ws.datasets.get("players").manifest_hash


@pytest.mark.parametrize("gone", ["process", "lease"])
def test_a_run_whose_process_is_gone_is_partial(ws, fresh, tmp_path, gone):
    # given a run that nobody ended
    fresh.materialize(tmp_path / "out")
    change(ws, "UPDATE materialization_heads SET status = 'pending'")
    assert fresh.materialization == "pending"

    # when
    if gone == "process":
        change(ws, "UPDATE materialization_heads SET holder = $other", other=holder().replace(f'"pid": {os.getpid()}', '"pid": 4194304'))
    else:
        change(ws, "UPDATE materialization_heads SET lease_until = TIMESTAMP '2020-01-01'")

    # then
    assert fresh.materialization == "partial"
    if gone == "lease":
        assert ws.datasets.list()["materialization"].to_list() == ["partial"]


def test_whoever_may_read_takes_files_along_but_only_builders_speak_for_the_dataset(ws, fresh, tmp_path):
    # given
    guest, reviewer, stranger = (as_user(ws, name, role) for name, role in (("gil", "viewer"), ("rita", "reviewer"), ("sam", None)))

    # when
    theirs = guest.datasets.get("players").materialize(tmp_path / "gil", "copy")
    before = fresh.materialization
    reviewer.datasets.get("players").materialize(tmp_path / "rita", "copy")

    # then
    assert (theirs.status, before, fresh.materialization, fresh.materialized.updated_by) == ("complete", "none", "complete", "rita")
    assert fresh.materialization_runs()["created_by"].to_list() == ["rita", "gil"]
    of_stranger = Dataset(stranger._gate, fresh._row)
    assert refused(lambda: of_stranger.materialize(tmp_path / "sam")) == "PERMISSION_DENIED"
    assert not (tmp_path / "sam").exists()
    about = [row for row in trail(ws, "subject", "actor", "action", "code") if row[0] == f"dataset:{fresh.id}"]
    assert [row[1:] for row in about] == [
        ("gil", "read", "MATERIALIZATION_STARTED"),
        ("gil", "read", "MATERIALIZATION_COMPLETE"),
        ("rita", "build", "MATERIALIZATION_STARTED"),
        ("rita", "build", "MATERIALIZATION_COMPLETE"),
    ]


def test_pictures_of_a_workspace_that_you_may_not_read_stay_there(ws, tmp_path):
    # given a dataset with a pack of a workspace that the reviewer has left since
    with ws._database.transaction() as tx:
        row = tx.workspaces.create("club-b", owner="ana")
    other = Workspace(ws._database, row, "ana")
    theirs = pictured.pack(other, draw(tmp_path / "theirs", ["a.png"]), "theirs", 1)
    ours = pictured.pack(ws, draw(tmp_path / "ours", ["a.png"]), "ours", 1)
    dataset = pictured.built(ws, [ours, theirs])
    rita = as_user(ws, "rita", "reviewer")

    # then
    assert refused(lambda: rita.datasets.get(dataset.id).materialize(tmp_path / "out")) == "PERMISSION_DENIED"
    assert trail(ws, "actor", "action", "code")[-1] == ("rita", "read", "PERMISSION_DENIED")
    other.set_role("rita", "viewer")
    assert rita.datasets.get(dataset.id).materialize(tmp_path / "out").made == 2


def test_points_have_no_crops(ws, tmp_path):
    # given
    labels = {0: [("ball", Point(10.0, 10.0, 6.0))]}
    one = pictured.pack(ws, draw(tmp_path / "one", ["a.png"]), "one", 1, labels=labels, capability="ball_detection")
    dataset = pictured.built(ws, [one], capability="ball_detection")

    # then
    assert refused(lambda: dataset.materialize(tmp_path / "out", "crops")) == "MATERIALIZATION_CROPS_NEED_BOXES"
    assert not (tmp_path / "out").exists()
    assert dataset.materialize(tmp_path / "out", "link").made == 1


def test_crops_of_a_frozen_test_set_are_for_evaluation_only(fresh, tmp_path):
    # given
    fresh.freeze()

    # then
    assert refused(lambda: fresh.materialize(tmp_path / "out", "crops")) == "FROZEN_DATASET_TRAINING_FORBIDDEN"
    assert not (tmp_path / "out").exists()
    assert fresh.materialize(tmp_path / "out", "crops", purpose="evaluation").made == 16
    assert fresh.holdout_ledger().height == 1

    # and frames without labels are no training data
    assert fresh.materialize(tmp_path / "frames").made == 8


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        ({"mode": "zip"}, "MATERIALIZATION_NOT_SUPPORTED"),
        ({"verify": "never"}, "INVALID_VALUE"),
        ({"shard_samples": 0}, "INVALID_VALUE"),
        ({"shard_samples": 1025}, "INVALID_VALUE"),
    ],
)
def test_what_makes_no_sense_is_refused_before_anything_is_made(fresh, tmp_path, arguments, code):
    assert refused(lambda: fresh.materialize(tmp_path / "out", **arguments)) == code
    assert (fresh.materialization, (tmp_path / "out").exists()) == ("none", False)
