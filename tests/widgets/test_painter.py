"""The painter: one message a drawing, whole or not at all, and pictures as they are."""

from __future__ import annotations

import json
from io import BytesIO
from typing import TYPE_CHECKING, Any

import pytest
from ipycanvas.canvas import _CANVAS_MANAGER, COMMANDS
from PIL import Image, UnidentifiedImageError

from labelkit.core.geometry import Box, Point
from labelkit.core.review.annotations import BALL, PLAYER, Annotation
from labelkit.core.review.shapes import View, shapes_of
from labelkit.widgets.painter import Painter, hold

if TYPE_CHECKING:
    from collections.abc import Iterator

NAMES = {number: name for name, number in COMMANDS.items()}


class Drawn(list[list[tuple[str, list[Any]]]]):
    """Every message that ipycanvas sent, each as the commands in it; with the binary parts beside it."""

    def __init__(self) -> None:
        super().__init__()
        self.pictures: list[bytes] = []

    def take(self, _metadata: object, buffers: list[Any]) -> None:
        commands = json.loads(bytes(buffers[0]))
        commands = commands if isinstance(commands[0], list) else [commands]
        self.append([(NAMES[command[0]], command[1] if len(command) > 1 else []) for command in commands])
        self.pictures.extend(bytes(part) for part in buffers[1:])

    @property
    def names(self) -> list[str]:
        return [name for message in self for name, _ in message]


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> Drawn:
    kept = Drawn()
    monkeypatch.setattr(_CANVAS_MANAGER, "send", kept.take)
    return kept


@pytest.fixture
def painter() -> Iterator[Painter]:
    made = Painter(200, 100)
    yield made
    made.close()


def jpeg(width: int = 40, height: int = 20) -> bytes:
    out = BytesIO()
    Image.new("RGB", (width, height), "green").save(out, "JPEG")
    return out.getvalue()


def failing_drawing(painter: Painter, layer: int) -> None:
    with hold():
        painter.canvas[layer].stroke_rect(0, 0, 1, 1)
        _ = 1 / 0


def test_a_drawing_travels_as_one_message_that_names_its_canvas(painter: Painter, drawn: Drawn) -> None:
    # given
    boxes = [Annotation("a", "player", Box(1, 2, 3, 4)), Annotation("b", "referee", Box(5, 6, 7, 8), score=0.5)]
    # when
    painter.shapes(0, shapes_of(boxes, PLAYER), View(1, 0, 0))
    painter.shapes(0, shapes_of(boxes, PLAYER), View(1, 0, 0))
    # then
    assert len(drawn) == 2
    assert [message[0][0] for message in drawn] == ["switchCanvas", "switchCanvas"]
    assert drawn.names.count("strokeRect") == 8


def test_a_drawing_that_fails_sends_nothing_and_silences_nobody(painter: Painter, drawn: Drawn) -> None:
    # when
    with pytest.raises(ZeroDivisionError):
        failing_drawing(painter, layer=0)
    painter.clear(1)
    # then
    assert drawn.names == ["switchCanvas", "clear"]


def test_a_failure_inside_a_held_drawing_leaves_the_outer_one_whole(painter: Painter, drawn: Drawn) -> None:
    # when
    with hold():
        painter.canvas[0].fill_rect(0, 0, 1, 1)
        with pytest.raises(ZeroDivisionError):
            failing_drawing(painter, layer=1)
        painter.canvas[1].fill_rect(0, 0, 1, 1)
    # then
    assert len(drawn) == 1
    assert drawn.names == ["switchCanvas", "fillRect", "switchCanvas", "fillRect"]
    assert "strokeRect" not in drawn.names


def test_a_picture_travels_as_the_bytes_it_has(painter: Painter, drawn: Drawn) -> None:
    # given
    data = jpeg()
    # when
    size = painter.picture(0, data, View.fit(40, 20, 200, 100))
    # then
    assert size == (40, 20)
    assert drawn.pictures == [data]
    assert ("scale", [5.0, 5.0]) in drawn[0]


@pytest.mark.parametrize("data", [pytest.param(b"no picture", id="text"), pytest.param(jpeg()[:300], id="truncated")])
def test_bytes_that_are_no_picture_never_reach_the_browser(painter: Painter, drawn: Drawn, data: bytes) -> None:
    # then
    with pytest.raises((UnidentifiedImageError, OSError)):
        painter.picture(0, data, View(1, 0, 0))
    assert drawn == []


def test_points_are_told_apart_by_their_marks(painter: Painter, drawn: Drawn) -> None:
    # when
    painter.shapes(0, shapes_of([Annotation("a", "ball", Point(5, 5))], BALL), View(1, 0, 0))
    painter.shapes(0, shapes_of([Annotation("a", "goalkeeper", Point(5, 5))], PLAYER), View(1, 0, 0))
    # then
    assert "strokeCircle" in [name for name, _ in drawn[0]]
    assert "strokePolygon" in [name for name, _ in drawn[1]]


@pytest.mark.usefixtures("painter")
def test_closing_leaves_no_model_behind() -> None:
    # given
    from ipywidgets.widgets.widget import _instances

    before = len(_instances)
    # when
    Painter(10, 10, layers=3).close()
    # then
    assert len(_instances) == before
