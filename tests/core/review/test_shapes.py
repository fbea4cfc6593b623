"""What is drawn: order, styles, the model's labels that the review changed, and where a frame lies on a screen."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labelkit.core.geometry import Box, Point
from labelkit.core.review.annotations import BALL, PLAYER, Annotation, Capability
from labelkit.core.review.shapes import GHOST, STYLES, View, caption, ghosts, shapes_of, style_of

SIDES = st.floats(min_value=1, max_value=4000)


def box(name: str, x: float = 0, side: float = 10, label: str = "player", score: float | None = None) -> Annotation:
    return Annotation(name, label, Box(x, 0, side, side), score)


def test_small_boxes_are_drawn_over_large_ones() -> None:
    shapes = shapes_of([box("small", side=2), box("large", side=50), box("middle", side=9)], PLAYER)
    assert [shape.width for shape in shapes] == [50, 9, 2]


def test_classes_differ_by_colour_and_by_line() -> None:
    styles = [style_of(PLAYER, label) for label in PLAYER.classes]
    assert len({style.colour for style in styles}) == len({style.dash for style in styles}) == len({style.mark for style in styles}) == 4


@pytest.mark.parametrize(
    ("label", "expected"),
    [
        pytest.param("c0", STYLES[0], id="the first class"),
        pytest.param("c8", STYLES[0], id="beyond the table styles repeat"),
        pytest.param("nobody", GHOST, id="an unknown class"),
    ],
)
def test_a_class_has_the_style_of_its_place(label: str, expected: object) -> None:
    many = Capability("many", "box", tuple(f"c{n}" for n in range(9)))
    assert style_of(many, label) == expected


@pytest.mark.parametrize(
    ("present", "expected"),
    [
        pytest.param([box("a"), box("b", x=20)], [], id="all kept"),
        pytest.param([box("a")], [(20, True)], id="one deleted"),
        pytest.param([box("a"), box("b", x=25)], [(20, False)], id="one moved"),
        pytest.param([box("a"), box("other", x=20)], [], id="the same under another id"),
        pytest.param([box("a"), box("b", x=20, label="referee")], [(20, False)], id="one of another class now"),
    ],
)
def test_ghosts_are_the_models_labels_that_the_review_changed(present: list[Annotation], expected: list[tuple[float, bool]]) -> None:
    shapes = ghosts([box("a", score=0.9), box("b", x=20, score=0.4)], present, PLAYER)
    assert [(shape.x, shape.crossed) for shape in shapes] == expected


@pytest.mark.parametrize(("score", "text"), [(None, "player"), (0.874, "player 87%"), (1.0, "player 100%")])
def test_a_caption_names_the_class_and_the_models_confidence(score: float | None, text: str) -> None:
    assert caption(box("a", score=score)) == text


def test_a_point_keeps_the_radius_of_what_it_marks() -> None:
    (shape,) = shapes_of([Annotation("a", "ball", Point(3, 4, 9))], BALL)
    assert (shape.kind, shape.x, shape.y, shape.radius) == ("point", 3, 4, 4.5)


@given(SIDES, SIDES, SIDES, SIDES)
def test_a_fitted_frame_lies_whole_and_centred_in_the_view(frame_width: float, frame_height: float, width: float, height: float) -> None:
    view = View.fit(frame_width, frame_height, width, height)
    left, top = view.at(0, 0)
    right, bottom = view.at(frame_width, frame_height)
    assert left >= -1e-6
    assert top >= -1e-6
    assert right == pytest.approx(width - left)
    assert bottom == pytest.approx(height - top)


def test_a_frame_without_a_size_has_a_view_all_the_same() -> None:
    assert View.fit(0, 0, 100, 100) == View(1.0, 0.0, 0.0)
