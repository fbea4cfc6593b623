"""YOLO folders: each line is a label or a refusal with file, line and reason."""

from __future__ import annotations

import os

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from labelkit.errors import ClassesUnknown, LabelsNotFound, LabelsUnreadable
from labelkit.formats import yolo
from labelkit.formats.labels import label_files
from tests.formats import helpers
from tests.media.helpers import as_ordinary_user, forbidden, names_with_bytes, open_folder

FRAMES = helpers.frames("a.jpg", "b.jpg", "c.jpg", problems={"c.jpg": "FRAME_TRUNCATED"})
CLASSES = ["ball", "player"]


def read(folder, frames=FRAMES, capability=helpers.BOXES, **options):
    return helpers.together(yolo.read(folder, frames=frames, capability=capability, **({"classes": CLASSES} | options)))


def test_lines_become_boxes_in_px_with_and_without_score(tmp_path):
    # given
    helpers.write(tmp_path, {"a.txt": "1 0.5 0.5 0.2 0.4\n0 0.1 0.2 0.1 0.2 0.875\n", "b.txt": "\n"})

    # when
    found = read(tmp_path)

    # then
    assert helpers.geometry(found.rows) == [(0, "player", 40, 15, 20, 20, None), (0, "ball", 5, 5, 10, 10, None)]
    assert found.rows["score"].to_list() == [None, 0.875]
    assert found.rows.select("file", "line", "attributes").rows() == [("a.txt", 1, None), ("a.txt", 2, None)]
    assert found.refused.is_empty()


LINES = {
    "class out of range": ("2 0.5 0.5 0.1 0.1", "LABEL_CLASS_OUT_OF_RANGE"),
    "negative class": ("-1 0.5 0.5 0.1 0.1", "LABEL_CLASS_OUT_OF_RANGE"),
    "half a class": ("0.5 0.5 0.5 0.1 0.1", "LABEL_CLASS_OUT_OF_RANGE"),
    "class by name": ("ball 0.5 0.5 0.1 0.1", "LABEL_NOT_A_NUMBER"),
    "class NaN": ("nan 0.5 0.5 0.1 0.1", "LABEL_NOT_A_NUMBER"),
    "NaN": ("0 nan 0.5 0.1 0.1", "LABEL_NOT_A_NUMBER"),
    "infinity": ("0 0.5 0.5 inf 0.1", "LABEL_NOT_A_NUMBER"),
    "too large for a float": ("0 0.5 0.5 1e400 0.1", "LABEL_NOT_A_NUMBER"),
    "decimal comma": ("0 0,5 0.5 0.1 0.1", "LABEL_NOT_A_NUMBER"),
    "hexadecimal": ("0 0x1 0.5 0.1 0.1", "LABEL_NOT_A_NUMBER"),
    "score a word": ("0 0.5 0.5 0.1 0.1 high", "LABEL_NOT_A_NUMBER"),
    "score NaN": ("0 0.5 0.5 0.1 0.1 NaN", "LABEL_NOT_A_NUMBER"),
    "score of a percentage": ("0 0.5 0.5 0.1 0.1 87", "LABEL_SCORE_OUT_OF_RANGE"),
    "too few": ("0 0.5 0.5 0.1", "LABEL_MALFORMED"),
    "one word": ("hello", "LABEL_MALFORMED"),
    "polygon": ("0 0.1 0.1 0.2 0.1 0.2 0.2 0.1 0.2", "LABEL_MALFORMED"),
    "with commas": ("0,0.5,0.5,0.1,0.1", "LABEL_MALFORMED"),
    "negative width": ("0 0.5 0.5 -0.1 0.1", "LABEL_MALFORMED"),
    "outside": ("0 1.5 0.5 0.1 0.1", "LABEL_OUTSIDE_FRAME"),
    "empty box": ("0 0.5 0.5 0 0", "LABEL_TOO_SMALL"),
}


@pytest.mark.parametrize(("line", "code"), LINES.values(), ids=LINES)
def test_a_wrong_line_is_refused_with_its_number_and_spoils_no_other(tmp_path, line, code):
    # given
    helpers.write(tmp_path, {"a.txt": f"0 0.5 0.5 0.1 0.1\n\n{line}\n1 0.5 0.5 0.1 0.1\n"})

    # when
    found = read(tmp_path)

    # then
    assert helpers.refusals(found) == [("a.txt", 3, code)]
    assert found.refused["detail"][0]
    assert found.rows["line"].to_list() == [1, 4]


