"""Which frame a path means, and where that is not clear, why."""

from __future__ import annotations

import pytest

from labelkit.formats.labels.names import match, text_of
from tests.formats import helpers

LABELS = {  # frames, label files, outcome of each file
    "by path": (["one/a.jpg", "two/a.jpg"], {"one/a.txt": 0, "two/a.txt": 1}),
    "by stem": (["one/a.jpg", "two/b.jpg"], {"labels/train/a.txt": 0, "b.txt": 1}),
    "by path before stem": (["a.jpg", "b/a.jpg"], {"a.txt": 0, "b/a.txt": 1}),
    "no frame": (["a.jpg"], {"b.txt": "LABEL_NO_IMAGE"}),
    "stem in two folders": (["one/a.jpg", "two/a.jpg"], {"a.txt": "LABEL_AMBIGUOUS_IMAGE"}),
    "two suffixes": (["a.jpg", "a.png"], {"a.txt": "LABEL_AMBIGUOUS_IMAGE"}),
    "two files for a frame": (["a.jpg"], {"one/a.txt": "LABEL_AMBIGUOUS_IMAGE", "two/a.txt": "LABEL_AMBIGUOUS_IMAGE"}),
    "two files, one exact": (["a.jpg"], {"a.txt": 0, "two/a.txt": "LABEL_AMBIGUOUS_IMAGE"}),
    "dots in the name": (["v1.2.a.jpg"], {"v1.2.a.txt": 0, "v1.2.txt": "LABEL_NO_IMAGE"}),
    "no suffix and a dot in the folder": (["x.y/a.jpg"], {"x.y/a": 0}),
    "case counts": (["A.jpg"], {"a.txt": "LABEL_NO_IMAGE"}),
    "letters that a pattern would read": (["a(1)[x]+.jpg"], {"a(1)[x]+.txt": 0}),
    "no frames at all": ([], {"a.txt": "LABEL_NO_IMAGE"}),
}
IMAGES = {
    "by path": (["one/a.jpg", "two/a.jpg"], {"one/a.jpg": 0, "two/a.jpg": 1}),
    "by file name": (["a.jpg", "a.png"], {"images/a.jpg": 0, "images/a.png": 1}),
    "by stem": (["a.jpg"], {"a.png": 0}),
    "with backslashes": (["a.jpg"], {"train\\a.jpg": 0}),
    "climbing": (["a.jpg"], {"../a.jpg": "LABEL_OUTSIDE_ROOT"}),
    "climbing in the middle": (["a.jpg"], {"x/../../a.jpg": "LABEL_OUTSIDE_ROOT"}),
    "absolute": (["a.jpg"], {"/data/a.jpg": "LABEL_OUTSIDE_ROOT"}),
    "absolute on Windows": (["a.jpg"], {"C:\\data\\a.jpg": "LABEL_OUTSIDE_ROOT"}),
    "on a share": (["a.jpg"], {"\\\\host\\a.jpg": "LABEL_OUTSIDE_ROOT"}),
    "two dots in a name": (["a..b.jpg"], {"a..b.jpg": 0}),
    "several images for a frame": (["a.jpg"], {"x/a.jpg": "LABEL_AMBIGUOUS_IMAGE", "y/a.jpg": "LABEL_AMBIGUOUS_IMAGE"}),
    "empty": (["a.jpg"], {"": "LABEL_NO_IMAGE"}),
}


@pytest.mark.parametrize(
    ("images", "names", "outcomes"),
    [(False, *case) for case in LABELS.values()] + [(True, *case) for case in IMAGES.values()],
    ids=[f"label file {name}" for name in LABELS] + [f"image {name}" for name in IMAGES],
)
def test_a_path_means_one_frame_or_says_why_none(images, names, outcomes):
    # when
    found = match(outcomes, helpers.frames(*names), images=images)

    # then
    assert found["path"].to_list() == list(outcomes)
    assert [code if index is None else index for index, code in found.select("frame_index", "code").rows()] == list(outcomes.values())
    assert [detail is None for detail in found["detail"]] == [isinstance(outcome, int) for outcome in outcomes.values()]


def test_in_a_video_the_number_at_the_end_of_the_stem_is_the_index():
    # given frames without names
    frames = helpers.frames("", "", "")

    # when
    found = match(["frame_000002.txt", "match-1_1.txt", "7.txt", "none.txt"], frames, images=False)

    # then
    assert found["frame_index"].to_list() == [2, 1, None, None]
    assert found["code"].to_list() == [None, None, "LABEL_NO_IMAGE", "LABEL_NO_IMAGE"]


def test_names_that_are_not_utf8_are_written_as_the_media_writes_them():
    assert text_of("caf\udce9.txt") == "caf\\xe9.txt"
    assert text_of("caf\u00e9.txt") == "caf\u00e9.txt"
    assert text_of("half\ud800.txt") == "half\\ud800.txt"
