"""Annotations and frames: what counts as content, and the hashes that everything else rests on, as literals."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labelkit.core.geometry import Box, Point
from labelkit.core.review.annotations import (
    BALL,
    PLAYER,
    Annotation,
    Capability,
    FrameContent,
    FrameFlag,
    FrameState,
    FrameStep,
    Source,
    attributes_of,
    attributes_text,
    content_hash,
)
from labelkit.errors import InvalidValue
from tests.core.review.labels import ANNOTATIONS, frames

PLAYER_BOX = Annotation("a1", "player", Box(10.5, 20, 30, 40.25), 0.9, Source.MODEL)
REFEREE_BOX = Annotation("a2", "referee", Box(0, 0, 1, 1))
BALL_POINT = Annotation("b1", "ball", Point(12.3457, 7, 8))
BARE_POINT = Annotation("b2", "ball", Point(12.3457, 7))
ODD_LABEL = Annotation("c1", 'a"\\\u2028\x1f', Box(1, 2, 3, 4), attributes='{"size_source":"default"}')


@pytest.mark.parametrize(
    ("frame", "expected"),
    [
        pytest.param(FrameContent(0), "643d5437104296e21d906ecb15b2c96ad278f20cfc4af53b12bb6069bd853726", id="nothing"),
        pytest.param(FrameContent(0, (PLAYER_BOX,)), "d1c7d0fc9aa158e477e4c011980b9b493d4ddde7e74376add98fd1c8ec40fd8d", id="a box"),
        pytest.param(
            FrameContent(0, (PLAYER_BOX, REFEREE_BOX)), "51a1dd348dde5e70fd90002b2bd6b0642c0f2d5fbafd497bbbdbb232e505dd1c", id="two boxes"
        ),
        pytest.param(
            FrameContent(0, (BALL_POINT,)), "2948f648b5e892b59ea90115c9ac74db0e8c6c3185d12aee3a4bc61b7c077f8b", id="a point with its size"
        ),
        pytest.param(
            FrameContent(0, (BARE_POINT,)), "bd1ec60199454d1b9c2923a7b3cea43af81dce1661cd7cb2b2d48944f7c96940", id="a point without size"
        ),
        pytest.param(
            FrameContent(0, (ODD_LABEL,)),
            "822a379bbbd95a572a14c01a4d39589eeaa9929ebf9705edfbb28692a04169e7",
            id="an odd label and attributes",
        ),
        pytest.param(
            FrameContent(0, (), (FrameFlag.BAD_FRAME, FrameFlag.NEEDS_HUMAN_REVIEW)),
            "abc5f6d17d3bc0ec9a852b83661964a0da3c96431d8ddf87d5640fb1fcecb235",
            id="flags",
        ),
    ],
)
def test_a_frame_has_this_digest_on_every_platform(frame, expected):
    assert frame.digest() == expected


def test_a_content_has_this_hash_on_every_platform():
    frames = [(0, FrameContent(0, (PLAYER_BOX,)).digest()), (1, FrameContent(1).digest())]
    assert content_hash("player_detection", frames) == "68a5181f87def9d6672b71d30a371af402ed697cb52d0890601fc76f7c9117b2"
    assert content_hash("player_detection", frames[::-1]) == "68a5181f87def9d6672b71d30a371af402ed697cb52d0890601fc76f7c9117b2"
    assert content_hash("ball_detection", frames) != content_hash("player_detection", frames)
    assert content_hash("player_detection", [(1, frames[0][1]), (0, frames[1][1])]) != content_hash("player_detection", frames)


@given(frames(), st.randoms(use_true_random=False))
def test_order_ids_scores_sources_and_the_state_do_not_count_as_content(frame, random):
    # given the same labels, shuffled, by others, at another time
    shuffled = list(frame.annotations)
    random.shuffle(shuffled)
    others = tuple(replace(a, id=f"other-{n}", score=0.123, source=Source.INTERPOLATED) for n, a in enumerate(shuffled))

    # then the digest is the same
    assert replace(frame, annotations=others, flags=frame.flags[::-1], state=FrameState.ACCEPTED, index=99).digest() == frame.digest()


@given(ANNOTATIONS)
def test_class_geometry_size_attributes_and_flags_count_as_content(annotation):
    # given
    frame = FrameContent(0, (annotation,))
    shape = annotation.geometry
    resized = replace(shape, size=(shape.size or 0) + 1) if isinstance(shape, Point) else replace(shape, height=shape.height + 1)

    # when one thing changes at a time
    changed = [
        replace(annotation, label=annotation.label + "s"),
        replace(annotation, geometry=replace(shape, x=shape.x + 0.0001)),
        replace(annotation, geometry=resized),
        replace(annotation, attributes=attributes_text({**attributes_of(annotation), "new": 1})),
    ]

    # then every digest is another one
    digests = {FrameContent(0, (other,)).digest() for other in changed}
    digests |= {frame.digest(), FrameContent(0, (annotation, annotation)).digest(), replace(frame, flags=(FrameFlag.BAD_FRAME,)).digest()}
    assert len(digests) == 7


def test_a_point_and_a_box_of_the_same_numbers_differ():
    point, box = Annotation("a", "ball", Point(1, 2, 3)), Annotation("a", "ball", Box(1, 2, 3, 3))
    assert FrameContent(0, (point,)).digest() != FrameContent(0, (box,)).digest()


@given(ANNOTATIONS)
def test_an_annotation_survives_its_json_form(annotation):
    assert Annotation.from_json(annotation.as_json()) == annotation


def test_a_row_with_the_least_that_is_needed_becomes_a_point_by_a_person():
    assert Annotation.from_json({"id": "p", "label": "ball", "x": 1, "y": 2}) == Annotation("p", "ball", Point(1, 2), None, Source.HUMAN)


@pytest.mark.parametrize("attributes", [None, {}])
def test_no_attributes_are_no_text(attributes):
    assert attributes_text(attributes) is None


def test_attributes_are_canonical_text():
    text = attributes_text({"b": 1, "a": "é"})
    assert text == '{"a":"é","b":1}'
    assert attributes_of(Annotation("a", "ball", Point(0, 0), attributes=text)) == {"a": "é", "b": 1}


@pytest.mark.parametrize(
    ("geometry", "classes", "reason"),
    [
        pytest.param("polygon", ("ball",), "unknown geometry 'polygon'", id="unknown geometry"),
        pytest.param("box", (), "classes are empty or repeat", id="no class"),
        pytest.param("box", ("ball", "ball"), "classes are empty or repeat", id="a class twice"),
    ],
)
def test_a_capability_that_says_nothing_clear_is_refused(geometry, classes, reason):
    with pytest.raises(InvalidValue, match=reason):
        Capability("mine", geometry, classes)


def test_two_capabilities_are_built_in():
    assert (BALL.geometry, BALL.classes, BALL.single) == ("point", ("ball",), True)
    assert (PLAYER.geometry, PLAYER.classes) == ("box", ("player", "goalkeeper", "referee", "ball"))


def test_flags_and_states_have_the_names_of_the_specification():
    assert list(FrameFlag) == ["bad_frame", "needs_human_review", "false_positive_heavy", "false_negative_suspected"]
    assert list(FrameState) == ["untouched", "seen", "edited", "accepted"]


def test_a_step_changes_nothing_but_the_state():
    frame = FrameContent(3, (PLAYER_BOX,), (FrameFlag.BAD_FRAME,))
    assert frame.stepped(FrameStep.ACCEPT) == replace(frame, state=FrameState.ACCEPTED)


def test_an_annotation_is_found_by_its_id():
    frame = FrameContent(0, (PLAYER_BOX, REFEREE_BOX))
    assert frame.find("a2") == REFEREE_BOX
    assert frame.find("zz") is None
