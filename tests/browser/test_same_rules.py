"""The browser's rules for the moment before the kernel answers are the kernel's rules."""

from __future__ import annotations

from contextlib import suppress
from random import Random
from typing import TYPE_CHECKING, Any

import pytest

from labelkit import LabelkitError, ReviewOp
from labelkit.core.review.annotations import BALL, PLAYER, Capability, FrameContent, FrameFlag
from labelkit.core.review.session import FrameSize, reduce
from labelkit.widgets import bundle

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.browser

WIDTH, HEIGHT, OPS = 320, 180, 400

REPLAY = """async ({ script, ops, facts }) => {
  const { reduce } = await import(URL.createObjectURL(new Blob([script], { type: "text/javascript" })));
  let content = { index: 0, annotations: [], flags: [], state: "untouched" };
  return ops.map((op) => (content = reduce(content, op, facts) ?? content));
}"""


def some_ops(random: Random, capability: Capability) -> list[dict[str, Any]]:
    """Return operations as a person would make them and some that must be refused: unknown ids, empty boxes, places off the frame."""
    ops: list[dict[str, Any]] = []
    point = capability.geometry == "point"
    for number in range(OPS):
        known = f"n{random.randrange(number + 1)}"
        place = {"x": random.uniform(-40, WIDTH + 40), "y": random.uniform(-40, HEIGHT + 40)}
        extent = {} if point else {"width": random.choice([0.2, 1, 30.12345]), "height": random.uniform(0.1, 90)}
        label = random.choice(capability.classes)
        flag = random.choice(list(FrameFlag)).value
        added = {"kind": "add_point" if point else "add_box", "id": f"n{number}", "label": label, **place, **extent}
        resized = (
            {"kind": "resize", "id": known, "size": random.choice([1, 8.5])}
            if point
            else {"kind": "resize", "id": known, **place, **extent}
        )
        choices = [
            added,
            added,
            {"kind": "move", "id": known, **place},
            resized,
            {"kind": "relabel", "id": known, "label": label},
            {"kind": "delete", "id": known},
            {"kind": "flag", "flag_name": flag},
            {"kind": "unflag", "flag_name": flag},
            {"kind": "accept"},
        ]
        ops.append({"frame": 0, **random.choice(choices)})
    return ops


def in_python(ops: list[dict[str, Any]], capability: Capability) -> list[dict[str, Any]]:
    """Return the frame after each operation; a refused one leaves it as it was."""
    content, seen = FrameContent(0), []
    for op in ops:
        with suppress(LabelkitError):
            content = reduce(content, ReviewOp.from_json(op), FrameSize(WIDTH, HEIGHT), capability)
        seen.append(
            {
                "index": 0,
                "annotations": [annotation.as_json() for annotation in content.annotations],
                "flags": [str(flag) for flag in content.flags],
                "state": str(content.state),
            }
        )
    return seen


@pytest.mark.parametrize("capability", [PLAYER, BALL], ids=lambda one: one.name)
@pytest.mark.parametrize("seed", [1, 2])
def test_both_halves_come_to_the_same_labels_after_every_operation(page: Page, capability: Capability, seed: int) -> None:
    # given
    ops = some_ops(Random(seed), capability)
    # when
    script = bundle.script("frame_review/edits.js")
    there = page.evaluate(REPLAY, {"script": script, "ops": ops, "facts": {"width": WIDTH, "height": HEIGHT, "problem": None}})
    here = in_python(ops, capability)
    # then
    assert len(here[-1]["annotations"]) > 5
    for op, one, other in zip(ops, here, there, strict=True):
        assert one == other, op
