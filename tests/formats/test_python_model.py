"""A model as a function: what it returns are labels or refusals, and no frame costs another."""

from __future__ import annotations

import json
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from labelkit.core.geometry import Box, Point
from labelkit.core.review.annotations import Annotation, Source
from labelkit.errors import InvalidValue
from labelkit.formats import python_model
from tests.formats import helpers

FRAMES = helpers.frames("a.jpg", "b.jpg", "c.jpg", problems={"b.jpg": "FRAME_TRUNCATED"})
BOX = ("player", 10, 5, 20, 30)


def read(model, frames=FRAMES, capability=helpers.BOXES, **options):
    def given(index):
        return SimpleNamespace(**frames.row(index, named=True))

    return helpers.together(python_model.read(model, frames=frames, capability=capability, given=given, **options))


def on_first(*labels):
    return lambda frame: labels if frame.index == 0 else None


def test_the_model_gets_every_frame_with_a_picture_in_order_and_its_labels_are_kept():
    # given
    seen = []

    def model(frame):
        seen.append((frame.index, frame.name, frame.width, frame.height))
        return [(*BOX, 0.75), ("ball", frame.index, 2, 3, 4)]

    # when
    found = read(model)

    # then
    assert seen == [(0, "a.jpg", 100, 50), (2, "c.jpg", 100, 50)]
    assert helpers.geometry(found.rows) == [
        (0, "player", 10, 5, 20, 30, None),
        (0, "ball", 0, 2, 3, 4, None),
        (2, "player", 10, 5, 20, 30, None),
        (2, "ball", 2, 2, 3, 4, None),
    ]
    assert found.rows.select("score", "file", "line").rows()[:2] == [(0.75, "a.jpg", 1), (None, "a.jpg", 2)]
    # and the frame without a picture is said to have none
    assert found.refused.rows() == [("b.jpg", None, "LABEL_FRAME_BROKEN", "frame 1: FRAME_TRUNCATED; the model was not called")]


BOXES = {
    "a tuple": (BOX, {}),
    "a tuple with a score": ((*BOX, 0.5), {}),
    "a list": (list(BOX), {}),
    "a dictionary": ({"label": "player", "x": 10, "y": 5, "width": 20, "height": 30, "score": None}, {}),
    "numbers of numpy": (("player", *np.array([10, 5, 20, 30], dtype=np.float32), np.float64(0.5)), {}),
    "an annotation": (Annotation("x", "player", Box(10, 5, 20, 30), 0.5, Source.MODEL), {}),
    "a class number": ((1, 10, 5, 20, 30), {"classes": ["ball", "player"]}),
    "a class number of numpy": ((np.int64(1), 10, 5, 20, 30), {"classes": ["ball", "player"]}),
}


@pytest.mark.parametrize(("label", "options"), BOXES.values(), ids=BOXES)
def test_a_box_is_understood_in_any_form(label, options):
    found = read(on_first(label), **options)
    assert helpers.geometry(found.rows) == [(0, "player", 10, 5, 20, 30, None)]
    assert found.rows["score"].to_list() in ([None], [0.5])


POINTS = {
    "a tuple": (("ball", 10, 5), None),
    "a tuple with a score": (("ball", 10, 5, 0.5), None),
    "a dictionary with a size": ({"label": "ball", "x": 10, "y": 5, "size": 8}, 8),
    "an annotation": (Annotation("x", "ball", Point(10, 5, 8)), 8),
}


@pytest.mark.parametrize(("label", "size"), POINTS.values(), ids=POINTS)
def test_a_point_is_understood_in_any_form(label, size):
    assert helpers.geometry(read(on_first(label), capability=helpers.POINTS).rows) == [(0, "ball", 10, 5, None, None, size)]


def test_attributes_are_kept():
    label = {"label": "player", "x": 1, "y": 2, "width": 3, "height": 4, "attributes": {"track_id": 7, "team": "é"}}
    annotated = Annotation("x", "player", Box(1, 2, 3, 4), attributes='{"track_id":8}')
    found = read(on_first(label, annotated, label | {"attributes": {}}))
    assert [text and json.loads(text) for text in found.rows["attributes"]] == [{"track_id": 7, "team": "é"}, {"track_id": 8}, None]


class Mute:
    """Says nothing of itself, not even its name."""

    def __repr__(self):
        raise RuntimeError

    def __float__(self):
        raise RuntimeError


