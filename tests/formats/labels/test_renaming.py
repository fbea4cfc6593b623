"""Classes that are called otherwise here: renamed, left out with a reason, by name or by number."""

from __future__ import annotations

import polars as pl
import pytest

from labelkit.core.review.annotations import PLAYER
from labelkit.errors import InvalidValue
from labelkit.formats.labels.renaming import Renaming
from labelkit.formats.labels.rows import NOTES, REFUSED, ROWS, Chunk


def chunk(*labels: str) -> Chunk:
    rows = pl.DataFrame([{"frame_index": 0, "label": label, "file": "a.csv", "line": n + 2} for n, label in enumerate(labels)])
    shaped = rows.select(rows[name].cast(kind) if name in rows.columns else pl.lit(None, kind).alias(name) for name, kind in ROWS.items())
    return Chunk(shaped, pl.DataFrame(schema=REFUSED), pl.DataFrame(schema=NOTES))


def test_classes_are_renamed_and_left_out_with_file_and_line():
    # given
    renaming = Renaming.of({"person": "player", "crowd": None}, PLAYER)

    # when
    (found,) = renaming.applied([chunk("person", "crowd", "ball", "player")])

    # then
    assert found.rows["label"].to_list() == ["player", "ball", "player"]
    assert found.refused.rows() == [("a.csv", 3, "LABEL_CLASS_LEFT_OUT", "class crowd is left out, as asked")]
    assert renaming.widened(PLAYER).classes == (*PLAYER.classes, "person", "crowd")


def test_two_classes_can_change_places():
    (found,) = Renaming.of({"player": "referee", "referee": "player"}, PLAYER).applied([chunk("player", "referee")])
    assert found.rows["label"].to_list() == ["referee", "player"]


def test_numbers_become_names_in_order():
    renaming = Renaming.of({0: "player", 2: None}, PLAYER)
    assert renaming.numbers == ("class 0", "class 1", "class 2")
    assert dict(renaming.names) == {"class 0": "player", "class 2": None}


@pytest.mark.parametrize("classes", [["ball", "player"], "ball"], ids=["a list", "one name"])
def test_a_list_names_numbers_and_renames_nothing(classes):
    renaming = Renaming.of(classes, PLAYER)
    assert renaming.widened(PLAYER) is PLAYER
    assert renaming.numbers == (("ball",) if classes == "ball" else ("ball", "player"))


@pytest.mark.parametrize(
    ("classes", "reason"),
    [
        pytest.param({"person": "human"}, "'human' is no class of player_detection", id="no class here"),
        pytest.param({0: "player", "person": "player"}, "its keys are numbers and names", id="numbers and names"),
        pytest.param({0: "player", -1: "player"}, "its keys are numbers and names", id="a number below 0"),
    ],
)
def test_what_cannot_be_is_refused(classes, reason):
    with pytest.raises(InvalidValue, match=reason):
        Renaming.of(classes, PLAYER)