SPELLINGS = {
    "tabs": b"0\t0.5\t0.5\t0.2\t0.4\n",
    "many blanks": b"  0   0.5 0.5  0.2 0.4   \n",
    "Windows line ends": b"0 0.5 0.5 0.2 0.4\r\n",
    "old Macintosh line ends": b"\r0 0.5 0.5 0.2 0.4\r",
    "no line end": b"0 0.5 0.5 0.2 0.4",
    "a mark at the start": b"\xef\xbb\xbf0 0.5 0.5 0.2 0.4\n",
    "class as a decimal": b"0.0 0.5 0.5 0.2 0.4\n",
    "exponents": b"0 5e-1 5E-1 2e-1 4.0e-01\n",
    "a plus": b"0 +0.5 +.5 0.2 0.4\n",
}


@pytest.mark.parametrize("text", SPELLINGS.values(), ids=SPELLINGS)
def test_spellings_that_other_tools_write_are_understood(tmp_path, text):
    helpers.write(tmp_path, {"a.txt": text})
    assert helpers.geometry(read(tmp_path).rows) == [(0, "ball", 40, 15, 20, 20, None)]


@pytest.mark.parametrize(
    ("text", "code"),
    [(b"0 0.5 0.5 0.1 0.1 \xe9\n", "LABEL_NOT_UTF8"), ("0 0.5 0.5 0.1 0.1\n".encode("utf-16"), "LABEL_NOT_UTF8")],
    ids=["Latin-1", "UTF-16"],
)
def test_a_file_that_is_not_utf8_is_refused_whole(tmp_path, text, code):
    # given
    helpers.write(tmp_path, {"a.txt": text, "b.txt": "0 0.5 0.5 0.1 0.1"})

    # then
    found = read(tmp_path)
    assert helpers.refusals(found) == [("a.txt", None, code)]
    assert found.rows["frame_index"].to_list() == [1]


def test_a_label_file_for_no_image_is_refused_and_an_image_without_one_is_empty(tmp_path):
    # given
    helpers.write(tmp_path, {"a.txt": "0 0.5 0.5 0.1 0.1", "z.txt": "0 0.5 0.5 0.1 0.1\n0 0.5 0.5 0.1 0.1"})

    # then
    found = read(tmp_path)
    assert helpers.refusals(found) == [("z.txt", None, "LABEL_NO_IMAGE")]
    assert found.rows["frame_index"].to_list() == [0]


def test_labels_of_a_broken_frame_are_refused_one_by_one(tmp_path):
    helpers.write(tmp_path, {"c.txt": "0 0.5 0.5 0.1 0.1\n0 nan 0.5 0.1 0.1\n"})
    assert helpers.refusals(read(tmp_path)) == [("c.txt", 1, "LABEL_FRAME_BROKEN"), ("c.txt", 2, "LABEL_FRAME_BROKEN")]


def test_names_that_fit_several_frames_are_refused(tmp_path):
    # given
    helpers.write(tmp_path, {"a.txt": "0 0.5 0.5 0.1 0.1", "one/b.txt": "0 0.5 0.5 0.1 0.1"})

    # then
    found = read(tmp_path, helpers.frames("one/a.jpg", "two/a.jpg", "one/b.jpg", "two/b.jpg"))
    assert helpers.refusals(found) == [("a.txt", None, "LABEL_AMBIGUOUS_IMAGE")]
    assert found.rows["frame_index"].to_list() == [2]


def test_lists_beside_the_labels_are_no_labels_unless_a_frame_has_that_name(tmp_path):
    # given
    helpers.write(tmp_path, {"classes.txt": "ball\n", "train.txt": "images/a.jpg\n", "val.txt": "0 0.5 0.5 0.1 0.1", "a.txt": ""})

    # then
    assert read(tmp_path, helpers.frames("a.jpg")).refused.is_empty()
    assert read(tmp_path, helpers.frames("val.jpg")).rows.height == 1


def test_links_out_of_the_folder_are_refused_and_never_read(tmp_path):
    # given
    labels = helpers.write(tmp_path / "labels", {"a.txt": "0 0.5 0.5 0.1 0.1"})
    helpers.write(tmp_path / "secret", {"b.txt": "0 0.5 0.5 0.1 0.1 top secret"})
    (labels / "b.txt").symlink_to(tmp_path / "secret" / "b.txt")
    (labels / "c").symlink_to(tmp_path / "secret")

    # when
    found = read(labels, helpers.frames("a.jpg", "b.jpg", "c.jpg"))

    # then
    assert sorted(helpers.refusals(found)) == [("b.txt", None, "LABEL_OUTSIDE_ROOT"), ("c", None, "LABEL_OUTSIDE_ROOT")]
    assert not found.refused["detail"].str.contains("secret").any()
    assert found.rows.height == 1


def test_a_pipe_named_as_a_label_file_keeps_nobody_waiting(tmp_path):
    os.mkfifo(tmp_path / "a.txt")
    assert helpers.refusals(read(tmp_path)) == [("a.txt", None, "LABEL_UNREADABLE")]


