"""Media and capabilities of a workspace: added once, listed, read frame by frame."""

from __future__ import annotations

import hashlib
import io

import pytest
from PIL import Image

from labelkit.core.review.annotations import BALL, PLAYER, Capability
from tests.services.worlds import as_user, in_memory_and_file, refused, tables, trail


@pytest.fixture
def folder(tmp_path):
    """Three pictures, a file that is none, and one that ends too soon."""
    place = tmp_path / "frames"
    place.mkdir()
    for number, size in ((1, (64, 48)), (2, (64, 48)), (10, (32, 16))):
        Image.new("RGB", size, (number, 90, 30)).save(place / f"frame-{number:02}.png")
    (place / "frame-03.png").write_bytes(b"no picture")
    whole = io.BytesIO()
    Image.new("RGB", (64, 48)).save(whole, "JPEG")
    (place / "frame-04.jpg").write_bytes(whole.getvalue()[:200])
    return place


@in_memory_and_file
def test_a_folder_becomes_a_media_whose_broken_files_are_frames_with_a_reason(ws, folder):
    # when
    media = ws.media.add(folder, name="match-1", group_key="08fd33", camera_type="broadcast", fps=10)

    # then
    assert (media.name, media.group_key, media.camera_type, media.frame_count) == ("match-1", "08fd33", "broadcast", 5)
    frames = ws.media.frames("match-1")
    assert frames.select("index", "name", "pts_ms").rows() == [
        (0, "frame-01.png", 0.0),
        (1, "frame-02.png", 100.0),
        (2, "frame-03.png", 200.0),
        (3, "frame-04.jpg", 300.0),
        (4, "frame-10.png", 400.0),
    ]
    assert frames["problem"].to_list() == [None, None, "FRAME_NOT_AN_IMAGE", "FRAME_TRUNCATED", None]
    assert (ws.media.frame(media, 4).width, ws.media.frame(media.id, 4).height) == (32, 16)
    assert trail(ws, "action", "code", "allowed")[-1] == ("import", "MEDIA_ADDED", True)


@in_memory_and_file
def test_a_frames_bytes_are_those_of_its_file(ws, folder):
    # given
    media = ws.media.add(folder)

    # when
    data, mime = ws.media.frame_bytes(media, 0)

    # then
    assert (data, mime) == ((folder / "frame-01.png").read_bytes(), "image/png")
    assert ws.media.frame(media, 0).sha256 == hashlib.sha256(data).hexdigest()
    assert refused(lambda: ws.media.frame_bytes(media, 2)) == "FRAME_UNAVAILABLE"
    assert refused(lambda: ws.media.frame_bytes(media, 5)) == refused(lambda: ws.media.frame(media, -1)) == "UNKNOWN_FRAME"


def test_the_same_media_again_is_the_media_that_is_there(ws, folder):
    first = ws.media.add(folder)
    before = tables(ws)
    assert ws.media.add(folder) == first
    assert tables(ws) == before


@pytest.mark.parametrize("facts", [{"group_key": "other"}, {"camera_type": "drone"}, {"split": "test"}], ids=["group", "camera", "split"])
def test_the_same_media_with_other_facts_is_refused_and_not_taken_for_them(ws, folder, facts):
    # given
    first = ws.media.add(folder, group_key="match", camera_type="broadcast", split="train")

    # then
    assert refused(lambda: ws.media.add(folder, **facts)) == "INVALID_VALUE"
    assert ws.media.add(folder, group_key="match", split="train") == ws.media.get(first.name) == first


def test_other_media_of_the_same_name_is_refused(ws, folder):
    # given a folder of which one picture changed after it was added
    ws.media.add(folder, name="match")
    Image.new("RGB", (8, 8)).save(folder / "frame-01.png")
    before = tables(ws)

    # then
    assert refused(lambda: ws.media.add(folder, name="match")) == "INVALID_VALUE"
    assert tables(ws) == before
    assert ws.media.add(folder, name="match-again").frame_count == 5


def test_a_glob_takes_what_it_matches_and_is_named_by_its_folder(ws, folder):
    media = ws.media.add(str(folder / "*.png"))
    assert (media.name, media.group_key, media.frame_count) == ("frames", "frames", 4)


@pytest.mark.parametrize(
    ("place", "code"),
    [
        pytest.param("nowhere", "MEDIA_NOT_FOUND", id="a folder that is not there"),
        pytest.param("empty", "MEDIA_EMPTY", id="an empty folder"),
        pytest.param("text.jpg", "MEDIA_NOT_RECOGNIZED", id="a text file"),
    ],
)
def test_a_place_without_frames_is_refused(ws, tmp_path, place, code):
    (tmp_path / "empty").mkdir()
    (tmp_path / "text.jpg").write_text("hello")
    before = tables(ws)
    assert refused(lambda: ws.media.add(tmp_path / place)) == code
    assert tables(ws) == before


def test_media_are_listed_by_name(ws, folder):
    assert ws.media.list().is_empty()
    for name in ("b", "a"):
        ws.media.add(folder, name=name)
    assert ws.media.list().select("name", "kind", "frame_count").rows() == [("a", "images", 5), ("b", "images", 5)]
    assert refused(lambda: ws.media.get("c")) == "NOT_FOUND"


def test_who_may_not_import_adds_nothing(ws, folder):
    vera = as_user(ws, "vera", "viewer")
    assert refused(lambda: vera.media.add(folder)) == "PERMISSION_DENIED"
    assert ws.media.list().is_empty()


def test_a_workspace_adds_capabilities_of_its_own(ws):
    # when
    cones = ws.capabilities.add("cones", geometry="point", classes=["cone", "pole"], default_size=4, max_speed=0.5, single=True)

    # then
    assert cones == ws.capabilities.get("cones") == Capability("cones", "point", ("cone", "pole"), 4, 0.5, single=True)
    assert ws.capabilities.list() == [BALL, cones, PLAYER]
    assert ws.capabilities.add("cones", geometry="point", classes=("cone", "pole"), default_size=4, max_speed=0.5, single=True) == cones


@pytest.mark.parametrize(
    ("name", "options"),
    [
        pytest.param("cones", {"geometry": "box", "classes": ["cone"]}, id="another definition of a name"),
        pytest.param("player_detection", {"geometry": "box", "classes": ["player"]}, id="another definition of a built-in one"),
        pytest.param("new", {"geometry": "circle", "classes": ["cone"]}, id="unknown geometry"),
        pytest.param("new", {"geometry": "box", "classes": []}, id="no class"),
    ],
)
def test_a_capability_that_would_change_or_mean_nothing_is_refused(ws, name, options):
    ws.capabilities.add("cones", geometry="point", classes=["cone"])
    before = tables(ws)
    assert refused(lambda: ws.capabilities.add(name, **options)) == "INVALID_VALUE"
    assert tables(ws) == before


def test_capabilities_are_a_workspaces_own(ws):
    ws.capabilities.add("cones", geometry="point", classes=["cone"])
    with ws._database.transaction() as tx:
        other = tx.workspaces.create("club-b", owner="ana")
        assert tx.media.capabilities(other.id) == [BALL, PLAYER]
    assert refused(lambda: ws.capabilities.get("cone")) == "NOT_FOUND"
