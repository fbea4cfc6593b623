"""Names of materialized files: safe whatever things are called, and apart on every file system."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labelkit.core.datasets import asset_paths

HOSTILE = st.text(st.sampled_from('aAbßéÉ./\\%:*?"<>| ~\x00\n\u0301CONconNUL01'), max_size=12) | st.text(max_size=300)
RESERVED = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\.|$)", re.IGNORECASE)


def is_safe(part: str) -> bool:
    return (
        0 < len(part.encode(errors="replace")) <= 255
        and part[0] not in ". "
        and part[-1] not in ". "
        and not re.search(r'[\x00-\x1f\x7f<>:"/\\|?*]', part)
        and not RESERVED.match(part)
    )


@given(HOSTILE)
def test_a_part_of_a_path_is_safe_whatever_it_names(name):
    assert is_safe(asset_paths.part(name))


@given(HOSTILE)
def test_a_path_stays_below_its_folder(name):
    assert all(map(is_safe, asset_paths.path(name).split("/")))


@given(st.lists(HOSTILE, max_size=20))
def test_names_stay_apart_where_case_and_spelling_of_accents_do_not_count(names):
    found = asset_paths.parts(names)
    assert set(found) == set(names)
    assert len({asset_paths.folded(part) for part in found.values()}) == len(set(names))


@given(HOSTILE, HOSTILE)
def test_two_short_names_never_become_one(left, right):
    if max(len(left), len(right)) < 40:
        assert (asset_paths.part(left) == asset_paths.part(right)) == (left == right)


@pytest.mark.parametrize(
    ("name", "path"),
    [
        pytest.param("000001.jpg", "000001.jpg", id="plain"),
        pytest.param("day 1/cam_2/a-1.jpg", "day 1/cam_2/a-1.jpg", id="folders"),
        pytest.param("bücher/日本.png", "bücher/日本.png", id="any script"),
        pytest.param("a\\xff.png", "a%5Cxff.png", id="a byte that is no letter"),
        pytest.param("100%.png", "100%25.png", id="a sign of our own"),
        pytest.param("/etc/passwd", "%/etc/passwd", id="a path from the top"),
        pytest.param(".git/config", "%2Egit/config", id="a hidden folder"),
    ],
)
def test_what_frames_are_called(name, path):
    assert asset_paths.path(name) == path


@pytest.mark.parametrize("name", ["000001.jpg", "day 1/cam_2/a-1.jpg", "nul.png", "a/con/b.jpg", ".x.jpg", "x.", "ü.png", "a" * 300])
def test_the_quick_look_calls_plain_what_stays_as_it_is(name):
    plain = bool(re.match(asset_paths.PLAIN, name)) and not re.search(asset_paths.RESERVED, name)
    assert not plain or asset_paths.path(name) == name
    assert plain == (name in {"000001.jpg", "day 1/cam_2/a-1.jpg"})


def test_a_long_name_is_cut_and_keeps_its_suffix():
    found = asset_paths.part("ä" * 200 + ".jpeg")
    assert found.endswith(".jpeg")
    assert len(found.encode()) <= asset_paths.LONGEST_BYTES
    assert found != asset_paths.part("ä" * 201 + ".jpeg")