def test_a_file_that_cannot_be_one_frames_labels_is_refused_by_its_size(tmp_path, monkeypatch):
    monkeypatch.setattr(label_files, "LARGEST_FILE", 20)
    helpers.write(tmp_path, {"a.txt": "0 0.5 0.5 0.1 0.1\n" * 2, "b.txt": "0 0.5 0.5 0.1 0.1"})
    found = read(tmp_path)
    assert helpers.refusals(found) == [("a.txt", None, "LABEL_MALFORMED")]
    assert found.rows.height == 1


def test_names_that_are_not_utf8_meet_the_frames_that_are_named_alike(tmp_path):
    # given
    names_with_bytes(tmp_path, [b"caf\xe9.txt"], b"0 0.5 0.5 0.1 0.1")

    # then
    assert read(tmp_path, helpers.frames("caf\\xe9.jpg")).rows["file"].to_list() == ["caf\\xe9.txt"]


def test_classes_beside_the_labels_are_found(tmp_path):
    helpers.write(tmp_path, {"labels/a.txt": "0 0.5 0.5 0.1 0.1", "data.yaml": "names: [player]"})
    assert read(tmp_path / "labels", classes=None).rows["label"].to_list() == ["player"]


def test_a_class_that_the_capability_lacks_is_refused_by_name(tmp_path):
    helpers.write(tmp_path, {"a.txt": "0 0.5 0.5 0.1 0.1\n1 0.5 0.5 0.1 0.1"})
    assert helpers.refusals(read(tmp_path, classes=["cat", "player"])) == [("a.txt", 1, "LABEL_UNKNOWN_CLASS")]


WRONG = {
    "missing folder": (lambda path: path / "gone", CLASSES, LabelsNotFound),
    "empty folder": (lambda path: path, CLASSES, LabelsNotFound),
    "a file": (lambda path: helpers.write(path, {"a.txt": ""}) / "a.txt", CLASSES, LabelsNotFound),
    "no .txt": (lambda path: helpers.write(path, {"a.xml": ""}), CLASSES, LabelsNotFound),
    "no classes": (lambda path: helpers.write(path, {"a.txt": ""}), None, ClassesUnknown),
}


@pytest.mark.parametrize(("make", "classes", "error"), WRONG.values(), ids=WRONG)
def test_a_wrong_place_is_refused_before_anything_is_read(tmp_path, make, classes, error):
    source = make(tmp_path)
    with pytest.raises(error):
        yolo.read(source, frames=FRAMES, capability=helpers.BOXES, classes=classes)


def test_files_and_folders_that_may_not_be_read_are_told_apart():
    # given
    imports = (
        "import encodings.utf_8_sig, sys, polars; from labelkit.errors import LabelkitError; from tests.formats import helpers, test_yolo"
    )
    code = (
        "for folder in sys.argv[1:]:\n"
        "    try: print(helpers.refusals(test_yolo.read(folder)))\n"
        "    except LabelkitError as error: print(type(error).__name__)"
    )
    with open_folder() as folder:
        for name in ("file", "folder"):
            helpers.write(folder / name, {"a.txt": "0 0.5 0.5 0.1 0.1", "below/b.txt": "0 0.5 0.5 0.1 0.1"})

        # when
        with forbidden(folder / "file" / "a.txt"), forbidden(folder / "folder" / "below"):
            said = as_ordinary_user(f"{imports}\n---\n{code}", folder / "file", folder / "folder")

    # then
    assert said.splitlines() == ["[('a.txt', None, 'LABEL_UNREADABLE')]", LabelsUnreadable.__name__]


@settings(deadline=None, max_examples=15)
@given(st.data())
def test_small_chunks_and_large_ones_hold_the_same(tmp_path_factory, data):
    # given
    words = st.sampled_from(["0 0.5 0.5 0.1 0.1", "1 0.2 0.2 0.1 0.1 0.5", "9 0 0 1 1", "0 nan 0 1 1", "", "x y", "0 0.99 0.5 0.1 0.1"])
    texts = data.draw(st.dictionaries(st.sampled_from("abcdefgh"), st.lists(words, max_size=5).map("\n".join), min_size=1))
    folder = helpers.write(tmp_path_factory.mktemp("labels"), {f"{name}.txt": text for name, text in texts.items()})
    frames = helpers.frames(*(f"{name}.jpg" for name in "abcdef"))

    # when
    whole = read(folder, frames)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(yolo, "FILES_A_CHUNK", data.draw(st.integers(1, 3)))
        patch.setattr(yolo, "BYTES_A_CHUNK", data.draw(st.integers(1, 60)))
        parts = read(folder, frames)

    # then
    assert parts.rows.equals(whole.rows)
    assert parts.refused.sort("file", "line").equals(whole.refused.sort("file", "line"))
    lines = sum(1 for name, text in texts.items() for line in text.split("\n") if line and name in "abcdef")
    unmatched = sum(1 for name in texts if name not in "abcdef")
    assert whole.rows.height + whole.refused.height == lines + unmatched
