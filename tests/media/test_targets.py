"""Places for files: whole or not at all, never written through a link, and honest about what is there."""

from __future__ import annotations

from contextlib import closing

import pytest

from labelkit.errors import MaterializationTargetUnreachable
from labelkit.media.folders import OpenFolder
from labelkit.media.targets import open_target


@pytest.fixture(params=["disk", "memory"])
def place(request, tmp_path):
    return open_target(str(tmp_path / "out") if request.param == "disk" else f"memory://{tmp_path.name}")


def test_what_was_put_is_there_and_found_again(place):
    # when
    place.put([("a/b.txt", b"one"), ("c.txt", b"")])

    # then
    assert (place.read("a/b.txt"), place.read("c.txt"), place.read("d.txt")) == (b"one", b"", None)
    found = place.look(["a/b.txt", "c.txt", "d.txt", "a", "nowhere/x"])
    assert {path: size for path, (size, _) in found.items()} == {"a/b.txt": 3, "c.txt": 0}


def test_a_file_that_is_put_again_has_another_stamp(place):
    place.put([("a.txt", b"one")])
    before = place.look(["a.txt"])
    place.put([("a.txt", b"two")])
    assert place.read("a.txt") == b"two"
    assert place.look(["a.txt"]) != before


def test_a_place_is_taken_by_anything_but_one_folder(place):
    assert not place.is_taken(".mine")
    place.put([(".mine/a", b"x")])
    assert not place.is_taken(".mine")
    place.put([("b", b"x")])
    assert place.is_taken(".mine")


def test_what_putting_says_is_what_a_look_finds(tmp_path):
    target = open_target(str(tmp_path))
    said = target.put([("a/b.txt", b"one")])
    target.settle(["a/b.txt", "nowhere/x"], ["a"])
    assert said == target.look(["a/b.txt"])


def test_a_link_takes_the_place_of_a_file_and_a_file_that_of_a_link(tmp_path):
    # given
    frame = tmp_path / "frame"
    frame.write_bytes(b"frame")
    target = open_target(str(tmp_path / "out"))
    target.put([("a", b"old")])

    # when a link is put there, twice, and then other bytes
    with closing(OpenFolder()) as folder:
        source = (folder.at(str(tmp_path)), frame.name)
        target.link(source, "a")
        target.link(source, "a")
    linked = (tmp_path / "out" / "a").samefile(frame)
    target.put([("a", b"new")])

    # then
    assert linked
    assert frame.read_bytes() == b"frame"
    assert [file.name for file in (tmp_path / "out").iterdir()] == ["a"]


def test_a_folder_or_link_is_no_file(tmp_path):
    (tmp_path / "folder").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "nowhere")
    assert open_target(str(tmp_path)).look(["folder", "link"]) == {}


@pytest.mark.parametrize("url", ["nosuch://x", "memory://a::nosuch://b"])
def test_a_protocol_that_nobody_knows_is_refused(url):
    with pytest.raises(MaterializationTargetUnreachable):
        open_target(url)