LABELS = {
    "a number": (3, "LABEL_MALFORMED", "it is no tuple"),
    "a word": ("player", "LABEL_MALFORMED", "it is no tuple"),
    "two values": (("player", 1), "LABEL_MALFORMED", "it is no tuple"),
    "something mute": (Mute(), "LABEL_MALFORMED", "a Mute"),
    "another key": ({"label": "player", "x1": 3}, "LABEL_MALFORMED", "key 'x1'"),
    "no label": ({"x": 1, "y": 2, "width": 3, "height": 4}, "LABEL_MALFORMED", "its label is None"),
    "no place": ({"label": "player"}, "LABEL_MALFORMED", ""),
    "a text for a number": (("player", "10", 5, 20, 30), "LABEL_NOT_A_NUMBER", "x is '10'"),
    "a truth for a number": (("player", True, 5, 20, 30), "LABEL_NOT_A_NUMBER", "x is True"),
    "many numbers for one": (("player", np.zeros(3), 5, 20, 30), "LABEL_NOT_A_NUMBER", "x is array"),
    "something mute for a number": (("player", Mute(), 5, 20, 30), "LABEL_NOT_A_NUMBER", "x is a Mute"),
    "NaN": (("player", float("nan"), 5, 20, 30), "LABEL_NOT_A_NUMBER", ""),
    "a score of a percentage": ((*BOX, 87), "LABEL_SCORE_OUT_OF_RANGE", ""),
    "a class number without names": ((0, 10, 5, 20, 30), "LABEL_CLASS_OUT_OF_RANGE", "classes=[...]"),
    "another class": (("cat", 10, 5, 20, 30), "LABEL_UNKNOWN_CLASS", "class cat"),
    "half a letter": (("\ud800", 10, 5, 20, 30), "LABEL_UNKNOWN_CLASS", ""),
    "attributes that are no JSON": ({"label": "player", "attributes": {"a": {1, 2}}}, "LABEL_MALFORMED", "its attributes"),
    "attributes as text": ({"label": "player", "attributes": "{}"}, "LABEL_MALFORMED", "its attributes"),
    "outside": (("player", 110, 5, 20, 30), "LABEL_OUTSIDE_FRAME", ""),
    "a point among boxes": (("player", 10, 5), "LABEL_NOT_A_BOX", ""),
}


@pytest.mark.parametrize(("label", "code", "detail"), LABELS.values(), ids=LABELS)
def test_a_wrong_label_is_refused_with_its_frame_and_spoils_no_other(label, code, detail):
    found = read(on_first(BOX, label, BOX))
    refused = found.refused.filter(file="a.jpg")
    assert refused.select("line", "code").rows() == [(2, code)]
    assert detail in refused["detail"][0]
    assert found.rows["line"].to_list() == [1, 3]


class MuteError(Exception):
    def __str__(self):
        raise RuntimeError


def raising(error):
    def model(frame):
        if frame.index == 0:
            raise error
        return [BOX]

    return model


def broken_generator(frame):
    yield BOX
    if frame.index == 0:
        raise ValueError("cut off")


FAILURES = {
    "an exception": (raising(ValueError("no weights")), "ValueError: no weights"),
    "a mute exception": (raising(MuteError()), "MuteError"),
    "half a letter": (raising(ValueError("\ud800")), "ValueError: \\ud800"),
    "an end that ends no loop": (raising(StopIteration()), "StopIteration"),
    "a generator that breaks": (broken_generator, "ValueError: cut off"),
    "a number": (lambda frame: 3 if frame.index == 0 else [BOX], "it returned int"),
    "one label instead of a list": (lambda frame: {"label": "player"} if frame.index == 0 else [BOX], "it returned dict"),
    "a word": (lambda frame: "player" if frame.index == 0 else [BOX], "it returned str"),
}


@pytest.mark.parametrize(("model", "reason"), FAILURES.values(), ids=FAILURES)
def test_a_frame_on_which_the_model_fails_is_refused_and_the_next_is_called(model, reason):
    found = read(model)
    assert helpers.refusals(found)[0] == ("a.jpg", None, "LABEL_MODEL_FAILED")
    assert found.refused["detail"][0].startswith("frame 0: ")
    assert reason in found.refused["detail"][0]
    assert found.rows["frame_index"].to_list() == [2]


def test_an_interruption_ends_the_reading():
    with pytest.raises(KeyboardInterrupt):
        read(raising(KeyboardInterrupt()))


def test_progress_is_told_after_each_frame_and_may_end_the_reading():
    # given
    told = []

    def stop(done, total):
        told.append((done, total))
        if done == 2:
            raise TimeoutError

    # then
    read(on_first(), progress=lambda *now: told.append(now))
    assert told == [(1, 3), (2, 3), (3, 3)]
    with pytest.raises(TimeoutError):
        read(on_first(), progress=stop)
    assert told[3:] == [(1, 3), (2, 3)]


def test_frames_of_a_video_are_named_by_their_number():
    found = read(raising(ValueError("x")), helpers.frames("", ""))
    assert (found.refused["file"].to_list(), found.rows["file"].to_list()) == (["frame 0"], ["frame 1"])


@pytest.mark.parametrize("source", ["model.onnx", None, 3])
def test_what_is_no_function_is_refused_before_anything_is_called(source):
    with pytest.raises(InvalidValue, match="no function"):
        read(source)


@settings(deadline=None, max_examples=20)
@given(
    st.lists(st.lists(st.sampled_from([BOX, "x", ("cat", 1, 2, 3, 4)]), max_size=4), min_size=1, max_size=6),
    st.integers(1, 4),
    st.integers(1, 4),
)
def test_every_label_is_in_one_place_whatever_the_chunks(answers, labels, frame_count):
    # given
    frames = helpers.frames(*(f"{number}.jpg" for number in range(len(answers))))

    # when
    whole = read(lambda frame: answers[frame.index], frames)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(python_model, "LABELS_A_CHUNK", labels)
        patch.setattr(python_model, "FRAMES_A_CHUNK", frame_count)
        parts = read(lambda frame: answers[frame.index], frames)

    # then
    assert parts.rows.equals(whole.rows)
    assert parts.refused.equals(whole.refused)
    assert whole.rows.height + whole.refused.height == sum(map(len, answers))
