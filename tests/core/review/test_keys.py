"""The registry of keys: presets without clashes, chords as the browser writes them."""

from __future__ import annotations

import pytest

from labelkit.core.review.keys import CVAT, LABELKIT, LISTS, PRESETS, Key, When, as_json, clashes, preset, well_formed
from labelkit.errors import InvalidValue

REGISTRIES = PRESETS | LISTS


@pytest.mark.parametrize("name", REGISTRIES)
def test_no_chord_of_a_registry_starts_two_actions_at_once(name: str) -> None:
    assert clashes(REGISTRIES[name]) == []


@pytest.mark.parametrize("name", REGISTRIES)
def test_every_chord_is_written_as_the_browser_writes_it(name: str) -> None:
    assert [chord for key in REGISTRIES[name] for chord in key.chords if not well_formed(chord)] == []


@pytest.mark.parametrize("name", REGISTRIES)
def test_no_registry_takes_a_key_that_must_leave_the_widget(name: str) -> None:
    taken = {chord for key in REGISTRIES[name] for chord in key.chords}
    assert taken.isdisjoint({"Tab", "Shift+Tab", "Ctrl+S", "Ctrl+F", "Ctrl+R", "Ctrl+W", "F1", "F5"})


def test_presets_offer_the_same_actions_by_other_keys() -> None:
    assert [key.action for key in CVAT] == [key.action for key in LABELKIT]
    assert {key.action: key.chords for key in CVAT}["next_frame"] == ("F",)


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        pytest.param(("X", When.ALWAYS), ("X", When.SELECTED), 1, id="always meets everything"),
        pytest.param(("X", When.SELECTED), ("X", When.SELECTED), 1, id="the same moment"),
        pytest.param(("X", When.SELECTED), ("X", When.NOTHING_SELECTED), 0, id="different moments"),
        pytest.param(("X", When.ALWAYS), ("Shift+X", When.ALWAYS), 0, id="different chords"),
        pytest.param(("?", When.ALWAYS), ("Shift+/", When.ALWAYS), 1, id="one key written in two ways"),
    ],
)
def test_a_clash_is_found_when_two_actions_share_a_chord_and_a_moment(
    one: tuple[str, When], other: tuple[str, When], expected: int
) -> None:
    keys = [Key("a", (one[0],), "g", "a", one[1]), Key("b", (other[0],), "g", "b", other[1])]
    assert len(clashes(keys)) == expected


def test_an_unknown_preset_is_refused_with_those_that_exist() -> None:
    with pytest.raises(InvalidValue) as refusal:
        preset("vim")
    assert "cvat, labelkit" in refusal.value.hint


def test_the_browser_gets_only_the_keys_of_actions_that_it_has() -> None:
    assert [row["action"] for row in as_json(LABELKIT, ["undo"])] == ["undo"]
