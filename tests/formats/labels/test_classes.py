"""Class names: given, or found beside the labels."""

from __future__ import annotations

import pytest

from labelkit.errors import ClassesUnknown, LabelsUnreadable
from labelkit.formats.labels.classes import class_names
from tests.formats import helpers

FOUND = {
    "classes.txt": {"labels/classes.txt": "ball\nplayer\n"},
    "obj.names in the folder above": {"obj.names": "ball\nplayer"},
    "with a mark at the start and Windows line ends": {"labels/classes.txt": b"\xef\xbb\xbfball\r\nplayer\r\n\r\n"},
    "data.yaml with a list": {"data.yaml": "nc: 2\nnames: ['ball', 'player']\n"},
    "data.yaml with numbers": {"data.yaml": "names:\n  1: player\n  0: ball\n"},
    "the nearest counts": {"labels/classes.txt": "ball\nplayer\n", "classes.txt": "cat\n"},
}


@pytest.mark.parametrize("files", FOUND.values(), ids=FOUND)
def test_names_are_found_in_the_order_of_their_numbers(tmp_path, files):
    folder = helpers.write(tmp_path, files) / "labels"
    folder.mkdir(exist_ok=True)
    assert class_names(folder, None) == ("ball", "player")


def test_names_that_are_given_count_before_any_file(tmp_path):
    helpers.write(tmp_path, {"classes.txt": "cat\n"})
    assert class_names(tmp_path, ["ball"]) == ("ball",)
    assert class_names(tmp_path, "ball") == ("ball",)


def test_a_number_without_a_name_in_the_middle_keeps_the_others_in_place(tmp_path):
    helpers.write(tmp_path, {"data.yaml": "names: {0: ball, 2: player}"})
    assert class_names(tmp_path, None) == ("ball", "class 1", "player")


WRONG = {
    "nothing there": ({}, None, ClassesUnknown),
    "none given": ({}, [], ClassesUnknown),
    "empty list": ({"classes.txt": "\n\n"}, None, ClassesUnknown),
    "yaml without names": ({"data.yaml": "train: images/"}, None, ClassesUnknown),
    "yaml that is a list": ({"data.yaml": "- a\n- b"}, None, ClassesUnknown),
    "yaml with absurd numbers": ({"data.yaml": "names: {999999999: a}"}, None, ClassesUnknown),
    "no yaml": ({"data.yaml": "names: [a, b"}, None, LabelsUnreadable),
    "yaml with an object": ({"data.yaml": "!!python/object/apply:os.system ['true']"}, None, LabelsUnreadable),
    "not UTF-8": ({"classes.txt": b"\xff\xfe"}, None, LabelsUnreadable),
}


@pytest.mark.parametrize(("files", "given", "error"), WRONG.values(), ids=WRONG)
def test_names_that_cannot_be_had_are_asked_for(tmp_path, files, given, error):
    with pytest.raises(error) as refused:
        class_names(helpers.write(tmp_path, files), given)
    assert "classes=" in refused.value.hint
