"""Every key of both presets, pressed: what the registry promises happens, and the help says so."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

import labelkit
from labelkit import ReviewOp
from labelkit.core.review.keys import PRESETS, Key
from tests.browser import reviews
from tests.browser.key_board import Board
from tests.browser.key_checks import BOX_ONLY, CLASSES, KIT, POINT_ONLY, checks

if TYPE_CHECKING:
    from collections.abc import Callable

    from labelkit.synthetic import Match
    from labelkit.widgets import FrameReview
    from tests.browser.twin import Twin

pytestmark = pytest.mark.browser


def kit(match: Match, keys: str) -> FrameReview:
    """Return a review of nine classes: two boxes on the first frame, one that a person placed on the ninth and eleventh."""
    ws = reviews.workspace(match)
    ws.capabilities.add(KIT, geometry="box", classes=CLASSES)
    draft = ws.review.open("match-1", KIT)
    ops = [ReviewOp.add_box(0, CLASSES[0], 100, 100, 200, 200, id="a"), ReviewOp.add_box(0, CLASSES[1], 500, 300, 60, 60, id="b")]
    ops += [ReviewOp.add_box(i, CLASSES[0], 100 + i, 100, 200, 200, id=f"far{i}") for i in (8, 10)]
    ws.review.apply(draft.id, base_version=draft.version, ops=ops)
    return labelkit.widgets.FrameReview(ws, "match-1", KIT, keys=keys)


def ball(match: Match, keys: str) -> FrameReview:
    """Return a review of the ball: a point on the first, ninth and eleventh frame."""
    ws = reviews.workspace(match)
    draft = ws.review.open("match-1", reviews.BALL)
    ops = [ReviewOp.add_point(i, "ball", 480 + i, 270, 10, id=f"ball{i}") for i in (0, 8, 10)]
    ws.review.apply(draft.id, base_version=draft.version, ops=ops)
    return labelkit.widgets.FrameReview(ws, "match-1", reviews.BALL, keys=keys)


def bound(preset: str, kind: str) -> list[Key]:
    """Return the keys of a preset that a review of boxes or points must bind."""
    missing = POINT_ONLY if kind == "box" else BOX_ONLY | {f"class_{n}" for n in range(2, 10)}
    return [key for key in PRESETS[preset] if key.action not in missing]


@pytest.mark.parametrize("kind", ["box", "point"])
@pytest.mark.parametrize("preset", PRESETS)
@pytest.mark.timeout(240)
def test_every_key_does_what_the_registry_says(show: Callable[[FrameReview], Twin], match: Match, preset: str, kind: str) -> None:
    # given
    twin = show((kit if kind == "box" else ball)(match, preset))
    keys = bound(preset, kind)
    board = Board(twin, keys)
    table = checks(kind)
    same = {key.action for key in PRESETS["labelkit"] if key in PRESETS["cvat"]} if preset == "cvat" else set()
    assert {key.action for key in keys} <= set(table)
    for key in keys:
        for chord in key.chords:
            if key.action in same:  # pressed with the other preset
                continue
            # when
            board.chord = chord
            board.go(0)
            twin.stage.focus()
            twin.press("Escape")
            twin.stage.focus()
            try:
                table[key.action](board)
            except AssertionError as failed:
                failed.add_note(f"{key.action} by {chord}")
                raise
            # then
            assert not twin.review.errors, (key.action, chord)
            while twin.page.get_by_role("button", name="Undo").is_enabled():
                twin.page.get_by_role("button", name="Undo").click()
                twin.page.wait_for_timeout(30)
