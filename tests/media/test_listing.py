"""Folders and globs: which files are images, in which order, and what a wrong place is told."""

from __future__ import annotations

from contextlib import ExitStack

import pytest

from labelkit.errors import MediaEmpty, MediaNotFound, MediaNotRecognized, MediaUnreadable
from labelkit.media.listing import SUFFIXES, list_images
from tests.media import helpers


@pytest.fixture
def tree(tmp_path):
    for name in ("a.jpg", "b.png", "c.txt", "one/a.jpg", "one/two/a.JPG", "one/.thumbs/x.jpg", "[x]/y.jpg"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"bytes")
    return tmp_path.resolve()


PATTERNS = {
    "whole folder": ("", "", ["[x]/y.jpg", "a.jpg", "b.png", "one/a.jpg", "one/two/a.JPG"]),
    "one level": ("*", "", ["a.jpg", "b.png"]),
    "suffix": ("*.jpg", "", ["a.jpg"]),
    "one letter": ("?.png", "", ["b.png"]),
    "set of letters": ("[ab].*", "", ["a.jpg", "b.png"]),
    "folder below": ("*/*.jpg", "", ["[x]/y.jpg", "one/a.jpg"]),
    "every depth": ("**/a.*", "", ["a.jpg", "one/a.jpg", "one/two/a.JPG"]),
    "depth in a folder": ("one/**", "one", ["a.jpg", "two/a.JPG"]),
    "folder named like a pattern": ("[x]", "[x]", ["y.jpg"]),
    "hidden by name": ("one/.thumbs/*", "one/.thumbs", ["x.jpg"]),
}


@pytest.mark.parametrize(("pattern", "root", "names"), PATTERNS.values(), ids=PATTERNS)
def test_a_folder_or_glob_gives_images_in_plain_name_order_below_its_root(tree, pattern, root, names):
    assert list_images(tree / pattern) == (tree / root, tuple(names), ())


def test_every_suffix_counts_in_any_case(tmp_path):
    # given
    for suffix in (*SUFFIXES, *(suffix.upper() for suffix in SUFFIXES)):
        (tmp_path / f"{suffix}.{suffix}").touch()

    # then
    assert len(list_images(tmp_path)[1]) == 2 * len(SUFFIXES)


WRONG = {
    "missing folder": ("gone", MediaNotFound),
    "glob in a missing folder": ("gone/*.jpg", MediaNotFound),
    "glob that climbs": ("*/../../*.jpg", MediaNotFound),
    "glob without a match": ("*.gif", MediaEmpty),
    "glob that matches no image": ("*.txt", MediaEmpty),
    "single file": ("a.jpg", MediaNotRecognized),
}


@pytest.mark.parametrize(("source", "error"), WRONG.values(), ids=WRONG)
def test_a_wrong_place_is_refused_by_name(tree, source, error):
    with pytest.raises(error) as refused:
        list_images(tree / source)
    assert str(tree) in refused.value.detail


@pytest.mark.parametrize(("files", "reason"), [((), "no file is there"), (("a.txt", "b.csv"), "none of 2 files is an image")])
def test_a_folder_without_images_says_what_it_holds(tmp_path, files, reason):
    for name in files:
        (tmp_path / name).touch()
    with pytest.raises(MediaEmpty, match=reason):
        list_images(tmp_path)


def test_a_folder_of_nothing_but_links_says_that_they_were_not_entered(tmp_path):
    # given
    (tmp_path / "media").mkdir()
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "a.jpg").touch()
    (tmp_path / "media" / "clip").symlink_to(tmp_path / "other")

    # then
    with pytest.raises(MediaEmpty, match="the linked folder clip was not entered"):
        list_images(tmp_path / "media")
    assert list_images(tmp_path / "media" / "clip" / "*")[1] == ("a.jpg",)


def test_a_folder_that_may_not_be_read_is_refused_even_deep_below():
    # given
    closed = {"it": ".", "what is below": "below", "what is deep below": "below/deeper"}
    with helpers.open_folder() as folder, ExitStack() as all_closed:
        for name, place in closed.items():
            (folder / name / "below" / "deeper").mkdir(parents=True)
            (folder / name / "a.jpg").touch()
            all_closed.enter_context(helpers.forbidden(folder / name / place))

        # when
        said = helpers.as_ordinary_user(
            "from labelkit.media import scan\nfrom labelkit.errors import LabelkitError\n---\n"
            "for folder in sys.argv[1:]:\n"
            "    try:\n        print(scan(folder).frames)\n    except LabelkitError as error:\n        print(type(error).__name__)",
            *(folder / name for name in closed),
        )

    # then
    assert said.splitlines() == [MediaUnreadable.__name__] * len(closed)
