"""Files made of a version: which there are afterwards, and what a rerun does."""

from __future__ import annotations

import io
import os

import numpy as np
import pytest
from PIL import Image

from labelkit.core.geometry import Box
from tests.media.helpers import video
from tests.services import pictured
from tests.services.pictured import draw, files, manifest, replace, sha256, source

MODES = ["link", "copy", "crops"]


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
